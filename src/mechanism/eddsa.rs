//! Ed25519 in its three variants: pure, with context, and over a digest.
//!
//! The first two read the message twice, so that parts are kept until the end. PKCS#11 3.2,
//! "EdDSA", "CK_EDDSA_PARAMS"; RFC 8032.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_key, inconsistent, private_key};
use crate::custody::{PrivateKey, SignPrimitive};
use crate::engine::ed25519::{Ed25519Public, SIGNATURE_LEN, Variant};
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::{Object, Prepared};

/// The longest message that is kept when it comes in parts.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;
/// RFC 8032: a context's length is one byte.
const LONGEST_CONTEXT: usize = 255;

/// The variant that the parameter asks for, with its context and what came of the message.
enum Scheme {
    Pure(Message),
    Context(Vec<u8>, Message),
    Prehash(Vec<u8>, Box<Hasher>),
}

impl Scheme {
    /// Callers that send a parameter with neither digest nor context mean plain Ed25519: RFC
    /// 8032 advises against an empty context, and other implementations refuse it.
    fn of(params: &MechanismParams) -> Result<Self> {
        match params {
            MechanismParams::None => Ok(Self::Pure(Message::default())),
            MechanismParams::Eddsa { context, .. } if context.len() > LONGEST_CONTEXT => {
                Err(invalid("a context of more than 255 bytes"))
            }
            MechanismParams::Eddsa { prehash: true, context } => {
                Ok(Self::Prehash(context.clone(), Box::new(Hasher::new(Digest::Sha512))))
            }
            MechanismParams::Eddsa { prehash: false, context } if context.is_empty() => {
                Ok(Self::Pure(Message::default()))
            }
            MechanismParams::Eddsa { prehash: false, context } => {
                Ok(Self::Context(context.clone(), Message::default()))
            }
            _ => Err(invalid("EdDSA takes at most its own parameters")),
        }
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        match self {
            Self::Pure(message) | Self::Context(_, message) => message.add(part),
            Self::Prehash(_, hasher) => {
                hasher.update(part);
                Ok(())
            }
        }
    }

    /// Ends with the parts taken in, or with `whole` if the message came in one part.
    fn finish<R>(
        &mut self,
        whole: Option<&[u8]>,
        end: impl FnOnce(SignPrimitive<'_>) -> Result<R>,
    ) -> Result<R> {
        match self {
            Self::Pure(kept) => {
                let message = whole.unwrap_or(&kept.0);
                end(SignPrimitive::Ed25519 { variant: Variant::Pure, message })
            }
            Self::Context(context, kept) => {
                let message = whole.unwrap_or(&kept.0);
                end(SignPrimitive::Ed25519 { variant: Variant::Context(context), message })
            }
            Self::Prehash(context, hasher) => {
                hasher.update(whole.unwrap_or_default());
                let mut digest = [0; Digest::Sha512.len()];
                hasher.finish(&mut digest)?;
                end(SignPrimitive::Ed25519Prehashed { context, digest: &digest })
            }
        }
    }
}

/// The parts of a message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn add(&mut self, part: &[u8]) -> Result<()> {
        if part.len() > LONGEST_MESSAGE.saturating_sub(self.0.len()) {
            return Err(Rv::DataLenRange.because("too long a message for EdDSA in parts"));
        }
        self.0
            .try_reserve(part.len())
            .map_err(|_| Rv::HostMemory.because("no memory for a message"))?;
        self.0.extend_from_slice(part);
        Ok(())
    }
}

/// Starts a signature.
pub(super) fn sign(key: &Key, params: &MechanismParams) -> Result<Box<dyn Signing>> {
    let key = private_key(key, KeyType::EcEdwards)?;
    Ok(Box::new(Signature { key, scheme: Scheme::of(params)? }))
}

/// Starts a verification.
pub(super) fn verify(key: &Key, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    public_key(key)?;
    Ok(Box::new(Verification { key: Arc::clone(key), scheme: Scheme::of(params)? }))
}

/// A public Ed25519 key, ready for use.
fn public_key(key: &Object) -> Result<&Ed25519Public> {
    expect_key(key, Class::PublicKey, &[KeyType::EcEdwards])?;
    match key.prepared()? {
        Prepared::Ed25519(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

struct Signature {
    key: Arc<dyn PrivateKey>,
    scheme: Scheme,
}

impl Signing for Signature {
    fn len(&self) -> usize {
        SIGNATURE_LEN
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.scheme.update(part)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        self.scheme.finish(None, |primitive| self.key.sign(primitive, out))
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        self.scheme.finish(Some(data), |primitive| self.key.sign(primitive, out))
    }
}

struct Verification {
    key: Key,
    scheme: Scheme,
}

impl Verification {
    fn check(&mut self, whole: Option<&[u8]>, signature: &[u8]) -> Result<()> {
        self.check_len(signature.len())?;
        let key = public_key(&self.key)?;
        self.scheme.finish(whole, |primitive| {
            match primitive {
                SignPrimitive::Ed25519 { variant, message } => {
                    key.verify_variant(variant, message, signature)
                }
                SignPrimitive::Ed25519Prehashed { context, digest } => {
                    key.verify_prehashed(context, digest, signature)
                }
                _ => return Err(inconsistent()),
            }
            .map_err(|_| Rv::SignatureInvalid.because("wrong signature"))
        })
    }
}

impl Verifying for Verification {
    fn check_len(&self, signature: usize) -> Result<()> {
        if signature == SIGNATURE_LEN {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("an Ed25519 signature has 64 bytes"))
        }
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.scheme.update(part)
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.check(None, signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.check(Some(data), signature)
    }
}
