//! The log as it was at earlier sizes, out of its tiles; and what was published or witnessed.

use std::fs;

use super::*;
use crate::audit::history::{End, Kept, Mismatch};
use crate::audit::leaf::Leaf;
use crate::audit::record::Record;
use crate::audit::tree::root;
use crate::store::contract::begin_signed;

fn grow(store: &SqliteStore, leaves: usize) {
    let call = Record { call: "C_GetInfo".into(), rv: "CKR_OK".into(), ..Record::default() };
    let leaf = Leaf::Unauthenticated(call).to_bytes();
    write(store, |t| (0..leaves).try_for_each(|_| t.append_leaf(&leaf)));
}

fn end(head: &Head) -> End {
    let Head { generation, size, root, .. } = *head;
    End { serial: "0001".into(), generation, size, root, key: head.audit.public }
}

/// A log across several full tiles, and its head after each commit.
fn grown() -> (Scratch, Vec<Head>) {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut heads = vec![read(&store, |t| t.head())];
    for leaves in [1, 250, 3, 256, 511, 300, 1, 700] {
        grow(&store, leaves);
        heads.push(read(&store, |t| t.head()));
    }
    (scratch, heads)
}

#[test]
fn every_earlier_root_is_found_again() {
    let (scratch, heads) = grown();
    let store = scratch.open();
    let history = store.history().unwrap();
    let last = heads.last().unwrap();
    for head in &heads {
        let hashes = history.hashes(1, last.size);
        assert_eq!(root(head.size, &|level, index| hashes.get(level, index)), Ok(head.root));
        let kept = if head == last { Kept::Same } else { Kept::Behind };
        assert_eq!(end(last).compare(head.checkpoint.as_bytes(), history.as_ref()), Ok(kept));
        if head != last {
            let ahead = Err(Mismatch::Ahead { generation: 1, size: last.size });
            let found = end(head).compare(last.checkpoint.as_bytes(), history.as_ref());
            assert_eq!(found, ahead);
        }
    }
    assert!(history.hashes(2, 5).get(0, 0).is_err(), "there is no such generation");
    assert!(history.first_entry(2).is_err());
    assert!(matches!(
        Leaf::parse(&history.first_entry(1).unwrap()),
        Ok(Leaf::Generation { number: 1, .. })
    ));
}

#[test]
fn tiles_that_are_missing_or_cut_are_made_and_bundles_that_are_removed_are_not_needed() {
    let (scratch, heads) = grown();
    let log = directory(&scratch.token, 1);
    let compare = |which: usize| {
        let store = scratch.open();
        let history = store.history().unwrap();
        let last = end(heads.last().unwrap());
        last.compare(heads[which].checkpoint.as_bytes(), history.as_ref())
    };
    fs::remove_file(log.join("tile/0/001")).unwrap();
    fs::write(log.join("tile/0/002"), [1; 100]).unwrap();
    fs::write(log.join("tile/0/003"), [1; 9000]).unwrap();
    assert!((0..8).all(|which| compare(which) == Ok(Kept::Behind)));
    // Exported and removed: their tiles stand for them.
    fs::remove_file(log.join("tile/entries/000")).unwrap();
    assert!((0..8).all(|which| compare(which) == Ok(Kept::Behind)));
    fs::remove_file(log.join("tile/0/000")).unwrap();
    assert!(matches!(compare(1), Err(Mismatch::Unproven(_))));
}

#[test]
fn a_tile_that_was_changed_proves_nothing_that_it_is_needed_for() {
    let (scratch, heads) = grown();
    let tile = directory(&scratch.token, 1).join("tile/0/000");
    let whole = fs::read(&tile).unwrap();
    let store = scratch.open();
    let history = store.history().unwrap();
    let last = end(heads.last().unwrap());
    // The first head has two leaves: the proof for it needs all others.
    for (leaf, expected) in [(0, Ok(Kept::Behind)), (1, Ok(Kept::Behind)), (2, Err(Mismatch::Fork))]
    {
        let mut bytes = whole.clone();
        bytes[32 * leaf] ^= 1;
        fs::write(&tile, bytes).unwrap();
        let found = last.compare(heads[0].checkpoint.as_bytes(), history.as_ref());
        assert_eq!(found, expected, "leaf {leaf}");
    }
}

#[test]
fn what_a_witness_signed_is_kept_if_it_is_of_this_log() {
    let scratch = Scratch::new();
    let store = scratch.open();
    assert_eq!(store.witnessed(1), None);
    let first = read(&store, |t| t.head()).checkpoint;
    store.keep_witnessed(&first).unwrap();
    assert_eq!(store.witnessed(1).as_deref(), Some(first.as_str()));
    grow(&store, 3);
    let newest = read(&store, |t| t.head()).checkpoint;
    store.keep_witnessed(&newest).unwrap();
    store.publish(&newest).unwrap();
    for bad in ["", "no note", &newest.replacen("/1\n", "/2\n", 1)] {
        assert!(store.keep_witnessed(bad).is_err(), "{bad}");
        assert!(store.publish(bad).is_err(), "{bad}");
    }
    assert_eq!(store.witnessed(1), Some(newest));
    assert_eq!(store.witnessed(2), None);
    drop(begin_signed(&store));
    scratch.assert_sound();
}
