//! Parameters of IKE. PKCS#11 3.2, "IKE mechanism parameters".
//!
//! Handles are looked at only where the flags beside them say so.

use crate::cryptoki::{
    CK_IKE_PRF_DERIVE_PARAMS, CK_IKE1_EXTENDED_DERIVE_PARAMS, CK_IKE1_PRF_DERIVE_PARAMS,
    CK_IKE2_PRF_PLUS_DERIVE_PARAMS, CK_MECHANISM,
};
use crate::error::Result;
use crate::mechanism::kdf_params::KdfParams;
use crate::mechanism::params::MechanismParams;

use super::{part, structure};

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn prf(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_IKE_PRF_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let initiator = unsafe { part(params.pNi, params.ulNiLen)? };
    // SAFETY: this function's own contract.
    let responder = unsafe { part(params.pNr, params.ulNrLen)? };
    Ok(MechanismParams::Kdf(KdfParams::IkePrf {
        prf: params.prfMechanism,
        data_as_key: params.bDataAsKey != 0,
        nonces: [initiator, responder].concat(),
        new_key: (params.bRekey != 0).then_some(params.hNewKey),
    }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn ike1(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_IKE1_PRF_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let initiator = unsafe { part(params.pCKYi, params.ulCKYiLen)? };
    // SAFETY: this function's own contract.
    let responder = unsafe { part(params.pCKYr, params.ulCKYrLen)? };
    Ok(MechanismParams::Kdf(KdfParams::Ike1Prf {
        prf: params.prfMechanism,
        agreed: params.hKeygxy,
        previous: (params.bHasPrevKey != 0).then_some(params.hPrevKey),
        cookies: [initiator, responder].concat(),
        number: params.keyNumber,
    }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn extended(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_IKE1_EXTENDED_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let extra = unsafe { part(params.pExtraData, params.ulExtraDataLen)? };
    Ok(MechanismParams::Kdf(KdfParams::Ike1Extended {
        prf: params.prfMechanism,
        agreed: (params.bHasKeygxy != 0).then_some(params.hKeygxy),
        extra,
    }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn plus(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_IKE2_PRF_PLUS_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let seed = unsafe { part(params.pSeedData, params.ulSeedDataLen)? };
    Ok(MechanismParams::Kdf(KdfParams::IkePrfPlus {
        prf: params.prfMechanism,
        seed_key: (params.bHasSeedKey != 0).then_some(params.hSeedKey),
        seed,
    }))
}
