//! EdDSA of its two crates.

use crate::support::module::{Outcome, refuse};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use std::hint::black_box;

/// A pair for Ed25519.
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
