//! Signing and MACing. PKCS#11 3.2, "Signing and MACing functions".

use crate::call::{Room, Written};
use crate::error::Result;
use crate::session::operation::Ending;
use crate::session::{Kind, Running};

use super::bundling::Started;
use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_SignInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn sign_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Sign, given)? else { return Ok(()) };
        self.open.session.operations().sign.refuse_active()?;
        let Started { work, facts, again } = self.start_signing(&given, key)?;
        let hash = self.token().input_mac()?;
        let running = Running { hash, ..Running::new(facts, work) };
        let running = running.of(self.row(&given)?, given.params);
        self.open.session.operations().sign.start(again, || Ok(running))
    }

    /// C_Sign.
    ///
    /// # Errors
    /// The operation's.
    pub fn sign(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.open.session.operations().sign.finish(
            Ending::Whole,
            room,
            |running| Ok(running.work.len()),
            |running, out| {
                running.take_in(data);
                let signed = running.work.sign(data, out);
                self.recorded(running, signed)
            },
        )
    }

    /// C_SignUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn sign_update(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().sign.absorb(|running| {
            running.take_in(part);
            running.work.update(part)
        })
    }

    /// C_SignFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn sign_final(&self, room: Room<'_>) -> Result<Written> {
        self.open.session.operations().sign.finish(
            Ending::Parts,
            room,
            |running| Ok(running.work.len()),
            |running, out| {
                let signed = running.work.finish(out);
                self.recorded(running, signed)
            },
        )
    }
}
