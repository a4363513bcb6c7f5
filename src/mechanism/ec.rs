//! Keys on elliptic curves: making pairs.
//!
//! What the pairs are used for is in `ecdsa`, `ecdh` and `eddsa`. PKCS#11 3.2, "Elliptic curve
//! key pair generation", "Edwards Elliptic Curve key pair generation", "Montgomery Elliptic Curve
//! key pair generation".

use super::{expect_key, expect_template, inconsistent, new_pair};
use crate::custody::{Custodian, KeySpec};
use crate::engine::aws_lc::ec::EcPublic;
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, curve_of};
use crate::object::template::Template;
use crate::object::{Object, Prepared, attribute};

/// A public key on a curve in Weierstrass form, ready for use.
pub(super) fn public_key(key: &Object) -> Result<&EcPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::Ec])?;
    match key.prepared()? {
        Prepared::Ec(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// Makes a pair of this type on the curve of the public template. For Edwards keys that may be a
/// Montgomery curve, because SoftHSM makes its X25519 and X448 keys so; they are Montgomery keys
/// unless a template says otherwise.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    key_type: KeyType,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    let spec = match asked_curve(key_type, public, private)? {
        CurveName::Weierstrass(curve) => KeySpec::Ec(curve),
        CurveName::Edwards(curve) => KeySpec::Edwards(curve),
        CurveName::Montgomery(curve) => KeySpec::Montgomery(curve),
    };
    new_pair(custodian, &spec, public, private)
}

/// The curve of the public template, which is one of the type; the private one names none or the
/// same.
fn asked_curve(key_type: KeyType, public: &Template, private: &Template) -> Result<CurveName> {
    expect_template(public, Class::PublicKey, key_type)?;
    expect_template(private, Class::PrivateKey, key_type)?;
    let params = public.require(attribute::EC_PARAMS)?;
    if private.get(attribute::EC_PARAMS).is_some_and(|own| own != params) {
        return Err(Rv::TemplateInconsistent.because("two curves for one pair"));
    }
    let curve = curve_of(params)?;
    if !curve.is_of(key_type) {
        let why = "the mechanism does not make keys on this curve";
        return Err(Rv::CurveNotSupported.because(why));
    }
    Ok(curve)
}

/// Makes a pair on a curve in Weierstrass form from more random bits than the order has (FIPS
/// 186-4, B.4.1).
pub(super) fn generate_pair_with_extra_bits(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    match asked_curve(KeyType::Ec, public, private)? {
        CurveName::Weierstrass(curve) => {
            new_pair(custodian, &KeySpec::EcWithExtraBits(curve), public, private)
        }
        _ => Err(Rv::CurveNotSupported.because("not a curve in Weierstrass form")),
    }
}
