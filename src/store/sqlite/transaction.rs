//! One transaction: the store lock, the writers' record lock, BEGIN to COMMIT or ROLLBACK, and
//! the generation around the commit.
//!
//! The order at a commit: entries of the audit log written and synced, mark the generation, COMMIT
//! (SQLite syncs its own log), move the generation. A crash in between leaves the mark, and
//! everyone asks the database until the next writer.

mod publishing;

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use rusqlite::Connection;

use super::files::TokenFiles;
use super::ledger::{Ledger, Signature};
use super::registry::{self, Registry};
use super::signing::{self, Trusted};
use super::{connection, consistency, head, objects, token};
use crate::audit::record::LaneId;
use crate::audit::tree::leaf_hash;
use crate::store::head::{AuditKey, CheckedHead, Head, HeadFault, NewGeneration};
use crate::store::{
    AuditRecord, Mode, ObjectId, Query, Role, StoreError, StoredObject, TokenRecord, Transaction,
};
use crate::system::failpoint::hit;
use crate::system::files::RecordLock;

/// What a transaction has changed so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    Nothing,
    /// Tries: nobody remembers them.
    Unseen,
    /// The log alone.
    Logged,
    /// What others may remember.
    Seen,
}

/// Fields are dropped in this order: the record lock goes before the store lock.
pub(super) struct SqliteTransaction<'s> {
    key: u64,
    files: &'s TokenFiles,
    mode: Mode,
    changed: Changed,
    ledger: Ledger,
    /// A PIN record was replaced: the old one must not stay in the write-ahead log.
    forgets: bool,
    ended: bool,
    _writer: Option<RecordLock<'s>>,
    registry: MutexGuard<'static, Registry>,
}

impl<'s> SqliteTransaction<'s> {
    pub(super) fn begin(key: u64, files: &'s TokenFiles, mode: Mode) -> Result<Self, StoreError> {
        let mut registry = registry::lock();
        let entry = registry.entry(key)?;
        let writer = match mode {
            Mode::Read => None,
            Mode::Write => Some(files.lock_writer()?),
        };
        files.check_present()?;
        let connection = entry.connect()?;
        let begun = match mode {
            Mode::Read => execute(connection, "BEGIN"),
            Mode::Write => execute(connection, "BEGIN IMMEDIATE"),
        };
        if let Err(error) = begun {
            entry.disconnect();
            return Err(error);
        }
        let changed = Changed::Nothing;
        let (forgets, ended) = (false, false);
        let ledger = Ledger::default();
        let _writer = writer;
        let begun = Self { key, files, mode, changed, ledger, forgets, ended, _writer, registry };
        if mode == Mode::Write {
            begun.bury_unfinished()?;
            // Should it fail, others go on asking the database.
            let _ = begun.files.settle_if_marked();
        }
        Ok(begun)
    }

    /// A process that was killed amid its commit may have left a whole transaction in the
    /// write-ahead log that nobody sees, until all processes are gone and SQLite recovers: then it
    /// is real after all. Its entries stand behind the end of our log. Before they are overwritten,
    /// a commit is written over that transaction.
    fn bury_unfinished(&self) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let Ok(found) = head::read(connection) else { return Ok(()) };
        let place = self.registry.of(self.key)?.place();
        if !place.log.of(found.generation).goes_on_behind(signing::end_of(&found)) {
            return Ok(());
        }
        head::touch(connection)?;
        execute(connection, "COMMIT")?;
        execute(connection, "BEGIN IMMEDIATE")
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.registry.connection(self.key)
    }

    fn change(&mut self, what: Changed) -> Result<(&Connection, &mut Ledger), StoreError> {
        if self.mode == Mode::Read {
            return Err(StoreError::ReadOnly);
        }
        self.changed = self.changed.max(what);
        Ok((self.registry.connection(self.key)?, &mut self.ledger))
    }

    /// A change that has to be signed.
    fn change_closed(&mut self, what: Changed) -> Result<&Connection, StoreError> {
        let (connection, ledger) = self.change(what)?;
        ledger.is_closed = true;
        Ok(connection)
    }

    /// Signs what was changed, or leaves it to be signed; both are real with the COMMIT.
    fn account(&mut self) -> Result<Option<Trusted>, StoreError> {
        let entry = self.registry.of(self.key)?;
        let connection = self.registry.connection(self.key)?;
        if matches!(self.ledger.signature, Signature::None) {
            self.ledger.leave_pending(connection)?;
            return Ok(None);
        }
        signing::sign(connection, entry.place(), &mut self.ledger).map(Some)
    }

    /// Remembers the head that was just made, and writes the tiles that it filled.
    fn settle(&self, trusted: Option<Trusted>) -> Result<(), StoreError> {
        let entry = self.registry.of(self.key)?;
        if let Some((head, _)) = &trusted {
            let log = entry.place().log.of(head.generation);
            // They can be made from the entries at any time.
            let _ = log.mend_tiles(head.size);
        }
        *entry.trusted.borrow_mut() = trusted;
        Ok(())
    }

    /// The last leaf of the head, if that is signed by this key.
    fn signed_leaf(&self, found: &Head, public: &[u8; 32]) -> Result<Vec<u8>, HeadFault> {
        let entry = self.registry.of(self.key)?;
        let known = entry.trusted.borrow();
        if let Some((head, leaf)) = known.as_ref() {
            if head == found && head.audit.public == *public {
                return Ok(leaf.clone());
            }
            if (found.generation, found.size) < (head.generation, head.size) {
                return Err(HeadFault::because("the log is shorter than it was"));
            }
        }
        drop(known);
        let leaf = signing::signed_leaf(self.connection()?, entry.place(), found, public)?;
        *entry.trusted.borrow_mut() = Some((found.clone(), leaf.clone()));
        if self.mode == Mode::Write && !entry.is_read_only() {
            // Whoever was killed after a commit may not have come to it.
            let _ = entry.place().log.of(found.generation).mend_tiles(found.size);
        }
        Ok(leaf)
    }

    fn commit_seen(&self) -> Result<(), StoreError> {
        self.files.mark()?;
        hit("store.marked");
        let committed = execute(self.connection()?, "COMMIT");
        hit("store.committed");
        // If this fails the mark stays, which costs others time and nothing else.
        let _ = self.files.settle();
        committed
    }

    fn roll_back(&mut self) {
        let rolled_back =
            self.connection().and_then(|connection| match connection.is_autocommit() {
                true => Ok(()),
                false => execute(connection, "ROLLBACK"),
            });
        if rolled_back.is_err()
            && let Ok(entry) = self.registry.entry(self.key)
        {
            entry.disconnect();
        }
    }
}

impl Drop for SqliteTransaction<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.roll_back();
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

impl Transaction for SqliteTransaction<'_> {
    fn token(&self) -> Result<TokenRecord, StoreError> {
        token::read(self.connection()?)
    }

    fn put_token(&mut self, record: &TokenRecord) -> Result<(), StoreError> {
        self.forgets = true;
        token::write(self.change_closed(Changed::Seen)?, record)
    }

    fn tries(&self, role: Role) -> Result<u32, StoreError> {
        token::tries(self.connection()?, role)
    }

    fn set_tries(&mut self, role: Role, left: u32) -> Result<(), StoreError> {
        token::set_tries(self.change(Changed::Unseen)?.0, role, left)
    }

    fn epoch_key(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        token::epoch_key(self.connection()?, epoch)
    }

    fn put_epoch_key(&mut self, epoch: u64, sealed: &[u8]) -> Result<(), StoreError> {
        token::put_epoch_key(self.change_closed(Changed::Seen)?, epoch, sealed)
    }

    fn forget_epochs(&mut self, but: u64) -> Result<(), StoreError> {
        self.forgets = true;
        token::forget_epochs(self.change_closed(Changed::Seen)?, but)
    }

    fn rewrap(
        &mut self,
        object: &StoredObject,
        data_key: Vec<u8>,
        epoch: u64,
    ) -> Result<(), StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        let rewrapped = StoredObject { data_key, epoch, ..object.clone() };
        objects::rewrap(connection, &rewrapped)?;
        ledger.replaced(connection, object, &rewrapped)
    }

    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError> {
        self.ledger.get(self.connection()?, id)
    }

    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
        super::find::find(self.connection()?, query)
    }

    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        let slot = ledger.new_slot(connection)?;
        objects::insert(connection, slot, object)?;
        ledger.added(connection, slot, object)?;
        Ok(slot)
    }

    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        let Some(old) = ledger.get(connection, &object.id)? else { return Ok(false) };
        if !objects::replace(connection, object)? {
            return Ok(false);
        }
        ledger.replaced(connection, &old, object)?;
        Ok(true)
    }

    fn remove(&mut self, id: &ObjectId) -> Result<bool, StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        let Some(old) = ledger.get(connection, id)? else { return Ok(false) };
        objects::remove(connection, id)?;
        ledger.removed(connection, &old)?;
        Ok(true)
    }

    fn clear_objects(&mut self) -> Result<(), StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        ledger.cleared();
        objects::clear(connection)
    }

    fn check_head(&self, public: &[u8; 32]) -> Result<CheckedHead, HeadFault> {
        let connection = self.connection()?;
        let place = self.registry.of(self.key)?.place();
        let found = head::read(connection)?;
        let leaf = signing::signed_leaf(connection, place, &found, public)?;
        let mut checked = signing::check(connection, place, &found, &leaf)?;
        let log = place.log.of(found.generation);
        checked.behind = log.check_newest(signing::end_of(&found), &found.frontier)?;
        let rows = head::count_objects(connection)?;
        checked.missing = found.slots.saturating_sub(rows);
        checked.surplus = rows.saturating_sub(found.slots);
        consistency::check(connection, &self.ledger, rows)?;
        Ok(checked)
    }

    fn check_state(&self, public: &[u8; 32]) -> Result<(), HeadFault> {
        let connection = self.connection()?;
        let found = head::read(connection)?;
        let leaf = self.signed_leaf(&found, public)?;
        signing::check_state(connection, &found, &leaf)
    }

    fn sign_with(&mut self, key: &Arc<AuditKey>) -> Result<(), HeadFault> {
        let found = head::read(self.connection()?)?;
        let signed = self.signed_leaf(&found, key.public()).and_then(|leaf| {
            let edge = found.edge_with(&leaf_hash(&leaf))?;
            Ok((leaf, edge))
        });
        let (leaf, edge) = match signed {
            Ok(signed) => signed,
            Err(fault) => {
                self.ledger.signature = Signature::Refused(fault.clone());
                return Err(fault);
            }
        };
        self.ledger.signature = Signature::Of(Arc::clone(key), edge);
        let place = self.registry.of(self.key)?.place();
        signing::check(self.connection()?, place, &found, &leaf).map(drop)
    }

    fn head(&self) -> Result<Head, StoreError> {
        head::read(self.connection()?)
    }

    fn append_leaf(&mut self, leaf: &[u8]) -> Result<(), StoreError> {
        self.change(Changed::Logged)?.1.leaves.push(leaf)
    }

    fn lanes(&self) -> Result<Vec<(LaneId, u64)>, StoreError> {
        head::lanes(self.connection()?)
    }

    fn put_lane(&mut self, lane: LaneId, records: u64) -> Result<(), StoreError> {
        head::put_lane(self.change_closed(Changed::Logged)?, lane, records)
    }

    fn remove_lane(&mut self, lane: LaneId) -> Result<(), StoreError> {
        head::remove_lane(self.change_closed(Changed::Logged)?, lane)
    }

    fn begin_generation(
        &mut self,
        audit: &AuditRecord,
        key: &Arc<AuditKey>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        let (audit, key, reason) = (audit.clone(), Arc::clone(key), reason.to_owned());
        ledger.signature = Signature::Anew(NewGeneration { audit, key, reason });
        head::clear_lanes(connection)
    }

    fn rebuild_state(&mut self) -> Result<(), StoreError> {
        let (connection, ledger) = self.change(Changed::Seen)?;
        ledger.rebuild(connection)
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        hit("store.before-commit");
        let made = match self.changed {
            Changed::Nothing | Changed::Unseen => None,
            Changed::Logged | Changed::Seen => self.account()?,
        };
        match self.changed {
            Changed::Seen => self.commit_seen()?,
            _ => execute(self.connection()?, "COMMIT")?,
        }
        self.ended = true;
        if made.is_some() {
            self.settle(made)?;
        }
        if self.forgets {
            connection::empty_write_ahead_log(self.connection()?, Duration::ZERO);
        }
        hit("store.after-commit");
        Ok(())
    }
}
