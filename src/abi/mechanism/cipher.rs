//! Parameters of ciphers beside the common ones. PKCS#11 3.2, "AES-CCM Authenticated Encryption /
//! Decryption", "ChaCha20", "ChaCha20/Poly1305", "Data Encryption Standard".

use crate::cryptoki::{
    CK_BYTE_PTR, CK_CCM_PARAMS, CK_CCM_WRAP_PARAMS, CK_CHACHA20_PARAMS, CK_MECHANISM,
    CK_SALSA20_CHACHA20_POLY1305_PARAMS, CK_ULONG,
};
use crate::error::Result;
use crate::mechanism::cipher_params::{CipherParams, CipherShape};
use crate::mechanism::message::Message;
use crate::mechanism::params::MechanismParams;

use super::message::source;
use super::{Reader, invalid, part, structure};

pub(super) const fn reader(shape: CipherShape) -> Reader {
    match shape {
        CipherShape::Ccm => ccm,
        CipherShape::ChaCha20 => chacha20,
        CipherShape::ChaCha20Poly1305 => chacha20_poly1305,
        #[cfg(feature = "legacy")]
        CipherShape::Iv8 => super::symmetric::iv,
        #[cfg(feature = "legacy")]
        CipherShape::OptionalIv8 => no_iv,
    }
}

/// No parameter; a vector is passed over, because some callers give one to every mode.
///
/// # Safety
/// None of its own: no pointer is looked at.
#[cfg(feature = "legacy")]
unsafe fn no_iv(given: &CK_MECHANISM) -> Result<MechanismParams> {
    match given.ulParameterLen {
        0 | 8 | 16 => Ok(MechanismParams::None),
        _ => Err(invalid("this mechanism takes no parameter")),
    }
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn ccm(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if usize::try_from(given.ulParameterLen) == Ok(size_of::<CK_CCM_WRAP_PARAMS>()) {
        // SAFETY: this function's own contract.
        return unsafe { ccm_wrap(given) };
    }
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_CCM_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let nonce = unsafe { part(params.pNonce, params.ulNonceLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    let (data_len, tag_len) = (params.ulDataLen, params.ulMACLen);
    Ok(MechanismParams::Cipher(CipherParams::Ccm { data_len, nonce, aad, tag_len }))
}

/// The length of the data is that of the key, and not looked at.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn ccm_wrap(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_CCM_WRAP_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let nonce = unsafe { part(params.pNonce, params.ulNonceLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    let message = Message {
        nonce,
        fixed_bits: params.ulNonceFixedBits,
        source: source(params.nonceGenerator)?,
        tag_bits: params.ulMACLen.saturating_mul(8),
        data_len: None,
    };
    Ok(MechanismParams::Wrapping { message, aad })
}

/// A nonce whose length is given in bits. Some callers give bytes, and no length in bits is so
/// small.
///
/// # Safety
/// `start` is null or valid for reads of what `bits` says.
pub(super) unsafe fn nonce(start: CK_BYTE_PTR, bits: CK_ULONG) -> Result<Vec<u8>> {
    let len = match bits {
        8 | 12 | 24 => bits,
        64 | 96 | 192 => bits / 8,
        _ => return Err(invalid("length of ChaCha20's nonce")),
    };
    // SAFETY: this function's own contract.
    unsafe { part(start, len) }
}

/// The counter is little endian, as it stands in the cipher's state (RFC 8439, section 2.3).
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn chacha20(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_CHACHA20_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let nonce = unsafe { nonce(params.pNonce, params.ulNonceBits)? };
    let counter_bits = params.blockCounterBits;
    if !matches!(counter_bits, 32 | 64) {
        return Err(invalid("length of ChaCha20's counter"));
    }
    // SAFETY: this function's own contract.
    let bytes = unsafe { part(params.pBlockCounter, counter_bits / 8)? };
    let counter = bytes.iter().rev().fold(0, |high, byte| high << 8 | u64::from(*byte));
    Ok(MechanismParams::Cipher(CipherParams::ChaCha20 { counter, counter_bits, nonce }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn chacha20_poly1305(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_SALSA20_CHACHA20_POLY1305_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let nonce = unsafe { nonce(params.pNonce, params.ulNonceLen)? };
    // SAFETY: this function's own contract.
    let aad = unsafe { part(params.pAAD, params.ulAADLen)? };
    Ok(MechanismParams::Cipher(CipherParams::ChaCha20Poly1305 { nonce, aad }))
}
