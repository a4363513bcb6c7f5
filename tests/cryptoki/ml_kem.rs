//! ML-KEM. PKCS#11 3.2, "C_EncapsulateKey", "C_DecapsulateKey", "ML-KEM".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::module::call;
use crate::support::operations::{plain, with_bytes};
use crate::support::template::len;
use crate::support::{Session, Template, isolated, template};

/// Parameter sets: number, bytes of the ciphertext.
const SETS: [(ck::CK_ULONG, usize); 3] =
    [(ck::CKP_ML_KEM_512, 768), (ck::CKP_ML_KEM_768, 1088), (ck::CKP_ML_KEM_1024, 1568)];

fn generate(session: &Session<'_>, set: ck::CK_ULONG) -> (u64, u64) {
    generate_with(session, set, template! {}, template! {})
}

fn generate_with(
    session: &Session<'_>,
    set: ck::CK_ULONG,
    public: Template,
    private: Template,
) -> (u64, u64) {
    let public = template! { CKA_PARAMETER_SET => set, CKA_TOKEN => true }.with(public);
    let private = template! { CKA_TOKEN => true }.with(private);
    let how = plain(ck::CKM_ML_KEM_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).expect("C_GenerateKeyPair")
}

/// A generic secret for the session that may be read.
fn readable() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    }
}

const HOW: ck::CK_MECHANISM_TYPE = ck::CKM_ML_KEM;

#[test]
fn both_sides_have_the_same_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(HOW);
        for (set, ciphertext_len) in SETS {
            let (public, private) = generate(&session, set);
            let (ciphertext, made) = session.encapsulate(&how, public, &readable()).unwrap();
            assert_eq!(ciphertext.len(), ciphertext_len);
            let found = session.decapsulate(&how, private, &readable(), &ciphertext).unwrap();
            let secret = session.get(made, ck::CKA_VALUE).unwrap();
            assert_eq!(secret.len(), 32);
            session.has(found, ck::CKA_VALUE, &secret);
            let (other, another) = session.encapsulate(&how, public, &readable()).unwrap();
            assert_ne!(other, ciphertext);
            assert_ne!(session.get(another, ck::CKA_VALUE).unwrap(), secret);
            for key in [made, found] {
                session.has(key, ck::CKA_LOCAL, false);
                session.has(key, ck::CKA_ALWAYS_SENSITIVE, false);
                session.has(key, ck::CKA_NEVER_EXTRACTABLE, false);
                session.has(key, ck::CKA_KEY_GEN_MECHANISM, ck::CK_UNAVAILABLE_INFORMATION);
                session.has(key, ck::CKA_VALUE_LEN, 32_u64);
            }
        }
    });
}

#[test]
fn the_secret_becomes_an_aes_key_that_nobody_can_read() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_KEM_768);
        // The class is the mechanism's to give.
        let aes = template! {
            CKA_KEY_TYPE => ck::CKK_AES, CKA_VALUE_LEN => 32_u64, CKA_SENSITIVE => true,
            CKA_EXTRACTABLE => false, CKA_TOKEN => true,
        };
        let how = plain(HOW);
        let (ciphertext, made) = session.encapsulate(&how, public, &aes).unwrap();
        let found = session.decapsulate(&how, private, &aes, &ciphertext).unwrap();
        session.get(found, ck::CKA_VALUE).unwrap_err().is(ck::CKR_ATTRIBUTE_SENSITIVE);
        let ecb = plain(ck::CKM_AES_ECB);
        let sealed = session.encrypt(&ecb, made, &[7; 16]).unwrap();
        assert_eq!(session.decrypt(&ecb, found, &sealed).unwrap(), [7; 16]);
    });
}

#[test]
fn a_modified_ciphertext_gives_another_secret_and_one_of_another_length_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_KEM_768);
        let how = plain(HOW);
        let (ciphertext, made) = session.encapsulate(&how, public, &readable()).unwrap();
        let secret = session.get(made, ck::CKA_VALUE).unwrap();
        for place in [0, ciphertext.len() - 1] {
            let mut changed = ciphertext.clone();
            changed[place] ^= 1;
            let first = session.decapsulate(&how, private, &readable(), &changed).unwrap();
            let again = session.decapsulate(&how, private, &readable(), &changed).unwrap();
            let rejected = session.get(first, ck::CKA_VALUE).unwrap();
            assert_ne!(rejected, secret);
            session.has(again, ck::CKA_VALUE, &rejected);
        }
        for bad in [&ciphertext[1..], &[&ciphertext[..], &[0]].concat(), b""] {
            let refused = session.decapsulate(&how, private, &readable(), bad).unwrap_err();
            refused.is(ck::CKR_WRAPPED_KEY_LEN_RANGE);
        }
    });
}

#[test]
fn asking_for_the_length_makes_no_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, _) = generate(&session, ck::CKP_ML_KEM_768);
        let all = || session.find(&template! { CKA_CLASS => ck::CKO_SECRET_KEY }).unwrap().len();
        let before = all();
        let (mut how, mut length) = (plain(HOW).c, 7);
        readable()
            .lend(|rows, count| {
                let (s, m, l) = (session.handle, &raw mut how, &raw mut length);
                let none = null_mut();
                call!(session, C_EncapsulateKey(s, m, public, rows, count, none, l, null_mut()))
            })
            .is(ck::CKR_OK);
        assert_eq!(length, 1088);
        let (rv, needed, key) = session.encapsulate_into(&plain(HOW), public, &readable(), 1087);
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!((needed, key, all()), (1088, 0, before));
        let (rv, needed, _) = session.encapsulate_into(&plain(HOW), public, &readable(), 4000);
        rv.is(ck::CKR_OK);
        assert_eq!((needed, all()), (1088, before + 1));
    });
}

#[test]
fn what_is_not_allowed_or_not_there_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(HOW);
        let (public, private) = generate(&session, ck::CKP_ML_KEM_512);
        let (ciphertext, _) = session.encapsulate(&how, public, &readable()).unwrap();
        let never = generate_with(
            &session,
            ck::CKP_ML_KEM_512,
            template! { CKA_ENCAPSULATE => false },
            template! { CKA_DECAPSULATE => false },
        );
        let refused = session.encapsulate(&how, never.0, &readable()).unwrap_err();
        refused.is(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let refused = session.decapsulate(&how, never.1, &readable(), &ciphertext).unwrap_err();
        refused.is(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let iv = with_bytes(HOW, &[0; 8]);
        let refused = session.encapsulate(&iv, public, &readable()).unwrap_err();
        refused.is(ck::CKR_MECHANISM_PARAM_INVALID);
        let refused = session.encapsulate(&plain(ck::CKM_AES_ECB), public, &readable());
        refused.unwrap_err().is(ck::CKR_MECHANISM_INVALID);
        let refused = session.encapsulate(&how, 0xdead, &readable()).unwrap_err();
        refused.is(ck::CKR_KEY_HANDLE_INVALID);
        let (ec, _) = crate::ecdsa::generate(&session, crate::support::known::P256);
        let refused = session.encapsulate(&how, ec, &readable()).unwrap_err();
        refused.is(ck::CKR_KEY_TYPE_INCONSISTENT);
        for (template, expected) in [
            (readable().without(ck::CKA_KEY_TYPE), ck::CKR_TEMPLATE_INCOMPLETE),
            (readable().and(ck::CKA_VALUE_LEN, 16_u64), ck::CKR_TEMPLATE_INCONSISTENT),
            (readable().and(ck::CKA_VALUE, &[0; 32]), ck::CKR_ATTRIBUTE_READ_ONLY),
            (readable().and(ck::CKA_LOCAL, true), ck::CKR_ATTRIBUTE_READ_ONLY),
            (
                template! { CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_ML_DSA },
                ck::CKR_TEMPLATE_INCONSISTENT,
            ),
        ] {
            session.encapsulate(&how, public, &template).unwrap_err().is(expected);
            let refused = session.decapsulate(&how, private, &template, &ciphertext);
            refused.unwrap_err().is(expected);
        }
    });
}

#[test]
fn what_the_other_key_demands_of_a_new_key_holds() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let demanded = template! { CKA_EXTRACTABLE => false, CKA_LABEL => "of a KEM" };
        // The working draft of 3.3 gives the array bit to the numbers, 3.2 does not.
        for bit in [0, 0x4000_0000] {
            let (public, private) = generate_with(
                &session,
                ck::CKP_ML_KEM_768,
                template! {}.nesting(ck::CKA_ENCAPSULATE_TEMPLATE | bit, demanded.clone()),
                template! {}.nesting(ck::CKA_DECAPSULATE_TEMPLATE | bit, demanded.clone()),
            );
            let how = plain(HOW);
            let fitting = readable().without(ck::CKA_EXTRACTABLE);
            let (ciphertext, made) = session.encapsulate(&how, public, &fitting).unwrap();
            let found = session.decapsulate(&how, private, &fitting, &ciphertext).unwrap();
            for key in [made, found] {
                session.has(key, ck::CKA_EXTRACTABLE, false);
                session.has(key, ck::CKA_LABEL, "of a KEM");
            }
            let refused = session.encapsulate(&how, public, &readable()).unwrap_err();
            refused.is(ck::CKR_TEMPLATE_INCONSISTENT);
            let refused = session.decapsulate(&how, private, &readable(), &ciphertext);
            refused.unwrap_err().is(ck::CKR_TEMPLATE_INCONSISTENT);
        }
    });
}

#[test]
fn null_pointers_have_their_answer() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_KEM_512);
        let (mut how, mut key, mut length) = (plain(HOW).c, 0, 768);
        let mut room = [0_u8; 768];
        let (s, m, none) = (session.handle, &raw mut how, null_mut::<u8>());
        readable()
            .lend(|rows, count| {
                let (l, k, r) = (&raw mut length, &raw mut key, room.as_mut_ptr());
                call!(session, C_EncapsulateKey(s, m, public, rows, count, r, none.cast(), k))
                    .is(ck::CKR_ARGUMENTS_BAD);
                call!(session, C_EncapsulateKey(s, m, public, rows, count, r, l, null_mut()))
                    .is(ck::CKR_ARGUMENTS_BAD);
                call!(session, C_EncapsulateKey(s, null_mut(), public, rows, count, r, l, k))
                    .is(ck::CKR_ARGUMENTS_BAD);
                call!(session, C_EncapsulateKey(s, m, public, null_mut(), 3, r, l, k))
                    .is(ck::CKR_ARGUMENTS_BAD);
                call!(
                    session,
                    C_DecapsulateKey(s, m, private, rows, count, r, len(768), null_mut())
                )
                .is(ck::CKR_ARGUMENTS_BAD);
                call!(session, C_DecapsulateKey(s, m, private, rows, count, none, len(768), k))
            })
            .is(ck::CKR_ARGUMENTS_BAD);
        assert_eq!(key, 0);
    });
}

#[test]
fn every_use_is_on_record_and_a_question_for_the_length_is_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_KEM_512);
        let how = plain(HOW);
        let (ciphertext, _) = session.encapsulate(&how, public, &readable()).unwrap();
        session.decapsulate(&how, private, &readable(), &ciphertext).unwrap();
        let short = session.decapsulate(&how, private, &readable(), &ciphertext[1..]);
        short.unwrap_err().is(ck::CKR_WRAPPED_KEY_LEN_RANGE);
        session.logout().unwrap();
        let log = bench.log();
        log.one("C_EncapsulateKey", "CKR_OK");
        log.one("C_DecapsulateKey", "CKR_OK");
        log.one("C_DecapsulateKey", "CKR_WRAPPED_KEY_LEN_RANGE");
    });
}
