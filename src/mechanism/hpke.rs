//! Hybrid envelopes: a key wrapped for the holder of a composite KEM key.
//!
//! HPKE (RFC 9180) in its base mode: a fresh secret for the public key, and AES-256-GCM with what
//! HKDF-SHA-256 makes of it. An envelope is `enc || ct`, the KEM's ciphertext and the sealed key;
//! the associated data is the caller's, the parameter HPKE's `info`. Ours: PKCS#11 has no such
//! mechanism. The identifier of the KEM is draft-ietf-hpke-pq's.

use std::sync::Arc;

use super::comp_kem;
use super::operation::{Ciphering, Encapsulating, Enveloping, Reply, room};
use super::params::{MechanismParams, invalid};
use super::{Key, inconsistent};
use crate::engine::hpke::{Message, OVERHEAD};
use crate::error::{Error, Result, Rv};
use crate::object::composite;
use crate::object::composite::sets::KemSet;

/// The longest key that is wrapped, in bytes; far beyond any.
const LONGEST: usize = 1 << 24;

/// What binds an envelope: the KEM, the caller's info and associated data.
struct Binding {
    set: &'static KemSet,
    kem: u16,
    info: Vec<u8>,
    associated: Vec<u8>,
}

impl Binding {
    fn of(key: &Key, params: &MechanismParams, associated: &[u8]) -> Result<Self> {
        let info = match params {
            MechanismParams::None => Vec::new(),
            MechanismParams::Info(info) => info.clone(),
            _ => return Err(invalid("HPKE takes its info at most")),
        };
        let set = composite::kem_set(&key.attributes)?;
        let kem = set.hpke.ok_or_else(inconsistent)?;
        Ok(Self { set, kem, info, associated: associated.to_vec() })
    }

    /// Bytes before the sealed key.
    fn enc_len(&self) -> usize {
        self.set.halves.ciphertext_len()
    }
}

/// Starts to wrap for the holder of a public key.
pub(super) fn envelop(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
) -> Result<Box<dyn Enveloping>> {
    let kem = comp_kem::encapsulate(key, &MechanismParams::None, None)?;
    Ok(Box::new(Sealing { kem, binding: Binding::of(key, params, associated)? }))
}

/// As `envelop`, without associated data.
pub(super) fn wrap(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let kem = comp_kem::encapsulate(key, &MechanismParams::None, None)?;
    Ok(Box::new(Sealing { kem, binding: Binding::of(key, params, &[])? }))
}

struct Sealing {
    kem: Box<dyn Encapsulating>,
    binding: Binding,
}

impl Sealing {
    fn sealed_len(&self, key: usize) -> Result<usize> {
        match key {
            0..=LONGEST => Ok(self.binding.enc_len() + key + OVERHEAD),
            _ => Err(Rv::DataLenRange.because("more than is wrapped")),
        }
    }

    fn seal(&mut self, key: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.sealed_len(key.len())?)?;
        let (enc, sealed) = out.split_at_mut(self.binding.enc_len());
        let (_, shared) = self.kem.encapsulate(enc)?;
        let Binding { kem, info, associated, .. } = &self.binding;
        let written = Message::of(*kem, &shared, info)?.seal(associated, key, sealed)?;
        Ok(enc.len() + written)
    }
}

impl Enveloping for Sealing {
    fn len(&self, key: usize) -> Result<usize> {
        self.sealed_len(key)
    }

    fn envelop(&mut self, key: &[u8], out: &mut [u8]) -> Result<(usize, Reply)> {
        Ok((self.seal(key, out)?, Reply::default()))
    }
}

impl Ciphering for Sealing {
    fn whole_len(&self, input: usize) -> Result<usize> {
        self.sealed_len(input)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.seal(input, out)
    }
}

/// Starts to open an envelope with the private key that it was made for.
pub(super) fn open(
    key: &Key,
    params: &MechanismParams,
    associated: &[u8],
) -> Result<Box<dyn Ciphering>> {
    comp_kem::private(key)?;
    let binding = Binding::of(key, params, associated)?;
    Ok(Box::new(Opening { key: Arc::clone(key), binding }))
}

struct Opening {
    key: Key,
    binding: Binding,
}

impl Ciphering for Opening {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let len = input.checked_sub(self.binding.enc_len() + OVERHEAD);
        len.filter(|len| *len <= LONGEST)
            .ok_or_else(|| Rv::EncryptedDataLenRange.because("length of an envelope"))
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let (enc, sealed) = input.split_at(self.binding.enc_len());
        let Binding { set, kem, info, associated } = &self.binding;
        let shared = comp_kem::opened(comp_kem::private(&self.key)?, set, enc);
        // Which half of an envelope is wrong is nobody's business.
        let shared = shared.map_err(|error| match error.rv {
            Rv::WrappedKeyInvalid => Rv::EncryptedDataInvalid.because("cannot be opened"),
            _ => error,
        })?;
        Ok::<_, Error>(Message::of(*kem, &shared, info)?.open(associated, sealed, out)?)
    }
}
