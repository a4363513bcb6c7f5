//! Parameters of ciphers and MACs. PKCS#11 3.2, "AES" and its sections.

use crate::cryptoki::{
    CK_AES_CTR_PARAMS, CK_BYTE_PTR, CK_GCM_PARAMS, CK_GCM_WRAP_PARAMS, CK_MAC_GENERAL_PARAMS,
    CK_MECHANISM, CK_ULONG,
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

/// `CK_GCM_PARAMS` without `ulIvBits`, as an older text of the standard had it. Java sends it first
/// for every operation, and the whole one only when that was refused.
#[derive(Clone, Copy)]
#[repr(C)]
struct ShortGcmParams {
    iv: CK_BYTE_PTR,
    iv_len: CK_ULONG,
    aad: CK_BYTE_PTR,
    aad_len: CK_ULONG,
    tag_bits: CK_ULONG,
}

/// The length of the IV in bytes counts; `ulIvBits` is ignored, as the standard says. The length of
/// the parameter tells which structure it is.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn gcm(given: &CK_MECHANISM) -> Result<MechanismParams> {
    let len = usize::try_from(given.ulParameterLen);
    if len == Ok(size_of::<CK_GCM_WRAP_PARAMS>()) {
        // SAFETY: this function's own contract.
        return unsafe { gcm_wrap(given) };
    }
    let params = if len == Ok(size_of::<ShortGcmParams>()) {
        // SAFETY: this function's own contract.
        unsafe { structure::<ShortGcmParams>(given)? }
    } else {
        // SAFETY: this function's own contract.
        let whole = unsafe { structure::<CK_GCM_PARAMS>(given)? };
        ShortGcmParams {
            iv: whole.pIv,
            iv_len: whole.ulIvLen,
            aad: whole.pAAD,
            aad_len: whole.ulAADLen,
            tag_bits: whole.ulTagBits,
        }
    };
    // SAFETY: this function's own contract.
    let iv = unsafe { part(params.iv, params.iv_len)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.aad, params.aad_len)? };
    Ok(MechanismParams::Gcm { iv, aad, tag_bits: params.tag_bits })
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
