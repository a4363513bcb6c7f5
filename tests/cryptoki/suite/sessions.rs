//! Sessions, C_InitToken, PINs and logins.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::module::{padded, text};
use crate::support::{Refused, SO_PIN, USER_PIN, call};

#[test]
fn a_session_is_opened_as_the_flags_say() {
    on_token(|token| {
        let module = &token.module;
        let serial = ck::CKF_SERIAL_SESSION;
        call!(module, C_OpenSession(token.slot, serial, null_mut(), None, null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
        let mut handle = 0;
        call!(module, C_OpenSession(token.slot, 0, null_mut(), None, &raw mut handle))
            .is(ck::CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        let info = token.read_only().info().unwrap();
        assert_eq!((info.slotID, info.state), (token.slot, ck::CKS_RO_PUBLIC_SESSION));
        assert_eq!(info.flags, ck::CKF_SERIAL_SESSION);
        let info = token.public().info().unwrap();
        assert_eq!(info.state, ck::CKS_RW_PUBLIC_SESSION);
        assert_eq!(info.flags, ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION);
    });
}

#[test]
fn a_closed_session_and_one_that_never_was_are_told() {
    on_token(|token| {
        let session = token.read_only();
        let invalid = ck::CKR_SESSION_HANDLE_INVALID;
        call!(session, C_CloseSession(session.handle + 1)).is(invalid);
        call!(session, C_GetSessionInfo(session.handle, null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        session.close().unwrap();
        session.close().refused(invalid);
        session.info().refused(invalid);
    });
}

#[test]
fn closing_all_sessions_of_a_slot_leaves_those_of_another() {
    on_token(|token| {
        let session = token.read_only();
        call!(session, C_CloseAllSessions(token.module.free_slot())).is(ck::CKR_OK);
        session.info().unwrap();
        call!(session, C_CloseAllSessions(token.slot)).is(ck::CKR_OK);
        session.info().refused(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn a_token_is_initialised_again_by_its_officer_alone() {
    on_token(|token| {
        let module = &token.module;
        let serial = module.token_info(token.slot).unwrap().serialNumber;
        let (pin, pin_len) = text(SO_PIN);
        let mut label = padded("again");
        let label = label.as_mut_ptr();
        call!(module, C_InitToken(token.slot, null_mut(), pin_len, label))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(module, C_InitToken(token.slot, pin, pin_len - 1, label)).is(ck::CKR_PIN_INCORRECT);
        let session = token.read_only();
        call!(module, C_InitToken(token.slot, pin, pin_len, label)).is(ck::CKR_SESSION_EXISTS);
        session.close().unwrap();
        call!(module, C_InitToken(token.slot, pin, pin_len, label)).is(ck::CKR_OK);
        let info = module.token_info(token.slot).unwrap();
        assert_eq!((info.serialNumber, info.label), (serial, padded("again")));
        assert_eq!(info.flags & ck::CKF_USER_PIN_INITIALIZED, 0, "the user PIN is gone");
        let session = token.public();
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_USER_PIN_NOT_INITIALIZED);
    });
}

#[test]
fn the_officer_sets_the_users_pin() {
    on_token(|token| {
        let session = token.public();
        session.init_pin(USER_PIN).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        let (pin, _) = text(USER_PIN);
        call!(session, C_InitPIN(session.handle, pin, 0)).is(ck::CKR_PIN_LEN_RANGE);
        session.init_pin("1234").unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_USER, "1234").unwrap();
    });
}

#[test]
fn a_login_wants_the_right_pin_and_the_right_moment() {
    on_token(|token| {
        let reader = token.read_only();
        let (s, (pin, pin_len)) = (reader.handle, text(USER_PIN));
        call!(reader, C_Login(s, ck::CKU_USER, null_mut(), pin_len)).is(ck::CKR_ARGUMENTS_BAD);
        call!(reader, C_Login(s, ck::CKU_USER, pin, 0)).is(ck::CKR_PIN_INCORRECT);
        call!(reader, C_Login(s, ck::CKU_USER, pin, pin_len - 1)).is(ck::CKR_PIN_INCORRECT);
        call!(reader, C_Login(s, 77, pin, pin_len)).is(ck::CKR_USER_TYPE_INVALID);
        reader.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_SESSION_READ_ONLY_EXISTS);
        reader.login(ck::CKU_USER, USER_PIN).unwrap();
        reader.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_USER_ALREADY_LOGGED_IN);
        assert_eq!(reader.state(), ck::CKS_RO_USER_FUNCTIONS);
        reader.close().unwrap();
        let writer = token.user();
        writer.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        writer.logout().unwrap();
        writer.login(ck::CKU_SO, SO_PIN).unwrap();
        writer.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_USER_ALREADY_LOGGED_IN);
        writer.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        token.module.open(token.slot, 0).map(drop).refused(ck::CKR_SESSION_READ_WRITE_SO_EXISTS);
    });
}

#[test]
fn a_second_logout_is_as_good_as_the_first() {
    on_token(|token| {
        let session = token.user();
        call!(session, C_Logout(session.handle + 1)).is(ck::CKR_SESSION_HANDLE_INVALID);
        session.logout().unwrap();
        session.logout().unwrap();
    });
}

#[test]
fn pins_are_changed_by_whoever_knows_them() {
    on_token(|token| {
        let reader = token.read_only();
        reader.set_pin(USER_PIN, "12345").refused(ck::CKR_SESSION_READ_ONLY);
        reader.close().unwrap();
        // Nobody needs to be logged in.
        let session = token.public();
        session.set_pin("wrong one", "12345").refused(ck::CKR_PIN_INCORRECT);
        let ((old, old_len), (new, _)) = (text(USER_PIN), text("12345"));
        call!(session, C_SetPIN(session.handle, old, old_len, new, 0)).is(ck::CKR_PIN_LEN_RANGE);
        session.set_pin(USER_PIN, "12345").unwrap();
        session.login(ck::CKU_USER, "12345").unwrap();
        session.set_pin("12345", USER_PIN).unwrap();
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS, "nobody was logged out");
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        session.set_pin(USER_PIN, "officer-9").refused(ck::CKR_PIN_INCORRECT);
        session.set_pin(SO_PIN, "officer-9").unwrap();
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_SO, "officer-9").unwrap();
    });
}

#[test]
fn random_numbers_are_given_and_seeds_are_taken() {
    on_token(|token| {
        let session = token.read_only();
        call!(session, C_SeedRandom(session.handle, null_mut(), 16)).is(ck::CKR_ARGUMENTS_BAD);
        session.seed_random(b"sixteen bytes ok").unwrap();
        call!(session, C_GenerateRandom(session.handle, null_mut(), 1)).is(ck::CKR_ARGUMENTS_BAD);
        let (one, two) = (session.random(40).unwrap(), session.random(40).unwrap());
        assert_ne!(one, two);
    });
}
