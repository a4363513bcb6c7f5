//! Keys on curves in Weierstrass form in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::EngineError;
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::error::{Result, Rv};
use crate::secret::Secret;

pub(super) fn generate_ec(curve: Curve) -> Result<KeyMaterial> {
    let private = EcPrivate::generate(curve)?;
    let public = private.public()?;
    let mut signature = vec![0; curve.signature_len()];
    let written = private.sign(PROOF, &mut signature)?;
    let signature = signature.get(..written).ok_or_else(unfit)?;
    public.verify(PROOF, signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Ec { curve, scalar: private.scalar()?, point: public.point()? })
}

pub(super) struct SoftwareEc {
    pub(super) curve: Curve,
    pub(super) key: EcPrivate,
}

impl PrivateKey for SoftwareEc {
    fn kind(&self) -> KeyKind {
        KeyKind::Ec(self.curve)
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            SignPrimitive::Ecdsa(digest) => Ok(self.key.sign(digest, out)?),
            _ => Err(foreign()),
        }
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, primitive: DerivePrimitive<'_>) -> Result<Secret> {
        let DerivePrimitive::Ecdh { point } = primitive;
        self.key.derive(point).map_err(|error| match error {
            EngineError::Key(why) => Rv::PublicKeyInvalid.because(why),
            other => other.into(),
        })
    }
}
