//! Signatures and MACs of one message after another, and their verification. PKCS#11 3.2,
//! "Message-based signing and MACing functions", "Message-based functions for verifying signatures
//! and MACs".
//!
//! A message without a parameter of its own has the one that C_Message…Init was given.

use crate::call::{Room, Written};
use crate::error::Result;
use crate::mechanism::operation::{Signing, Verifying};
use crate::mechanism::params::MechanismParams;
use crate::session::{Kind, Running, Shared};
use crate::token::policy::{Sign, Verify};

use super::journal::facts_of;
use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_MessageSignInit. No mechanism ends an active process.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn message_sign_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::MessageSign, given)? else { return Ok(()) };
        self.open.session.operations().message_sign.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.message_sign())?;
        let (held, again) = self.key_for::<Sign>(row, key)?;
        // Whether key and parameter fit is told now, not at the first message.
        drop(start(&held.object, &given.params)?);
        let shared = Shared::new(row, facts_of(&held, row), given.params);
        self.open.session.operations().message_sign.start(again, shared);
        Ok(())
    }

    /// C_MessageVerifyInit. No mechanism ends an active process.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn message_verify_init(
        &self,
        given: Option<GivenMechanism>,
        key: u64,
    ) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::MessageVerify, given)? else { return Ok(()) };
        self.open.session.operations().message_verify.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.message_verify())?;
        let (held, _) = self.key_for::<Verify>(row, key)?;
        drop(start(&held.object, &given.params)?);
        let shared = Shared::new(row, facts_of(&held, row), given.params);
        self.open.session.operations().message_verify.start(false, shared);
        Ok(())
    }

    /// Policy holds for the parameter of one message as for that of all.
    fn check_own(&self, own: Option<&MechanismParams>) -> Result<()> {
        own.map_or(Ok(()), |params| self.open.offers.check_params(params))
    }

    fn signing(
        &self,
        shared: &Shared,
        own: Option<&MechanismParams>,
    ) -> Result<Running<dyn Signing>> {
        let start = shared.row.column(shared.row.message_sign())?;
        self.check_own(own)?;
        let work = start(shared.key()?, own.unwrap_or(&shared.params))?;
        let hash = self.token().input_mac()?;
        Ok(Running { hash, ..Running::new(shared.facts.clone(), work) })
    }

    fn verifying(
        &self,
        shared: &Shared,
        own: Option<&MechanismParams>,
    ) -> Result<Running<dyn Verifying>> {
        let start = shared.row.column(shared.row.message_verify())?;
        self.check_own(own)?;
        let work = start(shared.key()?, own.unwrap_or(&shared.params))?;
        let hash = self.token().input_mac()?;
        Ok(Running { hash, ..Running::new(shared.facts.clone(), work) })
    }

    /// C_SignMessage.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn sign_message(
        &self,
        own: Option<&MechanismParams>,
        data: &[u8],
        room: Room<'_>,
    ) -> Result<Written> {
        self.open.session.operations().message_sign.whole(
            room,
            |shared| self.signing(shared, own),
            |running| Ok(running.work.len()),
            |_, running, out| {
                running.take_in(data);
                let signed = running.work.sign(data, out);
                self.recorded(running, signed)
            },
        )
    }

    /// C_SignMessageBegin.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn sign_message_begin(&self, own: Option<&MechanismParams>) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.message_sign.begin(|shared| self.signing(shared, own))
    }

    /// C_SignMessageNext with a part that is not the last.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn sign_message_next(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().message_sign.absorb(false, |running| {
            running.take_in(part);
            running.work.update(part)
        })
    }

    /// C_SignMessageNext with the last part.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn sign_message_last(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        self.open.session.operations().message_sign.part(
            true,
            room,
            |running| Ok(running.work.len()),
            |running, out| {
                running.take_in(part);
                let signed = running.work.update(part).and_then(|()| running.work.finish(out));
                self.recorded(running, signed)
            },
        )
    }

    /// C_VerifyMessage.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_INVALID`, `CKR_SIGNATURE_LEN_RANGE`, the operation's.
    pub(crate) fn verify_message(
        &self,
        own: Option<&MechanismParams>,
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        self.open.session.operations().message_verify.judge_whole(|shared| {
            let mut running = self.verifying(shared, own)?;
            running.take_in(data);
            let judged = running.work.verify(data, signature);
            self.recorded(&mut running, judged)
        })
    }

    /// C_VerifyMessageBegin.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn verify_message_begin(&self, own: Option<&MechanismParams>) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.message_verify.begin(|shared| self.verifying(shared, own))
    }

    /// C_VerifyMessageNext; the last part comes with the signature.
    ///
    /// # Errors
    /// As `verify_message`.
    pub(crate) fn verify_message_next(&self, part: &[u8], signature: Option<&[u8]>) -> Result<()> {
        let last = signature.is_some();
        self.open.session.operations().message_verify.absorb(last, |running| {
            running.take_in(part);
            let taken = running.work.update(part);
            let Some(signature) = signature else { return taken };
            let judged = taken.and_then(|()| running.work.finish(signature));
            self.recorded(running, judged)
        })
    }
}
