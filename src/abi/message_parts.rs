//! What encrypting and decrypting one message after another have in common at the door: a message
//! in parts, and what is given back through a message's parameter. PKCS#11 3.2, "Message-based
//! encryption functions", "Message-based decryption functions".

use std::borrow::Cow;

use crate::call::{Room, Written};
use crate::cryptoki::{CK_BYTE_PTR, CK_FLAGS, CK_ULONG, CK_ULONG_PTR, CK_VOID_PTR};
use crate::error::Result;
use crate::mechanism::operation::Reply;
use crate::mechanism::params::Shape;
use crate::provider::Call;
use crate::session::Kind;

use super::input::{in_and_out, is_last};
use super::mechanism::message::MessageParameter;
use super::output::Output;

/// A message's parameter as a caller gives it.
pub(super) type Given = (CK_VOID_PTR, CK_ULONG);

/// Reads a message's parameter.
///
/// # Safety
/// The pointer is null, or leads to as many bytes as the length says of the shape's structure,
/// whose pointers lead to what their lengths say.
pub(super) type ReadParameter = unsafe fn(Shape, CK_VOID_PTR, CK_ULONG) -> Result<MessageParameter>;

/// A part of a message.
pub(super) struct Part<'a> {
    pub(super) input: Cow<'a, [u8]>,
    pub(super) output: Output<'a>,
    /// The message's parameter, which counts with the last part.
    pub(super) last: Option<MessageParameter>,
}

/// Takes a part of a message, where C_EncryptMessageNext and C_DecryptMessageNext are the same.
/// Wrong arguments end the message.
///
/// # Safety
/// `parameter` as for `read`; the others as for `in_and_out`.
pub(super) unsafe fn next_part<'a>(
    (call, kind): (&Call<'_>, Kind),
    (parameter, read): (Given, ReadParameter),
    (input, input_len): (CK_BYTE_PTR, CK_ULONG),
    (buffer, len): (CK_BYTE_PTR, CK_ULONG_PTR),
    flags: CK_FLAGS,
) -> Result<Part<'a>> {
    let shape = call.message_shape(kind)?;
    let taken = || {
        let last = is_last(flags)?;
        // SAFETY: this function's own contract.
        let (input, output) = unsafe { in_and_out(input, input_len, buffer, len)? };
        // SAFETY: this function's own contract.
        let read = || unsafe { read(shape, parameter.0, parameter.1) };
        let last = if last { Some(read()?) } else { None };
        Ok(Part { input, output, last })
    };
    taken().inspect_err(|_| call.abandon_message(kind))
}

/// Lends the room for what encrypts, and gives nonce and tag back through the parameter.
///
/// # Safety
/// The parameter's nonce and tag lead to as many writable bytes as it says.
pub(super) unsafe fn seal<'a>(
    given: &MessageParameter,
    output: Output<'a>,
    body: impl FnOnce(Room<'a>) -> Result<(Written, Option<Reply>)>,
) -> Result<()> {
    let mut reply = None;
    output.lend(|room| {
        let written;
        (written, reply) = body(room)?;
        Ok(written)
    })?;
    if let Some(reply) = reply {
        // SAFETY: this function's own contract; what was lent is given back.
        unsafe { given.write(&reply) };
    }
    Ok(())
}
