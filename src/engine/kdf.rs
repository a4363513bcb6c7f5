//! Keys from PINs (Argon2id, RFC 9106) and keys from keys (HKDF-SHA-256, RFC 5869).

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use super::EngineError;
use super::aws_lc::kdf::{hkdf_expand, hkdf_extract};
use super::hash::Digest;
use crate::secret::Secret;

/// Length of every derived key.
pub(crate) const KEY_LEN: usize = 32;

/// What one guess at a PIN costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Argon2Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// Stretches a PIN to 32 bytes. `Key` if the cost is out of Argon2's own bounds, `Length` for a
/// salt under 8 bytes.
pub(crate) fn argon2id(pin: &Secret, salt: &[u8], cost: Argon2Cost) -> Result<Secret, EngineError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN))
        .map_err(|_| EngineError::Key("Argon2 cost out of bounds"))?;
    // The crate's own memory would go back unwiped, with the key to be read from its last blocks.
    let mut memory = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| EngineError::Memory)?;
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let stretched = Secret::build(KEY_LEN, |key| {
        pin.expose(|pin| argon2.hash_password_into_with_memory(pin, salt, key, &mut memory))
            .map_err(|error| match error {
                argon2::Error::SaltTooShort | argon2::Error::SaltTooLong => EngineError::Length,
                _ => EngineError::Failed("Argon2 failed"),
            })
    });
    memory.iter_mut().for_each(Zeroize::zeroize);
    stretched
}

/// A 32-byte key for the purpose that `info` names.
pub(crate) fn hkdf_sha256(key: &Secret, salt: &[u8], info: &[u8]) -> Result<Secret, EngineError> {
    Secret::build(KEY_LEN, |out| {
        let mut extracted = Zeroizing::new([0; KEY_LEN]);
        key.expose(|key| hkdf_extract(Digest::Sha256, key, salt, extracted.as_mut_slice()))?;
        hkdf_expand(Digest::Sha256, extracted.as_slice(), info, out)
    })
}
