//! SLH-DSA (FIPS 205), all twelve parameter sets.
//!
//! A private key is four strings of n bytes, of which two are the public key; nothing is parsed
//! of them but for one signature, whose work outweighs that by far.

use slh_dsa::{
    ParameterSet, Sha2_128f, Sha2_128s, Sha2_192f, Sha2_192s, Sha2_256f, Sha2_256s, Shake128f,
    Shake128s, Shake192f, Shake192s, Shake256f, Shake256s, Signature, SigningKey, VerifyingKey,
};
use zeroize::Zeroizing;

use super::hash::constant_time_eq;
use super::{EngineError, random};
use crate::secret::Secret;

/// Makes the enum of parameter sets, and `with` from it.
macro_rules! sets {
    ($($name:ident: $n:literal, $signature:literal;)*) => {
        /// A parameter set (FIPS 205, table 2).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum SlhDsa { $(
            #[doc = concat!("Signatures of ", $signature, " bytes.")]
            $name,
        )* }

        impl SlhDsa {
            /// Every parameter set.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Bytes of each of the strings that keys are made of.
            const fn n(self) -> usize {
                match self { $(Self::$name => $n,)* }
            }

            /// Bytes of a signature.
            pub(crate) const fn signature_len(self) -> usize {
                match self { $(Self::$name => $signature,)* }
            }

            fn with<T: Task>(self, task: T) -> T::Gives {
                match self { $(Self::$name => task.run::<$name>(),)* }
            }
        }
    };
}

sets! {
    Sha2_128s: 16, 7856;
    Shake128s: 16, 7856;
    Sha2_128f: 16, 17088;
    Shake128f: 16, 17088;
    Sha2_192s: 24, 16224;
    Shake192s: 24, 16224;
    Sha2_192f: 24, 35664;
    Shake192f: 24, 35664;
    Sha2_256s: 32, 29792;
    Shake256s: 32, 29792;
    Sha2_256f: 32, 49856;
    Shake256f: 32, 49856;
}

impl SlhDsa {
    /// Bytes of a public key.
    pub(crate) const fn public_len(self) -> usize {
        2 * self.n()
    }

    /// Bytes of a private key.
    pub(crate) const fn private_len(self) -> usize {
        4 * self.n()
    }
}

/// Something to do with the types of a parameter set.
trait Task {
    type Gives;
    fn run<P: ParameterSet>(self) -> Self::Gives;
}

/// A private key.
pub(crate) struct SlhDsaPrivate {
    set: SlhDsa,
    bytes: Secret,
}

impl SlhDsaPrivate {
    /// Makes a key.
    pub(crate) fn generate(set: SlhDsa) -> Result<Self, EngineError> {
        Self::from_seeds(set, &random::secret(3 * set.n())?)
    }

    /// The key of three strings of n bytes: SK.seed, SK.prf and PK.seed.
    pub(crate) fn from_seeds(set: SlhDsa, seeds: &Secret) -> Result<Self, EngineError> {
        let bytes = seeds.expose(|seeds| set.with(Expand { n: set.n(), seeds }))?;
        Ok(Self { set, bytes })
    }

    /// Parses a key of 4n bytes. Whether its root is the one of its seeds takes about as long as
    /// a signature to tell, and is told by `check`.
    pub(crate) fn from_bytes(set: SlhDsa, bytes: Secret) -> Result<Self, EngineError> {
        match bytes.len() == set.private_len() {
            true => Ok(Self { set, bytes }),
            false => Err(EngineError::Key("an SLH-DSA private key of another length")),
        }
    }

    /// Computes the root anew. `Key` if the key has another one.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        let again = self.bytes.expose(|bytes| {
            let seeds = bytes.get(..3 * self.set.n()).ok_or(EngineError::Length)?;
            self.set.with(Expand { n: self.set.n(), seeds })
        })?;
        let same = again.expose(|again| self.bytes.expose(|own| constant_time_eq(again, own)));
        if same { Ok(()) } else { Err(EngineError::Key("an SLH-DSA key with another root")) }
    }

    pub(crate) const fn set(&self) -> SlhDsa {
        self.set
    }

    /// The key's 4n bytes.
    pub(crate) fn into_bytes(self) -> Secret {
        self.bytes
    }

    /// The bytes of the public key.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        self.bytes.expose(|bytes| bytes.get(2 * self.set.n()..).unwrap_or_default().to_vec())
    }

    /// Signs the parts of a message one after the other; gives the signature's length.
    pub(crate) fn sign(
        &self,
        parts: &[&[u8]],
        deterministic: bool,
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.set.signature_len()).ok_or(EngineError::Length)?;
        let mut random = Zeroizing::new([0; 32]);
        let random = random.get_mut(..self.set.n()).ok_or(EngineError::Length)?;
        if !deterministic {
            random::fill(random)?;
        }
        let random = (!deterministic).then_some(&*random);
        self.bytes.expose(|key| self.set.with(Sign { key, parts, random, out }))
    }
}

/// A public key.
pub(crate) struct SlhDsaPublic {
    set: SlhDsa,
    bytes: Vec<u8>,
}

impl SlhDsaPublic {
    /// Parses bytes; every string of the right length is a key.
    pub(crate) fn from_bytes(set: SlhDsa, bytes: &[u8]) -> Result<Self, EngineError> {
        match bytes.len() == set.public_len() {
            true => Ok(Self { set, bytes: bytes.to_vec() }),
            false => Err(EngineError::Key("an SLH-DSA public key of another length")),
        }
    }

    pub(crate) const fn set(&self) -> SlhDsa {
        self.set
    }

    /// Checks a signature of the parts. `Length` by its length alone.
    pub(crate) fn verify(&self, parts: &[&[u8]], signature: &[u8]) -> Result<(), EngineError> {
        if signature.len() != self.set.signature_len() {
            return Err(EngineError::Length);
        }
        self.set.with(Verify { key: &self.bytes, parts, signature })
    }
}

struct Expand<'a> {
    n: usize,
    seeds: &'a [u8],
}

impl Task for Expand<'_> {
    type Gives = Result<Secret, EngineError>;

    fn run<P: ParameterSet>(self) -> Self::Gives {
        if self.seeds.len() != 3 * self.n {
            return Err(EngineError::Length);
        }
        let (secret, rest) = self.seeds.split_at_checked(self.n).ok_or(EngineError::Length)?;
        let (prf, public) = rest.split_at_checked(self.n).ok_or(EngineError::Length)?;
        let key = SigningKey::<P>::slh_keygen_internal(secret, prf, public);
        let root = AsRef::<VerifyingKey<P>>::as_ref(&key).to_bytes();
        let root = root.get(self.n..).ok_or(EngineError::Length)?;
        Secret::build(4 * self.n, |out| {
            let (seeds, place) = out.split_at_mut_checked(3 * self.n).ok_or(EngineError::Length)?;
            seeds.copy_from_slice(self.seeds);
            place.copy_from_slice(root);
            Ok(())
        })
    }
}

struct Sign<'a> {
    key: &'a [u8],
    parts: &'a [&'a [u8]],
    random: Option<&'a [u8]>,
    out: &'a mut [u8],
}

impl Task for Sign<'_> {
    type Gives = Result<usize, EngineError>;

    fn run<P: ParameterSet>(self) -> Self::Gives {
        let key = SigningKey::<P>::try_from(self.key).map_err(|_| EngineError::Length)?;
        let signature = key.slh_sign_internal(self.parts, self.random).to_bytes();
        if signature.len() != self.out.len() {
            return Err(EngineError::Length);
        }
        self.out.copy_from_slice(&signature);
        Ok(signature.len())
    }
}

struct Verify<'a> {
    key: &'a [u8],
    parts: &'a [&'a [u8]],
    signature: &'a [u8],
}

impl Task for Verify<'_> {
    type Gives = Result<(), EngineError>;

    fn run<P: ParameterSet>(self) -> Self::Gives {
        let key = VerifyingKey::<P>::try_from(self.key).map_err(|_| EngineError::Verify)?;
        let signature = Signature::<P>::try_from(self.signature);
        let signature = Box::new(signature.map_err(|_| EngineError::Verify)?);
        key.slh_verify_internal(self.parts, &signature).map_err(|_| EngineError::Verify)
    }
}
