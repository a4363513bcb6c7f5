//! The store of a token in a directory of its own, `<tokens>/<serial>/`: `token.db`, `-wal` and
//! `-shm` hold everything that lasts; for `token.lock` and `generation` see `files`.
//!
//! A `SqliteStore` holds a key into the process's registry of connections, never a connection:
//! forks need all of them in one place. Only SQLite opens `token.db` while it is in use.

mod connection;
mod consistency;
mod error;
mod files;
mod find;
mod head;
mod ledger;
mod objects;
mod registry;
mod signing;
mod token;
mod transaction;

#[cfg(test)]
mod tests;

pub(crate) use registry::{another_copy_uses, close_inherited, hold_for_fork, release_after_fork};

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::files::{Identity, TokenFiles};
use self::signing::Place;
use self::transaction::SqliteTransaction;
use super::history::{self, LogHistory};
use super::log::LogFiles;
use super::{AttemptLock, Mode, NewToken, Store, StoreError, Transaction};
use crate::audit::history::History;
use crate::system::failpoint::hit;
use crate::system::files::{
    Access, LockKind, make_directory, open_or_create, shared_file_system, sync_directory,
};

/// How long readers are waited for who stand in the way of forgetting.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 10_000 });

/// How token directories are used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) access: Access,
    /// Network and user-space file systems are allowed: `store.shared_fs`.
    pub(crate) shared_fs: bool,
}

/// The store of one token directory. Two of them for the same directory share a connection.
pub(crate) struct SqliteStore {
    key: u64,
    /// Let go of in `drop`, before the registry decides what to close.
    files: Option<Arc<TokenFiles>>,
    read_only: bool,
}

impl SqliteStore {
    /// Opens the token in this directory.
    pub(crate) fn open(directory: &Path, opening: Opening) -> Result<Self, StoreError> {
        Self::open_for(directory, opening, false)
    }

    /// Opens it for somebody who only looks, and perhaps may not do more.
    pub(crate) fn open_to_look(directory: &Path, opening: Opening) -> Result<Self, StoreError> {
        Self::open_for(directory, opening, true)
    }

    fn open_for(directory: &Path, opening: Opening, only_looks: bool) -> Result<Self, StoreError> {
        refuse_shared(directory, opening)?;
        let directory = directory.canonicalize()?;
        let opened = registry::lock().open(directory, opening.access, only_looks)?;
        Ok(Self { key: opened.key, files: Some(opened.files), read_only: opened.read_only })
    }

    /// Makes a token in a new directory, named by its serial, among the other tokens.
    ///
    /// It is made whole under another name and then renamed: there is never half a token.
    pub(crate) fn create(
        tokens: &Path,
        token: &NewToken,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        let serial = token.record.serial.as_str();
        if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(StoreError::Io("a serial number is letters and digits".to_owned()));
        }
        make_directory(tokens, opening.access)?;
        refuse_shared(tokens, opening)?;
        let tokens = tokens.canonicalize()?;
        let unfinished = tokens.join(format!(".new-{serial}"));
        fs::DirBuilder::new().mode(0o700).create(&unfinished)?;
        let finished = tokens.join(serial);
        let made = fill(&unfinished, token, opening).and_then(|()| {
            hit("store.create.before-rename");
            fs::rename(&unfinished, &finished)?;
            hit("store.create.renamed");
            Ok(sync_directory(&tokens)?)
        });
        if let Err(error) = made {
            // What is left of it has no name that anybody looks for.
            let _ = fs::remove_dir_all(&unfinished);
            return Err(error);
        }
        Self::open(&finished, opening)
    }

    /// Removes the token and everything in it. Refused while this process uses it elsewhere;
    /// other processes find it `Missing` at their next transaction.
    pub(crate) fn destroy(self) -> Result<(), StoreError> {
        let files = self.files()?;
        let mut registry = registry::lock();
        let entry = registry.entry(self.key)?;
        if entry.users() > 1 {
            return Err(StoreError::Busy);
        }
        let writer = files.lock_writer()?;
        files.check_present()?;
        let directory = entry.directory().to_owned();
        let name = directory.file_name().ok_or(StoreError::Missing)?;
        let parent = directory.parent().ok_or(StoreError::Missing)?;
        let mut gone = std::ffi::OsString::from(".gone-");
        gone.push(name);
        let gone = parent.join(gone);
        // Whoever remembers something of this token asks its database again, and finds it gone.
        files.mark()?;
        if let Err(error) = fs::rename(&directory, &gone) {
            files.settle()?;
            return Err(error.into());
        }
        hit("store.destroy.renamed");
        sync_directory(parent)?;
        entry.disconnect();
        fs::remove_dir_all(&gone)?;
        drop(writer);
        Ok(())
    }

    /// Where the token's files are.
    pub(crate) fn directory(&self) -> Result<PathBuf, StoreError> {
        Ok(registry::lock().of(self.key)?.directory().to_owned())
    }

    fn files(&self) -> Result<&TokenFiles, StoreError> {
        self.files.as_deref().ok_or(StoreError::Missing)
    }
}

impl Store for SqliteStore {
    fn generation(&self) -> Option<u64> {
        self.files.as_ref()?.generation()
    }

    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction + '_>, StoreError> {
        if self.read_only && mode == Mode::Write {
            return Err(StoreError::ReadOnly);
        }
        Ok(Box::new(SqliteTransaction::begin(self.key, self.files()?, mode)?))
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn history(&self) -> Result<Box<dyn History + '_>, StoreError> {
        Ok(Box::new(LogHistory::new(self.directory()?)))
    }

    fn publish(&self, checkpoint: &str) -> Result<(), StoreError> {
        SqliteTransaction::begin(self.key, self.files()?, Mode::Write)?.publish(checkpoint)
    }

    fn keep_witnessed(&self, checkpoint: &str) -> Result<(), StoreError> {
        SqliteTransaction::begin(self.key, self.files()?, Mode::Write)?.keep_witnessed(checkpoint)
    }

    fn witnessed(&self, generation: u64) -> Option<String> {
        history::witnessed(&self.directory().ok()?, generation)
    }

    fn lock_attempts(&self, kind: LockKind) -> Result<AttemptLock<'_>, StoreError> {
        Ok(AttemptLock { _lock: Some(self.files()?.lock_attempts(kind)?) })
    }

    fn forget_replaced(&self) -> Result<bool, StoreError> {
        if self.read_only {
            // It would not have been opened with a write-ahead log.
            return Ok(true);
        }
        let files = self.files()?;
        let mut registry = registry::lock();
        let entry = registry.entry(self.key)?;
        let _writer = files.lock_writer()?;
        files.check_present()?;
        hit("store.before-forget");
        Ok(connection::empty_write_ahead_log(entry.connect()?, PATIENCE))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let mut registry = registry::lock();
        self.files = None;
        registry.release(self.key);
    }
}

fn refuse_shared(path: &Path, opening: Opening) -> Result<(), StoreError> {
    match shared_file_system(path) {
        Some(kind) if !opening.shared_fs => Err(StoreError::Io(format!(
            "{} is on {kind}, where locks cannot be trusted; store.shared_fs = true allows it",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Makes the files of a token. SQLite gives its own files the mode of `token.db`.
fn fill(directory: &Path, token: &NewToken, opening: Opening) -> Result<(), StoreError> {
    let Opening { access, .. } = opening;
    if let Access::Group(group) = access {
        std::os::unix::fs::chown(directory, None, Some(group))?;
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(access.directory_mode()))?;
    let files = TokenFiles::open(directory, access)?;
    files.settle()?;
    let path = directory.join("token.db");
    drop(open_or_create(&path, access)?);
    let log = LogFiles::new(directory.to_owned(), access);
    let place = Place { log, inode: Identity::of_path(&path)?.inode() };
    let registry = registry::lock();
    let connection = connection::create(&path)?;
    let written = write_token(&connection, &place, token);
    connection::close(connection);
    drop(registry);
    written?;
    Ok(sync_directory(directory)?)
}

fn write_token(
    connection: &rusqlite::Connection,
    place: &Place,
    new: &NewToken,
) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    token::write(connection, &new.record)?;
    token::put_epoch_key(connection, new.record.epoch, &new.epoch_key)?;
    signing::begin(connection, place, &new.record, &new.audit_key)?;
    Ok(connection.execute_batch("COMMIT")?)
}
