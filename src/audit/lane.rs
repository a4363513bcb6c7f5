//! The uses of one process on their way to the log: a file to which records are appended, each
//! with a tag that nobody can make who has not logged in.
//!
//!     claviger lane 1\n    16 bytes
//!     lane id              8 bytes, big endian
//!     then for each record: its length (2 bytes, big endian), the record, its tag (16 bytes)
//!     at the end a record without bytes: closed
//!
//! The key of a tag is replaced with every record (`engine::ratchet`); the first one comes from
//! the token's master key and the lane's id.

use super::record::LaneId;
use crate::engine::EngineError;
use crate::engine::hash::constant_time_eq;
use crate::engine::kdf::hkdf_sha256;
use crate::engine::ratchet::{Ratchet, TAG_LEN};
use crate::error::{Error, Rv};
use crate::secret::Secret;

const MAGIC: &[u8; 16] = b"claviger lane 1\n";
/// Bytes before the first record.
pub const HEADER_LEN: usize = 24;
/// The longest record.
pub const LONGEST_RECORD: usize = 65_535;
/// Bytes of a frame beside its record.
pub const FRAME_LEN: usize = 2 + TAG_LEN;
/// So many zero bytes at the end are what a power cut leaves of a page that was never written.
const UNWRITTEN: u64 = 8;
const CHUNK: usize = 64 * 1024;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// Why a lane cannot be written or read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LaneError {
    /// The record is empty or longer than a frame can hold.
    Record,
    /// The file is not this lane's.
    Header,
    /// The file cannot be read.
    Read(String),
    /// No memory, or the primitive failed.
    Engine(&'static str),
}

impl std::fmt::Display for LaneError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record => f.write_str("a record of no bytes, or of more than 65535"),
            Self::Header => f.write_str("the file is not this lane's"),
            Self::Read(why) => write!(f, "the lane cannot be read: {why}"),
            Self::Engine(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LaneError {}

impl From<LaneError> for Error {
    fn from(error: LaneError) -> Self {
        Rv::DeviceError.because(format!("audit lane: {error}"))
    }
}

impl From<EngineError> for LaneError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Memory => Self::Engine("no memory for a lane's key"),
            EngineError::Key(why) | EngineError::Failed(why) => Self::Engine(why),
            EngineError::Length | EngineError::Verify | EngineError::Decrypt => {
                Self::Engine("a lane's key cannot be made")
            }
        }
    }
}

/// The first bytes of a lane's file.
#[must_use]
pub fn header(lane: LaneId) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let parts = MAGIC.iter().chain(&lane.0.to_be_bytes()).copied().collect::<Vec<u8>>();
    header.copy_from_slice(&parts);
    header
}

/// Whose lane a file says it is.
#[must_use]
pub fn parse_header(file: &[u8]) -> Option<LaneId> {
    let (id, _) = file.strip_prefix(MAGIC)?.split_first_chunk()?;
    Some(LaneId(u64::from_be_bytes(*id)))
}

/// The key of a lane's next record.
pub struct LaneKey {
    lane: LaneId,
    ratchet: Ratchet,
}

impl LaneKey {
    /// The key of the first record; `root` is what the token's master key gives for lanes.
    ///
    /// # Errors
    /// `Engine` without memory.
    pub fn first(root: &Secret, lane: LaneId) -> Result<Self, LaneError> {
        let key = hkdf_sha256(root, MAGIC, &lane.0.to_be_bytes())?;
        Ok(Self { lane, ratchet: Ratchet::new(&key)? })
    }

    /// A second key at the same place.
    ///
    /// # Errors
    /// `Engine` without memory.
    pub fn try_clone(&self) -> Result<Self, LaneError> {
        Ok(Self { lane: self.lane, ratchet: self.ratchet.try_clone()? })
    }

    /// Whose key it is.
    #[must_use]
    pub const fn lane(&self) -> LaneId {
        self.lane
    }

    /// Adds a frame with the record that `write` adds. The key stays the same until `keep`: a
    /// frame that could not be written to the file does not count.
    ///
    /// # Errors
    /// `Record`, and then nothing was added.
    pub fn frame(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), LaneError> {
        let start = out.len();
        out.extend_from_slice(&[0; 2]);
        write(out);
        let framed = out
            .get_mut(start..)
            .and_then(|frame| frame.split_first_chunk_mut::<2>())
            .filter(|(_, record)| !record.is_empty())
            .and_then(|(len, record)| {
                *len = u16::try_from(record.len()).ok()?.to_be_bytes();
                Some(self.ratchet.tag(record))
            });
        let Some(tag) = framed else {
            out.truncate(start);
            return Err(LaneError::Record);
        };
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Adds the frame that closes a lane.
    pub fn closing_frame(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.ratchet.tag(&[]));
    }

    /// The last frame is in the file.
    pub fn keep(&mut self) {
        self.ratchet.keep();
    }

    /// Goes on if the tag is the record's.
    fn accept(&mut self, record: &[u8], tag: &[u8]) -> bool {
        let fits = constant_time_eq(&self.ratchet.tag(record), tag);
        if fits {
            self.keep();
        }
        fits
    }
}

/// How a lane ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// By its closing record.
    Closed,
    /// After a record, within one, or in pages that were never written: its owner was killed,
    /// or the power went, or somebody cut it off.
    Cut {
        /// Bytes of the file up to there.
        valid: u64,
        /// Bytes after them.
        lost: u64,
    },
    /// With a record that somebody has changed, or that does not belong there.
    BadTag {
        /// Bytes of the file before it.
        at: u64,
        /// Bytes from there on.
        lost: u64,
    },
}

/// A lane that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Its valid records.
    pub records: Vec<Vec<u8>>,
    /// How it ends.
    pub end: End,
}

/// Reads a whole lane with the key of its first record.
///
/// # Errors
/// `Header`, `Engine`.
pub fn parse_lane(file: &[u8], key: LaneKey) -> Result<Lane, LaneError> {
    let mut rest = file;
    let mut records = Vec::new();
    let read = |room: &mut [u8]| {
        let (now, later) = rest.split_at(room.len().min(rest.len()));
        rest = later;
        room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
        Ok::<usize, LaneError>(now.len())
    };
    let end = scan(key, read, |record| {
        records.push(record.to_vec());
        Ok(())
    })?;
    Ok(Lane { records, end })
}

/// Reads a lane of any length with the key of its first record, in little memory: `read` fills
/// the front of its room and gives how much, 0 at the end; `each` sees every valid record.
///
/// # Errors
/// `Header`, `Engine`; what `read` and `each` give.
pub fn scan<E: From<LaneError>>(
    mut key: LaneKey,
    read: impl FnMut(&mut [u8]) -> Result<usize, E>,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<End, E> {
    let mut input = Input { read, buffer: Vec::new(), used: 0, position: 0, at_end: false };
    let header = input.peek(HEADER_LEN)?;
    if header.len() < HEADER_LEN || parse_header(header) != Some(key.lane) {
        return Err(LaneError::Header.into());
    }
    input.pass(HEADER_LEN);
    loop {
        let len = match input.peek(2)?.first_chunk::<2>() {
            Some(len) => usize::from(u16::from_be_bytes(*len)),
            None => return input.cut(),
        };
        let frame = input.peek(len + FRAME_LEN)?;
        let Some((record, tag)) = frame.get(2..).and_then(|rest| rest.split_at_checked(len)) else {
            return input.cut();
        };
        if tag.len() < TAG_LEN {
            return input.cut();
        }
        if !key.accept(record, tag) {
            return input.bad(len + FRAME_LEN);
        }
        if record.is_empty() {
            input.pass(FRAME_LEN);
            return input.after_closing();
        }
        each(record)?;
        input.pass(len + FRAME_LEN);
    }
}

/// What has been read and not been passed.
struct Input<R> {
    read: R,
    buffer: Vec<u8>,
    used: usize,
    /// Of the first byte that was not passed, in the file.
    position: u64,
    at_end: bool,
}

impl<E, R: FnMut(&mut [u8]) -> Result<usize, E>> Input<R> {
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// The next `len` bytes, fewer only at the end of the file.
    fn peek(&mut self, len: usize) -> Result<&[u8], E> {
        while self.rest().len() < len && !self.at_end {
            self.fill()?;
        }
        let rest = self.rest();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    fn fill(&mut self) -> Result<(), E> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        let read = (self.read)(self.buffer.get_mut(held..).unwrap_or_default())?;
        self.buffer.truncate(held + read.min(CHUNK));
        self.at_end = read == 0;
        Ok(())
    }

    fn pass(&mut self, len: usize) {
        self.used += len;
        self.position += count(len);
    }

    fn cut(&self) -> Result<End, E> {
        Ok(End::Cut { valid: self.position, lost: count(self.rest().len()) })
    }

    /// Looks at all that is left: how many bytes, after which of them there are only zeros, and
    /// how many zeros these are.
    fn tail(&mut self) -> Result<(u64, u64), E> {
        let (mut len, mut written) = (0, 0);
        loop {
            let rest = self.rest();
            // The quick way past a gibibyte of nothing.
            let is_blank = rest.chunks(CHUNK).all(|part| Some(part) == ZEROS.get(..part.len()));
            let last = if is_blank { None } else { rest.iter().rposition(|byte| *byte != 0) };
            written = last.map_or(written, |last| len + count(last) + 1);
            len += count(rest.len());
            self.used = self.buffer.len();
            if self.at_end {
                return Ok((len, written));
            }
            self.fill()?;
        }
    }

    /// A frame whose tag does not fit: torn by a power cut if nothing was written after it and
    /// its own end was not written, else changed.
    fn bad(&mut self, frame: usize) -> Result<End, E> {
        let at = self.position;
        let (lost, written) = self.tail()?;
        let torn = written <= count(frame) && lost - written >= UNWRITTEN;
        Ok(if torn { End::Cut { valid: at, lost } } else { End::BadTag { at, lost } })
    }

    /// Nothing but pages that were never written may follow the closing record.
    fn after_closing(&mut self) -> Result<End, E> {
        let at = self.position;
        let (lost, written) = self.tail()?;
        Ok(if written == 0 { End::Closed } else { End::BadTag { at, lost } })
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
