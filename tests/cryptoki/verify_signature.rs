//! Verification where the signature comes first. PKCS#11 3.2, "C_VerifySignatureInit" and its
//! sections.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, ED25519, P256};
use crate::support::operations::{Mechanism, input, plain, with_struct};
use crate::support::{Refused, Rv, Session, call, isolated, template};

const DATA: &[u8] = b"what was signed, in as many bytes as it takes";
const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const PSS: ck::CK_RSA_PKCS_PSS_PARAMS =
    ck::CK_RSA_PKCS_PSS_PARAMS { hashAlg: ck::CKM_SHA256, mgf: ck::CKG_MGF1_SHA256, sLen: 32 };

/// Mechanisms that hash what they sign, with keys (for signing, for verifying).
fn hashing(
    session: &Session<'_>,
) -> Vec<(Mechanism<'static>, ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE)> {
    let (ec_public, ec) = crate::ecdsa::generate(session, P256);
    let public = template! { CKA_EC_PARAMS => ED25519 };
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let (ed_public, ed) = session.generate_pair(&how, &public, &template! {}).unwrap();
    let rsa_public = session.create(&known::rsa_public()).unwrap();
    let rsa = session.create(&known::rsa_private()).unwrap();
    let secret = session.create(&known::generic(&[3; 32])).unwrap();
    vec![
        (plain(ck::CKM_ECDSA_SHA256), ec, ec_public),
        (plain(ck::CKM_EDDSA), ed, ed_public),
        (plain(ck::CKM_SHA384_RSA_PKCS), rsa, rsa_public),
        (with_struct(ck::CKM_SHA256_RSA_PKCS_PSS, &PSS), rsa, rsa_public),
        (plain(ck::CKM_SHA512_HMAC), secret, secret),
    ]
}

#[test]
fn whole_data_and_parts_are_verified() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key, public) in hashing(&session) {
            let signature = session.sign(&how, key, DATA).unwrap();
            session.verify_signature_init(&how, public, &signature).unwrap();
            session.verify_signature_data(DATA).unwrap();
            session.verify_signature_init(&how, public, &signature).unwrap();
            DATA.chunks(7).for_each(|part| session.verify_signature_update(part).unwrap());
            session.verify_signature_final().unwrap();
            session.verify_signature_final().refused(IDLE);
        }
    });
}

#[test]
fn other_data_and_other_signatures_are_refused_and_end_it() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key, public) in hashing(&session) {
            let mut signature = session.sign(&how, key, DATA).unwrap();
            session.verify_signature_init(&how, public, &signature).unwrap();
            session.verify_signature_data(b"else").refused(ck::CKR_SIGNATURE_INVALID);
            session.verify_signature_data(DATA).refused(IDLE);
            signature[9] ^= 4;
            session.verify_signature_init(&how, public, &signature).unwrap();
            session.verify_signature_update(DATA).unwrap();
            session.verify_signature_final().refused(ck::CKR_SIGNATURE_INVALID);
            session.verify_signature_final().refused(IDLE);
        }
    });
}

#[test]
fn a_signature_of_another_length_begins_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key, public) in hashing(&session) {
            let signature = session.sign(&how, key, DATA).unwrap();
            let longer = [signature.as_slice(), &[0]].concat();
            for wrong in [&[][..], &signature[1..], &longer, &vec![1; 1 << 21]] {
                let refused = session.verify_signature_init(&how, public, wrong);
                refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
                session.verify_signature_data(DATA).refused(IDLE);
            }
        }
    });
}

#[test]
fn one_part_mechanisms_take_one_part() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = crate::ecdsa::generate(&session, P256);
        let how = plain(ck::CKM_ECDSA);
        let signature = session.sign(&how, private, &[7; 32]).unwrap();
        session.verify_signature_init(&how, public, &signature).unwrap();
        session.verify_signature_data(&[7; 32]).unwrap();
        session.verify_signature_init(&how, public, &signature).unwrap();
        session.verify_signature_update(&[7; 32]).refused(ck::CKR_FUNCTION_NOT_SUPPORTED);
        session.verify_signature_final().refused(IDLE);
    });
}

#[test]
fn one_verification_is_active_at_a_time_whichever_comes_first() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, _) = crate::ecdsa::generate(&session, P256);
        let how = plain(ck::CKM_ECDSA_SHA256);
        session.verify_init(&how, public).unwrap();
        session.verify_signature_init(&how, public, &[1; 64]).refused(ck::CKR_OPERATION_ACTIVE);
        session.verify_signature_update(DATA).refused(IDLE);
        session.verify_signature_data(DATA).refused(IDLE);
        session.verify_update(DATA).unwrap();
        session.verify_final(&[1; 64]).refused(ck::CKR_SIGNATURE_INVALID);
        session.verify_signature_init(&how, public, &[1; 64]).unwrap();
        session.verify_signature_init(&how, public, &[1; 64]).refused(ck::CKR_OPERATION_ACTIVE);
        session.verify_init(&how, public).refused(ck::CKR_OPERATION_ACTIVE);
        session.verify_update(DATA).refused(IDLE);
        session.verify_final(&[1; 64]).refused(IDLE);
        session.verify_data(DATA, &[1; 64]).refused(IDLE);
        session.verify_signature_update(DATA).unwrap();
        session.verify_signature_data(DATA).refused(ck::CKR_OPERATION_ACTIVE);
        session.verify_signature_final().refused(IDLE);
    });
}

#[test]
fn it_is_cancelled_without_a_mechanism_and_by_its_flag() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, _) = crate::ecdsa::generate(&session, P256);
        let (how, s) = (plain(ck::CKM_ECDSA_SHA256), session.handle);
        let cancel = || call!(session, C_VerifySignatureInit(s, null_mut(), 0, null_mut(), 0));
        cancel().is(ck::CKR_ARGUMENTS_BAD);
        session.verify_signature_init(&how, public, &[1; 64]).unwrap();
        call!(session, C_SessionCancel(s, ck::CKF_SIGN)).is(ck::CKR_OK);
        session.verify_signature_update(DATA).unwrap();
        call!(session, C_SessionCancel(s, ck::CKF_VERIFY)).is(ck::CKR_OK);
        session.verify_signature_final().refused(IDLE);
        session.verify_signature_init(&how, public, &[1; 64]).unwrap();
        cancel().is(ck::CKR_OK);
        session.verify_signature_final().refused(IDLE);
    });
}

#[test]
fn bad_pointers_keys_and_mechanisms_have_their_answers() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = crate::ecdsa::generate(&session, P256);
        let (how, s) = (plain(ck::CKM_ECDSA_SHA256), session.handle);
        let mut c = how.c;
        let init = &raw mut c;
        let bad = call!(session, C_VerifySignatureInit(s, init, public, null_mut(), 64));
        bad.is(ck::CKR_ARGUMENTS_BAD);
        let (start, _) = input(DATA);
        let bad = call!(session, C_VerifySignatureInit(s, init, public, start, u64::MAX));
        bad.is(ck::CKR_ARGUMENTS_BAD);
        session.verify_signature_init(&how, 0, &[1; 64]).refused(ck::CKR_KEY_HANDLE_INVALID);
        let wrong_half = session.verify_signature_init(&how, private, &[1; 64]);
        wrong_half
            .err()
            .unwrap_or(Rv(0))
            .is_one_of(&[ck::CKR_KEY_TYPE_INCONSISTENT, ck::CKR_KEY_FUNCTION_NOT_PERMITTED]);
        let digest = session.verify_signature_init(&plain(ck::CKM_SHA256), public, &[1; 64]);
        digest.refused(ck::CKR_MECHANISM_INVALID);
        let no_use = known::p256_public().and(ck::CKA_VERIFY, false);
        let no_use = session.create(&no_use).unwrap();
        let refused = session.verify_signature_init(&how, no_use, &[1; 64]);
        refused.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.verify_signature_init(&how, public, &[1; 64]).unwrap();
        call!(session, C_VerifySignature(s, null_mut(), 3)).is(ck::CKR_ARGUMENTS_BAD);
        session.verify_signature_data(DATA).refused(IDLE);
        session.verify_signature_init(&how, public, &[1; 64]).unwrap();
        call!(session, C_VerifySignatureUpdate(s, null_mut(), 3)).is(ck::CKR_ARGUMENTS_BAD);
        session.verify_signature_final().refused(IDLE);
    });
}

#[test]
fn each_is_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let secret = known::generic(&[3; 32]).and(ck::CKA_TOKEN, true);
        let secret = session.create(&secret).unwrap();
        let how = plain(ck::CKM_SHA256_HMAC);
        let code = session.sign(&how, secret, DATA).unwrap();
        session.verify_signature_init(&how, secret, &code).unwrap();
        session.verify_signature_data(DATA).unwrap();
        session.verify_signature_init(&how, secret, &[1; 32]).unwrap();
        session.verify_signature_update(DATA).unwrap();
        session.verify_signature_final().refused(ck::CKR_SIGNATURE_INVALID);
        let short = session.verify_signature_init(&how, secret, &[1; 31]);
        short.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        session.logout().unwrap();
        let log = bench.log();
        let good = log.one("C_VerifySignature", "CKR_OK");
        assert_eq!(good["in"].as_u64(), Some(DATA.len() as u64));
        assert_eq!(good["mechanism"], "CKM_SHA256_HMAC");
        log.one("C_VerifySignatureFinal", "CKR_SIGNATURE_INVALID");
        log.one("C_VerifySignatureInit", "CKR_SIGNATURE_LEN_RANGE");
        assert_eq!(log.count("C_VerifySignatureUpdate"), 0);
    });
}
