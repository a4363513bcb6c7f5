//! Signing and MACing. PKCS#11 3.2, "Signing and MACing functions".

use crate::call::{Room, Written};
use crate::error::Result;
use crate::mechanism::operation::Signing;
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
                let turned = self.turn_to_sign(running, data);
                let signed = turned.and_then(|()| running.work.sign(data, out));
                self.recorded(running, signed)
            },
        )
    }

    /// Before anything is signed by the counter of its key: moves that on.
    fn turn_to_sign(&self, running: &mut Running<dyn Signing>, data: &[u8]) -> Result<()> {
        match running.work.counts() {
            true => self.turn(running, |work, counter| work.count(counter, data)),
            false => Ok(()),
        }
    }

    /// Whether what runs makes a one-time password, which goes to the caller in a structure.
    pub(crate) fn makes_password(&self) -> bool {
        let operations = self.open.session.operations();
        let origin = operations.sign.running().and_then(|(running, _)| running.origin.as_ref());
        origin.is_some_and(|origin| origin.row.one_time)
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
                let turned = self.turn_to_sign(running, &[]);
                let signed = turned.and_then(|()| running.work.finish(out));
                self.recorded(running, signed)
            },
        )
    }
}
