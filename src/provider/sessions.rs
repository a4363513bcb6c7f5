//! Sessions and login. PKCS#11 3.2, "Session management functions".

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Result, Rv};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::state::{Access, LoggedIn, SessionState};
use crate::store::Role;
use crate::token::Token;
use crate::token::note::Context;

use super::access::logged_in;
use super::{Call, OpenSession, Provider};

/// Who logs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserType {
    /// CKU_SO.
    SecurityOfficer,
    /// CKU_USER.
    User,
    /// CKU_CONTEXT_SPECIFIC: the PIN again, for one operation.
    ContextSpecific,
}

/// What a caller says about the calls of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ContextKind {
    /// The trace that they are a part of.
    Trace,
    /// Its name for what is done.
    Operation,
    /// On whose behalf.
    Actor,
}

impl Provider {
    /// Says something about the calls of a session, or takes it back.
    ///
    /// # Errors
    /// `CKR_SESSION_HANDLE_INVALID`.
    pub(crate) fn set_context(
        &self,
        session: u64,
        kind: ContextKind,
        text: Option<String>,
    ) -> Result<()> {
        let open = self.session(session)?;
        let mut place = open.context.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = place.as_deref().cloned().unwrap_or_default();
        match kind {
            ContextKind::Trace => context.trace = text,
            ContextKind::Operation => context.op = text,
            ContextKind::Actor => context.actor = text,
        }
        *place = (context != Context::default()).then(|| Arc::new(context));
        Ok(())
    }

    /// C_OpenSession; the new session's handle.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, `CKR_TOKEN_NOT_RECOGNIZED` for a token that is not initialised,
    /// `CKR_TOKEN_WRITE_PROTECTED`, `CKR_SESSION_READ_WRITE_SO_EXISTS`, the store's.
    pub fn open_session(&self, slot: u64, access: Access) -> Result<u64> {
        let token = self.token_in(slot)?;
        if access == Access::ReadWrite && token.is_read_only()? {
            return Err(Rv::TokenWriteProtected.because("nothing can be changed on this token"));
        }
        let handle = self.next_session.fetch_add(1, Ordering::Relaxed);
        let configuration = self.configuration_of(&token)?;
        let session = Session::new(handle, access);
        let open = OpenSession {
            session,
            slot,
            token: Arc::clone(&token),
            offers: self.offers(slot)?,
            view: self.watch.view(configuration),
            octet_points: self.watch.octet_points(configuration),
            last_key: Mutex::default(),
            context: Mutex::default(),
        };
        self.sessions.insert(Arc::new(open));
        // Looked at after the session is in the table: a security officer who logs in at the
        // same time looks at the table after the login, so one of the two sees the other.
        if access == Access::ReadOnly && logged_in(&token) == LoggedIn::SecurityOfficer {
            self.sessions.remove(handle);
            let why = "the security officer is logged in, and only in read/write sessions";
            return Err(Rv::SessionReadWriteSoExists.because(why));
        }
        Ok(handle)
    }

    /// C_CloseAllSessions.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`.
    pub fn close_all_sessions(&self, slot: u64) -> Result<()> {
        let slot = self.slot(slot)?;
        let closed = self.sessions.take(|open| open.slot == slot.id);
        for open in &closed {
            open.end();
        }
        if let Some(open) = closed.first() {
            open.token.logout();
        }
        Ok(())
    }

    /// The sessions of a token.
    fn sessions_on(&self, token: &Arc<Token>) -> Vec<Arc<OpenSession>> {
        self.sessions.all(|open| Arc::ptr_eq(&open.token, token))
    }
}

impl OpenSession {
    /// Ends what the session was doing, and the objects that lived in it.
    fn end(&self) {
        self.session.operations().cancel_all();
        self.token.end_session(self.session.handle);
    }
}

impl Call<'_> {
    /// C_CloseSession. The last session to close logs out.
    ///
    /// # Errors
    /// `CKR_SESSION_HANDLE_INVALID` if another thread was faster.
    pub fn close_session(&self) -> Result<()> {
        if self.provider.sessions.remove(self.open.session.handle).is_none() {
            return Err(Rv::SessionHandleInvalid.because("closed by another thread"));
        }
        self.open.end();
        if self.provider.sessions_on(&self.open.token).is_empty() {
            self.open.token.logout();
        }
        Ok(())
    }

    /// C_GetSessionInfo: the slot and the state.
    ///
    /// # Errors
    /// None but a bug.
    pub fn session_info(&self) -> Result<(u64, SessionState)> {
        Ok((self.open.slot, self.open.state()?))
    }

    /// C_Login and C_LoginUser.
    ///
    /// # Errors
    /// The standard's, by the tables of the login state; the store's.
    pub fn login(&self, user: UserType, pin: &Secret) -> Result<()> {
        let done = self.log_in(user, pin);
        self.tell_warnings();
        done
    }

    /// What anchors had to say goes to the diagnostic log.
    fn tell_warnings(&self) {
        for why in self.token().take_warnings() {
            self.provider.diagnostics.remark(self.function, &why);
        }
    }

    fn log_in(&self, user: UserType, pin: &Secret) -> Result<()> {
        match user {
            UserType::ContextSpecific => self.login_again(pin),
            UserType::User => self.login_as(Role::User, pin),
            UserType::SecurityOfficer => {
                self.refuse_read_only_sessions()?;
                self.login_as(Role::SecurityOfficer, pin)?;
                self.refuse_read_only_sessions().inspect_err(|_| self.token().logout())
            }
        }
    }

    fn refuse_read_only_sessions(&self) -> Result<()> {
        let sessions = self.provider.sessions_on(&self.open.token);
        if sessions.iter().any(|open| open.session.access == Access::ReadOnly) {
            let why = "a read-only session is open, and the SO has read/write ones only";
            return Err(Rv::SessionReadOnlyExists.because(why));
        }
        Ok(())
    }

    fn login_as(&self, role: Role, pin: &Secret) -> Result<()> {
        match self.token().role() {
            Some(present) if present == role => {
                Err(Rv::UserAlreadyLoggedIn.because("logged in already"))
            }
            Some(_) => Err(Rv::UserAnotherAlreadyLoggedIn.because("somebody else is logged in")),
            None => self.token().login_with(&self.note, role, pin),
        }
    }

    /// CKU_CONTEXT_SPECIFIC: allows the one operation that waits for it. A PIN that gets locked
    /// this way logs the user out.
    fn login_again(&self, pin: &Secret) -> Result<()> {
        if !self.open.session.operations().awaits_login() {
            let why = "no operation of this session waits for the PIN";
            return Err(Rv::OperationNotInitialized.because(why));
        }
        match self.token().check_pin_again(pin) {
            Ok(()) => {
                self.open.session.operations().unlock();
                Ok(())
            }
            Err(error) => {
                if error.rv == Rv::PinLocked {
                    self.logout()?;
                }
                Err(error)
            }
        }
    }

    /// C_Logout: ends what every session of the token was doing, since it may have been doing
    /// it with keys that are out of sight from now on.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`.
    pub fn logout(&self) -> Result<()> {
        if self.token().role().is_none() {
            if self.may_log_out_again() {
                return Ok(());
            }
            return Err(Rv::UserNotLoggedIn.because("nobody is logged in"));
        }
        for open in self.provider.sessions_on(&self.open.token) {
            open.session.operations().cancel_all();
        }
        // A logout never fails because of the log.
        let _ = self.token().record(&self.note, "CKR_OK");
        self.token().logout();
        Ok(())
    }

    /// C_InitPIN.
    ///
    /// # Errors
    /// `CKR_PIN_LEN_RANGE`, `CKR_TOKEN_WRITE_PROTECTED`, the store's.
    pub fn init_pin(&self, pin: &Secret) -> Result<()> {
        self.token().init_user_pin(&self.note, pin)
    }

    /// C_SetPIN: the security officer's PIN while that one is logged in, else the user's.
    ///
    /// # Errors
    /// `CKR_PIN_INCORRECT`, `CKR_PIN_LEN_RANGE`, `CKR_PIN_LOCKED`,
    /// `CKR_USER_PIN_NOT_INITIALIZED`, the store's.
    pub fn set_pin(&self, old: &Secret, new: &Secret) -> Result<()> {
        let role = match self.token().role() {
            Some(Role::SecurityOfficer) => Role::SecurityOfficer,
            Some(Role::User) | None => Role::User,
        };
        self.token().change_pin(&self.note, role, old, new)
    }
}
