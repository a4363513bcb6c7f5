//! Signatures that give their data back. PKCS#11 3.2, "C_SignRecover", "C_VerifyRecover".

use crate::call::{Room, Written};
use crate::error::Result;
use crate::session::{Kind, Running};
use crate::token::policy::{SignRecover, VerifyRecover};

use super::journal::facts_of;
use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_SignRecoverInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn sign_recover_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::SignRecover, given)? else { return Ok(()) };
        self.open.session.operations().sign_recover.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.sign_recover)?;
        let (held, again) = self.key_for::<SignRecover>(row, key)?;
        let work = start(&held.object, &given.params)?;
        let hash = self.token().input_mac()?;
        let running = Running { hash, ..Running::new(facts_of(&held, row), work) };
        self.open.session.operations().sign_recover.start(again, || Ok(running))
    }

    /// C_SignRecover.
    ///
    /// # Errors
    /// The operation's.
    pub fn sign_recover(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.whole(&mut self.open.session.operations().sign_recover, data, room)
    }

    /// C_VerifyRecoverInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn verify_recover_init(
        &self,
        given: Option<GivenMechanism>,
        key: u64,
    ) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::VerifyRecover, given)? else { return Ok(()) };
        self.open.session.operations().verify_recover.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.verify_recover)?;
        let (held, _) = self.key_for::<VerifyRecover>(row, key)?;
        let work = start(&held.object, &given.params)?;
        let running = Running::new(facts_of(&held, row), work);
        self.open.session.operations().verify_recover.start(false, || Ok(running))
    }

    /// C_VerifyRecover.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_LEN_RANGE`, `CKR_SIGNATURE_INVALID`, the operation's.
    pub fn verify_recover(&self, signature: &[u8], room: Room<'_>) -> Result<Written> {
        self.whole(&mut self.open.session.operations().verify_recover, signature, room)
    }
}
