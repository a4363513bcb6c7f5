//! What a caller keeps for the token, and must neither read nor change: saved states of operations.

use super::{Vault, VaultError};
use crate::engine::{EngineError, sealing};
use crate::secret::Secret;

impl Vault {
    /// Seals the state of operations, for whoever logs in to this token.
    pub(crate) fn seal_state(
        &self,
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        Ok(sealing::seal(&self.state, associated, plain)?)
    }

    /// Opens what `seal_state` made; anything else is `Decrypt`.
    pub(crate) fn open_state(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, EngineError> {
        sealing::open(&self.state, associated, sealed)
    }
}
