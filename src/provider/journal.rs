//! What is told about calls: for now, why they failed, to whoever asked for it.
//!
//! `CLAVIGER_LOG=FILE` appends one line per failed call: process, function, return value,
//! reason. Never a secret, and never the host's stderr.

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
        if error.rv == Rv::BufferTooSmall {
            return;
        }
        self.tell(function, error.rv.name(), &error.why);
    }

    /// One line about something that was found by the way.
    pub(super) fn remark(&self, function: Function, why: &str) {
        self.tell(function, "found", why);
    }

    fn tell(&self, function: Function, what: &str, why: &str) {
        let Some(mut file) = self.0.as_ref() else { return };
        let why = why.replace(char::is_control, " ");
        let line = format!("{} {} {what} {why}\n", std::process::id(), function.name());
        // One write per line, so that lines of several processes do not mix; a log that cannot
        // be written must not fail the call that it tells of.
        let _ = file.write_all(line.as_bytes());
    }
}
