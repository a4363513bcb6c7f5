//! Pointers become slices here and nowhere else: bytes, text, PINs, and input beside output.

use std::borrow::Cow;

use crate::cryptoki::{CK_BYTE_PTR, CK_FLAGS, CK_ULONG, CK_ULONG_PTR, CKF_END_OF_MESSAGE};
use crate::error::{Result, Rv};
use crate::secret::Secret;

use super::output::{Output, output};

/// The longest input taken, in bytes.
const LONGEST_INPUT: u64 = (1 << 31) - 1;
/// The longest PIN looked at, in bytes; longer ones are out of range anyway.
const LONGEST_PIN: u64 = 4096;

/// The bytes that a caller gave. No pointer and no length are no bytes.
///
/// # Safety
/// `start` is null, or valid for reads of `len` bytes until the call returns.
pub(super) unsafe fn input<'a>(start: *const u8, len: CK_ULONG) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(Rv::ArgumentsBad.because("no input, but a length"));
    }
    let len = usize::try_from(len)
        .ok()
        .filter(|_| len <= LONGEST_INPUT)
        .ok_or_else(|| Rv::ArgumentsBad.because("input longer than 2^31-1 bytes"))?;
    // SAFETY: not null, a length that fits a slice; the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(start, len) })
}

/// A caller's input and room, made safe when both are the same memory: then the input is
/// copied, since a shared and an exclusive reference to one place are undefined behaviour.
///
/// # Safety
/// `data` as for `input`; `buffer` and `len` as for `output`.
pub(super) unsafe fn in_and_out<'a>(
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> Result<(Cow<'a, [u8]>, Output<'a>)> {
    // SAFETY: this function's own contract.
    let bytes = unsafe { input(data, data_len)? };
    // SAFETY: this function's own contract. The room becomes a reference only after `bytes`
    // was copied, if the two overlap.
    let output = unsafe { output(buffer, len)? };
    if !output.overlaps(bytes) {
        return Ok((Cow::Borrowed(bytes), output));
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())
        .map_err(|_| Rv::HostMemory.because("no memory to copy input that is also output"))?;
    copy.extend_from_slice(bytes);
    Ok((Cow::Owned(copy), output))
}

/// The longest associated data of a message, in bytes.
const LONGEST_AAD: u64 = 1 << 20;

/// The associated data of a message, copied: it may be the same memory as anything else.
///
/// # Safety
/// As for `input`.
pub(super) unsafe fn associated_data(start: *const u8, len: CK_ULONG) -> Result<Vec<u8>> {
    if len > LONGEST_AAD {
        return Err(Rv::ArgumentsBad.because("associated data longer than 1 MiB"));
    }
    // SAFETY: this function's own contract.
    Ok(unsafe { input(start, len)? }.to_vec())
}

/// Whether the flags of a message's part say that it is the last.
pub(super) fn is_last(flags: CK_FLAGS) -> Result<bool> {
    match flags {
        0 => Ok(false),
        CKF_END_OF_MESSAGE => Ok(true),
        _ => Err(Rv::ArgumentsBad.because("a flag that messages do not have")),
    }
}

/// A PIN, copied to locked memory; `None` if the caller gave no pointer.
///
/// # Safety
/// As for `input`.
pub(super) unsafe fn pin(start: *const u8, len: CK_ULONG) -> Result<Option<Secret>> {
    if start.is_null() {
        return Ok(None);
    }
    if len > LONGEST_PIN {
        return Err(Rv::PinLenRange.because("a PIN longer than any that could be set"));
    }
    // SAFETY: this function's own contract.
    let bytes = unsafe { input(start, len)? };
    Secret::copy_of(bytes).map(Some)
}

/// Reads one C value at any alignment.
///
/// # Safety
/// `from` is null, or valid for reads of one `T`.
pub(super) unsafe fn read<T: Copy>(from: *const T, what: &'static str) -> Result<T> {
    if from.is_null() {
        return Err(Rv::ArgumentsBad.because(what));
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    Ok(unsafe { from.read_unaligned() })
}
