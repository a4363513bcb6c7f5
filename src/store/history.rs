//! The logs of a token, read without its database: hashes of any size that they had, and their
//! first entries. What is read is proved by who asked for it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::log::{WITNESSED, directory};
use crate::audit::history::History;
use crate::audit::tile::{Kind, LONGEST_ENTRY, Tile, TileHashes, WIDTH, entries, made_of};
use crate::audit::tree::{Hashes, TreeError};

/// A full bundle of the longest entries, each behind its length.
const LONGEST_FILE: u64 = WIDTH * (65_535 + 2);

/// A checkpoint with the signatures of many witnesses is a tenth of it.
const LONGEST_NOTE: u64 = 1 << 20;

/// The logs below a token's directory.
pub(crate) struct LogHistory {
    token: PathBuf,
}

impl LogHistory {
    pub(super) const fn new(token: PathBuf) -> Self {
        Self { token }
    }
}

impl History for LogHistory {
    fn hashes(&self, generation: u64, size: u64) -> Box<dyn Hashes + '_> {
        let log = directory(&self.token, generation);
        Box::new(TileHashes::new(size, move |tile: &Tile| tile_bytes(&log, *tile)))
    }

    fn first_entry(&self, generation: u64) -> Result<Vec<u8>, TreeError> {
        let log = directory(&self.token, generation);
        let first = Tile { kind: Kind::Entries, index: 0, width: WIDTH };
        let most = u64::try_from(LONGEST_ENTRY).unwrap_or(u64::MAX).saturating_add(2);
        let bytes = read(&log.join(first.path()), most)?.unwrap_or_default();
        let entry = entries(&bytes).next().flatten();
        entry.map(<[u8]>::to_vec).ok_or(TreeError::Missing { level: 0, index: 0 })
    }
}

/// The checkpoint of a generation that witnesses have signed last; nothing of it is checked.
pub(super) fn witnessed(token: &Path, generation: u64) -> Option<String> {
    let file = directory(token, generation).join(WITNESSED);
    String::from_utf8(read(&file, LONGEST_NOTE).ok()??).ok()
}

/// A tile of hashes as it was written, or else made from what is below it.
fn tile_bytes(log: &Path, tile: Tile) -> Result<Option<Vec<u8>>, TreeError> {
    let wanted = usize::try_from(tile.width).unwrap_or(0).saturating_mul(32);
    let most = u64::try_from(wanted).unwrap_or(0).saturating_add(1);
    if let Some(bytes) = read(&log.join(tile.path()), most)?
        && bytes.len() == wanted
    {
        return Ok(Some(bytes));
    }
    made_of(tile, |below| match below.kind {
        Kind::Entries => read(&log.join(below.full().path()), LONGEST_FILE),
        Kind::Hashes(_) => tile_bytes(log, below),
    })
}

/// At most so many bytes of a file, if it is there.
fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, TreeError> {
    let unreadable = |error: io::Error| TreeError::Read(error.to_string());
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}
