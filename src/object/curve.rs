//! Curves as callers name them, and the points on them as callers write them.
//!
//! PKCS#11 3.2, "Elliptic curve": parameters are an object identifier or a name; points of curves
//! in Weierstrass form are DER octet strings, those of Edwards and Montgomery curves bare bytes.

use super::attribute;
use super::class::KeyType;
use super::der;
use super::template::Template;
use crate::engine::aws_lc::ec::{self, Curve};
use crate::engine::edwards::{Edwards, EdwardsPublic};
use crate::engine::montgomery::Montgomery;
use crate::error::{Error, Result, Rv};

/// A curve that keys can lie on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CurveName {
    /// For `CKK_EC`: ECDSA and ECDH.
    Weierstrass(Curve),
    /// For `CKK_EC_EDWARDS`: EdDSA.
    Edwards(Edwards),
    /// For `CKK_EC_MONTGOMERY`, and by a habit of SoftHSM also for `CKK_EC_EDWARDS`: ECDH.
    Montgomery(Montgomery),
}

impl CurveName {
    /// Whether keys of this type may lie on the curve.
    pub(crate) fn is_of(self, key_type: KeyType) -> bool {
        match self {
            Self::Weierstrass(_) => key_type == KeyType::Ec,
            Self::Edwards(_) => key_type == KeyType::EcEdwards,
            Self::Montgomery(_) => matches!(key_type, KeyType::EcMontgomery | KeyType::EcEdwards),
        }
    }

    /// Bytes of a bare point that is not compressed.
    pub(crate) const fn point_len(self) -> usize {
        match self {
            Self::Weierstrass(curve) => curve.point_len(),
            Self::Edwards(curve) => curve.key_len(),
            Self::Montgomery(curve) => curve.len(),
        }
    }

    /// Whether a bare point of the curve can be so many bytes long.
    pub(crate) const fn is_point_len(self, len: usize) -> bool {
        match self {
            Self::Weierstrass(curve) => len == curve.point_len() || len == 1 + curve.field_len(),
            Self::Edwards(curve) => len == curve.key_len(),
            Self::Montgomery(curve) => len == curve.len(),
        }
    }

    /// Bits of a key. Curve25519 counts as 256, as it does where people compare strengths.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Self::Weierstrass(curve) => curve.bits(),
            Self::Edwards(Edwards::Ed25519) | Self::Montgomery(Montgomery::X25519) => 256,
            Self::Edwards(Edwards::Ed448) | Self::Montgomery(Montgomery::X448) => 448,
        }
    }
}

/// A curve with its object identifier and the names that name it.
struct Known {
    curve: CurveName,
    /// DER, with tag and length.
    identifiers: &'static [&'static [u8]],
    names: &'static [&'static str],
}

/// The first identifier is the one that is written.
static CURVES: &[Known] = &[
    Known {
        curve: CurveName::Weierstrass(Curve::P256),
        identifiers: &[&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]],
        names: &["secp256r1", "prime256v1", "P-256", "nistp256"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::P384),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]],
        names: &["secp384r1", "P-384", "nistp384"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::P521),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]],
        names: &["secp521r1", "P-521", "nistp521"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::P224),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21]],
        names: &["secp224r1", "P-224", "nistp224"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::Secp256k1),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]],
        names: &["secp256k1"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::Brainpool256),
        identifiers: &[&[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]],
        names: &["brainpoolP256r1"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::Brainpool384),
        identifiers: &[&[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b]],
        names: &["brainpoolP384r1"],
    },
    Known {
        curve: CurveName::Weierstrass(Curve::Brainpool512),
        identifiers: &[&[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d]],
        names: &["brainpoolP512r1"],
    },
    // The first two: RFC 8410's, and the older one that GnuPG gave out.
    Known {
        curve: CurveName::Edwards(Edwards::Ed25519),
        identifiers: &[
            &[0x06, 0x03, 0x2b, 0x65, 0x70],
            &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01],
        ],
        names: &["edwards25519", "Ed25519"],
    },
    Known {
        curve: CurveName::Montgomery(Montgomery::X25519),
        identifiers: &[
            &[0x06, 0x03, 0x2b, 0x65, 0x6e],
            &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01],
        ],
        names: &["curve25519", "X25519"],
    },
    Known {
        curve: CurveName::Edwards(Edwards::Ed448),
        identifiers: &[&[0x06, 0x03, 0x2b, 0x65, 0x71]],
        names: &["edwards448", "Ed448"],
    },
    Known {
        curve: CurveName::Montgomery(Montgomery::X448),
        identifiers: &[&[0x06, 0x03, 0x2b, 0x65, 0x6f]],
        names: &["curve448", "X448"],
    },
];

/// The curve that `CKA_EC_PARAMS` names.
///
/// # Errors
/// `CKR_CURVE_NOT_SUPPORTED` for another curve's name, `CKR_DOMAIN_PARAMS_INVALID` for what is
/// no name: explicit parameters, `NULL`, bytes that are not DER.
pub(crate) fn curve_of(params: &[u8]) -> Result<CurveName> {
    let Some((tag @ (der::OBJECT_IDENTIFIER | der::PRINTABLE_STRING), content)) =
        der::whole(params).filter(|(_, content)| !content.is_empty())
    else {
        return Err(Rv::DomainParamsInvalid.because("CKA_EC_PARAMS is neither OID nor name"));
    };
    let named = |known: &&Known| match tag {
        der::OBJECT_IDENTIFIER => known.identifiers.contains(&params),
        _ => known.names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(content)),
    };
    CURVES
        .iter()
        .find(named)
        .map(|known| known.curve)
        .ok_or_else(|| Rv::CurveNotSupported.because("CKA_EC_PARAMS names another curve"))
}

/// Whether `CKA_EC_PARAMS` names its curve in words, as RFC 8032 does, and not by an identifier.
pub(crate) fn is_name(params: &[u8]) -> bool {
    params.first() == Some(&der::PRINTABLE_STRING)
}

/// The DER object identifier of a curve, with tag and length.
pub(crate) fn identifier(curve: CurveName) -> &'static [u8] {
    let known = CURVES.iter().find(|known| known.curve == curve);
    known.and_then(|known| known.identifiers.first().copied()).unwrap_or_default()
}

/// The bare point that a `CKA_EC_POINT` holds: uncompressed, or the one form of the other curves.
/// It may be given bare, compressed, or in a DER octet or bit string.
///
/// # Errors
/// `CKR_ATTRIBUTE_VALUE_INVALID` for what is no public key on the curve.
pub(crate) fn point_of(curve: CurveName, given: &[u8]) -> Result<Vec<u8>> {
    let bare = |bytes: &[u8]| curve.is_point_len(bytes.len());
    let point = if bare(given) {
        given
    } else {
        match der::whole(given) {
            Some((der::OCTET_STRING, content)) if bare(content) => content,
            Some((der::BIT_STRING, [0, content @ ..])) if bare(content) => content,
            _ => return Err(off_curve("CKA_EC_POINT has another length")),
        }
    };
    match curve {
        CurveName::Weierstrass(curve) => {
            let point = ec::uncompressed(curve, point);
            point.map_err(|_| off_curve("CKA_EC_POINT is not on the curve"))
        }
        CurveName::Edwards(curve) => {
            EdwardsPublic::from_bytes(curve, point)
                .map_err(|_| off_curve("CKA_EC_POINT is no public key of the curve"))?;
            Ok(point.to_vec())
        }
        // Every string of this length is a key.
        CurveName::Montgomery(_) => Ok(point.to_vec()),
    }
}

/// `CKA_EC_POINT` for a bare point.
pub(crate) fn written_point(curve: CurveName, point: &[u8]) -> Vec<u8> {
    match curve {
        CurveName::Weierstrass(_) => der::element(der::OCTET_STRING, &[point]),
        CurveName::Edwards(_) | CurveName::Montgomery(_) => point.to_vec(),
    }
}

/// The attributes of a key on an Edwards or Montgomery curve with the point in an octet string, as
/// PKCS#11 3.0 had it; `None` of anything else.
pub(crate) fn with_octet_point(key: &Template) -> Result<Option<Template>> {
    let (Some(params), Some(point)) = (key.get(attribute::EC_PARAMS), key.get(attribute::EC_POINT))
    else {
        return Ok(None);
    };
    if !matches!(curve_of(params), Ok(CurveName::Edwards(_) | CurveName::Montgomery(_))) {
        return Ok(None);
    }
    let mut changed = key.try_clone()?;
    changed.set(attribute::EC_POINT, der::element(der::OCTET_STRING, &[point]));
    Ok(Some(changed))
}

fn off_curve(why: &'static str) -> Error {
    Rv::AttributeValueInvalid.because(why)
}
