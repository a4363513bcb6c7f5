//! Keys for every mechanism, of every type that the registry names.

use std::collections::BTreeMap;

use claviger::provider::administration::MechanismRow;
use cryptoki_sys as ck;

use super::inputs::pair_templates;
use super::uses::USES;
use crate::support::known::P256;
use crate::support::operations::plain;
use crate::support::{Session, Template, known, template};

/// The two halves of a key; the same handle twice for a secret key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub key_type: ck::CK_KEY_TYPE,
    pub public: ck::CK_OBJECT_HANDLE,
    pub private: ck::CK_OBJECT_HANDLE,
}

/// All keys of a test, by type; a type can have several, of other sizes or curves.
pub struct Keys(pub BTreeMap<ck::CK_KEY_TYPE, Vec<Key>>);

/// CKA_CLAVIGER_BUNDLE in include/claviger.h.
const BUNDLE: ck::CK_ATTRIBUTE_TYPE = ck::CKA_VENDOR_DEFINED | 0x434C_0001;

/// Lengths of secret keys in bytes, the likeliest first.
const LENGTHS: &[usize] = &[32, 16, 48, 24, 8, 64];

/// Everything that a key may be allowed to do, in that many templates: what an attribute does
/// not fit to is left out by whoever makes the key.
pub fn all_uses() -> Vec<ck::CK_ATTRIBUTE_TYPE> {
    USES.iter().filter_map(|(which, _)| which.allowed_by()).collect()
}

/// Uses of public or private halves.
fn uses_of(public: bool) -> Vec<ck::CK_ATTRIBUTE_TYPE> {
    let own = |which: super::uses::Use| which.is_public() == public;
    USES.iter()
        .filter(|(which, _)| own(*which))
        .filter_map(|(which, _)| which.allowed_by())
        .collect()
}

/// The template with each of the uses allowed that the key can have at all: those that a
/// creation refuses are left out one by one.
fn allowing(
    template: &Template,
    uses: &[ck::CK_ATTRIBUTE_TYPE],
    accepts: impl Fn(&Template) -> bool,
) -> Option<Template> {
    let all = uses.iter().fold(template.clone(), |all, kind| all.and(*kind, true));
    if accepts(&all) {
        return Some(all);
    }
    if !accepts(template) {
        return None;
    }
    Some(uses.iter().fold(template.clone(), |so_far, kind| {
        let more = so_far.clone().and(*kind, true);
        if accepts(&more) { more } else { so_far }
    }))
}

impl Keys {
    /// Makes keys of all types in the table.
    pub fn make(session: &Session<'_>, table: &[MechanismRow]) -> Self {
        let mut all = BTreeMap::new();
        for row in table {
            for key_type in &row.key_numbers {
                all.entry(*key_type).or_insert_with(|| made(session, table, *key_type));
            }
        }
        all.entry(ck::CKK_ML_DSA).or_default().push(bundled(session));
        Self(all)
    }

    /// The keys of these types.
    pub fn of<'k>(&'k self, types: &[ck::CK_KEY_TYPE]) -> impl Iterator<Item = &'k Key> {
        types.iter().filter_map(|key_type| self.0.get(key_type)).flatten()
    }
}

/// A post-quantum pair that is tied to one on P-256, for the mechanism that uses both.
fn bundled(session: &Session<'_>) -> Key {
    let on_token = template! { CKA_TOKEN => true };
    let make = |how, public: Template| {
        let public = public.with(on_token.clone());
        session.generate_pair(&plain(how), &public, &on_token).expect("a pair")
    };
    let classical = make(ck::CKM_EC_KEY_PAIR_GEN, template! { CKA_EC_PARAMS => P256 });
    let set = template! { CKA_PARAMETER_SET => ck::CKP_ML_DSA_44 };
    let (public, private) = make(ck::CKM_ML_DSA_KEY_PAIR_GEN, set);
    for (one, other) in [(public, classical.0), (private, classical.1)] {
        let name = session.get(other, ck::CKA_UNIQUE_ID).expect("CKA_UNIQUE_ID");
        let tie = Template::default().and(BUNDLE, &name);
        session.set(one, &tie).expect("CKA_CLAVIGER_BUNDLE");
    }
    Key { key_type: ck::CKK_ML_DSA, public, private }
}

/// A template for a key with all uses, of `key_type`, with more attributes that tell it.
pub fn made(session: &Session<'_>, table: &[MechanismRow], key_type: ck::CK_KEY_TYPE) -> Vec<Key> {
    made_with(session, table, key_type, &template! {})
}

/// As `made`, with more attributes for the halves that hold a secret.
pub fn made_with(
    session: &Session<'_>,
    table: &[MechanismRow],
    key_type: ck::CK_KEY_TYPE,
    more: &Template,
) -> Vec<Key> {
    let made = secrets(session, key_type, more);
    if !made.is_empty() {
        return made;
    }
    if key_type == ck::CKK_RSA {
        return vec![known_rsa(session, more)];
    }
    let generates = |row: &&MechanismRow| {
        row.functions.contains(&"generate pair") && row.key_numbers.contains(&key_type)
    };
    table
        .iter()
        .filter(generates)
        .flat_map(|row| pairs(session, row.number, key_type, more))
        .collect()
}

fn secrets(session: &Session<'_>, key_type: ck::CK_KEY_TYPE, more: &Template) -> Vec<Key> {
    let accepts = |template: &Template| {
        let made = session.create(template);
        made.is_ok_and(|object| session.destroy(object).is_ok())
    };
    let key = |length: &usize| {
        // Odd parity for the types that want it, and halves that differ.
        let value: Vec<u8> = [1, 2, 4, 7, 8, 11, 13, 14]
            .into_iter()
            .cycle()
            .take(*length)
            .enumerate()
            .map(|(place, byte)| {
                byte ^ if place >= 8 { 0x30 } else { 0 } ^ if place >= 16 { 0x60 } else { 0 }
            })
            .collect();
        let template = known::secret(key_type, &value).with(more.clone());
        let template = allowing(&template, &all_uses(), accepts)?;
        let handle = session.create(&template).expect("a secret key");
        Some(Key { key_type, public: handle, private: handle })
    };
    LENGTHS.iter().filter_map(key).take(3).collect()
}

fn known_rsa(session: &Session<'_>, more: &Template) -> Key {
    let half = |template: Template, public: bool| {
        let template = template.with(more.clone());
        let uses = uses_of(public);
        let accepts = |template: &Template| {
            let made = session.create(template);
            made.is_ok_and(|object| session.destroy(object).is_ok())
        };
        let template = allowing(&template, &uses, accepts).expect("an RSA key");
        session.create(&template).expect("an RSA key")
    };
    Key {
        key_type: ck::CKK_RSA,
        public: half(known::rsa_public(), true),
        private: half(known::rsa_private(), false),
    }
}

fn pairs(
    session: &Session<'_>,
    how: ck::CK_MECHANISM_TYPE,
    key_type: ck::CK_KEY_TYPE,
    more: &Template,
) -> Vec<Key> {
    let make = |template: Template| {
        let public = template.with(more.clone());
        let private = more.clone();
        let accepts = |public: &Template, private: &Template| {
            let made = session.generate_pair(&plain(how), public, private);
            made.is_ok_and(|(one, two)| {
                session.destroy(one).is_ok() && session.destroy(two).is_ok()
            })
        };
        let public = allowing(&public, &uses_of(true), |public| accepts(public, &private))?;
        let private = allowing(&private, &uses_of(false), |private| accepts(&public, private))?;
        let (public, private) = session.generate_pair(&plain(how), &public, &private).ok()?;
        let own = session.number(public, ck::CKA_KEY_TYPE);
        (own == key_type).then_some(Key { key_type, public, private })
    };
    pair_templates(key_type).into_iter().filter_map(make).take(2).collect()
}
