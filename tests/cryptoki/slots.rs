//! Slots, tokens and mechanisms as the library lists them, and C_InitToken.
//! PKCS#11 3.2, "Slot and token management functions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::token::make_token;
use crate::support::{Module, Refused, SO_PIN, call, isolated};

/// Slot ids that no token ever has.
const NO_SLOTS: [ck::CK_SLOT_ID; 3] = [0x7fff_fffe, 0x8000_0000, ck::CK_SLOT_ID::MAX];

const INITIALISED: ck::CK_FLAGS = ck::CKF_TOKEN_INITIALIZED;

/// A second, uninitialised token beside the first one.
const SPARE: &str = "slots.spare = true";

pub fn serial(module: &Module, slot: ck::CK_SLOT_ID) -> [u8; 16] {
    module.token_info(slot).unwrap().serialNumber
}

#[test]
fn without_any_token_there_is_one_slot_to_make_one_in() {
    isolated(|bench| {
        let module = bench.initialised();
        let slots = module.slots(true).unwrap();
        assert_eq!(slots.len(), 1);
        assert_eq!(module.slots(false).unwrap(), slots);
        assert!(slots[0] < 1 << 31, "Java reads slot ids as signed 32-bit numbers");
        assert!(!module.token_has(slots[0], INITIALISED));
    });
}

#[test]
fn slots_are_not_removable_and_always_hold_a_token() {
    isolated(|bench| {
        let token = bench.token();
        for slot in token.module.slots(false).unwrap() {
            let info = token.module.slot_info(slot).unwrap();
            assert_eq!(info.flags, ck::CKF_TOKEN_PRESENT);
            assert!(!info.slotDescription.contains(&0) && !info.manufacturerID.contains(&0));
        }
    });
}

#[test]
fn a_token_made_in_the_free_slot_is_in_that_slot() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        module.init_token(slot, SO_PIN, "first").unwrap();
        assert!(module.token_has(slot, INITIALISED));
        assert_eq!(module.slots(true).unwrap(), [slot], "no phantom slot unless asked for");
    });
}

#[test]
fn a_slot_keeps_its_id_when_the_library_starts_again() {
    isolated(|bench| {
        let token = bench.token();
        for _ in 0..3 {
            token.module.finalize().unwrap();
            token.module.initialize().unwrap();
            assert_eq!(token.module.slots(true).unwrap(), [token.slot]);
        }
    });
}

#[test]
fn a_spare_slot_is_there_when_configured() {
    isolated(|bench| {
        bench.configure(SPARE);
        let module = bench.initialised();
        let mut made = Vec::new();
        for label in ["one", "two", "three"] {
            module.slots(true).unwrap();
            made.push((label, make_token(&module, label)));
        }
        module.finalize().unwrap();
        module.initialize().unwrap();
        assert_eq!(module.slots(true).unwrap().len(), 4);
        for (label, slot) in made {
            assert_eq!(module.slot_of(label), Some(slot), "{label}");
        }
        assert!(!module.token_has(module.free_slot(), INITIALISED));
    });
}

#[test]
fn each_token_has_a_serial_number_of_its_own() {
    isolated(|bench| {
        bench.configure(SPARE);
        let module = bench.initialised();
        let slots = ["one", "two"].map(|label| make_token(&module, label));
        let serials = slots.map(|slot| serial(&module, slot));
        assert_ne!(serials[0], serials[1]);
        for serial in serials {
            assert!(serial.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '));
            assert_ne!(serial[0], b' ');
        }
    });
}

#[test]
fn a_list_of_slots_that_is_too_short_is_refused_with_the_needed_count() {
    isolated(|bench| {
        let module = bench.initialised();
        let (mut slot, mut count) = (ck::CK_SLOT_ID::MAX, 0);
        let mut list = || call!(module, C_GetSlotList(ck::CK_TRUE, &raw mut slot, &raw mut count));
        list().is(ck::CKR_BUFFER_TOO_SMALL);
        list().is(ck::CKR_OK);
        assert_eq!(count, 1);
        assert_ne!(slot, ck::CK_SLOT_ID::MAX);
    });
}

#[test]
fn a_list_of_slots_with_room_to_spare_says_how_many_there_are() {
    isolated(|bench| {
        let module = bench.initialised();
        let mut slots = [ck::CK_SLOT_ID::MAX; 5];
        let mut count = 5;
        call!(module, C_GetSlotList(ck::CK_FALSE, slots.as_mut_ptr(), &raw mut count))
            .is(ck::CKR_OK);
        assert_eq!(count, 1);
        assert_eq!(slots[1..], [ck::CK_SLOT_ID::MAX; 4], "nothing is written beyond the count");
    });
}

#[test]
fn an_unknown_slot_is_refused_everywhere() {
    isolated(|bench| {
        let module = bench.initialised();
        for slot in NO_SLOTS {
            let invalid = ck::CKR_SLOT_ID_INVALID;
            module.slot_info(slot).refused(invalid);
            module.token_info(slot).refused(invalid);
            module.mechanisms(slot).refused(invalid);
            module.mechanism_info(slot, ck::CKM_SHA256).refused(invalid);
            module.init_token(slot, SO_PIN, "none").refused(invalid);
            module.open(slot, 0).map(|session| session.handle).refused(invalid);
            call!(module, C_CloseAllSessions(slot)).is(invalid);
        }
    });
}

#[test]
fn an_uninitialised_token_says_so_and_opens_no_session() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.free_slot();
        let opened = module.open(slot, ck::CKF_RW_SESSION).map(|session| session.handle);
        opened.refused(ck::CKR_TOKEN_NOT_RECOGNIZED);
        call!(module, C_CloseAllSessions(slot)).is(ck::CKR_OK);
        assert!(!module.token_has(slot, ck::CKF_USER_PIN_INITIALIZED));
        assert!(!module.mechanisms(slot).unwrap().is_empty());
    });
}

#[test]
fn every_listed_mechanism_describes_itself() {
    isolated(|bench| {
        let token = bench.token();
        let list = token.module.mechanisms(token.slot).unwrap();
        for mechanism in &list {
            let info = token.module.mechanism_info(token.slot, *mechanism).unwrap();
            assert!(info.ulMinKeySize <= info.ulMaxKeySize, "{mechanism:#x}");
            assert_ne!(info.flags & !ck::CKF_HW, 0, "{mechanism:#x} does nothing");
        }
        let mut unique = list.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), list.len(), "a mechanism is listed twice");
    });
}

#[test]
fn unlisted_mechanisms_are_unknown() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.slots(true).unwrap()[0];
        let list = module.mechanisms(slot).unwrap();
        for mechanism in
            [ck::CKM_VENDOR_DEFINED, 0xffff_ffff, ck::CK_ULONG::MAX, ck::CKM_RC2_KEY_GEN]
        {
            assert!(!list.contains(&mechanism));
            module.mechanism_info(slot, mechanism).refused(ck::CKR_MECHANISM_INVALID);
        }
    });
}

#[test]
fn a_list_of_mechanisms_that_is_too_short_is_refused_with_the_needed_count() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.slots(true).unwrap()[0];
        let mut list = vec![ck::CK_MECHANISM_TYPE::MAX; 1000];
        let mut count = 1;
        call!(module, C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count))
            .is(ck::CKR_BUFFER_TOO_SMALL);
        assert!(count > 2);
        call!(module, C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count)).is(ck::CKR_OK);
        assert_eq!(list[usize::try_from(count).unwrap()], ck::CK_MECHANISM_TYPE::MAX);
    });
}

/// Mechanism, flags that it must have, and its least and greatest key size if they are promised.
type Promise = (ck::CK_MECHANISM_TYPE, ck::CK_FLAGS, Option<(ck::CK_ULONG, ck::CK_ULONG)>);

const SIGNING: ck::CK_FLAGS = ck::CKF_SIGN | ck::CKF_VERIFY;
const CIPHERING: ck::CK_FLAGS = ck::CKF_ENCRYPT | ck::CKF_DECRYPT;
const PAIR: ck::CK_FLAGS = ck::CKF_GENERATE_KEY_PAIR;

#[rustfmt::skip]
const FIRST_DAY: &[Promise] = &[
    (ck::CKM_RSA_PKCS_KEY_PAIR_GEN, PAIR, Some((2048, 8192))),
    (ck::CKM_RSA_PKCS, SIGNING | CIPHERING, None),
    (ck::CKM_RSA_PKCS_OAEP, CIPHERING, None),
    (ck::CKM_RSA_PKCS_PSS, SIGNING, None),
    (ck::CKM_SHA224_RSA_PKCS, SIGNING, None),
    (ck::CKM_SHA256_RSA_PKCS, SIGNING, None),
    (ck::CKM_SHA384_RSA_PKCS, SIGNING, None),
    (ck::CKM_SHA512_RSA_PKCS, SIGNING, None),
    (ck::CKM_SHA224_RSA_PKCS_PSS, SIGNING, None),
    (ck::CKM_SHA256_RSA_PKCS_PSS, SIGNING, None),
    (ck::CKM_SHA384_RSA_PKCS_PSS, SIGNING, None),
    (ck::CKM_SHA512_RSA_PKCS_PSS, SIGNING, None),
    (ck::CKM_EC_KEY_PAIR_GEN, PAIR, Some((224, 521))),
    (ck::CKM_ECDSA, SIGNING, Some((224, 521))),
    (ck::CKM_ECDSA_SHA224, SIGNING, Some((224, 521))),
    (ck::CKM_ECDSA_SHA256, SIGNING, Some((224, 521))),
    (ck::CKM_ECDSA_SHA384, SIGNING, Some((224, 521))),
    (ck::CKM_ECDSA_SHA512, SIGNING, Some((224, 521))),
    (ck::CKM_ECDH1_DERIVE, ck::CKF_DERIVE, Some((224, 521))),
    (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, PAIR, None),
    (ck::CKM_EDDSA, SIGNING, None),
    (ck::CKM_AES_KEY_GEN, ck::CKF_GENERATE, None),
    (ck::CKM_AES_ECB, CIPHERING, Some((16, 32))),
    (ck::CKM_AES_CBC, CIPHERING, Some((16, 32))),
    (ck::CKM_AES_CBC_PAD, CIPHERING, Some((16, 32))),
    (ck::CKM_AES_CTR, CIPHERING, Some((16, 32))),
    (ck::CKM_AES_GCM, CIPHERING, Some((16, 32))),
    (ck::CKM_GENERIC_SECRET_KEY_GEN, ck::CKF_GENERATE, None),
    (ck::CKM_SHA224_HMAC, SIGNING, None),
    (ck::CKM_SHA256_HMAC, SIGNING, None),
    (ck::CKM_SHA384_HMAC, SIGNING, None),
    (ck::CKM_SHA512_HMAC, SIGNING, None),
    (ck::CKM_SHA_1, ck::CKF_DIGEST, None),
    (ck::CKM_SHA224, ck::CKF_DIGEST, None),
    (ck::CKM_SHA256, ck::CKF_DIGEST, None),
    (ck::CKM_SHA384, ck::CKF_DIGEST, None),
    (ck::CKM_SHA512, ck::CKF_DIGEST, None),
];

#[test]
fn the_mechanisms_of_the_first_day_are_listed_with_their_uses() {
    isolated(|bench| {
        let module = bench.initialised();
        let slot = module.slots(true).unwrap()[0];
        let list = module.mechanisms(slot).unwrap();
        for (mechanism, flags, sizes) in FIRST_DAY {
            assert!(list.contains(mechanism), "{mechanism:#x} is not listed");
            let info = module.mechanism_info(slot, *mechanism).unwrap();
            assert_eq!(info.flags & flags, *flags, "{mechanism:#x}");
            if let Some(sizes) = sizes {
                let found = (info.ulMinKeySize, info.ulMaxKeySize);
                assert_eq!(found, *sizes, "{mechanism:#x}");
            }
        }
    });
}

#[test]
fn no_slot_event_is_ever_reported() {
    isolated(|bench| {
        let module = bench.initialised();
        let mut slot = 0;
        call!(module, C_WaitForSlotEvent(ck::CKF_DONT_BLOCK, &raw mut slot, null_mut()))
            .is(ck::CKR_NO_EVENT);
        call!(module, C_WaitForSlotEvent(0, &raw mut slot, null_mut()))
            .is(ck::CKR_FUNCTION_NOT_SUPPORTED);
        let reserved = crate::support::module::wild();
        call!(module, C_WaitForSlotEvent(ck::CKF_DONT_BLOCK, &raw mut slot, reserved))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(module, C_WaitForSlotEvent(ck::CKF_DONT_BLOCK, null_mut(), null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
    });
}
