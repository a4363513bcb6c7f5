//! The keys of IKE. PKCS#11 3.2, "IKE Mechanisms"; RFC 2409; RFC 7296, sections 2.13 to 2.18.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::hex;
use crate::support::operations::{plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

/// RFC 4231, test case 2: the value of HMAC-SHA-256 of `DATA` under `KEY`.
const KEY: &[u8] = b"Jefe";
const DATA: &[u8] = b"what do ya want for nothing?";
const VALUE: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

/// RFC 5869, test case 1: PRK, info and OKM, which are key, seed and value of prf+.
const PRK: &str = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
const INFO: &str = "f0f1f2f3f4f5f6f7f8f9";
const OKM: &str = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                   34007208d5b887185865";

type Handle = ck::CK_OBJECT_HANDLE;

fn make(session: &Session<'_>, key_type: ck::CK_KEY_TYPE, value: &[u8], open: bool) -> Handle {
    let template = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_DERIVE => true,
        CKA_SENSITIVE => !open, CKA_EXTRACTABLE => open,
    };
    session.create(&template.and(ck::CKA_VALUE, value)).unwrap()
}

/// A generic secret that may be read.
fn open_key(session: &Session<'_>, value: &[u8]) -> Handle {
    make(session, ck::CKK_GENERIC_SECRET, value, true)
}

fn open() -> Template {
    template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true }
}

fn sized(length: u64) -> Template {
    open().and(ck::CKA_VALUE_LEN, length)
}

fn first(initiator: &[u8], responder: &[u8]) -> ck::CK_IKE_PRF_DERIVE_PARAMS {
    ck::CK_IKE_PRF_DERIVE_PARAMS {
        prfMechanism: ck::CKM_SHA256_HMAC,
        bDataAsKey: 0,
        bRekey: 0,
        pNi: initiator.as_ptr().cast_mut(),
        ulNiLen: len(initiator.len()),
        pNr: responder.as_ptr().cast_mut(),
        ulNrLen: len(responder.len()),
        hNewKey: 0,
    }
}

fn ike1(agreed: Handle, previous: Option<Handle>, data: &[u8]) -> ck::CK_IKE1_PRF_DERIVE_PARAMS {
    let (number, cookies) = data.split_last().unwrap();
    let (initiator, responder) = cookies.split_at(cookies.len() / 2);
    ck::CK_IKE1_PRF_DERIVE_PARAMS {
        prfMechanism: ck::CKM_SHA256_HMAC,
        bHasPrevKey: previous.is_some().into(),
        hKeygxy: agreed,
        hPrevKey: previous.unwrap_or_default(),
        pCKYi: initiator.as_ptr().cast_mut(),
        ulCKYiLen: len(initiator.len()),
        pCKYr: responder.as_ptr().cast_mut(),
        ulCKYrLen: len(responder.len()),
        keyNumber: *number,
    }
}

fn extended(agreed: Option<Handle>, extra: &[u8]) -> ck::CK_IKE1_EXTENDED_DERIVE_PARAMS {
    ck::CK_IKE1_EXTENDED_DERIVE_PARAMS {
        prfMechanism: ck::CKM_SHA256_HMAC,
        bHasKeygxy: agreed.is_some().into(),
        hKeygxy: agreed.unwrap_or_default(),
        pExtraData: extra.as_ptr().cast_mut(),
        ulExtraDataLen: len(extra.len()),
    }
}

fn plus(seed_key: Option<Handle>, seed: &[u8]) -> ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
    ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
        prfMechanism: ck::CKM_SHA256_HMAC,
        bHasSeedKey: seed_key.is_some().into(),
        hSeedKey: seed_key.unwrap_or_default(),
        pSeedData: seed.as_ptr().cast_mut(),
        ulSeedDataLen: len(seed.len()),
    }
}

#[test]
fn the_first_key_comes_of_nonces_and_keys_in_three_ways() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, data) = (open_key(&session, KEY), open_key(&session, DATA));
        let typed = make(&session, ck::CKK_SHA256_HMAC, KEY, true);
        let new_key = open_key(&session, &DATA[..7]);
        let as_key = ck::CK_IKE_PRF_DERIVE_PARAMS { bDataAsKey: 1, ..first(&KEY[..2], &KEY[2..]) };
        let shared = first(&DATA[..9], &DATA[9..]);
        let again =
            ck::CK_IKE_PRF_DERIVE_PARAMS { bRekey: 1, hNewKey: new_key, ..first(&DATA[7..], &[]) };
        for (params, base) in
            [(as_key, data), (shared, key), (shared, typed), (again, key), (again, typed)]
        {
            let how = with_struct(ck::CKM_IKE_PRF_DERIVE, &params);
            let made = session.derive(&how, base, &open().and(ck::CKA_DERIVE, true)).unwrap();
            session.has(made, ck::CKA_VALUE, &hex(VALUE));
            assert_eq!(session.number(made, ck::CKA_CLASS), ck::CKO_SECRET_KEY);
            assert_eq!(session.number(made, ck::CKA_KEY_TYPE), ck::CKK_SHA256_HMAC);
            let generic = sized(32).and(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
            let other = session.derive(&how, base, &generic).unwrap();
            assert_eq!(session.number(other, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET);
            for other in [1, 16, 31, 33, u64::MAX] {
                session.derive(&how, base, &sized(other)).refused(ck::CKR_KEY_SIZE_RANGE);
            }
            let seed = plus(None, b"seed");
            let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &seed);
            session.derive(&how, made, &sized(100)).unwrap();
        }
        // Of AES the first key is one, whose length needs no telling.
        let aes = make(&session, ck::CKK_AES, &[7; 16], true);
        for prf in [ck::CKM_AES_XCBC_MAC, ck::CKM_AES_CMAC] {
            let params = ck::CK_IKE_PRF_DERIVE_PARAMS { prfMechanism: prf, ..shared };
            let how = with_struct(ck::CKM_IKE_PRF_DERIVE, &params);
            let made = session.derive(&how, aes, &open()).unwrap();
            assert_eq!(session.number(made, ck::CKA_KEY_TYPE), ck::CKK_AES);
            assert_eq!(session.number(made, ck::CKA_VALUE_LEN), 16);
            let code = with_bytes(prf, &[]);
            session.set(aes, &template! { CKA_SIGN => true }).unwrap();
            let code = session.sign(&code, aes, DATA).unwrap();
            session.has(made, ck::CKA_VALUE, &code);
        }
    });
}

#[test]
fn the_keys_of_ikev1_come_of_those_before_and_are_cut() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = open_key(&session, KEY);
        let agreed = open_key(&session, &DATA[..5]);
        let (front, rest) = (open_key(&session, &DATA[..3]), open_key(&session, &DATA[3..5]));
        // The key before may be of any type.
        let hkdf = make(&session, ck::CKK_HKDF, &DATA[..3], true);
        let secret = open().and(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        for (agreed, previous) in [(agreed, None), (rest, Some(front)), (rest, Some(hkdf))] {
            let params = ike1(agreed, previous, &DATA[5..]);
            let how = with_struct(ck::CKM_IKE1_PRF_DERIVE, &params);
            let made = session.derive(&how, base, &secret).unwrap();
            session.has(made, ck::CKA_VALUE, &hex(VALUE));
            let aes = open().and(ck::CKA_KEY_TYPE, ck::CKK_AES);
            for template in [
                aes.clone(),
                aes.and(ck::CKA_VALUE_LEN, 16_u64),
                secret.clone().and(ck::CKA_VALUE_LEN, 1_u64),
            ] {
                let made = session.derive(&how, base, &template).unwrap();
                let made = session.get(made, ck::CKA_VALUE).unwrap();
                assert!(hex(VALUE).starts_with(&made));
            }
            let longer = secret.clone().and(ck::CKA_VALUE_LEN, 33_u64);
            session.derive(&how, base, &longer).refused(ck::CKR_KEY_SIZE_RANGE);
            session.derive(&how, base, &sized(16)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        }
    });
}

#[test]
fn long_keys_say_their_length_and_short_ones_are_the_front_of_their_base() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (base, agreed) = (open_key(&session, KEY), open_key(&session, &DATA[..5]));
        for params in [extended(Some(agreed), &DATA[5..]), extended(None, DATA)] {
            let how = with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &params);
            for length in [1, 4, 32] {
                // Not the front of the base: there is something to mix in.
                let made = session.derive(&how, base, &sized(length)).unwrap();
                session.has(made, ck::CKA_VALUE, &hex(VALUE)[..usize::try_from(length).unwrap()]);
                assert_eq!(session.number(made, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET);
            }
            session.derive(&how, base, &open()).refused(ck::CKR_TEMPLATE_INCOMPLETE);
            session.derive(&how, base, &sized(8160)).unwrap();
            session.derive(&how, base, &sized(8161)).refused(ck::CKR_KEY_SIZE_RANGE);
        }
        let nothing = extended(None, &[]);
        let how = with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &nothing);
        let made = session.derive(&how, base, &sized(3)).unwrap();
        session.has(made, ck::CKA_VALUE, &KEY[..3]);
        // Another is longer than its base, and begins with the function of a zero.
        let value: Vec<u8> = (0..32).collect();
        let base = open_key(&session, &value);
        let made = session.derive(&how, base, &sized(33)).unwrap();
        // As Python's `hmac` computes it.
        let front = hex("e711546e3faad4c7c4aa756bc26cad6abea8241984a0f6b0839c70ca61c4ef88d7");
        session.has(made, ck::CKA_VALUE, &front);
    });
}

#[test]
fn ikev2_expands_a_key_by_a_seed_of_data_and_of_a_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (base, info, okm) = (open_key(&session, &hex(PRK)), hex(INFO), hex(OKM));
        let front = open_key(&session, &info[..4]);
        // A seed may come of a key of any type.
        let whole = make(&session, ck::CKK_HKDF, &info, true);
        for params in [plus(None, &info), plus(Some(front), &info[4..]), plus(Some(whole), &[])] {
            let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &params);
            let made = session.derive(&how, base, &sized(len(okm.len()))).unwrap();
            session.has(made, ck::CKA_VALUE, &okm);
            assert_eq!(session.number(made, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET);
            let aes = sized(16).and(ck::CKA_KEY_TYPE, ck::CKK_AES);
            let made = session.derive(&how, base, &aes).unwrap();
            session.has(made, ck::CKA_VALUE, &okm[..16]);
            session.derive(&how, base, &open()).refused(ck::CKR_TEMPLATE_INCOMPLETE);
            session.derive(&how, base, &sized(0)).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            session.derive(&how, base, &sized(8160)).unwrap();
            for length in [8161, 1 << 40, u64::MAX] {
                session.derive(&how, base, &sized(length)).refused(ck::CKR_KEY_SIZE_RANGE);
            }
        }
        // The keys that a protocol takes out of it.
        let params = plus(None, &info);
        let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &params);
        let all = session.derive(&how, base, &sized(42).and(ck::CKA_DERIVE, true)).unwrap();
        let bit = 8 * 20_u64;
        let taken =
            session.derive(&with_struct(ck::CKM_EXTRACT_KEY_FROM_KEY, &bit), all, &sized(16));
        session.has(taken.unwrap(), ck::CKA_VALUE, &okm[20..36]);
    });
}

/// Every way in which one key of two or three can be closed.
#[test]
fn what_is_derived_is_as_closed_as_all_that_it_comes_of() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = |open| make(&session, ck::CKK_GENERIC_SECRET, &[7; 32], open);
        let (shut, free) = (key(false), key(true));
        let asked = open().and(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        let asked = asked.and(ck::CKA_VALUE_LEN, 32_u64);
        let both = [free, shut];
        for base in both {
            for second in both {
                let again = ck::CK_IKE_PRF_DERIVE_PARAMS {
                    bRekey: 1,
                    hNewKey: second,
                    ..first(b"initiator", b"responder")
                };
                let (one, other) = (ike1(second, None, DATA), ike1(free, Some(second), DATA));
                let (long, wide) = (extended(Some(second), DATA), plus(Some(second), DATA));
                for how in [
                    with_struct(ck::CKM_IKE_PRF_DERIVE, &again),
                    with_struct(ck::CKM_IKE1_PRF_DERIVE, &one),
                    with_struct(ck::CKM_IKE1_PRF_DERIVE, &other),
                    with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long),
                    with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &wide),
                ] {
                    let made = session.derive(&how, base, &asked).unwrap();
                    let is_open = base == free && second == free;
                    assert_eq!(session.flag(made, ck::CKA_SENSITIVE), !is_open);
                    assert_eq!(session.flag(made, ck::CKA_EXTRACTABLE), is_open);
                    assert!(!session.flag(made, ck::CKA_ALWAYS_SENSITIVE), "it was imported");
                    assert!(!session.flag(made, ck::CKA_LOCAL));
                    if !is_open {
                        session.get(made, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
                    }
                }
            }
        }
        // The front of a closed base as much as what a function gives.
        let nothing = extended(None, &[]);
        let how = with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &nothing);
        let made = session.derive(&how, shut, &asked).unwrap();
        session.get(made, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        let made = template! {
            CKA_DERIVE => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false,
            CKA_VALUE_LEN => 32_u64,
        };
        let always = session.generate(&plain(ck::CKM_GENERIC_SECRET_KEY_GEN), &made).unwrap();
        for (second, history) in [(always, true), (free, false), (shut, false)] {
            let params = plus(Some(second), DATA);
            let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &params);
            let key = session.derive(&how, always, &asked).unwrap();
            assert_eq!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE), history);
            assert_eq!(session.flag(key, ck::CKA_NEVER_EXTRACTABLE), history);
        }
    });
}

/// Keys that grow by a byte could be guessed one after the other.
#[test]
fn no_short_key_comes_of_a_closed_one() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = |open| make(&session, ck::CKK_GENERIC_SECRET, &[7; 32], open);
        let (shut, free) = (key(false), key(true));
        let (nothing, seed, agreed) =
            (extended(None, &[]), plus(None, DATA), extended(Some(shut), &[]));
        let one = ike1(free, Some(shut), DATA);
        for (how, base) in [
            (with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &nothing), shut),
            (with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &agreed), free),
            (with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &seed), shut),
            (with_struct(ck::CKM_IKE1_PRF_DERIVE, &one), free),
        ] {
            let of = |length: u64| {
                template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => length }
            };
            session.derive(&how, base, &of(13)).refused(ck::CKR_TEMPLATE_INCONSISTENT);
            session.derive(&how, base, &of(14)).unwrap();
        }
    });
}

#[test]
fn keys_that_a_parameter_names_are_used_as_others_are() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (base, free) = (open_key(&session, &[1; 32]), open_key(&session, &[2; 32]));
        let asked = template! {
            CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 32_u64,
        };
        let refused_with = |second: Handle, rv| {
            let again =
                ck::CK_IKE_PRF_DERIVE_PARAMS { bRekey: 1, hNewKey: second, ..first(DATA, DATA) };
            let (one, other) = (ike1(second, None, DATA), ike1(free, Some(second), DATA));
            let (long, wide) = (extended(Some(second), DATA), plus(Some(second), DATA));
            let before = session.count(&template! {});
            for how in [
                with_struct(ck::CKM_IKE_PRF_DERIVE, &again),
                with_struct(ck::CKM_IKE1_PRF_DERIVE, &one),
                with_struct(ck::CKM_IKE1_PRF_DERIVE, &other),
                with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long),
                with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &wide),
            ] {
                session.derive(&how, base, &asked).refused(rv);
            }
            assert_eq!(session.count(&template! {}), before);
        };
        refused_with(0, ck::CKR_KEY_HANDLE_INVALID);
        refused_with(4711, ck::CKR_KEY_HANDLE_INVALID);
        let (_, private) = crate::ecdsa::generate(&session, crate::support::known::P256);
        refused_with(private, ck::CKR_KEY_TYPE_INCONSISTENT);
        let shut = make(&session, ck::CKK_GENERIC_SECRET, &[2; 32], false);
        session.set(shut, &template! { CKA_DERIVE => false }).unwrap();
        refused_with(shut, ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let listed = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
            CKA_DERIVE => true,
            CKA_ALLOWED_MECHANISMS => &ck::CKM_SHA256_HMAC.to_ne_bytes(),
        };
        let listed = session.create(&listed.and(ck::CKA_VALUE, &[3; 16])).unwrap();
        refused_with(listed, ck::CKR_MECHANISM_INVALID);
        // Handles beside flags that are not set are not looked at.
        for how in [
            with_struct(
                ck::CKM_IKE_PRF_DERIVE,
                &ck::CK_IKE_PRF_DERIVE_PARAMS { hNewKey: 4711, ..first(DATA, DATA) },
            ),
            with_struct(
                ck::CKM_IKE1_PRF_DERIVE,
                &ck::CK_IKE1_PRF_DERIVE_PARAMS { hPrevKey: 4711, ..ike1(free, None, DATA) },
            ),
            with_struct(
                ck::CKM_IKE2_PRF_PLUS_DERIVE,
                &ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS { hSeedKey: 4711, ..plus(None, DATA) },
            ),
        ] {
            session.derive(&how, base, &asked).unwrap();
        }
    });
}

#[test]
fn a_private_key_is_not_there_for_who_is_not_logged_in() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let make = |value: u8, private: bool| {
            let key = template! {
                CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
                CKA_DERIVE => true, CKA_SENSITIVE => private, CKA_EXTRACTABLE => !private,
                CKA_TOKEN => private, CKA_PRIVATE => private,
            };
            session.create(&key.and(ck::CKA_VALUE, &[value; 32])).unwrap()
        };
        let (base, hidden, shown) = (make(1, false), make(2, true), make(3, false));
        let derive = |second| {
            let params = plus(Some(second), DATA);
            let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &params);
            session.derive(&how, base, &sized(32).and(ck::CKA_PRIVATE, false))
        };
        derive(hidden).unwrap();
        session.logout().unwrap();
        derive(hidden).refused(ck::CKR_KEY_HANDLE_INVALID);
        derive(shown).unwrap();
    });
}

#[test]
fn every_key_counts_the_use() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let uses_left = ck::CKA_VENDOR_DEFINED | 0x434C_0011;
        let limited = |uses: u64| {
            let asked = template! {
                CKA_TOKEN => true, CKA_DERIVE => true, CKA_VALUE_LEN => 32_u64,
            };
            let how = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
            session.generate(&how, &asked.and(uses_left, uses)).unwrap()
        };
        let (base, agreed, previous) = (limited(5), limited(4), limited(1));
        let params = ike1(agreed, Some(previous), DATA);
        let how = with_struct(ck::CKM_IKE1_PRF_DERIVE, &params);
        let asked = template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET };
        session.derive(&how, base, &asked).unwrap();
        let left = [base, agreed, previous].map(|key| session.number(key, uses_left));
        assert_eq!(left, [4, 3, 0]);
        session.derive(&how, base, &asked).refused(ck::CKR_KEY_EXHAUSTED);
    });
}

#[test]
fn bases_have_the_type_of_the_function_and_agreed_secrets_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = |key_type| make(&session, key_type, &[7; 16], true);
        let generic = key(ck::CKK_GENERIC_SECRET);
        let (aes, sha256, sha1) =
            (key(ck::CKK_AES), key(ck::CKK_SHA256_HMAC), key(ck::CKK_SHA_1_HMAC));
        let hkdf = key(ck::CKK_HKDF);
        let asked = template! {
            CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 16_u64,
        };
        for (prf, right, wrong) in [
            (ck::CKM_SHA256_HMAC, [generic, sha256], [aes, sha1, hkdf]),
            (ck::CKM_SHA_1_HMAC, [generic, sha1], [aes, sha256, hkdf]),
            (ck::CKM_AES_XCBC_MAC, [generic, aes], [sha256, sha1, hkdf]),
            (ck::CKM_AES_CMAC, [generic, aes], [sha256, sha1, hkdf]),
        ] {
            let psk = ck::CK_IKE_PRF_DERIVE_PARAMS { prfMechanism: prf, ..first(DATA, DATA) };
            let one =
                ck::CK_IKE1_PRF_DERIVE_PARAMS { prfMechanism: prf, ..ike1(generic, None, DATA) };
            let long =
                ck::CK_IKE1_EXTENDED_DERIVE_PARAMS { prfMechanism: prf, ..extended(None, DATA) };
            let wide = ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS { prfMechanism: prf, ..plus(None, DATA) };
            for (how, asked) in [
                (
                    with_struct(ck::CKM_IKE_PRF_DERIVE, &psk),
                    asked.clone().without(ck::CKA_VALUE_LEN),
                ),
                (with_struct(ck::CKM_IKE1_PRF_DERIVE, &one), asked.clone()),
                (with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long), asked.clone()),
                (with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &wide), asked.clone()),
            ] {
                for base in right {
                    session.derive(&how, base, &asked).unwrap();
                }
                for base in wrong {
                    session.derive(&how, base, &asked).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
                }
            }
        }
        let as_key = ck::CK_IKE_PRF_DERIVE_PARAMS { bDataAsKey: 1, ..first(DATA, DATA) };
        let how = with_struct(ck::CKM_IKE_PRF_DERIVE, &as_key);
        session.derive(&how, sha256, &template! {}).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        for other in [sha256, aes, hkdf] {
            let again =
                ck::CK_IKE_PRF_DERIVE_PARAMS { bRekey: 1, hNewKey: other, ..first(DATA, DATA) };
            let (one, long) = (ike1(other, None, DATA), extended(Some(other), DATA));
            for (how, asked) in [
                (
                    with_struct(ck::CKM_IKE_PRF_DERIVE, &again),
                    asked.clone().without(ck::CKA_VALUE_LEN),
                ),
                (with_struct(ck::CKM_IKE1_PRF_DERIVE, &one), asked.clone()),
                (with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long), asked.clone()),
            ] {
                session.derive(&how, generic, &asked).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
            }
        }
    });
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = open_key(&session, &[7; 32]);
        let asked = template! {
            CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 32_u64,
        };
        let invalid = ck::CKR_MECHANISM_PARAM_INVALID;
        let (good, one) = (first(DATA, DATA), ike1(base, None, DATA));
        let (long, wide) = (extended(None, DATA), plus(None, DATA));
        for (wrong, rv) in [
            // The flags first, whatever the handle is.
            (
                ck::CK_IKE_PRF_DERIVE_PARAMS { bDataAsKey: 1, bRekey: 1, ..good },
                ck::CKR_ARGUMENTS_BAD,
            ),
            (
                ck::CK_IKE_PRF_DERIVE_PARAMS { bDataAsKey: 1, bRekey: 1, hNewKey: base, ..good },
                ck::CKR_ARGUMENTS_BAD,
            ),
            (ck::CK_IKE_PRF_DERIVE_PARAMS { prfMechanism: ck::CKM_SHA256, ..good }, invalid),
            (ck::CK_IKE_PRF_DERIVE_PARAMS { prfMechanism: ck::CK_ULONG::MAX, ..good }, invalid),
            (ck::CK_IKE_PRF_DERIVE_PARAMS { pNi: null_mut(), ..good }, invalid),
            (ck::CK_IKE_PRF_DERIVE_PARAMS { pNr: null_mut(), ..good }, invalid),
            (ck::CK_IKE_PRF_DERIVE_PARAMS { ulNrLen: ck::CK_ULONG::MAX, ..good }, invalid),
            (
                ck::CK_IKE_PRF_DERIVE_PARAMS { bDataAsKey: 1, ulNiLen: 0, ulNrLen: 0, ..good },
                invalid,
            ),
        ] {
            let how = with_struct(ck::CKM_IKE_PRF_DERIVE, &wrong);
            session.derive(&how, base, &asked).refused(rv);
        }
        let no_seed = ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS { ulSeedDataLen: 0, ..wide };
        let how = with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &no_seed);
        session.derive(&how, base, &asked).refused(ck::CKR_ARGUMENTS_BAD);
        let one_null = ck::CK_IKE1_PRF_DERIVE_PARAMS { pCKYr: null_mut(), ..one };
        let long_null = ck::CK_IKE1_EXTENDED_DERIVE_PARAMS { pExtraData: null_mut(), ..long };
        let wide_null = ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS { pSeedData: null_mut(), ..wide };
        let one_prf = ck::CK_IKE1_PRF_DERIVE_PARAMS { prfMechanism: ck::CKM_AES_CBC, ..one };
        let long_prf = ck::CK_IKE1_EXTENDED_DERIVE_PARAMS { prfMechanism: 0, ..long };
        let wide_prf = ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS { prfMechanism: ck::CKM_SHA256, ..wide };
        for how in [
            with_struct(ck::CKM_IKE1_PRF_DERIVE, &one_null),
            with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long_null),
            with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &wide_null),
            with_struct(ck::CKM_IKE1_PRF_DERIVE, &one_prf),
            with_struct(ck::CKM_IKE1_EXTENDED_DERIVE, &long_prf),
            with_struct(ck::CKM_IKE2_PRF_PLUS_DERIVE, &wide_prf),
        ] {
            session.derive(&how, base, &asked).refused(invalid);
        }
        for number in [
            ck::CKM_IKE_PRF_DERIVE,
            ck::CKM_IKE1_PRF_DERIVE,
            ck::CKM_IKE1_EXTENDED_DERIVE,
            ck::CKM_IKE2_PRF_PLUS_DERIVE,
        ] {
            session.derive(&plain(number), base, &asked).refused(invalid);
            session.derive(&with_bytes(number, &[0; 8]), base, &asked).refused(invalid);
        }
    });
}
