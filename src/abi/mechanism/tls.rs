//! Parameters of TLS 1.2, and the places in them that a derivation writes to. PKCS#11 3.2, "TLS 1.2
//! mechanism parameters".

use crate::cryptoki::{
    CK_MECHANISM, CK_OBJECT_HANDLE, CK_SSL3_KEY_MAT_OUT, CK_SSL3_RANDOM_DATA, CK_TLS_KDF_PARAMS,
    CK_TLS_MAC_PARAMS, CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, CK_TLS12_KEY_MAT_PARAMS,
    CK_TLS12_MASTER_KEY_DERIVE_PARAMS, CK_VERSION,
};
use crate::error::{Result, Rv};
use crate::mechanism::kdf_params::{KdfParams, KdfShape, Randoms};
use crate::mechanism::params::{MechanismParams, Shape};
use crate::mechanism::registry::has_vectors;

use super::{invalid, part, structure};

/// # Safety
/// The structure's pointers lead to what their lengths say.
unsafe fn randoms(data: CK_SSL3_RANDOM_DATA) -> Result<Randoms> {
    // SAFETY: this function's own contract.
    let client = unsafe { part(data.pClientRandom, data.ulClientRandomLen)? };
    // SAFETY: this function's own contract.
    let server = unsafe { part(data.pServerRandom, data.ulServerRandomLen)? };
    Ok(Randoms { client, server })
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn version(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let version = unsafe { structure::<CK_VERSION>(given)? };
    Ok(MechanismParams::Version([version.major, version.minor]))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn master(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_TLS12_MASTER_KEY_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let randoms = unsafe { randoms(params.RandomInfo)? };
    let version = !params.pVersion.is_null();
    let hash = params.prfHashMechanism;
    Ok(MechanismParams::Kdf(KdfParams::TlsMaster { randoms, hash, version }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn extended_master(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let session_hash = unsafe { part(params.pSessionHash, params.ulSessionHashLen)? };
    let version = !params.pVersion.is_null();
    let hash = params.prfHashMechanism;
    Ok(MechanismParams::Kdf(KdfParams::TlsExtendedMaster { session_hash, hash, version }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn keys(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_TLS12_KEY_MAT_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let randoms = unsafe { randoms(params.RandomInfo)? };
    Ok(MechanismParams::Kdf(KdfParams::TlsKeys {
        mac_bits: params.ulMacSizeInBits,
        key_bits: params.ulKeySizeInBits,
        iv_bits: params.ulIVSizeInBits,
        export: params.bIsExport != 0,
        randoms,
        hash: params.prfHashMechanism,
    }))
}

/// No context, and an empty one, are two things.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn export(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_TLS_KDF_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let label = unsafe { part(params.pLabel, params.ulLabelLength)? };
    // SAFETY: this function's own contract.
    let randoms = unsafe { randoms(params.RandomInfo)? };
    // SAFETY: this function's own contract.
    let context = unsafe { part(params.pContextData, params.ulContextDataLength)? };
    let context = (!params.pContextData.is_null()).then_some(context);
    let hash = params.prfMechanism;
    Ok(MechanismParams::Kdf(KdfParams::TlsExport { label, randoms, context, hash }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn mac(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_TLS_MAC_PARAMS>(given)? };
    let (hash, len) = (params.prfHashMechanism, params.ulMacLength);
    Ok(MechanismParams::TlsMac { hash, len, side: params.ulServerOrClient })
}

/// What a derivation gives back through its parameter.
pub(in crate::abi) enum Given {
    /// Nothing.
    Nothing,
    /// The version in a premaster secret.
    Version(*mut CK_VERSION),
    /// The keys of a connection and its vectors.
    Keys { place: *mut CK_SSL3_KEY_MAT_OUT, macs: bool, keys: bool, vector: usize },
}

impl Given {
    /// What a mechanism gives.
    ///
    /// # Safety
    /// The mechanism's pointers lead to what their lengths say.
    pub(super) unsafe fn of(given: &CK_MECHANISM, shape: Shape) -> Result<Self> {
        Ok(match shape {
            Shape::Kdf(KdfShape::TlsMaster) => {
                // SAFETY: this function's own contract.
                let params = unsafe { structure::<CK_TLS12_MASTER_KEY_DERIVE_PARAMS>(given)? };
                Self::Version(params.pVersion)
            }
            Shape::Kdf(KdfShape::TlsExtendedMaster) => {
                // SAFETY: this function's own contract.
                let params =
                    unsafe { structure::<CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS>(given)? };
                Self::Version(params.pVersion)
            }
            Shape::Kdf(KdfShape::TlsKeys) => {
                // SAFETY: this function's own contract.
                let params = unsafe { structure::<CK_TLS12_KEY_MAT_PARAMS>(given)? };
                let bits = if has_vectors(given.mechanism) { params.ulIVSizeInBits } else { 0 };
                let vector = usize::try_from(bits / 8).map_err(|_| invalid("bits of a vector"))?;
                let place = params.pReturnedKeyMaterial;
                if place.is_null() {
                    return Err(invalid("no place for the keys"));
                }
                // SAFETY: not null, and valid for reads as the caller promises.
                let out = unsafe { place.read_unaligned() };
                if vector != 0 && (out.pIVClient.is_null() || out.pIVServer.is_null()) {
                    return Err(invalid("no place for a vector"));
                }
                let (macs, keys) = (params.ulMacSizeInBits != 0, params.ulKeySizeInBits != 0);
                Self::Keys { place, macs, keys, vector }
            }
            _ => Self::Nothing,
        })
    }

    /// Writes the keys of a connection, and what is shown.
    ///
    /// # Safety
    /// The places in the parameter are valid for writes of what it says.
    pub(super) unsafe fn give(&self, handles: &[CK_OBJECT_HANDLE], shown: &[u8]) -> Result<()> {
        let broken = || Rv::GeneralError.because("another number of keys");
        match self {
            Self::Version(place) => {
                if let (false, [major, minor]) = (place.is_null(), shown) {
                    let version = CK_VERSION { major: *major, minor: *minor };
                    // SAFETY: not null, and valid for writes as the caller promises.
                    unsafe { place.write_unaligned(version) };
                }
            }
            Self::Keys { place, macs, keys, vector } => {
                let mut rest = handles.iter().copied();
                // SAFETY: not null as was seen, and valid for reads as the caller promises.
                let mut out = unsafe { place.read_unaligned() };
                let mut next = |is_there: bool| match is_there {
                    true => rest.next().ok_or_else(broken),
                    false => Ok(0),
                };
                (out.hClientMacSecret, out.hServerMacSecret) = (next(*macs)?, next(*macs)?);
                (out.hClientKey, out.hServerKey) = (next(*keys)?, next(*keys)?);
                let (client, server) = shown.split_at_checked(*vector).unwrap_or_default();
                for (to, from) in [(out.pIVClient, client), (out.pIVServer, server)] {
                    if from.len() == *vector && !to.is_null() {
                        // SAFETY: not null, and as long as the parameter said; the bytes are
                        // our own.
                        unsafe { to.copy_from_nonoverlapping(from.as_ptr(), from.len()) };
                    }
                }
                // SAFETY: as above, for writes.
                unsafe { place.write_unaligned(out) };
            }
            Self::Nothing => {}
        }
        Ok(())
    }

    /// Whether the handles go into the parameter, and none to the caller's own place.
    pub(super) fn has_all(&self) -> bool {
        matches!(self, Self::Keys { .. })
    }
}
