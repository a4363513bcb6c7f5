//! C_Initialize to C_Finalize, slots, and forks.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::{on_bench, on_token};
use crate::support::children::in_child;
use crate::support::module::wild;
use crate::support::{Module, Refused, call};

unsafe extern "C" fn create(_: *mut *mut c_void) -> ck::CK_RV {
    ck::CKR_OK
}

unsafe extern "C" fn other(_: *mut c_void) -> ck::CK_RV {
    ck::CKR_OK
}

fn arguments() -> ck::CK_C_INITIALIZE_ARGS {
    ck::CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags: 0,
        pReserved: null_mut(),
    }
}

fn initialize(module: &Module, mut with: ck::CK_C_INITIALIZE_ARGS) -> crate::support::Rv {
    call!(module, C_Initialize((&raw mut with).cast()))
}

#[test]
fn a_second_c_initialize_says_so() {
    on_bench(|bench| {
        let module = bench.initialised();
        module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        module.finalize().unwrap();
        module.initialize().unwrap();
        module.finalize().unwrap();
    });
}

#[test]
fn something_in_preserved_is_a_bad_argument() {
    on_bench(|bench| {
        let module = bench.load();
        let with = ck::CK_C_INITIALIZE_ARGS { pReserved: wild(), ..arguments() };
        initialize(&module, with).is(ck::CKR_ARGUMENTS_BAD);
        module.finalize().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        module.initialize().unwrap();
        call!(module, C_Finalize(wild())).is(ck::CKR_ARGUMENTS_BAD);
        module.finalize().unwrap();
    });
}

#[test]
fn mutex_functions_come_all_or_none() {
    on_bench(|bench| {
        let module = bench.load();
        for flags in [0, ck::CKF_OS_LOCKING_OK] {
            let one = ck::CK_C_INITIALIZE_ARGS { CreateMutex: Some(create), flags, ..arguments() };
            initialize(&module, one).is(ck::CKR_ARGUMENTS_BAD);
            let three = ck::CK_C_INITIALIZE_ARGS {
                DestroyMutex: Some(other),
                LockMutex: Some(other),
                ..one
            };
            initialize(&module, three).is(ck::CKR_ARGUMENTS_BAD);
        }
        let all = ck::CK_C_INITIALIZE_ARGS {
            CreateMutex: Some(create),
            DestroyMutex: Some(other),
            LockMutex: Some(other),
            UnlockMutex: Some(other),
            ..arguments()
        };
        initialize(&module, ck::CK_C_INITIALIZE_ARGS { flags: ck::CKF_OS_LOCKING_OK, ..all })
            .is(ck::CKR_OK);
        module.finalize().unwrap();
    });
}

#[test]
fn nothing_is_told_before_c_initialize() {
    on_bench(|bench| {
        let module = bench.load();
        let not_yet = ck::CKR_CRYPTOKI_NOT_INITIALIZED;
        module.finalize().refused(not_yet);
        let mut info = ck::CK_INFO::default();
        call!(module, C_GetInfo(&raw mut info)).is(not_yet);
        module.slots(true).refused(not_yet);
        module.slot_info(0).refused(not_yet);
        module.token_info(0).refused(not_yet);
        module.mechanisms(0).refused(not_yet);
        module.mechanism_info(0, ck::CKM_SHA256).refused(not_yet);
        let mut slot = 0;
        call!(module, C_WaitForSlotEvent(ck::CKF_DONT_BLOCK, &raw mut slot, null_mut()))
            .is(not_yet);
        module.init_token(0, "12345678", "label").refused(not_yet);
        module.open(0, 0).map(drop).refused(not_yet);
        call!(module, C_CloseAllSessions(0)).is(not_yet);
        call!(module, C_Logout(1)).is(not_yet);
        call!(module, C_Digest(1, null_mut(), 0, null_mut(), null_mut())).is(not_yet);
        call!(module, C_SeedRandom(1, null_mut(), 0)).is(not_yet);
    });
}

#[test]
fn no_place_for_the_answer_is_a_bad_argument() {
    on_token(|token| {
        let (module, bad) = (&token.module, ck::CKR_ARGUMENTS_BAD);
        call!(module, C_GetInfo(null_mut())).is(bad);
        call!(module, C_GetFunctionList(null_mut())).is(bad);
        call!(module, C_GetSlotList(ck::CK_TRUE, null_mut(), null_mut())).is(bad);
        call!(module, C_GetSlotInfo(token.slot, null_mut())).is(bad);
        call!(module, C_GetTokenInfo(token.slot, null_mut())).is(bad);
        call!(module, C_GetMechanismList(token.slot, null_mut(), null_mut())).is(bad);
        call!(module, C_GetMechanismInfo(token.slot, ck::CKM_SHA256, null_mut())).is(bad);
    });
}

/// A slot number that no module of this kind gives out.
const NO_SLOT: ck::CK_SLOT_ID = 1 << 31;

#[test]
fn a_slot_that_is_not_there_is_told() {
    on_token(|token| {
        let (module, invalid) = (&token.module, ck::CKR_SLOT_ID_INVALID);
        module.slot_info(NO_SLOT).refused(invalid);
        module.token_info(NO_SLOT).refused(invalid);
        module.mechanisms(NO_SLOT).refused(invalid);
        module.mechanism_info(NO_SLOT, ck::CKM_SHA256).refused(invalid);
        module.open(NO_SLOT, 0).map(drop).refused(invalid);
        call!(module, C_CloseAllSessions(NO_SLOT)).is(invalid);
        module.init_token(NO_SLOT, "12345678", "label").refused(invalid);
    });
}

#[test]
fn a_short_list_of_slots_tells_how_long_it_is() {
    on_token(|token| {
        let (mut one, mut count) = ([0; 8], 0);
        let list = one.as_mut_ptr();
        let module = &token.module;
        call!(module, C_GetSlotList(ck::CK_TRUE, list, &raw mut count))
            .is(ck::CKR_BUFFER_TOO_SMALL);
        // The count is what the next call needs.
        assert!(count >= 2, "a token, and one that waits for C_InitToken");
        call!(module, C_GetSlotList(ck::CK_TRUE, list, &raw mut count)).is(ck::CKR_OK);
    });
}

#[test]
fn there_is_always_a_token_that_waits_to_be_initialised() {
    on_token(|token| {
        let module = &token.module;
        let free = module.free_slot();
        assert_ne!(free, token.slot);
        for slot in [free, token.slot] {
            let flags = module.slot_info(slot).unwrap().flags;
            assert_eq!(flags & ck::CKF_TOKEN_PRESENT, ck::CKF_TOKEN_PRESENT);
            assert_eq!(flags & ck::CKF_REMOVABLE_DEVICE, 0);
        }
        module.open(free, 0).map(drop).refused(ck::CKR_TOKEN_NOT_RECOGNIZED);
        call!(module, C_CloseAllSessions(free)).is(ck::CKR_OK);
        module.finalize().unwrap();
        module.initialize().unwrap();
        let slots = module.slots(true).unwrap();
        let initialised =
            |slot: &&ck::CK_SLOT_ID| module.token_has(**slot, ck::CKF_TOKEN_INITIALIZED);
        assert_eq!(slots.iter().filter(initialised).count(), 1);
        assert!(slots.len() >= 2);
    });
}

#[test]
fn every_mechanism_of_the_list_has_its_info_and_no_other_has() {
    on_token(|token| {
        let module = &token.module;
        let (mut one, mut count) = ([0; 1], 1);
        call!(module, C_GetMechanismList(token.slot, one.as_mut_ptr(), &raw mut count))
            .is(ck::CKR_BUFFER_TOO_SMALL);
        let list = module.mechanisms(token.slot).unwrap();
        assert!(list.len() > 2);
        for mechanism in list {
            module.mechanism_info(token.slot, mechanism).unwrap();
        }
        module
            .mechanism_info(token.slot, ck::CKM_VENDOR_DEFINED)
            .refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn nobody_waits_for_slot_events() {
    on_token(|token| {
        let mut slot = 0;
        let module = &token.module;
        call!(module, C_WaitForSlotEvent(ck::CKF_DONT_BLOCK, &raw mut slot, null_mut()))
            .is(ck::CKR_NO_EVENT);
        call!(module, C_WaitForSlotEvent(0, &raw mut slot, null_mut()))
            .is(ck::CKR_FUNCTION_NOT_SUPPORTED);
    });
}

#[test]
fn a_forked_child_finds_the_library_initialised_and_can_end_it() {
    on_token(|token| {
        in_child(|| {
            token.module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
            token.module.finalize().unwrap();
        });
        token.module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        token.module.finalize().unwrap();
    });
}
