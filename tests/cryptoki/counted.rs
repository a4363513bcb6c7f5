//! Key derivation by NIST SP 800-108, of one key and of several. PKCS#11 3.2, "SP800-108 Key
//! Derivation".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::hex;
use crate::support::operations::with_struct;
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

const FORM: ck::CK_SP800_108_COUNTER_FORMAT =
    ck::CK_SP800_108_COUNTER_FORMAT { bLittleEndian: 0, ulWidthInBits: 32 };
const LENGTH: ck::CK_SP800_108_DKM_LENGTH_FORMAT = ck::CK_SP800_108_DKM_LENGTH_FORMAT {
    dkmLengthMethod: ck::CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS,
    bLittleEndian: 0,
    ulWidthInBits: 32,
};

fn part<T>(kind: ck::CK_ULONG, value: &T) -> ck::CK_PRF_DATA_PARAM {
    let value = std::ptr::from_ref(value).cast_mut();
    ck::CK_PRF_DATA_PARAM { type_: kind, pValue: value.cast(), ulValueLen: len(size_of::<T>()) }
}

fn bytes(value: &[u8]) -> ck::CK_PRF_DATA_PARAM {
    ck::CK_PRF_DATA_PARAM {
        type_: ck::CK_SP800_108_BYTE_ARRAY,
        pValue: value.as_ptr().cast_mut().cast(),
        ulValueLen: len(value.len()),
    }
}

fn counter_mode(parts: &[ck::CK_PRF_DATA_PARAM]) -> ck::CK_SP800_108_KDF_PARAMS {
    ck::CK_SP800_108_KDF_PARAMS {
        prfType: ck::CKM_SHA256_HMAC,
        ulNumberOfDataParams: len(parts.len()),
        pDataParams: parts.as_ptr().cast_mut(),
        ulAdditionalDerivedKeys: 0,
        pAdditionalDerivedKeys: null_mut(),
    }
}

fn base(session: &Session<'_>, open: bool) -> ck::CK_OBJECT_HANDLE {
    let value: Vec<u8> = (0..32).collect();
    let key = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_DERIVE => true, CKA_SENSITIVE => !open, CKA_EXTRACTABLE => open,
    };
    session.create(&key.and(ck::CKA_VALUE, &value[..])).unwrap()
}

fn forty() -> Template {
    template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 40_u64 }
}

/// As OpenSSL's KBKDF computes it.
const EXPECTED: &str =
    "c5115a8e2c9cf655fabbfecbe725e440a9838838f5b46130c654f368f780edd650d532c0fdeb6a35";

#[test]
fn counter_mode_gives_what_openssl_gives() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = base(&session, true);
        let parts = [
            part(ck::CK_SP800_108_ITERATION_VARIABLE, &FORM),
            bytes(b"label\0context"),
            part(ck::CK_SP800_108_DKM_LENGTH, &LENGTH),
        ];
        let params = counter_mode(&parts);
        let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params);
        let made = session.derive(&how, key, &forty()).unwrap();
        session.has(made, ck::CKA_VALUE, &hex(EXPECTED));
        // Data may come from a key as well.
        let context = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_DERIVE => true,
            CKA_SENSITIVE => true,
        };
        let context = session.create(&context.and(ck::CKA_VALUE, &b"context"[..])).unwrap();
        let parts = [
            part(ck::CK_SP800_108_ITERATION_VARIABLE, &FORM),
            bytes(b"label\0"),
            part(ck::CK_SP800_108_KEY_HANDLE, &context),
            part(ck::CK_SP800_108_DKM_LENGTH, &LENGTH),
        ];
        let params = counter_mode(&parts);
        let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params);
        let made = session.derive(&how, key, &forty()).unwrap();
        session.has(made, ck::CKA_VALUE, &hex(EXPECTED));
        session.set(context, &template! { CKA_DERIVE => false }).unwrap();
        session.derive(&how, key, &forty()).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
    });
}

#[test]
fn further_keys_are_made_of_segments_of_their_own_and_all_or_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, shut) = (base(&session, true), base(&session, false));
        let parts = [part(ck::CK_SP800_108_ITERATION_VARIABLE, &FORM), bytes(b"label")];
        let derive = |key, first: &Template, second: &Template| {
            let mut handle = 7;
            let place = &raw mut handle;
            let first = second.lend(|rows, count| {
                let mut further =
                    [ck::CK_DERIVED_KEY { pTemplate: rows, ulAttributeCount: count, phKey: place }];
                let params = ck::CK_SP800_108_KDF_PARAMS {
                    ulAdditionalDerivedKeys: 1,
                    pAdditionalDerivedKeys: further.as_mut_ptr(),
                    ..counter_mode(&parts)
                };
                session.derive(&with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params), key, first)
            });
            first.map(|first| (first, handle))
        };
        let aes = template! {
            CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 16_u64, CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        };
        let (first, second) = derive(key, &forty(), &aes).unwrap();
        assert_eq!(session.number(second, ck::CKA_KEY_TYPE), ck::CKK_AES);
        // The same segments as one key: two for the first, a third for the second.
        let long = template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 96_u64 };
        let params = counter_mode(&parts);
        let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params);
        let whole = session.derive(&how, key, &long).unwrap();
        let whole = session.get(whole, ck::CKA_VALUE).unwrap();
        session.has(first, ck::CKA_VALUE, &whole[..40]);
        session.has(second, ck::CKA_VALUE, &whole[64..80]);
        let before = session.count(&template! {});
        let odd = template! { CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 17_u64 };
        assert!(derive(key, &forty(), &odd).is_err(), "a key that cannot be");
        let pair = template! { CKA_KEY_TYPE => ck::CKK_RSA, CKA_VALUE_LEN => 16_u64 };
        derive(key, &forty(), &pair).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        assert_eq!(session.count(&template! {}), before, "half of the keys were made");
        // What is not said is taken over from the base.
        let (first, _) = derive(shut, &forty(), &aes).unwrap();
        assert!(session.flag(first, ck::CKA_SENSITIVE));
        assert!(!session.flag(first, ck::CKA_EXTRACTABLE));
    });
}

#[test]
fn parts_that_do_not_belong_and_counters_that_would_begin_anew_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = base(&session, true);
        let refuse = |parts: &[ck::CK_PRF_DATA_PARAM], rv| {
            let params = counter_mode(parts);
            let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params);
            session.derive(&how, key, &forty()).refused(rv);
        };
        let invalid = ck::CKR_MECHANISM_PARAM_INVALID;
        let iteration = part(ck::CK_SP800_108_ITERATION_VARIABLE, &FORM);
        let none = ck::CK_PRF_DATA_PARAM { pValue: null_mut(), ulValueLen: 0, ..iteration };
        let length = part(ck::CK_SP800_108_DKM_LENGTH, &LENGTH);
        refuse(&[], invalid);
        refuse(&[bytes(b"label")], invalid);
        refuse(&[none], invalid);
        refuse(&[iteration, iteration], invalid);
        refuse(&[iteration, part(ck::CK_SP800_108_COUNTER, &FORM)], invalid);
        refuse(&[iteration, length, length], invalid);
        refuse(&[iteration, bytes(b"")], invalid);
        refuse(&[iteration, ck::CK_PRF_DATA_PARAM { pValue: null_mut(), ..length }], invalid);
        refuse(&[iteration, ck::CK_PRF_DATA_PARAM { ulValueLen: 5, ..length }], invalid);
        refuse(&[iteration, ck::CK_PRF_DATA_PARAM { type_: 9, ..length }], invalid);
        refuse(&[iteration, part(ck::CK_SP800_108_KEY_HANDLE, &0_u64)], ck::CKR_KEY_HANDLE_INVALID);
        for bits in [0, 7, 40, ck::CK_ULONG::MAX] {
            let form = ck::CK_SP800_108_COUNTER_FORMAT { ulWidthInBits: bits, ..FORM };
            refuse(&[part(ck::CK_SP800_108_ITERATION_VARIABLE, &form)], invalid);
        }
        let byte = ck::CK_SP800_108_COUNTER_FORMAT { ulWidthInBits: 8, ..FORM };
        let parts = [part(ck::CK_SP800_108_ITERATION_VARIABLE, &byte)];
        let params = counter_mode(&parts);
        let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &params);
        let most = template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 8160_u64 };
        session.derive(&how, key, &most).unwrap();
        let more = template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 8161_u64 };
        session.derive(&how, key, &more).refused(ck::CKR_KEY_SIZE_RANGE);
        let good = counter_mode(&parts);
        for wrong in [
            ck::CK_SP800_108_KDF_PARAMS { prfType: ck::CKM_SHA256, ..good },
            ck::CK_SP800_108_KDF_PARAMS { pDataParams: null_mut(), ..good },
            ck::CK_SP800_108_KDF_PARAMS { ulNumberOfDataParams: ck::CK_ULONG::MAX, ..good },
            ck::CK_SP800_108_KDF_PARAMS { ulAdditionalDerivedKeys: 1, ..good },
            ck::CK_SP800_108_KDF_PARAMS { ulAdditionalDerivedKeys: ck::CK_ULONG::MAX, ..good },
        ] {
            let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &wrong);
            session.derive(&how, key, &forty()).refused(invalid);
        }
        let cmac = ck::CK_SP800_108_KDF_PARAMS { prfType: ck::CKM_AES_CMAC, ..good };
        let how = with_struct(ck::CKM_SP800_108_COUNTER_KDF, &cmac);
        session.derive(&how, key, &forty()).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}
