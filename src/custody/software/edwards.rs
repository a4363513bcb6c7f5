//! Keys for EdDSA in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::ed25519::Variant;
use crate::engine::edwards::{Edwards, EdwardsPrivate, EdwardsPublic};
use crate::error::Result;
use crate::secret::Secret;

pub(super) fn generate_edwards(curve: Edwards) -> Result<KeyMaterial> {
    let private = EdwardsPrivate::generate(curve)?;
    let public = private.public();
    let mut signature = vec![0; curve.signature_len()];
    private.sign(Variant::Pure, PROOF, &mut signature)?;
    let half = EdwardsPublic::from_bytes(curve, &public)?;
    half.verify(Variant::Pure, PROOF, &signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Edwards { curve, seed: private.seed()?, public })
}

pub(super) struct SoftwareEdwards(pub(super) EdwardsPrivate);

impl PrivateKey for SoftwareEdwards {
    fn kind(&self) -> KeyKind {
        KeyKind::Edwards(self.0.curve())
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            SignPrimitive::Eddsa { variant, message } => Ok(self.0.sign(variant, message, out)?),
            SignPrimitive::EddsaPrehashed { context, digest } => {
                Ok(self.0.sign_prehashed(context, digest, out)?)
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
