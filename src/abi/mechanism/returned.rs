//! Parameters of wrappings that something comes back through: a nonce that the token made, a
//! tag. PKCS#11 3.2, `CK_GCM_WRAP_PARAMS`, `CK_CCM_WRAP_PARAMS`, "C_WrapKeyAuthenticated".

use crate::cryptoki::{CK_CCM_WRAP_PARAMS, CK_GCM_WRAP_PARAMS, CK_MECHANISM, CK_MECHANISM_PTR};
use crate::error::Result;
use crate::mechanism::find;
use crate::mechanism::operation::Reply;
use crate::mechanism::params::{MechanismParams, Shape};
use crate::provider::GivenMechanism;

use super::super::input::read;
use super::message::MessageParameter;
use super::{mechanism, reader, structure};

/// The places of the caller's parameter that are written to.
pub(in crate::abi) enum Places {
    /// None.
    None,
    /// One for the nonce.
    Nonce(*mut u8),
    /// Those of a message's parameter.
    Message(MessageParameter),
}

/// As `mechanism`, for C_WrapKey.
///
/// # Safety
/// As for `mechanism`.
pub(in crate::abi) unsafe fn wrapping(given: CK_MECHANISM_PTR) -> Result<(GivenMechanism, Places)> {
    // SAFETY: this function's own contract.
    let read_as = unsafe { mechanism(given)? };
    if !matches!(read_as.params, MechanismParams::Wrapping { .. }) {
        return Ok((read_as, Places::None));
    }
    // SAFETY: this function's own contract.
    let given = unsafe { read(given, "no mechanism")? };
    let place = if find(given.mechanism).is_some_and(|row| row.shape == Shape::Gcm) {
        // SAFETY: this function's own contract; it was read as this before.
        unsafe { structure::<CK_GCM_WRAP_PARAMS>(&given)? }.pIv
    } else {
        // SAFETY: as above.
        unsafe { structure::<CK_CCM_WRAP_PARAMS>(&given)? }.pNonce
    };
    Ok((read_as, Places::Nonce(place)))
}

/// What is done with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::abi) enum Direction {
    Wrap,
    Unwrap,
}

/// As `mechanism`, for the two functions that wrap and unwrap with associated data.
///
/// # Safety
/// As for `mechanism`.
pub(in crate::abi) unsafe fn enveloping(
    given: CK_MECHANISM_PTR,
    direction: Direction,
) -> Result<(GivenMechanism, Places)> {
    // SAFETY: this function's own contract.
    let given = unsafe { read(given, "no mechanism")? };
    let id = given.mechanism;
    let row = find(id).filter(|row| row.envelop.is_some() || row.open.is_some());
    let Some(row) = row else {
        return Ok((GivenMechanism { id, params: MechanismParams::None }, Places::None));
    };
    match row.envelope.unwrap_or(row.shape) {
        // SAFETY: this function's own contract.
        Shape::Message => unsafe { message(row.shape, &given, direction) },
        shape => {
            // SAFETY: this function's own contract.
            let params = unsafe { reader(shape)(&given)? };
            Ok((GivenMechanism { id, params }, Places::None))
        }
    }
}

/// # Safety
/// As for `mechanism`.
unsafe fn message(
    shape: Shape,
    given: &CK_MECHANISM,
    direction: Direction,
) -> Result<(GivenMechanism, Places)> {
    let (start, len) = (given.pParameter, given.ulParameterLen);
    let (parameter, tag) = match direction {
        Direction::Wrap => {
            // SAFETY: this function's own contract.
            let parameter = unsafe { MessageParameter::to_seal(shape, start, len)? };
            parameter.tag_room()?;
            (parameter, Vec::new())
        }
        Direction::Unwrap => {
            // SAFETY: this function's own contract.
            let parameter = unsafe { MessageParameter::to_open(shape, start, len)? };
            // SAFETY: this function's own contract.
            let tag = unsafe { parameter.tag()? };
            (parameter, tag)
        }
    };
    let params = MechanismParams::Message { message: parameter.message.clone(), tag };
    Ok((GivenMechanism { id: given.mechanism, params }, Places::Message(parameter)))
}

impl Places {
    /// Gives back. What is given back is as long as what the reader found there.
    ///
    /// # Safety
    /// The places of a mechanism are valid for writes of the lengths that it says.
    pub(in crate::abi) unsafe fn give(&self, reply: &Reply) {
        match self {
            Self::None => {}
            Self::Nonce(place) if place.is_null() || reply.nonce.is_empty() => {}
            Self::Nonce(place) => {
                let (from, len) = (reply.nonce.as_ptr(), reply.nonce.len());
                // SAFETY: not null, and as long as the parameter said, as the caller promises;
                // the bytes are our own.
                unsafe { place.copy_from_nonoverlapping(from, len) };
            }
            // SAFETY: this function's own contract.
            Self::Message(parameter) => unsafe { parameter.write(reply) },
        }
    }
}
