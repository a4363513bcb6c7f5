//! ECDH as a key encapsulation: an ephemeral key whose public half is the ciphertext.
//! PKCS#11 3.2, "Elliptic curve Diffie-Hellman"; C_EncapsulateKey, C_DecapsulateKey.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{P256, P384, P521, X25519, octet_string};
use crate::support::operations::{Mechanism, plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

const X448: &[u8] = b"\x06\x03\x2b\x65\x6f";
/// Curves: how pairs are made, object identifier, bytes of a point, bytes of a secret.
const CURVES: [(ck::CK_MECHANISM_TYPE, &[u8], usize, usize); 5] = [
    (ck::CKM_EC_KEY_PAIR_GEN, P256, 65, 32),
    (ck::CKM_EC_KEY_PAIR_GEN, P384, 97, 48),
    (ck::CKM_EC_KEY_PAIR_GEN, P521, 133, 66),
    (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519, 32, 32),
    (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X448, 56, 56),
];
const SHARED: &[u8] = b"both sides know this";

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

fn pair(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE, curve: &[u8]) -> Pair {
    let public = template! { CKA_EC_PARAMS => curve, CKA_ENCAPSULATE => true };
    let private = template! { CKA_DECAPSULATE => true, CKA_DERIVE => true };
    session.generate_pair(&plain(how), &public, &private).expect("C_GenerateKeyPair")
}

fn p256(session: &Session<'_>) -> Pair {
    pair(session, ck::CKM_EC_KEY_PAIR_GEN, P256)
}

fn parameter(kdf: ck::CK_ULONG, shared: &[u8]) -> ck::CK_ECDH1_DERIVE_PARAMS {
    ck::CK_ECDH1_DERIVE_PARAMS {
        kdf,
        ulSharedDataLen: len(shared.len()),
        pSharedData: if shared.is_empty() { null_mut() } else { shared.as_ptr().cast_mut() },
        ulPublicDataLen: 0,
        pPublicData: null_mut(),
    }
}

fn ecdh1(parameter: &ck::CK_ECDH1_DERIVE_PARAMS) -> Mechanism<'_> {
    with_struct(ck::CKM_ECDH1_DERIVE, parameter)
}

/// A generic secret for the session that may be read.
fn readable(length: Option<usize>) -> Template {
    let template = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    };
    match length {
        Some(length) => template.and(ck::CKA_VALUE_LEN, len(length)),
        None => template,
    }
}

fn value(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) -> Vec<u8> {
    session.get(key, ck::CKA_VALUE).expect("CKA_VALUE")
}

#[test]
fn both_sides_have_the_same_secret_on_every_curve() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, curve, point_len, secret_len) in CURVES {
            let (public, private) = pair(&session, how, curve);
            for (kdf, shared, asked) in [
                (ck::CKD_NULL, &b""[..], None),
                (ck::CKD_NULL, b"", Some(16)),
                (ck::CKD_SHA256_KDF, b"", Some(32)),
                (ck::CKD_SHA512_KDF, SHARED, Some(100)),
                (ck::CKD_SHA3_256_KDF, SHARED, Some(32)),
                (ck::CKD_SHA256_KDF_SP800, SHARED, Some(48)),
            ] {
                let parameter = parameter(kdf, shared);
                let template = readable(asked);
                let (ciphertext, made) =
                    session.encapsulate(&ecdh1(&parameter), public, &template).unwrap();
                assert_eq!(ciphertext.len(), point_len);
                let found =
                    session.decapsulate(&ecdh1(&parameter), private, &template, &ciphertext);
                let secret = value(&session, made);
                assert_eq!(secret.len(), asked.unwrap_or(secret_len));
                session.has(found.unwrap(), ck::CKA_VALUE, &secret);
                // It is what C_DeriveKey makes with the ciphertext as the other side's point.
                let given = ck::CK_ECDH1_DERIVE_PARAMS {
                    ulPublicDataLen: len(ciphertext.len()),
                    pPublicData: ciphertext.as_ptr().cast_mut(),
                    ..parameter
                };
                let derived = session.derive(&ecdh1(&given), private, &template).unwrap();
                session.has(derived, ck::CKA_VALUE, &secret);
                let (other, another) =
                    session.encapsulate(&ecdh1(&parameter), public, &template).unwrap();
                assert_ne!(other, ciphertext);
                assert_ne!(value(&session, another), secret);
            }
        }
    });
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn openssl_opens_what_was_made_for_its_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        openssl.must("ecparam -name prime256v1 -genkey -noout -out own.pem");
        let info = openssl.must("ec -in own.pem -pubout -outform DER");
        let (head, point) = info.split_at(info.len() - 65);
        let public = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC, CKA_EC_PARAMS => P256,
            CKA_EC_POINT => &octet_string(point), CKA_ENCAPSULATE => true,
        };
        let public = session.create(&public).unwrap();
        let agreed = |ciphertext: &[u8]| {
            openssl.file("peer.der", &[head, ciphertext].concat());
            openssl.must("pkeyutl -derive -inkey own.pem -peerkey peer.der -peerform DER")
        };
        let bare = parameter(ck::CKD_NULL, b"");
        let (ciphertext, made) =
            session.encapsulate(&ecdh1(&bare), public, &readable(None)).unwrap();
        assert_eq!(value(&session, made), agreed(&ciphertext));
        let derived = parameter(ck::CKD_SHA256_KDF, SHARED);
        let (ciphertext, made) =
            session.encapsulate(&ecdh1(&derived), public, &readable(Some(80))).unwrap();
        let (secret, info) = (text(&agreed(&ciphertext)), text(SHARED));
        let expected = openssl.must(&format!(
            "kdf -binary -keylen 80 -kdfopt digest:SHA256 -kdfopt hexsecret:{secret} \
             -kdfopt hexinfo:{info} X963KDF"
        ));
        assert_eq!(value(&session, made), expected);
    });
}

#[test]
fn other_shared_data_is_another_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = p256(&session);
        let template = readable(Some(32));
        let ours = parameter(ck::CKD_SHA256_KDF, SHARED);
        let (ciphertext, made) = session.encapsulate(&ecdh1(&ours), public, &template).unwrap();
        let secret = value(&session, made);
        for theirs in [
            parameter(ck::CKD_SHA256_KDF, b""),
            parameter(ck::CKD_SHA256_KDF, &SHARED[1..]),
            parameter(ck::CKD_SHA384_KDF, SHARED),
            parameter(ck::CKD_SHA256_KDF_SP800, SHARED),
            parameter(ck::CKD_NULL, b""),
        ] {
            let found = session.decapsulate(&ecdh1(&theirs), private, &template, &ciphertext);
            assert_ne!(value(&session, found.unwrap()), secret);
        }
    });
}

#[test]
fn a_secret_that_stays_closed_becomes_an_aes_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session, ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519);
        let aes = template! {
            CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 32_u64, CKA_SENSITIVE => true,
            CKA_EXTRACTABLE => false,
        };
        let how = parameter(ck::CKD_SHA256_KDF, SHARED);
        let (ciphertext, made) = session.encapsulate(&ecdh1(&how), public, &aes).unwrap();
        let found = session.decapsulate(&ecdh1(&how), private, &aes, &ciphertext).unwrap();
        for key in [made, found] {
            session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            session.has(key, ck::CKA_LOCAL, false);
        }
        let ecb = plain(ck::CKM_AES_ECB);
        let sealed = session.encrypt(&ecb, made, &[7; 16]).unwrap();
        assert_eq!(session.decrypt(&ecb, found, &sealed).unwrap(), [7; 16]);
    });
}

#[test]
fn a_ciphertext_that_is_no_point_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let bare = parameter(ck::CKD_NULL, b"");
        let before = |session: &Session<'_>| session.count(&template! {});
        for (how, curve, point_len, _) in CURVES {
            let (public, private) = pair(&session, how, curve);
            let (right, made) =
                session.encapsulate(&ecdh1(&bare), public, &readable(None)).unwrap();
            session.destroy(made).unwrap();
            let count = before(&session);
            let open =
                |wrong: &[u8]| session.decapsulate(&ecdh1(&bare), private, &readable(None), wrong);
            let long = [&right[..], &[0]].concat();
            let der = session.get(public, ck::CKA_EC_POINT).unwrap();
            for wrong in [&right[..0], &right[1..], &right[..point_len / 2 + 1], &long] {
                open(wrong).refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            if der.len() != point_len {
                open(&der).refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            // Zeros are no point on a Weierstrass curve, and of small order on the others.
            open(&vec![0; point_len]).refused(ck::CKR_WRAPPED_KEY_INVALID);
            if how == ck::CKM_EC_KEY_PAIR_GEN {
                let mut off_curve = right.clone();
                off_curve[point_len - 1] ^= 1;
                let mut hybrid = right.clone();
                hybrid[0] = 6 | (right[point_len - 1] & 1);
                let mut beyond = right.clone();
                beyond[1..=point_len / 2].fill(0xff);
                for wrong in [off_curve, hybrid, beyond] {
                    open(&wrong).refused(ck::CKR_WRAPPED_KEY_INVALID);
                }
            } else {
                let mut one = vec![0; point_len];
                one[0] = 1;
                open(&one).refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
            assert_eq!(before(&session), count, "a refused key was made");
            open(&right).unwrap();
        }
    });
}

#[test]
fn wrong_parameters_and_templates_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = p256(&session);
        let good = parameter(ck::CKD_NULL, b"");
        let (right, _) = session.encapsulate(&ecdh1(&good), public, &readable(None)).unwrap();
        let both = |how: &Mechanism<'_>, template: &Template, expected: ck::CK_RV| {
            session.encapsulate(how, public, template).refused(expected);
            session.decapsulate(how, private, template, &right).refused(expected);
        };
        let invalid = ck::CKR_MECHANISM_PARAM_INVALID;
        // The ephemeral key is the other side's point.
        let pointed = ck::CK_ECDH1_DERIVE_PARAMS {
            ulPublicDataLen: len(right.len()),
            pPublicData: right.as_ptr().cast_mut(),
            ..good
        };
        both(&ecdh1(&pointed), &readable(None), invalid);
        both(&ecdh1(&parameter(0xffff, b"")), &readable(None), invalid);
        both(&ecdh1(&parameter(ck::CKD_NULL, SHARED)), &readable(None), invalid);
        both(&plain(ck::CKM_ECDH1_DERIVE), &readable(None), invalid);
        let derived = parameter(ck::CKD_SHA256_KDF, SHARED);
        both(&ecdh1(&derived), &readable(None), ck::CKR_TEMPLATE_INCOMPLETE);
        both(&ecdh1(&derived), &readable(Some(1 << 20)), ck::CKR_TEMPLATE_INCONSISTENT);
        both(&ecdh1(&good), &readable(Some(33)), ck::CKR_TEMPLATE_INCONSISTENT);
        both(&ecdh1(&good), &readable(Some(0)), ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let other = readable(None).without(ck::CKA_CLASS).and(ck::CKA_CLASS, ck::CKO_PRIVATE_KEY);
        both(&ecdh1(&good), &other, ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn other_keys_and_keys_that_may_not_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = p256(&session);
        let parameter = parameter(ck::CKD_NULL, b"");
        let how = ecdh1(&parameter);
        let (right, _) = session.encapsulate(&how, public, &readable(None)).unwrap();
        let wrong_type = ck::CKR_KEY_TYPE_INCONSISTENT;
        let kem = template! { CKA_PARAMETER_SET => ck::CKP_ML_KEM_768 };
        let kem = session
            .generate_pair(&plain(ck::CKM_ML_KEM_KEY_PAIR_GEN), &kem, &template! {})
            .unwrap();
        let aes = crate::aes::key(&session, 16);
        for (public, private) in [kem, (aes, aes)] {
            session.encapsulate(&how, public, &readable(None)).refused(wrong_type);
            session.decapsulate(&how, private, &readable(None), &right).refused(wrong_type);
        }
        // The other half of the pair has not even the attribute.
        let not_permitted = ck::CKR_KEY_FUNCTION_NOT_PERMITTED;
        session.encapsulate(&how, private, &readable(None)).refused(not_permitted);
        session.decapsulate(&how, public, &readable(None), &right).refused(not_permitted);
        session.encapsulate(&how, 0, &readable(None)).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.set(public, &template! { CKA_ENCAPSULATE => false }).unwrap();
        session.set(private, &template! { CKA_DECAPSULATE => false }).unwrap();
        session.encapsulate(&how, public, &readable(None)).refused(not_permitted);
        session.decapsulate(&how, private, &readable(None), &right).refused(not_permitted);
        // A key of another curve knows no such point.
        let (_, other) = pair(&session, ck::CKM_EC_KEY_PAIR_GEN, P384);
        let made = session.decapsulate(&how, other, &readable(None), &right);
        made.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
    });
}
