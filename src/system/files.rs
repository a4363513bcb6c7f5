//! Files as the store needs them: exact permissions whatever the host's umask is, record locks
//! that a forked child does not inherit, positioned reads, and the kind of file system.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Who may use the files of a data directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// The owner alone: directories 0700, files 0600.
    Owner,
    /// The owner and one group: directories 2770, files 0660.
    Group(u32),
}

impl Access {
    /// The mode of a file under this rule.
    pub(crate) const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group(_) => 0o660,
        }
    }

    /// The mode of a directory under this rule.
    pub(crate) const fn directory_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group(_) => 0o2770,
        }
    }
}

/// Makes a directory (and its parents) with the exact mode; one that exists is left as it is.
pub(crate) fn make_directory(path: &Path, access: Access) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
        && !parent.is_dir()
    {
        make_directory(parent, access)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    give_to_group(path, access)?;
    fs::set_permissions(path, Permissions::from_mode(access.directory_mode()))
}

/// Opens a file for reading and writing, makes it if it is not there, and sets its exact mode
/// when it made it. Never follows a symbolic link, never survives an exec.
pub(crate) fn open_or_create(path: &Path, access: Access) -> io::Result<File> {
    match create_new(path, access) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_existing(path),
        made => made,
    }
}

/// Makes a file that must not be there, with its exact mode.
pub(crate) fn create_new(path: &Path, access: Access) -> io::Result<File> {
    let file = open_options().mode(0o600).create_new(true).open(path)?;
    give_to_group(path, access)?;
    file.set_permissions(Permissions::from_mode(access.file_mode()))?;
    Ok(file)
}

/// Opens a file that is there.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    open_options().open(path)
}

fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    options
}

fn give_to_group(path: &Path, access: Access) -> io::Result<()> {
    match access {
        Access::Owner => Ok(()),
        Access::Group(group) => std::os::unix::fs::chown(path, None, Some(group)),
    }
}

/// Tells the kernel to begin writing a file's bytes to the disk, without waiting for them. A hint:
/// what must be durable is synced all the same.
pub(crate) fn start_writing(file: &File) {
    // SAFETY: takes numbers only, and the descriptor is open.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Leaves a file's access time alone when it is read, which is a sixth of the cost of a short read.
/// Only a file's owner may ask for that; for others all stays as it is.
pub(crate) fn leave_access_time(file: &File) {
    // SAFETY: takes numbers only, and the descriptor is open.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NOATIME) };
}

/// Makes a directory's entries durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Reads the eight bytes at `offset`, or nothing if the file is shorter.
pub(crate) fn read_u64_at(file: &File, offset: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// How a record lock is shared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LockKind {
    Shared,
    Exclusive,
}

/// A POSIX record lock on one byte of a file, released on drop.
///
/// It belongs to the process: a forked child does not have it, and threads of one process do
/// not exclude each other by it. Closing *any* descriptor of the file drops it, so each lock
/// file is opened once per process.
pub(crate) struct RecordLock<'f> {
    file: &'f File,
    byte: i64,
}

impl<'f> RecordLock<'f> {
    /// Waits for the lock.
    pub(crate) fn wait(file: &'f File, byte: i64, kind: LockKind) -> io::Result<Self> {
        loop {
            match set_lock(file, byte, lock_type(kind), libc::F_SETLKW) {
                Ok(()) => return Ok(Self { file, byte }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the lock if no other process has it.
    pub(crate) fn attempt(file: &'f File, byte: i64, kind: LockKind) -> io::Result<Option<Self>> {
        match set_lock(file, byte, lock_type(kind), libc::F_SETLK) {
            Ok(()) => Ok(Some(Self { file, byte })),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the lock until the file is closed.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for RecordLock<'_> {
    fn drop(&mut self) {
        // Unlocking a range that we hold cannot fail in a way that we could mend.
        let _ = set_lock(self.file, self.byte, libc::F_UNLCK, libc::F_SETLK);
    }
}

const fn lock_type(kind: LockKind) -> i32 {
    match kind {
        LockKind::Shared => libc::F_RDLCK,
        LockKind::Exclusive => libc::F_WRLCK,
    }
}

fn set_lock(file: &File, byte: i64, kind: i32, command: i32) -> io::Result<()> {
    let region = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open, and the kernel only reads the structure.
    match unsafe { libc::fcntl(file.as_raw_fd(), command, &raw const region) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// True if this process has another descriptor of the same file than `own`: a second copy of
/// the library is at work in it.
pub(crate) fn opened_twice(own: &File) -> bool {
    let Ok(identity) = own.metadata().map(|found| (found.dev(), found.ino())) else {
        return false;
    };
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return false };
    let own_number = own.as_raw_fd().to_string();
    entries.flatten().filter(|entry| entry.file_name() != own_number.as_str()).any(|entry| {
        fs::metadata(entry.path()).is_ok_and(|found| (found.dev(), found.ino()) == identity)
    })
}

/// Device and inode of every file that this process has open; a file opened twice is there
/// twice. Empty where /proc is not mounted.
pub(crate) fn open_files() -> Vec<(u64, u64)> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let found = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    found.map(|found| (found.dev(), found.ino())).collect()
}

/// The name of a network or user-space file system on which SQLite's locks cannot be trusted.
pub(crate) fn shared_file_system(path: &Path) -> Option<&'static str> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero `statfs` is a valid value to be overwritten.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: a C string and a live local.
    if unsafe { libc::statfs(path.as_ptr(), &raw mut found) } != 0 {
        return None;
    }
    match found.f_type as u64 & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x6573_5546 => Some("FUSE"),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some("SMB"),
        0x0102_1997 => Some("9p"),
        0x00c3_6400 => Some("Ceph"),
        0x5346_414f => Some("AFS"),
        0x0bd0_0bd0 => Some("Lustre"),
        _ => None,
    }
}

/// True if this process may write to the directory or file.
pub(crate) fn is_writable(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: a C string that lives across the call.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK, libc::AT_EACCESS) == 0 }
}
