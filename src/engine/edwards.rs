//! EdDSA (RFC 8032) on either of its curves: one key type over `ed25519` and `ed448`.

use super::EngineError;
use super::aws_lc::shake::{Shake, Width};
use super::ed448::{self, Ed448Private, Ed448Public};
use super::ed25519::{self, Ed25519Private, Ed25519Public, Variant};
use super::hash::{Digest, Hasher};
use crate::secret::Secret;

/// A curve for EdDSA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Edwards {
    Ed25519,
    Ed448,
}

impl Edwards {
    /// Bytes of a public key, and of the seed of a private one.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Ed25519 => ed25519::KEY_LEN,
            Self::Ed448 => ed448::KEY_LEN,
        }
    }

    /// Bytes of a signature.
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::Ed25519 => ed25519::SIGNATURE_LEN,
            Self::Ed448 => ed448::SIGNATURE_LEN,
        }
    }
}

/// Bytes of the digest that the prehashed schemes sign, on both curves.
pub(crate) const PREHASH_LEN: usize = ed448::PREHASH_LEN;

/// A private key.
pub(crate) enum EdwardsPrivate {
    Ed25519(Ed25519Private),
    Ed448(Ed448Private),
}

impl EdwardsPrivate {
    /// Makes a key.
    pub(crate) fn generate(curve: Edwards) -> Result<Self, EngineError> {
        match curve {
            Edwards::Ed25519 => Ed25519Private::generate().map(Self::Ed25519),
            Edwards::Ed448 => Ed448Private::generate().map(Self::Ed448),
        }
    }

    /// The key of a seed, which is as long as the curve asks for.
    pub(crate) fn from_seed(curve: Edwards, seed: &Secret) -> Result<Self, EngineError> {
        match curve {
            Edwards::Ed25519 => Ed25519Private::from_seed(seed).map(Self::Ed25519),
            Edwards::Ed448 => Ed448Private::from_seed(seed).map(Self::Ed448),
        }
    }

    pub(crate) const fn curve(&self) -> Edwards {
        match self {
            Self::Ed25519(_) => Edwards::Ed25519,
            Self::Ed448(_) => Edwards::Ed448,
        }
    }

    /// The public key.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.public().to_vec(),
            Self::Ed448(key) => key.public().to_vec(),
        }
    }

    /// The seed.
    pub(crate) fn seed(&self) -> Result<Secret, EngineError> {
        match self {
            Self::Ed25519(key) => key.seed(),
            Self::Ed448(key) => key.seed(),
        }
    }

    /// Signs a whole message; writes the signature and gives its length.
    pub(crate) fn sign(
        &self,
        variant: Variant<'_>,
        message: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        match self {
            Self::Ed25519(key) => written(&key.sign_variant(variant, message)?, out),
            Self::Ed448(key) => written(&key.sign_variant(variant, message)?, out),
        }
    }

    /// Signs a digest that a `Prehasher` made; writes the signature and gives its length.
    pub(crate) fn sign_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; PREHASH_LEN],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        match self {
            Self::Ed25519(key) => written(&key.sign_prehashed(context, digest)?, out),
            Self::Ed448(key) => written(&key.sign_prehashed(context, digest)?, out),
        }
    }
}

fn written(signature: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
    out.get_mut(..signature.len()).ok_or(EngineError::Length)?.copy_from_slice(signature);
    Ok(signature.len())
}

/// A public key.
pub(crate) enum EdwardsPublic {
    Ed25519(Ed25519Public),
    Ed448(Ed448Public),
}

impl EdwardsPublic {
    /// Parses a key, which is as long as the curve asks for.
    pub(crate) fn from_bytes(curve: Edwards, bytes: &[u8]) -> Result<Self, EngineError> {
        match curve {
            Edwards::Ed25519 => Ed25519Public::from_bytes(bytes).map(Self::Ed25519),
            Edwards::Ed448 => Ed448Public::from_bytes(bytes).map(Self::Ed448),
        }
    }

    pub(crate) const fn curve(&self) -> Edwards {
        match self {
            Self::Ed25519(_) => Edwards::Ed25519,
            Self::Ed448(_) => Edwards::Ed448,
        }
    }

    /// Checks the signature of a whole message.
    pub(crate) fn verify(
        &self,
        variant: Variant<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        match self {
            Self::Ed25519(key) => key.verify_variant(variant, message, signature),
            Self::Ed448(key) => key.verify_variant(variant, message, signature),
        }
    }

    /// Checks the signature of a digest that a `Prehasher` made.
    pub(crate) fn verify_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; PREHASH_LEN],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        match self {
            Self::Ed25519(key) => key.verify_prehashed(context, digest, signature),
            Self::Ed448(key) => key.verify_prehashed(context, digest, signature),
        }
    }
}

/// The running digest of a curve's prehashed scheme: SHA-512, or SHAKE256 to the same length.
#[allow(clippy::large_enum_variant, reason = "one lives as long as one signature")]
pub(crate) enum Prehasher {
    Sha512(Hasher),
    Shake256(Shake),
}

impl Prehasher {
    pub(crate) fn new(curve: Edwards) -> Result<Self, EngineError> {
        match curve {
            Edwards::Ed25519 => Ok(Self::Sha512(Hasher::new(Digest::Sha512))),
            Edwards::Ed448 => Shake::new(Width::W256).map(Self::Shake256),
        }
    }

    pub(crate) fn update(&mut self, part: &[u8]) -> Result<(), EngineError> {
        match self {
            Self::Sha512(hasher) => {
                hasher.update(part);
                Ok(())
            }
            Self::Shake256(hasher) => hasher.update(part),
        }
    }

    /// The digest.
    pub(crate) fn finish(self) -> Result<[u8; PREHASH_LEN], EngineError> {
        let mut digest = [0; PREHASH_LEN];
        match self {
            Self::Sha512(mut hasher) => {
                hasher.finish(&mut digest)?;
            }
            Self::Shake256(hasher) => hasher.finish(&mut digest)?,
        }
        Ok(digest)
    }
}

const _: () = assert!(Digest::Sha512.len() == PREHASH_LEN);
