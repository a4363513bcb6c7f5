//! Encryption and decryption. PKCS#11 3.2, "Encryption functions", "Decryption functions".

use crate::call::{Room, Written};
use crate::error::Result;
use crate::mechanism::operation::Ciphering;
use crate::session::operation::{Ending, Operation};
use crate::session::{Kind, Running};
use crate::token::policy::{Decrypt, Encrypt};

use super::journal::facts_of;
use super::{Call, GivenMechanism};

pub(super) type Cipher = Operation<Running<dyn Ciphering>>;

impl Call<'_> {
    fn part(&self, operation: &mut Cipher, input: &[u8], room: Room<'_>) -> Result<Written> {
        operation.update(
            room,
            |running| running.work.update_len(input.len()),
            |running, out| {
                running.take_in(input);
                // Some of the output leaves here already.
                self.count(running)?;
                running.work.update(input, out)
            },
        )
    }

    pub(super) fn whole(
        &self,
        operation: &mut Cipher,
        input: &[u8],
        room: Room<'_>,
    ) -> Result<Written> {
        let room_len = match &room {
            Room::LengthQuery => None,
            Room::Bytes(bytes) => Some(bytes.len()),
        };
        operation.finish(
            Ending::Whole,
            room,
            |running| match (running.work.whole_len(input.len())?, room_len) {
                (most, Some(room)) if room < most => self.tried(running, input, room),
                (most, _) => Ok(most),
            },
            |running, out| {
                running.take_in(input);
                let done = running.work.whole(input, out);
                self.recorded(running, done)
            },
        )
    }

    /// The exact length, for a caller with less room than there could be output. Whether it fits
    /// tells something of what was decrypted, so that this is on record too.
    fn tried(&self, running: &Running<dyn Ciphering>, input: &[u8], room: usize) -> Result<usize> {
        let exact = running.work.exact_len(input)?;
        if exact > room && running.work.whole_len(input.len())? != exact {
            self.record_trial(running)?;
        }
        Ok(exact)
    }

    fn last(&self, operation: &mut Cipher, room: Room<'_>) -> Result<Written> {
        operation.finish(
            Ending::Parts,
            room,
            |running| running.work.finish_len(),
            |running, out| {
                let done = running.work.finish(out);
                self.recorded(running, done)
            },
        )
    }

    /// C_EncryptInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn encrypt_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Encrypt, given)? else { return Ok(()) };
        self.open.session.operations().encrypt.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.encrypt)?;
        let (held, again) = self.key_for::<Encrypt>(row, key)?;
        let work = start(&held.object, &given.params)?;
        let running = Running::new(facts_of(&held, row), work).of(row, given.params);
        self.open.session.operations().encrypt.start(again, || Ok(running))
    }

    /// C_Encrypt.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.whole(&mut self.open.session.operations().encrypt, data, room)
    }

    /// C_EncryptUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt_update(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.part(&mut self.open.session.operations().encrypt, data, room)
    }

    /// C_EncryptFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt_final(&self, room: Room<'_>) -> Result<Written> {
        self.last(&mut self.open.session.operations().encrypt, room)
    }

    /// C_DecryptInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn decrypt_init(&self, given: Option<GivenMechanism>, key: u64) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Decrypt, given)? else { return Ok(()) };
        self.open.session.operations().decrypt.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.decrypt)?;
        let (held, again) = self.key_for::<Decrypt>(row, key)?;
        let work = start(&held.object, &given.params)?;
        let running = Running::new(facts_of(&held, row), work).of(row, given.params);
        self.open.session.operations().decrypt.start(again, || Ok(running))
    }

    /// C_Decrypt.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.whole(&mut self.open.session.operations().decrypt, data, room)
    }

    /// C_DecryptUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt_update(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.part(&mut self.open.session.operations().decrypt, data, room)
    }

    /// C_DecryptFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt_final(&self, room: Room<'_>) -> Result<Written> {
        self.last(&mut self.open.session.operations().decrypt, room)
    }
}
