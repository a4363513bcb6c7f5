//! The next epoch of a token's keys, by whoever is logged in: the user and the security officer
//! open the same keys.

use crate::audit::erasure::ROTATION;
use crate::error::Result;
use crate::store::vault::Rotated;
use crate::store::{Mode, ObjectId};

use super::Token;
use super::note::Note;

impl Token {
    /// Seals every data key with a new key and removes the old one, in one commit. False beside
    /// it if what was removed may still be in the write-ahead log, because another process reads.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`; those of a token that cannot be trusted; the store's.
    pub(crate) fn rotate(&self, session: u64) -> Result<(Rotated, bool)> {
        let vault = self.require_login()?;
        let note = Note::of_command(ROTATION, session);
        let mut change = self.begin_change(&note, Some(&vault))?;
        let rotated = vault.rotate(change.transaction.as_mut())?;
        self.commit_change(change)?;
        // The rotation is real by now, whatever comes of this.
        let is_forgotten = self.store()?.forget_replaced().unwrap_or(false);
        Ok((rotated, is_forgotten))
    }

    /// What may still be in the token's files of an object and of the epochs before this one.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn what_is_left(&self, unique_id: &str, epoch: u64) -> Result<Option<&'static str>> {
        let transaction = self.store()?.begin(Mode::Read)?;
        if let Some(id) = ObjectId::named(unique_id)
            && transaction.get(&id)?.is_some()
        {
            return Ok(Some("there is an object of this name on the token"));
        }
        if transaction.token()?.epoch < epoch {
            return Ok(Some("the token is in an earlier epoch"));
        }
        for before in 1..epoch {
            if transaction.epoch_key(before)?.is_some() {
                return Ok(Some("the key of an earlier epoch is still there"));
            }
        }
        drop(transaction);
        match self.store()?.forget_replaced()? {
            true => Ok(None),
            false => Ok(Some("another process reads, and keeps the write-ahead log from ending")),
        }
    }
}
