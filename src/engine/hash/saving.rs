//! The state of a running hash as bytes, where its implementation can give it.

use sha1::digest::common::hazmat::{SerializableState, SerializedState};

use super::{Digest, Hasher, Keyed, Mac, State};
use crate::engine::EngineError;
use crate::secret::Secret;

/// The bytes of a state: from those of a MAC codes could be forged.
fn saved<S: SerializableState>(state: &S) -> Result<Option<Secret>, EngineError> {
    let mut bytes = state.serialize();
    let saved = Secret::build(bytes.len(), |room| {
        room.copy_from_slice(&bytes);
        Ok::<_, EngineError>(())
    });
    zeroize::Zeroize::zeroize(bytes.as_mut_slice());
    saved.map(Some)
}

fn restored<S: SerializableState>(bytes: &[u8]) -> Option<S> {
    S::deserialize(&SerializedState::<S>::try_from(bytes).ok()?).ok()
}

/// Runs the same expression on whichever state can be saved.
macro_rules! savable {
    ($($name:ident)*) => {
        impl State {
            fn save(&self) -> Result<Option<Secret>, EngineError> {
                match self {
                    $(Self::$name(state) => saved(state),)*
                    _ => Ok(None),
                }
            }

            fn restore(digest: Digest, bytes: &[u8]) -> Option<Self> {
                match digest {
                    $(Digest::$name => restored(bytes).map(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

savable! {
    Md5 Sha1 Sha224 Sha256 Sha384 Sha512 Sha512_224 Sha512_256 Sha3_224 Sha3_256 Sha3_384 Sha3_512
}

impl Hasher {
    /// The state, if this hash function can give it.
    pub(crate) fn save(&self) -> Result<Option<Secret>, EngineError> {
        self.state.save()
    }

    /// Goes on from a state that `save` gave for the same hash function; false if it is none.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> bool {
        let Some(state) = State::restore(self.digest, bytes) else { return false };
        self.state = state;
        true
    }
}

impl Mac {
    /// The state without the key, which `new` brings.
    pub(crate) fn save(&self) -> Result<Option<Secret>, EngineError> {
        match self.state.try_borrow().as_deref() {
            Ok(Some(Keyed { inner, .. })) => inner.save(),
            _ => Ok(None),
        }
    }

    /// Goes on from a state that `save` gave under the same key; false if it is none.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> bool {
        match self.state.try_borrow_mut().as_deref_mut() {
            Ok(Some(Keyed { inner, .. })) => inner.restore(bytes),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::hash::{Digest, Hasher, Mac, digest};

    const SAVABLE: [Digest; 12] = [
        Digest::Md5,
        Digest::Sha1,
        Digest::Sha224,
        Digest::Sha256,
        Digest::Sha384,
        Digest::Sha512,
        Digest::Sha512_224,
        Digest::Sha512_256,
        Digest::Sha3_224,
        Digest::Sha3_256,
        Digest::Sha3_384,
        Digest::Sha3_512,
    ];

    #[test]
    fn a_restored_hash_goes_on_where_it_was() {
        let input: Vec<u8> = (0..=255).cycle().take(700).collect();
        for function in SAVABLE {
            for cut in [0, 1, 64, 137, 333] {
                let mut first = Hasher::new(function);
                first.update(&input[..cut]);
                let state = first.save().unwrap().expect("a state");
                let mut second = Hasher::new(function);
                second.update(b"forgotten");
                assert!(state.expose(|bytes| second.restore(bytes)));
                second.update(&input[cut..]);
                let mut out = vec![0; function.len()];
                second.finish(&mut out).unwrap();
                assert_eq!(out, digest(function, &input), "{function:?} cut at {cut}");
                assert!(!state.expose(|bytes| second.restore(&bytes[1..])), "{function:?}");
            }
        }
        assert!(Hasher::new(Digest::Blake2b256).save().unwrap().is_none());
    }

    #[test]
    fn a_restored_mac_needs_its_key() {
        let code = |key: &[u8], state: Option<&crate::secret::Secret>, input: &[u8]| {
            let mut mac = Mac::new(Digest::Sha256, key).unwrap();
            if let Some(state) = state {
                assert!(state.expose(|bytes| mac.restore(bytes)));
            }
            mac.update(input);
            let saved = mac.save().unwrap().unwrap();
            let mut out = [0; 32];
            mac.finish(&mut out).unwrap();
            (out, saved)
        };
        let (whole, _) = code(b"key", None, b"first second");
        let (_, state) = code(b"key", None, b"first ");
        assert_eq!(code(b"key", Some(&state), b"second").0, whole);
        assert_ne!(code(b"yek", Some(&state), b"second").0, whole);
    }
}
