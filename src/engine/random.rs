//! Randomness from the kernel, for keys, nonces, salts, paddings and identifiers.
//!
//! The state is the kernel's alone, so that neither a fork nor a snapshot of this process can
//! repeat a value.

use super::EngineError;
use crate::secret::Secret;
use crate::system;

/// Fills `out` with random bytes.
pub(crate) fn fill(out: &mut [u8]) -> Result<(), EngineError> {
    system::random_bytes(out).map_err(|_| EngineError::Failed("the kernel gives no randomness"))
}

/// A secret of `len` random bytes.
pub(crate) fn secret(len: usize) -> Result<Secret, EngineError> {
    Secret::build(len, fill)
}

/// An array of random bytes.
pub(crate) fn array<const N: usize>() -> Result<[u8; N], EngineError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}
