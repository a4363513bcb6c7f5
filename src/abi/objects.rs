//! Objects. PKCS#11 3.2, "Object management functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_ATTRIBUTE_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR,
};
use crate::error::Rv;

use super::in_session;
use super::output::write;
use super::template::{answer, requests, template};

/// # Safety
/// `attributes` is null or valid for reads of `count` attributes; `object` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CreateObject(
    session: CK_SESSION_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    object: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::CreateObject, session, |call| {
        if object.is_null() || attributes.is_null() {
            return Err(Rv::ArgumentsBad.because("no template or no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let handle = call.create_object(template)?;
        // SAFETY: this function's own contract.
        unsafe { write(object, handle) }
    })
}

/// # Safety
/// `attributes` is null or valid for reads of `count` attributes; `copy` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CopyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    copy: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::CopyObject, session, |call| {
        if copy.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let handle = call.copy_object(object, &template)?;
        // SAFETY: this function's own contract.
        unsafe { write(copy, handle) }
    })
}

/// # Safety
/// None of its own: two numbers.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DestroyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::DestroyObject, session, |call| call.destroy_object(object))
}

/// # Safety
/// `size` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetObjectSize(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    size: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::GetObjectSize, session, |call| {
        if size.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the size"));
        }
        let bytes = call.object_size(object)?;
        // SAFETY: this function's own contract.
        unsafe { write(size, bytes) }
    })
}

/// # Safety
/// `attributes` is null or valid for reads and writes of `count` attributes, each with a null
/// pointer or room for as many bytes as it says.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
) -> CK_RV {
    in_session(Function::GetAttributeValue, session, |call| {
        if attributes.is_null() || count == 0 {
            return Err(Rv::ArgumentsBad.because("no template"));
        }
        // SAFETY: this function's own contract.
        let wanted = unsafe { requests(attributes, count)? };
        let held = call.object(object)?;
        let read = call.as_read(&held.object.attributes)?;
        // SAFETY: this function's own contract; `wanted` came from `attributes`.
        unsafe { answer(attributes, &wanted, read.as_ref().unwrap_or(&held.object.attributes)) }
    })
}

/// # Safety
/// `attributes` is null or valid for reads of `count` attributes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
) -> CK_RV {
    in_session(Function::SetAttributeValue, session, |call| {
        if attributes.is_null() {
            return Err(Rv::ArgumentsBad.because("no template"));
        }
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        call.set_attributes(object, &template)
    })
}
