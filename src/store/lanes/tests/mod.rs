//! Lanes on real directories, with real processes.

mod appending;
mod early;
mod processes;
mod recovering;
mod sealing;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::{Durability, Fate, Found, Lane, Lanes, Rules};
use crate::audit::lane::{FRAME_LEN, HEADER_LEN};
use crate::audit::leaf::{LaneOpened, Leaf};
use crate::audit::note::{PublicKey, VerifierKey};
use crate::audit::record::{LaneId, Record, Role as RecordedRole};
use crate::audit::verify::{Report, verify};
use crate::secret::Secret;
use crate::store::contract::{OPENING, begin_signed, new_token, pin, read};
use crate::store::log::directory;
use crate::store::sqlite::SqliteStore;
use crate::store::vault::Vault;
use crate::store::{Role, Transaction};

const RULES: Rules = Rules { durability: Durability::Later, seal_after: Duration::from_secs(5) };

/// A token, and who is logged in.
struct Token {
    _place: Option<TempDir>,
    directory: PathBuf,
    store: SqliteStore,
    vault: Vault,
}

impl Token {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        drop(SqliteStore::create(place.path(), &new_token("0001").0, OPENING).unwrap());
        let directory = place.path().join("0001");
        Self { _place: Some(place), ..Self::at(&directory) }
    }

    fn at(directory: &Path) -> Self {
        let store = SqliteStore::open(directory, OPENING).unwrap();
        let token = read(&store, |t| t.token());
        let vault = Vault::open(&token, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
        Self { _place: None, directory: directory.to_owned(), store, vault }
    }

    fn lanes(&self) -> Lanes {
        Lanes::new(&self.directory, OPENING.access, RULES)
    }

    fn root(&self) -> &Secret {
        self.vault.lane_root()
    }

    fn begin(&self) -> Box<dyn Transaction + '_> {
        begin_signed(&self.store)
    }

    /// A lane that the log knows.
    fn lane(&self) -> Lane {
        let mut transaction = self.begin();
        let lane = self.lanes().open(self.root()).unwrap();
        let opened = LaneOpened { lane: lane.id(), ..LaneOpened::default() };
        transaction.append_leaf(&Leaf::LaneOpened(opened).to_bytes()).unwrap();
        transaction.put_lane(lane.id(), 0).unwrap();
        lane.saw_head(transaction.head().unwrap().size);
        transaction.commit().unwrap();
        lane
    }

    /// A lane with so many records whose owner is gone.
    fn left_lane(&self, records: u64) -> LaneId {
        let lane = self.lane();
        use_times(&lane, records);
        lane.id()
    }

    fn file(&self, lane: LaneId) -> PathBuf {
        self.directory.join(format!("lanes/{lane}.lane"))
    }

    /// What lies in the directory of lanes.
    fn seen(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.join("lanes")).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn listed(&self) -> Vec<(LaneId, u64)> {
        read(&self.store, |t| t.lanes())
    }

    /// Seals until there is no more; gives the number of commits.
    fn seal(&self, lane: &Lane) -> usize {
        for commits in 1.. {
            let mut transaction = self.begin();
            let batch = lane.seal(&mut *transaction).unwrap();
            transaction.commit().unwrap();
            if !batch.committed().unwrap() {
                return commits;
            }
        }
        0
    }

    /// What the next login does; how many commits, and what it finds.
    fn recover(&self) -> (usize, Vec<Found>) {
        let lanes = self.lanes();
        let mut recovery = lanes.recovery(self.root());
        for commits in 0.. {
            let mut transaction = self.begin();
            let step = recovery.step(&mut *transaction).unwrap();
            if step.is_empty() {
                drop(step);
                return (commits, recovery.found().to_vec());
            }
            transaction.commit().unwrap();
            if !step.committed() {
                return (commits + 1, recovery.found().to_vec());
            }
        }
        (0, Vec::new())
    }

    /// What became of one lane; nothing else may have been found.
    fn fate(&self) -> (Fate, u64) {
        let (_, found) = self.recover();
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].fate, found[0].records)
    }

    /// Checks the whole log, and gives its leaves.
    fn log(&self) -> Vec<String> {
        let head = read(&self.store, |t| t.head());
        let origin = head.origin("0001");
        let key = VerifierKey::new(&origin, PublicKey::Ed25519(head.audit.public)).unwrap();
        let place = directory(&self.directory, head.generation);
        let files = |path: &str| Ok(fs::read(place.join(path)).ok());
        let mut leaves = Vec::new();
        let report: Report =
            verify(&files, head.checkpoint.as_bytes(), &[key], &mut |_, _, bytes| {
                leaves.push(String::from_utf8(bytes.to_vec()).unwrap());
            });
        assert_eq!(report.fault, None);
        leaves
    }

    /// The numbers of a lane's uses and changes in the log, in the log's order.
    fn numbers(&self, lane: LaneId) -> Vec<u64> {
        let leaves = self.log();
        let numbers = leaves.iter().filter_map(|leaf| {
            let leaf = Leaf::parse(leaf.as_bytes()).unwrap();
            leaf.record().filter(|record| record.lane == lane).map(|record| record.seq)
        });
        numbers.collect()
    }
}

/// The record of a use, as long as one usually is.
fn used(lane: &Lane, seq: u64) -> Record<'static> {
    Record {
        lane: lane.id(),
        seq,
        time: super::now(),
        role: RecordedRole::User,
        session: 3,
        call: "C_Sign".into(),
        mechanism: Some("CKM_ECDSA".into()),
        key: Some("0123456789abcdef0123456789abcdef".into()),
        version: Some(2),
        input: Some(32),
        rv: "CKR_OK".into(),
        head: lane.head(),
        ..Record::default()
    }
}

/// Uses the lane so many times.
fn use_times(lane: &Lane, times: u64) {
    for _ in 0..times {
        use_key(lane);
    }
}

fn use_key(lane: &Lane) -> u64 {
    lane.append(|seq, out| used(lane, seq).encode(out)).unwrap().seq
}

fn change_file(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// The bytes of each frame of a lane's file.
fn frames(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let mut rest = &bytes[HEADER_LEN..];
    let mut frames = Vec::new();
    while let [high, low, ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])) + FRAME_LEN;
        frames.push(rest[..len].to_vec());
        rest = &rest[len..];
    }
    frames
}

fn count(list: &[String], part: &str) -> usize {
    list.iter().filter(|text| text.contains(part)).count()
}

fn up_to(last: u64) -> Vec<u64> {
    (1..=last).collect()
}
