//! The tree against its definition, and against those who change it.

use std::collections::BTreeMap;

use super::{NODES, StateTree, Tiles, canonical, empty_leaf, grown, is_open, leaf_of};
use crate::audit::tree::{Hash, leaf_hash, node_hash};
use crate::store::contract::object;
use crate::store::{StoreError, StoredObject};

#[derive(Default)]
struct Kept(BTreeMap<(u8, u64), Vec<u8>>);

impl Tiles for Kept {
    fn tile(&self, tier: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(tier, index)).cloned())
    }
}

fn keep(kept: &mut Kept, tree: &mut StateTree) {
    kept.0.extend(tree.changed().map(|(at, tile)| (at, tile.to_vec())));
    tree.settle();
}

/// The definition.
fn root_of(leaves: &[Hash]) -> Hash {
    let size = leaves.len().next_power_of_two();
    let mut row = leaves.to_vec();
    row.resize(size, empty_leaf());
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}

#[test]
fn roots_are_those_of_the_definition() {
    let (mut kept, mut tree) = (Kept::default(), StateTree::new());
    let mut leaves = Vec::new();
    assert_eq!((tree.room(), tree.root()), (1, empty_leaf()));
    for slot in 0..600_u64 {
        leaves.push(leaf_hash(&slot.to_le_bytes()));
        tree.set(&kept, slot, leaves[leaves.len() - 1]).unwrap();
        if slot % 7 == 0 {
            keep(&mut kept, &mut tree);
            tree = StateTree::kept(tree.room(), tree.root()).unwrap();
        }
        assert_eq!(tree.root(), root_of(&leaves), "slot {slot}");
        assert_eq!(tree.room(), u64::try_from(leaves.len().next_power_of_two()).unwrap());
    }
    for slot in [0, 15, 16, 255, 256, 599] {
        leaves[slot] = empty_leaf();
        tree.set(&kept, u64::try_from(slot).unwrap(), empty_leaf()).unwrap();
        assert_eq!(tree.root(), root_of(&leaves));
        assert!(tree.is_empty(&kept, u64::try_from(slot).unwrap()).unwrap());
    }
    for (slot, leaf) in (0..).zip(&leaves) {
        assert!(tree.holds(&kept, slot, leaf).unwrap());
        assert!(!tree.holds(&kept, slot, &leaf_hash(b"other")).unwrap());
    }
    assert!(tree.is_empty(&kept, 1 << 39).unwrap());
    assert_eq!(grown(root_of(&leaves[..3]), 4, 4), Some(root_of(&leaves[..3])));
    let mut few = leaves[..3].to_vec();
    few.resize(64, empty_leaf());
    assert_eq!(grown(root_of(&leaves[..3]), 4, 64), Some(root_of(&few)));
    assert_eq!(grown(root_of(&few), 64, 4), None);
}

#[test]
fn a_changed_tile_is_not_believed() {
    let (mut kept, mut tree) = (Kept::default(), StateTree::new());
    let leaf = |slot: u64| leaf_hash(&slot.to_le_bytes());
    for slot in 0..40 {
        tree.set(&kept, slot, leaf(slot)).unwrap();
    }
    keep(&mut kept, &mut tree);
    let whole = kept.0.clone();
    for byte in (0..32 * NODES).step_by(16) {
        kept.0.get_mut(&(0, 0)).unwrap()[byte] ^= 1;
        let before = tree.root();
        for slot in 0..16 {
            let held = tree.holds(&kept, slot, &leaf(slot)).unwrap();
            let mut copy = tree.clone();
            match copy.set(&kept, slot, leaf(99)) {
                // Its own leaf and the nodes above it are written anew, not read.
                Ok(()) => assert!(held),
                Err(error) => assert!(matches!(error, StoreError::Distrusted(_))),
            }
        }
        assert!(tree.holds(&kept, 20, &leaf(20)).unwrap(), "other tiles do not mind");
        assert_eq!(tree.root(), before);
        kept.0.clone_from(&whole);
    }
    kept.0.insert((0, 0), vec![0; 5]);
    assert!(!tree.holds(&kept, 3, &leaf(3)).unwrap());
}

#[test]
fn every_field_of_a_row_counts() {
    let one = StoredObject { key_type: Some(0), ..object("one") };
    let changes: [fn(&mut StoredObject); 12] = [
        |one| one.id.0[3] ^= 1,
        |one| one.version += 1,
        |one| one.class += 1,
        |one| one.key_type = None,
        |one| one.key_type = Some(1),
        |one| one.private = true,
        |one| one.epoch += 1,
        |one| one.data_key.push(0),
        |one| one.sealed.push(0),
        |one| one.clear.push(0),
        |one| one.search[0].value.push(0),
        |one| one.search.clear(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = one.clone();
        change(&mut changed);
        assert_ne!(leaf_of(&one), leaf_of(&changed), "change {number}");
    }
    let slot_is_the_place = StoredObject { slot: 9, ..one.clone() };
    assert_eq!(leaf_of(&one), leaf_of(&slot_is_the_place));
    assert!(is_open(&canonical(&one)));
    for change in [changes[5], changes[7], changes[8]] {
        let mut changed = one.clone();
        change(&mut changed);
        assert!(!is_open(&canonical(&changed)));
    }
    assert!(!is_open(&[]));
}
