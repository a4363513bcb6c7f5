//! AES-GCM. The tag follows the ciphertext.
//!
//! Decryption keeps all parts and gives nothing out before the tag is checked. PKCS#11 3.2,
//! "AES-GCM Authenticated Encryption / Decryption"; NIST SP 800-38D.

use std::sync::Arc;

use super::Key;
use super::aead_wrap::Aead;
use super::aes::{check_key_size, key_value, wrong_len};
use super::message::Message;
use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use crate::engine::aws_lc::cipher::Direction;
use crate::engine::aws_lc::gcm::{GcmEncrypt, gcm_open};
use crate::error::{Result, Rv};

/// What one IV may encrypt: 2^39 - 256 bits.
const LONGEST: u64 = (1 << 36) - 32;
/// What decryption keeps before the tag is checked.
const LONGEST_KEPT: usize = i32::MAX as usize;
/// Longer vectors and data are no use of GCM, but a use of our memory.
pub(super) const LONGEST_IV: usize = 4096;

/// A checked parameter.
struct Params<'a> {
    iv: &'a [u8],
    aad: &'a [u8],
    tag_len: usize,
}

/// SP 800-38D has shorter tags (32 and 64 bits) for rules of use that a token cannot enforce.
fn checked(params: &MechanismParams) -> Result<Params<'_>> {
    let MechanismParams::Gcm { iv, aad, tag_bits } = params else {
        return Err(invalid("GCM needs its parameters"));
    };
    if iv.is_empty() || iv.len() > LONGEST_IV {
        return Err(invalid("length of GCM's initialisation vector"));
    }
    Ok(Params { iv, aad, tag_len: tag_len_of(*tag_bits)? })
}

/// Bytes of a tag.
pub(super) fn tag_len_of(bits: u64) -> Result<usize> {
    match bits {
        96 => Ok(12),
        104 => Ok(13),
        112 => Ok(14),
        120 => Ok(15),
        128 => Ok(16),
        _ => Err(invalid("length of GCM's tag")),
    }
}

/// The parameter of one message.
pub(super) fn message(message: &Message, aad: Vec<u8>) -> MechanismParams {
    MechanismParams::Gcm { iv: message.nonce.clone(), aad, tag_bits: message.tag_bits }
}

/// As wrapping uses it.
pub(super) static AEAD: Aead = Aead { seal: encrypt, open: decrypt, params: message };

/// Starts an encryption.
pub(super) fn encrypt(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let Params { iv, aad, tag_len } = checked(params)?;
    check_key_size(value)?;
    let cipher = value.expose(|value| GcmEncrypt::new(value, iv, aad, tag_len))?;
    Ok(Box::new(Encryption { cipher, tag_len, left: LONGEST }))
}

/// Starts a decryption.
pub(super) fn decrypt(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let Params { iv, aad, tag_len } = checked(params)?;
    check_key_size(value)?;
    Ok(Box::new(Decryption {
        key: Arc::clone(key),
        iv: iv.to_vec(),
        aad: aad.to_vec(),
        tag_len,
        kept: Vec::new(),
    }))
}

struct Encryption {
    cipher: GcmEncrypt,
    tag_len: usize,
    left: u64,
}

impl Ciphering for Encryption {
    fn update_len(&self, input: usize) -> Result<usize> {
        if input as u64 <= self.left {
            Ok(input)
        } else {
            Err(wrong_len(Direction::Encrypt, "more than GCM encrypts under one vector"))
        }
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let len = self.update_len(input.len())?;
        let written = self.cipher.update(input, room(out, len)?)?;
        self.left -= input.len() as u64;
        Ok(written)
    }

    fn finish_len(&self) -> Result<usize> {
        Ok(self.tag_len)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        Ok(self.cipher.finish(room(out, self.tag_len)?)?)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        self.update_len(input)?
            .checked_add(self.tag_len)
            .ok_or_else(|| wrong_len(Direction::Encrypt, "too much"))
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let written = self.update(input, out)?;
        let rest = out.get_mut(written..).unwrap_or_default();
        Ok(written + self.finish(rest)?)
    }
}

struct Decryption {
    key: Key,
    iv: Vec<u8>,
    aad: Vec<u8>,
    tag_len: usize,
    kept: Vec<u8>,
}

impl Decryption {
    fn open(&self, sealed: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(sealed.len())?)?;
        let opened = key_value(&self.key)?
            .expose(|key| gcm_open(key, &self.iv, &self.aad, self.tag_len, sealed, out));
        Ok(opened?)
    }
}

impl Ciphering for Decryption {
    fn update_len(&self, input: usize) -> Result<usize> {
        if input <= LONGEST_KEPT.saturating_sub(self.kept.len()) {
            Ok(0)
        } else {
            Err(wrong_len(Direction::Decrypt, "more than is kept until the tag comes"))
        }
    }

    fn update(&mut self, input: &[u8], _out: &mut [u8]) -> Result<usize> {
        self.update_len(input.len())?;
        self.kept
            .try_reserve(input.len())
            .map_err(|_| Rv::HostMemory.because("no memory for a ciphertext"))?;
        self.kept.extend_from_slice(input);
        Ok(0)
    }

    fn finish_len(&self) -> Result<usize> {
        self.whole_len(self.kept.len())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        self.open(&self.kept, out)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        input
            .checked_sub(self.tag_len)
            .ok_or_else(|| wrong_len(Direction::Decrypt, "shorter than a tag"))
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.open(input, out)
    }
}
