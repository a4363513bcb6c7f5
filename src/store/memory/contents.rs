//! What a token in memory holds, found by slot, id and search rows. Whatever of it goes is
//! overwritten first: freed memory is not wiped by anybody else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zeroize::{Zeroize, Zeroizing};

use crate::audit::record::LaneId;
use crate::store::{NewToken, ObjectId, PinRecord, Query, StoredObject, TokenRecord};

/// Which log, and how many leaves it has had.
#[derive(Clone, Copy)]
pub(super) struct Log {
    pub(super) generation: u64,
    pub(super) size: u64,
}

/// A token's record, wiped when it goes.
pub(super) struct KeptToken(TokenRecord);

impl Drop for KeptToken {
    fn drop(&mut self) {
        let wipe = |pin: &mut PinRecord| pin.sealed_master.zeroize();
        wipe(&mut self.0.so);
        self.0.user.as_mut().map(wipe);
        self.0.audit.sealed.zeroize();
    }
}

/// An object, wiped when it goes.
pub(super) struct KeptObject(StoredObject);

impl Drop for KeptObject {
    fn drop(&mut self) {
        let StoredObject { clear, sealed, data_key, search, .. } = &mut self.0;
        [clear, sealed, data_key].into_iter().for_each(Zeroize::zeroize);
        search.iter_mut().for_each(|row| row.value.zeroize());
    }
}

/// One part of the contents as it was, or is to be.
pub(super) enum Before {
    Token(Box<KeptToken>),
    Epoch(u64, Option<Zeroizing<Vec<u8>>>),
    Object(u64, Option<Box<KeptObject>>),
    Lane(LaneId, Option<u64>),
    Log(Log),
}

impl Before {
    pub(super) fn token(record: TokenRecord) -> Self {
        Self::Token(Box::new(KeptToken(record)))
    }

    pub(super) fn epoch(epoch: u64, sealed: Option<Vec<u8>>) -> Self {
        Self::Epoch(epoch, sealed.map(Zeroizing::new))
    }

    pub(super) fn object(slot: u64, object: Option<StoredObject>) -> Self {
        let kept = object.map(|mut object| {
            object.slot = slot;
            // Search rows are a set.
            object.search.sort();
            object.search.dedup();
            Box::new(KeptObject(object))
        });
        Self::Object(slot, kept)
    }

    pub(super) const fn log(generation: u64, size: u64) -> Self {
        Self::Log(Log { generation, size })
    }
}

/// A token.
pub(super) struct Contents {
    token: Box<KeptToken>,
    epochs: BTreeMap<u64, Zeroizing<Vec<u8>>>,
    objects: BTreeMap<u64, Box<KeptObject>>,
    by_id: HashMap<ObjectId, u64>,
    by_row: HashMap<(u64, Vec<u8>), BTreeSet<u64>>,
    /// Slots below `room` that are not in use.
    free: BTreeSet<u64>,
    room: u64,
    lanes: BTreeMap<LaneId, u64>,
    log: Log,
}

impl Contents {
    pub(super) fn new(new: NewToken) -> Self {
        let epoch = new.record.epoch;
        Self {
            token: Box::new(KeptToken(new.record)),
            epochs: BTreeMap::from([(epoch, Zeroizing::new(new.epoch_key))]),
            objects: BTreeMap::new(),
            by_id: HashMap::new(),
            by_row: HashMap::new(),
            free: BTreeSet::new(),
            room: 0,
            lanes: BTreeMap::new(),
            log: Log { generation: 1, size: 1 },
        }
    }

    /// Puts a part in its place, and gives what was there.
    pub(super) fn exchange(&mut self, new: Before) -> Before {
        match new {
            Before::Token(token) => Before::Token(std::mem::replace(&mut self.token, token)),
            Before::Log(log) => Before::Log(std::mem::replace(&mut self.log, log)),
            Before::Epoch(epoch, sealed) => Before::Epoch(
                epoch,
                match sealed {
                    Some(sealed) => self.epochs.insert(epoch, sealed),
                    None => self.epochs.remove(&epoch),
                },
            ),
            Before::Lane(lane, records) => Before::Lane(
                lane,
                match records {
                    Some(records) => self.lanes.insert(lane, records),
                    None => self.lanes.remove(&lane),
                },
            ),
            Before::Object(slot, object) => Before::Object(slot, self.put(slot, object)),
        }
    }

    fn put(&mut self, slot: u64, object: Option<Box<KeptObject>>) -> Option<Box<KeptObject>> {
        let old = self.objects.remove(&slot);
        if let Some(KeptObject(old)) = old.as_deref() {
            self.by_id.remove(&old.id);
            for row in &old.search {
                let key = (row.attribute, row.value.clone());
                if let Some(slots) = self.by_row.get_mut(&key) {
                    slots.remove(&slot);
                    if slots.is_empty() {
                        self.by_row.remove(&key);
                    }
                }
            }
        }
        while self.room <= slot {
            self.free.insert(self.room);
            self.room = self.room.saturating_add(1);
        }
        let Some(object) = object else {
            self.free.insert(slot);
            return old;
        };
        self.free.remove(&slot);
        self.by_id.insert(object.0.id, slot);
        for row in &object.0.search {
            self.by_row.entry((row.attribute, row.value.clone())).or_default().insert(slot);
        }
        self.objects.insert(slot, object);
        old
    }

    pub(super) const fn token(&self) -> &TokenRecord {
        &self.token.0
    }

    pub(super) const fn log(&self) -> Log {
        self.log
    }

    pub(super) fn epoch_key(&self, epoch: u64) -> Option<Vec<u8>> {
        self.epochs.get(&epoch).map(|sealed| sealed.to_vec())
    }

    pub(super) fn epochs(&self) -> impl Iterator<Item = u64> {
        self.epochs.keys().copied()
    }

    pub(super) fn lanes(&self) -> Vec<(LaneId, u64)> {
        self.lanes.iter().map(|(lane, records)| (*lane, *records)).collect()
    }

    pub(super) fn at(&self, slot: u64) -> Option<&StoredObject> {
        self.objects.get(&slot).map(|kept| &kept.0)
    }

    pub(super) fn object(&self, id: &ObjectId) -> Option<&StoredObject> {
        self.at(*self.by_id.get(id)?)
    }

    pub(super) fn slots(&self) -> Vec<u64> {
        self.objects.keys().copied().collect()
    }

    /// The lowest slot that an object left, or the next one.
    pub(super) fn free_slot(&self) -> u64 {
        self.free.first().copied().unwrap_or(self.room)
    }

    /// The objects that meet the query, in order of slot.
    pub(super) fn find(&self, query: &Query) -> Vec<ObjectId> {
        // The condition that fewest objects meet says which ones are looked at.
        let hits = query.search.iter().map(|(attribute, values)| {
            let slots =
                values.iter().filter_map(|value| self.by_row.get(&(*attribute, value.clone())));
            slots.flatten().copied().collect::<BTreeSet<_>>()
        });
        let fewest = hits.min_by_key(BTreeSet::len);
        let meets = |object: &&StoredObject| meets(object, query);
        match fewest {
            Some(slots) => {
                let objects = slots.into_iter().filter_map(|slot| self.at(slot));
                objects.filter(meets).map(|object| object.id).collect()
            }
            None => {
                let objects = self.objects.values().map(|kept| &kept.0);
                objects.filter(meets).map(|object| object.id).collect()
            }
        }
    }
}

fn meets(object: &StoredObject, query: &Query) -> bool {
    let has = |attribute: u64, values: &[Vec<u8>]| {
        let mut rows = object.search.iter().filter(|row| row.attribute == attribute);
        rows.any(|row| values.contains(&row.value))
    };
    query.class.is_none_or(|class| class == object.class)
        && query.key_type.is_none_or(|key_type| Some(key_type) == object.key_type)
        && query.private.is_none_or(|private| private == object.private)
        && query.search.iter().all(|(attribute, values)| has(*attribute, values))
}
