//! Sealing of small things at rest: AES-256-GCM with a random nonce.
//!
//! A sealed thing is `nonce (12 bytes) || ciphertext || tag (16 bytes)`. The associated data is
//! not stored: who opens must know what it seals.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};

use super::{EngineError, random};
use crate::secret::Secret;

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// How much longer a sealed thing is than what it holds.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// Seals `plain` under a 32-byte key.
pub(crate) fn seal(key: &Secret, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, EngineError> {
    let cipher = cipher(key)?;
    let nonce: [u8; NONCE_LEN] = random::array()?;
    let mut sealed = Vec::new();
    let len = plain.len().checked_add(OVERHEAD).ok_or(EngineError::Length)?;
    sealed.try_reserve_exact(len).map_err(|_| EngineError::Memory)?;
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let Some(body) = sealed.get_mut(NONCE_LEN..) else { return Err(EngineError::Length) };
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), associated, body.into())
        .map_err(|_| EngineError::Length)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what `seal` made with the same key and associated data; anything else is `Decrypt`.
pub(crate) fn open(key: &Secret, associated: &[u8], sealed: &[u8]) -> Result<Secret, EngineError> {
    let cipher = cipher(key)?;
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(EngineError::Decrypt)?;
    let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(EngineError::Decrypt)?;
    Secret::build(body.len(), |room| {
        room.copy_from_slice(body);
        cipher
            .decrypt_inout_detached(&Nonce::from(*nonce), associated, room.into(), &Tag::from(*tag))
            .map_err(|_| EngineError::Decrypt)
    })
}

fn cipher(key: &Secret) -> Result<Aes256Gcm, EngineError> {
    key.expose(Aes256Gcm::new_from_slice).map_err(|_| EngineError::Key("sealing key length"))
}
