//! Leaves on their way into a log, and the files that they were written to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::audit::tile::{LONGEST_ENTRY, entries, push_entry};
use crate::audit::tree::{Hash, leaf_hash};
use crate::store::StoreError;
use crate::system::files::{start_writing, sync_directory};

/// Leaves on their way into a log.
#[derive(Default)]
pub(in crate::store) struct Leaves {
    /// As they stand in bundles, each behind its length.
    pub(super) framed: Vec<u8>,
    pub(super) lengths: Vec<u64>,
    hashes: Vec<Hash>,
}

impl Leaves {
    pub(in crate::store) fn push(&mut self, leaf: &[u8]) -> Result<(), StoreError> {
        let before = self.framed.len();
        push_entry(&mut self.framed, leaf).ok_or_else(|| {
            StoreError::Io(format!("a leaf of the log has at most {LONGEST_ENTRY} bytes"))
        })?;
        let len = self.framed.len().saturating_sub(before);
        self.lengths.push(u64::try_from(len).unwrap_or(u64::MAX));
        self.hashes.push(leaf_hash(leaf));
        Ok(())
    }

    pub(in crate::store) fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The leaves themselves.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        entries(&self.framed).map(Option::unwrap_or_default)
    }

    /// Puts all of these behind the others.
    pub(in crate::store) fn extend(&mut self, others: &Self) {
        self.framed.extend_from_slice(&others.framed);
        self.lengths.extend_from_slice(&others.lengths);
        self.hashes.extend_from_slice(&others.hashes);
    }
}

/// Files that were written and are not lasting yet.
#[derive(Default)]
pub(super) struct Unsynced {
    pub(super) files: Vec<File>,
    /// In which some of them are new.
    pub(super) directories: BTreeSet<PathBuf>,
}

impl Unsynced {
    /// Makes them lasting. Where the file system is told of all before the first is waited for,
    /// one of its own commits does for all of them.
    pub(super) fn sync(self) -> io::Result<()> {
        if self.files.len() > 1 {
            self.files.iter().for_each(start_writing);
        }
        self.files.iter().try_for_each(File::sync_data)?;
        self.directories.iter().try_for_each(|path| sync_directory(path))
    }
}
