//! The values that make a key or a certificate what it is: checked, and brought into one form.
//!
//! A caller may write a point bare or in DER, a scalar with or without zeros before it, an RSA
//! key with or without its primes; what is stored does not differ. PKCS#11 3.2, "RSA", "Elliptic
//! curve", "AES", "Generic secret key".

use super::{Class, KeyType, Species, bare, groups, one_time, trust};
use crate::engine::aws_lc::ec::EcPrivate;
use crate::engine::aws_lc::rsa::{MODULUS_BITS, RsaPrivate};
use crate::engine::edwards::EdwardsPrivate;
use crate::engine::montgomery::MontgomeryPrivate;
use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Attr, Hidden};
use crate::object::computed::PublicPart;
use crate::object::curve::{self, CurveName};
use crate::object::template::{Template, Value};
use crate::object::{composite, der, material};
use crate::secret::Secret;

/// Sizes of modulus that an object may have. The engine computes with longer ones only; shorter
/// ones are kept for what else an application does with them.
const RSA_BITS: std::ops::RangeInclusive<usize> = 512..=*MODULUS_BITS.end();
/// The longest secret key, in bytes.
const LONGEST_SECRET: usize = 8192;

/// Checks the values of a template and writes them in their one form. Gives the public key, if
/// the object is half of a pair and shows enough of it.
pub(super) fn settle(template: &mut Template, species: Species) -> Result<Option<PublicPart>> {
    match (species.class, species.key_type) {
        (Class::Data, _) => show_value(template).map(|()| None),
        (Class::Certificate, _) => {
            show_value(template)?;
            certificate(template).map(|()| None)
        }
        (Class::Profile, _) => Ok(None),
        (Class::Trust, _) => trust::check(template).map(|()| None),
        (Class::SecretKey, key_type) => secret_key(template, key_type).map(|()| None),
        (Class::OtpKey, key_type) => {
            secret_key(template, key_type)?;
            one_time::settle(template).map(|()| None)
        }
        (Class::PublicKey, Some(KeyType::Rsa)) => rsa_public(template),
        (Class::DomainParameters, _) => groups::parameters(template, species).map(|()| None),
        (Class::PublicKey, Some(KeyType::Dh)) => groups::dh_public(template).map(Some),
        (Class::PrivateKey, Some(KeyType::Dh)) => groups::dh_private(template).map(Some),
        (Class::PublicKey, Some(KeyType::Dsa)) => groups::dsa_public(template).map(Some),
        (Class::PrivateKey, Some(KeyType::Dsa)) => groups::dsa_private(template).map(Some),
        (
            Class::PublicKey,
            Some(key_type @ (KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa)),
        ) => bare::public(template, key_type).map(Some),
        (Class::PublicKey, Some(key_type)) if key_type.is_composite() => {
            show_value(template)?;
            composite::settle_public(template, key_type).map(Some)
        }
        (Class::PublicKey, _) => ec_public(template, species).map(Some),
        (Class::PrivateKey, Some(KeyType::Rsa)) => rsa_private(template),
        (
            Class::PrivateKey,
            Some(key_type @ (KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa)),
        ) => bare::private(template, key_type).map(Some),
        (Class::PrivateKey, Some(key_type)) if key_type.is_composite() => {
            composite::settle_private(template, key_type).map(Some)
        }
        (Class::PrivateKey, _) => ec_private(template, species).map(Some),
    }
}

pub(super) fn invalid(why: &'static str) -> Error {
    Rv::AttributeValueInvalid.because(why)
}

/// `CKA_VALUE` of objects that are no secret comes in as one, because the door cannot know.
pub(super) fn show_value(template: &mut Template) -> Result<()> {
    if let Some(Value::Secret(value)) = template.value(attribute::VALUE.id) {
        let shown = value.expose(attribute::copied)?;
        template.set(attribute::PUBLIC_VALUE, shown);
    }
    Ok(())
}

fn certificate(template: &mut Template) -> Result<()> {
    if template.require(attribute::CERTIFICATE_TYPE)? != super::X_509 {
        return Err(invalid("a certificate type that is not offered"));
    }
    for (name, range) in
        [(attribute::CERTIFICATE_CATEGORY, 0..=3), (attribute::JAVA_MIDP_SECURITY_DOMAIN, 0..=3)]
    {
        if template.get(name).is_some_and(|number| !range.contains(&number)) {
            return Err(invalid(name.name));
        }
    }
    let filled = |name| template.get(name).is_some_and(|bytes: &[u8]| !bytes.is_empty());
    if !filled(attribute::PUBLIC_VALUE) && !filled(attribute::URL) {
        return Err(Rv::TemplateIncomplete.because("a certificate without CKA_VALUE"));
    }
    Ok(())
}

fn secret_key(template: &Template, key_type: Option<KeyType>) -> Result<()> {
    let len = template.require(attribute::VALUE)?.len();
    let fits = match key_type {
        Some(KeyType::Aes) => matches!(len, 16 | 24 | 32),
        Some(KeyType::AesXts) => matches!(len, 32 | 64),
        Some(KeyType::Hotp) => (one_time::SHORTEST..=LONGEST_SECRET).contains(&len),
        Some(key_type) if key_type.fixed_len().is_some() => key_type.fixed_len() == Some(len),
        _ => (1..=LONGEST_SECRET).contains(&len),
    };
    if !fits {
        return Err(invalid("length of CKA_VALUE"));
    }
    if template.get(attribute::VALUE_LEN).is_some_and(|asked| usize::try_from(asked) != Ok(len)) {
        return Err(Rv::TemplateInconsistent.because("CKA_VALUE_LEN of another length"));
    }
    Ok(())
}

/// The number of bits of a modulus that can be one.
fn modulus_bits(modulus: &[u8]) -> Result<usize> {
    let modulus = der::without_leading_zeros(modulus);
    let first_bits = modulus.first().map_or(0, |byte| byte.ilog2() + 1);
    let first_bits = usize::try_from(first_bits).unwrap_or_default();
    let bits = modulus.len().saturating_sub(1) * 8 + first_bits;
    let odd = modulus.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || !RSA_BITS.contains(&bits) {
        return Err(invalid("CKA_MODULUS is even, too short or too long"));
    }
    Ok(bits)
}

/// Whether an exponent is odd, over 1 and shorter than the modulus.
fn is_exponent(exponent: &[u8], modulus_bits: usize) -> bool {
    let exponent = der::without_leading_zeros(exponent);
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    odd && exponent != [1] && exponent.len() <= modulus_bits.div_ceil(8)
}

fn rsa_public(template: &mut Template) -> Result<Option<PublicPart>> {
    let modulus = template.require(attribute::MODULUS)?.to_vec();
    let exponent = template.require(attribute::PUBLIC_EXPONENT)?.to_vec();
    let bits = modulus_bits(&modulus)?;
    if !is_exponent(&exponent, bits) {
        return Err(invalid("CKA_PUBLIC_EXPONENT is even, 1 or too long"));
    }
    let bits = u64::try_from(bits).map_err(|_| invalid("CKA_MODULUS is too long"))?;
    if template.get(attribute::MODULUS_BITS).is_some_and(|asked| asked != bits) {
        return Err(Rv::TemplateInconsistent.because("CKA_MODULUS_BITS of another length"));
    }
    template.set(attribute::MODULUS_BITS, bits);
    Ok(Some(PublicPart::Rsa { modulus, exponent }))
}

/// Checks the key as a whole and computes the numbers that were not given, if the engine takes
/// keys of this size.
fn rsa_private(template: &mut Template) -> Result<Option<PublicPart>> {
    let modulus = template.require(attribute::MODULUS)?.to_vec();
    let bits = modulus_bits(&modulus)?;
    let private_len = template.require(attribute::PRIVATE_EXPONENT)?.len();
    if private_len == 0 || private_len > modulus.len() + 1 {
        return Err(invalid("length of CKA_PRIVATE_EXPONENT"));
    }
    let known = template.get(attribute::PUBLIC_EXPONENT).filter(|bytes| !bytes.is_empty());
    if known.is_some_and(|exponent| !is_exponent(exponent, bits)) {
        return Err(invalid("CKA_PUBLIC_EXPONENT is even, 1 or too long"));
    }
    if MODULUS_BITS.contains(&bits) {
        let given = material::rsa_components(template)?;
        let whole = RsaPrivate::from_components(&given)?.components()?;
        if given.public_exponent.is_empty() && !whole.public_exponent.is_empty() {
            template.set(attribute::PUBLIC_EXPONENT, whole.public_exponent);
        }
        let factors: [(Attr<Hidden>, Option<Secret>); 5] = [
            (attribute::PRIME_1, whole.prime1),
            (attribute::PRIME_2, whole.prime2),
            (attribute::EXPONENT_1, whole.exponent1),
            (attribute::EXPONENT_2, whole.exponent2),
            (attribute::COEFFICIENT, whole.coefficient),
        ];
        for (name, value) in factors {
            let given = template.get(name).is_some_and(|given| !given.is_empty());
            if let Some(value) = value.filter(|_| !given) {
                template.set(name, value);
            }
        }
    }
    let exponent = template.get(attribute::PUBLIC_EXPONENT).filter(|bytes| !bytes.is_empty());
    let exponent = exponent.map(<[u8]>::to_vec);
    Ok(exponent.map(|exponent| PublicPart::Rsa { modulus, exponent }))
}

/// The curve of a key, which is one of its type.
fn own_curve(template: &Template, species: Species) -> Result<CurveName> {
    let curve = curve::curve_of(template.require(attribute::EC_PARAMS)?)?;
    if species.key_type.is_some_and(|key_type| curve.is_of(key_type)) {
        Ok(curve)
    } else {
        Err(Rv::CurveNotSupported.because("a curve of another type of key"))
    }
}

fn ec_public(template: &mut Template, species: Species) -> Result<PublicPart> {
    let curve = own_curve(template, species)?;
    let point = curve::point_of(curve, template.require(attribute::EC_POINT)?)?;
    template.set(attribute::EC_POINT, curve::written_point(curve, &point));
    Ok(PublicPart::Point { curve, point })
}

fn ec_private(template: &mut Template, species: Species) -> Result<PublicPart> {
    let curve = own_curve(template, species)?;
    let given = template.require(attribute::VALUE)?;
    let (value, point) = match curve {
        CurveName::Weierstrass(curve) => {
            let key = EcPrivate::from_scalar(curve, given)?;
            (key.scalar()?, key.public_point()?)
        }
        CurveName::Edwards(curve) => {
            let seed = bare(given, curve.key_len())?;
            let public = EdwardsPrivate::from_seed(curve, &seed)?.public();
            (seed, public)
        }
        CurveName::Montgomery(curve) => {
            let key = MontgomeryPrivate::from_scalar(curve, bare(given, curve.len())?)?;
            (key.scalar()?, key.public()?)
        }
    };
    template.set(attribute::VALUE, value);
    Ok(PublicPart::Point { curve, point })
}

/// A value that may stand in the octet string of RFC 8410, as some callers take it from a PKCS#8
/// file.
fn bare(given: &Secret, len: usize) -> Result<Secret> {
    given.expose(|given| match der::whole(given) {
        Some((der::OCTET_STRING, inner)) if inner.len() == len => Secret::copy_of(inner),
        _ => Secret::copy_of(given),
    })
}
