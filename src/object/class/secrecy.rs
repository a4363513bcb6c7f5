//! Who may read a key: `CKA_SENSITIVE`, `CKA_EXTRACTABLE`, their history, and the policy.
//!
//! A key is readable when it is not sensitive and extractable. Under `policy.export = "deny"` no
//! key on the token is, and one that can be wrapped is wrapped by trusted keys only.

use super::{Birth, Class};
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// What `CKA_SENSITIVE` or `CKA_EXTRACTABLE` is if nobody gave it: private keys, and secret keys
/// on the token, are kept; secret keys of a session are working values of the application, unless
/// the policy has them closed.
pub(super) fn usual(flag: u64, class: Class, birth: Birth, closed: bool) -> bool {
    let kept = closed || (class == Class::PrivateKey && birth != Birth::Unwrap);
    if flag == attribute::SENSITIVE.id { kept || class == Class::PrivateKey } else { !kept }
}

/// `CKA_ALWAYS_SENSITIVE` and `CKA_NEVER_EXTRACTABLE` of a new key.
pub(super) fn history(template: &Template, birth: Birth) -> (bool, bool) {
    let sensitive = template.is_set(attribute::SENSITIVE);
    let extractable = template.is_set(attribute::EXTRACTABLE);
    match birth {
        Birth::Create | Birth::Unwrap | Birth::Encapsulate => (false, false),
        Birth::Generate | Birth::GeneratePublic | Birth::GeneratePrivate => {
            (sensitive, !extractable)
        }
        Birth::Derive { always_sensitive, never_extractable } => {
            (always_sensitive && sensitive, never_extractable && !extractable)
        }
    }
}

/// Checks a whole key against `policy.export = "deny"`.
pub(super) fn permit(template: &Template) -> Result<()> {
    if !template.is_set(attribute::TOKEN) || !template.is_set(attribute::EXTRACTABLE) {
        return Ok(());
    }
    if !template.is_set(attribute::SENSITIVE) {
        return Err(
            Rv::TemplateInconsistent.because("policy.export refuses token keys that can be read")
        );
    }
    if !template.is_set(attribute::WRAP_WITH_TRUSTED) {
        return Err(Rv::TemplateInconsistent
            .because("policy.export wants CKA_WRAP_WITH_TRUSTED on extractable token keys"));
    }
    Ok(())
}

/// Makes a copy that goes to the token as unreadable as a key made there, except for what the
/// caller asked for. Copying a readable session key is how some applications store a key.
pub(super) fn harden(copy: &mut Template, asked: &Template) {
    if !asked.contains(attribute::SENSITIVE.id) {
        copy.set(attribute::SENSITIVE, true);
    }
    if !asked.contains(attribute::EXTRACTABLE.id) {
        copy.set(attribute::EXTRACTABLE, false);
    }
}
