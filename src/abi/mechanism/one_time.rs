//! What goes in and out of mechanisms for one-time passwords: lists of values with their types.
//! PKCS#11 3.2, "CK_OTP_PARAMS", "CK_OTP_SIGNATURE_INFO".

use crate::abi::output::write;
use crate::call::{Room, Written};
use crate::cryptoki::{
    CK_MECHANISM, CK_OTP_CHALLENGE, CK_OTP_COUNTER, CK_OTP_FLAGS, CK_OTP_OUTPUT_FORMAT,
    CK_OTP_OUTPUT_LENGTH, CK_OTP_PARAM, CK_OTP_PARAMS, CK_OTP_PIN, CK_OTP_SIGNATURE_INFO,
    CK_OTP_TIME, CK_OTP_VALUE, CK_ULONG,
};
use crate::error::{Error, Result, Rv};
use crate::mechanism::params::{MechanismParams, OtpParams};

use super::counted::list;
use super::{invalid, part, structure};

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn params(given: &CK_MECHANISM) -> Result<MechanismParams> {
    let mut params = OtpParams::default();
    if given.pParameter.is_null() && given.ulParameterLen == 0 {
        return Ok(MechanismParams::Otp(params));
    }
    // SAFETY: this function's own contract.
    let outer = unsafe { structure::<CK_OTP_PARAMS>(given)? };
    let mut flags = None;
    // SAFETY: this function's own contract.
    for one in unsafe { list::<CK_OTP_PARAM>(outer.pParams, outer.ulCount)? } {
        match one.type_ {
            // SAFETY: this function's own contract.
            CK_OTP_COUNTER => once(&mut params.counter, unsafe { counter(&one)? })?,
            // SAFETY: this function's own contract.
            CK_OTP_OUTPUT_LENGTH => once(&mut params.digits, unsafe { number(&one)? })?,
            // SAFETY: this function's own contract.
            CK_OTP_OUTPUT_FORMAT => once(&mut params.format, unsafe { number(&one)? })?,
            // SAFETY: this function's own contract.
            CK_OTP_FLAGS => once(&mut flags, unsafe { number(&one)? })?,
            // No key here has another requirement of these than that they are ignored.
            CK_OTP_PIN | CK_OTP_CHALLENGE | CK_OTP_TIME => {}
            _ => return Err(invalid("a parameter of one-time passwords")),
        }
    }
    params.flags = flags.unwrap_or_default();
    Ok(MechanismParams::Otp(params))
}

fn once(place: &mut Option<u64>, value: u64) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(invalid("a parameter of one-time passwords that stands there twice")),
    }
}

/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn eight(one: &CK_OTP_PARAM) -> Result<[u8; 8]> {
    // SAFETY: this function's own contract.
    let bytes = unsafe { part(one.pValue.cast(), one.ulValueLen)? };
    bytes.try_into().map_err(|_| invalid("the length of a parameter of one-time passwords"))
}

/// "An 8 bytes unsigned integer in big endian": PKCS#11 3.2, "OATH HOTP secret key objects".
///
/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn counter(one: &CK_OTP_PARAM) -> Result<u64> {
    // SAFETY: this function's own contract.
    Ok(u64::from_be_bytes(unsafe { eight(one)? }))
}

/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn number(one: &CK_OTP_PARAM) -> Result<u64> {
    // SAFETY: this function's own contract.
    Ok(u64::from_ne_bytes(unsafe { eight(one)? }))
}

const INFO: usize = size_of::<CK_OTP_SIGNATURE_INFO>();
/// What stands before a password in the caller's room.
const FRAME: usize = INFO + size_of::<CK_OTP_PARAM>();

/// Lends what is left of a room behind a `CK_OTP_SIGNATURE_INFO` and its one `CK_OTP_PARAM`, and
/// has these point to the password that was written there. The structures stand as the room does:
/// a caller that reads them by their types aligns it.
pub(in crate::abi) fn framed<'r>(
    room: Room<'r>,
    body: impl FnOnce(Room<'r>) -> Result<Written>,
) -> Result<Written> {
    let (frame, rest) = match room {
        Room::LengthQuery => (None, Room::LengthQuery),
        Room::Bytes(bytes) => match bytes.split_at_mut_checked(FRAME) {
            Some((frame, rest)) => (Some(frame), Room::Bytes(rest)),
            None => (None, Room::Bytes(&mut [])),
        },
    };
    let value = match &rest {
        Room::Bytes(bytes) => bytes.as_ptr().cast_mut(),
        Room::LengthQuery => std::ptr::null_mut(),
    };
    Ok(match (body(rest)?, frame) {
        (Written::Length(len), _) => Written::Length(FRAME.saturating_add(len)),
        (Written::TooSmall { needed }, _) => {
            Written::TooSmall { needed: FRAME.saturating_add(needed) }
        }
        (Written::Bytes(len), Some(frame)) => {
            write_frame(frame, value, len)?;
            Written::Bytes(FRAME.saturating_add(len))
        }
        (Written::Bytes(_), None) => return Err(no_frame()),
    })
}

fn no_frame() -> Error {
    Rv::GeneralError.because("no room before a one-time password")
}

fn write_frame(frame: &mut [u8], value: *mut u8, len: usize) -> Result<()> {
    let len = CK_ULONG::try_from(len).map_err(|_| no_frame())?;
    let (info, param) = frame.split_at_mut_checked(INFO).ok_or_else(no_frame)?;
    let param: *mut CK_OTP_PARAM = param.as_mut_ptr().cast();
    let entry = CK_OTP_PARAM { type_: CK_OTP_VALUE, pValue: value.cast(), ulValueLen: len };
    // SAFETY: the frame is as long as both structures, and lent to this function alone.
    unsafe { write(param, entry)? };
    let info = info.as_mut_ptr().cast::<CK_OTP_SIGNATURE_INFO>();
    // SAFETY: as above.
    unsafe { write(info, CK_OTP_SIGNATURE_INFO { pParams: param, ulCount: 1 }) }
}
