//! What keys of ML-DSA and ML-KEM have in common in this library: both are objects that give their
//! bytes back as FIPS 203 and 204 write them.

use std::ptr;

use aws_lc_sys as lc;

use super::{EngineError, Owned, check};
use crate::secret::Secret;

/// The bytes of a public key, or of the public half of a private one, which are so many.
pub(super) fn public(key: &Owned<lc::EVP_PKEY>, len: usize) -> Result<Vec<u8>, EngineError> {
    let mut bytes = vec![0; len];
    let mut written = len;
    // SAFETY: a live key and a writable slice of the length that is told.
    let done = unsafe {
        lc::EVP_PKEY_get_raw_public_key(key.as_ptr(), bytes.as_mut_ptr(), &raw mut written)
    };
    check(done, EngineError::Failed("raw public key"))?;
    if written == len { Ok(bytes) } else { Err(EngineError::Length) }
}

/// The bytes of an expanded private key, which are so many.
pub(super) fn private(key: &Owned<lc::EVP_PKEY>, len: usize) -> Result<Secret, EngineError> {
    Secret::build(len, |out| {
        let mut written = out.len();
        // SAFETY: a live key and a writable slice of the length that is told.
        let done = unsafe {
            lc::EVP_PKEY_get_raw_private_key(key.as_ptr(), out.as_mut_ptr(), &raw mut written)
        };
        check(done, EngineError::Failed("raw private key"))?;
        if written == out.len() { Ok(()) } else { Err(EngineError::Length) }
    })
}

/// An operation with a key, before it is said which.
pub(super) fn begun(key: &Owned<lc::EVP_PKEY>) -> Result<Owned<lc::EVP_PKEY_CTX>, EngineError> {
    // SAFETY: a live key, which the new object keeps alive; null is the library's own engine.
    let context = unsafe { lc::EVP_PKEY_CTX_new(key.as_ptr(), ptr::null_mut()) };
    // SAFETY: a fresh object or null.
    unsafe { Owned::new(context) }
}
