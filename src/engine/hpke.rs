//! HPKE (RFC 9180) in its base mode with HKDF-SHA-256 and AES-256-GCM: from the secret of a KEM to
//! the key and nonce of one message.
//!
//! Which KEM made the secret is told by its identifier, which binds everything that follows to it.
//! HKDF's two steps are HMACs (RFC 5869); no output here is longer than one of them.

use super::aws_lc::gcm::{GcmEncrypt, TAG_LEN, gcm_open};
use super::hash::{Digest, Mac};
use super::{EngineError, aws_lc};
use crate::secret::Secret;

/// HKDF-SHA-256 (RFC 9180, table 3).
const KDF: u16 = 0x0001;
/// AES-256-GCM (RFC 9180, table 5).
const AEAD: u16 = 0x0002;
/// Bytes of the key of that, and of its nonce.
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
/// Bytes that SHA-256 gives.
const HASH_LEN: usize = 32;
/// `mode_base`.
const BASE: u8 = 0;
const VERSION: &[u8] = b"HPKE-v1";

/// Bytes that sealing adds.
pub(crate) const OVERHEAD: usize = TAG_LEN;

/// KEM, KDF and AEAD.
pub(super) type Suite = [u8; 10];

pub(super) fn suite(kem: u16, aead: u16) -> Suite {
    let mut id = *b"HPKE......";
    for (place, number) in id[4..].chunks_exact_mut(2).zip([kem, KDF, aead]) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    id
}

/// `LabeledExtract` (section 4).
fn extract(
    suite: Suite,
    salt: &[u8],
    label: &[u8],
    material: &[u8],
) -> Result<Secret, EngineError> {
    authenticated(salt, &[VERSION, &suite, label, material])
}

/// `LabeledExpand` (section 4), up to the length of one hash.
fn expand(
    suite: Suite,
    key: &Secret,
    label: &[u8],
    info: &[u8],
    len: usize,
) -> Result<Secret, EngineError> {
    let written = u16::try_from(len).ok().filter(|_| len <= HASH_LEN);
    let written = written.ok_or(EngineError::Length)?.to_be_bytes();
    let parts = [&written[..], VERSION, &suite, label, info, &[1]];
    let block = key.expose(|key| authenticated(key, &parts))?;
    block.expose(|block| Ok(Secret::copy_of(block.get(..len).unwrap_or_default())?))
}

/// HMAC-SHA-256.
fn authenticated(key: &[u8], parts: &[&[u8]]) -> Result<Secret, EngineError> {
    let mut mac = Mac::new(Digest::Sha256, key)?;
    parts.iter().for_each(|part| mac.update(part));
    Secret::build(HASH_LEN, |out| mac.finish(out).map(|_| ()))
}

/// `KeySchedule` (section 5.1) of the base mode: key and nonce.
pub(super) fn schedule(
    suite: Suite,
    shared: &Secret,
    info: &[u8],
    key_len: usize,
) -> Result<(Secret, Secret), EngineError> {
    let psk_id_hash = extract(suite, &[], b"psk_id_hash", &[])?;
    let info_hash = extract(suite, &[], b"info_hash", info)?;
    let context =
        psk_id_hash.expose(|psk_id| info_hash.expose(|info| [&[BASE], psk_id, info].concat()));
    let secret = shared.expose(|shared| extract(suite, shared, b"secret", &[]))?;
    let key = expand(suite, &secret, b"key", &context, key_len)?;
    let nonce = expand(suite, &secret, b"base_nonce", &context, NONCE_LEN)?;
    Ok((key, nonce))
}

/// What seals or opens the one message of a secret.
pub(crate) struct Message {
    key: Secret,
    nonce: Secret,
}

impl Message {
    /// Prepares for the secret that a KEM gave; `info` is what both sides know of each other.
    pub(crate) fn of(kem: u16, shared: &Secret, info: &[u8]) -> Result<Self, EngineError> {
        aws_lc::initialise()?;
        let (key, nonce) = schedule(suite(kem, AEAD), shared, info, KEY_LEN)?;
        Ok(Self { key, nonce })
    }

    /// Seals into the front of `out`, which is `OVERHEAD` longer; gives the length.
    pub(crate) fn seal(
        &self,
        associated: &[u8],
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let (body, tag) = out.split_at_mut_checked(plain.len()).ok_or(EngineError::Length)?;
        self.key.expose(|key| {
            self.nonce.expose(|nonce| {
                let mut cipher = GcmEncrypt::new(key, nonce, associated, TAG_LEN)?;
                Ok(cipher.update(plain, body)? + cipher.finish(tag)?)
            })
        })
    }

    /// Opens into the front of `out`; gives the length. `Decrypt` for whatever does not fit.
    pub(crate) fn open(
        &self,
        associated: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        self.key.expose(|key| {
            self.nonce.expose(|nonce| gcm_open(key, nonce, associated, TAG_LEN, sealed, out))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    /// RFC 9180, appendix A.1.1: DHKEM(X25519), HKDF-SHA256, AES-128-GCM.
    #[test]
    fn the_key_schedule_is_that_of_rfc_9180() {
        let shared = "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc";
        let info = "4f6465206f6e2061204772656369616e2055726e";
        let shared = Secret::copy_of(&hex(shared)).unwrap();
        let (key, nonce) = schedule(suite(0x0020, 0x0001), &shared, &hex(info), 16).unwrap();
        key.expose(|key| assert_eq!(key, hex("4531685d41d65f03dc48f6b8302c05b0")));
        nonce.expose(|nonce| assert_eq!(nonce, hex("56d890e5accaaf011cff4b7d")));
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_data_only() {
        let shared = Secret::copy_of(&[7; 32]).unwrap();
        let message = Message::of(0x647a, &shared, b"info").unwrap();
        let mut sealed = [0; 5 + OVERHEAD];
        assert_eq!(message.seal(b"data", b"plain", &mut sealed), Ok(sealed.len()));
        let mut plain = [0; 5];
        assert_eq!(message.open(b"data", &sealed, &mut plain), Ok(5));
        assert_eq!(&plain, b"plain");
        assert_eq!(message.open(b"date", &sealed, &mut plain), Err(EngineError::Decrypt));
        for (kem, info) in [(0x647b, &b"info"[..]), (0x647a, b"inf")] {
            let other = Message::of(kem, &shared, info).unwrap();
            assert_eq!(other.open(b"data", &sealed, &mut plain), Err(EngineError::Decrypt));
        }
        assert_eq!(message.seal(b"", b"plain", &mut [0; 5]), Err(EngineError::Length));
    }
}
