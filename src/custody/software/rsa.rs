//! RSA keys in software.

use super::{PROOF, foreign, unfit};
use crate::custody::{
    DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, PrivateKey, SignPrimitive,
};
use crate::engine::aws_lc::rsa::{MODULUS_BITS, RsaPrivate};
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::error::{Result, Rv};
use crate::secret::Secret;

pub(super) fn generate_rsa(bits: usize, exponent: &[u8]) -> Result<KeyMaterial> {
    if !MODULUS_BITS.contains(&bits) {
        return Err(Rv::KeySizeRange.because("RSA modulus too short or too long"));
    }
    let private = RsaPrivate::generate(bits, exponent)?;
    let components = private.components()?;
    let public = RsaPublic::new(&components.modulus, &components.public_exponent)?;
    let mut signature = vec![0; private.modulus_len()];
    let written = private.sign_pkcs1(PROOF, &mut signature)?;
    let signature = signature.get(..written).ok_or_else(unfit)?;
    public.verify_pkcs1(PROOF, signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Rsa(components))
}

pub(super) struct SoftwareRsa(pub(super) RsaPrivate);

impl PrivateKey for SoftwareRsa {
    fn kind(&self) -> KeyKind {
        KeyKind::Rsa { modulus_len: self.0.modulus_len() }
    }

    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            SignPrimitive::Pkcs1(bytes) => Ok(self.0.sign_pkcs1(bytes, out)?),
            SignPrimitive::Pss { params, digest } => Ok(self.0.sign_pss(&params, digest, out)?),
            _ => Err(foreign()),
        }
    }

    fn decrypt(&self, primitive: DecryptPrimitive<'_>, out: &mut [u8]) -> Result<usize> {
        match primitive {
            DecryptPrimitive::Pkcs1(ciphertext) => Ok(self.0.decrypt_pkcs1(ciphertext, out)?),
            DecryptPrimitive::Pkcs1OrElse(ciphertext) => {
                self.0.decrypt_pkcs1_or_else(ciphertext, out)?;
                Ok(out.len())
            }
            DecryptPrimitive::Raw(number) => Ok(self.0.raw(number, out)?),
            DecryptPrimitive::Oaep { params, ciphertext } => {
                Ok(self.0.decrypt_oaep(&params, ciphertext, out)?)
            }
        }
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }
}
