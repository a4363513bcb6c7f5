//! Signatures and MACs: lengths, parameters, wrong signatures.

use super::{pair, refused, rsa_pair, secret_of, slh_dsa_pair, sound};
use crate::cryptoki as ck;
use crate::custody::KeySpec;
use crate::custody::software::Software;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::edwards::Edwards;
use crate::engine::hash::{self, Digest};
use crate::error::{Result, Rv};
use crate::mechanism::params::{MechanismParams, Shape};
use crate::mechanism::registry::REGISTRY;
use crate::mechanism::vectors::composite::{
    private_key as composite_private, public_key as composite_public,
};
use crate::mechanism::vectors::curves::ec_public;
use crate::mechanism::vectors::edwards::{ed_private, ed_public};
use crate::mechanism::vectors::{row, secret_key, signatures, verify};
use crate::mechanism::{Key, Mechanism};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::object::composite::sets::SignatureSet;

const NONE: MechanismParams = MechanismParams::None;

/// A signature in one part.
fn signed(row: &Mechanism, key: &Key, params: &MechanismParams, data: &[u8]) -> Result<Vec<u8>> {
    signatures(row, key, params, data).map(|mut made| made.swap_remove(0))
}

/// A pair whose signatures are all equally long, and whose hash is as long as the data below.
fn composite_pair() -> (Key, Key) {
    let id = ck::CKP_COMP_SIG_MLDSA44_RSA2048_PSS_SHA256;
    let set = SignatureSet::of(id).expect("a set");
    let pair = set.halves.generate(&Software).expect("a pair");
    let private = pair.private.expose(|sk| composite_private(KeyType::CompSig, id, sk));
    (composite_public(KeyType::CompSig, id, &pair.public), private)
}

/// Every mechanism that signs, with a pair and data that it takes.
fn signers() -> Vec<(&'static Mechanism, Key, Key, MechanismParams, Vec<u8>)> {
    let (rsa, ec) = (rsa_pair(), pair(&KeySpec::Ec(Curve::P384)));
    let edwards = pair(&KeySpec::Edwards(Edwards::Ed25519));
    let ml_dsa = pair(&KeySpec::MlDsa(MlDsa::MlDsa44));
    let slh_dsa = slh_dsa_pair();
    let composite = composite_pair();
    let rows = REGISTRY.iter().filter(|row| row.sign.is_some());
    // They are all alike, and slow without optimisation.
    let rows = rows.filter(|row| !row.name.starts_with("CKM_HASH_SLH_DSA_"));
    // These take no data: `one_time`.
    let rows = rows.filter(|row| !row.one_time);
    rows.map(|row| {
        let (public, private) = match row.key_types[0] {
            KeyType::Rsa => rsa.clone(),
            KeyType::Ec => ec.clone(),
            KeyType::EcEdwards => edwards.clone(),
            KeyType::MlDsa => ml_dsa.clone(),
            KeyType::SlhDsa => slh_dsa.clone(),
            KeyType::CompSig => composite.clone(),
            #[cfg(feature = "legacy")]
            KeyType::Dsa => crate::mechanism::vectors::dsa::pair(),
            other => (secret_of(other), secret_of(other)),
        };
        let mut params = sound(row.shape);
        if let MechanismParams::Pss { hash, .. } = &mut params {
            *hash = match row.name {
                "CKM_SHA224_RSA_PKCS_PSS" => ck::CKM_SHA224,
                "CKM_SHA384_RSA_PKCS_PSS" => ck::CKM_SHA384,
                "CKM_SHA512_RSA_PKCS_PSS" => ck::CKM_SHA512,
                "CKM_SHA1_RSA_PKCS_PSS" => ck::CKM_SHA_1,
                "CKM_SHA3_224_RSA_PKCS_PSS" => ck::CKM_SHA3_224,
                "CKM_SHA3_256_RSA_PKCS_PSS" => ck::CKM_SHA3_256,
                "CKM_SHA3_384_RSA_PKCS_PSS" => ck::CKM_SHA3_384,
                "CKM_SHA3_512_RSA_PKCS_PSS" => ck::CKM_SHA3_512,
                _ => ck::CKM_SHA256,
            };
        }
        (row, public, private, params, vec![0x5a; 32])
    })
    .collect()
}

#[test]
fn what_is_signed_verifies_and_nothing_else_does() {
    for (row, public, private, params, data) in signers() {
        for signature in signatures(row, &private, &params, &data).expect(row.name) {
            verify(row, &public, &params, &data, &signature).expect(row.name);
            let mut other = data.clone();
            other[7] ^= 1;
            let outcome = verify(row, &public, &params, &other, &signature);
            assert_eq!(refused(outcome), Rv::SignatureInvalid, "{row:?}");
            for place in [0, signature.len() / 2, signature.len() - 1] {
                let mut changed = signature.clone();
                changed[place] ^= 1;
                let outcome = verify(row, &public, &params, &data, &changed);
                assert_eq!(refused(outcome), Rv::SignatureInvalid, "{row:?} {place}");
            }
            for bad in [&[][..], &signature[1..], &[&signature[..], &[0]].concat()] {
                let outcome = verify(row, &public, &params, &data, bad);
                assert_eq!(refused(outcome), Rv::SignatureLenRange, "{row:?} {}", bad.len());
            }
            let zeros = vec![0; signature.len()];
            let outcome = verify(row, &public, &params, &data, &zeros);
            assert_eq!(refused(outcome), Rv::SignatureInvalid, "{row:?} zeros");
        }
    }
}

#[test]
fn a_room_that_is_too_short_is_no_panic() {
    for (row, _, private, params, data) in signers() {
        let mut started = row.sign.expect(row.name)(&private, &params).expect(row.name);
        let mut out = vec![0; started.len() - 1];
        assert!(started.sign(&data, &mut out).is_err(), "{row:?}");
    }
}

#[test]
fn one_half_of_a_pair_does_not_do_the_work_of_the_other() {
    for (row, public, private, params, _) in signers() {
        if !row.key_types.iter().all(|one| one.is_asymmetric()) {
            continue;
        }
        let start = row.sign.expect(row.name);
        assert_eq!(refused(start(&public, &params)), Rv::KeyTypeInconsistent, "{row:?}");
        let start = row.verify.expect(row.name);
        assert_eq!(refused(start(&private, &params)), Rv::KeyTypeInconsistent, "{row:?}");
    }
}

#[test]
fn mechanisms_of_one_part_take_no_parts() {
    let (public, private) = rsa_pair();
    for (name, params) in [("CKM_RSA_PKCS", NONE), ("CKM_RSA_PKCS_PSS", sound(Shape::Pss))] {
        let mut signing = row(name).sign.expect(name)(&private, &params).expect(name);
        assert_eq!(refused(signing.update(&[1])), Rv::FunctionNotSupported);
        assert_eq!(refused(signing.finish(&mut [0; 256])), Rv::FunctionNotSupported);
        let mut verifying = row(name).verify.expect(name)(&public, &params).expect(name);
        assert_eq!(refused(verifying.update(&[1])), Rv::FunctionNotSupported);
        assert_eq!(refused(verifying.finish(&[0; 256])), Rv::FunctionNotSupported);
    }
}

#[test]
fn prepared_data_of_wrong_lengths_is_refused() {
    let (public, private) = rsa_pair();
    let pkcs = row("CKM_RSA_PKCS");
    signed(pkcs, &private, &NONE, &[0; 245]).expect("as long as can be");
    signed(pkcs, &private, &NONE, &[]).expect("nothing at all");
    assert_eq!(refused(signed(pkcs, &private, &NONE, &[0; 246])), Rv::DataLenRange);
    let outcome = verify(pkcs, &public, &NONE, &[0; 246], &[0; 256]);
    assert_eq!(refused(outcome), Rv::DataLenRange);
    let pss = row("CKM_RSA_PKCS_PSS");
    for len in [0, 31, 33, 245] {
        let outcome = signed(pss, &private, &sound(Shape::Pss), &vec![0; len]);
        assert_eq!(refused(outcome), Rv::DataLenRange, "{len}");
    }
    let (public, private) = pair(&KeySpec::Ec(Curve::P256));
    let ecdsa = row("CKM_ECDSA");
    for len in [1, 20, 32, 64, 1024] {
        let data = vec![0x11; len];
        let signature = signed(ecdsa, &private, &NONE, &data).expect("a signature");
        verify(ecdsa, &public, &NONE, &data, &signature).expect("fits");
    }
    for len in [0, 1025] {
        let outcome = signed(ecdsa, &private, &NONE, &vec![0x11; len]);
        assert_eq!(refused(outcome), Rv::DataLenRange, "{len}");
        let outcome = verify(ecdsa, &public, &NONE, &vec![0x11; len], &[1; 64]);
        assert_eq!(refused(outcome), Rv::DataLenRange, "{len}");
    }
}

#[test]
fn pss_parameters_are_checked_against_mechanism_and_key() {
    let (public, private) = rsa_pair();
    let pss = |hash, mgf, salt_len| MechanismParams::Pss { hash, mgf, salt_len };
    let (sha, mask) = (ck::CKM_SHA256, ck::CKG_MGF1_SHA256);
    for (name, params) in [
        ("CKM_RSA_PKCS_PSS", pss(ck::CKM_MD5, mask, 32)),
        ("CKM_RSA_PKCS_PSS", pss(sha, 0, 32)),
        ("CKM_RSA_PKCS_PSS", pss(sha, 99, 32)),
        ("CKM_RSA_PKCS_PSS", pss(sha, mask, 223)),
        ("CKM_RSA_PKCS_PSS", pss(sha, mask, u64::MAX)),
        ("CKM_RSA_PKCS_PSS", NONE),
        ("CKM_SHA256_RSA_PKCS_PSS", pss(ck::CKM_SHA384, ck::CKG_MGF1_SHA384, 48)),
        ("CKM_SHA256_RSA_PKCS_PSS", pss(sha, mask, 223)),
    ] {
        let row = row(name);
        let outcome = row.sign.expect(name)(&private, &params);
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{name} {params:?}");
        let outcome = row.verify.expect(name)(&public, &params);
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{name} {params:?}");
    }
    let row = row("CKM_SHA256_RSA_PKCS_PSS");
    for params in [pss(sha, mask, 222), pss(sha, mask, 0), pss(sha, ck::CKG_MGF1_SHA1, 20)] {
        let signature = signed(row, &private, &params, b"message").expect("a signature");
        verify(row, &public, &params, b"message", &signature).expect("fits");
    }
}

#[test]
fn hashing_here_or_by_the_caller_is_the_same_signature() {
    let (public, private) = pair(&KeySpec::Ec(Curve::P521));
    let signature =
        signed(row("CKM_ECDSA_SHA384"), &private, &NONE, b"message").expect("a signature");
    let digest = hash::digest(Digest::Sha384, b"message");
    verify(row("CKM_ECDSA"), &public, &NONE, &digest, &signature).expect("fits");
}

#[test]
fn ed25519_variants_are_told_apart_and_contexts_bounded() {
    let (public, private) = pair(&KeySpec::Edwards(Edwards::Ed25519));
    let row = row("CKM_EDDSA");
    let eddsa =
        |prehash, context: &[u8]| MechanismParams::Eddsa { prehash, context: context.to_vec() };
    let variants =
        [NONE, eddsa(false, b"one"), eddsa(false, b"two"), eddsa(true, b""), eddsa(true, b"one")];
    for made_with in &variants {
        let signature = signed(row, &private, made_with, b"message").expect("a signature");
        for checked_with in &variants {
            let outcome = verify(row, &public, checked_with, b"message", &signature);
            assert_eq!(outcome.is_ok(), made_with == checked_with, "{made_with:?}");
        }
    }
    let plain = signed(row, &private, &NONE, b"message").expect("a signature");
    verify(row, &public, &eddsa(false, b""), b"message", &plain).expect("no context is plain");
    signed(row, &private, &eddsa(false, &[1; 255]), b"").expect("the longest context");
    for prehash in [false, true] {
        let outcome = signed(row, &private, &eddsa(prehash, &[1; 256]), b"");
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid);
    }
}

#[test]
fn a_message_in_parts_is_bounded_where_it_is_kept() {
    let (_, private) = pair(&KeySpec::Edwards(Edwards::Ed25519));
    let start = row("CKM_EDDSA").sign.expect("a row");
    let mut signing = start(&private, &NONE).expect("started");
    let part = vec![0; 32 * 1024 * 1024];
    signing.update(&part).expect("half");
    signing.update(&part).expect("the other half");
    assert_eq!(refused(signing.update(&[0])), Rv::DataLenRange);
}

#[test]
fn macs_have_the_length_that_was_asked_and_keys_their_hash() {
    let key = secret_key(KeyType::GenericSecret, &[1; 32]);
    let full = signed(row("CKM_SHA256_HMAC"), &key, &NONE, b"message").expect("a MAC");
    let general = row("CKM_SHA256_HMAC_GENERAL");
    for len in [1, 16, 32] {
        let params = MechanismParams::MacLength(len as u64);
        let made = signed(general, &key, &params, b"message").expect("a MAC");
        assert_eq!(made, full[..len]);
        let outcome = verify(general, &key, &params, b"message", &full[..len - 1]);
        assert_eq!(refused(outcome), Rv::SignatureLenRange);
    }
    for len in [0, 33, u64::MAX] {
        let outcome = general.sign.expect("a row")(&key, &MechanismParams::MacLength(len));
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{len}");
    }
    assert_eq!(refused(general.sign.expect("a row")(&key, &NONE)), Rv::MechanismParamInvalid);
    let typed = secret_key(KeyType::Sha256Hmac, &[1; 32]);
    let same = signed(row("CKM_SHA256_HMAC"), &typed, &NONE, b"message").expect("a MAC");
    assert_eq!(same, full);
    for other in [KeyType::Sha384Hmac, KeyType::Aes] {
        let other = secret_key(other, &[1; 32]);
        let outcome = row("CKM_SHA256_HMAC").sign.expect("a row")(&other, &NONE);
        assert_eq!(refused(outcome), Rv::KeyTypeInconsistent);
    }
}

#[test]
fn shorter_halves_of_an_ecdsa_signature_count_as_padded() {
    let key = ec_public(Curve::P256, &{
        let (public, _) = pair(&KeySpec::Ec(Curve::P256));
        let point = public.attributes.get(attribute::EC_POINT).expect("a point");
        point[2..].to_vec()
    });
    let ecdsa = row("CKM_ECDSA");
    for len in [2, 32, 62, 64] {
        let outcome = verify(ecdsa, &key, &NONE, &[1; 32], &vec![1; len]);
        assert_eq!(refused(outcome), Rv::SignatureInvalid, "{len}");
    }
    for len in [0, 1, 63, 65, 66] {
        let outcome = verify(ecdsa, &key, &NONE, &[1; 32], &vec![1; len]);
        assert_eq!(refused(outcome), Rv::SignatureLenRange, "{len}");
    }
    let (edwards, seed) = (ed_public(&[0; 32]), ed_private(&[1; 32]));
    assert!(row("CKM_EDDSA").verify.expect("a row")(&edwards, &NONE).is_err(), "small order");
    signed(row("CKM_EDDSA"), &seed, &NONE, b"").expect("an empty message");
}
