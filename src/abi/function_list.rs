//! The three function lists and the interface list, from the one table of functions.
//! PKCS#11 3.2, "C_GetFunctionList", "C_GetInterfaceList", "C_GetInterface".
//!
//! These three functions alone answer before C_Initialize.

use std::ffi::CStr;

use crate::call::function_table;
use crate::cryptoki::{
    CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_0, CK_FUNCTION_LIST_3_2,
    CK_FUNCTION_LIST_PTR_PTR, CK_INTERFACE, CK_INTERFACE_PTR, CK_INTERFACE_PTR_PTR, CK_RV,
    CK_ULONG_PTR, CK_UTF8CHAR_PTR, CK_VERSION, CK_VERSION_PTR,
};
use crate::error::Rv;

use super::decryption::{C_Decrypt, C_DecryptFinal, C_DecryptInit, C_DecryptUpdate};
use super::digesting::{C_Digest, C_DigestFinal, C_DigestInit, C_DigestKey, C_DigestUpdate};
use super::dual::{
    C_DecryptDigestUpdate, C_DecryptVerifyUpdate, C_DigestEncryptUpdate, C_SignEncryptUpdate,
};
use super::encapsulation::{C_DecapsulateKey, C_EncapsulateKey};
use super::encryption::{C_Encrypt, C_EncryptFinal, C_EncryptInit, C_EncryptUpdate};
use super::finding::{C_FindObjects, C_FindObjectsFinal, C_FindObjectsInit};
use super::general::{C_CancelFunction, C_Finalize, C_GetFunctionStatus, C_GetInfo, C_Initialize};
use super::input::read;
use super::keys::{C_DeriveKey, C_GenerateKey, C_GenerateKeyPair};
use super::message_decryption::{
    C_DecryptMessage, C_DecryptMessageBegin, C_DecryptMessageNext, C_MessageDecryptFinal,
    C_MessageDecryptInit,
};
use super::message_encryption::{
    C_EncryptMessage, C_EncryptMessageBegin, C_EncryptMessageNext, C_MessageEncryptFinal,
    C_MessageEncryptInit,
};
use super::message_signing::{
    C_MessageSignFinal, C_MessageSignInit, C_SignMessage, C_SignMessageBegin, C_SignMessageNext,
};
use super::message_verifying::{
    C_MessageVerifyFinal, C_MessageVerifyInit, C_VerifyMessage, C_VerifyMessageBegin,
    C_VerifyMessageNext,
};
use super::objects::{
    C_CopyObject, C_CreateObject, C_DestroyObject, C_GetAttributeValue, C_GetObjectSize,
    C_SetAttributeValue,
};
use super::operation_state::{C_GetOperationState, C_SetOperationState};
use super::output::{write, write_list};
use super::random::{C_GenerateRandom, C_SeedRandom};
use super::recovery::{C_SignRecover, C_SignRecoverInit, C_VerifyRecover, C_VerifyRecoverInit};
use super::sessions::{
    C_CloseAllSessions, C_CloseSession, C_GetSessionInfo, C_GetSessionValidationFlags, C_InitPIN,
    C_Login, C_LoginUser, C_Logout, C_OpenSession, C_SessionCancel, C_SetPIN,
};
use super::signing::{C_Sign, C_SignFinal, C_SignInit, C_SignUpdate};
use super::slots::{
    C_GetMechanismInfo, C_GetMechanismList, C_GetSlotInfo, C_GetSlotList, C_GetTokenInfo,
    C_InitToken, C_WaitForSlotEvent,
};
use super::unsupported::{C_AsyncComplete, C_AsyncGetID, C_AsyncJoin};
use super::verifying::{
    C_Verify, C_VerifyFinal, C_VerifyInit, C_VerifySignature, C_VerifySignatureFinal,
    C_VerifySignatureInit, C_VerifySignatureUpdate, C_VerifyUpdate,
};
use super::wrapping::{C_UnwrapKey, C_UnwrapKeyAuthenticated, C_WrapKey, C_WrapKeyAuthenticated};
use super::{guarded, vendor_interface};

const V2_40: CK_VERSION = CK_VERSION { major: 2, minor: 40 };
const V3_0: CK_VERSION = CK_VERSION { major: 3, minor: 0 };
const V3_2: CK_VERSION = CK_VERSION { major: 3, minor: 2 };
const V1_0: CK_VERSION = CK_VERSION { major: 1, minor: 0 };
const NAME: &CStr = c"PKCS 11";
const VENDOR_NAME: &CStr = c"Vendor claviger";

macro_rules! function_lists {
    (
        v2_40 { $($a:ident: $_a:ident, $_b:ident, $_c:ident;)* }
        v3_0 { $($b:ident: $_d:ident, $_e:ident, $_f:ident;)* }
        v3_2 { $($c:ident: $_g:ident, $_h:ident, $_i:ident;)* }
    ) => {
        static LIST_2_40: CK_FUNCTION_LIST = CK_FUNCTION_LIST {
            version: V2_40, $($a: Some($a),)*
        };
        static LIST_3_0: CK_FUNCTION_LIST_3_0 = CK_FUNCTION_LIST_3_0 {
            version: V3_0, $($a: Some($a),)* $($b: Some($b),)*
        };
        static LIST_3_2: CK_FUNCTION_LIST_3_2 = CK_FUNCTION_LIST_3_2 {
            version: V3_2, $($a: Some($a),)* $($b: Some($b),)* $($c: Some($c),)*
        };
    };
}
function_table!(function_lists);

/// The interfaces, best first, and ours last.
struct Interfaces([CK_INTERFACE; 4]);

// SAFETY: the pointers lead to immutable statics.
unsafe impl Sync for Interfaces {}

static INTERFACES: Interfaces = Interfaces([
    interface(NAME, &raw const LIST_3_2),
    interface(NAME, &raw const LIST_3_0),
    interface(NAME, &raw const LIST_2_40),
    interface(VENDOR_NAME, &raw const vendor_interface::LIST),
]);
/// Their names and versions.
const KNOWN: [(&CStr, CK_VERSION); 4] =
    [(NAME, V3_2), (NAME, V3_0), (NAME, V2_40), (VENDOR_NAME, V1_0)];

/// No flags: a forked child has to call C_Initialize, so the library is not fork safe in the
/// standard's sense.
const fn interface<L>(name: &CStr, list: *const L) -> CK_INTERFACE {
    CK_INTERFACE {
        pInterfaceName: name.as_ptr().cast_mut().cast(),
        pFunctionList: list.cast_mut().cast(),
        flags: 0,
    }
}

/// # Safety
/// `list` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    // SAFETY: this function's own contract.
    guarded(|| unsafe { write(list, (&raw const LIST_2_40).cast_mut()) })
}

/// # Safety
/// `count` is null or valid; `list` is null or has room for `*count` interfaces.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterfaceList(
    list: CK_INTERFACE_PTR,
    count: CK_ULONG_PTR,
) -> CK_RV {
    // SAFETY: this function's own contract.
    guarded(|| unsafe { write_list(list, count, &INTERFACES.0) })
}

/// # Safety
/// `name` is null or a C string; `version` is null or valid; `found` is null or valid.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterface(
    name: CK_UTF8CHAR_PTR,
    version: CK_VERSION_PTR,
    found: CK_INTERFACE_PTR_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    guarded(|| {
        if found.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the interface"));
        }
        // SAFETY: a C string, as the caller promises.
        let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name.cast()) });
        let wanted = if version.is_null() {
            None
        } else {
            // SAFETY: not null, and valid as the caller promises.
            Some(unsafe { read(version, "no version")? })
        };
        let chosen = INTERFACES.0.iter().zip(KNOWN).find(|(interface, (known, version))| {
            name.is_none_or(|name| name == *known)
                && flags & !interface.flags == 0
                && wanted.is_none_or(|wanted| {
                    (wanted.major, wanted.minor) == (version.major, version.minor)
                })
        });
        let (interface, _) = chosen.ok_or_else(|| Rv::ArgumentsBad.because("no such interface"))?;
        // SAFETY: this function's own contract.
        unsafe { write(found, std::ptr::from_ref(interface).cast_mut()) }
    })
}
