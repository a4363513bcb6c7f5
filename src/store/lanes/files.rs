//! The files of lanes: made once and locked for as long as their process lives, listed, put
//! aside, removed.
//!
//! The record lock on a lane's first byte says that its owner is alive. It is gone as soon as
//! its process closes any descriptor of the file; so nothing here opens a lane that this process
//! has open, be it through another copy of the library.

use std::fs::{self, File};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::audit::lane::header;
use crate::audit::record::LaneId;
use crate::store::StoreError;
use crate::system::failpoint::hit;
use crate::system::files::{
    Access, LockKind, RecordLock, create_new, make_directory, open_existing, open_files,
    sync_directory,
};

/// Where lanes go that somebody has changed.
pub(super) const DISTRUSTED: &str = "distrusted";
/// Where lanes go of which the log knows nothing, or knows that they are over.
pub(super) const UNLISTED: &str = "unlisted";
const OWNER: i64 = 0;

/// Of a lane's file.
fn path(directory: &Path, lane: LaneId) -> PathBuf {
    directory.join(name(lane))
}

pub(super) fn name(lane: LaneId) -> String {
    format!("{lane}.lane")
}

/// Makes a lane's file with its header, locks it, and makes it lasting. `None` if the name is
/// taken.
pub(super) fn create(
    directory: &Path,
    access: Access,
    lane: LaneId,
) -> std::result::Result<Option<File>, StoreError> {
    if !directory.is_dir() {
        make_directory(directory, access)?;
        directory.parent().map_or(Ok(()), sync_directory)?;
    }
    let file = match create_new(&path(directory, lane), access) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Somebody who looks for lanes without owners may have been faster.
    if !lock(&file)? {
        return Ok(None);
    }
    let made = super::writer::write_at(&file, &header(lane), 0)
        .and_then(|()| Ok(file.sync_all()?))
        .and_then(|()| Ok(sync_directory(directory)?));
    hit("lanes.created");
    match made {
        Ok(()) if file.metadata()?.nlink() == 0 => Ok(None),
        Ok(()) => Ok(Some(file)),
        Err(error) => {
            let _ = fs::remove_file(path(directory, lane));
            Err(error)
        }
    }
}

/// Takes the owner's lock, for as long as the file is open.
fn lock(file: &File) -> Result<bool> {
    Ok(RecordLock::attempt(file, OWNER, LockKind::Exclusive)?.map(RecordLock::keep).is_some())
}

/// A lane without an owner.
pub(super) enum Left {
    /// Its file, which is locked now.
    Open(File),
    /// Something that is no file.
    NoFile,
    /// It has an owner, or we may not open it.
    Owned,
    Gone,
}

/// Opens a lane of a directory if its owner is gone. `own` are the files that this process has
/// open.
pub(super) fn open_left(directory: &Path, lane: LaneId, own: &[(u64, u64)]) -> Result<Left> {
    let path = &path(directory, lane);
    let gone = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if gone(&error) => return Ok(Left::Gone),
        Err(error) => return Err(error),
    };
    if own.contains(&(found.dev(), found.ino())) {
        return Ok(Left::Owned);
    }
    if !found.is_file() {
        return Ok(Left::NoFile);
    }
    let file = match open_existing(path) {
        Ok(file) => file,
        Err(error) if gone(&error) => return Ok(Left::Gone),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Left::Owned),
        Err(error) => return Err(error),
    };
    if !lock(&file)? {
        return Ok(Left::Owned);
    }
    match file.metadata()?.nlink() {
        0 => Ok(Left::Gone),
        _ => Ok(Left::Open(file)),
    }
}

/// The files that this process has open.
pub(super) fn own() -> Vec<(u64, u64)> {
    open_files()
}

/// The lanes that have a file, in order.
pub(super) fn list(directory: &Path) -> Result<Vec<LaneId>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let id =
        |entry: fs::DirEntry| LaneId::parse(entry.file_name().to_str()?.strip_suffix(".lane")?);
    let mut found = Vec::new();
    for entry in entries {
        found.extend(id(entry?));
    }
    found.sort_unstable();
    Ok(found)
}

/// Puts a lane aside, into a directory beside it.
pub(super) fn put_aside(directory: &Path, lane: LaneId, into: &str, access: Access) -> Result<()> {
    let place = directory.join(into);
    make_directory(&place, access)?;
    fs::rename(path(directory, lane), place.join(name(lane)))
}

/// Leaves a mark, among the lanes put aside, where a lane was removed by somebody.
pub(super) fn mark_gone(directory: &Path, lane: LaneId, access: Access) -> Result<()> {
    let place = directory.join(DISTRUSTED);
    make_directory(&place, access)?;
    create_new(&place.join(format!("{lane}.gone")), access).map(drop)
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// True if lanes were put aside, or somebody has put something else where they go.
pub(super) fn has_distrusted(directory: &Path) -> bool {
    is_there(&directory.join(DISTRUSTED))
}

/// What was put aside is accepted: it stays, under another name.
pub(super) fn accept_distrusted(directory: &Path) -> Result<()> {
    let place = directory.join(DISTRUSTED);
    (1_u32..)
        .map(|number| directory.join(format!("accepted-{number}")))
        .find(|accepted| !is_there(accepted))
        .filter(|_| is_there(&place))
        .map_or(Ok(()), |accepted| fs::rename(&place, accepted))
}

/// Removes a lane whose records are in the log.
pub(super) fn remove(directory: &Path, lane: LaneId) -> Result<()> {
    match fs::remove_file(path(directory, lane)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
