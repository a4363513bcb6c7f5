//! Making tokens, and making them anew: C_InitToken.
//! PKCS#11 3.2, "Slot and token management functions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::slots::serial;
use crate::support::module::{padded, text};
use crate::support::{Refused, SO_PIN, USER_PIN, call, isolated, template};

const INITIALISED: ck::CK_FLAGS = ck::CKF_TOKEN_INITIALIZED;

#[test]
fn a_new_token_describes_itself() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        module.init_token(slot, SO_PIN, "fresh").unwrap();
        let info = module.token_info(slot).unwrap();
        assert_eq!(info.label, padded("fresh"));
        assert_eq!((info.ulMinPinLen, info.ulMaxPinLen), (4, 255));
        let flags = ck::CKF_RNG | ck::CKF_LOGIN_REQUIRED | INITIALISED;
        assert_eq!(info.flags & flags, flags);
        let absent = ck::CKF_USER_PIN_INITIALIZED
            | ck::CKF_WRITE_PROTECTED
            | ck::CKF_PROTECTED_AUTHENTICATION_PATH
            | ck::CKF_ERROR_STATE
            | ck::CKF_SO_PIN_LOCKED;
        assert_eq!(info.flags & absent, 0);
        assert!(!info.model.contains(&0) && !info.manufacturerID.contains(&0));
    });
}

#[test]
fn a_label_may_be_any_32_bytes_of_text() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        let label = "Zürich ✓ and 32 bytes in all.";
        assert_eq!(label.len(), 32);
        module.init_token(slot, SO_PIN, label).unwrap();
        assert_eq!(module.token_info(slot).unwrap().label, padded(label));
    });
}

#[test]
fn the_officers_pin_has_4_to_255_bytes() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        for length in [0, 1, 3, 256, 1000] {
            let pin = "x".repeat(length);
            module.init_token(slot, &pin, "no").refused(ck::CKR_PIN_LEN_RANGE);
        }
        assert!(!module.token_has(slot, INITIALISED));
        for length in [4, 255] {
            module.init_token(module.free_slot(), &"x".repeat(length), "yes").unwrap();
            module.finalize().unwrap();
            std::fs::remove_dir_all(bench.token_dir()).unwrap();
            module.initialize().unwrap();
        }
    });
}

#[test]
fn init_token_without_a_pin_or_label_is_refused() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        let (pin, pin_len) = text(SO_PIN);
        let mut label = padded("x");
        let bad = ck::CKR_ARGUMENTS_BAD;
        call!(module, C_InitToken(slot, null_mut(), 8, label.as_mut_ptr())).is(bad);
        call!(module, C_InitToken(slot, pin, pin_len, null_mut())).is(bad);
        assert!(!module.token_has(slot, INITIALISED));
    });
}

#[test]
fn a_token_is_made_anew_only_with_the_officers_pin() {
    isolated(|bench| {
        let token = bench.token();
        let (module, slot) = (&token.module, token.slot);
        for wrong in ["so-secret-", "so-secret-12", USER_PIN, "xxxx"] {
            module.init_token(slot, wrong, "taken").refused(ck::CKR_PIN_INCORRECT);
        }
        assert_eq!(module.token_info(slot).unwrap().label, padded("test token"));
        token.user().close().unwrap();
    });
}

#[test]
fn a_token_made_anew_keeps_its_serial_number_and_loses_everything_else() {
    isolated(|bench| {
        let token = bench.token();
        let (module, slot) = (&token.module, token.slot);
        let before = serial(module, slot);
        let session = token.user();
        for private in [true, false] {
            let data = template! {
                CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => private,
                CKA_VALUE => b"gone soon",
            };
            session.create(&data).unwrap();
        }
        session.close().unwrap();
        module.init_token(slot, SO_PIN, "second life").unwrap();
        let info = module.token_info(slot).unwrap();
        assert_eq!((info.serialNumber, info.label), (before, padded("second life")));
        assert_eq!(info.flags & ck::CKF_USER_PIN_INITIALIZED, 0);
        let session = token.public();
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_USER_PIN_NOT_INITIALIZED);
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.init_pin(USER_PIN).unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.count(&template! {}), 0);
    });
}

#[test]
fn a_token_with_an_open_session_is_not_made_anew() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        token.module.init_token(token.slot, SO_PIN, "no").refused(ck::CKR_SESSION_EXISTS);
        session.close().unwrap();
        token.module.init_token(token.slot, SO_PIN, "yes").unwrap();
    });
}
