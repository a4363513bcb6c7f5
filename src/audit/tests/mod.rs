//! Tests of the whole floor: what the tests share stands here.
//!
//! Published vectors are read from the directory that `CLAVIGER_VECTORS` names, else from
//! `../shared/vectors`; without it the examples that are written in the tests remain.

mod erasures;
pub(crate) mod history;
mod judges;
mod lanes;
mod lines;
mod logs;
mod notes;
mod orders;
mod tiles;
mod trees;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, origin};
use super::leaf::{LaneOpened, Leaf, StateLeaf};
use super::note::{NoteSigner, VerifierKey};
use super::record::{LaneId, Record, Role};
use super::tile::{Kind, between, push_entry};
use super::time::Time;
use super::tree::{Frontier, Hash, leaf_hash};
use crate::secret::Secret;

const LANE: LaneId = LaneId(0x7f3a_09c1_0000_0001);
const SERIAL: &str = "4a1f00c0ffee0001";

/// A file of published vectors as JSON; says so if it is not there.
fn vectors(name: &str) -> Option<serde_json::Value> {
    let text = vector_file(name)?;
    Some(serde_json::from_slice(&text).expect(name))
}

fn vector_file(name: &str) -> Option<Vec<u8>> {
    let named = std::env::var_os("CLAVIGER_VECTORS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let path = named.unwrap_or(beside).join(name);
    let text = std::fs::read(&path).ok();
    if text.is_none() {
        eprintln!("skipped: no {}; CLAVIGER_VECTORS names the directory", path.display());
    }
    text
}

/// Numbers that are the same at every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Changes some bytes, or takes some away, or adds some.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        const TELLING: &[u8] = b"\"\\,:{}[]0u \n\0\x1f\x7f\x80\xc3\xff9-";
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len() + 1);
            let telling = TELLING[self.below(TELLING.len())];
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = telling,
                2 => bytes.insert(at, telling),
                3 => drop(bytes.drain(at..bytes.len().min(at + self.below(9)))),
                _ => {
                    let end = bytes.len().min(at + self.below(40));
                    let copied = bytes[at..end].to_vec();
                    bytes.splice(at..at, copied);
                }
            }
        }
    }
}

fn time(second: u64) -> Time {
    Time::from_micros(1_795_292_645_123_456 + second * 1_000_000)
}

fn used(seq: u64) -> Record<'static> {
    Record {
        lane: LANE,
        seq,
        time: time(seq),
        role: Role::User,
        session: 3,
        call: "C_Sign".into(),
        mechanism: Some("CKM_ECDSA".into()),
        key: Some("00112233445566778899aabbccddeeff".into()),
        version: Some(2),
        input: Some(32),
        rv: "CKR_OK".into(),
        head: 2,
        ..Record::default()
    }
}

fn opened(lane: LaneId) -> Leaf<'static> {
    Leaf::LaneOpened(LaneOpened {
        lane,
        time: time(0),
        boot: "e8b7c0b4-0000-4000-8000-000000000001".into(),
        host: "signer".into(),
        pid: 4711,
        uid: 1000,
        exe: "/usr/bin/openssl".into(),
        token: SERIAL.into(),
        custody: "software".into(),
        trace: None,
    })
}

fn state(lanes: &[(LaneId, u64)]) -> Leaf<'static> {
    Leaf::State(StateLeaf {
        state_root: [7; 32],
        slots: 5,
        token_hash: [9; 32],
        epoch: 1,
        lanes: lanes.to_vec(),
        machine: "b6a1".into(),
        inode: 1234,
    })
}

fn generation(number: u64) -> Leaf<'static> {
    Leaf::Generation { number, time: time(0), previous: None, reason: "initialised".into() }
}

/// The leaves of a log with this many uses, closed and sound.
fn sound(uses: u64) -> Vec<Vec<u8>> {
    let mut leaves = vec![generation(1), opened(LANE), state(&[(LANE, 0)])];
    leaves.extend((1..=uses).map(|seq| Leaf::Use(used(seq))));
    leaves.push(Leaf::LaneClosed { lane: LANE, records: uses, time: time(uses) });
    leaves.push(state(&[]));
    leaves.iter().map(Leaf::to_bytes).collect()
}

fn signer(name: &str) -> NoteSigner {
    NoteSigner::from_seed(name, &Secret::copy_of(&[5; 32]).unwrap()).unwrap()
}

/// A log as it lies in a directory, in memory.
#[derive(Clone)]
struct Published {
    files: BTreeMap<String, Vec<u8>>,
    checkpoint: Checkpoint,
    note: String,
    key: VerifierKey,
}

impl Published {
    fn new(entries: &[Vec<u8>]) -> Self {
        let (mut frontier, mut levels) = (Frontier::new(), BTreeMap::<u8, Vec<Hash>>::new());
        for entry in entries {
            for node in frontier.append(leaf_hash(entry)).unwrap() {
                levels.entry(node.level).or_default().push(node.hash);
            }
        }
        let mut files = BTreeMap::new();
        for tile in between(0, frontier.size()) {
            let places = (tile.index * 256) as usize..(tile.index * 256 + tile.width) as usize;
            let bytes = match tile.kind {
                Kind::Hashes(level) => levels[&(level * 8)][places].concat(),
                Kind::Entries => entries[places].iter().fold(Vec::new(), |mut bundle, entry| {
                    push_entry(&mut bundle, entry).unwrap();
                    bundle
                }),
            };
            files.insert(tile.path(), bytes);
        }
        let signer = signer(&origin(SERIAL, 1));
        let checkpoint =
            Checkpoint { origin: origin(SERIAL, 1), size: frontier.size(), root: frontier.root() };
        let note = checkpoint.sign(&signer).unwrap().to_string();
        Self { files, checkpoint, note, key: signer.verifier().clone() }
    }

    fn of_leaves(leaves: &[Leaf<'_>]) -> Self {
        Self::new(&leaves.iter().map(Leaf::to_bytes).collect::<Vec<_>>())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(path).cloned())
    }
}
