//! Why the store could not do it, and which return value that is.

use std::fmt;

use super::ObjectId;
use crate::error::{Error, Rv};

/// Why the store could not do it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StoreError {
    /// Another process holds a lock for longer than anyone should.
    Busy,
    /// No room on the disk.
    Full,
    Io(String),
    /// The files are not what was written.
    Corrupt(String),
    ReadOnly,
    /// Written by a later version of this library, in this format.
    Newer(i64),
    /// The row of this object was changed, put back or moved outside the token.
    Tampered(ObjectId),
    /// What the log or the state tree says is not what was signed.
    Distrusted(String),
    /// The change has to be signed, and nobody is logged in.
    Unsigned,
    /// No more uses can be recorded in this lane.
    LaneClosed,
    /// A database of something else.
    Foreign,
    /// The token's files are gone.
    Missing,
    Memory,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the store is locked by another process"),
            Self::Full => f.write_str("no room on the disk of the store"),
            Self::Io(why) => write!(f, "the store cannot be used: {why}"),
            Self::Corrupt(why) => write!(f, "the store is damaged: {why}"),
            Self::ReadOnly => f.write_str("the store cannot be written to"),
            Self::Newer(format) => write!(f, "the store has the later format {format}"),
            Self::Tampered(id) => write!(f, "object {id} was changed outside the token"),
            Self::Distrusted(why) => write!(f, "the token was changed outside: {why}"),
            Self::Unsigned => f.write_str("the change has to be signed, which needs a login"),
            Self::LaneClosed => f.write_str("the login ended before the use was recorded"),
            Self::Foreign => f.write_str("token.db is a database of something else"),
            Self::Missing => f.write_str("the files of the token are gone"),
            Self::Memory => f.write_str("no memory for the store"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let rv = match &error {
            StoreError::Full => Rv::DeviceMemory,
            StoreError::ReadOnly => Rv::TokenWriteProtected,
            StoreError::Missing => Rv::DeviceRemoved,
            StoreError::Memory => Rv::HostMemory,
            StoreError::Unsigned | StoreError::LaneClosed => Rv::UserNotLoggedIn,
            StoreError::Busy
            | StoreError::Io(_)
            | StoreError::Corrupt(_)
            | StoreError::Tampered(_)
            | StoreError::Distrusted(_)
            | StoreError::Newer(_)
            | StoreError::Foreign => Rv::DeviceError,
        };
        rv.because(error.to_string())
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::OutOfMemory => Self::Memory,
            _ => Self::Io(error.to_string()),
        }
    }
}
