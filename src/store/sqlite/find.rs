//! Finding objects by index: the cost follows the hits of the rarest condition.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{ObjectId, Query, StoreError};

/// Conditions are compared by how many rows they meet up to this; beyond it they are alike.
const COUNTED: i64 = 64;

type Condition = (u64, Vec<Vec<u8>>);

pub(super) fn find(connection: &Connection, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
    match query.search.as_slice() {
        [] => by_class(connection, query),
        [only] => by_search(connection, query, only, &[]),
        conditions => {
            let rarest = rarest(connection, conditions)?;
            let (before, from) = conditions.split_at(rarest);
            let Some((driving, after)) = from.split_first() else { return Ok(Vec::new()) };
            let others: Vec<&Condition> = before.iter().chain(after).collect();
            by_search(connection, query, driving, &others)
        }
    }
}

fn by_class(connection: &Connection, query: &Query) -> Result<Vec<ObjectId>, StoreError> {
    let key_type = query.key_type.map(u64::cast_signed);
    let read = |row: &rusqlite::Row<'_>| row.get(0).map(ObjectId);
    let found = match query.class {
        Some(class) => connection
            .prepare_cached(include_str!("sql/find_class.sql"))?
            .query_map(params![class.cast_signed(), key_type, query.private], read)?
            .collect::<Result<_, _>>()?,
        None => connection
            .prepare_cached(include_str!("sql/find_all.sql"))?
            .query_map(params![key_type, query.private], read)?
            .collect::<Result<_, _>>()?,
    };
    Ok(found)
}

fn by_search(
    connection: &Connection,
    query: &Query,
    (attribute, values): &Condition,
    others: &[&Condition],
) -> Result<Vec<ObjectId>, StoreError> {
    let mut found = BTreeMap::new();
    let mut statement = connection.prepare_cached(include_str!("sql/find_search.sql"))?;
    for value in values {
        let bound = params![
            attribute.cast_signed(),
            value,
            query.class.map(u64::cast_signed),
            query.key_type.map(u64::cast_signed),
            query.private,
        ];
        let hits = statement.query_map(bound, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
        for hit in hits {
            let (slot, id) = hit?;
            if !found.contains_key(&slot) && meets_all(connection, slot, others)? {
                found.insert(slot, ObjectId(id));
            }
        }
    }
    Ok(found.into_values().collect())
}

fn meets_all(
    connection: &Connection,
    slot: i64,
    conditions: &[&Condition],
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/search_has.sql"))?;
    for (attribute, values) in conditions {
        let mut met = false;
        for value in values {
            let row = statement
                .query_row(params![attribute.cast_signed(), value, slot], |_| Ok(()))
                .optional()?;
            met = met || row.is_some();
        }
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which of the conditions the fewest rows meet.
fn rarest(connection: &Connection, conditions: &[Condition]) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/search_hits.sql"))?;
    let mut best = (i64::MAX, 0);
    for (place, (attribute, values)) in conditions.iter().enumerate() {
        let mut hits = 0_i64;
        for value in values {
            let bound = params![attribute.cast_signed(), value, COUNTED];
            hits = hits.saturating_add(statement.query_row(bound, |row| row.get(0))?);
        }
        best = best.min((hits, place));
    }
    Ok(best.1)
}
