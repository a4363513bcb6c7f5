//! The log of tokens in memory, as far as there is one: a file to which each leaf is appended as
//! a line. Several processes may have the same file; a line goes out with one write.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::StoreError;

/// An open file of lines.
#[derive(Debug)]
pub(crate) struct LineFile {
    file: File,
    /// The last write came to an end amid a line.
    is_cut: AtomicBool,
}

impl LineFile {
    /// Opens the file, or makes it for the owner alone.
    ///
    /// # Errors
    /// The system's; `InvalidInput` for what is no regular file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // Without O_NONBLOCK a pipe that nobody reads would hold the host up.
        let flags = libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        options.append(true).mode(0o600).custom_flags(flags);
        let file = match options.clone().create_new(true).open(path) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(0o600))?;
                file
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => options.open(path)?,
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(Self { file, is_cut: AtomicBool::new(false) })
    }

    /// Appends leaves, each as a line, with one write.
    ///
    /// # Errors
    /// The system's; `Full` if not all of it was written.
    pub(crate) fn append<'l>(
        &self,
        leaves: impl IntoIterator<Item = &'l [u8]>,
    ) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        if self.is_cut.load(Ordering::Relaxed) {
            lines.push(b'\n');
        }
        for leaf in leaves {
            lines.extend_from_slice(leaf);
            lines.push(b'\n');
        }
        loop {
            match (&self.file).write(&lines) {
                Ok(written) if written == lines.len() => {
                    self.is_cut.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                Ok(written) => {
                    // What is there of it cannot be taken back: others append behind it.
                    self.is_cut.fetch_or(written > 0, Ordering::Relaxed);
                    return Err(StoreError::Full);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
