//! Searching. PKCS#11 3.2, "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal".

use crate::call::Function;
use crate::cryptoki::{
    CK_ATTRIBUTE_PTR, CK_OBJECT_HANDLE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR,
};
use crate::error::Rv;

use super::in_session;
use super::output::put;
use super::template::search_template;

/// # Safety
/// `attributes` is null or valid for reads of `count` attributes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsInit(
    session: CK_SESSION_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
) -> CK_RV {
    in_session(Function::FindObjectsInit, session, |call| {
        // SAFETY: this function's own contract.
        let wanted = unsafe { search_template(attributes, count)? };
        call.find_init(wanted.as_ref())
    })
}

/// # Safety
/// `objects` is null or valid for writes of `room` handles; `count` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    objects: CK_OBJECT_HANDLE_PTR,
    room: CK_ULONG,
    count: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::FindObjects, session, |call| {
        if objects.is_null() || count.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the results"));
        }
        let room = usize::try_from(room).map_err(|_| Rv::ArgumentsBad.because("room"))?;
        let found = call.find(room)?;
        for (index, handle) in found.iter().enumerate() {
            // SAFETY: at most `room` results, each of which has its place.
            let place = unsafe { objects.add(index) };
            // SAFETY: valid for writes, as the caller promises.
            unsafe { place.write_unaligned(*handle) };
        }
        // SAFETY: not null, and valid as the caller promises.
        unsafe { put(count, found.len()) }
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::FindObjectsFinal, session, |call| call.find_final())
}
