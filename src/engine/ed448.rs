//! Ed448 (RFC 8032, section 5.2): pure, with a context, and over a prehash.
//!
//! Private keys live in locked memory. Verification follows the RFC without its cofactor. Keys
//! outside the subgroup of prime order (under some of which anybody can sign) are refused when
//! they are parsed; so are points that are not written in the one canonical way, which the crate
//! does not look at.

use ed448_goldilocks::{PreHash, SecretKey, Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::aws_lc::shake::{Width, shake};
use super::ed25519::Variant;
use super::{EngineError, random};
use crate::secret::Secret;
use crate::system::arena::Locked;

/// Bytes of a signature.
pub(crate) const SIGNATURE_LEN: usize = 114;
/// Bytes of a public key, and of the seed of a private one.
pub(crate) const KEY_LEN: usize = 57;
/// Bytes of the digest that Ed448ph signs: SHAKE256 at this length.
pub(crate) const PREHASH_LEN: usize = 64;

/// A private key.
pub(crate) struct Ed448Private(Locked<SigningKey>);

impl Ed448Private {
    /// Makes a key.
    pub(crate) fn generate() -> Result<Self, EngineError> {
        Self::from_seed(&random::secret(KEY_LEN)?)
    }

    /// The key of a 57-byte seed.
    pub(crate) fn from_seed(seed: &Secret) -> Result<Self, EngineError> {
        seed.expose(|seed| {
            let mut copy = Zeroizing::new(SecretKey::default());
            if seed.len() != copy.len() {
                return Err(EngineError::Key("an Ed448 seed is 57 bytes long"));
            }
            copy.copy_from_slice(seed);
            Locked::new(SigningKey::from(&*copy)).map(Self).ok_or(EngineError::Memory)
        })
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; KEY_LEN] {
        self.0.verifying_key().to_bytes()
    }

    /// The seed.
    pub(crate) fn seed(&self) -> Result<Secret, EngineError> {
        Ok(Secret::copy_of(self.0.as_bytes())?)
    }

    /// Signs with any of the schemes; pure Ed448 is the one with an empty context.
    pub(crate) fn sign_variant(
        &self,
        variant: Variant<'_>,
        message: &[u8],
    ) -> Result<[u8; SIGNATURE_LEN], EngineError> {
        match variant {
            Variant::Prehash(context) => self.sign_prehashed(context, &prehash(message)?),
            pure => {
                let context = checked(pure)?;
                let signature = self.0.sign_ctx(context, message);
                signature.map(|made| made.to_bytes()).map_err(|_| EngineError::Length)
            }
        }
    }

    /// Ed448ph over a SHAKE256 digest that was made elsewhere, for messages in parts.
    pub(crate) fn sign_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; PREHASH_LEN],
    ) -> Result<[u8; SIGNATURE_LEN], EngineError> {
        let context = checked(Variant::Prehash(context))?;
        let signature = self.0.sign_prehashed(Some(context), Made(digest));
        signature.map(|made| made.to_bytes()).map_err(|_| EngineError::Length)
    }
}

/// A public key.
pub(crate) struct Ed448Public(VerifyingKey);

impl Ed448Public {
    /// Parses 57 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let bytes = <&[u8; KEY_LEN]>::try_from(bytes)
            .map_err(|_| EngineError::Key("an Ed448 public key is 57 bytes long"))?;
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| EngineError::Key("the bytes are no point of edwards448"))?;
        if !is_canonical(bytes) {
            return Err(EngineError::Key("the Ed448 public key is not in its canonical form"));
        }
        Ok(Self(key))
    }

    /// Checks a signature of any of the schemes. `Length` if it is not 114 bytes long.
    pub(crate) fn verify_variant(
        &self,
        variant: Variant<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        match variant {
            Variant::Prehash(context) => {
                self.verify_prehashed(context, &prehash(message)?, signature)
            }
            pure => {
                let (context, signature) = (checked(pure)?, parsed(signature)?);
                let verified = self.0.verify_ctx(&signature, context, message);
                verified.map_err(|_| EngineError::Verify)
            }
        }
    }

    /// Checks an Ed448ph signature over a SHAKE256 digest that was made elsewhere.
    pub(crate) fn verify_prehashed(
        &self,
        context: &[u8],
        digest: &[u8; PREHASH_LEN],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        let (context, signature) = (checked(Variant::Prehash(context))?, parsed(signature)?);
        let verified = self.0.verify_prehashed(&signature, Some(context), Made(digest));
        verified.map_err(|_| EngineError::Verify)
    }
}

fn prehash(message: &[u8]) -> Result<[u8; PREHASH_LEN], EngineError> {
    shake(Width::W256, &[message])
}

/// A digest that is there, for a crate that wants to make it.
struct Made<'a>(&'a [u8; PREHASH_LEN]);

impl PreHash for Made<'_> {
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.copy_from_slice(self.0);
    }
}

/// The context; `Length` for one that the RFC does not allow. Unlike Ed25519's, it may be empty.
fn checked(variant: Variant<'_>) -> Result<&[u8], EngineError> {
    match variant {
        Variant::Pure => Ok(&[]),
        Variant::Context(context) | Variant::Prehash(context) if context.len() <= 255 => {
            Ok(context)
        }
        _ => Err(EngineError::Length),
    }
}

fn parsed(signature: &[u8]) -> Result<Signature, EngineError> {
    let bytes = <&[u8; SIGNATURE_LEN]>::try_from(signature).map_err(|_| EngineError::Length)?;
    let signature = Signature::from_bytes(bytes);
    if is_canonical(signature.r_bytes()) { Ok(signature) } else { Err(EngineError::Verify) }
}

/// True if y is below the field's prime 2^448 - 2^224 - 1, and beside it there is only the sign.
fn is_canonical(point: &[u8; KEY_LEN]) -> bool {
    let Some((y, [last])) = point.split_at_checked(KEY_LEN - 1) else { return false };
    let Some((low, [middle, high @ ..])) = y.split_at_checked(28) else { return false };
    let ones = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0xff);
    let below = !ones(high) || *middle < 0xfe || (*middle == 0xfe && !ones(low));
    below && last & 0x7f == 0
}
