//! AES key wrapping: KW and KWP of SP 800-38F (RFC 3394 and RFC 5649).

use std::ffi::c_uint;
use std::ptr;

use aws_lc_sys as lc;

use super::cipher::Direction;
use super::{EngineError, check, initialise};

/// What wrapping adds, and what KW counts its input in.
pub(crate) const SEMIBLOCK: usize = 8;
/// The initial value of KW, if the caller has none of its own.
pub(crate) const USUAL_IV: [u8; SEMIBLOCK] = [0xa6; SEMIBLOCK];
/// The longest key that is wrapped; far beyond any.
const LONGEST: usize = 1 << 24;

const REFUSED: EngineError = EngineError::Failed("AES key wrapping");

/// A key schedule, wiped when dropped.
struct Schedule(Box<lc::AES_KEY>);

impl Schedule {
    fn new(direction: Direction, key: &[u8]) -> Result<Self, EngineError> {
        initialise()?;
        let bits: c_uint = match key.len() {
            16 => 128,
            24 => 192,
            32 => 256,
            _ => return Err(EngineError::Key("an AES key is 16, 24 or 32 bytes long")),
        };
        let mut schedule = Self(Box::new(lc::AES_KEY { rd_key: [0; 60], rounds: 0 }));
        let room = ptr::from_mut(schedule.0.as_mut());
        let set = match direction {
            // SAFETY: a key of that many bits and room for a schedule.
            Direction::Encrypt => unsafe { lc::AES_set_encrypt_key(key.as_ptr(), bits, room) },
            // SAFETY: as above.
            Direction::Decrypt => unsafe { lc::AES_set_decrypt_key(key.as_ptr(), bits, room) },
        };
        // These two give 0 for success.
        if set == 0 { Ok(schedule) } else { Err(super::failed(REFUSED)) }
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        let place = ptr::from_mut(self.0.as_mut()).cast();
        // SAFETY: the schedule's own memory.
        unsafe { lc::OPENSSL_cleanse(place, size_of::<lc::AES_KEY>()) }
    }
}

/// Wraps with KW to the front of `out`; gives the bytes written. `Length` unless the input is
/// two or more semiblocks.
pub(crate) fn kw_wrap(
    key: &[u8],
    iv: &[u8; SEMIBLOCK],
    plain: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let schedule = Schedule::new(Direction::Encrypt, key)?;
    let is_whole = plain.len().is_multiple_of(SEMIBLOCK) && plain.len() >= 2 * SEMIBLOCK;
    if !is_whole || plain.len() > LONGEST {
        return Err(EngineError::Length);
    }
    let len = plain.len() + SEMIBLOCK;
    let out = out.get_mut(..len).ok_or(EngineError::Length)?;
    // SAFETY: a live schedule, an initial value of one semiblock, room for one more than the
    // input has.
    let written = unsafe {
        lc::AES_wrap_key(
            &raw const *schedule.0,
            iv.as_ptr(),
            out.as_mut_ptr(),
            plain.as_ptr(),
            plain.len(),
        )
    };
    whole(written, len, REFUSED)
}

/// Unwraps what `kw_wrap` gave; `Length` by the length alone, else `Decrypt` with `out` wiped.
pub(crate) fn kw_unwrap(
    key: &[u8],
    iv: &[u8; SEMIBLOCK],
    wrapped: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let schedule = Schedule::new(Direction::Decrypt, key)?;
    let is_whole = wrapped.len().is_multiple_of(SEMIBLOCK) && wrapped.len() >= 3 * SEMIBLOCK;
    if !is_whole || wrapped.len() > LONGEST + SEMIBLOCK {
        return Err(EngineError::Length);
    }
    let len = wrapped.len() - SEMIBLOCK;
    let out = out.get_mut(..len).ok_or(EngineError::Length)?;
    // SAFETY: a live schedule, an initial value of one semiblock, room for one less than the
    // input has.
    let written = unsafe {
        lc::AES_unwrap_key(
            &raw const *schedule.0,
            iv.as_ptr(),
            out.as_mut_ptr(),
            wrapped.as_ptr(),
            wrapped.len(),
        )
    };
    whole(written, len, EngineError::Decrypt).inspect_err(|_| out.fill(0))
}

fn whole(written: i32, len: usize, error: EngineError) -> Result<usize, EngineError> {
    let fits = usize::try_from(written).is_ok_and(|written| written == len);
    if fits { Ok(len) } else { Err(super::failed(error)) }
}

/// The length that KWP makes of a key.
pub(crate) const fn kwp_len(plain: usize) -> usize {
    plain.div_ceil(SEMIBLOCK) * SEMIBLOCK + SEMIBLOCK
}

/// Wraps with KWP to the front of `out`; gives the bytes written. `Length` for no input.
pub(crate) fn kwp_wrap(key: &[u8], plain: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
    let schedule = Schedule::new(Direction::Encrypt, key)?;
    if plain.is_empty() || plain.len() > LONGEST || out.len() < kwp_len(plain.len()) {
        return Err(EngineError::Length);
    }
    let mut written = 0;
    // SAFETY: a live schedule; the library is told both lengths.
    let done = unsafe {
        lc::AES_wrap_key_padded(
            &raw const *schedule.0,
            out.as_mut_ptr(),
            &raw mut written,
            out.len(),
            plain.as_ptr(),
            plain.len(),
        )
    };
    check(done, REFUSED).map(|()| written)
}

/// Unwraps what `kwp_wrap` gave, to the front of `out`, which has room for all but the first
/// semiblock of the input. `Length` by the length alone, else `Decrypt` with `out` wiped.
pub(crate) fn kwp_unwrap(key: &[u8], wrapped: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
    let schedule = Schedule::new(Direction::Decrypt, key)?;
    let is_whole = wrapped.len().is_multiple_of(SEMIBLOCK) && wrapped.len() >= 2 * SEMIBLOCK;
    if !is_whole || wrapped.len() > LONGEST + 2 * SEMIBLOCK {
        return Err(EngineError::Length);
    }
    let out = out.get_mut(..wrapped.len() - SEMIBLOCK).ok_or(EngineError::Length)?;
    let mut written = 0;
    // SAFETY: a live schedule; the library is told both lengths.
    let done = unsafe {
        lc::AES_unwrap_key_padded(
            &raw const *schedule.0,
            out.as_mut_ptr(),
            &raw mut written,
            out.len(),
            wrapped.as_ptr(),
            wrapped.len(),
        )
    };
    check(done, EngineError::Decrypt).inspect_err(|_| out.fill(0)).map(|()| written)
}
