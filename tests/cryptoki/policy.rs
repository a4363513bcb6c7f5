//! The module's own rules about keys that lie on the token: none of them can be read, unless
//! the configuration says so, and all of them need a login.

use cryptoki_sys as ck;

use crate::support::known::{self, P256};
use crate::support::operations::plain;
use crate::support::{Refused, Session, Template, USER_PIN, isolated, template};

/// On the token, with these two attributes.
fn on_token(key: Template, sensitive: bool, extractable: bool) -> Template {
    key.with(template! {
        CKA_TOKEN => true, CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable,
    })
}

#[test]
fn no_token_key_can_be_made_readable() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for key in [known::aes(&[1; 16]), known::p256_private(), known::rsa_private()] {
            let readable = session.create(&on_token(key.clone(), false, true));
            readable.refused(ck::CKR_TEMPLATE_INCONSISTENT);
            let wrappable = session.create(&on_token(key.clone(), true, true));
            wrappable.refused(ck::CKR_TEMPLATE_INCONSISTENT);
            let by_trusted_keys = on_token(key.clone(), true, true);
            session.create(&by_trusted_keys.and(ck::CKA_WRAP_WITH_TRUSTED, true)).unwrap();
            session.create(&on_token(key.clone(), true, false)).unwrap();
            session.create(&on_token(key, false, false)).unwrap();
        }
        let generated = template! {
            CKA_TOKEN => true, CKA_VALUE_LEN => 16_u64, CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        };
        let made = session.generate(&plain(ck::CKM_AES_KEY_GEN), &generated);
        made.refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn the_configuration_may_allow_what_the_standard_allows() {
    isolated(|bench| {
        bench.configure("policy.export = \"standard\"");
        let token = bench.token();
        let session = token.user();
        let key = session.create(&on_token(known::aes(&[1; 16]), false, true)).unwrap();
        session.has(key, ck::CKA_VALUE, &[1; 16]);
        session.create(&on_token(known::aes(&[1; 16]), true, true)).unwrap();
    });
}

#[test]
fn a_session_key_copied_to_the_token_cannot_be_read_there() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let key = session.create(&known::aes(&[1; 16]).with(open)).unwrap();
        let kept = session.copy(key, &template! { CKA_TOKEN => true }).unwrap();
        assert!(session.flag(kept, ck::CKA_SENSITIVE));
        assert!(!session.flag(kept, ck::CKA_EXTRACTABLE));
        session.get(kept, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        let zero = [0; 16];
        let ecb = plain(ck::CKM_AES_ECB);
        let sealed = session.encrypt(&ecb, key, &zero).unwrap();
        assert_eq!(session.encrypt(&ecb, kept, &zero).unwrap(), sealed);
    });
}

#[test]
fn generated_private_keys_stay_inside_when_nothing_is_said() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for on_token in [true, false] {
            let (_, key) = session
                .generate_pair(
                    &plain(ck::CKM_EC_KEY_PAIR_GEN),
                    &template! { CKA_EC_PARAMS => P256 },
                    &template! { CKA_TOKEN => on_token },
                )
                .unwrap();
            for kind in [
                ck::CKA_SENSITIVE,
                ck::CKA_ALWAYS_SENSITIVE,
                ck::CKA_NEVER_EXTRACTABLE,
                ck::CKA_LOCAL,
                ck::CKA_PRIVATE,
            ] {
                assert!(session.flag(key, kind), "{kind:#x}");
            }
            assert!(!session.flag(key, ck::CKA_EXTRACTABLE));
            session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        }
    });
}

#[test]
fn public_secret_keys_on_the_token_need_a_login_all_the_same() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = on_token(known::aes(&[1; 16]), true, false).and(ck::CKA_PRIVATE, false);
        let key = session.create(&public).unwrap();
        session.logout().unwrap();
        session.create(&public).refused(ck::CKR_USER_NOT_LOGGED_IN);
        assert_eq!(session.find(&template! {}).unwrap(), [key], "it can be seen");
        session.has(key, ck::CKA_KEY_TYPE, ck::CKK_AES);
        let ecb = plain(ck::CKM_AES_ECB);
        session.encrypt_init(&ecb, key).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.encrypt(&ecb, key, &[0; 16]).unwrap();
    });
}

#[test]
fn public_token_objects_are_changed_after_a_login_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&crate::objects::data(true, false)).unwrap();
        session.logout().unwrap();
        let change = template! { CKA_LABEL => "changed" };
        session.set(object, &change).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.copy(object, &change).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.destroy(object).refused(ck::CKR_USER_NOT_LOGGED_IN);
        session.copy(object, &template! { CKA_TOKEN => false }).unwrap();
        session.has(object, ck::CKA_LABEL, "a label");
    });
}

#[test]
fn wrong_configuration_is_refused_by_initialise() {
    isolated(|bench| {
        for wrong in ["policy.export = \"maybe\"", "no_such_key = 1", "pin.tries = \"ten\"", "["] {
            bench.configure(wrong);
            let refused = bench.load().initialize().err().unwrap_or_else(|| panic!("{wrong}"));
            refused.is_one_of(&[ck::CKR_GENERAL_ERROR, ck::CKR_FUNCTION_FAILED]);
        }
        bench.configure("");
        bench.initialised();
    });
}

/// What a secret key of a session is that nobody said more of.
fn check_session_keys(session: &Session<'_>, open: bool) {
    let made = template! { CKA_VALUE_LEN => 32 };
    let key = session.generate(&plain(ck::CKM_AES_KEY_GEN), &made).unwrap();
    assert_eq!(session.flag(key, ck::CKA_EXTRACTABLE), open);
    assert_eq!(session.flag(key, ck::CKA_SENSITIVE), !open);
    assert_eq!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE), !open);
    assert_eq!(session.get(key, ck::CKA_VALUE).is_ok(), open);
    let asked = template! {
        CKA_VALUE_LEN => 32, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    };
    let key = session.generate(&plain(ck::CKM_AES_KEY_GEN), &asked).unwrap();
    assert_eq!(session.get(key, ck::CKA_VALUE).unwrap().len(), 32);
}

#[test]
fn secret_keys_of_sessions_are_open() {
    isolated(|bench| check_session_keys(&bench.token().user(), true));
}

#[test]
fn secret_keys_of_sessions_are_closed_when_the_policy_says_so() {
    isolated(|bench| {
        bench.configure("policy.close_session_keys = true");
        check_session_keys(&bench.token().user(), false);
    });
}
