//! A store that lasts as long as its process: for tests.
//!
//! One lock around everything; a writer works on a copy that `commit` puts in place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{AttemptLock, Mode, NewToken, ObjectId, Query, Role, Store, StoreError};
use super::{StoredObject, TokenRecord, Transaction};
use crate::system::files::LockKind;

#[derive(Clone)]
struct Contents {
    token: TokenRecord,
    epochs: BTreeMap<u64, Vec<u8>>,
    objects: BTreeMap<u64, StoredObject>,
}

/// A token in memory.
pub(crate) struct Memory {
    contents: Mutex<Contents>,
    generation: AtomicU64,
}

impl Memory {
    pub(crate) fn new(token: NewToken) -> Self {
        let epochs = BTreeMap::from([(token.record.epoch, token.epoch_key)]);
        let contents = Contents { token: token.record, epochs, objects: BTreeMap::new() };
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
        Ok(Box::new(MemoryTransaction { store: self, kept, working, mode, moved: false }))
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

    fn object(&self, id: &ObjectId) -> Option<&StoredObject> {
        self.working.objects.values().find(|object| object.id == *id)
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn token(&self) -> Result<TokenRecord, StoreError> {
        Ok(self.working.token.clone())
    }

    fn put_token(&mut self, record: &TokenRecord) -> Result<(), StoreError> {
        self.change()?.token = record.clone();
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
        self.change()?.epochs.insert(epoch, sealed.to_vec());
        Ok(())
    }

    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError> {
        Ok(self.object(id).cloned())
    }

    fn version_of(&self, id: &ObjectId) -> Result<Option<u64>, StoreError> {
        Ok(self.object(id).map(|object| object.version))
    }

    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
        let objects = self.working.objects.values();
        Ok(objects.filter(|object| meets(object, query)).map(|object| object.id).collect())
    }

    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError> {
        if self.object(&object.id).is_some() {
            return Err(StoreError::Io("an object id is used twice".to_owned()));
        }
        let contents = self.change()?;
        let mut slot = 0_u64;
        while contents.objects.contains_key(&slot) {
            slot = slot.saturating_add(1);
        }
        contents.objects.insert(slot, StoredObject { slot, ..sorted(object) });
        Ok(slot)
    }

    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError> {
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
        let slot = self.object(id).map(|object| object.slot);
        let contents = self.change()?;
        Ok(slot.is_some_and(|slot| contents.objects.remove(&slot).is_some()))
    }

    fn clear_objects(&mut self) -> Result<(), StoreError> {
        let contents = self.change()?;
        contents.objects.clear();
        contents.epochs.clear();
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
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
