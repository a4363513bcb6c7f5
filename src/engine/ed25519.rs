//! Ed25519 (RFC 8032): pure, with a context, and over a prehash.
//!
//! AWS-LC signs, which takes it half the time that ed25519-dalek needs; ed25519-dalek verifies
//! plain signatures, and is the faster one there. Private keys live in locked memory. Verification
//! follows the RFC without its cofactor, as most of the world does; keys of small order, under
//! which anybody can sign, and keys that are not written in the one canonical way are refused when
//! they are parsed.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use super::aws_lc::eddsa;
use super::hash::{Digest, Hasher};
use super::{EngineError, random};
use crate::secret::Secret;
use crate::system::arena::Locked;

/// Bytes of a signature.
pub(crate) const SIGNATURE_LEN: usize = 64;
/// Bytes of a public key, and of the seed of a private one.
pub(crate) const KEY_LEN: usize = 32;

/// Which of the RFC's three signature schemes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Variant<'a> {
    /// Ed25519.
    Pure,
    /// Ed25519ctx; 1 to 255 bytes.
    Context(&'a [u8]),
    /// Ed25519ph with a context of up to 255 bytes.
    Prehash(&'a [u8]),
}

impl Variant<'_> {
    /// `Length` for a context that the RFC does not allow.
    fn checked(self) -> Result<Self, EngineError> {
        match self {
            Self::Context(context) if context.is_empty() || context.len() > 255 => {
                Err(EngineError::Length)
            }
            Self::Prehash(context) if context.len() > 255 => Err(EngineError::Length),
            fine => Ok(fine),
        }
    }
}

/// A private key.
pub(crate) struct Ed25519Private {
    /// The seed, and behind it the public key.
    pair: Locked<[u8; 2 * KEY_LEN]>,
    public: [u8; KEY_LEN],
}

impl Ed25519Private {
    /// Makes a key.
    pub(crate) fn generate() -> Result<Self, EngineError> {
        Self::from_seed(&random::secret(KEY_LEN)?)
    }

    /// The key of a 32-byte seed.
    pub(crate) fn from_seed(seed: &Secret) -> Result<Self, EngineError> {
        let mut pair = Locked::new([0; 2 * KEY_LEN]).ok_or(EngineError::Memory)?;
        let public = seed.expose(|seed| {
            let seed = <&[u8; KEY_LEN]>::try_from(seed)
                .map_err(|_| EngineError::Key("an Ed25519 seed is 32 bytes long"))?;
            eddsa::expand(seed, &mut pair)
        })?;
        Ok(Self { pair, public })
    }

    /// The public key.
    pub(crate) const fn public(&self) -> [u8; KEY_LEN] {
        self.public
    }

    /// The seed.
    pub(crate) fn seed(&self) -> Result<Secret, EngineError> {
        let (seed, _) = self.pair.split_at(KEY_LEN);
        Ok(Secret::copy_of(seed)?)
    }

    /// Signs with plain Ed25519.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], EngineError> {
        eddsa::sign(&self.pair, message)
    }

    /// Signs with any of the three schemes.
    pub(crate) fn sign_variant(
        &self,
        variant: Variant<'_>,
        message: &[u8],
    ) -> Result<[u8; SIGNATURE_LEN], EngineError> {
        match variant.checked()? {
            Variant::Pure => self.sign(message),
            Variant::Context(context) => eddsa::sign_with_context(&self.pair, context, message),
            Variant::Prehash(context) => self.sign_prehashed(context, &prehash(message)?),
        }
    }

    /// Ed25519ph over a SHA-512 digest that was made elsewhere, for messages in parts.
    pub(crate) fn sign_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; 64],
    ) -> Result<[u8; SIGNATURE_LEN], EngineError> {
        Variant::Prehash(context).checked()?;
        eddsa::sign_prehashed(&self.pair, context, digest)
    }
}

/// A public key.
pub(crate) struct Ed25519Public(VerifyingKey);

impl Ed25519Public {
    /// Parses 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let bytes = <&[u8; KEY_LEN]>::try_from(bytes)
            .map_err(|_| EngineError::Key("an Ed25519 public key is 32 bytes long"))?;
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| EngineError::Key("the bytes are no point of edwards25519"))?;
        if !is_canonical(bytes) {
            return Err(EngineError::Key("the Ed25519 public key is not in its canonical form"));
        }
        if key.is_weak() {
            return Err(EngineError::Key("the Ed25519 public key has a small order"));
        }
        Ok(Self(key))
    }

    /// Checks a plain Ed25519 signature. `Length` if it is not 64 bytes long.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), EngineError> {
        let signature = Signature::from_bytes(checked_len(signature)?);
        self.0.verify(message, &signature).map_err(|_| EngineError::Verify)
    }

    /// Checks a signature of any of the three schemes.
    pub(crate) fn verify_variant(
        &self,
        variant: Variant<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        match variant.checked()? {
            Variant::Pure => self.verify(message, signature),
            Variant::Context(context) => {
                let signature = checked_len(signature)?;
                eddsa::verify_with_context(self.0.as_bytes(), context, message, signature)
            }
            Variant::Prehash(context) => {
                self.verify_prehashed(context, &prehash(message)?, signature)
            }
        }
    }

    /// Checks an Ed25519ph signature over a SHA-512 digest that was made elsewhere.
    pub(crate) fn verify_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; 64],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        Variant::Prehash(context).checked()?;
        eddsa::verify_prehashed(self.0.as_bytes(), context, digest, checked_len(signature)?)
    }
}

fn checked_len(signature: &[u8]) -> Result<&[u8; SIGNATURE_LEN], EngineError> {
    signature.try_into().map_err(|_| EngineError::Length)
}

fn prehash(message: &[u8]) -> Result<[u8; 64], EngineError> {
    let mut digest = [0; 64];
    let mut hasher = Hasher::new(Digest::Sha512);
    hasher.update(message);
    hasher.finish(&mut digest)?;
    Ok(digest)
}

/// True if y, without the sign bit, is below the field's prime 2^255 - 19.
fn is_canonical(bytes: &[u8; KEY_LEN]) -> bool {
    let [first, middle @ .., last] = bytes;
    *first < 0xed || last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}
