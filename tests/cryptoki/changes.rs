//! Changing and copying objects, and the one-way attributes.
//! PKCS#11 3.2, C_SetAttributeValue, C_CopyObject; "Storage objects"; "Secret key objects".

use cryptoki_sys as ck;

use crate::objects::data;
use crate::support::known;
use crate::support::{Refused, Session, Template, USER_PIN, isolated, template};

/// What turning a flag of a new session key from one value to another answers.
fn turns(
    session: &Session<'_>,
    kind: ck::CK_ATTRIBUTE_TYPE,
    from: bool,
    to: bool,
) -> Result<(), ck::CK_RV> {
    let key = session.create(&known::aes(&[1; 16]).and(kind, from)).expect("a session key");
    let change = session.set(key, &Template::default().and(kind, to));
    let after = session.flag(key, kind);
    assert_eq!(after, if change.is_ok() { to } else { from }, "{kind:#x} after the change");
    change.map_err(|rv| rv.0)
}

#[test]
fn a_label_can_be_changed_and_stays_changed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for template in [data(true, true), data(true, false), data(false, false)] {
            let object = session.create(&template).unwrap();
            session.set(object, &template! { CKA_LABEL => "changed" }).unwrap();
            session.has(object, ck::CKA_LABEL, "changed");
        }
        assert_eq!(session.count(&template! { CKA_LABEL => "changed" }), 3);
        assert_eq!(session.count(&template! { CKA_LABEL => "a label" }), 0);
        token.module.finalize().unwrap();
        token.module.initialize().unwrap();
        let session = token.user();
        assert_eq!(session.count(&template! { CKA_LABEL => "changed" }), 2);
    });
}

#[test]
fn an_id_can_be_changed_and_found_again() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = known::p256_private().and(ck::CKA_TOKEN, true).and(ck::CKA_ID, b"old");
        let key = session.create(&key.and(ck::CKA_EXTRACTABLE, false)).unwrap();
        session.set(key, &template! { CKA_ID => b"new", CKA_SUBJECT => b"whose" }).unwrap();
        assert_eq!(session.find(&template! { CKA_ID => b"new" }).unwrap(), [key]);
        assert_eq!(session.count(&template! { CKA_ID => b"old" }), 0);
        session.has(key, ck::CKA_SUBJECT, b"whose");
    });
}

#[test]
fn what_an_object_is_cannot_be_changed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(true, true)).unwrap();
        for change in [
            template! { CKA_CLASS => ck::CKO_SECRET_KEY },
            template! { CKA_TOKEN => false },
            template! { CKA_PRIVATE => false },
            template! { CKA_UNIQUE_ID => "mine" },
        ] {
            session.set(object, &change).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        for change in [
            template! { CKA_VALUE => &[2; 16] },
            template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET },
            template! { CKA_LOCAL => true },
            template! { CKA_ALWAYS_SENSITIVE => true },
            template! { CKA_NEVER_EXTRACTABLE => true },
            template! { CKA_KEY_GEN_MECHANISM => ck::CKM_AES_KEY_GEN },
        ] {
            session.set(key, &change).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        let stranger = Template::default().and(0x7fff_0000, b"x");
        session.set(object, &stranger).refused(ck::CKR_ATTRIBUTE_TYPE_INVALID);
    });
}

#[test]
fn a_change_that_is_refused_changes_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(true, true)).unwrap();
        for refused in [
            template! { CKA_LABEL => "half", CKA_CLASS => ck::CKO_SECRET_KEY },
            template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_LABEL => "half" },
        ] {
            session.set(object, &refused).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
            session.has(object, ck::CKA_LABEL, "a label");
        }
    });
}

#[test]
fn an_object_may_refuse_to_be_changed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(true, true).and(ck::CKA_MODIFIABLE, false)).unwrap();
        let change = template! { CKA_LABEL => "changed" };
        session.set(object, &change).refused(ck::CKR_ACTION_PROHIBITED);
        session.has(object, ck::CKA_LABEL, "a label");
    });
}

#[test]
fn a_read_only_session_changes_no_token_object() {
    isolated(|bench| {
        let token = bench.token();
        let (session, reader) = (token.user(), token.read_only());
        let object = session.create(&data(true, true)).unwrap();
        let change = template! { CKA_LABEL => "changed" };
        reader.set(object, &change).refused(ck::CKR_SESSION_READ_ONLY);
        reader.copy(object, &change).refused(ck::CKR_SESSION_READ_ONLY);
        reader.copy(object, &template! { CKA_TOKEN => false }).unwrap();
        let in_session = reader.create(&data(false, true)).unwrap();
        reader.set(in_session, &change).unwrap();
    });
}

#[test]
fn sensitive_and_wrap_with_trusted_go_on_and_never_off() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for kind in [ck::CKA_SENSITIVE, ck::CKA_WRAP_WITH_TRUSTED] {
            assert_eq!(turns(&session, kind, false, true), Ok(()));
            assert_eq!(turns(&session, kind, false, false), Ok(()));
            assert_eq!(turns(&session, kind, true, false), Err(ck::CKR_ATTRIBUTE_READ_ONLY));
        }
    });
}

#[test]
fn extractable_goes_off_and_never_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let kind = ck::CKA_EXTRACTABLE;
        assert_eq!(turns(&session, kind, true, false), Ok(()));
        assert_eq!(turns(&session, kind, true, true), Ok(()));
        assert_eq!(turns(&session, kind, false, true), Err(ck::CKR_ATTRIBUTE_READ_ONLY));
    });
}

#[test]
fn the_present_value_of_a_one_way_attribute_cannot_be_set_either() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed = template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        let key = session.create(&known::aes(&[1; 16]).with(closed.clone())).unwrap();
        session.set(key, &closed).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
    });
}

#[test]
fn uses_of_a_key_can_be_changed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for kind in [ck::CKA_ENCRYPT, ck::CKA_SIGN, ck::CKA_WRAP, ck::CKA_DERIVE] {
            assert_eq!(turns(&session, kind, true, false), Ok(()));
            assert_eq!(turns(&session, kind, false, true), Ok(()));
        }
    });
}

#[test]
fn a_key_that_was_closed_later_was_not_always_closed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let key = session.create(&known::aes(&[1; 16]).with(open)).unwrap();
        session.set(key, &template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false }).unwrap();
        assert!(!session.flag(key, ck::CKA_ALWAYS_SENSITIVE));
        assert!(!session.flag(key, ck::CKA_NEVER_EXTRACTABLE));
        session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
    });
}

#[test]
fn a_copy_is_an_object_of_its_own() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(true, true)).unwrap();
        let copy = session.copy(object, &template! { CKA_LABEL => "the copy" }).unwrap();
        session.has(object, ck::CKA_LABEL, "a label");
        session.has(copy, ck::CKA_LABEL, "the copy");
        session.has(copy, ck::CKA_VALUE, b"a value");
        session.destroy(object).unwrap();
        session.has(copy, ck::CKA_VALUE, b"a value");
    });
}

#[test]
fn a_copy_may_move_to_the_token_or_the_session_and_become_private() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = session.create(&data(false, false)).unwrap();
        let private = session.copy(public, &template! { CKA_PRIVATE => true }).unwrap();
        assert!(session.flag(private, ck::CKA_PRIVATE));
        let on_token = session.copy(private, &template! { CKA_TOKEN => true }).unwrap();
        assert!(session.flag(on_token, ck::CKA_TOKEN));
        let back = session.copy(on_token, &template! { CKA_TOKEN => false }).unwrap();
        assert!(!session.flag(back, ck::CKA_TOKEN));
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.count(&template! {}), 2, "the public one, and the one on the token");
    });
}

#[test]
fn a_copy_cannot_become_public_or_something_else() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = data(false, true).and(ck::CKA_OBJECT_ID, b"\x06\x01\x2a");
        let object = session.create(&object).unwrap();
        let public = template! { CKA_PRIVATE => false };
        session.copy(object, &public).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        for change in [
            template! { CKA_CLASS => ck::CKO_DATA },
            template! { CKA_CLASS => ck::CKO_SECRET_KEY },
            template! { CKA_OBJECT_ID => b"\x06\x01\x2a" },
            template! { CKA_UNIQUE_ID => "mine" },
        ] {
            session.copy(object, &change).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        assert_eq!(session.count(&template! {}), 1);
    });
}

#[test]
fn an_object_may_refuse_to_be_copied() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(false, true).and(ck::CKA_COPYABLE, false)).unwrap();
        session.copy(object, &template! {}).refused(ck::CKR_ACTION_PROHIBITED);
        assert!(!session.flag(object, ck::CKA_COPYABLE));
    });
}

#[test]
fn a_copy_of_a_key_is_never_more_open() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed = template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        let key = session.create(&known::aes(&[1; 16]).with(closed)).unwrap();
        for change in [template! { CKA_SENSITIVE => false }, template! { CKA_EXTRACTABLE => true }]
        {
            let refused = session.copy(key, &change).expect_err("a refusal");
            refused.is_one_of(&[ck::CKR_ATTRIBUTE_READ_ONLY, ck::CKR_TEMPLATE_INCONSISTENT]);
        }
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let key = session.create(&known::aes(&[1; 16]).with(open)).unwrap();
        let closed = template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        let copy = session.copy(key, &closed).unwrap();
        session.get(copy, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        session.has(copy, ck::CKA_CHECK_VALUE, &session.get(key, ck::CKA_CHECK_VALUE).unwrap());
        assert!(!session.flag(copy, ck::CKA_ALWAYS_SENSITIVE));
        assert!(!session.flag(copy, ck::CKA_NEVER_EXTRACTABLE));
    });
}

#[test]
fn only_the_officer_marks_something_as_trusted() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let trusted = known::rsa_public().and(ck::CKA_TRUSTED, true);
        session.create(&trusted).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let key = session.create(&known::rsa_public()).unwrap();
        let mark = template! { CKA_TRUSTED => true };
        session.set(key, &mark).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session.logout().unwrap();
        session.login(ck::CKU_SO, crate::support::SO_PIN).unwrap();
        let key = session.create(&trusted).unwrap();
        assert!(session.flag(key, ck::CKA_TRUSTED));
    });
}
