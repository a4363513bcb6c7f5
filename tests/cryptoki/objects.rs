//! Making and destroying objects: who may, and which templates are refused.
//! PKCS#11 3.2, "Object management functions"; "Creating, modifying, and copying objects".

use cryptoki_sys as ck;

use crate::support::{Bench, Refused, Rv, Session, Template, call, isolated, template};

/// The module's own rule that public token objects change only after a login, switched off.
const AS_THE_STANDARD_SAYS: &str = "policy.public_write = \"standard\"";

/// A data object on the token or in the session, private or public.
pub fn data(on_token: bool, private: bool) -> Template {
    template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => on_token, CKA_PRIVATE => private,
        CKA_LABEL => "a label", CKA_VALUE => b"a value",
    }
}

/// What creating each kind of object answers: session public, session private, token public,
/// token private.
fn creations(session: &Session<'_>) -> [Rv; 4] {
    [(false, false), (false, true), (true, false), (true, true)].map(|(on_token, private)| {
        let made = session.create(&data(on_token, private));
        made.err().unwrap_or(Rv(ck::CKR_OK))
    })
}

/// The five session states of the standard, one after the other.
fn in_each_state(bench: &Bench, mut check: impl FnMut(&str, &Session<'_>)) {
    let token = bench.token();
    let (reader, writer) = (token.read_only(), token.public());
    check("RO public", &reader);
    check("RW public", &writer);
    writer.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
    check("RO user", &reader);
    check("RW user", &writer);
    writer.logout().unwrap();
    reader.close().unwrap();
    writer.login(ck::CKU_SO, crate::support::SO_PIN).unwrap();
    check("RW SO", &writer);
}

#[test]
fn each_session_state_makes_the_objects_that_the_standard_allows() {
    isolated(|bench| {
        bench.configure(AS_THE_STANDARD_SAYS);
        let (ok, no_login) = (Rv(ck::CKR_OK), Rv(ck::CKR_USER_NOT_LOGGED_IN));
        let read_only = Rv(ck::CKR_SESSION_READ_ONLY);
        in_each_state(bench, |state, session| {
            let expected = match state {
                "RO public" => [ok, no_login, read_only, read_only],
                "RO user" => [ok, ok, read_only, read_only],
                "RW user" => [ok; 4],
                _ => [ok, no_login, ok, no_login],
            };
            assert_eq!(creations(session), expected, "{state}");
        });
    });
}

#[test]
fn public_token_objects_are_made_after_a_login_only_unless_configured() {
    isolated(|bench| {
        let (ok, no_login) = (Rv(ck::CKR_OK), Rv(ck::CKR_USER_NOT_LOGGED_IN));
        in_each_state(bench, |state, session| {
            let made = session.create(&data(true, false)).err().unwrap_or(ok);
            match state {
                "RO public" | "RO user" => made.is(ck::CKR_SESSION_READ_ONLY),
                "RW public" => assert_eq!(made, no_login),
                _ => assert_eq!(made, ok, "{state}"),
            }
        });
    });
}

#[test]
fn each_session_state_destroys_the_objects_that_the_standard_allows() {
    isolated(|bench| {
        bench.configure(AS_THE_STANDARD_SAYS);
        let token = bench.token();
        let (reader, writer) = (token.read_only(), token.user());
        let made = |on_token, private| writer.create(&data(on_token, private)).unwrap();
        reader.destroy(made(true, false)).refused(ck::CKR_SESSION_READ_ONLY);
        reader.destroy(made(true, true)).refused(ck::CKR_SESSION_READ_ONLY);
        reader.destroy(made(false, true)).unwrap();
        writer.destroy(made(true, true)).unwrap();
        let (public, private) = (made(true, false), made(true, true));
        writer.logout().unwrap();
        reader.destroy(public).refused(ck::CKR_SESSION_READ_ONLY);
        writer.destroy(private).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        writer.destroy(public).unwrap();
    });
}

#[test]
fn token_objects_outlast_the_library_and_session_objects_do_not() {
    isolated(|bench| {
        let token = bench.token();
        assert_eq!(creations(&token.user()), [Rv(ck::CKR_OK); 4]);
        token.module.finalize().unwrap();
        token.module.initialize().unwrap();
        let session = token.public();
        assert_eq!(session.count(&template! {}), 1, "private ones are not seen");
        session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
        let found = session.find(&template! {}).unwrap();
        assert_eq!(found.len(), 2);
        for object in found {
            session.has(object, ck::CKA_VALUE, b"a value");
            session.has(object, ck::CKA_LABEL, "a label");
        }
    });
}

#[test]
fn a_destroyed_object_is_gone_for_everyone() {
    isolated(|bench| {
        let token = bench.token();
        let (session, other) = (token.user(), token.public());
        for template in [data(true, true), data(false, false)] {
            let object = session.create(&template).unwrap();
            other.get(object, ck::CKA_CLASS).unwrap();
            session.destroy(object).unwrap();
            for session in [session, other] {
                session.get(object, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
                session.destroy(object).refused(ck::CKR_OBJECT_HANDLE_INVALID);
            }
        }
        assert_eq!(session.count(&template! {}), 0);
    });
}

#[test]
fn an_object_may_refuse_to_be_destroyed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let kept = data(true, true).and(ck::CKA_DESTROYABLE, false);
        let object = session.create(&kept).unwrap();
        session.destroy(object).refused(ck::CKR_ACTION_PROHIBITED);
        session.get(object, ck::CKA_CLASS).unwrap();
    });
}

#[test]
fn the_session_is_looked_at_before_the_object() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let stranger = Session { module: &token.module, handle: session.handle + 7 };
        stranger.destroy(9999).refused(ck::CKR_SESSION_HANDLE_INVALID);
        stranger.get(9999, ck::CKA_CLASS).refused(ck::CKR_SESSION_HANDLE_INVALID);
        let mut size = 0;
        for object in [0, 9999, ck::CK_OBJECT_HANDLE::MAX] {
            let invalid = ck::CKR_OBJECT_HANDLE_INVALID;
            session.destroy(object).refused(invalid);
            session.get(object, ck::CKA_CLASS).refused(invalid);
            session.set(object, &template! { CKA_LABEL => "x" }).refused(invalid);
            session.copy(object, &template! {}).refused(invalid);
            call!(session, C_GetObjectSize(session.handle, object, &raw mut size)).is(invalid);
        }
    });
}

#[test]
fn the_size_of_an_object_is_nobodys_business() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(false, false)).unwrap();
        let mut size = 0;
        call!(session, C_GetObjectSize(session.handle, object, &raw mut size)).is(ck::CKR_OK);
        assert_eq!(size, ck::CK_UNAVAILABLE_INFORMATION);
    });
}
