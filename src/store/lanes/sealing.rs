//! A lane of this process on its way into the log: batch by batch, to the end.
//!
//! What a batch adds to a transaction counts from `committed` on; dropped, the same records are
//! added by the next. Records are read again from the file and go into the log as they stand
//! there, if their tags are right.

use std::borrow::Cow;
use std::os::unix::fs::MetadataExt;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use super::files::{self, DISTRUSTED};
use super::reader::{BATCH, Reader, Stop};
use super::writer::{End, hold};
use super::{Lane, now};
use crate::audit::leaf::Leaf;
use crate::store::{StoreError, Transaction};
use crate::system::failpoint::hit;

/// How far a lane is in the log.
pub(super) struct Position {
    pub(super) reader: Reader,
    /// Its last leaf is in the log.
    pub(super) is_over: bool,
}

/// What becomes of the lane with a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    /// It goes on.
    Open,
    /// Everything is in the log, and the file can go.
    Over,
    /// Somebody has changed it.
    Distrusted(&'static str),
}

/// Records of a lane that a transaction will commit.
#[must_use]
pub(crate) struct Batch<'l> {
    lane: &'l Lane,
    position: MutexGuard<'l, Position>,
    next: Reader,
    begun: Instant,
    outcome: Outcome,
    more: bool,
    records: u64,
    head: u64,
}

impl Lane {
    /// Adds the records that wait to what a commit appends, at most `MOST_AT_ONCE`.
    pub(crate) fn seal(&self, transaction: &mut dyn Transaction) -> Result<Batch<'_>, StoreError> {
        self.batch(transaction, false)
    }

    /// Ends the lane: adds what waits, as `seal`, and behind the last record that the lane is
    /// closed. To be called and committed until there is no more.
    pub(crate) fn close(&self, transaction: &mut dyn Transaction) -> Result<Batch<'_>, StoreError> {
        hold(self.place).writer()?.close();
        self.batch(transaction, true)
    }

    fn batch(
        &self,
        transaction: &mut dyn Transaction,
        closing: bool,
    ) -> Result<Batch<'_>, StoreError> {
        let begun = Instant::now();
        let position = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = transaction.lanes()?.into_iter().find(|(lane, _)| *lane == self.id);
        let mut held = hold(self.place);
        let writer = held.writer()?;
        let known = listed.filter(|(_, sealed)| *sealed >= position.reader.seq);
        let Some((_, sealed)) = known.filter(|_| !position.is_over) else {
            let why = "the log does not know the lane of this process";
            writer.give_up(why);
            return Err(StoreError::Distrusted(why.to_owned()));
        };
        let end = writer.end();
        drop(held);
        let mut next = position.reader.try_clone()?;
        next.skip_to(&end.file, end.end, sealed)?;
        let head = transaction.head()?.size;
        let (outcome, more, records) = (Outcome::Open, false, 0);
        let mut batch = Batch { lane: self, position, next, begun, outcome, more, records, head };
        batch.read(transaction, &end, BATCH)?;
        batch.end(transaction, &end, closing)?;
        if batch.next.seq != sealed || batch.outcome != Outcome::Open {
            batch.list(transaction)?;
        }
        Ok(batch)
    }
}

impl Batch<'_> {
    /// True if there is nothing to commit for.
    pub(crate) fn is_empty(&self) -> bool {
        self.outcome == Outcome::Open && self.next.seq == self.position.reader.seq
    }

    fn read(
        &mut self,
        transaction: &mut dyn Transaction,
        end: &End,
        most: (u64, u64),
    ) -> Result<(), StoreError> {
        let before = self.next.seq;
        let stop = self.next.each(&end.file, end.end, most, &mut |record, _| {
            transaction.append_leaf(record)?;
            Ok(true)
        })?;
        self.records = self.records.saturating_add(self.next.seq.saturating_sub(before));
        self.more = stop == Stop::Enough && self.next.position() < end.end;
        let whole = self.next.position() == end.end;
        if stop == Stop::Misfit || (stop == Stop::End && !whole) {
            self.outcome = Outcome::Distrusted("the lane of this process was changed");
        }
        Ok(())
    }

    /// Adds the lane's last leaf, if this is its end.
    fn end(
        &mut self,
        transaction: &mut dyn Transaction,
        end: &End,
        closing: bool,
    ) -> Result<(), StoreError> {
        let (lane, records, time) = (self.lane.id, self.next.seq, now());
        if self.outcome == Outcome::Open && !self.more && end.file.metadata()?.nlink() == 0 {
            self.outcome = Outcome::Distrusted("the lane of this process was removed");
        }
        match self.outcome {
            Outcome::Distrusted(_) => {
                let file = Cow::Owned(format!("lanes/{DISTRUSTED}/{}", files::name(lane)));
                let leaf = Leaf::LaneDistrusted { lane, records, file, time };
                transaction.append_leaf(&leaf.to_bytes())
            }
            _ if closing && !self.more => {
                self.outcome = Outcome::Over;
                let leaf = Leaf::LaneClosed { lane, records, time };
                transaction.append_leaf(&leaf.to_bytes())
            }
            _ => Ok(()),
        }
    }

    /// Lists the lane as it is after this batch.
    fn list(&self, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
        match self.outcome {
            Outcome::Open => transaction.put_lane(self.lane.id, self.next.seq),
            Outcome::Over | Outcome::Distrusted(_) => transaction.remove_lane(self.lane.id),
        }
    }

    /// The transaction was committed. True if more records wait, or the lane is not closed yet.
    pub(crate) fn committed(self) -> Result<bool, StoreError> {
        let Self { lane, mut position, next, begun, outcome, more, records, head } = self;
        hit("lanes.sealed");
        lane.progress.sealed_up_to(next.seq, (!more).then_some(begun));
        lane.saw_head(head.saturating_add(records));
        position.reader = next;
        match outcome {
            Outcome::Open => Ok(more),
            Outcome::Over => {
                position.is_over = true;
                // Left behind, it is removed by whoever looks for lanes without owners.
                let _ = files::remove(&lane.lanes.directory, lane.id);
                Ok(false)
            }
            Outcome::Distrusted(why) => {
                position.is_over = true;
                hold(lane.place).writer()?.give_up(why);
                // Left where it is, it is put aside by the next login that looks.
                let _ =
                    files::put_aside(&lane.lanes.directory, lane.id, DISTRUSTED, lane.lanes.access);
                Err(StoreError::Distrusted(why.to_owned()))
            }
        }
    }
}
