//! What each function answers in a logged-in session when every pointer is NULL and every
//! number 0, when every pointer is NULL and every number absurd, and when every pointer leads
//! to 64 KiB of 0xff and every number is absurd: the table behind `every_function`.

use cryptoki_sys as ck;

const BAD: ck::CK_RV = ck::CKR_ARGUMENTS_BAD;
const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const ACTIVE: ck::CK_RV = ck::CKR_OPERATION_ACTIVE;
const ABSENT: ck::CK_RV = ck::CKR_FUNCTION_NOT_SUPPORTED;
const NO_OBJECT: ck::CK_RV = ck::CKR_OBJECT_HANDLE_INVALID;
const NO_KEY: ck::CK_RV = ck::CKR_KEY_HANDLE_INVALID;
const NO_MECHANISM: ck::CK_RV = ck::CKR_MECHANISM_INVALID;
const PARAM: ck::CK_RV = ck::CKR_MECHANISM_PARAM_INVALID;
const NO_LOGIN: ck::CK_RV = ck::CKR_USER_NOT_LOGGED_IN;
const PARALLEL: ck::CK_RV = ck::CKR_FUNCTION_NOT_PARALLEL;
const PIN_LENGTH: ck::CK_RV = ck::CKR_PIN_LEN_RANGE;
const SIGNATURE_LENGTH: ck::CK_RV = ck::CKR_SIGNATURE_LEN_RANGE;
const NO_USER: ck::CK_RV = ck::CKR_USER_TYPE_INVALID;
const NO_ASYNC: ck::CK_RV = ck::CKR_SESSION_ASYNC_NOT_SUPPORTED;
const NO_STATE: ck::CK_RV = ck::CKR_STATE_UNSAVEABLE;
const NO_SAVED: ck::CK_RV = ck::CKR_SAVED_STATE_INVALID;
const OK: ck::CK_RV = ck::CKR_OK;

/// A function, its answers without any operation, and its answers while a search and an
/// operation of each kind is running.
pub type Row = (&'static str, [ck::CK_RV; 3], [ck::CK_RV; 3]);

/// All functions but C_Initialize and C_Finalize, which `initialise` calls in every way.
#[rustfmt::skip]
pub const ANSWERS: [Row; 102] = [
    ("C_GetInfo", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetFunctionList", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetSlotList", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetSlotInfo", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetTokenInfo", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetMechanismList", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetMechanismInfo", [BAD, NO_MECHANISM, NO_MECHANISM], [BAD, NO_MECHANISM, NO_MECHANISM]),
    ("C_InitToken", [BAD, BAD, PIN_LENGTH], [BAD, BAD, PIN_LENGTH]),
    ("C_InitPIN", [NO_LOGIN, NO_LOGIN, NO_LOGIN], [NO_LOGIN, NO_LOGIN, NO_LOGIN]),
    ("C_SetPIN", [BAD, BAD, PIN_LENGTH], [BAD, BAD, PIN_LENGTH]),
    ("C_OpenSession", [BAD, BAD, NO_ASYNC], [BAD, BAD, NO_ASYNC]),
    ("C_CloseSession", [OK, OK, OK], [OK, OK, OK]),
    ("C_CloseAllSessions", [OK, OK, OK], [OK, OK, OK]),
    ("C_GetSessionInfo", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetOperationState", [BAD, BAD, IDLE], [BAD, BAD, NO_STATE]),
    ("C_SetOperationState", [NO_SAVED, BAD, BAD], [NO_SAVED, BAD, BAD]),
    ("C_Login", [BAD, NO_USER, NO_USER], [BAD, NO_USER, NO_USER]),
    ("C_Logout", [OK, OK, OK], [OK, OK, OK]),
    ("C_CreateObject", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_CopyObject", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DestroyObject", [NO_OBJECT, NO_OBJECT, NO_OBJECT], [NO_OBJECT, NO_OBJECT, NO_OBJECT]),
    ("C_GetObjectSize", [BAD, BAD, NO_OBJECT], [BAD, BAD, NO_OBJECT]),
    ("C_GetAttributeValue", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_SetAttributeValue", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_FindObjectsInit", [OK, BAD, BAD], [ACTIVE, BAD, BAD]),
    ("C_FindObjects", [BAD, BAD, IDLE], [BAD, BAD, OK]),
    ("C_FindObjectsFinal", [IDLE, IDLE, IDLE], [OK, OK, OK]),
    ("C_EncryptInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_Encrypt", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_EncryptUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_EncryptFinal", [BAD, BAD, IDLE], [BAD, BAD, OK]),
    ("C_DecryptInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_Decrypt", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DecryptUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DecryptFinal", [BAD, BAD, IDLE], [BAD, BAD, OK]),
    ("C_DigestInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_Digest", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DigestUpdate", [IDLE, BAD, BAD], [OK, BAD, BAD]),
    ("C_DigestKey", [IDLE, IDLE, IDLE], [NO_KEY, NO_KEY, NO_KEY]),
    ("C_DigestFinal", [BAD, BAD, IDLE], [BAD, BAD, OK]),
    ("C_SignInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_Sign", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_SignUpdate", [IDLE, BAD, BAD], [OK, BAD, BAD]),
    ("C_SignFinal", [BAD, BAD, IDLE], [BAD, BAD, OK]),
    ("C_SignRecoverInit", [BAD, BAD, NO_MECHANISM], [BAD, BAD, NO_MECHANISM]),
    ("C_SignRecover", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_VerifyInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_Verify", [IDLE, BAD, BAD], [SIGNATURE_LENGTH, BAD, BAD]),
    ("C_VerifyUpdate", [IDLE, BAD, BAD], [OK, BAD, BAD]),
    ("C_VerifyFinal", [IDLE, BAD, BAD], [SIGNATURE_LENGTH, BAD, BAD]),
    ("C_VerifyRecoverInit", [BAD, BAD, NO_MECHANISM], [BAD, BAD, NO_MECHANISM]),
    ("C_VerifyRecover", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DigestEncryptUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DecryptDigestUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_SignEncryptUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DecryptVerifyUpdate", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_GenerateKey", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_GenerateKeyPair", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_WrapKey", [BAD, BAD, NO_MECHANISM], [BAD, BAD, NO_MECHANISM]),
    ("C_UnwrapKey", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DeriveKey", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_SeedRandom", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_GenerateRandom", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_GetFunctionStatus", [PARALLEL, PARALLEL, PARALLEL], [PARALLEL, PARALLEL, PARALLEL]),
    ("C_CancelFunction", [PARALLEL, PARALLEL, PARALLEL], [PARALLEL, PARALLEL, PARALLEL]),
    ("C_WaitForSlotEvent", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_GetInterfaceList", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_GetInterface", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_LoginUser", [BAD, NO_USER, NO_USER], [BAD, NO_USER, NO_USER]),
    ("C_SessionCancel", [OK, OK, OK], [OK, OK, OK]),
    ("C_MessageEncryptInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_EncryptMessage", [IDLE, IDLE, IDLE], [PARAM, PARAM, PARAM]),
    ("C_EncryptMessageBegin", [IDLE, IDLE, IDLE], [PARAM, PARAM, PARAM]),
    ("C_EncryptMessageNext", [IDLE, IDLE, IDLE], [BAD, BAD, BAD]),
    ("C_MessageEncryptFinal", [IDLE, IDLE, IDLE], [OK, OK, OK]),
    ("C_MessageDecryptInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_DecryptMessage", [IDLE, IDLE, IDLE], [PARAM, PARAM, PARAM]),
    ("C_DecryptMessageBegin", [IDLE, IDLE, IDLE], [PARAM, PARAM, PARAM]),
    ("C_DecryptMessageNext", [IDLE, IDLE, IDLE], [BAD, BAD, BAD]),
    ("C_MessageDecryptFinal", [IDLE, IDLE, IDLE], [OK, OK, OK]),
    ("C_MessageSignInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_SignMessage", [IDLE, IDLE, IDLE], [BAD, PARAM, PARAM]),
    ("C_SignMessageBegin", [IDLE, IDLE, IDLE], [OK, PARAM, PARAM]),
    ("C_SignMessageNext", [IDLE, BAD, BAD], [IDLE, BAD, BAD]),
    ("C_MessageSignFinal", [IDLE, IDLE, IDLE], [OK, OK, OK]),
    ("C_MessageVerifyInit", [BAD, BAD, NO_MECHANISM], [OK, OK, ACTIVE]),
    ("C_VerifyMessage", [IDLE, IDLE, IDLE], [SIGNATURE_LENGTH, PARAM, PARAM]),
    ("C_VerifyMessageBegin", [IDLE, IDLE, IDLE], [OK, PARAM, PARAM]),
    ("C_VerifyMessageNext", [IDLE, BAD, BAD], [IDLE, BAD, BAD]),
    ("C_MessageVerifyFinal", [IDLE, IDLE, IDLE], [OK, OK, OK]),
    ("C_EncapsulateKey", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_DecapsulateKey", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_VerifySignatureInit", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_VerifySignature", [IDLE, BAD, BAD], [IDLE, BAD, BAD]),
    ("C_VerifySignatureUpdate", [IDLE, BAD, BAD], [IDLE, BAD, BAD]),
    ("C_VerifySignatureFinal", [IDLE, IDLE, IDLE], [IDLE, IDLE, IDLE]),
    ("C_GetSessionValidationFlags", [BAD, BAD, OK], [BAD, BAD, OK]),
    ("C_AsyncComplete", [ABSENT, ABSENT, ABSENT], [ABSENT, ABSENT, ABSENT]),
    ("C_AsyncGetID", [ABSENT, ABSENT, ABSENT], [ABSENT, ABSENT, ABSENT]),
    ("C_AsyncJoin", [ABSENT, ABSENT, ABSENT], [ABSENT, ABSENT, ABSENT]),
    ("C_WrapKeyAuthenticated", [BAD, BAD, BAD], [BAD, BAD, BAD]),
    ("C_UnwrapKeyAuthenticated", [BAD, BAD, BAD], [BAD, BAD, BAD]),
];
