//! The keys of section `audit` that are about what is kept outside of the token's directory: the
//! pinned key, and anchors.
//!
//! What a verifier key says is checked where such keys are known, above this floor.

use std::path::PathBuf;

use toml::de::DeValue;

use super::settings::{Setting, Value, absolute, kind, number, quoted, shown, text, word};
use super::{ConfigError, Configuration};

/// `audit.anchor_at`: when are checkpoints brought to the anchors?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnchorAt {
    /// At login, at logout, and when uses are sealed into the log.
    Login,
    /// Also after every change of the token.
    Commit,
}

/// `audit.anchor_on_failure`: what happens if an anchor cannot be asked?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnAnchorFailure {
    /// It is told, and work goes on.
    Warn,
    /// Nobody logs in.
    Refuse,
}

/// What is kept outside of the token's directory.
#[derive(Clone, Debug)]
pub struct Anchoring {
    /// The keys that logs must be signed with, as text; none: whatever the token itself says.
    pub keys: Vec<String>,
    /// A directory of checkpoints.
    pub directory: Option<PathBuf>,
    /// The command that takes a checkpoint: its path and arguments.
    pub put: Vec<String>,
    /// The command that gives it back.
    pub get: Vec<String>,
    /// The submission prefix of a witness.
    pub witness: Option<String>,
    /// Its monitoring prefix, if that is another.
    pub witness_monitor: Option<String>,
    /// The witness's keys, as text.
    pub witness_keys: Vec<String>,
    /// The certificates by which the witness's server is known; `None`: those of the system.
    pub witness_ca: Option<PathBuf>,
    /// When anchors are brought up to date.
    pub at: AnchorAt,
    /// What happens if that fails.
    pub on_failure: OnAnchorFailure,
    /// How long one anchor may take for one answer, in milliseconds.
    pub limit_ms: u32,
}

impl Default for Anchoring {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            directory: None,
            put: Vec::new(),
            get: Vec::new(),
            witness: None,
            witness_monitor: None,
            witness_keys: Vec::new(),
            witness_ca: None,
            at: AnchorAt::Login,
            on_failure: OnAnchorFailure::Warn,
            limit_ms: 10_000,
        }
    }
}

const AT: &[(&str, AnchorAt)] = &[("login", AnchorAt::Login), ("commit", AnchorAt::Commit)];
const ON_FAILURE: &[(&str, OnAnchorFailure)] =
    &[("warn", OnAnchorFailure::Warn), ("refuse", OnAnchorFailure::Refuse)];

/// A list is a line of a file, not a program.
const MOST_WORDS: usize = 64;
/// A verifier key of ML-DSA-44 has about 1800 characters.
const LONGEST_WORD: usize = 4096;

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "audit.key",
        accept: |to, value| keys(value).map(|it| to.anchoring.keys = it),
        show: |of| Value::List(of.anchoring.keys.clone()),
        meaning: "the verifier keys that the logs must be signed with; none: not pinned",
    },
    Setting {
        key: "audit.anchor_directory",
        accept: |to, value| path(value).map(|it| to.anchoring.directory = it),
        show: |of| shown_path(of.anchoring.directory.as_ref()),
        meaning: "a directory elsewhere that keeps the last checkpoint of each token",
    },
    Setting {
        key: "audit.anchor_put",
        accept: |to, value| command(value).map(|it| to.anchoring.put = it),
        show: |of| Value::List(of.anchoring.put.clone()),
        meaning: "the command that keeps the checkpoint on its standard input",
    },
    Setting {
        key: "audit.anchor_get",
        accept: |to, value| command(value).map(|it| to.anchoring.get = it),
        show: |of| Value::List(of.anchoring.get.clone()),
        meaning: "the command that prints the checkpoint that was kept",
    },
    Setting {
        key: "audit.witness",
        accept: |to, value| url(value).map(|it| to.anchoring.witness = it),
        show: |of| Value::Text(of.anchoring.witness.clone().unwrap_or_default()),
        meaning: "the URL prefix of a C2SP witness, to which checkpoints are submitted",
    },
    Setting {
        key: "audit.witness_monitor",
        accept: |to, value| url(value).map(|it| to.anchoring.witness_monitor = it),
        show: |of| Value::Text(of.anchoring.witness_monitor.clone().unwrap_or_default()),
        meaning: "the URL prefix of its monitoring interface; empty: the same",
    },
    Setting {
        key: "audit.witness_key",
        accept: |to, value| keys(value).map(|it| to.anchoring.witness_keys = it),
        show: |of| Value::List(of.anchoring.witness_keys.clone()),
        meaning: "the witness's verifier keys, of which one must sign",
    },
    Setting {
        key: "audit.witness_ca",
        accept: |to, value| path(value).map(|it| to.anchoring.witness_ca = it),
        show: |of| shown_path(of.anchoring.witness_ca.as_ref()),
        meaning: "PEM file of the certificates that its server is known by; empty: the system's",
    },
    Setting {
        key: "audit.anchor_at",
        accept: |to, value| word(value, AT).map(|it| to.anchoring.at = it),
        show: |of| shown(AT, of.anchoring.at),
        meaning: "when anchors are brought up to date",
    },
    Setting {
        key: "audit.anchor_on_failure",
        accept: |to, value| word(value, ON_FAILURE).map(|it| to.anchoring.on_failure = it),
        show: |of| shown(ON_FAILURE, of.anchoring.on_failure),
        meaning: "what happens at a login if an anchor cannot be asked",
    },
    Setting {
        key: "audit.anchor_ms",
        accept: |to, value| number(value, 100..=120_000).map(|it| to.anchoring.limit_ms = it),
        show: |of| Value::Number(of.anchoring.limit_ms),
        meaning: "milliseconds that one anchor may take for one answer",
    },
];

/// The rules that need two values.
pub(super) fn problems(of: &Configuration) -> Vec<ConfigError> {
    let anchoring = &of.anchoring;
    let rules = [
        (
            anchoring.put.is_empty() != anchoring.get.is_empty(),
            &["audit.anchor_put", "audit.anchor_get"][..],
            "anchor_put and anchor_get go together",
        ),
        (
            anchoring.witness.is_some() && anchoring.witness_keys.is_empty(),
            &["audit.witness"],
            "needs witness_key, by which the witness's answers are known",
        ),
        (
            anchoring.witness.is_some() && !cfg!(feature = "witness"),
            &["audit.witness"],
            "this library was built without the feature `witness`",
        ),
    ];
    let broken = rules.into_iter().filter(|(is_broken, _, _)| *is_broken);
    let told = broken.filter_map(|(_, keys, why)| {
        let (key, line) = keys.iter().find_map(|key| Some((*key, *of.lines.get(*key)?)))?;
        Some(ConfigError::about_key(key, line, why))
    });
    told.collect()
}

/// An anchor among the tokens would be put back together with them.
pub(super) fn check_place(of: &Configuration) -> Result<(), ConfigError> {
    match &of.anchoring.directory {
        Some(anchor) if anchor.starts_with(&of.directory) => {
            let key = "audit.anchor_directory";
            let line = of.lines.get(key).copied().unwrap_or(0);
            let why = format!("must not lie in {}, with the tokens", of.directory.display());
            Err(ConfigError { file: of.file.clone(), ..ConfigError::about_key(key, line, why) })
        }
        _ => Ok(()),
    }
}

/// A text, or a list of texts.
fn words(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let words = match value {
        DeValue::Array(items) => {
            items.iter().map(|item| text(item.get_ref())).collect::<Result<Vec<_>, _>>()?
        }
        DeValue::String(_) => vec![text(value)?],
        other => return Err(format!("must be a list of texts, not {}", kind(other))),
    };
    if words.len() > MOST_WORDS {
        return Err(format!("must have at most {MOST_WORDS} words"));
    }
    if let Some(bad) = words.iter().find(|word| word.len() > LONGEST_WORD || word.contains('\0')) {
        let begin: String = bad.chars().take(20).collect();
        return Err(format!("{} is too long, or holds NUL", quoted(&begin)));
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

/// Verifier keys, as far as their form goes.
fn keys(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let words = words(value)?;
    let is_key = |word: &&String| {
        let mut parts = word.splitn(3, '+');
        let (name, id, key) = (parts.next(), parts.next(), parts.next());
        let hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        let letter = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'+' | b'/' | b'=');
        name.is_some_and(|name| !name.is_empty())
            && id.is_some_and(|id| id.len() == 8 && id.bytes().all(hex))
            && key.is_some_and(|key| !key.is_empty() && key.bytes().all(letter))
    };
    match words.iter().find(|word| !is_key(word)) {
        Some(bad) => Err(format!("must be verifier keys, NAME+ID+KEY, not {}", quoted(bad))),
        None => Ok(words),
    }
}

fn command(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(_) = value else {
        return Err(format!("must be a list: a path and its arguments, not {}", kind(value)));
    };
    let words = words(value)?;
    match words.first() {
        Some(program) if !program.starts_with('/') => {
            Err(format!("must begin with an absolute path, not {}", quoted(program)))
        }
        _ => Ok(words),
    }
}

fn path(value: &DeValue<'_>) -> Result<Option<PathBuf>, String> {
    match text(value)? {
        "" => Ok(None),
        _ => absolute(value).map(Some),
    }
}

/// Plain HTTP is for a witness on this machine only: to try things out.
fn url(value: &DeValue<'_>) -> Result<Option<String>, String> {
    const WANTED: &str = "must be https://HOST[:PORT][/PATH]";
    let given = text(value)?;
    if given.is_empty() {
        return Ok(None);
    }
    let rest = given.strip_prefix("https://");
    let rest = rest.or_else(|| given.strip_prefix("http://").filter(|rest| is_loopback(rest)));
    let printable = given.bytes().all(|byte| byte.is_ascii_graphic());
    let host = rest.and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    if host.is_empty() || !printable || given.contains(['?', '#', '@', '"', '\\']) {
        return Err(format!("{WANTED}, not {}", quoted(given)));
    }
    if given.len() > 1024 {
        return Err(format!("{WANTED} of at most 1024 characters"));
    }
    Ok(Some(given.trim_end_matches('/').to_owned()))
}

fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next(),
        None => authority.split(':').next(),
    };
    matches!(host, Some("127.0.0.1" | "::1" | "localhost"))
}

fn shown_path(path: Option<&PathBuf>) -> Value {
    Value::Text(path.map_or(String::new(), |path| path.to_string_lossy().into_owned()))
}
