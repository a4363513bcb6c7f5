//! The uses of a process on their way to the log: one file a process, `lanes/<id>.lane`, to
//! which each use is written before its caller sees the result.
//!
//! `Lane` is the process's own: `append` in `writer`, into the log in `sealing`. `recovery`
//! brings in what processes left that are gone, `early` keeps what happens before any login.
//! What a lane's bytes mean is `audit::lane`'s to know.

mod early;
mod files;
mod reader;
mod recovery;
mod sealing;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use self::early::EarlyBatch;
pub(crate) use self::recovery::Recovery;
#[cfg(test)]
pub(crate) use self::recovery::{Fate, Found};
pub(crate) use self::writer::{close_inherited, hold_for_fork, release_after_fork};

use self::reader::Reader;
use self::writer::Writer;
use super::StoreError;
use crate::audit::lane::LaneKey;
use crate::audit::record::{LaneId, Record};
use crate::audit::time::Time;
use crate::engine::random;
use crate::error::{Error, Rv};
use crate::secret::Secret;
use crate::system::files::Access;

/// The most records that go into the log with one commit.
pub(crate) const MOST_AT_ONCE: u64 = 4_096;
/// And about how many bytes: twice what so many records usually have.
const MOST_BYTES: u64 = 4 << 20;

/// A lane with so many bytes is followed by another.
const LONG: u64 = 64 << 20;
/// Between a failure to seal and the next attempt.
const PAUSE: Duration = Duration::from_secs(1);

/// When a record is made to outlive a power cut; it outlives its process in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Durability {
    /// When the kernel writes it back, or its lane is sealed.
    Later,
    /// Before its call returns.
    Every,
    /// With the first record that comes this long after the last time.
    After(Duration),
}

/// A record that is in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Its number.
    pub(crate) seq: u64,
    /// When it was there.
    pub(crate) at: Instant,
}

/// How lanes are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    pub(crate) durability: Durability,
    /// How old a record may get outside of the log.
    pub(crate) seal_after: Duration,
}

/// The lanes of a token.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    directory: PathBuf,
    access: Access,
    rules: Rules,
}

impl Lanes {
    /// Those of the token in this directory.
    pub(crate) fn new(token: &Path, access: Access, rules: Rules) -> Self {
        Self { directory: token.join("lanes"), access, rules }
    }

    /// Opens a lane for this process. It is to be listed (`Transaction::put_lane`, with no
    /// records) and told of (`Leaf::LaneOpened`) in one commit before the first `append`.
    pub(crate) fn open(&self, lane_root: &Secret) -> Result<Lane, StoreError> {
        loop {
            let id = LaneId(u64::from_le_bytes(random::array().map_err(out_of)?));
            if id != LaneId::NONE
                && let Some(lane) = self.open_as(lane_root, id)?
            {
                return Ok(lane);
            }
        }
    }

    /// Opens a lane of this name, unless there is one.
    fn open_as(&self, lane_root: &Secret, id: LaneId) -> Result<Option<Lane>, StoreError> {
        let key = LaneKey::first(lane_root, id).map_err(out_of)?;
        let Some(file) = files::create(&self.directory, self.access, id)? else {
            return Ok(None);
        };
        let progress = Arc::new(Progress::new(self.rules.seal_after));
        let reader = Reader::new(key.try_clone().map_err(out_of)?);
        let writer = Writer::new(file, key, self.rules.durability, Arc::clone(&progress));
        let place = writer::enter(writer);
        let sealing = Mutex::new(sealing::Position { reader, is_over: false });
        Ok(Some(Lane { id, place, lanes: self.clone(), progress, sealing }))
    }

    /// Finds the lanes whose processes are gone.
    pub(crate) fn recovery<'r>(&'r self, lane_root: &'r Secret) -> Recovery<'r> {
        Recovery::new(self, lane_root)
    }

    /// True if lanes were put aside that somebody has changed, or lanes are missing.
    pub(crate) fn has_distrusted(&self) -> bool {
        files::has_distrusted(&self.directory)
    }

    /// Nothing is held against the token any more because of lanes that were put aside.
    pub(crate) fn accept_distrusted(&self) -> Result<(), StoreError> {
        Ok(files::accept_distrusted(&self.directory)?)
    }

    /// Keeps the record of a call before any login; its key, mechanism and version are left out.
    /// False if there are too many already.
    pub(crate) fn record_early(&self, record: &Record<'_>) -> Result<bool, StoreError> {
        early::record(&self.directory, self.access, record)
    }

    /// Adds what was recorded before any login to what a commit appends, oldest first and at
    /// most `MOST_AT_ONCE`. Nobody can add more until the batch is dropped.
    pub(crate) fn seal_early(
        &self,
        transaction: &mut dyn super::Transaction,
    ) -> Result<EarlyBatch, StoreError> {
        early::seal(&self.directory, self.access, transaction)
    }
}

/// The lane of this process at one token. Dropped, it is left as it is, for the next login of
/// anybody to recover.
pub(crate) struct Lane {
    id: LaneId,
    place: writer::Place,
    lanes: Lanes,
    progress: Arc<Progress>,
    sealing: Mutex<sealing::Position>,
}

impl Lane {
    /// Its name.
    pub(crate) const fn id(&self) -> LaneId {
        self.id
    }

    /// The size of the log that this process has seen: what records say.
    pub(crate) fn head(&self) -> u64 {
        self.progress.head.load(Ordering::Relaxed)
    }

    /// A size of the log was seen.
    pub(crate) fn saw_head(&self, size: u64) {
        self.progress.head.fetch_max(size, Ordering::Relaxed);
    }

    /// How many numbers are given away.
    #[cfg(test)]
    pub(crate) fn written(&self) -> u64 {
        self.progress.written.load(Ordering::Acquire)
    }

    /// Of how many the log has the records.
    #[cfg(test)]
    pub(crate) fn sealed(&self) -> u64 {
        self.progress.sealed.load(Ordering::Acquire)
    }

    /// Keeps a record: `write` adds its bytes, given its number. Numbers begin with 1 and stand
    /// in the file in order. What cannot be kept leaves no trace.
    pub(crate) fn append(
        &self,
        write: impl FnOnce(u64, &mut Vec<u8>),
    ) -> Result<Written, StoreError> {
        writer::append(self.place, write)
    }

    /// True if it is time to seal: enough records wait, or the oldest has for long enough.
    pub(crate) fn should_seal(&self, now: Instant) -> bool {
        self.progress.is_due(now)
    }

    /// Sealing failed: there is a pause before it is time again.
    pub(crate) fn put_off(&self, now: Instant) {
        let next = self.progress.age_of(now).saturating_add(micros(PAUSE));
        self.progress.not_before.store(next, Ordering::Relaxed);
    }

    /// True if nothing can be recorded here, though it was not closed.
    pub(crate) fn is_broken(&self) -> bool {
        writer::hold(self.place).writer().is_ok_and(|writer| writer.is_broken())
    }

    /// True if another lane should take its place: what is sealed stays in the file.
    pub(crate) fn is_long(&self) -> bool {
        writer::hold(self.place).writer().is_ok_and(|writer| writer.end().end > LONG)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        writer::leave(self.place);
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lane({})", self.id)
    }
}

/// How far a lane is, for those who only look.
struct Progress {
    written: AtomicU64,
    sealed: AtomicU64,
    head: AtomicU64,
    begun: Instant,
    /// When the oldest record that waits was written, in microseconds since `begun`.
    oldest: AtomicU64,
    /// In microseconds.
    seal_after: u64,
    /// No sealing before this time, in microseconds since `begun`.
    not_before: AtomicU64,
}

impl Progress {
    fn new(seal_after: Duration) -> Self {
        Self {
            written: AtomicU64::new(0),
            sealed: AtomicU64::new(0),
            head: AtomicU64::new(0),
            begun: Instant::now(),
            oldest: AtomicU64::new(0),
            seal_after: micros(seal_after),
            not_before: AtomicU64::new(0),
        }
    }

    fn age_of(&self, now: Instant) -> u64 {
        micros(now.saturating_duration_since(self.begun))
    }

    fn is_due(&self, now: Instant) -> bool {
        let is_put_off = || self.age_of(now) < self.not_before.load(Ordering::Relaxed);
        let written = self.written.load(Ordering::Acquire);
        match written.saturating_sub(self.sealed.load(Ordering::Acquire)) {
            0 => false,
            MOST_AT_ONCE.. => !is_put_off(),
            _ => {
                let oldest = self.oldest.load(Ordering::Relaxed);
                self.age_of(now).saturating_sub(oldest) >= self.seal_after && !is_put_off()
            }
        }
    }

    /// A record was written. For the writer, one at a time.
    fn wrote(&self, written: Written) {
        if self.sealed.load(Ordering::Acquire) >= self.written.load(Ordering::Relaxed) {
            self.oldest.store(self.age_of(written.at), Ordering::Relaxed);
        }
        self.written.store(written.seq, Ordering::Release);
    }

    /// Records up to a number are in the log. Those that are not were written after `since`,
    /// unless the batch was full.
    fn sealed_up_to(&self, seq: u64, since: Option<Instant>) {
        if let Some(since) = since {
            self.oldest.store(self.age_of(since), Ordering::Relaxed);
        }
        self.sealed.store(seq, Ordering::Release);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn now() -> Time {
    SystemTime::now().into()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What the floors below say, as the store's.
fn out_of(error: impl Into<Error>) -> StoreError {
    let error: Error = error.into();
    match error.rv {
        Rv::HostMemory => StoreError::Memory,
        _ => StoreError::Io(error.to_string()),
    }
}
