//! Keys from data that the base key encrypts. PKCS#11 3.2, "Key derivation by data encryption".

use super::kdf_params::KdfParams;
use super::params::invalid;
use super::{Derivation, aes};
use crate::engine::aws_lc::cipher::{BlockCipher, Direction, Mode};
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// Encrypts the data with AES and takes the front of what comes out.
pub(super) fn derive_aes(derivation: &Derivation<'_>, mode: Mode) -> Result<Secret> {
    let value = aes::key_value(derivation.base)?;
    let (iv, data): (&[u8], _) = match (mode, derivation.params.kdf()?) {
        (Mode::Ecb, KdfParams::Data(data)) => (&[], data),
        (Mode::Cbc, KdfParams::CbcData { iv, data }) => (iv, data),
        _ => return Err(invalid("the derivation takes data to encrypt")),
    };
    aes::check_key_size(value)?;
    if data.is_empty() || !data.len().is_multiple_of(aes::BLOCK) {
        return Err(invalid("data that does not fill blocks"));
    }
    let mut cipher = value.expose(|key| BlockCipher::new(mode, Direction::Encrypt, key, iv))?;
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
