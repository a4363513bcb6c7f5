//! Wrapping keys with an ephemeral key agreement: it gives an AES key, which wraps with KWP. The
//! ephemeral point, not in DER, stands before what was wrapped.
//!
//! PKCS#11 3.2, "ECDH AES KEY WRAP" and its two successors; RFC 5649.

use std::sync::Arc;

use super::operation::{Ciphering, Encapsulating, room};
use super::params::{MechanismParams, invalid};
use super::{Key, ecdh};
use crate::engine::aws_lc::key_wrap::{SEMIBLOCK, kwp_len, kwp_unwrap, kwp_wrap};
use crate::engine::random;
use crate::error::{Result, Rv};

/// What is wrapped at most, in bytes.
const LONGEST: usize = 1 << 24;

/// The bytes of the AES key, and the parameter of the agreement.
fn split(params: &MechanismParams) -> Result<(usize, &MechanismParams)> {
    match params {
        MechanismParams::EcdhAes { aes_bits: 128, ecdh } => Ok((16, ecdh)),
        MechanismParams::EcdhAes { aes_bits: 192, ecdh } => Ok((24, ecdh)),
        MechanismParams::EcdhAes { aes_bits: 256, ecdh } => Ok((32, ecdh)),
        MechanismParams::EcdhAes { .. } => Err(invalid("bits of the AES key")),
        _ => Err(invalid("ECDH AES key wrapping needs its parameters")),
    }
}

/// Starts a wrapping for the holder of a public key.
pub(super) fn wrap(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    ecdh::check_public(key)?;
    let (aes_len, ecdh) = split(params)?;
    Ok(Box::new(Wrapping { agreement: ecdh::encapsulate(key, ecdh, Some(aes_len))? }))
}

/// Starts an unwrapping.
pub(super) fn unwrap(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let point_len = ecdh::point_len(key)?;
    let (aes_len, ecdh) = split(params)?;
    let (key, ecdh) = (Arc::clone(key), ecdh.clone());
    Ok(Box::new(Unwrapping { key, ecdh, point_len, aes_len }))
}

struct Wrapping {
    agreement: Box<dyn Encapsulating>,
}

impl Ciphering for Wrapping {
    fn whole_len(&self, input: usize) -> Result<usize> {
        match input {
            1..=LONGEST => Ok(self.agreement.len() + kwp_len(input)),
            _ => Err(Rv::DataLenRange.because("nothing, or more than is wrapped")),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let (first, aes) = self.agreement.encapsulate(out)?;
        let rest = out.get_mut(first..).unwrap_or_default();
        Ok(first + aes.expose(|aes| kwp_wrap(aes, input, rest))?)
    }
}

struct Unwrapping {
    key: Key,
    ecdh: MechanismParams,
    point_len: usize,
    aes_len: usize,
}

impl Ciphering for Unwrapping {
    fn whole_len(&self, input: usize) -> Result<usize> {
        match input.checked_sub(self.point_len) {
            Some(len) if len >= 2 * SEMIBLOCK && len.is_multiple_of(SEMIBLOCK) => {
                Ok(len - SEMIBLOCK)
            }
            _ => Err(Rv::EncryptedDataLenRange.because("not a length that this wrapping gives")),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let (point, wrapped) = input.split_at_checked(self.point_len).unwrap_or_default();
        let agreed = ecdh::decapsulate(&self.key, &self.ecdh, point, Some(self.aes_len));
        let aes = match agreed {
            Ok(aes) => aes,
            // A point that is none opens nothing, as any other wrong point.
            Err(error) if error.rv == Rv::WrappedKeyInvalid => random::secret(self.aes_len)?,
            Err(error) => return Err(error),
        };
        Ok(aes.expose(|aes| kwp_unwrap(aes, wrapped, out))?)
    }
}
