//! Parameters of derivations. PKCS#11 3.2, "Miscellaneous simple key derivation mechanisms", "Key
//! derivation by data encryption", "HKDF", "PKCS #5".

use std::sync::Arc;

use crate::cryptoki::{
    CK_AES_CBC_ENCRYPT_DATA_PARAMS, CK_EXTRACT_PARAMS, CK_HKDF_PARAMS,
    CK_KEY_DERIVATION_STRING_DATA, CK_MECHANISM, CK_OBJECT_HANDLE, CK_PKCS5_PBKD2_PARAMS2,
    CKF_HKDF_SALT_DATA, CKF_HKDF_SALT_KEY, CKF_HKDF_SALT_NULL,
};
use crate::error::Result;
use crate::mechanism::kdf_params::{KdfParams, KdfShape, Password, Salt};
use crate::mechanism::params::MechanismParams;
use crate::secret::Secret;
use crate::system::process;

use super::{LONGEST_PART, Reader, counted, ike, invalid, part, structure, tls};
use crate::abi::input::input;

pub(super) const fn reader(shape: KdfShape) -> Reader {
    match shape {
        KdfShape::Data => data,
        KdfShape::OtherKey => other_key,
        KdfShape::FirstBit => first_bit,
        KdfShape::AesCbcData => aes_cbc_data,
        #[cfg(feature = "legacy")]
        KdfShape::DesCbcData => des_cbc_data,
        KdfShape::Hkdf => hkdf,
        KdfShape::Counted => counted::counted,
        KdfShape::Feedback => counted::feedback,
        KdfShape::Pbkdf2 => pbkdf2,
        KdfShape::TlsMaster => tls::master,
        KdfShape::TlsExtendedMaster => tls::extended_master,
        KdfShape::TlsKeys => tls::keys,
        KdfShape::TlsExport => tls::export,
        KdfShape::IkePrf => ike::prf,
        KdfShape::Ike1Prf => ike::ike1,
        KdfShape::Ike1Extended => ike::extended,
        KdfShape::IkePrfPlus => ike::plus,
    }
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn data(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_KEY_DERIVATION_STRING_DATA>(given)? };
    // SAFETY: this function's own contract.
    let data = unsafe { part(params.pData, params.ulLen)? };
    Ok(MechanismParams::Kdf(KdfParams::Data(data)))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn other_key(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let handle = unsafe { structure::<CK_OBJECT_HANDLE>(given)? };
    Ok(MechanismParams::Kdf(KdfParams::OtherKey(handle)))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn first_bit(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let bit = unsafe { structure::<CK_EXTRACT_PARAMS>(given)? };
    Ok(MechanismParams::Kdf(KdfParams::FirstBit(bit)))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn aes_cbc_data(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_AES_CBC_ENCRYPT_DATA_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let data = unsafe { part(params.pData, params.length)? };
    Ok(MechanismParams::Kdf(KdfParams::CbcData { iv: params.iv.to_vec(), data }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
#[cfg(feature = "legacy")]
unsafe fn des_cbc_data(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<crate::cryptoki::CK_DES_CBC_ENCRYPT_DATA_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let data = unsafe { part(params.pData, params.length)? };
    Ok(MechanismParams::Kdf(KdfParams::CbcData { iv: params.iv.to_vec(), data }))
}

/// Salt and info are looked at only where they count.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn hkdf(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_HKDF_PARAMS>(given)? };
    let (extract, expand) = (params.bExtract != 0, params.bExpand != 0);
    let salt = match params.ulSaltType {
        _ if !extract => Salt::Null,
        CKF_HKDF_SALT_NULL => Salt::Null,
        // SAFETY: this function's own contract.
        CKF_HKDF_SALT_DATA => Salt::Data(unsafe { part(params.pSalt, params.ulSaltLen)? }),
        CKF_HKDF_SALT_KEY => Salt::Key(params.hSaltKey),
        _ => Salt::Unknown,
    };
    let info = match expand {
        // SAFETY: this function's own contract.
        true => unsafe { part(params.pInfo, params.ulInfoLen)? },
        false => Vec::new(),
    };
    let hash = params.prfHashMechanism;
    Ok(MechanismParams::Kdf(KdfParams::Hkdf { extract, expand, hash, salt, info }))
}

/// The older structure is as long as the newer one and holds a pointer where that holds the length
/// of the password, so a length that no password has is read as a pointer to one. Such a number may
/// be no pointer at all: the kernel is asked to look.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn pbkdf2(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_PKCS5_PBKD2_PARAMS2>(given)? };
    // SAFETY: this function's own contract.
    let salt = unsafe { part(params.pSaltSourceData.cast(), params.ulSaltSourceDataLen)? };
    if params.ulPrfDataLen != 0 {
        return Err(invalid("no PRF of PBKDF2 takes data"));
    }
    let len = match params.ulPasswordLen {
        len if len <= LONGEST_PART => len,
        at => usize::try_from(at)
            .ok()
            .and_then(process::peek)
            .filter(|len| *len <= LONGEST_PART)
            .ok_or_else(|| invalid("length of the password"))?,
    };
    if params.pPassword.is_null() && len != 0 {
        return Err(invalid("a password that is not there"));
    }
    // SAFETY: this function's own contract.
    let password = Secret::copy_of(unsafe { input(params.pPassword, len)? })?;
    Ok(MechanismParams::Kdf(KdfParams::Pbkdf2 {
        source: params.saltSource,
        salt,
        iterations: params.iterations,
        prf: params.prf,
        password: Password(Arc::new(password)),
    }))
}
