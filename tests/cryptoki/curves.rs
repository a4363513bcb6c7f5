//! Curves beside the usual ones: P-224, secp256k1, Brainpool, Ed448, X25519, X448. PKCS#11 3.2,
//! "Elliptic curve"; RFC 5639, RFC 7748, RFC 8032, RFC 8410.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{P256, hex, octet_string};
use crate::support::openssl::ecdsa_der;
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

/// A curve: its identifier, its name, openssl's name for it, bytes of a coordinate.
struct Curve {
    oid: &'static [u8],
    name: &'static str,
    openssl: &'static str,
    field: usize,
    order: &'static str,
}

const CURVES: &[Curve] = &[
    Curve {
        oid: b"\x06\x05\x2b\x81\x04\x00\x21",
        name: "secp224r1",
        openssl: "secp224r1",
        field: 28,
        order: "ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
    },
    Curve {
        oid: b"\x06\x05\x2b\x81\x04\x00\x0a",
        name: "secp256k1",
        openssl: "secp256k1",
        field: 32,
        order: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    },
    Curve {
        oid: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07",
        name: "brainpoolP256r1",
        openssl: "brainpoolP256r1",
        field: 32,
        order: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    },
    Curve {
        oid: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b",
        name: "brainpoolP384r1",
        openssl: "brainpoolP384r1",
        field: 48,
        order: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7\
                cf3ab6af6b7fc3103b883202e9046565",
    },
    Curve {
        oid: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d",
        name: "brainpoolP512r1",
        openssl: "brainpoolP512r1",
        field: 64,
        order: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870\
                553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069",
    },
];

/// Montgomery curves: identifier, name, openssl's algorithm, bytes of a key.
const MONTGOMERY: &[(&[u8], &str, &str, usize)] = &[
    (b"\x06\x03\x2b\x65\x6e", "curve25519", "X25519", 32),
    (b"\x06\x03\x2b\x65\x6f", "curve448", "X448", 56),
];

const ED448: &[u8] = b"\x06\x03\x2b\x65\x71";

fn printable(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    [&[0x13, length], name.as_bytes()].concat()
}

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

fn pair(session: &Session<'_>, mechanism: ck::CK_MECHANISM_TYPE, params: &[u8]) -> Pair {
    let public = template! { CKA_EC_PARAMS => params };
    let private = template! { CKA_DERIVE => true };
    session.generate_pair(&plain(mechanism), &public, &private).expect("a pair")
}

fn ecdh(point: &[u8]) -> ck::CK_ECDH1_DERIVE_PARAMS {
    ck::CK_ECDH1_DERIVE_PARAMS {
        kdf: ck::CKD_NULL,
        ulSharedDataLen: 0,
        pSharedData: null_mut(),
        ulPublicDataLen: len(point.len()),
        pPublicData: point.as_ptr().cast_mut(),
    }
}

fn readable() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    }
}

fn private_key(key_type: ck::CK_KEY_TYPE, params: &[u8], value: &[u8]) -> Template {
    template! {
        CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type, CKA_EC_PARAMS => params,
        CKA_VALUE => value, CKA_DERIVE => true, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    }
}

fn public_key(key_type: ck::CK_KEY_TYPE, params: &[u8], point: &[u8]) -> Template {
    template! {
        CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => key_type, CKA_EC_PARAMS => params,
        CKA_EC_POINT => point,
    }
}

#[test]
fn openssl_takes_what_is_signed_and_the_token_what_openssl_signs() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for curve in CURVES {
            let (public, private) = pair(&session, ck::CKM_EC_KEY_PAIR_GEN, curve.oid);
            openssl.take_public_key(&session, public);
            let how = plain(ck::CKM_ECDSA_SHA256);
            let signature = session.sign(&how, private, b"message").unwrap();
            assert_eq!(signature.len(), 2 * curve.field);
            let options = "-rawin -digest sha256";
            openssl.verifies(b"message", &ecdsa_der(&signature), options);
            session.verify(&how, public, b"message", &signature).unwrap();
            let wrong = session.verify(&how, public, b"massage", &signature);
            wrong.refused(ck::CKR_SIGNATURE_INVALID);

            openssl.must(&format!("ecparam -name {} -genkey -noout -out peer.pem", curve.openssl));
            openssl.must("dgst -sha256 -sign peer.pem -out theirs.der message");
            let peer = openssl.must("ec -in peer.pem -pubout -outform DER");
            let point = &peer[peer.len() - 2 * curve.field - 1..];
            // The same key by the curve's name and a bare point.
            for (params, point) in
                [(curve.oid.to_vec(), octet_string(point)), (printable(curve.name), point.to_vec())]
            {
                let theirs = public_key(ck::CKK_EC, &params, &point);
                let theirs = session.create(&theirs).unwrap();
                let der = std::fs::read(bench.dir().join("theirs.der")).unwrap();
                let signature = halves(&der, curve.field);
                session.verify(&how, theirs, b"message", &signature).unwrap();
                session.has(theirs, ck::CKA_PUBLIC_KEY_INFO, &peer);
            }
        }
    });
}

/// r and s of a DER signature, each `field` bytes long.
fn halves(der: &[u8], field: usize) -> Vec<u8> {
    let start = if der[1] < 0x80 { 2 } else { 3 };
    let number = |at: usize| (at + 2, usize::from(der[at + 1]));
    let (r, r_len) = number(start);
    let (s, s_len) = number(r + r_len);
    let mut out = Vec::new();
    for bytes in [&der[r..r + r_len], &der[s..s + s_len]] {
        let digits = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        out.resize(out.len() + field - digits.len(), 0);
        out.extend_from_slice(digits);
    }
    out
}

#[test]
fn secrets_shared_with_openssl_are_the_same_on_both_sides() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let ec = CURVES.iter().map(|curve| {
            let make = format!("ecparam -name {} -genkey -noout -out peer.pem", curve.openssl);
            (ck::CKM_EC_KEY_PAIR_GEN, curve.oid, curve.name, make, 2 * curve.field + 1)
        });
        let montgomery = MONTGOMERY.iter().map(|(oid, name, algorithm, len)| {
            let make = format!("genpkey -algorithm {algorithm} -out peer.pem");
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, *oid, *name, make, *len)
        });
        for (mechanism, oid, name, make, point_len) in ec.chain(montgomery) {
            for params in [oid.to_vec(), printable(name)] {
                let (public, private) = pair(&session, mechanism, &params);
                openssl.take_public_key(&session, public);
                openssl.must(&make);
                let theirs = openssl
                    .must("pkeyutl -derive -inkey peer.pem -peerkey public.der -peerform DER");
                let peer = openssl.must("pkey -in peer.pem -pubout -outform DER");
                let raw = &peer[peer.len() - point_len..];
                for given in [raw.to_vec(), octet_string(raw)] {
                    let parameter = ecdh(&given);
                    let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
                    let key = session.derive(&how, private, &readable()).unwrap();
                    session.has(key, ck::CKA_VALUE, &theirs);
                }
            }
        }
    });
}

#[test]
fn montgomery_keys_show_bare_points_and_come_back() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (oid, name, _, length) in MONTGOMERY {
            let (public, private) = pair(&session, ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, oid);
            session.has(private, ck::CKA_KEY_TYPE, ck::CKK_EC_MONTGOMERY);
            session.has(private, ck::CKA_SIGN, false);
            let point = session.get(public, ck::CKA_EC_POINT).unwrap();
            assert_eq!(point.len(), *length, "{name}");
            let info = session.get(private, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            assert!(info.ends_with(&point));
            for given in [point.clone(), octet_string(&point)] {
                let again = public_key(ck::CKK_EC_MONTGOMERY, &printable(name), &given);
                let again = session.create(&again).unwrap();
                session.has(again, ck::CKA_EC_POINT, &point);
                session.has(again, ck::CKA_PUBLIC_KEY_INFO, &info);
            }
            // A scalar stays as it was given, also where RFC 7748 sets bits before use.
            let scalar = vec![0xff; *length];
            let key = private_key(ck::CKK_EC_MONTGOMERY, oid, &scalar);
            let key = session.create(&key).unwrap();
            session.has(key, ck::CKA_VALUE, &scalar);
            for wrong in [*length - 1, *length + 1, 0] {
                let value = vec![1; wrong];
                let key = private_key(ck::CKK_EC_MONTGOMERY, oid, &value);
                session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
                let key = public_key(ck::CKK_EC_MONTGOMERY, oid, &value);
                session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
        }
    });
}

/// SoftHSM makes its X25519 and X448 keys by the mechanism for Edwards keys, and they are of that
/// type; tokens that took over such keys have them so as well.
#[test]
fn montgomery_keys_may_be_of_the_edwards_type() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        for (_, name, ..) in MONTGOMERY {
            let params = printable(name);
            let public = template! { CKA_EC_PARAMS => &params[..] };
            let private = template! { CKA_DERIVE => true };
            let typed = |key_type| template! { CKA_KEY_TYPE => key_type };
            let edwards = || typed(ck::CKK_EC_EDWARDS);
            let made = session.generate_pair(
                &how,
                &template! { CKA_EC_PARAMS => &params[..] }.with(edwards()),
                &template! { CKA_DERIVE => true }.with(edwards()),
            );
            let (ours, own) = made.unwrap();
            session.has(ours, ck::CKA_KEY_TYPE, ck::CKK_EC_EDWARDS);
            session.has(own, ck::CKA_KEY_TYPE, ck::CKK_EC_EDWARDS);
            let (theirs, other) = session.generate_pair(&how, &public, &private).unwrap();
            session.has(other, ck::CKA_KEY_TYPE, ck::CKK_EC_MONTGOMERY);
            let derived = [(own, theirs), (other, ours)].map(|(mine, peer)| {
                let point = session.get(peer, ck::CKA_EC_POINT).unwrap();
                let parameter = ecdh(&point);
                let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
                let key = session.derive(&how, mine, &readable()).unwrap();
                session.get(key, ck::CKA_VALUE).unwrap()
            });
            assert_eq!(derived[0], derived[1]);
            let signed = session.sign(&plain(ck::CKM_EDDSA), own, b"m");
            signed.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
            let wrong = session.generate_pair(&how, &public.with(typed(ck::CKK_EC)), &private);
            wrong.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        }
    });
}

#[test]
fn ed448_signs_with_and_without_a_parameter_and_openssl_agrees() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let no_parameter = plain(ck::CKM_EDDSA);
        let empty = ck::CK_EDDSA_PARAMS {
            phFlag: ck::CK_FALSE,
            ulContextDataLen: 0,
            pContextData: null_mut(),
        };
        let empty = with_struct(ck::CKM_EDDSA, &empty);
        for (params, plain_eddsa) in [
            (ED448.to_vec(), &no_parameter),
            (ED448.to_vec(), &empty),
            (printable("edwards448"), &empty),
        ] {
            let (public, private) = pair(&session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, &params);
            assert_eq!(session.get(public, ck::CKA_EC_POINT).unwrap().len(), 57);
            openssl.take_public_key(&session, public);
            let signature = session.sign(plain_eddsa, private, b"message").unwrap();
            assert_eq!(signature.len(), 114);
            openssl.verifies(b"message", &signature, "-rawin");
            assert_eq!(session.sign_parts(plain_eddsa, private, &[b"mes", b"sage"]), Ok(signature));
            let context = [7; 255];
            for (prehashed, context) in [(false, &context[..]), (true, &[][..]), (true, &context)] {
                let parameter = ck::CK_EDDSA_PARAMS {
                    phFlag: ck::CK_BBOOL::from(prehashed),
                    ulContextDataLen: len(context.len()),
                    pContextData: context.as_ptr().cast_mut(),
                };
                let how = with_struct(ck::CKM_EDDSA, &parameter);
                let signature = session.sign(&how, private, b"message").unwrap();
                assert_eq!(
                    session.sign_parts(&how, private, &[b"m", b"essage"]).unwrap(),
                    signature
                );
                session.verify(&how, public, b"message", &signature).unwrap();
                let crossed = session.verify(plain_eddsa, public, b"message", &signature);
                crossed.refused(ck::CKR_SIGNATURE_INVALID);
                let short = session.verify(&how, public, b"message", &signature[..113]);
                short.refused(ck::CKR_SIGNATURE_LEN_RANGE);
            }
        }
        openssl.must("genpkey -algorithm ED448 -out ed.pem");
        openssl.file("message", b"message");
        let theirs = openssl.must("pkeyutl -sign -inkey ed.pem -rawin -in message");
        let peer = openssl.must("pkey -in ed.pem -pubout -outform DER");
        let key = public_key(ck::CKK_EC_EDWARDS, ED448, &peer[peer.len() - 57..]);
        let key = session.create(&key).unwrap();
        session.verify(&no_parameter, key, b"message", &theirs).unwrap();
        session.has(key, ck::CKA_PUBLIC_KEY_INFO, &peer);
    });
}

#[test]
fn points_of_small_order_and_of_no_curve_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (oid, _, _, length) in MONTGOMERY {
            let (_, private) = pair(&session, ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, oid);
            let mut one = vec![0; *length];
            one[0] = 1;
            for wrong in [vec![0; *length], one, vec![9; length - 1], vec![9; length + 1], vec![]] {
                let parameter = ecdh(&wrong);
                let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
                let made = session.derive(&how, private, &readable());
                made.refused(ck::CKR_PUBLIC_KEY_INVALID);
            }
        }
        for curve in CURVES {
            let (public, private) = pair(&session, ck::CKM_EC_KEY_PAIR_GEN, curve.oid);
            let wrapped = session.get(public, ck::CKA_EC_POINT).unwrap();
            let mut off = wrapped[wrapped.len() - 2 * curve.field - 1..].to_vec();
            off[curve.field] ^= 1;
            let parameter = ecdh(&off);
            let how = with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
            let made = session.derive(&how, private, &readable());
            made.refused(ck::CKR_PUBLIC_KEY_INVALID);
            let key = public_key(ck::CKK_EC, curve.oid, &off);
            session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        // The identity, -1 and a key with bits where none may be.
        let mut points = [[0_u8; 57]; 3];
        points[0][0] = 1;
        points[1] = [0xff; 57];
        (points[1][0], points[1][28], points[1][56]) = (0xfe, 0xfe, 0);
        points[2][56] = 1;
        for point in points {
            let key = public_key(ck::CKK_EC_EDWARDS, ED448, &point);
            session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}

#[test]
fn scalars_are_from_1_to_the_order_less_1() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for curve in CURVES {
            let order = hex(curve.order);
            let mut last = order.clone();
            *last.last_mut().unwrap() -= 1;
            let mut one = vec![0; curve.field];
            *one.last_mut().unwrap() = 1;
            for good in [vec![1], one.clone(), [&[0, 0][..], &one].concat(), last] {
                let key = private_key(ck::CKK_EC, curve.oid, &good);
                let key = session.create(&key).unwrap();
                let value = session.get(key, ck::CKA_VALUE).unwrap();
                assert_eq!(value.len(), curve.field, "{}", curve.name);
            }
            for wrong in [order, vec![0; curve.field], vec![], vec![0xff; curve.field]] {
                let key = private_key(ck::CKK_EC, curve.oid, &wrong);
                session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
        }
    });
}

#[test]
fn curves_that_are_not_the_types_own_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let make = |mechanism, params: &[u8]| {
            let public = template! { CKA_EC_PARAMS => params };
            session.generate_pair(&plain(mechanism), &public, &template! {})
        };
        for (mechanism, params) in [
            (ck::CKM_EC_KEY_PAIR_GEN, ED448.to_vec()),
            (ck::CKM_EC_KEY_PAIR_GEN, printable("curve25519")),
            (ck::CKM_EC_KEY_PAIR_GEN, printable("brainpoolP160r1")),
            (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, P256.to_vec()),
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, ED448.to_vec()),
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, P256.to_vec()),
        ] {
            make(mechanism, &params).refused(ck::CKR_CURVE_NOT_SUPPORTED);
        }
        // Explicit parameters, and the NULL of an implicit curve.
        for params in [&b"\x30\x03\x02\x01\x01"[..], b"\x05\x00"] {
            for mechanism in [
                ck::CKM_EC_KEY_PAIR_GEN,
                ck::CKM_EC_EDWARDS_KEY_PAIR_GEN,
                ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
            ] {
                make(mechanism, params).refused(ck::CKR_DOMAIN_PARAMS_INVALID);
            }
        }
        for (key_type, params) in [
            (ck::CKK_EC, MONTGOMERY[0].0),
            (ck::CKK_EC_MONTGOMERY, ED448),
            (ck::CKK_EC_EDWARDS, P256),
        ] {
            let key = private_key(key_type, params, &[1; 32]);
            session.create(&key).refused(ck::CKR_CURVE_NOT_SUPPORTED);
        }
    });
}
