//! PINs: who sets them, how long they are, and how many tries there are.
//! PKCS#11 3.2, C_InitPIN, C_SetPIN and the PIN flags of CK_TOKEN_INFO.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::module::text;
use crate::support::{Refused, SO_PIN, Session, Token, USER_PIN, call, isolated};

/// Tries before a PIN is locked, as configured by default.
const TRIES: usize = 10;

/// Flags of the user's PIN: after a failure, before the last try, locked.
const USER_FLAGS: [ck::CK_FLAGS; 3] =
    [ck::CKF_USER_PIN_COUNT_LOW, ck::CKF_USER_PIN_FINAL_TRY, ck::CKF_USER_PIN_LOCKED];
/// The same of the officer's PIN.
const SO_FLAGS: [ck::CK_FLAGS; 3] =
    [ck::CKF_SO_PIN_COUNT_LOW, ck::CKF_SO_PIN_FINAL_TRY, ck::CKF_SO_PIN_LOCKED];

fn show(token: &Token, flags: [ck::CK_FLAGS; 3]) -> [bool; 3] {
    flags.map(|flag| token.has(flag))
}

fn fail_logins(session: &Session<'_>, who: ck::CK_USER_TYPE, times: usize) {
    for _ in 0..times {
        session.login(who, "wrong").refused(ck::CKR_PIN_INCORRECT);
    }
}

#[test]
fn only_the_officer_sets_the_users_pin() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.init_pin("9999").refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.init_pin("9999").refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.init_pin("9999").unwrap();
        assert_eq!(session.state(), ck::CKS_RW_SO_FUNCTIONS, "setting a PIN does not log out");
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, "9999").unwrap();
    });
}

#[test]
fn a_pin_has_4_to_255_bytes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.officer();
        for length in [0, 1, 3, 256, 4096] {
            let pin = "p".repeat(length);
            session.init_pin(&pin).refused(ck::CKR_PIN_LEN_RANGE);
            session.set_pin(SO_PIN, &pin).refused(ck::CKR_PIN_LEN_RANGE);
        }
        for length in [4, 255] {
            session.init_pin(&"p".repeat(length)).unwrap();
        }
        session.set_pin(SO_PIN, &"s".repeat(255)).unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, &"p".repeat(255)).unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_SO, &"s".repeat(255)).unwrap();
    });
}

#[test]
fn a_pin_may_hold_any_bytes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.officer();
        let pin = "ä\0ß\u{1F511} \n";
        session.init_pin(pin).unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, "ä").refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, pin).unwrap();
    });
}

#[test]
fn null_pins_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.officer();
        let (s, (pin, pin_len), bad) = (session.handle, text(SO_PIN), ck::CKR_ARGUMENTS_BAD);
        call!(session, C_InitPIN(s, null_mut(), 0)).is(bad);
        call!(session, C_InitPIN(s, null_mut(), 8)).is(bad);
        call!(session, C_SetPIN(s, null_mut(), 8, pin, pin_len)).is(bad);
        call!(session, C_SetPIN(s, pin, pin_len, null_mut(), 8)).is(bad);
        call!(session, C_SetPIN(s, pin, pin_len, null_mut(), 0)).is(bad);
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).expect("the PIN is what it was");
    });
}

#[test]
fn a_read_only_session_changes_no_pin() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        session.set_pin(USER_PIN, "9999").refused(ck::CKR_SESSION_READ_ONLY);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.set_pin(USER_PIN, "9999").refused(ck::CKR_SESSION_READ_ONLY);
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
    });
}

#[test]
fn everyone_changes_a_pin_that_is_known() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.set_pin(USER_PIN, "by nobody").unwrap();
        assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        session.login(ck::CKU_USER, "by nobody").unwrap();
        session.set_pin("by nobody", "by the user").unwrap();
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS);
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.set_pin(SO_PIN, "by the officer").unwrap();
        assert_eq!(session.state(), ck::CKS_RW_SO_FUNCTIONS);
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_SO, "by the officer").unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, "by the user").unwrap();
    });
}

#[test]
fn changed_pins_outlast_the_library() {
    isolated(|bench| {
        let token = bench.token();
        token.user().set_pin(USER_PIN, "changed").unwrap();
        token.module.finalize().unwrap();
        token.module.initialize().unwrap();
        let session = token.public();
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, "changed").unwrap();
    });
}

#[test]
fn a_wrong_old_pin_changes_nothing_and_costs_a_try() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.set_pin("wrong", "9999").refused(ck::CKR_PIN_INCORRECT);
        assert!(token.has(ck::CKF_USER_PIN_COUNT_LOW));
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.set_pin("wrong", "9999").refused(ck::CKR_PIN_INCORRECT);
        assert!(token.has(ck::CKF_USER_PIN_COUNT_LOW));
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.set_pin(USER_PIN, "9999").refused(ck::CKR_PIN_INCORRECT);
        assert!(token.has(ck::CKF_SO_PIN_COUNT_LOW));
        assert_eq!(session.state(), ck::CKS_RW_SO_FUNCTIONS);
    });
}

#[test]
fn the_users_pin_is_locked_after_ten_wrong_tries() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        assert_eq!(show(&token, USER_FLAGS), [false; 3]);
        for tried in 1..=TRIES {
            fail_logins(&session, ck::CKU_USER, 1);
            let [low, last, locked] = show(&token, USER_FLAGS);
            assert!(low || locked, "after {tried}");
            assert_eq!(last, tried == TRIES - 1, "after {tried}");
            assert_eq!(locked, tried == TRIES, "after {tried}");
        }
        session.login(ck::CKU_USER, "wrong").refused(ck::CKR_PIN_LOCKED);
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_LOCKED);
        session.set_pin(USER_PIN, "9999").refused(ck::CKR_PIN_LOCKED);
        assert_eq!(show(&token, SO_FLAGS), [false; 3], "the officer's tries are others");
    });
}

#[test]
fn the_officers_pin_is_locked_after_ten_wrong_tries() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for tried in 1..=TRIES {
            fail_logins(&session, ck::CKU_SO, 1);
            let [low, last, locked] = show(&token, SO_FLAGS);
            assert!(low || locked, "after {tried}");
            assert_eq!(last, tried == TRIES - 1, "after {tried}");
            assert_eq!(locked, tried == TRIES, "after {tried}");
        }
        session.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_PIN_LOCKED);
        session.close().unwrap();
        token.module.init_token(token.slot, SO_PIN, "again").refused(ck::CKR_PIN_LOCKED);
        token.user();
        assert_eq!(show(&token, USER_FLAGS), [false; 3], "the user's tries are others");
    });
}

#[test]
fn the_right_pin_gives_all_tries_back() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for _ in 0..3 {
            fail_logins(&session, ck::CKU_USER, TRIES - 1);
            assert!(token.has(ck::CKF_USER_PIN_FINAL_TRY));
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            assert_eq!(show(&token, USER_FLAGS), [false; 3]);
            session.logout().unwrap();
        }
    });
}

#[test]
fn tries_outlast_the_library() {
    isolated(|bench| {
        let token = bench.token();
        for _ in 0..TRIES {
            fail_logins(&token.public(), ck::CKU_USER, 1);
            token.module.finalize().unwrap();
            token.module.initialize().unwrap();
        }
        token.public().login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_LOCKED);
    });
}

#[test]
fn making_a_token_anew_with_a_wrong_pin_costs_the_officer_a_try() {
    isolated(|bench| {
        let token = bench.token();
        for _ in 0..TRIES {
            let refused = token.module.init_token(token.slot, "wrong", "x");
            refused.refused(ck::CKR_PIN_INCORRECT);
        }
        assert!(token.has(ck::CKF_SO_PIN_LOCKED));
        token.module.init_token(token.slot, SO_PIN, "x").refused(ck::CKR_PIN_LOCKED);
        token.user();
    });
}

#[test]
fn the_officer_unlocks_the_users_pin() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        fail_logins(&session, ck::CKU_USER, TRIES);
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.init_pin("unlocked").unwrap();
        assert_eq!(show(&token, USER_FLAGS), [false; 3]);
        session.logout().unwrap();
        session.login(ck::CKU_USER, "unlocked").unwrap();
    });
}

#[test]
fn what_the_user_made_survives_a_new_pin() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let data = crate::support::template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => b"kept",
        };
        session.create(&data).unwrap();
        session.set_pin(USER_PIN, "second").unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.init_pin("third").unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, "third").unwrap();
        let found = session.find(&data).unwrap();
        session.has(found[0], ck::CKA_VALUE, b"kept");
    });
}
