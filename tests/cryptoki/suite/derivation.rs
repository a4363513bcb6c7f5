//! Derivation: two sides come to one secret, ciphers make keys of data, values are joined.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::known::{self, hex};
use crate::support::operations::{Mechanism, plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Session, Template, template};

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

fn readable(key_type: ck::CK_KEY_TYPE) -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    }
}

fn value(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) -> Vec<u8> {
    session.get(key, ck::CKA_VALUE).expect("a readable key")
}

fn pair(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE, public: &Template) -> Pair {
    let private = template! { CKA_DERIVE => true };
    session.generate_pair(&plain(how), public, &private).expect("a pair")
}

/// Secrets of 32 bytes that both sides derive, with this way to write a point.
#[track_caller]
fn agree(session: &Session<'_>, one: Pair, other: Pair, shape: fn(Vec<u8>) -> Vec<u8>) {
    let secrets = [(one.1, other.0), (other.1, one.0)].map(|(own, theirs)| {
        let mut point = shape(session.get(theirs, ck::CKA_EC_POINT).expect("the point"));
        let params = ck::CK_ECDH1_DERIVE_PARAMS {
            kdf: ck::CKD_NULL,
            ulSharedDataLen: 0,
            pSharedData: null_mut(),
            ulPublicDataLen: len(point.len()),
            pPublicData: point.as_mut_ptr(),
        };
        let how = with_struct(ck::CKM_ECDH1_DERIVE, &params);
        let wanted = readable(ck::CKK_GENERIC_SECRET).and(ck::CKA_VALUE_LEN, 32 as ck::CK_ULONG);
        value(session, session.derive(&how, own, &wanted).expect("a secret"))
    });
    assert_eq!(secrets[0], secrets[1]);
    assert_eq!(secrets[0].len(), 32);
}

/// What an OCTET STRING holds.
fn unwrapped(point: Vec<u8>) -> Vec<u8> {
    let header = if point[1] == 0x81 { 3 } else { 2 };
    point[header..].to_vec()
}

#[test]
fn two_sides_agree_on_each_curve() {
    on_token(|token| {
        let session = token.user();
        for curve in [known::P256, known::P384, known::P521] {
            let public = template! { CKA_EC_PARAMS => curve };
            let [one, other] = [(); 2].map(|()| pair(&session, ck::CKM_EC_KEY_PAIR_GEN, &public));
            agree(&session, one, other, |point| point);
            agree(&session, one, other, unwrapped);
        }
    });
}

#[test]
fn two_sides_agree_on_montgomery_curves_made_by_the_edwards_mechanism() {
    on_token(|token| {
        let session = token.user();
        for name in [&b"\x13\x0acurve25519"[..], b"\x13\x08curve448"] {
            let public = template! { CKA_EC_PARAMS => name };
            let how = ck::CKM_EC_EDWARDS_KEY_PAIR_GEN;
            let [one, other] = [(); 2].map(|()| pair(&session, how, &public));
            agree(&session, one, other, |point| point);
        }
    });
}

/// RFC 2409, section 6.2: a prime of 1024 bits.
const OAKLEY_2: &str = "\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879\
    8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b\
    0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";

#[test]
fn two_sides_agree_with_dh() {
    on_token(|token| {
        let session = token.user();
        let public = template! { CKA_PRIME => &hex(OAKLEY_2), CKA_BASE => b"\x02" };
        let how = ck::CKM_DH_PKCS_KEY_PAIR_GEN;
        let [one, other] = [(); 2].map(|()| pair(&session, how, &public));
        let secrets = [(one.1, other.0), (other.1, one.0)].map(|(own, theirs)| {
            let theirs = value(&session, theirs);
            let how = with_bytes(ck::CKM_DH_PKCS_DERIVE, &theirs);
            let wanted = readable(ck::CKK_AES).and(ck::CKA_VALUE_LEN, 32 as ck::CK_ULONG);
            value(&session, session.derive(&how, own, &wanted).expect("a secret"))
        });
        assert_eq!(secrets[0], secrets[1]);
    });
}

/// Keys of each type out of `how`, which gives 32 bytes; with a check value each.
fn makes_keys(session: &Session<'_>, how: &Mechanism<'_>, base: ck::CK_OBJECT_HANDLE) {
    for (key_type, length) in [
        (ck::CKK_GENERIC_SECRET, Some(32)),
        (ck::CKK_DES, None),
        (ck::CKK_DES2, None),
        (ck::CKK_DES3, None),
        (ck::CKK_AES, Some(32)),
    ] {
        let wanted = readable(key_type);
        let wanted = match length {
            Some(length) => wanted.and(ck::CKA_VALUE_LEN, length as ck::CK_ULONG),
            None => wanted,
        };
        let key = session.derive(how, base, &wanted).expect("a derived key");
        assert_eq!(session.get(key, ck::CKA_CHECK_VALUE).unwrap().len(), 3, "{key_type:#x}");
        if length.is_none() {
            let parity = value(session, key).iter().all(|byte| byte.count_ones() % 2 == 1);
            assert!(parity, "{key_type:#x}");
        }
    }
}

#[test]
fn ciphers_make_keys_of_data() {
    on_token(|token| {
        let session = token.user();
        let derives = template! { CKA_DERIVE => true };
        let aes = session.create(&known::aes(&[1; 32]).with(derives)).unwrap();
        let mut data: Vec<u8> = (0..32).collect();
        let ecb =
            ck::CK_KEY_DERIVATION_STRING_DATA { pData: data.as_mut_ptr(), ulLen: len(data.len()) };
        makes_keys(&session, &with_struct(ck::CKM_AES_ECB_ENCRYPT_DATA, &ecb), aes);
        let cbc = ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS {
            iv: [2; 16],
            pData: data.as_mut_ptr(),
            length: len(data.len()),
        };
        makes_keys(&session, &with_struct(ck::CKM_AES_CBC_ENCRYPT_DATA, &cbc), aes);
        let odd = hex("0123456789abcdef1032547698badcfe022046648aa8ceec");
        let key = known::secret(ck::CKK_DES3, &odd).and(ck::CKA_DERIVE, true);
        let key = session.create(&key).unwrap();
        makes_keys(&session, &with_struct(ck::CKM_DES3_ECB_ENCRYPT_DATA, &ecb), key);
        let cbc = ck::CK_DES_CBC_ENCRYPT_DATA_PARAMS {
            iv: [2; 8],
            pData: data.as_mut_ptr(),
            length: len(data.len()),
        };
        makes_keys(&session, &with_struct(ck::CKM_DES3_CBC_ENCRYPT_DATA, &cbc), key);
    });
}

#[test]
fn values_are_joined_and_keep_their_secrecy() {
    on_token(|token| {
        let session = token.user();
        let base = |value: &[u8]| {
            let open = template! {
                CKA_DERIVE => true, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
            };
            session.create(&known::generic(value).with(open)).expect("a base key")
        };
        let (one, mut other) = (base(b"first half "), base(b"second half"));
        let mut data = *b"some data";
        let bytes =
            ck::CK_KEY_DERIVATION_STRING_DATA { pData: data.as_mut_ptr(), ulLen: len(data.len()) };
        let handle = &raw mut other;
        let joined = with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &other);
        assert_eq!(joined.c.pParameter, handle.cast(), "the parameter is the handle");
        for (how, expected) in [
            (joined, &b"first half second half"[..]),
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_DATA, &bytes), b"first half some data"),
            (with_struct(ck::CKM_CONCATENATE_DATA_AND_BASE, &bytes), b"some datafirst half "),
        ] {
            let key = session.derive(&how, one, &readable(ck::CKK_GENERIC_SECRET)).unwrap();
            assert_eq!(value(&session, key), expected);
        }
        let shut = template! {
            CKA_DERIVE => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false,
        };
        let shut = session.create(&known::generic(b"kept").with(shut)).unwrap();
        let how = with_struct(ck::CKM_CONCATENATE_BASE_AND_DATA, &bytes);
        let plain = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        };
        let key = session.derive(&how, shut, &plain).unwrap();
        assert!(session.flag(key, ck::CKA_SENSITIVE));
        assert!(!session.flag(key, ck::CKA_EXTRACTABLE));
    });
}
