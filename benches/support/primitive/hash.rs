//! Hash functions of the RustCrypto crates, and HMAC over them.

use crate::support::module::Outcome;
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// The digest of these bytes; nobody reads it.
pub(crate) fn digest<D: Digest>(data: &[u8]) -> Outcome<()> {
    black_box(D::digest(data));
    Ok(())
}

/// HMAC-SHA-256 whose padded key is in both hashes already (FIPS 198-1).
pub(crate) struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    pub(crate) fn new() -> Self {
        let padded = |mask: u8| Sha256::new_with_prefix([0x6b ^ mask; 64]);
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub(crate) fn code(&self, data: &[u8]) -> Outcome<()> {
        let inner = self.inner.clone().chain_update(data).finalize();
        black_box(self.outer.clone().chain_update(inner).finalize());
        Ok(())
    }
}
