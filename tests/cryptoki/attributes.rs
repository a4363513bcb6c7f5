//! Reading attributes: what is told, what is kept back, and what an attribute is when nobody
//! set it. PKCS#11 3.2, C_GetAttributeValue; "Object attributes"; "Key objects".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::objects::data;
use crate::support::known;
use crate::support::operations::plain;
use crate::support::{Refused, Session, Template, call, isolated, template};

const UNAVAILABLE: ck::CK_ULONG = ck::CK_UNAVAILABLE_INFORMATION;

/// An attribute to be filled in, with room for so many bytes.
fn room(kind: ck::CK_ATTRIBUTE_TYPE, bytes: &mut [u8]) -> ck::CK_ATTRIBUTE {
    let length = template::len(bytes.len());
    ck::CK_ATTRIBUTE { type_: kind, pValue: bytes.as_mut_ptr().cast(), ulValueLen: length }
}

/// An attribute whose length is asked for.
fn query(kind: ck::CK_ATTRIBUTE_TYPE) -> ck::CK_ATTRIBUTE {
    ck::CK_ATTRIBUTE { type_: kind, pValue: null_mut(), ulValueLen: 0 }
}

fn read(session: &Session<'_>, object: u64, rows: &mut [ck::CK_ATTRIBUTE]) -> crate::support::Rv {
    let count = template::len(rows.len());
    call!(session, C_GetAttributeValue(session.handle, object, rows.as_mut_ptr(), count))
}

/// A session key that may be read.
fn open_key(template: Template) -> Template {
    template.and(ck::CKA_SENSITIVE, false).and(ck::CKA_EXTRACTABLE, true)
}

#[test]
fn every_row_is_answered_whatever_the_others_say() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = known::aes(&[7; 16])
            .and(ck::CKA_SENSITIVE, true)
            .and(ck::CKA_EXTRACTABLE, false)
            .and(ck::CKA_LABEL, "a key");
        let key = session.create(&key).unwrap();
        let (mut label, mut value, mut flag, mut short) = ([0; 9], [0; 32], [9; 1], [0; 3]);
        let mut rows = [
            room(ck::CKA_VALUE, &mut value),
            room(ck::CKA_LABEL, &mut label),
            room(ck::CKA_MODULUS, &mut []),
            room(ck::CKA_CLASS, &mut short),
            room(ck::CKA_SENSITIVE, &mut flag),
            query(ck::CKA_LABEL),
        ];
        read(&session, key, &mut rows).is_one_of(&[
            ck::CKR_ATTRIBUTE_SENSITIVE,
            ck::CKR_ATTRIBUTE_TYPE_INVALID,
            ck::CKR_BUFFER_TOO_SMALL,
        ]);
        let lengths = rows.map(|row| row.ulValueLen);
        assert_eq!(lengths, [UNAVAILABLE, 5, UNAVAILABLE, UNAVAILABLE, 1, 5]);
        assert_eq!((&label[..5], flag, value), (b"a key".as_slice(), [1], [0; 32]));
        assert_eq!(short, [0; 3], "a room that is too small is left alone");
    });
}

#[test]
fn each_kind_of_refusal_has_its_own_answer() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = known::aes(&[7; 16]).and(ck::CKA_SENSITIVE, true);
        let key = session.create(&key).unwrap();
        for (mut row, answer) in [
            (query(ck::CKA_VALUE), ck::CKR_ATTRIBUTE_SENSITIVE),
            (room(ck::CKA_VALUE, &mut [0; 64]), ck::CKR_ATTRIBUTE_SENSITIVE),
            (query(ck::CKA_MODULUS), ck::CKR_ATTRIBUTE_TYPE_INVALID),
            (query(0x7fff_0000), ck::CKR_ATTRIBUTE_TYPE_INVALID),
            (query(ck::CKA_VENDOR_DEFINED | 77), ck::CKR_ATTRIBUTE_TYPE_INVALID),
            (room(ck::CKA_CLASS, &mut [0; 7]), ck::CKR_BUFFER_TOO_SMALL),
            (room(ck::CKA_TOKEN, &mut []), ck::CKR_BUFFER_TOO_SMALL),
        ] {
            read(&session, key, std::slice::from_mut(&mut row)).is(answer);
            assert_eq!(row.ulValueLen, UNAVAILABLE);
        }
    });
}

#[test]
fn more_room_than_needed_is_told_the_exact_length() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&data(false, false)).unwrap();
        let mut bytes = [0xC7; 40];
        let mut row = room(ck::CKA_LABEL, &mut bytes);
        read(&session, object, std::slice::from_mut(&mut row)).is(ck::CKR_OK);
        assert_eq!(row.ulValueLen, 7);
        assert_eq!((&bytes[..7], bytes[7]), (b"a label".as_slice(), 0xC7));
    });
}

#[test]
fn a_missing_template_is_refused_before_the_object_is_looked_for() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let s = session.handle;
        for object in [0, session.create(&data(false, false)).unwrap()] {
            call!(session, C_GetAttributeValue(s, object, null_mut(), 1)).is(ck::CKR_ARGUMENTS_BAD);
            call!(session, C_SetAttributeValue(s, object, null_mut(), 1)).is(ck::CKR_ARGUMENTS_BAD);
        }
    });
}

#[test]
fn every_object_has_a_unique_id_of_its_own() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let mut ids = Vec::new();
        for template in [data(true, true), data(true, false), data(false, false)] {
            let object = session.create(&template).unwrap();
            ids.push(session.get(object, ck::CKA_UNIQUE_ID).unwrap());
            let copy = session.copy(object, &template! {}).unwrap();
            ids.push(session.get(copy, ck::CKA_UNIQUE_ID).unwrap());
        }
        assert!(ids.iter().all(|id| !id.is_empty()));
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    });
}

#[test]
fn data_that_says_nothing_has_empty_attributes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&template! { CKA_CLASS => ck::CKO_DATA }).unwrap();
        for kind in [ck::CKA_LABEL, ck::CKA_APPLICATION, ck::CKA_OBJECT_ID, ck::CKA_VALUE] {
            session.has(object, kind, b"");
        }
        assert!(!session.flag(object, ck::CKA_TOKEN));
        for kind in [ck::CKA_MODIFIABLE, ck::CKA_COPYABLE, ck::CKA_DESTROYABLE] {
            assert!(session.flag(object, kind), "{kind:#x}");
        }
    });
}

#[test]
fn a_public_key_that_says_nothing_may_do_everything_but_derive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::rsa_public()).unwrap();
        for kind in [ck::CKA_ENCRYPT, ck::CKA_VERIFY, ck::CKA_VERIFY_RECOVER, ck::CKA_WRAP] {
            assert!(session.flag(key, kind), "{kind:#x}");
        }
        for kind in [ck::CKA_DERIVE, ck::CKA_PRIVATE, ck::CKA_TRUSTED, ck::CKA_LOCAL] {
            assert!(!session.flag(key, kind), "{kind:#x}");
        }
        for kind in [ck::CKA_LABEL, ck::CKA_SUBJECT, ck::CKA_START_DATE, ck::CKA_END_DATE] {
            session.has(key, kind, b"");
        }
        session.has(key, ck::CKA_WRAP_TEMPLATE, b"");
        session.has(key, ck::CKA_ALLOWED_MECHANISMS, b"");
        session.has(key, ck::CKA_KEY_GEN_MECHANISM, UNAVAILABLE);
        session.has(key, ck::CKA_MODULUS_BITS, 2048_u64);
    });
}

#[test]
fn a_private_key_that_says_nothing_may_do_everything_but_derive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::rsa_private()).unwrap();
        for kind in [ck::CKA_DECRYPT, ck::CKA_SIGN, ck::CKA_SIGN_RECOVER, ck::CKA_UNWRAP] {
            assert!(session.flag(key, kind), "{kind:#x}");
        }
        assert!(session.flag(key, ck::CKA_PRIVATE));
        for kind in [
            ck::CKA_DERIVE,
            ck::CKA_LOCAL,
            ck::CKA_ALWAYS_SENSITIVE,
            ck::CKA_NEVER_EXTRACTABLE,
            ck::CKA_ALWAYS_AUTHENTICATE,
            ck::CKA_WRAP_WITH_TRUSTED,
        ] {
            assert!(!session.flag(key, kind), "{kind:#x}");
        }
        for kind in [ck::CKA_LABEL, ck::CKA_SUBJECT, ck::CKA_START_DATE, ck::CKA_END_DATE] {
            session.has(key, kind, b"");
        }
        session.has(key, ck::CKA_UNWRAP_TEMPLATE, b"");
        session.has(key, ck::CKA_ALLOWED_MECHANISMS, b"");
        session.has(key, ck::CKA_KEY_GEN_MECHANISM, UNAVAILABLE);
    });
}

#[test]
fn a_secret_key_that_says_nothing_may_do_everything_but_derive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        for kind in [
            ck::CKA_ENCRYPT,
            ck::CKA_DECRYPT,
            ck::CKA_SIGN,
            ck::CKA_VERIFY,
            ck::CKA_WRAP,
            ck::CKA_UNWRAP,
            ck::CKA_PRIVATE,
        ] {
            assert!(session.flag(key, kind), "{kind:#x}");
        }
        for kind in [
            ck::CKA_DERIVE,
            ck::CKA_LOCAL,
            ck::CKA_TRUSTED,
            ck::CKA_ALWAYS_SENSITIVE,
            ck::CKA_NEVER_EXTRACTABLE,
            ck::CKA_WRAP_WITH_TRUSTED,
        ] {
            assert!(!session.flag(key, kind), "{kind:#x}");
        }
        session.has(key, ck::CKA_VALUE_LEN, 16_u64);
        for kind in [ck::CKA_LABEL, ck::CKA_ID, ck::CKA_WRAP_TEMPLATE, ck::CKA_UNWRAP_TEMPLATE] {
            session.has(key, kind, b"");
        }
    });
}

#[test]
fn secret_parts_of_a_sensitive_key_stay_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let secrets = [
            ck::CKA_PRIVATE_EXPONENT,
            ck::CKA_PRIME_1,
            ck::CKA_PRIME_2,
            ck::CKA_EXPONENT_1,
            ck::CKA_EXPONENT_2,
            ck::CKA_COEFFICIENT,
        ];
        for (sensitive, extractable) in [(true, true), (true, false), (false, false)] {
            let template = known::rsa_private()
                .and(ck::CKA_SENSITIVE, sensitive)
                .and(ck::CKA_EXTRACTABLE, extractable);
            let key = session.create(&template).unwrap();
            for kind in secrets {
                session.get(key, kind).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            }
            session.has(key, ck::CKA_MODULUS, &known::hex(known::RSA_MODULUS));
        }
    });
}

#[test]
fn secret_parts_of_an_open_key_are_what_was_imported() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&open_key(known::rsa_private())).unwrap();
        for (kind, value) in [
            (ck::CKA_PRIVATE_EXPONENT, known::RSA_PRIVATE_EXPONENT),
            (ck::CKA_PRIME_1, known::RSA_PRIME_1),
            (ck::CKA_PRIME_2, known::RSA_PRIME_2),
            (ck::CKA_EXPONENT_1, known::RSA_EXPONENT_1),
            (ck::CKA_EXPONENT_2, known::RSA_EXPONENT_2),
            (ck::CKA_COEFFICIENT, known::RSA_COEFFICIENT),
        ] {
            session.has(key, kind, &known::hex(value));
        }
        let key = session.create(&open_key(known::p256_private())).unwrap();
        session.has(key, ck::CKA_VALUE, &known::hex(known::P256_PRIVATE));
        let key = session.create(&open_key(known::ed25519_private())).unwrap();
        session.has(key, ck::CKA_VALUE, &known::hex(known::ED25519_SEED));
        let key = session.create(&open_key(known::aes(&[3; 32]))).unwrap();
        session.has(key, ck::CKA_VALUE, &[3; 32]);
    });
}

#[test]
fn secret_keys_have_a_check_value_even_when_nobody_may_read_them() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed = |template: Template| {
            let template = template.and(ck::CKA_SENSITIVE, true).and(ck::CKA_EXTRACTABLE, false);
            session.create(&template).unwrap()
        };
        // The first bytes of AES-128 of a zero block under a zero key, and of SHA-1 of "abc".
        session.has(closed(known::aes(&[0; 16])), ck::CKA_CHECK_VALUE, b"\x66\xe9\x4b");
        session.has(closed(known::generic(b"abc")), ck::CKA_CHECK_VALUE, b"\xa9\x99\x3e");
    });
}

#[test]
fn a_wrong_check_value_is_refused_and_an_empty_one_makes_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key =
            |check: &[u8]| session.create(&known::aes(&[0; 16]).and(ck::CKA_CHECK_VALUE, check));
        session.has(key(b"\x66\xe9\x4b").unwrap(), ck::CKA_CHECK_VALUE, b"\x66\xe9\x4b");
        key(b"\x66\xe9\x4c").refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        key(b"\x66\xe9").refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        session.has(key(b"").unwrap(), ck::CKA_CHECK_VALUE, b"");
    });
}

#[test]
fn allowed_mechanisms_read_back_as_they_were_set() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let list: &[ck::CK_ULONG] = &[ck::CKM_AES_GCM, ck::CKM_AES_ECB];
        let template = known::aes(&[0; 16]).and(ck::CKA_ALLOWED_MECHANISMS, list);
        let key = session.create(&template).unwrap();
        let read = session.get(key, ck::CKA_ALLOWED_MECHANISMS).unwrap();
        let number = |bytes: &[u8]| ck::CK_ULONG::from_ne_bytes(bytes.try_into().unwrap());
        let mut read: Vec<_> = read.chunks_exact(8).map(number).collect();
        read.sort_unstable();
        assert_eq!(read, [ck::CKM_AES_ECB, ck::CKM_AES_GCM]);
        session.encrypt(&plain(ck::CKM_AES_ECB), key, &[0; 16]).unwrap();
        let refused = session.encrypt_init(&plain(ck::CKM_AES_CBC), key);
        refused.refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn a_template_attribute_is_read_in_three_steps() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let inner = template! { CKA_EXTRACTABLE => true, CKA_KEY_TYPE => ck::CKK_AES };
        let key = known::aes(&[0; 16]).nesting(ck::CKA_UNWRAP_TEMPLATE, inner);
        let key = session.create(&key).unwrap();
        let size = size_of::<ck::CK_ATTRIBUTE>();
        let mut outer = query(ck::CKA_UNWRAP_TEMPLATE);
        read(&session, key, std::slice::from_mut(&mut outer)).is(ck::CKR_OK);
        assert_eq!(outer.ulValueLen, template::len(2 * size));
        let mut rows = [query(UNAVAILABLE), query(UNAVAILABLE)];
        outer.pValue = rows.as_mut_ptr().cast();
        read(&session, key, std::slice::from_mut(&mut outer)).is(ck::CKR_OK);
        let mut lengths = rows.map(|row| (row.type_, row.ulValueLen));
        lengths.sort_unstable();
        assert_eq!(lengths, [(ck::CKA_KEY_TYPE, 8), (ck::CKA_EXTRACTABLE, 1)]);
        let mut values = [[0_u8; 8]; 2];
        for (row, value) in rows.iter_mut().zip(&mut values) {
            row.pValue = value.as_mut_ptr().cast();
        }
        read(&session, key, std::slice::from_mut(&mut outer)).is(ck::CKR_OK);
        for (row, value) in rows.iter().zip(values) {
            if row.type_ == ck::CKA_KEY_TYPE {
                assert_eq!(value, ck::CKK_AES.to_ne_bytes());
            } else {
                assert_eq!((row.type_, value[0]), (ck::CKA_EXTRACTABLE, 1));
            }
        }
    });
}
