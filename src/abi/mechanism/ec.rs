//! Parameters of mechanisms on elliptic curves. PKCS#11 3.2, "Elliptic curve".

use crate::cryptoki::{
    CK_ECDH_AES_KEY_WRAP_PARAMS, CK_ECDH1_DERIVE_PARAMS, CK_EDDSA_PARAMS, CK_MECHANISM,
};
use crate::error::Result;
use crate::mechanism::params::MechanismParams;

use super::{part, structure};

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn ecdh1(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_ECDH1_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let shared = unsafe { part(params.pSharedData, params.ulSharedDataLen)? };
    // SAFETY: this function's own contract.
    let public = unsafe { part(params.pPublicData, params.ulPublicDataLen)? };
    Ok(MechanismParams::Ecdh1 { kdf: params.kdf, shared, public })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn ecdh_aes(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_ECDH_AES_KEY_WRAP_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let shared = unsafe { part(params.pSharedData, params.ulSharedDataLen)? };
    let ecdh = Box::new(MechanismParams::Ecdh1 { kdf: params.kdf, shared, public: Vec::new() });
    Ok(MechanismParams::EcdhAes { aes_bits: params.ulAESKeyBits, ecdh })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn public_value(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let value = unsafe { part(given.pParameter.cast(), given.ulParameterLen)? };
    Ok(MechanismParams::PublicValue(value))
}

/// No parameter means Ed25519 without context.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn eddsa(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if given.pParameter.is_null() && given.ulParameterLen == 0 {
        return Ok(MechanismParams::None);
    }
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_EDDSA_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let context = unsafe { part(params.pContextData, params.ulContextDataLen)? };
    Ok(MechanismParams::Eddsa { prehash: params.phFlag != 0, context })
}
