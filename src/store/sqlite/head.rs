//! Statements on the log's head, the state tree's tiles, open lanes, and changes that wait to be
//! signed.

use rusqlite::{Connection, OptionalExtension, params};

use crate::audit::record::LaneId;
use crate::audit::tree::Hash;
use crate::store::head::Head;
use crate::store::state::{StateTree, Tiles};
use crate::store::{AuditRecord, ObjectId, StoreError};

pub(super) fn read(connection: &Connection) -> Result<Head, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/head.sql"))?;
    Ok(statement.query_row([], |row| {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok(Head {
            generation: number(0)?,
            size: number(1)?,
            root: row.get(2)?,
            frontier: row.get(3)?,
            last_at: number(4)?,
            last_len: number(5)?,
            checkpoint: row.get(6)?,
            state_root: row.get(7)?,
            room: number(8)?,
            slots: number(9)?,
            audit: AuditRecord { public: row.get(10)?, sealed: row.get(11)? },
        })
    })?)
}

pub(super) fn write(connection: &Connection, head: &Head) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/put_head.sql"))?.execute(params![
        head.generation.cast_signed(),
        head.size.cast_signed(),
        head.root,
        head.frontier,
        head.last_at.cast_signed(),
        head.last_len.cast_signed(),
        head.checkpoint,
        head.state_root,
        head.room.cast_signed(),
        head.slots.cast_signed(),
        head.audit.public,
        head.audit.sealed,
    ])?;
    Ok(())
}

pub(super) fn audit_key(connection: &Connection) -> Result<AuditRecord, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/audit_key.sql"))?;
    Ok(statement
        .query_row([], |row| Ok(AuditRecord { public: row.get(0)?, sealed: row.get(1)? }))?)
}

/// The state tree as it is kept.
pub(super) fn tree(connection: &Connection) -> Result<StateTree, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/state_root.sql"))?;
    let found = statement.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Hash>(1)?)));
    let (room, root) = found?;
    StateTree::kept(room.cast_unsigned(), root)
}

/// The state alone, for changes that nobody signs yet.
pub(super) fn set_state(
    connection: &Connection,
    tree: &StateTree,
    slots: u64,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/set_state.sql"))?;
    statement.execute(params![tree.root(), tree.room().cast_signed(), slots.cast_signed()])?;
    Ok(())
}

/// The tiles of the state tree in the database.
pub(super) struct Kept<'c>(pub(super) &'c Connection);

impl Tiles for Kept<'_> {
    fn tile(&self, tier: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.0.prepare_cached(include_str!("sql/tile.sql"))?;
        Ok(statement.query_row([place(tier, index)], |row| row.get(0)).optional()?)
    }
}

/// Tiles of one tier stand together; indices are below 2^40.
fn place(tier: u8, index: u64) -> i64 {
    (u64::from(tier) << 40 | index).cast_signed()
}

pub(super) fn put_tiles(connection: &Connection, tree: &StateTree) -> Result<(), StoreError> {
    if tree.is_fresh() {
        connection.prepare_cached(include_str!("sql/clear_tiles.sql"))?.execute([])?;
    }
    let mut statement = connection.prepare_cached(include_str!("sql/put_tile.sql"))?;
    for ((tier, index), nodes) in tree.changed() {
        statement.execute(params![place(tier, index), nodes])?;
    }
    Ok(())
}

/// In order of their numbers, which SQLite does not know: its own have a sign.
pub(super) fn lanes(connection: &Connection) -> Result<Vec<(LaneId, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/lanes.sql"))?;
    let found = statement.query_map([], |row| {
        let (id, records) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
        Ok((LaneId(id.cast_unsigned()), records.cast_unsigned()))
    })?;
    let mut lanes = found.collect::<Result<Vec<_>, _>>()?;
    lanes.sort_unstable();
    Ok(lanes)
}

pub(super) fn put_lane(
    connection: &Connection,
    lane: LaneId,
    records: u64,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/put_lane.sql"))?;
    statement.execute(params![lane.0.cast_signed(), records.cast_signed()])?;
    Ok(())
}

/// Changes the database and leaves it as it was: what a commit of this writes is written.
pub(super) fn touch(connection: &Connection) -> Result<(), StoreError> {
    put_lane(connection, LaneId::NONE, 0)?;
    remove_lane(connection, LaneId::NONE)
}

pub(super) fn remove_lane(connection: &Connection, lane: LaneId) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/remove_lane.sql"))?;
    statement.execute([lane.0.cast_signed()])?;
    Ok(())
}

pub(super) fn clear_lanes(connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/clear_lanes.sql"))?.execute([])?;
    Ok(())
}

/// A slot that waits to be signed, with what stood there when the head was signed.
pub(super) type Pending = (u64, Option<Vec<u8>>);

/// The slots that wait.
pub(super) fn pending(connection: &Connection) -> Result<Vec<Pending>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/pending.sql"))?;
    let found =
        statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What stood in a slot, unless that is known since an earlier change.
pub(super) fn put_pending(
    connection: &Connection,
    slot: u64,
    before: Option<&[u8]>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/put_pending.sql"))?;
    statement.execute(params![slot.cast_signed(), before])?;
    Ok(())
}

pub(super) fn pending_leaves(connection: &Connection) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/pending_leaves.sql"))?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn put_pending_leaf(connection: &Connection, leaf: &[u8]) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/put_pending_leaf.sql"))?.execute([leaf])?;
    Ok(())
}

pub(super) fn clear_pending(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.execute_batch(include_str!("sql/clear_pending.sql"))?)
}

pub(super) fn count_objects(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/count_objects.sql"))?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Which object's row stands in a slot.
pub(super) fn id_at(connection: &Connection, slot: u64) -> Result<Option<ObjectId>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/id_at.sql"))?;
    let found = statement.query_row([slot.cast_signed()], |row| row.get(0)).optional()?;
    Ok(found.map(ObjectId))
}

/// Every object with its slot.
pub(super) fn all_slots(connection: &Connection) -> Result<Vec<(u64, ObjectId)>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/all_slots.sql"))?;
    let found = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), ObjectId(row.get(1)?))))?;
    Ok(found.collect::<Result<_, _>>()?)
}
