//! Whole logs: sound ones, and everything that can be done to one.

use std::ops::ControlFlow;

use super::{LANE, LaneId, Numbers, Published, opened, sound, state, time, used};
use crate::audit::leaf::Leaf;
use crate::audit::note::{Note, NoteError};
use crate::audit::order::Counts;
use crate::audit::record::Record;
use crate::audit::tile::{Tile, push_entry};
use crate::audit::verify::{Fault, Report, Walk, What, read_entries, verify};

fn checked(published: &Published) -> Report {
    let read = |path: &str| published.read(path);
    verify(
        &read,
        published.note.as_bytes(),
        std::slice::from_ref(&published.key),
        &mut |_, _, _| (),
    )
}

#[test]
fn sound_logs() {
    for uses in [0, 1, 249, 250, 251, 252, 260, 1_000] {
        let published = Published::new(&sound(uses));
        let report = checked(&published);
        assert_eq!(report.fault, None);
        assert!(report.is_sound());
        assert_eq!(report.signatures, 1);
        assert_eq!(report.removed, 0);
        let counts = Counts { uses, opened: 1, closed: 1, states: 2, ..Counts::default() };
        assert_eq!(report.counts, counts);
        assert_eq!(report.checkpoint, Some(published.checkpoint.clone()));
        // Partial tiles are only there on published logs.
        let mut bare = published;
        bare.files.retain(|path, _| !path.contains(".p/") || path.contains("entries"));
        assert!(checked(&bare).is_sound());
    }
}

/// A log that grows, looked at after each commit and also within bundles and at their edges.
#[test]
fn a_log_is_checked_on_from_where_it_was() {
    let mut leaves = vec![super::generation(1), opened(LANE), state(&[(LANE, 0)])];
    let mut stages = vec![Published::of_leaves(&leaves)];
    let mut uses = 0;
    for more in [1, 100, 150, 1, 1, 255, 256, 600] {
        leaves.extend((uses + 1..=uses + more).map(|seq| Leaf::Use(used(seq))));
        uses += more;
        leaves.push(state(&[(LANE, uses)]));
        stages.push(Published::of_leaves(&leaves));
    }
    let advance = |walk: &mut Walk, stage: &Published, seen: &mut Vec<u64>| {
        let keys = std::slice::from_ref(&stage.key);
        let read = |path: &str| stage.read(path);
        walk.advance(&read, stage.note.as_bytes(), keys, &mut |index, _, _| seen.push(index))
    };
    let (mut walk, mut seen) = (Walk::default(), Vec::new());
    for stage in &stages {
        assert_eq!(advance(&mut walk, stage, &mut seen), checked(stage));
        assert_eq!(advance(&mut walk, stage, &mut seen).fault, None, "nothing is new");
    }
    assert!(seen.iter().copied().eq(0..leaves.len() as u64), "each entry once, in order");

    // What was there before is not looked at again, but it is remembered.
    let order = |why| Some(Fault::from(What::Order(why)));
    let found = advance(&mut walk, &stages[3], &mut seen).fault;
    assert_eq!(found, order("the log was longer before"));
    let mut walk = Walk::default();
    assert_eq!(advance(&mut walk, &stages[1], &mut seen).fault, None);
    leaves[2] = state(&[(LANE, 1)]);
    let other = Published::of_leaves(&leaves);
    let found = advance(&mut walk, &other, &mut seen).fault;
    assert_eq!(found, Some(What::Differs("tile/0/000".into()).into()));
}

#[test]
fn counts_tell_what_happened() {
    let failed = |seq| Record { rv: "CKR_DEVICE_ERROR".into(), ..used(seq) };
    let published = Published::of_leaves(&[
        super::generation(1),
        opened(LANE),
        state(&[(LANE, 0)]),
        Leaf::Use(used(1)),
        Leaf::Use(failed(2)),
        Leaf::Change(failed(0)),
        Leaf::LaneCut { lane: LANE, records: 2, lost_bytes: 40, reason: "".into(), time: time(0) },
        opened(LaneId(8)),
        opened(LaneId(9)),
        Leaf::LaneDistrusted { lane: LaneId(8), records: 0, file: "f".into(), time: time(0) },
        state(&[(LaneId(9), 0)]),
    ]);
    let report = checked(&published);
    assert_eq!(report.fault, None);
    let counts = Counts {
        uses: 2,
        changes: 1,
        failed: 2,
        opened: 3,
        cut: 1,
        lost_bytes: 40,
        distrusted: 1,
        open: 1,
        states: 2,
        ..Counts::default()
    };
    assert_eq!(report.counts, counts);
}

#[test]
fn every_entry_is_shown_in_order() {
    let entries = sound(600);
    let published = Published::new(&entries);
    let read = |path: &str| published.read(path);
    let mut seen = Vec::new();
    verify(&read, published.note.as_bytes(), &[], &mut |index, leaf, bytes| {
        assert_eq!(index, seen.len() as u64);
        assert_eq!(leaf.to_bytes(), bytes);
        seen.push(bytes.to_vec());
    });
    assert_eq!(seen, entries);
    let size = published.checkpoint.size;
    for (from, to) in [(0, size), (3, 9), (250, 520), (600, 9_999), (5, 5), (9, 3), (700, 800)] {
        let mut found = Vec::new();
        let done = read_entries(&read, (from, to), size, |index, entry| {
            found.push((index, entry.to_vec()));
            ControlFlow::Continue(())
        });
        assert_eq!(done, Ok(()));
        let expected: Vec<(u64, Vec<u8>)> =
            (from..to.min(size)).map(|at| (at, entries[at as usize].clone())).collect();
        assert_eq!(found, expected);
    }
    let mut seen = 0;
    let stop = |_: u64, _: &[u8]| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert_eq!(read_entries(&read, (0, size), size, stop), Ok(()));
    assert_eq!(seen, 2);
    // A checkpoint can claim any size.
    let endless = |_: u64, _: &[u8]| ControlFlow::Continue(());
    assert!(read_entries(&read, (0, 1 << 60), 1 << 60, endless).is_err());
}

/// Every bit of every file of a small log, and of its checkpoint.
#[test]
fn every_flipped_bit_is_reported() {
    let published = Published::new(&sound(3));
    for (path, bytes) in &published.files {
        for bit in 0..bytes.len() * 8 {
            let mut changed = published.clone();
            changed.files.get_mut(path).unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert!(!checked(&changed).is_sound(), "bit {bit} of {path}");
        }
    }
    let note = published.note.clone().into_bytes();
    for bit in 0..note.len() * 8 {
        let mut changed = note.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let read = |path: &str| published.read(path);
        let report =
            verify(&read, &changed, std::slice::from_ref(&published.key), &mut |_, _, _| ());
        assert!(!report.is_sound(), "bit {bit} of the checkpoint");
    }
}

#[test]
fn flipped_bits_of_a_larger_log_are_reported() {
    let published = Published::new(&sound(700));
    let paths: Vec<&String> = published.files.keys().collect();
    let mut numbers = Numbers(11);
    for _ in 0..400 {
        let path = paths[numbers.below(paths.len())];
        let mut changed = published.clone();
        let bytes = changed.files.get_mut(path).unwrap();
        let at = numbers.below(bytes.len());
        bytes[at] ^= 1 << numbers.below(8);
        assert!(!checked(&changed).is_sound(), "byte {at} of {path}");
    }
}

#[test]
fn missing_cut_and_extended_files_are_reported() {
    let published = Published::new(&sound(700));
    for path in published.files.keys() {
        let optional = path.contains(".p/") && !path.contains("entries");
        let mut changed = published.clone();
        changed.files.remove(path);
        assert_eq!(checked(&changed).is_sound(), optional || path == "tile/entries/000", "{path}");
        let shorter = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
        let longer = |bytes: &mut Vec<u8>| bytes.push(0);
        for change in [shorter, longer] {
            let mut changed = published.clone();
            change(changed.files.get_mut(path).unwrap());
            let fault = checked(&changed).fault.expect(path);
            assert_eq!(fault, What::Differs(path.clone()).into());
        }
    }
    let unreadable = |path: &str| match path {
        "tile/entries/001" => Err("I/O error".into()),
        _ => published.read(path),
    };
    let report = verify(&unreadable, published.note.as_bytes(), &[], &mut |_, _, _| ());
    let what = What::Unreadable("tile/entries/001".into(), "I/O error".into());
    assert_eq!(report.fault, Some(what.into()));
    assert_eq!(report.counts.uses, 253);
}

/// Everything made anew over other entries fits together and only the signature tells.
#[test]
fn other_entries_make_another_root() {
    let entries = sound(300);
    let published = Published::new(&entries);
    let mut edited = entries.clone();
    let mut record = Vec::new();
    Record { session: 4, ..used(17) }.encode(&mut record);
    edited[19] = record;
    let mut forged = Published::new(&edited);
    assert!(checked(&forged).is_sound());
    forged.note = published.note.clone();
    assert_eq!(checked(&forged).fault, Some(What::Root.into()));
    let mut cut = Published::new(&entries[..entries.len() - 2]);
    cut.note = published.note.clone();
    assert!(!checked(&cut).is_sound());
    let mut note = Note::new(published.checkpoint.body()).unwrap();
    super::signer("claviger/4a1f00c0ffee0001/2").sign(&mut note).unwrap();
    let resigned = Published { note: note.to_string(), ..published };
    assert_eq!(checked(&resigned).fault, Some(What::Checkpoint(NoteError::Unsigned).into()));
}

#[test]
fn what_is_no_leaf_is_reported_with_its_place() {
    let mut entries = sound(300);
    entries[280].push(b' ');
    let fault = checked(&Published::new(&entries)).fault.unwrap();
    assert!(matches!(fault, Fault { index: Some(280), what: What::Syntax(_) }), "{fault}");
}

/// The bundle that is growing may stand under its full name, with what a commit that never was
/// has left behind it.
#[test]
fn a_growing_bundle_under_its_full_name() {
    let mut published = Published::new(&sound(300));
    let partial = published.files.keys().find(|path| path.contains("entries/001.p")).unwrap();
    let partial = partial.clone();
    let mut bytes = published.files.remove(&partial).unwrap();
    push_entry(&mut bytes, b"never committed").unwrap();
    bytes.extend_from_slice(b"\0\x10cut");
    let full = Tile::parse(&partial).unwrap().full().path();
    published.files.insert(full, bytes);
    assert_eq!(checked(&published).fault, None);
}

#[test]
fn exported_bundles_may_be_removed_from_the_beginning() {
    let published = Published::new(&sound(2_000));
    let remove = |numbers: &[u64]| {
        let mut log = published.clone();
        for number in numbers {
            log.files.remove(&format!("tile/entries/{number:03}")).unwrap();
        }
        log
    };
    for kept in 1..7 {
        let numbers: Vec<u64> = (0..kept).collect();
        let report = checked(&remove(&numbers));
        assert_eq!(report.fault, None);
        assert_eq!(report.removed, kept * 256);
        assert_eq!(report.counts.uses, 2_003 - kept * 256);
    }
    for numbers in [vec![1], vec![0, 2], vec![6]] {
        let path = format!("tile/entries/{:03}", numbers.last().unwrap());
        assert_eq!(checked(&remove(&numbers)).fault, Some(What::Missing(path).into()));
    }
    // Their hashes still count.
    let mut changed = remove(&[0, 1]);
    changed.files.get_mut("tile/0/001").unwrap()[9] ^= 1;
    assert!(!checked(&changed).is_sound());
    changed.files.remove("tile/0/001");
    assert_eq!(checked(&changed).fault, Some(What::Missing("tile/0/001".into()).into()));
}

/// After a removal the first state leaf tells which lanes are open, and from there on it counts.
#[test]
fn lanes_that_began_in_what_was_removed() {
    let build = |state_says: u64, next: u64| {
        let mut leaves = vec![super::generation(1), opened(LANE), state(&[(LANE, 0)])];
        leaves.extend((1..=255).map(|seq| Leaf::Use(used(seq))));
        leaves.push(Leaf::Change(used(0)));
        leaves.push(state(&[(LANE, state_says)]));
        leaves.push(Leaf::Use(used(next)));
        leaves.push(Leaf::Use(used(next + 1)));
        leaves.push(Leaf::LaneClosed { lane: LANE, records: next + 1, time: time(0) });
        leaves.push(state(&[]));
        let mut published = Published::of_leaves(&leaves);
        published.files.remove("tile/entries/000").unwrap();
        checked(&published)
    };
    assert_eq!(build(255, 256).fault, None);
    assert_eq!(build(255, 256).removed, 256);
    assert!(!build(255, 255).is_sound());
    assert!(!build(254, 256).is_sound());
}

/// A million records in seconds and in little memory; run in release:
/// `cargo test --release -- --ignored --nocapture a_million`.
#[test]
#[ignore = "a measurement"]
fn a_million_records() {
    let entries = sound(1_000_000);
    let published = Published::new(&entries);
    drop(entries);
    let files: std::collections::HashMap<_, _> = published.files.iter().collect();
    let read = |path: &str| Ok(files.get(&path.to_owned()).map(|bytes| (*bytes).clone()));
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let (before, mut most) = (resident(), 0);
    let began = std::time::Instant::now();
    let mut watch = |index: u64, _: &Leaf<'_>, _: &[u8]| {
        if index.is_multiple_of(50_000) {
            most = most.max(resident());
        }
    };
    let keys = [published.key.clone()];
    let report = verify(&read, published.note.as_bytes(), &keys, &mut watch);
    let took = began.elapsed();
    assert_eq!(report.fault, None);
    let bytes: usize = files.values().map(|bytes| bytes.len()).sum();
    println!("{took:?}, {} KiB more than before, {bytes} bytes", most.saturating_sub(before));
}
