//! A log that the tests write themselves, leaf by leaf, signed with a key of theirs: for what no
//! well-behaved program would do.

use std::fs;
use std::path::{Path, PathBuf};

use claviger::audit::checkpoint::Checkpoint;
use claviger::audit::leaf::{LaneOpened, Leaf, StateLeaf};
use claviger::audit::note::NoteSigner;
use claviger::audit::record::{LaneId, Record, Role};
use claviger::audit::tile::{Kind, Tile, WIDTH, push_entry};
use claviger::audit::time::Time;
use claviger::audit::tree::{Frontier, leaf_hash};
use claviger::secret::Secret;

pub(crate) const ORIGIN: &str = "claviger/00c0ffee00c0ffee/1";
pub(crate) const LANE: LaneId = LaneId(0x7f3a_09c1_0000_0001);
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff";
/// Ends a line, moves the cursor, and turns what follows around.
pub(crate) const HOSTILE: &str = "/tmp/=a\n\r\u{1b}[2J\u{9b}31m\u{202e}\u{7}\t\"],;|x\\";

/// A log in a directory, as it lies while it grows, with its checkpoint beside it.
pub(crate) struct Written {
    pub(crate) directory: PathBuf,
    pub(crate) key: String,
    pub(crate) entries: Vec<Vec<u8>>,
}

/// 2026-11-21T20:24:05.123456Z and so many seconds.
pub(crate) fn time(second: u64) -> Time {
    Time::from_micros(1_795_292_645_123_456 + second * 1_000_000)
}

pub(crate) fn used(seq: u64) -> Record<'static> {
    Record {
        lane: LANE,
        seq,
        time: time(seq),
        role: Role::User,
        session: 3,
        call: "C_Sign".into(),
        mechanism: Some("CKM_ECDSA".into()),
        key: Some(KEY.into()),
        version: Some(2),
        input: Some(32),
        rv: "CKR_OK".into(),
        head: 2,
        ..Record::default()
    }
}

pub(crate) fn opened(exe: &'static str) -> Leaf<'static> {
    Leaf::LaneOpened(LaneOpened {
        lane: LANE,
        time: time(0),
        boot: "e8b7c0b4-0000-4000-8000-000000000001".into(),
        host: "signer".into(),
        pid: 4711,
        uid: 1000,
        exe: exe.into(),
        token: "00c0ffee00c0ffee".into(),
        custody: "software".into(),
        trace: None,
    })
}

/// Writes a log of these leaves between the one that begins it and a state leaf with this lane.
pub(crate) fn write(directory: &Path, leaves: &[Leaf<'_>], lanes: &[(LaneId, u64)]) -> Written {
    let reason = "the token was initialised".into();
    let first = Leaf::Generation { number: 1, time: time(0), previous: None, reason };
    let last = Leaf::State(StateLeaf { lanes: lanes.to_vec(), ..StateLeaf::default() });
    let all = [&first].into_iter().chain(leaves).chain([&last]);
    let entries: Vec<Vec<u8>> = all.map(Leaf::to_bytes).collect();
    let mut edge = Frontier::new();
    let mut hashes: Vec<Vec<u8>> = vec![Vec::new(); 3];
    let mut bundles: Vec<Vec<u8>> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        edge.append_to(leaf_hash(entry), |node| {
            if node.level % 8 == 0 {
                hashes[usize::from(node.level / 8)].extend_from_slice(&node.hash);
            }
        })
        .unwrap();
        if index % 256 == 0 {
            bundles.push(Vec::new());
        }
        push_entry(bundles.last_mut().unwrap(), entry).unwrap();
    }
    let put = |kind, index: usize, bytes: &[u8]| {
        let path = directory.join(Tile { kind, index: index as u64, width: WIDTH }.path());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    for (index, bundle) in bundles.iter().enumerate() {
        put(Kind::Entries, index, bundle);
    }
    for (level, hashes) in (0..).zip(&hashes) {
        for (index, tile) in hashes.chunks_exact(8192).enumerate() {
            put(Kind::Hashes(level), index, tile);
        }
    }
    let signer = NoteSigner::from_seed(ORIGIN, &Secret::copy_of(&[7; 32]).unwrap()).unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: edge.size(), root: edge.root() };
    let note = checkpoint.sign(&signer).unwrap();
    fs::write(directory.join("checkpoint"), note.to_string()).unwrap();
    let key = signer.verifier().to_string();
    Written { directory: directory.to_owned(), key, entries }
}
