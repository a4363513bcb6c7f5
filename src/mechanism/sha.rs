//! The SHA-1 and SHA-2 digests of `C_Digest…`.
//!
//! SHA-1 is here for the identifiers that standards still build on it, not for signatures.
//! PKCS#11 3.2, "Digests".

use super::operation::Digesting;
use super::params::MechanismParams;
use crate::engine::hash::{Digest, Hasher};
use crate::error::Result;

struct ShaDigest(Hasher);

/// Starts a digest.
pub(super) fn start(params: &MechanismParams, digest: Digest) -> Result<Box<dyn Digesting>> {
    params.none()?;
    Ok(Box::new(ShaDigest(Hasher::new(digest))))
}

impl Digesting for ShaDigest {
    fn len(&self) -> usize {
        self.0.digest().len()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.0.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        Ok(self.0.finish(out)?)
    }
}
