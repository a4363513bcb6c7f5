//! Every SQLite connection of this process, under one lock that crosses forks.
//!
//! All use of SQLite happens under this lock, so a fork, which takes it, never meets a statement
//! under way; and a child can find, and close, what it inherited. Also the one place that opens
//! and closes a token's lock files: at most one descriptor each in a process.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};

use rusqlite::Connection;

use super::connection;
use super::files::{Identity, TokenFiles};
use super::signing::{Place, Trusted};
use crate::store::StoreError;
use crate::store::log::LogFiles;
use crate::system::files::{Access, is_writable, opened_twice};
use crate::system::fork::ForkLock;

static REGISTRY: ForkLock<Registry> = ForkLock::new(Registry::new());

/// The store lock, last in the order of locks: under it only record locks are waited for.
pub(super) fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock()
}

/// For the prepare hook of a fork.
pub(crate) fn hold_for_fork() {
    REGISTRY.hold_for_fork();
}

/// For the parent and child hooks of a fork.
pub(crate) fn release_after_fork() {
    REGISTRY.release_after_fork();
}

/// In a forked child, before it opens anything: closes the parent's connections. Stores of the
/// parent answer `Missing` from then on; their lock files, which nobody but them could close, are
/// used again if the child opens the same token.
pub(crate) fn close_inherited() {
    let mut registry = lock();
    for mut entry in std::mem::take(&mut registry.entries) {
        if let Some(connection) = entry.connection.take() {
            connection::close_inherited(connection);
        }
        registry.keep(entry.files);
    }
}

/// True if another copy of this library in this process has one of these tokens open.
pub(crate) fn another_copy_uses(directories: &[PathBuf]) -> bool {
    let registry = lock();
    let own = || registry.entries.iter().map(|entry| &entry.files).chain(&registry.kept);
    let open = Identity::of_open_files();
    directories.iter().any(|directory| {
        let Ok(file) = Identity::of_path(&directory.join("token.lock")) else { return false };
        let descriptors = open.iter().filter(|identity| **identity == file).count();
        descriptors > usize::from(own().any(|files| files.belong_to(directory)))
    })
}

/// The open tokens of this process.
pub(super) struct Registry {
    entries: Vec<Entry>,
    /// Lock files that somebody else still holds open; never to be opened a second time.
    kept: Vec<Arc<TokenFiles>>,
    last_key: u64,
}

/// One open token, however many stores there are for it.
pub(super) struct Entry {
    key: u64,
    directory: PathBuf,
    database: Identity,
    files: Arc<TokenFiles>,
    connection: Option<Connection>,
    /// The process that opened it. In a forked child only `close_inherited` may touch it.
    process: u32,
    read_only: bool,
    only_looks: bool,
    /// What a read-only token's generation was when its connection was opened.
    opened_at: Option<u64>,
    users: usize,
    place: Place,
    /// The head that was checked or made last.
    pub(super) trusted: RefCell<Option<Trusted>>,
}

/// What a new store needs to know.
pub(super) struct Opened {
    pub(super) key: u64,
    pub(super) files: Arc<TokenFiles>,
    pub(super) read_only: bool,
}

impl Registry {
    const fn new() -> Self {
        Self { entries: Vec::new(), kept: Vec::new(), last_key: 0 }
    }

    /// Opens a token, or shares it if this process has it open. Who only looks at one that it may
    /// not write to sees also what its writers have not written back yet.
    pub(super) fn open(
        &mut self,
        directory: PathBuf,
        access: Access,
        only_looks: bool,
    ) -> Result<Opened, StoreError> {
        let database = Identity::of_path(&directory.join("token.db"))?;
        let known = self.entries.iter_mut().find(|entry| entry.database == database);
        if let Some(entry) = known {
            entry.check_process()?;
            entry.files.check_present()?;
            entry.users = entry.users.saturating_add(1);
            return Ok(entry.opened());
        }
        let read_only = !may_write(&directory);
        let files = self.files(&directory, access, read_only)?;
        self.last_key = self.last_key.saturating_add(1);
        let log = LogFiles::new(directory.clone(), access);
        let place = Place { log, inode: database.inode() };
        let mut entry = Entry {
            key: self.last_key,
            directory,
            database,
            files,
            connection: None,
            process: std::process::id(),
            read_only,
            only_looks,
            opened_at: None,
            users: 1,
            place,
            trusted: RefCell::new(None),
        };
        if let Err(error) = entry.connect() {
            self.keep(entry.files);
            return Err(error);
        }
        let opened = entry.opened();
        self.entries.push(entry);
        Ok(opened)
    }

    fn files(
        &mut self,
        directory: &Path,
        access: Access,
        read_only: bool,
    ) -> Result<Arc<TokenFiles>, StoreError> {
        if read_only {
            return Ok(Arc::new(TokenFiles::open_read_only(directory)));
        }
        let known = self.kept.iter().position(|files| files.belong_to(directory));
        let files = match known {
            Some(place) => self.kept.swap_remove(place),
            None => Arc::new(TokenFiles::open(directory, access)?),
        };
        if files.lock_file().is_some_and(opened_twice) {
            // Closing ours would drop the locks that the other copy holds.
            self.kept.push(files);
            return Err(StoreError::Io(
                "a second copy of this library in this process has the token open".to_owned(),
            ));
        }
        Ok(files)
    }

    /// Closes lock files, unless a store that was lost in a fork has them as well.
    fn keep(&mut self, files: Arc<TokenFiles>) {
        if Arc::strong_count(&files) > 1 {
            self.kept.push(files);
        }
    }

    /// The open token with this key.
    pub(super) fn entry(&mut self, key: u64) -> Result<&mut Entry, StoreError> {
        let entry = self.entries.iter_mut().find(|entry| entry.key == key);
        let entry = entry.ok_or(StoreError::Missing)?;
        entry.check_process()?;
        Ok(entry)
    }

    /// The connection of a transaction under way.
    pub(super) fn connection(&self, key: u64) -> Result<&Connection, StoreError> {
        self.of(key)?.connection.as_ref().ok_or(StoreError::Missing)
    }

    /// The token of a transaction under way.
    pub(super) fn of(&self, key: u64) -> Result<&Entry, StoreError> {
        self.entries.iter().find(|entry| entry.key == key).ok_or(StoreError::Missing)
    }

    /// A store is done with its token; the last one closes it. The store has let go of its
    /// files by then.
    pub(super) fn release(&mut self, key: u64) {
        let Some(place) = self.entries.iter().position(|entry| entry.key == key) else { return };
        if let Some(entry) = self.entries.get_mut(place) {
            entry.users = entry.users.saturating_sub(1);
            if entry.users > 0 || entry.check_process().is_err() {
                return;
            }
        }
        let mut entry = self.entries.swap_remove(place);
        entry.disconnect();
        self.keep(entry.files);
    }
}

impl Entry {
    fn opened(&self) -> Opened {
        Opened { key: self.key, files: Arc::clone(&self.files), read_only: self.read_only }
    }

    fn check_process(&self) -> Result<(), StoreError> {
        if self.process == std::process::id() { Ok(()) } else { Err(StoreError::Missing) }
    }

    pub(super) const fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub(super) const fn users(&self) -> usize {
        self.users
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// The connection, opened again if an error closed it.
    pub(super) fn connect(&mut self) -> Result<&Connection, StoreError> {
        let path = self.directory.join("token.db");
        if self.read_only {
            self.refresh(&path);
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None if self.read_only => {
                self.opened_at = self.files.generation();
                match self.only_looks && connection::has_write_ahead_log(&path) {
                    true => connection::open_beside_writers(&path)?,
                    false => connection::open_immutable(&path)?,
                }
            }
            None => connection::open(&path)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// An immutable connection sees no changes: it is opened anew after each.
    fn refresh(&mut self, path: &Path) {
        let still = self.opened_at.is_some() && self.opened_at == self.files.generation();
        if !still || connection::has_write_ahead_log(path) {
            self.disconnect();
        }
    }

    /// Closes the connection; the next transaction opens another.
    pub(super) fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection::close(connection);
        }
    }
}

fn may_write(directory: &Path) -> bool {
    is_writable(directory) && is_writable(&directory.join("token.db"))
}
