//! The five session states, computed from what the session may do and who is logged in.
//!
//! PKCS#11 Usage Guide, "Session types": the access table is in the methods here.

use crate::error::{Result, Rv};

/// How a session was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Token objects can be read only.
    ReadOnly,
    /// Token objects can be written.
    ReadWrite,
}

/// Who is logged in to a token; all sessions of a process share it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoggedIn {
    /// Nobody.
    Nobody,
    /// The user.
    User,
    /// The security officer.
    SecurityOfficer,
}

/// A session's state, as C_GetSessionInfo tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionState {
    /// Read-only, nobody logged in.
    RoPublic,
    /// Read-only, the user is logged in.
    RoUser,
    /// Read/write, nobody logged in.
    RwPublic,
    /// Read/write, the user is logged in.
    RwUser,
    /// Read/write, the security officer is logged in.
    RwSo,
}

impl SessionState {
    /// The state of a session.
    ///
    /// # Errors
    /// A read-only session beside the security officer's login is a bug of ours: C_Login and
    /// C_OpenSession refuse it. `CKR_GENERAL_ERROR`.
    pub fn of(access: Access, logged_in: LoggedIn) -> Result<Self> {
        match (access, logged_in) {
            (Access::ReadOnly, LoggedIn::Nobody) => Ok(Self::RoPublic),
            (Access::ReadOnly, LoggedIn::User) => Ok(Self::RoUser),
            (Access::ReadWrite, LoggedIn::Nobody) => Ok(Self::RwPublic),
            (Access::ReadWrite, LoggedIn::User) => Ok(Self::RwUser),
            (Access::ReadWrite, LoggedIn::SecurityOfficer) => Ok(Self::RwSo),
            (Access::ReadOnly, LoggedIn::SecurityOfficer) => {
                Err(Rv::GeneralError.because("a read-only session while the SO is logged in"))
            }
        }
    }

    /// May private objects be seen and used?
    #[must_use]
    pub const fn sees_private(self) -> bool {
        matches!(self, Self::RoUser | Self::RwUser)
    }

    /// May token objects be changed?
    #[must_use]
    pub const fn is_read_write(self) -> bool {
        matches!(self, Self::RwPublic | Self::RwUser | Self::RwSo)
    }

    /// Is anybody logged in?
    #[must_use]
    pub const fn is_logged_in(self) -> bool {
        !matches!(self, Self::RoPublic | Self::RwPublic)
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, LoggedIn, SessionState};

    #[test]
    fn five_pairs_are_legal_and_the_sixth_is_refused() {
        let all = [
            (Access::ReadOnly, LoggedIn::Nobody, SessionState::RoPublic, false, false),
            (Access::ReadOnly, LoggedIn::User, SessionState::RoUser, true, false),
            (Access::ReadWrite, LoggedIn::Nobody, SessionState::RwPublic, false, true),
            (Access::ReadWrite, LoggedIn::User, SessionState::RwUser, true, true),
            (Access::ReadWrite, LoggedIn::SecurityOfficer, SessionState::RwSo, false, true),
        ];
        for (access, logged_in, state, private, write) in all {
            let found = SessionState::of(access, logged_in).unwrap();
            assert_eq!(found, state);
            assert_eq!(found.sees_private(), private);
            assert_eq!(found.is_read_write(), write);
        }
        assert!(SessionState::of(Access::ReadOnly, LoggedIn::SecurityOfficer).is_err());
    }
}
