//! Certificates. PKCS#11 3.2, "Certificate objects", "X.509 public key certificate objects".

use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::{Refused, Template, isolated, template};

/// A certificate; what is in it is the host's business, and need not be DER.
fn certificate() -> Template {
    template! {
        CKA_CLASS => ck::CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => ck::CKC_X_509,
        CKA_SUBJECT => b"a subject", CKA_VALUE => b"a certificate",
    }
}

#[test]
fn a_certificate_needs_a_subject_and_a_value() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for missing in [ck::CKA_SUBJECT, ck::CKA_VALUE] {
            let refused = session.create(&certificate().without(missing));
            refused.refused(ck::CKR_TEMPLATE_INCOMPLETE);
        }
        session.create(&certificate()).unwrap();
    });
}

#[test]
fn a_certificate_that_says_nothing_more_is_public_and_untrusted() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&certificate()).unwrap();
        for kind in [ck::CKA_TOKEN, ck::CKA_PRIVATE, ck::CKA_TRUSTED] {
            assert!(!session.flag(object, kind), "{kind:#x}");
        }
        for kind in [ck::CKA_MODIFIABLE, ck::CKA_COPYABLE, ck::CKA_DESTROYABLE] {
            assert!(session.flag(object, kind), "{kind:#x}");
        }
        for kind in [
            ck::CKA_LABEL,
            ck::CKA_ID,
            ck::CKA_ISSUER,
            ck::CKA_SERIAL_NUMBER,
            ck::CKA_URL,
            ck::CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
            ck::CKA_HASH_OF_ISSUER_PUBLIC_KEY,
            ck::CKA_START_DATE,
            ck::CKA_END_DATE,
            ck::CKA_PUBLIC_KEY_INFO,
        ] {
            session.has(object, kind, b"");
        }
        session.has(object, ck::CKA_CERTIFICATE_CATEGORY, 0_u64);
        session.has(object, ck::CKA_JAVA_MIDP_SECURITY_DOMAIN, 0_u64);
        session.has(object, ck::CKA_NAME_HASH_ALGORITHM, ck::CKM_SHA_1);
    });
}

#[test]
fn a_certificate_has_the_first_bytes_of_its_sha_1_as_check_value() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let object = session.create(&certificate()).unwrap();
        let hash = session.digest(&plain(ck::CKM_SHA_1), b"a certificate").unwrap();
        session.has(object, ck::CKA_CHECK_VALUE, &hash[..3]);
    });
}

#[test]
fn a_check_value_is_not_the_hosts_to_set() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let forged = template! { CKA_CHECK_VALUE => b"\x01\x02\x03" };
        session
            .create(&certificate().and(ck::CKA_CHECK_VALUE, b"\x01\x02\x03"))
            .refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let object = session.create(&certificate()).unwrap();
        session.set(object, &forged).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
    });
}

#[test]
fn certificates_are_found_by_subject_issuer_serial_number_and_id() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let full = certificate().with(template! {
            CKA_TOKEN => true, CKA_ID => b"id", CKA_ISSUER => b"issuer", CKA_SERIAL_NUMBER => b"\x02\x01\x07",
        });
        let object = session.create(&full).unwrap();
        session.logout().unwrap();
        for template in [
            template! { CKA_SUBJECT => b"a subject" },
            template! { CKA_ISSUER => b"issuer", CKA_SERIAL_NUMBER => b"\x02\x01\x07" },
            template! { CKA_ID => b"id" },
            template! { CKA_VALUE => b"a certificate" },
        ] {
            assert_eq!(session.find(&template).unwrap(), [object]);
        }
        session.has(object, ck::CKA_VALUE, b"a certificate");
    });
}
