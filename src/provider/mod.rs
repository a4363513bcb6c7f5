//! The library between C_Initialize and C_Finalize: slots, sessions, and the one hall that
//! every call with a session passes.
//!
//! Everything hangs below a `Provider`; nothing is global. The safe counterpart of each C
//! function stands in the file of its chapter.

mod access;
pub mod administration;
mod bundling;
mod ciphering;
mod compatibility;
mod deriving;
mod diagnostics;
mod digesting;
mod dual;
mod encapsulating;
mod finding;
mod generating;
mod initialize;
mod journal;
mod keys;
mod message_ciphering;
mod message_signing;
#[cfg(test)]
mod new_token;
mod objects;
pub mod offers;
mod operation_state;
mod random;
mod recovering;
mod sessions;
mod signing;
mod slots;
mod table;
mod verifying;
mod views;
mod wrapping;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use crate::call::{Audit, Function};
use crate::config::Configuration;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;
use crate::session::{Kind, Session};
use crate::store::memory::lines::LineFile;
use crate::token::Token;
use crate::token::keys::LastKey;
use crate::token::note::{Context, Note};
use crate::token::view::View;

use diagnostics::Diagnostics;
pub use generating::KeyPair;
pub(crate) use keys::GivenMechanism;
use offers::{AllOffers, Offers};
pub(crate) use sessions::ContextKind;
pub use sessions::UserType;
pub(crate) use slots::SLOT_LIMIT;
use slots::Slot;
pub use slots::TokenView;
use table::SessionTable;
use views::Watch;

/// Who made the library, every slot and every token; at most 32 bytes.
pub const MANUFACTURER: &str = "Claviger";
/// The model of a token whose keys are kept in software; at most 16 bytes.
pub const MODEL: &str = "Claviger soft";
/// What the library calls itself; at most 32 bytes.
pub const LIBRARY: &str = "Claviger PKCS#11 token";

/// The library, initialised.
///
/// Lock order: `initialising`, `slots`, `sessions`, then a session's operations, then the
/// token's own locks, then the store. None is held while a lock before it is taken, and neither
/// table is held while a key works.
pub struct Provider {
    configuration: Configuration,
    diagnostics: Diagnostics,
    offers: AllOffers,
    watch: Watch,
    /// Where the log of tokens in memory goes, if it goes anywhere.
    lines: Option<Arc<LineFile>>,
    /// Held while a token is made, so that one process makes one at a time.
    initialising: Mutex<()>,
    slots: RwLock<Vec<Arc<Slot>>>,
    sessions: SessionTable,
    next_session: AtomicU64,
    /// Object handles are unique in the process, so that one of another token is never taken
    /// for a valid one.
    next_object: Arc<AtomicU64>,
    /// Seals the states of operations of sessions without a login.
    state_key: OnceLock<Secret>,
}

/// A session, and the token that it was opened on.
pub(crate) struct OpenSession {
    session: Session,
    slot: u64,
    token: Arc<Token>,
    /// What the token offered when the session was opened.
    offers: Arc<Offers>,
    /// What the program sees of the token.
    view: View,
    /// Whether it reads points as octet strings.
    octet_points: bool,
    last_key: Mutex<LastKey>,
    /// What the caller said about what it is doing.
    context: Mutex<Option<Arc<Context>>>,
}

/// One call in progress, in a session that is there.
pub struct Call<'p> {
    provider: &'p Provider,
    function: Function,
    open: Arc<OpenSession>,
    note: Note,
}

impl Provider {
    /// Every call with a session passes here: the session is found, the caller is allowed, the
    /// work is done, and its record is kept. What gives output is recorded before the output is
    /// let go; what changes the token, within the commit that changes it; all else here.
    ///
    /// # Errors
    /// `CKR_SESSION_HANDLE_INVALID`, those of the access rules, those of `body`.
    pub fn run<T>(
        &self,
        function: Function,
        session: u64,
        body: impl FnOnce(&Call<'_>) -> Result<T>,
    ) -> Result<T> {
        let open = self.session(session)?;
        let context = match function.audit() {
            Audit::Nothing => None,
            _ => open.context.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        let note = Note::of(function, session, context);
        let call = Call { provider: self, function, open, note };
        let done = call.check_access().and_then(|()| body(&call));
        let done = call.keep_record(done.map_err(|error| call.as_told(error)));
        for found in call.token().take_news() {
            self.diagnostics.remark(function, &found);
        }
        done.map_err(|error| call.placed(error))
    }

    fn session(&self, handle: u64) -> Result<Arc<OpenSession>> {
        let open = self.sessions.get(handle);
        open.ok_or_else(|| Rv::SessionHandleInvalid.because("no such session"))
    }

    /// Tells the diagnostic log why a call failed.
    pub(crate) fn note(&self, function: Function, error: &Error) {
        self.diagnostics.failed(function, error);
    }

    /// Another part of the program may have come in: looks again what it is.
    pub(crate) fn look_at_host(&self) {
        self.watch.again();
    }

    fn slots(&self) -> RwLockReadGuard<'_, Vec<Arc<Slot>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call<'_> {
    /// Ends the operation of a kind: the caller's arguments were no good.
    pub(crate) fn abandon(&self, kind: Kind) {
        if !self.goes_on(kind) {
            self.open.session.operations().cancel(kind);
        }
    }

    /// Ends the operation of a kind, as the caller asked for.
    pub(crate) fn cancel(&self, kind: Kind) {
        self.open.session.operations().cancel(kind);
    }

    fn token(&self) -> &Token {
        &self.open.token
    }
}
