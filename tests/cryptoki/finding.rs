//! Searches. PKCS#11 3.2, C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::objects::data;
use crate::support::known;
use crate::support::{Refused, Session, Template, USER_PIN, call, isolated, template};

fn begin(session: &Session<'_>, template: &Template) -> crate::support::Rv {
    template.lend(|rows, count| call!(session, C_FindObjectsInit(session.handle, rows, count)))
}

fn next(session: &Session<'_>, most: usize) -> Vec<ck::CK_OBJECT_HANDLE> {
    let mut found = vec![0; most];
    let (mut count, room) = (0, template::len(most));
    call!(session, C_FindObjects(session.handle, found.as_mut_ptr(), room, &raw mut count))
        .is(ck::CKR_OK);
    found.truncate(usize::try_from(count).expect("a count"));
    found
}

fn end(session: &Session<'_>) -> crate::support::Rv {
    call!(session, C_FindObjectsFinal(session.handle))
}

/// Data objects on the token and in the session, with labels `a`, `b`, … and numbers as values.
fn fill(session: &Session<'_>) -> Vec<ck::CK_OBJECT_HANDLE> {
    let make = |(at, label): (usize, &str)| {
        let template = template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => at % 2 == 0, CKA_PRIVATE => at % 3 == 0,
            CKA_LABEL => label, CKA_VALUE => &at.to_string().into_bytes(),
        };
        session.create(&template).expect("a data object")
    };
    ["a", "b", "c", "a", "", "aa"].into_iter().enumerate().map(make).collect()
}

#[test]
fn an_empty_template_finds_everything_that_is_visible() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let mut all = fill(&session);
        let mut found = session.find(&template! {}).unwrap();
        all.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, all);
        session.logout().unwrap();
        assert_eq!(session.count(&template! {}), 4, "without the private ones");
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.count(&template! {}), 5, "without the private session object");
    });
}

#[test]
fn only_exact_matches_are_found() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let made = fill(&session);
        let by_label = |label: &str| session.find(&template! { CKA_LABEL => label }).unwrap();
        assert_eq!(by_label("b"), [made[1]]);
        assert_eq!(by_label("aa"), [made[5]]);
        assert_eq!(by_label("a").len(), 2);
        assert_eq!(by_label(""), [made[4]]);
        assert!(by_label("A").is_empty());
        assert!(by_label("a ").is_empty());
    });
}

#[test]
fn every_row_of_a_template_has_to_match() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let made = fill(&session);
        let both = template! { CKA_LABEL => "a", CKA_VALUE => b"3" };
        assert_eq!(session.find(&both).unwrap(), [made[3]]);
        let neither = template! { CKA_LABEL => "b", CKA_VALUE => b"3" };
        assert!(session.find(&neither).unwrap().is_empty());
        let on_token = template! { CKA_TOKEN => true, CKA_PRIVATE => false };
        assert_eq!(session.count(&on_token), 2);
        assert_eq!(session.count(&template! { CKA_CLASS => ck::CKO_SECRET_KEY }), 0);
    });
}

#[test]
fn keys_are_found_by_what_they_are_and_may_do() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed =
            template! { CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        let private = known::p256_private().with(closed).and(ck::CKA_ID, b"one");
        let private = session.create(&private.and(ck::CKA_LABEL, "pair")).unwrap();
        let public = known::p256_public().and(ck::CKA_ID, b"one").and(ck::CKA_LABEL, "pair");
        let public = session.create(&public.and(ck::CKA_TOKEN, true)).unwrap();
        let class = |class: ck::CK_OBJECT_CLASS| {
            session.find(&template! { CKA_CLASS => class, CKA_ID => b"one" }).unwrap()
        };
        assert_eq!(class(ck::CKO_PRIVATE_KEY), [private]);
        assert_eq!(class(ck::CKO_PUBLIC_KEY), [public]);
        assert_eq!(session.count(&template! { CKA_ID => b"one", CKA_LABEL => "pair" }), 2);
        let signing = template! { CKA_KEY_TYPE => ck::CKK_EC, CKA_SIGN => true };
        assert_eq!(session.find(&signing).unwrap(), [private]);
        let point = known::octet_string(&known::hex(known::P256_POINT));
        assert_eq!(session.find(&template! { CKA_EC_POINT => &point }).unwrap(), [public]);
        let unique = session.get(private, ck::CKA_UNIQUE_ID).unwrap();
        assert_eq!(session.find(&template! { CKA_UNIQUE_ID => &unique }).unwrap(), [private]);
    });
}

#[test]
fn attributes_that_nobody_knows_match_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        fill(&session);
        for kind in [0x7fff_0000, ck::CKA_VENDOR_DEFINED | 9, ck::CKA_MODULUS] {
            assert_eq!(session.count(&Template::default().and(kind, b"x")), 0, "{kind:#x}");
        }
    });
}

#[test]
fn a_search_does_not_give_secrets_away() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed = template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        session.create(&known::aes(&[9; 16]).with(closed)).unwrap();
        assert_eq!(session.count(&template! { CKA_VALUE => &[9; 16] }), 0);
        let private = known::rsa_private().and(ck::CKA_SENSITIVE, true);
        session.create(&private).unwrap();
        let guess = template! { CKA_PRIME_1 => &known::hex(known::RSA_PRIME_1) };
        assert_eq!(session.count(&guess), 0);
    });
}

#[test]
fn a_search_gives_its_objects_in_portions() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let made = fill(&session);
        begin(&session, &template! {}).is(ck::CKR_OK);
        let mut found = Vec::new();
        for expected in [1, 2, 3, 0, 0] {
            let some = next(&session, if found.is_empty() { 1 } else { expected.max(2) });
            assert_eq!(some.len(), expected);
            found.extend(some);
        }
        end(&session).is(ck::CKR_OK);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), made.len());
    });
}

#[test]
fn a_search_runs_from_its_init_to_its_final() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let idle = ck::CKR_OPERATION_NOT_INITIALIZED;
        let (mut object, mut count) = (0, 0);
        let mut find =
            || call!(session, C_FindObjects(session.handle, &raw mut object, 1, &raw mut count));
        find().is(idle);
        end(&session).is(idle);
        begin(&session, &template! {}).is(ck::CKR_OK);
        begin(&session, &template! {}).is(ck::CKR_OPERATION_ACTIVE);
        find().is(ck::CKR_OK);
        find().is(ck::CKR_OK);
        end(&session).is(ck::CKR_OK);
        find().is(idle);
        end(&session).is(idle);
    });
}

#[test]
fn null_where_results_belong_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (s, bad, mut object, mut count) = (session.handle, ck::CKR_ARGUMENTS_BAD, 0, 0);
        call!(session, C_FindObjectsInit(s, null_mut(), 1)).is(bad);
        begin(&session, &template! {}).is(ck::CKR_OK);
        call!(session, C_FindObjects(s, null_mut(), 1, &raw mut count)).is(bad);
        call!(session, C_FindObjects(s, &raw mut object, 1, null_mut())).is(bad);
    });
}

#[test]
fn objects_destroyed_during_a_search_do_no_harm() {
    isolated(|bench| {
        let token = bench.token();
        let (session, other) = (token.user(), token.public());
        let made = fill(&session);
        begin(&session, &template! {}).is(ck::CKR_OK);
        next(&session, 1);
        for object in made {
            other.destroy(object).unwrap();
        }
        for object in next(&session, 10) {
            session.get(object, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        }
        end(&session).is(ck::CKR_OK);
    });
}

#[test]
fn an_object_keeps_its_handle_from_search_to_search() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(true, true)).unwrap();
        for _ in 0..5 {
            assert_eq!(session.find(&template! {}).unwrap(), [object]);
            assert_eq!(token.public().find(&template! {}).unwrap(), [object]);
        }
    });
}

#[test]
fn session_objects_of_other_sessions_are_found() {
    isolated(|bench| {
        let token = bench.token();
        let (session, other) = (token.user(), token.read_only());
        let object = session.create(&data(false, true)).unwrap();
        assert_eq!(other.find(&template! {}).unwrap(), [object]);
        session.close().unwrap();
        assert_eq!(other.count(&template! {}), 0);
    });
}
