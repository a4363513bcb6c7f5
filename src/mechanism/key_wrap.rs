//! AES key wrapping, of keys and of data: KW, KWP, and KW over PKCS#7 padding.
//!
//! All three take everything in one part, and notice every change of what they wrapped.
//! PKCS#11 3.2, "AES Key Wrap"; SP 800-38F; RFC 3394 and RFC 5649.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::Key;
use super::aes::{check_key_size, key_value, wrong_len};
use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use crate::engine::aws_lc::cipher::Direction;
use crate::engine::aws_lc::key_wrap::{
    SEMIBLOCK, USUAL_IV, kw_unwrap, kw_wrap, kwp_len, kwp_unwrap, kwp_wrap,
};
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// The first half of KWP's initial value; the other is the length.
const KWP_IV: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];
/// What is wrapped at most, in bytes.
const LONGEST: usize = 1 << 24;

/// How a length that is no number of semiblocks is dealt with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scheme {
    /// It is refused.
    Kw,
    /// Zeros are added, and the length is kept.
    Kwp,
    /// One to eight bytes are added that say how many they are.
    Pkcs7,
}

/// Starts a wrapping or unwrapping. A parameter is an initial value of the caller's; of KWP only
/// the usual one, because nothing tells where another would have to be the same.
pub(super) fn start(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let iv = match (scheme, params) {
        (_, MechanismParams::None) => USUAL_IV,
        (Scheme::Kwp, MechanismParams::Iv(iv)) if *iv == KWP_IV => USUAL_IV,
        (Scheme::Kw | Scheme::Pkcs7, MechanismParams::Iv(iv)) => {
            let iv = iv.as_slice().try_into();
            iv.map_err(|_| invalid("the initial value of a key wrapping is 8 bytes long"))?
        }
        _ => return Err(invalid("initial value of a key wrapping")),
    };
    check_key_size(value)?;
    Ok(Box::new(KeyWrap { key: Arc::clone(key), iv, scheme, direction }))
}

struct KeyWrap {
    key: Key,
    iv: [u8; SEMIBLOCK],
    scheme: Scheme,
    direction: Direction,
}

impl KeyWrap {
    fn wrap(&self, plain: &[u8], out: &mut [u8]) -> Result<usize> {
        let written = key_value(&self.key)?.expose(|key| match self.scheme {
            Scheme::Kw => kw_wrap(key, &self.iv, plain, out),
            Scheme::Kwp => kwp_wrap(key, plain, out),
            Scheme::Pkcs7 => kw_wrap(key, &self.iv, &padded(plain), out),
        });
        Ok(written?)
    }

    fn unwrap(&self, wrapped: &[u8], out: &mut [u8]) -> Result<usize> {
        let written = key_value(&self.key)?.expose(|key| match self.scheme {
            Scheme::Kw | Scheme::Pkcs7 => kw_unwrap(key, &self.iv, wrapped, out),
            Scheme::Kwp => kwp_unwrap(key, wrapped, out),
        })?;
        match self.scheme {
            Scheme::Kw | Scheme::Kwp => Ok(written),
            Scheme::Pkcs7 => unpadded_len(out.get(..written).unwrap_or_default()),
        }
    }
}

fn padded(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let padding = SEMIBLOCK - plain.len() % SEMIBLOCK;
    let mut whole = Zeroizing::new(Vec::with_capacity(plain.len() + padding));
    whole.extend_from_slice(plain);
    whole.resize(plain.len() + padding, padding as u8);
    whole
}

/// Nobody without the key comes as far as to a wrong padding.
fn unpadded_len(whole: &[u8]) -> Result<usize> {
    let padding = usize::from(whole.last().copied().unwrap_or_default());
    let len = whole.len().checked_sub(padding).filter(|_| (1..=SEMIBLOCK).contains(&padding));
    let fits = |len: &usize| {
        whole.get(*len..).is_some_and(|rest| rest.iter().all(|byte| usize::from(*byte) == padding))
    };
    len.filter(fits).ok_or_else(|| Rv::EncryptedDataInvalid.because("cannot be decrypted"))
}

impl Ciphering for KeyWrap {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let refused = |why| Err(wrong_len(self.direction, why));
        if input > LONGEST {
            return refused("more than is wrapped");
        }
        match (self.direction, self.scheme) {
            (Direction::Encrypt, Scheme::Kw) if !input.is_multiple_of(SEMIBLOCK) => {
                refused("not a multiple of 8 bytes")
            }
            (Direction::Encrypt, Scheme::Kw) if input < 2 * SEMIBLOCK => {
                refused("less than 16 bytes")
            }
            (Direction::Encrypt, Scheme::Kw) => Ok(input + SEMIBLOCK),
            (Direction::Encrypt, Scheme::Kwp) if input == 0 => refused("no bytes"),
            (Direction::Encrypt, Scheme::Kwp) => Ok(kwp_len(input)),
            (Direction::Encrypt, Scheme::Pkcs7) if input < SEMIBLOCK => {
                refused("less than 8 bytes")
            }
            (Direction::Encrypt, Scheme::Pkcs7) => {
                Ok(input / SEMIBLOCK * SEMIBLOCK + 2 * SEMIBLOCK)
            }
            (Direction::Decrypt, scheme) => {
                let least = if scheme == Scheme::Kwp { 2 } else { 3 } * SEMIBLOCK;
                if !input.is_multiple_of(SEMIBLOCK) || input < least {
                    return refused("not a length that wrapping gives");
                }
                Ok(input - SEMIBLOCK)
            }
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let len = self.whole_len(input.len())?;
        if self.direction == Direction::Encrypt {
            return self.wrap(input, room(out, len)?);
        }
        // Nothing is written before it was checked.
        let mut written = 0;
        let opened = Secret::build(len, |plain| {
            written = self.unwrap(input, plain)?;
            Ok::<_, Error>(())
        })?;
        let out = room(out, written)?;
        opened.expose(|opened| out.iter_mut().zip(opened).for_each(|(to, from)| *to = *from));
        Ok(written)
    }
}
