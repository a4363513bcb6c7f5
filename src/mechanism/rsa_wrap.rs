//! Wrapping keys with RSA: alone, and with an AES key made for the purpose.
//!
//! PKCS#1 v1.5 gives a key whatever it finds: another one where the padding is wrong, so that
//! nobody can ask it about paddings (Bleichenbacher 1998; Bardou and others 2012); `rsa_padding` of
//! the engine says which. With a length it is of that length, without one of any. The raw operation
//! gives the last bytes, and looks at no others: that they are zero would be an answer too (Manger
//! 2001). PKCS#11 3.2, "PKCS #1 v1.5 RSA", "X.509 (raw) RSA", "RSA AES KEY WRAP"; RFC 8017, 7.2.2;
//! RFC 5649.

use std::sync::Arc;

use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::rsa::{self, Scheme};
use super::{Key, private_key, rsa_raw};
use crate::custody::{DecryptPrimitive, PrivateKey};
use crate::engine::aws_lc::key_wrap::{SEMIBLOCK, kwp_len, kwp_unwrap, kwp_wrap};
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// What is wrapped at most, in bytes.
const LONGEST: usize = 1 << 24;

/// Starts unwrapping with PKCS#1 v1.5.
pub(super) fn unwrap_pkcs1(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Ciphering>> {
    let usual = rsa::decrypt(key, params, Scheme::Pkcs1)?;
    let Some(len) = len else { return Ok(usual) };
    Ok(Box::new(OrElse { key: private_key(key, KeyType::Rsa)?, usual, len }))
}

/// Gives `len` bytes: those in the ciphertext, or others.
struct OrElse {
    key: Arc<dyn PrivateKey>,
    usual: Box<dyn Ciphering>,
    len: usize,
}

impl Ciphering for OrElse {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let longest = self.usual.whole_len(input)?;
        match self.len {
            len @ 1.. if len <= longest => Ok(len),
            _ => Err(Rv::EncryptedDataLenRange.because("CKA_VALUE_LEN does not fit the modulus")),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        self.key.decrypt(DecryptPrimitive::Pkcs1OrElse(input), out)
    }
}

/// The shortest key that is taken out of a number: of shorter pieces, one a byte longer than the
/// other, each could be guessed, and in the end the whole number.
const SHORTEST: usize = 14;

/// Starts unwrapping without padding. The template, or the type, says how long the key is.
pub(super) fn unwrap_raw(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Ciphering>> {
    let number = rsa_raw::decrypt(key, params)?;
    let len = len.ok_or_else(|| Rv::TemplateIncomplete.because("CKA_VALUE_LEN"))?;
    Ok(Box::new(Tail { number, len }))
}

/// The last `len` bytes of a number.
struct Tail {
    number: Box<dyn Ciphering>,
    len: usize,
}

impl Ciphering for Tail {
    fn whole_len(&self, input: usize) -> Result<usize> {
        if (SHORTEST..=self.number.whole_len(input)?).contains(&self.len) {
            Ok(self.len)
        } else {
            Err(Rv::EncryptedDataLenRange.because("CKA_VALUE_LEN does not fit the modulus"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let number = Secret::build(self.number.whole_len(input.len())?, |room| {
            self.number.whole(input, room).map(drop)
        })?;
        number.expose(|number| {
            out.iter_mut().rev().zip(number.iter().rev()).for_each(|(to, from)| *to = *from);
        });
        Ok(self.len)
    }
}

/// The two parameters inside `CK_RSA_AES_KEY_WRAP_PARAMS`: bytes of the AES key, and OAEP's.
fn split(params: &MechanismParams) -> Result<(usize, &MechanismParams)> {
    let MechanismParams::RsaAes { aes_bits, oaep } = params else {
        return Err(invalid("RSA AES key wrapping needs its parameters"));
    };
    let len = match aes_bits {
        128 => 16,
        192 => 24,
        256 => 32,
        _ => return Err(invalid("bits of the AES key")),
    };
    Ok((len, oaep))
}

/// Starts wrapping with RSA and AES.
pub(super) fn wrap_aes(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    rsa::public_key(key)?;
    let (aes_len, oaep) = split(params)?;
    let rsa = rsa::encrypt(key, oaep, Scheme::Oaep)?;
    rsa.whole_len(aes_len).map_err(too_small)?;
    Ok(Box::new(Wrapping { rsa, aes_len }))
}

/// Starts unwrapping with RSA and AES.
pub(super) fn unwrap_aes(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let modulus_len = private_key(key, KeyType::Rsa)?.kind().signature_len();
    let (aes_len, oaep) = split(params)?;
    let rsa = rsa::decrypt(key, oaep, Scheme::Oaep)?;
    Ok(Box::new(Unwrapping { rsa, modulus_len, aes_len }))
}

fn too_small(_: Error) -> Error {
    Rv::KeySizeRange.because("the RSA key is too small for the AES key and OAEP")
}

struct Wrapping {
    rsa: Box<dyn Ciphering>,
    aes_len: usize,
}

impl Ciphering for Wrapping {
    fn whole_len(&self, input: usize) -> Result<usize> {
        match input {
            1..=LONGEST => Ok(self.rsa.whole_len(self.aes_len)? + kwp_len(input)),
            _ => Err(Rv::DataLenRange.because("nothing, or more than is wrapped")),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let aes = random::secret(self.aes_len)?;
        let first = aes.expose(|aes| self.rsa.whole(aes, out))?;
        let rest = out.get_mut(first..).unwrap_or_default();
        Ok(first + aes.expose(|aes| kwp_wrap(aes, input, rest))?)
    }
}

struct Unwrapping {
    rsa: Box<dyn Ciphering>,
    modulus_len: usize,
    aes_len: usize,
}

impl Unwrapping {
    /// The AES key, or one that opens nothing: whoever asks does not learn which part was wrong.
    fn aes_key(&mut self, sealed: &[u8]) -> Result<Secret> {
        let other = random::secret(self.aes_len)?;
        let longest = self.rsa.whole_len(self.modulus_len)?;
        let mut written = 0;
        let opened = Secret::build(longest, |room| {
            // A failure leaves what is then no key.
            written = self.rsa.whole(sealed, room).unwrap_or_default();
            Ok::<_, Error>(())
        })?;
        if written != self.aes_len {
            return Ok(other);
        }
        opened.expose(|opened| Secret::copy_of(opened.get(..written).unwrap_or_default()))
    }
}

impl Ciphering for Unwrapping {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let wrapped = input.checked_sub(self.modulus_len);
        match wrapped {
            Some(len) if len >= 2 * SEMIBLOCK && len.is_multiple_of(SEMIBLOCK) => {
                Ok(len - SEMIBLOCK)
            }
            _ => Err(Rv::EncryptedDataLenRange.because("not a length that this wrapping gives")),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let (sealed, wrapped) = input.split_at_checked(self.modulus_len).unwrap_or_default();
        let aes = self.aes_key(sealed)?;
        Ok(aes.expose(|aes| kwp_unwrap(aes, wrapped, out))?)
    }
}
