//! The values of keys that are nothing but bytes under a parameter set: ML-DSA, ML-KEM, SLH-DSA.
//!
//! A private key may come as its seed, as what became of it, or as both, which then must agree;
//! what is stored has the value always, and the seed if it was ever seen. SLH-DSA has no such
//! seed. PKCS#11 3.2, "ML-DSA private key objects" and the like; RFC 9881, section 6; RFC 9935,
//! section 6.

use super::KeyType;
use super::sets::ParameterSet;
use super::value::{invalid, show_value};
use crate::engine::EngineError;
use crate::engine::aws_lc::ml_dsa::MlDsaPrivate;
use crate::engine::hash::constant_time_eq;
use crate::engine::ml_kem::{MlKemPrivate, MlKemPublic};
use crate::engine::slh_dsa::SlhDsaPrivate;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::computed::PublicPart;
use crate::object::template::Template;
use crate::secret::Secret;

/// Checks a public key's value.
pub(super) fn public(template: &mut Template, key_type: KeyType) -> Result<PublicPart> {
    show_value(template)?;
    let set = ParameterSet::named(template, key_type)?;
    let bits = template.require(attribute::PUBLIC_VALUE)?.to_vec();
    match set {
        ParameterSet::MlDsa(set) if bits.len() == set.public_len() => {}
        ParameterSet::SlhDsa(set) if bits.len() == set.public_len() => {}
        ParameterSet::MlDsa(_) | ParameterSet::SlhDsa(_) => {
            return Err(invalid("length of CKA_VALUE"));
        }
        ParameterSet::MlKem(set) => {
            MlKemPublic::from_bytes(set, &bits)?;
        }
    }
    Ok(PublicPart::Bare { identifier: set.identifier(), bits })
}

/// Checks a private key's seed and value, and writes what is missing of them.
pub(super) fn private(template: &mut Template, key_type: KeyType) -> Result<PublicPart> {
    let set = ParameterSet::named(template, key_type)?;
    if template.get(attribute::SEED).is_some_and(Secret::is_empty) {
        template.remove(attribute::SEED.id);
    }
    let (seed, value) = (template.get(attribute::SEED), template.get(attribute::VALUE));
    let (expanded, bits) = match (seed, value.filter(|value| !value.is_empty())) {
        (None, None) => {
            return Err(Rv::TemplateIncomplete.because("neither CKA_SEED nor CKA_VALUE"));
        }
        (Some(seed), value) => {
            let made = from_seed(set, seed)?;
            if value.is_some_and(|value| !same(value, &made.0)) {
                return Err(invalid("CKA_VALUE is not what becomes of CKA_SEED"));
            }
            made
        }
        (None, Some(value)) => from_expanded(set, value)?,
    };
    template.set(attribute::VALUE, expanded);
    Ok(PublicPart::Bare { identifier: set.identifier(), bits })
}

/// An expanded private key and its public key.
type Pair = (Secret, Vec<u8>);

fn from_seed(set: ParameterSet, seed: &Secret) -> Result<Pair, EngineError> {
    match set {
        ParameterSet::MlDsa(set) => {
            let key = MlDsaPrivate::from_seed(set, seed)?;
            Ok((key.expanded()?, key.public_bytes()?))
        }
        ParameterSet::MlKem(set) => {
            let key = MlKemPrivate::from_seed(set, seed)?;
            Ok((key.expanded()?, key.public_bytes()?))
        }
        ParameterSet::SlhDsa(_) => Err(EngineError::Key("SLH-DSA keys have no CKA_SEED")),
    }
}

fn from_expanded(set: ParameterSet, value: &Secret) -> Result<Pair, EngineError> {
    match set {
        ParameterSet::MlDsa(set) => {
            let key = MlDsaPrivate::from_expanded(set, value)?;
            Ok((key.expanded()?, key.public_bytes()?))
        }
        ParameterSet::MlKem(set) => {
            let key = MlKemPrivate::from_expanded(set, value)?;
            Ok((key.expanded()?, key.public_bytes()?))
        }
        ParameterSet::SlhDsa(set) => {
            let key = SlhDsaPrivate::from_bytes(set, value.expose(Secret::copy_of)?)?;
            key.check()?;
            let public = key.public_bytes();
            Ok((key.into_bytes(), public))
        }
    }
}

fn same(one: &Secret, other: &Secret) -> bool {
    one.expose(|one| other.expose(|other| constant_time_eq(one, other)))
}
