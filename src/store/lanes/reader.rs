//! Reads a lane from where it was read before, a batch at a time.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use super::{MOST_AT_ONCE, MOST_BYTES, length, out_of};
use crate::audit::lane::{End, FRAME_LEN, HEADER_LEN, LaneError, LaneKey, header, scan};
use crate::audit::record::{LaneId, Record};
use crate::engine::hash::constant_time_eq;
use crate::store::StoreError;

const CHUNK: usize = 64 * 1024;
/// Takes a record and its number; false to stop there.
type Take<'t> = dyn FnMut(&[u8], u64) -> Result<bool, StoreError> + 't;

/// Every record, as `each` wants it said.
pub(super) const ALL: (u64, u64) = (u64::MAX, u64::MAX);
/// What goes into the log with one commit.
pub(super) const BATCH: (u64, u64) = (MOST_AT_ONCE, MOST_BYTES);

/// Where reading stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// Enough records were read.
    Enough,
    /// At the end of what was to be read.
    End,
    /// Before the closing record.
    Closing,
    /// Before a frame that is not whole, or not what was written.
    Misfit,
}

/// A place in a lane, and the key of the record there.
pub(super) struct Reader {
    key: LaneKey,
    position: u64,
    /// The number of the record before.
    pub(super) seq: u64,
}

impl Reader {
    /// At the first record of the lane with this key.
    pub(super) fn new(key: LaneKey) -> Self {
        Self { key, position: length(&[0; HEADER_LEN]), seq: 0 }
    }

    pub(super) fn try_clone(&self) -> Result<Self, StoreError> {
        let key = self.key.try_clone().map_err(out_of)?;
        Ok(Self { key, position: self.position, seq: self.seq })
    }

    const fn lane(&self) -> LaneId {
        self.key.lane()
    }

    /// True if the file begins as this lane does.
    pub(super) fn is_in(&self, file: &File) -> Result<bool, StoreError> {
        let mut found = [0; HEADER_LEN];
        match file.read_exact_at(&mut found, 0) {
            Ok(()) => Ok(found == header(self.lane())),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Passes the records that are in the log already, up to a number. What follows them must
    /// have the next number. False if not all of them are in the file any more.
    pub(super) fn skip_to(
        &mut self,
        file: &File,
        until: u64,
        seq: u64,
    ) -> Result<bool, StoreError> {
        if self.seq >= seq {
            return Ok(true);
        }
        self.each(file, until, ALL, &mut |record, _| {
            Ok(Record::parse(record).is_ok_and(|record| record.seq <= seq))
        })?;
        let all = self.seq == seq;
        self.seq = seq;
        Ok(all)
    }

    /// Reads at most `most` records, and about as many bytes as `bytes`, as long as `take` wants
    /// them; it sees each with its number.
    pub(super) fn each(
        &mut self,
        file: &File,
        until: u64,
        (most, bytes): (u64, u64),
        take: &mut Take<'_>,
    ) -> Result<Stop, StoreError> {
        let mut window = Window { file, until, at: self.position, bytes: Vec::new(), used: 0 };
        let mut frame = Vec::new();
        let start = self.position;
        for _ in 0..most {
            if self.position.saturating_sub(start) >= bytes {
                break;
            }
            let len = match window.peek(2)? {
                [high, low] => usize::from(u16::from_be_bytes([*high, *low])),
                [] => return Ok(Stop::End),
                _ => return Ok(Stop::Misfit),
            };
            let whole = len.saturating_add(FRAME_LEN);
            let found = window.peek(whole)?;
            frame.clear();
            let record = match len {
                0 => {
                    self.key.closing_frame(&mut frame);
                    &[]
                }
                _ => {
                    let record = found.get(2..).and_then(|rest| rest.get(..len));
                    let Some(record) = record else { return Ok(Stop::Misfit) };
                    let framed = self.key.frame(&mut frame, |out| out.extend_from_slice(record));
                    framed.map_err(out_of)?;
                    record
                }
            };
            if !constant_time_eq(&frame, found) {
                return Ok(Stop::Misfit);
            }
            if len == 0 {
                return Ok(Stop::Closing);
            }
            let seq = self.seq.saturating_add(1);
            if !take(record, seq)? {
                return Ok(Stop::Misfit);
            }
            self.key.keep();
            self.seq = seq;
            window.pass(whole);
            self.position = window.at;
        }
        Ok(Stop::Enough)
    }

    /// How the lane ends, from here: `valid` and `at` count from the beginning of the file.
    pub(super) fn end(&self, file: &File) -> Result<End, StoreError> {
        // The scan wants a header first; what is passed is as good as not there.
        let head = header(self.lane());
        let mut first = head.as_slice();
        let mut at = self.position;
        let key = self.key.try_clone().map_err(out_of)?;
        let read = |room: &mut [u8]| -> Result<usize, ScanError> {
            if !first.is_empty() {
                let (now, later) = first.split_at(first.len().min(room.len()));
                first = later;
                room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
                return Ok(now.len());
            }
            let len = read_at(file, room, at)?;
            at = at.saturating_add(u64::try_from(len).unwrap_or(0));
            Ok(len)
        };
        let passed = self.position.saturating_sub(length(&head));
        match scan(key, read, |_| Ok(())) {
            Ok(End::Closed) => Ok(End::Closed),
            Ok(End::Cut { valid, lost }) => {
                Ok(End::Cut { valid: valid.saturating_add(passed), lost })
            }
            Ok(End::BadTag { at, lost }) => Ok(End::BadTag { at: at.saturating_add(passed), lost }),
            Err(ScanError(error)) => Err(error),
        }
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }
}

struct ScanError(StoreError);

impl From<LaneError> for ScanError {
    fn from(error: LaneError) -> Self {
        Self(out_of(error))
    }
}

impl From<StoreError> for ScanError {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

fn read_at(file: &File, room: &mut [u8], at: u64) -> Result<usize, StoreError> {
    loop {
        match file.read_at(room, at) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return Ok(read?),
        }
    }
}

/// Bytes of a file from a position on.
struct Window<'f> {
    file: &'f File,
    /// Where to stop, whatever the file holds.
    until: u64,
    /// Of the first byte that was not passed.
    at: u64,
    bytes: Vec<u8>,
    used: usize,
}

impl Window<'_> {
    /// The next `len` bytes, fewer only at the end.
    fn peek(&mut self, len: usize) -> Result<&[u8], StoreError> {
        if self.bytes.len().saturating_sub(self.used) < len {
            self.fill(len)?;
        }
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    fn fill(&mut self, len: usize) -> Result<(), StoreError> {
        self.bytes.drain(..self.used);
        self.used = 0;
        while self.bytes.len() < len {
            let held = self.bytes.len();
            let next = self.at.saturating_add(length(&self.bytes));
            let left = usize::try_from(self.until.saturating_sub(next)).unwrap_or(usize::MAX);
            self.bytes.resize(held.saturating_add(CHUNK.min(left)), 0);
            let read = read_at(self.file, self.bytes.get_mut(held..).unwrap_or_default(), next)?;
            self.bytes.truncate(held.saturating_add(read));
            if read == 0 {
                break;
            }
        }
        Ok(())
    }

    fn pass(&mut self, len: usize) {
        self.used = self.used.saturating_add(len);
        self.at = self.at.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
    }
}
