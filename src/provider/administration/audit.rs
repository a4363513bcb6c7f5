//! A token's log as it lies on the disk: for who reads it, checks it or proves something with
//! it, without a login; and the security officer's word that a token is to be taken as it is.
//!
//! Reading changes nothing. The head comes from the database, or, where that cannot be opened,
//! from the checkpoint that was published beside the log. What is read here is not checked yet:
//! `audit::verify` does that.

mod retention;

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::audit::checkpoint::Checkpoint;
use crate::audit::leaf::Leaf;
use crate::audit::note::{Note, NoteError, PublicKey, VerifierKey};
use crate::audit::proof::Proof;
use crate::audit::record::LaneId;
use crate::audit::tile::{Kind, Tile, TileHashes, made_of};
use crate::audit::tree::{TreeError, inclusion_proof};
use crate::audit::verify::{Fault, Files, Report, Walk, What, read_entries};
use crate::config::Configuration;
use crate::error::{Result, Rv};
use crate::provider::Provider;
use crate::provider::slots::not_initialised;
use crate::secret::Secret;
use crate::store::head::HeadFault;
use crate::store::log;
use crate::store::sqlite::{Opening, SqliteStore};
use crate::store::{Mode, Query, Store, StoreError};

pub use self::retention::{PruneLimit, Pruned};

/// More than a full bundle of the longest entries; who finds more has not found a log.
const LONGEST_FILE: u64 = 17 << 20;

/// What a token's database says beside its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The same as the log's last leaf.
    Fits,
    /// The same, but it was signed for another place: this is a copy.
    Copied,
    /// Something else than the log.
    Differs(String),
    /// It was not asked: why.
    Unknown(String),
}

/// A log at one moment.
#[derive(Clone, Debug)]
pub struct LogView {
    /// Which of the token's logs it is.
    pub generation: u64,
    /// How many leaves it has.
    pub size: u64,
    /// The signed note over size and root.
    pub checkpoint: String,
    /// The key that the database has for it: who wants to be sure compares it with one that was
    /// kept elsewhere.
    pub key: Option<VerifierKey>,
    /// What the database says beside it.
    pub standing: Standing,
    /// How many objects were changed without a login since: the next login signs that.
    pub pending: u64,
    /// The lanes that are open, by what the database and the last leaf say alike.
    pub lanes: Vec<LaneId>,
    /// The directory that has `tile/` in it.
    directory: PathBuf,
}

impl Provider {
    /// The log of the token in a slot. Needs no login, and a token that cannot be used will do
    /// if its log was published.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, `CKR_TOKEN_NOT_RECOGNIZED`, the store's.
    pub fn log(&self, slot: u64) -> Result<LogView> {
        let (serial, directory) = self.directory_of(slot)?;
        let store = SqliteStore::open_to_look(&directory, self.opening());
        match store.and_then(|store| of_database(&store, &directory, &serial)) {
            Ok(view) => Ok(view),
            Err(error) => {
                let view = published(&directory, &error.to_string());
                view.ok_or_else(|| error.into())
            }
        }
    }

    /// The unique ids of the objects whose rows are not what was signed; these are never given
    /// out. Reads every row, without a login.
    ///
    /// # Errors
    /// Those of `log`.
    pub fn changed_objects(&self, slot: u64) -> Result<Vec<String>> {
        let (_, directory) = self.directory_of(slot)?;
        let store = SqliteStore::open_to_look(&directory, self.opening())?;
        let transaction = store.begin(Mode::Read)?;
        let mut changed = Vec::new();
        for id in transaction.find(&Query::default())? {
            match transaction.get(&id) {
                Ok(_) => {}
                Err(StoreError::Tampered(_) | StoreError::Corrupt(_)) => {
                    changed.push(id.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(changed)
    }

    fn opening(&self) -> Opening {
        let Configuration { shared_fs, .. } = self.configuration;
        Opening { access: self.configuration.access(), shared_fs }
    }

    /// The directory of the token in a slot, by the token's serial number.
    fn directory_of(&self, slot: u64) -> Result<(String, PathBuf)> {
        self.check_slot(slot)?;
        let serial = self.serial(slot);
        let serial = serial.ok_or_else(not_initialised)?;
        let directory = self.configuration.directory.join("tokens").join(&serial);
        Ok((serial, directory))
    }

    /// Takes a token as it is, whatever was found to be wrong with it: its log begins anew, in
    /// the next generation and under a new key, with a first leaf that names the last checkpoint.
    /// For the security officer, whose PIN is checked first, with its tries counted; no login is
    /// needed.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, `CKR_TOKEN_NOT_RECOGNIZED`; `CKR_SESSION_EXISTS` if this process
    /// has a session open on it; those of a wrong PIN, the store's.
    pub fn accept_state(&self, slot: u64, so_pin: &Secret) -> Result<()> {
        let token = self.token_in(slot)?;
        if self.session_counts(slot).0 != 0 {
            return Err(Rv::SessionExists.because("a session with this token is open"));
        }
        token.accept_state(so_pin)
    }
}

fn of_database(
    store: &SqliteStore,
    directory: &Path,
    serial: &str,
) -> std::result::Result<LogView, StoreError> {
    let transaction = store.begin(Mode::Read)?;
    let head = transaction.head()?;
    let origin = head.origin(serial);
    let found = transaction.token()?.serial;
    drop(transaction);
    let checked = (store as &dyn Store).check_head(&head.audit.public);
    let (pending, lanes) = checked.as_ref().map_or((0, Vec::new()), |checked| {
        (checked.pending, checked.lanes.iter().map(|(lane, _)| *lane).collect())
    });
    let standing = match checked {
        _ if found != serial => Standing::Differs("the database is another token's".to_owned()),
        Ok(checked) if checked.missing > 0 || checked.surplus > 0 => Standing::Differs(format!(
            "the database lacks {} objects and has {} too many",
            checked.missing, checked.surplus
        )),
        Ok(_) => Standing::Fits,
        Err(HeadFault::Copied) => Standing::Copied,
        Err(HeadFault::Tampered(why)) => Standing::Differs(why),
        Err(HeadFault::Store(error)) => Standing::Unknown(error.to_string()),
    };
    Ok(LogView {
        generation: head.generation,
        size: head.size,
        key: VerifierKey::new(&origin, PublicKey::Ed25519(head.audit.public)).ok(),
        checkpoint: head.checkpoint,
        standing,
        pending,
        lanes,
        directory: log::directory(directory, head.generation),
    })
}

/// The newest log that was published in a token's directory.
fn published(token: &Path, why: &str) -> Option<LogView> {
    let generations = fs::read_dir(token.join("log")).ok()?;
    let number = |name: &std::ffi::OsStr| name.to_str()?.parse::<u64>().ok();
    let newest = generations.flatten().filter_map(|entry| number(&entry.file_name())).max()?;
    let directory = log::directory(token, newest);
    let checkpoint = read_file(&directory.join("checkpoint")).ok()??;
    let mut view = LogView::at(&directory, &String::from_utf8(checkpoint).ok()?).ok()?;
    view.standing = Standing::Unknown(why.to_owned());
    Some(view)
}

impl LogView {
    /// The log in a directory that has `tile/` in it, of which this is a checkpoint.
    ///
    /// # Errors
    /// A checkpoint that is none.
    pub fn at(directory: &Path, checkpoint: &str) -> std::result::Result<Self, NoteError> {
        let note = Note::parse(checkpoint.as_bytes())?;
        let Checkpoint { origin, size, .. } = Checkpoint::parse(note.text())?;
        let generation = crate::audit::checkpoint::parse_origin(&origin);
        Ok(Self {
            generation: generation.map_or(1, |(_, generation)| generation),
            size,
            checkpoint: checkpoint.to_owned(),
            key: None,
            standing: Standing::Unknown("no database was asked".to_owned()),
            pending: 0,
            lanes: Vec::new(),
            directory: directory.to_owned(),
        })
    }

    /// An earlier log of the same token, as far as the first leaf of the one after it tells.
    ///
    /// # Errors
    /// A log that is not there, or names none before it.
    pub fn earlier(&self, generation: u64) -> std::result::Result<Self, Fault> {
        let unknown = |why: &str| Fault::from(What::Missing(why.to_owned()));
        if generation == 0 || generation > self.generation {
            return Err(unknown(&format!("generation {generation}")));
        }
        let mut view = self.clone();
        while view.generation > generation {
            let number = view.generation.saturating_sub(1);
            let previous = view.previous()?;
            let directory = view.directory.with_file_name(number.to_string());
            view = Self::at(&directory, &previous).map_err(What::Checkpoint)?;
            view.generation = number;
        }
        Ok(view)
    }

    /// Checks all of it against the checkpoint, and the checkpoint against keys. Each entry that
    /// stands in order is shown on the way.
    pub fn verify(
        &self,
        keys: &[VerifierKey],
        each: &mut dyn FnMut(u64, &Leaf<'_>, &[u8]),
    ) -> Report {
        self.go_on(&mut Walk::default(), keys, each)
    }

    /// As `verify`, for what has come into the log since it was checked so far.
    pub fn go_on(
        &self,
        walk: &mut Walk,
        keys: &[VerifierKey],
        each: &mut dyn FnMut(u64, &Leaf<'_>, &[u8]),
    ) -> Report {
        walk.advance(self, self.checkpoint.as_bytes(), keys, each)
    }

    /// One entry.
    ///
    /// # Errors
    /// An entry that is not there or not there any more.
    pub fn entry(&self, index: u64) -> std::result::Result<Vec<u8>, Fault> {
        let mut found = None;
        read_entries(self, (index, index.saturating_add(1)), self.size, |_, entry| {
            found = Some(entry.to_vec());
            std::ops::ControlFlow::Break(())
        })?;
        found.ok_or_else(|| Fault { index: Some(index), what: missing("the entry") })
    }

    /// The proof that this entry is in the log, with the entry beside it. Nothing of it is
    /// checked.
    ///
    /// # Errors
    /// Tiles that are missing and cannot be made.
    pub fn prove(&self, index: u64, entry: Vec<u8>) -> std::result::Result<Proof, Fault> {
        let hashes = TileHashes::new(self.size, |tile| self.hashes(*tile));
        let path = inclusion_proof(index, self.size, &hashes).map_err(|error| Fault {
            index: Some(index),
            what: What::Unreadable("the tree".to_owned(), error.to_string()),
        })?;
        let checkpoint = self.checkpoint.clone();
        Ok(Proof { extra: Some(entry), index, hashes: path, checkpoint })
    }

    /// A tile of hashes as it was written, or else made from what is below it.
    fn hashes(&self, tile: Tile) -> std::result::Result<Option<Vec<u8>>, TreeError> {
        let read = |path: &str| read_file(&self.directory.join(path)).map_err(TreeError::Read);
        if let Some(bytes) = read(&tile.path())? {
            return Ok(Some(bytes));
        }
        made_of(tile, |below| match below.kind {
            Kind::Hashes(_) => self.hashes(below),
            Kind::Entries => match read(&below.path())? {
                None => read(&below.full().path()),
                found => Ok(found),
            },
        })
    }
}

/// Reads files; a full tile of hashes that is not there yet is made: whoever was killed after a
/// commit may not have come to writing it.
impl Files for LogView {
    fn read(&self, path: &str) -> std::result::Result<Option<Vec<u8>>, String> {
        let found = read_file(&self.directory.join(path))?;
        match Tile::parse(path) {
            Some(tile) if found.is_none() && tile.is_full() => {
                self.hashes(tile).map_err(|error| error.to_string())
            }
            _ => Ok(found),
        }
    }
}

fn missing(what: &str) -> What {
    What::Missing(what.to_owned())
}

/// A file's bytes, if it is there: a regular one, and no link to another.
fn read_file(path: &Path) -> std::result::Result<Option<Vec<u8>>, String> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let read = file.take(LONGEST_FILE).read_to_end(&mut bytes);
    read.map(|_| Some(bytes)).map_err(|error| error.to_string())
}
