//! Digests. PKCS#11 3.2, "Message digesting functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::{in_and_out, input};
use super::mechanism::optional_mechanism;
use super::output::output;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
) -> CK_RV {
    in_session(Function::DigestInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { optional_mechanism(mechanism)? };
        call.digest_init(mechanism)
    })
}

/// # Safety
/// `data` is null or valid for reads of `data_len` bytes; `len` is null or valid; `digest` is
/// null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Digest(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    digest: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::Digest, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { in_and_out(data, data_len, digest, len) };
        let (data, output) = given.inspect_err(|_| call.abandon(Kind::Digest))?;
        output.lend(|room| call.digest(&data, room))
    })
}

/// # Safety
/// `part` is null or valid for reads of `part_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestUpdate(
    session: CK_SESSION_HANDLE,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::DigestUpdate, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { input(part, part_len) };
        let part = given.inspect_err(|_| call.abandon(Kind::Digest))?;
        call.digest_update(part)
    })
}

/// # Safety
/// None of its own: two numbers.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestKey(
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::DigestKey, session, |call| call.digest_key(key))
}

/// # Safety
/// `len` is null or valid; `digest` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestFinal(
    session: CK_SESSION_HANDLE,
    digest: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::DigestFinal, session, |call| {
        // SAFETY: this function's own contract.
        let given = unsafe { output(digest, len) };
        let output = given.inspect_err(|_| call.abandon(Kind::Digest))?;
        output.lend(|room| call.digest_final(room))
    })
}
