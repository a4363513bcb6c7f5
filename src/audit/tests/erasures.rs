//! Evidence that a key is gone, and what is none.

use super::{Published, generation, signer, state, time};
use crate::audit::checkpoint::origin;
use crate::audit::erasure::{ErasureError, Evidence, Found, Places, ROTATION, Trail};
use crate::audit::leaf::{Leaf, StateLeaf};
use crate::audit::proof::Proof;
use crate::audit::record::{Record, Role};
use crate::audit::tile::TileHashes;
use crate::audit::tree::inclusion_proof;

const KEY: &str = "00112233445566778899aabbccddeeff";

fn change(call: &'static str, key: Option<&'static str>) -> Leaf<'static> {
    Leaf::Change(Record {
        time: time(1),
        role: Role::User,
        call: call.into(),
        key: key.map(Into::into),
        rv: "CKR_OK".into(),
        ..Record::default()
    })
}

fn epoch(epoch: u64) -> Leaf<'static> {
    let Leaf::State(leaf) = state(&[]) else { panic!("a state") };
    Leaf::State(StateLeaf { epoch, ..leaf })
}

/// Made, destroyed at 4, rotated at 6.
fn story() -> Vec<Leaf<'static>> {
    vec![
        generation(1),
        epoch(1),
        change("C_GenerateKey", Some(KEY)),
        epoch(1),
        change("C_DestroyObject", Some(KEY)),
        epoch(1),
        change(ROTATION, None),
        epoch(2),
    ]
}

fn found(leaves: &[Leaf<'_>]) -> Found {
    let mut trail = Trail::of(&KEY.to_uppercase());
    (0..).zip(leaves).for_each(|(index, leaf)| trail.pass(index, leaf));
    trail.found()
}

const PLACES: Places = Places { destroyed: 4, before: 5, rotated: 6, state: 7 };

fn proof(leaves: &[Leaf<'_>], log: &Published, index: u64) -> Proof {
    let size = log.checkpoint.size;
    let hashes = TileHashes::new(size, |tile| Ok(log.read(&tile.path()).unwrap()));
    let hashes = inclusion_proof(index, size, &hashes).unwrap();
    let extra = Some(leaves[index as usize].to_bytes());
    Proof { extra, index, hashes, checkpoint: log.note.clone() }
}

fn evidence(leaves: &[Leaf<'_>], places: Places) -> Evidence {
    let log = Published::of_leaves(leaves);
    let proof = |index| proof(leaves, &log, index);
    Evidence {
        destroyed: proof(places.destroyed),
        before: proof(places.before),
        rotated: proof(places.rotated),
        state: proof(places.state),
    }
}

#[test]
fn a_destruction_and_a_rotation_after_it_are_evidence() {
    let leaves = story();
    assert_eq!(found(&leaves), Found::Erased(PLACES));
    let key = Published::of_leaves(&leaves).key;
    let proved = evidence(&leaves, PLACES).check(std::slice::from_ref(&key)).unwrap();
    assert_eq!((proved.key.as_str(), proved.epoch, proved.size), (KEY, 2, 8));
    assert_eq!(proved.places, PLACES);
    let other = signer(&origin("another", 1)).verifier().clone();
    let refused = evidence(&leaves, PLACES).check(&[other]);
    assert!(matches!(refused, Err(ErasureError::Proof("destruction", _))), "{refused:?}");
}

#[test]
fn the_first_rotation_after_the_last_destruction_counts() {
    assert_eq!(found(&story()[..4]), Found::Nothing);
    assert_eq!(found(&story()[..6]), Found::Destroyed(4));
    assert_eq!(found(&story()[..7]), Found::Destroyed(4), "its state leaf is missing");
    let mut leaves = story();
    leaves.extend([change(ROTATION, None), epoch(3)]);
    assert_eq!(found(&leaves), Found::Erased(PLACES));
    leaves.extend([change("C_SetAttributeValue", Some(KEY)), epoch(3)]);
    assert_eq!(found(&leaves), Found::Nothing, "it is there again");
    let mut leaves = story();
    leaves.swap(4, 6);
    assert_eq!(found(&leaves), Found::Destroyed(6), "the rotation came before");
    let mut leaves = story();
    leaves.insert(7, change("C_InitPIN", None));
    assert_eq!(found(&leaves), Found::Destroyed(4), "not the rotation's own state");
}

#[test]
fn other_entries_are_no_evidence() {
    let key = Published::of_leaves(&story()).key;
    let refused = |leaves: &[Leaf<'_>], places: Places, why: &str| {
        let key = std::slice::from_ref(&key);
        let refused = evidence(leaves, places).check(key).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused} is not {why}");
    };
    let leaves = story();
    refused(&leaves, Places { destroyed: 2, ..PLACES }, "no entry is the destruction");
    refused(&leaves, Places { destroyed: 5, ..PLACES }, "an entry is no change");
    refused(&leaves, Places { rotated: 4, ..PLACES }, "no entry is the rotation");
    refused(&leaves, Places { state: 6, ..PLACES }, "an entry is no state");
    refused(&leaves, Places { state: 5, ..PLACES }, "no epoch began");
    refused(&leaves, Places { before: 7, ..PLACES }, "no epoch began");
    refused(&leaves, Places { before: 3, ..PLACES }, "did not come after");
    let failed = |at: usize, change: fn(&mut Record<'_>)| {
        let mut leaves = story();
        let Leaf::Change(record) = &mut leaves[at] else { panic!("a change") };
        change(record);
        leaves
    };
    for at in [4, 6] {
        refused(&failed(at, |record| record.role = Role::None), PLACES, "no entry is the");
        let failed = failed(at, |record| record.rv = "CKR_DEVICE_ERROR".into());
        refused(&failed, PLACES, "no entry is the");
        assert_ne!(found(&failed), Found::Erased(PLACES));
    }
    let mut late = story();
    late.insert(7, epoch(1));
    refused(&late, Places { state: 8, ..PLACES }, "not the one of the rotation");
    let mut mixed = evidence(&leaves, PLACES);
    let mut longer = story();
    longer.push(epoch(2));
    mixed.state = evidence(&longer, PLACES).state;
    let refused = mixed.check(std::slice::from_ref(&key)).unwrap_err();
    assert!(refused.to_string().contains("several checkpoints"), "{refused}");
    let mut bare = evidence(&leaves, PLACES);
    bare.rotated.extra = None;
    assert!(bare.check(std::slice::from_ref(&key)).is_err());
}
