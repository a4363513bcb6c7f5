//! AES and DES in the modes ECB, CBC and CBC with PKCS#7 padding, AES also in CTR, OFB and CFB, in
//! parts. SP 800-38A; FIPS 46-3.
//!
//! Blocks are gathered and padding is put on and taken off here, so that a call writes no byte
//! more than it says; the library sees whole blocks only, in modes that make a stream any length.

use std::ffi::c_int;
use std::ptr;

use aws_lc_sys as lc;
use zeroize::Zeroizing;

use super::{EngineError, Owned, check, initialise};
use crate::secret::Secret;

/// Bytes of a block of AES, and the longest of all.
pub(crate) const BLOCK_LEN: usize = 16;
/// Bytes of a block of DES.
pub(crate) const DES_BLOCK_LEN: usize = 8;
/// What the library is given at most in one call, whose lengths are C ints.
pub(super) const LONGEST_CALL: usize = 1 << 30;

/// A mode of operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Ecb,
    Cbc,
    /// CBC with PKCS#7 padding.
    CbcPad,
    /// The whole block is the counter, and wraps at 2^128.
    Ctr,
    Ofb,
    /// Feedback of whole blocks.
    Cfb128,
    /// Feedback of bytes.
    Cfb8,
    /// Feedback of bits, of which there are whole bytes, the highest of each first.
    Cfb1,
}

impl Mode {
    /// Whether as many bytes come out as go in, of any number.
    pub(crate) const fn is_stream(self) -> bool {
        matches!(self, Self::Ctr | Self::Ofb | Self::Cfb128 | Self::Cfb8 | Self::Cfb1)
    }
}

/// Whether to encrypt or to decrypt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// Where a running cipher is.
pub(crate) struct Position {
    /// The block that the next one is chained to, or the counter after the last that was used.
    pub(crate) block: [u8; BLOCK_LEN],
    /// How many bytes of the last counter's keystream were used, if not all.
    pub(crate) used: usize,
    /// Input that was taken in and is not in any output.
    pub(crate) held: Secret,
}

/// A running encryption or decryption.
pub(crate) struct BlockCipher {
    state: Owned<lc::EVP_CIPHER_CTX>,
    mode: Mode,
    direction: Direction,
    block_len: usize,
    /// Input that is no whole block yet, or a block that may be the last.
    held: Zeroizing<[u8; BLOCK_LEN]>,
    held_len: usize,
}

impl BlockCipher {
    /// Starts with a key of 16, 24 or 32 bytes and an IV of 16 (ECB: none). `Key` and `Length`
    /// if they have another length.
    pub(crate) fn new(
        mode: Mode,
        direction: Direction,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, EngineError> {
        Self::of(aes(mode, key.len())?, BLOCK_LEN, (mode, direction), key, iv)
    }

    /// Starts DES with a key of 8 bytes, or triple DES with one of 16 or 24, and an IV of 8 (ECB:
    /// none). `Key` and `Length` if they have another length; there are no modes of streams.
    pub(crate) fn des(
        mode: Mode,
        direction: Direction,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, EngineError> {
        Self::of(des(mode, key.len())?, DES_BLOCK_LEN, (mode, direction), key, iv)
    }

    fn of(
        cipher: *const lc::EVP_CIPHER,
        block_len: usize,
        (mode, direction): (Mode, Direction),
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, EngineError> {
        initialise()?;
        let iv_len = if mode == Mode::Ecb { 0 } else { block_len };
        if iv.len() != iv_len {
            return Err(EngineError::Length);
        }
        let state = started(cipher, direction, key, iv)?;
        // SAFETY: a live state.
        check(unsafe { lc::EVP_CIPHER_CTX_set_padding(state.as_ptr(), 0) }, REFUSED)?;
        let held = Zeroizing::new([0; BLOCK_LEN]);
        Ok(Self { state, mode, direction, block_len, held, held_len: 0 })
    }

    /// How many bytes `update` will write for so many bytes of input.
    pub(crate) fn update_len(&self, input_len: usize) -> usize {
        if self.mode.is_stream() {
            return input_len;
        }
        let total = self.held_len.saturating_add(input_len);
        total - self.kept(total)
    }

    /// Adds input and writes what is ready to the front of `out`. Gives the bytes written;
    /// `Length`, with nothing taken in, if there is not room for `update_len`.
    pub(crate) fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        let ready = self.update_len(input.len());
        let out = out.get_mut(..ready).ok_or(EngineError::Length)?;
        if self.mode.is_stream() {
            run(&self.state, input, out)?;
            return Ok(ready);
        }
        if ready == 0 {
            return self.hold(input).map(|()| 0);
        }
        let missing = if self.held_len == 0 { 0 } else { self.block_len - self.held_len };
        let (first, rest) = input.split_at_checked(missing).ok_or(EngineError::Length)?;
        self.hold(first)?;
        let (head, tail) = out.split_at_mut_checked(self.held_len).ok_or(EngineError::Length)?;
        run(&self.state, self.held.get(..self.held_len).unwrap_or_default(), head)?;
        self.held_len = 0;
        let (whole, last) = rest.split_at_checked(tail.len()).ok_or(EngineError::Length)?;
        run(&self.state, whole, tail)?;
        self.hold(last)?;
        Ok(ready)
    }

    /// Ends and writes what is left to the front of `out`. Gives the bytes written. `Length` if
    /// the input was no whole number of blocks or `out` is too short; `Decrypt`, whatever is
    /// wrong with it, for bad padding.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        match (self.mode, self.direction) {
            (mode, _) if mode.is_stream() => Ok(0),
            (Mode::CbcPad, Direction::Encrypt) => self.finish_padding(out),
            (Mode::CbcPad, Direction::Decrypt) => self.finish_unpadding(out),
            _ if self.held_len == 0 => Ok(0),
            _ => Err(EngineError::Length),
        }
    }

    fn finish_padding(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.block_len).ok_or(EngineError::Length)?;
        let padding = self.block_len.saturating_sub(self.held_len);
        let value = u8::try_from(padding).map_err(|_| EngineError::Length)?;
        let block = self.held.get_mut(..self.block_len).ok_or(EngineError::Length)?;
        block.get_mut(self.held_len..).unwrap_or_default().fill(value);
        run(&self.state, block, out)?;
        self.held_len = 0;
        Ok(self.block_len)
    }

    fn finish_unpadding(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        if self.held_len != self.block_len {
            return Err(EngineError::Length);
        }
        let mut plain = Zeroizing::new([0; BLOCK_LEN]);
        let plain = plain.get_mut(..self.block_len).ok_or(EngineError::Length)?;
        run(&self.state, self.held.get(..self.block_len).unwrap_or_default(), plain)?;
        self.held_len = 0;
        let len = unpadded_len(plain).ok_or(EngineError::Decrypt)?;
        let plain = plain.get(..len).ok_or(EngineError::Decrypt)?;
        out.get_mut(..plain.len()).ok_or(EngineError::Length)?.copy_from_slice(plain);
        Ok(plain.len())
    }

    /// Where it is: with this, another one with the same key goes on as this would.
    pub(crate) fn position(&self) -> Result<Position, EngineError> {
        // SAFETY: a live state, which nothing else uses while it is borrowed here.
        let state = unsafe { &*self.state.as_ptr() };
        let (block, used) = (state.iv, state.num);
        let held = self.held.get(..self.held_len).ok_or(EngineError::Length)?;
        let held = Secret::copy_of(held).map_err(|_| EngineError::Memory)?;
        Ok(Position { block, used: used as usize, held })
    }

    /// How many of `total` bytes must wait for more.
    fn kept(&self, total: usize) -> usize {
        match (self.mode, self.direction, total % self.block_len) {
            (mode, ..) if mode.is_stream() => 0,
            (Mode::CbcPad, Direction::Decrypt, 0) if total > 0 => self.block_len,
            (_, _, rest) => rest,
        }
    }

    fn hold(&mut self, input: &[u8]) -> Result<(), EngineError> {
        let end = self.held_len.checked_add(input.len()).filter(|end| *end <= self.block_len);
        let end = end.ok_or(EngineError::Length)?;
        let room = self.held.get_mut(self.held_len..end).ok_or(EngineError::Length)?;
        room.copy_from_slice(input);
        self.held_len = end;
        Ok(())
    }
}

pub(super) const REFUSED: EngineError = EngineError::Failed("AES");

/// A state with key and IV in it.
pub(super) fn started(
    cipher: *const lc::EVP_CIPHER,
    direction: Direction,
    key: &[u8],
    iv: &[u8],
) -> Result<Owned<lc::EVP_CIPHER_CTX>, EngineError> {
    // SAFETY: the library's own constructor.
    let state = unsafe { Owned::fresh(lc::EVP_CIPHER_CTX_new) }?;
    let encrypt = c_int::from(direction == Direction::Encrypt);
    // SAFETY: a live state; ciphers are statics; key and IV are as long as the cipher wants,
    // which the callers checked.
    let done = unsafe {
        lc::EVP_CipherInit_ex(
            state.as_ptr(),
            cipher,
            ptr::null_mut(),
            key.as_ptr(),
            iv.as_ptr(),
            encrypt,
        )
    };
    check(done, REFUSED)?;
    Ok(state)
}

/// Runs `input` through the cipher; it has the length of `out`, in whole blocks where the mode
/// has blocks.
pub(super) fn run(
    state: &Owned<lc::EVP_CIPHER_CTX>,
    input: &[u8],
    out: &mut [u8],
) -> Result<(), EngineError> {
    if input.len() != out.len() {
        return Err(EngineError::Length);
    }
    for (input, out) in input.chunks(LONGEST_CALL).zip(out.chunks_mut(LONGEST_CALL)) {
        let len = c_int::try_from(input.len()).map_err(|_| EngineError::Length)?;
        let mut written = 0;
        // SAFETY: a live state whose block buffer is empty, so that exactly `len` bytes are
        // written, for which `out` has room.
        let done = unsafe {
            lc::EVP_CipherUpdate(
                state.as_ptr(),
                out.as_mut_ptr(),
                &raw mut written,
                input.as_ptr(),
                len,
            )
        };
        check(done, REFUSED)?;
        if written != len {
            return Err(REFUSED);
        }
    }
    Ok(())
}

/// How long a block is without its PKCS#7 padding, in a time that tells nothing about it.
fn unpadded_len(block: &[u8]) -> Option<usize> {
    let padding = *block.last()?;
    let mut wrong = u32::from(padding == 0) | u32::from(usize::from(padding) > block.len());
    for (index, byte) in (1_u8..).zip(block.iter().rev()) {
        // All ones if this byte belongs to the padding.
        let inside = (i32::from(index) - i32::from(padding) - 1) >> 31;
        wrong |= u32::from(byte ^ padding) & inside.cast_unsigned();
    }
    let wrong = std::hint::black_box(wrong);
    if wrong == 0 { block.len().checked_sub(usize::from(padding)) } else { None }
}

/// Gives the address of a static.
type Named = unsafe extern "C" fn() -> *const lc::EVP_CIPHER;

pub(super) fn aes(mode: Mode, key_len: usize) -> Result<*const lc::EVP_CIPHER, EngineError> {
    let [short, middle, long]: [Named; 3] = match mode {
        Mode::Ecb => [lc::EVP_aes_128_ecb, lc::EVP_aes_192_ecb, lc::EVP_aes_256_ecb],
        Mode::Cbc | Mode::CbcPad => [lc::EVP_aes_128_cbc, lc::EVP_aes_192_cbc, lc::EVP_aes_256_cbc],
        Mode::Ctr => [lc::EVP_aes_128_ctr, lc::EVP_aes_192_ctr, lc::EVP_aes_256_ctr],
        Mode::Ofb => [lc::EVP_aes_128_ofb, lc::EVP_aes_192_ofb, lc::EVP_aes_256_ofb],
        Mode::Cfb128 => [lc::EVP_aes_128_cfb128, lc::EVP_aes_192_cfb128, lc::EVP_aes_256_cfb128],
        Mode::Cfb8 => [lc::EVP_aes_128_cfb8, lc::EVP_aes_192_cfb8, lc::EVP_aes_256_cfb8],
        Mode::Cfb1 => [lc::EVP_aes_128_cfb1, lc::EVP_aes_192_cfb1, lc::EVP_aes_256_cfb1],
    };
    let named = match key_len {
        16 => short,
        24 => middle,
        32 => long,
        _ => return Err(EngineError::Key("an AES key is 16, 24 or 32 bytes long")),
    };
    // SAFETY: gives the address of a static.
    Ok(unsafe { named() })
}

pub(super) fn des(mode: Mode, key_len: usize) -> Result<*const lc::EVP_CIPHER, EngineError> {
    let named: Named = match (mode, key_len) {
        (Mode::Ecb, 8) => lc::EVP_des_ecb,
        (Mode::Ecb, 16) => lc::EVP_des_ede,
        (Mode::Ecb, 24) => lc::EVP_des_ede3,
        (Mode::Cbc | Mode::CbcPad, 8) => lc::EVP_des_cbc,
        (Mode::Cbc | Mode::CbcPad, 16) => lc::EVP_des_ede_cbc,
        (Mode::Cbc | Mode::CbcPad, 24) => lc::EVP_des_ede3_cbc,
        _ => return Err(EngineError::Key("a DES key is 8, 16 or 24 bytes long")),
    };
    // SAFETY: gives the address of a static.
    Ok(unsafe { named() })
}
