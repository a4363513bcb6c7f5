//! EdDSA in its three variants: pure, with context, and over a digest.
//!
//! Without a parameter it is the pure one of the key's curve; for Ed448 by RFC 8032's name the
//! standard wants one (`provider::compatibility`). The first two read the message
//! twice, so that parts are kept until the end. PKCS#11 3.2, "EdDSA", "CK_EDDSA_PARAMS"; RFC 8032.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_key, inconsistent, private_key};
use crate::custody::{KeyKind, PrivateKey, SignPrimitive};
use crate::engine::ed25519::Variant;
use crate::engine::edwards::{Edwards, EdwardsPublic, Prehasher};
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::curve::is_name;
use crate::object::{Object, Prepared};

/// The longest message that is kept when it comes in parts.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;
/// RFC 8032: a context's length is one byte.
const LONGEST_CONTEXT: usize = 255;

/// The variant that the parameter asks for, with its context and what came of the message.
enum Scheme {
    Pure(Message),
    Context(Vec<u8>, Message),
    /// The hasher is gone when it has given its digest.
    Prehash(Vec<u8>, Option<Box<Prehasher>>),
}

impl Scheme {
    /// A parameter with neither digest nor context means Ed25519ctx for a key whose curve has
    /// RFC 8032's name. An empty context RFC 8032 advises against, and no implementation has it.
    /// With RFC 8410's identifier, and for Ed448, it means the plain scheme.
    fn of(key: &Object, curve: Edwards, params: &MechanismParams) -> Result<Self> {
        let named = key.attributes.get(attribute::EC_PARAMS).is_some_and(is_name);
        match params {
            MechanismParams::None => Ok(Self::Pure(Message::default())),
            MechanismParams::Eddsa { context, .. } if context.len() > LONGEST_CONTEXT => {
                Err(invalid("a context of more than 255 bytes"))
            }
            MechanismParams::Eddsa { prehash: true, context } => {
                Ok(Self::Prehash(context.clone(), Some(Box::new(Prehasher::new(curve)?))))
            }
            MechanismParams::Eddsa { prehash: false, context } if context.is_empty() => {
                if named && curve == Edwards::Ed25519 {
                    return Err(invalid("Ed25519ctx without a context"));
                }
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
            Self::Prehash(_, Some(hasher)) => Ok(hasher.update(part)?),
            Self::Prehash(_, None) => Err(over()),
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
                end(SignPrimitive::Eddsa { variant: Variant::Pure, message })
            }
            Self::Context(context, kept) => {
                let message = whole.unwrap_or(&kept.0);
                end(SignPrimitive::Eddsa { variant: Variant::Context(context), message })
            }
            Self::Prehash(context, hasher) => {
                let mut hasher = hasher.take().ok_or_else(over)?;
                hasher.update(whole.unwrap_or_default())?;
                let digest = hasher.finish()?;
                end(SignPrimitive::EddsaPrehashed { context, digest: &digest })
            }
        }
    }
}

fn over() -> Error {
    Rv::GeneralError.because("a digest that was already taken")
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
    let private = private_key(key, KeyType::EcEdwards)?;
    let KeyKind::Edwards(curve) = private.kind() else { return Err(inconsistent()) };
    Ok(Box::new(Signature { key: private, scheme: Scheme::of(key, curve, params)? }))
}

/// Starts a verification.
pub(super) fn verify(key: &Key, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    let scheme = Scheme::of(key, public_key(key)?.curve(), params)?;
    Ok(Box::new(Verification { key: Arc::clone(key), scheme }))
}

/// A public key, ready for use.
fn public_key(key: &Object) -> Result<&EdwardsPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::EcEdwards])?;
    match key.prepared()? {
        Prepared::Edwards(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

struct Signature {
    key: Arc<dyn PrivateKey>,
    scheme: Scheme,
}

impl Signing for Signature {
    fn len(&self) -> usize {
        self.key.kind().signature_len()
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
                SignPrimitive::Eddsa { variant, message } => {
                    key.verify(variant, message, signature)
                }
                SignPrimitive::EddsaPrehashed { context, digest } => {
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
        if signature == public_key(&self.key)?.curve().signature_len() {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("length of an EdDSA signature"))
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
