//! One token: who is logged in, its objects, its store.
//!
//! The store opens at first use, so that C_Initialize costs the same however many tokens there
//! are. Sessions are not known here: the provider says on whose behalf something is done.

mod adding;
pub(crate) mod anchoring;
mod bundle;
mod finding;
mod journal;
pub(crate) mod keys;
mod log;
pub mod login;
pub(crate) mod note;
pub mod objects;
pub mod policy;
mod quarantine;
pub(crate) mod rotation;
mod sealed;
pub mod settings;
mod table;
mod trust;
pub(crate) mod uses;
pub(crate) mod versions;
pub(crate) mod view;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use crate::error::{Result, Rv};
use crate::object::class::{AllDefaults, profiles};
use crate::secret::Secret;
use crate::store::memory::Memory;
use crate::store::memory::lines::LineFile;
use crate::store::sqlite::SqliteStore;
use crate::store::vault::Vault;
use crate::store::{Mode, Role, Store, TokenRecord};

use anchoring::Anchored;
use login::{Login, Tries};
use quarantine::Quarantine;
use settings::Settings;
use table::Table;

const NOBODY: u8 = 0;
const USER: u8 = 1;
const SECURITY_OFFICER: u8 = 2;

/// Where a token is kept.
pub(crate) enum Home {
    /// In a directory of its own.
    Directory(PathBuf),
    /// In this process, and its log in a file or nowhere.
    Memory(Option<Arc<LineFile>>),
}

/// An initialised token. `attempts`, `sealing`, `anchored` and `opening` are taken in this order
/// and before the store's lock; `login`, `warnings` and the locks in `defaults` and `table` are
/// leaves, taken for a moment and with nothing locked under them.
pub struct Token {
    serial: String,
    home: Home,
    settings: Settings,
    /// Held over a PIN attempt: a record lock does not part the threads of one process.
    attempts: Mutex<()>,
    login: RwLock<Option<Login>>,
    /// Whose login it is, for the many who ask that only; written under `login`'s lock.
    role: AtomicU8,
    table: Table,
    defaults: AllDefaults,
    /// Held while anchors are asked.
    anchored: Mutex<Anchored>,
    /// What anchors had to say that stopped nothing.
    warnings: Mutex<Vec<String>>,
    quarantine: Quarantine,
    opening: Mutex<()>,
    /// Held while records of this process are put into the log.
    sealing: Mutex<()>,
    store: OnceLock<Box<dyn Store>>,
}

impl Token {
    /// A token that may or may not be made yet; nothing is opened.
    pub(crate) fn new(
        serial: String,
        home: Home,
        settings: Settings,
        next_object: Arc<AtomicU64>,
    ) -> Self {
        Self {
            serial,
            home,
            settings,
            attempts: Mutex::new(()),
            login: RwLock::new(None),
            role: AtomicU8::new(NOBODY),
            table: Table::new(next_object, profiles::claimed()),
            defaults: AllDefaults::default(),
            anchored: Mutex::default(),
            warnings: Mutex::default(),
            quarantine: Quarantine::default(),
            opening: Mutex::new(()),
            sealing: Mutex::new(()),
            store: OnceLock::new(),
        }
    }

    /// 16 hexadecimal digits.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Makes the token, with all of its files or none.
    pub(crate) fn make(&self, so_pin: &Secret, label: &[u8; 32]) -> Result<()> {
        let rules = self.settings.pin_rules();
        let (new, _vault) = Vault::create(&self.serial, *label, so_pin, &rules)?;
        let made: Box<dyn Store> = match &self.home {
            Home::Memory(lines) => Box::new(Memory::new(new, lines.clone())?),
            Home::Directory(directory) => {
                let tokens = directory.parent();
                let tokens = tokens.ok_or_else(|| Rv::DeviceError.because("no data directory"))?;
                Box::new(SqliteStore::create(tokens, &new, self.settings.opening())?)
            }
        };
        // The first user of the token object; a second one cannot be there yet.
        let _ = self.store.set(made);
        Ok(())
    }

    /// The store, opened once.
    fn store(&self) -> Result<&dyn Store> {
        if let Some(store) = self.store.get() {
            return Ok(&**store);
        }
        let Home::Directory(directory) = &self.home else {
            return Err(Rv::DeviceRemoved.because("the token was never made"));
        };
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(&**store);
        }
        let opened = SqliteStore::open(directory, self.settings.opening())?;
        Ok(&**self.store.get_or_init(|| Box::new(opened)))
    }

    /// The token's record as it stands now.
    pub(crate) fn record_of_token(&self) -> Result<TokenRecord> {
        Ok(self.store()?.begin(Mode::Read)?.token()?)
    }

    /// True if nothing can be changed.
    ///
    /// # Errors
    /// The store's.
    pub fn is_read_only(&self) -> Result<bool> {
        Ok(self.store()?.is_read_only())
    }

    /// How many tries a count stands for.
    #[must_use]
    pub fn tries_of(&self, left: u32) -> Tries {
        Tries::of(left, self.settings.tries)
    }

    /// Who is logged in.
    pub(crate) fn role(&self) -> Option<Role> {
        match self.role.load(Ordering::Acquire) {
            USER => Some(Role::User),
            SECURITY_OFFICER => Some(Role::SecurityOfficer),
            _ => None,
        }
    }

    /// Puts a login in the place of another, which it gives.
    fn set_login(&self, login: Option<Login>) -> Option<Login> {
        let role = match login.as_ref().map(|login| login.role) {
            None => NOBODY,
            Some(Role::User) => USER,
            Some(Role::SecurityOfficer) => SECURITY_OFFICER,
        };
        let mut place = self.login_mut();
        let before = std::mem::replace(&mut *place, login);
        self.role.store(role, Ordering::Release);
        before
    }

    /// The keys of whoever is logged in.
    pub(crate) fn vault(&self) -> Option<Arc<Vault>> {
        self.login().as_ref().map(|login| Arc::clone(&login.vault))
    }

    /// C_Logout, and whatever else ends a login.
    pub fn logout(&self) {
        if let Some(login) = self.set_login(None) {
            self.close_log(&login);
        }
        self.quarantine.clear();
        self.table.forget_private();
    }

    /// Destroys the session objects of a session that ends.
    pub fn end_session(&self, session: u64) {
        self.table.end_session(session);
    }

    /// Another process initialised the token anew: nothing that was known of it is true.
    fn was_replaced(&self) {
        self.logout();
        self.table.forget_stored();
    }

    fn require_login(&self) -> Result<Arc<Vault>> {
        self.vault().ok_or_else(|| Rv::UserNotLoggedIn.because("keys on the token need a login"))
    }
}
