//! Trust objects. PKCS#11 3.2, "Trust objects".

use cryptoki_sys as ck;

use crate::support::{Refused, Template, isolated, template};

const SERIAL: &[u8] = &[2, 1, 9];
const HASH: &[u8] = &[0xa5; 32];
const UNKNOWN: ck::CK_ULONG = ck::CKT_TRUST_UNKNOWN as ck::CK_ULONG;
const TRUSTED: ck::CK_ULONG = ck::CKT_TRUSTED as ck::CK_ULONG;
const ANCHOR: ck::CK_ULONG = ck::CKT_TRUST_ANCHOR as ck::CK_ULONG;
const NOT_TRUSTED: ck::CK_ULONG = ck::CKT_NOT_TRUSTED as ck::CK_ULONG;

fn about(issuer: &[u8]) -> Template {
    template! {
        CKA_CLASS => ck::CKO_TRUST, CKA_ISSUER => issuer, CKA_SERIAL_NUMBER => SERIAL,
    }
}

fn with_hash(issuer: &[u8]) -> Template {
    about(issuer)
        .and(ck::CKA_HASH_OF_CERTIFICATE, HASH)
        .and(ck::CKA_NAME_HASH_ALGORITHM, ck::CKM_SHA256)
}

#[test]
fn what_nobody_said_is_unknown_and_the_rest_is_kept() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let made = with_hash(b"issuer")
            .and(ck::CKA_TOKEN, true)
            .and(ck::CKA_TRUST_SERVER_AUTH, ANCHOR)
            .and(ck::CKA_TRUST_CODE_SIGNING, NOT_TRUSTED);
        session.create(&made).unwrap();
        session.logout().unwrap();
        let found = session.find(&about(b"issuer")).unwrap();
        let [object] = found[..] else { panic!("{found:?}") };
        session.has(object, ck::CKA_TRUST_SERVER_AUTH, ANCHOR);
        session.has(object, ck::CKA_TRUST_CODE_SIGNING, NOT_TRUSTED);
        session.has(object, ck::CKA_HASH_OF_CERTIFICATE, HASH);
        session.has(object, ck::CKA_MODIFIABLE, true);
        session.has(object, ck::CKA_PRIVATE, false);
        for missing in [
            ck::CKA_TRUST_CLIENT_AUTH,
            ck::CKA_TRUST_EMAIL_PROTECTION,
            ck::CKA_TRUST_IPSEC_IKE,
            ck::CKA_TRUST_TIME_STAMPING,
            ck::CKA_TRUST_OCSP_SIGNING,
        ] {
            session.has(object, missing, UNKNOWN);
        }
    });
}

#[test]
fn trust_needs_the_hash_of_the_certificate_and_distrust_does_not() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let distrust = about(b"issuer").and(ck::CKA_TRUST_SERVER_AUTH, NOT_TRUSTED);
        let object = session.create(&distrust).unwrap();
        let trust = template! { CKA_TRUST_SERVER_AUTH => TRUSTED };
        session.set(object, &trust).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        session.has(object, ck::CKA_TRUST_SERVER_AUTH, NOT_TRUSTED);
        let incomplete = ck::CKR_TEMPLATE_INCOMPLETE;
        session.create(&about(b"i").and(ck::CKA_TRUST_IPSEC_IKE, TRUSTED)).refused(incomplete);
        let no_algorithm = about(b"i")
            .and(ck::CKA_TRUST_IPSEC_IKE, TRUSTED)
            .and(ck::CKA_HASH_OF_CERTIFICATE, HASH);
        session.create(&no_algorithm).refused(incomplete);
        let no_issuer = template! { CKA_CLASS => ck::CKO_TRUST, CKA_SERIAL_NUMBER => SERIAL };
        session.create(&no_issuer).refused(incomplete);
        let no_serial = template! { CKA_CLASS => ck::CKO_TRUST, CKA_ISSUER => b"i" };
        session.create(&no_serial).refused(incomplete);
    });
}

#[test]
fn other_words_and_other_hashes_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let invalid = ck::CKR_ATTRIBUTE_VALUE_INVALID;
        for word in [5, ck::CK_ULONG::MAX] {
            session.create(&with_hash(b"i").and(ck::CKA_TRUST_SERVER_AUTH, word)).refused(invalid);
        }
        let short = about(b"i")
            .and(ck::CKA_HASH_OF_CERTIFICATE, &HASH[1..])
            .and(ck::CKA_NAME_HASH_ALGORITHM, ck::CKM_SHA256);
        session.create(&short).refused(invalid);
        let no_hash = about(b"i")
            .and(ck::CKA_HASH_OF_CERTIFICATE, HASH)
            .and(ck::CKA_NAME_HASH_ALGORITHM, ck::CKM_AES_ECB);
        session.create(&no_hash).refused(invalid);
        let of_a_key = with_hash(b"i").and(ck::CKA_SIGN, true);
        session.create(&of_a_key).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let object = session.create(&with_hash(b"i")).unwrap();
        session.set(object, &template! { CKA_TRUST_SERVER_AUTH => 9_u64 }).refused(invalid);
        session.set(object, &template! { CKA_TRUST_SERVER_AUTH => TRUSTED }).unwrap();
        session.has(object, ck::CKA_TRUST_SERVER_AUTH, TRUSTED);
        let how = crate::support::operations::plain(ck::CKM_ECDSA);
        session.verify_init(&how, object).refused(ck::CKR_KEY_HANDLE_INVALID);
    });
}

#[test]
fn a_token_has_one_for_a_certificate() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let first = session.create(&with_hash(b"issuer").and(ck::CKA_TOKEN, true)).unwrap();
        let second = about(b"issuer").and(ck::CKA_TOKEN, true);
        session.create(&second).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        session.create(&about(b"issuer")).expect("in a session it is another matter");
        session.create(&about(b"another").and(ck::CKA_TOKEN, true)).unwrap();
        session.destroy(first).unwrap();
        session.create(&second).unwrap();
    });
}
