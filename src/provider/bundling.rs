//! Starting operations that may take two keys: a bundle's mechanism brings the partner of the key
//! whose handle was given, after the same checks, and both are on record.

use std::sync::Arc;

use crate::config::VerifyMode;
use crate::error::{Result, Rv};
use crate::mechanism::operation::{Signing, Verifying};
use crate::mechanism::{Bundle, Mechanism};
use crate::object::attribute;
use crate::object::bundle::Half;
use crate::object::class::KeyType;
use crate::session::Facts;
use crate::token::objects::Held;
use crate::token::policy::{self, KeyUse, Sign, Verify};
use crate::token::uses::check_left;

use super::journal::facts_of;
use super::{Call, GivenMechanism};

/// What was started, what its record will say, and whether a key wants the PIN again.
pub(super) struct Started<W: ?Sized> {
    pub(super) work: Box<W>,
    pub(super) facts: Facts,
    pub(super) again: bool,
}

impl Call<'_> {
    /// Starts a signature with a key, or with a bundle.
    pub(super) fn start_signing(
        &self,
        given: &GivenMechanism,
        key: u64,
    ) -> Result<Started<dyn Signing>> {
        let row = self.row_for_key(given, key)?;
        let Some(start) = row.sign_bundle else {
            let start = row.column(row.sign)?;
            let (held, again) = self.key_for::<Sign>(row, key)?;
            self.check_bare(row, &held.object.attributes, &given.params)?;
            let work = start(&held.object, &given.params)?;
            return Ok(Started { work, facts: facts_of(&held, row), again });
        };
        let (held, again) = self.key_for::<Sign>(row, key)?;
        let rules = self.open.offers.bundle_rules();
        let alone = !rules.produce_hybrid && half(&held) == Some(Half::PostQuantum);
        let partner = self.partner_for::<Sign>(row, &held, alone)?;
        let also_again = partner.as_ref().is_some_and(|partner| wants_login(partner));
        let bundle = Bundle {
            given: &held.object,
            partner: partner.as_ref().map(|partner| &partner.object),
            mode: rules.verify_mode,
            hybrid: rules.produce_hybrid,
        };
        let work = start(&bundle, &given.params)?;
        Ok(Started { work, facts: facts_of_both(&held, partner, row), again: again || also_again })
    }

    /// Starts a verification with a key, or with a bundle.
    pub(super) fn start_verifying(
        &self,
        given: &GivenMechanism,
        key: u64,
    ) -> Result<Started<dyn Verifying>> {
        let row = self.row_for_key(given, key)?;
        let Some(start) = row.verify_bundle else {
            let start = row.column(row.verify)?;
            let (held, again) = self.key_for::<Verify>(row, key)?;
            self.check_bare(row, &held.object.attributes, &given.params)?;
            let work = start(&held.object, &given.params)?;
            return Ok(Started { work, facts: facts_of(&held, row), again });
        };
        let (held, again) = self.key_for::<Verify>(row, key)?;
        let rules = self.open.offers.bundle_rules();
        let alone = match rules.verify_mode {
            VerifyMode::Or => true,
            VerifyMode::And => false,
            VerifyMode::PqOnly => half(&held) == Some(Half::PostQuantum),
        };
        let partner = self.partner_for::<Verify>(row, &held, alone)?;
        let bundle = Bundle {
            given: &held.object,
            partner: partner.as_ref().map(|partner| &partner.object),
            mode: rules.verify_mode,
            hybrid: rules.produce_hybrid,
        };
        let work = start(&bundle, &given.params)?;
        Ok(Started { work, facts: facts_of_both(&held, partner, row), again })
    }

    /// The other key of a bundle, with a permit; `None` if the given one is enough and the other
    /// is not there.
    fn partner_for<Use: KeyUse>(
        &self,
        row: &Mechanism,
        held: &Held,
        alone: bool,
    ) -> Result<Option<Arc<Held>>> {
        let partner = match self.token().partner(&self.viewer()?, held) {
            Err(error) if alone && error.rv == Rv::ClavigerBundleIncomplete => return Ok(None),
            partner => partner?,
        };
        self.token().check_trust(&partner)?;
        self.open.offers.check_key(&partner.object.attributes)?;
        check_left(&partner.object)?;
        let _permit = policy::allow::<Use>(&partner.object.attributes, row.id)?;
        self.token().check_use::<Use>(&partner.object.attributes)?;
        Ok(Some(partner))
    }
}

fn half(held: &Held) -> Option<Half> {
    let key_type = held.object.attributes.get(attribute::KEY_TYPE);
    key_type.and_then(KeyType::from_code).and_then(Half::of)
}

fn wants_login(held: &Held) -> bool {
    held.object.is_set(attribute::ALWAYS_AUTHENTICATE)
}

fn facts_of_both(held: &Held, partner: Option<Arc<Held>>, row: &'static Mechanism) -> Facts {
    let partner = partner.map(|held| (Arc::clone(&held.object), held.version()));
    Facts { partner, ..facts_of(held, row) }
}
