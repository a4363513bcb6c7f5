//! The two small files beside `token.db`. `token.lock` is empty; record locks on its byte 0 are
//! the writer's, on byte 1 those of PIN attempts. `generation` is a number of 8 bytes, little
//! endian, whose bit 63 is set while a commit is under way.
//!
//! POSIX record locks vanish when the process closes any descriptor of the file, so these files
//! are opened once per process and closed by the registry alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::store::StoreError;
use crate::system::files::{
    Access, LockKind, RecordLock, leave_access_time, open_files, open_or_create, read_u64_at,
};

const WRITER: i64 = 0;
const ATTEMPTS: i64 = 1;
/// Set while a commit is under way; left behind by one that was cut short.
const MARK: u64 = 1 << 63;
/// Between two tries for a lock that the kernel calls a deadlock.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSES: u32 = 30_000;

/// Device and inode: which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity(u64, u64);

impl Identity {
    pub(super) fn of_path(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self(found.dev(), found.ino()))
    }

    pub(super) const fn inode(self) -> u64 {
        self.1
    }

    /// What every open file of this process is.
    pub(super) fn of_open_files() -> Vec<Self> {
        open_files().into_iter().map(|(device, inode)| Self(device, inode)).collect()
    }

    fn of_file(file: &File) -> Option<Self> {
        let found = file.metadata().ok()?;
        Some(Self(found.dev(), found.ino()))
    }
}

/// The open files of a token; without the lock file where nothing can be written.
pub(super) struct TokenFiles {
    lock: Option<File>,
    generation: Option<File>,
}

impl TokenFiles {
    /// Opens both, and makes them if they are not there.
    pub(super) fn open(directory: &Path, access: Access) -> Result<Self, StoreError> {
        let lock = open_or_create(&directory.join("token.lock"), access)?;
        let generation = open_or_create(&directory.join("generation"), access)?;
        leave_access_time(&generation);
        Ok(Self { lock: Some(lock), generation: Some(generation) })
    }

    /// Opens what there is to read.
    pub(super) fn open_read_only(directory: &Path) -> Self {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
        let generation = options.open(directory.join("generation")).ok();
        generation.iter().for_each(leave_access_time);
        Self { lock: None, generation }
    }

    /// True if this is the open lock file of that directory.
    pub(super) fn belong_to(&self, directory: &Path) -> bool {
        let there = Identity::of_path(&directory.join("token.lock")).ok();
        there.is_some() && self.lock.as_ref().and_then(Identity::of_file) == there
    }

    pub(super) const fn lock_file(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// Tells a token that was removed while it was open.
    pub(super) fn check_present(&self) -> Result<(), StoreError> {
        let Some(file) = self.lock.as_ref().or(self.generation.as_ref()) else { return Ok(()) };
        match file.metadata()?.nlink() {
            0 => Err(StoreError::Missing),
            _ => Ok(()),
        }
    }

    /// Waits to be the only writer, of all processes.
    pub(super) fn lock_writer(&self) -> Result<RecordLock<'_>, StoreError> {
        self.wait(WRITER, LockKind::Exclusive)
    }

    pub(super) fn lock_attempts(&self, kind: LockKind) -> Result<RecordLock<'_>, StoreError> {
        self.wait(ATTEMPTS, kind)
    }

    /// The kernel looks for deadlocks between processes and knows no threads: one thread that
    /// waits for attempts and another that writes look like a circle to it, and are none.
    fn wait(&self, byte: i64, kind: LockKind) -> Result<RecordLock<'_>, StoreError> {
        let file = self.lock.as_ref().ok_or(StoreError::ReadOnly)?;
        for _ in 0..PAUSES {
            match RecordLock::wait(file, byte, kind) {
                Err(error) if error.kind() == ErrorKind::Deadlock => std::thread::sleep(PAUSE),
                other => return Ok(other?),
            }
        }
        Err(StoreError::Busy)
    }

    /// The generation, unless a commit is under way or was cut short.
    pub(super) fn generation(&self) -> Option<u64> {
        read_u64_at(self.generation.as_ref()?, 0).filter(|number| number & MARK == 0)
    }

    /// Before a commit: from here until `settle` others ask the database. For the writer only.
    pub(super) fn mark(&self) -> Result<(), StoreError> {
        let number = self.number();
        self.write(number | MARK)
    }

    /// After a commit, or after one that failed.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let number = self.number();
        self.write(number.wrapping_add(1) & !MARK)
    }

    /// Ends the mark of a writer that was killed: whether its commit went through or not, what
    /// others remember may be old. For the writer only.
    pub(super) fn settle_if_marked(&self) -> Result<(), StoreError> {
        match self.generation() {
            Some(_) => Ok(()),
            None => self.settle(),
        }
    }

    fn number(&self) -> u64 {
        let number = self.generation.as_ref().and_then(|file| read_u64_at(file, 0));
        number.unwrap_or(0) & !MARK
    }

    fn write(&self, number: u64) -> Result<(), StoreError> {
        let file = self.generation.as_ref().ok_or(StoreError::ReadOnly)?;
        Ok(file.write_all_at(&number.to_le_bytes(), 0)?)
    }
}
