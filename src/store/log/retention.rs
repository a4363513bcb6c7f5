//! Removing what is old from the beginning of a log: whole bundles of entries, never a hash, so
//! that what is left stays provable. How far the log was exported stands in a file beside it,
//! `exported`: the checkpoint that the export was held against.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::{Log, read};
use crate::audit::tile::{Kind, WIDTH};
use crate::store::StoreError;
use crate::system::failpoint::hit;
use crate::system::files::{Access, sync_directory};

/// The files of one generation of a log, as far as they may be removed.
pub(crate) struct Retention(Log);

impl Retention {
    /// Of the log in this directory.
    pub(crate) fn of(directory: &Path, access: Access) -> Self {
        Self(Log { directory: directory.to_owned(), access })
    }

    /// Remembers that everything under this checkpoint was exported.
    pub(crate) fn mark_exported(&self, checkpoint: &str) -> Result<(), StoreError> {
        self.0.replace(&[(self.0.directory.join("exported"), checkpoint.as_bytes().to_vec())])?;
        Ok(sync_directory(&self.0.directory)?)
    }

    /// The checkpoint up to which the log was exported, if it was.
    pub(crate) fn exported(&self) -> Result<Option<String>, StoreError> {
        let found = read(&self.0.directory.join("exported"))?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Keeps the last checkpoint of a log whose successor will not name it any more.
    pub(crate) fn keep_checkpoint(&self, checkpoint: &str) -> Result<(), StoreError> {
        let path = self.0.directory.join("checkpoint");
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Ok(()),
        }
        self.0.replace(&[(path.clone(), checkpoint.as_bytes().to_vec())])?;
        Ok(sync_directory(&self.0.directory)?)
    }

    /// Removes full bundles and gives how many bytes they had. From the beginning on: who is
    /// killed amid it leaves no hole.
    pub(crate) fn remove(&self, bundles: Range<u64>) -> Result<u64, StoreError> {
        let mut tiles = BTreeSet::new();
        for index in bundles.clone() {
            let path = self.0.full(Kind::Hashes(0), index);
            let hashes = self.0.hashes(0, index, WIDTH)?;
            let hashes = hashes.ok_or_else(|| differs("a bundle is no bundle"))?;
            match read(&path)? {
                None => self.0.replace(&[(path.clone(), hashes)])?,
                Some(kept) if kept == hashes => {}
                Some(_) => return Err(differs("a tile does not hold what its bundle makes")),
            }
            tiles.extend(path.parent().map(Path::to_owned));
        }
        // From here on nothing can make these tiles again.
        tiles.iter().try_for_each(|parent| sync_directory(parent))?;
        hit("log.before-remove");
        let mut bytes = 0_u64;
        let mut parents = BTreeSet::new();
        for index in bundles {
            let path = self.0.full(Kind::Entries, index);
            bytes = bytes.saturating_add(fs::symlink_metadata(&path)?.len());
            fs::remove_file(&path)?;
            hit("log.removed");
            parents.extend(path.parent().map(Path::to_owned));
        }
        parents.iter().try_for_each(|parent| sync_directory(parent))?;
        Ok(bytes)
    }
}

fn differs(why: &str) -> StoreError {
    StoreError::Distrusted(why.to_owned())
}
