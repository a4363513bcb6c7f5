//! Statements on the token's record, its PINs and its epochs.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::engine::kdf::Argon2Cost;
use crate::store::{PinRecord, Role, StoreError, TokenRecord};

pub(super) fn read(connection: &Connection) -> Result<TokenRecord, StoreError> {
    let (so_tries, so) = read_pin(connection, Role::SecurityOfficer)?;
    let (user_tries, user) = read_pin(connection, Role::User)?;
    let audit = super::head::audit_key(connection)?;
    let so = so.ok_or_else(|| StoreError::Corrupt("the token has no SO PIN".to_owned()))?;
    let mut statement = connection.prepare_cached(include_str!("sql/token.sql"))?;
    Ok(statement.query_row([], |row| {
        Ok(TokenRecord {
            serial: row.get(0)?,
            label: row.get(1)?,
            instance: row.get(2)?,
            epoch: row.get::<_, i64>(3)?.cast_unsigned(),
            so,
            user,
            so_tries,
            user_tries,
            audit,
        })
    })?)
}

pub(super) fn serial(connection: &Connection) -> Result<String, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/token.sql"))?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(super) fn write(connection: &Connection, record: &TokenRecord) -> Result<(), StoreError> {
    write_pin(connection, Role::SecurityOfficer, record.so_tries, Some(&record.so))?;
    write_pin(connection, Role::User, record.user_tries, record.user.as_ref())?;
    connection.prepare_cached(include_str!("sql/put_token.sql"))?.execute(params![
        record.serial,
        record.label,
        record.instance,
        record.epoch.cast_signed(),
    ])?;
    Ok(())
}

fn read_pin(connection: &Connection, role: Role) -> Result<(u32, Option<PinRecord>), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/pin.sql"))?;
    Ok(statement.query_row([number(role)], |row| {
        let tries = row.get(0)?;
        let record = row.get::<_, Option<[u8; 16]>>(1)?.map(|salt| pin_record(row, salt));
        Ok((tries, record.transpose()?))
    })?)
}

fn pin_record(row: &Row<'_>, salt: [u8; 16]) -> rusqlite::Result<PinRecord> {
    Ok(PinRecord {
        salt,
        cost: Argon2Cost { memory_kib: row.get(2)?, passes: row.get(3)?, lanes: row.get(4)? },
        pepper: row.get(5)?,
        sealed_master: row.get(6)?,
    })
}

fn write_pin(
    connection: &Connection,
    role: Role,
    tries: u32,
    record: Option<&PinRecord>,
) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/put_pin.sql"))?.execute(params![
        number(role),
        tries,
        record.map(|record| record.salt),
        record.map(|record| record.cost.memory_kib),
        record.map(|record| record.cost.passes),
        record.map(|record| record.cost.lanes),
        record.map(|record| record.pepper),
        record.map(|record| record.sealed_master.as_slice()),
    ])?;
    Ok(())
}

pub(super) fn tries(connection: &Connection, role: Role) -> Result<u32, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/tries.sql"))?;
    Ok(statement.query_row([number(role)], |row| row.get(0))?)
}

pub(super) fn set_tries(connection: &Connection, role: Role, left: u32) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/set_tries.sql"))?;
    match statement.execute(params![number(role), left])? {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt("a role has no tries".to_owned())),
    }
}

pub(super) fn epoch_key(
    connection: &Connection,
    epoch: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/epoch_key.sql"))?;
    Ok(statement.query_row([epoch.cast_signed()], |row| row.get(0)).optional()?)
}

pub(super) fn put_epoch_key(
    connection: &Connection,
    epoch: u64,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/put_epoch_key.sql"))?;
    statement.execute(params![epoch.cast_signed(), sealed])?;
    Ok(())
}

pub(super) fn forget_epochs(connection: &Connection, but: u64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/forget_epochs.sql"))?;
    statement.execute([but.cast_signed()])?;
    Ok(())
}

const fn number(role: Role) -> i64 {
    match role {
        Role::SecurityOfficer => 0,
        Role::User => 1,
    }
}
