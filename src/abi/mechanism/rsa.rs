//! Parameters of RSA mechanisms. PKCS#11 3.2, "RSA".

use crate::cryptoki::{
    CK_MECHANISM, CK_RSA_AES_KEY_WRAP_PARAMS, CK_RSA_PKCS_OAEP_PARAMS, CK_RSA_PKCS_PSS_PARAMS,
};
use crate::error::Result;
use crate::mechanism::params::MechanismParams;

use super::{invalid, part, structure};

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn pss(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_RSA_PKCS_PSS_PARAMS>(given)? };
    Ok(MechanismParams::Pss { hash: params.hashAlg, mgf: params.mgf, salt_len: params.sLen })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn oaep(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let read = unsafe { readable_oaep(given) };
    // Which return value a bad one gets is configured; so the family refuses it, with the rest.
    Ok(read.unwrap_or(MechanismParams::None))
}

/// # Safety
/// As for `oaep`.
unsafe fn readable_oaep(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_RSA_PKCS_OAEP_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    unsafe { oaep_of(&params) }
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn rsa_aes(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_RSA_AES_KEY_WRAP_PARAMS>(given)? };
    if params.pOAEPParams.is_null() {
        return Err(invalid("no parameters of OAEP"));
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let oaep = unsafe { params.pOAEPParams.read_unaligned() };
    // SAFETY: this function's own contract.
    let oaep = Box::new(unsafe { oaep_of(&oaep)? });
    Ok(MechanismParams::RsaAes { aes_bits: params.ulAESKeyBits, oaep })
}

/// # Safety
/// The structure's pointer leads to what its length says.
unsafe fn oaep_of(params: &CK_RSA_PKCS_OAEP_PARAMS) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let label = unsafe { part(params.pSourceData.cast(), params.ulSourceDataLen)? };
    Ok(MechanismParams::Oaep {
        hash: params.hashAlg,
        mgf: params.mgf,
        source: params.source,
        label,
    })
}
