//! DES and triple DES: making keys, the modes ECB, CBC and CBC with PKCS padding, CMAC, and the
//! older CBC-MAC, which AES has as well.
//!
//! For what is old and must still be read. PKCS#11 3.2, "Data Encryption Standard", "Double and
//! Triple-length DES", "Double and Triple-length DES CMAC", "AES-MAC"; FIPS 46-3, FIPS 113.

use zeroize::Zeroizing;

use super::derivation::value;
use super::mac::{Code, Length, Running, length};
use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::{Key, aes, expect_template, secret_key, secret_value, value_len};
use crate::engine::aws_lc::cipher::{BlockCipher, DES_BLOCK_LEN, Direction, Mode};
use crate::engine::aws_lc::cmac::Cmac;
use crate::engine::random;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

/// The types of key of single DES.
pub(super) const SINGLE: &[KeyType] = &[KeyType::Des];
/// The types of key of triple DES.
pub(super) const TRIPLE: &[KeyType] = &[KeyType::Des3, KeyType::Des2];

/// Makes a key of a type, with its parity.
pub(super) fn generate(
    template: &Template,
    params: &MechanismParams,
    key_type: KeyType,
) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::SecretKey, key_type)?;
    let len = key_type.fixed_len().unwrap_or_default();
    if template.contains(attribute::VALUE_LEN.id) && value_len(template)? != len {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of a DES key"));
    }
    let made = value(key_type, len, |room| Ok(random::fill(room)?))?;
    secret_key(template, key_type, made)
}

/// Starts an encryption or decryption with a key of one of the types.
pub(super) fn start(
    key: &Key,
    params: &MechanismParams,
    types: &[KeyType],
    (mode, direction): (Mode, Direction),
) -> Result<Box<dyn Ciphering>> {
    let value = secret_value(key, types)?;
    let iv: &[u8] = match (mode, params) {
        (Mode::Ecb, MechanismParams::None) => &[],
        (Mode::Cbc | Mode::CbcPad, MechanismParams::Iv(iv)) if iv.len() == DES_BLOCK_LEN => iv,
        _ => return Err(invalid("parameter of a DES mode")),
    };
    check_key_size(value)?;
    let cipher = value.expose(|value| BlockCipher::des(mode, direction, value, iv))?;
    Ok(aes::running(cipher, (mode, direction), DES_BLOCK_LEN))
}

fn check_key_size(value: &Secret) -> Result<()> {
    match value.len() {
        8 | 16 | 24 => Ok(()),
        _ => Err(Rv::KeySizeRange.because("length of a DES key")),
    }
}

/// Starts CMAC.
pub(super) fn cmac(key: &Key, params: &MechanismParams, l: Length) -> Result<Running<Cmac>> {
    let value = secret_value(key, TRIPLE)?;
    let len = length(params, l, DES_BLOCK_LEN, DES_BLOCK_LEN)?;
    check_key_size(value)?;
    Ok(Running { code: value.expose(Cmac::des)?, len })
}

/// CBC-MAC: the last block of an encryption in CBC mode, of data that zeros fill up.
pub(super) struct CbcMac {
    cipher: BlockCipher,
    block_len: usize,
    pending: usize,
    last: Zeroizing<[u8; aes::BLOCK]>,
}

/// What is encrypted at a time.
const PIECE: usize = 1024;

impl Code for CbcMac {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        let mut sealed = Zeroizing::new([0; PIECE + aes::BLOCK]);
        for piece in part.chunks(PIECE) {
            let written = self.cipher.update(piece, sealed.as_mut_slice())?;
            self.pending = (self.pending + piece.len()) % self.block_len;
            if let Some(start) = written.checked_sub(self.block_len) {
                let last = sealed.get(start..written).unwrap_or_default();
                self.last.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        if self.pending != 0 {
            let missing = self.block_len - self.pending;
            self.update([0; aes::BLOCK].get(..missing).unwrap_or_default())?;
        }
        let last = self.last.get(..self.block_len).unwrap_or_default();
        room(out, self.block_len)?.copy_from_slice(last);
        Ok(())
    }
}

fn running_cbc_mac(cipher: BlockCipher, block_len: usize, len: usize) -> Running<CbcMac> {
    let last = Zeroizing::new([0; aes::BLOCK]);
    Running { code: CbcMac { cipher, block_len, pending: 0, last }, len }
}

/// Starts CBC-MAC with AES; half a block long if nothing is chosen.
pub(super) fn aes_cbc_mac(
    key: &Key,
    params: &MechanismParams,
    l: Length,
) -> Result<Running<CbcMac>> {
    let value = aes::key_value(key)?;
    let len = length(params, l, aes::BLOCK / 2, aes::BLOCK)?;
    aes::check_key_size(value)?;
    let (mode, direction) = (Mode::Cbc, Direction::Encrypt);
    let cipher = value.expose(|key| BlockCipher::new(mode, direction, key, &[0; aes::BLOCK]))?;
    Ok(running_cbc_mac(cipher, aes::BLOCK, len))
}

/// Starts CBC-MAC with a key of one of the types; half a block long if nothing is chosen.
pub(super) fn cbc_mac(
    key: &Key,
    params: &MechanismParams,
    types: &[KeyType],
    l: Length,
) -> Result<Running<CbcMac>> {
    let value = secret_value(key, types)?;
    let len = length(params, l, DES_BLOCK_LEN / 2, DES_BLOCK_LEN)?;
    check_key_size(value)?;
    let (mode, direction) = (Mode::Cbc, Direction::Encrypt);
    let cipher = value.expose(|key| BlockCipher::des(mode, direction, key, &[0; DES_BLOCK_LEN]))?;
    Ok(running_cbc_mac(cipher, DES_BLOCK_LEN, len))
}
