//! The state of a session's operations. PKCS#11 3.2, "C_GetOperationState", "C_SetOperationState".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR,
};
use crate::error::Rv;

use super::in_session;
use super::input::input;
use super::output::output;

/// Longer than any state, in bytes.
const LONGEST_STATE: usize = 1 << 16;

/// # Safety
/// `len` is null or valid; `state` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetOperationState(
    session: CK_SESSION_HANDLE,
    state: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::GetOperationState, session, |call| {
        // SAFETY: this function's own contract.
        let output = unsafe { output(state, len)? };
        output.lend(|room| call.operation_state(room))
    })
}

/// # Safety
/// `state` is null or valid for reads of `len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetOperationState(
    session: CK_SESSION_HANDLE,
    state: CK_BYTE_PTR,
    len: CK_ULONG,
    encryption_key: CK_OBJECT_HANDLE,
    authentication_key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::SetOperationState, session, |call| {
        // SAFETY: this function's own contract.
        let state = unsafe { input(state, len)? };
        if state.len() > LONGEST_STATE {
            return Err(Rv::SavedStateInvalid.because("longer than any state"));
        }
        call.set_operation_state(state, encryption_key, authentication_key)
    })
}
