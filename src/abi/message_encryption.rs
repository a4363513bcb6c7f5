//! Encryption of one message after another. PKCS#11 3.2, "Message-based encryption functions".

use crate::call::Function;
use crate::cryptoki::{
    CK_BYTE_PTR, CK_FLAGS, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_ULONG_PTR, CK_VOID_PTR,
};
use crate::mechanism::operation::Reply;
use crate::session::Kind;

use super::in_session;
use super::input::{associated_data, in_and_out};
use super::mechanism::message::{MessageParameter, of_messages};
use super::message_parts::{Given, Part, ReadParameter, next_part, seal};

const KIND: Kind = Kind::MessageEncrypt;

/// # Safety
/// `mechanism` is null or valid, with all that its parameter points to.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageEncryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    in_session(Function::MessageEncryptInit, session, |call| {
        // SAFETY: this function's own contract.
        let mechanism = unsafe { of_messages(mechanism)? };
        call.message_encrypt_init(mechanism, key)
    })
}

/// # Safety
/// `parameter` is null, or leads to `parameter_len` bytes of the mechanism's structure for
/// messages, whose pointers lead to what their lengths say; `aad` and `data` are null or valid for
/// reads of their lengths; `len` is null or valid; `buffer` is null or valid for writes of `*len`
/// bytes. Any of them may be the same memory.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessage(
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
    in_session(Function::EncryptMessage, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let given = unsafe { MessageParameter::to_seal(shape, parameter, parameter_len)? };
        given.tag_room()?;
        // SAFETY: this function's own contract.
        let aad = unsafe { associated_data(aad, aad_len)? };
        // SAFETY: this function's own contract.
        let (data, output) = unsafe { in_and_out(data, data_len, buffer, len)? };
        // SAFETY: this function's own contract.
        unsafe {
            seal(&given, output, |room| call.encrypt_message(&given.message, aad, &data, room))
        }
    })
}

/// # Safety
/// As for `C_EncryptMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    aad: CK_BYTE_PTR,
    aad_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::EncryptMessageBegin, session, |call| {
        let shape = call.message_shape(KIND)?;
        // SAFETY: this function's own contract.
        let given = unsafe { MessageParameter::to_seal(shape, parameter, parameter_len)? };
        // SAFETY: this function's own contract.
        let aad = unsafe { associated_data(aad, aad_len)? };
        let nonce = call.encrypt_message_begin(&given.message, aad)?;
        // SAFETY: this function's own contract.
        unsafe { given.write(&Reply { nonce, tag: Vec::new() }) };
        Ok(())
    })
}

/// The parameter counts with the last part, for its tag.
///
/// # Safety
/// As for `C_EncryptMessage`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessageNext(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_len: CK_ULONG,
    part: CK_BYTE_PTR,
    part_len: CK_ULONG,
    buffer: CK_BYTE_PTR,
    len: CK_ULONG_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    in_session(Function::EncryptMessageNext, session, |call| {
        let given: (Given, ReadParameter) = ((parameter, parameter_len), MessageParameter::to_seal);
        // SAFETY: this function's own contract.
        let part =
            unsafe { next_part((call, KIND), given, (part, part_len), (buffer, len), flags)? };
        let Part { input, output, last } = part;
        let Some(given) = last else {
            return output.lend(|room| call.encrypt_message_next(&input, room));
        };
        let tag_len = given.tag_room().inspect_err(|_| call.abandon_message(KIND))?;
        // SAFETY: this function's own contract.
        unsafe { seal(&given, output, |room| call.encrypt_message_last(&input, tag_len, room)) }
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageEncryptFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::MessageEncryptFinal, session, |call| call.message_final(KIND))
}
