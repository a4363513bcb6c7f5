//! `[mechanisms]` and the strengths of `[policy]`: what a token offers, and how strong its keys
//! must be. Beside them: the sections of single tokens, `[token.NAME]`.
//!
//! Which mechanisms there are is known floors above; names are looked up there.

use toml::de::{DeTable, DeValue};

use super::settings::{self, Setting, Value, boolean, kind, number, quoted, switch, text};
use super::{ConfigError, Configuration};

/// What mechanisms a token offers, and the least that keys and hashes must have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MechanismRules {
    /// Only these mechanisms; empty: all. With or without `CKM_`, `*` stands for any characters.
    pub allow: Vec<String>,
    /// Not these mechanisms, whatever is allowed.
    pub deny: Vec<String>,
    /// Mechanisms, named as above, and the types of key that alone they work with, as
    /// `claviger key list` names them.
    pub keys: Vec<(String, Vec<String>)>,
    /// Bits of an RSA modulus; 0: what the mechanisms have.
    pub rsa_bits: u32,
    /// Bits of an elliptic curve.
    pub ec_bits: u32,
    /// Bits of an AES key.
    pub aes_bits: u32,
    /// Bits of a key for HMAC, and of a generic secret.
    pub hmac_bits: u32,
    /// Bits of the hash of a signature.
    pub hash_bits: u32,
}

/// More than any mechanism has.
const MOST_BITS: u32 = 16_384;

/// The keys that may stand in the section of a token.
const PER_TOKEN: &[&str] = &[
    "mechanisms.legacy",
    "mechanisms.allow",
    "mechanisms.deny",
    "mechanisms.keys",
    "policy.rsa_bits",
    "policy.ec_bits",
    "policy.aes_bits",
    "policy.hmac_bits",
    "policy.hash_bits",
    "view.show",
    "pq.verify_mode",
    "pq.produce_hybrid",
];

/// The row of a least strength.
macro_rules! bits {
    ($key:literal, $field:ident, $meaning:literal) => {
        Setting {
            key: $key,
            accept: |to, value| bits(value).map(|it| to.rules.$field = it),
            show: |of| Value::Number(of.rules.$field),
            meaning: $meaning,
        }
    };
}

pub(super) const SETTINGS: &[Setting] = &[
    switch!(
        "policy.separate_uses",
        separate_uses,
        "whether a key is for data or for keys, not for both"
    ),
    switch!(
        "policy.close_session_keys",
        close_session_keys,
        "whether secret keys of a session, too, are closed unless their template opens them"
    ),
    switch!(
        "policy.dates",
        dates,
        "whether keys make nothing new before their start date and after their end date"
    ),
    bits!(
        "policy.rsa_bits",
        rsa_bits,
        "bits that RSA keys must have; 0: what the mechanisms ask for"
    ),
    bits!("policy.ec_bits", ec_bits, "bits that elliptic curves must have"),
    bits!("policy.aes_bits", aes_bits, "bits that AES keys must have"),
    bits!("policy.hmac_bits", hmac_bits, "bits that HMAC keys and generic secrets must have"),
    bits!("policy.hash_bits", hash_bits, "bits that the hash of a signature must have"),
    switch!(
        "mechanisms.legacy",
        legacy,
        "whether mechanisms that are broken or outlived are offered"
    ),
    Setting {
        key: "mechanisms.allow",
        accept: |to, value| names(value).map(|it| to.rules.allow = it),
        show: |of| Value::List(of.rules.allow.clone()),
        meaning: "only these mechanisms are offered; none: all",
    },
    Setting {
        key: "mechanisms.deny",
        accept: |to, value| names(value).map(|it| to.rules.deny = it),
        show: |of| Value::List(of.rules.deny.clone()),
        meaning: "these mechanisms are not offered",
    },
    Setting {
        key: "mechanisms.keys",
        accept: |to, value| bound(value).map(|it| to.rules.keys = it),
        show: |of| {
            let written = of.rules.keys.iter().map(|(name, types)| (name, types.join(",")));
            Value::List(written.map(|(name, types)| format!("{name}={types}")).collect())
        },
        meaning: "these mechanisms work with keys of these types only",
    },
];

fn bits(value: &DeValue<'_>) -> Result<u32, String> {
    number(value, 0..=MOST_BITS)
}

/// A list of texts that are not empty.
pub(super) fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(list) = value else {
        return Err(format!("must be a list of names, not {}", kind(value)));
    };
    let name = |item: &DeValue<'_>| match text(item)? {
        "" => Err("must be a list of names; an empty one is in it".to_owned()),
        name => Ok(name.to_owned()),
    };
    list.iter().map(|item| name(item.get_ref())).collect()
}

/// A list of NAME=MEANING; `like` says what one looks like.
pub(super) fn pairs<T>(
    value: &DeValue<'_>,
    like: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<(String, T)>, String> {
    let one = |text: String| match text.split_once('=') {
        Some((name, meaning)) if !name.is_empty() => Ok((name.to_owned(), read(meaning)?)),
        _ => Err(format!("must be a list of {like}")),
    };
    names(value)?.into_iter().map(one).collect()
}

/// Names with commas between them; nothing if one is empty.
pub(super) fn parted(list: &str) -> Option<Vec<String>> {
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    names.iter().all(|name| !name.is_empty()).then_some(names)
}

/// A list of mechanisms, each with types of keys.
fn bound(value: &DeValue<'_>) -> Result<Vec<(String, Vec<String>)>, String> {
    const LIKE: &str = "MECHANISM=TYPES, like [\"EXTRACT_KEY_FROM_KEY=generic\"]";
    pairs(value, LIKE, |types| parted(types).ok_or_else(|| format!("must be a list of {LIKE}")))
}

/// Reads `[token.NAME]`: what is said there takes the place of what is said for all tokens, key by
/// key. Call it when all else is read.
pub(super) fn read_tokens(
    into: &mut Configuration,
    section: &DeValue<'_>,
    text: &str,
    problems: &mut Vec<ConfigError>,
) {
    let DeValue::Table(tokens) = section else {
        let why = "is a section for each token: write [token.NAME], with its label or serial";
        problems.push(ConfigError::about_key("token", 1, why));
        return;
    };
    for (name, value) in tokens {
        let line = settings::line_of(text, name.span().start);
        let key = format!("token.{}", quoted(name.get_ref()));
        let DeValue::Table(own) = value.get_ref() else {
            problems.push(ConfigError::about_key(&key, line, "is a section of a token"));
            continue;
        };
        let mut of_token = into.clone();
        of_token.lines.clear();
        of_token.tokens.clear();
        let before = problems.len();
        read_token(&mut of_token, own, text, problems);
        for problem in problems.iter_mut().skip(before) {
            let inner = problem.key.take().unwrap_or_default();
            problem.key = Some(format!("{key}.{inner}"));
        }
        into.tokens.push((name.get_ref().to_string(), of_token));
    }
}

fn read_token(
    into: &mut Configuration,
    own: &DeTable<'_>,
    text: &str,
    problems: &mut Vec<ConfigError>,
) {
    for (section, value) in own {
        let line = settings::line_of(text, section.span().start);
        let DeValue::Table(rows) = value.get_ref() else {
            problems.push(ConfigError::about_key(section.get_ref(), line, not_per_token()));
            continue;
        };
        for (name, value) in rows {
            let key = format!("{}.{}", section.get_ref(), name.get_ref());
            if PER_TOKEN.contains(&key.as_str()) {
                settings::take(into, section.get_ref(), (name, value), text, problems);
            } else {
                let line = settings::line_of(text, name.span().start);
                problems.push(ConfigError::about_key(&key, line, not_per_token()));
            }
        }
    }
}

fn not_per_token() -> String {
    format!("cannot be set for one token; these can: {}", PER_TOKEN.join(", "))
}
