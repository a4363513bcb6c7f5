//! The profiles that the token claims, and the published test cases of each. PKCS#11 Profiles 3.2:
//! BL-M-1-32, EXT-M-1-32, AUTH-M-1-32.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::{Refused, Session, Token, USER_PIN, call, isolated, known, template};

const CLAIMED: [ck::CK_PROFILE_ID; 3] =
    [ck::CKP_BASELINE_PROVIDER, ck::CKP_EXTENDED_PROVIDER, ck::CKP_AUTHENTICATION_TOKEN];

fn profiles(session: &Session<'_>) -> Vec<ck::CK_OBJECT_HANDLE> {
    session.find(&template! { CKA_CLASS => ck::CKO_PROFILE }).expect("a search")
}

#[test]
fn profiles_are_found_without_a_login_by_who_asks_for_them() {
    isolated(|bench| {
        let token = bench.token();
        for session in [token.read_only(), token.user()] {
            let found = profiles(&session);
            let claimed: Vec<_> =
                found.iter().map(|object| session.number(*object, ck::CKA_PROFILE_ID)).collect();
            assert_eq!(claimed, CLAIMED);
            for (object, id) in found.iter().zip(CLAIMED) {
                session.has(*object, ck::CKA_CLASS, ck::CKO_PROFILE);
                session.has(*object, ck::CKA_TOKEN, true);
                session.has(*object, ck::CKA_PRIVATE, false);
                assert!(!session.get(*object, ck::CKA_UNIQUE_ID).unwrap().is_empty());
                let by_id = session.find(&template! { CKA_PROFILE_ID => id }).unwrap();
                assert_eq!(by_id, [*object]);
                let value = session.get(*object, ck::CKA_VALUE);
                value.refused(ck::CKR_ATTRIBUTE_TYPE_INVALID);
            }
            let others = [ck::CKP_COMPLETE_PROVIDER, ck::CKP_PUBLIC_CERTIFICATES_TOKEN];
            for id in others {
                assert_eq!(session.count(&template! { CKA_PROFILE_ID => id }), 0);
            }
            let in_session = template! { CKA_CLASS => ck::CKO_PROFILE, CKA_TOKEN => false };
            assert_eq!(session.count(&in_session), 0);
        }
    });
}

/// Tools that list what is there count what people put there.
#[test]
fn a_search_for_anything_does_not_find_them() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        assert_eq!(session.count(&template! {}), 0);
        assert_eq!(session.count(&template! { CKA_TOKEN => true }), 0);
        assert_eq!(session.count(&template! { CKA_PRIVATE => false }), 0);
    });
}

#[test]
fn nobody_makes_changes_copies_or_destroys_one() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let profile = profiles(&session)[0];
        let made = template! {
            CKA_CLASS => ck::CKO_PROFILE, CKA_PROFILE_ID => ck::CKP_COMPLETE_PROVIDER,
        };
        session.create(&made).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let label = template! { CKA_LABEL => "mine" };
        session.set(profile, &label).refused(ck::CKR_ACTION_PROHIBITED);
        session.copy(profile, &label).refused(ck::CKR_ACTION_PROHIBITED);
        session.destroy(profile).refused(ck::CKR_ACTION_PROHIBITED);
        token.read_only().destroy(profile).refused(ck::CKR_SESSION_READ_ONLY);
        let how = plain(ck::CKM_AES_ECB);
        session.encrypt_init(&how, profile).refused(ck::CKR_KEY_HANDLE_INVALID);
        assert_eq!(profiles(&session).len(), CLAIMED.len());
    });
}

/// What all three begin with: the library, its slots and their tokens.
fn begin(token: &Token) {
    let module = &token.module;
    let mut info = ck::CK_INFO::default();
    call!(module, C_GetInfo(&raw mut info)).is(ck::CKR_OK);
    assert_eq!((info.cryptokiVersion.major, info.cryptokiVersion.minor), (3, 2));
    assert_eq!(info.flags, 0);
    let slots = module.slots(true).unwrap();
    assert_eq!(slots.first(), Some(&token.slot));
    let mut slot = ck::CK_SLOT_INFO::default();
    call!(module, C_GetSlotInfo(token.slot, &raw mut slot)).is(ck::CKR_OK);
    assert_eq!(slot.flags & ck::CKF_TOKEN_PRESENT, ck::CKF_TOKEN_PRESENT);
    let info = module.token_info(token.slot).unwrap();
    let flags = ck::CKF_RNG
        | ck::CKF_LOGIN_REQUIRED
        | ck::CKF_USER_PIN_INITIALIZED
        | ck::CKF_TOKEN_INITIALIZED;
    assert_eq!(info.flags & flags, flags);
}

fn end(token: &Token, session: &Session<'_>) {
    session.close().unwrap();
    call!(token.module, C_CloseAllSessions(token.slot)).is(ck::CKR_OK);
    call!(token.module, C_Finalize(null_mut())).is(ck::CKR_OK);
}

/// C_FindObjectsInit, C_FindObjects for one, C_FindObjectsFinal.
fn find_one(session: &Session<'_>, wanted: &crate::support::Template) -> Option<u64> {
    let (mut object, mut count, s) = (0, 0, session.handle);
    wanted.lend(|rows, rows_len| {
        call!(session, C_FindObjectsInit(s, rows, rows_len)).is(ck::CKR_OK);
    });
    call!(session, C_FindObjects(s, &raw mut object, 1, &raw mut count)).is(ck::CKR_OK);
    call!(session, C_FindObjectsFinal(s)).is(ck::CKR_OK);
    (count == 1).then_some(object)
}

#[test]
fn the_test_case_of_the_baseline_provider() {
    isolated(|bench| {
        let token = bench.token();
        begin(&token);
        let session = token.read_only();
        assert_eq!(find_one(&session, &template! { CKA_TOKEN => true }), None);
        end(&token, &session);
    });
}

#[test]
fn the_test_case_of_the_extended_provider() {
    isolated(|bench| {
        let token = bench.token();
        begin(&token);
        let list = token.module.mechanisms(token.slot).unwrap();
        for (mechanism, flags) in [
            (ck::CKM_SHA512, ck::CKF_DIGEST),
            (ck::CKM_RSA_PKCS_KEY_PAIR_GEN, ck::CKF_GENERATE_KEY_PAIR),
            (ck::CKM_RSA_PKCS, ck::CKF_ENCRYPT | ck::CKF_DECRYPT | ck::CKF_SIGN | ck::CKF_VERIFY),
        ] {
            assert!(list.contains(&mechanism));
            let info = token.module.mechanism_info(token.slot, mechanism).unwrap();
            assert_eq!(info.flags & flags, flags, "{mechanism:#x}");
        }
        let session = token.public();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(find_one(&session, &template! { CKA_TOKEN => true }), None);
        session.logout().unwrap();
        let (pin, pin_len) = crate::support::module::text(USER_PIN);
        let s = session.handle;
        call!(session, C_LoginUser(s, ck::CKU_USER, pin, pin_len, null_mut(), 0)).is(ck::CKR_OK);
        session.logout().unwrap();
        end(&token, &session);
    });
}

#[test]
fn the_test_case_of_the_authentication_token() {
    isolated(|bench| {
        let token = bench.token();
        let maker = token.user();
        let on_token = |key: crate::support::Template, label: &str| {
            maker.create(&key.and(ck::CKA_TOKEN, true).and(ck::CKA_LABEL, label)).unwrap();
        };
        on_token(known::rsa_public(), "testrsa-pub");
        on_token(known::rsa_private(), "testrsa-pri");
        maker.logout().unwrap();
        maker.close().unwrap();
        begin(&token);
        let session = token.user();
        let wanted = template! {
            CKA_TOKEN => true, CKA_LABEL => "testrsa-pub", CKA_CLASS => ck::CKO_PUBLIC_KEY,
        };
        let public = find_one(&session, &wanted).expect("the public key");
        session.has(public, ck::CKA_MODULUS, &known::hex(known::RSA_MODULUS));
        session.has(public, ck::CKA_PUBLIC_EXPONENT, b"\x01\x00\x01");
        let wanted = template! {
            CKA_TOKEN => true, CKA_LABEL => "testrsa-pri", CKA_CLASS => ck::CKO_PRIVATE_KEY,
        };
        let private = find_one(&session, &wanted).expect("the private key");
        let how = plain(ck::CKM_SHA256_RSA_PKCS);
        let signature = session.sign(&how, private, b"a certification request").unwrap();
        assert_eq!(signature.len(), 256);
        session.verify(&how, public, b"a certification request", &signature).unwrap();
        session.logout().unwrap();
        end(&token, &session);
    });
}
