//! C_Initialize with every argument that a host may give, and C_Finalize.
//! PKCS#11 3.2, "General-purpose functions"; "Functions and threads".

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptoki_sys as ck;

use crate::support::{Bench, Module, Refused, Rv, call, isolated};

/// How often the library asked the host for a mutex.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// How many of the host's mutexes are locked.
static HELD: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn create(mutex: *mut *mut c_void) -> ck::CK_RV {
    MADE.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the library lends a place for the mutex.
    unsafe { *mutex = Box::into_raw(Box::new(0_u64)).cast() };
    ck::CKR_OK
}

unsafe extern "C" fn destroy(mutex: *mut c_void) -> ck::CK_RV {
    // SAFETY: it was made by `create`.
    drop(unsafe { Box::from_raw(mutex.cast::<u64>()) });
    ck::CKR_OK
}

unsafe extern "C" fn lock(_mutex: *mut c_void) -> ck::CK_RV {
    HELD.fetch_add(1, Ordering::Relaxed);
    ck::CKR_OK
}

unsafe extern "C" fn unlock(_mutex: *mut c_void) -> ck::CK_RV {
    HELD.fetch_sub(1, Ordering::Relaxed);
    ck::CKR_OK
}

fn arguments(flags: ck::CK_FLAGS) -> ck::CK_C_INITIALIZE_ARGS {
    ck::CK_C_INITIALIZE_ARGS { flags, ..ck::CK_C_INITIALIZE_ARGS::default() }
}

/// Arguments with those callbacks whose bit is set: create, destroy, lock, unlock.
fn with_callbacks(which: u8, flags: ck::CK_FLAGS) -> ck::CK_C_INITIALIZE_ARGS {
    let mut arguments = arguments(flags);
    arguments.CreateMutex = (which & 1 != 0).then_some(create);
    arguments.DestroyMutex = (which & 2 != 0).then_some(destroy);
    arguments.LockMutex = (which & 4 != 0).then_some(lock);
    arguments.UnlockMutex = (which & 8 != 0).then_some(unlock);
    arguments
}

fn initialise(module: &Module, mut arguments: ck::CK_C_INITIALIZE_ARGS) -> Rv {
    call!(module, C_Initialize((&raw mut arguments).cast()))
}

/// Initialises with these arguments, makes a call that locks, and finalises.
#[track_caller]
fn works_with(bench: &Bench, arguments: ck::CK_C_INITIALIZE_ARGS) {
    let module = bench.load();
    initialise(&module, arguments).is(ck::CKR_OK);
    assert!(!module.slots(false).unwrap().is_empty());
    module.finalize().unwrap();
    assert_eq!(HELD.load(Ordering::Relaxed), 0, "a mutex of the host's stayed locked");
}

#[test]
fn no_arguments_are_enough() {
    isolated(|bench| {
        let module = bench.initialised();
        module.slots(true).unwrap();
        module.finalize().unwrap();
    });
}

#[test]
fn empty_arguments_are_enough() {
    isolated(|bench| works_with(bench, arguments(0)));
}

#[test]
fn locking_by_the_system_may_be_allowed() {
    isolated(|bench| works_with(bench, arguments(ck::CKF_OS_LOCKING_OK)));
}

#[test]
fn no_threads_of_its_own_are_needed() {
    isolated(|bench| works_with(bench, arguments(ck::CKF_LIBRARY_CANT_CREATE_OS_THREADS)));
}

#[test]
fn the_flags_of_gnutls_are_accepted() {
    let flags = ck::CKF_LIBRARY_CANT_CREATE_OS_THREADS | ck::CKF_OS_LOCKING_OK;
    isolated(move |bench| works_with(bench, arguments(flags)));
}

#[test]
fn mutexes_of_the_host_may_be_offered_beside_those_of_the_system() {
    isolated(|bench| works_with(bench, with_callbacks(15, ck::CKF_OS_LOCKING_OK)));
}

#[test]
fn mutexes_of_the_host_alone_are_accepted_or_refused_with_cant_lock() {
    isolated(|bench| {
        let module = bench.load();
        let rv = initialise(&module, with_callbacks(15, 0));
        rv.is_one_of(&[ck::CKR_OK, ck::CKR_CANT_LOCK]);
        if rv == Rv(ck::CKR_OK) {
            module.slots(true).unwrap();
            module.finalize().unwrap();
        } else {
            module.slots(true).refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
            initialise(&module, arguments(ck::CKF_OS_LOCKING_OK)).is(ck::CKR_OK);
        }
    });
}

#[test]
fn some_but_not_all_callbacks_are_refused() {
    isolated(|bench| {
        let module = bench.load();
        for flags in [0, ck::CKF_OS_LOCKING_OK] {
            for which in 1..15 {
                initialise(&module, with_callbacks(which, flags)).is(ck::CKR_ARGUMENTS_BAD);
                module.slots(false).refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
            }
        }
        assert_eq!(MADE.load(Ordering::Relaxed), 0, "no callback of a refused call is used");
    });
}

#[test]
fn something_in_the_reserved_place_is_refused_and_not_followed() {
    isolated(|bench| {
        let module = bench.load();
        for which in [0, 15] {
            let mut arguments = with_callbacks(which, ck::CKF_OS_LOCKING_OK);
            arguments.pReserved = crate::support::module::wild();
            initialise(&module, arguments).is(ck::CKR_ARGUMENTS_BAD);
        }
        module.initialize().unwrap();
    });
}

#[test]
fn unaligned_arguments_are_read() {
    isolated(|bench| {
        let module = bench.load();
        let mut room = [0_u64; 8];
        let odd = room.as_mut_ptr().cast::<u8>().wrapping_add(1);
        // SAFETY: the room is longer than the arguments and one byte.
        let write = || unsafe {
            odd.cast::<ck::CK_C_INITIALIZE_ARGS>()
                .write_unaligned(arguments(ck::CKF_OS_LOCKING_OK));
        };
        write();
        call!(module, C_Initialize(odd.cast())).is(ck::CKR_OK);
    });
}

#[test]
fn a_second_initialise_is_refused_and_changes_nothing() {
    isolated(|bench| {
        let module = bench.initialised();
        module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        initialise(&module, arguments(0)).is(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        module.slots(true).unwrap();
        module.finalize().unwrap();
    });
}

#[test]
fn finalise_with_something_reserved_is_refused_and_changes_nothing() {
    isolated(|bench| {
        let module = bench.initialised();
        let reserved = crate::support::module::wild();
        call!(module, C_Finalize(reserved)).is(ck::CKR_ARGUMENTS_BAD);
        module.slots(true).unwrap();
        module.finalize().unwrap();
    });
}

#[test]
fn finalise_before_initialise_is_refused() {
    isolated(|bench| {
        let module = bench.load();
        module.finalize().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        module.initialize().unwrap();
        module.finalize().unwrap();
        module.finalize().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
    });
}

#[test]
fn the_library_can_be_initialised_again_and_again() {
    isolated(|bench| {
        let module = bench.load();
        for _ in 0..20 {
            module.initialize().unwrap();
            let slot = module.slots(true).unwrap()[0];
            module.token_info(slot).unwrap();
            module.finalize().unwrap();
        }
    });
}

#[test]
fn finalise_ends_sessions_and_logins() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        token.module.finalize().unwrap();
        session.info().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        token.module.initialize().unwrap();
        session.info().refused(ck::CKR_SESSION_HANDLE_INVALID);
        assert_eq!(token.public().state(), ck::CKS_RW_PUBLIC_SESSION);
    });
}

#[test]
fn one_of_many_threads_initialises_and_the_others_are_told_so() {
    isolated(|bench| {
        let module = bench.load();
        for _ in 0..10 {
            let answers: Vec<_> = std::thread::scope(|scope| {
                let start = || scope.spawn(|| module.initialize());
                let threads: Vec<_> = (0..8).map(|_| start()).collect();
                threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
            });
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
            let refused = Err(Rv(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED));
            assert!(answers.iter().all(|answer| answer.is_ok() || *answer == refused));
            module.finalize().unwrap();
        }
    });
}

#[test]
fn finalise_while_threads_work_makes_their_calls_end_cleanly() {
    isolated(|bench| {
        let token = bench.token();
        for _ in 0..5 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| while token.module.slots(true).is_ok() {});
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
                token.module.finalize().unwrap();
            });
            token.module.initialize().unwrap();
        }
    });
}

#[test]
fn a_host_without_callbacks_gets_no_callback() {
    isolated(|bench| {
        works_with(bench, arguments(ck::CKF_OS_LOCKING_OK));
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        call!(bench.initialised(), C_GetInfo(null_mut())).is(ck::CKR_ARGUMENTS_BAD);
    });
}
