//! The state tree: an RFC 6962 tree over the slots of a token's objects, whose root the log signs.
//!
//! The leaf of a slot is the hash of the row that stands there, search rows included, and the
//! empty leaf if none does. A tree has a power of two of slots and doubles when it is full. Nodes
//! are kept in tiles of four levels, so that a change writes few rows; what a tile says is
//! believed only as far as a path leads from it to the root.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{StoreError, StoredObject};
use crate::audit::tree::{Hash, leaf_hash, node_hash};

/// Levels of one tile; its root stands in the tile above.
const LEVELS: u8 = 4;
/// Leaves of one tile.
const WIDTH: usize = 16;
/// 16 + 8 + 4 + 2 nodes.
const NODES: usize = 30;
/// Slots are numbers below 2^40.
const HIGHEST: u8 = 40;

/// What a row is hashed as: every field in order, numbers little endian, texts behind their
/// lengths, then the search rows in order.
pub(crate) fn canonical(object: &StoredObject) -> Vec<u8> {
    let texts = [&object.data_key, &object.sealed, &object.clear];
    let rows = object.search.iter().map(|row| row.value.len().saturating_add(16));
    let lengths = texts.iter().map(|text| text.len().saturating_add(8)).chain(rows);
    let mut bytes = Vec::with_capacity(lengths.fold(80, usize::saturating_add));
    bytes.push(1);
    bytes.extend_from_slice(&object.id.0);
    bytes.extend_from_slice(&object.version.to_le_bytes());
    bytes.extend_from_slice(&object.class.to_le_bytes());
    bytes.extend_from_slice(&[u8::from(object.private), u8::from(object.key_type.is_some())]);
    bytes.extend_from_slice(&object.key_type.unwrap_or(0).to_le_bytes());
    bytes.extend_from_slice(&object.epoch.to_le_bytes());
    for text in texts {
        put(&mut bytes, text);
    }
    let mut rows: Vec<_> = object.search.iter().collect();
    rows.sort();
    rows.dedup();
    for row in rows {
        bytes.extend_from_slice(&row.attribute.to_le_bytes());
        put(&mut bytes, &row.value);
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    // A length fits into 64 bits wherever Rust runs.
    bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend_from_slice(text);
}

/// True if `canonical` made these bytes of an object that anybody may change where the policy
/// allows it: public, and nothing sealed.
pub(crate) fn is_open(canonical: &[u8]) -> bool {
    // After format, id, version and class.
    let private = canonical.get(33).copied();
    let data_key = canonical.get(51..59);
    let sealed = canonical.get(59..67);
    private == Some(0) && data_key == Some(&[0; 8]) && sealed == Some(&[0; 8])
}

/// The leaf of a slot with this row.
pub(crate) fn leaf_of(object: &StoredObject) -> Hash {
    leaf_hash(&canonical(object))
}

/// The leaf of a slot without a row.
pub(crate) fn empty_leaf() -> Hash {
    empty(0)
}

/// The root over 2^level empty leaves.
fn empty(level: u8) -> Hash {
    static EMPTY: OnceLock<Vec<Hash>> = OnceLock::new();
    let all = EMPTY.get_or_init(|| {
        let mut all = vec![leaf_hash(&[])];
        for _ in 0..HIGHEST {
            let last = all.last().copied().unwrap_or_default();
            all.push(node_hash(&last, &last));
        }
        all
    });
    all.get(usize::from(level)).copied().unwrap_or_default()
}

/// The nodes of four levels under one node, lowest first.
#[derive(Clone)]
struct Tile(Box<[Hash; NODES]>);

impl Tile {
    /// Over empty leaves; a tile that is not kept is one of these.
    fn empty(tier: u8) -> Self {
        let mut nodes = [[0; 32]; NODES];
        for (place, node) in nodes.iter_mut().enumerate() {
            let above = match place {
                0..16 => 0,
                16..24 => 1,
                24..28 => 2,
                _ => 3,
            };
            *node = empty(tier.saturating_mul(LEVELS).saturating_add(above));
        }
        Self(Box::new(nodes))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<32>();
        let nodes = <[Hash; NODES]>::try_from(nodes).ok()?;
        rest.is_empty().then(|| Self(Box::new(nodes)))
    }
}

/// Where the tiles of a tree are kept.
pub(crate) trait Tiles {
    /// The bytes of a tile, if it is kept.
    fn tile(&self, tier: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Which tile a node stands in, and where in the tile.
fn place(level: u8, index: u64) -> ((u8, u64), usize) {
    let (tier, within) = (level / LEVELS, level % LEVELS);
    let width = WIDTH.checked_shr(u32::from(within)).unwrap_or(1);
    // The levels of a tile stand one after the other: 0, 16, 24, 28.
    let base = WIDTH.saturating_mul(2).saturating_sub(width.saturating_mul(2));
    let mask = u64::try_from(width).unwrap_or(1).saturating_sub(1);
    let at = usize::try_from(index & mask).unwrap_or(0);
    let tile = index.checked_shr(u32::from(LEVELS.saturating_sub(within))).unwrap_or(0);
    ((tier, tile), base.saturating_add(at))
}

/// One version of the tree, and the tiles in which it differs from what is kept.
#[derive(Clone)]
pub(crate) struct StateTree {
    height: u8,
    root: Hash,
    changed: BTreeMap<(u8, u64), Tile>,
    /// Nothing that is kept counts: the tree was emptied.
    fresh: bool,
}

impl StateTree {
    /// A tree with one empty slot and nothing kept.
    pub(crate) fn new() -> Self {
        Self { height: 0, root: empty(0), changed: BTreeMap::new(), fresh: true }
    }

    /// The tree of which room and root are kept.
    pub(crate) fn kept(room: u64, root: Hash) -> Result<Self, StoreError> {
        let height = u8::try_from(room.trailing_zeros()).unwrap_or(u8::MAX);
        if !room.is_power_of_two() || height > HIGHEST {
            return Err(StoreError::Corrupt("the state tree has no possible size".to_owned()));
        }
        Ok(Self { height, root, changed: BTreeMap::new(), fresh: false })
    }

    pub(crate) const fn root(&self) -> Hash {
        self.root
    }

    /// How many slots there is room for.
    pub(crate) fn room(&self) -> u64 {
        1_u64.checked_shl(u32::from(self.height)).unwrap_or(0)
    }

    /// True if the tiles that are kept have to be removed before the changed ones are written.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The tiles to be written.
    pub(crate) fn changed(&self) -> impl Iterator<Item = ((u8, u64), &[u8])> {
        self.changed.iter().map(|(at, tile)| (*at, tile.0.as_flattened()))
    }

    /// What was changed is kept by now.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
        self.fresh = false;
    }

    fn tile(&self, tiles: &impl Tiles, at: (u8, u64)) -> Result<Tile, StoreError> {
        if let Some(tile) = self.changed.get(&at) {
            return Ok(tile.clone());
        }
        let kept = if self.fresh { None } else { tiles.tile(at.0, at.1)? };
        // One of another length says nothing, and no path leads through it.
        Ok(kept.and_then(|bytes| Tile::from_bytes(&bytes)).unwrap_or_else(|| Tile::empty(at.0)))
    }

    /// The hashes beside the path from a slot to the root, from below; and the leaf that is kept.
    fn path(&self, tiles: &impl Tiles, slot: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
        let mut beside = Vec::with_capacity(usize::from(self.height));
        let mut leaf = empty_leaf();
        let mut held: Option<((u8, u64), Tile)> = None;
        for level in 0..=self.height {
            let index = slot.checked_shr(u32::from(level)).unwrap_or(0);
            let (at, own) = place(level, index);
            let tile = match held.take() {
                Some((there, tile)) if there == at => tile,
                _ => self.tile(tiles, at)?,
            };
            if level == 0 {
                leaf = tile.0.get(own).copied().unwrap_or(leaf);
            }
            if level < self.height {
                let (_, sibling) = place(level, index ^ 1);
                beside.push(tile.0.get(sibling).copied().unwrap_or_default());
            }
            held = Some((at, tile));
        }
        Ok((leaf, beside))
    }

    /// True if the slot has this leaf in the tree with this root.
    pub(crate) fn holds(
        &self,
        tiles: &impl Tiles,
        slot: u64,
        leaf: &Hash,
    ) -> Result<bool, StoreError> {
        if slot >= self.room() {
            return Ok(false);
        }
        let (_, beside) = self.path(tiles, slot)?;
        Ok(climb(slot, *leaf, &beside).last() == Some(&self.root))
    }

    /// True if the slot is empty in the tree with this root.
    pub(crate) fn is_empty(&self, tiles: &impl Tiles, slot: u64) -> Result<bool, StoreError> {
        Ok(slot >= self.room() || self.holds(tiles, slot, &empty_leaf())?)
    }

    /// Puts a leaf into a slot. The hashes beside its path are checked against the old root
    /// before they become part of the new one: what was changed outside stays outside.
    pub(crate) fn set(
        &mut self,
        tiles: &impl Tiles,
        slot: u64,
        leaf: Hash,
    ) -> Result<(), StoreError> {
        while slot >= self.room() {
            self.grow(tiles)?;
        }
        let (old, beside) = self.path(tiles, slot)?;
        if climb(slot, old, &beside).last() != Some(&self.root) {
            return Err(StoreError::Distrusted("the state tree was changed outside".to_owned()));
        }
        let path = climb(slot, leaf, &beside);
        for (level, hash) in (0..=self.height).zip(&path) {
            self.write(tiles, level, slot.checked_shr(u32::from(level)).unwrap_or(0), *hash)?;
        }
        self.root = path.last().copied().unwrap_or(leaf);
        Ok(())
    }

    fn write(
        &mut self,
        tiles: &impl Tiles,
        level: u8,
        index: u64,
        hash: Hash,
    ) -> Result<(), StoreError> {
        let (at, within) = place(level, index);
        if !self.changed.contains_key(&at) {
            let tile = self.tile(tiles, at)?;
            self.changed.insert(at, tile);
        }
        if let Some(node) = self.changed.get_mut(&at).and_then(|tile| tile.0.get_mut(within)) {
            *node = hash;
        }
        Ok(())
    }

    fn grow(&mut self, tiles: &impl Tiles) -> Result<(), StoreError> {
        if self.height >= HIGHEST {
            return Err(StoreError::Full);
        }
        self.root = node_hash(&self.root, &empty(self.height));
        self.height = self.height.saturating_add(1);
        self.write(tiles, self.height, 0, self.root)
    }
}

/// The root of a tree of `to` slots of which only the first `from` may be in use, from its root
/// when it had those alone.
pub(crate) fn grown(root: Hash, from: u64, to: u64) -> Option<Hash> {
    let mut tree = StateTree::kept(from, root).ok()?;
    while tree.height < HIGHEST && tree.room() < to {
        tree.root = node_hash(&tree.root, &empty(tree.height));
        tree.height = tree.height.saturating_add(1);
    }
    (tree.room() == to).then_some(tree.root)
}

/// The nodes from a leaf to the root, both included.
fn climb(slot: u64, leaf: Hash, beside: &[Hash]) -> Vec<Hash> {
    let mut path = Vec::with_capacity(beside.len().saturating_add(1));
    let mut node = leaf;
    path.push(node);
    for (level, sibling) in (0_u32..).zip(beside) {
        node = match slot.checked_shr(level).unwrap_or(0) % 2 {
            0 => node_hash(&node, sibling),
            _ => node_hash(sibling, &node),
        };
        path.push(node);
    }
    path
}
