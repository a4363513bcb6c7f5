//! `policy.separate_uses`: a key is for data or for keys, not for both.
//!
//! Who may wrap a key under a key and decrypt with that one reads the first (the oldest attack
//! on tokens there is); who may encrypt and unwrap brings keys in that he knows. An encapsulated
//! secret that an RSA key opens is a wrapped key too. Under this policy no key can do both, and
//! none comes to do later what it could not do at first, since what left when it could wrap is
//! still there when it can decrypt.

use super::{Context, Species};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::template::Template;

static FOR_DATA: [Attr<bool>; 2] = [attribute::ENCRYPT, attribute::DECRYPT];
static FOR_KEYS: [Attr<bool>; 4] =
    [attribute::WRAP, attribute::UNWRAP, attribute::ENCAPSULATE, attribute::DECAPSULATE];
/// Those of `FOR_KEYS` that a key has only if it was asked to. The others are usual for keys that
/// do nothing else.
static ASKED: [Attr<bool>; 2] = [attribute::WRAP, attribute::UNWRAP];

/// Whether a key was asked to be for keys.
pub(super) fn is_for_keys(template: &Template) -> bool {
    FOR_KEYS.iter().any(|flag| template.is_set(*flag))
}

/// Whether a key that nobody gave this use may be used so: for data, unless it was asked to be
/// for keys.
pub(super) fn usual(use_flag: u64, for_keys: bool) -> bool {
    let is_one_of = |flags: &[Attr<bool>]| flags.iter().any(|flag| flag.id == use_flag);
    let unwanted = is_one_of(&ASKED) || (for_keys && is_one_of(&FOR_DATA));
    !unwanted
}

/// Whether a flag that is false must stay so.
pub(super) fn stays(use_flag: u64, context: &Context) -> bool {
    let is_role = FOR_DATA.iter().chain(&FOR_KEYS).any(|flag| flag.id == use_flag);
    context.separate_uses && is_role
}

/// Checks a whole key.
pub(super) fn permit(template: &Template, species: Species, context: &Context) -> Result<()> {
    let has = |flags: &[Attr<bool>]| flags.iter().any(|flag| template.is_set(*flag));
    if context.separate_uses && species.class.is_key() && has(&FOR_DATA) && has(&FOR_KEYS) {
        let why = "policy.separate_uses refuses keys that are for data and for keys";
        return Err(Rv::TemplateInconsistent.because(why));
    }
    Ok(())
}

/// Checks the two halves of a pair: what the one wraps the other must not decrypt, and what the
/// one encrypts the other must not unwrap.
///
/// # Errors
/// `CKR_TEMPLATE_INCONSISTENT`.
pub(crate) fn permit_pair(public: &Template, private: &Template, context: &Context) -> Result<()> {
    let has = |half: &Template, flags: &[Attr<bool>]| flags.iter().any(|flag| half.is_set(*flag));
    let wraps = has(public, &FOR_KEYS) && private.is_set(attribute::DECRYPT);
    let encrypts = public.is_set(attribute::ENCRYPT) && has(private, &FOR_KEYS);
    if context.separate_uses && (wraps || encrypts) {
        let why = "policy.separate_uses refuses pairs that are for data and for keys";
        return Err(Rv::TemplateInconsistent.because(why));
    }
    Ok(())
}
