//! Keys: how they are made, what may become of them, and what they may do.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::operations::plain;
use crate::support::{Refused, Session, Template, USER_PIN, call, known, template};

/// An RSA key of 1536 bits, which is as short as SoftHSM's suite makes them.
fn rsa(session: &Session<'_>, private: &Template) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let public = template! { CKA_MODULUS_BITS => 1536 as ck::CK_ULONG };
    session.generate_pair(&plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN), &public, private).unwrap()
}

#[test]
fn pairs_are_made_in_all_combinations_of_places() {
    on_token(|token| {
        let session = token.user();
        let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
        for places in 0..16_u8 {
            let [token, private, own_token, own_private] =
                [1, 2, 4, 8].map(|bit| places & bit != 0);
            let public = template! {
                CKA_EC_PARAMS => known::P256, CKA_TOKEN => token, CKA_PRIVATE => private,
            };
            let template = template! { CKA_TOKEN => own_token, CKA_PRIVATE => own_private };
            let (one, two) = session.generate_pair(&how, &public, &template).unwrap();
            assert_eq!(session.flag(one, ck::CKA_TOKEN), token);
            assert_eq!(session.flag(one, ck::CKA_PRIVATE), private);
            assert_eq!(session.flag(two, ck::CKA_TOKEN), own_token);
            assert_eq!(session.flag(two, ck::CKA_PRIVATE), own_private);
        }
    });
}

#[test]
fn secrecy_only_grows() {
    on_token(|token| {
        let session = token.user();
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let (_, key) = rsa(&session, &open);
        for kind in [ck::CKA_WRAP_WITH_TRUSTED, ck::CKA_SENSITIVE] {
            let to = |value: bool| session.set(key, &Template::default().and(kind, value));
            to(false).unwrap();
            to(true).unwrap();
            to(false).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
    });
}

#[test]
fn what_a_key_always_was_is_told_and_not_set() {
    on_token(|token| {
        let session = token.user();
        let shut = template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false };
        let (_, key) = rsa(&session, &shut);
        assert!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE));
        assert!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE));
        assert!(session.flag(key, ck::CKA_LOCAL));
        session.has(key, ck::CKA_KEY_GEN_MECHANISM, ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        // Not even to the values that they have.
        session.set(key, &shut).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let (_, key) = rsa(&session, &open);
        session.set(key, &shut).unwrap();
        assert!(!session.flag(key, ck::CKA_ALWAYS_SENSITIVE));
        assert!(!session.flag(key, ck::CKA_NEVER_EXTRACTABLE));
    });
}

const SECRETS: [ck::CK_ATTRIBUTE_TYPE; 6] = [
    ck::CKA_PRIVATE_EXPONENT,
    ck::CKA_PRIME_1,
    ck::CKA_PRIME_2,
    ck::CKA_EXPONENT_1,
    ck::CKA_EXPONENT_2,
    ck::CKA_COEFFICIENT,
];

#[test]
fn a_sensitive_key_is_not_read_and_another_is() {
    on_token(|token| {
        let session = token.user();
        let (_, shut) = rsa(&session, &template! { CKA_SENSITIVE => true });
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let (_, open) = rsa(&session, &open);
        for kind in SECRETS {
            session.get(shut, kind).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            assert!(!session.get(open, kind).unwrap().is_empty(), "{kind:#x}");
        }
    });
}

#[test]
fn a_key_is_used_with_the_mechanisms_that_it_allows() {
    on_token(|token| {
        let session = token.user();
        let allowed = [ck::CKM_SHA256_HMAC, ck::CKM_SHA512_HMAC];
        let key = known::generic(&[7; 64])
            .and(ck::CKA_SIGN, true)
            .and(ck::CKA_ALLOWED_MECHANISMS, &allowed[..]);
        let key = session.create(&key).unwrap();
        session.sign_init(&plain(ck::CKM_SHA_1_HMAC), key).refused(ck::CKR_MECHANISM_INVALID);
        for how in allowed {
            session.sign(&plain(how), key, b"data").unwrap();
        }
    });
}

#[test]
fn a_key_that_always_asks_is_used_after_its_pin_was_given_again() {
    on_token(|token| {
        let session = token.user();
        let always = template! { CKA_ALWAYS_AUTHENTICATE => true, CKA_PRIVATE => true };
        let (public, key) = rsa(&session, &always);
        let again = |pin: &str| session.login(ck::CKU_CONTEXT_SPECIFIC, pin);
        again(USER_PIN).refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        let how = plain(ck::CKM_SHA256_RSA_PKCS);
        let not_yet = ck::CKR_USER_NOT_LOGGED_IN;
        session.sign_init(&how, key).unwrap();
        session.sign_data(b"data").refused(not_yet);
        session.sign_init(&how, key).unwrap();
        session.sign_update(b"data").refused(not_yet);
        session.sign_init(&how, key).unwrap();
        again("a wrong pin").refused(ck::CKR_PIN_INCORRECT);
        again(USER_PIN).unwrap();
        session.sign_data(b"data").unwrap();
        let sealed = session.encrypt(&plain(ck::CKM_RSA_PKCS), public, b"data").unwrap();
        session.decrypt_init(&plain(ck::CKM_RSA_PKCS), key).unwrap();
        session.decrypt_data(&sealed).refused(not_yet);
        session.decrypt_init(&plain(ck::CKM_RSA_PKCS), key).unwrap();
        again(USER_PIN).unwrap();
        assert_eq!(session.decrypt_data(&sealed).unwrap(), b"data");
    });
}

#[test]
fn a_template_inside_a_key_is_read_in_three_steps() {
    on_token(|token| {
        let session = token.user();
        let inner = template! { CKA_LABEL => "wrapped", CKA_EXTRACTABLE => true };
        let key = known::aes(&[5; 16]).nesting(ck::CKA_WRAP_TEMPLATE, inner);
        let key = session.create(&key).unwrap();
        let ask = |row: &mut ck::CK_ATTRIBUTE| {
            call!(session, C_GetAttributeValue(session.handle, key, row, 1)).is(ck::CKR_OK);
        };
        let nothing = ck::CK_ATTRIBUTE { type_: 0, pValue: null_mut(), ulValueLen: 0 };
        let mut row = ck::CK_ATTRIBUTE { type_: ck::CKA_WRAP_TEMPLATE, ..nothing };
        ask(&mut row);
        let size = size_of::<ck::CK_ATTRIBUTE>();
        assert_eq!(row.ulValueLen, 2 * size as ck::CK_ULONG);
        let mut rows = [nothing; 2];
        row.pValue = rows.as_mut_ptr().cast();
        ask(&mut row);
        let mut lengths = rows.map(|row| (row.type_, row.ulValueLen));
        lengths.sort_unstable();
        assert_eq!(lengths, [(ck::CKA_LABEL, 7), (ck::CKA_EXTRACTABLE, 1)]);
        let mut values = [[0_u8; 7]; 2];
        for (row, value) in rows.iter_mut().zip(&mut values) {
            row.pValue = value.as_mut_ptr().cast();
        }
        row.pValue = rows.as_mut_ptr().cast();
        ask(&mut row);
        let label = rows.iter().position(|row| row.type_ == ck::CKA_LABEL).unwrap();
        assert_eq!(&values[label], b"wrapped");
        assert_eq!(values[1 - label][0], 1);
    });
}

#[test]
fn a_secret_key_has_a_check_value_though_it_cannot_be_read() {
    on_token(|token| {
        let session = token.user();
        let odd = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let long: Vec<u8> = (0..3).flat_map(|part| odd.map(|byte| byte ^ (part * 6))).collect();
        for (key_type, value) in [
            (ck::CKK_GENERIC_SECRET, &long[..16]),
            (ck::CKK_AES, &long[..16]),
            (ck::CKK_DES, &long[..8]),
            (ck::CKK_DES2, &long[..16]),
            (ck::CKK_DES3, &long[..24]),
        ] {
            let key = known::secret(key_type, value)
                .with(template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false });
            let key = session.create(&key).unwrap();
            session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            let check = session.get(key, ck::CKA_CHECK_VALUE).unwrap();
            // Of the type's own cipher over zeros; of SHA-1 for one without a cipher.
            let expected = match key_type {
                ck::CKK_GENERIC_SECRET => session.digest(&plain(ck::CKM_SHA_1), value).unwrap(),
                ck::CKK_AES => session.encrypt(&plain(ck::CKM_AES_ECB), key, &[0; 16]).unwrap(),
                ck::CKK_DES => session.encrypt(&plain(ck::CKM_DES_ECB), key, &[0; 8]).unwrap(),
                _ => session.encrypt(&plain(ck::CKM_DES3_ECB), key, &[0; 8]).unwrap(),
            };
            assert_eq!(check, expected[..3], "{key_type:#x}");
        }
    });
}

#[test]
fn generation_needs_what_the_mechanism_cannot_know() {
    on_token(|token| {
        let session = token.user();
        let (mut how, mut key) = (plain(ck::CKM_DES3_KEY_GEN).c, 0);
        let (s, m, k) = (session.handle, &raw mut how, &raw mut key);
        call!(session, C_GenerateKey(s, m, null_mut(), 0, k)).is(ck::CKR_OK);
        call!(session, C_GenerateKey(s, m, null_mut(), 1, k)).is(ck::CKR_ARGUMENTS_BAD);
        session
            .generate(&plain(ck::CKM_AES_KEY_GEN), &template! {})
            .refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let fixed = session
            .generate(&plain(ck::CKM_DES3_KEY_GEN), &template! { CKA_MODIFIABLE => false })
            .unwrap();
        assert!(!session.flag(fixed, ck::CKA_MODIFIABLE));
    });
}
