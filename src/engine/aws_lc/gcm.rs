//! AES-GCM (SP 800-38D): encryption in parts, decryption in one piece, because no plaintext may
//! be seen before the tag was checked.

use std::ffi::{c_int, c_void};
use std::ptr;

use aws_lc_sys as lc;

use super::cipher::{Direction, LONGEST_CALL, REFUSED, run};
use super::{EngineError, Owned, check, initialise};

/// The longest tag, and the one to use.
pub(crate) const TAG_LEN: usize = 16;
/// The length of IV that costs least.
const USUAL_IV_LEN: usize = 12;

/// True for the lengths of tag that SP 800-38D allows, in bytes.
pub(crate) const fn is_tag_len(len: usize) -> bool {
    matches!(len, 4 | 8 | 12..=16)
}

/// A running encryption.
pub(crate) struct GcmEncrypt {
    state: Owned<lc::EVP_CIPHER_CTX>,
    tag_len: usize,
    done: bool,
}

impl GcmEncrypt {
    /// Starts. `Key` if the key is not 16, 24 or 32 bytes long, `Length` for an empty IV or a
    /// tag length that is not allowed.
    pub(crate) fn new(
        key: &[u8],
        iv: &[u8],
        aad: &[u8],
        tag_len: usize,
    ) -> Result<Self, EngineError> {
        let state = started(Direction::Encrypt, key, iv, tag_len)?;
        authenticate(&state, aad)?;
        Ok(Self { state, tag_len, done: false })
    }

    /// Encrypts as many bytes as `input` has, to the front of `out`; gives that number.
    pub(crate) fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        if self.done {
            return Err(REFUSED);
        }
        let out = out.get_mut(..input.len()).ok_or(EngineError::Length)?;
        run(&self.state, input, out)?;
        Ok(input.len())
    }

    /// Adds what is only authenticated; before anything was encrypted.
    pub(crate) fn authenticate(&mut self, aad: &[u8]) -> Result<(), EngineError> {
        authenticate(&self.state, aad)
    }

    /// Ends, and writes the tag to the front of `out`; gives its length. Works once.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.tag_len).ok_or(EngineError::Length)?;
        if std::mem::replace(&mut self.done, true) {
            return Err(REFUSED);
        }
        ended(&self.state, REFUSED)?;
        control(&self.state, lc::EVP_CTRL_AEAD_GET_TAG, out.len(), out.as_mut_ptr().cast())?;
        Ok(self.tag_len)
    }
}

/// Decrypts ciphertext || tag in one piece. Gives the bytes written to the front of `out`;
/// `Decrypt`, with `out` wiped, if the tag does not fit or the input is shorter than one.
pub(crate) fn gcm_open(
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    tag_len: usize,
    sealed: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let state = started(Direction::Decrypt, key, iv, tag_len)?;
    let body_len = sealed.len().checked_sub(tag_len).ok_or(EngineError::Decrypt)?;
    let (body, tag) = sealed.split_at_checked(body_len).ok_or(EngineError::Decrypt)?;
    let out = out.get_mut(..body_len).ok_or(EngineError::Length)?;
    // The library copies the tag and writes nothing.
    let tag_at = tag.as_ptr().cast_mut().cast();
    control(&state, lc::EVP_CTRL_AEAD_SET_TAG, tag.len(), tag_at)?;
    authenticate(&state, aad)?;
    let opened = run(&state, body, out).and_then(|()| ended(&state, EngineError::Decrypt));
    if opened.is_err() {
        out.fill(0);
    }
    opened.map(|()| body_len)
}

fn started(
    direction: Direction,
    key: &[u8],
    iv: &[u8],
    tag_len: usize,
) -> Result<Owned<lc::EVP_CIPHER_CTX>, EngineError> {
    initialise()?;
    let cipher = cipher(key.len())?;
    if iv.is_empty() || !is_tag_len(tag_len) {
        return Err(EngineError::Length);
    }
    if iv.len() == USUAL_IV_LEN {
        return super::cipher::started(cipher, direction, key, iv);
    }
    // SAFETY: the library's own constructor.
    let state = unsafe { Owned::fresh(lc::EVP_CIPHER_CTX_new) }?;
    let encrypt = c_int::from(direction == Direction::Encrypt);
    initialise_part(&state, cipher, None, encrypt)?;
    control(&state, lc::EVP_CTRL_AEAD_SET_IVLEN, iv.len(), ptr::null_mut())?;
    initialise_part(&state, ptr::null(), Some((key, iv)), encrypt)?;
    Ok(state)
}

/// One of the two steps that an IV of unusual length takes: cipher first, then key and IV.
fn initialise_part(
    state: &Owned<lc::EVP_CIPHER_CTX>,
    cipher: *const lc::EVP_CIPHER,
    key_and_iv: Option<(&[u8], &[u8])>,
    encrypt: c_int,
) -> Result<(), EngineError> {
    let (key, iv) =
        key_and_iv.map_or((ptr::null(), ptr::null()), |(key, iv)| (key.as_ptr(), iv.as_ptr()));
    // SAFETY: a live state; null leaves a part for later; the key is as long as the cipher
    // wants and the IV as long as the state was told.
    let done =
        unsafe { lc::EVP_CipherInit_ex(state.as_ptr(), cipher, ptr::null_mut(), key, iv, encrypt) };
    check(done, REFUSED)
}

fn authenticate(state: &Owned<lc::EVP_CIPHER_CTX>, aad: &[u8]) -> Result<(), EngineError> {
    for piece in aad.chunks(LONGEST_CALL) {
        let len = c_int::try_from(piece.len()).map_err(|_| EngineError::Length)?;
        let mut taken = 0;
        // SAFETY: a live state and a readable piece; without an output the library takes it as
        // associated data.
        let done = unsafe {
            lc::EVP_CipherUpdate(
                state.as_ptr(),
                ptr::null_mut(),
                &raw mut taken,
                piece.as_ptr(),
                len,
            )
        };
        check(done, REFUSED)?;
    }
    Ok(())
}

fn ended(state: &Owned<lc::EVP_CIPHER_CTX>, error: EngineError) -> Result<(), EngineError> {
    let mut written = 0;
    let mut nothing = [0; TAG_LEN];
    // SAFETY: a live state; in this mode nothing is written, and there is room for a block.
    let done =
        unsafe { lc::EVP_CipherFinal_ex(state.as_ptr(), nothing.as_mut_ptr(), &raw mut written) };
    check(done, error)
}

fn control(
    state: &Owned<lc::EVP_CIPHER_CTX>,
    command: c_int,
    len: usize,
    at: *mut c_void,
) -> Result<(), EngineError> {
    let len = c_int::try_from(len).map_err(|_| EngineError::Length)?;
    // SAFETY: a live state; `at` is null for a command that only sets a length, else readable
    // or writable, as the command wants, for `len` bytes.
    check(unsafe { lc::EVP_CIPHER_CTX_ctrl(state.as_ptr(), command, len, at) }, REFUSED)
}

fn cipher(key_len: usize) -> Result<*const lc::EVP_CIPHER, EngineError> {
    match key_len {
        // SAFETY: gives the address of a static.
        16 => Ok(unsafe { lc::EVP_aes_128_gcm() }),
        // SAFETY: as above.
        24 => Ok(unsafe { lc::EVP_aes_192_gcm() }),
        // SAFETY: as above.
        32 => Ok(unsafe { lc::EVP_aes_256_gcm() }),
        _ => Err(EngineError::Key("an AES key is 16, 24 or 32 bytes long")),
    }
}
