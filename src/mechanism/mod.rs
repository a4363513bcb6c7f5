//! What can be computed: mechanisms as rows of a table, and the operations that they start.
//!
//! A family file (`rsa`, `aes`, …) checks key and parameters and computes; it knows no session
//! and no handle. Whether a key may be used so is the token's to decide, before it comes here.
//! PKCS#11 3.2, "Mechanisms".

mod aead;
mod aead_wrap;
mod aes;
mod block_wrap;
mod bundle;
mod chacha20;
pub(crate) mod cipher_params;
mod comp_kem;
mod comp_sig;
mod counted;
mod derivation;
#[cfg(feature = "legacy")]
mod des;
mod dh;
mod digest;
#[cfg(feature = "legacy")]
mod dsa;
mod ec;
mod ecdh;
mod ecdh_wrap;
mod ecdsa;
mod eddsa;
mod encrypted_data;
mod gcm;
mod generic;
mod hkdf;
mod hmac;
mod hotp;
mod hpke;
mod ike;
pub(crate) mod kdf_params;
mod key_wrap;
mod mac;
pub(crate) mod message;
mod ml_dsa;
mod ml_kem;
pub(crate) mod operation;
pub(crate) mod params;
mod pbkdf2;
mod prehash;
pub(crate) mod registry;
mod row;
mod rsa;
mod rsa_kem;
mod rsa_raw;
mod rsa_recovery;
mod rsa_signature;
mod rsa_wrap;
pub(crate) mod saved;
mod slh_dsa;
pub(crate) mod strength;
#[cfg(test)]
mod tests;
mod tls12;
#[cfg(test)]
mod vectors;
pub(crate) mod wrapping;

use std::sync::Arc;

use crate::custody::{Custodian, KeyMaterial, KeySpec, PrivateKey};
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, Prepared, material};
use crate::secret::Secret;

pub(crate) use bundle::Bundle;
#[cfg(test)]
pub(crate) use row::StartCiphering;
pub(crate) use row::{Derivation, Derived, Mechanism, Publish, Wraps};

/// A key as operations hold it: parsed once, and alive as long as one of them runs.
pub(crate) type Key = Arc<Object>;

/// The row of a mechanism, or `None` if this token does not have it.
pub(crate) fn find(id: u64) -> Option<&'static Mechanism> {
    let place = registry::REGISTRY.binary_search_by_key(&id, |row| row.id).ok()?;
    registry::REGISTRY.get(place)
}

/// The row of the mechanism with a name of the standard's.
pub(crate) fn named(name: &str) -> Option<&'static Mechanism> {
    registry::REGISTRY.iter().find(|row| row.name == name)
}

/// Checks that a key is of the class and of one of the types that a mechanism works with.
fn expect_key(key: &Object, class: Class, types: &[KeyType]) -> Result<()> {
    let own = key.attributes.get(attribute::KEY_TYPE);
    let fits = key.attributes.get(attribute::CLASS) == Some(class.code())
        && types.iter().any(|one| own == Some(one.code()));
    if fits { Ok(()) } else { Err(inconsistent()) }
}

fn inconsistent() -> Error {
    Rv::KeyTypeInconsistent.because("the mechanism does not work with this kind of key")
}

/// A private key of the type, ready for use.
fn private_key(key: &Object, key_type: KeyType) -> Result<Arc<dyn PrivateKey>> {
    private_key_of(key, &[key_type])
}

/// A private key of one of the types, ready for use.
fn private_key_of(key: &Object, types: &[KeyType]) -> Result<Arc<dyn PrivateKey>> {
    expect_key(key, Class::PrivateKey, types)?;
    match key.prepared()? {
        Prepared::Private(private) => Ok(Arc::clone(private)),
        _ => Err(inconsistent()),
    }
}

/// The value of a secret key of one of the types.
fn secret_value<'k>(key: &'k Object, types: &[KeyType]) -> Result<&'k Secret> {
    expect_key(key, Class::SecretKey, types)?;
    key.attributes
        .get(attribute::VALUE)
        .ok_or_else(|| Rv::GeneralError.because("a secret key without a value"))
}

/// The value of a secret key of any type.
fn any_secret(key: &Object) -> Result<&Secret> {
    let own = key.attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let own = own.filter(|own| !own.is_asymmetric()).ok_or_else(inconsistent)?;
    secret_value(key, &[own])
}

/// Checks that a caller's template does not ask for another kind of key than a mechanism makes.
fn expect_template(template: &Template, class: Class, key_type: KeyType) -> Result<()> {
    let fits = |name: Attr<u64>, code| template.get(name).is_none_or(|asked| asked == code);
    if fits(attribute::CLASS, class.code()) && fits(attribute::KEY_TYPE, key_type.code()) {
        Ok(())
    } else {
        Err(Rv::TemplateInconsistent.because("the mechanism makes another kind of key"))
    }
}

/// The parameter set of a public template; the private one names none or the same.
fn asked_set(public: &Template, private: &Template, key_type: KeyType) -> Result<ParameterSet> {
    expect_template(public, Class::PublicKey, key_type)?;
    expect_template(private, Class::PrivateKey, key_type)?;
    let other = private.get(attribute::PARAMETER_SET);
    if other.is_some_and(|other| public.get(attribute::PARAMETER_SET) != Some(other)) {
        return Err(Rv::TemplateInconsistent.because("two parameter sets for one pair"));
    }
    ParameterSet::named(public, key_type)
}

/// The caller's attributes for a secret key of this type, with its value.
fn secret_key(template: &Template, key_type: KeyType, value: Secret) -> Result<Template> {
    let mut made = template.try_clone()?;
    made.set(attribute::CLASS, Class::SecretKey.code());
    made.set(attribute::KEY_TYPE, key_type.code());
    made.set(attribute::VALUE, value);
    Ok(made)
}

/// Has a custodian make a pair and gives the attributes of both halves.
fn new_pair(
    custodian: &dyn Custodian,
    spec: &KeySpec,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    let made = custodian.generate(spec)?;
    let fits = match (spec, &made) {
        (KeySpec::Rsa { .. }, KeyMaterial::Rsa(_)) => true,
        (KeySpec::Ec(asked) | KeySpec::EcWithExtraBits(asked), KeyMaterial::Ec { curve, .. }) => {
            asked == curve
        }
        (KeySpec::Edwards(asked), KeyMaterial::Edwards { curve, .. }) => asked == curve,
        (KeySpec::Dh { group: asked, .. }, KeyMaterial::Dh { group, .. }) => asked == group,
        (KeySpec::Dsa(asked), KeyMaterial::Dsa { group, .. }) => asked == group,
        (KeySpec::Montgomery(asked), KeyMaterial::Montgomery { curve, .. }) => asked == curve,
        (KeySpec::MlDsa(asked), KeyMaterial::MlDsa { set, .. }) => asked == set,
        (KeySpec::MlKem(asked), KeyMaterial::MlKem { set, .. }) => asked == set,
        (KeySpec::SlhDsa(asked), KeyMaterial::SlhDsa { set, .. }) => asked == set,
        _ => false,
    };
    if fits {
        material::pair(public, private, &made)
    } else {
        Err(Rv::GeneralError.because("another kind of pair than was asked for"))
    }
}

/// The number of bytes that a template for a secret key asks for.
fn value_len(template: &Template) -> Result<usize> {
    let asked = template.require(attribute::VALUE_LEN)?;
    usize::try_from(asked).map_err(|_| Rv::AttributeValueInvalid.because("CKA_VALUE_LEN"))
}

/// A finished digest of any of the hash functions.
struct Finished {
    bytes: [u8; Digest::MAX_LEN],
    len: usize,
}

impl Finished {
    /// Ends what was running.
    fn of(hasher: &mut Hasher) -> Result<Self> {
        let mut bytes = [0; Digest::MAX_LEN];
        let len = hasher.finish(&mut bytes)?;
        Ok(Self { bytes, len })
    }

    /// One that somebody else made; no longer than any.
    fn given(digest: &[u8]) -> Result<Self> {
        let mut bytes = [0; Digest::MAX_LEN];
        let room = bytes.get_mut(..digest.len());
        room.ok_or_else(|| Rv::DataLenRange.because("no digest"))?.copy_from_slice(digest);
        Ok(Self { bytes, len: digest.len() })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
