//! HKDF (RFC 5869), PBKDF2 (RFC 8018) and the PRF of TLS 1.2 (RFC 5246), over any digest that the
//! library has.

use aws_lc_sys as lc;

use super::{EngineError, check, initialise, message_digest};
use crate::engine::hash::Digest;

const REFUSED: EngineError = EngineError::Failed("key derivation");

/// Fills `out`, which is as long as a digest, with the pseudorandom key.
pub(crate) fn hkdf_extract(
    digest: Digest,
    secret: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), EngineError> {
    initialise()?;
    let out = out.get_mut(..digest.len()).ok_or(EngineError::Length)?;
    let mut written = 0;
    // SAFETY: room for a digest; inputs that are readable for their lengths.
    let done = unsafe {
        lc::HKDF_extract(
            out.as_mut_ptr(),
            &raw mut written,
            message_digest(digest)?,
            secret.as_ptr(),
            secret.len(),
            salt.as_ptr(),
            salt.len(),
        )
    };
    check(done, REFUSED)
}

/// Fills `out` with key material; `Length` if that is more than 255 digests.
pub(crate) fn hkdf_expand(
    digest: Digest,
    key: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), EngineError> {
    initialise()?;
    if out.len() > 255 * digest.len() {
        return Err(EngineError::Length);
    }
    // SAFETY: room and inputs with their lengths.
    let done = unsafe {
        lc::HKDF_expand(
            out.as_mut_ptr(),
            out.len(),
            message_digest(digest)?,
            key.as_ptr(),
            key.len(),
            info.as_ptr(),
            info.len(),
        )
    };
    check(done, REFUSED)
}

/// Fills `out` by the PRF of TLS 1.2 (RFC 5246, section 5); the seed comes in two parts.
pub(crate) fn tls12_prf(
    digest: Digest,
    secret: &[u8],
    label: &[u8],
    [first, second]: [&[u8]; 2],
    out: &mut [u8],
) -> Result<(), EngineError> {
    initialise()?;
    // SAFETY: room and inputs with their lengths.
    let done = unsafe {
        lc::CRYPTO_tls1_prf(
            message_digest(digest)?,
            out.as_mut_ptr(),
            out.len(),
            secret.as_ptr(),
            secret.len(),
            label.as_ptr().cast(),
            label.len(),
            first.as_ptr(),
            first.len(),
            second.as_ptr(),
            second.len(),
        )
    };
    check(done, REFUSED)
}

/// Fills `out` from a password, by HMAC over the digest.
pub(crate) fn pbkdf2(
    digest: Digest,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
) -> Result<(), EngineError> {
    initialise()?;
    // SAFETY: room and inputs with their lengths.
    let done = unsafe {
        lc::PKCS5_PBKDF2_HMAC(
            password.as_ptr().cast(),
            password.len(),
            salt.as_ptr(),
            salt.len(),
            iterations,
            message_digest(digest)?,
            out.len(),
            out.as_mut_ptr(),
        )
    };
    check(done, REFUSED)
}
