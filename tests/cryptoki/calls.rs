//! A call of each of the 104 functions in which every pointer, number and handle is chosen by
//! the test: the table behind `every_function`.

use std::ffi::c_void;

use cryptoki_sys as ck;

use crate::support::{Module, Rv, call};

/// What every argument of a call is.
#[derive(Clone, Copy)]
pub struct Arguments {
    /// Session handles.
    pub session: ck::CK_SESSION_HANDLE,
    /// Slot ids.
    pub slot: ck::CK_SLOT_ID,
    /// All pointers.
    pub pointer: *mut c_void,
    /// Lengths, counts, flags, object handles and all other numbers.
    pub number: ck::CK_ULONG,
}

impl Arguments {
    fn flag(self) -> ck::CK_BBOOL {
        ck::CK_BBOOL::from(self.number != 0)
    }
}

/// One function, with such arguments.
pub type Row = (&'static str, fn(&Module, Arguments) -> Rv);

/// All functions, in the order of the function lists.
#[rustfmt::skip]
pub const CALLS: [Row; 104] = [
    ("C_Initialize", |m, a| call!(m, C_Initialize(a.pointer))),
    ("C_Finalize", |m, a| call!(m, C_Finalize(a.pointer))),
    ("C_GetInfo", |m, a| call!(m, C_GetInfo(a.pointer.cast()))),
    ("C_GetFunctionList", |m, a| call!(m, C_GetFunctionList(a.pointer.cast()))),
    ("C_GetSlotList", |m, a| call!(m, C_GetSlotList(a.flag(), a.pointer.cast(), a.pointer.cast()))),
    ("C_GetSlotInfo", |m, a| call!(m, C_GetSlotInfo(a.slot, a.pointer.cast()))),
    ("C_GetTokenInfo", |m, a| call!(m, C_GetTokenInfo(a.slot, a.pointer.cast()))),
    ("C_GetMechanismList", |m, a| call!(m, C_GetMechanismList(
        a.slot, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_GetMechanismInfo", |m, a| call!(m, C_GetMechanismInfo(a.slot, a.number, a.pointer.cast()))),
    ("C_InitToken", |m, a| call!(m, C_InitToken(
        a.slot, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_InitPIN", |m, a| call!(m, C_InitPIN(a.session, a.pointer.cast(), a.number))),
    ("C_SetPIN", |m, a| call!(m, C_SetPIN(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_OpenSession", |m, a| call!(m, C_OpenSession(
        a.slot, a.number, a.pointer, None, a.pointer.cast()
    ))),
    ("C_CloseSession", |m, a| call!(m, C_CloseSession(a.session))),
    ("C_CloseAllSessions", |m, a| call!(m, C_CloseAllSessions(a.slot))),
    ("C_GetSessionInfo", |m, a| call!(m, C_GetSessionInfo(a.session, a.pointer.cast()))),
    ("C_GetOperationState", |m, a| call!(m, C_GetOperationState(
        a.session, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_SetOperationState", |m, a| call!(m, C_SetOperationState(
        a.session, a.pointer.cast(), a.number, a.number, a.number
    ))),
    ("C_Login", |m, a| call!(m, C_Login(a.session, a.number, a.pointer.cast(), a.number))),
    ("C_Logout", |m, a| call!(m, C_Logout(a.session))),
    ("C_CreateObject", |m, a| call!(m, C_CreateObject(
        a.session, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_CopyObject", |m, a| call!(m, C_CopyObject(
        a.session, a.number, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_DestroyObject", |m, a| call!(m, C_DestroyObject(a.session, a.number))),
    ("C_GetObjectSize", |m, a| call!(m, C_GetObjectSize(a.session, a.number, a.pointer.cast()))),
    ("C_GetAttributeValue", |m, a| call!(m, C_GetAttributeValue(
        a.session, a.number, a.pointer.cast(), a.number
    ))),
    ("C_SetAttributeValue", |m, a| call!(m, C_SetAttributeValue(
        a.session, a.number, a.pointer.cast(), a.number
    ))),
    ("C_FindObjectsInit", |m, a| call!(m, C_FindObjectsInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_FindObjects", |m, a| call!(m, C_FindObjects(
        a.session, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_FindObjectsFinal", |m, a| call!(m, C_FindObjectsFinal(a.session))),
    ("C_EncryptInit", |m, a| call!(m, C_EncryptInit(a.session, a.pointer.cast(), a.number))),
    ("C_Encrypt", |m, a| call!(m, C_Encrypt(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_EncryptUpdate", |m, a| call!(m, C_EncryptUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_EncryptFinal", |m, a| call!(m, C_EncryptFinal(
        a.session, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptInit", |m, a| call!(m, C_DecryptInit(a.session, a.pointer.cast(), a.number))),
    ("C_Decrypt", |m, a| call!(m, C_Decrypt(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptUpdate", |m, a| call!(m, C_DecryptUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptFinal", |m, a| call!(m, C_DecryptFinal(
        a.session, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DigestInit", |m, a| call!(m, C_DigestInit(a.session, a.pointer.cast()))),
    ("C_Digest", |m, a| call!(m, C_Digest(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DigestUpdate", |m, a| call!(m, C_DigestUpdate(a.session, a.pointer.cast(), a.number))),
    ("C_DigestKey", |m, a| call!(m, C_DigestKey(a.session, a.number))),
    ("C_DigestFinal", |m, a| call!(m, C_DigestFinal(
        a.session, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_SignInit", |m, a| call!(m, C_SignInit(a.session, a.pointer.cast(), a.number))),
    ("C_Sign", |m, a| call!(m, C_Sign(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_SignUpdate", |m, a| call!(m, C_SignUpdate(a.session, a.pointer.cast(), a.number))),
    ("C_SignFinal", |m, a| call!(m, C_SignFinal(a.session, a.pointer.cast(), a.pointer.cast()))),
    ("C_SignRecoverInit", |m, a| call!(m, C_SignRecoverInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_SignRecover", |m, a| call!(m, C_SignRecover(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_VerifyInit", |m, a| call!(m, C_VerifyInit(a.session, a.pointer.cast(), a.number))),
    ("C_Verify", |m, a| call!(m, C_Verify(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_VerifyUpdate", |m, a| call!(m, C_VerifyUpdate(a.session, a.pointer.cast(), a.number))),
    ("C_VerifyFinal", |m, a| call!(m, C_VerifyFinal(a.session, a.pointer.cast(), a.number))),
    ("C_VerifyRecoverInit", |m, a| call!(m, C_VerifyRecoverInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_VerifyRecover", |m, a| call!(m, C_VerifyRecover(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DigestEncryptUpdate", |m, a| call!(m, C_DigestEncryptUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptDigestUpdate", |m, a| call!(m, C_DecryptDigestUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_SignEncryptUpdate", |m, a| call!(m, C_SignEncryptUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptVerifyUpdate", |m, a| call!(m, C_DecryptVerifyUpdate(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_GenerateKey", |m, a| call!(m, C_GenerateKey(
        a.session, a.pointer.cast(), a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_GenerateKeyPair", |m, a| call!(m, C_GenerateKeyPair(
        a.session, a.pointer.cast(), a.pointer.cast(), a.number, a.pointer.cast(), a.number,
        a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_WrapKey", |m, a| call!(m, C_WrapKey(
        a.session, a.pointer.cast(), a.number, a.number, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_UnwrapKey", |m, a| call!(m, C_UnwrapKey(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.number, a.pointer.cast()
    ))),
    ("C_DeriveKey", |m, a| call!(m, C_DeriveKey(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
    ("C_SeedRandom", |m, a| call!(m, C_SeedRandom(a.session, a.pointer.cast(), a.number))),
    ("C_GenerateRandom", |m, a| call!(m, C_GenerateRandom(a.session, a.pointer.cast(), a.number))),
    ("C_GetFunctionStatus", |m, a| call!(m, C_GetFunctionStatus(a.session))),
    ("C_CancelFunction", |m, a| call!(m, C_CancelFunction(a.session))),
    ("C_WaitForSlotEvent", |m, a| call!(m, C_WaitForSlotEvent(
        a.number, a.pointer.cast(), a.pointer
    ))),
    ("C_GetInterfaceList", |m, a| call!(m, C_GetInterfaceList(a.pointer.cast(), a.pointer.cast()))),
    ("C_GetInterface", |m, a| call!(m, C_GetInterface(
        a.pointer.cast(), a.pointer.cast(), a.pointer.cast(), a.number
    ))),
    ("C_LoginUser", |m, a| call!(m, C_LoginUser(
        a.session, a.number, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_SessionCancel", |m, a| call!(m, C_SessionCancel(a.session, a.number))),
    ("C_MessageEncryptInit", |m, a| call!(m, C_MessageEncryptInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_EncryptMessage", |m, a| call!(m, C_EncryptMessage(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(), a.number,
        a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_EncryptMessageBegin", |m, a| call!(m, C_EncryptMessageBegin(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number
    ))),
    ("C_EncryptMessageNext", |m, a| call!(m, C_EncryptMessageNext(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.pointer.cast(), a.number
    ))),
    ("C_MessageEncryptFinal", |m, a| call!(m, C_MessageEncryptFinal(a.session))),
    ("C_MessageDecryptInit", |m, a| call!(m, C_MessageDecryptInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_DecryptMessage", |m, a| call!(m, C_DecryptMessage(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(), a.number,
        a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecryptMessageBegin", |m, a| call!(m, C_DecryptMessageBegin(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number
    ))),
    ("C_DecryptMessageNext", |m, a| call!(m, C_DecryptMessageNext(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.pointer.cast(), a.number
    ))),
    ("C_MessageDecryptFinal", |m, a| call!(m, C_MessageDecryptFinal(a.session))),
    ("C_MessageSignInit", |m, a| call!(m, C_MessageSignInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_SignMessage", |m, a| call!(m, C_SignMessage(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.pointer.cast()
    ))),
    ("C_SignMessageBegin", |m, a| call!(m, C_SignMessageBegin(a.session, a.pointer, a.number))),
    ("C_SignMessageNext", |m, a| call!(m, C_SignMessageNext(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.pointer.cast()
    ))),
    ("C_MessageSignFinal", |m, a| call!(m, C_MessageSignFinal(a.session))),
    ("C_MessageVerifyInit", |m, a| call!(m, C_MessageVerifyInit(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_VerifyMessage", |m, a| call!(m, C_VerifyMessage(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_VerifyMessageBegin", |m, a| call!(m, C_VerifyMessageBegin(a.session, a.pointer, a.number))),
    ("C_VerifyMessageNext", |m, a| call!(m, C_VerifyMessageNext(
        a.session, a.pointer, a.number, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_MessageVerifyFinal", |m, a| call!(m, C_MessageVerifyFinal(a.session))),
    ("C_EncapsulateKey", |m, a| call!(m, C_EncapsulateKey(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_DecapsulateKey", |m, a| call!(m, C_DecapsulateKey(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.number, a.pointer.cast()
    ))),
    ("C_VerifySignatureInit", |m, a| call!(m, C_VerifySignatureInit(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_VerifySignature", |m, a| call!(m, C_VerifySignature(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_VerifySignatureUpdate", |m, a| call!(m, C_VerifySignatureUpdate(
        a.session, a.pointer.cast(), a.number
    ))),
    ("C_VerifySignatureFinal", |m, a| call!(m, C_VerifySignatureFinal(a.session))),
    ("C_GetSessionValidationFlags", |m, a| call!(m, C_GetSessionValidationFlags(
        a.session, a.number, a.pointer.cast()
    ))),
    ("C_AsyncComplete", |m, a| call!(m, C_AsyncComplete(
        a.session, a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_AsyncGetID", |m, a| call!(m, C_AsyncGetID(a.session, a.pointer.cast(), a.pointer.cast()))),
    ("C_AsyncJoin", |m, a| call!(m, C_AsyncJoin(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number
    ))),
    ("C_WrapKeyAuthenticated", |m, a| call!(m, C_WrapKeyAuthenticated(
        a.session, a.pointer.cast(), a.number, a.number, a.pointer.cast(), a.number,
        a.pointer.cast(), a.pointer.cast()
    ))),
    ("C_UnwrapKeyAuthenticated", |m, a| call!(m, C_UnwrapKeyAuthenticated(
        a.session, a.pointer.cast(), a.number, a.pointer.cast(), a.number, a.pointer.cast(),
        a.number, a.pointer.cast(), a.number, a.pointer.cast()
    ))),
];
