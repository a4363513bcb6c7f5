//! Whether every object is found by what its row says. The state tree judges rows that were
//! found; a damaged index would hide one, and a damaged list of free pages would lose one.
//!
//! SQLite's own check reads the whole database, so that it is made of small tokens only.

use rusqlite::{Connection, params};

use super::ledger::Ledger;
use super::{head, objects};
use crate::store::head::HeadFault;
use crate::store::{ObjectId, StoreError, StoredObject};

/// Rows of objects up to which the database is checked: about 10 ms.
const MOST_ROWS: u64 = 4_096;
/// How SQLite begins what it says about pages, and not about rows and indexes.
const STRUCTURE: [&str; 5] = ["***", "Tree ", "Page ", "Freelist", "max rootpage"];

/// Looks for damage by which objects are hidden or would be lost. Rows that are damaged
/// themselves are none of it: who opens them is told.
pub(super) fn check(connection: &Connection, ledger: &Ledger, rows: u64) -> Result<(), HeadFault> {
    if rows > MOST_ROWS {
        return Ok(());
    }
    let found = messages(connection)?;
    let structure = |text: &&String| STRUCTURE.iter().any(|start| text.starts_with(start));
    if let Some(text) = found.iter().find(structure) {
        return Err(HeadFault::Tampered(format!("the database is damaged: {text}")));
    }
    if found.is_empty() || every_object_is_found(connection, ledger)? {
        return Ok(());
    }
    Err(HeadFault::because("an index hides an object"))
}

fn messages(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(include_str!("sql/check.sql"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.retain(|text| text != "ok");
    Ok(found)
}

fn every_object_is_found(connection: &Connection, ledger: &Ledger) -> Result<bool, StoreError> {
    for (slot, id) in head::all_slots(connection)? {
        // By its slot: the index over ids is one of those in question.
        let whole = match objects::at(connection, slot, id) {
            Ok(object) => object.filter(|object| ledger.holds(connection, object) == Ok(true)),
            Err(StoreError::Corrupt(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(object) = whole
            && !is_found(connection, &object, id)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_found(
    connection: &Connection,
    object: &StoredObject,
    id: ObjectId,
) -> Result<bool, StoreError> {
    let by_id = objects::get(connection, &id)?;
    let mut by_class = connection.prepare_cached(include_str!("sql/class_has.sql"))?;
    let (class, key_type) = (object.class.cast_signed(), object.key_type.map(u64::cast_signed));
    let listed = by_class.exists(params![class, key_type, object.private, id.0])?;
    let mut search = connection.prepare_cached(include_str!("sql/search_has.sql"))?;
    let slot = object.slot.cast_signed();
    for row in &object.search {
        if !search.exists(params![row.attribute.cast_signed(), row.value, slot])? {
            return Ok(false);
        }
    }
    Ok(listed && by_id.is_some_and(|found| found.slot == object.slot))
}
