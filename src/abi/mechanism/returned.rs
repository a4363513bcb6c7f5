//! What a mechanism gives back through its parameter: a vector that the token made, a tag.
//! PKCS#11 3.2, `CK_GCM_WRAP_PARAMS`, `CK_GCM_MESSAGE_PARAMS`.

use std::ptr::null_mut;

use crate::cryptoki::{CK_GCM_MESSAGE_PARAMS, CK_GCM_WRAP_PARAMS, CK_MECHANISM_PTR};
use crate::error::{Result, Rv};
use crate::mechanism::operation::Returned;
use crate::mechanism::params::MechanismParams;

use super::structure;

/// The places that the caller's parameter has for it.
pub(in crate::abi) struct Places {
    iv: *mut u8,
    tag: *mut u8,
}

/// The places in a parameter that was read to be `params`.
///
/// # Safety
/// `given` is the mechanism that `params` was read from.
pub(in crate::abi) unsafe fn places(
    given: CK_MECHANISM_PTR,
    params: &MechanismParams,
) -> Result<Places> {
    if given.is_null() {
        return Err(Rv::ArgumentsBad.because("no mechanism"));
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given = unsafe { given.read_unaligned() };
    Ok(match params {
        MechanismParams::GcmWrap { .. } => {
            // SAFETY: this function's own contract.
            let params = unsafe { structure::<CK_GCM_WRAP_PARAMS>(&given)? };
            Places { iv: params.pIv, tag: null_mut() }
        }
        MechanismParams::GcmMessage { .. } => {
            // SAFETY: this function's own contract.
            let params = unsafe { structure::<CK_GCM_MESSAGE_PARAMS>(&given)? };
            Places { iv: params.pIv, tag: params.pTag }
        }
        _ => Places { iv: null_mut(), tag: null_mut() },
    })
}

impl Places {
    /// Gives back. What is given back is as long as what the reader found there.
    ///
    /// # Safety
    /// The places of a mechanism are valid for writes of the lengths that it says.
    pub(in crate::abi) unsafe fn give(&self, returned: &Returned) -> Result<()> {
        for (place, bytes) in [(self.iv, &returned.iv), (self.tag, &returned.tag)] {
            if bytes.is_empty() {
                continue;
            }
            if place.is_null() {
                return Err(Rv::GeneralError.because("no place for what is given back"));
            }
            // SAFETY: not null, and valid for writes as the caller promises; the bytes are ours.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        }
        Ok(())
    }
}
