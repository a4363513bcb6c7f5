//! Wrapping keys with AES-GCM: an initialisation vector that the token may make, associated
//! data, and a tag after the wrapped key or in the parameter.
//!
//! PKCS#11 3.2, "AES-GCM", `CK_GCM_WRAP_PARAMS` and `CK_GCM_MESSAGE_PARAMS`; SP 800-38D.

use std::sync::Arc;

use super::Key;
use super::aes::{check_key_size, key_value};
use super::gcm::{self, checked_iv, tag_len_of};
use super::operation::{Ciphering, Enveloping, Returned, room};
use super::params::{IvGenerator, MechanismParams, invalid};
use crate::engine::aws_lc::gcm::{GcmEncrypt, TAG_LEN, gcm_open};
use crate::engine::random;
use crate::error::{Result, Rv};

/// How many bits of a vector must be left for the token to draw. Fewer soon come twice.
const LEAST_DRAWN: usize = 64;
/// The longest key that is wrapped, in bytes; far beyond any.
const LONGEST: usize = 1 << 24;

/// Starts a wrapping. `CK_GCM_MESSAGE_PARAMS` has the tag apart, `CK_GCM_WRAP_PARAMS` has the
/// associated data inside.
pub(super) fn envelop(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
) -> Result<Box<dyn Enveloping>> {
    let value = key_value(key)?;
    let (given, generator, aad, tag_bits, apart) = match params {
        MechanismParams::GcmMessage { iv, generator, tag_bits, .. } => {
            (iv, generator, associated, tag_bits, true)
        }
        MechanismParams::GcmWrap { iv, generator, aad, tag_bits } if associated.is_empty() => {
            (iv, generator, aad.as_slice(), tag_bits, false)
        }
        _ => return Err(invalid("GCM needs its parameters")),
    };
    let tag_len = tag_len_of(*tag_bits)?;
    let iv = made_iv(given, *generator)?;
    check_key_size(value)?;
    let made = *generator != IvGenerator::None;
    Ok(Box::new(Envelope { key: Arc::clone(key), iv, made, aad: aad.to_vec(), tag_len, apart }))
}

/// The caller's vector, or its fixed bits and random ones after them.
fn made_iv(given: &[u8], generator: IvGenerator) -> Result<Vec<u8>> {
    checked_iv(given)?;
    let mut iv = given.to_vec();
    let fixed = match generator {
        IvGenerator::None => return Ok(iv),
        IvGenerator::Random { fixed_bits } => usize::try_from(fixed_bits).unwrap_or(usize::MAX),
        IvGenerator::Counter { .. } => {
            return Err(invalid("a counter needs a key and more than one message"));
        }
    };
    let drawn = (iv.len() * 8).checked_sub(fixed).filter(|drawn| *drawn >= LEAST_DRAWN);
    if drawn.is_none() {
        return Err(invalid("too many fixed bits of GCM's initialisation vector"));
    }
    let mut fresh = vec![0; iv.len()];
    random::fill(&mut fresh)?;
    for (index, (byte, fresh)) in iv.iter_mut().zip(fresh).enumerate() {
        let kept = fixed.saturating_sub(index * 8).min(8);
        let mask = 0xff_u8.checked_shr(kept as u32).unwrap_or(0);
        *byte = *byte & !mask | fresh & mask;
    }
    Ok(iv)
}

struct Envelope {
    key: Key,
    iv: Vec<u8>,
    /// Whether the token made the vector, and the caller has to learn it.
    made: bool,
    aad: Vec<u8>,
    tag_len: usize,
    /// Whether the tag goes into the parameter.
    apart: bool,
}

impl Enveloping for Envelope {
    fn len(&self, key: usize) -> Result<usize> {
        if key > LONGEST {
            return Err(Rv::DataLenRange.because("more than is wrapped"));
        }
        Ok(if self.apart { key } else { key + self.tag_len })
    }

    fn envelop(&mut self, key: &[u8], out: &mut [u8]) -> Result<(usize, Returned)> {
        let out = room(out, self.len(key.len())?)?;
        let (body, behind) = out.split_at_mut_checked(key.len()).ok_or_else(too_short)?;
        let mut tag = [0; TAG_LEN];
        key_value(&self.key)?.expose(|value| {
            let mut cipher = GcmEncrypt::new(value, &self.iv, &self.aad, self.tag_len)?;
            cipher.update(key, body)?;
            cipher.finish(&mut tag)
        })?;
        let tag = tag.get(..self.tag_len).unwrap_or_default();
        let mut returned = Returned::default();
        if self.made {
            returned.iv.clone_from(&self.iv);
        }
        if self.apart {
            returned.tag = tag.to_vec();
        } else {
            behind.copy_from_slice(tag);
        }
        Ok((out.len(), returned))
    }
}

fn too_short() -> crate::error::Error {
    Rv::GeneralError.because("less room than was promised")
}

/// Starts the unwrapping of what has its tag in the parameter, or of what C_WrapKey gave.
pub(super) fn open(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
) -> Result<Box<dyn Ciphering>> {
    let MechanismParams::GcmMessage { iv, tag_bits, tag, .. } = params else {
        return gcm::decrypt(key, params);
    };
    let value = key_value(key)?;
    let tag_len = tag_len_of(*tag_bits)?;
    checked_iv(iv)?;
    check_key_size(value)?;
    let tag = tag.get(..tag_len).ok_or_else(|| invalid("GCM's tag is missing"))?;
    Ok(Box::new(Opening {
        key: Arc::clone(key),
        iv: iv.clone(),
        aad: associated.to_vec(),
        tag: tag.to_vec(),
    }))
}

struct Opening {
    key: Key,
    iv: Vec<u8>,
    aad: Vec<u8>,
    tag: Vec<u8>,
}

impl Ciphering for Opening {
    fn whole_len(&self, input: usize) -> Result<usize> {
        if input > LONGEST {
            return Err(Rv::EncryptedDataLenRange.because("more than is wrapped"));
        }
        Ok(input)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let sealed = [input, &self.tag].concat();
        let opened = key_value(&self.key)?
            .expose(|key| gcm_open(key, &self.iv, &self.aad, self.tag.len(), &sealed, out));
        Ok(opened?)
    }
}
