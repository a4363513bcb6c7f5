//! How a host ends: without C_Finalize, with calls on its way out, with the library unloaded
//! and loaded again, with threads that outlive it. None of it may crash, hang or write a word.

use std::sync::mpsc::channel;

use cryptoki_sys as ck;

use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Bench, Module, Refused, USER_PIN, isolated, template};

/// A token with one Ed25519 key pair, for hosts that sign. Nothing is left open.
fn signing_token(bench: &Bench) {
    let token = bench.token();
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
    let private = template! { CKA_TOKEN => true };
    token.user().generate_pair(&how, &public, &private).expect("a key pair");
    token.module.finalize().expect("C_Finalize");
}

/// Runs the host `leaving` and wants it to end silently, with code 0.
#[track_caller]
fn leaves(bench: &Bench, way: &str) {
    signing_token(bench);
    let host = bench.compile("leaving", &[]);
    let module = bench.module_path();
    for _ in 0..5 {
        let module = module.to_str().expect("a path in UTF-8");
        let (status, output) = bench.run(&host, &[module, USER_PIN, way]);
        assert!(status.success() && output.is_empty(), "{way}: {status}: {output}");
    }
}

#[test]
fn returning_from_main_without_finalise_is_silent() {
    isolated(|bench| leaves(bench, "return"));
}

#[test]
fn exit_amid_signatures_of_other_threads_is_silent() {
    isolated(|bench| leaves(bench, "amid-signatures"));
}

#[test]
fn exit_from_another_thread_is_silent() {
    isolated(|bench| leaves(bench, "from-a-thread"));
}

#[test]
fn exit_after_the_end_of_the_main_thread_is_silent() {
    isolated(|bench| leaves(bench, "main-thread-first"));
}

#[test]
fn quick_exit_is_silent() {
    isolated(|bench| leaves(bench, "quick"));
}

#[test]
fn an_exit_without_any_handlers_is_silent() {
    isolated(|bench| leaves(bench, "at-once"));
}

#[test]
fn unloading_without_finalise_is_silent() {
    isolated(|bench| leaves(bench, "unloaded"));
}

#[test]
fn calls_from_atexit_are_answered() {
    isolated(|bench| leaves(bench, "atexit"));
}

#[test]
fn calls_from_a_destructor_of_the_host_are_answered() {
    isolated(|bench| leaves(bench, "destructor"));
}

#[test]
fn calls_from_atexit_and_then_a_destructor_are_answered() {
    isolated(|bench| leaves(bench, "atexit-and-destructor"));
}

#[test]
fn calls_from_destructors_of_other_libraries_are_answered() {
    isolated(|bench| {
        signing_token(bench);
        let host = bench.compile("late_host", &[]);
        let library = bench.compile("late_caller", &["-shared", "-fPIC"]);
        let (module, library) = (bench.module_path(), library.to_str().expect("UTF-8").to_owned());
        for order in ["module-first", "library-first"] {
            let module = module.to_str().expect("a path in UTF-8");
            let (status, output) = bench.run(&host, &[module, USER_PIN, &library, order]);
            assert!(status.success() && output.is_empty(), "{order}: {status}: {output}");
        }
    });
}

fn sign_once(module: &Module) {
    let slot = module.slots(true).expect("C_GetSlotList")[0];
    let session = module.read_write(slot);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    let key = session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).expect("a key")[0];
    session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
}

#[test]
fn the_library_can_be_unloaded_and_loaded_again() {
    isolated(|bench| {
        signing_token(bench);
        for round in 0..20 {
            let module = bench.initialised();
            sign_once(&module);
            if round % 2 == 0 {
                module.finalize().unwrap();
            }
            module.unload();
            let again = bench.load();
            if again.finalize().is_ok() {
                assert_eq!(round % 2, 1, "only what was not finalised is still there");
            }
            again.unload();
        }
    });
}

#[test]
fn threads_that_outlive_the_library_end_quietly() {
    isolated(|bench| {
        signing_token(bench);
        let module = bench.initialised();
        let slot = module.slots(true).unwrap()[0];
        module.read_write(slot).login(ck::CKU_USER, USER_PIN).unwrap();
        let (done, all_done) = channel();
        let mut leashes = Vec::new();
        let mut threads = Vec::new();
        for _ in 0..8 {
            let (leash, end) = channel::<()>();
            let (done, copy) = (done.clone(), bench.load());
            threads.push(std::thread::spawn(move || {
                let session = copy.read_write(slot);
                let wanted = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY };
                let key = session.find(&wanted).expect("a search")[0];
                session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
                session.random(64).expect("random bytes");
                copy.unload();
                done.send(()).expect("the main thread waits");
                // The thread's own data is torn down only after the library is gone.
                end.recv().expect("the main thread says when");
            }));
            leashes.push(leash);
        }
        threads.iter().for_each(|_| all_done.recv().expect("a thread is done"));
        module.finalize().unwrap();
        module.unload();
        leashes.iter().for_each(|leash| leash.send(()).expect("the thread waits"));
        threads.into_iter().for_each(|thread| thread.join().expect("a quiet end"));
    });
}

#[test]
fn a_refused_initialise_leaves_nothing_behind() {
    isolated(|bench| {
        let module = bench.load();
        std::fs::write(bench.token_dir(), b"not a directory").unwrap();
        let refused = module.initialize().expect_err("there is no place for tokens");
        assert_ne!(refused.0, ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        module.slots(true).refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        std::fs::remove_file(bench.token_dir()).unwrap();
        module.initialize().unwrap();
        module.slots(true).unwrap();
    });
}
