//! ML-DSA (FIPS 204): keys, and hedged signatures over the message representative mu.
//!
//! Mu is computed here and not by the library, so that a message may come in parts, and so that
//! the hash of the public key is made once a key and not once a signature (section 6.2, line 6 of
//! algorithm 7). Keys are parsed once and may be used by many threads at once.

use aws_lc_sys as lc;

use super::shake::{Shake, Width, shake};
use super::{EngineError, Owned, check, gate, initialise, raw_key};
use crate::secret::Secret;

/// Bytes of the seed that a key is made from.
pub(crate) const SEED_LEN: usize = 32;
/// Bytes of a message representative.
pub(crate) const MU_LEN: usize = 64;

/// A parameter set; lengths are in bytes (FIPS 204, table 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl MlDsa {
    /// Every parameter set.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    pub(crate) const fn public_len(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// Of the expanded private key.
    pub(crate) const fn private_len(self) -> usize {
        match self {
            Self::MlDsa44 => 2560,
            Self::MlDsa65 => 4032,
            Self::MlDsa87 => 4896,
        }
    }

    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => 4627,
        }
    }

    const fn nid(self) -> i32 {
        match self {
            Self::MlDsa44 => lc::NID_MLDSA44,
            Self::MlDsa65 => lc::NID_MLDSA65,
            Self::MlDsa87 => lc::NID_MLDSA87,
        }
    }
}

/// The hash of a public key, by which signatures are bound to it: "tr" of FIPS 204.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PublicHash([u8; 64]);

impl PublicHash {
    fn of(public: &[u8]) -> Result<Self, EngineError> {
        shake(Width::W256, &[public]).map(Self)
    }

    /// Begins the representative of a message.
    pub(crate) fn message(&self, context: &[u8]) -> Result<Mu, EngineError> {
        self.begin(0, context)
    }

    /// Begins the representative of a digest, before which the DER of its identifier goes.
    pub(crate) fn digest(&self, context: &[u8]) -> Result<Mu, EngineError> {
        self.begin(1, context)
    }

    fn begin(&self, domain: u8, context: &[u8]) -> Result<Mu, EngineError> {
        let len = u8::try_from(context.len()).map_err(|_| EngineError::Length)?;
        let mut state = Shake::new(Width::W256)?;
        state.update(&self.0)?;
        state.update(&[domain, len])?;
        state.update(context)?;
        Ok(Mu(state))
    }
}

/// The message representative of a key, a context and a message that comes in parts.
pub(crate) struct Mu(Shake);

impl Mu {
    pub(crate) fn update(&mut self, part: &[u8]) -> Result<(), EngineError> {
        self.0.update(part)
    }

    pub(crate) fn finish(self) -> Result<[u8; MU_LEN], EngineError> {
        let mut mu = [0; MU_LEN];
        self.0.finish(&mut mu)?;
        Ok(mu)
    }
}

/// A parsed private key.
pub(crate) struct MlDsaPrivate {
    key: Owned<lc::EVP_PKEY>,
    set: MlDsa,
    hash: PublicHash,
}

impl MlDsaPrivate {
    /// The key of a 32-byte seed.
    pub(crate) fn from_seed(set: MlDsa, seed: &Secret) -> Result<Self, EngineError> {
        if seed.len() != SEED_LEN {
            return Err(EngineError::Key("an ML-DSA seed is 32 bytes long"));
        }
        Self::parsed(set, seed)
    }

    /// An expanded key: `Key` if its length is wrong, a coefficient is out of its range, or what
    /// can be computed from the rest of it (t0 and the hash of the public key) is not that.
    pub(crate) fn from_expanded(set: MlDsa, expanded: &Secret) -> Result<Self, EngineError> {
        if expanded.len() != set.private_len() {
            return Err(EngineError::Key("an ML-DSA private key of another length"));
        }
        Self::parsed(set, expanded)
    }

    fn parsed(set: MlDsa, bytes: &Secret) -> Result<Self, EngineError> {
        initialise()?;
        let key = bytes.expose(|bytes| {
            // SAFETY: a readable slice. A fresh object or null.
            let key = unsafe {
                lc::EVP_PKEY_pqdsa_new_raw_private_key(set.nid(), bytes.as_ptr(), bytes.len())
            };
            // SAFETY: as above.
            unsafe { Owned::or(key, EngineError::Key("an ML-DSA key that contradicts itself")) }
        })?;
        let hash = PublicHash::of(&raw_key::public(&key, set.public_len())?)?;
        Ok(Self { key, set, hash })
    }

    pub(crate) const fn set(&self) -> MlDsa {
        self.set
    }

    /// The expanded key.
    pub(crate) fn expanded(&self) -> Result<Secret, EngineError> {
        raw_key::private(&self.key, self.set.private_len())
    }

    /// The bytes of the public key.
    pub(crate) fn public_bytes(&self) -> Result<Vec<u8>, EngineError> {
        raw_key::public(&self.key, self.set.public_len())
    }

    /// What binds signatures to the public key.
    pub(crate) const fn public_hash(&self) -> &PublicHash {
        &self.hash
    }

    /// Signs a representative, hedged with the library's own randomness; gives the length.
    pub(crate) fn sign_mu(&self, mu: &[u8; MU_LEN], out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.set.signature_len()).ok_or(EngineError::Length)?;
        let context = raw_key::begun(&self.key)?;
        // SAFETY: a live object with its key.
        let done = unsafe { lc::EVP_PKEY_sign_init(context.as_ptr()) };
        check(done, EngineError::Memory)?;
        let mut len = out.len();
        let _inside = gate::enter();
        // SAFETY: a live object, a writable slice of the length that is told, a readable array.
        let done = unsafe {
            lc::EVP_PKEY_sign(
                context.as_ptr(),
                out.as_mut_ptr(),
                &raw mut len,
                mu.as_ptr(),
                mu.len(),
            )
        };
        check(done, EngineError::Failed("ML-DSA signature"))?;
        Ok(len)
    }

    /// Signs a message that is there at once.
    pub(crate) fn sign(
        &self,
        context: &[u8],
        message: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let mut mu = self.hash.message(context)?;
        mu.update(message)?;
        self.sign_mu(&mu.finish()?, out)
    }
}

/// A parsed public key.
pub(crate) struct MlDsaPublic {
    key: Owned<lc::EVP_PKEY>,
    set: MlDsa,
    hash: PublicHash,
}

impl MlDsaPublic {
    /// Parses bytes; every string of the right length is a key.
    pub(crate) fn from_bytes(set: MlDsa, bytes: &[u8]) -> Result<Self, EngineError> {
        if bytes.len() != set.public_len() {
            return Err(EngineError::Key("an ML-DSA public key of another length"));
        }
        initialise()?;
        // SAFETY: a readable slice. A fresh object or null.
        let key = unsafe {
            lc::EVP_PKEY_pqdsa_new_raw_public_key(set.nid(), bytes.as_ptr(), bytes.len())
        };
        // SAFETY: as above.
        let key = unsafe { Owned::or(key, EngineError::Key("ML-DSA public key")) }?;
        Ok(Self { key, set, hash: PublicHash::of(bytes)? })
    }

    pub(crate) const fn set(&self) -> MlDsa {
        self.set
    }

    /// What binds signatures to the public key.
    pub(crate) const fn public_hash(&self) -> &PublicHash {
        &self.hash
    }

    /// Checks the signature of a representative. `Length` by its length alone.
    pub(crate) fn verify_mu(&self, mu: &[u8; MU_LEN], signature: &[u8]) -> Result<(), EngineError> {
        if signature.len() != self.set.signature_len() {
            return Err(EngineError::Length);
        }
        let context = raw_key::begun(&self.key)?;
        // SAFETY: a live object with its key.
        let done = unsafe { lc::EVP_PKEY_verify_init(context.as_ptr()) };
        check(done, EngineError::Memory)?;
        // SAFETY: a live object, a readable slice and a readable array.
        let done = unsafe {
            lc::EVP_PKEY_verify(
                context.as_ptr(),
                signature.as_ptr(),
                signature.len(),
                mu.as_ptr(),
                mu.len(),
            )
        };
        check(done, EngineError::Verify)
    }

    /// Checks the signature of a message that is there at once.
    pub(crate) fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        let mut mu = self.hash.message(context)?;
        mu.update(message)?;
        self.verify_mu(&mu.finish()?, signature)
    }
}
