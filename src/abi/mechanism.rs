//! `CK_MECHANISM` becomes a number and typed parameters: one small reader per structure. Which
//! one applies stands in the mechanism's row. PKCS#11 3.2, chapter "Mechanisms".

use crate::cryptoki::{
    CK_AES_CTR_PARAMS, CK_BYTE_PTR, CK_ECDH1_DERIVE_PARAMS, CK_EDDSA_PARAMS, CK_GCM_PARAMS,
    CK_MAC_GENERAL_PARAMS, CK_MECHANISM, CK_MECHANISM_PTR, CK_RSA_PKCS_OAEP_PARAMS,
    CK_RSA_PKCS_PSS_PARAMS, CK_ULONG,
};
use crate::error::{Error, Result, Rv};
use crate::mechanism::find;
use crate::mechanism::params::{MechanismParams, Shape};
use crate::provider::GivenMechanism;

use super::input::input;

/// The longest value inside a parameter, in bytes.
const LONGEST_PART: u64 = 1 << 20;

fn invalid(why: &'static str) -> Error {
    Rv::MechanismParamInvalid.because(why)
}

/// Reads a mechanism; one that we do not know is told apart later, by its number.
///
/// # Safety
/// `given` is null or a mechanism whose pointers lead to what their lengths say.
pub(super) unsafe fn mechanism(given: CK_MECHANISM_PTR) -> Result<GivenMechanism> {
    // SAFETY: this function's own contract.
    unsafe { optional_mechanism(given)? }.ok_or_else(|| Rv::ArgumentsBad.because("no mechanism"))
}

/// As `mechanism`; `None` for a null pointer, by which a …Init call ends an operation.
///
/// # Safety
/// As for `mechanism`.
pub(super) unsafe fn optional_mechanism(given: CK_MECHANISM_PTR) -> Result<Option<GivenMechanism>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given = unsafe { given.read_unaligned() };
    let Some(row) = find(given.mechanism) else {
        return Ok(Some(GivenMechanism { id: given.mechanism, params: MechanismParams::None }));
    };
    // SAFETY: this function's own contract.
    let params = unsafe { params(&given, row.shape)? };
    Ok(Some(GivenMechanism { id: given.mechanism, params }))
}

/// # Safety
/// As for `mechanism`.
unsafe fn params(given: &CK_MECHANISM, shape: Shape) -> Result<MechanismParams> {
    // SAFETY (each arm): this function's own contract.
    match shape {
        Shape::None => {
            if given.ulParameterLen != 0 {
                return Err(invalid("this mechanism takes no parameter"));
            }
            Ok(MechanismParams::None)
        }
        Shape::OptionalIv16 => match given.ulParameterLen {
            0 | 16 => Ok(MechanismParams::None),
            _ => Err(invalid("this mechanism takes no parameter")),
        },
        Shape::Iv16 => {
            // SAFETY: as above.
            let iv = unsafe { part(given.pParameter.cast(), given.ulParameterLen)? };
            Ok(MechanismParams::Iv(iv))
        }
        // SAFETY: as above.
        Shape::Ctr => unsafe { ctr(given) },
        // SAFETY: as above.
        Shape::Gcm => unsafe { gcm(given) },
        // SAFETY: as above.
        Shape::Pss => unsafe { pss(given) },
        // SAFETY: as above.
        Shape::Oaep => unsafe { oaep(given) },
        // SAFETY: as above.
        Shape::Ecdh1 => unsafe { ecdh1(given) },
        // SAFETY: as above.
        Shape::OptionalEddsa => unsafe { eddsa(given) },
        Shape::MacLength => {
            // SAFETY: as above.
            let length = unsafe { structure::<CK_MAC_GENERAL_PARAMS>(given)? };
            Ok(MechanismParams::MacLength(length))
        }
    }
}

/// The parameter as one structure of exactly its size.
///
/// # Safety
/// As for `mechanism`.
unsafe fn structure<T: Copy>(given: &CK_MECHANISM) -> Result<T> {
    let fits = usize::try_from(given.ulParameterLen).is_ok_and(|len| len == size_of::<T>());
    if given.pParameter.is_null() || !fits {
        return Err(invalid("the parameter is missing or has another size"));
    }
    // SAFETY: not null, as long as a `T`, and valid for reads as the caller promises.
    Ok(unsafe { given.pParameter.cast::<T>().read_unaligned() })
}

/// A value inside a parameter.
///
/// # Safety
/// `start` is null or valid for reads of `len` bytes.
unsafe fn part(start: CK_BYTE_PTR, len: CK_ULONG) -> Result<Vec<u8>> {
    if (start.is_null() && len != 0) || len > LONGEST_PART {
        return Err(invalid("a pointer and its length inside the parameter disagree"));
    }
    // SAFETY: this function's own contract.
    Ok(unsafe { input(start, len)? }.to_vec())
}

/// # Safety
/// As for `mechanism`.
unsafe fn ctr(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_AES_CTR_PARAMS>(given)? };
    Ok(MechanismParams::Ctr { bits: params.ulCounterBits, block: params.cb })
}

/// The length of the IV in bytes counts; `ulIvBits` is ignored, as the standard says.
///
/// # Safety
/// As for `mechanism`.
unsafe fn gcm(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_GCM_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let iv = unsafe { part(params.pIv, params.ulIvLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    Ok(MechanismParams::Gcm { iv, aad, tag_bits: params.ulTagBits })
}

/// # Safety
/// As for `mechanism`.
unsafe fn pss(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_RSA_PKCS_PSS_PARAMS>(given)? };
    Ok(MechanismParams::Pss { hash: params.hashAlg, mgf: params.mgf, salt_len: params.sLen })
}

/// # Safety
/// As for `mechanism`.
unsafe fn oaep(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_RSA_PKCS_OAEP_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let label = unsafe { part(params.pSourceData.cast(), params.ulSourceDataLen)? };
    Ok(MechanismParams::Oaep {
        hash: params.hashAlg,
        mgf: params.mgf,
        source: params.source,
        label,
    })
}

/// # Safety
/// As for `mechanism`.
unsafe fn ecdh1(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_ECDH1_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let shared = unsafe { part(params.pSharedData, params.ulSharedDataLen)? };
    // SAFETY: this function's own contract.
    let public = unsafe { part(params.pPublicData, params.ulPublicDataLen)? };
    Ok(MechanismParams::Ecdh1 { kdf: params.kdf, shared, public })
}

/// No parameter means Ed25519 without context.
///
/// # Safety
/// As for `mechanism`.
unsafe fn eddsa(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if given.pParameter.is_null() && given.ulParameterLen == 0 {
        return Ok(MechanismParams::None);
    }
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_EDDSA_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let context = unsafe { part(params.pContextData, params.ulContextDataLen)? };
    Ok(MechanismParams::Eddsa { prehash: params.phFlag != 0, context })
}
