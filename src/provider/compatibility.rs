//! What `[compatibility]` of the configuration changes, in one place: answers for programs that
//! expect another than the standard's. `docs/conformance.md` says who does.

use crate::engine::edwards::Edwards;
use crate::error::{Error, Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Mechanism, registry};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::curve::{self, CurveName};
use crate::object::template::Template;
use crate::session::Kind;

use super::{Call, Provider};

impl Provider {
    /// Whether the library initialises itself in a forked child.
    pub(crate) const fn lives_on_in_children(&self) -> bool {
        self.configuration.compatibility.fork_initialized
    }
}

impl Provider {
    /// Whether the last of two values of one attribute counts in a template.
    pub(crate) const fn takes_repeats(&self) -> bool {
        self.configuration.compatibility.template_repeats
    }
}

impl Call<'_> {
    /// Whether a call with bad pointers leaves an operation of this kind active.
    pub(super) fn goes_on(&self, kind: Kind) -> bool {
        kind == Kind::Digest && self.provider.configuration.compatibility.digest_goes_on
    }

    /// Whether C_Logout has nothing to do, and says so with success.
    pub(super) const fn may_log_out_again(&self) -> bool {
        self.provider.configuration.compatibility.logout_again
    }

    /// Refuses Ed448 without the parameter that the standard requires of it. A key whose curve has
    /// RFC 8410's identifier needs none: that alone says which scheme is meant.
    pub(super) fn check_bare(
        &self,
        row: &Mechanism,
        key: &Template,
        params: &MechanismParams,
    ) -> Result<()> {
        let bare = row.name == registry::EDDSA_NAME && matches!(params, MechanismParams::None);
        if !bare || self.provider.configuration.compatibility.ed448_bare {
            return Ok(());
        }
        let curve = key.get(attribute::EC_PARAMS).filter(|curve| curve::is_name(curve));
        if curve.is_some_and(|curve| {
            matches!(curve::curve_of(curve), Ok(CurveName::Edwards(Edwards::Ed448)))
        }) {
            return Err(Rv::MechanismParamInvalid.because("Ed448 by name takes a parameter"));
        }
        Ok(())
    }

    /// Says what comes out of an unwrapping, if the caller does not and need not.
    pub(super) fn name_bare(&self, template: &mut Template) {
        let given = [attribute::CLASS.id, attribute::KEY_TYPE.id].map(|id| template.contains(id));
        if given == [false; 2] && self.provider.configuration.compatibility.unwrap_bare {
            template.set(attribute::CLASS, Class::SecretKey.code());
            template.set(attribute::KEY_TYPE, KeyType::GenericSecret.code());
        }
    }

    /// Whether C_SessionCancel means all operations where it names none.
    pub(crate) const fn cancels_all(&self) -> bool {
        self.provider.configuration.compatibility.cancel_bare
    }

    /// A failure, as the caller is told of it.
    pub(super) fn as_told(&self, error: Error) -> Error {
        let is_oaep = self.note.mechanism.get() == Some(registry::OAEP_NAME);
        let bends = self.provider.configuration.compatibility.oaep_arguments;
        if bends && is_oaep && error.rv == Rv::MechanismParamInvalid {
            return Error { rv: Rv::ArgumentsBad, ..error };
        }
        error
    }
}
