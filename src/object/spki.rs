//! Public keys as DER `SubjectPublicKeyInfo`, read: the attributes that make the key.
//!
//! Whether they make a key is seen when the object is completed, which also writes the structure
//! anew. RFC 5280, 4.1.2.7; RFC 3279 and RFC 5480; RFC 8410; RFC 9881, RFC 9909, RFC 9935; the
//! drafts of composites.

use super::attribute;
use super::class::sets::ParameterSet;
use super::class::{Class, KeyType};
use super::composite::sets::{KemSet, SignatureSet};
use super::computed::{EC_ALGORITHM, RSA_ALGORITHM};
use super::curve::{self, CurveName};
use super::der;
use super::template::Template;
use crate::error::{Error, Result, Rv};

fn malformed() -> Error {
    Rv::AttributeValueInvalid.because("not a public key that this token takes")
}

/// The attributes of a public key: class, key type, and what makes it.
///
/// # Errors
/// `CKR_ATTRIBUTE_VALUE_INVALID`, whatever is wrong.
pub(crate) fn decode(info: &[u8]) -> Result<Template> {
    let (algorithm, bits) = parts(info).ok_or_else(malformed)?;
    let mut made = match algorithm {
        RSA_ALGORITHM => rsa(bits).ok_or_else(malformed)?,
        _ => other(algorithm, bits)?,
    };
    made.set(attribute::CLASS, Class::PublicKey.code());
    Ok(made)
}

/// The whole `AlgorithmIdentifier`, and the bits of the key.
fn parts(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (der::SEQUENCE, mut content) = der::whole(info)? else { return None };
    let algorithm = der::take_whole(&mut content, der::SEQUENCE)?;
    match der::whole(content)? {
        (der::BIT_STRING, [0, bits @ ..]) => Some((algorithm, bits)),
        _ => None,
    }
}

fn rsa(bits: &[u8]) -> Option<Template> {
    let (der::SEQUENCE, mut content) = der::whole(bits)? else { return None };
    let modulus = der::take_number(&mut content)?;
    let exponent = der::take_number(&mut content)?;
    let mut made = Template::default();
    made.set(attribute::KEY_TYPE, KeyType::Rsa.code());
    made.set(attribute::MODULUS, modulus.to_vec());
    made.set(attribute::PUBLIC_EXPONENT, exponent.to_vec());
    content.is_empty().then_some(made)
}

fn other(algorithm: &[u8], bits: &[u8]) -> Result<Template> {
    let (_, mut content) = der::whole(algorithm).ok_or_else(malformed)?;
    let identifier = der::take_whole(&mut content, der::OBJECT_IDENTIFIER);
    let identifier = identifier.ok_or_else(malformed)?;
    if identifier == EC_ALGORITHM {
        return on_curve(content, bits);
    }
    if !content.is_empty() {
        return Err(malformed());
    }
    let bare = ParameterSet::identified(identifier).map(|set| (set.key_type(), set.number()));
    let signature = SignatureSet::identified(identifier).map(|set| (KeyType::CompSig, set.id));
    let kem = KemSet::identified(identifier).map(|set| (KeyType::CompKem, set.id));
    let Some((key_type, set)) = bare.or(signature).or(kem) else {
        return on_curve(identifier, bits);
    };
    let mut made = Template::default();
    made.set(attribute::KEY_TYPE, key_type.code());
    made.set(attribute::PARAMETER_SET, set);
    made.set(attribute::PUBLIC_VALUE, bits.to_vec());
    Ok(made)
}

fn on_curve(params: &[u8], bits: &[u8]) -> Result<Template> {
    let curve = curve::curve_of(params).map_err(|_| malformed())?;
    let key_type = match curve {
        CurveName::Weierstrass(_) => KeyType::Ec,
        CurveName::Edwards(_) => KeyType::EcEdwards,
        CurveName::Montgomery(_) => KeyType::EcMontgomery,
    };
    let point = curve::point_of(curve, bits).map_err(|_| malformed())?;
    let mut made = Template::default();
    made.set(attribute::KEY_TYPE, key_type.code());
    made.set(attribute::EC_PARAMS, params.to_vec());
    made.set(attribute::EC_POINT, curve::written_point(curve, &point));
    Ok(made)
}
