//! The interface "Vendor claviger": what a caller says about its calls, and why a call failed.

use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};

use cryptoki_sys as ck;

use crate::support::known::ED25519;
use crate::support::log::text;
use crate::support::operations::plain;
use crate::support::{Module, Rv, Session, call, isolated, template};

const NAME: &CStr = c"Vendor claviger";
const TRACE: ck::CK_ULONG = 1;
const OPERATION: ck::CK_ULONG = 2;
const ACTOR: ck::CK_ULONG = 3;

/// As include/claviger.h has it.
#[repr(C)]
struct List {
    version: ck::CK_VERSION,
    set_context: unsafe extern "C" fn(
        ck::CK_SESSION_HANDLE,
        ck::CK_ULONG,
        *const u8,
        ck::CK_ULONG,
    ) -> ck::CK_RV,
    last_error: unsafe extern "C" fn(*mut u8, *mut ck::CK_ULONG) -> ck::CK_RV,
}

fn list(module: &Module) -> &List {
    let name = NAME.as_ptr().cast_mut().cast();
    let mut found: *mut ck::CK_INTERFACE = null_mut();
    call!(module, C_GetInterface(name, null_mut(), &raw mut found, 0)).is(ck::CKR_OK);
    // SAFETY: the call succeeded, so the interface is there.
    let list = unsafe { (*found).pFunctionList };
    // SAFETY: this is what the name stands for.
    unsafe { &*list.cast::<c_void>().cast::<List>() }
}

fn say(module: &Module, session: ck::CK_SESSION_HANDLE, kind: ck::CK_ULONG, text: &[u8]) -> Rv {
    let length = text.len().try_into().unwrap();
    // SAFETY: a slice and its length.
    Rv(unsafe { (list(module).set_context)(session, kind, text.as_ptr(), length) })
}

fn last_error(module: &Module) -> String {
    let (mut text, mut length) = ([0; 512], 512);
    // SAFETY: room and its length.
    Rv(unsafe { (list(module).last_error)(text.as_mut_ptr(), &raw mut length) }).is(ck::CKR_OK);
    String::from_utf8(text[..usize::try_from(length).unwrap()].to_vec()).unwrap()
}

fn sign(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) {
    session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
}

#[test]
fn what_a_caller_says_stands_in_the_records_of_its_session() {
    isolated(|bench| {
        let token = bench.token();
        let (session, other) = (token.user(), token.public());
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
        let made = session.generate_pair(&how, &public, &template! { CKA_TOKEN => true });
        let (_, key) = made.expect("a pair");
        let module = &token.module;
        say(module, session.handle, TRACE, b"00-aa-bb-01").is(ck::CKR_OK);
        say(module, session.handle, OPERATION, b"invoice \"4711\"").is(ck::CKR_OK);
        say(module, session.handle, ACTOR, "Zo\u{eb}".as_bytes()).is(ck::CKR_OK);
        sign(&session, key);
        sign(&other, key);
        say(module, session.handle, ACTOR, b"").is(ck::CKR_OK);
        sign(&session, key);
        session.set(key, &template! { CKA_LABEL => "told" }).unwrap();
        session.logout().unwrap();
        let log = bench.log();
        let told: Vec<_> = log
            .of_kind("")
            .filter(|leaf| text(leaf, "call") == "C_Sign")
            .map(|leaf| (text(leaf, "op"), text(leaf, "actor"), text(leaf, "trace")))
            .collect();
        let op = "invoice \"4711\"";
        assert_eq!(told, [(op, "Zo\u{eb}", "00-aa-bb-01"), ("", "", ""), (op, "", "00-aa-bb-01")]);
        let change = log.of_kind("change").find(|it| text(it, "call") == "C_SetAttributeValue");
        assert_eq!(text(change.unwrap(), "op"), op);
    });
}

#[test]
fn what_cannot_be_said_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let module = &token.module;
        for text in [&[b'x'; 129][..], b"two\nlines", b"\x1b[31m", b"\xff"] {
            say(module, session.handle, OPERATION, text).is(ck::CKR_ARGUMENTS_BAD);
        }
        say(module, session.handle, OPERATION, &[b'x'; 128]).is(ck::CKR_OK);
        for kind in [0, 4, ck::CK_ULONG::MAX] {
            say(module, session.handle, kind, b"text").is(ck::CKR_ARGUMENTS_BAD);
        }
        say(module, session.handle + 77, TRACE, b"text").is(ck::CKR_SESSION_HANDLE_INVALID);
        for length in [1, ck::CK_ULONG::MAX] {
            // SAFETY: what is tested: no text, but a length.
            Rv(unsafe { (list(module).set_context)(session.handle, TRACE, null(), length) })
                .is(ck::CKR_ARGUMENTS_BAD);
        }
        module.finalize().unwrap();
        say(module, session.handle, TRACE, b"x").is(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
    });
}

#[test]
fn the_last_error_of_a_thread_says_why() {
    isolated(|bench| {
        let token = bench.token();
        let module = &token.module;
        let session = token.public();
        assert!(session.login(ck::CKU_USER, "not the pin").is_err());
        let told = last_error(module);
        assert!(told.contains("CKR_PIN_INCORRECT"), "{told}");
        assert!(!told.contains("not the pin"), "{told}");
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(last_error(module), "", "nothing has failed in this thread"));
        });
        // A success says nothing, and a short room is no failure.
        session.info().unwrap();
        let mut length = 3;
        let mut room = [0; 3];
        // SAFETY: room and its length.
        let rv = Rv(unsafe { (list(module).last_error)(room.as_mut_ptr(), &raw mut length) });
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!((last_error(module), length as usize), (told.clone(), told.len()));
        // SAFETY: what is tested: no place for the length.
        Rv(unsafe { (list(module).last_error)(null_mut(), null_mut()) }).is(ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn the_last_error_tells_why_nothing_could_be_initialised() {
    isolated(|bench| {
        bench.configure("no such key = 1");
        let module = bench.load();
        module.initialize().expect_err("a wrong configuration").is(ck::CKR_GENERAL_ERROR);
        assert!(last_error(&module).contains("claviger.toml"), "{}", last_error(&module));
    });
}
