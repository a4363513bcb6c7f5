//! Statements on objects and their search rows.
//!
//! Numbers of the standard are unsigned; SQLite's are signed. They are kept bit for bit.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::store::{ObjectId, SearchRow, StoreError, StoredObject};

pub(super) fn get(
    connection: &Connection,
    id: &ObjectId,
) -> Result<Option<StoredObject>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/object.sql"))?;
    let found = statement.query_row([id.0], |row| read(row, *id)).optional()?;
    found.map(|object| with_search_rows(connection, object)).transpose()
}

/// The row in a slot, as that of this object.
pub(super) fn at(
    connection: &Connection,
    slot: u64,
    id: ObjectId,
) -> Result<Option<StoredObject>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/object_at.sql"))?;
    let found = statement.query_row([slot.cast_signed()], |row| read(row, id)).optional()?;
    found.map(|object| with_search_rows(connection, object)).transpose()
}

fn read(row: &Row<'_>, id: ObjectId) -> rusqlite::Result<StoredObject> {
    Ok(StoredObject {
        id,
        slot: row.get::<_, i64>(0)?.cast_unsigned(),
        version: row.get::<_, i64>(1)?.cast_unsigned(),
        class: row.get::<_, i64>(2)?.cast_unsigned(),
        key_type: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        private: row.get(4)?,
        epoch: row.get::<_, i64>(5)?.cast_unsigned(),
        data_key: row.get(6)?,
        sealed: row.get(7)?,
        clear: row.get(8)?,
        search: Vec::new(),
    })
}

fn with_search_rows(
    connection: &Connection,
    mut object: StoredObject,
) -> Result<StoredObject, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/search_rows.sql"))?;
    let rows = statement.query_map([object.slot.cast_signed()], |row| {
        Ok(SearchRow { attribute: row.get::<_, i64>(0)?.cast_unsigned(), value: row.get(1)? })
    })?;
    object.search = rows.collect::<Result<_, _>>()?;
    Ok(object)
}

/// Puts an object into a slot without a row.
pub(super) fn insert(
    connection: &Connection,
    slot: u64,
    object: &StoredObject,
) -> Result<(), StoreError> {
    let slot = slot.cast_signed();
    connection.prepare_cached(include_str!("sql/insert_object.sql"))?.execute(params![
        slot,
        object.id.0,
        object.version.cast_signed(),
        object.class.cast_signed(),
        object.key_type.map(u64::cast_signed),
        object.private,
        object.epoch.cast_signed(),
        object.data_key,
        object.sealed,
        object.clear,
    ])?;
    insert_search(connection, slot, &object.search)
}

/// The lowest slot that is listed as left by an object; it is not listed any more.
pub(super) fn take_free_slot(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/take_free_slot.sql"))?;
    let slot = statement.query_row([], |row| row.get::<_, i64>(0)).optional()?;
    Ok(slot.map(i64::cast_unsigned))
}

/// The slot behind all rows that the state tree has room for.
pub(super) fn next_slot(connection: &Connection, room: u64) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/next_slot.sql"))?;
    Ok(statement.query_row([room.cast_signed()], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

fn insert_search(connection: &Connection, slot: i64, rows: &[SearchRow]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/insert_search.sql"))?;
    for row in rows {
        statement.execute(params![row.attribute.cast_signed(), row.value, slot])?;
    }
    Ok(())
}

fn remove_search(connection: &Connection, slot: i64) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/remove_search.sql"))?.execute([slot])?;
    Ok(())
}

pub(super) fn replace(connection: &Connection, object: &StoredObject) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/replace_object.sql"))?;
    let replaced = statement.query_row(
        params![
            object.id.0,
            object.version.cast_signed(),
            object.class.cast_signed(),
            object.key_type.map(u64::cast_signed),
            object.private,
            object.epoch.cast_signed(),
            object.data_key,
            object.sealed,
            object.clear,
        ],
        |row| row.get::<_, i64>(0),
    );
    let Some(slot) = replaced.optional()? else { return Ok(false) };
    remove_search(connection, slot)?;
    insert_search(connection, slot, &object.search)?;
    Ok(true)
}

/// Writes an object's data key, and of which epoch it is.
pub(super) fn rewrap(connection: &Connection, object: &StoredObject) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/rewrap_object.sql"))?;
    let written = statement.execute(params![
        object.id.0,
        object.version.cast_signed(),
        object.epoch.cast_signed(),
        object.data_key,
    ])?;
    match written {
        1 => Ok(()),
        _ => Err(StoreError::Tampered(object.id)),
    }
}

pub(super) fn remove(connection: &Connection, id: &ObjectId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/remove_object.sql"))?;
    let removed = statement.query_row([id.0], |row| row.get::<_, i64>(0)).optional()?;
    let Some(slot) = removed else { return Ok(false) };
    remove_search(connection, slot)?;
    connection.prepare_cached(include_str!("sql/free_slot.sql"))?.execute([slot])?;
    Ok(true)
}

pub(super) fn clear(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.execute_batch(include_str!("sql/clear_objects.sql"))?)
}
