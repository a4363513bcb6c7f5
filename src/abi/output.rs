//! The caller's room: asked for its length, too small, or lent as a slice. The only place that
//! sets an output length. PKCS#11 3.2, "Conventions for functions returning output in a
//! variable-length buffer".

use std::marker::PhantomData;

use crate::call::{Room, Written};
use crate::cryptoki::{CK_ULONG, CK_ULONG_PTR};
use crate::error::{Result, Rv};

/// A caller's buffer and the place of its length.
pub(super) struct Output<'a> {
    buffer: *mut u8,
    room: usize,
    length: CK_ULONG_PTR,
    lent: PhantomData<&'a mut [u8]>,
}

/// Takes a caller's buffer and length apart.
///
/// # Safety
/// `length` is null or valid for reads and writes; `buffer` is null or valid for writes of
/// `*length` bytes until the call returns.
pub(super) unsafe fn output<'a>(buffer: *mut u8, length: CK_ULONG_PTR) -> Result<Output<'a>> {
    if length.is_null() {
        return Err(Rv::ArgumentsBad.because("no place for the output's length"));
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given = unsafe { length.read_unaligned() };
    // A slice may not be longer than isize::MAX; a room that large is as good as endless.
    let longest = usize::MAX / 2;
    let room = usize::try_from(given).unwrap_or(longest).min(longest);
    Ok(Output { buffer, room, length, lent: PhantomData })
}

impl<'a> Output<'a> {
    /// Does the caller's room share memory with this input?
    pub(super) fn overlaps(&self, input: &[u8]) -> bool {
        if self.buffer.is_null() || input.is_empty() {
            return false;
        }
        let (start, end) = (self.buffer.addr(), self.buffer.addr().saturating_add(self.room));
        let input = input.as_ptr_range();
        start < input.end.addr() && input.start.addr() < end
    }

    /// Lends the room for one call, and writes what became of it.
    pub(super) fn lend(self, body: impl FnOnce(Room<'a>) -> Result<Written>) -> Result<()> {
        let room = if self.buffer.is_null() {
            Room::LengthQuery
        } else {
            // SAFETY: not null and valid for writes of `room` bytes, as the maker was promised;
            // input that shares the memory was copied before (`in_and_out`).
            Room::Bytes(unsafe { std::slice::from_raw_parts_mut(self.buffer, self.room) })
        };
        let (length, outcome) = match body(room)? {
            Written::Length(length) | Written::Bytes(length) => (length, Ok(())),
            Written::TooSmall { needed } => {
                (needed, Err(Rv::BufferTooSmall.because("the caller's room is too small")))
            }
        };
        // SAFETY: `length` was checked by `output`.
        unsafe { put(self.length, length)? };
        outcome
    }
}

/// Writes a length or count.
///
/// # Safety
/// `place` is valid for writes.
pub(super) unsafe fn put(place: CK_ULONG_PTR, value: usize) -> Result<()> {
    let value = CK_ULONG::try_from(value).map_err(|_| Rv::GeneralError.because("length"))?;
    // SAFETY: valid for writes, as the caller promises.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// Writes one C value at any alignment.
///
/// # Safety
/// `place` is null, or valid for writes of one `T`.
pub(super) unsafe fn write<T>(place: *mut T, value: T) -> Result<()> {
    if place.is_null() {
        return Err(Rv::ArgumentsBad.because("no place for the result"));
    }
    // SAFETY: not null, and valid for writes as the caller promises.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// Writes a list under the two-call convention, with a count of entries instead of bytes.
///
/// # Safety
/// `count` is null or valid for reads and writes; `list` is null or valid for writes of
/// `*count` entries.
pub(super) unsafe fn write_list<T: Copy>(
    list: *mut T,
    count: CK_ULONG_PTR,
    entries: &[T],
) -> Result<()> {
    if count.is_null() {
        return Err(Rv::ArgumentsBad.because("no place for the count"));
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let room = unsafe { count.read_unaligned() };
    // SAFETY: as above, for writes.
    unsafe { put(count, entries.len())? };
    if list.is_null() {
        return Ok(());
    }
    if usize::try_from(room).is_ok_and(|room| room < entries.len()) {
        return Err(Rv::BufferTooSmall.because("the caller's list is too short"));
    }
    for (index, entry) in entries.iter().enumerate() {
        // SAFETY: the list has room for all entries, as just checked.
        let place = unsafe { list.add(index) };
        // SAFETY: valid for writes, as the caller promises.
        unsafe { place.write_unaligned(*entry) };
    }
    Ok(())
}

/// Text in a field of fixed length, padded with blanks and never ended by a NUL.
pub(super) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    field
}
