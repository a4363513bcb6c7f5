//! A store that lasts as long as its process: for tests.
//!
//! One lock around everything; a writer works on a copy that `commit` puts in place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::head::{AuditKey, CheckedHead, Head, HeadFault};
use super::state::{canonical, is_open};
use super::{AttemptLock, AuditRecord, Mode, NewToken, ObjectId, Query, Role, Store, StoreError};
use super::{StoredObject, TokenRecord, Transaction};
use crate::audit::record::LaneId;
use crate::system::files::LockKind;

#[derive(Clone)]
struct Contents {
    token: TokenRecord,
    epochs: BTreeMap<u64, Vec<u8>>,
    objects: BTreeMap<u64, StoredObject>,
    lanes: BTreeMap<u64, u64>,
    /// No tree and no signatures: a count stands for the log.
    leaves: u64,
}

/// A token in memory.
pub(crate) struct Memory {
    contents: Mutex<Contents>,
    generation: AtomicU64,
}

impl Memory {
    pub(crate) fn new(token: NewToken) -> Self {
        let epochs = BTreeMap::from([(token.record.epoch, token.epoch_key)]);
        let contents = Contents {
            token: token.record,
            epochs,
            objects: BTreeMap::new(),
            lanes: BTreeMap::new(),
            leaves: 2,
        };
        Self { contents: Mutex::new(contents), generation: AtomicU64::new(0) }
    }
}

impl Store for Memory {
    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Acquire))
    }

    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let kept = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let working = kept.clone();
        let (moved, signed, closed) = (false, false, false);
        Ok(Box::new(MemoryTransaction { store: self, kept, working, mode, moved, signed, closed }))
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn lock_attempts(&self, _: LockKind) -> Result<AttemptLock<'_>, StoreError> {
        Ok(AttemptLock { _lock: None })
    }
}

struct MemoryTransaction<'s> {
    store: &'s Memory,
    kept: MutexGuard<'s, Contents>,
    working: Contents,
    mode: Mode,
    moved: bool,
    signed: bool,
    /// Something was changed that needs a signature.
    closed: bool,
}

impl MemoryTransaction<'_> {
    /// For changes that others must see.
    fn change(&mut self) -> Result<&mut Contents, StoreError> {
        self.moved = true;
        self.change_unseen()
    }

    fn change_unseen(&mut self) -> Result<&mut Contents, StoreError> {
        match self.mode {
            Mode::Write => Ok(&mut self.working),
            Mode::Read => Err(StoreError::ReadOnly),
        }
    }

    fn close_for(&mut self, id: &ObjectId) {
        self.closed |= self.object(id).is_some_and(|kept| !is_open(&canonical(kept)));
    }

    fn object(&self, id: &ObjectId) -> Option<&StoredObject> {
        self.working.objects.values().find(|object| object.id == *id)
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn token(&self) -> Result<TokenRecord, StoreError> {
        Ok(self.working.token.clone())
    }

    fn put_token(&mut self, record: &TokenRecord) -> Result<(), StoreError> {
        self.closed = true;
        let contents = self.change()?;
        let audit = contents.token.audit.clone();
        contents.token = TokenRecord { audit, ..record.clone() };
        Ok(())
    }

    fn tries(&self, role: Role) -> Result<u32, StoreError> {
        Ok(match role {
            Role::SecurityOfficer => self.working.token.so_tries,
            Role::User => self.working.token.user_tries,
        })
    }

    fn set_tries(&mut self, role: Role, left: u32) -> Result<(), StoreError> {
        let token = &mut self.change_unseen()?.token;
        match role {
            Role::SecurityOfficer => token.so_tries = left,
            Role::User => token.user_tries = left,
        }
        Ok(())
    }

    fn epoch_key(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.working.epochs.get(&epoch).cloned())
    }

    fn put_epoch_key(&mut self, epoch: u64, sealed: &[u8]) -> Result<(), StoreError> {
        self.closed = true;
        self.change()?.epochs.insert(epoch, sealed.to_vec());
        Ok(())
    }

    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError> {
        Ok(self.object(id).cloned())
    }

    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
        let objects = self.working.objects.values();
        Ok(objects.filter(|object| meets(object, query)).map(|object| object.id).collect())
    }

    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError> {
        if self.object(&object.id).is_some() {
            return Err(StoreError::Io("an object id is used twice".to_owned()));
        }
        self.closed |= !is_open(&canonical(object));
        let contents = self.change()?;
        let mut slot = 0_u64;
        while contents.objects.contains_key(&slot) {
            slot = slot.saturating_add(1);
        }
        contents.objects.insert(slot, StoredObject { slot, ..sorted(object) });
        Ok(slot)
    }

    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError> {
        self.closed |= !is_open(&canonical(object));
        self.close_for(&object.id);
        let contents = self.change()?;
        let kept = contents.objects.values_mut().find(|kept| kept.id == object.id);
        match kept.filter(|kept| kept.version < object.version) {
            Some(kept) => {
                *kept = StoredObject { slot: kept.slot, ..sorted(object) };
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn remove(&mut self, id: &ObjectId) -> Result<bool, StoreError> {
        self.close_for(id);
        let slot = self.object(id).map(|object| object.slot);
        let contents = self.change()?;
        Ok(slot.is_some_and(|slot| contents.objects.remove(&slot).is_some()))
    }

    fn clear_objects(&mut self) -> Result<(), StoreError> {
        self.closed = true;
        let contents = self.change()?;
        contents.objects.clear();
        contents.epochs.clear();
        Ok(())
    }

    fn check_head(&self, public: &[u8; 32]) -> Result<CheckedHead, HeadFault> {
        if self.working.token.audit.public != *public {
            return Err(HeadFault::Tampered("the audit key was replaced".to_owned()));
        }
        Ok(CheckedHead {
            generation: 1,
            size: self.working.leaves,
            checkpoint: String::new(),
            lanes: self.lanes()?,
            pending: 0,
            missing: 0,
            surplus: 0,
            behind: 0,
        })
    }

    fn check_state(&self, public: &[u8; 32]) -> Result<(), HeadFault> {
        self.check_head(public).map(drop)
    }

    fn sign_with(&mut self, key: &Arc<AuditKey>) -> Result<(), HeadFault> {
        self.check_head(key.public())?;
        self.signed = true;
        Ok(())
    }

    fn head(&self) -> Result<Head, StoreError> {
        Err(StoreError::Io("a store in memory has no head".to_owned()))
    }

    fn append_leaf(&mut self, _: &[u8]) -> Result<(), StoreError> {
        let contents = self.change_unseen()?;
        contents.leaves = contents.leaves.saturating_add(1);
        Ok(())
    }

    fn lanes(&self) -> Result<Vec<(LaneId, u64)>, StoreError> {
        Ok(self.working.lanes.iter().map(|(lane, records)| (LaneId(*lane), *records)).collect())
    }

    fn put_lane(&mut self, lane: LaneId, records: u64) -> Result<(), StoreError> {
        self.closed = true;
        self.change_unseen()?.lanes.insert(lane.0, records);
        Ok(())
    }

    fn remove_lane(&mut self, lane: LaneId) -> Result<(), StoreError> {
        self.closed = true;
        self.change_unseen()?.lanes.remove(&lane.0);
        Ok(())
    }

    fn begin_generation(
        &mut self,
        audit: &AuditRecord,
        _: &Arc<AuditKey>,
        _: &str,
    ) -> Result<(), StoreError> {
        self.signed = true;
        let contents = self.change()?;
        contents.token.audit = audit.clone();
        contents.lanes.clear();
        Ok(())
    }

    fn rebuild_state(&mut self) -> Result<(), StoreError> {
        self.closed = true;
        self.change().map(drop)
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.closed && !self.signed {
            return Err(StoreError::Unsigned);
        }
        if self.mode == Mode::Write {
            *self.kept = self.working.clone();
            if self.moved {
                self.store.generation.fetch_add(1, Ordering::Release);
            }
        }
        Ok(())
    }
}

/// Search rows are a set.
fn sorted(object: &StoredObject) -> StoredObject {
    let mut object = object.clone();
    object.search.sort();
    object.search.dedup();
    object
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
