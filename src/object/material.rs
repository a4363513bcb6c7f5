//! Between attributes and what a custodian works with.
//!
//! `pair` is how a mechanism that generated a key pair makes the attributes of both halves.
//! PKCS#11 3.2, "C_GenerateKeyPair" and the sections of the key types.

use super::attribute::{self, Attr, Hidden};
use super::class::sets::ParameterSet;
use super::class::{Class, KeyType, Species};
use super::computed;
use super::curve::{self, CurveName};
use super::der::without_leading_zeros;
use super::template::Template;
use crate::custody::{KeyMaterial, Lattice};
use crate::engine::aws_lc::dh::{DhGroup, DhPrivate};
#[cfg(feature = "legacy")]
use crate::engine::aws_lc::dsa::DsaPublic;
use crate::engine::aws_lc::dsa::{DsaGroup, DsaPrivate};
use crate::engine::aws_lc::ec::EcPrivate;
use crate::engine::aws_lc::rsa::RsaComponents;
use crate::engine::edwards::EdwardsPrivate;
use crate::engine::montgomery::MontgomeryPrivate;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// The material of a private key's attributes.
///
/// # Errors
/// `CKR_KEY_TYPE_INCONSISTENT` if they are of something else, `CKR_GENERAL_ERROR` if they are
/// not whole.
pub(crate) fn material_of(attributes: &Template) -> Result<KeyMaterial> {
    let species = Species::of(attributes)?;
    match (species.class, species.key_type) {
        (Class::PrivateKey, Some(KeyType::Rsa)) => rsa_components(attributes).map(KeyMaterial::Rsa),
        (Class::PrivateKey, Some(KeyType::Dh)) => dh_material(attributes),
        (Class::PrivateKey, Some(KeyType::Dsa)) => dsa_material(attributes),
        (
            Class::PrivateKey,
            Some(key_type @ (KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa)),
        ) => bare_material(attributes, key_type),
        (Class::PrivateKey, Some(_)) => point_material(attributes),
        _ => Err(Rv::KeyTypeInconsistent.because("not a private key")),
    }
}

fn broken() -> Error {
    Rv::GeneralError.because("a private key that is not whole")
}

/// The numbers of an RSA private key, as far as they are there.
pub(super) fn rsa_components(attributes: &Template) -> Result<RsaComponents> {
    let number = |bytes: Option<&[u8]>| without_leading_zeros(bytes.unwrap_or_default()).to_vec();
    let secret = |name: Attr<Hidden>| -> Result<Option<Secret>> {
        let given = attributes.get(name).filter(|value| !value.is_empty());
        let copy = |value: &Secret| value.expose(|b| Secret::copy_of(without_leading_zeros(b)));
        given.map(copy).transpose()
    };
    Ok(RsaComponents {
        modulus: number(attributes.get(attribute::MODULUS)),
        public_exponent: number(attributes.get(attribute::PUBLIC_EXPONENT)),
        private_exponent: secret(attribute::PRIVATE_EXPONENT)?.ok_or_else(broken)?,
        prime1: secret(attribute::PRIME_1)?,
        prime2: secret(attribute::PRIME_2)?,
        exponent1: secret(attribute::EXPONENT_1)?,
        exponent2: secret(attribute::EXPONENT_2)?,
        coefficient: secret(attribute::COEFFICIENT)?,
    })
}

fn dh_material(attributes: &Template) -> Result<KeyMaterial> {
    let number = |name| attributes.get(name).map(<[u8]>::to_vec).ok_or_else(broken);
    let group = DhGroup { prime: number(attribute::PRIME)?, base: number(attribute::BASE)? };
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let key = DhPrivate::from_exponent(group.clone(), value)?;
    Ok(KeyMaterial::Dh { group, exponent: key.exponent()?, public: key.public()? })
}

fn dsa_group(attributes: &Template) -> Result<DsaGroup> {
    let number = |name| attributes.get(name).map(<[u8]>::to_vec).ok_or_else(broken);
    let (prime, subprime) = (number(attribute::PRIME)?, number(attribute::SUBPRIME)?);
    Ok(DsaGroup { prime, subprime, base: number(attribute::BASE)? })
}

/// A whole public key for DSA.
#[cfg(feature = "legacy")]
pub(super) fn dsa_public(attributes: &Template) -> Result<DsaPublic> {
    let value = attributes.require(attribute::PUBLIC_VALUE)?;
    Ok(DsaPublic::new(&dsa_group(attributes)?, value)?)
}

fn dsa_material(attributes: &Template) -> Result<KeyMaterial> {
    let group = dsa_group(attributes)?;
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let key = DsaPrivate::from_value(group.clone(), value)?;
    Ok(KeyMaterial::Dsa { group, value: key.value()?, public: key.public()? })
}

fn point_material(attributes: &Template) -> Result<KeyMaterial> {
    let params = attributes.get(attribute::EC_PARAMS).ok_or_else(broken)?;
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let info = attributes.get(attribute::PUBLIC_KEY_INFO);
    let known = info.and_then(computed::subject_public_key);
    let value = value.expose(Secret::copy_of)?;
    match curve::curve_of(params)? {
        CurveName::Weierstrass(curve) => {
            let point = match known {
                Some(point) => point.to_vec(),
                None => EcPrivate::from_scalar(curve, &value)?.public_point()?,
            };
            Ok(KeyMaterial::Ec { curve, scalar: value, point })
        }
        CurveName::Edwards(curve) => {
            let public = match known {
                Some(public) => public.to_vec(),
                None => EdwardsPrivate::from_seed(curve, &value)?.public(),
            };
            Ok(KeyMaterial::Edwards { curve, seed: value, public })
        }
        CurveName::Montgomery(curve) => {
            let key = MontgomeryPrivate::from_scalar(curve, value)?;
            let public = match known {
                Some(public) => public.to_vec(),
                None => key.public()?,
            };
            Ok(KeyMaterial::Montgomery { curve, scalar: key.scalar()?, public })
        }
    }
}

fn bare_material(attributes: &Template, key_type: KeyType) -> Result<KeyMaterial> {
    let info = attributes.get(attribute::PUBLIC_KEY_INFO);
    let public = info.and_then(computed::subject_public_key).unwrap_or_default().to_vec();
    let private = match (attributes.get(attribute::SEED), attributes.get(attribute::VALUE)) {
        (Some(seed), _) => Lattice::Seed(seed.expose(Secret::copy_of)?),
        (None, Some(value)) => Lattice::Expanded(value.expose(Secret::copy_of)?),
        (None, None) => return Err(broken()),
    };
    Ok(match ParameterSet::named(attributes, key_type)? {
        ParameterSet::SlhDsa(set) => {
            let (Lattice::Seed(private) | Lattice::Expanded(private)) = private;
            KeyMaterial::SlhDsa { set, private, public }
        }
        ParameterSet::MlDsa(set) => KeyMaterial::MlDsa { set, private, public },
        ParameterSet::MlKem(set) => KeyMaterial::MlKem { set, private, public },
    })
}

/// The key type, the curve and the public point of material.
fn species_of(material: &KeyMaterial, class: Class) -> Species {
    let key_type = match material {
        KeyMaterial::Rsa(_) => KeyType::Rsa,
        KeyMaterial::Ec { .. } => KeyType::Ec,
        KeyMaterial::Edwards { .. } => KeyType::EcEdwards,
        KeyMaterial::Montgomery { .. } => KeyType::EcMontgomery,
        KeyMaterial::Dh { .. } => KeyType::Dh,
        KeyMaterial::Dsa { .. } => KeyType::Dsa,
        KeyMaterial::MlDsa { .. } => KeyType::MlDsa,
        KeyMaterial::MlKem { .. } => KeyType::MlKem,
        KeyMaterial::SlhDsa { .. } => KeyType::SlhDsa,
    };
    Species::key(class, key_type)
}

fn begun(material: &KeyMaterial, class: Class) -> Template {
    let species = species_of(material, class);
    let mut made = Template::default();
    made.set(attribute::CLASS, species.class.code());
    if let Some(key_type) = species.key_type {
        made.set(attribute::KEY_TYPE, key_type.code());
    }
    made
}

/// The attributes that material gives to the public half of its pair.
pub(crate) fn public_template(material: &KeyMaterial) -> Template {
    let mut made = begun(material, Class::PublicKey);
    let mut set_point = |curve: CurveName, point: &[u8]| {
        made.set(attribute::EC_PARAMS, curve::identifier(curve).to_vec());
        made.set(attribute::EC_POINT, curve::written_point(curve, point));
    };
    match material {
        KeyMaterial::Rsa(numbers) => {
            made.set(attribute::MODULUS, numbers.modulus.clone());
            made.set(attribute::PUBLIC_EXPONENT, numbers.public_exponent.clone());
        }
        KeyMaterial::Ec { curve, point, .. } => set_point(CurveName::Weierstrass(*curve), point),
        KeyMaterial::Edwards { curve, public, .. } => set_point(CurveName::Edwards(*curve), public),
        KeyMaterial::Dsa { group, public, .. } => {
            set_group(&mut made, group);
            made.set(attribute::PUBLIC_VALUE, public.clone());
        }
        KeyMaterial::Dh { group, public, .. } => {
            made.set(attribute::PRIME, group.prime.clone());
            made.set(attribute::BASE, group.base.clone());
            made.set(attribute::PUBLIC_VALUE, public.clone());
        }
        KeyMaterial::Montgomery { curve, public, .. } => {
            set_point(CurveName::Montgomery(*curve), public);
        }
        KeyMaterial::MlDsa { set, public, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::MlDsa(*set).number());
            made.set(attribute::PUBLIC_VALUE, public.clone());
        }
        KeyMaterial::MlKem { set, public, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::MlKem(*set).number());
            made.set(attribute::PUBLIC_VALUE, public.clone());
        }
        KeyMaterial::SlhDsa { set, public, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::SlhDsa(*set).number());
            made.set(attribute::PUBLIC_VALUE, public.clone());
        }
    }
    made
}

/// The attributes that material gives to the private half of its pair.
///
/// # Errors
/// `CKR_HOST_MEMORY`.
pub(crate) fn private_template(material: &KeyMaterial) -> Result<Template> {
    let mut made = begun(material, Class::PrivateKey);
    let copy = |secret: &Secret| secret.expose(Secret::copy_of);
    let mut set_value = |curve: CurveName, value: Secret| {
        made.set(attribute::EC_PARAMS, curve::identifier(curve).to_vec());
        made.set(attribute::VALUE, value);
    };
    match material {
        KeyMaterial::Rsa(numbers) => {
            made.set(attribute::MODULUS, numbers.modulus.clone());
            if !numbers.public_exponent.is_empty() {
                made.set(attribute::PUBLIC_EXPONENT, numbers.public_exponent.clone());
            }
            made.set(attribute::PRIVATE_EXPONENT, copy(&numbers.private_exponent)?);
            for (name, number) in [
                (attribute::PRIME_1, &numbers.prime1),
                (attribute::PRIME_2, &numbers.prime2),
                (attribute::EXPONENT_1, &numbers.exponent1),
                (attribute::EXPONENT_2, &numbers.exponent2),
                (attribute::COEFFICIENT, &numbers.coefficient),
            ] {
                if let Some(number) = number {
                    made.set(name, copy(number)?);
                }
            }
        }
        KeyMaterial::Ec { curve, scalar, .. } => {
            set_value(CurveName::Weierstrass(*curve), copy(scalar)?);
        }
        KeyMaterial::Edwards { curve, seed, .. } => {
            set_value(CurveName::Edwards(*curve), copy(seed)?);
        }
        KeyMaterial::Dsa { group, value, .. } => {
            set_group(&mut made, group);
            made.set(attribute::VALUE, copy(value)?);
        }
        KeyMaterial::Dh { group, exponent, .. } => {
            made.set(attribute::PRIME, group.prime.clone());
            made.set(attribute::BASE, group.base.clone());
            made.set(attribute::VALUE, copy(exponent)?);
        }
        KeyMaterial::Montgomery { curve, scalar, .. } => {
            set_value(CurveName::Montgomery(*curve), copy(scalar)?);
        }
        KeyMaterial::MlDsa { set, private, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::MlDsa(*set).number());
            set_lattice(&mut made, private)?;
        }
        KeyMaterial::MlKem { set, private, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::MlKem(*set).number());
            set_lattice(&mut made, private)?;
        }
        KeyMaterial::SlhDsa { set, private, .. } => {
            made.set(attribute::PARAMETER_SET, ParameterSet::SlhDsa(*set).number());
            made.set(attribute::VALUE, copy(private)?);
        }
    }
    Ok(made)
}

fn set_group(made: &mut Template, group: &DsaGroup) {
    made.set(attribute::PRIME, group.prime.clone());
    made.set(attribute::SUBPRIME, group.subprime.clone());
    made.set(attribute::BASE, group.base.clone());
}

fn set_lattice(made: &mut Template, private: &Lattice) -> Result<()> {
    match private {
        Lattice::Seed(seed) => made.set(attribute::SEED, seed.expose(Secret::copy_of)?),
        Lattice::Expanded(value) => made.set(attribute::VALUE, value.expose(Secret::copy_of)?),
    }
    Ok(())
}

/// The attributes of both halves of a generated pair: what the caller's templates say, and what
/// the material adds. The curve stays written as the caller wrote it, on both halves, and a
/// `CKA_ID` that was given to one half holds for the other too.
///
/// # Errors
/// `CKR_TEMPLATE_INCONSISTENT` if a template says something that the material is not.
pub(crate) fn pair(
    public: &Template,
    private: &Template,
    material: &KeyMaterial,
) -> Result<(Template, Template)> {
    let mut made_public = public_template(material);
    let mut made_private = private_template(material)?;
    let key_type = public.get(attribute::KEY_TYPE).or_else(|| private.get(attribute::KEY_TYPE));
    if let Some(key_type) = key_type.filter(|_| matches!(material, KeyMaterial::Montgomery { .. }))
    {
        // Keys on these curves may be of either type; the mechanism saw to it that it is one.
        made_public.set(attribute::KEY_TYPE, key_type);
        made_private.set(attribute::KEY_TYPE, key_type);
    }
    paired(public, private, made_public, made_private)
}

/// As `pair`, with what the token made given as attributes.
///
/// # Errors
/// As of `pair`.
pub(super) fn paired(
    public: &Template,
    private: &Template,
    mut made_public: Template,
    mut made_private: Template,
) -> Result<(Template, Template)> {
    if let Some(params) = public.get(attribute::EC_PARAMS) {
        made_public.set(attribute::EC_PARAMS, params.to_vec());
        made_private.set(attribute::EC_PARAMS, params.to_vec());
    }
    let id = public.get(attribute::ID).or_else(|| private.get(attribute::ID));
    if let Some(id) = id {
        for (given, made) in [(public, &mut made_public), (private, &mut made_private)] {
            if !given.contains(attribute::ID.id) {
                made.set(attribute::ID, id.to_vec());
            }
        }
    }
    if let Some(exponent) = public.get(attribute::PUBLIC_EXPONENT) {
        // The same number, perhaps with zeros before it.
        let made = made_public.get(attribute::PUBLIC_EXPONENT).unwrap_or_default();
        if without_leading_zeros(exponent) == without_leading_zeros(made) {
            made_public.set(attribute::PUBLIC_EXPONENT, exponent.to_vec());
        }
    }
    Ok((merged(public, made_public)?, merged(private, made_private)?))
}

fn merged(given: &Template, mut made: Template) -> Result<Template> {
    for (id, value) in given.iter() {
        made.insert(id, value.try_clone()?)?;
    }
    Ok(made)
}
