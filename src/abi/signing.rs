//! Signing and MACing. PKCS#11 3.2, "Signing and MACing functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::{in_and_out, input};
use super::mechanism::one_time::framed;
use super::mechanism::optional_mechanism;
use super::output::output;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::SignInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.sign_init(mechanism, key)
    })
}

/// # Safety
/// `data` is null or valid for reads of `data_len` bytes; `len` is null or valid; `signature`
/// is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::Sign, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(data, data_len, signature, len) };
        let (data, output) = given.inspect_err(|_| call.abandon(Kind::Sign))?;
        output.lend(|room| match call.makes_password() {
            true => framed(room, |room| call.sign(&data, room)),
            false => call.sign(&data, room),
        })
    })
}

/// # Safety
/// `part` is null or valid for reads of `part_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignUpdate(
    session: CK_SESSION_HANDLE,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::SignUpdate, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(part, part_len) };
        let part = given.inspect_err(|_| call.abandon(Kind::Sign))?;
        call.sign_update(part)
    })
}

/// # Safety
/// `len` is null or valid; `signature` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignFinal(
    session: CK_SESSION_HANDLE,
    signature: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::SignFinal, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { output(signature, len) };
        let output = given.inspect_err(|_| call.abandon(Kind::Sign))?;
        output.lend(|room| match call.makes_password() {
            true => framed(room, |room| call.sign_final(room)),
            false => call.sign_final(room),
        })
    })
}
