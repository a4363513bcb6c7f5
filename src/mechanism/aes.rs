//! AES: making keys, and the modes ECB, CBC, CBC with PKCS padding, CTR, OFB and CFB.
//!
//! GCM is `gcm`'s. The engine runs the mode; here are the lengths, which must be known (and
//! refused) before anything is computed. PKCS#11 3.2, "AES", "AES with Counter".

use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_template, secret_key, secret_value, value_len};
use crate::engine::EngineError;
use crate::engine::aws_lc::cipher::{BlockCipher, Direction, Mode, Position};
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::Object;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

pub(super) const BLOCK: usize = 16;

/// Makes a key of the length that the template asks for.
pub(super) fn generate(template: &Template, params: &MechanismParams) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::SecretKey, KeyType::Aes)?;
    let len = value_len(template)?;
    if !matches!(len, 16 | 24 | 32) {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of an AES key"));
    }
    secret_key(template, KeyType::Aes, random::secret(len)?)
}

/// The value of an AES key. The size is checked after the parameters, where the caller does it.
pub(super) fn key_value(key: &Object) -> Result<&Secret> {
    secret_value(key, &[KeyType::Aes])
}

pub(super) fn check_key_size(value: &Secret) -> Result<()> {
    match value.len() {
        16 | 24 | 32 => Ok(()),
        _ => Err(Rv::KeySizeRange.because("length of an AES key")),
    }
}

/// The refusal of an input by its length, as the direction names it.
pub(super) fn wrong_len(direction: Direction, why: &'static str) -> Error {
    match direction {
        Direction::Encrypt => Rv::DataLenRange.because(why),
        Direction::Decrypt => Rv::EncryptedDataLenRange.because(why),
    }
}

/// Starts an encryption or decryption in one of the engine's modes.
pub(super) fn start(
    key: &Key,
    params: &MechanismParams,
    mode: Mode,
    direction: Direction,
) -> Result<Box<dyn Ciphering>> {
    let value = key_value(key)?;
    let mut left = u128::MAX;
    let iv: &[u8] = match (mode, params) {
        // The standard gives ECB no parameter; callers that treat all modes alike send one.
        (Mode::Ecb, MechanismParams::None) => &[],
        (Mode::Ecb, MechanismParams::Iv(iv)) if iv.len() == BLOCK => &[],
        (
            Mode::Cbc | Mode::CbcPad | Mode::Ofb | Mode::Cfb128 | Mode::Cfb8 | Mode::Cfb1,
            MechanismParams::Iv(iv),
        ) if iv.len() == BLOCK => iv,
        (Mode::Ctr, MechanismParams::Ctr { bits, block }) => {
            left = counted_bytes(*bits, *block)?;
            block
        }
        _ => return Err(invalid("parameter of an AES mode")),
    };
    check_key_size(value)?;
    let cipher = value.expose(|value| BlockCipher::new(mode, direction, value, iv))?;
    let bits = if let MechanismParams::Ctr { bits, .. } = params { *bits } else { 0 };
    Ok(Box::new(BlockMode { cipher, mode, direction, block: BLOCK, pending: 0, left, bits }))
}

/// An engine's cipher as a running operation, with blocks of so many bytes.
#[cfg(feature = "legacy")]
pub(super) fn running(
    cipher: BlockCipher,
    (mode, direction): (Mode, Direction),
    block: usize,
) -> Box<dyn Ciphering> {
    Box::new(BlockMode { cipher, mode, direction, block, pending: 0, left: u128::MAX, bits: 0 })
}

/// How many bytes a counter of so many bits can still count, from where it starts.
fn counted_bytes(bits: u64, block: [u8; BLOCK]) -> Result<u128> {
    let start = u128::from_be_bytes(block);
    let blocks = match u32::try_from(bits) {
        // From zero, 2^128 blocks: more than can ever come.
        Ok(128) if start == 0 => u128::MAX,
        Ok(128) => start.wrapping_neg(),
        Ok(bits @ 1..128) => (1 << bits) - (start & ((1 << bits) - 1)),
        _ => return Err(invalid("counter bits of CTR")),
    };
    Ok(blocks.saturating_mul(BLOCK as u128))
}

struct BlockMode {
    cipher: BlockCipher,
    mode: Mode,
    direction: Direction,
    /// Bytes of a block.
    block: usize,
    /// What the engine holds back: taken in, not yet given out.
    pending: usize,
    /// What CTR's counter still allows.
    left: u128,
    /// Of CTR's counter.
    bits: u64,
}

impl BlockMode {
    fn total(&self, input: usize) -> Result<usize> {
        self.pending.checked_add(input).ok_or_else(|| self.wrong_len("too much"))
    }

    fn wrong_len(&self, why: &'static str) -> Error {
        wrong_len(self.direction, why)
    }

    /// The engine's failures, named for the direction.
    fn failed(&self, error: EngineError) -> Error {
        match error {
            EngineError::Length => self.wrong_len("length for the mode"),
            other => other.into(),
        }
    }

    /// Whether the last block is held back, because the padding is in it.
    fn holds_last(&self) -> bool {
        self.mode == Mode::CbcPad && self.direction == Direction::Decrypt
    }

    fn check_counter(&self, input: usize) -> Result<()> {
        if input as u128 <= self.left {
            Ok(())
        } else {
            Err(self.wrong_len("more blocks than the counter counts"))
        }
    }
}

impl Ciphering for BlockMode {
    fn resume(&self) -> Result<Option<(MechanismParams, Secret)>> {
        if self.block != BLOCK {
            return Ok(None);
        }
        let Position { block, used, held } = self.cipher.position()?;
        Ok(Some(match self.mode {
            Mode::Ecb => (MechanismParams::None, held),
            Mode::Cbc | Mode::CbcPad => (MechanismParams::Iv(block.to_vec()), held),
            Mode::Ofb | Mode::Cfb128 | Mode::Cfb8 | Mode::Cfb1 => return Ok(None),
            Mode::Ctr => {
                // The block whose keystream is used in part was counted already.
                let counted = u128::from(used != 0);
                let block = u128::from_be_bytes(block).wrapping_sub(counted).to_be_bytes();
                // Begun there, the counter must not count more than it would have.
                let left = counted_bytes(self.bits, block)?.saturating_sub(used as u128);
                if left > self.left {
                    return Ok(None);
                }
                let skipped = Secret::build(used, |_| Ok::<_, Error>(()))?;
                (MechanismParams::Ctr { bits: self.bits, block }, skipped)
            }
        }))
    }

    fn update_len(&self, input: usize) -> Result<usize> {
        let total = self.total(input)?;
        Ok(match self.mode {
            mode if mode.is_stream() => {
                self.check_counter(input)?;
                input
            }
            _ if self.holds_last() => total.saturating_sub(1) / self.block * self.block,
            _ => total / self.block * self.block,
        })
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let len = self.update_len(input.len())?;
        let written =
            self.cipher.update(input, room(out, len)?).map_err(|error| self.failed(error))?;
        self.pending = self.total(input.len())?.saturating_sub(written);
        if self.mode == Mode::Ctr {
            self.left -= input.len() as u128;
        }
        Ok(written)
    }

    fn finish_len(&self) -> Result<usize> {
        match (self.mode, self.direction) {
            (mode, _) if mode.is_stream() => Ok(0),
            (Mode::Ecb | Mode::Cbc, _) if self.pending == 0 => Ok(0),
            (Mode::CbcPad, Direction::Encrypt) => Ok(self.block),
            (Mode::CbcPad, Direction::Decrypt) if self.pending == self.block => Ok(self.block - 1),
            _ => Err(self.wrong_len("parts that do not fill blocks")),
        }
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let len = self.finish_len()?;
        let out = room(out, len)?;
        if self.mode != Mode::CbcPad {
            return Ok(0);
        }
        // The engine may write a whole block before it takes the padding off.
        let mut written = 0;
        let last = Secret::build(self.block, |block| {
            written = self.cipher.finish(block).map_err(|error| self.failed(error))?;
            Ok::<_, Error>(())
        })?;
        let out = room(out, written)?;
        last.expose(|last| out.iter_mut().zip(last).for_each(|(to, from)| *to = *from));
        Ok(written)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        match (self.mode, self.direction) {
            (mode, _) if mode.is_stream() => self.update_len(input),
            (Mode::CbcPad, Direction::Encrypt) => self
                .total(input)?
                .checked_add(self.block)
                .map(|padded| padded / self.block * self.block)
                .ok_or_else(|| self.wrong_len("too much")),
            _ if !input.is_multiple_of(self.block) => Err(self.wrong_len("not whole blocks")),
            // The padding takes at least one byte, and has to be there.
            (Mode::CbcPad, Direction::Decrypt) => {
                input.checked_sub(1).ok_or_else(|| self.wrong_len("no block"))
            }
            _ => Ok(input),
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.whole_len(input.len())?;
        let written = self.update(input, out)?;
        let rest = out.get_mut(written..).unwrap_or_default();
        Ok(written + self.finish(rest)?)
    }
}
