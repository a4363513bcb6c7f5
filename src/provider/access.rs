//! May this session call this function now? The columns of the function table decide, and the
//! session's state, computed. PKCS#11 3.2, "Session management functions".

use crate::call::Caller;
use crate::error::{Result, Rv};
use crate::session::state::{LoggedIn, SessionState};
use crate::store::Role;
use crate::token::Token;
use crate::token::objects::Viewer;

use super::{Call, OpenSession};

/// Who is logged in, in the words of the sessions.
pub(super) fn logged_in(token: &Token) -> LoggedIn {
    match token.role() {
        None => LoggedIn::Nobody,
        Some(Role::User) => LoggedIn::User,
        Some(Role::SecurityOfficer) => LoggedIn::SecurityOfficer,
    }
}

impl OpenSession {
    /// The session's state at this moment.
    pub(super) fn state(&self) -> Result<SessionState> {
        SessionState::of(self.session.access, logged_in(&self.token))
    }
}

impl Call<'_> {
    pub(super) fn check_access(&self) -> Result<()> {
        match self.function.caller() {
            Caller::Anyone | Caller::Session => Ok(()),
            Caller::ReadWrite => {
                if self.open.state()?.is_read_write() {
                    return Ok(());
                }
                Err(Rv::SessionReadOnly.because("needs a read/write session"))
            }
            Caller::SecurityOfficer => {
                if self.open.state()? == SessionState::RwSo {
                    return Ok(());
                }
                Err(Rv::UserNotLoggedIn.because("only the security officer may do this"))
            }
        }
    }

    /// What this session may see and change of its token's objects.
    pub(super) fn viewer(&self) -> Result<Viewer<'_>> {
        let state = self.open.state()?;
        Ok(Viewer {
            note: &self.note,
            session: self.open.session.handle,
            sees_private: state.sees_private(),
            may_write: state.is_read_write(),
            is_logged_in: state.is_logged_in(),
            is_security_officer: state == SessionState::RwSo,
            view: &self.open.view,
        })
    }
}
