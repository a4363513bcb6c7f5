//! The open lanes of this process, and how a record is written to one.
//!
//! They stand in static slots, each under a lock that crosses forks: a child finds what it
//! inherited there, and closes it. A record is one pwrite(2) at the end that is known: never a
//! mapping, which a full disk would turn into SIGBUS, and a write that was cut short is written
//! over by the next.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::{Durability, Progress, Written, length, out_of};
use crate::audit::lane::{HEADER_LEN, LaneKey};
use crate::store::StoreError;
use crate::system::failpoint::hit;
use crate::system::fork::ForkLock;

const SLOTS: usize = 16;
static OPEN: [ForkLock<Vec<Writer>>; SLOTS] = [const { ForkLock::new(Vec::new()) }; SLOTS];
static LAST: AtomicU64 = AtomicU64::new(0);

/// For the prepare hook of a fork, behind the store lock.
pub(crate) fn hold_for_fork() {
    OPEN.iter().for_each(ForkLock::hold_for_fork);
    super::early::hold_for_fork();
}

/// For the parent and child hooks of a fork.
pub(crate) fn release_after_fork() {
    super::early::release_after_fork();
    OPEN.iter().for_each(ForkLock::release_after_fork);
}

/// In a forked child, before it opens anything: closes the parent's lanes. The parent's locks
/// are its own and stay.
pub(crate) fn close_inherited() {
    for slot in &OPEN {
        for writer in std::mem::take(&mut *slot.lock()) {
            // The memory of its key was wiped with the fork, and is not the child's to give back.
            std::mem::forget(writer.key);
        }
    }
}

/// Which slot, and which lane in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    slot: usize,
    number: u64,
}

/// Whether records can be added.
enum State {
    Open,
    /// The closing record is written.
    Closed,
    /// Somebody has changed the file, or the log does not know the lane.
    Broken(String),
}

/// A lane's end.
pub(super) struct Writer {
    number: u64,
    file: Arc<File>,
    key: LaneKey,
    /// The frame that is being written.
    frame: Vec<u8>,
    end: u64,
    /// The number of the last record, or change.
    last: u64,
    state: State,
    durability: Durability,
    synced: Instant,
    /// What came of a sync that nobody waited for.
    late: Option<StoreError>,
    progress: Arc<Progress>,
}

/// Where a lane ends.
pub(super) struct End {
    pub(super) file: Arc<File>,
    pub(super) end: u64,
}

/// The slot of a lane under its lock.
pub(super) struct Held {
    slot: MutexGuard<'static, Vec<Writer>>,
    number: u64,
}

impl Held {
    pub(super) fn writer(&mut self) -> Result<&mut Writer, StoreError> {
        let found = self.slot.iter_mut().find(|writer| writer.number == self.number);
        found.ok_or(StoreError::LaneClosed)
    }
}

/// Makes a lane known, in the slot that holds the fewest.
pub(super) fn enter(mut writer: Writer) -> Place {
    writer.number = LAST.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let number = writer.number;
    let lens = OPEN.iter().map(|slot| slot.lock().len()).enumerate();
    let slot = lens.min_by_key(|(_, len)| *len).map_or(0, |(slot, _)| slot);
    if let Some(slot) = OPEN.get(slot) {
        slot.lock().push(writer);
    }
    Place { slot, number }
}

/// Closes a lane's file and forgets it.
pub(super) fn leave(place: Place) {
    let mut held = hold(place);
    let number = held.number;
    let found = held.slot.iter().position(|writer| writer.number == number);
    let writer = found.map(|found| held.slot.swap_remove(found));
    drop(held);
    drop(writer);
}

pub(super) fn hold(place: Place) -> Held {
    let slot = OPEN.get(place.slot).unwrap_or(&OPEN[0]).lock();
    Held { slot, number: place.number }
}

pub(super) fn append(
    place: Place,
    write: impl FnOnce(u64, &mut Vec<u8>),
) -> Result<Written, StoreError> {
    let mut held = hold(place);
    let writer = held.writer()?;
    let written = writer.append(write)?;
    let Some(file) = writer.due_for_sync(written.at) else { return Ok(written) };
    drop(held);
    if let Err(error) = file.sync_data()
        && let Ok(writer) = hold(place).writer()
    {
        writer.late = Some(error.into());
    }
    Ok(written)
}

impl Writer {
    pub(super) fn new(
        file: File,
        key: LaneKey,
        durability: Durability,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            number: 0,
            file: Arc::new(file),
            key,
            frame: Vec::new(),
            end: length(&[0; HEADER_LEN]),
            last: 0,
            state: State::Open,
            durability,
            synced: Instant::now(),
            late: None,
            progress,
        }
    }

    fn append(&mut self, write: impl FnOnce(u64, &mut Vec<u8>)) -> Result<Written, StoreError> {
        self.check_open()?;
        let seq = self.last.saturating_add(1);
        self.frame.clear();
        self.key.frame(&mut self.frame, |out| write(seq, out)).map_err(out_of)?;
        self.put()?;
        self.last = seq;
        let written = Written { seq, at: Instant::now() };
        self.progress.wrote(written);
        Ok(written)
    }

    pub(super) fn check_open(&mut self) -> Result<(), StoreError> {
        match &self.state {
            State::Open => self.late.take().map_or(Ok(()), Err),
            State::Closed => Err(StoreError::LaneClosed),
            State::Broken(why) => Err(StoreError::Distrusted(why.clone())),
        }
    }

    /// Writes the frame that was made. If that fails the lane is as it was.
    fn put(&mut self) -> Result<(), StoreError> {
        let written = write_at(&self.file, &self.frame, self.end);
        hit("lanes.written");
        let lasting = written.and_then(|()| match self.durability {
            Durability::Every => Ok(self.file.sync_data()?),
            Durability::Later | Durability::After(_) => Ok(()),
        });
        if let Err(error) = lasting {
            // Should this fail as well, the next frame is written over what is there.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.key.keep();
        self.end = self.end.saturating_add(length(&self.frame));
        Ok(())
    }

    fn due_for_sync(&mut self, now: Instant) -> Option<Arc<File>> {
        let Durability::After(time) = self.durability else { return None };
        if now.saturating_duration_since(self.synced) < time {
            return None;
        }
        self.synced = now;
        Some(Arc::clone(&self.file))
    }

    /// Adds no record any more, and says so in the file. Where that cannot be written it is not
    /// missed: its leaf says the same.
    pub(super) fn close(&mut self) {
        if matches!(self.state, State::Open) {
            self.frame.clear();
            self.key.closing_frame(&mut self.frame);
            let _ = self.put();
            self.state = State::Closed;
        }
    }

    pub(super) const fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken(_))
    }

    /// No record is added any more.
    pub(super) fn give_up(&mut self, why: &str) {
        self.state = State::Broken(why.to_owned());
    }

    pub(super) fn end(&self) -> End {
        End { file: Arc::clone(&self.file), end: self.end }
    }
}

/// Writes all of it with one call, or says why not.
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> Result<(), StoreError> {
    loop {
        match file.write_at(bytes, at) {
            Ok(len) if len == bytes.len() => return Ok(()),
            Ok(_) => return Err(StoreError::Full),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(StoreError::Full),
            Err(error) => return Err(error.into()),
        }
    }
}
