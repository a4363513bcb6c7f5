//! Digests. PKCS#11 3.2, "Message digesting functions".

use crate::call::{Room, Written};
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::session::operation::Ending;
use crate::session::{DigestRun, Kind, Origin};

use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_DigestInit. No mechanism ends an active operation.
    ///
    /// # Errors
    /// The standard's.
    pub(crate) fn digest_init(&self, given: Option<GivenMechanism>) -> Result<()> {
        let Some(given) = self.given_or_cancel(Kind::Digest, given)? else { return Ok(()) };
        self.open.session.operations().digest.refuse_active()?;
        let row = self.row(&given)?;
        let start = row.column(row.digest)?;
        self.open.session.operations().digest.start(false, || {
            let work = start(&given.params)?;
            Ok(DigestRun { origin: Origin { row, params: given.params }, work })
        })
    }

    /// C_Digest.
    ///
    /// # Errors
    /// The operation's.
    pub fn digest(&self, data: &[u8], room: Room<'_>) -> Result<Written> {
        self.open.session.operations().digest.finish(
            Ending::Whole,
            room,
            |running| Ok(running.work.len()),
            |running, out| {
                running.work.update(data)?;
                running.work.finish(out)
            },
        )
    }

    /// C_DigestUpdate.
    ///
    /// # Errors
    /// The operation's.
    pub fn digest_update(&self, part: &[u8]) -> Result<()> {
        self.open.session.operations().digest.absorb(|running| running.work.update(part))
    }

    /// C_DigestKey. A key that cannot be digested leaves the operation as it was: the part was
    /// never given to it.
    ///
    /// # Errors
    /// `CKR_KEY_HANDLE_INVALID`, `CKR_KEY_INDIGESTIBLE` for anything but a secret key that may
    /// be read: the digest of a short or guessable key tells the key.
    pub fn digest_key(&self, key: u64) -> Result<()> {
        if !self.open.session.operations().digest.is_active() {
            return Err(Rv::OperationNotInitialized.because("no digest is active"));
        }
        let held = self.key(key)?;
        self.token().check_trust(&held)?;
        let indigestible = |why| Rv::KeyIndigestible.because(why);
        let attributes = &held.object.attributes;
        if attributes.is_set(attribute::SENSITIVE) || !attributes.is_set(attribute::EXTRACTABLE) {
            return Err(indigestible("the key may not be read"));
        }
        let value =
            attributes.get(attribute::VALUE).ok_or_else(|| indigestible("not a secret key"))?;
        value.expose(|bytes| self.digest_update(bytes))
    }

    /// C_DigestFinal.
    ///
    /// # Errors
    /// The operation's.
    pub fn digest_final(&self, room: Room<'_>) -> Result<Written> {
        self.open.session.operations().digest.finish(
            Ending::Parts,
            room,
            |running| Ok(running.work.len()),
            |running, out| running.work.finish(out),
        )
    }
}
