//! Keys for Diffie-Hellman over prime fields in software.

use super::{foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::EngineError;
use crate::engine::aws_lc::dh::{DhGroup, DhPrivate};
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// A new pair's public value is held against the rules for a peer's.
pub(super) fn generate_dh(group: &DhGroup, bits: Option<u32>) -> Result<KeyMaterial> {
    let private = DhPrivate::generate(group.clone(), bits)?;
    let public = private.public()?;
    group.check_public(&public).map_err(|_| unfit())?;
    Ok(KeyMaterial::Dh { group: group.clone(), exponent: private.exponent()?, public })
}

pub(super) struct SoftwareDh(pub(super) DhPrivate);

impl PrivateKey for SoftwareDh {
    fn kind(&self) -> KeyKind {
        KeyKind::Dh { prime_len: self.0.group().prime_len() }
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
