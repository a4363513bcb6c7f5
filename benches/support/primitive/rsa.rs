//! RSA of AWS-LC. It checks each private operation against the public exponent itself.

#![allow(unsafe_code)]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one operation of the library, in steps")]

use super::{Owned, done};
use crate::support::module::Outcome;
use aws_lc_sys as lc;
use std::ptr::null_mut;

/// The functions that take one number to another.
type Transform =
    unsafe extern "C" fn(*mut lc::RSA, *mut usize, *mut u8, usize, *const u8, usize, i32) -> i32;

/// A pair.
pub(crate) struct Rsa(Owned<lc::RSA>);

impl Rsa {
    pub(crate) fn new(bits: i32) -> Outcome<Self> {
        // SAFETY: the library's own constructor.
        let key = Owned::new("an RSA key", unsafe { lc::RSA_new() }, lc::RSA_free)?;
        // SAFETY: a fresh number that is freed below, the live key; no callback.
        let status = unsafe {
            let exponent = lc::BN_new();
            let set = lc::BN_set_word(exponent, 65_537);
            let made = lc::RSA_generate_key_ex(key.get(), bits, exponent, null_mut());
            lc::BN_free(exponent);
            set & made
        };
        done("a bare RSA key", status).map(|()| Self(key))
    }

    /// PKCS #1 v1.5 over the data as it is: the length of the signature.
    pub(crate) fn sign(&self, data: &[u8], room: &mut [u8]) -> Outcome<usize> {
        self.transform(lc::RSA_sign_raw, data, room, lc::RSA_PKCS1_PADDING)
    }

    /// Whether the signature is over this data.
    pub(crate) fn verify(&self, data: &[u8], signature: &[u8], room: &mut [u8]) -> Outcome<()> {
        let len = self.transform(lc::RSA_verify_raw, signature, room, lc::RSA_PKCS1_PADDING)?;
        done("a bare verification", i32::from(&room[..len] == data))
    }

    /// PSS with SHA-256 and a salt as long.
    pub(crate) fn sign_pss(&self, digest: &[u8; 32], room: &mut [u8]) -> Outcome<()> {
        let mut len = 0;
        // SAFETY: the live key, slices with their lengths, digests that are statics.
        let status = unsafe {
            lc::RSA_sign_pss_mgf1(
                self.0.get(),
                &raw mut len,
                room.as_mut_ptr(),
                room.len(),
                digest.as_ptr(),
                digest.len(),
                lc::EVP_sha256(),
                lc::EVP_sha256(),
                32,
            )
        };
        done("a bare PSS signature", status)
    }

    /// OAEP with SHA-1: the length of the ciphertext.
    pub(crate) fn encrypt(&self, plain: &[u8], room: &mut [u8]) -> Outcome<usize> {
        self.transform(lc::RSA_encrypt, plain, room, lc::RSA_PKCS1_OAEP_PADDING)
    }

    /// Takes that off.
    pub(crate) fn decrypt(&self, sealed: &[u8], room: &mut [u8]) -> Outcome<()> {
        self.transform(lc::RSA_decrypt, sealed, room, lc::RSA_PKCS1_OAEP_PADDING).map(drop)
    }

    fn transform(
        &self,
        function: Transform,
        input: &[u8],
        room: &mut [u8],
        padding: i32,
    ) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: the live key, slices with their lengths.
        let status = unsafe {
            function(
                self.0.get(),
                &raw mut len,
                room.as_mut_ptr(),
                room.len(),
                input.as_ptr(),
                input.len(),
                padding,
            )
        };
        done("bare RSA", status).map(|()| len)
    }
}
