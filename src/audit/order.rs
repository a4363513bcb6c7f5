//! In which order leaves may stand: the rules that a log keeps besides its tree.
//!
//! - The first leaf, and no other, begins the generation that the log's name tells.
//! - A lane is opened before its records come and ended once. Its uses stand in the order of
//!   their numbers, from 1. A change names the lane of its process, if that has one, and has no
//!   number: it is in the log at once, and a use when its lane is sealed.
//! - Nothing had seen a larger log than the one it stands in.
//! - A state leaf names the lanes that are open and how far each is in the log without a gap;
//!   the last leaf is a state leaf.
//!
//! Where the log's beginning was removed, the first state leaf tells which lanes are open.

use std::collections::HashMap;

use super::checkpoint::parse_origin;
use super::leaf::{Leaf, StateLeaf};
use super::record::{LaneId, Record};

/// What the entries of a log were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Records of uses.
    pub uses: u64,
    /// Records of changes.
    pub changes: u64,
    /// Records of calls before any login.
    pub unauthenticated: u64,
    /// How many of all these calls failed.
    pub failed: u64,
    /// Lanes opened.
    pub opened: u64,
    /// Lanes whole in the log.
    pub closed: u64,
    /// Lanes that end early.
    pub cut: u64,
    /// Bytes of them that could not be used.
    pub lost_bytes: u64,
    /// Lanes that somebody has changed.
    pub distrusted: u64,
    /// Findings of objects that were changed outside.
    pub quarantined: u64,
    /// Lanes still open at the end.
    pub open: u64,
    /// State leaves.
    pub states: u64,
}

/// The rules, and where a log stands with them.
pub(super) struct Order {
    generation: Option<u64>,
    /// False until the lanes that are open are known.
    knows_lanes: bool,
    /// How many records of each open lane are in the log, without a gap.
    lanes: HashMap<LaneId, u64>,
    counts: Counts,
    ends_with_state: bool,
}

impl Order {
    /// For a log of this name.
    pub(super) fn new(origin: &str) -> Self {
        Self {
            generation: parse_origin(origin).map(|(_, generation)| generation),
            knows_lanes: true,
            lanes: HashMap::new(),
            counts: Counts::default(),
            ends_with_state: false,
        }
    }

    /// The leaves up to here were removed.
    pub(super) const fn forget_lanes(&mut self) {
        self.knows_lanes = false;
    }

    pub(super) fn counts(&self) -> Counts {
        let open = u64::try_from(self.lanes.len()).unwrap_or(u64::MAX);
        Counts { open, ..self.counts }
    }

    /// The next leaf.
    pub(super) fn next(&mut self, index: u64, leaf: &Leaf<'_>) -> Result<(), &'static str> {
        if (index == 0) != matches!(leaf, Leaf::Generation { .. }) {
            return Err("a log begins with its generation, which stands nowhere else");
        }
        if let Some(record) = leaf.record() {
            self.counts.failed += u64::from(!record.succeeded());
            if record.head > index {
                return Err("a record that had seen a larger log");
            }
        }
        self.ends_with_state = false;
        match leaf {
            Leaf::Use(record) => self.used(record),
            Leaf::Change(record) => self.changed(record),
            Leaf::Unauthenticated(_) => {
                self.counts.unauthenticated += 1;
                Ok(())
            }
            Leaf::LaneOpened(opened) => self.opened(opened.lane),
            Leaf::LaneClosed { lane, records, .. } => {
                self.counts.closed += 1;
                self.ended(*lane, *records, "a closed lane without all of its records")
            }
            Leaf::LaneCut { lane, records, lost_bytes, .. } => {
                self.counts.cut += 1;
                self.counts.lost_bytes = self.counts.lost_bytes.saturating_add(*lost_bytes);
                self.ended(*lane, *records, "a cut lane with another number of records")
            }
            Leaf::LaneDistrusted { lane, records, .. } => {
                self.counts.distrusted += 1;
                self.ended(*lane, *records, "a distrusted lane with another number of records")
            }
            Leaf::Quarantined { .. } => {
                self.counts.quarantined += 1;
                Ok(())
            }
            Leaf::Generation { number, .. } => match self.generation {
                Some(generation) if generation == *number => Ok(()),
                _ => Err("another generation than the log's name tells"),
            },
            Leaf::State(state) => self.state(state),
        }
    }

    /// After the last leaf.
    pub(super) const fn finish(&self) -> Result<(), &'static str> {
        if self.ends_with_state { Ok(()) } else { Err("the last leaf is not a state leaf") }
    }

    fn opened(&mut self, lane: LaneId) -> Result<(), &'static str> {
        self.counts.opened += 1;
        if lane == LaneId::NONE || self.lanes.insert(lane, 0).is_some() {
            return Err("a lane that is open already, or has no name");
        }
        Ok(())
    }

    fn ended(
        &mut self,
        lane: LaneId,
        records: u64,
        misfit: &'static str,
    ) -> Result<(), &'static str> {
        match self.lanes.remove(&lane) {
            Some(known) if known == records || !self.knows_lanes => Ok(()),
            Some(_) => Err(misfit),
            None if !self.knows_lanes => Ok(()),
            None => Err("the end of a lane that is not open"),
        }
    }

    fn used(&mut self, record: &Record<'_>) -> Result<(), &'static str> {
        self.counts.uses += 1;
        let before = record.seq.checked_sub(1).ok_or("a use without a number")?;
        if !self.knows_lanes {
            self.lanes.insert(record.lane, record.seq);
            return Ok(());
        }
        let records = self.lanes.get_mut(&record.lane).ok_or("a use in a lane that is not open")?;
        if *records != before {
            return Err("a use out of its lane's order");
        }
        *records = record.seq;
        Ok(())
    }

    fn changed(&mut self, record: &Record<'_>) -> Result<(), &'static str> {
        self.counts.changes += 1;
        if record.seq != 0 {
            return Err("a change with a number");
        }
        let known = record.lane == LaneId::NONE || self.lanes.contains_key(&record.lane);
        if known || !self.knows_lanes { Ok(()) } else { Err("a change in a lane that is not open") }
    }

    fn state(&mut self, state: &StateLeaf<'_>) -> Result<(), &'static str> {
        self.counts.states += 1;
        self.ends_with_state = true;
        if !self.knows_lanes {
            self.knows_lanes = true;
            self.lanes = state.lanes.iter().copied().collect();
            return Ok(());
        }
        let same = state.lanes.len() == self.lanes.len()
            && state.lanes.iter().all(|(lane, records)| self.lanes.get(lane) == Some(records));
        if same { Ok(()) } else { Err("a state leaf that names other open lanes") }
    }
}
