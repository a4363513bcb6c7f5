//! What derivations have in common, and the simple ones: concatenation, XOR, extraction.
//!
//! PKCS#11 3.2, "Miscellaneous simple key derivation mechanisms". How long a derived value is, and
//! what the parity of its bytes, is the same for all of them.

use super::kdf_params::KdfParams;
use super::params::invalid;
use super::{Derivation, Key, any_secret};
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::secret::Secret;

/// The longest value that is derived, in bytes; far beyond every key type.
pub(super) const LONGEST: usize = 8192;

/// How many bytes a new key has: what is asked for, else what keys of its type always have, else
/// as many as there are.
pub(super) fn wanted(
    asked: Option<usize>,
    key_type: KeyType,
    available: Option<usize>,
) -> Result<usize> {
    let len = match (asked, key_type.fixed_len()) {
        (Some(0), _) => return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN")),
        (Some(len), Some(fixed)) if len != fixed => {
            return Err(Rv::TemplateInconsistent.because("CKA_VALUE_LEN of another type"));
        }
        (Some(len), _) | (None, Some(len)) => len,
        (None, None) if key_type.has_sizes() => return Err(no_length()),
        (None, None) => available.ok_or_else(no_length)?,
    };
    if len > available.unwrap_or(LONGEST) { Err(too_long()) } else { Ok(len) }
}

/// A value with the parity of its type.
pub(super) fn with_parity(key_type: KeyType, secret: Secret) -> Result<Secret> {
    if !key_type.has_parity() {
        return Ok(secret);
    }
    secret.expose(|secret| {
        value(key_type, secret.len(), |room| {
            room.copy_from_slice(secret);
            Ok(())
        })
    })
}

/// A value of this many bytes, which `fill` writes, with the parity of its type.
pub(super) fn value(
    key_type: KeyType,
    len: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<Secret> {
    Secret::build(len, |room| {
        fill(room)?;
        if key_type.has_parity() {
            room.iter_mut().for_each(|byte| *byte = odd(*byte));
        }
        Ok(())
    })
}

impl Derivation<'_> {
    /// As the function of that name, of the new key.
    pub(super) fn wanted(&self, available: Option<usize>) -> Result<usize> {
        wanted(self.len, self.key_type, available)
    }

    /// The front of what was computed, as long as the new key is to be.
    pub(super) fn front_of(&self, computed: &[u8]) -> Result<Secret> {
        let front = computed.get(..self.wanted(Some(computed.len()))?).unwrap_or_default();
        with_parity(self.key_type, Secret::copy_of(front)?)
    }
}

fn no_length() -> Error {
    Rv::TemplateIncomplete.because("CKA_VALUE_LEN")
}

fn too_long() -> Error {
    Rv::TemplateInconsistent.because("CKA_VALUE_LEN is more than the derivation gives")
}

/// A byte of a DES key: its lowest bit makes the number of ones odd.
pub(super) const fn odd(byte: u8) -> u8 {
    let ones = (byte & 0xfe).count_ones();
    byte & 0xfe | ones.is_multiple_of(2) as u8
}

/// What is left of a closed key that is cut: at least this many bytes. Of shorter pieces, one a
/// byte longer than the other, each could be guessed, and in the end the whole key.
const LEAST_CUT: usize = 14;

/// Refuses to show a small part of a closed key.
pub(super) fn check_cut(source: &Key, kept: usize, whole: usize) -> Result<()> {
    let closed = source.is_set(attribute::SENSITIVE) || !source.is_set(attribute::EXTRACTABLE);
    if closed && kept != 0 && kept < whole.min(LEAST_CUT) {
        let why = "less than 14 bytes of a key that is sensitive or cannot be extracted";
        return Err(Rv::TemplateInconsistent.because(why));
    }
    Ok(())
}

/// Two values one after the other, and the keys that they belong to.
fn joined(
    derivation: &Derivation<'_>,
    (first, first_key): (&[u8], Option<&Key>),
    (second, second_key): (&[u8], Option<&Key>),
) -> Result<Secret> {
    let len = derivation.wanted(Some(first.len() + second.len()))?;
    let of_first = len.min(first.len());
    first_key.map_or(Ok(()), |key| check_cut(key, of_first, first.len()))?;
    second_key.map_or(Ok(()), |key| check_cut(key, len - of_first, second.len()))?;
    let both = Secret::build(first.len() + second.len(), |room| {
        room.iter_mut().zip(first.iter().chain(second)).for_each(|(to, from)| *to = *from);
        Ok::<_, Error>(())
    })?;
    both.expose(|both| derivation.front_of(both))
}

/// The base key's value and after it another's.
pub(super) fn base_and_key(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    let (KdfParams::OtherKey(_), [other]) = (derivation.params.kdf()?, derivation.others) else {
        return Err(invalid("concatenation takes the handle of a key"));
    };
    let (other, other_key) = (any_secret(other)?, Some(other));
    let base_key = Some(derivation.base);
    base.expose(|base| {
        other.expose(|other| joined(derivation, (base, base_key), (other, other_key)))
    })
}

fn data<'d>(derivation: &Derivation<'d>) -> Result<&'d [u8]> {
    match derivation.params.kdf()? {
        KdfParams::Data(data) => Ok(data),
        _ => Err(invalid("the derivation takes a string of data")),
    }
}

/// The base key's value and after it the data.
pub(super) fn base_and_data(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    let data = data(derivation)?;
    base.expose(|base| joined(derivation, (base, Some(derivation.base)), (data, None)))
}

/// The data and after it the base key's value.
pub(super) fn data_and_base(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    let data = data(derivation)?;
    base.expose(|base| joined(derivation, (data, None), (base, Some(derivation.base))))
}

/// The base key's value changed by the data, as far as both reach.
pub(super) fn xor(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    let data = data(derivation)?;
    if data.is_empty() {
        return Err(invalid("no data to XOR with"));
    }
    let mixed = Secret::build(base.len().min(data.len()), |room| {
        base.expose(|base| {
            for (to, (left, right)) in room.iter_mut().zip(base.iter().zip(data)) {
                *to = left ^ right;
            }
        });
        Ok::<_, Error>(())
    })?;
    check_cut(derivation.base, derivation.wanted(Some(mixed.len()))?, base.len())?;
    mixed.expose(|mixed| derivation.front_of(mixed))
}

/// Bits of the base key from one of them on, and from its first again after its last.
pub(super) fn extract(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = any_secret(derivation.base)?;
    let KdfParams::FirstBit(first) = derivation.params.kdf()? else {
        return Err(invalid("extraction takes the number of a bit"));
    };
    let bits = base.len() * 8;
    let first = usize::try_from(*first).ok().filter(|first| *first < bits);
    let first = first.ok_or_else(|| invalid("a bit that the base key does not have"))?;
    if derivation.len.is_none() && derivation.key_type.fixed_len().is_none() {
        return Err(no_length());
    }
    let len = derivation.wanted(Some(base.len()))?;
    check_cut(derivation.base, len, base.len())?;
    let (skipped, shift) = (first / 8, first % 8);
    value(derivation.key_type, len, |room| {
        base.expose(|base| {
            let around = base.iter().cycle().skip(skipped);
            let pairs = around.clone().zip(around.skip(1));
            for (to, (high, low)) in room.iter_mut().zip(pairs) {
                let pair = u16::from_be_bytes([*high, *low]) << shift;
                *to = pair.to_be_bytes()[0];
            }
        });
        Ok(())
    })
}
