//! Signatures that give their data back. PKCS#11 3.2, "C_SignRecover", "C_VerifyRecover".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::in_and_out;
use super::mechanism::optional_mechanism;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignRecoverInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::SignRecoverInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.sign_recover_init(mechanism, key)
    })
}

/// # Safety
/// `data` is null or valid for reads of `data_len` bytes; `len` is null or valid;
/// `signature` is null or valid for writes of `*len` bytes. Both may be the same memory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignRecover(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::SignRecover, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(data, data_len, signature, len) };
        let (given, output) = given.inspect_err(|_| call.abandon(Kind::SignRecover))?;
        output.lend(|room| call.sign_recover(&given, room))
    })
}

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyRecoverInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::VerifyRecoverInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.verify_recover_init(mechanism, key)
    })
}

/// # Safety
/// `signature` is null or valid for reads of `signature_len` bytes; `len` is null or valid;
/// `data` is null or valid for writes of `*len` bytes. Both may be the same memory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyRecover(
    session: CK_SESSION_HANDLE,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
    data: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::VerifyRecover, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(signature, signature_len, data, len) };
        let (given, output) = given.inspect_err(|_| call.abandon(Kind::VerifyRecover))?;
        output.lend(|room| call.verify_recover(&given, room))
    })
}
