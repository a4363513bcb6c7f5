//! HMAC with SHA-2. PKCS#11 3.2, "SHA-256-HMAC" and its sisters.

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{plain, with_struct};
use crate::support::{Refused, isolated};

/// RFC 4231, test case 2: key "Jefe".
const DATA: &[u8] = b"what do ya want for nothing?";

/// Mechanism, its form with a length, a key type of its own, and the answer.
#[rustfmt::skip]
const KNOWN: &[(ck::CK_MECHANISM_TYPE, ck::CK_MECHANISM_TYPE, ck::CK_KEY_TYPE, &str)] = &[
    (
        ck::CKM_SHA224_HMAC, ck::CKM_SHA224_HMAC_GENERAL, ck::CKK_SHA224_HMAC,
        "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
    ),
    (
        ck::CKM_SHA256_HMAC, ck::CKM_SHA256_HMAC_GENERAL, ck::CKK_SHA256_HMAC,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        ck::CKM_SHA384_HMAC, ck::CKM_SHA384_HMAC_GENERAL, ck::CKK_SHA384_HMAC,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
         8e2240ca5e69e2c78b3239ecfab21649",
    ),
    (
        ck::CKM_SHA512_HMAC, ck::CKM_SHA512_HMAC_GENERAL, ck::CKK_SHA512_HMAC,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
];

#[test]
fn known_answers_in_one_call_and_in_parts() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (mechanism, _, typed, answer) in KNOWN {
            for key_type in [ck::CKK_GENERIC_SECRET, *typed] {
                let key = session.create(&known::secret(key_type, b"Jefe")).unwrap();
                let (how, answer) = (plain(*mechanism), hex(answer));
                assert_eq!(session.sign(&how, key, DATA).unwrap(), answer);
                let parts = [&DATA[..5], &DATA[5..5], &DATA[5..]];
                assert_eq!(session.sign_parts(&how, key, &parts).unwrap(), answer);
                session.verify(&how, key, DATA, &answer).unwrap();
                session.verify_init(&how, key).unwrap();
                session.verify_update(&DATA[..9]).unwrap();
                session.verify_update(&DATA[9..]).unwrap();
                session.verify_final(&answer).unwrap();
            }
        }
    });
}

#[test]
fn wrong_codes_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::generic(b"Jefe")).unwrap();
        let (how, right) = (plain(ck::CKM_SHA256_HMAC), hex(KNOWN[1].3));
        let mut wrong = right.clone();
        wrong[31] ^= 1;
        session.verify(&how, key, DATA, &wrong).refused(ck::CKR_SIGNATURE_INVALID);
        session.verify(&how, key, b"other data", &right).refused(ck::CKR_SIGNATURE_INVALID);
        for length in [0, 1, 31] {
            let refused = session.verify(&how, key, DATA, &right[..length]);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        let long = [right.as_slice(), b"x"].concat();
        session.verify(&how, key, DATA, &long).refused(ck::CKR_SIGNATURE_LEN_RANGE);
    });
}

#[test]
fn a_code_may_be_cut_to_a_length() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::generic(b"Jefe")).unwrap();
        for (_, general, _, answer) in KNOWN {
            let (length, answer): (ck::CK_ULONG, _) = (16, hex(answer));
            let how = with_struct(*general, &length);
            assert_eq!(session.sign(&how, key, DATA).unwrap(), answer[..16]);
            session.verify(&how, key, DATA, &answer[..16]).unwrap();
            let refused = session.verify(&how, key, DATA, &answer[..17]);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
            let too_long: ck::CK_ULONG = 65;
            let refused = session.sign_init(&with_struct(*general, &too_long), key);
            refused.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

#[test]
fn a_key_of_another_hash_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::secret(ck::CKK_SHA512_HMAC, b"Jefe")).unwrap();
        let refused = session.sign_init(&plain(ck::CKM_SHA256_HMAC), key);
        refused.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        let refused = session.sign_init(&plain(ck::CKM_SHA256_HMAC), key);
        refused.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}
