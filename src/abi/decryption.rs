//! Decryption. PKCS#11 3.2, "Decryption functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::in_and_out;
use super::mechanism::optional_mechanism;
use super::output::output;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::DecryptInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.decrypt_init(mechanism, key)
    })
}

/// # Safety
/// `data` is null or valid for reads of `data_len` bytes; `len` is null or valid; `buffer` is
/// null or valid for writes of `*len` bytes. Both buffers may be the same memory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Decrypt(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::Decrypt, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(data, data_len, buffer, len) };
        let (data, output) = given.inspect_err(|_| call.abandon(Kind::Decrypt))?;
        output.lend(|room| call.decrypt(&data, room))
    })
}

/// # Safety
/// As for `C_Decrypt`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptUpdate(
    session: CK_SESSION_HANDLE,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::DecryptUpdate, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(part, part_len, buffer, len) };
        let (part, output) = given.inspect_err(|_| call.abandon(Kind::Decrypt))?;
        output.lend(|room| call.decrypt_update(&part, room))
    })
}

/// # Safety
/// `len` is null or valid; `buffer` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptFinal(
    session: CK_SESSION_HANDLE,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::DecryptFinal, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { output(buffer, len) };
        let output = given.inspect_err(|_| call.abandon(Kind::Decrypt))?;
        output.lend(|room| call.decrypt_final(room))
    })
}
