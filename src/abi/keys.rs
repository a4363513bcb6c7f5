//! Making keys. PKCS#11 3.2, "Key management functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_ATTRIBUTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV,
    CK_SESSION_HANDLE, CK_ULONG,
};
use crate::error::Rv;

use super::in_session;
use super::mechanism::counted::Further;
use super::mechanism::mechanism;
use super::output::write;
use super::template::template;

/// # Safety
/// `mechanism_` is null or valid; `attributes` is null or valid for reads of `count`
/// attributes; `key` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::GenerateKey, session, |call| {
        if key.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let handle = call.generate_key(&given, template)?;
        // SAFETY: this function's own contract.
        unsafe { write(key, handle) }
    })
}

/// # Safety
/// `mechanism_` is null or valid; both templates are null or valid for reads of their counts;
/// both places for handles are null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateKeyPair(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    public_attributes: CK_ATTRIBUTE_PTR,
    public_count: CK_ULONG,
    private_attributes: CK_ATTRIBUTE_PTR,
    private_count: CK_ULONG,
    public_key: CK_OBJECT_HANDLE_PTR,
    private_key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::GenerateKeyPair, session, |call| {
        if public_key.is_null() || private_key.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handles"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let public = unsafe { template(public_attributes, public_count)? };
        // SAFETY: this function's own contract.
        let private = unsafe { template(private_attributes, private_count)? };
        let pair = call.generate_key_pair(&given, public, private)?;
        // SAFETY: this function's own contract.
        unsafe { write(public_key, pair.public)? };
        // SAFETY: this function's own contract.
        unsafe { write(private_key, pair.private) }
    })
}

/// # Safety
/// `mechanism_` is null or valid; `attributes` is null or valid for reads of `count`
/// attributes; `key` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DeriveKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    base_key: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::DeriveKey, session, |call| {
        // SAFETY: this function's own contract.
        let further = unsafe { Further::of(mechanism_) };
        if key.is_null() && further.as_ref().is_ok_and(|further| !further.has_all()) {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        let mut further = further?;
        let templates = further.take_templates();
        let (handles, shown) = call.derive_key(&given, base_key, template, templates)?;
        // SAFETY: this function's own contract.
        unsafe { further.give(key, &handles, &shown) }
    })
}
