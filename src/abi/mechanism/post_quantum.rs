//! Parameters of ML-DSA and its relatives. PKCS#11 3.2, "CK_SIGN_ADDITIONAL_CONTEXT",
//! "CK_HASH_SIGN_ADDITIONAL_CONTEXT".

use crate::cryptoki::{
    CK_HASH_SIGN_ADDITIONAL_CONTEXT, CK_HEDGE_TYPE, CK_MECHANISM, CK_SIGN_ADDITIONAL_CONTEXT,
    CKH_DETERMINISTIC_REQUIRED, CKH_HEDGE_PREFERRED, CKH_HEDGE_REQUIRED,
};
use crate::error::Result;
use crate::mechanism::params::{Hedge, MechanismParams};

use super::{invalid, part, structure};

fn hedge(variant: CK_HEDGE_TYPE) -> Result<Hedge> {
    match variant {
        CKH_HEDGE_PREFERRED => Ok(Hedge::Preferred),
        CKH_HEDGE_REQUIRED => Ok(Hedge::Required),
        CKH_DETERMINISTIC_REQUIRED => Ok(Hedge::Forbidden),
        _ => Err(invalid("hedgeVariant has no such value")),
    }
}

/// No parameter means no context, and hedging if it can be had.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn sign_context(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if given.ulParameterLen == 0 {
        return Ok(MechanismParams::None);
    }
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_SIGN_ADDITIONAL_CONTEXT>(given)? };
    // SAFETY: this function's own contract.
    let context = unsafe { part(params.pContext, params.ulContextLen)? };
    Ok(MechanismParams::SignContext { hedge: hedge(params.hedgeVariant)?, context })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn hash_sign_context(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_HASH_SIGN_ADDITIONAL_CONTEXT>(given)? };
    // SAFETY: this function's own contract.
    let context = unsafe { part(params.pContext, params.ulContextLen)? };
    let hedge = hedge(params.hedgeVariant)?;
    Ok(MechanismParams::HashSignContext { hedge, context, hash: params.hash })
}
