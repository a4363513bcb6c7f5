//! Verifying signatures and MACs, the signature last or first. PKCS#11 3.2, "Functions for
//! verifying signatures and MACs".

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

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to; `signature` is null or
/// valid for reads of `signature_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
    signature: CK_BYTE_PTR,
    signature_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifySignatureInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        // What ends an operation brings no signature.
        let signature_len = if mechanism.is_some() { signature_len } else { 0 };
        // SAFETY: this function's own contract.
        let signature = unsafe { input(signature, signature_len)? };
        call.verify_signature_init(mechanism, key, signature)
    })
}

/// # Safety
/// `data` is null or valid for reads of `data_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignature(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifySignature, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(data, data_len) };
        let data = given.inspect_err(|_| call.abandon(Kind::VerifySignature))?;
        call.verify_signature(data)
    })
}

/// # Safety
/// `part` is null or valid for reads of `part_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureUpdate(
    session: CK_SESSION_HANDLE,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::VerifySignatureUpdate, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(part, part_len) };
        let part = given.inspect_err(|_| call.abandon(Kind::VerifySignature))?;
        call.verify_signature_update(part)
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::VerifySignatureFinal, session, |call| call.verify_signature_final())
}
