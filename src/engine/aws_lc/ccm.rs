//! AES-CCM (SP 800-38C, RFC 3610), in one piece: its first block says how long the message is, and
//! no plaintext may be seen before the tag was checked.

use std::ffi::{c_int, c_void};
use std::ptr;

use aws_lc_sys as lc;

use super::cipher::{Direction, REFUSED};
use super::{EngineError, Owned, check, initialise};

/// Lengths of the nonce and of the tag, in bytes.
pub(crate) const NONCE_LENS: std::ops::RangeInclusive<usize> = 7..=13;

/// True for the lengths of tag that SP 800-38C allows, in bytes.
pub(crate) const fn is_tag_len(len: usize) -> bool {
    matches!(len, 4 | 6 | 8 | 10 | 12 | 14 | 16)
}

/// What a message is sealed with.
pub(crate) struct Ccm<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) nonce: &'a [u8],
    pub(crate) aad: &'a [u8],
    pub(crate) tag_len: usize,
}

impl Ccm<'_> {
    /// Writes ciphertext and tag to the front of `out`; gives their length.
    pub(crate) fn seal(&self, plain: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        let whole = plain.len().checked_add(self.tag_len).ok_or(EngineError::Length)?;
        let out = out.get_mut(..whole).ok_or(EngineError::Length)?;
        let (body, tag) = out.split_at_mut_checked(plain.len()).ok_or(EngineError::Length)?;
        let state = self.started(Direction::Encrypt, plain.len(), ptr::null_mut())?;
        update(&state, plain, body, REFUSED)?;
        control(&state, lc::EVP_CTRL_AEAD_GET_TAG, tag.len(), tag.as_mut_ptr().cast())?;
        Ok(whole)
    }

    /// Writes the plaintext to the front of `out`; `Decrypt`, with `out` wiped, if the tag does not
    /// fit or the input is shorter than one.
    pub(crate) fn open(&self, sealed: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        let len = sealed.len().checked_sub(self.tag_len).ok_or(EngineError::Decrypt)?;
        let (body, tag) = sealed.split_at_checked(len).ok_or(EngineError::Decrypt)?;
        let out = out.get_mut(..len).ok_or(EngineError::Length)?;
        // The library copies the tag and writes nothing.
        let state = self.started(Direction::Decrypt, len, tag.as_ptr().cast_mut().cast())?;
        let opened = update(&state, body, out, EngineError::Decrypt);
        if opened.is_err() {
            out.fill(0);
        }
        opened.map(|()| len)
    }

    fn started(
        &self,
        direction: Direction,
        len: usize,
        tag: *mut c_void,
    ) -> Result<Owned<lc::EVP_CIPHER_CTX>, EngineError> {
        initialise()?;
        let cipher = cipher(self.key.len())?;
        if !NONCE_LENS.contains(&self.nonce.len()) || !is_tag_len(self.tag_len) {
            return Err(EngineError::Length);
        }
        // SAFETY: the library's own constructor.
        let state = unsafe { Owned::fresh(lc::EVP_CIPHER_CTX_new) }?;
        let encrypt = c_int::from(direction == Direction::Encrypt);
        let begin = |cipher, key: *const u8, nonce: *const u8| {
            // SAFETY: a live state; null leaves a part for later; the key is as long as the cipher
            // wants and the nonce as long as the state was told.
            let done = unsafe {
                lc::EVP_CipherInit_ex(state.as_ptr(), cipher, ptr::null_mut(), key, nonce, encrypt)
            };
            check(done, REFUSED)
        };
        begin(cipher, ptr::null(), ptr::null())?;
        control(&state, lc::EVP_CTRL_AEAD_SET_IVLEN, self.nonce.len(), ptr::null_mut())?;
        control(&state, lc::EVP_CTRL_AEAD_SET_TAG, self.tag_len, tag)?;
        begin(ptr::null(), self.key.as_ptr(), self.nonce.as_ptr())?;
        // The length comes before everything else; then what is only authenticated.
        feed(&state, ptr::null(), len)?;
        if !self.aad.is_empty() {
            feed(&state, self.aad.as_ptr(), self.aad.len())?;
        }
        Ok(state)
    }
}

/// Tells a length, or gives associated data.
fn feed(state: &Owned<lc::EVP_CIPHER_CTX>, data: *const u8, len: usize) -> Result<(), EngineError> {
    let len = c_int::try_from(len).map_err(|_| EngineError::Length)?;
    let mut taken = 0;
    // SAFETY: a live state; `data` is null or readable for `len` bytes; nothing is written.
    let done =
        unsafe { lc::EVP_CipherUpdate(state.as_ptr(), ptr::null_mut(), &raw mut taken, data, len) };
    check(done, REFUSED)
}

/// Runs the whole message, which has the length of `out`.
fn update(
    state: &Owned<lc::EVP_CIPHER_CTX>,
    input: &[u8],
    out: &mut [u8],
    error: EngineError,
) -> Result<(), EngineError> {
    let len = c_int::try_from(input.len()).map_err(|_| EngineError::Length)?;
    let mut written = 0;
    // SAFETY: a live state, readable input, and room of the same length.
    let done = unsafe {
        lc::EVP_CipherUpdate(
            state.as_ptr(),
            out.as_mut_ptr(),
            &raw mut written,
            input.as_ptr(),
            len,
        )
    };
    check(done, error)?;
    if written == len { Ok(()) } else { Err(REFUSED) }
}

fn control(
    state: &Owned<lc::EVP_CIPHER_CTX>,
    command: c_int,
    len: usize,
    at: *mut c_void,
) -> Result<(), EngineError> {
    let len = c_int::try_from(len).map_err(|_| EngineError::Length)?;
    // SAFETY: a live state; `at` is null for a command that only sets a length, else readable or
    // writable, as the command wants, for `len` bytes.
    check(unsafe { lc::EVP_CIPHER_CTX_ctrl(state.as_ptr(), command, len, at) }, REFUSED)
}

fn cipher(key_len: usize) -> Result<*const lc::EVP_CIPHER, EngineError> {
    let named = match key_len {
        16 => lc::EVP_aes_128_ccm,
        24 => lc::EVP_aes_192_ccm,
        32 => lc::EVP_aes_256_ccm,
        _ => return Err(EngineError::Key("an AES key is 16, 24 or 32 bytes long")),
    };
    // SAFETY: gives the address of a static.
    Ok(unsafe { named() })
}
