//! One transaction: the store lock, the writers' record lock, BEGIN to COMMIT or ROLLBACK, and
//! the generation around the commit.
//!
//! The order at a commit: mark the generation, COMMIT (SQLite syncs its log), move the generation.
//! A crash in between leaves the mark, and everyone asks the database until the next writer.

use std::sync::MutexGuard;

use rusqlite::Connection;

use super::files::TokenFiles;
use super::registry::{self, Registry};
use super::{connection, objects, token};
use crate::store::{
    Mode, ObjectId, Query, Role, StoreError, StoredObject, TokenRecord, Transaction,
};
use crate::system::failpoint::hit;
use crate::system::files::RecordLock;

/// What a transaction has changed so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    Nothing,
    /// Tries: nobody remembers them.
    Unseen,
    /// What others may remember.
    Seen,
}

/// Fields are dropped in this order: the record lock goes before the store lock.
pub(super) struct SqliteTransaction<'s> {
    key: u64,
    files: &'s TokenFiles,
    mode: Mode,
    changed: Changed,
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
        let begun = Self { key, files, mode, changed, forgets, ended, _writer: writer, registry };
        if mode == Mode::Write {
            // Should it fail, others go on asking the database.
            let _ = begun.files.settle_if_marked();
        }
        Ok(begun)
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.registry.connection(self.key)
    }

    fn change(&mut self, what: Changed) -> Result<&Connection, StoreError> {
        if self.mode == Mode::Read {
            return Err(StoreError::ReadOnly);
        }
        self.changed = self.changed.max(what);
        self.connection()
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
        token::write(self.change(Changed::Seen)?, record)
    }

    fn tries(&self, role: Role) -> Result<u32, StoreError> {
        token::tries(self.connection()?, role)
    }

    fn set_tries(&mut self, role: Role, left: u32) -> Result<(), StoreError> {
        token::set_tries(self.change(Changed::Unseen)?, role, left)
    }

    fn epoch_key(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        token::epoch_key(self.connection()?, epoch)
    }

    fn put_epoch_key(&mut self, epoch: u64, sealed: &[u8]) -> Result<(), StoreError> {
        token::put_epoch_key(self.change(Changed::Seen)?, epoch, sealed)
    }

    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError> {
        objects::get(self.connection()?, id)
    }

    fn version_of(&self, id: &ObjectId) -> Result<Option<u64>, StoreError> {
        objects::version_of(self.connection()?, id)
    }

    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
        super::find::find(self.connection()?, query)
    }

    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError> {
        objects::insert(self.change(Changed::Seen)?, object)
    }

    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError> {
        objects::replace(self.change(Changed::Seen)?, object)
    }

    fn remove(&mut self, id: &ObjectId) -> Result<bool, StoreError> {
        objects::remove(self.change(Changed::Seen)?, id)
    }

    fn clear_objects(&mut self) -> Result<(), StoreError> {
        objects::clear(self.change(Changed::Seen)?)
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        hit("store.before-commit");
        match self.changed {
            Changed::Nothing | Changed::Unseen => execute(self.connection()?, "COMMIT")?,
            Changed::Seen => self.commit_seen()?,
        }
        self.ended = true;
        if self.forgets {
            connection::empty_write_ahead_log(self.connection()?);
        }
        hit("store.after-commit");
        Ok(())
    }
}
