//! Derivations but key agreement, and keys from passwords. PKCS#11 3.2, C_DeriveKey; "Miscellaneous
//! simple key derivation mechanisms", "HKDF Mechanisms", "PKCS #5".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::hex;
use crate::support::operations::{Mechanism, plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

/// A secret that may derive, open or closed.
fn base(session: &Session<'_>, value: &[u8], open: bool) -> ck::CK_OBJECT_HANDLE {
    let template = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_DERIVE => true, CKA_SENSITIVE => !open, CKA_EXTRACTABLE => open,
    };
    session.create(&template.and(ck::CKA_VALUE, value)).unwrap()
}

/// Asks for a key that may be read.
fn open() -> Template {
    template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true }
}

fn string(data: &[u8]) -> ck::CK_KEY_DERIVATION_STRING_DATA {
    ck::CK_KEY_DERIVATION_STRING_DATA { pData: data.as_ptr().cast_mut(), ulLen: len(data.len()) }
}

#[test]
fn the_examples_of_the_standard_come_out() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let first = base(&session, &hex("01234567"), true);
        let second = base(&session, &hex("89abcdef"), true);
        let data = hex("89abcdef");
        let (data, bit) = (string(&data), 21_u64);
        let long = base(&session, &hex("329f84a9"), true);
        let two = open().and(ck::CKA_VALUE_LEN, 2_u64);
        for (how, base, template, expected) in [
            (
                with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &second),
                first,
                open(),
                "0123456789abcdef",
            ),
            (
                with_struct(ck::CKM_CONCATENATE_BASE_AND_DATA, &data),
                first,
                open(),
                "0123456789abcdef",
            ),
            (
                with_struct(ck::CKM_CONCATENATE_DATA_AND_BASE, &data),
                first,
                open(),
                "89abcdef01234567",
            ),
            (with_struct(ck::CKM_XOR_BASE_AND_DATA, &data), first, open(), "88888888"),
            (with_struct(ck::CKM_EXTRACT_KEY_FROM_KEY, &bit), long, two, "9526"),
        ] {
            let key = session.derive(&how, base, &template).unwrap();
            session.has(key, ck::CKA_VALUE, &hex(expected));
            assert_eq!(session.number(key, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET);
            assert_eq!(session.number(key, ck::CKA_CLASS), ck::CKO_SECRET_KEY);
        }
    });
}

#[test]
fn what_shows_a_closed_key_is_closed_whatever_the_template_says() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (shut, free) = (base(&session, &[1; 16], false), base(&session, &[2; 16], true));
        let (data, bit) = (string(&[3; 16]), 0_u64);
        let sixteen = open().and(ck::CKA_VALUE_LEN, 16_u64);
        for (how, base) in [
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &free), shut),
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &shut), free),
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_DATA, &data), shut),
            (with_struct(ck::CKM_CONCATENATE_DATA_AND_BASE, &data), shut),
            (with_struct(ck::CKM_XOR_BASE_AND_DATA, &data), shut),
            (with_struct(ck::CKM_EXTRACT_KEY_FROM_KEY, &bit), shut),
        ] {
            let key = session.derive(&how, base, &sixteen).unwrap();
            assert!(session.flag(key, ck::CKA_SENSITIVE));
            assert!(!session.flag(key, ck::CKA_EXTRACTABLE));
            session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            // The base was imported, so nobody knows that it was always closed.
            assert!(!session.flag(key, ck::CKA_ALWAYS_SENSITIVE));
            assert!(!session.flag(key, ck::CKA_NEVER_EXTRACTABLE));
        }
        let made = template! {
            CKA_DERIVE => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_VALUE_LEN => 16_u64,
        };
        let always = session.generate(&plain(ck::CKM_GENERIC_SECRET_KEY_GEN), &made).unwrap();
        for (second, history) in [(always, true), (free, false)] {
            let how = with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &second);
            let key = session.derive(&how, always, &template! {}).unwrap();
            assert_eq!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE), history);
            assert_eq!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE), history);
        }
    });
}

#[test]
fn no_small_part_of_a_closed_key_becomes_a_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (shut, free) = (base(&session, &[1; 32], false), base(&session, &[2; 32], true));
        let (data, bit, little) = (string(&[3; 32]), 0_u64, string(&[3; 2]));
        for (how, base, shorter) in [
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_DATA, &data), shut, 1),
            (with_struct(ck::CKM_CONCATENATE_DATA_AND_BASE, &data), shut, 33),
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &free), shut, 13),
            (with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &shut), free, 45),
            (with_struct(ck::CKM_XOR_BASE_AND_DATA, &data), shut, 2),
            (with_struct(ck::CKM_XOR_BASE_AND_DATA, &little), shut, 2),
            (with_struct(ck::CKM_EXTRACT_KEY_FROM_KEY, &bit), shut, 13),
        ] {
            let of = |length: u64| template! { CKA_VALUE_LEN => length };
            session.derive(&how, base, &of(shorter)).refused(ck::CKR_TEMPLATE_INCONSISTENT);
            if how.c.pParameter.cast_const() != (&raw const little).cast() {
                let enough = if shorter > 32 { 46 } else { 14 };
                session.derive(&how, base, &of(enough)).unwrap();
            }
        }
        let how = with_struct(ck::CKM_EXTRACT_KEY_FROM_KEY, &bit);
        session.derive(&how, free, &template! { CKA_VALUE_LEN => 1_u64 }).unwrap();
    });
}

#[test]
fn a_second_key_meets_the_checks_of_the_first() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let first = base(&session, &[1; 16], true);
        let second = base(&session, &[2; 16], true);
        let join = |other: &ck::CK_OBJECT_HANDLE| {
            session.derive(&with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, other), first, &open())
        };
        join(&second).unwrap();
        session.set(second, &template! { CKA_DERIVE => false }).unwrap();
        // What can be read could be joined by anybody.
        join(&second).unwrap();
        session.set(second, &template! { CKA_SENSITIVE => true }).unwrap();
        join(&second).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        join(&0).refused(ck::CKR_KEY_HANDLE_INVALID);
        let (_, private) = crate::ecdsa::generate(&session, crate::support::known::P256);
        join(&private).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        let allowed = [ck::CKM_SHA256_HMAC];
        let bytes: Vec<u8> = allowed.iter().flat_map(|id| id.to_ne_bytes()).collect();
        let listed = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_DERIVE => true,
        };
        let listed = listed.and(ck::CKA_VALUE, &[3; 16]);
        let listed = session.create(&listed.and(ck::CKA_ALLOWED_MECHANISMS, &bytes[..])).unwrap();
        join(&listed).refused(ck::CKR_MECHANISM_INVALID);
        let before = session.count(&template! {});
        join(&listed).refused(ck::CKR_MECHANISM_INVALID);
        assert_eq!(session.count(&template! {}), before);
    });
}

#[test]
fn lengths_and_types_follow_the_template() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let from = base(&session, b"abc", true);
        let how = plain(ck::CKM_SHA256_KEY_DERIVATION);
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let with = |kind: ck::CK_KEY_TYPE, length: Option<u64>| {
            let template = open().and(ck::CKA_KEY_TYPE, kind);
            let template = match length {
                Some(length) => template.and(ck::CKA_VALUE_LEN, length),
                None => template,
            };
            session.derive(&how, from, &template)
        };
        for (kind, length, made) in [
            (ck::CKK_GENERIC_SECRET, None, 32),
            (ck::CKK_GENERIC_SECRET, Some(5), 5),
            (ck::CKK_AES, Some(16), 16),
            (ck::CKK_SHA256_HMAC, Some(20), 20),
            (ck::CKK_CHACHA20, None, 32),
        ] {
            let key = with(kind, length).unwrap();
            session.has(key, ck::CKA_VALUE, &hex(digest)[..made]);
        }
        with(ck::CKK_AES, None).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let refused = &[
            ck::CKR_TEMPLATE_INCONSISTENT,
            ck::CKR_ATTRIBUTE_VALUE_INVALID,
            ck::CKR_KEY_SIZE_RANGE,
        ];
        for (kind, length) in [
            (ck::CKK_GENERIC_SECRET, Some(33)),
            (ck::CKK_GENERIC_SECRET, Some(0)),
            (ck::CKK_GENERIC_SECRET, Some(u64::MAX)),
            (ck::CKK_AES, Some(17)),
            (ck::CKK_CHACHA20, Some(16)),
            (ck::CKK_RSA, Some(16)),
        ] {
            with(kind, length).expect_err("a key that cannot be").is_one_of(refused);
        }
    });
}

/// RFC 5869, test case 1.
const IKM: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const SALT: &str = "000102030405060708090a0b0c";
const OKM: &str = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                   34007208d5b887185865";

fn hkdf(salt: &[u8], info: &[u8]) -> ck::CK_HKDF_PARAMS {
    ck::CK_HKDF_PARAMS {
        bExtract: 1,
        bExpand: 1,
        prfHashMechanism: ck::CKM_SHA256,
        ulSaltType: ck::CKF_HKDF_SALT_DATA,
        pSalt: salt.as_ptr().cast_mut(),
        ulSaltLen: len(salt.len()),
        hSaltKey: 0,
        pInfo: info.as_ptr().cast_mut(),
        ulInfoLen: len(info.len()),
    }
}

#[test]
fn hkdf_takes_its_salt_from_anywhere_and_works_in_steps() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (salt, info, okm) = (hex(SALT), hex("f0f1f2f3f4f5f6f7f8f9"), hex(OKM));
        let key = base(&session, &hex(IKM), true);
        let salt_key = base(&session, &salt, true);
        let whole = hkdf(&salt, &info);
        let keyed = ck::CK_HKDF_PARAMS {
            ulSaltType: ck::CKF_HKDF_SALT_KEY,
            pSalt: null_mut(),
            ulSaltLen: 0,
            hSaltKey: salt_key,
            ..whole
        };
        let wanted = open().and(ck::CKA_VALUE_LEN, len(okm.len()));
        for params in [whole, keyed] {
            let made = session.derive(&with_struct(ck::CKM_HKDF_DERIVE, &params), key, &wanted);
            session.has(made.unwrap(), ck::CKA_VALUE, &okm);
        }
        let extract = ck::CK_HKDF_PARAMS { bExpand: 0, ..whole };
        let step = template! {
            CKA_KEY_TYPE => ck::CKK_HKDF, CKA_DERIVE => true, CKA_SENSITIVE => true,
        };
        let how = with_struct(ck::CKM_HKDF_DERIVE, &extract);
        let extracted = session.derive(&how, key, &step).unwrap();
        assert_eq!(session.number(extracted, ck::CKA_VALUE_LEN), 32);
        let expand = ck::CK_HKDF_PARAMS { bExtract: 0, ..whole };
        let how = with_struct(ck::CKM_HKDF_DERIVE, &expand);
        let made = session.derive(&how, extracted, &wanted).unwrap();
        session.has(made, ck::CKA_VALUE, &okm);
        let refuse = |params: &ck::CK_HKDF_PARAMS, template: &Template, rv| {
            session.derive(&with_struct(ck::CKM_HKDF_DERIVE, params), key, template).refused(rv);
        };
        let usual = session.derive(&with_struct(ck::CKM_HKDF_DERIVE, &whole), key, &open());
        session.has(usual.unwrap(), ck::CKA_VALUE, &okm[..32]);
        let aes = open().with(template! { CKA_KEY_TYPE => ck::CKK_AES });
        refuse(&whole, &aes, ck::CKR_TEMPLATE_INCOMPLETE);
        refuse(&whole, &open().and(ck::CKA_VALUE_LEN, 8161_u64), ck::CKR_TEMPLATE_INCONSISTENT);
        for wrong in [
            ck::CK_HKDF_PARAMS { bExtract: 0, bExpand: 0, ..whole },
            ck::CK_HKDF_PARAMS { prfHashMechanism: ck::CKM_AES_CBC, ..whole },
            ck::CK_HKDF_PARAMS { ulSaltType: 9, ..whole },
            ck::CK_HKDF_PARAMS { pSalt: null_mut(), ..whole },
            ck::CK_HKDF_PARAMS { pInfo: null_mut(), ..whole },
            ck::CK_HKDF_PARAMS { ulInfoLen: ck::CK_ULONG::MAX, ..whole },
        ] {
            refuse(&wrong, &wanted, ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let unknown = ck::CK_HKDF_PARAMS { hSaltKey: 0, ..keyed };
        refuse(&unknown, &wanted, ck::CKR_KEY_HANDLE_INVALID);
    });
}

#[test]
fn of_a_closed_key_hkdf_gives_only_public_vectors_to_read() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (shut, free) = (base(&session, &[7; 32], false), base(&session, &[7; 32], true));
        let twelve = template! { CKA_CLASS => ck::CKO_DATA, CKA_VALUE_LEN => 12_u64 };
        let data = |key, info: &[u8]| {
            let params = ck::CK_HKDF_PARAMS { bExtract: 0, ..hkdf(&[], info) };
            session.derive(&with_struct(ck::CKM_HKDF_DATA, &params), key, &twelve)
        };
        for info in [&b"\0\x0ctls iv\0"[..], b"\0\x0ctls quic iv\0", b"\0\x0c\x08tls13 iv\0"] {
            let [open, closed] = [free, shut].map(|key| data(key, info).unwrap());
            assert_eq!(session.number(open, ck::CKA_CLASS), ck::CKO_DATA);
            let value = session.get(open, ck::CKA_VALUE).unwrap();
            assert_eq!(value.len(), 12);
            session.has(closed, ck::CKA_VALUE, &value);
        }
        data(free, b"\0\x10tls key\0").unwrap();
        data(shut, b"\0\x10tls key\0").refused(ck::CKR_MECHANISM_PARAM_INVALID);
        data(shut, b"").refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

fn pbkdf2(password: &[u8], salt: &[u8]) -> ck::CK_PKCS5_PBKD2_PARAMS2 {
    ck::CK_PKCS5_PBKD2_PARAMS2 {
        saltSource: ck::CKZ_SALT_SPECIFIED,
        pSaltSourceData: salt.as_ptr().cast_mut().cast(),
        ulSaltSourceDataLen: len(salt.len()),
        iterations: 4096,
        prf: ck::CKP_PKCS5_PBKD2_HMAC_SHA1,
        pPrfData: null_mut(),
        ulPrfDataLen: 0,
        pPassword: password.as_ptr().cast_mut(),
        ulPasswordLen: len(password.len()),
    }
}

#[test]
fn passwords_make_keys_by_either_structure() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        // RFC 6070.
        let newer = pbkdf2(b"password", b"salt");
        let expected = hex("4b007901b765489abead49d926f721d065a429c1");
        let length: ck::CK_ULONG = 8;
        let older = ck::CK_PKCS5_PBKD2_PARAMS {
            saltSource: newer.saltSource,
            pSaltSourceData: newer.pSaltSourceData,
            ulSaltSourceDataLen: newer.ulSaltSourceDataLen,
            iterations: newer.iterations,
            prf: newer.prf,
            pPrfData: null_mut(),
            ulPrfDataLen: 0,
            pPassword: newer.pPassword,
            ulPasswordLen: (&raw const length).cast_mut(),
        };
        let twenty =
            open().and(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET).and(ck::CKA_VALUE_LEN, 20_u64);
        let make = |how: &Mechanism<'_>, template: &Template| session.generate(how, template);
        for how in
            [with_struct(ck::CKM_PKCS5_PBKD2, &newer), with_struct(ck::CKM_PKCS5_PBKD2, &older)]
        {
            let key = make(&how, &twenty).unwrap();
            session.has(key, ck::CKA_VALUE, &expected);
        }
        let how = with_struct(ck::CKM_PKCS5_PBKD2, &newer);
        let aes = template! { CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 16_u64 };
        make(&how, &aes).unwrap();
        make(&how, &open().and(ck::CKA_KEY_TYPE, ck::CKK_CHACHA20)).unwrap();
        make(&how, &open().and(ck::CKA_VALUE_LEN, 20_u64)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        make(&how, &aes.without(ck::CKA_VALUE_LEN)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let rsa = open().and(ck::CKA_KEY_TYPE, ck::CKK_RSA);
        make(&how, &rsa).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        for wrong in [
            ck::CK_PKCS5_PBKD2_PARAMS2 { saltSource: 2, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { pSaltSourceData: null_mut(), ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { iterations: 0, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { iterations: 10_000_001, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { iterations: ck::CK_ULONG::MAX, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { prf: ck::CKP_PKCS5_PBKD2_HMAC_GOSTR3411, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { ulPrfDataLen: 1, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { pPassword: null_mut(), ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { ulPasswordLen: 1 << 40, ..newer },
            ck::CK_PKCS5_PBKD2_PARAMS2 { ulPasswordLen: ck::CK_ULONG::MAX, ..newer },
        ] {
            let made = make(&with_struct(ck::CKM_PKCS5_PBKD2, &wrong), &twenty);
            made.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        make(&plain(ck::CKM_PKCS5_PBKD2), &twenty).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn encrypted_data_becomes_a_key_of_its_length() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let value = hex("2b7e151628aed2a6abf7158809cf4f3c");
        let aes = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES, CKA_DERIVE => true,
        };
        let key = session.create(&aes.and(ck::CKA_VALUE, &value[..])).unwrap();
        let plain = hex("6bc1bee22e409f96e93d7e117393172a");
        let ecb = string(&plain);
        let how = with_struct(ck::CKM_AES_ECB_ENCRYPT_DATA, &ecb);
        let made = session.derive(&how, key, &open()).unwrap();
        session.has(made, ck::CKA_VALUE, &hex("3ad77bb40d7a3660a89ecaf32466ef97"));
        let cbc = |data: &[u8]| ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS {
            iv: std::array::from_fn(|at| at as u8),
            pData: data.as_ptr().cast_mut(),
            length: len(data.len()),
        };
        let good = cbc(&plain);
        let how = with_struct(ck::CKM_AES_CBC_ENCRYPT_DATA, &good);
        let made = session.derive(&how, key, &open()).unwrap();
        session.has(made, ck::CKA_VALUE, &hex("7649abac8119b246cee98e9b12e9197d"));
        let longer = open().and(ck::CKA_VALUE_LEN, 17_u64);
        session.derive(&how, key, &longer).refused(ck::CKR_DATA_LEN_RANGE);
        for wrong in [
            ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS { length: 15, ..good },
            ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS { length: 0, ..good },
            ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS { pData: null_mut(), ..good },
            ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS { length: ck::CK_ULONG::MAX, ..good },
        ] {
            let how = with_struct(ck::CKM_AES_CBC_ENCRYPT_DATA, &wrong);
            session.derive(&how, key, &open()).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let other = base(&session, &value, true);
        session.derive(&how, other, &open()).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}
