//! Keys for X25519 and X448 in software.

use super::{foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::EngineError;
use crate::engine::hash::constant_time_eq;
use crate::engine::montgomery::{Montgomery, MontgomeryPrivate};
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// A new pair agrees with another one from both sides, which it can do only if its halves belong
/// together.
pub(super) fn generate_montgomery(curve: Montgomery) -> Result<KeyMaterial> {
    let private = MontgomeryPrivate::generate(curve)?;
    let public = private.public()?;
    let peer = MontgomeryPrivate::generate(curve)?;
    let ours = private.derive(&peer.public()?)?;
    let theirs = peer.derive(&public)?;
    if !ours.expose(|ours| theirs.expose(|theirs| constant_time_eq(ours, theirs))) {
        return Err(unfit());
    }
    Ok(KeyMaterial::Montgomery { curve, scalar: private.scalar()?, public })
}

pub(super) struct SoftwareMontgomery(pub(super) MontgomeryPrivate);

impl PrivateKey for SoftwareMontgomery {
    fn kind(&self) -> KeyKind {
        KeyKind::Montgomery(self.0.curve())
    }

    fn sign(&self, _primitive: SignPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn decrypt(&self, _primitive: DecryptPrimitive<'_>, _out: &mut [u8]) -> Result<usize> {
        Err(foreign())
    }

    fn derive(&self, primitive: DerivePrimitive<'_>) -> Result<Secret> {
        let DerivePrimitive::Ecdh { point } = primitive;
        self.0.derive(point).map_err(|error| match error {
            EngineError::Key(why) => Rv::PublicKeyInvalid.because(why),
            other => other.into(),
        })
    }
}
