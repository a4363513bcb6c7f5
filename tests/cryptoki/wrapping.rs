//! Keys that leave and come back wrapped. PKCS#11 3.2, C_WrapKey, C_UnwrapKey.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{Mechanism, input, lend_room, plain, with_bytes};
use crate::support::{Refused, Session, Template, call, isolated, template};

const IV: [u8; 16] = *b"sixteen bytes iv";

/// An AES key of the session that may wrap and unwrap, and encrypt, so that a test can look.
pub fn wrapping_key(session: &Session<'_>, value: &[u8]) -> ck::CK_OBJECT_HANDLE {
    session.create(&known::aes(value)).expect("a wrapping key")
}

/// A secret key that may leave, and may be looked at.
pub fn open_secret(key_type: ck::CK_KEY_TYPE, value: &[u8]) -> Template {
    open(known::secret(key_type, value))
}

pub fn open(key: Template) -> Template {
    key.with(template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true })
}

/// What an unwrapped key is asked to be.
pub fn asked(class: ck::CK_OBJECT_CLASS, key_type: ck::CK_KEY_TYPE) -> Template {
    open(template! { CKA_CLASS => class, CKA_KEY_TYPE => key_type })
}

/// The mechanisms of AES that need no other parameter than an IV.
fn mechanisms() -> Vec<Mechanism<'static>> {
    let with_iv = |mechanism| with_bytes(mechanism, &IV);
    [ck::CKM_AES_KEY_WRAP, ck::CKM_AES_KEY_WRAP_KWP, ck::CKM_AES_KEY_WRAP_PAD]
        .into_iter()
        .chain([ck::CKM_AES_KEY_WRAP_PKCS7, ck::CKM_AES_ECB])
        .map(plain)
        .chain([ck::CKM_AES_CBC, ck::CKM_AES_CBC_PAD].map(with_iv))
        .collect()
}

/// RFC 3394, 4.1 and 4.6; RFC 5649, 6: key, what is wrapped, wrapped.
const EXAMPLES: [(ck::CK_MECHANISM_TYPE, &str, &str, &str); 4] = [
    (
        ck::CKM_AES_KEY_WRAP,
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    ),
    (
        ck::CKM_AES_KEY_WRAP,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    ),
    (
        ck::CKM_AES_KEY_WRAP_KWP,
        "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
        "c37b7e6492584340bed12207808941155068f738",
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
    ),
    (
        ck::CKM_AES_KEY_WRAP_PAD,
        "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
        "466f7250617369",
        "afbeb0f07dfbf5419200f2ccb50bb24f",
    ),
];

#[test]
fn the_examples_of_the_rfcs() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (mechanism, key, value, wrapped) in EXAMPLES {
            let (by, how) = (wrapping_key(&session, &hex(key)), plain(mechanism));
            let key = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &hex(value))).unwrap();
            assert_eq!(session.wrap(&how, by, key).unwrap(), hex(wrapped));
            let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET);
            let back = session.unwrap_key(&how, by, &hex(wrapped), &asked).unwrap();
            session.has(back, ck::CKA_VALUE, &hex(value));
            // The same mechanisms encrypt and decrypt.
            assert_eq!(session.encrypt(&how, by, &hex(value)).unwrap(), hex(wrapped));
            assert_eq!(session.decrypt(&how, by, &hex(wrapped)).unwrap(), hex(value));
        }
    });
}

#[test]
fn secret_keys_come_back_as_they_were() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for how in mechanisms() {
            for (key_type, bytes) in
                [(ck::CKK_AES, 16), (ck::CKK_AES, 32), (ck::CKK_GENERIC_SECRET, 64)]
            {
                let value: Vec<u8> = (1..=bytes).collect();
                let key = session.create(&open_secret(key_type, &value)).unwrap();
                let wrapped = session.wrap(&how, by, key).unwrap();
                let back =
                    session.unwrap_key(&how, by, &wrapped, &asked(ck::CKO_SECRET_KEY, key_type));
                let back = back.unwrap_or_else(|rv| panic!("{:#x}: {rv}", how.c.mechanism));
                session.has(back, ck::CKA_VALUE, &value);
                assert_eq!(
                    session.get(back, ck::CKA_VALUE_LEN),
                    session.get(key, ck::CKA_VALUE_LEN)
                );
            }
        }
    });
}

#[test]
fn private_keys_come_back_and_work() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        let keys = [
            (known::rsa_private(), ck::CKK_RSA, ck::CKM_SHA256_RSA_PKCS),
            (known::p256_private(), ck::CKK_EC, ck::CKM_ECDSA_SHA256),
            (known::ed25519_private(), ck::CKK_EC_EDWARDS, ck::CKM_EDDSA),
        ];
        let publics = [known::rsa_public(), known::p256_public(), known::ed25519_public()];
        for ((template, key_type, signing), public) in keys.into_iter().zip(publics) {
            let key = session.create(&open(template)).unwrap();
            let public = session.create(&public).unwrap();
            for how in [
                plain(ck::CKM_AES_KEY_WRAP_KWP),
                plain(ck::CKM_AES_KEY_WRAP_PKCS7),
                with_bytes(ck::CKM_AES_CBC_PAD, &IV),
            ] {
                let wrapped = session.wrap(&how, by, key).unwrap();
                let asked = asked(ck::CKO_PRIVATE_KEY, key_type);
                let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
                let signature = session.sign(&plain(signing), back, b"a message").unwrap();
                session.verify(&plain(signing), public, b"a message", &signature).unwrap();
                for same in [ck::CKA_PUBLIC_KEY_INFO, ck::CKA_KEY_TYPE] {
                    assert_eq!(session.get(back, same), session.get(key, same));
                }
            }
        }
    });
}

#[test]
fn what_leaves_is_pkcs8_that_openssl_reads() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let by = wrapping_key(&session, &[7; 32]);
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        for template in [known::rsa_private(), known::p256_private(), known::ed25519_private()] {
            let key = session.create(&open(template)).unwrap();
            let wrapped = session.wrap(&how, by, key).unwrap();
            let pkcs8 = session.decrypt(&how, by, &wrapped).unwrap();
            openssl.file("key.der", &pkcs8);
            let public = openssl.must("pkey -in key.der -inform DER -pubout -outform DER");
            session.has(key, ck::CKA_PUBLIC_KEY_INFO, &public[..]);
        }
        for (mechanism, curve) in [
            (ck::CKM_EC_KEY_PAIR_GEN, &b"\x13\x09secp256k1"[..]),
            (ck::CKM_EC_KEY_PAIR_GEN, b"\x13\x0fbrainpoolP512r1"),
            (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, b"\x13\x0aedwards448"),
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, b"\x13\x0acurve25519"),
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, b"\x13\x08curve448"),
        ] {
            let public = template! { CKA_EC_PARAMS => curve };
            let private = template! { CKA_EXTRACTABLE => true };
            let (_, key) = session.generate_pair(&plain(mechanism), &public, &private).unwrap();
            let wrapped = session.wrap(&how, by, key).unwrap();
            let pkcs8 = session.decrypt(&how, by, &wrapped).unwrap();
            openssl.file("key.der", &pkcs8);
            let public = openssl.must("pkey -in key.der -inform DER -pubout -outform DER");
            session.has(key, ck::CKA_PUBLIC_KEY_INFO, &public[..]);
        }
    });
}

#[test]
fn what_openssl_writes_is_taken() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let by = wrapping_key(&session, &[7; 32]);
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        for (make, key_type) in [
            ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", ck::CKK_RSA),
            ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", ck::CKK_EC),
            ("-algorithm EC -pkeyopt ec_paramgen_curve:P-521", ck::CKK_EC),
            ("-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP384r1", ck::CKK_EC),
            ("-algorithm ED25519", ck::CKK_EC_EDWARDS),
            ("-algorithm ED448", ck::CKK_EC_EDWARDS),
            ("-algorithm X25519", ck::CKK_EC_MONTGOMERY),
            ("-algorithm X448", ck::CKK_EC_MONTGOMERY),
        ] {
            openssl.must(&format!("genpkey {make} -outform DER -out new.der"));
            let pkcs8 = openssl.must("pkcs8 -topk8 -nocrypt -in new.der -inform DER -outform DER");
            let public = openssl.must("pkey -in new.der -inform DER -pubout -outform DER");
            let wrapped = session.encrypt(&how, by, &pkcs8).unwrap();
            let asked = asked(ck::CKO_PRIVATE_KEY, key_type);
            let key = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
            session.has(key, ck::CKA_PUBLIC_KEY_INFO, &public[..]);
            // The wrong type for the same bytes.
            let other = if key_type == ck::CKK_RSA { ck::CKK_EC } else { ck::CKK_RSA };
            let refused =
                session.unwrap_key(&how, by, &wrapped, &self::asked(ck::CKO_PRIVATE_KEY, other));
            refused.refused(ck::CKR_WRAPPED_KEY_INVALID);
            // And with a bit of it changed, in the clear.
            for at in [0, 1, 4, 8, 12, 20, pkcs8.len() / 2] {
                let mut changed = pkcs8.clone();
                changed[at] ^= 0x10;
                let wrapped = session.encrypt(&how, by, &changed).unwrap();
                let key = session.unwrap_key(&how, by, &wrapped, &asked);
                if let Ok(key) = key {
                    // A scalar or a seed is as good as another; nothing else is.
                    assert_ne!(key_type, ck::CKK_RSA, "{at}");
                    assert_ne!(session.get(key, ck::CKA_PUBLIC_KEY_INFO).unwrap(), public);
                } else {
                    key.refused(ck::CKR_WRAPPED_KEY_INVALID);
                }
            }
        }
    });
}

#[test]
fn lengths_are_told_exactly_and_short_rooms_are_left_alone() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (s, by) = (session.handle, wrapping_key(&session, &[7; 16]));
        let secret = session.create(&open_secret(ck::CKK_AES, &[9; 24])).unwrap();
        for how in mechanisms() {
            let (mut c, mut told) = (how.c, 0);
            call!(session, C_WrapKey(s, &raw mut c, by, secret, null_mut(), &raw mut told))
                .is(ck::CKR_OK);
            let exact = usize::try_from(told).unwrap();
            for room in [0, 1, exact - 1] {
                let (rv, needed, bytes) = lend_room(room, |out, out_len| {
                    call!(session, C_WrapKey(s, &raw mut c, by, secret, out, out_len))
                });
                rv.is(ck::CKR_BUFFER_TOO_SMALL);
                assert_eq!(needed, exact);
                assert!(bytes.iter().all(|byte| *byte == 0xC7), "a short room was written to");
            }
            let (rv, written, _) = lend_room(exact + 5, |out, out_len| {
                call!(session, C_WrapKey(s, &raw mut c, by, secret, out, out_len))
            });
            rv.is(ck::CKR_OK);
            assert_eq!(written, exact, "{:#x}", c.mechanism);
        }
    });
}

#[test]
fn keys_that_a_mechanism_cannot_wrap_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let odd = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[9; 20])).unwrap();
        let short = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[9; 8])).unwrap();
        for key in [odd, short] {
            session.wrap(&plain(ck::CKM_AES_KEY_WRAP), by, key).refused(ck::CKR_KEY_SIZE_RANGE);
        }
        let private = session.create(&open(known::rsa_private())).unwrap();
        for how in [plain(ck::CKM_AES_ECB), with_bytes(ck::CKM_AES_CBC, &IV)] {
            session.wrap(&how, by, private).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        }
        let public = session.create(&known::rsa_public()).unwrap();
        let kwp = plain(ck::CKM_AES_KEY_WRAP_KWP);
        session.wrap(&kwp, by, public).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        session.wrap(&kwp, by, 0).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.wrap(&kwp, 0, private).refused(ck::CKR_WRAPPING_KEY_HANDLE_INVALID);
        session.wrap(&kwp, private, odd).refused(ck::CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
        session.wrap(&plain(ck::CKM_SHA256), by, odd).refused(ck::CKR_MECHANISM_INVALID);
        let with_iv = with_bytes(ck::CKM_AES_KEY_WRAP, &IV);
        session.wrap(&with_iv, by, odd).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn a_wrapped_key_that_was_changed_is_one_refusal() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let before = session.count(&template! {});
        for mechanism in
            [ck::CKM_AES_KEY_WRAP, ck::CKM_AES_KEY_WRAP_KWP, ck::CKM_AES_KEY_WRAP_PKCS7]
        {
            let how = plain(mechanism);
            let wrapped = session.wrap(&how, by, key).unwrap();
            for at in 0..wrapped.len() {
                let mut changed = wrapped.clone();
                changed[at] ^= 1;
                let back = session.unwrap_key(&how, by, &changed, &asked);
                back.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
            for length in [0, 1, 8, wrapped.len() - 1] {
                let back = session.unwrap_key(&how, by, &wrapped[..length], &asked);
                back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            let shorter = session.unwrap_key(&how, by, &wrapped[..wrapped.len() - 8], &asked);
            shorter.refused(ck::CKR_WRAPPED_KEY_INVALID);
        }
        assert_eq!(session.count(&template! {}), before, "a refused key was made");
    });
}

#[test]
fn the_length_of_a_padded_key_comes_from_the_template() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let key = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[9; 20])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET);
        let of_length = |length: u64| asked.clone().and(ck::CKA_VALUE_LEN, length);
        for how in [plain(ck::CKM_AES_ECB), with_bytes(ck::CKM_AES_CBC, &IV)] {
            let wrapped = session.wrap(&how, by, key).unwrap();
            assert_eq!(wrapped.len(), 32);
            let whole = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
            session.has(whole, ck::CKA_VALUE, &[&[9_u8; 20][..], &[0; 12]].concat()[..]);
            let back = session.unwrap_key(&how, by, &wrapped, &of_length(20)).unwrap();
            session.has(back, ck::CKA_VALUE, &[9; 20]);
            for length in [0, 1, 16, 33, u64::MAX] {
                let back = session.unwrap_key(&how, by, &wrapped, &of_length(length));
                back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            // Cut to a byte it could be guessed, and then the next one.
            let one = session.create(&open_secret(ck::CKK_AES, &[9; 16])).unwrap();
            let wrapped = session.wrap(&how, by, one).unwrap();
            for length in [1, 2, 13] {
                let back = session.unwrap_key(&how, by, &wrapped, &of_length(length));
                back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
        }
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        let wrapped = session.wrap(&how, by, key).unwrap();
        session.unwrap_key(&how, by, &wrapped, &of_length(20)).unwrap();
        let back = session.unwrap_key(&how, by, &wrapped, &of_length(16));
        back.refused(ck::CKR_WRAPPED_KEY_INVALID);
    });
}

#[test]
fn unwrapping_says_what_is_wrong_with_its_arguments() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 16])).unwrap();
        let wrapped = session.wrap(&how, by, key).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let unwrap = |by, template: &Template| session.unwrap_key(&how, by, &wrapped, template);
        unwrap(0, &asked).refused(ck::CKR_UNWRAPPING_KEY_HANDLE_INVALID);
        let private = session.create(&known::rsa_private()).unwrap();
        unwrap(private, &asked).refused(ck::CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
        session.set(by, &template! { CKA_UNWRAP => false }).unwrap();
        unwrap(by, &asked).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        unwrap(private, &asked).refused(ck::CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
        session.set(by, &template! { CKA_UNWRAP => true }).unwrap();
        unwrap(by, &asked.clone().without(ck::CKA_KEY_TYPE)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        unwrap(by, &asked.clone().without(ck::CKA_CLASS)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        unwrap(by, &asked.clone().and(ck::CKA_VALUE, &[1; 16]))
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        unwrap(by, &asked.clone().and(ck::CKA_LOCAL, true)).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let public = asked.clone().without(ck::CKA_CLASS).and(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY);
        unwrap(by, &public.without(ck::CKA_KEY_TYPE).and(ck::CKA_KEY_TYPE, ck::CKK_RSA))
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let (mut c, (from, from_len), s) = (how.c, input(&wrapped), session.handle);
        let no_place = asked.lend(|rows, count| {
            call!(session, C_UnwrapKey(s, &raw mut c, by, from, from_len, rows, count, null_mut()))
        });
        no_place.is(ck::CKR_ARGUMENTS_BAD);
        let made = unwrap(by, &asked.and(ck::CKA_LABEL, "back")).unwrap();
        session.has(made, ck::CKA_LABEL, "back");
    });
}

#[test]
fn an_unwrapped_key_has_no_history() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let how = plain(ck::CKM_AES_KEY_WRAP);
        let new =
            template! { CKA_VALUE_LEN => 32_u64, CKA_EXTRACTABLE => true, CKA_SENSITIVE => true };
        let key = session.generate(&plain(ck::CKM_AES_KEY_GEN), &new).unwrap();
        assert!(session.flag(key, ck::CKA_ALWAYS_SENSITIVE) && session.flag(key, ck::CKA_LOCAL));
        let wrapped = session.wrap(&how, by, key).unwrap();
        let asked = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES, CKA_SENSITIVE => true,
            CKA_EXTRACTABLE => false,
        };
        let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
        for flag in [ck::CKA_LOCAL, ck::CKA_ALWAYS_SENSITIVE, ck::CKA_NEVER_EXTRACTABLE] {
            assert!(!session.flag(back, flag), "{flag:#x}");
        }
        session.has(back, ck::CKA_KEY_GEN_MECHANISM, ck::CK_UNAVAILABLE_INFORMATION);
        assert_eq!(session.get(back, ck::CKA_CHECK_VALUE), session.get(key, ck::CKA_CHECK_VALUE));
    });
}
