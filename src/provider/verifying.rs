//! Verifying. PKCS#11 3.2, "Functions for verifying signatures and MACs".

use crate::error::Result;
use crate::session::Kind;
use crate::session::operation::Ending;
use crate::token::policy::Verify;

use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_VerifyInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn verify_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Verify, given)? else { return Ok(()) };
        self.open.session.operations().verify.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.verify)?;
        let (held, _) = self.key_for::<Verify>(row, key)?;
        let operation = start(&held.object, &given.params)?;
        self.open.session.operations().verify.start(false, || Ok(operation))
    }

    /// C_Verify.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_INVALID`, `CKR_SIGNATURE_LEN_RANGE`, the operation's.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify.judge(Ending::Whole, |running| running.verify(data, signature))
    }

    /// C_VerifyUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn verify_update(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().verify.absorb(|running| running.update(part))
    }

    /// C_VerifyFinal.
    ///
    /// # Errors
    /// As `verify`.
    pub fn verify_final(&self, signature: &[u8]) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify.judge(Ending::Parts, |running| running.finish(signature))
    }
}
