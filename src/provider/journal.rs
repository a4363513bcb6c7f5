//! What is told about calls: their records, to the token's audit log; and why they failed, to
//! whoever asked for it.
//!
//! `CLAVIGER_LOG=FILE` appends one line per failed call: process, function, return value,
//! reason; and one about each anchor that could not be asked, where that stops nothing. Never a
//! secret, and never the host's stderr.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::call::{Audit, Function};
use crate::error::{Error, Result, Rv};
use crate::mechanism::Mechanism;
use crate::session::{Facts, Running};
use crate::token::objects::Held;

use super::Call;

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
        let Some(mut file) = self.0.as_ref() else { return };
        Self::line(&mut file, function, error.rv.name(), &error.why);
    }

    /// One line about something that was found by the way, and stopped no call.
    pub(super) fn remark(&self, function: Function, why: &str) {
        if let Some(mut file) = self.0.as_ref() {
            Self::line(&mut file, function, "found", why);
        }
    }

    fn line(file: &mut &File, function: Function, what: &str, why: &str) {
        let (process, why) = (std::process::id(), why.replace(char::is_control, " "));
        let line = format!("{process} {} {what} {why}\n", function.name());
        // One write per line, so that lines of several processes do not mix; a log that cannot
        // be written must not fail the call that it tells of.
        let _ = file.write_all(line.as_bytes());
    }
}

/// What a record will say of a key and a mechanism.
pub(super) fn facts_of(held: &Held, row: &'static Mechanism) -> Facts {
    let key = Some((std::sync::Arc::clone(&held.object), held.version()));
    Facts { mechanism: Some(row.name), key }
}

impl Call<'_> {
    /// Keeps the record of what an operation did; whoever calls this lets no output go before.
    ///
    /// # Errors
    /// The outcome's; or why there is no record, and then the outcome must not be let go.
    pub(super) fn recorded<T, W: ?Sized>(
        &self,
        running: &mut Running<W>,
        outcome: Result<T>,
    ) -> Result<T> {
        self.note.mechanism.set(running.facts.mechanism);
        self.note.input.set(Some(running.input));
        if let Some(mut hash) = running.hash.take() {
            let mut bytes = [0; 32];
            hash.finish(&mut bytes)?;
            self.note.hash.set(Some(bytes));
        }
        // The operation ends with this, and needs them no more.
        if let Some((object, version)) = running.facts.key.take() {
            self.note.names(object, version);
        }
        self.kept(outcome)
    }

    /// Keeps the record of a use that told the caller only that its room is too small, and goes on.
    ///
    /// # Errors
    /// Why there is no record.
    pub(super) fn record_trial<W: ?Sized>(&self, running: &Running<W>) -> Result<()> {
        self.note.mechanism.set(running.facts.mechanism);
        if let Some((object, version)) = &running.facts.key {
            self.note.names(std::sync::Arc::clone(object), *version);
        }
        self.token().record(&self.note, Rv::BufferTooSmall.name())
    }

    /// Keeps the record of a call, unless there is one already.
    pub(super) fn keep_record<T>(&self, outcome: Result<T>) -> Result<T> {
        let wanted = match (self.function.audit(), &outcome) {
            (Audit::Nothing, _) | (Audit::Failure | Audit::Output, Ok(_)) => false,
            // The caller learned a length; the call is not over.
            (_, Err(error)) => error.rv != Rv::BufferTooSmall,
            (Audit::Outcome, Ok(_)) => true,
        };
        if wanted { self.kept(outcome) } else { outcome }
    }

    fn kept<T>(&self, outcome: Result<T>) -> Result<T> {
        let rv = outcome.as_ref().map_or_else(|error| error.rv.name(), |_| "CKR_OK");
        let kept = self.token().record(&self.note, rv);
        // Without a record there is no success; a failure is told as it is. What ends a login
        // ends it all the same.
        match kept {
            Err(error) if self.function != Function::Logout => outcome.and(Err(error)),
            _ => outcome,
        }
    }
}
