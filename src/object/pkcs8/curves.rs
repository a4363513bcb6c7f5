//! Keys on curves: `ECPrivateKey` of RFC 5915, and the bare octet strings of RFC 8410.

use zeroize::Zeroizing;

use super::{Found, Parts, malformed};
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::computed::{EC_ALGORITHM as EC, PublicPart};
use crate::object::curve::{self, CurveName};
use crate::object::der;
use crate::object::template::Template;
use crate::secret::Secret;

/// `id-ecPublicKey`.
pub(super) const EC_ALGORITHM: &[u8] = EC;
/// `id-Ed25519`, `id-Ed448`.
pub(super) const EDWARDS_ALGORITHMS: &[&[u8]] =
    &[&[0x06, 0x03, 0x2b, 0x65, 0x70], &[0x06, 0x03, 0x2b, 0x65, 0x71]];
/// `id-X25519`, `id-X448`.
pub(super) const MONTGOMERY_ALGORITHMS: &[&[u8]] =
    &[&[0x06, 0x03, 0x2b, 0x65, 0x6e], &[0x06, 0x03, 0x2b, 0x65, 0x6f]];

/// `ecPrivkeyVer1`.
const VERSION: &[u8] = &[1];
/// `[0] ECParameters`.
const PARAMETERS: u8 = 0xa0;
/// `[1] BIT STRING`.
const PUBLIC_KEY: u8 = 0xa1;

fn curve_and_value(attributes: &Template) -> Result<(CurveName, &Secret)> {
    let incomplete = || Rv::GeneralError.because("a private key that is not whole");
    let params = attributes.get(attribute::EC_PARAMS).ok_or_else(incomplete)?;
    let value = attributes.get(attribute::VALUE).ok_or_else(incomplete)?;
    Ok((curve::curve_of(params)?, value))
}

/// The structure has neither parameters nor public key: the first stand in the algorithm, and
/// the standard asks for their absence here.
pub(super) fn write_ec(attributes: &Template) -> Result<Parts> {
    let (curve, value) = curve_and_value(attributes)?;
    let version = der::element(der::INTEGER, &[VERSION]);
    let key = value.expose(|scalar| {
        let scalar = Zeroizing::new(der::element(der::OCTET_STRING, &[scalar]));
        Zeroizing::new(der::element(der::SEQUENCE, &[&version, &scalar]))
    });
    let algorithm = der::element(der::SEQUENCE, &[EC_ALGORITHM, curve::identifier(curve)]);
    Ok(Parts { algorithm, key })
}

pub(super) fn read_ec(found: &Found<'_>) -> Result<Template> {
    let params = found.parameters.ok_or_else(malformed)?;
    let (scalar, inner_params, inner_public) = ec_private(found.key).ok_or_else(malformed)?;
    if inner_params.is_some_and(|inner| inner != params) {
        return Err(malformed());
    }
    let mut made = private(params, scalar)?;
    for public in [inner_public, found.public].into_iter().flatten() {
        accompany(&mut made, public)?;
    }
    Ok(made)
}

/// The scalar, and the parameters and public key that may stand beside it.
#[allow(clippy::type_complexity, reason = "three slices, named at both ends")]
fn ec_private(key: &[u8]) -> Option<(&[u8], Option<&[u8]>, Option<&[u8]>)> {
    let (der::SEQUENCE, mut content) = der::whole(key)? else { return None };
    if der::take(&mut content, der::INTEGER)? != VERSION {
        return None;
    }
    let scalar = der::take(&mut content, der::OCTET_STRING)?;
    let (mut params, mut public) = (None, None);
    if content.first() == Some(&PARAMETERS) {
        params = Some(der::take(&mut content, PARAMETERS)?);
    }
    if content.first() == Some(&PUBLIC_KEY) {
        let (der::BIT_STRING, [0, bits @ ..]) = der::whole(der::take(&mut content, PUBLIC_KEY)?)?
        else {
            return None;
        };
        public = Some(bits);
    }
    content.is_empty().then_some((scalar, params, public))
}

/// An octet string in the octet string.
pub(super) fn write_bare(attributes: &Template) -> Result<Parts> {
    let (curve, value) = curve_and_value(attributes)?;
    let key = value.expose(|seed| Zeroizing::new(der::element(der::OCTET_STRING, &[seed])));
    Ok(Parts { algorithm: der::element(der::SEQUENCE, &[curve::identifier(curve)]), key })
}

pub(super) fn read_bare(found: &Found<'_>) -> Result<Template> {
    let Some((der::OCTET_STRING, value)) =
        der::whole(found.key).filter(|_| found.parameters.is_none())
    else {
        return Err(malformed());
    };
    let mut made = private(found.algorithm, value)?;
    if let Some(public) = found.public {
        accompany(&mut made, public)?;
    }
    Ok(made)
}

fn private(params: &[u8], value: &[u8]) -> Result<Template> {
    curve::curve_of(params).map_err(|_| malformed())?;
    let mut made = Template::default();
    made.set(attribute::EC_PARAMS, params.to_vec());
    made.set(attribute::VALUE, Secret::copy_of(value)?);
    Ok(made)
}

/// Notes the public key that came along. When the object is completed it is held against the
/// one that the private key gives.
fn accompany(made: &mut Template, public: &[u8]) -> Result<()> {
    let params = made.get(attribute::EC_PARAMS).ok_or_else(malformed)?;
    let curve = curve::curve_of(params).map_err(|_| malformed())?;
    let point = curve::point_of(curve, public).map_err(|_| malformed())?;
    let info = PublicPart::Point { curve, point }.info();
    if made.get(attribute::PUBLIC_KEY_INFO).is_some_and(|other| other != info) {
        return Err(malformed());
    }
    made.set(attribute::PUBLIC_KEY_INFO, info);
    Ok(())
}
