//! DSA keys in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::aws_lc::dsa::{DsaGroup, DsaPrivate, DsaPublic};
use crate::error::Result;
use crate::secret::Secret;

pub(super) fn generate_dsa(group: &DsaGroup) -> Result<KeyMaterial> {
    let private = DsaPrivate::generate(group.clone())?;
    let public = private.public()?;
    let mut signature = vec![0; 2 * group.half_len()];
    private.sign(PROOF, &mut signature)?;
    DsaPublic::new(group, &public)?.verify(PROOF, &signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Dsa { group: group.clone(), value: private.value()?, public })
}

pub(super) struct SoftwareDsa(pub(super) DsaPrivate);

impl PrivateKey for SoftwareDsa {
    fn kind(&self) -> KeyKind {
        KeyKind::Dsa { half_len: self.0.group().half_len() }
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            SignPrimitive::Dsa(digest) => Ok(self.0.sign(digest, out)?),
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
