//! Wrapping and unwrapping keys. PKCS#11 3.2, "Key management functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV,
    CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR,
};
use crate::error::Rv;
use crate::mechanism::operation::Reply;

use super::in_session;
use super::input::{in_and_out, input};
use super::mechanism::mechanism;
use super::mechanism::returned::{Direction, enveloping, wrapping};
use super::output::{output, write};
use super::template::template;

/// # Safety
/// `mechanism_` is null or valid, with all that its parameter points to; `len` is null or valid;
/// `buffer` is null or valid for writes of `*len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WrapKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::WrapKey, session, |call| {
        // SAFETY: this function's own contract.
        let (given, places) = unsafe { wrapping(mechanism_)? };
        // SAFETY: this function's own contract.
        let output = unsafe { output(buffer, len)? };
        let mut back = Reply::default();
        output.lend(|room| {
            let (written, returned) = call.wrap_key(&given, (wrapping_key, key), room)?;
            back = returned;
            Ok(written)
        })?;
        // SAFETY: this function's own contract.
        unsafe { places.give(&back) };
        Ok(())
    })
}

/// # Safety
/// `mechanism_` is null or valid; `wrapped` is null or valid for reads of `wrapped_len` bytes;
/// `attributes` is null or valid for reads of `count` attributes; `key` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_UnwrapKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: CK_BYTE_PTR,
    wrapped_len: CK_ULONG,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::UnwrapKey, session, |call| {
        if key.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let wrapped = unsafe { input(wrapped, wrapped_len)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let handle = call.unwrap_key(&given, unwrapping_key, wrapped, template)?;
        // SAFETY: this function's own contract.
        unsafe { write(key, handle) }
    })
}

/// # Safety
/// As for `C_WrapKey`; `associated` is null or valid for reads of `associated_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WrapKeyAuthenticated(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    associated: CK_BYTE_PTR,
    associated_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::WrapKeyAuthenticated, session, |call| {
        // SAFETY: this function's own contract.
        let (given, places) = unsafe { enveloping(mechanism_, Direction::Wrap)? };
        // SAFETY: this function's own contract.
        let (data, output) = unsafe { in_and_out(associated, associated_len, buffer, len)? };
        let mut back = Reply::default();
        output.lend(|room| {
            let keys = (wrapping_key, key);
            let (written, returned) = call.wrap_key_authenticated(&given, keys, &data, room)?;
            back = returned;
            Ok(written)
        })?;
        // SAFETY: this function's own contract.
        unsafe { places.give(&back) };
        Ok(())
    })
}

/// # Safety
/// As for `C_UnwrapKey`; `associated` is null or valid for reads of `associated_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_UnwrapKeyAuthenticated(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: CK_BYTE_PTR,
    wrapped_len: CK_ULONG,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    associated: CK_BYTE_PTR,
    associated_len: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::UnwrapKeyAuthenticated, session, |call| {
        if key.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let (given, _) = unsafe { enveloping(mechanism_, Direction::Unwrap)? };
        // SAFETY: this function's own contract.
        let wrapped = unsafe { input(wrapped, wrapped_len)? };
        // SAFETY: this function's own contract.
        let data = unsafe { input(associated, associated_len)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let bytes = (wrapped, data);
        let handle = call.unwrap_key_authenticated(&given, unwrapping_key, bytes, template)?;
        // SAFETY: this function's own contract.
        unsafe { write(key, handle) }
    })
}
