//! AES-XTS (SP 800-38E) with keys of two times 256 bits, which is what the library's bindings have.

use aws_lc_sys as lc;

use super::cipher::{Direction, run, started};
use super::{EngineError, constant_time_eq, initialise};

/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 64;
/// Bytes of a tweak.
pub(crate) const TWEAK_LEN: usize = 16;
/// Bytes of a data unit: at least a block, at most 2^20 of them.
pub(crate) const UNIT_LENS: std::ops::RangeInclusive<usize> = 16..=16 << 20;

/// Encrypts or decrypts one data unit to the front of `out`. `Key` for another length of key, or
/// two equal halves of it.
pub(crate) fn xts(
    direction: Direction,
    key: &[u8],
    tweak: &[u8],
    input: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    initialise()?;
    let (first, second) = key.split_at_checked(KEY_LEN / 2).unwrap_or((key, key));
    if key.len() != KEY_LEN || constant_time_eq(first, second) {
        return Err(EngineError::Key("an XTS key is 64 bytes long, in two halves that differ"));
    }
    if tweak.len() != TWEAK_LEN || !UNIT_LENS.contains(&input.len()) {
        return Err(EngineError::Length);
    }
    let out = out.get_mut(..input.len()).ok_or(EngineError::Length)?;
    // SAFETY: gives the address of a static.
    let state = started(unsafe { lc::EVP_aes_256_xts() }, direction, key, tweak)?;
    run(&state, input, out)?;
    Ok(input.len())
}
