//! CMAC (SP 800-38B, RFC 4493) with AES and triple DES, in parts.

use std::ptr;

use aws_lc_sys as lc;
use zeroize::Zeroizing;

use super::cipher::{self, BLOCK_LEN, Mode};
use super::{EngineError, Owned, check, initialise};

const REFUSED: EngineError = EngineError::Failed("CMAC");

/// A running code.
pub(crate) struct Cmac {
    state: Owned<lc::CMAC_CTX>,
    len: usize,
}

impl Cmac {
    /// Starts with an AES key. `Key` if it is not 16, 24 or 32 bytes long.
    pub(crate) fn aes(key: &[u8]) -> Result<Self, EngineError> {
        Self::of(cipher::aes(Mode::Cbc, key.len())?, BLOCK_LEN, key)
    }

    /// Starts AES-CMAC-PRF-128 with a key of any length: of one that is not 16 bytes long its code
    /// under the key of zeros is taken. RFC 4615, section 3.
    pub(crate) fn aes_prf(key: &[u8]) -> Result<Self, EngineError> {
        if key.len() == BLOCK_LEN {
            return Self::aes(key);
        }
        let mut fitting = Zeroizing::new([0; BLOCK_LEN]);
        let mut other = Self::aes(fitting.as_slice())?;
        other.update(key)?;
        other.finish(fitting.as_mut_slice())?;
        Self::aes(fitting.as_slice())
    }

    /// Starts with a key of DES or triple DES. `Key` if it is not 8, 16 or 24 bytes long.
    #[cfg(feature = "legacy")]
    pub(crate) fn des(key: &[u8]) -> Result<Self, EngineError> {
        Self::of(cipher::des(Mode::Cbc, key.len())?, cipher::DES_BLOCK_LEN, key)
    }

    fn of(cipher: *const lc::EVP_CIPHER, len: usize, key: &[u8]) -> Result<Self, EngineError> {
        initialise()?;
        // SAFETY: the library's own constructor.
        let state = unsafe { Owned::fresh(lc::CMAC_CTX_new) }?;
        // SAFETY: a live state, a static, and a key as long as the cipher wants; no engine.
        let done = unsafe {
            lc::CMAC_Init(state.as_ptr(), key.as_ptr().cast(), key.len(), cipher, ptr::null_mut())
        };
        check(done, REFUSED)?;
        Ok(Self { state, len })
    }

    /// Adds input.
    pub(crate) fn update(&mut self, input: &[u8]) -> Result<(), EngineError> {
        // SAFETY: a live state and readable input.
        let done = unsafe { lc::CMAC_Update(self.state.as_ptr(), input.as_ptr(), input.len()) };
        check(done, REFUSED)
    }

    /// Writes the code, a block long, to the front of `out` and gives its length.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.len).ok_or(EngineError::Length)?;
        let mut written = 0;
        // SAFETY: a live state, and room for a block of its cipher.
        let done =
            unsafe { lc::CMAC_Final(self.state.as_ptr(), out.as_mut_ptr(), &raw mut written) };
        check(done, REFUSED)?;
        Ok(self.len)
    }
}
