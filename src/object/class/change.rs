//! Changes to an object: `C_SetAttributeValue` and `C_CopyObject`.
//!
//! Both give a whole new set of attributes or an error, so that a change is never half made.
//! Which attribute may change how stands in the attribute table. PKCS#11 3.2, "C_CopyObject"
//! and "C_SetAttributeValue".

use super::consistency::consistent;
use super::{Class, Context, Species, roles, secrecy, trust};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Change, Rule};
use crate::object::computed;
use crate::object::template::{Template, Value};

/// Attributes that change on keys, but are part of what a certificate is.
static FIXED_IN_CERTIFICATES: [u64; 3] =
    [attribute::SUBJECT.id, attribute::START_DATE.id, attribute::END_DATE.id];

/// The attributes of an object after `C_SetAttributeValue`.
///
/// # Errors
/// `CKR_ACTION_PROHIBITED` if it is not modifiable, `CKR_ATTRIBUTE_READ_ONLY` for attributes
/// that cannot change so, even to the value they have, `CKR_ATTRIBUTE_TYPE_INVALID` for those
/// that it does not have.
pub(crate) fn change(old: &Template, changes: &Template, context: &Context) -> Result<Template> {
    let species = Species::of(old)?;
    if !old.is_set(attribute::MODIFIABLE) {
        return Err(Rv::ActionProhibited.because("CKA_MODIFIABLE is false"));
    }
    let mut new = old.try_clone()?;
    for (id, value) in changes.iter() {
        let rule = changeable(species, id)?;
        let present = old.value(id).is_some_and(is_true);
        let allowed = match rule.change {
            Change::Never | Change::OnCopy | Change::ByToken => false,
            Change::Freely => present || !is_true(value) || !roles::stays(id, context),
            Change::OnlyToTrue => !present,
            Change::OnlyToFalse => present,
            Change::OnlyLess => is_less(value, old.value(id)),
            Change::Trust => context.so || (!present && !is_true(value)),
        };
        if !allowed {
            return Err(Rv::AttributeReadOnly.because(rule.name));
        }
        new.put(id, value.try_clone()?);
    }
    if species.class == Class::Trust {
        trust::check(&new)?;
    }
    Ok(new)
}

/// The attributes of a copy, all but `CKA_UNIQUE_ID`, which the token gives.
///
/// # Errors
/// `CKR_ACTION_PROHIBITED` if it is not copyable, `CKR_ATTRIBUTE_READ_ONLY` as for a change,
/// `CKR_TEMPLATE_INCONSISTENT` for a public copy of a private object and under the export
/// policy.
pub(crate) fn copy(old: &Template, changes: &Template, context: &Context) -> Result<Template> {
    let species = Species::of(old)?;
    if !old.is_set(attribute::COPYABLE) {
        return Err(Rv::ActionProhibited.because("CKA_COPYABLE is false"));
    }
    if old.contains(attribute::USES_LEFT.id) {
        let why = "a copy could be used as often again: the key has CKA_CLAVIGER_USES_LEFT";
        return Err(Rv::ActionProhibited.because(why));
    }
    if species.class == Class::OtpKey {
        let why = "a copy would make the same one-time passwords again";
        return Err(Rv::ActionProhibited.because(why));
    }
    let mut new = old.try_clone()?;
    new.remove(attribute::UNIQUE_ID.id);
    // A copy is no version of its own.
    new.remove(attribute::KEY_VERSION.id);
    new.remove(attribute::OPERATION.id);
    // The partner knows the original; the copy is a key like any other.
    new.remove(attribute::CLAVIGER_BUNDLE.id);
    for (id, value) in changes.iter() {
        let rule = changeable(species, id)?;
        let present = old.value(id).is_some_and(is_true);
        let allowed = match rule.change {
            Change::Never | Change::ByToken | Change::OnlyLess => false,
            Change::Freely => present || !is_true(value) || !roles::stays(id, context),
            Change::OnCopy => true,
            Change::OnlyToTrue => !present || is_true(value),
            Change::OnlyToFalse => present || !is_true(value),
            Change::Trust => context.so || present == is_true(value),
        };
        if !allowed {
            return Err(Rv::AttributeReadOnly.because(rule.name));
        }
        new.put(id, value.try_clone()?);
    }
    if old.is_set(attribute::PRIVATE) && !new.is_set(attribute::PRIVATE) {
        return Err(Rv::TemplateInconsistent.because("a public copy of a private object"));
    }
    settle_on_token(old, &mut new, changes, species, context)?;
    Ok(new)
}

/// What a copy needs when it goes to the token: secrecy, and a name to be found by.
fn settle_on_token(
    old: &Template,
    copy: &mut Template,
    asked: &Template,
    species: Species,
    context: &Context,
) -> Result<()> {
    let to_token = copy.is_set(attribute::TOKEN);
    let from_session = !old.is_set(attribute::TOKEN);
    let guarded = to_token && context.export_denied && species.class.is_secret();
    if guarded && (from_session || secrecy::permit(copy).is_err()) {
        secrecy::harden(copy, asked);
    }
    if to_token {
        computed::identify(copy, species);
    } else if context.export_denied && !from_session && species.class.is_secret() {
        // Off the token, but not out of its rules.
        copy.set(attribute::WRAP_WITH_TRUSTED, true);
    }
    // Trust that the original has was given by the SO; the copy keeps it.
    let kept = Context { so: context.so || old.is_set(attribute::TRUSTED), ..*context };
    consistent(copy, species, &kept)
}

/// The rule for an attribute of this object that might change.
fn changeable(species: Species, id: u64) -> Result<&'static Rule> {
    let rule = attribute::rule(id).filter(|_| species.row(id).is_some());
    let rule = rule.ok_or_else(|| {
        Rv::AttributeTypeInvalid.because(format!("the object has no {}", attribute::name(id)))
    })?;
    if species.class == Class::Certificate && FIXED_IN_CERTIFICATES.contains(&id) {
        return Err(Rv::AttributeReadOnly.because(rule.name));
    }
    Ok(rule)
}

/// Whether a number is smaller than the one before; without one before, any number is.
fn is_less(value: &Value, before: Option<&Value>) -> bool {
    match (value, before) {
        (Value::Ulong(value), Some(Value::Ulong(before))) => value < before,
        (Value::Ulong(_), None) => true,
        _ => false,
    }
}

fn is_true(value: &Value) -> bool {
    matches!(value, Value::Bool(true))
}
