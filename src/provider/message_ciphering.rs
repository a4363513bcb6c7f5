//! Encryption and decryption of one message after another. PKCS#11 3.2, "Message-based encryption
//! functions", "Message-based decryption functions".
//!
//! The columns of the ciphers do the work: their output is ciphertext and tag, and here the two
//! are taken apart. What is decrypted stays here until the tag was checked.

use crate::call::{Room, Written};
use crate::error::{Error, Result, Rv};
use crate::mechanism::message::{Message, Nonces};
use crate::mechanism::operation::{Ciphering, Reply};
use crate::mechanism::params::Shape;
use crate::session::{Kind, Running, Sealed, Shared};
use crate::token::policy::{Decrypt, Encrypt};

use super::journal::facts_of;
use super::{Call, GivenMechanism};

/// A message about to be encrypted: its nonce is not used up yet.
struct Draft {
    sealed: Sealed,
    nonce: Vec<u8>,
    after: Nonces,
}

impl Shared {
    /// A message's encryption.
    fn draft(&self, message: &Message, aad: Vec<u8>) -> Result<Draft> {
        let (nonce, after) = self.nonces.next(message)?;
        let message = Message { nonce, ..message.clone() };
        let params = self.row.column(self.row.messages)?(&message, aad);
        let work = self.row.column(self.row.encrypt)?(self.key()?, &params)?;
        let sealed = self.sealed(work, message.tag_len()?);
        Ok(Draft { sealed, nonce: message.nonce, after })
    }

    fn opening(&self, message: &Message, aad: Vec<u8>) -> Result<Sealed> {
        let params = self.row.column(self.row.messages)?(message, aad);
        let work = self.row.column(self.row.decrypt)?(self.key()?, &params)?;
        Ok(self.sealed(work, message.tag_len()?))
    }

    fn sealed(&self, work: Box<dyn Ciphering>, tag_len: usize) -> Sealed {
        Sealed { running: Running::new(self.facts.clone(), work), tag_len, given: 0 }
    }
}

impl Sealed {
    /// Refuses a tag of another length than the one that the message began with.
    fn check_tag(&self, len: usize) -> Result<()> {
        if len == self.tag_len {
            Ok(())
        } else {
            Err(Rv::MechanismParamInvalid.because("the message began with another tag"))
        }
    }

    /// Takes a part.
    fn take(&mut self, part: &[u8], out: &mut [u8]) -> Result<usize> {
        self.running.take_in(part);
        let written = self.running.work.update(part, out)?;
        self.given = self.given.saturating_add(written as u64);
        Ok(written)
    }

    /// Encrypts the last part; the bytes written, and the tag.
    fn encrypt_last(&mut self, part: &[u8], out: &mut [u8]) -> Result<(usize, Vec<u8>)> {
        let written = self.take(part, out)?;
        let mut rest = vec![0; self.running.work.finish_len()?];
        let rest_len = self.running.work.finish(&mut rest)?;
        rest.truncate(rest_len);
        let tag = rest_len.checked_sub(self.tag_len).ok_or_else(no_tag)?;
        let tag = rest.split_off(tag);
        let after = out.get_mut(written..).and_then(|out| out.get_mut(..rest.len()));
        after.ok_or_else(no_tag)?.copy_from_slice(&rest);
        Ok((written + rest.len(), tag))
    }

    /// Decrypts the last part and checks the tag.
    fn decrypt_last(&mut self, part: &[u8], tag: &[u8], out: &mut [u8]) -> Result<usize> {
        self.running.take_in(part);
        self.check_tag(tag.len())?;
        let work = &mut self.running.work;
        // A cipher with a tag keeps what it has until the end: nothing is written before that.
        if work.update_len(part.len())? != 0 || work.update_len(tag.len())? != 0 {
            return Err(Rv::GeneralError.because("plaintext before its tag"));
        }
        work.update(part, &mut [])?;
        work.update(tag, &mut [])?;
        work.finish(out).map_err(|error| match error.rv {
            Rv::EncryptedDataInvalid => Rv::AeadDecryptFailed.because(error.why),
            _ => error,
        })
    }

    /// Room for what is still to come of a message, once its last `more` bytes have: without
    /// the tag, as much comes out as goes in.
    fn rest_len(&self, more: usize) -> Result<usize> {
        self.running.work.update_len(more)?;
        let kept = self.running.input.saturating_sub(self.given);
        Ok(usize::try_from(kept).unwrap_or(usize::MAX).saturating_add(more))
    }
}

fn no_tag() -> Error {
    Rv::GeneralError.because("a cipher with a tag gave none")
}

impl Call<'_> {
    /// C_MessageEncryptInit. No mechanism ends an active process.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn message_encrypt_init(
        &self,
        given: Option<GivenMechanism>,
        key: u64,
    ) -> Result<()> {
        let kind = Kind::MessageEncrypt;
        let Some(given) = self.given_or_cancel(kind, given)? else { return Ok(()) };
        self.open.session.operations().message_encrypt.refuse_active()?;
        let row = self.row(&given)?;
        row.column(row.encrypt.and(row.messages))?;
        let (held, again) = self.key_for::<Encrypt>(row, key)?;
        let shared = Shared::new(row, facts_of(&held, row), given.params);
        self.open.session.operations().message_encrypt.start(again, shared);
        Ok(())
    }

    /// C_MessageDecryptInit. No mechanism ends an active process.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn message_decrypt_init(
        &self,
        given: Option<GivenMechanism>,
        key: u64,
    ) -> Result<()> {
        let kind = Kind::MessageDecrypt;
        let Some(given) = self.given_or_cancel(kind, given)? else { return Ok(()) };
        self.open.session.operations().message_decrypt.refuse_active()?;
        let row = self.row(&given)?;
        row.column(row.decrypt.and(row.messages))?;
        let (held, again) = self.key_for::<Decrypt>(row, key)?;
        let shared = Shared::new(row, facts_of(&held, row), given.params);
        self.open.session.operations().message_decrypt.start(again, shared);
        Ok(())
    }

    /// The structure that the messages under way have as parameter.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub(crate) fn message_shape(&self, kind: Kind) -> Result<Shape> {
        Ok(self.open.session.operations().shared(kind)?.row.shape)
    }

    /// C_EncryptMessage; with what goes into the message's parameter if the room was filled.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn encrypt_message(
        &self,
        message: &Message,
        aad: Vec<u8>,
        data: &[u8],
        room: Room<'_>,
    ) -> Result<(Written, Option<Reply>)> {
        let mut reply = None;
        let written = self.open.session.operations().message_encrypt.whole(
            room,
            |shared| shared.draft(message, aad),
            |draft| draft.sealed.rest_len(data.len()),
            |shared, draft, out| {
                shared.nonces = std::mem::take(&mut draft.after);
                let done = draft.sealed.encrypt_last(data, out);
                let (len, tag) = self.recorded(&mut draft.sealed.running, done)?;
                reply = Some(Reply { nonce: std::mem::take(&mut draft.nonce), tag });
                Ok(len)
            },
        )?;
        Ok((written, reply))
    }

    /// C_EncryptMessageBegin; gives the nonce.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn encrypt_message_begin(&self, message: &Message, aad: Vec<u8>) -> Result<Vec<u8>> {
        let mut nonce = Vec::new();
        self.open.session.operations().message_encrypt.begin(|shared| {
            let draft = shared.draft(message, aad)?;
            shared.nonces = draft.after;
            nonce = draft.nonce;
            Ok(draft.sealed)
        })?;
        Ok(nonce)
    }

    /// C_EncryptMessageNext, but for the last part.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn encrypt_message_next(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        self.open.session.operations().message_encrypt.part(
            false,
            room,
            |sealed| sealed.running.work.update_len(part.len()),
            |sealed, out| {
                // Some of the ciphertext leaves here already.
                self.count(&mut sealed.running)?;
                sealed.take(part, out)
            },
        )
    }

    /// C_EncryptMessageNext with the last part; with the tag, for which there are `tag_len`
    /// bytes, if the room was filled.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn encrypt_message_last(
        &self,
        part: &[u8],
        tag_len: usize,
        room: Room<'_>,
    ) -> Result<(Written, Option<Reply>)> {
        let mut reply = None;
        let written = self.open.session.operations().message_encrypt.part(
            true,
            room,
            |sealed| {
                sealed.check_tag(tag_len)?;
                sealed.rest_len(part.len())
            },
            |sealed, out| {
                let done = sealed.encrypt_last(part, out);
                let (len, tag) = self.recorded(&mut sealed.running, done)?;
                reply = Some(Reply { nonce: Vec::new(), tag });
                Ok(len)
            },
        )?;
        Ok((written, reply))
    }

    /// C_DecryptMessage.
    ///
    /// # Errors
    /// `CKR_AEAD_DECRYPT_FAILED` if the tag does not fit, the operation's.
    pub(crate) fn decrypt_message(
        &self,
        (message, tag): (&Message, &[u8]),
        aad: Vec<u8>,
        data: &[u8],
        room: Room<'_>,
    ) -> Result<Written> {
        self.open.session.operations().message_decrypt.whole(
            room,
            |shared| shared.opening(message, aad),
            |sealed| sealed.rest_len(data.len()),
            |_, sealed, out| {
                let done = sealed.decrypt_last(data, tag, out);
                self.recorded(&mut sealed.running, done)
            },
        )
    }

    /// C_DecryptMessageBegin.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn decrypt_message_begin(&self, message: &Message, aad: Vec<u8>) -> Result<()> {
        let mut operations = self.open.session.operations();
        operations.message_decrypt.begin(|shared| shared.opening(message, aad))
    }

    /// C_DecryptMessageNext, but for the last part: it gives no plaintext yet.
    ///
    /// # Errors
    /// The operation's.
    pub(crate) fn decrypt_message_next(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        self.open.session.operations().message_decrypt.part(
            false,
            room,
            |sealed| sealed.running.work.update_len(part.len()),
            |sealed, out| sealed.take(part, out),
        )
    }

    /// C_DecryptMessageNext with the last part.
    ///
    /// # Errors
    /// As `decrypt_message`.
    pub(crate) fn decrypt_message_last(
        &self,
        part: &[u8],
        tag: &[u8],
        room: Room<'_>,
    ) -> Result<Written> {
        self.open.session.operations().message_decrypt.part(
            true,
            room,
            |sealed| sealed.rest_len(part.len()),
            |sealed, out| {
                let done = sealed.decrypt_last(part, tag, out);
                self.recorded(&mut sealed.running, done)
            },
        )
    }

    /// C_MessageEncryptFinal and its kin.
    ///
    /// # Errors
    /// None to end; `CKR_OPERATION_ACTIVE` within a message.
    pub(crate) fn message_final(&self, kind: Kind) -> Result<()> {
        self.open.session.operations().finish_messages(kind)
    }

    /// Ends a message in parts whose next part was no good.
    pub(crate) fn abandon_message(&self, kind: Kind) {
        self.open.session.operations().abandon_message(kind);
    }
}
