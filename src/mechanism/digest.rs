//! The hash functions of `C_Digest…`, and keys that are digests of others.
//!
//! SHA-1 is here for the identifiers that standards still build on it, not for signatures.
//! PKCS#11 3.2, "Digests", "Hash-based Key Derivation".

use super::operation::Digesting;
use super::params::{MechanismParams, invalid};
use super::{Derivation, any_secret};
use crate::engine::hash::{Digest, Hasher, Truncation};
use crate::error::Result;
use crate::secret::Secret;

struct Running(Hasher);

/// Starts a digest.
pub(super) fn start(params: &MechanismParams, digest: Digest) -> Result<Box<dyn Digesting>> {
    params.none()?;
    Ok(Box::new(Running(Hasher::new(digest))))
}

/// Starts a digest by SHA-512/t.
pub(super) fn start_truncated(params: &MechanismParams) -> Result<Box<dyn Digesting>> {
    Ok(Box::new(Running(Hasher::new(truncated(params)?))))
}

/// SHA-512/t, with t in bits as the parameter. The standard has digests in bytes, so t is a
/// number of whole bytes.
pub(super) fn truncated(params: &MechanismParams) -> Result<Digest> {
    let MechanismParams::MacLength(bits) = params else {
        return Err(invalid("SHA-512/t takes its length in bits as parameter"));
    };
    let length = Truncation::of(*bits).ok_or_else(|| invalid("length of SHA-512/t"))?;
    Ok(Digest::Sha512T(length))
}

/// Derives a key by digesting the base key's value once.
pub(super) fn derive(derivation: &Derivation<'_>, digest: Digest) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    derivation.params.none()?;
    digested(derivation, base, digest)
}

/// As `derive`, by SHA-512/t.
pub(super) fn derive_truncated(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    digested(derivation, base, truncated(derivation.params)?)
}

fn digested(derivation: &Derivation<'_>, base: &Secret, digest: Digest) -> Result<Secret> {
    let mut hasher = Hasher::new(digest);
    base.expose(|base| hasher.update(base));
    let value = Secret::build(digest.len(), |room| hasher.finish(room).map(drop))?;
    value.expose(|value| derivation.front_of(value))
}

impl Digesting for Running {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.0.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.0.restore(state)
    }

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
