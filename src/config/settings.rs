//! The keys of the configuration file: one row each, with how it is read, shown and explained.
//!
//! The reader keeps TOML's positions, so that every refusal can name the line.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::audit::{AUDIT, file_without_memory};
use super::bundles::BUNDLES;
use super::compatibility::COMPATIBILITY;
use super::{ConfigError, Configuration, Origin, Source, anchoring, policy, views};
use crate::system::environment::group_id;

/// `pin.readonly`: may a PIN be tried where the try cannot be counted?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadOnlyLogin {
    /// No login to a token that cannot be written.
    Deny,
    /// Login without counting tries.
    Allow,
}

/// `policy.export`: may token keys be made readable?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportPolicy {
    /// No token key is both extractable and not sensitive.
    Deny,
    /// What the standard allows.
    Standard,
}

/// `policy.public_write`: who may change public token objects?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublicWrite {
    /// Whoever is logged in.
    Login,
    /// Anybody, as the standard allows.
    Standard,
}

/// `store.kind`: where are tokens kept?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    /// In files below the data directory.
    Disk,
    /// In the memory of the process that makes them, and nowhere else.
    Memory,
}

/// A value, shown as it would stand in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text, in quotes in the file.
    Text(String),
    /// A whole number.
    Number(u32),
    /// True or false.
    Switch(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => number.fmt(f),
            Self::Switch(on) => on.fmt(f),
            Self::List(items) => f.write_str(&toml::Value::from(items.clone()).to_string()),
        }
    }
}

/// The row of a key that is true or false: its name, where it is kept, what it means.
macro_rules! switch {
    ($key:literal, $($field:ident).+, $meaning:literal) => {
        Setting {
            key: $key,
            accept: |to, value| boolean(value).map(|it| to.$($field).+ = it),
            show: |of| Value::Switch(of.$($field).+),
            meaning: $meaning,
        }
    };
}
pub(super) use switch;

/// A key of the file.
pub(super) struct Setting {
    /// With its section, `pin.tries`.
    pub(super) key: &'static str,
    /// Takes the value over, or says what would be right.
    pub(super) accept: fn(&mut Configuration, &DeValue<'_>) -> Result<(), String>,
    pub(super) show: fn(&Configuration) -> Value,
    pub(super) meaning: &'static str,
}

impl Setting {
    /// Its value in a configuration.
    pub(super) fn source(&self, of: &Configuration, origin: Origin) -> Source {
        let value = (self.show)(of);
        Source { key: self.key.to_owned(), value, origin, meaning: self.meaning }
    }
}

const READONLY: &[(&str, ReadOnlyLogin)] =
    &[("deny", ReadOnlyLogin::Deny), ("allow", ReadOnlyLogin::Allow)];
const EXPORT: &[(&str, ExportPolicy)] =
    &[("deny", ExportPolicy::Deny), ("standard", ExportPolicy::Standard)];
const PUBLIC_WRITE: &[(&str, PublicWrite)] =
    &[("login", PublicWrite::Login), ("standard", PublicWrite::Standard)];

const STORE_KIND: &[(&str, StoreKind)] =
    &[("disk", StoreKind::Disk), ("memory", StoreKind::Memory)];

/// Argon2 itself demands eight blocks of 1 KiB a lane; 4 GiB is more than any login may take.
const MEMORY_PER_LANE_KIB: u32 = 8;
/// The most that a PIN may cost: the vault refuses a record that asks for more, so that a changed
/// file cannot make a login take hours.
pub(crate) const MOST_MEMORY_KIB: u32 = 1 << 20;
/// As `MOST_MEMORY_KIB`, for the passes.
pub(crate) const MOST_PASSES: u32 = 64;
/// As `MOST_MEMORY_KIB`, for the lanes.
pub(crate) const MOST_LANES: u32 = 64;
const MEMORY_KIB: RangeInclusive<u32> = MEMORY_PER_LANE_KIB..=MOST_MEMORY_KIB;

const SETTINGS: &[Setting] = &[
    Setting {
        key: "directory",
        accept: |to, value| absolute(value).map(|it| to.directory = it),
        show: |of| Value::Text(written(&of.directory)),
        meaning: "where the tokens lie",
    },
    Setting {
        key: "group",
        accept: |to, value| group(value).map(|it| to.group = it),
        show: |of| Value::Text(of.group.as_ref().map_or(String::new(), |(name, _)| name.clone())),
        meaning: "the group that shares the tokens; empty: the owner alone",
    },
    switch!("slots.spare", spare_slot, "always offer one more slot with an uninitialised token"),
    Setting {
        key: "pin.argon2_memory_kib",
        accept: |to, value| number(value, MEMORY_KIB).map(|it| to.argon2_memory_kib = it),
        show: |of| Value::Number(of.argon2_memory_kib),
        meaning: "memory that guessing one PIN costs",
    },
    Setting {
        key: "pin.argon2_passes",
        accept: |to, value| number(value, 1..=MOST_PASSES).map(|it| to.argon2_passes = it),
        show: |of| Value::Number(of.argon2_passes),
        meaning: "passes over that memory",
    },
    Setting {
        key: "pin.argon2_lanes",
        accept: |to, value| number(value, 1..=MOST_LANES).map(|it| to.argon2_lanes = it),
        show: |of| Value::Number(of.argon2_lanes),
        meaning: "independent lanes in that memory",
    },
    Setting {
        key: "pin.tries",
        accept: |to, value| number(value, 1..=1000).map(|it| to.pin_tries = it),
        show: |of| Value::Number(of.pin_tries),
        meaning: "wrong PINs before the PIN is locked",
    },
    Setting {
        key: "pin.readonly",
        accept: |to, value| word(value, READONLY).map(|it| to.readonly_login = it),
        show: |of| shown(READONLY, of.readonly_login),
        meaning: "login to a token that cannot be written, where tries cannot be counted",
    },
    Setting {
        key: "policy.export",
        accept: |to, value| word(value, EXPORT).map(|it| to.export = it),
        show: |of| shown(EXPORT, of.export),
        meaning: "whether token keys may be made readable",
    },
    Setting {
        key: "policy.public_write",
        accept: |to, value| word(value, PUBLIC_WRITE).map(|it| to.public_write = it),
        show: |of| shown(PUBLIC_WRITE, of.public_write),
        meaning: "who may change public token objects",
    },
    Setting {
        key: "store.kind",
        accept: |to, value| word(value, STORE_KIND).map(|it| to.store_kind = it),
        show: |of| shown(STORE_KIND, of.store_kind),
        meaning: "where tokens are kept; in memory they end with their process",
    },
    switch!("store.shared_fs", shared_fs, "allow tokens on network and user-space file systems"),
];

/// The section that has a section for each token.
const TOKENS: &str = "token";

/// Every key, in the order of the documentation.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    let behaviour = SETTINGS.iter().chain(policy::SETTINGS).chain(views::SETTINGS);
    behaviour.chain(BUNDLES).chain(COMPATIBILITY).chain(AUDIT).chain(anchoring::SETTINGS)
}

/// Takes over all of a file; what is wrong with it comes back in the order of its lines.
pub(super) fn read(into: &mut Configuration, text: &str) -> Vec<ConfigError> {
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let line = error.span().map(|span| line_of(text, span.start));
            let why = error.message().replace('\n', ", ");
            return vec![ConfigError { line, ..ConfigError::new(why) }];
        }
    };
    let mut problems = Vec::new();
    let mut tokens = None;
    for (name, value) in document.get_ref() {
        if name.get_ref() == TOKENS {
            tokens = Some(value);
        } else if !is_section(name.get_ref()) {
            take(into, "", (name, value), text, &mut problems);
        } else if let DeValue::Table(section) = value.get_ref() {
            for row in section {
                take(into, name.get_ref(), row, text, &mut problems);
            }
        } else {
            let line = line_of(text, name.span().start);
            let why = format!("is a section: write [{}] on a line of its own", name.get_ref());
            problems.push(ConfigError::about_key(name.get_ref(), line, why));
        }
    }
    if let Some(tokens) = tokens {
        policy::read_tokens(into, tokens.get_ref(), text, &mut problems);
    }
    problems.extend(too_little_memory(into));
    problems.extend(file_without_memory(into));
    problems.extend(anchoring::problems(into));
    problems.sort_by_key(|problem| problem.line);
    problems
}

pub(super) fn take(
    into: &mut Configuration,
    section: &str,
    (name, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>),
    text: &str,
    problems: &mut Vec<ConfigError>,
) {
    let line = line_of(text, name.span().start);
    let key = match section {
        "" => name.get_ref().to_string(),
        section => format!("{section}.{}", name.get_ref()),
    };
    let Some(setting) = all().find(|setting| setting.key == key) else {
        problems.push(ConfigError::about_key(&key, line, unknown(section)));
        return;
    };
    match (setting.accept)(into, value.get_ref()) {
        Ok(()) => {
            into.lines.insert(setting.key, line);
        }
        Err(why) => {
            let line = line_of(text, value.span().start);
            problems.push(ConfigError::about_key(&key, line, why));
        }
    }
}

/// A rule that needs two values.
fn too_little_memory(of: &Configuration) -> Option<ConfigError> {
    let least = MEMORY_PER_LANE_KIB.saturating_mul(of.argon2_lanes);
    if of.argon2_memory_kib >= least {
        return None;
    }
    let (key, line) = ["pin.argon2_memory_kib", "pin.argon2_lanes"]
        .into_iter()
        .find_map(|key| of.lines.get(key).map(|line| (key, *line)))?;
    let why = format!("{} lanes need argon2_memory_kib of {least} or more", of.argon2_lanes);
    Some(ConfigError::about_key(key, line, why))
}

fn is_section(name: &str) -> bool {
    !name.is_empty() && all().any(|setting| split(setting.key).0 == name)
}

fn split(key: &'static str) -> (&'static str, &'static str) {
    key.split_once('.').unwrap_or(("", key))
}

fn unknown(section: &str) -> String {
    let known = all().map(|setting| split(setting.key));
    let mut names: Vec<String> = Vec::new();
    for (of, name) in known {
        let name = match (section, of) {
            ("", "") => name.to_owned(),
            ("", of) => format!("[{of}]"),
            (section, of) if section == of => name.to_owned(),
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if section.is_empty() {
        names.push(format!("[{TOKENS}.NAME]"));
    }
    format!("unknown key; known here: {}", names.join(", "))
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(format!("must be true or false, not {}", kind(other))),
    }
}

pub(super) fn number(value: &DeValue<'_>, range: RangeInclusive<u32>) -> Result<u32, String> {
    let wanted = || format!("must be a whole number from {} to {}", range.start(), range.end());
    let DeValue::Integer(integer) = value else {
        return Err(format!("{}, not {}", wanted(), kind(value)));
    };
    i128::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{}, not {integer}", wanted()))
}

pub(super) fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    match value {
        DeValue::String(text) => Ok(text),
        other => Err(format!("must be a text in quotes, not {}", kind(other))),
    }
}

pub(super) fn word<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<String> = words.iter().map(|(name, _)| quoted(name)).collect();
    let wanted = || format!("must be {}", names.join(" or "));
    let DeValue::String(given) = value else {
        return Err(format!("{}, not {}", wanted(), kind(value)));
    };
    words
        .iter()
        .find_map(|(name, meant)| (name == given).then_some(*meant))
        .ok_or_else(|| format!("{}, not {}", wanted(), quoted(given)))
}

pub(super) fn absolute(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let given = text(value)?;
    if given.contains('\0') || !Path::new(given).is_absolute() {
        return Err(format!("must be an absolute path, not {}", quoted(given)));
    }
    Ok(PathBuf::from(given))
}

pub(super) fn optional_file(value: &DeValue<'_>) -> Result<Option<PathBuf>, String> {
    if text(value)?.is_empty() { Ok(None) } else { absolute(value).map(Some) }
}

pub(super) fn written(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn group(value: &DeValue<'_>) -> Result<Option<(String, u32)>, String> {
    let name = text(value)?;
    if name.is_empty() {
        return Ok(None);
    }
    let id = group_id(name)
        .ok_or_else(|| format!("there is no group {} on this system", quoted(name)))?;
    Ok(Some((name.to_owned(), id)))
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

pub(super) fn shown<T: PartialEq>(words: &[(&str, T)], value: T) -> Value {
    let found = words.iter().find(|(_, meant)| *meant == value);
    Value::Text(found.map_or(String::new(), |(name, _)| (*name).to_owned()))
}

pub(super) const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
