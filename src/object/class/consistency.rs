//! Rules that hold between the attributes of an object. PKCS#11 3.2, "Common attributes",
//! "Private key objects".

use super::{Context, Species, roles, secrecy};
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// Rules that hold between attributes of a whole object.
pub(super) fn consistent(template: &Template, species: Species, context: &Context) -> Result<()> {
    let inconsistent = |why: &'static str| -> Error { Rv::TemplateInconsistent.because(why) };
    if template.is_set(attribute::TRUSTED) && !context.so {
        return Err(Rv::AttributeReadOnly.because("only the SO sets CKA_TRUSTED"));
    }
    if template.is_set(attribute::ALWAYS_AUTHENTICATE) && !template.is_set(attribute::PRIVATE) {
        return Err(inconsistent("CKA_ALWAYS_AUTHENTICATE without CKA_PRIVATE"));
    }
    if template.contains(attribute::USES_LEFT.id) && !template.is_set(attribute::TOKEN) {
        return Err(inconsistent("only keys on the token have CKA_CLAVIGER_USES_LEFT"));
    }
    if species.class.is_secret() && context.export_denied {
        secrecy::permit(template)?;
    }
    roles::permit(template, species, context)
}
