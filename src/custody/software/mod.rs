//! Keys kept in our own memory: the custodian over the engine.
//!
//! What it keeps between calls is nothing; the store seals the material, and whoever holds an
//! opened key holds all of it. New pairs sign and verify once before they are handed out; of those
//! on curves in Weierstrass form `object::class::check_halves` compares the points.

mod dh;
mod dsa;
mod ec;
mod edwards;
mod lattice;
mod montgomery;
mod rsa;
mod slh_dsa;

use std::sync::Arc;

use super::{Custodian, KeyMaterial, KeySpec, PrivateKey};
use crate::engine::aws_lc::dh::DhPrivate;
use crate::engine::aws_lc::dsa::DsaPrivate;
use crate::engine::aws_lc::ec::EcPrivate;
use crate::engine::aws_lc::rsa::RsaPrivate;
use crate::engine::edwards::EdwardsPrivate;
use crate::engine::montgomery::MontgomeryPrivate;
use crate::engine::slh_dsa::SlhDsaPrivate;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

use dh::{SoftwareDh, generate_dh};
use dsa::{SoftwareDsa, generate_dsa};
use ec::{SoftwareEc, generate_ec};
use edwards::{SoftwareEdwards, generate_edwards};
use lattice::{SoftwareMlDsa, SoftwareMlKem, generate_ml_dsa, generate_ml_kem};
use montgomery::{SoftwareMontgomery, generate_montgomery};
use rsa::{SoftwareRsa, generate_rsa};
use slh_dsa::{SoftwareSlhDsa, generate_slh_dsa};

/// What a new pair signs to prove that its halves belong together: 32 bytes, as a digest is.
const PROOF: &[u8; 32] = b"claviger: pairwise consistency..";

/// The custodian of keys in software.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Software;

impl Custodian for Software {
    fn generate(&self, spec: &KeySpec) -> Result<KeyMaterial> {
        match spec {
            KeySpec::Rsa { bits, exponent } => generate_rsa(*bits, exponent),
            KeySpec::Ec(curve) => generate_ec(&EcPrivate::generate(*curve)?),
            KeySpec::EcWithExtraBits(curve) => {
                generate_ec(&EcPrivate::generate_with_extra_bits(*curve)?)
            }
            KeySpec::Edwards(curve) => generate_edwards(*curve),
            KeySpec::Montgomery(curve) => generate_montgomery(*curve),
            KeySpec::MlDsa(set) => generate_ml_dsa(*set),
            KeySpec::MlKem(set) => generate_ml_kem(*set),
            KeySpec::SlhDsa(set) => generate_slh_dsa(*set),
            KeySpec::Dsa(group) => generate_dsa(group),
            KeySpec::Dh { group, bits } => generate_dh(group, *bits),
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
            KeyMaterial::Edwards { curve, seed, .. } => {
                Arc::new(SoftwareEdwards(EdwardsPrivate::from_seed(*curve, seed)?))
            }
            KeyMaterial::Dsa { group, value, .. } => {
                Arc::new(SoftwareDsa(DsaPrivate::from_value(group.clone(), value)?))
            }
            KeyMaterial::Dh { group, exponent, .. } => {
                Arc::new(SoftwareDh(DhPrivate::from_exponent(group.clone(), exponent)?))
            }
            KeyMaterial::Montgomery { curve, scalar, .. } => {
                let scalar = scalar.expose(Secret::copy_of)?;
                Arc::new(SoftwareMontgomery(MontgomeryPrivate::from_scalar(*curve, scalar)?))
            }
            KeyMaterial::MlDsa { set, private, .. } => {
                Arc::new(SoftwareMlDsa::open(*set, private)?)
            }
            KeyMaterial::MlKem { set, private, .. } => {
                Arc::new(SoftwareMlKem::open(*set, private)?)
            }
            KeyMaterial::SlhDsa { set, private, .. } => {
                let private = private.expose(Secret::copy_of)?;
                Arc::new(SoftwareSlhDsa(SlhDsaPrivate::from_bytes(*set, private)?))
            }
        })
    }

    fn destroy(&self, _material: &KeyMaterial) -> Result<()> {
        Ok(())
    }
}

fn unfit() -> Error {
    Rv::FunctionFailed.because("a new key pair failed its consistency check")
}

fn foreign() -> Error {
    Rv::KeyTypeInconsistent.because("this kind of private key has no such operation")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::DerivePrimitive;
    use crate::engine::aws_lc::ec::Curve;

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
