//! One token: who is logged in, its objects, its store.
//!
//! The store opens at first use, so that C_Initialize costs the same however many tokens there
//! are. Sessions are not known here: the provider says on whose behalf something is done.

mod finding;
pub(crate) mod journal;
pub(crate) mod keys;
pub mod login;
pub mod objects;
pub mod policy;
mod quarantine;
mod sealed;
pub mod settings;
mod table;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use crate::error::{Result, Rv};
use crate::secret::Secret;
use crate::store::sqlite::SqliteStore;
use crate::store::vault::Vault;
use crate::store::{Mode, Role, Store, TokenRecord};

use login::{Login, Tries};
use quarantine::Quarantine;
use settings::Settings;
use table::Table;

const NOBODY: u8 = 0;
const USER: u8 = 1;
const SECURITY_OFFICER: u8 = 2;

/// An initialised token. `attempts` and `opening` are taken before the store's lock; `login` and
/// the table's locks are leaves, taken for a moment and with nothing locked under them.
pub struct Token {
    serial: String,
    directory: PathBuf,
    settings: Settings,
    /// Held over a PIN attempt: a record lock does not part the threads of one process.
    attempts: Mutex<()>,
    login: RwLock<Option<Login>>,
    /// Whose login it is, for the many who ask that only; written under `login`'s lock.
    role: AtomicU8,
    table: Table,
    quarantine: Quarantine,
    opening: Mutex<()>,
    store: OnceLock<SqliteStore>,
}

impl Token {
    /// A token whose files may or may not be there yet; nothing is opened.
    pub(crate) fn new(
        serial: String,
        directory: PathBuf,
        settings: Settings,
        next_object: Arc<AtomicU64>,
    ) -> Self {
        Self {
            serial,
            directory,
            settings,
            attempts: Mutex::new(()),
            login: RwLock::new(None),
            role: AtomicU8::new(NOBODY),
            table: Table::new(next_object),
            quarantine: Quarantine::default(),
            opening: Mutex::new(()),
            store: OnceLock::new(),
        }
    }

    /// 16 hexadecimal digits.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Makes the token's files, all or none.
    pub(crate) fn make_files(&self, so_pin: &Secret, label: &[u8; 32]) -> Result<()> {
        let rules = self.settings.pin_rules();
        let (new, _vault) = Vault::create(&self.serial, *label, so_pin, &rules)?;
        let tokens = self.directory.parent();
        let tokens = tokens.ok_or_else(|| Rv::DeviceError.because("no data directory"))?;
        let made = SqliteStore::create(tokens, &new, self.settings.opening())?;
        // The first user of the token object; a second one cannot be there yet.
        let _ = self.store.set(made);
        Ok(())
    }

    /// The store, opened once.
    fn store(&self) -> Result<&dyn Store> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let opened = SqliteStore::open(&self.directory, self.settings.opening())?;
        Ok(self.store.get_or_init(|| opened))
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

    fn set_login(&self, login: Option<Login>) {
        let role = match login.as_ref().map(|login| login.role) {
            None => NOBODY,
            Some(Role::User) => USER,
            Some(Role::SecurityOfficer) => SECURITY_OFFICER,
        };
        let mut place = self.login.write().unwrap_or_else(PoisonError::into_inner);
        *place = login;
        self.role.store(role, Ordering::Release);
    }

    /// The keys of whoever is logged in.
    fn vault(&self) -> Option<Arc<Vault>> {
        self.login().as_ref().map(|login| Arc::clone(&login.vault))
    }

    /// C_Logout, and whatever else ends a login.
    pub fn logout(&self) {
        self.set_login(None);
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
