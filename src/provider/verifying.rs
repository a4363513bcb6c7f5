//! Verifying. PKCS#11 3.2, "Functions for verifying signatures and MACs".

use crate::error::{Result, Rv};
use crate::session::operation::Ending;
use crate::session::{Kind, Running, SignatureFirst};

use super::bundling::Started;
use super::{Call, GivenMechanism};

/// No mechanism's signatures are longer, in bytes.
const LONGEST_SIGNATURE: usize = 1 << 20;

impl Call<'_> {
    /// C_VerifyInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn verify_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Verify, given)? else { return Ok(()) };
        self.open.session.operations().refuse_verifying()?;
        let Started { work, facts, .. } = self.start_verifying(&given, key)?;
        let hash = self.token().input_mac()?;
        let running = Running { hash, ..Running::new(facts, work) };
        let running = running.of(self.row(&given)?, given.params);
        self.open.session.operations().verify.start(false, || Ok(running))
    }

    /// C_Verify.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_INVALID`, `CKR_SIGNATURE_LEN_RANGE`, the operation's.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify.judge(Ending::Whole, |running| {
            running.take_in(data);
            let judged = match running.work.counts() {
                true => self.turn(running, |it, counter| it.verify_from(counter, data, signature)),
                false => running.work.verify(data, signature),
            };
            self.recorded(running, judged)
        })
    }

    /// C_VerifyUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn verify_update(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().verify.absorb(|running| {
            running.take_in(part);
            running.work.update(part)
        })
    }

    /// C_VerifyFinal.
    ///
    /// # Errors
    /// As `verify`.
    pub fn verify_final(&self, signature: &[u8]) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify.judge(Ending::Parts, |running| {
            let judged = match running.work.counts() {
                true => self.turn(running, |it, counter| it.verify_from(counter, &[], signature)),
                false => running.work.finish(signature),
            };
            self.recorded(running, judged)
        })
    }

    /// C_VerifySignatureInit: the signature comes before the data. No mechanism ends an active
    /// operation.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_LEN_RANGE`, and then nothing is active; the standard's.
    pub(crate) fn verify_signature_init(
        &self,
        given: Option<GivenMechanism>,
        key: u64,
        signature: &[u8],
    ) -> Result<()> {
        let kind = Kind::VerifySignature;
        let Some(given) = self.given_or_cancel(kind, given)? else { return Ok(()) };
        self.open.session.operations().refuse_verifying()?;
        let Started { work: verifying, facts, .. } = self.start_verifying(&given, key)?;
        verifying.check_len(signature.len())?;
        if signature.len() > LONGEST_SIGNATURE {
            return Err(Rv::SignatureLenRange.because("longer than any signature"));
        }
        let work = Box::new(SignatureFirst { verifying, signature: signature.to_vec() });
        let hash = self.token().input_mac()?;
        let running = Running { hash, ..Running::new(facts, work) };
        self.open.session.operations().verify_signature.start(false, || Ok(running))
    }

    /// C_VerifySignature.
    ///
    /// # Errors
    /// As `verify`.
    pub fn verify_signature(&self, data: &[u8]) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify_signature.judge(Ending::Whole, |running| {
            running.take_in(data);
            let judged = match running.work.verifying.counts() {
                true => self.turn(running, |work, counter| work.verify_from(counter, data)),
                false => running.work.verifying.verify(data, &running.work.signature),
            };
            self.recorded(running, judged)
        })
    }

    /// C_VerifySignatureUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn verify_signature_update(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().verify_signature.absorb(|running| {
            running.take_in(part);
            running.work.verifying.update(part)
        })
    }

    /// C_VerifySignatureFinal.
    ///
    /// # Errors
    /// As `verify`.
    pub fn verify_signature_final(&self) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.verify_signature.judge(Ending::Parts, |running| {
            let judged = match running.work.verifying.counts() {
                true => self.turn(running, |work, counter| work.verify_from(counter, &[])),
                false => running.work.verifying.finish(&running.work.signature),
            };
            self.recorded(running, judged)
        })
    }
}
