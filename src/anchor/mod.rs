//! Anchors: places outside of a token's directory that keep its last checkpoint, so that an older
//! directory that is put back is noticed.
//!
//! What is committed is published afterwards: an anchor is as old as the log or older, or the log
//! is not the one it was. Nothing here judges (`audit::history` does) or decides what follows
//! (the token does). A counter in a TPM would be one more implementor, beside `directory`: its
//! `put` raises the counter and seals the checkpoint to its value, its `get` opens that again.

#![cfg_attr(not(feature = "witness"), allow(dead_code, reason = "a witness asks for proofs"))]

mod command;
mod directory;
#[cfg(test)]
mod tests;
#[cfg(feature = "witness")]
mod witness;

use std::fmt;
use std::time::Duration;

use crate::audit::checkpoint::{Checkpoint, origin};
use crate::audit::history::History;
use crate::audit::note::{Note, PublicKey, VerifierKey};
use crate::config::Configuration;
use crate::error::{Error, Rv};

/// The longest answer of an anchor: a checkpoint with the signatures of a dozen witnesses.
const LONGEST_ANSWER: usize = 64 << 10;

/// Which log an anchor is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) serial: &'a str,
    pub(crate) generation: u64,
}

impl Asked<'_> {
    /// The log's name.
    fn origin(&self) -> String {
        origin(self.serial, self.generation)
    }
}

/// A checkpoint on its way to the anchors.
pub(crate) struct Published<'a> {
    pub(crate) of: Asked<'a>,
    /// Signed by the log's key.
    pub(crate) note: &'a Note,
    /// What the note says.
    pub(crate) checkpoint: &'a Checkpoint,
    /// Where proofs come from.
    pub(crate) history: &'a dyn History,
    /// How large the log was when a witness signed it last, as far as that is known.
    pub(crate) witnessed: u64,
}

/// What became of a checkpoint that was brought to an anchor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Put {
    /// The anchor keeps it, or kept it already.
    Kept,
    /// It came back with the signatures of witnesses.
    Signed(Note),
    /// The anchor has a newer one: another process was faster, or this log is older than it was.
    Newer { generation: u64, size: u64 },
    /// The anchor has one that this log does not continue.
    Contradicted,
}

/// Why an anchor did not do what it was asked to. No evidence of anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unreachable {
    /// Which anchor.
    pub(crate) anchor: String,
    pub(crate) why: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "anchor {}: {}", self.anchor, self.why)
    }
}

/// A place that keeps checkpoints. Both calls come back within the time that is configured, as
/// far as the operating system lets them.
pub(crate) trait Anchor: Send + Sync {
    /// What messages call it.
    fn name(&self) -> String;

    /// The last checkpoint of the token that it has, of this generation or another, as bytes that
    /// are not checked; `None` if it has none.
    fn get(&self, asked: Asked<'_>) -> Result<Option<Vec<u8>>, String>;

    /// Brings it a checkpoint. It never goes back to an older one.
    fn put(&self, published: &Published<'_>) -> Result<Put, String>;
}

/// The anchors that are configured.
#[derive(Default)]
pub(crate) struct Anchors(Vec<Box<dyn Anchor>>);

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|anchor| anchor.name()).collect();
        write!(f, "Anchors({names:?})")
    }
}

impl Anchors {
    /// Takes them from the configuration; none is asked yet.
    ///
    /// # Errors
    /// `CKR_GENERAL_ERROR` for verifier keys that are none.
    pub(crate) fn of(configuration: &Configuration) -> Result<Self, Error> {
        let given = &configuration.anchoring;
        let limit = Duration::from_millis(given.limit_ms.into());
        let mut anchors: Vec<Box<dyn Anchor>> = Vec::new();
        if let Some(path) = &given.directory {
            let (tokens, access) = (configuration.directory.clone(), configuration.access());
            let path = path.clone();
            anchors.push(Box::new(directory::Directory { path, tokens, access, limit }));
        }
        if !given.put.is_empty() {
            let (put, get) = (given.put.clone(), given.get.clone());
            anchors.push(Box::new(command::Commands { put, get, limit }));
        }
        if let Some(submit) = &given.witness {
            let keys = keys_of("audit.witness_key", &given.witness_keys)?;
            if keys.iter().any(|key| matches!(key.public(), PublicKey::Ed25519(_))) {
                return Err(wrong("audit.witness_key", "a witness's key has type 4 or 6"));
            }
            let monitor = given.witness_monitor.as_ref().unwrap_or(submit);
            anchors.extend(witness_of(submit, monitor, keys, (&given.witness_ca, limit)));
        }
        Ok(Self(anchors))
    }

    /// True if there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Anchor> {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[cfg(feature = "witness")]
fn witness_of(
    submit: &str,
    monitor: &str,
    keys: Vec<VerifierKey>,
    (ca, limit): (&Option<std::path::PathBuf>, Duration),
) -> Option<Box<dyn Anchor>> {
    let (submit, monitor) = (submit.to_owned(), monitor.to_owned());
    Some(Box::new(witness::Witness { submit, monitor, keys, ca: ca.clone(), limit }))
}

/// The configuration has refused it.
#[cfg(not(feature = "witness"))]
fn witness_of(
    _: &str,
    _: &str,
    _: Vec<VerifierKey>,
    _: (&Option<std::path::PathBuf>, Duration),
) -> Option<Box<dyn Anchor>> {
    None
}

/// The verifier keys of a setting.
///
/// # Errors
/// `CKR_GENERAL_ERROR`, naming the setting.
pub(crate) fn keys_of(setting: &str, texts: &[String]) -> Result<Vec<VerifierKey>, Error> {
    let keys = texts.iter().map(|text| VerifierKey::parse(text));
    keys.collect::<Result<_, _>>().map_err(|error| wrong(setting, &error.to_string()))
}

fn wrong(setting: &str, why: &str) -> Error {
    Rv::GeneralError.because(format!("configuration: {setting}: {why}"))
}

/// What a note says, if it is a checkpoint of this token: the generation, and the rest.
fn checkpoint_of(serial: &str, note: &[u8]) -> Option<(u64, Checkpoint)> {
    let note = Note::parse(note).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    let (whose, generation) = crate::audit::checkpoint::parse_origin(&checkpoint.origin)?;
    (whose == serial).then_some((generation, checkpoint))
}
