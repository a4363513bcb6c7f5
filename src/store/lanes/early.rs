//! What happens before any login: failed logins and the like, in `lanes/early.lane`, which all
//! processes share and which has no key.
//!
//!     claviger early 1\n   17 bytes
//!     at random            8 bytes, others in each file
//!     then for each record its length (2 bytes, big endian) and its leaf
//!
//! Anybody who may write the file can write such records, so none can name a key or be a login
//! that succeeded, and there are at most 10 000 at a time, in at most 4 MiB. The next login puts
//! them into the log; cut short right after that commit, it does so twice.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::Duration;

use super::files::UNLISTED;
use super::writer::write_at;
use super::{MOST_AT_ONCE, length, out_of};
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record};
use crate::engine::random;
use crate::store::{StoreError, Transaction};
use crate::system::failpoint::hit;
use crate::system::files::{
    Access, LockKind, RecordLock, create_new, make_directory, open_existing, open_or_create,
};
use crate::system::fork::ForkLock;

const MAGIC: &[u8; 17] = b"claviger early 1\n";
const NAME: &str = "early.lane";
const HEADER_LEN: usize = 25;
/// How many records wait at most, and how long the file is at most.
const MOST: u64 = 10_000;
const LONGEST: u64 = 4 << 20;
const PAUSE: Duration = Duration::from_millis(1);
const PAUSES: u32 = 30_000;

/// How far the file is known that this process used last. Threads use the file one at a time:
/// to the kernel its lock is the whole process's.
static KNOWN: ForkLock<Known> = ForkLock::new(Known::NOTHING);

struct Known {
    /// How it begins. Inodes are used again, this is not.
    header: [u8; HEADER_LEN],
    /// Of the last whole record; 0 if the file is none of ours.
    end: u64,
    records: u64,
}

impl Known {
    const NOTHING: Self = Self { header: [0; HEADER_LEN], end: 0, records: 0 };
}

pub(super) fn hold_for_fork() {
    KNOWN.hold_for_fork();
}

pub(super) fn release_after_fork() {
    KNOWN.release_after_fork();
}

/// The file, locked as long as it is open.
struct Early {
    file: File,
    path: PathBuf,
    known: MutexGuard<'static, Known>,
}

/// Opens and locks the file; `None` if there is none and none is to be made.
fn open(directory: &Path, make: Option<Access>) -> Result<Option<Early>, StoreError> {
    let path = directory.join(NAME);
    let known = KNOWN.lock();
    for _ in 0..PAUSES {
        let opened = match make {
            Some(access) => {
                make_directory(directory, access)?;
                open_or_create(&path, access)
            }
            None => open_existing(&path),
        };
        let file = match opened {
            Err(error) if make.is_none() && error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if RecordLock::attempt(&file, 0, LockKind::Exclusive)?.map(RecordLock::keep).is_none() {
            // A try at a time: among several locks the kernel would see a deadlock.
            std::thread::sleep(PAUSE);
            continue;
        }
        let there = fs::symlink_metadata(&path).map(|found| (found.dev(), found.ino())).ok();
        let found = file.metadata()?;
        if there == Some((found.dev(), found.ino())) {
            let mut early = Early { file, path, known };
            early.read_on()?;
            return Ok(Some(early));
        }
    }
    Err(StoreError::Busy)
}

/// Puts what is no file out of the way.
fn clear(directory: &Path, access: Access) -> Result<(), StoreError> {
    let path = directory.join(NAME);
    if fs::symlink_metadata(&path).map_or(true, |found| found.is_file()) {
        return Ok(());
    }
    let aside = directory.join(UNLISTED);
    make_directory(&aside, access)?;
    let number = u64::from_le_bytes(random::array().map_err(out_of)?);
    Ok(fs::rename(path, aside.join(format!("early-{number:016x}")))?)
}

impl Early {
    /// Counts the records that were added since.
    fn read_on(&mut self) -> Result<(), StoreError> {
        let mut header = [0; HEADER_LEN];
        let ours = whole(self.file.read_exact_at(&mut header, 0))? && header.starts_with(MAGIC);
        let len = self.file.metadata()?.len();
        if !ours || self.known.header != header || self.known.end > len {
            *self.known = Known { header, ..Known::NOTHING };
        }
        if !ours {
            return Ok(());
        }
        let mut end = self.known.end.max(length(&header));
        let mut records = self.known.records;
        each(&self.file, end, MOST, &mut |record| {
            end = end.saturating_add(2).saturating_add(length(record));
            records = records.saturating_add(1);
            Ok(())
        })?;
        (self.known.end, self.known.records) = (end, records);
        Ok(())
    }
}

fn new_header() -> Result<[u8; HEADER_LEN], StoreError> {
    let mut header = [0; HEADER_LEN];
    let random: [u8; HEADER_LEN - MAGIC.len()] = random::array().map_err(out_of)?;
    let bytes = MAGIC.iter().chain(&random);
    header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ok(header)
}

/// Keeps a record, unless there are too many.
pub(super) fn record(
    directory: &Path,
    access: Access,
    record: &Record<'_>,
) -> Result<bool, StoreError> {
    let kept = Record {
        lane: LaneId::NONE,
        seq: 0,
        mechanism: None,
        key: None,
        version: None,
        head: 0,
        ..record.clone()
    };
    let leaf = Leaf::Unauthenticated(kept).to_bytes();
    if Leaf::parse(&leaf).is_err() {
        return Err(StoreError::Io("a record that needs a login, without one".to_owned()));
    }
    let len = u16::try_from(leaf.len())
        .map_err(|_| StoreError::Io("a record of more than 65535 bytes".to_owned()))?;
    clear(directory, access)?;
    let Some(mut early) = open(directory, Some(access))? else { return Ok(false) };
    if early.known.records >= MOST {
        return Ok(false);
    }
    let mut frame = Vec::new();
    if early.known.end == 0 {
        frame.extend_from_slice(&new_header()?);
    }
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(&leaf);
    let end = early.known.end;
    if end.saturating_add(length(&frame)) > LONGEST {
        return Ok(false);
    }
    if early.file.metadata()?.len() > end {
        // What somebody left who was cut short.
        early.file.set_len(end)?;
    }
    if let Err(error) = write_at(&early.file, &frame, end) {
        let _ = early.file.set_len(end);
        return Err(error);
    }
    early.known.end = end.saturating_add(length(&frame));
    early.known.records = early.known.records.saturating_add(1);
    Ok(true)
}

/// Records of before any login that a transaction will commit.
#[must_use]
pub(crate) struct EarlyBatch {
    early: Option<Early>,
    access: Access,
    /// Where the first record begins that the batch has not.
    rest: u64,
    records: u64,
}

pub(super) fn seal(
    directory: &Path,
    access: Access,
    transaction: &mut dyn Transaction,
) -> Result<EarlyBatch, StoreError> {
    // A file that cannot be read stops no login: nobody could vouch for what it says.
    let early = clear(directory, access).and_then(|()| open(directory, None)).unwrap_or_default();
    let start = length(&[0; HEADER_LEN]);
    let mut batch = EarlyBatch { early, access, rest: start, records: 0 };
    let Some(early) = batch.early.as_ref().filter(|early| early.known.end > 0) else {
        return Ok(batch);
    };
    let size = transaction.head()?.size;
    let (rest, records) = (&mut batch.rest, &mut batch.records);
    each(&early.file, start, MOST_AT_ONCE, &mut |leaf| {
        *rest = rest.saturating_add(2).saturating_add(length(leaf));
        *records = records.saturating_add(1);
        match Leaf::parse(leaf) {
            Ok(Leaf::Unauthenticated(record)) if fits(&record, size) => {
                transaction.append_leaf(leaf)
            }
            // Nobody who keeps to the rules has written this.
            _ => Ok(()),
        }
    })?;
    Ok(batch)
}

/// True if the record can stand in a log of this size.
fn fits(record: &Record<'_>, size: u64) -> bool {
    record.lane == LaneId::NONE && record.seq == 0 && record.head <= size
}

impl EarlyBatch {
    /// True if there is nothing to commit for.
    #[cfg(test)]
    pub(crate) const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The transaction was committed. True if more records wait.
    pub(crate) fn committed(self) -> Result<bool, StoreError> {
        let Self { early, access, rest, .. } = self;
        hit("lanes.early-sealed");
        let Some(mut early) = early else { return Ok(false) };
        let end = early.known.end;
        *early.known = Known::NOTHING;
        if rest >= end {
            fs::remove_file(&early.path)?;
            return Ok(false);
        }
        let mut waiting = Vec::from(new_header()?);
        let len = end.saturating_sub(rest);
        let mut file = &early.file;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(rest))?;
        file.take(len).read_to_end(&mut waiting)?;
        let fresh = early.path.with_extension("new");
        let _ = fs::remove_file(&fresh);
        create_new(&fresh, access)?.write_all(&waiting)?;
        fs::rename(&fresh, &early.path)?;
        Ok(true)
    }
}

/// Shows whole records, from a position on.
fn each(
    file: &File,
    start: u64,
    most: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    let mut file = file;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(start))?;
    let mut input = std::io::BufReader::new(file.take(LONGEST.saturating_sub(start)));
    for _ in 0..most {
        let mut len = [0; 2];
        if !whole(input.read_exact(&mut len))? || len == [0; 2] {
            return Ok(());
        }
        bytes.resize(usize::from(u16::from_be_bytes(len)), 0);
        if !whole(input.read_exact(&mut bytes))? {
            return Ok(());
        }
        take(&bytes)?;
    }
    Ok(())
}

fn whole(read: std::io::Result<()>) -> Result<bool, StoreError> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error.into()),
    }
}
