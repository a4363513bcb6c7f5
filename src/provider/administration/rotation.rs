//! The next epoch of a token's keys, and whether the one before is gone. Both are asked for by
//! `claviger`; the standard has no function for them.

use crate::call::Function;
use crate::error::Result;
use crate::provider::Provider;

/// What a rotation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The epoch that has begun; the first one is 1.
    pub epoch: u64,
    /// Objects whose data keys are sealed with the new key.
    pub objects: u64,
    /// Objects that could not be opened before, and cannot be now.
    pub unopened: u64,
    /// False if the old key may still be in the write-ahead log.
    pub is_forgotten: bool,
}

impl Provider {
    /// Seals every data key of a token with a new key and removes the old one. The session is
    /// one of somebody who is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`; `CKR_DEVICE_ERROR` if a row was changed outside the token; the
    /// store's.
    pub fn rotate(&self, session: u64) -> Result<Rotation> {
        // The hall wants a function: this one asks for nothing but the session.
        let done = self.run(Function::GetSessionInfo, session, |call| call.token().rotate(session));
        let (rotated, is_forgotten) = done?;
        Ok(Rotation {
            epoch: rotated.epoch,
            objects: rotated.objects,
            unopened: rotated.unopened,
            is_forgotten,
        })
    }

    /// Sees to it that neither an object nor the key of an epoch before this one is in the files
    /// of the token in a slot. Gives what stands against that, in words.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, `CKR_TOKEN_NOT_RECOGNIZED`, the store's.
    pub fn what_is_left(
        &self,
        slot: u64,
        unique_id: &str,
        epoch: u64,
    ) -> Result<Option<&'static str>> {
        self.token_in(slot)?.what_is_left(unique_id, epoch)
    }
}
