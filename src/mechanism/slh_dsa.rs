//! SLH-DSA: making pairs, and signatures over messages and over hashes.
//!
//! A message is read more than once, so that one in parts is kept until the end, unless its hash
//! is what is signed. PKCS#11 3.2, "SLH-DSA"; FIPS 205, section 10.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::{Hedge, MechanismParams};
use super::prehash::{Framing, Input, Prehash};
use super::{Finished, Key, asked_set, expect_key, inconsistent, new_pair, private_key};
use crate::custody::{Custodian, KeyKind, KeySpec, PrivateKey, SignPrimitive};
use crate::engine::slh_dsa::SlhDsaPublic;
use crate::error::{Result, Rv};
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, Prepared};

/// The longest message that is kept when it comes in parts, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;

/// Makes a pair of the parameter set of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    match asked_set(public, private, KeyType::SlhDsa)? {
        ParameterSet::SlhDsa(set) => new_pair(custodian, &KeySpec::SlhDsa(set), public, private),
        _ => Err(inconsistent()),
    }
}

/// Starts a signature.
pub(super) fn sign(key: &Key, params: &MechanismParams, input: Input) -> Result<Box<dyn Signing>> {
    let key = private_key(key, KeyType::SlhDsa)?;
    let KeyKind::SlhDsa(set) = key.kind() else { return Err(inconsistent()) };
    let framing = Framing::of(params, input)?;
    let deterministic = framing.hedge == Hedge::Forbidden;
    let message = Message::begin(framing)?;
    Ok(Box::new(Signature { len: set.signature_len(), key, message, deterministic }))
}

/// Starts a verification. Whether the signature was hedged makes no difference.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    input: Input,
) -> Result<Box<dyn Verifying>> {
    public_key(key)?;
    let message = Message::begin(Framing::of(params, input)?)?;
    Ok(Box::new(Verification { message, key: Arc::clone(key) }))
}

/// A public SLH-DSA key, ready for use.
fn public_key(key: &Object) -> Result<&SlhDsaPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::SlhDsa])?;
    match key.prepared()? {
        Prepared::SlhDsa(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// A message that is being taken in.
struct Message {
    /// What stands before it: domain, context, and the name of a hash.
    front: Vec<u8>,
    prehash: Option<Prehash>,
    /// The parts, if there is no hash of them.
    kept: Vec<u8>,
}

impl Message {
    fn begin(framing: Framing<'_>) -> Result<Self> {
        let len = u8::try_from(framing.context.len());
        let len = len.map_err(|_| Rv::GeneralError.because("a context of more than 255 bytes"))?;
        let (domain, name) = match &framing.prehash {
            None => (0, &[][..]),
            Some(prehash) => (1, prehash.name()),
        };
        let front = [&[domain, len], framing.context, name].concat();
        Ok(Self { front, prehash: framing.prehash, kept: Vec::new() })
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        if let Some(prehash) = &mut self.prehash {
            return prehash.update(part);
        }
        if part.len() > LONGEST_MESSAGE.saturating_sub(self.kept.len()) {
            return Err(Rv::DataLenRange.because("too long a message for SLH-DSA in parts"));
        }
        self.kept
            .try_reserve(part.len())
            .map_err(|_| Rv::HostMemory.because("no memory for a message"))?;
        self.kept.extend_from_slice(part);
        Ok(())
    }

    /// Ends with the parts taken in, or with `whole` if the message came in one part.
    fn finish<R>(
        &mut self,
        whole: Option<&[u8]>,
        end: impl FnOnce(&[&[u8]]) -> Result<R>,
    ) -> Result<R> {
        let hash = match (&mut self.prehash, whole) {
            (Some(prehash), Some(data)) => Some(prehash.of_whole(data)?),
            (Some(prehash), None) => Some(prehash.of_parts()?),
            (None, _) => None,
        };
        let message = whole.unwrap_or(&self.kept);
        end(&[&self.front, hash.as_ref().map_or(message, Finished::bytes)])
    }
}

struct Signature {
    key: Arc<dyn PrivateKey>,
    len: usize,
    message: Message,
    deterministic: bool,
}

impl Signature {
    fn made(&mut self, whole: Option<&[u8]>, out: &mut [u8]) -> Result<usize> {
        let (key, deterministic) = (&self.key, self.deterministic);
        self.message
            .finish(whole, |parts| key.sign(SignPrimitive::SlhDsa { parts, deterministic }, out))
    }
}

impl Signing for Signature {
    fn len(&self) -> usize {
        self.len
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        self.made(None, out)
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        self.made(Some(data), out)
    }
}

struct Verification {
    key: Key,
    message: Message,
}

impl Verification {
    fn judged(&mut self, whole: Option<&[u8]>, signature: &[u8]) -> Result<()> {
        let key = public_key(&self.key)?;
        if signature.len() != key.set().signature_len() {
            return Err(Rv::SignatureLenRange.because("an SLH-DSA signature of another length"));
        }
        self.message.finish(whole, |parts| {
            let judged = key.verify(parts, signature);
            judged.map_err(|_| Rv::SignatureInvalid.because("wrong signature"))
        })
    }
}

impl Verifying for Verification {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.judged(None, signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.judged(Some(data), signature)
    }
}
