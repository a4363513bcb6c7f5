//! Making a secret for the holder of a public key. PKCS#11 3.2, "C_EncapsulateKey",
//! "C_DecapsulateKey".

use crate::call::Function;
use crate::cryptoki::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV,
    CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR,
};
use crate::error::Rv;

use super::in_session;
use super::input::input;
use super::mechanism::mechanism;
use super::output::{output, write};
use super::template::template;

/// A caller that only asks for the length need not give a place for the handle.
///
/// # Safety
/// `mechanism_` is null or valid; `attributes` is null or valid for reads of `count` attributes;
/// `ciphertext` and `ciphertext_len` as for `output`; `key` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncapsulateKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    public_key: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    ciphertext: CK_BYTE_PTR,
    ciphertext_len: CK_ULONG_PTR,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::EncapsulateKey, session, |call| {
        if key.is_null() && !ciphertext.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        // SAFETY: this function's own contract. Nothing of the caller's is read after this.
        let ciphertext = unsafe { output(ciphertext, ciphertext_len)? };
        let mut made = None;
        ciphertext.lend(|room| {
            let (written, handle) = call.encapsulate_key(&given, public_key, template, room)?;
            made = handle;
            Ok(written)
        })?;
        // SAFETY: this function's own contract.
        made.map_or(Ok(()), |handle| unsafe { write(key, handle) })
    })
}

/// # Safety
/// `mechanism_` is null or valid; `attributes` is null or valid for reads of `count` attributes;
/// `ciphertext` is null or valid for reads of its length; `key` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecapsulateKey(
    session: CK_SESSION_HANDLE,
    mechanism_: CK_MECHANISM_PTR,
    private_key: CK_OBJECT_HANDLE,
    attributes: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
    ciphertext: CK_BYTE_PTR,
    ciphertext_len: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    in_session(Function::DecapsulateKey, session, |call| {
        if key.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the handle"));
        }
        // SAFETY: this function's own contract.
        let given = unsafe { mechanism(mechanism_)? };
        // SAFETY: this function's own contract.
        let template = unsafe { template(attributes, count)? };
        // SAFETY: this function's own contract.
        let ciphertext = unsafe { input(ciphertext, ciphertext_len)? };
        let handle = call.decapsulate_key(&given, private_key, template, ciphertext)?;
        // SAFETY: this function's own contract.
        unsafe { write(key, handle) }
    })
}
