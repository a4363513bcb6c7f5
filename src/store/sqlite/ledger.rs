//! What a transaction owes the log: the slots that it changed, the leaves that it appends, and
//! the key that signs it.
//!
//! Without a key, changes of public objects wait in the database: what stood in each slot when
//! the head was signed, and the leaves. The next signed commit checks that what changed since is
//! no more than anybody may change, and signs it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::head::{self, Kept};
use super::objects;
use crate::audit::tree::{Frontier, Hash};
use crate::store::head::{AuditKey, HeadFault, NewGeneration};
use crate::store::log::Leaves;
use crate::store::state::{StateTree, canonical, empty_leaf, grown, is_open, leaf_of};
use crate::store::{ObjectId, StoreError, StoredObject};

/// Who signs a transaction's commit.
#[derive(Default)]
pub(super) enum Signature {
    /// Nobody: only what anybody may change can be changed.
    #[default]
    None,
    /// This key, behind this right edge of the log.
    Of(Arc<AuditKey>, Frontier),
    /// The key of a new log.
    Anew(NewGeneration),
    /// The head is such that nothing can be signed behind it.
    Refused(HeadFault),
}

/// The changes of one transaction, as far as they are the log's.
#[derive(Default)]
pub(super) struct Ledger {
    tree: OnceCell<StateTree>,
    pub(super) leaves: Leaves,
    pub(super) signature: Signature,
    /// What stood in the slots that were changed.
    before: BTreeMap<u64, Option<Vec<u8>>>,
    added: u64,
    removed: u64,
    /// Something was changed that needs a login.
    pub(super) is_closed: bool,
}

impl Ledger {
    fn tree(&self, connection: &Connection) -> Result<&StateTree, StoreError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let kept = head::tree(connection)?;
        Ok(self.tree.get_or_init(|| kept))
    }

    fn tree_mut(&mut self, connection: &Connection) -> Result<&mut StateTree, StoreError> {
        self.tree(connection)?;
        self.tree.get_mut().ok_or(StoreError::Memory)
    }

    /// True if an object's row is the one in the state tree.
    pub(super) fn holds(
        &self,
        connection: &Connection,
        object: &StoredObject,
    ) -> Result<bool, StoreError> {
        self.tree(connection)?.holds(&Kept(connection), object.slot, &leaf_of(object))
    }

    /// An object, if its row is the one in the state tree.
    pub(super) fn get(
        &self,
        connection: &Connection,
        id: &ObjectId,
    ) -> Result<Option<StoredObject>, StoreError> {
        let Some(object) = objects::get(connection, id)? else { return Ok(None) };
        match self.holds(connection, &object)? {
            true => Ok(Some(object)),
            false => Err(StoreError::Tampered(*id)),
        }
    }

    /// A slot for a new object. Where the rows were changed outside, slots that are listed as
    /// free may be not, and one without a row may be that of an object that was removed.
    pub(super) fn new_slot(&self, connection: &Connection) -> Result<u64, StoreError> {
        let tree = self.tree(connection)?;
        let free = |slot| {
            let no_row = head::id_at(connection, slot)?.is_none();
            Ok::<bool, StoreError>(no_row && tree.is_empty(&Kept(connection), slot)?)
        };
        while let Some(slot) = objects::take_free_slot(connection)? {
            if slot < tree.room() && free(slot)? {
                return Ok(slot);
            }
        }
        let mut slot = objects::next_slot(connection, tree.room())?;
        while !free(slot)? {
            slot = slot.checked_add(1).ok_or(StoreError::Full)?;
        }
        Ok(slot)
    }

    /// An object was added in a slot of `new_slot`.
    pub(super) fn added(
        &mut self,
        connection: &Connection,
        slot: u64,
        object: &StoredObject,
    ) -> Result<(), StoreError> {
        self.added = self.added.saturating_add(1);
        self.changed(connection, slot, None, Some(object))
    }

    /// An object that was read with `get` was replaced.
    pub(super) fn replaced(
        &mut self,
        connection: &Connection,
        old: &StoredObject,
        object: &StoredObject,
    ) -> Result<(), StoreError> {
        self.changed(connection, old.slot, Some(old), Some(object))
    }

    /// An object that was read with `get` was removed.
    pub(super) fn removed(
        &mut self,
        connection: &Connection,
        old: &StoredObject,
    ) -> Result<(), StoreError> {
        self.removed = self.removed.saturating_add(1);
        self.changed(connection, old.slot, Some(old), None)
    }

    fn changed(
        &mut self,
        connection: &Connection,
        slot: u64,
        old: Option<&StoredObject>,
        new: Option<&StoredObject>,
    ) -> Result<(), StoreError> {
        let leaf = new.map_or_else(empty_leaf, leaf_of);
        self.tree_mut(connection)?.set(&Kept(connection), slot, leaf)?;
        if matches!(self.signature, Signature::None) {
            let closed = |object: &StoredObject| !is_open(&canonical(object));
            self.is_closed |= old.is_some_and(closed) || new.is_some_and(closed);
            self.before.entry(slot).or_insert_with(|| old.map(canonical));
        }
        Ok(())
    }

    /// All objects were removed.
    pub(super) fn cleared(&mut self) {
        self.is_closed = true;
        self.tree = OnceCell::from(StateTree::new());
        (self.added, self.removed) = (0, u64::MAX);
    }

    /// Makes the tree from the rows.
    pub(super) fn rebuild(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.cleared();
        for (slot, id) in head::all_slots(connection)? {
            if let Some(object) = objects::get(connection, &id)? {
                let leaf = leaf_of(&object);
                self.tree_mut(connection)?.set(&Kept(connection), slot, leaf)?;
                self.added = self.added.saturating_add(1);
            }
        }
        Ok(())
    }

    /// How many slots are in use, if `slots` were before.
    fn slots(&self, slots: u64) -> u64 {
        slots.saturating_sub(self.removed).saturating_add(self.added)
    }

    /// Writes the nodes of the state tree; its root, its room, and how many slots are in use.
    pub(super) fn write_state(
        &mut self,
        connection: &Connection,
        slots: u64,
    ) -> Result<(Hash, u64, u64), StoreError> {
        let slots = self.slots(slots);
        let tree = self.tree_mut(connection)?;
        head::put_tiles(connection, tree)?;
        tree.settle();
        Ok((tree.root(), tree.room(), slots))
    }

    /// Leaves the changes to be signed later, if they need nobody's login.
    pub(super) fn leave_pending(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.is_closed {
            return Err(StoreError::Unsigned);
        }
        if !self.before.is_empty() {
            let slots = head::read(connection)?.slots;
            let (_, _, slots) = self.write_state(connection, slots)?;
            head::set_state(connection, self.tree(connection)?, slots)?;
        }
        for (slot, before) in &self.before {
            head::put_pending(connection, *slot, before.as_deref())?;
        }
        for leaf in self.leaves.iter() {
            head::put_pending_leaf(connection, leaf)?;
        }
        Ok(())
    }
}

/// The state as it was signed, if what changed since needs nobody's login.
pub(super) struct Unsigned {
    /// The root that the state tree had.
    pub(super) root: Hash,
    /// How many slots were in use.
    pub(super) slots: u64,
    /// How many slots wait.
    pub(super) pending: u64,
}

/// Looks at the changes that wait. `signed` is the root that was signed.
pub(super) fn before_pending(connection: &Connection, signed: Hash) -> Result<Unsigned, HeadFault> {
    let found = head::read(connection)?;
    let pending = head::pending(connection)?;
    let count = u64::try_from(pending.len()).unwrap_or(u64::MAX);
    if pending.is_empty() {
        return Ok(Unsigned { root: found.state_root, slots: found.slots, pending: count });
    }
    let mut tree = head::tree(connection)?;
    let mut slots = found.slots;
    for (slot, before) in &pending {
        let now = match head::id_at(connection, *slot)? {
            Some(id) => objects::get(connection, &id)?,
            None => None,
        };
        let leaf = now.as_ref().map_or_else(empty_leaf, leaf_of);
        let open = now.as_ref().is_none_or(|now| is_open(&canonical(now)))
            && before.as_deref().is_none_or(is_open);
        if !open || !tree.holds(&Kept(connection), *slot, &leaf)? {
            return Err(HeadFault::because("an unsigned change is more than anybody may change"));
        }
        let leaf = before.as_deref().map_or_else(empty_leaf, crate::audit::tree::leaf_hash);
        tree.set(&Kept(connection), *slot, leaf)?;
        slots = slots.saturating_sub(u64::from(now.is_some()));
        slots = slots.saturating_add(u64::from(before.is_some()));
    }
    // The tree may have grown since.
    let mut rooms = (0..64_u32).filter_map(|level| 1_u64.checked_shl(level));
    let same = rooms
        .by_ref()
        .take_while(|room| *room <= tree.room())
        .any(|room| grown(signed, room, tree.room()) == Some(tree.root()));
    let root = if same { signed } else { tree.root() };
    Ok(Unsigned { root, slots, pending: count })
}
