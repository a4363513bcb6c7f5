//! The lanes of processes that are gone: their records go into the log at the next login, as
//! far as their tags are right, and a leaf says how each lane ended.
//!
//! A lane whose record lock is free has no owner. What the log has of it already is passed; a
//! lane that the log lists and that has no file was removed by somebody.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

use super::files::{self, DISTRUSTED, Left, UNLISTED};
use super::reader::{BATCH, Reader, Stop};
use super::{Lanes, now, out_of};
use crate::audit::lane::{End, HEADER_LEN, LaneKey};
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record};
use crate::secret::Secret;
use crate::store::{StoreError, Transaction};
use crate::system::failpoint::hit;

/// Lanes that end in one transaction.
const MOST_LANES: usize = 64;
/// What a disk writes at once.
const SECTOR: u64 = 512;

/// How a lane ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// As its process wanted.
    Closed,
    /// Before it was closed; so many bytes after its last record could not be used.
    Cut { lost: u64 },
    /// Somebody has changed it; it was put aside.
    Distrusted,
    /// Somebody has removed it.
    Gone,
    /// The log does not list it, though it has records; it was put aside.
    Unlisted,
}

/// A lane that was found without an owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) lane: LaneId,
    /// How many of its records are in the log.
    pub(crate) records: u64,
    pub(crate) fate: Fate,
}

/// A lane without an owner, and how far it was read; locked as long as it is open.
struct Orphan {
    lane: LaneId,
    file: File,
    reader: Reader,
}

/// Brings the lanes of processes that are gone into the log, `step` by step.
pub(crate) struct Recovery<'r> {
    lanes: &'r Lanes,
    lane_root: &'r Secret,
    /// The lane that the last step did not finish.
    begun: Option<Orphan>,
    found: Vec<Found>,
}

/// What one step adds to a transaction.
#[must_use]
pub(crate) struct Recovered<'s, 'r> {
    recovery: &'s mut Recovery<'r>,
    ended: Vec<(Found, Option<File>)>,
    unfinished: Option<Orphan>,
    records: u64,
    bytes: u64,
    more: bool,
}

impl<'r> Recovery<'r> {
    pub(super) const fn new(lanes: &'r Lanes, lane_root: &'r Secret) -> Self {
        Self { lanes, lane_root, begun: None, found: Vec::new() }
    }

    /// The lanes that were found so far.
    #[cfg(test)]
    pub(crate) fn found(&self) -> &[Found] {
        &self.found
    }

    /// Adds at most `MOST_AT_ONCE` records to what a commit appends, and the ends of lanes. To
    /// be called and committed until there is no more.
    pub(crate) fn step(
        &mut self,
        transaction: &mut dyn Transaction,
    ) -> Result<Recovered<'_, 'r>, StoreError> {
        let listed: BTreeMap<_, _> = transaction.lanes()?.into_iter().collect();
        let mut ids: BTreeSet<_> = files::list(&self.lanes.directory)?.into_iter().collect();
        ids.extend(listed.keys());
        let own = if ids.is_empty() { Vec::new() } else { files::own() };
        let mut begun = self.begun.take();
        let head = transaction.head()?.size;
        let mut step = Recovered {
            recovery: self,
            ended: Vec::new(),
            unfinished: None,
            records: 0,
            bytes: 0,
            more: false,
        };
        for lane in ids {
            if step.is_full() {
                step.more = true;
                break;
            }
            let left = match begun.take_if(|begun| begun.lane == lane) {
                Some(begun) => Ok(begun),
                None => match files::open_left(&step.recovery.lanes.directory, lane, &own)? {
                    Left::Owned => continue,
                    Left::Open(file) => step.recovery.orphan(lane, file).map(Ok)?,
                    Left::Gone => Err(Fate::Gone),
                    Left::NoFile => Err(Fate::Distrusted),
                },
            };
            match (left, listed.get(&lane)) {
                (Ok(left), Some(sealed)) => step.read(transaction, left, *sealed, head)?,
                (Err(fate), Some(sealed)) => step.end(transaction, (lane, *sealed), fate, None)?,
                (Ok(left), None) => step.recovery.unlisted(left)?,
                (Err(_), None) => {}
            }
        }
        Ok(step)
    }

    fn orphan(&self, lane: LaneId, file: File) -> Result<Orphan, StoreError> {
        let key = LaneKey::first(self.lane_root, lane).map_err(out_of)?;
        Ok(Orphan { lane, file, reader: Reader::new(key) })
    }

    /// A lane that the log does not list: never used, or over, or of another log.
    fn unlisted(&mut self, left: Orphan) -> Result<(), StoreError> {
        let Orphan { lane, file, .. } = left;
        let header = u64::try_from(HEADER_LEN).unwrap_or(0);
        let Lanes { directory, access, .. } = self.lanes;
        if file.metadata()?.len() <= header {
            return Ok(files::remove(directory, lane)?);
        }
        // One that cannot be put aside says no more where it is.
        let _ = files::put_aside(directory, lane, UNLISTED, *access);
        self.found.push(Found { lane, records: 0, fate: Fate::Unlisted });
        Ok(())
    }
}

impl Recovered<'_, '_> {
    fn is_full(&self) -> bool {
        self.records >= BATCH.0 || self.bytes >= BATCH.1 || self.ended.len() >= MOST_LANES
    }

    /// True if there is nothing to commit for.
    pub(crate) fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.unfinished.is_none()
    }

    /// Reads on in a lane of which the log has the records up to `sealed`.
    fn read(
        &mut self,
        transaction: &mut dyn Transaction,
        left: Orphan,
        sealed: u64,
        head: u64,
    ) -> Result<(), StoreError> {
        let Orphan { lane, file, mut reader } = left;
        if !reader.is_in(&file)? {
            return self.end(transaction, (lane, sealed), Fate::Distrusted, Some(file));
        }
        // What the log has was in the file before: only a power cut takes it away again.
        let passed = reader.skip_to(&file, u64::MAX, sealed)?;
        if !passed && !is_of_earlier_boot(&file) {
            return self.end(transaction, (lane, sealed), Fate::Distrusted, Some(file));
        }
        let mut fits = true;
        let before = reader.position();
        let (records, bytes) = (self.records, self.bytes);
        let most = (BATCH.0.saturating_sub(records), BATCH.1.saturating_sub(bytes));
        let stop = reader.each(&file, u64::MAX, most, &mut |record, seq| {
            fits = Record::parse(record).is_ok_and(|record| {
                record.lane == lane && record.seq == seq && record.head <= head
            });
            if fits {
                transaction.append_leaf(record)?;
            }
            Ok(fits)
        })?;
        self.records = records.saturating_add(reader.seq.saturating_sub(sealed));
        self.bytes = bytes.saturating_add(reader.position().saturating_sub(before));
        if stop == Stop::Enough {
            transaction.put_lane(lane, reader.seq)?;
            self.unfinished = Some(Orphan { lane, file, reader });
            self.more = true;
            return Ok(());
        }
        let fate = match reader.end(&file)? {
            _ if !fits => Fate::Distrusted,
            End::Closed => Fate::Closed,
            End::Cut { lost, .. } => Fate::Cut { lost },
            End::BadTag { at, lost } if was_never_written(&file, at)? => Fate::Cut { lost },
            End::BadTag { .. } => Fate::Distrusted,
        };
        self.end(transaction, (lane, reader.seq), fate, Some(file))
    }

    /// A lane's last leaf.
    fn end(
        &mut self,
        transaction: &mut dyn Transaction,
        (lane, records): (LaneId, u64),
        fate: Fate,
        file: Option<File>,
    ) -> Result<(), StoreError> {
        let time = now();
        let leaf = match fate {
            Fate::Closed => Leaf::LaneClosed { lane, records, time },
            Fate::Cut { lost } => {
                let earlier = file.as_ref().is_some_and(is_of_earlier_boot);
                let reason = Cow::Borrowed(match earlier {
                    true => "the machine stopped before the lane was closed",
                    false => "its process ended without closing it",
                });
                Leaf::LaneCut { lane, records, lost_bytes: lost, reason, time }
            }
            Fate::Distrusted | Fate::Gone | Fate::Unlisted => {
                let file = match fate {
                    Fate::Gone => Cow::Borrowed(""),
                    _ => Cow::Owned(format!("lanes/{DISTRUSTED}/{}", files::name(lane))),
                };
                Leaf::LaneDistrusted { lane, records, file, time }
            }
        };
        transaction.append_leaf(&leaf.to_bytes())?;
        transaction.remove_lane(lane)?;
        self.ended.push((Found { lane, records, fate }, file));
        Ok(())
    }

    /// The transaction was committed. True if there is more to recover.
    pub(crate) fn committed(self) -> bool {
        let Self { recovery, ended, unfinished, more, .. } = self;
        hit("lanes.recovered");
        recovery.begun = unfinished;
        let Lanes { directory, access, .. } = recovery.lanes;
        for (found, file) in ended {
            // What stays where it is, is unlisted from now on, and put aside as such.
            let _ = match found.fate {
                Fate::Closed | Fate::Cut { .. } => files::remove(directory, found.lane),
                Fate::Distrusted => files::put_aside(directory, found.lane, DISTRUSTED, *access),
                Fate::Gone => files::mark_gone(directory, found.lane, *access),
                Fate::Unlisted => Ok(()),
            };
            drop(file);
            recovery.found.push(found);
        }
        more
    }
}

/// True if the file was last written before this machine was started. Its owner cannot have
/// been told of everything then: what it wrote last may be lost.
fn is_of_earlier_boot(file: &File) -> bool {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let booted = stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse::<i64>().ok());
    let written = file.metadata().map(|found| found.mtime());
    matches!((booted, written), (Some(booted), Ok(written)) if written < booted)
}

/// True if a power cut has left the frame at a position as it is: the file is of an earlier
/// boot, and a sector of the frame was never written though later ones were.
///
/// Nothing is lost by believing this: who can write zeros here could as well end the file here.
fn was_never_written(file: &File, at: u64) -> Result<bool, StoreError> {
    if !is_of_earlier_boot(file) {
        return Ok(false);
    }
    let mut sector = [0; 512];
    let mut next = at.next_multiple_of(SECTOR);
    // The longest frame ends in the 129th sector.
    for _ in 0..129 {
        if file.read_exact_at(&mut sector, next).is_err() {
            return Ok(false);
        }
        if sector.iter().all(|byte| *byte == 0) {
            return Ok(true);
        }
        next = next.saturating_add(SECTOR);
    }
    Ok(false)
}
