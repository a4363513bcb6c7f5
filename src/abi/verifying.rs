//! Verifying signatures and MACs. PKCS#11 3.2, "Functions for verifying signatures and MACs".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
};
use crate::error::Result;
use crate::session::Kind;

use super::in_session;
use super::input::input;
use super::mechanism::optional_mechanism;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::VerifyInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.verify_init(mechanism, key)
    })
}

/// # Safety
/// `data` and `signature` are null or valid for reads of their lengths.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Verify(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::Verify, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { two_inputs(data, data_len, signature, signature_len) };
        let (data, signature) = given.inspect_err(|_| call.abandon(Kind::Verify))?;
        call.verify(data, signature)
    })
}

/// # Safety
/// Both pointers are null or valid for reads of their lengths.
unsafe fn two_inputs<'a>(
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> Result<(&'a [u8], &'a [u8])> {
    // SAFETY: this function's own contract.
    let data = unsafe { input(data, data_len)? };
    // SAFETY: this function's own contract.
    let signature = unsafe { input(signature, signature_len)? };
    Ok((data, signature))
}

/// # Safety
/// `part` is null or valid for reads of `part_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyUpdate(
    session: CK_SESSION_HANDLE,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifyUpdate, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(part, part_len) };
        let part = given.inspect_err(|_| call.abandon(Kind::Verify))?;
        call.verify_update(part)
    })
}

/// # Safety
/// `signature` is null or valid for reads of `signature_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyFinal(
    session: CK_SESSION_HANDLE,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifyFinal, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(signature, signature_len) };
        let signature = given.inspect_err(|_| call.abandon(Kind::Verify))?;
        call.verify_final(signature)
    })
}
