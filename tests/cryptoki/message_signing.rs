//! Signatures and MACs of one message after another. PKCS#11 3.2, "Message-based signing and MACing
//! functions", "Message-based functions for verifying signatures and MACs".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, ED25519, P256};
use crate::support::messages::parameter;
use crate::support::operations::{in_two_calls, input, lend_room, plain, with_struct};
use crate::support::{Refused, Session, USER_PIN, call, isolated, template};

const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const ACTIVE: ck::CK_RV = ck::CKR_OPERATION_ACTIVE;
const WRONG: ck::CK_RV = ck::CKR_SIGNATURE_INVALID;

fn ed25519(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519 };
    session.generate_pair(&how, &public, &template! {}).expect("a pair")
}

#[test]
fn messages_whole_and_in_parts_are_signed_and_verified() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (ec_public, ec) = crate::ecdsa::generate(&session, P256);
        let (ed_public, ed) = ed25519(&session);
        let rsa_public = session.create(&known::rsa_public()).unwrap();
        let rsa = session.create(&known::rsa_private()).unwrap();
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        for (how, key, public) in [
            (plain(ck::CKM_ECDSA_SHA256), ec, ec_public),
            (plain(ck::CKM_EDDSA), ed, ed_public),
            (plain(ck::CKM_SHA256_RSA_PKCS), rsa, rsa_public),
            (plain(ck::CKM_SHA256_HMAC), secret, secret),
        ] {
            session.message_sign_init(&how, key).unwrap();
            session.message_verify_init(&how, public).unwrap();
            for message in [b"first".as_slice(), b"", b"a third, which is longer"] {
                let signature = session.sign_message(message).unwrap();
                session.verify(&how, public, message, &signature).unwrap();
                session.verify_message(message, &signature).unwrap();
                session.verify_message(b"another", &signature).refused(WRONG);
                session.sign_message_begin().unwrap();
                let (head, tail) = message.split_at(message.len() / 2);
                session.sign_message_part(head).unwrap();
                let signature = session.sign_message_last(tail).unwrap();
                session.verify(&how, public, message, &signature).unwrap();
                session.verify_message_begin().unwrap();
                session.verify_message_next(head, None).unwrap();
                session.verify_message_next(tail, Some(&signature)).unwrap();
                session.verify_message_begin().unwrap();
                session.verify_message_next(b"no", Some(&signature)).refused(WRONG);
                session.verify_message_next(b"no", Some(&signature)).refused(IDLE);
            }
            call!(session, C_MessageSignFinal(session.handle)).is(ck::CKR_OK);
            call!(session, C_MessageVerifyFinal(session.handle)).is(ck::CKR_OK);
            session.sign_message(b"x").refused(IDLE);
            session.verify_message(b"x", &[1; 64]).refused(IDLE);
        }
    });
}

/// A parameter of the message's own takes the place of the one that the process began with.
#[test]
fn a_message_may_bring_its_own_parameter() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = ed25519(&session);
        let s = session.handle;
        let context = |bytes: &'static [u8]| ck::CK_EDDSA_PARAMS {
            phFlag: 0,
            ulContextDataLen: bytes.len() as ck::CK_ULONG,
            pContextData: bytes.as_ptr().cast_mut(),
        };
        let (mut own, for_all) = (context(b"own"), context(b"for all"));
        let (start, size) = parameter(&mut own);
        let common = with_struct(ck::CKM_EDDSA, &for_all);
        session.message_sign_init(&common, private).unwrap();
        session.message_verify_init(&common, public).unwrap();
        let (data, data_len) = input(b"data");
        let with_own = in_two_calls(|out, room| {
            call!(session, C_SignMessage(s, start, size, data, data_len, out, room))
        })
        .unwrap();
        session.verify(&with_struct(ck::CKM_EDDSA, &own), public, b"data", &with_own).unwrap();
        session.verify_message(b"data", &with_own).refused(WRONG);
        let (signature, signature_len) = input(&with_own);
        let verified = call!(
            session,
            C_VerifyMessage(s, start, size, data, data_len, signature, signature_len)
        );
        verified.is(ck::CKR_OK);
        let with_common = session.sign_message(b"data").unwrap();
        session.verify(&common, public, b"data", &with_common).unwrap();
        call!(session, C_SignMessageBegin(s, start, size - 1)).is(ck::CKR_MECHANISM_PARAM_INVALID);
        call!(session, C_SignMessageBegin(s, start, size)).is(ck::CKR_OK);
        let in_parts = session.sign_message_last(b"data").unwrap();
        assert_eq!(in_parts, with_own);
        call!(session, C_MessageSignFinal(s)).is(ck::CKR_OK);
        session.message_sign_init(&plain(ck::CKM_ECDSA), 0).refused(ck::CKR_KEY_HANDLE_INVALID);
    });
}

#[test]
fn one_part_mechanisms_take_messages_in_one_part() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = crate::ecdsa::generate(&session, P256);
        let how = plain(ck::CKM_ECDSA);
        session.message_sign_init(&how, private).unwrap();
        for digest in [[1; 32], [2; 32]] {
            let signature = session.sign_message(&digest).unwrap();
            session.verify(&how, public, &digest, &signature).unwrap();
        }
        session.sign_message(b"").refused(ck::CKR_DATA_LEN_RANGE);
        session.sign_message_begin().unwrap();
        session.sign_message_part(&[1; 16]).refused(ck::CKR_FUNCTION_NOT_SUPPORTED);
        session.sign_message_part(&[1; 16]).refused(IDLE);
        session.sign_message(&[1; 32]).unwrap();
    });
}

#[test]
fn only_what_was_begun_goes_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        let (how, s) = (plain(ck::CKM_SHA256_HMAC), session.handle);
        session.sign_message_begin().refused(IDLE);
        session.sign_message_part(b"x").refused(IDLE);
        session.message_sign_init(&how, secret).unwrap();
        session.message_sign_init(&how, secret).refused(ACTIVE);
        session.sign_message_part(b"x").refused(IDLE);
        session.sign_message_begin().unwrap();
        session.sign_message_begin().refused(ACTIVE);
        session.sign_message(b"x").refused(ACTIVE);
        call!(session, C_MessageSignFinal(s)).is(ACTIVE);
        // An ordinary operation is another one.
        session.sign_init(&how, secret).unwrap();
        session.sign_update(b"x").unwrap();
        session.sign_message_part(b"x").unwrap();
        let (part, none) = (null_mut(), null_mut());
        call!(session, C_SignMessageNext(s, none, 0, part, 3, null_mut(), null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.sign_message_part(b"x").refused(IDLE);
        session.message_verify_init(&how, secret).unwrap();
        session.verify_message_begin().unwrap();
        session.verify_message_next(b"x", Some(&[1; 31])).refused(ck::CKR_SIGNATURE_LEN_RANGE);
        session.verify_message_next(b"x", None).refused(IDLE);
        call!(session, C_VerifyMessage(s, none, 0, part, 3, part.cast(), 0))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_SessionCancel(s, ck::CKF_SIGN | ck::CKF_MESSAGE_VERIFY)).is(ck::CKR_OK);
        session.verify_message(b"x", &[1; 32]).refused(IDLE);
        session.sign_message(b"x").unwrap();
        call!(session, C_MessageSignInit(s, null_mut(), 0)).is(ck::CKR_OK);
        session.sign_message(b"x").refused(IDLE);
    });
}

#[test]
fn short_rooms_change_nothing_and_signatures_may_cover_their_data() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        let (how, s) = (plain(ck::CKM_SHA256_HMAC), session.handle);
        let expected = session.sign(&how, secret, &[5; 32]).unwrap();
        session.message_sign_init(&how, secret).unwrap();
        let (data, data_len) = input(&[5; 32]);
        let none = null_mut();
        session.sign_message_begin().unwrap();
        for room in [0, 31] {
            let (rv, needed, _) = lend_room(room, |out, room| {
                call!(session, C_SignMessageNext(s, none, 0, data, data_len, out, room))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 32);
        }
        assert_eq!(session.sign_message_last(&[5; 32]).unwrap(), expected);
        let mut room = [5_u8; 32];
        let (place, mut length) = (room.as_mut_ptr(), 32);
        call!(session, C_SignMessage(s, none, 0, place, 32, place, &raw mut length)).is(ck::CKR_OK);
        assert_eq!((room.as_slice(), length), (expected.as_slice(), 32));
    });
}

#[test]
fn a_key_that_wants_the_pin_wants_it_for_every_message() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key =
            known::p256_private().and(ck::CKA_PRIVATE, true).and(ck::CKA_ALWAYS_AUTHENTICATE, true);
        let key = session.create(&key).unwrap();
        let again = || session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN);
        again().refused(IDLE);
        session.message_sign_init(&plain(ck::CKM_ECDSA_SHA256), key).unwrap();
        session.sign_message(b"x").refused(ck::CKR_USER_NOT_LOGGED_IN);
        again().unwrap();
        session.sign_message(b"x").unwrap();
        session.sign_message(b"x").refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.sign_message_begin().refused(ck::CKR_USER_NOT_LOGGED_IN);
        again().unwrap();
        session.sign_message_begin().unwrap();
        session.sign_message_part(b"x").unwrap();
        session.sign_message_last(b"x").unwrap();
        session.sign_message_begin().refused(ck::CKR_USER_NOT_LOGGED_IN);
        call!(session, C_MessageSignFinal(session.handle)).is(ck::CKR_OK);
    });
}

#[test]
fn every_message_is_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let secret = known::generic(&[3; 32]).and(ck::CKA_TOKEN, true);
        let secret = session.create(&secret).unwrap();
        let how = plain(ck::CKM_SHA256_HMAC);
        session.message_sign_init(&how, secret).unwrap();
        session.message_verify_init(&how, secret).unwrap();
        let signature = session.sign_message(b"four").unwrap();
        session.sign_message_begin().unwrap();
        session.sign_message_part(b"four").unwrap();
        session.sign_message_last(b"five!").unwrap();
        session.verify_message(b"four", &signature).unwrap();
        session.verify_message_begin().unwrap();
        session.verify_message_next(b"four", None).unwrap();
        session.verify_message_next(b"", Some(&signature)).unwrap();
        session.verify_message(b"five!", &signature).refused(WRONG);
        session.logout().unwrap();
        let log = bench.log();
        let bytes = |call| log.one(call, "CKR_OK")["in"].as_u64();
        assert_eq!(bytes("C_SignMessage"), Some(4));
        assert_eq!(bytes("C_SignMessageNext"), Some(9));
        assert_eq!(bytes("C_VerifyMessage"), Some(4));
        assert_eq!(bytes("C_VerifyMessageNext"), Some(4));
        log.one("C_VerifyMessage", "CKR_SIGNATURE_INVALID");
    });
}
