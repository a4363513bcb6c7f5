//! Keys on Edwards curves in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::ed25519::{Ed25519Private, Ed25519Public};
use crate::error::{Result, Rv};
use crate::secret::Secret;

pub(super) fn generate_ed25519() -> Result<KeyMaterial> {
    let private = Ed25519Private::generate()?;
    let public = private.public();
    let signature = private.sign(PROOF);
    Ed25519Public::from_bytes(&public)?.verify(PROOF, &signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Ed25519 { seed: private.seed()?, public })
}

pub(super) struct SoftwareEd25519(pub(super) Ed25519Private);

impl PrivateKey for SoftwareEd25519 {
    fn kind(&self) -> KeyKind {
        KeyKind::Ed25519
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        let signature = match primitive {
            SignPrimitive::Ed25519 { variant, message } => self.0.sign_variant(variant, message)?,
            SignPrimitive::Ed25519Prehashed { context, digest } => {
                self.0.sign_prehashed(context, digest)?
            }
            _ => return Err(foreign()),
        };
        let room = out
            .get_mut(..signature.len())
            .ok_or_else(|| Rv::GeneralError.because("no room for a signature"))?;
        room.copy_from_slice(&signature);
        Ok(signature.len())
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }
}
