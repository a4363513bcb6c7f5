//! The log's files: `log/<generation>/tile/entries/...` and `tile/<L>/...` in a token's directory.
//!
//! Entries are appended and synced before the database commits; what stands behind the size that
//! it committed was left by somebody who was cut short, and is overwritten. Tiles of hashes are
//! written when they are full and can always be derived from the entries. What is not full is
//! published under its own name (`publish`), with the checkpoint. C2SP tlog-tiles.

mod leaves;
mod newest;
pub(crate) mod retention;

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub(super) use self::leaves::Leaves;
use self::leaves::Unsynced;
use super::StoreError;
use crate::audit::tile::{Kind, LONGEST_ENTRY, Tile, WIDTH, entries, made_of, push_entry};
use crate::system::failpoint::hit;
use crate::system::files::{Access, make_directory, open_or_create, sync_directory};

/// Bytes of a full tile of hashes.
const TILE_LEN: u64 = WIDTH * 32;
/// More than a full bundle of the longest entries; who finds more has not found one of ours.
const LONGEST_FILE: u64 = 17 << 20;
/// Beside `checkpoint`: the last one that witnesses have signed.
pub(super) const WITNESSED: &str = "checkpoint.witnessed";
/// The most tiles of hashes that are written together: as many as a full seal has, twice.
const TILES_AT_ONCE: u64 = 32;

/// The end of a log: how many leaves, and where the next one goes in its bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    pub(super) size: u64,
    /// Where the last leaf begins, behind its length; and how long it is.
    pub(super) last_at: u64,
    pub(super) last_len: u64,
}

impl End {
    /// Of a log without leaves.
    pub(super) const START: Self = Self { size: 0, last_at: 0, last_len: 0 };

    fn offset(&self) -> u64 {
        match self.size % WIDTH {
            0 => 0,
            _ => self.last_at.saturating_add(self.last_len),
        }
    }
}

/// The logs of a token, one a generation.
#[derive(Clone, Debug)]
pub(super) struct LogFiles {
    token: PathBuf,
    access: Access,
}

/// The files of one generation of a token's log.
pub(super) struct Log {
    directory: PathBuf,
    access: Access,
}

impl LogFiles {
    pub(super) const fn new(token: PathBuf, access: Access) -> Self {
        Self { token, access }
    }

    /// One generation.
    pub(super) fn of(&self, generation: u64) -> Log {
        Log { directory: directory(&self.token, generation), access: self.access }
    }
}

impl Log {
    fn path(&self, tile: Tile) -> PathBuf {
        self.directory.join(tile.path())
    }

    fn full(&self, kind: Kind, index: u64) -> PathBuf {
        self.path(Tile { kind, index, width: WIDTH })
    }

    /// Makes leaves lasting behind the end of the log, and gives the new end. They are not part
    /// of the log before the database says so.
    pub(super) fn append(&self, end: End, leaves: &Leaves) -> Result<End, StoreError> {
        let mut end = end;
        let mut framed = leaves.framed.as_slice();
        let mut lengths = leaves.lengths.as_slice();
        let mut written = Unsynced::default();
        while !lengths.is_empty() {
            let room = WIDTH.saturating_sub(end.size % WIDTH);
            let count = usize::try_from(room).unwrap_or(1).min(lengths.len());
            let (now, later) = lengths.split_at_checked(count).unwrap_or((lengths, &[]));
            let len = usize::try_from(now.iter().sum::<u64>()).unwrap_or(usize::MAX);
            let (bytes, rest) = framed.split_at_checked(len).unwrap_or((framed, &[]));
            let offset = end.offset();
            self.write(end.size / WIDTH, offset, bytes, &mut written)?;
            let last = now.last().copied().unwrap_or(0);
            let all = u64::try_from(len).unwrap_or(u64::MAX);
            end.last_len = last.saturating_sub(2);
            end.last_at = offset.saturating_add(all).saturating_sub(end.last_len);
            end.size = end.size.saturating_add(u64::try_from(count).unwrap_or(0));
            (framed, lengths) = (rest, later);
        }
        hit("log.entries-written");
        written.sync()?;
        hit("log.synced");
        Ok(end)
    }

    /// Writes into a bundle, over whatever was left there by a commit that did not happen.
    fn write(
        &self,
        bundle: u64,
        offset: u64,
        bytes: &[u8],
        written: &mut Unsynced,
    ) -> Result<(), StoreError> {
        let path = self.full(Kind::Entries, bundle);
        let file = match open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && offset == 0 => {
                self.create(&path, written)?
            }
            Err(error) => return Err(gone(error)),
        };
        let len = file.metadata()?.len();
        if len < offset {
            return Err(cut_off());
        }
        if len > offset {
            file.set_len(offset)?;
        }
        file.write_all_at(bytes, offset)?;
        written.files.push(file);
        Ok(())
    }

    fn create(&self, path: &Path, written: &mut Unsynced) -> Result<File, StoreError> {
        let parent = path.parent().ok_or(StoreError::Missing)?;
        self.make_lasting(parent)?;
        let file = open_or_create(path, self.access)?;
        written.directories.insert(parent.to_owned());
        Ok(file)
    }

    /// Makes a directory and those above it, each of them lasting.
    fn make_lasting(&self, path: &Path) -> Result<(), StoreError> {
        if path.is_dir() {
            return Ok(());
        }
        let Some(parent) = path.parent() else { return Err(StoreError::Missing) };
        self.make_lasting(parent)?;
        make_directory(path, self.access)?;
        Ok(sync_directory(parent)?)
    }

    /// The last leaf, read from the disk.
    pub(super) fn last_leaf(&self, end: End) -> Result<Vec<u8>, StoreError> {
        let last = end.size.checked_sub(1).ok_or_else(cut_off)?;
        let len = usize::try_from(end.last_len).unwrap_or(usize::MAX);
        if len > LONGEST_ENTRY {
            return Err(cut_off());
        }
        let mut leaf = vec![0; len];
        let file = read_only(&self.full(Kind::Entries, last / WIDTH)).map_err(gone)?;
        file.read_exact_at(&mut leaf, end.last_at).map_err(gone)?;
        Ok(leaf)
    }

    /// Writes the full tiles of hashes that are not there, behind the newest that is. A bundle
    /// that is gone or was changed gives no tile; who verifies the log will say so.
    pub(super) fn mend_tiles(&self, size: u64) -> Result<(), StoreError> {
        for level in 0.. {
            let full = count(level, size) / WIDTH;
            if full == 0 {
                break;
            }
            let is_there = |index: &u64| {
                let found = fs::symlink_metadata(self.full(Kind::Hashes(level), *index));
                found.is_ok_and(|found| found.len() == TILE_LEN)
            };
            // In their order, so that whoever is cut short leaves no gap behind the newest.
            let mut next = (0..full).rev().find(is_there).map_or(0, |last| last.saturating_add(1));
            while next < full {
                let end = full.min(next.saturating_add(TILES_AT_ONCE));
                self.write_tiles(level, next..end)?;
                next = end;
            }
        }
        Ok(())
    }

    fn write_tiles(&self, level: u8, indices: Range<u64>) -> Result<(), StoreError> {
        let mut files = Vec::new();
        for index in indices {
            if let Some(tile) = self.hashes(level, index, WIDTH)? {
                files.push((self.full(Kind::Hashes(level), index), tile));
            }
        }
        self.replace(&files)
    }

    /// The bytes of a tile of hashes, out of what is below it.
    fn hashes(&self, level: u8, index: u64, width: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let tile = Tile { kind: Kind::Hashes(level), index, width };
        made_of(tile, |below| read(&self.path(below.full())))
    }

    /// Puts files in their places, one after the other, each whole or not at all.
    fn replace(&self, files: &[(PathBuf, Vec<u8>)]) -> Result<(), StoreError> {
        let mut written = Unsynced::default();
        let mut unfinished = Vec::new();
        let done = files.iter().try_for_each(|(path, bytes)| {
            let parent = path.parent().ok_or(StoreError::Missing)?;
            self.make_lasting(parent)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            unfinished.push(parent.join(format!(".{name}.{}", std::process::id())));
            let own = unfinished.last().ok_or(StoreError::Missing)?;
            let mut file = open_or_create(own, self.access)?;
            file.set_len(0)?;
            file.write_all(bytes)?;
            written.files.push(file);
            Ok(())
        });
        let done = done.and_then(|()| Ok(written.sync()?)).and_then(|()| {
            hit("log.tile-written");
            for (from, (to, _)) in unfinished.iter().zip(files) {
                fs::rename(from, to)?;
                hit("log.tile-renamed");
            }
            Ok(())
        });
        if done.is_err() {
            unfinished.iter().for_each(|path| drop(fs::remove_file(path)));
        }
        done
    }

    /// Lays the log out for readers who know nothing of the database: partial tiles and the
    /// partial bundle of this size, and then the checkpoint. What was published before and is
    /// not part of it goes.
    pub(super) fn publish(&self, size: u64, checkpoint: &str) -> Result<(), StoreError> {
        self.mend_tiles(size)?;
        let mut published = Vec::new();
        for level in 0.. {
            let all = count(level, size);
            if all == 0 {
                break;
            }
            let (index, width) = (all / WIDTH, all % WIDTH);
            if width == 0 {
                continue;
            }
            let tile = Tile { kind: Kind::Hashes(level), index, width };
            let bytes = self.hashes(level, index, width)?.ok_or_else(cut_off)?;
            published.push((self.path(tile), bytes));
        }
        let (index, width) = (size / WIDTH, size % WIDTH);
        if width > 0 {
            let tile = Tile { kind: Kind::Entries, index, width };
            let bundle = read(&self.full(Kind::Entries, index))?.ok_or_else(cut_off)?;
            let mut bytes = Vec::new();
            for entry in entries(&bundle).take(usize::try_from(width).unwrap_or(0)) {
                let pushed = entry.and_then(|entry| push_entry(&mut bytes, entry));
                pushed.ok_or_else(cut_off)?;
            }
            published.push((self.path(tile), bytes));
        }
        published.push((self.directory.join("checkpoint"), checkpoint.as_bytes().to_vec()));
        self.replace(&published)?;
        published.pop();
        published.iter().for_each(|(path, _)| remove_others(path));
        Ok(())
    }

    /// Keeps a checkpoint with the signatures of witnesses beside the published one.
    pub(super) fn keep_witnessed(&self, checkpoint: &str) -> Result<(), StoreError> {
        self.replace(&[(self.directory.join(WITNESSED), checkpoint.as_bytes().to_vec())])
    }
}

/// Where a generation of a token's log lies.
pub(crate) fn directory(token: &Path, generation: u64) -> PathBuf {
    token.join("log").join(generation.to_string())
}

/// Nodes of a level of tiles.
fn count(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level).saturating_mul(8)).unwrap_or(0)
}

/// Partial tiles of the same kind that are older than this one.
fn remove_others(published: &Path) {
    let Some(own) = published.parent() else { return };
    let Some(kind) = own.parent() else { return };
    let names = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    for other in names(own).map(|entry| entry.path()).filter(|path| path != published) {
        // What stays is in nobody's way.
        let _ = fs::remove_file(other);
    }
    let is_partial = |path: &Path| path.extension().is_some_and(|end| end == "p");
    for other in names(kind).map(|entry| entry.path()).filter(|path| is_partial(path)) {
        if other != own {
            let _ = fs::remove_dir_all(other);
        }
    }
}

fn cut_off() -> StoreError {
    StoreError::Distrusted("the end of the log is missing".to_owned())
}

/// Why the log cannot be read: is it somebody's doing, or the host's?
fn gone(error: io::Error) -> StoreError {
    let is_link = error.raw_os_error() == Some(libc::ELOOP);
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => cut_off(),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidInput => {
            StoreError::Distrusted(format!("the log cannot be read: {error}"))
        }
        _ if is_link => StoreError::Distrusted("a link stands in the log's place".to_owned()),
        _ => error.into(),
    }
}

fn open(path: &Path) -> io::Result<File> {
    open_file(fs::OpenOptions::new().read(true).write(true), path)
}

fn read_only(path: &Path) -> io::Result<File> {
    open_file(fs::OpenOptions::new().read(true), path)
}

/// Opens a file and nothing else: a pipe would make the host wait for somebody to write.
fn open_file(options: &mut fs::OpenOptions, path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK;
    let file = options.custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
    }
}

/// The bytes of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match read_only(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(gone(error)),
    };
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, LONGEST_FILE), &mut bytes)?;
    Ok(Some(bytes))
}
