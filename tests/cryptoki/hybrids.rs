//! Hybrids that protocols put together themselves: TLS's X25519MLKEM768 out of ML-KEM, ECDH, a
//! concatenation and HKDF, none of whose secrets can be read on the way.
//! draft-ietf-tls-ecdhe-mlkem, "Shared secret"; RFC 8446, 7.1.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::derive::ecdh;
use crate::support::known::X25519;
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Bench, Refused, Session, Template, isolated, template};

const SALT: &[u8] = &[0x5a; 32];
const INFO: &[u8] = b"c hs traffic";

/// A secret of the session from which others are derived, and which nobody reads.
fn closed() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_DERIVE => true,
    }
}

fn readable() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    }
}

/// Private keys that stay.
fn kept() -> Template {
    template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false }
}

fn ml_kem(session: &Session<'_>, private: &Template) -> (u64, u64) {
    let public = template! { CKA_PARAMETER_SET => ck::CKP_ML_KEM_768 };
    session.generate_pair(&plain(ck::CKM_ML_KEM_KEY_PAIR_GEN), &public, private).unwrap()
}

fn x25519(session: &Session<'_>, private: &Template) -> (u64, u64) {
    let public = template! { CKA_EC_PARAMS => X25519 };
    let private = private.clone().and(ck::CKA_DERIVE, true);
    let how = plain(ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).unwrap()
}

fn agreed(session: &Session<'_>, key: u64, peer: u64, template: &Template) -> u64 {
    let point = session.get(peer, ck::CKA_EC_POINT).unwrap();
    let parameter = ecdh(&point);
    let template = template.clone().and(ck::CKA_VALUE_LEN, 32_u64);
    session.derive(&with_struct(ck::CKM_ECDH1_DERIVE, &parameter), key, &template).unwrap()
}

fn hkdf() -> ck::CK_HKDF_PARAMS {
    ck::CK_HKDF_PARAMS {
        bExtract: 1,
        bExpand: 1,
        prfHashMechanism: ck::CKM_SHA256,
        ulSaltType: ck::CKF_HKDF_SALT_DATA,
        pSalt: SALT.as_ptr().cast_mut(),
        ulSaltLen: len(SALT.len()),
        hSaltKey: 0,
        pInfo: INFO.as_ptr().cast_mut(),
        ulInfoLen: len(INFO.len()),
    }
}

/// ML-KEM's secret, then X25519's; and the MAC key that HKDF makes of the 64 bytes. Nothing of
/// it can be read, wrapped, or made readable afterwards.
fn joined(session: &Session<'_>, lattice: u64, curve: u64) -> u64 {
    let how = with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &curve);
    // The template asks for a secret that can be read, and gets none.
    let open = readable().and(ck::CKA_DERIVE, true);
    let joint = session.derive(&how, lattice, &open).unwrap();
    assert_eq!(session.number(joint, ck::CKA_VALUE_LEN), 64);
    let by = crate::wrapping::wrapping_key(session, &[7; 32]);
    for secret in [lattice, curve, joint] {
        session.get(secret, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        session.has(secret, ck::CKA_EXTRACTABLE, false);
        let wrapped = session.wrap(&plain(ck::CKM_AES_KEY_WRAP_KWP), by, secret);
        wrapped.refused(ck::CKR_KEY_UNEXTRACTABLE);
        let changed = session.set(secret, &template! { CKA_SENSITIVE => false });
        changed.refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let copied = session.copy(secret, &template! { CKA_EXTRACTABLE => true });
        copied.refused(ck::CKR_ATTRIBUTE_READ_ONLY);
    }
    let parameter = hkdf();
    let key = closed().and(ck::CKA_VALUE_LEN, 32_u64).and(ck::CKA_SIGN, true);
    session.derive(&with_struct(ck::CKM_HKDF_DERIVE, &parameter), joint, &key).unwrap()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The MAC of a message under what openssl makes of both secrets.
fn by_openssl(bench: &Bench, lattice: &[u8], curve: &[u8]) -> Vec<u8> {
    let openssl = bench.openssl();
    let (secret, salt, info) = (text(&[lattice, curve].concat()), text(SALT), text(INFO));
    let key = openssl.must(&format!(
        "kdf -binary -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:{secret} \
         -kdfopt hexsalt:{salt} -kdfopt hexinfo:{info} HKDF"
    ));
    assert_eq!(key.len(), 32);
    openssl.file("message", b"proof");
    openssl
        .must(&format!("mac -binary -digest SHA256 -macopt hexkey:{} -in message HMAC", text(&key)))
}

#[test]
fn the_64_bytes_of_x25519mlkem768_are_made_and_found_and_never_read() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (kem, mac) = (plain(ck::CKM_ML_KEM), plain(ck::CKM_SHA256_HMAC));
        // The client keeps its private keys; the server's stand for another machine, and show
        // what both agree on.
        let (share, share_key) = ml_kem(&session, &kept());
        let (point, point_key) = x25519(&session, &kept());
        let (answer, answer_key) =
            x25519(&session, &readable().without(ck::CKA_CLASS).without(ck::CKA_KEY_TYPE));
        let (ciphertext, shown) = session.encapsulate(&kem, share, &readable()).unwrap();
        let lattice = session.get(shown, ck::CKA_VALUE).unwrap();
        let curve = agreed(&session, answer_key, point, &readable());
        let curve = session.get(curve, ck::CKA_VALUE).unwrap();
        assert_eq!((lattice.len(), curve.len()), (32, 32));

        let first = session.decapsulate(&kem, share_key, &closed(), &ciphertext).unwrap();
        let second = agreed(&session, point_key, answer, &closed());
        let found = session.sign(&mac, joined(&session, first, second), b"proof").unwrap();
        assert_eq!(found, by_openssl(bench, &lattice, &curve));
        assert_ne!(found, by_openssl(bench, &curve, &lattice), "the order is the protocol's");
    });
}

#[test]
fn a_server_makes_the_same_secret_as_its_client() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (kem, mac) = (plain(ck::CKM_ML_KEM), plain(ck::CKM_SHA256_HMAC));
        let (share, share_key) = ml_kem(&session, &kept());
        let (point, point_key) = x25519(&session, &kept());
        let (answer, answer_key) = x25519(&session, &kept());
        let (ciphertext, made) = session.encapsulate(&kem, share, &closed()).unwrap();
        let server = joined(&session, made, agreed(&session, answer_key, point, &closed()));
        let found = session.decapsulate(&kem, share_key, &closed(), &ciphertext).unwrap();
        let client = joined(&session, found, agreed(&session, point_key, answer, &closed()));
        let told = session.sign(&mac, server, b"finished").unwrap();
        session.verify(&mac, client, b"finished", &told).unwrap();
        // Whoever changes the ciphertext gets another secret, and no error that tells of it.
        let mut changed = ciphertext.clone();
        changed[0] ^= 1;
        let other = session.decapsulate(&kem, share_key, &closed(), &changed).unwrap();
        let other = joined(&session, other, agreed(&session, point_key, answer, &closed()));
        session.verify(&mac, other, b"finished", &told).refused(ck::CKR_SIGNATURE_INVALID);
    });
}

#[test]
fn a_join_wants_two_secrets_that_may_be_derived_from() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (share, _) = ml_kem(&session, &kept());
        let kem = plain(ck::CKM_ML_KEM);
        let (_, first) = session.encapsulate(&kem, share, &closed()).unwrap();
        let still = closed().without(ck::CKA_DERIVE);
        let (_, second) = session.encapsulate(&kem, share, &still).unwrap();
        for (base, other) in [(first, second), (second, first)] {
            let how = with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &other);
            let refused = session.derive(&how, base, &closed());
            refused.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        }
        let nothing = ck::CK_HKDF_PARAMS { pSalt: null_mut(), ..hkdf() };
        let how = with_struct(ck::CKM_HKDF_DERIVE, &nothing);
        let refused = session.derive(&how, first, &closed().and(ck::CKA_VALUE_LEN, 32_u64));
        refused.refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}
