//! ML-DSA-65 and ML-KEM-768 of AWS-LC with keys that were parsed before: what the module is measured
//! against.

#![allow(unsafe_code)]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one operation of the library, in steps")]

use super::module::{Outcome, refuse};
use aws_lc_sys as lc;
use std::ptr::null_mut;

/// Freed when dropped.
struct Key(*mut lc::EVP_PKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: made by the library, and freed once.
        unsafe { lc::EVP_PKEY_free(self.0) }
    }
}

fn done(what: &str, status: i32) -> Outcome<()> {
    if status == 1 { Ok(()) } else { refuse(what) }
}

/// A pair that signs.
pub(crate) struct MlDsa65(Key);

impl MlDsa65 {
    pub(crate) fn new() -> Outcome<Self> {
        let seed = [7; 32];
        // SAFETY: a readable array of the length that is told.
        let key = unsafe {
            lc::EVP_PKEY_pqdsa_new_raw_private_key(lc::NID_MLDSA65, seed.as_ptr(), seed.len())
        };
        if key.is_null() { refuse("an ML-DSA key") } else { Ok(Self(Key(key))) }
    }

    /// The length of the signature.
    pub(crate) fn sign(&self, message: &[u8], room: &mut [u8]) -> Outcome<usize> {
        let mut len = room.len();
        // SAFETY: a fresh object that is freed below, the live key, slices with their lengths.
        let status = unsafe {
            let context = lc::EVP_MD_CTX_new();
            let begun =
                lc::EVP_DigestSignInit(context, null_mut(), null_mut(), null_mut(), self.0.0);
            let signed = lc::EVP_DigestSign(
                context,
                room.as_mut_ptr(),
                &raw mut len,
                message.as_ptr(),
                message.len(),
            );
            lc::EVP_MD_CTX_free(context);
            begun & signed
        };
        done("a bare signature", status).map(|()| len)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Outcome<()> {
        // SAFETY: as above.
        let status = unsafe {
            let context = lc::EVP_MD_CTX_new();
            let begun =
                lc::EVP_DigestVerifyInit(context, null_mut(), null_mut(), null_mut(), self.0.0);
            let verified = lc::EVP_DigestVerify(
                context,
                signature.as_ptr(),
                signature.len(),
                message.as_ptr(),
                message.len(),
            );
            lc::EVP_MD_CTX_free(context);
            begun & verified
        };
        done("a bare verification", status)
    }
}

/// A pair that encapsulates.
pub(crate) struct MlKem768(Key);

impl MlKem768 {
    pub(crate) fn new() -> Outcome<Self> {
        let mut key = null_mut();
        // SAFETY: a fresh object that is freed below, and a place for the key.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new_id(lc::EVP_PKEY_KEM, null_mut());
            let named = lc::EVP_PKEY_CTX_kem_set_params(context, lc::NID_MLKEM768);
            let begun = lc::EVP_PKEY_keygen_init(context);
            let made = lc::EVP_PKEY_keygen(context, &raw mut key);
            lc::EVP_PKEY_CTX_free(context);
            named & begun & made
        };
        done("an ML-KEM key", status).map(|()| Self(Key(key)))
    }

    pub(crate) fn encapsulate(&self) -> Outcome<Vec<u8>> {
        let (mut room, mut len) = (vec![0; 1088], 1088);
        let (mut secret, mut secret_len) = ([0; 32], 32);
        // SAFETY: a fresh object that is freed below, the live key, rooms with their lengths.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new(self.0.0, null_mut());
            let made = lc::EVP_PKEY_encapsulate(
                context,
                room.as_mut_ptr(),
                &raw mut len,
                secret.as_mut_ptr(),
                &raw mut secret_len,
            );
            lc::EVP_PKEY_CTX_free(context);
            made
        };
        done("a bare encapsulation", status).map(|()| room)
    }

    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Outcome<()> {
        let (mut secret, mut len) = ([0; 32], 32);
        // SAFETY: as above.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new(self.0.0, null_mut());
            let found = lc::EVP_PKEY_decapsulate(
                context,
                secret.as_mut_ptr(),
                &raw mut len,
                ciphertext.as_ptr(),
                ciphertext.len(),
            );
            lc::EVP_PKEY_CTX_free(context);
            found
        };
        done("a bare decapsulation", status)
    }
}
