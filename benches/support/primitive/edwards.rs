//! EdDSA of AWS-LC and of two crates.

#![allow(unsafe_code)]

use super::done;
use crate::support::module::{Outcome, refuse};
use aws_lc_sys as lc;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use std::hint::black_box;

/// A pair for Ed25519, which ed25519-dalek uses.
pub(crate) struct Ed25519(SigningKey);

impl Ed25519 {
    pub(crate) fn new() -> Self {
        Self(SigningKey::from_bytes(&[7; 32]))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(black_box(message))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &Signature) -> Outcome<()> {
        let verified = self.0.verifying_key().verify(black_box(message), signature);
        verified.or_else(|_| refuse("a bare verification"))
    }
}

/// A private key for Ed25519, which AWS-LC uses.
pub(crate) struct Signing([u8; 64]);

impl Signing {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let (mut public, mut pair) = ([0; 32], [0; 64]);
        // SAFETY: three arrays of the lengths that the function wants.
        unsafe {
            lc::ED25519_keypair_from_seed(public.as_mut_ptr(), pair.as_mut_ptr(), seed.as_ptr());
        }
        Self(pair)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Outcome<()> {
        let mut signature = [0; 64];
        // SAFETY: arrays of the lengths that the function wants, and a readable slice.
        let status = unsafe {
            lc::ED25519_sign(
                signature.as_mut_ptr(),
                black_box(message).as_ptr(),
                message.len(),
                self.0.as_ptr(),
            )
        };
        black_box(signature);
        done("a bare signature", status)
    }
}

/// A pair for Ed448.
pub(crate) struct Ed448(ed448_goldilocks::SigningKey);

impl Ed448 {
    pub(crate) fn new() -> Self {
        let seed = ed448_goldilocks::SecretKey::from([7; 57]);
        Self(ed448_goldilocks::SigningKey::from(&seed))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Outcome<()> {
        match self.0.sign_ctx(&[], black_box(message)) {
            Ok(signature) => {
                black_box(signature);
                Ok(())
            }
            Err(_) => refuse("a bare signature"),
        }
    }
}
