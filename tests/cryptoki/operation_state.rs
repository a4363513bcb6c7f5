//! States of operations that are saved, and restored elsewhere. PKCS#11 3.2,
//! "C_GetOperationState", "C_SetOperationState".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{key, some_bytes};
use crate::support::known::{self, P256};
use crate::support::operations::{
    Mechanism, in_two_calls, lend_room, plain, with_bytes, with_struct,
};
use crate::support::{
    Bench, Module, Refused, Rv, SO_PIN, Session, USER_PIN, call, isolated, template,
};

const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const UNSAVEABLE: ck::CK_RV = ck::CKR_STATE_UNSAVEABLE;
const INVALID: ck::CK_RV = ck::CKR_SAVED_STATE_INVALID;
const IV: [u8; 16] = [9; 16];

/// No key.
const NONE: ck::CK_OBJECT_HANDLE = 0;

fn save(session: &Session<'_>) -> Result<Vec<u8>, Rv> {
    in_two_calls(|out, len| call!(session, C_GetOperationState(session.handle, out, len)))
}

fn restore(
    session: &Session<'_>,
    state: &[u8],
    cipher_key: ck::CK_OBJECT_HANDLE,
    auth_key: ck::CK_OBJECT_HANDLE,
) -> Result<(), Rv> {
    let (start, len) = crate::support::operations::input(state);
    let s = session.handle;
    call!(session, C_SetOperationState(s, start, len, cipher_key, auth_key)).with(())
}

fn sha() -> Mechanism<'static> {
    plain(ck::CKM_SHA256)
}

fn hmac() -> Mechanism<'static> {
    plain(ck::CKM_SHA256_HMAC)
}

#[test]
fn a_digest_goes_on_in_the_same_and_in_another_session() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.user(), token.public());
        for mechanism in [
            ck::CKM_SHA_1,
            ck::CKM_SHA224,
            ck::CKM_SHA256,
            ck::CKM_SHA384,
            ck::CKM_SHA512,
            ck::CKM_SHA512_256,
            ck::CKM_SHA3_256,
            ck::CKM_SHA3_512,
        ] {
            let how = plain(mechanism);
            let expected = first.digest(&how, b"one two three").unwrap();
            first.digest_init(&how).unwrap();
            let fresh = save(&first).unwrap();
            first.digest_update(b"one ").unwrap();
            let state = save(&first).unwrap();
            first.digest_update(b"something else").unwrap();
            for session in [&first, &second] {
                restore(session, &state, NONE, NONE).unwrap();
                session.digest_update(b"two three").unwrap();
                assert_eq!(session.digest_final().unwrap(), expected);
                // The whole in one call, as after C_DigestInit.
                restore(session, &fresh, NONE, NONE).unwrap();
                assert_eq!(session.digest_data(b"one two three").unwrap(), expected);
            }
        }
    });
}

/// As a tool duplicates the context of a digest that nobody needs a login for.
#[test]
fn without_a_login_a_digest_is_saved_as_well() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.read_only(), token.read_only());
        first.digest_init(&sha()).unwrap();
        first.digest_update(b"one ").unwrap();
        let state = save(&first).unwrap();
        restore(&second, &state, NONE, NONE).unwrap();
        for session in [&first, &second] {
            session.digest_update(b"two").unwrap();
        }
        let expected = first.digest_final().unwrap();
        assert_eq!(second.digest_final().unwrap(), expected);
        // Whether the session may write makes no difference; that somebody logs in does.
        let writer = token.public();
        restore(&writer, &state, NONE, NONE).unwrap();
        writer.digest_update(b"two").unwrap();
        assert_eq!(writer.digest_final().unwrap(), expected);
        writer.login(ck::CKU_USER, USER_PIN).unwrap();
        restore(&second, &state, NONE, NONE).refused(INVALID);
    });
}

#[test]
fn ciphers_go_on_wherever_they_were() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.user(), token.public());
        let aes = key(&first, 32);
        let ctr = ck::CK_AES_CTR_PARAMS { ulCounterBits: 32, cb: [0xfe; 16] };
        let data = some_bytes(160);
        for (how, whole_blocks) in [
            (plain(ck::CKM_AES_ECB), true),
            (with_bytes(ck::CKM_AES_CBC, &IV), true),
            (with_bytes(ck::CKM_AES_CBC_PAD, &IV), false),
            (with_struct(ck::CKM_AES_CTR, &ctr), false),
        ] {
            let data = &data[..if whole_blocks { 160 } else { 155 }];
            let sealed = first.encrypt(&how, aes, data).unwrap();
            for cut in [0, 1, 16, 23, 32, 47, 64, 150] {
                first.encrypt_init(&how, aes).unwrap();
                let mut out = first.encrypt_update(&data[..cut]).unwrap();
                let state = save(&first).unwrap();
                first.encrypt_update(b"elsewhere").unwrap();
                restore(&second, &state, aes, NONE).unwrap();
                out.extend(second.encrypt_update(&data[cut..]).unwrap());
                out.extend(second.encrypt_final().unwrap());
                assert_eq!(out, sealed, "{:#x} cut at {cut}", how.c.mechanism);
                call!(first, C_SessionCancel(first.handle, ck::CKF_ENCRYPT)).is(ck::CKR_OK);
                first.decrypt_init(&how, aes).unwrap();
                let mut out = first.decrypt_update(&sealed[..cut]).unwrap();
                let state = save(&first).unwrap();
                call!(first, C_SessionCancel(first.handle, ck::CKF_DECRYPT)).is(ck::CKR_OK);
                restore(&second, &state, aes, NONE).unwrap();
                out.extend(second.decrypt_update(&sealed[cut..]).unwrap());
                out.extend(second.decrypt_final().unwrap());
                assert_eq!(out, data, "{:#x} cut at {cut}", how.c.mechanism);
            }
        }
    });
}

/// A restored counter counts to the same end, and not from the beginning again.
#[test]
fn a_counter_does_not_begin_anew() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let aes = key(&session, 16);
        let mut cb = [0; 16];
        cb[15] = 0xfe;
        let ctr = ck::CK_AES_CTR_PARAMS { ulCounterBits: 8, cb };
        let how = with_struct(ck::CKM_AES_CTR, &ctr);
        for taken in [1, 16, 20] {
            session.encrypt_init(&how, aes).unwrap();
            session.encrypt_update(&vec![1; taken]).unwrap();
            let state = save(&session).unwrap();
            restore(&session, &state, aes, NONE).unwrap();
            session.encrypt_update(&vec![1; 32 - taken]).unwrap();
            // All of the counter is used; whatever comes next is refused, saved or not.
            let spent = save(&session);
            session.encrypt_update(&[1]).refused(ck::CKR_DATA_LEN_RANGE);
            if let Ok(spent) = spent {
                restore(&session, &spent, aes, NONE).unwrap();
                session.encrypt_update(&[1]).refused(ck::CKR_DATA_LEN_RANGE);
            }
        }
    });
}

#[test]
fn signatures_and_verifications_go_on() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.user(), token.public());
        let secret = first.create(&known::generic(&[3; 32])).unwrap();
        let (ec_public, ec) = crate::ecdsa::generate(&first, P256);
        let rsa_public = first.create(&known::rsa_public()).unwrap();
        let rsa = first.create(&known::rsa_private()).unwrap();
        let pss = ck::CK_RSA_PKCS_PSS_PARAMS {
            hashAlg: ck::CKM_SHA384,
            mgf: ck::CKG_MGF1_SHA384,
            sLen: 48,
        };
        for (how, key, public) in [
            (hmac(), secret, secret),
            (plain(ck::CKM_ECDSA_SHA256), ec, ec_public),
            (plain(ck::CKM_SHA512_RSA_PKCS), rsa, rsa_public),
            (with_struct(ck::CKM_SHA384_RSA_PKCS_PSS, &pss), rsa, rsa_public),
        ] {
            first.sign_init(&how, key).unwrap();
            first.sign_update(b"one ").unwrap();
            let state = save(&first).unwrap();
            first.sign_update(b"something else").unwrap();
            restore(&second, &state, NONE, key).unwrap();
            second.sign_update(b"two").unwrap();
            let signature = second.sign_final().unwrap();
            first.sign_final().unwrap();
            first.verify(&how, public, b"one two", &signature).unwrap();
            for (rest, right) in [(b"two", true), (b"2wo", false)] {
                first.verify_init(&how, public).unwrap();
                first.verify_update(b"one ").unwrap();
                let state = save(&first).unwrap();
                call!(first, C_SessionCancel(first.handle, ck::CKF_VERIFY)).is(ck::CKR_OK);
                restore(&second, &state, NONE, public).unwrap();
                second.verify_update(rest).unwrap();
                assert_eq!(second.verify_final(&signature).is_ok(), right);
            }
        }
    });
}

#[test]
fn two_operations_at_once_are_one_state() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.user(), token.public());
        let (aes, how) = (key(&first, 16), with_bytes(ck::CKM_AES_CBC, &IV));
        let secret = first.create(&known::generic(&[3; 32])).unwrap();
        let data = some_bytes(64);
        first.encrypt_init(&how, aes).unwrap();
        first.sign_init(&hmac(), secret).unwrap();
        let mut out = first.sign_encrypt_update(&data[..40]).unwrap();
        let state = save(&first).unwrap();
        restore(&second, &state, aes, NONE).refused(ck::CKR_KEY_NEEDED);
        restore(&second, &state, NONE, secret).refused(ck::CKR_KEY_NEEDED);
        restore(&second, &state, secret, aes).refused(ck::CKR_KEY_CHANGED);
        restore(&second, &state, aes, secret).unwrap();
        out.extend(second.sign_encrypt_update(&data[40..]).unwrap());
        second.encrypt_final().unwrap();
        let code = second.sign_final().unwrap();
        assert_eq!(code, first_sign(&second, secret, &data));
        assert_eq!(out, second.encrypt(&how, aes, &data).unwrap());
    });
}

fn first_sign(session: &Session<'_>, secret: ck::CK_OBJECT_HANDLE, data: &[u8]) -> Vec<u8> {
    session.sign(&hmac(), secret, data).expect("a MAC")
}

#[test]
fn keys_are_asked_for_and_must_be_the_same() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, other) = (key(&session, 16), key(&session, 16));
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        let how = with_bytes(ck::CKM_AES_CBC, &IV);
        session.digest_init(&sha()).unwrap();
        let digest = save(&session).unwrap();
        restore(&session, &digest, aes, NONE).refused(ck::CKR_KEY_NOT_NEEDED);
        restore(&session, &digest, NONE, secret).refused(ck::CKR_KEY_NOT_NEEDED);
        restore(&session, &digest, secret, secret).refused(ck::CKR_KEY_NOT_NEEDED);
        call!(session, C_SessionCancel(session.handle, ck::CKF_DIGEST)).is(ck::CKR_OK);
        session.encrypt_init(&how, aes).unwrap();
        let state = save(&session).unwrap();
        restore(&session, &state, NONE, NONE).refused(ck::CKR_KEY_NEEDED);
        restore(&session, &state, other, NONE).refused(ck::CKR_KEY_CHANGED);
        restore(&session, &state, aes, secret).refused(ck::CKR_KEY_NOT_NEEDED);
        restore(&session, &state, 0xdead, NONE).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.set(aes, &template! { CKA_ENCRYPT => false }).unwrap();
        restore(&session, &state, aes, NONE).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        // What was refused has ended nothing.
        session.encrypt_update(&[1; 16]).unwrap();
        // One key in both places is one key.
        session.set(aes, &template! { CKA_ENCRYPT => true }).unwrap();
        restore(&session, &state, aes, aes).unwrap();
        restore(&session, &state, other, other).refused(ck::CKR_KEY_CHANGED);
    });
}

#[test]
fn a_restored_state_takes_the_place_of_what_was_active() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        session.digest_init(&sha()).unwrap();
        session.digest_update(b"x").unwrap();
        let state = save(&session).unwrap();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key(&session, 16)).unwrap();
        call!(session, C_FindObjectsInit(session.handle, null_mut(), 0)).is(ck::CKR_OK);
        restore(&session, &state, NONE, NONE).unwrap();
        session.encrypt_final().refused(IDLE);
        call!(session, C_FindObjectsFinal(session.handle)).is(IDLE);
        assert_eq!(session.digest_final().unwrap(), session.digest(&sha(), b"x").unwrap());
    });
}

#[test]
fn nothing_forged_and_nothing_foreign_is_restored() {
    isolated(|bench| {
        bench.configure("slots.spare = true");
        let token = bench.token();
        let session = token.user();
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        session.sign_init(&hmac(), secret).unwrap();
        session.sign_update(b"one ").unwrap();
        let state = save(&session).unwrap();
        let s = session.handle;
        for at in 0..state.len() {
            let mut forged = state.clone();
            forged[at] ^= 1;
            restore(&session, &forged, NONE, secret).refused(INVALID);
        }
        for length in [0, 1, 12, 29, state.len() - 1] {
            restore(&session, &state[..length], NONE, secret).refused(INVALID);
        }
        restore(&session, &vec![1; 1 << 17], NONE, secret).refused(INVALID);
        restore(&session, &[state.as_slice(), &[0]].concat(), NONE, secret).refused(INVALID);
        call!(session, C_SetOperationState(s, null_mut(), 9, NONE, NONE)).is(ck::CKR_ARGUMENTS_BAD);
        // Neither the key nor the input is to be seen in it.
        let seen = |bytes: &[u8]| state.windows(bytes.len()).any(|window| window == bytes);
        assert!(!seen(&[3; 8]) && !seen(b"one "));
        // After a logout and a login of the officer it is nobody's.
        session.logout().unwrap();
        session.login(ck::CKU_SO, SO_PIN).unwrap();
        restore(&session, &state, NONE, secret).refused(INVALID);
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        let secret = session.create(&known::generic(&[3; 32])).unwrap();
        session.sign_init(&hmac(), secret).unwrap();
        session.sign_update(b"one ").unwrap();
        let slot = crate::support::token::make_token(&token.module, "another");
        let elsewhere = token.module.read_write(slot);
        elsewhere.login(ck::CKU_USER, USER_PIN).unwrap();
        restore(&elsewhere, &state, NONE, NONE).refused(INVALID);
        session.sign_update(b"two").unwrap();
        let code = session.sign_final().unwrap();
        assert_eq!(code, session.sign(&hmac(), secret, b"one two").unwrap());
    });
}

#[test]
fn what_cannot_be_saved_says_so_and_goes_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        save(&session).refused(IDLE);
        call!(session, C_FindObjectsInit(session.handle, null_mut(), 0)).is(ck::CKR_OK);
        save(&session).refused(IDLE);
        let (aes, s) = (key(&session, 16), session.handle);
        let gcm = ck::CK_GCM_PARAMS {
            pIv: IV.as_ptr().cast_mut(),
            ulIvLen: 12,
            ulIvBits: 96,
            pAAD: null_mut(),
            ulAADLen: 0,
            ulTagBits: 128,
        };
        session.encrypt_init(&with_struct(ck::CKM_AES_GCM, &gcm), aes).unwrap();
        session.encrypt_update(b"x").unwrap();
        save(&session).refused(UNSAVEABLE);
        session.encrypt_final().unwrap();
        session.digest_init(&plain(ck::CKM_BLAKE2B_256)).unwrap();
        save(&session).expect("nothing was taken in yet");
        session.digest_update(b"x").unwrap();
        save(&session).refused(UNSAVEABLE);
        session.digest_final().unwrap();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), aes).unwrap();
        session.decrypt_init(&plain(ck::CKM_AES_ECB), aes).unwrap();
        save(&session).refused(UNSAVEABLE);
        call!(session, C_SessionCancel(s, ck::CKF_ENCRYPT | ck::CKF_DECRYPT)).is(ck::CKR_OK);
        let again =
            known::p256_private().and(ck::CKA_PRIVATE, true).and(ck::CKA_ALWAYS_AUTHENTICATE, true);
        let again = session.create(&again).unwrap();
        session.sign_init(&plain(ck::CKM_ECDSA_SHA256), again).unwrap();
        save(&session).refused(UNSAVEABLE);
        session.login(ck::CKU_CONTEXT_SPECIFIC, USER_PIN).unwrap();
        save(&session).refused(UNSAVEABLE);
        session.sign_data(b"x").unwrap();
    });
}

#[test]
fn the_rules_of_output_hold() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let s = session.handle;
        session.digest_init(&sha()).unwrap();
        call!(session, C_GetOperationState(s, null_mut(), null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        let mut needed = 0;
        call!(session, C_GetOperationState(s, null_mut(), &raw mut needed)).is(ck::CKR_OK);
        let short = usize::try_from(needed).unwrap() - 1;
        let (rv, told, _) =
            lend_room(short, |out, len| call!(session, C_GetOperationState(s, out, len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(told, short + 1);
        session.digest_data(b"x").unwrap();
    });
}

/// The user in a process that has just begun.
fn user(module: &Module) -> Session<'_> {
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    session
}

fn state_file(bench: &Bench) -> std::path::PathBuf {
    bench.dir().join("state")
}

#[test]
fn another_process_of_the_same_token_goes_on() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = user(&module);
            let aes = session.find(&template! { CKA_CLASS => ck::CKO_SECRET_KEY }).unwrap()[0];
            let state = std::fs::read(state_file(bench)).unwrap();
            restore(&session, &state, aes, NONE).unwrap();
            session.encrypt_update(&[2; 12]).unwrap();
            session.encrypt_final().unwrap();
            session.logout().unwrap();
            return;
        }
        let token = bench.token();
        let session = token.user();
        let aes = session.create(&known::aes(&[1; 16]).and(ck::CKA_TOKEN, true)).unwrap();
        session.encrypt_init(&with_bytes(ck::CKM_AES_CBC, &IV), aes).unwrap();
        session.encrypt_update(&[2; 20]).unwrap();
        std::fs::write(state_file(bench), save(&session).unwrap()).unwrap();
        bench.play("another");
        session.encrypt_update(&[2; 12]).unwrap();
        session.encrypt_final().unwrap();
        session.logout().unwrap();
        let bytes: Vec<_> = bench
            .log()
            .of_kind("")
            .filter(|leaf| leaf["call"] == "C_EncryptFinal")
            .map(|leaf| leaf["in"].as_u64())
            .collect();
        assert_eq!(bytes, [Some(32), Some(32)], "what was taken in before counts");
    });
}
