//! A log beside a checkpoint that was kept: every pair of sizes, other logs, other keys,
//! generations, and bytes that are no checkpoint.

use std::collections::BTreeMap;

use super::*;
use crate::audit::history::{End, History, Kept, Mismatch};
use crate::audit::note::{Note, PublicKey};
use crate::audit::tree::{Hashes, TreeError, node_hash, root};

/// The logs of a token, each with a key of its own.
#[derive(Default)]
pub(crate) struct Logs {
    entries: BTreeMap<u64, Vec<Vec<u8>>>,
}

fn seed(generation: u64) -> Secret {
    Secret::copy_of(&[u8::try_from(generation).unwrap(); 32]).unwrap()
}

fn node(leaves: &[Hash], level: u8, index: u64) -> Option<Hash> {
    if level == 0 {
        return leaves.get(usize::try_from(index).ok()?).copied();
    }
    let left = node(leaves, level - 1, 2 * index)?;
    Some(node_hash(&left, &node(leaves, level - 1, 2 * index + 1)?))
}

impl Logs {
    /// One log of so many entries.
    pub(crate) fn of(size: u64) -> Self {
        let mut logs = Self::default();
        logs.begin(1, None);
        logs.grow(1, size, "");
        logs
    }

    /// Begins a generation, which names the last checkpoint of the one before.
    pub(crate) fn begin(&mut self, generation: u64, previous: Option<String>) {
        let previous = previous.map(Into::into);
        let (time, reason) = (time(0), "a test".into());
        let first = Leaf::Generation { number: generation, time, previous, reason };
        self.entries.insert(generation, vec![first.to_bytes()]);
    }

    /// Grows a log; what is added tells one history from another.
    pub(crate) fn grow(&mut self, generation: u64, size: u64, added: &str) {
        let entries = self.entries.get_mut(&generation).unwrap();
        for number in entries.len() as u64..size {
            entries.push(format!("entry {number}{added}").into_bytes());
        }
    }

    pub(crate) fn checkpoint(&self, generation: u64, size: u64) -> Checkpoint {
        let hashes = self.hashes(generation, size);
        let root = root(size, &|level, index| hashes.get(level, index)).unwrap();
        Checkpoint { origin: origin(SERIAL, generation), size, root }
    }

    pub(crate) fn signer(generation: u64) -> NoteSigner {
        NoteSigner::from_seed(&origin(SERIAL, generation), &seed(generation)).unwrap()
    }

    pub(crate) fn note(&self, generation: u64, size: u64) -> Note {
        self.checkpoint(generation, size).sign(&Self::signer(generation)).unwrap()
    }

    pub(crate) fn end(&self, generation: u64, size: u64) -> End {
        let signer = Self::signer(generation);
        let PublicKey::Ed25519(key) = *signer.verifier().public() else { unreachable!() };
        let root = self.checkpoint(generation, size).root;
        End { serial: SERIAL.into(), generation, size, root, key }
    }

    fn compare(&self, generation: u64, size: u64, kept: &Note) -> Result<Kept, Mismatch> {
        self.end(generation, size).compare(kept.to_string().as_bytes(), self)
    }
}

impl History for Logs {
    fn hashes(&self, generation: u64, size: u64) -> Box<dyn Hashes + '_> {
        let entries = self.entries.get(&generation).map_or(&[][..], Vec::as_slice);
        let leaves: Vec<Hash> =
            entries.iter().take(size as usize).map(|entry| leaf_hash(entry)).collect();
        Box::new(move |level, index| {
            node(&leaves, level, index).ok_or(TreeError::Missing { level, index })
        })
    }

    fn first_entry(&self, generation: u64) -> Result<Vec<u8>, TreeError> {
        let entries = self.entries.get(&generation);
        entries.map(|all| all[0].clone()).ok_or(TreeError::Missing { level: 0, index: 0 })
    }
}

#[test]
fn every_earlier_checkpoint_is_continued_and_every_later_one_is_ahead() {
    let logs = Logs::of(40);
    for size in 1..=40 {
        for kept in 0..=40 {
            let expected = match kept.cmp(&size) {
                std::cmp::Ordering::Less => Ok(Kept::Behind),
                std::cmp::Ordering::Equal => Ok(Kept::Same),
                std::cmp::Ordering::Greater => Err(Mismatch::Ahead { generation: 1, size: kept }),
            };
            let note = logs.note(1, kept);
            assert_eq!(logs.compare(1, size, &note), expected, "{kept} beside {size}");
        }
    }
}

#[test]
fn another_history_is_a_fork_from_where_it_parts() {
    let (mut one, mut other) = (Logs::of(12), Logs::of(12));
    one.grow(1, 40, "");
    other.grow(1, 40, " in another history");
    for size in 12..=40 {
        for kept in 1..=size {
            let found = one.compare(1, size, &other.note(1, kept));
            assert_eq!(found.is_ok(), kept <= 12, "{kept} beside {size}: {found:?}");
            assert!(found.is_ok() || found == Err(Mismatch::Fork));
        }
    }
}

#[test]
fn tiles_that_were_changed_prove_nothing() {
    struct Changed<'l>(&'l Logs, u64);
    impl History for Changed<'_> {
        fn hashes(&self, generation: u64, size: u64) -> Box<dyn Hashes + '_> {
            let (hashes, at) = (self.0.hashes(generation, size), self.1);
            Box::new(move |level, index| {
                let mut hash = hashes.get(level, index)?;
                hash[0] ^= u8::from(level == 0 && index == at);
                Ok(hash)
            })
        }
        fn first_entry(&self, generation: u64) -> Result<Vec<u8>, TreeError> {
            self.0.first_entry(generation)
        }
    }
    let logs = Logs::of(7);
    let note = logs.note(1, 5).to_string();
    let outcome = |at| logs.end(1, 7).compare(note.as_bytes(), &Changed(&logs, at));
    // Leaf 4 and leaves 5 and 6 are in the proof from 5 to 7.
    assert_eq!(outcome(100), Ok(Kept::Behind));
    assert_eq!(outcome(4), Err(Mismatch::Fork));
    assert_eq!(outcome(6), Err(Mismatch::Fork));
}

#[test]
fn another_key_is_told_from_another_history() {
    let logs = Logs::of(9);
    let stranger = NoteSigner::from_seed(&origin(SERIAL, 1), &seed(99)).unwrap();
    let note = logs.checkpoint(1, 5).sign(&stranger).unwrap();
    assert_eq!(logs.compare(1, 9, &note), Err(Mismatch::OtherKey));
    let mut both = logs.note(1, 5);
    stranger.sign(&mut both).unwrap();
    assert_eq!(logs.compare(1, 9, &both), Ok(Kept::Behind));
}

#[test]
fn what_is_no_checkpoint_of_the_token_is_no_evidence() {
    let logs = Logs::of(9);
    let unreadable =
        |kept: &[u8]| matches!(logs.end(1, 9).compare(kept, &logs), Err(Mismatch::Unreadable(_)));
    let good = logs.note(1, 5).to_string();
    for bad in ["", "\n", "no checkpoint", "\u{2014} a b\n", &good[..good.len() / 2]] {
        assert!(unreadable(bad.as_bytes()), "{bad:?}");
    }
    assert!(unreadable(&vec![b'x'; 2 << 20]));
    let elsewhere = good.replace(SERIAL, "0000000000000000");
    assert!(unreadable(elsewhere.as_bytes()));
    let other_kind = good.replace("claviger/", "claviger-like/");
    assert!(unreadable(other_kind.as_bytes()));
    let mut numbers = Numbers(7);
    for _ in 0..2000 {
        let mut bytes = good.clone().into_bytes();
        numbers.mutate(&mut bytes);
        let found = logs.end(1, 9).compare(&bytes, &logs);
        if bytes != good.as_bytes() && found.is_ok() {
            // Only what no signature covers can have changed.
            let note = Note::parse(&bytes).unwrap();
            assert_eq!(note.text(), logs.note(1, 5).text());
        }
    }
}

/// Three generations: 10 entries, 20, 30; each names the last checkpoint of the one before.
fn generations() -> Logs {
    let mut logs = Logs::of(10);
    logs.begin(2, Some(logs.note(1, 10).to_string()));
    logs.grow(2, 20, "");
    logs.begin(3, Some(logs.note(2, 20).to_string()));
    logs.grow(3, 30, "");
    logs
}

#[test]
fn a_checkpoint_of_an_earlier_generation_is_continued_by_the_ones_after_it() {
    let logs = generations();
    for (generation, last) in [(1, 10), (2, 20)] {
        for kept in 1..=last {
            let note = logs.note(generation, kept);
            assert_eq!(logs.compare(3, 30, &note), Ok(Kept::Behind), "{generation}: {kept}");
        }
    }
    assert_eq!(logs.compare(3, 30, &logs.note(3, 30)), Ok(Kept::Same));
}

#[test]
fn a_generation_that_begins_before_what_was_kept_is_an_older_state() {
    let mut logs = generations();
    logs.grow(1, 12, "");
    logs.grow(2, 25, "");
    let ahead = |generation, size| Err(Mismatch::Ahead { generation, size });
    assert_eq!(logs.compare(3, 30, &logs.note(1, 11)), ahead(1, 11));
    assert_eq!(logs.compare(3, 30, &logs.note(2, 21)), ahead(2, 21));
    assert_eq!(logs.compare(2, 20, &logs.note(3, 1)), ahead(3, 1));
    assert_eq!(logs.compare(1, 10, &logs.note(3, 30)), ahead(3, 30));
}

#[test]
fn a_generation_that_names_no_other_proves_nothing() {
    for previous in [None, Some("no note".to_owned()), Some(Logs::of(3).note(1, 3).to_string())] {
        let mut logs = generations();
        logs.begin(3, previous);
        logs.grow(3, 30, "");
        let found = logs.compare(3, 30, &logs.note(2, 20));
        assert!(matches!(found, Err(Mismatch::Unproven(_))), "{found:?}");
    }
    // A first entry that is not the one that was signed for.
    let mut logs = generations();
    let end = logs.end(3, 30);
    logs.entries.get_mut(&3).unwrap()[0] =
        Leaf::Generation { number: 3, time: time(1), previous: None, reason: "x".into() }
            .to_bytes();
    let found = end.compare(logs.note(2, 20).to_string().as_bytes(), &logs);
    assert!(matches!(found, Err(Mismatch::Unproven(_))), "{found:?}");
    logs.entries.remove(&3);
    let found = end.compare(logs.note(2, 20).to_string().as_bytes(), &logs);
    assert!(matches!(found, Err(Mismatch::Unproven(_))), "{found:?}");
}
