//! Objects: who may make, copy, change, see and destroy which.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::{Refused, Rv, SO_PIN, Session, Template, USER_PIN, call, known, template};

fn data(token: bool, private: bool) -> Template {
    template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => token, CKA_PRIVATE => private }
}

/// What making each of the four kinds of objects answers: session or token, public or private.
fn makes(session: &Session<'_>) -> [ck::CK_RV; 4] {
    [(false, false), (false, true), (true, false), (true, true)].map(|(token, private)| {
        match session.create(&data(token, private)) {
            Err(Rv(rv)) => rv,
            Ok(object) => {
                session.destroy(object).expect("what was made");
                ck::CKR_OK
            }
        }
    })
}

#[test]
fn what_may_be_made_is_told_by_session_and_login() {
    on_token(|token| {
        let (ok, nobody, reading) =
            (ck::CKR_OK, ck::CKR_USER_NOT_LOGGED_IN, ck::CKR_SESSION_READ_ONLY);
        let reader = token.read_only();
        // That the session only reads counts before that nobody is logged in.
        assert_eq!(makes(&reader), [ok, nobody, reading, reading]);
        let writer = token.public();
        assert_eq!(makes(&writer), [ok, nobody, ok, nobody]);
        writer.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(makes(&reader), [ok, ok, reading, reading]);
        assert_eq!(makes(&writer), [ok; 4]);
        writer.logout().unwrap();
        reader.close().unwrap();
        writer.login(ck::CKU_SO, SO_PIN).unwrap();
        assert_eq!(makes(&writer), [ok, nobody, ok, nobody]);
    });
}

#[test]
fn a_key_that_is_brought_in_was_not_born_here() {
    on_token(|token| {
        let session = token.user();
        let allowed = [ck::CKM_AES_CBC, ck::CKM_AES_ECB];
        let key = known::aes(&[1; 16]).and(ck::CKA_ALLOWED_MECHANISMS, &allowed[..]);
        let key = session.create(&key).unwrap();
        for kind in [ck::CKA_LOCAL, ck::CKA_ALWAYS_SENSITIVE, ck::CKA_NEVER_EXTRACTABLE] {
            assert!(!session.flag(key, kind), "{kind:#x}");
        }
        session.has(key, ck::CKA_KEY_GEN_MECHANISM, ck::CK_UNAVAILABLE_INFORMATION);
        let listed = session.get(key, ck::CKA_ALLOWED_MECHANISMS).unwrap();
        let (listed, _) = listed.as_chunks::<8>();
        let mut listed: Vec<_> = listed.iter().map(|it| ck::CK_ULONG::from_ne_bytes(*it)).collect();
        listed.sort_unstable();
        assert_eq!(listed, [ck::CKM_AES_ECB, ck::CKM_AES_CBC], "in any order");
    });
}

#[test]
fn a_copy_changes_little_and_only_where_copies_are_allowed() {
    on_token(|token| {
        let session = token.user();
        let fixed = session.create(&data(false, false).and(ck::CKA_COPYABLE, false)).unwrap();
        session.copy(fixed, &template! {}).refused(ck::CKR_ACTION_PROHIBITED);
        let private = session.create(&data(false, true)).unwrap();
        // Neither may be given, whatever the value.
        session
            .copy(private, &template! { CKA_CLASS => ck::CKO_DATA })
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session
            .copy(private, &template! { CKA_OBJECT_ID => b"\x06\x01\x2a" })
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session
            .copy(private, &template! { CKA_PRIVATE => false })
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let copy = session
            .copy(private, &template! { CKA_TOKEN => true, CKA_LABEL => "the copy" })
            .unwrap();
        assert!(session.flag(copy, ck::CKA_TOKEN));
        session.has(copy, ck::CKA_LABEL, "the copy");
        assert!(!session.flag(private, ck::CKA_TOKEN));
    });
}

#[test]
fn an_object_is_destroyed_where_that_is_allowed() {
    on_token(|token| {
        let session = token.user();
        let gone = session.create(&data(false, false)).unwrap();
        call!(session, C_DestroyObject(0, gone)).is(ck::CKR_SESSION_HANDLE_INVALID);
        session.destroy(gone).unwrap();
        session.destroy(gone).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        let kept = session.create(&data(false, false).and(ck::CKA_DESTROYABLE, false)).unwrap();
        session.destroy(kept).refused(ck::CKR_ACTION_PROHIBITED);
        let on_token = session.create(&data(true, false)).unwrap();
        let reader = token.read_only();
        reader.destroy(on_token).refused(ck::CKR_SESSION_READ_ONLY);
        session.destroy(on_token).unwrap();
    });
}

#[test]
fn a_logout_anywhere_takes_private_objects_away() {
    on_token(|token| {
        let (session, other) = (token.user(), token.read_only());
        let in_session = session.create(&data(false, true)).unwrap();
        let on_token = session.create(&data(true, true)).unwrap();
        let public = session.create(&data(true, false)).unwrap();
        other.logout().unwrap();
        for gone in [in_session, on_token] {
            session.destroy(gone).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        }
        session.get(public, ck::CKA_CLASS).unwrap();
    });
}

#[test]
fn the_size_of_an_object_is_not_told() {
    on_token(|token| {
        let session = token.user();
        let object = session.create(&data(false, false)).unwrap();
        let mut size = 0;
        call!(session, C_GetObjectSize(session.handle, 0, &raw mut size))
            .is(ck::CKR_OBJECT_HANDLE_INVALID);
        call!(session, C_GetObjectSize(session.handle, object, null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_GetObjectSize(session.handle, object, &raw mut size)).is(ck::CKR_OK);
        assert_eq!(size, ck::CK_UNAVAILABLE_INFORMATION);
    });
}

#[test]
fn attributes_are_asked_for_and_changed_by_the_rules() {
    on_token(|token| {
        let (session, reader) = (token.user(), token.read_only());
        let s = session.handle;
        let object = session.create(&data(true, false)).unwrap();
        call!(session, C_GetAttributeValue(s, object, null_mut(), 1)).is(ck::CKR_ARGUMENTS_BAD);
        session.get(0, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        session.get(object, ck::CKA_MODULUS).refused(ck::CKR_ATTRIBUTE_TYPE_INVALID);
        let label = template! { CKA_LABEL => "changed" };
        reader.set(object, &label).refused(ck::CKR_SESSION_READ_ONLY);
        session.set(object, &label).unwrap();
        session.has(object, ck::CKA_LABEL, "changed");
        let fixed = session.create(&data(false, false).and(ck::CKA_MODIFIABLE, false)).unwrap();
        session.set(fixed, &label).refused(ck::CKR_ACTION_PROHIBITED);
    });
}

#[test]
fn what_is_found_depends_on_the_login_and_the_session() {
    on_token(|token| {
        let (session, owner) = (token.user(), token.read_only());
        session.create(&data(true, false)).unwrap();
        session.create(&data(true, true)).unwrap();
        owner.create(&data(false, false)).unwrap();
        owner.create(&data(false, true)).unwrap();
        let all = template! { CKA_CLASS => ck::CKO_DATA };
        assert_eq!(session.count(&all), 4);
        session.logout().unwrap();
        assert_eq!(session.count(&all), 2, "the public ones");
        owner.close().unwrap();
        assert_eq!(session.count(&all), 1, "the one on the token");
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.count(&all), 2, "both on the token");
        call!(session, C_FindObjectsInit(session.handle, null_mut(), 1)).is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_FindObjectsFinal(session.handle)).is(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}
