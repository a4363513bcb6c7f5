//! Verification of one message after another. PKCS#11 3.2, "Message-based functions for verifying
//! signatures and MACs".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_VOID_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::input;
use super::mechanism::message::own_parameter;
use super::mechanism::optional_mechanism;

const KIND: Kind = Kind::MessageVerify;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageVerifyInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::MessageVerifyInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.message_verify_init(mechanism, key)
    })
}

/// # Safety
/// `parameter` is null, or leads to `parameter_len` bytes of the mechanism's own structure, whose
/// pointers lead to what their lengths say; `data` and `signature` are null or valid for reads of
/// their lengths.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifyMessage, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let own = unsafe { own_parameter(shape, parameter, parameter_len)? };
        // SAFETY: this function's own contract.
        let data = unsafe { input(data, data_len)? };
        // SAFETY: this function's own contract.
        let signature = unsafe { input(signature, signature_len)? };
        call.verify_message(own.as_ref(), data, signature)
    })
}

/// # Safety
/// As for `C_VerifyMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifyMessageBegin, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let own = unsafe { own_parameter(shape, parameter, parameter_len)? };
        call.verify_message_begin(own.as_ref())
    })
}

/// Without a signature there is more to come. The parameter is the one that the message began
/// with.
///
/// # Safety
/// As for `C_VerifyMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessageNext(
    session: CK_SESSION_HANDLE,
    _parameter: CK_VOID_PTR,
    _parameter_len: CK_ULONG,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifyMessageNext, session, |call| {
        let bad = |_: &_| call.abandon_message(KIND);
        // SAFETY: this function's own contract.
        let part = unsafe { input(part, part_len) }.inspect_err(bad)?;
        if signature.is_null() {
            return call.verify_message_next(part, None);
        }
        // SAFETY: this function's own contract.
        let signature = unsafe { input(signature, signature_len) }.inspect_err(bad)?;
        call.verify_message_next(part, Some(signature))
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageVerifyFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::MessageVerifyFinal, session, |call| call.message_final(KIND))
}
