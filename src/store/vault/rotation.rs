//! The next epoch: a new random key over the same data keys, which stay what they are.
//!
//! With the old key goes the last way to the data keys of what was destroyed, also to those that
//! are left in copies of rows. A copy of the whole token still has all of it.

use super::{Vault, VaultError};
use crate::store::{Query, StoreError, Transaction};

/// What a rotation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rotated {
    /// The epoch that has begun.
    pub(crate) epoch: u64,
    /// Objects whose data keys are sealed with its key now.
    pub(crate) objects: u64,
    /// Objects whose data keys could not be opened before, and cannot be now.
    pub(crate) unopened: u64,
}

impl Vault {
    /// Begins the next epoch: seals every data key anew and removes the old epoch's key. All of
    /// it is real with the transaction's commit.
    ///
    /// # Errors
    /// `StoreError::Tampered` for a row that was changed outside: sealing it anew would accept
    /// it. `Replaced`, the store's, the engine's.
    pub(crate) fn rotate(&self, transaction: &mut dyn Transaction) -> Result<Rotated, VaultError> {
        let mut token = transaction.token()?;
        if token.instance != self.instance {
            return Err(VaultError::Replaced);
        }
        let epoch = token.epoch.checked_add(1).ok_or(StoreError::Full)?;
        let (epoch_key, sealed) = self.new_epoch_key(epoch)?;
        let mut rotated = Rotated { epoch, objects: 0, unopened: 0 };
        for id in transaction.find(&Query::default())? {
            let Some(object) = transaction.get(&id)? else { continue };
            if object.data_key.is_empty() {
                continue;
            }
            match self.open_data_key(transaction, &object) {
                Ok(data_key) => {
                    let data_key = self.seal_data_key(&epoch_key, &object, &data_key)?;
                    transaction.rewrap(&object, data_key, epoch)?;
                    rotated.objects = rotated.objects.saturating_add(1);
                }
                // Accepted as it is by the security officer, and of no use since.
                Err(VaultError::Tampered(_)) => {
                    rotated.unopened = rotated.unopened.saturating_add(1);
                }
                Err(other) => return Err(other),
            }
        }
        token.epoch = epoch;
        transaction.put_token(&token)?;
        transaction.put_epoch_key(epoch, &sealed)?;
        transaction.forget_epochs(epoch)?;
        Ok(rotated)
    }
}
