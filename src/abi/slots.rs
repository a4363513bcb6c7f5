//! Slots, tokens and mechanisms. PKCS#11 3.2, "Slot and token management functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BBOOL, CK_EFFECTIVELY_INFINITE, CK_FLAGS, CK_MECHANISM_INFO, CK_MECHANISM_INFO_PTR,
    CK_MECHANISM_TYPE, CK_MECHANISM_TYPE_PTR, CK_RV, CK_SLOT_ID, CK_SLOT_ID_PTR, CK_SLOT_INFO,
    CK_SLOT_INFO_PTR, CK_TOKEN_INFO, CK_TOKEN_INFO_PTR, CK_ULONG, CK_ULONG_PTR,
    CK_UNAVAILABLE_INFORMATION, CK_UTF8CHAR_PTR, CK_VERSION, CK_VOID_PTR, CKF_DONT_BLOCK,
    CKF_DUAL_CRYPTO_OPERATIONS, CKF_ERROR_STATE, CKF_LOGIN_REQUIRED, CKF_RNG, CKF_SO_PIN_COUNT_LOW,
    CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED, CKF_TOKEN_INITIALIZED, CKF_TOKEN_PRESENT,
    CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_INITIALIZED, CKF_USER_PIN_LOCKED,
    CKF_WRITE_PROTECTED,
};
use crate::error::Rv;
use crate::provider::{MANUFACTURER, MODEL, TokenView};
use crate::token::login::{LONGEST_PIN, SHORTEST_PIN, Tries};

use super::enter;
use super::general::VERSION;
use super::input::{input, pin};
use super::output::{padded, write, write_list};

const NO_HARDWARE: CK_VERSION = CK_VERSION { major: 0, minor: 0 };

/// # Safety
/// `count` is null or valid; `slots` is null or valid for writes of `*count` numbers.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotList(
    _token_present: CK_BBOOL,
    slots: CK_SLOT_ID_PTR,
    count: CK_ULONG_PTR,
) -> CK_RV {
    enter(Function::GetSlotList, |provider| {
        if count.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the count"));
        }
        // Every slot has a token in it, so the flag makes no difference. The set of slots is
        // looked at anew when the caller asks for the count.
        if slots.is_null() {
            provider.look_for_tokens()?;
            provider.look_at_host();
        }
        // SAFETY: this function's own contract.
        unsafe { write_list(slots, count, &provider.slot_ids()) }
    })
}

/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotInfo(slot: CK_SLOT_ID, info: CK_SLOT_INFO_PTR) -> CK_RV {
    enter(Function::GetSlotInfo, |provider| {
        let description = provider.slot_description(slot)?;
        let reply = CK_SLOT_INFO {
            slotDescription: padded(&description),
            manufacturerID: padded(MANUFACTURER),
            flags: CKF_TOKEN_PRESENT,
            hardwareVersion: NO_HARDWARE,
            firmwareVersion: VERSION,
        };
        // SAFETY: this function's own contract.
        unsafe { write(info, reply) }
    })
}

fn tries_flags(tries: Tries, low: CK_FLAGS, last: CK_FLAGS, locked: CK_FLAGS) -> CK_FLAGS {
    match tries {
        Tries::All => 0,
        Tries::Fewer => low,
        Tries::Last => low | last,
        Tries::None => locked,
    }
}

fn token_flags(view: &TokenView) -> CK_FLAGS {
    let mut flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_DUAL_CRYPTO_OPERATIONS;
    for (condition, flag) in [
        (view.initialized, CKF_TOKEN_INITIALIZED),
        (view.user_pin_set, CKF_USER_PIN_INITIALIZED),
        (view.write_protected, CKF_WRITE_PROTECTED),
        (view.distrusted, CKF_ERROR_STATE),
    ] {
        if condition {
            flags |= flag;
        }
    }
    flags |=
        tries_flags(view.so_tries, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
    flags
        | tries_flags(
            view.user_tries,
            CKF_USER_PIN_COUNT_LOW,
            CKF_USER_PIN_FINAL_TRY,
            CKF_USER_PIN_LOCKED,
        )
}

/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR) -> CK_RV {
    enter(Function::GetTokenInfo, |provider| {
        if info.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the token's information"));
        }
        let view = provider.token_view(slot)?;
        let reply = CK_TOKEN_INFO {
            label: view.label,
            manufacturerID: padded(MANUFACTURER),
            model: padded(MODEL),
            serialNumber: padded(&view.serial),
            flags: token_flags(&view),
            ulMaxSessionCount: CK_EFFECTIVELY_INFINITE,
            ulSessionCount: view.sessions,
            ulMaxRwSessionCount: CK_EFFECTIVELY_INFINITE,
            ulRwSessionCount: view.read_write_sessions,
            ulMaxPinLen: LONGEST_PIN,
            ulMinPinLen: SHORTEST_PIN,
            ulTotalPublicMemory: CK_UNAVAILABLE_INFORMATION,
            ulFreePublicMemory: CK_UNAVAILABLE_INFORMATION,
            ulTotalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
            ulFreePrivateMemory: CK_UNAVAILABLE_INFORMATION,
            hardwareVersion: NO_HARDWARE,
            firmwareVersion: VERSION,
            utcTime: [b'0'; 16],
        };
        // SAFETY: this function's own contract.
        unsafe { write(info, reply) }
    })
}

/// # Safety
/// `count` is null or valid; `mechanisms` is null or valid for writes of `*count` numbers.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    mechanisms: CK_MECHANISM_TYPE_PTR,
    count: CK_ULONG_PTR,
) -> CK_RV {
    enter(Function::GetMechanismList, |provider| {
        let list = provider.offers(slot)?.numbers();
        // SAFETY: this function's own contract.
        unsafe { write_list(mechanisms, count, &list) }
    })
}

/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismInfo(
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: CK_MECHANISM_INFO_PTR,
) -> CK_RV {
    enter(Function::GetMechanismInfo, |provider| {
        let offer = provider.offers(slot)?.find(mechanism)?;
        let reply = CK_MECHANISM_INFO {
            ulMinKeySize: offer.min_key_size,
            ulMaxKeySize: offer.row.max_key_size,
            flags: offer.row.flags(),
        };
        // SAFETY: this function's own contract.
        unsafe { write(info, reply) }
    })
}

/// # Safety
/// `so_pin` is null or valid for reads of `so_pin_len` bytes; `label` is null or valid for
/// reads of 32 bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitToken(
    slot: CK_SLOT_ID,
    so_pin: CK_UTF8CHAR_PTR,
    so_pin_len: CK_ULONG,
    label: CK_UTF8CHAR_PTR,
) -> CK_RV {
    enter(Function::InitToken, |provider| {
        provider.check_slot(slot)?;
        // SAFETY: this function's own contract.
        let so_pin = unsafe { pin(so_pin, so_pin_len)? }
            .ok_or_else(|| Rv::ArgumentsBad.because("no PIN"))?;
        if label.is_null() {
            return Err(Rv::ArgumentsBad.because("no label"));
        }
        // SAFETY: not null, and 32 bytes long as the caller promises.
        let given = unsafe { input(label, 32)? };
        let label = <[u8; 32]>::try_from(given).map_err(|_| Rv::ArgumentsBad.because("label"))?;
        provider.init_token(slot, &so_pin, &label)
    })
}

/// No slot event ever happens: tokens do not come and go in a slot. A blocking wait is refused
/// rather than kept waiting for ever; callers that poll get CKR_NO_EVENT.
///
/// # Safety
/// `slot` is null or valid for writes; nothing is written.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WaitForSlotEvent(
    flags: CK_FLAGS,
    slot: CK_SLOT_ID_PTR,
    reserved: CK_VOID_PTR,
) -> CK_RV {
    enter(Function::WaitForSlotEvent, |_provider| {
        if slot.is_null() || !reserved.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the slot, or pReserved set"));
        }
        if flags & CKF_DONT_BLOCK == 0 {
            return Err(Rv::FunctionNotSupported.because("waiting for slot events"));
        }
        Err(Rv::NoEvent.because("no slot event"))
    })
}
