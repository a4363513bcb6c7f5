//! What SQLite says, in the store's words.

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::SqliteFailure(failure, text) => of_code(failure, text),
            Error::QueryReturnedNoRows => Self::Corrupt("a row is missing".to_owned()),
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Self::Corrupt(error.to_string()),
            other => Self::Io(other.to_string()),
        }
    }
}

fn of_code(failure: ffi::Error, text: Option<String>) -> StoreError {
    let text = text.unwrap_or_else(|| failure.to_string());
    match (failure.code, failure.extended_code) {
        (_, ffi::SQLITE_IOERR_NOMEM) => StoreError::Memory,
        // The wal-index could not grow: there is no other reason in practice.
        (_, ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full,
        (_, ffi::SQLITE_READONLY_DBMOVED) => StoreError::Missing,
        (_, ffi::SQLITE_IOERR_CORRUPTFS) => StoreError::Corrupt(text),
        (
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
            _,
        ) => StoreError::Busy,
        (ErrorCode::DiskFull | ErrorCode::TooBig, _) => StoreError::Full,
        (ErrorCode::OutOfMemory, _) => StoreError::Memory,
        (ErrorCode::ReadOnly, _) => StoreError::ReadOnly,
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => StoreError::Corrupt(text),
        _ => StoreError::Io(text),
    }
}
