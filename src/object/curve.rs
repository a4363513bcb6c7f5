//! Curves as callers name them, and the points on them as callers write them.
//!
//! PKCS#11 3.2, "Elliptic curve": parameters are an object identifier or a name; points of the
//! NIST curves are DER octet strings, those of Edwards curves bare bytes.

use super::der;
use crate::engine::aws_lc::ec::{Curve, EcPublic};
use crate::engine::ed25519::Ed25519Public;
use crate::error::{Error, Result, Rv};

/// A curve that keys can lie on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CurveName {
    /// For `CKK_EC`: ECDSA and ECDH.
    Nist(Curve),
    /// For `CKK_EC_EDWARDS`: Ed25519.
    Edwards25519,
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
        curve: CurveName::Nist(Curve::P256),
        identifiers: &[&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]],
        names: &["secp256r1", "prime256v1", "P-256", "nistp256"],
    },
    Known {
        curve: CurveName::Nist(Curve::P384),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]],
        names: &["secp384r1", "P-384", "nistp384"],
    },
    Known {
        curve: CurveName::Nist(Curve::P521),
        identifiers: &[&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]],
        names: &["secp521r1", "P-521", "nistp521"],
    },
    Known {
        curve: CurveName::Edwards25519,
        // RFC 8410's, and the older one that GnuPG gave out.
        identifiers: &[
            &[0x06, 0x03, 0x2b, 0x65, 0x70],
            &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01],
        ],
        names: &["edwards25519", "Ed25519"],
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

/// The DER object identifier of a curve, with tag and length.
pub(crate) fn identifier(curve: CurveName) -> &'static [u8] {
    let known = CURVES.iter().find(|known| known.curve == curve);
    known.and_then(|known| known.identifiers.first().copied()).unwrap_or_default()
}

/// The bare point that a `CKA_EC_POINT` holds: uncompressed, or the 32 bytes of Ed25519.
/// It may be given bare, compressed, or in a DER octet or bit string.
///
/// # Errors
/// `CKR_ATTRIBUTE_VALUE_INVALID` for what is no public key on the curve.
pub(crate) fn point_of(curve: CurveName, given: &[u8]) -> Result<Vec<u8>> {
    let bare = |bytes: &[u8]| match curve {
        CurveName::Nist(curve) => {
            let lens = [1 + 2 * curve.field_len(), 1 + curve.field_len()];
            lens.contains(&bytes.len())
        }
        CurveName::Edwards25519 => bytes.len() == 32,
    };
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
        CurveName::Nist(curve) => {
            let public = EcPublic::from_point(curve, point);
            let point = public.and_then(|public| public.point());
            point.map_err(|_| off_curve("CKA_EC_POINT is not on the curve"))
        }
        CurveName::Edwards25519 => {
            Ed25519Public::from_bytes(point)
                .map_err(|_| off_curve("CKA_EC_POINT is no Ed25519 public key"))?;
            Ok(point.to_vec())
        }
    }
}

/// `CKA_EC_POINT` for a bare point.
pub(crate) fn written_point(curve: CurveName, point: &[u8]) -> Vec<u8> {
    match curve {
        CurveName::Nist(_) => der::element(der::OCTET_STRING, &[point]),
        CurveName::Edwards25519 => point.to_vec(),
    }
}

fn off_curve(why: &'static str) -> Error {
    Rv::AttributeValueInvalid.because(why)
}
