//! ML-DSA and ML-KEM keys in software.
//!
//! A new key is made from a seed of the kernel's randomness, and the seed is what is kept.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, Lattice, PrivateKey, SignPrimitive,
};
use crate::engine::aws_lc::ml_dsa::{self, MlDsa, MlDsaPrivate, MlDsaPublic};
use crate::engine::hash::constant_time_eq;
use crate::engine::ml_kem::{self, MlKem, MlKemPrivate, MlKemPublic};
use crate::engine::{self, EngineError, random};
use crate::error::{Result, Rv};
use crate::secret::Secret;

pub(super) fn generate_ml_dsa(set: MlDsa) -> Result<KeyMaterial> {
    let seed = random::secret(ml_dsa::SEED_LEN)?;
    let private = MlDsaPrivate::from_seed(set, &seed)?;
    let public = private.public_bytes()?;
    let mut signature = vec![0; set.signature_len()];
    let written = private.sign(b"", PROOF, &mut signature)?;
    let signature = signature.get(..written).ok_or_else(unfit)?;
    let judged = MlDsaPublic::from_bytes(set, &public)?.verify(b"", PROOF, signature);
    judged.map_err(|_| unfit())?;
    Ok(KeyMaterial::MlDsa { set, private: Lattice::Seed(seed), public })
}

pub(super) struct SoftwareMlDsa(MlDsaPrivate);

impl SoftwareMlDsa {
    pub(super) fn open(set: MlDsa, private: &Lattice) -> Result<Self> {
        Ok(Self(match private {
            Lattice::Seed(seed) => MlDsaPrivate::from_seed(set, seed)?,
            Lattice::Expanded(expanded) => MlDsaPrivate::from_expanded(set, expanded)?,
        }))
    }
}

impl PrivateKey for SoftwareMlDsa {
    fn kind(&self) -> KeyKind {
        KeyKind::MlDsa { set: self.0.set(), public: *self.0.public_hash() }
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        let (mu, deterministic) = match primitive {
            SignPrimitive::MlDsa { context, message, deterministic } => {
                let mut mu = self.0.public_hash().message(context)?;
                mu.update(message)?;
                (mu.finish()?, deterministic)
            }
            SignPrimitive::MlDsaMu { mu, deterministic } => (*mu, deterministic),
            _ => return Err(foreign()),
        };
        Ok(match deterministic {
            true => engine::ml_dsa::sign_deterministic(&self.0, &mu, out)?,
            false => self.0.sign_mu(&mu, out)?,
        })
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }
}

pub(super) fn generate_ml_kem(set: MlKem) -> Result<KeyMaterial> {
    let seed = random::secret(ml_kem::SEED_LEN)?;
    let private = MlKemPrivate::from_seed(set, &seed)?;
    let public = private.public_bytes()?;
    let mut ciphertext = vec![0; set.ciphertext_len()];
    let made = MlKemPublic::from_bytes(set, &public)?.encapsulate(&mut ciphertext)?;
    let found = private.decapsulate(&ciphertext)?;
    if !made.expose(|made| found.expose(|found| constant_time_eq(made, found))) {
        return Err(unfit());
    }
    Ok(KeyMaterial::MlKem { set, private: Lattice::Seed(seed), public })
}

pub(super) struct SoftwareMlKem(MlKemPrivate);

impl SoftwareMlKem {
    pub(super) fn open(set: MlKem, private: &Lattice) -> Result<Self> {
        Ok(Self(match private {
            Lattice::Seed(seed) => MlKemPrivate::from_seed(set, seed)?,
            Lattice::Expanded(expanded) => MlKemPrivate::from_expanded(set, expanded)?,
        }))
    }
}

impl PrivateKey for SoftwareMlKem {
    fn kind(&self) -> KeyKind {
        KeyKind::MlKem(self.0.set())
    }

    fn sign(&self, _primitive: SignPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }

    fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret> {
        self.0.decapsulate(ciphertext).map_err(|error| match error {
            EngineError::Length => {
                Rv::WrappedKeyLenRange.because("an ML-KEM ciphertext of another length")
            }
            other => other.into(),
        })
    }
}
