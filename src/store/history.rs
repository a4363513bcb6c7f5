//! The logs of a token, read without its database: hashes of any size that they had, and their
//! first entries. What is read is proved by who asked for it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::log::{WITNESSED, directory};
use crate::audit::history::History;
use crate::audit::tile::{Kind, LONGEST_ENTRY, Tile, TileHashes, WIDTH, entries};
use crate::audit::tree::{Frontier, Hashes, TreeError, leaf_hash};

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
    let mut bytes = Vec::new();
    match tile.kind {
        Kind::Entries => return Ok(None),
        Kind::Hashes(0) => {
            let bundle = Tile { kind: Kind::Entries, ..tile }.full();
            let found = read(&log.join(bundle.path()), LONGEST_FILE)?.unwrap_or_default();
            let count = usize::try_from(tile.width).unwrap_or(0);
            for entry in entries(&found).take(count).flatten() {
                bytes.extend_from_slice(&leaf_hash(entry));
            }
        }
        Kind::Hashes(level) => {
            let first = tile.index.saturating_mul(WIDTH);
            let kind = Kind::Hashes(level.saturating_sub(1));
            for index in first..first.saturating_add(tile.width) {
                let below = tile_bytes(log, Tile { kind, index, width: WIDTH })?;
                let mut edge = Frontier::new();
                for hash in below.unwrap_or_default().as_chunks::<32>().0 {
                    edge.append_to(*hash, |_| {})?;
                }
                if edge.size() == WIDTH {
                    bytes.extend_from_slice(&edge.root());
                }
            }
        }
    }
    Ok(Some(bytes).filter(|bytes| bytes.len() == wanted))
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
