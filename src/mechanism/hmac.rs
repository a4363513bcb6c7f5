//! HMAC over any hash function, at full and at chosen length.
//!
//! Keys are generic secrets or typed for the one hash function. PKCS#11 3.2, "Hash-Based Message
//! Authentication Codes (HMAC)".

use super::mac::{Length, Running, length};
use super::operation::{Signing, Verifying};
use super::params::MechanismParams;
use super::{Key, digest, generic, secret_value};
use crate::engine::hash::{Digest, Mac};
use crate::error::{Result, Rv};
use crate::object::class::KeyType;

/// The type of key that is for the HMAC of one hash function only.
pub(super) const fn own_key_type(digest: Digest) -> Option<KeyType> {
    Some(match digest {
        Digest::Md5 => KeyType::Md5Hmac,
        Digest::Sha1 => KeyType::Sha1Hmac,
        Digest::Sha224 => KeyType::Sha224Hmac,
        Digest::Sha256 => KeyType::Sha256Hmac,
        Digest::Sha384 => KeyType::Sha384Hmac,
        Digest::Sha512 => KeyType::Sha512Hmac,
        Digest::Sha512_224 => KeyType::Sha512_224Hmac,
        Digest::Sha512_256 => KeyType::Sha512_256Hmac,
        Digest::Sha512T(_) => KeyType::Sha512THmac,
        Digest::Sha3_224 => KeyType::Sha3_224Hmac,
        Digest::Sha3_256 => KeyType::Sha3_256Hmac,
        Digest::Sha3_384 => KeyType::Sha3_384Hmac,
        Digest::Sha3_512 => KeyType::Sha3_512Hmac,
        Digest::Blake2b160 => KeyType::Blake2b160Hmac,
        Digest::Blake2b256 => KeyType::Blake2b256Hmac,
        Digest::Blake2b384 => KeyType::Blake2b384Hmac,
        Digest::Blake2b512 => KeyType::Blake2b512Hmac,
        Digest::Shake128 | Digest::Shake256 => return None,
    })
}

fn start(
    key: &Key,
    params: &MechanismParams,
    digest: Digest,
    chosen: Length,
) -> Result<Running<Mac>> {
    let own = own_key_type(digest).unwrap_or(KeyType::GenericSecret);
    let value = secret_value(key, &[KeyType::GenericSecret, own])?;
    let len = length(params, chosen, digest.len(), digest.len())?;
    if !(1..=generic::LONGEST).contains(&value.len()) {
        return Err(Rv::KeySizeRange.because("an empty key, or one that is no key"));
    }
    Ok(Running { code: value.expose(|value| Mac::new(digest, value))?, len })
}

/// The parameter of SHA-512/t gives the hash function, and with it the length.
fn start_truncated(key: &Key, params: &MechanismParams) -> Result<Running<Mac>> {
    secret_value(key, &[KeyType::GenericSecret, KeyType::Sha512THmac])?;
    start(key, &MechanismParams::None, digest::truncated(params)?, Length::Full)
}

/// Starts a MAC with SHA-512/t.
pub(super) fn sign_truncated(key: &Key, params: &MechanismParams) -> Result<Box<dyn Signing>> {
    Ok(Box::new(start_truncated(key, params)?))
}

/// Starts the check of a MAC with SHA-512/t.
pub(super) fn verify_truncated(key: &Key, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    Ok(Box::new(start_truncated(key, params)?))
}

/// Starts a MAC.
pub(super) fn sign(
    key: &Key,
    params: &MechanismParams,
    digest: Digest,
    length: Length,
) -> Result<Box<dyn Signing>> {
    Ok(Box::new(start(key, params, digest, length)?))
}

/// Starts the check of a MAC.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    digest: Digest,
    length: Length,
) -> Result<Box<dyn Verifying>> {
    Ok(Box::new(start(key, params, digest, length)?))
}
