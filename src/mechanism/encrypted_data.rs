//! Keys from data that the base key encrypts. PKCS#11 3.2, "Key derivation by data encryption".

use super::kdf_params::KdfParams;
use super::params::invalid;
#[cfg(feature = "legacy")]
use super::secret_value;
use super::{Derivation, aes};
#[cfg(feature = "legacy")]
use crate::engine::aws_lc::cipher::DES_BLOCK_LEN;
use crate::engine::aws_lc::cipher::{BlockCipher, Direction, Mode};
use crate::error::{Error, Result, Rv};
#[cfg(feature = "legacy")]
use crate::object::class::KeyType;
use crate::secret::Secret;

/// What is encrypted: a vector, if the mode has one, and data in blocks of so many bytes.
fn given<'d>(
    derivation: &Derivation<'d>,
    mode: Mode,
    block: usize,
) -> Result<(&'d [u8], &'d [u8])> {
    let (iv, data): (&[u8], &[u8]) = match (mode, derivation.params.kdf()?) {
        (Mode::Ecb, KdfParams::Data(data)) => (&[], data),
        (Mode::Cbc, KdfParams::CbcData { iv, data }) if iv.len() == block => (iv, data),
        _ => return Err(invalid("the derivation takes data to encrypt")),
    };
    if data.is_empty() || !data.len().is_multiple_of(block) {
        return Err(invalid("data that does not fill blocks"));
    }
    Ok((iv, data))
}

/// Encrypts the data with AES and takes the front of what comes out.
pub(super) fn derive_aes(derivation: &Derivation<'_>, mode: Mode) -> Result<Secret> {
    let value = aes::key_value(derivation.base)?;
    let (iv, data) = given(derivation, mode, aes::BLOCK)?;
    aes::check_key_size(value)?;
    let mut cipher = value.expose(|key| BlockCipher::new(mode, Direction::Encrypt, key, iv))?;
    front_of_sealed(derivation, &mut cipher, data)
}

/// Encrypts the data with DES or triple DES and takes the front of what comes out.
#[cfg(feature = "legacy")]
pub(super) fn derive_des(
    derivation: &Derivation<'_>,
    types: &[KeyType],
    mode: Mode,
) -> Result<Secret> {
    let value = secret_value(derivation.base, types)?;
    let (iv, data) = given(derivation, mode, DES_BLOCK_LEN)?;
    let mut cipher = value.expose(|key| BlockCipher::des(mode, Direction::Encrypt, key, iv))?;
    front_of_sealed(derivation, &mut cipher, data)
}

fn front_of_sealed(
    derivation: &Derivation<'_>,
    cipher: &mut BlockCipher,
    data: &[u8],
) -> Result<Secret> {
    let sealed = Secret::build(data.len(), |room| cipher.update(data, room).map(drop))?;
    sealed.expose(|sealed| derivation.front_of(sealed)).map_err(as_data)
}

/// Too short a result is the data's fault here.
fn as_data(error: Error) -> Error {
    match error.rv {
        Rv::TemplateInconsistent => Rv::DataLenRange.because(error.why),
        _ => error,
    }
}
