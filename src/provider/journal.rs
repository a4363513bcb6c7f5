//! What is told about calls: for now, why they failed, to whoever asked for it.
//!
//! `CLAVIGER_LOG=FILE` appends one line per failed call: process, function, return value,
//! reason; and one about each anchor that could not be asked, where that stops nothing. Never a
//! secret, and never the host's stderr.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::call::Function;
use crate::error::{Error, Rv};

/// The diagnostic log, if there is to be one.
pub(super) struct Diagnostics(Option<File>);

impl Diagnostics {
    /// Opens the log; a log that cannot be opened is no reason not to work.
    pub(super) fn to(path: Option<&Path>) -> Self {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600).custom_flags(libc::O_CLOEXEC);
        Self(path.and_then(|path| options.open(path).ok()))
    }

    /// One line about a failed call. A length query that was answered is no failure.
    pub(super) fn failed(&self, function: Function, error: &Error) {
        let Some(mut file) = self.0.as_ref() else { return };
        if error.rv == Rv::BufferTooSmall {
            return;
        }
        Self::line(&mut file, function, error.rv.name(), &error.why);
    }

    /// One line about something that stopped no call.
    pub(super) fn warned(&self, function: Function, why: &str) {
        if let Some(mut file) = self.0.as_ref() {
            Self::line(&mut file, function, "CKR_OK", why);
        }
    }

    fn line(file: &mut &File, function: Function, rv: &str, why: &str) {
        let (process, why) = (std::process::id(), why.replace(char::is_control, " "));
        let line = format!("{process} {} {rv} {why}\n", function.name());
        // One write per line, so that lines of several processes do not mix; a log that cannot
        // be written must not fail the call that it tells of.
        let _ = file.write_all(line.as_bytes());
    }
}
