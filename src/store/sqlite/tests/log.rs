//! The log as it lies on the disk: tiles, publishing, crashes, cost.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use super::*;
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record};
use crate::store::StoredObject;
use crate::store::contract::begin_signed;

fn leaf(call: &'static str) -> Vec<u8> {
    Leaf::Unauthenticated(Record { call: call.into(), rv: "CKR_OK".into(), ..Record::default() })
        .to_bytes()
}

fn append(store: &dyn Store, leaves: usize) {
    let leaf = leaf("C_GetInfo");
    write(store, |t| (0..leaves).try_for_each(|_| t.append_leaf(&leaf)));
}

fn log_files(scratch: &Scratch) -> BTreeSet<String> {
    let log = directory(&scratch.token, 1);
    let mut found = BTreeSet::new();
    let mut open = vec![log.clone()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => {
                    let name = entry.strip_prefix(&log).unwrap().to_str().unwrap();
                    found.insert(name.to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn a_new_token_has_a_log_of_two_leaves() {
    let scratch = Scratch::new();
    let report = scratch.verify();
    assert_eq!((report.fault, report.signatures, report.counts.states), (None, 1, 1));
    let checked = scratch.check().unwrap();
    assert_eq!((checked.generation, checked.size, checked.pending), (1, 2, 0));
    assert!(checked.checkpoint.starts_with("claviger/0001/1\n2\n"));
}

#[test]
fn every_commit_is_in_the_log() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut expected = 2;
    for number in 0..300 {
        let one = object("one");
        write(&store, |t| t.insert(&one));
        write(&store, |t| t.replace(&StoredObject { version: 2, ..one.clone() }));
        if number % 3 == 0 {
            write(&store, |t| t.remove(&one.id).map(drop).and(t.append_leaf(&leaf("C_Sign"))));
            expected += 2;
        }
        expected += 2;
    }
    let head = read(&store, |t| t.head());
    assert_eq!((head.size, head.slots), (expected, 200));
    scratch.assert_sound();
    let entries: Vec<_> = (0..=expected / 256).map(|n| format!("tile/entries/{n:03}")).collect();
    let tiles = (0..expected / 256).map(|n| format!("tile/0/{n:03}"));
    assert_eq!(log_files(&scratch), entries.into_iter().chain(tiles).collect());
    write(&store, |t| t.set_tries(crate::store::Role::User, 1));
    assert_eq!(read(&store, |t| t.head()), head, "tries are not in the log");
    assert!(scratch.check().is_ok());
}

#[test]
fn batches_cross_bundles_and_bounds_hold() {
    let scratch = Scratch::new();
    let store = scratch.open();
    for leaves in [252, 1, 0, 255, 256, 257, 4096, 511] {
        append(&store, leaves);
        scratch.assert_sound();
    }
    let size = read(&store, |t| t.head()).size;
    assert_eq!(size, 2 + 252 + 1 + 255 + 256 + 257 + 4096 + 511 + 7);
    let mut transaction = begin_signed(&store);
    assert!(transaction.append_leaf(&vec![b' '; 65_536]).is_err());
    drop(transaction);
    let hashes = fs::read_dir(directory(&scratch.token, 1).join("tile/0")).unwrap().count();
    assert_eq!(u64::try_from(hashes), Ok(size / 256));
}

#[test]
fn a_torn_or_lost_tile_is_written_again() {
    let scratch = Scratch::new();
    append(&scratch.open(), 3 * 256);
    let tile = |n: u64| directory(&scratch.token, 1).join(format!("tile/0/00{n}"));
    let whole = fs::read(tile(2)).unwrap();
    fs::write(tile(2), &whole[..5000]).unwrap();
    fs::remove_file(tile(1)).unwrap();
    append(&scratch.open(), 0);
    scratch.assert_sound();
    assert_eq!(fs::read(tile(2)).unwrap(), whole);
    assert!(tile(1).exists());
}

#[test]
fn what_is_published_is_whole_and_replaces_what_was() {
    let scratch = Scratch::new();
    let store = scratch.open();
    append(&store, 300);
    let first = read(&store, |t| t.head());
    store.publish(&first.checkpoint).unwrap();
    assert!(log_files(&scratch).contains("tile/entries/001.p/47"));
    assert!(log_files(&scratch).contains("tile/0/001.p/47"));
    assert!(log_files(&scratch).contains("tile/1/000.p/1"));
    assert_eq!(
        fs::read_to_string(directory(&scratch.token, 1).join("checkpoint")).unwrap(),
        first.checkpoint
    );
    append(&store, 500);
    let second = read(&store, |t| t.head());
    store.publish(&second.checkpoint).unwrap();
    let files = log_files(&scratch);
    assert!(!files.iter().any(|name| name.contains("001.p")), "{files:?}");
    assert!(files.contains("tile/entries/003.p/36") && files.contains("tile/1/000.p/3"));
    store.publish(&first.checkpoint).unwrap();
    scratch.assert_sound();
    for wrong in ["", "x\n", &first.checkpoint.replace("/1\n", "/2\n")] {
        assert!(store.publish(wrong).is_err());
    }
}

#[test]
fn unsigned_changes_are_signed_by_the_next_who_can() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let kept: Vec<_> = (0..3).map(|number| object(&format!("{number}"))).collect();
    write(&store, |t| kept.iter().try_for_each(|one| t.insert(one).map(drop)));
    let signed = read(&store, |t| t.head());
    let unsigned = |change: &dyn Fn(&mut dyn crate::store::Transaction)| {
        let mut transaction = store.begin(Mode::Write).unwrap();
        change(&mut *transaction);
        transaction.append_leaf(&leaf("C_CreateObject")).unwrap();
        transaction.commit().unwrap();
        assert_eq!(read(&store, |t| t.head()).checkpoint, signed.checkpoint);
    };
    unsigned(&|t| assert!(t.remove(&kept[1].id).unwrap()));
    unsigned(&|t| {
        let newer = StoredObject { version: 9, ..kept[0].clone() };
        assert!(t.replace(&newer).unwrap());
    });
    unsigned(&|t| (0..9).for_each(|_| assert!(t.insert(&object("new")).is_ok())));
    unsigned(&|t| assert!(t.remove(&kept[0].id).unwrap()));
    let checked = scratch.check().unwrap();
    assert_eq!((checked.pending, checked.size), (10, signed.size));
    assert_eq!((checked.missing, checked.surplus), (0, 0));
    scratch.assert_sound();
    write(&store, |t| t.insert(&object("signed")));
    let checked = scratch.check().unwrap();
    assert_eq!((checked.pending, checked.size), (0, signed.size + 5));
    assert_eq!(read(&store, |t| t.head()).slots, 11);
    scratch.assert_sound();
}

#[test]
fn a_new_generation_names_the_last_checkpoint() {
    let scratch = Scratch::new();
    let store = scratch.open();
    append(&store, 300);
    let old = read(&store, |t| t.head());
    write(&store, |t| t.put_lane(LaneId(3), 0));
    let last = read(&store, |t| t.head());
    let (new, vault) = new_token("0001");
    write(&store, |t| t.initialise(&new));
    scratch.assert_sound();
    let head = read(&store, |t| t.head());
    assert_eq!((head.generation, head.size, head.slots), (2, 2, 0));
    assert_eq!(head.audit.public, *vault.audit_signer().unwrap().public());
    let first = fs::read(directory(&scratch.token, 2).join("tile/entries/000")).unwrap();
    let first = crate::audit::tile::entries(&first).next().unwrap().unwrap();
    let Leaf::Generation { number: 2, previous: Some(previous), .. } = Leaf::parse(first).unwrap()
    else {
        panic!("{}", String::from_utf8_lossy(first));
    };
    assert_eq!(previous, last.checkpoint);
    assert_eq!(scratch.verify_head(&old).fault, None, "the old log is still there");

    let kept = object("kept");
    write(&store, |t| t.insert(&kept));
    alter(&scratch, "UPDATE object SET clear = x'00'; DELETE FROM state");
    let accept = |vault: &crate::store::vault::Vault| {
        let (audit, key) = vault.new_audit_key().unwrap();
        let mut transaction = store.begin(Mode::Write).unwrap();
        transaction.rebuild_state().unwrap();
        transaction.begin_generation(&audit, &key, "accepted").unwrap();
        transaction.commit().unwrap();
    };
    accept(&vault);
    scratch.assert_sound();
    assert_eq!(read(&store, |t| t.get(&kept.id)).unwrap().clear, [0]);
    assert_eq!(read(&store, |t| t.head()).generation, 3);
    write(&store, |t| t.remove(&kept.id));
    scratch.assert_sound();
}

#[test]
fn commits_of_two_stores_and_of_many_threads_make_one_log() {
    let scratch = Scratch::new();
    let store = scratch.open();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope
                .spawn(|| (0..40).for_each(|_| write(&store, |t| t.insert(&object("")).map(drop))));
        }
    });
    assert_eq!(read(&store, |t| t.head()).size, 2 + 160);
    scratch.assert_sound();
}

#[test]
fn ten_thousand_objects_in_good_time() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let objects: Vec<_> = (0..10_000).map(|number| object(&format!("{number}"))).collect();
    let begun = Instant::now();
    write(&store, |t| objects.iter().try_for_each(|one| t.insert(one).map(drop)));
    println!("10 000 objects in one commit: {:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..100 {
        write(&store, |t| t.insert(&object("more")));
    }
    println!("one more object, signed: {:?}", begun.elapsed() / 100);
    let begun = Instant::now();
    let transaction = store.begin(Mode::Read).unwrap();
    for one in &objects {
        assert!(transaction.get(&one.id).unwrap().is_some());
    }
    println!("one object read and checked: {:?}", begun.elapsed() / 10_000);
    let begun = Instant::now();
    let public = transaction.token().unwrap().audit.public;
    transaction.check_head(&public).unwrap();
    println!("the head checked: {:?}", begun.elapsed());
    drop(transaction);
    scratch.assert_sound();
}

#[cfg(feature = "failpoints")]
fn hidden(found: &fs::DirEntry) -> bool {
    found.file_name().as_encoded_bytes().starts_with(b".")
}

/// With the feature `failpoints` only: the process ends in the middle of a commit.
#[cfg(feature = "failpoints")]
#[test]
fn after_a_crash_at_any_point_the_log_is_sound() {
    const TEST: &str = "log::after_a_crash_at_any_point_the_log_is_sound";
    if let Some((_, token)) = own_part() {
        let store = SqliteStore::open(&token, OPENING).unwrap();
        write(&store, |t| {
            t.insert(&object("first"))?;
            (0..900).try_for_each(|_| t.append_leaf(&leaf("C_Sign")))?;
            t.insert(&object("second"))
        });
        return println!("answer: not reached");
    }
    for (point, kept) in [
        ("log.entries-written", 0),
        ("log.synced", 0),
        ("store.marked", 0),
        ("store.committed", 2),
        ("log.tile-written", 2),
        ("log.tile-renamed", 2),
        ("store.after-commit", 2),
    ] {
        let scratch = Scratch::new();
        let status =
            part(TEST, "crash", &scratch.token).env("CLAVIGER_FAILPOINT", point).status().unwrap();
        assert_eq!(status.code(), Some(137), "{point}");
        assert_eq!(count(&scratch.open()), kept, "{point}");
        scratch.check().unwrap();
        append(&scratch.open(), 3);
        append(&scratch.open(), 300);
        scratch.assert_sound();
        let size = read(&scratch.open(), |t| t.head()).size;
        assert_eq!(size, 2 + 4 + 301 + if kept > 0 { 901 } else { 0 }, "{point}");
        let hashes = fs::read_dir(directory(&scratch.token, 1).join("tile/0")).unwrap();
        let tiles = hashes.filter(|found| !hidden(found.as_ref().unwrap())).count();
        assert_eq!(u64::try_from(tiles), Ok(size / 256), "{point}");
    }
}

/// How the head stands once a byte of a bundle was changed, which is then put back.
fn check_with_a_change(scratch: &Scratch, bundle: &str) -> Result<CheckedHead, HeadFault> {
    let path = directory(&scratch.token, 1).join("tile/entries").join(bundle);
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[99] ^= 1;
    fs::write(&path, bytes).unwrap();
    let found = scratch.check();
    fs::write(&path, whole).unwrap();
    found
}

#[test]
fn a_login_reads_the_newest_entries_and_no_more() {
    let scratch = Scratch::new();
    for leaves in [1, 251, 255, 256, 257, 900] {
        append(&scratch.open(), leaves);
        assert_eq!(scratch.check().unwrap().behind, 0);
        assert!(matches!(check_with_a_change(&scratch, "000"), Err(HeadFault::Tampered(_))));
    }
    let size = scratch.check().unwrap().size;
    let left = usize::try_from(4_096 - size).unwrap();
    append(&scratch.open(), left - 2);
    assert_eq!(scratch.check().unwrap().size, 4_095);
    assert!(check_with_a_change(&scratch, "000").is_err());
    append(&scratch.open(), 300);
    scratch.check().unwrap();
    assert!(check_with_a_change(&scratch, "000").is_ok(), "that is who verifies the log's");
    assert!(check_with_a_change(&scratch, "016").is_err());
    append(&scratch.open(), 3_000);
    assert!(check_with_a_change(&scratch, "015").is_ok());
    for bundle in ["016", "017", "026"] {
        assert!(check_with_a_change(&scratch, bundle).is_err(), "{bundle}");
    }
    assert_eq!(scratch.verify().fault, None);
}

#[test]
fn bundles_that_were_removed_from_the_beginning_are_not_missed() {
    let scratch = Scratch::new();
    append(&scratch.open(), 1_000);
    let log = directory(&scratch.token, 1);
    let remove = |bundle: &str| fs::remove_file(log.join("tile/entries").join(bundle)).unwrap();
    let kept = fs::read(log.join("tile/entries/001")).unwrap();
    remove("001");
    assert!(scratch.check().is_err(), "the first one is still there");
    remove("000");
    scratch.check().unwrap();
    let tile = log.join("tile/0/001");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[99] ^= 1;
    fs::write(&tile, bytes).unwrap();
    assert!(scratch.check().is_err(), "its tile stands for it");
    fs::write(log.join("tile/entries/001"), kept).unwrap();
    scratch.check().unwrap();
}

#[test]
fn an_empty_bundle_ends_a_check() {
    let scratch = Scratch::new();
    append(&scratch.open(), 1_000);
    for bundle in ["000", "001", "003"] {
        let path = directory(&scratch.token, 1).join("tile/entries").join(bundle);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, b"").unwrap();
        assert!(scratch.check().is_err());
        fs::write(&path, whole).unwrap();
    }
}
