//! ML-KEM (FIPS 203): keys and their checks, encapsulation and decapsulation. The rest of the
//! module uses them by way of `engine::ml_kem`.

use std::ptr;

use aws_lc_sys as lc;

use super::{EngineError, Owned, check, initialise, raw_key};
use crate::secret::Secret;

/// Bytes of the two seeds that a key is made from, d and z.
pub(crate) const SEED_LEN: usize = 64;
/// Bytes of every shared secret.
pub(crate) const SHARED_LEN: usize = 32;

/// A parameter set; lengths are in bytes (FIPS 203, table 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MlKem {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl MlKem {
    /// Every parameter set.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::MlKem512, Self::MlKem768, Self::MlKem1024];

    /// Of the encapsulation key.
    pub(crate) const fn public_len(self) -> usize {
        match self {
            Self::MlKem512 => 800,
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
        }
    }

    /// Of the expanded decapsulation key.
    pub(crate) const fn private_len(self) -> usize {
        match self {
            Self::MlKem512 => 1632,
            Self::MlKem768 => 2400,
            Self::MlKem1024 => 3168,
        }
    }

    pub(crate) const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }

    const fn nid(self) -> i32 {
        match self {
            Self::MlKem512 => lc::NID_MLKEM512,
            Self::MlKem768 => lc::NID_MLKEM768,
            Self::MlKem1024 => lc::NID_MLKEM1024,
        }
    }
}

/// A parsed decapsulation key.
pub(in crate::engine) struct MlKemPrivate {
    key: Owned<lc::EVP_PKEY>,
    set: MlKem,
}

impl MlKemPrivate {
    /// The key of the 64 bytes d || z.
    pub(in crate::engine) fn from_seed(set: MlKem, seed: &Secret) -> Result<Self, EngineError> {
        if seed.len() != SEED_LEN {
            return Err(EngineError::Key("an ML-KEM seed is 64 bytes long"));
        }
        initialise()?;
        // SAFETY: null is the library's own engine. A fresh object or null.
        let context = unsafe { lc::EVP_PKEY_CTX_new_id(lc::EVP_PKEY_KEM, ptr::null_mut()) };
        // SAFETY: as above.
        let context = unsafe { Owned::<lc::EVP_PKEY_CTX>::new(context) }?;
        // SAFETY: a live object without a key.
        let done = unsafe { lc::EVP_PKEY_CTX_kem_set_params(context.as_ptr(), set.nid()) };
        check(done, EngineError::Failed("ML-KEM parameters"))?;
        // SAFETY: a live object.
        let done = unsafe { lc::EVP_PKEY_keygen_init(context.as_ptr()) };
        check(done, EngineError::Failed("ML-KEM parameters"))?;
        let mut key = ptr::null_mut();
        let done = seed.expose(|seed| {
            let mut len = seed.len();
            // SAFETY: a live object, a place for the key, a readable slice of the length told.
            unsafe {
                lc::EVP_PKEY_keygen_deterministic(
                    context.as_ptr(),
                    &raw mut key,
                    seed.as_ptr(),
                    &raw mut len,
                )
            }
        });
        check(done, EngineError::Failed("ML-KEM key generation"))?;
        // SAFETY: a fresh object, or null still.
        let key = unsafe { Owned::new(key) }?;
        Ok(Self { key, set })
    }

    /// An expanded key: `Key` if its length is wrong, a coefficient of its public part is not
    /// reduced, or the hash of its public part is not that (section 7.3, "Hash check").
    pub(in crate::engine) fn from_expanded(
        set: MlKem,
        expanded: &Secret,
    ) -> Result<Self, EngineError> {
        let refused = EngineError::Key("an ML-KEM key that contradicts itself");
        if expanded.len() != set.private_len() {
            return Err(EngineError::Key("an ML-KEM private key of another length"));
        }
        initialise()?;
        let key = expanded.expose(|bytes| {
            let public = inner_public(set, bytes).ok_or(refused)?;
            // SAFETY: two readable slices. A fresh object or null.
            let key = unsafe {
                lc::EVP_PKEY_kem_new_raw_key(
                    set.nid(),
                    public.as_ptr(),
                    public.len(),
                    bytes.as_ptr(),
                    bytes.len(),
                )
            };
            // SAFETY: as above.
            unsafe { Owned::or(key, refused) }
        })?;
        let _inside = super::gate::enter();
        // SAFETY: a live key with both halves.
        check(unsafe { lc::EVP_PKEY_kem_check_key(key.as_ptr()) }, refused)?;
        Ok(Self { key, set })
    }

    /// The expanded key.
    pub(in crate::engine) fn expanded(&self) -> Result<Secret, EngineError> {
        raw_key::private(&self.key, self.set.private_len())
    }

    /// The bytes of the encapsulation key.
    pub(in crate::engine) fn public_bytes(&self) -> Result<Vec<u8>, EngineError> {
        raw_key::public(&self.key, self.set.public_len())
    }

    /// The secret in a ciphertext; a ciphertext that nobody made for this key gives a secret that
    /// nobody else has (implicit rejection). `Length` by its length alone.
    pub(in crate::engine) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, EngineError> {
        if ciphertext.len() != self.set.ciphertext_len() {
            return Err(EngineError::Length);
        }
        let context = raw_key::begun(&self.key)?;
        Secret::build(SHARED_LEN, |out| {
            let mut len = out.len();
            // SAFETY: a live object with its key, a writable slice of the length that is told,
            // and a readable slice.
            let done = unsafe {
                lc::EVP_PKEY_decapsulate(
                    context.as_ptr(),
                    out.as_mut_ptr(),
                    &raw mut len,
                    ciphertext.as_ptr(),
                    ciphertext.len(),
                )
            };
            check(done, EngineError::Failed("ML-KEM decapsulation"))?;
            if len == out.len() { Ok(()) } else { Err(EngineError::Length) }
        })
    }
}

/// A parsed encapsulation key.
pub(in crate::engine) struct MlKemPublic {
    key: Owned<lc::EVP_PKEY>,
    set: MlKem,
}

impl MlKemPublic {
    /// Parses bytes: `Key` if their length is wrong. The coefficients are not looked at.
    pub(in crate::engine) fn from_bytes(set: MlKem, bytes: &[u8]) -> Result<Self, EngineError> {
        if bytes.len() != set.public_len() {
            return Err(EngineError::Key("an ML-KEM public key of another length"));
        }
        initialise()?;
        // SAFETY: a readable slice. A fresh object or null.
        let key =
            unsafe { lc::EVP_PKEY_kem_new_raw_public_key(set.nid(), bytes.as_ptr(), bytes.len()) };
        // SAFETY: as above.
        let key = unsafe { Owned::or(key, EngineError::Key("ML-KEM public key")) }?;
        Ok(Self { key, set })
    }

    /// The bytes that it was parsed from.
    pub(in crate::engine) fn bytes(&self) -> Result<Vec<u8>, EngineError> {
        raw_key::public(&self.key, self.set.public_len())
    }

    /// Is every coefficient reduced (section 7.2, "Modulus check")? The library looks when it
    /// encapsulates.
    pub(in crate::engine) fn is_reduced(&self) -> bool {
        let mut ciphertext = vec![0; self.set.ciphertext_len()];
        self.encapsulate(&[0; 32], &mut ciphertext).is_ok()
    }

    /// Algorithm 17, from 32 bytes of randomness: writes the ciphertext to the front of `out`, and
    /// gives the secret.
    pub(in crate::engine) fn encapsulate(
        &self,
        random: &[u8; 32],
        out: &mut [u8],
    ) -> Result<Secret, EngineError> {
        let out = out.get_mut(..self.set.ciphertext_len()).ok_or(EngineError::Length)?;
        let context = raw_key::begun(&self.key)?;
        Secret::build(SHARED_LEN, |shared| {
            let (mut len, mut shared_len) = (out.len(), shared.len());
            let mut random_len = random.len();
            // SAFETY: a live object with its key, two writable slices of the lengths that are
            // told, and a readable array.
            let done = unsafe {
                lc::EVP_PKEY_encapsulate_deterministic(
                    context.as_ptr(),
                    out.as_mut_ptr(),
                    &raw mut len,
                    shared.as_mut_ptr(),
                    &raw mut shared_len,
                    random.as_ptr(),
                    &raw mut random_len,
                )
            };
            check(done, EngineError::Failed("ML-KEM encapsulation"))?;
            if len == out.len() && shared_len == shared.len() {
                Ok(())
            } else {
                Err(EngineError::Length)
            }
        })
    }
}

/// The encapsulation key inside an expanded decapsulation key: dk = s || ek || H(ek) || z.
fn inner_public(set: MlKem, expanded: &[u8]) -> Option<&[u8]> {
    let start = expanded.len().checked_sub(set.public_len() + 64)?;
    expanded.get(start..start + set.public_len())
}
