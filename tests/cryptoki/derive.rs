//! ECDH. PKCS#11 3.2, C_DeriveKey; "Elliptic curve Diffie-Hellman".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::ecdsa::generate;
use crate::support::known::{P256, P384, P521, octet_string};
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

/// Curves: object identifier, name for openssl, bytes of a coordinate.
const CURVES: &[(&[u8], &str, usize)] =
    &[(P256, "prime256v1", 32), (P384, "secp384r1", 48), (P521, "secp521r1", 66)];

pub fn ecdh(point: &[u8]) -> ck::CK_ECDH1_DERIVE_PARAMS {
    ck::CK_ECDH1_DERIVE_PARAMS {
        kdf: ck::CKD_NULL,
        ulSharedDataLen: 0,
        pSharedData: null_mut(),
        ulPublicDataLen: len(point.len()),
        pPublicData: point.as_ptr().cast_mut(),
    }
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

/// The point of a public key, without its OCTET STRING.
pub fn point(session: &Session<'_>, public: ck::CK_OBJECT_HANDLE, field: usize) -> Vec<u8> {
    let wrapped = session.get(public, ck::CKA_EC_POINT).expect("CKA_EC_POINT");
    wrapped[wrapped.len() - 2 * field - 1..].to_vec()
}

#[test]
fn a_secret_shared_with_openssl_is_the_same_on_both_sides() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for (curve, name, field) in CURVES {
            let (public, private) = generate(&session, curve);
            openssl.take_public_key(&session, public);
            openssl.must(&format!("ecparam -name {name} -genkey -noout -out peer.pem"));
            let theirs =
                openssl.must("pkeyutl -derive -inkey peer.pem -peerkey public.der -peerform DER");
            let peer = openssl.must("ec -in peer.pem -pubout -outform DER");
            let raw = &peer[peer.len() - 2 * field - 1..];
            for given in [raw.to_vec(), octet_string(raw)] {
                let parameter = ecdh(&given);
                let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
                let key = session.derive(&how, private, &readable(None)).unwrap();
                session.has(key, ck::CKA_VALUE, &theirs);
                session.has(key, ck::CKA_VALUE_LEN, len(*field));
                let cut = session.derive(&how, private, &readable(Some(16))).unwrap();
                session.has(cut, ck::CKA_VALUE, &theirs[field - 16..]);
            }
        }
    });
}

#[test]
fn a_secret_is_cut_to_the_length_of_its_type() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P384);
        let point = point(&session, public, 48);
        let bare = ecdh(&point);
        let expanded = ck::CK_ECDH1_DERIVE_PARAMS { kdf: ck::CKD_SHA256_KDF, ..bare };
        for (parameter, has_whole) in [(&bare, true), (&expanded, false)] {
            let how = with_struct(ck::CKM_ECDH1_DERIVE, parameter);
            let value = |template: Template| {
                let key = session.derive(&how, private, &template).unwrap();
                session.get(key, ck::CKA_VALUE).unwrap()
            };
            let of = |kind: ck::CK_KEY_TYPE| {
                value(template! {
                    CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => kind,
                    CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
                })
            };
            let generic = |length| value(readable(Some(length)));
            assert_eq!(of(ck::CKK_CHACHA20), generic(32));
            if has_whole {
                assert!(value(readable(None)).ends_with(&generic(32)));
            }
            for (kind, length) in [(ck::CKK_DES, 8), (ck::CKK_DES2, 16), (ck::CKK_DES3, 24)] {
                let odd =
                    |byte: &u8| byte & !1 | u8::from((byte & !1).count_ones().is_multiple_of(2));
                let expected: Vec<u8> = generic(length).iter().map(odd).collect();
                assert_eq!(of(kind), expected);
            }
        }
    });
}

#[test]
fn both_halves_derive_the_same_aes_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let [first, second] = [(); 2].map(|()| generate(&session, P256));
        let aes = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 32_u64,
        };
        let mut sealed = Vec::new();
        for (mine, theirs) in [(first.1, second.0), (second.1, first.0)] {
            let point = point(&session, theirs, 32);
            let parameter = ecdh(&point);
            let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
            let key = session.derive(&how, mine, &aes).unwrap();
            assert_eq!(session.number(key, ck::CKA_KEY_TYPE), ck::CKK_AES);
            assert!(!session.flag(key, ck::CKA_LOCAL));
            sealed.push(session.encrypt(&plain(ck::CKM_AES_ECB), key, &[0; 16]).unwrap());
        }
        assert_eq!(sealed[0], sealed[1]);
    });
}

#[test]
fn a_derived_key_was_always_closed_only_if_its_base_was() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, base) = generate(&session, P256);
        let point = point(&session, public, 32);
        let parameter = ecdh(&point);
        let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
        for (sensitive, extractable) in [(true, false), (false, true), (true, true)] {
            let template = template! {
                CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
                CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable,
            };
            let key = session.derive(&how, base, &template).unwrap();
            assert_eq!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE), sensitive);
            assert_eq!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE), !extractable);
        }
        let imported = crate::support::known::p256_private().and(ck::CKA_DERIVE, true);
        let base = session.create(&imported).unwrap();
        let closed = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
            CKA_SENSITIVE => true, CKA_EXTRACTABLE => false,
        };
        let key = session.derive(&how, base, &closed).unwrap();
        assert!(!session.flag(key, ck::CKA_ALWAYS_SENSITIVE));
        assert!(!session.flag(key, ck::CKA_NEVER_EXTRACTABLE));
    });
}

#[test]
fn wrong_points_and_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        let right = point(&session, public, 32);
        let mut off_curve = right.clone();
        off_curve[64] ^= 1;
        let refused =
            &[ck::CKR_PUBLIC_KEY_INVALID, ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for wrong in [off_curve, vec![0], vec![4; 65], right[..64].to_vec(), vec![4; 97]] {
            let parameter = ecdh(&wrong);
            let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
            let made = session.derive(&how, private, &readable(None));
            made.expect_err("a wrong point").is_one_of(refused);
        }
        let good = ecdh(&right);
        for wrong in [
            ck::CK_ECDH1_DERIVE_PARAMS { kdf: 0xffff, ..good },
            ck::CK_ECDH1_DERIVE_PARAMS { pPublicData: null_mut(), ..good },
            ck::CK_ECDH1_DERIVE_PARAMS { ulPublicDataLen: ck::CK_ULONG::MAX, ..good },
            ck::CK_ECDH1_DERIVE_PARAMS { ulSharedDataLen: 5, ..good },
        ] {
            let how = with_struct(ck::CKM_ECDH1_DERIVE, &wrong);
            let made = session.derive(&how, private, &readable(None));
            made.expect_err("a wrong parameter").is_one_of(refused);
        }
        let none = session.derive(&plain(ck::CKM_ECDH1_DERIVE), private, &readable(None));
        none.expect_err("no parameter").is_one_of(refused);
    });
}

#[test]
fn only_a_key_that_may_derive_derives() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        let point = point(&session, public, 32);
        let parameter = ecdh(&point);
        let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
        session.set(private, &template! { CKA_DERIVE => false }).unwrap();
        let made = session.derive(&how, private, &readable(None));
        made.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.derive(&how, 0, &readable(None)).refused(ck::CKR_KEY_HANDLE_INVALID);
        session
            .derive(&how, public, &readable(None))
            .expect_err("the wrong half of the pair")
            .is_one_of(&[ck::CKR_KEY_TYPE_INCONSISTENT, ck::CKR_KEY_FUNCTION_NOT_PERMITTED]);
        let aes = crate::aes::key(&session, 16);
        let made = session.derive(&how, aes, &readable(None));
        made.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}

#[test]
fn templates_that_do_not_fit_the_secret_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        let before = session.count(&template! {});
        let point = point(&session, public, 32);
        let parameter = ecdh(&point);
        let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
        let refused = &[
            ck::CKR_TEMPLATE_INCONSISTENT,
            ck::CKR_ATTRIBUTE_VALUE_INVALID,
            ck::CKR_KEY_SIZE_RANGE,
        ];
        for wrong in [
            readable(Some(33)),
            readable(Some(usize::MAX)),
            readable(None).without(ck::CKA_CLASS).and(ck::CKA_CLASS, ck::CKO_PRIVATE_KEY),
            readable(Some(17)).without(ck::CKA_KEY_TYPE).and(ck::CKA_KEY_TYPE, ck::CKK_AES),
        ] {
            let made = session.derive(&how, private, &wrong);
            made.expect_err("a template that does not fit").is_one_of(refused);
        }
        let with_value = readable(None).and(ck::CKA_VALUE, &[1; 32]);
        session
            .derive(&how, private, &with_value)
            .expect_err("a value")
            .is_one_of(&[ck::CKR_TEMPLATE_INCONSISTENT, ck::CKR_ATTRIBUTE_READ_ONLY]);
        assert_eq!(session.count(&template! {}), before, "a refused key was made");
    });
}
