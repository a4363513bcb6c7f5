//! DES, triple DES and MD5, which the configuration must ask for. PKCS#11 3.2, "Double and
//! Triple-length DES"; FIPS 46-3.

use cryptoki_sys as ck;

use crate::support::known::hex;
use crate::support::operations::{Mechanism, plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, isolated, template};

const KINDS: [(ck::CK_KEY_TYPE, ck::CK_MECHANISM_TYPE, usize); 3] = [
    (ck::CKK_DES, ck::CKM_DES_KEY_GEN, 8),
    (ck::CKK_DES2, ck::CKM_DES2_KEY_GEN, 16),
    (ck::CKK_DES3, ck::CKM_DES3_KEY_GEN, 24),
];

fn is_odd(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.count_ones() % 2 == 1)
}

/// The three modes of a type of key, each with its parameter.
fn modes(kind: ck::CK_KEY_TYPE, iv: &[u8]) -> [Mechanism<'_>; 3] {
    if kind == ck::CKK_DES {
        let padded = with_bytes(ck::CKM_DES_CBC_PAD, iv);
        [plain(ck::CKM_DES_ECB), with_bytes(ck::CKM_DES_CBC, iv), padded]
    } else {
        let padded = with_bytes(ck::CKM_DES3_CBC_PAD, iv);
        [plain(ck::CKM_DES3_ECB), with_bytes(ck::CKM_DES3_CBC, iv), padded]
    }
}

#[test]
fn what_is_outlived_is_off_unless_asked_for() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (_, make, _) in KINDS {
            session.generate(&plain(make), &template! {}).refused(ck::CKR_MECHANISM_INVALID);
        }
        session.digest_init(&plain(ck::CKM_MD5)).refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn new_keys_have_odd_parity_and_work_in_every_mode() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let open = template! {
            CKA_SENSITIVE => false, CKA_EXTRACTABLE => true, CKA_ENCRYPT => true, CKA_DECRYPT => true,
        };
        for (kind, make, length) in KINDS {
            let key = session.generate(&plain(make), &open).unwrap();
            assert_eq!(session.number(key, ck::CKA_KEY_TYPE), kind);
            let value = session.get(key, ck::CKA_VALUE).unwrap();
            assert_eq!(value.len(), length);
            assert!(is_odd(&value), "{value:x?}");
            let wrong = open.clone().and(ck::CKA_VALUE_LEN, len(length + 1));
            session.generate(&plain(make), &wrong).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            let [ecb, cbc, padded] = modes(kind, &[7; 8]);
            let zero = session.encrypt(&ecb, key, &[0; 8]).unwrap();
            session.has(key, ck::CKA_CHECK_VALUE, &zero[..3]);
            for how in [ecb, cbc] {
                let sealed = session.encrypt(&how, key, &[3; 16]).unwrap();
                assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), [3; 16]);
                session.encrypt(&how, key, &[3; 12]).refused(ck::CKR_DATA_LEN_RANGE);
                let back = session.decrypt(&how, key, &[3; 12]);
                back.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
            }
            for length in 0..17 {
                let sealed = session.encrypt(&padded, key, &vec![9; length]).unwrap();
                assert_eq!(sealed.len(), length / 8 * 8 + 8);
                assert_eq!(session.decrypt(&padded, key, &sealed).unwrap(), vec![9; length]);
            }
            let [_, short, _] = modes(kind, &[7; 7]);
            session.encrypt_init(&short, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

fn imported(session: &Session<'_>, kind: ck::CK_KEY_TYPE, value: &[u8]) -> ck::CK_OBJECT_HANDLE {
    let key = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => kind, CKA_DERIVE => true,
        CKA_SIGN => true, CKA_VERIFY => true,
    };
    session.create(&key.and(ck::CKA_VALUE, value)).unwrap()
}

#[test]
fn derived_keys_have_odd_parity_too() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let base = imported(&session, ck::CKK_DES3, &[0x10; 24]);
        let data = [0x55_u8; 24];
        let data = ck::CK_KEY_DERIVATION_STRING_DATA {
            pData: data.as_ptr().cast_mut(),
            ulLen: len(data.len()),
        };
        let how = with_struct(ck::CKM_DES3_ECB_ENCRYPT_DATA, &data);
        for (kind, _, length) in KINDS {
            let open = template! {
                CKA_KEY_TYPE => kind, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
            };
            let key = session.derive(&how, base, &open).unwrap();
            let value = session.get(key, ck::CKA_VALUE).unwrap();
            assert_eq!(value.len(), length);
            assert!(is_odd(&value), "{value:x?}");
        }
        let single = imported(&session, ck::CKK_DES, &[0x10; 8]);
        session.derive(&how, single, &template! {}).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}

/// SP 800-38B, D.4, example 2; RFC 1321.
#[test]
fn known_answers_of_codes_and_digests() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let value = hex("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5");
        let key = imported(&session, ck::CKK_DES3, &value);
        let message = hex("6bc1bee22e409f96");
        let code = hex("8e8f293136283797");
        assert_eq!(session.sign(&plain(ck::CKM_DES3_CMAC), key, &message).unwrap(), code);
        session.verify(&plain(ck::CKM_DES3_CMAC), key, &message, &code).unwrap();
        session.digest_init(&plain(ck::CKM_MD5)).unwrap();
        session.digest_update(b"abc").unwrap();
        assert_eq!(session.digest_final().unwrap(), hex("900150983cd24fb0d6963f7d28e17f72"));
    });
}
