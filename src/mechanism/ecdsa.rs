//! ECDSA on the NIST curves, over a digest that the caller made or with hashing.
//!
//! Signatures are r and s at field length each; shorter even lengths are accepted when checking.
//! PKCS#11 3.2, "EC Signatures", "ECDSA without hashing", "ECDSA with hashing".

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::MechanismParams;
use super::{Finished, Key, ec, private_key};
use crate::custody::{PrivateKey, SignPrimitive};
use crate::engine::aws_lc::ec::EcPublic;
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// The standard lets a "digest" be of any length and uses its first bits. No hash function gives
/// more than this, so that more is a message signed by mistake.
const LONGEST_DIGEST: usize = 1024;

/// Starts a signature; without `digest`, over a digest of the caller.
pub(super) fn sign(
    key: &Key,
    params: &MechanismParams,
    digest: Option<Digest>,
) -> Result<Box<dyn Signing>> {
    let key = private_key(key, KeyType::Ec)?;
    params.none()?;
    Ok(match digest {
        None => Box::new(Signature { key }),
        Some(digest) => Box::new(HashedSignature { key, hasher: Hasher::new(digest) }),
    })
}

/// Starts a verification; without `digest`, over a digest of the caller.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    digest: Option<Digest>,
) -> Result<Box<dyn Verifying>> {
    ec::public_key(key)?;
    params.none()?;
    let key = Arc::clone(key);
    Ok(match digest {
        None => Box::new(Verification { key }),
        Some(digest) => Box::new(HashedVerification { key, hasher: Hasher::new(digest) }),
    })
}

/// An empty digest counts as zero, for which anyone can make signatures.
fn check_digest(digest: &[u8]) -> Result<()> {
    if (1..=LONGEST_DIGEST).contains(&digest.len()) {
        Ok(())
    } else {
        Err(Rv::DataLenRange.because("length of a digest"))
    }
}

fn check_len(key: &EcPublic, signature: usize) -> Result<()> {
    if signature == 0 || signature > key.curve().signature_len() || signature % 2 == 1 {
        return Err(Rv::SignatureLenRange.because("length of an ECDSA signature"));
    }
    Ok(())
}

fn check_signature(key: &EcPublic, digest: &[u8], signature: &[u8]) -> Result<()> {
    check_len(key, signature.len())?;
    key.verify(digest, signature).map_err(|_| Rv::SignatureInvalid.because("wrong signature"))
}

struct Signature {
    key: Arc<dyn PrivateKey>,
}

impl Signing for Signature {
    fn len(&self) -> usize {
        self.key.kind().signature_len()
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        check_digest(data)?;
        self.key.sign(SignPrimitive::Ecdsa(data), out)
    }
}

struct HashedSignature {
    key: Arc<dyn PrivateKey>,
    hasher: Hasher,
}

impl Signing for HashedSignature {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.restore(state)
    }

    fn len(&self) -> usize {
        self.key.kind().signature_len()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let digest = Finished::of(&mut self.hasher)?;
        self.key.sign(SignPrimitive::Ecdsa(digest.bytes()), out)
    }
}

struct Verification {
    key: Key,
}

impl Verifying for Verification {
    fn check_len(&self, signature: usize) -> Result<()> {
        check_len(ec::public_key(&self.key)?, signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        check_digest(data)?;
        check_signature(ec::public_key(&self.key)?, data, signature)
    }
}

struct HashedVerification {
    key: Key,
    hasher: Hasher,
}

impl Verifying for HashedVerification {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.restore(state)
    }

    fn check_len(&self, signature: usize) -> Result<()> {
        check_len(ec::public_key(&self.key)?, signature)
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.update(part);
        Ok(())
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        let digest = Finished::of(&mut self.hasher)?;
        check_signature(ec::public_key(&self.key)?, digest.bytes(), signature)
    }
}
