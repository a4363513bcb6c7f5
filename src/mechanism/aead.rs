//! Encryption that needs its message whole: AES-CCM, whose first block says how long the message
//! is, ChaCha20-Poly1305, and AES-XTS and AES-CTS, which steal from the last block but one. What
//! comes in parts is kept until the end.
//!
//! PKCS#11 3.2, "AES-CCM Authenticated Encryption / Decryption", "ChaCha20/Poly1305", "AES XTS",
//! "AES CBC with CipherText Stealing CTS". The last refers to the addendum of NIST SP 800-38A and
//! names none of its three variants; it is the first, CS1, here as in NSS.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::aead_wrap::Aead;
use super::aes::{BLOCK, check_key_size, key_value, wrong_len};
use super::cipher_params::CipherParams;
use super::message::Message;
use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_template, secret_key, secret_value, value_len};
use crate::engine::aws_lc::ccm::{self, Ccm};
use crate::engine::aws_lc::chacha;
use crate::engine::aws_lc::cipher::Direction;
use crate::engine::aws_lc::cts::cts;
use crate::engine::aws_lc::xts::{self, xts};
use crate::engine::{EngineError, random};
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// What is kept of a message, at most.
const LONGEST: usize = i32::MAX as usize - 64;

/// An algorithm with its checked parameter.
enum Algorithm {
    /// With the length that the message must have.
    Ccm {
        nonce: Vec<u8>,
        aad: Vec<u8>,
        tag_len: usize,
        data_len: usize,
    },
    ChaCha20Poly1305 {
        nonce: Vec<u8>,
        aad: Vec<u8>,
    },
    /// One data unit, which has no tag.
    Xts {
        tweak: Vec<u8>,
    },
    /// CBC with ciphertext stealing, which has no tag either.
    Cts {
        iv: Vec<u8>,
    },
}

impl Algorithm {
    const fn tag_len(&self) -> usize {
        match self {
            Self::Ccm { tag_len, .. } => *tag_len,
            Self::ChaCha20Poly1305 { .. } => chacha::TAG_LEN,
            Self::Xts { .. } | Self::Cts { .. } => 0,
        }
    }

    fn run(
        &self,
        key: &[u8],
        direction: Direction,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        match (self, direction) {
            (Self::Ccm { nonce, aad, tag_len, .. }, direction) => {
                let ccm = Ccm { key, nonce, aad, tag_len: *tag_len };
                match direction {
                    Direction::Encrypt => ccm.seal(input, out),
                    Direction::Decrypt => ccm.open(input, out),
                }
            }
            (Self::Xts { tweak }, direction) => xts(direction, key, tweak, input, out),
            (Self::Cts { iv }, direction) => cts(direction, key, iv, input, out),
            (Self::ChaCha20Poly1305 { nonce, aad }, Direction::Encrypt) => {
                chacha::seal(key, nonce, aad, input, out)
            }
            (Self::ChaCha20Poly1305 { nonce, aad }, Direction::Decrypt) => {
                chacha::open(key, nonce, aad, input, out)
            }
        }
    }
}

/// A whole message, as it comes.
struct Whole {
    key: Key,
    algorithm: Algorithm,
    direction: Direction,
    kept: Zeroizing<Vec<u8>>,
}

/// AES-CCM as wrapping uses it.
pub(super) static CCM: Aead = Aead {
    seal: |key, params| ccm(key, params, Direction::Encrypt),
    open: |key, params| ccm(key, params, Direction::Decrypt),
    params: ccm_message,
};

/// ChaCha20-Poly1305 as wrapping uses it.
pub(super) static CHACHA20_POLY1305: Aead = Aead {
    seal: |key, params| chacha20_poly1305(key, params, Direction::Encrypt),
    open: |key, params| chacha20_poly1305(key, params, Direction::Decrypt),
    params: chacha20_poly1305_message,
};

/// The parameter of one message of AES-CCM.
pub(super) fn ccm_message(message: &Message, aad: Vec<u8>) -> MechanismParams {
    MechanismParams::Cipher(CipherParams::Ccm {
        data_len: message.data_len.unwrap_or(0),
        nonce: message.nonce.clone(),
        aad,
        tag_len: message.tag_bits / 8,
    })
}

/// The parameter of one message of ChaCha20-Poly1305.
pub(super) fn chacha20_poly1305_message(message: &Message, aad: Vec<u8>) -> MechanismParams {
    let nonce = message.nonce.clone();
    MechanismParams::Cipher(CipherParams::ChaCha20Poly1305 { nonce, aad })
}

/// Starts AES-CCM.
pub(super) fn ccm(
    key: &Key,
    params: &MechanismParams,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let MechanismParams::Cipher(CipherParams::Ccm { data_len, nonce, aad, tag_len }) = params
    else {
        return Err(invalid("CCM needs its parameters"));
    };
    let tag_len = usize::try_from(*tag_len).ok().filter(|len| ccm::is_tag_len(*len));
    let tag_len = tag_len.ok_or_else(|| invalid("length of CCM's tag"))?;
    if !ccm::NONCE_LENS.contains(&nonce.len()) {
        return Err(invalid("length of CCM's nonce"));
    }
    // The longer the nonce, the fewer bytes are left to tell the length in.
    let width = 8 * (15 - nonce.len());
    let fits = |len: &usize| *len <= LONGEST && (width >= 64 || (*len as u64) >> width == 0);
    let data_len = usize::try_from(*data_len).ok().filter(fits);
    let data_len = data_len.ok_or_else(|| invalid("length of CCM's data"))?;
    check_key_size(value)?;
    let (nonce, aad) = (nonce.clone(), aad.clone());
    let algorithm = Algorithm::Ccm { nonce, aad, tag_len, data_len };
    Ok(begun(key, algorithm, direction))
}

/// Starts ChaCha20-Poly1305, with a nonce of 12 or 24 bytes.
pub(super) fn chacha20_poly1305(
    key: &Key,
    params: &MechanismParams,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = secret_value(key, &[KeyType::ChaCha20])?;
    let MechanismParams::Cipher(CipherParams::ChaCha20Poly1305 { nonce, aad }) = params else {
        return Err(invalid("ChaCha20-Poly1305 needs its parameters"));
    };
    if !matches!(nonce.len(), 12 | 24) {
        return Err(invalid("length of the nonce"));
    }
    if value.len() != chacha::KEY_LEN {
        return Err(Rv::KeySizeRange.because("length of a ChaCha20 key"));
    }
    let (nonce, aad) = (nonce.clone(), aad.clone());
    Ok(begun(key, Algorithm::ChaCha20Poly1305 { nonce, aad }, direction))
}

/// Starts AES-XTS, of one data unit.
pub(super) fn xts_unit(
    key: &Key,
    params: &MechanismParams,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = secret_value(key, &[KeyType::AesXts])?;
    let tweak = match params {
        MechanismParams::Iv(tweak) if tweak.len() == xts::TWEAK_LEN => tweak.clone(),
        _ => return Err(invalid("XTS takes the number of the data unit, 16 bytes")),
    };
    if value.len() != xts::KEY_LEN {
        return Err(Rv::KeySizeRange.because("length of an XTS key"));
    }
    Ok(begun(key, Algorithm::Xts { tweak }, direction))
}

/// Starts AES-CBC with ciphertext stealing.
pub(super) fn cts_message(
    key: &Key,
    params: &MechanismParams,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let iv = match params {
        MechanismParams::Iv(iv) if iv.len() == BLOCK => iv.clone(),
        _ => return Err(invalid("CTS takes an initialisation vector of 16 bytes")),
    };
    check_key_size(value)?;
    Ok(begun(key, Algorithm::Cts { iv }, direction))
}

/// Makes a key of AES-XTS.
pub(super) fn generate_xts(template: &Template, params: &MechanismParams) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::SecretKey, KeyType::AesXts)?;
    if value_len(template)? != xts::KEY_LEN {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of an XTS key"));
    }
    secret_key(template, KeyType::AesXts, random::secret(xts::KEY_LEN)?)
}

fn begun(key: &Key, algorithm: Algorithm, direction: Direction) -> Box<dyn Ciphering> {
    let kept = Zeroizing::default();
    Box::new(Whole { key: Arc::clone(key), algorithm, direction, kept })
}

impl Whole {
    fn wrong_len(&self, why: &'static str) -> Error {
        wrong_len(self.direction, why)
    }

    fn run(&self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let value = super::any_secret(&self.key)?;
        Ok(value.expose(|key| self.algorithm.run(key, self.direction, input, out))?)
    }
}

impl Ciphering for Whole {
    fn update_len(&self, input: usize) -> Result<usize> {
        let most = match (&self.algorithm, self.direction) {
            (Algorithm::Ccm { data_len, .. }, Direction::Encrypt) => *data_len,
            (Algorithm::Ccm { data_len, tag_len, .. }, Direction::Decrypt) => data_len + tag_len,
            _ => LONGEST,
        };
        match self.kept.len().checked_add(input) {
            Some(total) if total <= most => Ok(0),
            _ => Err(self.wrong_len("more than is kept of a message")),
        }
    }

    fn update(&mut self, input: &[u8], _out: &mut [u8]) -> Result<usize> {
        self.update_len(input.len())?;
        let total = self.kept.len() + input.len();
        if total > self.kept.capacity() {
            // What grows in place leaves what it was behind; this is wiped.
            let mut more = Zeroizing::new(Vec::new());
            more.try_reserve_exact(total.saturating_mul(2).min(LONGEST).max(total))
                .map_err(|_| Rv::HostMemory.because("no memory for a message"))?;
            more.extend_from_slice(&self.kept);
            self.kept = more;
        }
        self.kept.extend_from_slice(input);
        Ok(0)
    }

    fn finish_len(&self) -> Result<usize> {
        self.whole_len(self.kept.len())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        self.run(&self.kept, out)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        let tag_len = self.algorithm.tag_len();
        let (plain, len) = match self.direction {
            Direction::Encrypt => (Some(input), input.checked_add(tag_len)),
            Direction::Decrypt => (input.checked_sub(tag_len), input.checked_sub(tag_len)),
        };
        let announced = match &self.algorithm {
            Algorithm::Ccm { data_len, .. } => plain == Some(*data_len),
            Algorithm::ChaCha20Poly1305 { .. } => input <= LONGEST,
            Algorithm::Xts { .. } => xts::UNIT_LENS.contains(&input),
            Algorithm::Cts { .. } => (BLOCK..=LONGEST).contains(&input),
        };
        len.filter(|_| announced).ok_or_else(|| self.wrong_len("another length than announced"))
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.run(input, out)
    }
}
