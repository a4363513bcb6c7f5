//! Why calls failed, for whoever asked for it: a line each in the file that `CLAVIGER_LOG` names,
//! as text, or as JSON if the name ends with `.jsonl`. docs/cli.md has the fields.
//!
//! Also one line about each anchor that could not be asked, where that stops nothing. Never a
//! secret, and never the host's stderr.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

use crate::audit::line::Writer;
use crate::audit::time::Time;
use crate::call::Function;
use crate::error::{Error, Place, Rv};
use crate::mechanism;

use super::Call;
use super::administration::structure_of;

/// The diagnostic log, if there is to be one.
pub(super) struct Diagnostics(Option<Log>);

struct Log {
    file: File,
    json: bool,
}

impl Diagnostics {
    /// Opens the log; a log that cannot be opened is no reason not to work.
    pub(super) fn to(path: Option<&Path>) -> Self {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600).custom_flags(libc::O_CLOEXEC);
        let log = |path: &Path| {
            let json = path.extension().is_some_and(|extension| extension == "jsonl");
            Some(Log { file: options.open(path).ok()?, json })
        };
        Self(path.and_then(log))
    }

    /// One line about a failed call. A length query that was answered is no failure.
    pub(super) fn failed(&self, function: Function, error: &Error) {
        if error.rv != Rv::BufferTooSmall {
            self.line(function, error.rv.name(), error);
        }
    }

    /// One line about something that was found by the way, and stopped no call.
    pub(super) fn remark(&self, function: Function, why: &str) {
        self.line(function, "found", &Rv::GeneralError.because(why.to_owned()));
    }

    fn line(&self, function: Function, outcome: &str, error: &Error) {
        let Some(log) = &self.0 else { return };
        let line = match log.json {
            true => json(function, outcome, error),
            false => text(function, outcome, error),
        };
        // One write per line, so that lines of several processes do not mix; a log that cannot
        // be written must not fail the call that it tells of.
        let _ = (&log.file).write_all(&line);
    }
}

fn text(function: Function, outcome: &str, error: &Error) -> Vec<u8> {
    let (process, why) = (std::process::id(), error.why.replace(char::is_control, " "));
    format!("{process} {} {outcome} {why}{}\n", function.name(), error.circumstances()).into_bytes()
}

fn json(function: Function, outcome: &str, error: &Error) -> Vec<u8> {
    let usual = Place::default();
    let place = error.place.as_deref().unwrap_or(&usual);
    let now: Time = SystemTime::now().into();
    let mut line = Vec::new();
    let mut fields = Writer::new(&mut line);
    fields.text("time", &now.to_string());
    fields.number("process", u64::from(std::process::id()));
    fields.text("function", function.name());
    fields.text("rv", outcome);
    fields.text("why", &error.why);
    fields.optional_text("mechanism", place.mechanism);
    fields.optional_text("parameter", place.parameter);
    fields.optional_text("attribute", error.attribute());
    fields.optional_text("key", place.key.as_deref());
    fields.optional_number("session", place.session);
    fields.optional_number("slot", place.slot);
    fields.finish();
    line.push(b'\n');
    line
}

impl Call<'_> {
    /// Adds to an error where it happened.
    pub(super) fn placed(&self, error: Error) -> Error {
        let mut place = error.place.clone().unwrap_or_default();
        let given = self.note.mechanism.get();
        place.mechanism = place.mechanism.or(given);
        if error.rv == Rv::MechanismParamInvalid && place.parameter.is_none() {
            let row = mechanism::named(place.mechanism.unwrap_or_default());
            place.parameter = row.map(structure_of);
        }
        place.key = self.note.unique_id();
        place.session = Some(self.open.session.handle);
        place.slot = Some(self.open.slot);
        Error { place: Some(place), ..error }
    }
}
