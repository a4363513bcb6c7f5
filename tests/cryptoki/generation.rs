//! Making keys: what a new key says of itself, and that pairs come whole or not at all.
//! PKCS#11 3.2, C_GenerateKey, C_GenerateKeyPair.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, ED25519, P256};
use crate::support::operations::{Mechanism, plain, with_bytes};
use crate::support::{Refused, SO_PIN, Session, Template, call, isolated, template};

fn aes(bytes: ck::CK_ULONG) -> Template {
    template! { CKA_VALUE_LEN => bytes }
}

/// The mechanisms that make pairs, and what each needs to know.
fn pairs() -> [(Mechanism<'static>, Template); 3] {
    let rsa = template! {
        CKA_MODULUS_BITS => 2048_u64, CKA_PUBLIC_EXPONENT => b"\x01\x00\x01",
    };
    [
        (plain(ck::CKM_EC_KEY_PAIR_GEN), template! { CKA_EC_PARAMS => P256 }),
        (plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN), template! { CKA_EC_PARAMS => ED25519 }),
        (plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN), rsa),
    ]
}

#[test]
fn a_new_secret_key_says_where_it_comes_from() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for bytes in [16, 32] {
            let key = session.generate(&plain(ck::CKM_AES_KEY_GEN), &aes(bytes)).unwrap();
            session.has(key, ck::CKA_CLASS, ck::CKO_SECRET_KEY);
            session.has(key, ck::CKA_KEY_TYPE, ck::CKK_AES);
            session.has(key, ck::CKA_VALUE_LEN, bytes);
            session.has(key, ck::CKA_KEY_GEN_MECHANISM, ck::CKM_AES_KEY_GEN);
            assert!(session.flag(key, ck::CKA_LOCAL));
            assert!(!session.flag(key, ck::CKA_TOKEN));
            assert_eq!(session.get(key, ck::CKA_CHECK_VALUE).unwrap().len(), 3);
        }
        let how = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        let key = session.generate(&how, &aes(100)).unwrap();
        session.has(key, ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        session.has(key, ck::CKA_VALUE_LEN, 100_u64);
    });
}

#[test]
fn always_and_never_follow_from_the_template() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (sensitive, extractable) in [(true, false), (true, true), (false, true), (false, false)]
        {
            let template =
                aes(16).and(ck::CKA_SENSITIVE, sensitive).and(ck::CKA_EXTRACTABLE, extractable);
            let key = session.generate(&plain(ck::CKM_AES_KEY_GEN), &template).unwrap();
            assert_eq!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE), sensitive);
            assert_eq!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE), !extractable);
        }
    });
}

#[test]
fn generated_keys_are_never_the_same() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let open = aes(16).and(ck::CKA_SENSITIVE, false).and(ck::CKA_EXTRACTABLE, true);
        let mut values: Vec<_> = (0..50)
            .map(|_| session.generate(&plain(ck::CKM_AES_KEY_GEN), &open).unwrap())
            .map(|key| session.get(key, ck::CKA_VALUE).unwrap())
            .collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 50);
    });
}

#[test]
fn both_halves_of_a_pair_have_the_hash_of_the_public_key_as_id() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, public) in pairs() {
            let (public, private) = session.generate_pair(&how, &public, &template! {}).unwrap();
            let id = session.get(public, ck::CKA_ID).unwrap();
            assert_eq!(id.len(), 20);
            session.has(private, ck::CKA_ID, &id);
            assert_eq!(session.count(&template! { CKA_ID => &id }), 2);
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            session.has(private, ck::CKA_PUBLIC_KEY_INFO, &info);
        }
        let (public, _) =
            session.generate_pair(&pairs()[1].0, &pairs()[1].1, &template! {}).unwrap();
        let point = session.get(public, ck::CKA_EC_POINT).unwrap();
        let hash = session.digest(&plain(ck::CKM_SHA_1), &point).unwrap();
        session.has(public, ck::CKA_ID, &hash);
    });
}

#[test]
fn an_id_that_was_given_is_kept() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (how, public) = &pairs()[0];
        let public = public.clone().and(ck::CKA_ID, b"mine").and(ck::CKA_LABEL, "public");
        let private = template! { CKA_ID => b"mine", CKA_LABEL => "private" };
        let (public, private) = session.generate_pair(how, &public, &private).unwrap();
        session.has(public, ck::CKA_ID, b"mine");
        session.has(private, ck::CKA_ID, b"mine");
        session.has(public, ck::CKA_LABEL, "public");
        session.has(private, ck::CKA_LABEL, "private");
    });
}

#[test]
fn a_new_pair_says_where_it_comes_from() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, public) in pairs() {
            let (public, private) = session.generate_pair(&how, &public, &template! {}).unwrap();
            for (key, class) in [(public, ck::CKO_PUBLIC_KEY), (private, ck::CKO_PRIVATE_KEY)] {
                session.has(key, ck::CKA_CLASS, class);
                session.has(key, ck::CKA_KEY_GEN_MECHANISM, how.c.mechanism);
                assert!(session.flag(key, ck::CKA_LOCAL));
                assert_eq!(session.flag(key, ck::CKA_PRIVATE), key == private);
            }
            assert!(session.flag(private, ck::CKA_SIGN));
            assert!(session.flag(public, ck::CKA_VERIFY));
        }
    });
}

#[test]
fn no_half_of_a_refused_pair_remains() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (how, right) = &pairs()[0];
        let class = |class: ck::CK_OBJECT_CLASS| template! { CKA_CLASS => class };
        let unknown = || Template::default().and(0x7fff_0000, b"x");
        let on_token = template! { CKA_TOKEN => true };
        let cases = [
            (unknown(), template! {}),
            (template! {}, unknown()),
            (class(ck::CKO_PRIVATE_KEY), template! {}),
            (template! {}, class(ck::CKO_PUBLIC_KEY)),
            (template! {}, template! { CKA_KEY_TYPE => ck::CKK_RSA }),
            (template! {}, template! { CKA_LOCAL => true }),
            (template! {}, template! { CKA_VALUE => &[1; 32] }),
            (template! { CKA_EC_POINT => &[1; 65] }, template! {}),
            (template! {}, template! { CKA_PRIVATE => false, CKA_ALWAYS_AUTHENTICATE => true }),
        ];
        for (public, private) in cases {
            let public = right.clone().with(on_token.clone()).with(public);
            let private = on_token.clone().with(private);
            let made = session.generate_pair(how, &public, &private);
            assert!(made.is_err(), "{public:?} {private:?}");
            assert_eq!(session.count(&template! {}), 0);
        }
    });
}

#[test]
fn keys_are_made_where_the_session_may_make_objects() {
    isolated(|bench| {
        let token = bench.token();
        let (reader, writer) = (token.read_only(), token.public());
        let how = plain(ck::CKM_AES_KEY_GEN);
        let kept = aes(16).and(ck::CKA_TOKEN, true);
        writer.generate(&how, &kept).refused(ck::CKR_USER_NOT_LOGGED_IN);
        let private = aes(16).and(ck::CKA_PRIVATE, true);
        writer.generate(&how, &private).refused(ck::CKR_USER_NOT_LOGGED_IN);
        writer.generate(&how, &aes(16).and(ck::CKA_PRIVATE, false)).unwrap();
        reader.generate(&how, &kept).refused(ck::CKR_SESSION_READ_ONLY);
        writer.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
        reader.generate(&how, &kept).refused(ck::CKR_SESSION_READ_ONLY);
        reader.generate(&how, &aes(16)).unwrap();
        writer.generate(&how, &kept).unwrap();
        let (how, public) = &pairs()[0];
        let private = template! { CKA_TOKEN => true };
        let made = reader.generate_pair(how, public, &private);
        made.refused(ck::CKR_SESSION_READ_ONLY);
        reader.close().unwrap();
        writer.logout().unwrap();
        let made = writer.generate_pair(how, public, &private);
        made.refused(ck::CKR_USER_NOT_LOGGED_IN);
        writer.login(ck::CKU_SO, SO_PIN).unwrap();
        let made = writer.generate_pair(how, public, &private);
        made.refused(ck::CKR_USER_NOT_LOGGED_IN);
    });
}

/// As OpenSSL's provider does it for the keys of a connection, in a program that has no PIN.
#[test]
fn keys_for_a_session_of_nobody_are_public_unless_the_template_says_otherwise() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let is_private = |key| session.flag(key, ck::CKA_PRIVATE);
        let usage = || template! { CKA_DERIVE => true, CKA_EXTRACTABLE => true };
        let one_of_each_kind = || {
            let made =
                session.generate(&plain(ck::CKM_AES_KEY_GEN), &aes(16).with(usage())).unwrap();
            let (how, public) = &pairs()[0];
            let pair = session.generate_pair(how, public, &template! {}).unwrap();
            let given = session.create(&known::aes(&[1; 16]).with(usage())).unwrap();
            let secret = template! { CKA_CLASS => ck::CKO_SECRET_KEY,
            CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 16_u64 };
            let hash = plain(ck::CKM_SHA256_KEY_DERIVATION);
            let derived = session.derive(&hash, given, &secret).unwrap();
            let wrap = plain(ck::CKM_AES_KEY_WRAP);
            let wrapped = session.wrap(&wrap, made, given).unwrap();
            let aes = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES };
            let unwrapped = session.unwrap_key(&wrap, made, &wrapped, &aes).unwrap();
            [made, pair.1, given, derived, unwrapped]
        };
        let of_nobody = one_of_each_kind();
        assert!(of_nobody.iter().all(|key| !is_private(*key)));
        let writer = token.user();
        let of_the_user = one_of_each_kind();
        assert!(of_the_user.iter().all(|key| is_private(*key)));
        // A logout takes the private ones away, and leaves the others as they are.
        writer.logout().unwrap();
        for key in of_the_user {
            session.get(key, ck::CKA_PRIVATE).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        }
        assert!(of_nobody.iter().all(|key| !is_private(*key)));
        // On the token, keys are private for everybody.
        let kept = known::aes(&[1; 16]).and(ck::CKA_TOKEN, true);
        writer.create(&kept).refused(ck::CKR_USER_NOT_LOGGED_IN);
        // The PIN before each use is for private keys.
        let (how, public) = &pairs()[0];
        let always = template! { CKA_ALWAYS_AUTHENTICATE => true };
        let made = session.generate_pair(how, public, &always);
        made.refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn templates_that_make_no_key_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_AES_KEY_GEN);
        session.generate(&how, &template! {}).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let refused = &[ck::CKR_ATTRIBUTE_VALUE_INVALID, ck::CKR_KEY_SIZE_RANGE];
        for bytes in [0, 8, 15, 17, 33, 1 << 40, ck::CK_ULONG::MAX] {
            session.generate(&how, &aes(bytes)).expect_err("an odd size").is_one_of(refused);
        }
        let generic = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        for bytes in [0, 1 << 40, ck::CK_ULONG::MAX] {
            let made = session.generate(&generic, &aes(bytes));
            made.expect_err("an odd size").is_one_of(refused);
        }
        let wrong_type = aes(16).and(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        session.generate(&how, &wrong_type).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let wrong_class = aes(16).and(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY);
        session.generate(&how, &wrong_class).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        assert_eq!(session.count(&template! {}), 0);
    });
}

fn begin(session: &Session<'_>, how: &Mechanism<'_>, count: ck::CK_ULONG) -> crate::support::Rv {
    let (mut c, mut key) = (how.c, 0);
    call!(session, C_GenerateKey(session.handle, &raw mut c, null_mut(), count, &raw mut key))
}

#[test]
fn no_template_is_an_empty_template() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_AES_KEY_GEN);
        begin(&session, &how, 0).is(ck::CKR_TEMPLATE_INCOMPLETE);
        begin(&session, &how, 1).is(ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn mechanisms_that_make_no_keys_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let invalid = ck::CKR_MECHANISM_INVALID;
        for mechanism in [ck::CKM_AES_ECB, ck::CKM_SHA256, ck::CKM_VENDOR_DEFINED] {
            session.generate(&plain(mechanism), &aes(16)).refused(invalid);
            let made = session.generate_pair(&plain(mechanism), &template! {}, &template! {});
            made.refused(invalid);
        }
        let pair = session.generate(&plain(ck::CKM_EC_KEY_PAIR_GEN), &aes(16));
        pair.refused(invalid);
        let single = session.generate_pair(&plain(ck::CKM_AES_KEY_GEN), &aes(16), &template! {});
        single.refused(invalid);
        let odd = with_bytes(ck::CKM_AES_KEY_GEN, b"a parameter");
        session.generate(&odd, &aes(16)).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}
