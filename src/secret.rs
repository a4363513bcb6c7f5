//! Key material and PINs: bytes that are wiped when dropped and cannot be printed, copied or
//! compared by accident.

use std::fmt;

use crate::error::{Error, Rv};
use crate::system::arena::LockedBytes;

/// Key material or a PIN, in memory that no core dump holds. No `Clone`, no contents in `Debug`.
pub struct Secret(LockedBytes);

impl Secret {
    /// `len` bytes that `fill` writes.
    ///
    /// # Errors
    /// `CKR_HOST_MEMORY`, or what `fill` gives; what it had written is wiped.
    pub fn build<E: From<Error>>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut bytes = LockedBytes::zeroed(len)
            .ok_or_else(|| Rv::HostMemory.because("no memory for a secret"))?;
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A copy of bytes that somebody else owns.
    ///
    /// # Errors
    /// `CKR_HOST_MEMORY`.
    pub fn copy_of(bytes: &[u8]) -> Result<Self, Error> {
        Self::build(bytes.len(), |room| {
            room.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// The only way to the bytes; `tests/architecture.rs` lists who calls it.
    pub fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        reader(&self.0)
    }

    /// Length in bytes; not a secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}
