//! Parameters of ciphers and MACs. PKCS#11 3.2, "AES" and its sections.

use crate::cryptoki::{
    CK_AES_CTR_PARAMS, CK_GCM_PARAMS, CK_GCM_WRAP_PARAMS, CK_MAC_GENERAL_PARAMS, CK_MECHANISM,
};
use crate::error::Result;
use crate::mechanism::message::Message;
use crate::mechanism::params::MechanismParams;

use super::message::source;
use super::{invalid, part, structure};

/// No parameter; 16 bytes are passed over, because some callers give a vector to every mode.
///
/// # Safety
/// None of its own: no pointer is looked at.
pub(super) unsafe fn no_iv(given: &CK_MECHANISM) -> Result<MechanismParams> {
    match given.ulParameterLen {
        0 | 16 => Ok(MechanismParams::None),
        _ => Err(invalid("this mechanism takes no parameter")),
    }
}

/// Bytes or nothing; the family checks how many.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn optional_iv(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if given.pParameter.is_null() && given.ulParameterLen == 0 {
        return Ok(MechanismParams::None);
    }
    // SAFETY: this function's own contract.
    unsafe { iv(given) }
}

/// Bytes; the family checks how many.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn iv(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let iv = unsafe { part(given.pParameter.cast(), given.ulParameterLen)? };
    Ok(MechanismParams::Iv(iv))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn mac_length(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let length = unsafe { structure::<CK_MAC_GENERAL_PARAMS>(given)? };
    Ok(MechanismParams::MacLength(length))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn ctr(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_AES_CTR_PARAMS>(given)? };
    Ok(MechanismParams::Ctr { bits: params.ulCounterBits, block: params.cb })
}

/// The length of the IV in bytes counts; `ulIvBits` is ignored, as the standard says.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn gcm(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if usize::try_from(given.ulParameterLen) == Ok(size_of::<CK_GCM_WRAP_PARAMS>()) {
        // SAFETY: this function's own contract.
        return unsafe { gcm_wrap(given) };
    }
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_GCM_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let iv = unsafe { part(params.pIv, params.ulIvLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    Ok(MechanismParams::Gcm { iv, aad, tag_bits: params.ulTagBits })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn gcm_wrap(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_GCM_WRAP_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let iv = unsafe { part(params.pIv, params.ulIvLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    let message = Message {
        nonce: iv,
        fixed_bits: params.ulIvFixedBits,
        source: source(params.ivGenerator)?,
        tag_bits: params.ulTagBits,
        data_len: None,
    };
    Ok(MechanismParams::Wrapping { message, aad })
}
