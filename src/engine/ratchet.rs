//! A message authentication code that replaces its key with every message.
//!
//! `key' ‖ tag = BLAKE3 keyed with key, over the message`, 32 and 16 bytes of its extended
//! output. Who learns the key of today cannot make the tag of yesterday (Bellare and Yee,
//! "Forward-Security in Private-Key Cryptography", 2003).

use zeroize::Zeroize;

use super::EngineError;
use crate::secret::Secret;
use crate::system::arena::Locked;

/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;

struct Keys {
    now: [u8; KEY_LEN],
    /// What `keep` puts in its place.
    next: [u8; KEY_LEN],
    is_next: bool,
}

/// The key of the next message. It never leaves locked memory but for the hash function's state.
pub(crate) struct Ratchet(Locked<Keys>);

impl Ratchet {
    /// Starts with a 32-byte key.
    pub(crate) fn new(first: &Secret) -> Result<Self, EngineError> {
        let mut ratchet = Self::empty()?;
        first.expose(|first| {
            let fits = ratchet.0.now.len() == first.len();
            ratchet.0.now.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
            if fits { Ok(ratchet) } else { Err(EngineError::Key("BLAKE3 key length")) }
        })
    }

    fn empty() -> Result<Self, EngineError> {
        let keys = Keys { now: [0; KEY_LEN], next: [0; KEY_LEN], is_next: false };
        Locked::new(keys).map(Self).ok_or(EngineError::Memory)
    }

    /// A second one at the same place.
    pub(crate) fn try_clone(&self) -> Result<Self, EngineError> {
        let mut clone = Self::empty()?;
        clone.0.now = self.0.now;
        clone.0.next = self.0.next;
        clone.0.is_next = self.0.is_next;
        Ok(clone)
    }

    /// The tag of the next message. The key stays until `keep`, so that a message that could
    /// not be written does not count.
    pub(crate) fn tag(&mut self, message: &[u8]) -> [u8; TAG_LEN] {
        let keys = &mut *self.0;
        let mut hasher = blake3::Hasher::new_keyed(&keys.now);
        hasher.update(message);
        let mut reader = hasher.finalize_xof();
        let mut output = [0; KEY_LEN + TAG_LEN];
        reader.fill(&mut output);
        let mut tag = [0; TAG_LEN];
        let (next, last) = output.split_at(KEY_LEN);
        keys.next.copy_from_slice(next);
        keys.is_next = true;
        tag.copy_from_slice(last);
        output.zeroize();
        // In place of the crate's wiping, which goes byte by byte through two kilobytes of which
        // a short message uses none, and would cost more than the tag.
        hasher = blake3::Hasher::new();
        reader = hasher.finalize_xof();
        std::hint::black_box((&mut hasher, &mut reader));
        tag
    }

    /// The last message counts: the key that made its tag is gone.
    pub(crate) fn keep(&mut self) {
        let keys = &mut *self.0;
        if keys.is_next {
            keys.now = keys.next;
            keys.is_next = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ratchet;
    use crate::secret::Secret;

    fn ratchet() -> Ratchet {
        Ratchet::new(&Secret::copy_of(&[7; 32]).unwrap()).unwrap()
    }

    /// What the construction says, by the plain function of the crate.
    #[test]
    fn a_tag_is_what_it_should_be() {
        let (mut ratchet, mut key) = (ratchet(), [7; 32]);
        for message in [b"one".as_slice(), b"", &[b'x'; 5000], b"four"] {
            let mut output = [0; 48];
            let mut hasher = blake3::Hasher::new_keyed(&key);
            hasher.update(message).finalize_xof().fill(&mut output);
            assert_eq!(ratchet.tag(message), output[32..]);
            ratchet.keep();
            key.copy_from_slice(&output[..32]);
        }
    }

    #[test]
    fn only_what_is_kept_counts() {
        let (mut ratchet, mut other) = (ratchet(), ratchet());
        let first = ratchet.tag(b"one");
        ratchet.tag(b"lost");
        assert_eq!(ratchet.tag(b"one"), first);
        ratchet.keep();
        ratchet.keep();
        assert_eq!(other.tag(b"one"), first);
        other.keep();
        assert_eq!(ratchet.try_clone().unwrap().tag(b"two"), other.tag(b"two"));
        assert_ne!(ratchet.tag(b"one"), first);
        assert!(Ratchet::new(&Secret::copy_of(&[7; 31]).unwrap()).is_err());
    }
}
