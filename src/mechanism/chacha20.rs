//! ChaCha20 alone: making keys, and the stream cipher with any of its three nonces.
//!
//! PKCS#11 3.2, "ChaCha20".

use super::aes::wrong_len;
use super::cipher_params::CipherParams;
use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_template, secret_key, secret_value, value_len};
use crate::engine::aws_lc::chacha::{ChaCha20, KEY_LEN};
use crate::engine::aws_lc::cipher::Direction;
use crate::engine::random;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// Makes a key of 32 bytes, of ChaCha20 or of Poly1305.
pub(super) fn generate(
    template: &Template,
    params: &MechanismParams,
    key_type: KeyType,
) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::SecretKey, key_type)?;
    if template.contains(attribute::VALUE_LEN.id) && value_len(template)? != KEY_LEN {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of a key of 32 bytes"));
    }
    secret_key(template, key_type, random::secret(KEY_LEN)?)
}

/// Starts an encryption or decryption.
pub(super) fn start(
    key: &Key,
    params: &MechanismParams,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = secret_value(key, &[KeyType::ChaCha20])?;
    let MechanismParams::Cipher(CipherParams::ChaCha20 { counter, counter_bits, nonce }) = params
    else {
        return Err(invalid("ChaCha20 needs its parameters"));
    };
    // A nonce of 96 bits leaves 32 for the counter, the others 64; one that counts less far may
    // be written shorter.
    if nonce.len() == 12 && *counter_bits != 32 {
        return Err(invalid("counter bits of ChaCha20"));
    }
    if value.len() != KEY_LEN {
        return Err(Rv::KeySizeRange.because("length of a ChaCha20 key"));
    }
    let cipher = value.expose(|value| ChaCha20::new(value, nonce, *counter))?;
    Ok(Box::new(Running { cipher, direction }))
}

struct Running {
    cipher: ChaCha20,
    direction: Direction,
}

impl Ciphering for Running {
    fn update_len(&self, input: usize) -> Result<usize> {
        if input as u128 <= self.cipher.left() {
            Ok(input)
        } else {
            Err(wrong_len(self.direction, "more blocks than the counter counts"))
        }
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let len = self.update_len(input.len())?;
        self.cipher.update(input, room(out, len)?)?;
        Ok(len)
    }

    fn finish_len(&self) -> Result<usize> {
        Ok(0)
    }

    fn finish(&mut self, _out: &mut [u8]) -> Result<usize> {
        Ok(0)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        self.update_len(input)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.update(input, out)
    }
}
