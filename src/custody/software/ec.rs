//! Keys on curves in Weierstrass form in software.

use super::foreign;
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::EngineError;
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// The pair of a new key. That the point is the scalar's is for `object::class::check_halves` to
/// see, when the private half has had its own point computed.
pub(super) fn generate_ec(private: &EcPrivate) -> Result<KeyMaterial> {
    let (scalar, point) = (private.scalar()?, private.public_point()?);
    Ok(KeyMaterial::Ec { curve: private.curve(), scalar, point })
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
