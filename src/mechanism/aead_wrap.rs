//! Wrapping keys with encryptions that have a tag: a nonce that the token may make, associated
//! data, and the tag after the wrapped key or in the parameter.
//!
//! What seals and opens is the mechanism's own encryption. PKCS#11 3.2, "AES-GCM",
//! `CK_GCM_WRAP_PARAMS` and `CK_GCM_MESSAGE_PARAMS`, "C_WrapKeyAuthenticated"; SP 800-38D.

use std::sync::Arc;

use super::Key;
use super::message::{Message, MessageParams, Nonces, Source};
use super::operation::{Ciphering, Enveloping, Reply, room};
use super::params::{MechanismParams, invalid};
use super::row::StartCiphering;
use crate::error::{Result, Rv};

/// The longest key that is wrapped, in bytes; far beyond any.
const LONGEST: usize = 1 << 24;

/// A mechanism with a tag, as wrapping uses it.
pub(super) struct Aead {
    pub(super) seal: StartCiphering,
    pub(super) open: StartCiphering,
    pub(super) params: MessageParams,
}

impl Aead {
    /// Its parameter for a key of so many bytes.
    fn params_for(&self, message: &Message, aad: &[u8], key: usize) -> MechanismParams {
        let message = Message { data_len: Some(key as u64), ..message.clone() };
        (self.params)(&message, aad.to_vec())
    }
}

/// Starts a wrapping. The parameter of a message has the tag apart, that of a wrapping has the
/// associated data inside.
pub(super) fn envelop(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
    aead: &'static Aead,
) -> Result<Box<dyn Enveloping>> {
    let (message, aad, apart) = match params {
        MechanismParams::Message { message, .. } => (message, associated, true),
        MechanismParams::Wrapping { message, aad } if associated.is_empty() => {
            (message, aad.as_slice(), false)
        }
        _ => return Err(invalid("wrapping with a tag needs its parameters")),
    };
    if matches!(message.source, Source::Counter | Source::CounterXor) {
        // The next wrapping would begin at the same count.
        return Err(invalid("a counter needs more than one message"));
    }
    let (nonce, _) = Nonces::default().next(message)?;
    let made = message.source != Source::Caller;
    let message = Message { nonce, source: Source::Caller, ..message.clone() };
    message.tag_len()?;
    Ok(Box::new(Envelope { key: Arc::clone(key), aead, message, made, aad: aad.to_vec(), apart }))
}

struct Envelope {
    key: Key,
    aead: &'static Aead,
    message: Message,
    /// Whether the token made the nonce, and the caller has to learn it.
    made: bool,
    aad: Vec<u8>,
    /// Whether the tag goes into the parameter.
    apart: bool,
}

impl Envelope {
    fn start(&self, key: usize) -> Result<Box<dyn Ciphering>> {
        if key > LONGEST {
            return Err(Rv::DataLenRange.because("more than is wrapped"));
        }
        (self.aead.seal)(&self.key, &self.aead.params_for(&self.message, &self.aad, key))
    }
}

impl Enveloping for Envelope {
    fn len(&self, key: usize) -> Result<usize> {
        let whole = self.start(key)?.whole_len(key)?;
        Ok(if self.apart { whole.saturating_sub(self.message.tag_len()?) } else { whole })
    }

    fn envelop(&mut self, key: &[u8], out: &mut [u8]) -> Result<(usize, Reply)> {
        let mut work = self.start(key.len())?;
        let mut sealed = vec![0; work.whole_len(key.len())?];
        let written = work.whole(key, &mut sealed)?;
        sealed.truncate(written);
        let mut reply = Reply::default();
        if self.made {
            reply.nonce.clone_from(&self.message.nonce);
        }
        if self.apart {
            reply.tag = sealed.split_off(written.saturating_sub(self.message.tag_len()?));
        }
        room(out, sealed.len())?.copy_from_slice(&sealed);
        Ok((sealed.len(), reply))
    }
}

/// Starts the unwrapping of what has its tag in the parameter.
pub(super) fn open(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
    aead: &'static Aead,
) -> Result<Box<dyn Ciphering>> {
    let MechanismParams::Message { message, tag } = params else {
        return Err(invalid("unwrapping with a tag needs its parameters"));
    };
    if tag.len() != message.tag_len()? {
        return Err(invalid("the tag is missing"));
    }
    let (key, message) = (Arc::clone(key), message.clone());
    let opening =
        Opening { key, aead, message, aad: associated.to_vec(), tag: tag.clone(), inside: None };
    // What is wrong with key or parameter is found before anything is unwrapped.
    opening.start(0)?;
    Ok(Box::new(opening))
}

/// Starts the unwrapping of what C_WrapKey gave, with either of its parameters.
pub(super) fn unwrap(
    key: &Key,
    params: &MechanismParams,
    aead: &'static Aead,
) -> Result<Box<dyn Ciphering>> {
    let MechanismParams::Wrapping { message, aad } = params else {
        return (aead.open)(key, params);
    };
    let (key, message, aad) = (Arc::clone(key), message.clone(), aad.clone());
    let tag_len = message.tag_len()?;
    let opening = Opening { key, aead, message, aad, tag: Vec::new(), inside: Some(tag_len) };
    opening.start(0)?;
    Ok(Box::new(opening))
}

struct Opening {
    key: Key,
    aead: &'static Aead,
    message: Message,
    aad: Vec<u8>,
    /// What the caller gave in the parameter.
    tag: Vec<u8>,
    /// The length of the tag that follows the wrapped key, if it does.
    inside: Option<usize>,
}

impl Opening {
    fn start(&self, key: usize) -> Result<Box<dyn Ciphering>> {
        (self.aead.open)(&self.key, &self.aead.params_for(&self.message, &self.aad, key))
    }

    /// The bytes of the key in so much input.
    fn key_len(&self, input: usize) -> Result<usize> {
        let len = input.checked_sub(self.inside.unwrap_or_default());
        len.filter(|len| *len <= LONGEST)
            .ok_or_else(|| Rv::EncryptedDataLenRange.because("not a length that wrapping gives"))
    }
}

impl Ciphering for Opening {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let key = self.key_len(input)?;
        self.start(key)?.whole_len(input.saturating_add(self.tag.len()))
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let sealed = [input, &self.tag].concat();
        self.start(self.key_len(input.len())?)?.whole(&sealed, out)
    }
}
