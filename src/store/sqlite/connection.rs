//! Opening `token.db`: hardening, and the refusal of what is not ours.
//!
//! Whoever may write to the file may put anything into it. So nothing in it is trusted to be
//! code: no triggers, no views, no extensions, and its schema must be ours to the letter.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;

/// "Clav", in the header of every `token.db`.
const APPLICATION: i64 = 0x436C_6176;
/// The format that this library writes; `schema/` holds one file for each.
const FORMAT: i64 = 1;
const SCHEMA: &str = include_str!("schema/1.sql");

/// Behind the writers' record lock, so hardly ever waited for.
const BUSY: Duration = Duration::from_secs(60);
const CACHED_STATEMENTS: usize = 64;

/// What SQLite would call a database, and what a page of ours is.
const SMALLEST_PAGE: u64 = 512;
const PAGE: u64 = 4096;

/// The longest row that is read or written: 64 MiB.
const LONGEST_ROW: i32 = 64 << 20;

/// Opens the database of a token for reading and writing.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    refuse_empty(path)?;
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    harden(&connection)?;
    check_header(&connection)?;
    check_length(path)?;
    write_ahead(&connection)?;
    check_schema(&connection)?;
    Ok(connection)
}

/// Opens the database of a token that nobody can write to. SQLite then takes no locks, and would
/// silently ignore a write-ahead log that was left over.
pub(super) fn open_immutable(path: &Path) -> Result<Connection, StoreError> {
    refuse_empty(path)?;
    if has_write_ahead_log(path) {
        return Err(StoreError::Io(
            "token.db has a write-ahead log, and this user may not write to the token".to_owned(),
        ));
    }
    let flags = flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI);
    let connection = Connection::open_with_flags(immutable_uri(path), flags)?;
    harden(&connection)?;
    check_header(&connection)?;
    check_length(path)?;
    check_schema(&connection)?;
    Ok(connection)
}

/// Opens the database of a token that we may not write to, with what its writers have put into
/// the write-ahead log. SQLite then shares their locks; nothing that is counted may hang on it.
pub(super) fn open_beside_writers(path: &Path) -> Result<Connection, StoreError> {
    refuse_empty(path)?;
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    harden(&connection)?;
    check_header(&connection)?;
    check_schema(&connection)?;
    Ok(connection)
}

/// Opens an empty file and makes the tables in it.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    harden(&connection)?;
    connection.pragma_update(None, "page_size", 4096)?;
    write_ahead(&connection)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.execute_batch("COMMIT")?;
    Ok(connection)
}

/// Finalises the statements and closes, with a checkpoint if nobody else has it open.
pub(super) fn close(connection: Connection) {
    connection.flush_prepared_statement_cache();
    // Nothing is lost if it fails: what was committed is in the log.
    if let Err((connection, _)) = connection.close() {
        drop(connection);
    }
}

/// Moves everything from the write-ahead log to the database and cuts the log to nothing, so
/// that what was replaced is nowhere any more. Waits so long for who reads, and then gives up:
/// the next one to do this, or the last to close, does it then. True if it was done.
pub(super) fn empty_write_ahead_log(connection: &Connection, patience: Duration) -> bool {
    let _ = connection.busy_timeout(patience);
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_in_use = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    let _ = connection.busy_timeout(BUSY);
    is_in_use == Ok(false)
}

/// In a forked child: closes a connection of the parent. It must not be forgotten, or SQLite
/// would hand its locks, which a child does not have, to the next connection. A checkpoint would
/// write to, and could delete, what others are using.
pub(super) fn close_inherited(connection: Connection) {
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    close(connection);
}

/// True if there is a write-ahead log with something in it.
pub(super) fn has_write_ahead_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::symlink_metadata(log).is_ok_and(|found| found.len() > 0)
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// SQLite takes a file without a whole page for a new database.
fn refuse_empty(path: &Path) -> Result<(), StoreError> {
    let found = std::fs::symlink_metadata(path)?;
    if !found.is_file() {
        return Err(StoreError::Corrupt("token.db is not a file".to_owned()));
    }
    if found.len() < SMALLEST_PAGE {
        return Err(StoreError::Corrupt("token.db is empty or cut off".to_owned()));
    }
    Ok(())
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn harden(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        connection.set_db_config(option, on)?;
    }
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST_ROW),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 16 << 10),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 32),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 4),
        (Limit::SQLITE_LIMIT_COLUMN, 64),
    ] {
        connection.set_limit(limit, most)?;
    }
    Ok(connection.execute_batch(include_str!("sql/hardening.sql"))?)
}

fn check_header(connection: &Connection) -> Result<(), StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id")? != APPLICATION {
        return Err(StoreError::Foreign);
    }
    match number("user_version")? {
        FORMAT => Ok(()),
        newer if newer > FORMAT => Err(StoreError::Newer(newer)),
        other => Err(StoreError::Corrupt(format!("token.db has the unknown format {other}"))),
    }
}

/// SQLite finds out about missing pages, and takes the rest of a page that was cut for zeros.
/// With a log, the last page may be on its way.
fn check_length(path: &Path) -> Result<(), StoreError> {
    if has_write_ahead_log(path) || std::fs::symlink_metadata(path)?.len().is_multiple_of(PAGE) {
        return Ok(());
    }
    Err(StoreError::Corrupt("token.db is cut off".to_owned()))
}

fn write_ahead(connection: &Connection) -> Result<(), StoreError> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    match mode.as_str() {
        "wal" => Ok(()),
        _ => Err(StoreError::Io("the file system does not allow a write-ahead log".to_owned())),
    }
}

/// SQLite keeps the text of each statement that made a table or an index.
fn check_schema(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare(include_str!("sql/schema.sql"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let wanted = SCHEMA.split(';').map(str::trim).filter(|text| !text.is_empty());
    if !found.iter().map(String::as_str).eq(wanted) {
        return Err(StoreError::Corrupt("the tables of token.db are not ours".to_owned()));
    }
    Ok(())
}
