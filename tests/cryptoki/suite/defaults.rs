//! What attributes are that nobody gave: each can be read, and most are empty.

use cryptoki_sys as ck;

use super::on_token;
use crate::support::known::{self, hex};
use crate::support::{Refused, Session, Template, template};

fn empty(session: &Session<'_>, object: ck::CK_OBJECT_HANDLE, kinds: &[ck::CK_ATTRIBUTE_TYPE]) {
    for kind in kinds {
        assert_eq!(session.get(object, *kind).expect("it is there"), b"", "{kind:#x}");
    }
}

fn flags(
    session: &Session<'_>,
    object: ck::CK_OBJECT_HANDLE,
    expected: &[(ck::CK_ATTRIBUTE_TYPE, bool)],
) {
    for (kind, value) in expected {
        assert_eq!(session.flag(object, *kind), *value, "{kind:#x}");
    }
}

/// Every object: of a session, to be changed, copied and destroyed.
fn usual(session: &Session<'_>, object: ck::CK_OBJECT_HANDLE) {
    flags(
        session,
        object,
        &[
            (ck::CKA_TOKEN, false),
            (ck::CKA_MODIFIABLE, true),
            (ck::CKA_COPYABLE, true),
            (ck::CKA_DESTROYABLE, true),
        ],
    );
    empty(session, object, &[ck::CKA_LABEL]);
}

#[test]
fn a_data_object_is_empty() {
    on_token(|token| {
        let session = token.user();
        let object = session.create(&template! { CKA_CLASS => ck::CKO_DATA }).unwrap();
        usual(&session, object);
        empty(&session, object, &[ck::CKA_APPLICATION, ck::CKA_OBJECT_ID, ck::CKA_VALUE]);
    });
}

fn certificate() -> Template {
    template! {
        CKA_CLASS => ck::CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => ck::CKC_X_509,
        CKA_SUBJECT => "Test1", CKA_VALUE => "Test2",
    }
}

#[test]
fn a_certificate_needs_subject_and_value_and_any_bytes_will_do() {
    on_token(|token| {
        let session = token.user();
        for missing in [ck::CKA_SUBJECT, ck::CKA_VALUE] {
            session.create(&certificate().without(missing)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        }
        let object = session.create(&certificate()).unwrap();
        usual(&session, object);
        flags(&session, object, &[(ck::CKA_PRIVATE, false), (ck::CKA_TRUSTED, false)]);
        empty(
            &session,
            object,
            &[
                ck::CKA_ID,
                ck::CKA_ISSUER,
                ck::CKA_SERIAL_NUMBER,
                ck::CKA_URL,
                ck::CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
                ck::CKA_HASH_OF_ISSUER_PUBLIC_KEY,
                ck::CKA_START_DATE,
                ck::CKA_END_DATE,
            ],
        );
        session.has(object, ck::CKA_CERTIFICATE_CATEGORY, 0 as ck::CK_ULONG);
        session.has(object, ck::CKA_JAVA_MIDP_SECURITY_DOMAIN, 0 as ck::CK_ULONG);
        session.has(object, ck::CKA_NAME_HASH_ALGORITHM, ck::CKM_SHA_1);
        // The first three bytes of the value's SHA-1.
        session.has(object, ck::CKA_CHECK_VALUE, &hex("2b84f6"));
        session
            .set(object, &template! { CKA_CHECK_VALUE => b"\x2b\x84\xf6" })
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
    });
}

/// A modulus of 512 bits, as old keys had.
const MODULUS_512: &str = "\
    cb12fc8fea8ad19e51d9ef58c9ddf1e86bdc4b3f1d3d9c8de0fbe5b7d4c3a1f1\
    a3f2ddc3cc7d1cb6f36ed3c29a1a5d0be6b7c1d26f7a0ec9b6a1a9bb1ab9b52f";

#[test]
fn a_public_rsa_key_may_be_used_for_everything_but_derivation() {
    on_token(|token| {
        let session = token.user();
        let key = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_RSA,
            CKA_MODULUS => &hex(MODULUS_512), CKA_PUBLIC_EXPONENT => b"\x01\x00\x01",
        };
        let object = session.create(&key).unwrap();
        usual(&session, object);
        empty(
            &session,
            object,
            &[
                ck::CKA_ID,
                ck::CKA_SUBJECT,
                ck::CKA_START_DATE,
                ck::CKA_END_DATE,
                ck::CKA_ALLOWED_MECHANISMS,
                ck::CKA_WRAP_TEMPLATE,
            ],
        );
        flags(
            &session,
            object,
            &[
                (ck::CKA_ENCRYPT, true),
                (ck::CKA_VERIFY, true),
                (ck::CKA_VERIFY_RECOVER, true),
                (ck::CKA_WRAP, true),
                (ck::CKA_DERIVE, false),
                (ck::CKA_TRUSTED, false),
                (ck::CKA_LOCAL, false),
            ],
        );
        session.has(object, ck::CKA_MODULUS_BITS, 512 as ck::CK_ULONG);
        session.has(object, ck::CKA_KEY_GEN_MECHANISM, ck::CK_UNAVAILABLE_INFORMATION);
    });
}

#[test]
fn a_private_rsa_key_of_modulus_and_exponent_alone_is_taken() {
    on_token(|token| {
        let session = token.user();
        let object = session.create(&known::rsa_private_without_primes()).unwrap();
        usual(&session, object);
        empty(
            &session,
            object,
            &[
                ck::CKA_ID,
                ck::CKA_SUBJECT,
                ck::CKA_START_DATE,
                ck::CKA_END_DATE,
                ck::CKA_ALLOWED_MECHANISMS,
                ck::CKA_UNWRAP_TEMPLATE,
            ],
        );
        flags(
            &session,
            object,
            &[
                (ck::CKA_PRIVATE, true),
                (ck::CKA_DECRYPT, true),
                (ck::CKA_SIGN, true),
                (ck::CKA_SIGN_RECOVER, true),
                (ck::CKA_UNWRAP, true),
                (ck::CKA_DERIVE, false),
                (ck::CKA_WRAP_WITH_TRUSTED, false),
                (ck::CKA_ALWAYS_AUTHENTICATE, false),
                (ck::CKA_LOCAL, false),
                (ck::CKA_ALWAYS_SENSITIVE, false),
                (ck::CKA_NEVER_EXTRACTABLE, false),
            ],
        );
    });
}
