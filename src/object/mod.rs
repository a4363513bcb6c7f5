//! What is stored: attributes, templates, the rules of classes, and the keys made of them.
//!
//! An `Object` is what a mechanism calls a key. Where it is kept (`store`, session) and who may
//! use it (`token`) is others' business. PKCS#11 3.2, "Objects".

pub(crate) mod algorithm;
pub(crate) mod attribute;
pub(crate) mod bundle;
pub(crate) mod certificate;
pub(crate) mod class;
pub(crate) mod codec;
pub(crate) mod composite;
pub(crate) mod computed;
pub(crate) mod curve;
mod der;
pub(crate) mod material;
pub(crate) mod pkcs8;
pub(crate) mod public_half;
pub(crate) mod size;
pub(crate) mod spki;
pub(crate) mod template;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::custody::software::Software;
use crate::custody::{Custodian, PrivateKey};
#[cfg(feature = "legacy")]
use crate::engine::aws_lc::dsa::DsaPublic;
use crate::engine::aws_lc::ec::EcPublic;
use crate::engine::aws_lc::ml_dsa::MlDsaPublic;
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::edwards::EdwardsPublic;
use crate::engine::ml_kem::MlKemPublic;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsaPublic;
use crate::error::{Error, Result, Rv};
use attribute::Attr;
use class::sets::ParameterSet;
use class::{Class, KeyType, Species};
use composite::halves::{CompositePrivate, CompositePublic};
use curve::CurveName;
use template::Template;

/// A key of a pair, parsed and ready for use.
#[allow(clippy::large_enum_variant, reason = "one an object, and never moved")]
pub(crate) enum Prepared {
    /// A private key, with its custodian.
    Private(Arc<dyn PrivateKey>),
    /// An RSA public key.
    Rsa(RsaPublic),
    /// A public key on a curve in Weierstrass form.
    Ec(EcPublic),
    /// A public key for DSA.
    #[cfg(feature = "legacy")]
    Dsa(DsaPublic),
    /// A public key for EdDSA.
    Edwards(EdwardsPublic),
    /// A public key for X25519 or X448, of which nothing is to be parsed.
    Montgomery(Montgomery, Vec<u8>),
    /// An ML-DSA public key.
    MlDsa(MlDsaPublic),
    /// An ML-KEM encapsulation key.
    MlKem(MlKemPublic),
    /// An SLH-DSA public key.
    SlhDsa(SlhDsaPublic),
    /// The public half of a composite pair.
    CompositePublic(Box<CompositePublic>),
    /// The private half of one: two keys, with a custodian each.
    CompositePrivate(Box<CompositePrivate>),
}

/// A whole object. Secret keys are used through their attributes, keys of a pair through
/// `prepared`.
pub(crate) struct Object {
    pub(crate) attributes: Template,
    custodian: Arc<dyn Custodian>,
    prepared: OnceLock<Prepared>,
    public: OnceLock<Arc<Self>>,
}

impl Object {
    /// An object whose key, if it is one, is kept in software.
    pub(crate) fn new(attributes: Template) -> Self {
        Self::kept_by(Arc::new(Software), attributes)
    }

    /// An object whose key is kept by this custodian.
    pub(crate) fn kept_by(custodian: Arc<dyn Custodian>, attributes: Template) -> Self {
        Self { attributes, custodian, prepared: OnceLock::new(), public: OnceLock::new() }
    }

    /// The key, parsed at its first use and then kept as long as the object.
    ///
    /// # Errors
    /// `CKR_KEY_TYPE_INCONSISTENT` if the object is not half of a pair, `CKR_KEY_SIZE_RANGE`
    /// if it is one that can be stored but not used.
    pub(crate) fn prepared(&self) -> Result<&Prepared> {
        if let Some(prepared) = self.prepared.get() {
            return Ok(prepared);
        }
        let prepared = self.prepare().map_err(unusable)?;
        // Two threads may both come here; the first one's key stays.
        Ok(self.prepared.get_or_init(|| prepared))
    }

    /// The public half of a private key that is no composite, made of it at its first use and then
    /// kept as long as the object.
    ///
    /// # Errors
    /// `CKR_KEY_TYPE_INCONSISTENT` for another object.
    pub(crate) fn public_half(&self) -> Result<&Arc<Self>> {
        if let Some(public) = self.public.get() {
            return Ok(public);
        }
        let material = material::material_of(&self.attributes)?;
        let public = Arc::new(Self::new(material::public_template(&material)));
        Ok(self.public.get_or_init(|| public))
    }

    fn prepare(&self) -> Result<Prepared> {
        let species = Species::of(&self.attributes)?;
        match (species.class, species.key_type) {
            (Class::PrivateKey, Some(key_type)) if key_type.is_composite() => {
                composite::prepare_private(self, key_type)
            }
            (Class::PublicKey, Some(key_type)) if key_type.is_composite() => {
                composite::prepare_public(self, key_type)
            }
            (Class::PrivateKey, _) => {
                let material = material::material_of(&self.attributes)?;
                self.custodian.open(&material).map(Prepared::Private)
            }
            (Class::PublicKey, Some(KeyType::Rsa)) => {
                let modulus = self.attributes.require(attribute::MODULUS)?;
                let exponent = self.attributes.require(attribute::PUBLIC_EXPONENT)?;
                Ok(Prepared::Rsa(RsaPublic::new(modulus, exponent)?))
            }
            #[cfg(feature = "legacy")]
            (Class::PublicKey, Some(KeyType::Dsa)) => {
                material::dsa_public(&self.attributes).map(Prepared::Dsa)
            }
            #[allow(unreachable_patterns, reason = "with its mechanisms it has its own line")]
            (Class::PublicKey, Some(KeyType::Dh | KeyType::Dsa)) => {
                Err(Rv::KeyTypeInconsistent.because("nothing is done with such a public key"))
            }
            (
                Class::PublicKey,
                Some(key_type @ (KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa)),
            ) => {
                let value = self.attributes.require(attribute::PUBLIC_VALUE)?;
                Ok(match ParameterSet::named(&self.attributes, key_type)? {
                    ParameterSet::MlDsa(set) => {
                        Prepared::MlDsa(MlDsaPublic::from_bytes(set, value)?)
                    }
                    ParameterSet::MlKem(set) => {
                        Prepared::MlKem(MlKemPublic::from_bytes(set, value)?)
                    }
                    ParameterSet::SlhDsa(set) => {
                        Prepared::SlhDsa(SlhDsaPublic::from_bytes(set, value)?)
                    }
                })
            }
            (Class::PublicKey, _) => {
                let curve = curve::curve_of(self.attributes.require(attribute::EC_PARAMS)?)?;
                let point = self.attributes.require(attribute::EC_POINT)?;
                let point = curve::point_of(curve, point)?;
                Ok(match curve {
                    CurveName::Weierstrass(curve) => {
                        Prepared::Ec(EcPublic::from_point(curve, &point)?)
                    }
                    CurveName::Edwards(curve) => {
                        Prepared::Edwards(EdwardsPublic::from_bytes(curve, &point)?)
                    }
                    CurveName::Montgomery(curve) => Prepared::Montgomery(curve, point),
                })
            }
            (_, _) => Err(Rv::KeyTypeInconsistent.because("not a key of a pair")),
        }
    }

    /// Whether a flag of the object is true.
    pub(crate) fn is_set(&self, flag: Attr<bool>) -> bool {
        self.attributes.is_set(flag)
    }
}

/// What parsing says of values that were checked when they came in: of a key so small that the
/// engine leaves it alone.
fn unusable(error: Error) -> Error {
    match error.rv {
        Rv::AttributeValueInvalid => Rv::KeySizeRange.because(error.why),
        _ => error,
    }
}
