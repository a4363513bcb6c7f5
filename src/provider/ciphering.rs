//! Encryption and decryption. PKCS#11 3.2, "Encryption functions", "Decryption functions".

use crate::call::{Room, Written};
use crate::error::Result;
use crate::mechanism::operation::Ciphering;
use crate::session::Kind;
use crate::session::operation::{Ending, Operation};
use crate::token::policy::{Decrypt, Encrypt};

use super::{Call, GivenMechanism};

type Running = Operation<Box<dyn Ciphering>>;

fn whole(operation: &mut Running, input: &[u8], room: Room<'_>) -> Result<Written> {
    operation.finish(
        Ending::Whole,
        room,
        |running| running.whole_len(input.len()),
        |running, out| running.whole(input, out),
    )
}

fn part(operation: &mut Running, input: &[u8], room: Room<'_>) -> Result<Written> {
    operation.update(
        room,
        |running| running.update_len(input.len()),
        |running, out| running.update(input, out),
    )
}

fn last(operation: &mut Running, room: Room<'_>) -> Result<Written> {
    operation.finish(
        Ending::Parts,
        room,
        |running| running.finish_len(),
        |running, out| running.finish(out),
    )
}

impl Call<'_> {
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
        let operation = start(&held.object, &given.params)?;
        self.open.session.operations().encrypt.start(again, || Ok(operation))
    }

    /// C_Encrypt.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        whole(&mut self.open.session.operations().encrypt, data, room)
    }

    /// C_EncryptUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt_update(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        part(&mut self.open.session.operations().encrypt, data, room)
    }

    /// C_EncryptFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn encrypt_final(&self, room: Room<'_>) -> Result<Written> {
        last(&mut self.open.session.operations().encrypt, room)
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
        let operation = start(&held.object, &given.params)?;
        self.open.session.operations().decrypt.start(again, || Ok(operation))
    }

    /// C_Decrypt.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        whole(&mut self.open.session.operations().decrypt, data, room)
    }

    /// C_DecryptUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt_update(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        part(&mut self.open.session.operations().decrypt, data, room)
    }

    /// C_DecryptFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn decrypt_final(&self, room: Room<'_>) -> Result<Written> {
        last(&mut self.open.session.operations().decrypt, room)
    }
}
