//! PINs and login. A try is counted down, and lasting, before a PIN is looked at.
//! PKCS#11 3.2, "C_Login", "C_InitPIN", "C_SetPIN", "C_InitToken".

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use crate::call::Function;
use crate::error::{Result, Rv};
use crate::secret::Secret;
use crate::store::attempt::Attempt;
use crate::store::lanes::Lane;
use crate::store::vault::{Vault, VaultError};
use crate::store::{Mode, PinRecord, Role, TokenRecord};

use super::Token;
use super::log::OpenedLog;
use super::note::Note;

/// The shortest PIN, in bytes.
pub const SHORTEST_PIN: u64 = 4;
/// The longest PIN, in bytes.
pub const LONGEST_PIN: u64 = 255;

/// A login: whose, and the keys that the PIN opened.
pub(super) struct Login {
    pub(super) role: Role,
    pub(super) vault: Arc<Vault>,
    /// Where uses of this process go; none where nothing can be written, or the log cannot be
    /// trusted.
    pub(super) lane: Option<Arc<Lane>>,
    /// Why the token cannot be trusted, if it cannot.
    pub(super) distrusted: Option<String>,
    /// A wrong PIN was counted since, in a context-specific login.
    miscounted: AtomicBool,
}

impl Login {
    fn log(&self) -> OpenedLog {
        OpenedLog { lane: self.lane.clone(), distrusted: self.distrusted.clone() }
    }
}

/// How many tries a PIN has left, as far as the token's flags tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tries {
    /// No wrong PIN since the last right one.
    All,
    /// At least one wrong PIN.
    Fewer,
    /// One more wrong PIN locks it.
    Last,
    /// Locked.
    None,
}

impl Tries {
    pub(super) const fn of(left: u32, most: u32) -> Self {
        match left {
            0 => Self::None,
            1 => Self::Last,
            _ if left < most => Self::Fewer,
            _ => Self::All,
        }
    }
}

/// Is a new PIN of a length that can be used?
///
/// # Errors
/// `CKR_PIN_LEN_RANGE`.
pub(crate) fn check_pin_length(pin: &Secret) -> Result<()> {
    match u64::try_from(pin.len()) {
        Ok(SHORTEST_PIN..=LONGEST_PIN) => Ok(()),
        _ => Err(Rv::PinLenRange.because("a PIN has 4 to 255 bytes")),
    }
}

fn pin_record(token: &TokenRecord, role: Role) -> Option<&PinRecord> {
    match role {
        Role::SecurityOfficer => Some(&token.so),
        Role::User => token.user.as_ref(),
    }
}

impl Token {
    pub(super) fn login(&self) -> RwLockReadGuard<'_, Option<Login>> {
        self.login.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn login_mut(&self) -> RwLockWriteGuard<'_, Option<Login>> {
        self.login.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, role: Role, vault: Arc<Vault>, log: OpenedLog) {
        let OpenedLog { lane, distrusted } = log;
        let miscounted = AtomicBool::new(false);
        self.set_login(Some(Login { role, vault, lane, distrusted, miscounted }));
        // What was opened without keys lacks its secret parts.
        self.table.close_opened();
    }

    /// C_Login, when nobody is logged in.
    ///
    /// # Errors
    /// `CKR_PIN_INCORRECT`, `CKR_PIN_LOCKED`, `CKR_USER_PIN_NOT_INITIALIZED`,
    /// `CKR_TOKEN_WRITE_PROTECTED` where tries cannot be counted, the store's.
    pub(crate) fn login_with(&self, note: &Note, role: Role, pin: &Secret) -> Result<()> {
        let _one_at_a_time = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let vault = Arc::new(self.check_pin(role, pin)?);
        let log = self.open_log(&vault)?;
        if log.distrusted.is_none() {
            self.raise_cost(note, role, pin, &vault)?;
        }
        self.enter(role, vault, log);
        self.record_findings();
        self.record(note, "CKR_OK").inspect_err(|_| self.logout())
    }

    /// The security officer's keys, without a login.
    pub(super) fn check_so_pin(&self, pin: &Secret) -> Result<Vault> {
        let _one_at_a_time = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_pin(Role::SecurityOfficer, pin)
    }

    /// Checks a PIN against a try. The caller holds `attempts`.
    fn check_pin(&self, role: Role, pin: &Secret) -> Result<Vault> {
        let store = self.store()?;
        let record = self.record_of_token()?;
        if pin_record(&record, role).is_none() {
            return Err(Rv::UserPinNotInitialized.because("the user has no PIN yet"));
        }
        if store.is_read_only() {
            return self.check_pin_uncounted(&record, role, pin);
        }
        match store.begin_attempt(role)? {
            Attempt::Locked => Err(Rv::PinLocked.because("no tries left")),
            Attempt::Allowed(counted) => {
                // Read again: while this attempt waited the PIN may have been changed.
                let vault = Vault::open(&self.record_of_token()?, role, pin, None)?;
                counted.succeed(self.settings.tries)?;
                Ok(vault)
            }
        }
    }

    fn check_pin_uncounted(&self, token: &TokenRecord, role: Role, pin: &Secret) -> Result<Vault> {
        if !self.settings.readonly_login {
            let why = "a wrong PIN cannot be counted here (pin.readonly = \"allow\" permits it)";
            return Err(Rv::TokenWriteProtected.because(why));
        }
        let left = match role {
            Role::SecurityOfficer => token.so_tries,
            Role::User => token.user_tries,
        };
        if left == 0 {
            return Err(Rv::PinLocked.because("no tries left"));
        }
        Ok(Vault::open(token, role, pin, None)?)
    }

    /// Keeps the PIN at the configured cost, if it was kept at a lower one.
    fn raise_cost(&self, note: &Note, role: Role, pin: &Secret, vault: &Arc<Vault>) -> Result<()> {
        if self.store()?.is_read_only() {
            return Ok(());
        }
        let token = self.record_of_token()?;
        let kept = pin_record(&token, role);
        let Some(rules) = kept.and_then(|kept| self.settings.raised(&kept.cost)) else {
            return Ok(());
        };
        let raised = vault.pin_record(role, pin, &rules)?;
        self.put_pin(note, role, raised, vault)
    }

    /// Writes a PIN record and gives all tries back.
    fn put_pin(&self, note: &Note, role: Role, pin: PinRecord, vault: &Arc<Vault>) -> Result<()> {
        let mut change = self.begin_change(note, Some(vault))?;
        let mut token = change.transaction.token()?;
        if token.instance != *vault.instance() {
            return Err(VaultError::Replaced.into());
        }
        match role {
            Role::SecurityOfficer => {
                token.so = pin;
                token.so_tries = self.settings.tries;
            }
            Role::User => {
                token.user = Some(pin);
                token.user_tries = self.settings.tries;
            }
        }
        change.transaction.put_token(&token)?;
        self.commit_change(change)
    }

    /// CKU_CONTEXT_SPECIFIC: the PIN of whoever is logged in, again. A right one costs no try
    /// and no Argon2; a wrong one is counted.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`, `CKR_PIN_INCORRECT`, `CKR_PIN_LOCKED`, the store's.
    pub(crate) fn check_pin_again(&self, pin: &Secret) -> Result<()> {
        let (role, vault) = match self.login().as_ref() {
            Some(login) => (login.role, Arc::clone(&login.vault)),
            None => return Err(Rv::UserNotLoggedIn.because("nobody is logged in")),
        };
        if vault.pin_check(pin) {
            return self.give_tries_back(role);
        }
        if self.store()?.is_read_only() {
            return Err(Rv::PinIncorrect.because("not the PIN of the login"));
        }
        let _one_at_a_time = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        self.note_mismatch(true);
        match self.store()?.count_mismatch(role)? {
            0 => Err(Rv::PinLocked.because("that was the last try")),
            _ => Err(Rv::PinIncorrect.because("not the PIN of the login")),
        }
    }

    fn note_mismatch(&self, miscounted: bool) -> bool {
        let login = self.login();
        login.as_ref().is_some_and(|login| login.miscounted.swap(miscounted, Ordering::Relaxed))
    }

    /// After a right PIN in a context-specific login: undoes what wrong ones before it cost.
    fn give_tries_back(&self, role: Role) -> Result<()> {
        if !self.note_mismatch(false) {
            return Ok(());
        }
        let mut transaction = self.store()?.begin(Mode::Write)?;
        transaction.set_tries(role, self.settings.tries)?;
        Ok(transaction.commit()?)
    }

    /// C_InitPIN, by the security officer: also how a locked user PIN is mended.
    ///
    /// # Errors
    /// `CKR_PIN_LEN_RANGE`, `CKR_USER_NOT_LOGGED_IN`, the store's.
    pub(crate) fn init_user_pin(&self, note: &Note, pin: &Secret) -> Result<()> {
        check_pin_length(pin)?;
        let vault = self.require_login()?;
        let record = vault.pin_record(Role::User, pin, &self.settings.pin_rules())?;
        self.put_pin(note, Role::User, record, &vault)
    }

    /// C_SetPIN. Who is logged in stays so.
    ///
    /// # Errors
    /// `CKR_PIN_LEN_RANGE`, `CKR_PIN_INCORRECT`, `CKR_PIN_LOCKED`,
    /// `CKR_USER_PIN_NOT_INITIALIZED`, the store's.
    pub(crate) fn change_pin(
        &self,
        note: &Note,
        role: Role,
        old: &Secret,
        new: &Secret,
    ) -> Result<()> {
        check_pin_length(new)?;
        let _one_at_a_time = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let vault = Arc::new(self.check_pin(role, old)?);
        let record = vault.pin_record(role, new, &self.settings.pin_rules())?;
        self.put_pin(note, role, record, &vault)?;
        if self.role() == Some(role) {
            // The context-specific login compares with the PIN of the login: from now the new.
            let vault = Arc::new(Vault::open(&self.record_of_token()?, role, new, None)?);
            let log = self.login().as_ref().map(Login::log).unwrap_or_default();
            self.enter(role, vault, log);
        }
        Ok(())
    }

    /// C_InitToken on a token that is initialised: everything on it goes, the serial number and
    /// the slot stay.
    ///
    /// # Errors
    /// `CKR_PIN_INCORRECT`, `CKR_PIN_LOCKED`, `CKR_TOKEN_WRITE_PROTECTED`, the store's.
    pub(crate) fn initialize_again(&self, so_pin: &Secret, label: &[u8; 32]) -> Result<()> {
        let _one_at_a_time = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if self.store()?.is_read_only() {
            return Err(Rv::TokenWriteProtected.because("nothing can be changed on this token"));
        }
        let note = Note::of(Function::InitToken, 0, None);
        self.check_pin(Role::SecurityOfficer, so_pin)
            .inspect_err(|error| drop(self.record(&note, error.rv.name())))?;
        let rules = self.settings.pin_rules();
        let (new, _vault) = Vault::create(&self.serial, *label, so_pin, &rules)?;
        let mut transaction = self.store()?.begin(Mode::Write)?;
        transaction.initialise(&new)?;
        transaction.append_leaf(&self.change_leaf(&note))?;
        transaction.commit()?;
        self.was_replaced();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Tries;

    #[test]
    fn tries_are_told_apart_as_the_flags_want() {
        assert_eq!(Tries::of(10, 10), Tries::All);
        assert_eq!(Tries::of(9, 10), Tries::Fewer);
        assert_eq!(Tries::of(1, 10), Tries::Last);
        assert_eq!(Tries::of(1, 1), Tries::Last);
        assert_eq!(Tries::of(0, 10), Tries::None);
    }
}
