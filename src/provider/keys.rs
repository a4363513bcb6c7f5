//! A mechanism and a key for an operation, and the checks before a key is made.
//! PKCS#11 3.2, "Key management functions".

use std::sync::Arc;

use crate::call::Audit;
use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{self, Mechanism, registry};
use crate::object::attribute;
use crate::object::class::{KeyType, Species, is_usually_private};
use crate::object::template::Template;
use crate::session::Kind;
use crate::token::objects::{Held, Viewer};
use crate::token::policy::{self, KeyUse};
use crate::token::uses::check_left;

use super::Call;

/// A mechanism as a caller gave it, in safe values.
#[derive(Debug)]
pub(crate) struct GivenMechanism {
    /// Its number, known or not.
    pub(crate) id: u64,
    /// Its parameter.
    pub(crate) params: MechanismParams,
}

impl Mechanism {
    /// A column of the row, or `CKR_MECHANISM_INVALID`: the mechanism is known, but not for
    /// this function.
    pub(super) fn column<F>(&self, column: Option<F>) -> Result<F> {
        column
            .ok_or_else(|| Rv::MechanismInvalid.because(format!("{} does not do this", self.name)))
    }
}

/// Adds the attributes that something demands of a new key to those that the caller asks for.
///
/// # Errors
/// `CKR_TEMPLATE_INCONSISTENT` where they differ.
pub(super) fn with_demands(
    mut template: Template,
    demanded: Option<&Template>,
) -> Result<Template> {
    for (id, value) in demanded.into_iter().flat_map(Template::iter) {
        template.insert(id, value.try_clone()?)?;
    }
    Ok(template)
}

impl Call<'_> {
    /// The mechanism of a …Init call, or `None` if the call was to end an active operation.
    pub(super) fn given_or_cancel(
        &self,
        kind: Kind,
        given: Option<GivenMechanism>,
    ) -> Result<Option<GivenMechanism>> {
        if given.is_none() {
            let mut operations = self.open.session.operations();
            if !operations.is_active(kind) {
                return Err(Rv::ArgumentsBad.because("no mechanism, and nothing to end"));
            }
            operations.cancel(kind);
        }
        Ok(given)
    }

    /// The row of a mechanism that the token offers.
    pub(super) fn row(&self, given: &GivenMechanism) -> Result<&'static Mechanism> {
        // The record names the mechanism also of a call that is refused for it.
        self.note.mechanism.set(mechanism::find(given.id).map(|row| row.name));
        let row = self.open.offers.find(given.id)?.row;
        self.open.offers.check_params(&given.params)?;
        Ok(row)
    }

    /// The row of a mechanism that is to be used with a key. A mechanism of keys that no token here
    /// can hold does not fit any key, and that is told first.
    pub(super) fn row_for_key(
        &self,
        given: &GivenMechanism,
        key: u64,
    ) -> Result<&'static Mechanism> {
        self.row(given).map_err(|error| {
            if registry::is_for_other_keys(given.id) && self.key(key).is_ok() {
                let why = "the mechanism is for keys of a type that is not offered";
                return Rv::KeyTypeInconsistent.because(why);
            }
            error
        })
    }

    /// The key for an operation with a mechanism, after every check that they may meet; and
    /// whether the key wants the PIN again.
    pub(super) fn key_for<Use: KeyUse>(
        &self,
        row: &Mechanism,
        key: u64,
    ) -> Result<(Arc<Held>, bool)> {
        let held = self.key(key)?;
        self.token().check_trust(&held)?;
        let attributes = &held.object.attributes;
        // A key of another type is that first, whatever its usage attributes say.
        let key_type = attributes.get(attribute::KEY_TYPE);
        let key_type = key_type.and_then(KeyType::from_code);
        self.open.offers.check_type(row, key_type)?;
        let _permit = policy::allow::<Use>(attributes, row.id)?;
        self.token().check_use::<Use>(attributes)?;
        self.open.offers.check_key(attributes)?;
        check_left(&held.object)?;
        let outlived = self.open.offers.check_age(row, attributes);
        outlived.map_err(|error| Rv::KeySizeRange.because(error.why))?;
        let again = attributes.is_set(attribute::ALWAYS_AUTHENTICATE);
        // What an …Init starts is counted when it comes to its end, and what tells a length when it
        // gives its output; all else has no end of its own.
        if self.function.audit() != Audit::Failure && !Use::TELLS_LENGTH {
            self.token().take_use(&self.note, &held.object)?;
        }
        Ok((held, again))
    }

    /// Checks that come before any work: may this session make such an object?
    pub(super) fn check_birth(
        &self,
        viewer: &Viewer,
        template: &Template,
        species: Species,
    ) -> Result<()> {
        let on_token = template.is_set(attribute::TOKEN);
        let usual = || is_usually_private(species.class, on_token, viewer.sees_private);
        let private = template.get(attribute::PRIVATE).unwrap_or_else(usual);
        self.token().check_place(viewer, on_token, private)
    }
}
