//! What certificates call a signature: its `AlgorithmIdentifier`.
//!
//! RFC 4055 (RSA, the parameters of PSS), RFC 5758 and NIST's registry (ECDSA, SHA-3), RFC 8410
//! (Edwards curves), RFC 9881 (ML-DSA), RFC 9909 (SLH-DSA), the draft of composites.

use super::attribute;
use super::class::KeyType;
use super::class::sets::ParameterSet;
use super::composite::sets::Scheme;
use super::composite::signature_set;
use super::curve;
use super::der::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE, element};
use super::template::Template;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::hash::Digest;
use crate::error::{Error, Result, Rv};

/// 1.2.840.113549.1.1, and the last arcs of RSASSA-PSS and MGF1.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const RSASSA_PSS: u8 = 0x0a;
const MGF1: u8 = 0x08;
/// 1.2.840.10045.4.3.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// 2.16.840.1.101.3.4.2: hashes; 2.16.840.1.101.3.4.3: signatures.
const NIST_HASHES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const NIST_SIGNATURES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03];
const NULL: &[u8] = &[0x05, 0x00];

/// A hash: its own last arc, and the identifiers of PKCS#1 v1.5 and of ECDSA with it.
struct Hash {
    digest: Digest,
    arc: u8,
    pkcs1: (&'static [u8], u8),
    ecdsa: (&'static [u8], u8),
}

const fn hash(
    digest: Digest,
    arc: u8,
    pkcs1: (&'static [u8], u8),
    ecdsa: (&'static [u8], u8),
) -> Hash {
    Hash { digest, arc, pkcs1, ecdsa }
}

static HASHES: &[Hash] = &[
    hash(Digest::Sha224, 4, (PKCS1, 14), (ECDSA, 1)),
    hash(Digest::Sha256, 1, (PKCS1, 11), (ECDSA, 2)),
    hash(Digest::Sha384, 2, (PKCS1, 12), (ECDSA, 3)),
    hash(Digest::Sha512, 3, (PKCS1, 13), (ECDSA, 4)),
    hash(Digest::Sha3_224, 7, (NIST_SIGNATURES, 13), (NIST_SIGNATURES, 9)),
    hash(Digest::Sha3_256, 8, (NIST_SIGNATURES, 14), (NIST_SIGNATURES, 10)),
    hash(Digest::Sha3_384, 9, (NIST_SIGNATURES, 15), (NIST_SIGNATURES, 11)),
    hash(Digest::Sha3_512, 10, (NIST_SIGNATURES, 16), (NIST_SIGNATURES, 12)),
];

/// The DER of the `AlgorithmIdentifier` of signatures with a key; keys of which nothing is to be
/// chosen need no scheme.
///
/// # Errors
/// `CKR_KEY_TYPE_INCONSISTENT` for what certificates have no identifier for.
pub(crate) fn identifier(scheme: Option<Scheme>, key: &Template) -> Result<Vec<u8>> {
    let key_type = key.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    match (key_type, scheme) {
        (Some(KeyType::Rsa), Some(Scheme::Pkcs1(digest))) => {
            let (prefix, arc) = found(digest)?.pkcs1;
            Ok(element(SEQUENCE, &[&named(prefix, arc), NULL]))
        }
        (Some(KeyType::Rsa), Some(Scheme::Pss(digest))) => pss(digest),
        (Some(KeyType::Ec), Some(Scheme::Ecdsa(digest))) => {
            let (prefix, arc) = found(digest)?.ecdsa;
            Ok(element(SEQUENCE, &[&named(prefix, arc)]))
        }
        (Some(KeyType::EcEdwards), _) => {
            let curve = curve::curve_of(key.require(attribute::EC_PARAMS)?)?;
            Ok(element(SEQUENCE, &[curve::identifier(curve)]))
        }
        (Some(key_type @ (KeyType::MlDsa | KeyType::SlhDsa)), _) => {
            let set = ParameterSet::named(key, key_type)?;
            Ok(element(SEQUENCE, &[set.identifier()]))
        }
        (Some(KeyType::CompSig), _) => {
            Ok(element(SEQUENCE, &[signature_set(key)?.halves.identifier]))
        }
        _ => Err(nameless()),
    }
}

/// The hash that goes with a curve where nobody chooses one: the shortest of SHA-2 that is as long
/// as the field, or the longest there is.
pub(crate) const fn usual_hash(curve: Curve) -> Digest {
    match curve.field_len() {
        0..=32 => Digest::Sha256,
        33..=48 => Digest::Sha384,
        _ => Digest::Sha512,
    }
}

fn nameless() -> Error {
    Rv::KeyTypeInconsistent.because("certificates have no name for such signatures")
}

fn found(digest: Digest) -> Result<&'static Hash> {
    HASHES.iter().find(|hash| hash.digest == digest).ok_or_else(nameless)
}

fn named(prefix: &[u8], arc: u8) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, &[prefix, &[arc]])
}

/// `RSASSA-PSS-params`, with the hash in the mask too and a salt of its length.
fn pss(digest: Digest) -> Result<Vec<u8>> {
    let explicit = |number: u8, content: &[u8]| element(0xa0 | number, &[content]);
    let hash = element(SEQUENCE, &[&named(NIST_HASHES, found(digest)?.arc), NULL]);
    let mask = element(SEQUENCE, &[&named(PKCS1, MGF1), &hash]);
    let salt = u8::try_from(digest.len()).map_err(|_| nameless())?;
    let salt = element(INTEGER, &[&[salt]]);
    let params = [explicit(0, &hash), explicit(1, &mask), explicit(2, &salt)].concat();
    let params = element(SEQUENCE, &[&params]);
    Ok(element(SEQUENCE, &[&named(PKCS1, RSASSA_PSS), &params]))
}

#[cfg(test)]
mod tests {
    use super::{Scheme, identifier, usual_hash};
    use crate::engine::aws_lc::ec::Curve;
    use crate::engine::hash::Digest;
    use crate::object::attribute;
    use crate::object::class::KeyType;
    use crate::object::template::Template;

    /// What bundles have always written.
    #[test]
    fn identifiers_are_the_bytes_of_their_standards() {
        let key = |key_type: KeyType, params: &[u8]| {
            let mut key = Template::default();
            key.set(attribute::KEY_TYPE, key_type.code());
            key.set(attribute::EC_PARAMS, params.to_vec());
            key
        };
        // RFC 8017, appendix A.2.4.
        let rsa = identifier(Some(Scheme::Pkcs1(Digest::Sha256)), &key(KeyType::Rsa, &[])).unwrap();
        let sha256_rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
        assert_eq!(rsa, sha256_rsa);
        // RFC 5758, section 3.2.
        for (curve, arc) in [(Curve::P256, 2), (Curve::P384, 3), (Curve::P521, 4)] {
            let scheme = Scheme::Ecdsa(usual_hash(curve));
            let mut wanted = *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x00";
            wanted[11] = arc;
            assert_eq!(identifier(Some(scheme), &key(KeyType::Ec, &[])).unwrap(), wanted);
        }
        // RFC 8410, section 3, whatever form the key's curve has.
        for params in [&b"\x06\x03\x2b\x65\x70"[..], b"\x13\x0cedwards25519"] {
            let found = identifier(None, &key(KeyType::EcEdwards, params)).unwrap();
            assert_eq!(found, b"\x30\x05\x06\x03\x2b\x65\x70");
        }
        let ed448 = key(KeyType::EcEdwards, b"\x13\x0aedwards448");
        assert_eq!(identifier(None, &ed448).unwrap(), b"\x30\x05\x06\x03\x2b\x65\x71");
    }
}
