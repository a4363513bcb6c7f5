//! What the contract does not ask: files, damage, other processes.

mod damage;
mod files;
mod history;
mod log;
mod processes;
mod tamper;
mod tamper_head;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Opening, SqliteStore, registry};
use crate::audit::note::{PublicKey, VerifierKey};
use crate::audit::verify::{Report, verify};
use crate::store::contract::{OPENING, count, new_token, object, read, write};
use crate::store::head::{CheckedHead, Head, HeadFault};
use crate::store::log::directory;
use crate::store::{Mode, Store};

/// Set for a child process: which part it plays.
const PART: &str = "CLAVIGER_TEST_PART";
const PLACE: &str = "CLAVIGER_TEST_PLACE";

/// A directory with one token.
struct Scratch {
    place: TempDir,
    token: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let token = place.path().join("0001");
        drop(SqliteStore::create(place.path(), &new_token("0001").0, OPENING).unwrap());
        Self { place, token }
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.token, OPENING).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.token.join(name)
    }

    fn audit_public(&self) -> [u8; 32] {
        read(&self.open(), |t| t.token()).audit.public
    }

    /// What a login is told.
    fn check(&self) -> Result<CheckedHead, HeadFault> {
        let public = self.audit_public();
        (&self.open() as &dyn Store).check_head(&public)
    }

    /// The whole log as its files lie, against the head and its key.
    fn verify(&self) -> Report {
        let head = read(&self.open(), |t| t.head());
        self.verify_head(&head)
    }

    fn verify_head(&self, head: &Head) -> Report {
        let log = directory(&self.token, head.generation);
        let files = |path: &str| match std::fs::read(log.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let key = PublicKey::Ed25519(head.audit.public);
        let key = VerifierKey::new(&head.origin("0001"), key).unwrap();
        verify(&files, head.checkpoint.as_bytes(), &[key], &mut |_, _, _| {})
    }

    fn assert_sound(&self) {
        assert_eq!(self.verify().fault, None);
        let checked = self.check().unwrap();
        assert_eq!((checked.missing, checked.surplus), (0, 0));
    }
}

/// All use of SQLite is under the store lock, here too: another test may fork.
fn alter(scratch: &Scratch, sql: &str) {
    let _registry = registry::lock();
    let connection = rusqlite::Connection::open(scratch.file("token.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// The names of what a directory holds, without the hidden ones.
fn seen_in(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| !name.starts_with('.')).collect()
}

/// This test binary, about to run one test of its own in the given part.
fn part(test: &str, part: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    aim(&mut command, test, part, place);
    command
}

fn aim(command: &mut Command, test: &str, part: &str, place: &Path) {
    let (_, module) = module_path!().split_once("::").unwrap();
    command.args([&format!("{module}::{test}"), "--exact", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(PLACE, place).stdout(Stdio::piped());
}

/// The part that this process was started for, and where.
fn own_part() -> Option<(String, PathBuf)> {
    Some((std::env::var(PART).ok()?, PathBuf::from(std::env::var_os(PLACE)?)))
}

/// Waits for the children and gives the words that each said after "answer:".
fn answers(children: Vec<Child>) -> Vec<String> {
    let answer = |child: Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "a child failed: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let (_, answer) = said.split_once("answer:").expect("an answer");
        answer.lines().next().unwrap().trim().to_owned()
    };
    children.into_iter().map(answer).collect()
}
