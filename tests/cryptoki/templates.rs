//! Templates that make no object: incomplete, inconsistent, of the wrong kind, at odd addresses,
//! too long. PKCS#11 3.2, "Creating objects", C_CreateObject.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::objects::data;
use crate::support::known;
use crate::support::{Refused, Template, Token, call, isolated, template};

/// Refuses each template on the token of a logged-in user, and leaves nothing behind.
#[track_caller]
fn refuses(token: &Token, cases: Vec<(&str, Template, &[ck::CK_RV])>) {
    let session = token.user();
    for (what, template, expected) in cases {
        match session.create(&template) {
            Ok(_) => panic!("{what}: was created"),
            Err(rv) => assert!(expected.contains(&rv.0), "{what}: {rv}"),
        }
    }
    assert_eq!(session.count(&template! {}), 0, "a refused object was made");
}

#[test]
fn templates_that_describe_no_object_are_refused() {
    isolated(|bench| {
        let incomplete: &[ck::CK_RV] = &[ck::CKR_TEMPLATE_INCOMPLETE];
        let no_class = template! { CKA_LABEL => "of nothing" };
        let strange_class = template! { CKA_CLASS => ck::CKO_VENDOR_DEFINED + 5 };
        let no_key_type = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_VALUE => &[1; 16] };
        let strange = known::secret(ck::CKK_VENDOR_DEFINED + 5, &[1; 16]);
        let wrong: &[ck::CK_RV] = &[ck::CKR_ATTRIBUTE_VALUE_INVALID, ck::CKR_TEMPLATE_INCONSISTENT];
        let no_certificate_type =
            template! { CKA_CLASS => ck::CKO_CERTIFICATE, CKA_SUBJECT => b"s", CKA_VALUE => b"v" };
        refuses(
            &bench.token(),
            vec![
                ("nothing", template! {}, incomplete),
                ("no class", no_class, incomplete),
                ("a strange class", strange_class, wrong),
                ("no key type", no_key_type, incomplete),
                ("a strange key type", strange, wrong),
                ("no certificate type", no_certificate_type, incomplete),
                ("an AES key without value", known::aes(&[]).without(ck::CKA_VALUE), incomplete),
                ("RSA without modulus", known::rsa_public().without(ck::CKA_MODULUS), incomplete),
                ("EC without point", known::p256_public().without(ck::CKA_EC_POINT), incomplete),
                ("EC without value", known::p256_private().without(ck::CKA_VALUE), incomplete),
                ("EC without curve", known::p256_public().without(ck::CKA_EC_PARAMS), incomplete),
            ],
        );
    });
}

#[test]
fn attributes_that_do_not_belong_are_refused() {
    isolated(|bench| {
        let data = || template! { CKA_CLASS => ck::CKO_DATA };
        let unknown: &[ck::CK_RV] = &[ck::CKR_ATTRIBUTE_TYPE_INVALID];
        let foreign: &[ck::CK_RV] =
            &[ck::CKR_TEMPLATE_INCONSISTENT, ck::CKR_ATTRIBUTE_TYPE_INVALID];
        let vendor = ck::CKA_VENDOR_DEFINED | 0x1234;
        refuses(
            &bench.token(),
            vec![
                ("an unknown attribute", data().and(0x7fff_0000, b"x"), unknown),
                ("a vendor attribute", data().and(vendor, b"x"), unknown),
                ("a modulus in data", data().and(ck::CKA_MODULUS, b"x"), foreign),
                ("a curve in AES", known::aes(&[1; 16]).and(ck::CKA_EC_PARAMS, b"x"), foreign),
                ("a subject in AES", known::aes(&[1; 16]).and(ck::CKA_SUBJECT, b"x"), foreign),
            ],
        );
    });
}

#[test]
fn attributes_that_the_token_makes_are_read_only() {
    isolated(|bench| {
        let read_only: &[ck::CK_RV] = &[ck::CKR_ATTRIBUTE_READ_ONLY];
        let key = || known::aes(&[1; 16]);
        let mechanism = ck::CKM_AES_KEY_GEN;
        refuses(
            &bench.token(),
            vec![
                ("CKA_UNIQUE_ID", data(false, false).and(ck::CKA_UNIQUE_ID, "mine"), read_only),
                ("CKA_LOCAL", key().and(ck::CKA_LOCAL, true), read_only),
                ("CKA_LOCAL", key().and(ck::CKA_LOCAL, false), read_only),
                ("CKA_ALWAYS_SENSITIVE", key().and(ck::CKA_ALWAYS_SENSITIVE, true), read_only),
                ("CKA_NEVER_EXTRACTABLE", key().and(ck::CKA_NEVER_EXTRACTABLE, true), read_only),
                (
                    "CKA_KEY_GEN_MECHANISM",
                    key().and(ck::CKA_KEY_GEN_MECHANISM, mechanism),
                    read_only,
                ),
            ],
        );
    });
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    isolated(|bench| {
        let invalid: &[ck::CK_RV] = &[ck::CKR_ATTRIBUTE_VALUE_INVALID];
        let short_class = ck::CKO_DATA.to_ne_bytes();
        let flag = |value: &[u8]| template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => value };
        let class = |value: &[u8]| template! { CKA_CLASS => value };
        let date = |value: &str| known::aes(&[1; 16]).and(ck::CKA_START_DATE, value);
        let mechanisms = |value: &[u8]| known::aes(&[1; 16]).and(ck::CKA_ALLOWED_MECHANISMS, value);
        refuses(
            &bench.token(),
            vec![
                ("an empty flag", flag(b""), invalid),
                ("a flag of two bytes", flag(b"\x01\x01"), invalid),
                ("a flag of eight bytes", flag(&[1, 0, 0, 0, 0, 0, 0, 0]), invalid),
                ("a flag of 2", flag(b"\x02"), invalid),
                ("an empty class", class(b""), invalid),
                ("a class of four bytes", class(&short_class[..4]), invalid),
                ("a class of nine bytes", class(&[0; 9]), invalid),
                ("a date of words", date("tomorrow"), invalid),
                ("a date that is short", date("2026112"), invalid),
                ("a thirteenth month", date("20261301"), invalid),
                ("a day of no month", date("20261200"), invalid),
                ("mechanisms of seven bytes", mechanisms(&[0; 7]), invalid),
                ("a list of no mechanism", mechanisms(b""), invalid),
                ("an AES key of 15 bytes", known::aes(&[1; 15]), invalid),
                ("an AES key of 33 bytes", known::aes(&[1; 33]), invalid),
            ],
        );
    });
}

#[test]
fn an_attribute_given_twice_must_be_the_same_twice() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let twice = data(false, false).and(ck::CKA_LABEL, "a label");
        let object = session.create(&twice).unwrap();
        session.has(object, ck::CKA_LABEL, "a label");
        session.destroy(object).unwrap();
        let different = data(false, false).and(ck::CKA_LABEL, "another label");
        session.create(&different).refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn templates_at_odd_addresses_are_read() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        let mut class = [0_u8; 16];
        class[3..11].copy_from_slice(&ck::CKO_DATA.to_ne_bytes());
        let mut private = 0_u8;
        let rows = [
            ck::CK_ATTRIBUTE {
                type_: ck::CKA_CLASS,
                pValue: class[3..].as_mut_ptr().cast(),
                ulValueLen: 8,
            },
            ck::CK_ATTRIBUTE {
                type_: ck::CKA_PRIVATE,
                pValue: (&raw mut private).cast(),
                ulValueLen: 1,
            },
        ];
        let mut room = [0_u64; 8];
        let odd = room.as_mut_ptr().cast::<u8>().wrapping_add(5).cast::<ck::CK_ATTRIBUTE>();
        for (at, row) in rows.iter().enumerate() {
            // SAFETY: the room is longer than two rows and five bytes.
            unsafe { odd.wrapping_add(at).write_unaligned(*row) };
        }
        let mut object = 0;
        call!(session, C_CreateObject(session.handle, odd, 2, &raw mut object)).is(ck::CKR_OK);
        session.has(object, ck::CKA_CLASS, ck::CKO_DATA);
    });
}

#[test]
fn overlong_templates_and_values_are_refused_before_they_are_read() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        let mut row = ck::CK_ATTRIBUTE {
            type_: ck::CKA_VALUE,
            pValue: crate::support::module::wild(),
            ulValueLen: ck::CK_ULONG::MAX,
        };
        let (s, rows) = (session.handle, &raw mut row);
        let mut object = 0;
        for length in [(1 << 20) + 1, 1 << 40, ck::CK_ULONG::MAX - 1, ck::CK_ULONG::MAX] {
            // SAFETY: `row` is alive.
            unsafe { (*rows).ulValueLen = length };
            call!(session, C_CreateObject(s, rows, 1, &raw mut object))
                .is_one_of(&[ck::CKR_ARGUMENTS_BAD, ck::CKR_ATTRIBUTE_VALUE_INVALID]);
        }
        for count in [1025, 1 << 40, ck::CK_ULONG::MAX] {
            call!(session, C_CreateObject(s, rows, count, &raw mut object))
                .is(ck::CKR_ARGUMENTS_BAD);
        }
        call!(session, C_CreateObject(s, null_mut(), 1, &raw mut object)).is(ck::CKR_ARGUMENTS_BAD);
        assert_eq!(object, 0, "no handle was given out");
    });
}

#[test]
fn a_value_without_a_pointer_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for kind in [ck::CKA_LABEL, ck::CKA_VALUE, ck::CKA_TOKEN, ck::CKA_CLASS] {
            let mut row = ck::CK_ATTRIBUTE { type_: kind, pValue: null_mut(), ulValueLen: 8 };
            let mut object = 0;
            call!(session, C_CreateObject(session.handle, &raw mut row, 1, &raw mut object))
                .is_one_of(&[ck::CKR_ARGUMENTS_BAD, ck::CKR_ATTRIBUTE_VALUE_INVALID]);
        }
    });
}

#[test]
fn without_a_place_for_the_handle_nothing_is_made() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        data(true, true)
            .lend(|rows, count| {
                call!(session, C_CreateObject(session.handle, rows, count, null_mut()))
            })
            .is(ck::CKR_ARGUMENTS_BAD);
        assert_eq!(session.count(&template! {}), 0);
    });
}

#[test]
fn a_value_of_a_mebibyte_is_kept() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let value: Vec<u8> = (0..1 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
        let big = data(true, true).without(ck::CKA_VALUE).and(ck::CKA_VALUE, &value);
        let object = session.create(&big).unwrap();
        assert_eq!(session.get(object, ck::CKA_VALUE).unwrap(), value);
    });
}
