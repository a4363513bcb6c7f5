//! Who may log in when, and what a login changes: C_Login, C_LoginUser, C_Logout.
//! PKCS#11 3.2, "Session management functions"; Usage Guide, "Session states".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::module::text;
use crate::support::operations::plain;
use crate::support::{Refused, SO_PIN, Session, USER_PIN, call, isolated, template};

/// The DER object identifier of P-256.
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// A P-256 private key that wants the PIN before each use.
fn careful_key(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    let public = template! { CKA_EC_PARAMS => P256, CKA_VERIFY => true };
    let private = template! {
        CKA_PRIVATE => true, CKA_SIGN => true, CKA_ALWAYS_AUTHENTICATE => true,
    };
    let made = session.generate_pair(&plain(ck::CKM_EC_KEY_PAIR_GEN), &public, &private);
    made.expect("C_GenerateKeyPair").1
}

fn private_data(session: &Session<'_>, on_token: bool) -> ck::CK_OBJECT_HANDLE {
    let data = template! {
        CKA_CLASS => ck::CKO_DATA, CKA_PRIVATE => true, CKA_TOKEN => on_token,
    };
    session.create(&data).expect("a private object")
}

#[test]
fn the_right_pin_logs_in() {
    isolated(|bench| {
        let token = bench.token();
        for (who, pin, state) in [
            (ck::CKU_USER, USER_PIN, ck::CKS_RW_USER_FUNCTIONS),
            (ck::CKU_SO, SO_PIN, ck::CKS_RW_SO_FUNCTIONS),
        ] {
            let session = token.public();
            session.login(who, pin).unwrap();
            assert_eq!(session.state(), state);
            session.logout().unwrap();
            assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        }
    });
}

#[test]
fn a_wrong_pin_logs_nobody_in() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for (who, pin) in [
            (ck::CKU_USER, SO_PIN),
            (ck::CKU_USER, ""),
            (ck::CKU_USER, "user-123"),
            (ck::CKU_USER, "user-12345"),
            (ck::CKU_SO, USER_PIN),
            (ck::CKU_SO, ""),
        ] {
            session.login(who, pin).refused(ck::CKR_PIN_INCORRECT);
            assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        }
        session.login(ck::CKU_USER, &"x".repeat(300)).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
    });
}

#[test]
fn a_login_without_a_pin_is_refused_and_costs_no_try() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for who in [ck::CKU_USER, ck::CKU_SO] {
            for length in [0, 8] {
                call!(session, C_Login(session.handle, who, null_mut(), length))
                    .is(ck::CKR_ARGUMENTS_BAD);
            }
        }
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
        assert!(!token.has(ck::CKF_SO_PIN_COUNT_LOW));
    });
}

#[test]
fn unknown_kinds_of_users_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for who in [3, 99, ck::CK_USER_TYPE::MAX] {
            session.login(who, USER_PIN).refused(ck::CKR_USER_TYPE_INVALID);
        }
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
    });
}

#[test]
fn the_user_cannot_log_in_before_the_pin_is_set() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        module.init_token(slot, SO_PIN, "fresh").unwrap();
        let session = module.read_write(slot);
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_USER_PIN_NOT_INITIALIZED);
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.init_pin(USER_PIN).unwrap();
        assert!(module.token_has(slot, ck::CKF_USER_PIN_INITIALIZED));
    });
}

#[test]
fn nobody_logs_in_twice() {
    isolated(|bench| {
        let token = bench.token();
        for (who, pin, other, other_pin) in [
            (ck::CKU_USER, USER_PIN, ck::CKU_SO, SO_PIN),
            (ck::CKU_SO, SO_PIN, ck::CKU_USER, USER_PIN),
        ] {
            let (first, second) = (token.public(), token.public());
            first.login(who, pin).unwrap();
            for session in [first, second] {
                session.login(who, pin).refused(ck::CKR_USER_ALREADY_LOGGED_IN);
                let another = session.login(other, other_pin);
                another.refused(ck::CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
            }
            second.logout().unwrap();
        }
    });
}

#[test]
fn a_wrong_pin_while_logged_in_costs_no_try() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for _ in 0..20 {
            session.login(ck::CKU_USER, "wrong").refused(ck::CKR_USER_ALREADY_LOGGED_IN);
        }
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
    });
}

#[test]
fn the_officer_does_not_log_in_beside_a_read_only_session() {
    isolated(|bench| {
        let token = bench.token();
        let (writer, reader) = (token.public(), token.read_only());
        for session in [writer, reader] {
            session.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_SESSION_READ_ONLY_EXISTS);
        }
        reader.close().unwrap();
        writer.login(ck::CKU_SO, SO_PIN).unwrap();
    });
}

#[test]
fn the_user_may_log_in_through_a_read_only_session() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.state(), ck::CKS_RO_USER_FUNCTIONS);
    });
}

#[test]
fn logging_out_without_a_login_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.logout().refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.logout().unwrap();
        session.logout().refused(ck::CKR_USER_NOT_LOGGED_IN);
    });
}

#[test]
fn logging_out_takes_private_objects_out_of_sight() {
    isolated(|bench| {
        let token = bench.token();
        let (session, watcher) = (token.user(), token.public());
        let on_token = private_data(&session, true);
        let in_session = private_data(&session, false);
        let public = template! { CKA_CLASS => ck::CKO_DATA, CKA_PRIVATE => false };
        let public = watcher.create(&public).unwrap();
        assert_eq!(session.count(&template! {}), 3);
        watcher.logout().unwrap();
        for gone in [on_token, in_session] {
            session.get(gone, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
            session.destroy(gone).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        }
        assert_eq!(session.find(&template! {}).unwrap(), [public]);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        let again = session.find(&template! { CKA_PRIVATE => true }).unwrap();
        assert_eq!(again.len(), 1, "private session objects are destroyed");
        assert_ne!(again[0], on_token, "old handles of private objects never come back");
        session.get(on_token, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
    });
}

#[test]
fn logging_out_ends_operations_with_private_keys() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = template! { CKA_EC_PARAMS => P256 };
        let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
        let (_, key) = session.generate_pair(&how, &public, &template! {}).unwrap();
        session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
        session.logout().unwrap();
        let signed = session.sign_data(&[7; 32]).expect_err("no signature after the logout");
        signed.is_one_of(&[ck::CKR_OPERATION_NOT_INITIALIZED, ck::CKR_USER_NOT_LOGGED_IN]);
    });
}

/// C_LoginUser with a user's name.
fn login_user(session: &Session<'_>, who: ck::CK_USER_TYPE, pin: &str) -> crate::support::Rv {
    let (pin, pin_len) = text(pin);
    call!(session, C_LoginUser(session.handle, who, pin, pin_len, null_mut(), 0))
}

#[test]
fn login_user_without_a_name_is_login() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        login_user(&session, ck::CKU_USER, "wrong").is(ck::CKR_PIN_INCORRECT);
        login_user(&session, 99, USER_PIN).is(ck::CKR_USER_TYPE_INVALID);
        login_user(&session, ck::CKU_USER, USER_PIN).is(ck::CKR_OK);
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS);
        login_user(&session, ck::CKU_USER, USER_PIN).is(ck::CKR_USER_ALREADY_LOGGED_IN);
        session.logout().unwrap();
        login_user(&session, ck::CKU_SO, SO_PIN).is(ck::CKR_OK);
        assert_eq!(session.state(), ck::CKS_RW_SO_FUNCTIONS);
    });
}

#[test]
fn a_careful_key_signs_once_per_pin() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = careful_key(&session);
        for _ in 0..3 {
            session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
            session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN).unwrap();
            assert_eq!(session.sign_data(&[1; 32]).unwrap().len(), 64);
        }
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS);
    });
}

#[test]
fn a_careful_key_without_the_pin_does_nothing_and_the_operation_ends() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = careful_key(&session);
        session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
        session.sign_data(&[1; 32]).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.sign_data(&[1; 32]).refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.sign_init(&plain(ck::CKM_ECDSA_SHA256), key).unwrap();
        session.sign_update(&[1; 32]).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.sign_update(&[1; 32]).refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.sign_init(&plain(ck::CKM_ECDSA_SHA256), key).unwrap();
        session.sign_final().refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.sign_final().refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn a_wrong_context_specific_pin_leaves_the_operation_as_it_was() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = careful_key(&session);
        session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
        session.login(ck::CKU_CONTEXT_SPECIFIC, "wrong").refused(ck::CKR_PIN_INCORRECT);
        assert!(token.has(ck::CKF_USER_PIN_COUNT_LOW));
        session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN).unwrap();
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
        session.sign_data(&[1; 32]).unwrap();
    });
}

#[test]
fn a_context_specific_login_needs_an_operation_that_waits_for_it() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let idle = ck::CKR_OPERATION_NOT_INITIALIZED;
        session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN).refused(idle);
        session.login(ck::CKU_CONTEXT_SPECIFIC, "wrong").refused(idle);
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN).refused(idle);
        session.digest_update(b"undisturbed").unwrap();
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
    });
}

#[test]
fn too_many_wrong_context_specific_pins_lock_and_log_out() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = careful_key(&session);
        session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
        let mut answers = Vec::new();
        for _ in 0..11 {
            answers.extend(session.login(ck::CKU_CONTEXT_SPECIFIC, "wrong").err());
        }
        assert!(answers[..9].iter().all(|rv| rv.0 == ck::CKR_PIN_INCORRECT), "{answers:?}");
        assert!(token.has(ck::CKF_USER_PIN_LOCKED));
        assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_LOCKED);
    });
}

#[test]
fn a_context_specific_login_does_not_log_in() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session
            .login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN)
            .refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
    });
}
