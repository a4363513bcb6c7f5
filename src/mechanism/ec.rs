//! Keys on elliptic curves: making pairs for the NIST curves and for Ed25519.
//!
//! What the pairs are used for is in `ecdsa`, `ecdh` and `eddsa`. PKCS#11 3.2, "Elliptic curve
//! key pair generation", "Edwards Elliptic Curve key pair generation".

use super::{expect_key, expect_template, inconsistent, new_pair};
use crate::custody::{Custodian, KeySpec};
use crate::engine::aws_lc::ec::EcPublic;
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, curve_of};
use crate::object::template::Template;
use crate::object::{Object, Prepared, attribute};

/// A public key on a NIST curve, ready for use.
pub(super) fn public_key(key: &Object) -> Result<&EcPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::Ec])?;
    match key.prepared()? {
        Prepared::Ec(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// Makes a pair on the NIST curve of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    let CurveName::Nist(curve) = asked_curve(public, private, KeyType::Ec)? else {
        return Err(other_curve());
    };
    new_pair(custodian, &KeySpec::Ec(curve), public, private)
}

/// Makes an Ed25519 pair, if the public template asks for that curve.
pub(super) fn generate_edwards_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    let CurveName::Edwards25519 = asked_curve(public, private, KeyType::EcEdwards)? else {
        return Err(other_curve());
    };
    new_pair(custodian, &KeySpec::Ed25519, public, private)
}

/// The curve of the public template; the private one says nothing or the same.
fn asked_curve(public: &Template, private: &Template, key_type: KeyType) -> Result<CurveName> {
    expect_template(public, Class::PublicKey, key_type)?;
    expect_template(private, Class::PrivateKey, key_type)?;
    let params = public.require(attribute::EC_PARAMS)?;
    if private.get(attribute::EC_PARAMS).is_some_and(|own| own != params) {
        return Err(Rv::TemplateInconsistent.because("two curves for one pair"));
    }
    curve_of(params)
}

fn other_curve() -> Error {
    Rv::CurveNotSupported.because("the mechanism does not make keys on this curve")
}
