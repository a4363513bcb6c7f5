//! Signatures that give their data back. PKCS#11 3.2, "C_SignRecover", "C_VerifyRecover".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::{input, lend_room, plain};
use crate::support::{Refused, Session, call, isolated, known};

const DATA: &[u8] = b"given back by the signature";
const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const MODULUS: usize = 256;

/// The known RSA pair, for signatures with recovery: (public, private).
fn pair(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let public = known::rsa_public().and(ck::CKA_VERIFY_RECOVER, true);
    let private = known::rsa_private().and(ck::CKA_SIGN_RECOVER, true);
    (session.create(&public).unwrap(), session.create(&private).unwrap())
}

#[test]
fn data_comes_back_and_the_signature_is_the_one_of_sign() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let how = plain(ck::CKM_RSA_PKCS);
        for data in [&[][..], &[0], DATA, &[0xff; MODULUS - 11]] {
            session.sign_recover_init(&how, private).unwrap();
            let signature = session.sign_recover_data(data).unwrap();
            assert_eq!(signature.len(), MODULUS);
            session.verify_recover_init(&how, public).unwrap();
            assert_eq!(session.verify_recover_data(&signature).unwrap(), data);
            assert_eq!(session.sign(&how, private, data).unwrap(), signature);
            session.sign_recover_data(data).refused(IDLE);
            session.verify_recover_data(&signature).refused(IDLE);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused_and_ends_it() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let how = plain(ck::CKM_RSA_PKCS);
        session.sign_recover_init(&how, private).unwrap();
        session.sign_recover_data(&[1; MODULUS - 10]).refused(ck::CKR_DATA_LEN_RANGE);
        session.sign_recover_data(DATA).refused(IDLE);
        session.sign_recover_init(&how, private).unwrap();
        let signature = session.sign_recover_data(DATA).unwrap();
        for length in [0, 1, MODULUS - 1] {
            session.verify_recover_init(&how, public).unwrap();
            let refused = session.verify_recover_data(&signature[..length]);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        for at in [1, 100, MODULUS - 1] {
            let mut forged = signature.clone();
            forged[at] ^= 2;
            session.verify_recover_init(&how, public).unwrap();
            let (s, (start, len)) = (session.handle, input(&forged));
            let (rv, _, room) = lend_room(MODULUS, |out, out_len| {
                call!(session, C_VerifyRecover(s, start, len, out, out_len))
            });
            rv.is(ck::CKR_SIGNATURE_INVALID);
            assert_eq!(room, [0; MODULUS], "nothing is left in the room");
            session.verify_recover_data(&signature).refused(IDLE);
        }
        let encrypted = session.encrypt(&how, public, DATA).unwrap();
        session.verify_recover_init(&how, public).unwrap();
        session.verify_recover_data(&encrypted).refused(ck::CKR_SIGNATURE_INVALID);
    });
}

#[test]
fn short_rooms_keep_it_and_it_works_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let (how, s, (data, len)) = (plain(ck::CKM_RSA_PKCS), session.handle, input(DATA));
        session.sign_recover_init(&how, private).unwrap();
        for room in [0, 1, MODULUS - 1] {
            let (rv, needed, _) = lend_room(room, |out, out_len| {
                call!(session, C_SignRecover(s, data, len, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, MODULUS);
        }
        let mut room = [0; MODULUS];
        room[..DATA.len()].copy_from_slice(DATA);
        let (start, mut length) = (room.as_mut_ptr(), MODULUS as u64);
        call!(session, C_SignRecover(s, start, len, start, &raw mut length)).is(ck::CKR_OK);
        assert_eq!(length, MODULUS as u64);
        session.verify_recover_init(&how, public).unwrap();
        let (start, mut length) = (room.as_mut_ptr(), MODULUS as u64);
        call!(session, C_VerifyRecover(s, start, length, start, &raw mut length)).is(ck::CKR_OK);
        assert_eq!(&room[..usize::try_from(length).unwrap()], DATA);
    });
}

#[test]
fn only_keys_that_may_and_mechanisms_that_can() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let how = plain(ck::CKM_RSA_PKCS);
        let no_sign = known::rsa_private().and(ck::CKA_SIGN_RECOVER, false);
        let no_sign = session.create(&no_sign).unwrap();
        let refused = ck::CKR_KEY_FUNCTION_NOT_PERMITTED;
        session.sign_recover_init(&how, no_sign).refused(refused);
        let no_verify = known::rsa_public().and(ck::CKA_VERIFY_RECOVER, false);
        let no_verify = session.create(&no_verify).unwrap();
        session.verify_recover_init(&how, no_verify).refused(refused);
        let hashing = plain(ck::CKM_SHA256_RSA_PKCS);
        session.sign_recover_init(&hashing, private).refused(ck::CKR_MECHANISM_INVALID);
        session.verify_recover_init(&hashing, public).refused(ck::CKR_MECHANISM_INVALID);
        session.sign_recover_init(&how, 0).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.sign_recover_data(DATA).refused(IDLE);
        let info = token.module.mechanism_info(token.slot, ck::CKM_RSA_PKCS).unwrap();
        let both = ck::CKF_SIGN_RECOVER | ck::CKF_VERIFY_RECOVER;
        assert_eq!(info.flags & both, both);
    });
}

#[test]
fn they_are_cancelled_by_their_flags_and_without_a_mechanism() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let (how, s) = (plain(ck::CKM_RSA_PKCS), session.handle);
        session.sign_recover_init(&how, private).unwrap();
        session.sign_recover_init(&how, private).refused(ck::CKR_OPERATION_ACTIVE);
        session.verify_recover_init(&how, public).unwrap();
        call!(session, C_SessionCancel(s, ck::CKF_SIGN | ck::CKF_VERIFY)).is(ck::CKR_OK);
        session.verify_recover_init(&how, public).refused(ck::CKR_OPERATION_ACTIVE);
        call!(session, C_SessionCancel(s, ck::CKF_SIGN_RECOVER)).is(ck::CKR_OK);
        session.sign_recover_data(DATA).refused(IDLE);
        call!(session, C_VerifyRecoverInit(s, null_mut(), 0)).is(ck::CKR_OK);
        session.verify_recover_data(&[0; MODULUS]).refused(IDLE);
        call!(session, C_VerifyRecoverInit(s, null_mut(), 0)).is(ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn bad_pointers_end_them_and_uses_are_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let (how, s, (data, len)) = (plain(ck::CKM_RSA_PKCS), session.handle, input(DATA));
        session.sign_recover_init(&how, private).unwrap();
        call!(session, C_SignRecover(s, data, len, null_mut(), null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.sign_recover_data(DATA).refused(IDLE);
        session.verify_recover_init(&how, public).unwrap();
        call!(session, C_VerifyRecover(s, null_mut(), 256, null_mut(), null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.verify_recover_data(DATA).refused(IDLE);
        session.sign_recover_init(&how, private).unwrap();
        let signature = session.sign_recover_data(DATA).unwrap();
        session.verify_recover_init(&how, public).unwrap();
        session.verify_recover_data(&signature).unwrap();
        session.logout().unwrap();
        let log = bench.log();
        let used = log.one("C_SignRecover", "CKR_OK");
        assert_eq!(used["in"].as_u64(), Some(DATA.len() as u64));
        log.one("C_VerifyRecover", "CKR_OK");
    });
}
