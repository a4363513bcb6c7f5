//! Evidence that a key is gone: its destruction, and after it the rotation that took away the
//! key of the epoch in which its data key was sealed.
//!
//! Four entries of one log prove it to somebody who has only the log's key: the record of the
//! destruction, that of the rotation, and the state leaves before and behind the rotation, which
//! name the old epoch and the new one. What was copied elsewhere before is not part of it.

use std::fmt;

use super::checkpoint::Checkpoint;
use super::leaf::Leaf;
use super::note::{NoteError, VerifierKey};
use super::proof::Proof;
use super::record::{Record, Role};
use super::time::Time;

/// What the record of a rotation has in the place of a function's name.
pub const ROTATION: &str = "claviger token rotate";
const DESTRUCTION: &str = "C_DestroyObject";

/// Where the evidence stands in a log, found entry by entry.
#[derive(Clone, Debug)]
pub struct Trail {
    key: String,
    destroyed: Option<u64>,
    /// The last state leaf.
    last: Option<u64>,
    before: Option<u64>,
    rotated: Option<u64>,
    state: Option<u64>,
}

/// The places of the four entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Places {
    /// The record of the destruction.
    pub destroyed: u64,
    /// The last state leaf before the rotation.
    pub before: u64,
    /// The record of the rotation.
    pub rotated: u64,
    /// The state leaf of the rotation's commit.
    pub state: u64,
}

/// How far the evidence goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// No destruction of such an object is on record.
    Nothing,
    /// Destroyed by this entry, and no rotation since.
    Destroyed(u64),
    /// All of it.
    Erased(Places),
}

impl Trail {
    /// Looks for the object with this unique id.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let key = key.to_ascii_lowercase();
        Self { key, destroyed: None, last: None, before: None, rotated: None, state: None }
    }

    /// Goes past the next entry.
    pub fn pass(&mut self, index: u64, leaf: &Leaf<'_>) {
        match leaf {
            Leaf::Change(record) if !record.succeeded() => {}
            Leaf::Change(record) if record.key.as_deref() == Some(&self.key) => {
                // Whatever else changes it says that it is there again.
                self.destroyed = is(record, DESTRUCTION).then_some(index);
                (self.rotated, self.state) = (None, None);
            }
            Leaf::Change(record) if record.call == ROTATION && self.state.is_none() => {
                self.rotated = self.destroyed.map(|_| index);
                self.before = self.last;
            }
            Leaf::State(_) => {
                let is_next = self.rotated.and_then(|at| at.checked_add(1)) == Some(index);
                self.state = self.state.or(is_next.then_some(index));
                self.last = Some(index);
            }
            _ => {}
        }
    }

    /// What there is, after the last entry.
    #[must_use]
    pub const fn found(&self) -> Found {
        match (self.destroyed, self.before, self.rotated, self.state) {
            (Some(destroyed), Some(before), Some(rotated), Some(state)) => {
                Found::Erased(Places { destroyed, before, rotated, state })
            }
            (Some(destroyed), ..) => Found::Destroyed(destroyed),
            _ => Found::Nothing,
        }
    }
}

/// Both acts need a login.
fn is(record: &Record<'_>, call: &str) -> bool {
    record.call == call && record.succeeded() && record.role != Role::None
}

/// The four entries with their proofs; each proof has its entry as `extra`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Of the destruction.
    pub destroyed: Proof,
    /// Of the state leaf before the rotation.
    pub before: Proof,
    /// Of the rotation.
    pub rotated: Proof,
    /// Of the state leaf behind it.
    pub state: Proof,
}

/// What the evidence proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// The log's name.
    pub origin: String,
    /// The unique id of the object.
    pub key: String,
    /// Where the four entries stand.
    pub places: Places,
    /// When the object was destroyed.
    pub destroyed_at: Time,
    /// When the epoch began.
    pub rotated_at: Time,
    /// The epoch that began then; the one before it has no key any more.
    pub epoch: u64,
    /// How many entries the log had.
    pub size: u64,
}

/// Why evidence proves nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ErasureError {
    /// The proof of this entry does not hold.
    Proof(&'static str, NoteError),
    /// The entries are proved and do not say so.
    Story(&'static str),
}

impl fmt::Display for ErasureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof(which, why) => write!(f, "the proof of the {which}: {why}"),
            Self::Story(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ErasureError {}

impl Evidence {
    /// Checks the proofs and what the entries say.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, keys: &[VerifierKey]) -> Result<Erasure, ErasureError> {
        let story = ErasureError::Story;
        let (destroyed, signed) = proved(&self.destroyed, "destruction", keys)?;
        let (rotated, other) = proved(&self.rotated, "rotation", keys)?;
        let (before, third) = proved(&self.before, "state before", keys)?;
        let (state, fourth) = proved(&self.state, "state", keys)?;
        if [&other, &third, &fourth].into_iter().any(|other| *other != signed) {
            return Err(story("the proofs are of several checkpoints"));
        }
        let (Leaf::Change(destroyed), Leaf::Change(rotated)) = (destroyed, rotated) else {
            return Err(story("an entry is no change"));
        };
        let (Leaf::State(before), Leaf::State(state)) = (before, state) else {
            return Err(story("an entry is no state"));
        };
        let key = destroyed.key.as_deref().filter(|_| is(&destroyed, DESTRUCTION));
        let key = key.ok_or(story("no entry is the destruction"))?;
        if !is(&rotated, ROTATION) {
            return Err(story("no entry is the rotation"));
        }
        if state.epoch <= before.epoch {
            return Err(story("no epoch began with the rotation"));
        }
        let places = Places {
            destroyed: self.destroyed.index,
            before: self.before.index,
            rotated: self.rotated.index,
            state: self.state.index,
        };
        if places.before <= places.destroyed || places.rotated <= places.before {
            return Err(story("the rotation did not come after the destruction"));
        }
        if places.rotated.checked_add(1) != Some(places.state) {
            return Err(story("the state is not the one of the rotation"));
        }
        Ok(Erasure {
            origin: signed.origin,
            key: key.to_owned(),
            places,
            destroyed_at: destroyed.time,
            rotated_at: rotated.time,
            epoch: state.epoch,
            size: signed.size,
        })
    }
}

fn proved<'p>(
    proof: &'p Proof,
    which: &'static str,
    keys: &[VerifierKey],
) -> Result<(Leaf<'p>, Checkpoint), ErasureError> {
    let entry = proof.extra.as_deref();
    let entry = entry.ok_or(ErasureError::Story("a proof without its entry"))?;
    let signed = proof.verify(entry, keys).map_err(|why| ErasureError::Proof(which, why))?;
    let leaf = Leaf::parse(entry).map_err(|_| ErasureError::Story("an entry that is no leaf"))?;
    Ok((leaf, signed))
}
