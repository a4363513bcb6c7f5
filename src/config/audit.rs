//! `[audit]`: what is recorded, when a record outlives what, and what happens when the log or
//! the token cannot be trusted.

use std::path::PathBuf;

use toml::de::DeValue;

use super::settings::{
    Setting, StoreKind, Value, boolean, kind, number, optional_file, quoted, shown, switch, word,
    written,
};
use super::{ConfigError, Configuration};
use crate::call::{Audit, Function};

/// `audit.on_tamper`: what happens once a token is found to be changed outside?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnTamper {
    /// No private key is used and nothing is changed; verifying and public reads go on.
    Refuse,
    /// It is told, and keys are used all the same.
    Warn,
}

/// `audit.on_failure`: what happens to a call whose record cannot be kept?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFailure {
    /// It fails, and gives no output.
    Refuse,
    /// It goes on, and the diagnostic log tells.
    Warn,
}

/// `audit.sync`: when a record is made to outlive a power cut; it outlives its process in any
/// case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sync {
    /// With the first record that comes `audit.sync_ms` after the last time.
    Interval,
    /// Before its call returns.
    Every,
    /// When the kernel writes it back, or it is sealed.
    Never,
}

/// How much is recorded of the uses of one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Nothing.
    Off,
    /// Each use; `audit.on_failure` says what happens if that fails.
    On,
    /// Each use; without a record the call fails.
    Force,
}

/// All of `[audit]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRules {
    /// What happens once a token is found to be changed outside.
    pub on_tamper: OnTamper,
    /// What happens to a call whose record cannot be kept.
    pub on_failure: OnFailure,
    /// The functions whose uses are not recorded, and those that fail without a record.
    pub levels: Vec<(Function, Level)>,
    /// Whether records of signing and verifying hold a keyed hash of the input.
    pub hash: bool,
    /// When a record is made to outlive a power cut.
    pub sync: Sync,
    /// For `Sync::Interval`, in milliseconds.
    pub sync_ms: u32,
    /// How old a record may get outside of the log, in milliseconds.
    pub seal_ms: u32,
    /// Days after which exported entries of the log may be removed; 0: never.
    pub retain: u32,
    /// The file that the log of tokens in memory goes to, if it goes anywhere.
    pub file: Option<PathBuf>,
}

impl Default for AuditRules {
    fn default() -> Self {
        Self {
            on_tamper: OnTamper::Refuse,
            on_failure: OnFailure::Refuse,
            levels: Vec::new(),
            hash: false,
            sync: Sync::Interval,
            sync_ms: 1_000,
            seal_ms: 5_000,
            retain: 0,
            file: None,
        }
    }
}

impl AuditRules {
    /// How much is recorded of a function's uses.
    #[must_use]
    pub fn level_of(&self, function: Function) -> Level {
        let found = self.levels.iter().find(|(named, _)| *named == function);
        found.map_or(Level::On, |(_, level)| *level)
    }
}

const ON_TAMPER: &[(&str, OnTamper)] = &[("refuse", OnTamper::Refuse), ("warn", OnTamper::Warn)];
const ON_FAILURE: &[(&str, OnFailure)] =
    &[("refuse", OnFailure::Refuse), ("warn", OnFailure::Warn)];
const SYNC: &[(&str, Sync)] =
    &[("interval", Sync::Interval), ("every", Sync::Every), ("never", Sync::Never)];
/// A hundred years.
const MOST_DAYS: u32 = 36_500;
/// An hour.
const LONGEST_MS: u32 = 3_600_000;

pub(super) const AUDIT: &[Setting] = &[
    Setting {
        key: "audit.on_tamper",
        accept: |to, value| word(value, ON_TAMPER).map(|it| to.audit.on_tamper = it),
        show: |of| shown(ON_TAMPER, of.audit.on_tamper),
        meaning: "what happens once a token is found to be changed outside",
    },
    Setting {
        key: "audit.on_failure",
        accept: |to, value| word(value, ON_FAILURE).map(|it| to.audit.on_failure = it),
        show: |of| shown(ON_FAILURE, of.audit.on_failure),
        meaning: "what happens to a call whose record cannot be kept",
    },
    Setting {
        key: "audit.off",
        accept: |to, value| set_level(to, value, Level::Off),
        show: |of| names(of, Level::Off),
        meaning: "functions whose uses are not recorded; changes always are",
    },
    Setting {
        key: "audit.force",
        accept: |to, value| set_level(to, value, Level::Force),
        show: |of| names(of, Level::Force),
        meaning: "functions that fail without a record, whatever audit.on_failure says",
    },
    switch!(
        "audit.hash",
        audit.hash,
        "records of signing and verifying hold a keyed hash of the input"
    ),
    Setting {
        key: "audit.sync",
        accept: |to, value| word(value, SYNC).map(|it| to.audit.sync = it),
        show: |of| shown(SYNC, of.audit.sync),
        meaning: "when a record is made to outlive a power cut",
    },
    Setting {
        key: "audit.sync_ms",
        accept: |to, value| number(value, 1..=LONGEST_MS).map(|it| to.audit.sync_ms = it),
        show: |of| Value::Number(of.audit.sync_ms),
        meaning: "milliseconds between two syncs with audit.sync = \"interval\"",
    },
    Setting {
        key: "audit.seal_ms",
        accept: |to, value| number(value, 1..=LONGEST_MS).map(|it| to.audit.seal_ms = it),
        show: |of| Value::Number(of.audit.seal_ms),
        meaning: "milliseconds that a record may wait outside of the log",
    },
    Setting {
        key: "audit.retain",
        accept: |to, value| number(value, 0..=MOST_DAYS).map(|it| to.audit.retain = it),
        show: |of| Value::Number(of.audit.retain),
        meaning: "days after which exported entries of the log may be removed; 0: never",
    },
    Setting {
        key: "audit.file",
        accept: |to, value| optional_file(value).map(|it| to.audit.file = it),
        show: |of| Value::Text(of.audit.file.as_deref().map_or_else(String::new, written)),
        meaning: "where the log of tokens in memory goes; empty: nowhere",
    },
];

fn set_level(to: &mut Configuration, value: &DeValue<'_>, level: Level) -> Result<(), String> {
    const WANTED: &str = "must be a list of functions that use keys, like [\"C_Verify\"]";
    let DeValue::Array(list) = value else {
        return Err(format!("{WANTED}, not {}", kind(value)));
    };
    for item in list {
        let DeValue::String(name) = item.get_ref() else {
            return Err(format!("{WANTED}; {} is in it", kind(item.get_ref())));
        };
        let function = Function::named(name).filter(|it| it.audit() != Audit::Nothing);
        let function = function.ok_or_else(|| format!("{WANTED}; {} is none", quoted(name)))?;
        if to.audit.level_of(function) != Level::On {
            return Err(format!("{} is named twice", quoted(name)));
        }
        to.audit.levels.push((function, level));
    }
    Ok(())
}

fn names(of: &Configuration, level: Level) -> Value {
    let named = of.audit.levels.iter().filter(|(_, its)| *its == level);
    Value::List(named.map(|(function, _)| function.name().to_owned()).collect())
}

/// A rule that needs two values: on the disk a token has its log beside it.
pub(super) fn file_without_memory(of: &Configuration) -> Option<ConfigError> {
    let line = of.lines.get("audit.file").filter(|_| of.audit.file.is_some())?;
    let why = "is for store.kind = \"memory\"; a token on the disk has its log beside it";
    (of.store_kind == StoreKind::Disk).then(|| ConfigError::about_key("audit.file", *line, why))
}
