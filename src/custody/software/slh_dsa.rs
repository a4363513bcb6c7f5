//! SLH-DSA keys in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::slh_dsa::{SlhDsa, SlhDsaPrivate, SlhDsaPublic};
use crate::error::Result;
use crate::secret::Secret;

pub(super) fn generate_slh_dsa(set: SlhDsa) -> Result<KeyMaterial> {
    let private = SlhDsaPrivate::generate(set)?;
    let public = private.public_bytes();
    let mut signature = vec![0; set.signature_len()];
    let written = private.sign(&[PROOF], true, &mut signature)?;
    let signature = signature.get(..written).ok_or_else(unfit)?;
    let judged = SlhDsaPublic::from_bytes(set, &public)?.verify(&[PROOF], signature);
    judged.map_err(|_| unfit())?;
    Ok(KeyMaterial::SlhDsa { set, private: private.into_bytes(), public })
}

pub(super) struct SoftwareSlhDsa(pub(super) SlhDsaPrivate);

impl PrivateKey for SoftwareSlhDsa {
    fn kind(&self) -> KeyKind {
        KeyKind::SlhDsa(self.0.set())
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            SignPrimitive::SlhDsa { parts, deterministic } => {
                Ok(self.0.sign(parts, deterministic, out)?)
            }
            _ => Err(foreign()),
        }
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }
}
