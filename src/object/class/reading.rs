//! What a caller gets to see of an object's attributes. PKCS#11 3.2, "C_GetAttributeValue".

use super::{Species, rules};
use crate::object::attribute;
use crate::object::template::{Template, Value};

/// The answer to one attribute of `C_GetAttributeValue`.
#[derive(Debug)]
pub(crate) enum Answer<'t> {
    /// The value.
    Value(&'t Value),
    /// Nobody gave one; reads as a value of length 0.
    Empty,
    /// There is one, and it must not be seen.
    Sensitive,
    /// Objects of this class and type have no such attribute.
    NotPossessed,
}

/// What may be told of an attribute of a whole object.
pub(crate) fn readable(attributes: &Template, id: u64) -> Answer<'_> {
    let Ok(species) = Species::of(attributes) else { return Answer::NotPossessed };
    let Some(row) = species.row(id) else { return Answer::NotPossessed };
    if row.absent == rules::Absent::Missing && !attributes.contains(id) {
        return Answer::NotPossessed;
    }
    let hidden = species.class.is_secret()
        && (attributes.is_set(attribute::SENSITIVE) || !attributes.is_set(attribute::EXTRACTABLE));
    if hidden && row.has(rules::N7) {
        return Answer::Sensitive;
    }
    attributes.value(id).map_or(Answer::Empty, Answer::Value)
}

/// Whether an object has all of `wanted`, as `C_FindObjectsInit` asks. A search tells nothing
/// that a reading would hide, and attributes that the object has not match nothing.
pub(crate) fn matches(attributes: &Template, wanted: &Template) -> bool {
    wanted.iter().all(|(id, value)| match readable(attributes, id) {
        Answer::Value(own) => own.same(value),
        Answer::Empty => is_empty(value),
        Answer::Sensitive | Answer::NotPossessed => false,
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nested(template) => template.is_empty(),
        other => other.expose(<[u8]>::is_empty),
    }
}
