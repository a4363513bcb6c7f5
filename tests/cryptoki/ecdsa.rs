//! ECDSA. PKCS#11 3.2, "Elliptic Curve", "ECDSA without hashing", "ECDSA with hashing".

use cryptoki_sys as ck;

use crate::support::known::{self, P256, P384, P521, hex, octet_string};
use crate::support::openssl::ecdsa_der;
use crate::support::operations::plain;
use crate::support::{Refused, Session, isolated, template};

/// Curves: object identifier, bytes of a coordinate.
const CURVES: &[(&[u8], usize)] = &[(P256, 32), (P384, 48), (P521, 66)];

/// Hashes: name for openssl, digest, ECDSA with it.
#[rustfmt::skip]
const HASHES: &[(&str, ck::CK_MECHANISM_TYPE, ck::CK_MECHANISM_TYPE)] = &[
    ("sha224", ck::CKM_SHA224, ck::CKM_ECDSA_SHA224),
    ("sha256", ck::CKM_SHA256, ck::CKM_ECDSA_SHA256),
    ("sha384", ck::CKM_SHA384, ck::CKM_ECDSA_SHA384),
    ("sha512", ck::CKM_SHA512, ck::CKM_ECDSA_SHA512),
];

const DATA: &[u8] = b"a message for ECDSA";

/// A generated pair on the token: public and private.
pub fn generate(
    session: &Session<'_>,
    curve: &[u8],
) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let public = template! { CKA_EC_PARAMS => curve, CKA_TOKEN => true };
    let private = template! { CKA_TOKEN => true, CKA_DERIVE => true };
    let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).expect("C_GenerateKeyPair")
}

#[test]
fn signatures_of_generated_keys_verify_with_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for (curve, field) in CURVES {
            let (public, private) = generate(&session, curve);
            openssl.take_public_key(&session, public);
            for (name, hash, mechanism) in HASHES {
                let how = plain(*mechanism);
                let signature = session.sign(&how, private, DATA).unwrap();
                assert_eq!(signature.len(), 2 * field);
                openssl.verifies(DATA, &ecdsa_der(&signature), &format!("-rawin -digest {name}"));
                session.verify(&how, public, DATA, &signature).unwrap();
                let digest = session.digest(&plain(*hash), DATA).unwrap();
                session.verify(&plain(ck::CKM_ECDSA), public, &digest, &signature).unwrap();
                let signature = session.sign(&plain(ck::CKM_ECDSA), private, &digest).unwrap();
                session.verify(&how, public, DATA, &signature).unwrap();
            }
        }
    });
}

#[test]
fn parts_are_signed_and_verified_as_the_whole() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        for (_, _, mechanism) in HASHES {
            let how = plain(*mechanism);
            let parts = [&DATA[..1], &DATA[1..1], &DATA[1..]];
            let signature = session.sign_parts(&how, private, &parts).unwrap();
            session.verify(&how, public, DATA, &signature).unwrap();
            session.verify_init(&how, public).unwrap();
            session.verify_update(&DATA[..7]).unwrap();
            session.verify_update(&DATA[7..]).unwrap();
            session.verify_final(&signature).unwrap();
        }
    });
}

#[test]
fn a_bare_digest_is_signed_in_one_call_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = generate(&session, P256);
        session.sign_init(&plain(ck::CKM_ECDSA), private).unwrap();
        session
            .sign_update(b"part")
            .expect_err("no parts")
            .is_one_of(&[ck::CKR_FUNCTION_NOT_SUPPORTED, ck::CKR_OPERATION_NOT_INITIALIZED]);
    });
}

#[test]
fn digests_of_any_length_are_signed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        let how = plain(ck::CKM_ECDSA);
        for length in [1, 20, 32, 33, 64] {
            let digest = vec![0x5a; length];
            let signature = session.sign(&how, private, &digest).unwrap();
            session.verify(&how, public, &digest, &signature).unwrap();
        }
        let (short, long) = ([0x5a; 32], [0x5a; 64]);
        let signature = session.sign(&how, private, &long).unwrap();
        session.verify(&how, public, &short, &signature).expect("only the leftmost bits count");
    });
}

#[test]
fn altered_signatures_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P256);
        for how in [plain(ck::CKM_ECDSA), plain(ck::CKM_ECDSA_SHA256)] {
            let data = [3; 32];
            let right = session.sign(&how, private, &data).unwrap();
            for at in [0, 31, 32, 63] {
                let mut wrong = right.clone();
                wrong[at] ^= 1;
                session.verify(&how, public, &data, &wrong).refused(ck::CKR_SIGNATURE_INVALID);
            }
            let other = session.verify(&how, public, &[4; 32], &right);
            other.refused(ck::CKR_SIGNATURE_INVALID);
            session.verify(&how, public, &data, &[0; 64]).refused(ck::CKR_SIGNATURE_INVALID);
            for length in [0, 63, 65, 66] {
                let refused = session.verify(&how, public, &data, &vec![1; length]);
                refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
            }
        }
    });
}

#[test]
fn shorter_signatures_of_even_length_are_understood() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, P521);
        let how = plain(ck::CKM_ECDSA_SHA512);
        let mut shortened = 0;
        for _ in 0..40 {
            let whole = session.sign(&how, private, DATA).unwrap();
            let (r, s) = whole.split_at(66);
            if r[0] == 0 && s[0] == 0 {
                let short = [&r[1..], &s[1..]].concat();
                session.verify(&how, public, DATA, &short).unwrap();
                shortened += 1;
            }
        }
        assert!(shortened > 0, "half of all numbers on P-521 begin with a zero byte");
    });
}

#[test]
fn a_known_key_is_imported_and_used() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let private = session.create(&known::p256_private()).unwrap();
        let point = hex(known::P256_POINT);
        for given in [octet_string(&point), point.clone()] {
            let key = known::p256_public().without(ck::CKA_EC_POINT);
            let public = session.create(&key.and(ck::CKA_EC_POINT, &given)).unwrap();
            session.has(public, ck::CKA_EC_POINT, &octet_string(&point));
            let how = plain(ck::CKM_ECDSA_SHA256);
            let signature = session.sign(&how, private, DATA).unwrap();
            session.verify(&how, public, DATA, &signature).unwrap();
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            assert!(info.ends_with(&point));
            session.has(private, ck::CKA_PUBLIC_KEY_INFO, &info);
        }
    });
}

#[test]
fn points_and_numbers_that_are_no_keys_are_not_imported() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let refused = &[
            ck::CKR_ATTRIBUTE_VALUE_INVALID,
            ck::CKR_TEMPLATE_INCONSISTENT,
            ck::CKR_PUBLIC_KEY_INVALID,
        ];
        let mut off_curve = hex(known::P256_POINT);
        off_curve[40] ^= 1;
        let infinity = vec![0];
        for point in [off_curve, infinity, vec![4; 64], vec![], vec![4; 66]] {
            let key = known::p256_public().without(ck::CKA_EC_POINT);
            let made = session.create(&key.and(ck::CKA_EC_POINT, &octet_string(&point)));
            made.expect_err("no point").is_one_of(refused);
        }
        let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        for number in [vec![0; 32], order, vec![0xff; 32], vec![1; 33]] {
            let key = known::p256_private().without(ck::CKA_VALUE);
            let made = session.create(&key.and(ck::CKA_VALUE, &number));
            made.expect_err("no private key").is_one_of(refused);
        }
    });
}

#[test]
fn unknown_curves_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let refused = &[
            ck::CKR_CURVE_NOT_SUPPORTED,
            ck::CKR_DOMAIN_PARAMS_INVALID,
            ck::CKR_ATTRIBUTE_VALUE_INVALID,
        ];
        let curve25519 = b"\x06\x03\x2b\x65\x6e";
        for curve in [b"".as_slice(), b"x", b"\x06\x00", b"\x06\x01\x2a", curve25519, &P256[..9]] {
            let public = template! { CKA_EC_PARAMS => curve };
            let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
            let made = session.generate_pair(&how, &public, &template! {});
            made.expect_err("no such curve").is_one_of(refused);
            let key = known::p256_public().without(ck::CKA_EC_PARAMS);
            let made = session.create(&key.and(ck::CKA_EC_PARAMS, curve));
            made.expect_err("no such curve").is_one_of(refused);
        }
        let missing =
            session.generate_pair(&plain(ck::CKM_EC_KEY_PAIR_GEN), &template! {}, &template! {});
        missing.refused(ck::CKR_TEMPLATE_INCOMPLETE);
        assert_eq!(session.count(&template! {}), 0);
    });
}
