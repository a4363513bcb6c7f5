//! A store that lasts as long as its process: nothing of it is ever in a file.
//!
//! One lock around everything, held as long as a transaction. What is changed is changed in
//! place, with what was there beside it until `commit`. What is sealed on the disk is sealed
//! here too, and overwritten when it goes. Leaves of the log go to `lines`, or nowhere: there is
//! no tree and nothing is signed, since nobody could hold it against anything later.

mod contents;
pub(crate) mod lines;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use self::contents::{Before, Contents};
use self::lines::LineFile;
use super::head::{AuditKey, CheckedHead, Head, HeadFault};
use super::state::{canonical, is_open};
use super::{AttemptLock, AuditRecord, Mode, NewToken, ObjectId, Query, Role, Store, StoreError};
use super::{StoredObject, TokenRecord, Transaction};
use crate::audit::leaf::Leaf;
use crate::audit::record::LaneId;
use crate::system::files::LockKind;

/// The log of a token that was just initialised.
const FIRST_GENERATION: u64 = 1;

/// A token in memory.
pub(crate) struct Memory {
    contents: Mutex<Contents>,
    generation: AtomicU64,
    lines: Option<Arc<LineFile>>,
}

impl Memory {
    /// A token that was just initialised, and where its log goes.
    ///
    /// # Errors
    /// Those of writing the first line of the log.
    pub(crate) fn new(token: NewToken, lines: Option<Arc<LineFile>>) -> Result<Self, StoreError> {
        let first = generation_leaf(FIRST_GENERATION, "the token was initialised");
        if let Some(lines) = &lines {
            lines.append([first.as_slice()])?;
        }
        let contents = Mutex::new(Contents::new(token));
        Ok(Self { contents, generation: AtomicU64::new(0), lines })
    }
}

fn generation_leaf(number: u64, reason: &str) -> Vec<u8> {
    let time = SystemTime::now().into();
    Leaf::Generation { number, time, previous: None, reason: reason.into() }.to_bytes()
}

impl Store for Memory {
    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Acquire))
    }

    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(MemoryTransaction {
            store: self,
            contents: self.contents.lock().unwrap_or_else(PoisonError::into_inner),
            before: Vec::new(),
            leaves: Vec::new(),
            mode,
            moved: false,
            signed: false,
            closed: false,
        }))
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn lock_attempts(&self, _: LockKind) -> Result<AttemptLock<'_>, StoreError> {
        Ok(AttemptLock { _lock: None })
    }

    fn forget_replaced(&self) -> Result<bool, StoreError> {
        Ok(true)
    }
}

struct MemoryTransaction<'s> {
    store: &'s Memory,
    contents: MutexGuard<'s, Contents>,
    /// What was there before each change, in the order of the changes.
    before: Vec<Before>,
    leaves: Vec<Vec<u8>>,
    mode: Mode,
    /// Something was changed that others must see.
    moved: bool,
    signed: bool,
    /// Something was changed that needs a signature.
    closed: bool,
}

impl MemoryTransaction<'_> {
    fn check_mode(&self) -> Result<(), StoreError> {
        match self.mode {
            Mode::Write => Ok(()),
            Mode::Read => Err(StoreError::ReadOnly),
        }
    }

    /// Makes a change, so that it can be undone.
    fn change(&mut self, new: Before) -> Result<(), StoreError> {
        self.check_mode()?;
        let before = self.contents.exchange(new);
        self.before.push(before);
        Ok(())
    }

    /// Puts an object into a slot, or takes it out; others must see that.
    fn put(&mut self, slot: u64, object: Option<StoredObject>) -> Result<(), StoreError> {
        let closed = |object: &StoredObject| !is_open(&canonical(object));
        let is_closed =
            object.as_ref().is_some_and(closed) || self.contents.at(slot).is_some_and(closed);
        self.change(Before::object(slot, object))?;
        self.closed |= is_closed;
        self.moved = true;
        Ok(())
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        for before in self.before.drain(..).rev() {
            self.contents.exchange(before);
        }
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn token(&self) -> Result<TokenRecord, StoreError> {
        Ok(self.contents.token().clone())
    }

    fn put_token(&mut self, record: &TokenRecord) -> Result<(), StoreError> {
        let audit = self.contents.token().audit.clone();
        self.change(Before::token(TokenRecord { audit, ..record.clone() }))?;
        (self.closed, self.moved) = (true, true);
        Ok(())
    }

    fn tries(&self, role: Role) -> Result<u32, StoreError> {
        Ok(match role {
            Role::SecurityOfficer => self.contents.token().so_tries,
            Role::User => self.contents.token().user_tries,
        })
    }

    fn set_tries(&mut self, role: Role, left: u32) -> Result<(), StoreError> {
        let mut token = self.contents.token().clone();
        match role {
            Role::SecurityOfficer => token.so_tries = left,
            Role::User => token.user_tries = left,
        }
        self.change(Before::token(token))
    }

    fn epoch_key(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents.epoch_key(epoch))
    }

    fn put_epoch_key(&mut self, epoch: u64, sealed: &[u8]) -> Result<(), StoreError> {
        self.change(Before::epoch(epoch, Some(sealed.to_vec())))?;
        (self.closed, self.moved) = (true, true);
        Ok(())
    }

    fn forget_epochs(&mut self, but: u64) -> Result<(), StoreError> {
        self.check_mode()?;
        for epoch in self.contents.epochs().filter(|epoch| *epoch != but).collect::<Vec<_>>() {
            self.change(Before::epoch(epoch, None))?;
        }
        (self.closed, self.moved) = (true, true);
        Ok(())
    }

    fn rewrap(
        &mut self,
        object: &StoredObject,
        data_key: Vec<u8>,
        epoch: u64,
    ) -> Result<(), StoreError> {
        self.put(object.slot, Some(StoredObject { data_key, epoch, ..object.clone() }))
    }

    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError> {
        Ok(self.contents.object(id).cloned())
    }

    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
        Ok(self.contents.find(query))
    }

    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError> {
        if self.contents.object(&object.id).is_some() {
            return Err(StoreError::Io("an object id is used twice".to_owned()));
        }
        let slot = self.contents.free_slot();
        self.put(slot, Some(object.clone()))?;
        Ok(slot)
    }

    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError> {
        self.check_mode()?;
        let kept = self.contents.object(&object.id);
        let older = kept.filter(|kept| kept.version < object.version).map(|kept| kept.slot);
        let Some(slot) = older else { return Ok(false) };
        self.put(slot, Some(object.clone()))?;
        Ok(true)
    }

    fn remove(&mut self, id: &ObjectId) -> Result<bool, StoreError> {
        self.check_mode()?;
        let Some(slot) = self.contents.object(id).map(|object| object.slot) else {
            return Ok(false);
        };
        self.put(slot, None)?;
        Ok(true)
    }

    fn clear_objects(&mut self) -> Result<(), StoreError> {
        self.check_mode()?;
        for slot in self.contents.slots() {
            self.put(slot, None)?;
        }
        for epoch in self.contents.epochs().collect::<Vec<_>>() {
            self.change(Before::epoch(epoch, None))?;
        }
        (self.closed, self.moved) = (true, true);
        Ok(())
    }

    fn check_head(&self, public: &[u8; 32]) -> Result<CheckedHead, HeadFault> {
        if self.contents.token().audit.public != *public {
            return Err(HeadFault::Tampered("the audit key was replaced".to_owned()));
        }
        Ok(CheckedHead {
            generation: self.contents.log().generation,
            size: self.contents.log().size,
            checkpoint: String::new(),
            lanes: self.contents.lanes(),
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
        Err(StoreError::Io("a token in memory has no signed log".to_owned()))
    }

    fn append_leaf(&mut self, leaf: &[u8]) -> Result<(), StoreError> {
        self.check_mode()?;
        self.leaves.push(leaf.to_vec());
        Ok(())
    }

    fn lanes(&self) -> Result<Vec<(LaneId, u64)>, StoreError> {
        Ok(self.contents.lanes())
    }

    fn put_lane(&mut self, lane: LaneId, records: u64) -> Result<(), StoreError> {
        self.change(Before::Lane(lane, Some(records)))?;
        self.closed = true;
        Ok(())
    }

    fn remove_lane(&mut self, lane: LaneId) -> Result<(), StoreError> {
        self.change(Before::Lane(lane, None))?;
        self.closed = true;
        Ok(())
    }

    fn begin_generation(
        &mut self,
        audit: &AuditRecord,
        _: &Arc<AuditKey>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let audit = audit.clone();
        let token = self.contents.token().clone();
        self.change(Before::token(TokenRecord { audit, ..token }))?;
        let generation = self.contents.log().generation.saturating_add(1);
        self.change(Before::log(generation, 0))?;
        for (lane, _) in self.contents.lanes() {
            self.change(Before::Lane(lane, None))?;
        }
        self.leaves.insert(0, generation_leaf(generation, reason));
        (self.signed, self.moved) = (true, true);
        Ok(())
    }

    fn rebuild_state(&mut self) -> Result<(), StoreError> {
        self.check_mode()?;
        (self.closed, self.moved) = (true, true);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.closed && !self.signed {
            return Err(StoreError::Unsigned);
        }
        if !self.leaves.is_empty() {
            // Before the change is real: one that cannot be put on record is undone.
            if let Some(lines) = &self.store.lines {
                lines.append(self.leaves.iter().map(Vec::as_slice))?;
            }
            let log = self.contents.log();
            let more = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
            self.change(Before::log(log.generation, log.size.saturating_add(more)))?;
        }
        self.before.clear();
        if self.moved {
            self.store.generation.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }
}
