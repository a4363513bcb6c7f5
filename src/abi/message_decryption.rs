//! Decryption of one message after another. PKCS#11 3.2, "Message-based decryption functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_FLAGS, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR, CK_VOID_PTR,
};
use crate::session::Kind;

use super::in_session;
use super::input::{associated_data, in_and_out};
use super::mechanism::message::{MessageParameter, of_messages};
use super::message_parts::{Given, Part, ReadParameter, next_part};

const KIND: Kind = Kind::MessageDecrypt;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageDecryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::MessageDecryptInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { of_messages(mechanism)? };
        call.message_decrypt_init(mechanism, key)
    })
}

/// # Safety
/// As for `C_EncryptMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    aad: CK_BYTE_PTR,
    aad_len: CK_ULONG,
    data: CK_BYTE_PTR,
    data_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
) -> CK_RV {
    in_session(Function::DecryptMessage, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let given = unsafe { MessageParameter::to_open(shape, parameter, parameter_len)? };
        // SAFETY: this function's own contract.
        let tag = unsafe { given.tag()? };
        // SAFETY: this function's own contract.
        let aad = unsafe { associated_data(aad, aad_len)? };
        // SAFETY: this function's own contract.
        let (data, output) = unsafe { in_and_out(data, data_len, buffer, len)? };
        output.lend(|room| call.decrypt_message((&given.message, &tag), aad, &data, room))
    })
}

/// # Safety
/// As for `C_EncryptMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    aad: CK_BYTE_PTR,
    aad_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::DecryptMessageBegin, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let given = unsafe { MessageParameter::to_open(shape, parameter, parameter_len)? };
        // SAFETY: this function's own contract.
        let aad = unsafe { associated_data(aad, aad_len)? };
        call.decrypt_message_begin(&given.message, aad)
    })
}

/// The parameter counts with the last part, for its tag.
///
/// # Safety
/// As for `C_EncryptMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessageNext(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    in_session(Function::DecryptMessageNext, session, |call| {
        let given: (Given, ReadParameter) = ((parameter, parameter_len), MessageParameter::to_open);
        // SAFETY: this function's own contract.
        let part =
            unsafe { next_part((call, KIND), given, (part, part_len), (buffer, len), flags)? };
        let Part { input, output, last } = part;
        let Some(given) = last else {
            return output.lend(|room| call.decrypt_message_next(&input, room));
        };
        // SAFETY: this function's own contract.
        let tag = unsafe { given.tag() }.inspect_err(|_| call.abandon_message(KIND))?;
        output.lend(|room| call.decrypt_message_last(&input, &tag, room))
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageDecryptFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::MessageDecryptFinal, session, |call| call.message_final(KIND))
}
