//! Wrapping secret keys with ciphers that take whole blocks: zeros are added after the key, and
//! cut off again where the template says how long the key is.
//!
//! Nothing here notices a changed or shortened ciphertext: KW, KWP and GCM do. PKCS#11 3.2,
//! "AES-ECB" and "AES-CBC", wrapping.

use zeroize::Zeroizing;

use super::operation::{Ciphering, room};
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// What is left of a key that was cut: at least this much. Cut to one byte, then to two, a key
/// would be found out byte by byte.
const LEAST_CUT: usize = 14;

/// Wraps with an encryption in blocks.
pub(super) fn wrap(cipher: Box<dyn Ciphering>, block: usize) -> Box<dyn Ciphering> {
    Box::new(Padding { cipher, block })
}

/// Unwraps with a decryption in blocks a key of `len` bytes, or all that there is.
pub(super) fn unwrap(
    cipher: Box<dyn Ciphering>,
    block: usize,
    len: Option<usize>,
) -> Box<dyn Ciphering> {
    Box::new(Cutting { cipher, block, len })
}

struct Padding {
    cipher: Box<dyn Ciphering>,
    block: usize,
}

impl Ciphering for Padding {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let padded = input.checked_next_multiple_of(self.block);
        self.cipher.whole_len(padded.ok_or_else(|| Rv::DataLenRange.because("too much"))?)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let padded = input.len().next_multiple_of(self.block);
        let mut whole = Zeroizing::new(Vec::with_capacity(padded));
        whole.extend_from_slice(input);
        whole.resize(padded, 0);
        self.cipher.whole(&whole, out)
    }
}

struct Cutting {
    cipher: Box<dyn Ciphering>,
    block: usize,
    len: Option<usize>,
}

impl Ciphering for Cutting {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let whole = self.cipher.whole_len(input)?;
        let len = self.len.unwrap_or(whole);
        let is_cut = len != whole;
        let fits = len <= whole && whole - len < self.block && (!is_cut || len >= LEAST_CUT);
        if fits {
            Ok(len)
        } else {
            Err(Rv::EncryptedDataLenRange.because("CKA_VALUE_LEN does not fit the blocks"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let len = self.whole_len(input.len())?;
        let all = Secret::build(self.cipher.whole_len(input.len())?, |plain| {
            self.cipher.whole(input, plain).map(|_| ())
        })?;
        let out = room(out, len)?;
        all.expose(|all| out.iter_mut().zip(all).for_each(|(to, from)| *to = *from));
        Ok::<_, Error>(len)
    }
}
