//! Keys kept in our own memory: the custodian over the engine.
//!
//! What it keeps between calls is nothing; the store seals the material, and whoever holds an
//! opened key holds all of it. New pairs sign and verify once before they are handed out.

use std::sync::Arc;

use super::{
    Custodian, DecryptPrimitive, DerivePrimitive, KeyKind, KeyMaterial, KeySpec, PrivateKey,
    SignPrimitive,
};
use crate::engine::EngineError;
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::engine::aws_lc::rsa::{MODULUS_BITS, RsaPrivate};
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::ed25519::{Ed25519Private, Ed25519Public};
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// What a new pair signs to prove that its halves belong together: 32 bytes, as a digest is.
const PROOF: &[u8; 32] = b"claviger: pairwise consistency..";

/// The custodian of keys in software.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Software;

impl Custodian for Software {
    fn generate(&self, spec: &KeySpec) -> Result<KeyMaterial> {
        match spec {
            KeySpec::Rsa { bits, exponent } => generate_rsa(*bits, exponent),
            KeySpec::Ec(curve) => generate_ec(*curve),
            KeySpec::Ed25519 => generate_ed25519(),
        }
    }

    fn open(&self, material: &KeyMaterial) -> Result<Arc<dyn PrivateKey>> {
        Ok(match material {
            KeyMaterial::Rsa(components) => {
                Arc::new(SoftwareRsa(RsaPrivate::from_components(components)?))
            }
            KeyMaterial::Ec { curve, scalar, .. } => {
                Arc::new(SoftwareEc { curve: *curve, key: EcPrivate::from_scalar(*curve, scalar)? })
            }
            KeyMaterial::Ed25519 { seed, .. } => {
                Arc::new(SoftwareEd25519(Ed25519Private::from_seed(seed)?))
            }
        })
    }

    fn destroy(&self, _material: &KeyMaterial) -> Result<()> {
        Ok(())
    }
}

fn generate_rsa(bits: usize, exponent: &[u8]) -> Result<KeyMaterial> {
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

fn generate_ec(curve: Curve) -> Result<KeyMaterial> {
    let private = EcPrivate::generate(curve)?;
    let public = private.public()?;
    let mut signature = vec![0; curve.signature_len()];
    let written = private.sign(PROOF, &mut signature)?;
    let signature = signature.get(..written).ok_or_else(unfit)?;
    public.verify(PROOF, signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Ec { curve, scalar: private.scalar()?, point: public.point()? })
}

fn generate_ed25519() -> Result<KeyMaterial> {
    let private = Ed25519Private::generate()?;
    let public = private.public();
    let signature = private.sign(PROOF);
    Ed25519Public::from_bytes(&public)?.verify(PROOF, &signature).map_err(|_| unfit())?;
    Ok(KeyMaterial::Ed25519 { seed: private.seed()?, public })
}

fn unfit() -> Error {
    Rv::FunctionFailed.because("a new key pair failed its consistency check")
}

fn foreign() -> Error {
    Rv::KeyTypeInconsistent.because("this kind of private key has no such operation")
}

struct SoftwareRsa(RsaPrivate);

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
            DecryptPrimitive::Oaep { params, ciphertext } => {
                Ok(self.0.decrypt_oaep(&params, ciphertext, out)?)
            }
        }
    }

    fn derive(&self, _primitive: DerivePrimitive<'_>) -> Result<Secret> {
        Err(foreign())
    }
}

struct SoftwareEc {
    curve: Curve,
    key: EcPrivate,
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

struct SoftwareEd25519(Ed25519Private);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_keeps_the_contract() {
        super::super::contract(&Software);
    }

    #[test]
    fn a_bad_point_is_a_bad_public_key() {
        let material = Software.generate(&KeySpec::Ec(Curve::P256)).expect("a pair");
        let key = Software.open(&material).expect("a key");
        for point in [&[][..], &[0], &[4; 65], &[2; 33][..32]] {
            let refused = key.derive(DerivePrimitive::Ecdh { point }).expect_err("no point");
            assert_eq!(refused.rv, Rv::PublicKeyInvalid, "{} bytes", point.len());
        }
    }
}
