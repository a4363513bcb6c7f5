//! Signatures and MACs of one message after another. PKCS#11 3.2, "Message-based signing and MACing
//! functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR, CK_VOID_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::{in_and_out, input};
use super::mechanism::message::own_parameter;
use super::mechanism::optional_mechanism;

const KIND: Kind = Kind::MessageSign;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageSignInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::MessageSignInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.message_sign_init(mechanism, key)
    })
}

/// # Safety
/// `parameter` is null, or leads to `parameter_len` bytes of the mechanism's own structure, whose
/// pointers lead to what their lengths say; `data` is null or valid for reads of `data_len`
/// bytes; `len` is null or valid; `signature` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::SignMessage, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let own = unsafe { own_parameter(shape, parameter, parameter_len)? };
        // SAFETY: this function's own contract.
        let (data, output) = unsafe { in_and_out(data, data_len, signature, len)? };
        output.lend(|room| call.sign_message(own.as_ref(), &data, room))
    })
}

/// # Safety
/// As for `C_SignMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::SignMessageBegin, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let own = unsafe { own_parameter(shape, parameter, parameter_len)? };
        call.sign_message_begin(own.as_ref())
    })
}

/// Without a place for the signature's length there is more to come. The parameter is the one
/// that the message began with.
///
/// # Safety
/// As for `C_SignMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessageNext(
    session: CK_SESSION_HANDLE,
    _parameter: CK_VOID_PTR,
    _parameter_len: CK_ULONG,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::SignMessageNext, session, |call| {
        let bad = |_: &_| call.abandon_message(KIND);
        if len.is_null() {
            // SAFETY: this function's own contract.
            let part = unsafe { input(part, part_len) }.inspect_err(bad)?;
            return call.sign_message_next(part);
        }
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(part, part_len, signature, len) };
        let (part, output) = given.inspect_err(bad)?;
        output.lend(|room| call.sign_message_last(&part, room))
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageSignFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::MessageSignFinal, session, |call| call.message_final(KIND))
}
