//! All 104 functions with NULL where pointers belong, with pointers that must not be followed
//! and with absurd lengths: before C_Initialize, in a session and without one. Each test is a
//! process of its own, so that a crash is seen; the last line that it wrote names the function.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::answers::ANSWERS;
use crate::calls::{Arguments, CALLS};
use crate::support::known::P256;
use crate::support::module::wild;
use crate::support::operations::plain;
use crate::support::{Bench, Module, Rv, Session, Token, USER_PIN, call, isolated};

const ABSURD: ck::CK_ULONG = ck::CK_ULONG::MAX;

/// The functions that work before C_Initialize.
const ALWAYS: [&str; 4] =
    ["C_Initialize", "C_GetFunctionList", "C_GetInterfaceList", "C_GetInterface"];

/// Calls one function and says so, in case it does not return.
fn call_by_name(module: &Module, name: &str, arguments: Arguments) -> Rv {
    eprintln!("calling {name}");
    let row = CALLS.iter().find(|(candidate, _)| *candidate == name);
    row.expect("a function of the standard").1(module, arguments)
}

/// All functions answer that the library is not initialised, whatever they are given.
fn not_initialised(module: &Module) {
    for (pointer, number) in [(null_mut(), 0), (null_mut(), ABSURD), (wild(), 1), (wild(), ABSURD)]
    {
        let arguments = Arguments { session: number, slot: number, pointer, number };
        for (name, _) in CALLS.iter().filter(|(name, _)| !ALWAYS.contains(name)) {
            let rv = call_by_name(module, name, arguments);
            assert_eq!(rv, Rv(ck::CKR_CRYPTOKI_NOT_INITIALIZED), "{name}");
        }
    }
}

#[test]
fn before_initialise_nothing_is_looked_at() {
    isolated(|bench| not_initialised(&bench.load()));
}

#[test]
fn after_finalise_nothing_is_looked_at() {
    isolated(|bench| {
        let token = bench.token();
        token.user();
        token.module.finalize().unwrap();
        not_initialised(&token.module);
    });
}

#[test]
fn an_unknown_session_is_refused_before_anything_is_looked_at() {
    isolated(|bench| {
        let token = bench.token();
        let with_session: Vec<_> =
            ANSWERS.iter().map(|row| row.0).filter(|name| takes_a_session(name)).collect();
        assert_eq!(with_session.len(), 89);
        for session in [0, 0xdead, ABSURD] {
            for (pointer, number) in [(null_mut(), 0), (wild(), ABSURD)] {
                let arguments = Arguments { session, slot: token.slot, pointer, number };
                for name in &with_session {
                    let rv = call_by_name(&token.module, name, arguments);
                    assert_eq!(rv, Rv(ck::CKR_SESSION_HANDLE_INVALID), "{name}");
                }
            }
        }
    });
}

fn takes_a_session(name: &str) -> bool {
    let without = [
        "C_GetInfo",
        "C_GetFunctionList",
        "C_GetInterfaceList",
        "C_GetInterface",
        "C_GetSlotList",
        "C_GetSlotInfo",
        "C_GetTokenInfo",
        "C_GetMechanismList",
        "C_GetMechanismInfo",
        "C_InitToken",
        "C_OpenSession",
        "C_CloseAllSessions",
        "C_WaitForSlotEvent",
    ];
    !without.contains(&name)
}

/// A read-write session of the user, whatever the call before did to the last one.
fn fresh_session(token: &Token) -> Session<'_> {
    call!(token.module, C_CloseAllSessions(token.slot)).is(ck::CKR_OK);
    token.user()
}

/// A search and an operation of each kind.
fn begin_everything(session: &Session<'_>, keys: &[ck::CK_OBJECT_HANDLE; 3]) {
    let [aes, public, private] = *keys;
    let (ecb, ecdsa) = (plain(ck::CKM_AES_ECB), plain(ck::CKM_ECDSA_SHA256));
    session.encrypt_init(&ecb, aes).expect("C_EncryptInit");
    session.decrypt_init(&ecb, aes).expect("C_DecryptInit");
    session.digest_init(&plain(ck::CKM_SHA256)).expect("C_DigestInit");
    session.sign_init(&ecdsa, private).expect("C_SignInit");
    session.verify_init(&ecdsa, public).expect("C_VerifyInit");
    let gcm = plain(ck::CKM_AES_GCM);
    session.message_encrypt_init(&gcm, aes).expect("C_MessageEncryptInit");
    session.message_decrypt_init(&gcm, aes).expect("C_MessageDecryptInit");
    session.message_sign_init(&ecdsa, private).expect("C_MessageSignInit");
    session.message_verify_init(&ecdsa, public).expect("C_MessageVerifyInit");
    call!(session, C_FindObjectsInit(session.handle, null_mut(), 0)).is(ck::CKR_OK);
}

/// Keys for all operations, on the token: sessions come and go here.
fn make_keys(token: &Token) {
    let session = fresh_session(token);
    crate::ecdsa::generate(&session, P256);
    let aes = crate::support::template! { CKA_TOKEN => true, CKA_VALUE_LEN => 16_u64 };
    session.generate(&plain(ck::CKM_AES_KEY_GEN), &aes).expect("C_GenerateKey");
}

fn find_keys(session: &Session<'_>) -> [ck::CK_OBJECT_HANDLE; 3] {
    [ck::CKO_SECRET_KEY, ck::CKO_PUBLIC_KEY, ck::CKO_PRIVATE_KEY].map(|class| {
        session.find(&crate::support::template! { CKA_CLASS => class }).expect("a search")[0]
    })
}

/// Calls every function with one column of the table, without operations and amid them.
fn answers(bench: &Bench, column: usize, pointer: *mut c_void, number: ck::CK_ULONG) {
    let token = bench.token();
    make_keys(&token);
    for (name, idle, busy) in ANSWERS {
        for (expected, with_operations) in [(idle[column], false), (busy[column], true)] {
            let session = fresh_session(&token);
            if with_operations {
                begin_everything(&session, &find_keys(&session));
            }
            refill(pointer);
            let arguments =
                Arguments { session: session.handle, slot: token.slot, pointer, number };
            let rv = call_by_name(&token.module, name, arguments);
            let state = if with_operations { "amid operations" } else { "without operations" };
            assert_eq!(rv, Rv(expected), "{name} {state}");
        }
    }
    assert_eq!(fresh_session(&token).state(), ck::CKS_RW_USER_FUNCTIONS);
}

/// Bytes behind a pointer that may be followed, and zeros after them to end any string.
const ROOM: usize = 1 << 16;

fn refill(pointer: *mut c_void) {
    if !pointer.is_null() {
        // SAFETY: a test that gives a pointer at all gives one to `ROOM` bytes.
        unsafe { pointer.cast::<u8>().write_bytes(0xff, ROOM) };
    }
}

#[test]
fn null_and_no_length_has_its_answer() {
    isolated(|bench| answers(bench, 0, null_mut(), 0));
}

#[test]
fn null_and_an_absurd_length_has_its_answer() {
    isolated(|bench| answers(bench, 1, null_mut(), ABSURD));
}

#[test]
fn an_absurd_length_has_its_answer() {
    isolated(|bench| {
        let mut room = vec![0_u8; ROOM + 4096];
        answers(bench, 2, room.as_mut_ptr().cast(), ABSURD);
    });
}

#[test]
fn an_unknown_slot_is_refused_whatever_else_is_wrong() {
    isolated(|bench| {
        let module = bench.initialised();
        for number in [0, ABSURD] {
            let arguments =
                Arguments { session: 0, slot: 0x8000_0000, pointer: null_mut(), number };
            for name in [
                "C_GetSlotInfo",
                "C_GetTokenInfo",
                "C_GetMechanismList",
                "C_GetMechanismInfo",
                "C_InitToken",
                "C_OpenSession",
                "C_CloseAllSessions",
            ] {
                call_by_name(&module, name, arguments)
                    .is_one_of(&[ck::CKR_SLOT_ID_INVALID, ck::CKR_ARGUMENTS_BAD]);
            }
        }
    });
}

/// The user's PIN is what it was, and no try is lost.
#[test]
fn bad_arguments_cost_no_try() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for (pointer, number) in [(null_mut(), 0), (null_mut(), 1), (null_mut(), ABSURD)] {
            let arguments =
                Arguments { session: session.handle, slot: token.slot, pointer, number };
            for name in ["C_Login", "C_LoginUser", "C_SetPIN", "C_InitPIN", "C_InitToken"] {
                assert_ne!(call_by_name(&token.module, name, arguments), Rv(ck::CKR_OK));
            }
        }
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW) && !token.has(ck::CKF_SO_PIN_COUNT_LOW));
        session.login(ck::CKU_USER, USER_PIN).unwrap();
    });
}
