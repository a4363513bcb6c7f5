//! Why a vault stays closed, and what a caller is told.

use crate::engine::EngineError;
use crate::error::{Error, Rv};
use crate::store::StoreError;

/// Why a vault stayed closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum VaultError {
    /// The PIN is wrong; or the record was changed, which nobody can tell apart.
    WrongPin,
    /// The record asks for a pepper, and none is configured.
    NoPepper,
    /// What was sealed is not what was found.
    Tampered(&'static str),
    /// The token was initialised anew since this vault was opened.
    Replaced,
    Store(StoreError),
    Engine(EngineError),
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EngineError> for VaultError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::WrongPin => Rv::PinIncorrect.because("the PIN does not open the token"),
            VaultError::NoPepper => {
                Rv::DeviceError.because("this PIN was set with a pepper, and none is configured")
            }
            VaultError::Tampered(why) => Rv::DeviceError.because(why),
            VaultError::Replaced => {
                Rv::DeviceRemoved.because("the token was initialised anew by another process")
            }
            VaultError::Store(error) => error.into(),
            VaultError::Engine(EngineError::Memory) => Rv::HostMemory.because("no memory"),
            VaultError::Engine(error) => {
                Rv::DeviceError.because(format!("sealing or opening failed: {error:?}"))
            }
        }
    }
}

pub(super) fn not_opened(error: EngineError, why: &'static str) -> VaultError {
    match error {
        EngineError::Decrypt => VaultError::Tampered(why),
        other => VaultError::Engine(other),
    }
}
