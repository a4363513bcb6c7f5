//! Who can write the files and knows the formats, but no PIN.

use std::fs;
use std::path::{Path, PathBuf};

use claviger::audit::checkpoint::{Checkpoint, origin};
use claviger::audit::leaf::Leaf;
use claviger::audit::note::{NoteSigner, PublicKey, VerifierKey};
use claviger::audit::tile::entries;
use claviger::audit::tree::{Frontier, leaf_hash};
use claviger::audit::verify::{Report, verify};
use claviger::secret::Secret;
use rusqlite::Connection;

use crate::victim::Victim;

/// A number, signed as SQLite keeps it.
fn signed(number: usize) -> i64 {
    i64::try_from(number).expect("a small number")
}

impl Victim<'_> {
    fn open(&self) -> Connection {
        let connection = Connection::open(self.file("token.db")).expect("the database");
        let aside = self.bench.dir().join("aside/token.db");
        let attach = format!("ATTACH '{}' AS old", aside.display());
        connection.execute_batch(&attach).expect("the older database");
        connection
    }

    /// Changes the database; `old` is the one of `aside`. The module may have it open in another
    /// process.
    pub fn alter(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap_or_else(|why| panic!("{sql}: {why}"));
    }

    /// One value of the database.
    pub fn ask_database<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.open().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The slot of an object.
    pub fn slot(&self, label: &str) -> i64 {
        self.ask_database(&format!("SELECT slot FROM object WHERE id = x'{}'", self.ids[label]))
    }

    pub fn generation(&self) -> u64 {
        let generation: i64 = self.ask_database("SELECT generation FROM head");
        u64::try_from(generation).expect("a generation")
    }

    /// The directory of the log.
    pub fn log(&self) -> PathBuf {
        self.file("log").join(self.generation().to_string())
    }

    /// The bundle that the log's last entry stands in, if there are fewer than 256.
    pub fn bundle(&self) -> PathBuf {
        self.log().join("tile/entries/000")
    }

    pub fn entries(&self) -> Vec<Vec<u8>> {
        let bytes = fs::read(self.bundle()).expect("the bundle");
        entries(&bytes).map(|entry| entry.expect("an entry").to_vec()).collect()
    }

    pub fn put_entries(&self, entries: &[Vec<u8>]) {
        let framed = entries.iter().flat_map(|entry| {
            let len = u16::try_from(entry.len()).expect("a short entry");
            len.to_be_bytes().into_iter().chain(entry.iter().copied())
        });
        fs::write(self.bundle(), framed.collect::<Vec<u8>>()).expect("the bundle");
    }

    /// Makes everything fit these entries again, under a key of the attacker's.
    pub fn sign_anew(&self, entries: &[Vec<u8>]) {
        self.put_entries(entries);
        let (mut edge, mut before) = (Frontier::new(), Frontier::new());
        for entry in entries {
            before = edge.clone();
            edge.append(leaf_hash(entry)).expect("room");
        }
        let serial: String = self.ask_database("SELECT serial FROM token");
        let origin = origin(&serial, self.generation());
        let seed = Secret::copy_of(&[7; 32]).expect("a seed");
        let signer = NoteSigner::from_seed(&origin, &seed).expect("a signer");
        let PublicKey::Ed25519(public) = signer.verifier().public() else { panic!("Ed25519") };
        let checkpoint = Checkpoint { origin, size: edge.size(), root: edge.root() };
        let checkpoint = checkpoint.sign(&signer).expect("a signature").to_string();
        let last = entries.last().map_or(0, Vec::len);
        let all: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        let sql = "UPDATE head SET size = ?1, root = ?2, frontier = ?3, last_at = ?4,
            last_len = ?5, checkpoint = ?6, audit_public = ?7";
        let head = rusqlite::params![
            signed(entries.len()),
            edge.root(),
            before.to_bytes(),
            signed(all - last),
            signed(last),
            checkpoint,
            public,
        ];
        self.open().execute(sql, head).expect("a head");
    }

    /// The lanes of processes that have not closed theirs.
    pub fn lanes(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.file("lanes")).into_iter().flatten().flatten();
        let is_lane = |path: &PathBuf| path.extension().is_some_and(|end| end == "lane");
        entries.map(|entry| entry.path()).filter(is_lane).collect()
    }

    /// The whole log against the key that the database has.
    pub fn verify(&self) -> Report {
        let serial: String = self.ask_database("SELECT serial FROM token");
        let checkpoint: String = self.ask_database("SELECT checkpoint FROM head");
        let key: [u8; 32] = self.ask_database("SELECT audit_public FROM head");
        let origin = origin(&serial, self.generation());
        let key = VerifierKey::new(&origin, PublicKey::Ed25519(key)).expect("a key");
        let log = self.log();
        let files = |path: &str| match fs::read(log.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        verify(&files, checkpoint.as_bytes(), &[key], &mut |_, _, _| {})
    }

    /// What the log says of objects that were changed outside: their unique ids, in order.
    pub fn quarantined(&self) -> Vec<String> {
        let named = |entry: &Vec<u8>| match Leaf::parse(entry).expect("a leaf") {
            Leaf::Quarantined { key, .. } => Some(key.unwrap_or_default().into_owned()),
            _ => None,
        };
        self.entries().iter().filter_map(named).collect()
    }
}

/// Puts one thing into the place of another, whatever it was.
pub fn remove(path: &Path) {
    match path.is_dir() && !path.is_symlink() {
        true => fs::remove_dir_all(path).expect("a directory is removed"),
        false => fs::remove_file(path).expect("a file is removed"),
    }
}

/// Makes a pipe with a name: who opens it to read waits for somebody to write.
pub fn make_pipe(path: &Path) {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).expect("a path");
    // SAFETY: a C string that lives across the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0, "mkfifo");
}
