//! What ML-DSA and SLH-DSA take for a message: the message, or its hash with the hash's name.
//!
//! Both sign 0 || len(ctx) || ctx || M, or 1 || len(ctx) || ctx || OID(PH) || PH(M); the hash is
//! made here from a message that comes in parts, or the caller brings it. PKCS#11 3.2,
//! "CK_SIGN_ADDITIONAL_CONTEXT", "CK_HASH_SIGN_ADDITIONAL_CONTEXT"; FIPS 204, section 5; FIPS
//! 205, section 10.

use super::Finished;
use super::params::{Hedge, MechanismParams, invalid};
use super::registry::digest_of;
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Result, Rv};

/// A context's length is one byte.
const LONGEST_CONTEXT: usize = 255;

/// What a mechanism is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// A message, which is signed as it is.
    Message,
    /// A message, whose hash is signed.
    Hashed(Digest),
    /// The hash of a message, by the function that the parameter names.
    Digest,
}

/// What surrounds a message.
pub(super) struct Framing<'p> {
    pub(super) context: &'p [u8],
    pub(super) hedge: Hedge,
    /// What takes the message's place.
    pub(super) prehash: Option<Prehash>,
}

impl<'p> Framing<'p> {
    /// By a mechanism and its parameter.
    pub(super) fn of(params: &'p MechanismParams, input: Input) -> Result<Self> {
        let (context, hedge, prehash) = match (params, input) {
            (MechanismParams::None, Input::Message) => (&[][..], Hedge::Preferred, None),
            (MechanismParams::None, Input::Hashed(digest)) => {
                (&[][..], Hedge::Preferred, Some(Prehash::made(digest)?))
            }
            (MechanismParams::SignContext { hedge, context }, Input::Message) => {
                (&context[..], *hedge, None)
            }
            (MechanismParams::SignContext { hedge, context }, Input::Hashed(digest)) => {
                (&context[..], *hedge, Some(Prehash::made(digest)?))
            }
            (MechanismParams::HashSignContext { hedge, context, hash }, Input::Digest) => {
                (&context[..], *hedge, Some(Prehash::brought(*hash)?))
            }
            _ => return Err(invalid("this signature takes a context, and no other parameter")),
        };
        if context.len() > LONGEST_CONTEXT {
            return Err(invalid("a context of more than 255 bytes"));
        }
        Ok(Self { context, hedge, prehash })
    }
}

/// A hash that takes a message's place.
pub(super) struct Prehash {
    digest: Digest,
    name: [u8; 11],
    /// None if the caller brings the hash.
    hasher: Option<Box<Hasher>>,
}

impl Prehash {
    fn made(digest: Digest) -> Result<Self> {
        let hasher = Some(Box::new(Hasher::new(digest)));
        Ok(Self { digest, name: name_of(digest)?, hasher })
    }

    fn brought(hash: u64) -> Result<Self> {
        let digest = digest_of(hash).ok_or_else(|| invalid("hash names no hash function"))?;
        Ok(Self { digest, name: name_of(digest)?, hasher: None })
    }

    /// The DER of the hash function's object identifier.
    pub(super) const fn name(&self) -> &[u8] {
        &self.name
    }

    /// Takes in a part of the message.
    ///
    /// # Errors
    /// `CKR_FUNCTION_NOT_SUPPORTED` if the caller brings the hash.
    pub(super) fn update(&mut self, part: &[u8]) -> Result<()> {
        let hasher = self.hasher.as_mut();
        let hasher = hasher.ok_or_else(|| {
            Rv::FunctionNotSupported.because("this mechanism takes its hash in one part only")
        })?;
        hasher.update(part);
        Ok(())
    }

    /// The hash of the parts.
    pub(super) fn of_parts(&mut self) -> Result<Finished> {
        match &mut self.hasher {
            Some(hasher) => Finished::of(hasher),
            None => Err(Rv::DataLenRange.because("no hash was given")),
        }
    }

    /// The hash of a message that is there at once, or the hash itself.
    ///
    /// # Errors
    /// `CKR_DATA_LEN_RANGE` for a hash of another length.
    pub(super) fn of_whole(&mut self, data: &[u8]) -> Result<Finished> {
        if self.hasher.is_some() {
            self.update(data)?;
            return self.of_parts();
        }
        match data.len() == self.digest.len() {
            true => Finished::given(data),
            false => Err(Rv::DataLenRange.because("not as long as the hash that was named")),
        }
    }
}

/// 2.16.840.1.101.3.4.2.N, DER.
fn name_of(digest: Digest) -> Result<[u8; 11]> {
    let number = digest.nist_number().ok_or_else(|| invalid("a hash function without a name"))?;
    Ok([0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number])
}
