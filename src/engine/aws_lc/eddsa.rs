//! Ed25519 keys and signatures, and what is verified of Ed25519ctx and Ed25519ph (RFC 8032,
//! section 5.1). `engine::ed25519` is the way to all of it.

use aws_lc_sys as lc;

use super::{EngineError, check, initialise};

const REFUSED: EngineError = EngineError::Failed("Ed25519 signature");

/// Gives the public key of a seed, and writes both to `pair`, which the other functions take for a
/// private key.
pub(in crate::engine) fn expand(
    seed: &[u8; 32],
    pair: &mut [u8; 64],
) -> Result<[u8; 32], EngineError> {
    initialise()?;
    let mut public = [0; 32];
    // SAFETY: three arrays of the lengths that the function wants.
    unsafe {
        lc::ED25519_keypair_from_seed(public.as_mut_ptr(), pair.as_mut_ptr(), seed.as_ptr());
    }
    Ok(public)
}

/// Ed25519 over a message.
pub(in crate::engine) fn sign(keypair: &[u8; 64], message: &[u8]) -> Result<[u8; 64], EngineError> {
    initialise()?;
    let mut signature = [0; 64];
    // SAFETY: arrays of the lengths that the function wants, and a readable slice.
    let done = unsafe {
        lc::ED25519_sign(signature.as_mut_ptr(), message.as_ptr(), message.len(), keypair.as_ptr())
    };
    check(done, REFUSED)?;
    Ok(signature)
}

/// Ed25519ctx over a message; `keypair` is the seed and the public key, and the context is 1 to
/// 255 bytes long.
pub(in crate::engine) fn sign_with_context(
    keypair: &[u8; 64],
    context: &[u8],
    message: &[u8],
) -> Result<[u8; 64], EngineError> {
    initialise()?;
    let mut signature = [0; 64];
    // SAFETY: arrays of the lengths that the function wants, and readable slices.
    let done = unsafe {
        lc::ED25519ctx_sign(
            signature.as_mut_ptr(),
            message.as_ptr(),
            message.len(),
            keypair.as_ptr(),
            context.as_ptr(),
            context.len(),
        )
    };
    check(done, REFUSED)?;
    Ok(signature)
}

/// Ed25519ph over the SHA-512 digest of a message; the context is up to 255 bytes long.
pub(in crate::engine) fn sign_prehashed(
    keypair: &[u8; 64],
    context: &[u8],
    digest: &[u8; 64],
) -> Result<[u8; 64], EngineError> {
    initialise()?;
    let mut signature = [0; 64];
    // SAFETY: arrays of the lengths that the function wants, and a readable slice.
    let done = unsafe {
        lc::ED25519ph_sign_digest(
            signature.as_mut_ptr(),
            digest.as_ptr(),
            keypair.as_ptr(),
            context.as_ptr(),
            context.len(),
        )
    };
    check(done, REFUSED)?;
    Ok(signature)
}

/// Checks what `sign_with_context` makes.
pub(in crate::engine) fn verify_with_context(
    public: &[u8; 32],
    context: &[u8],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), EngineError> {
    initialise()?;
    // SAFETY: arrays of the lengths that the function wants, and readable slices.
    let done = unsafe {
        lc::ED25519ctx_verify(
            message.as_ptr(),
            message.len(),
            signature.as_ptr(),
            public.as_ptr(),
            context.as_ptr(),
            context.len(),
        )
    };
    check(done, EngineError::Verify)
}

/// Checks what `sign_prehashed` makes.
pub(in crate::engine) fn verify_prehashed(
    public: &[u8; 32],
    context: &[u8],
    digest: &[u8; 64],
    signature: &[u8; 64],
) -> Result<(), EngineError> {
    initialise()?;
    // SAFETY: arrays of the lengths that the function wants, and a readable slice.
    let done = unsafe {
        lc::ED25519ph_verify_digest(
            digest.as_ptr(),
            signature.as_ptr(),
            public.as_ptr(),
            context.as_ptr(),
            context.len(),
        )
    };
    check(done, EngineError::Verify)
}
