//! How large a key is, in bits: what `claviger` shows, and what a policy asks a minimum of.

use super::attribute;
use super::class::KeyType;
use super::curve::curve_of;
use super::template::Template;

/// The bits of a modulus, a curve or a secret; nothing if the attributes do not tell.
pub(crate) fn bits_of(attributes: &Template) -> Option<u64> {
    match attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code)? {
        KeyType::Rsa => match attributes.get(attribute::MODULUS) {
            Some(modulus) => bits_of_modulus(modulus),
            None => attributes.get(attribute::MODULUS_BITS),
        },
        KeyType::Dh | KeyType::Dsa => bits_of_modulus(attributes.get(attribute::PRIME)?),
        KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery => {
            let curve = curve_of(attributes.get(attribute::EC_PARAMS)?).ok()?;
            u64::try_from(curve.bits()).ok()
        }
        KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa => None,
        _ => match attributes.get(attribute::VALUE_LEN) {
            Some(bytes) => bytes.checked_mul(8),
            None => u64::try_from(attributes.get(attribute::VALUE)?.len()).ok()?.checked_mul(8),
        },
    }
}

fn bits_of_modulus(modulus: &[u8]) -> Option<u64> {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let digits = modulus.get(zeros..)?;
    let first = digits.first()?;
    let bits = u64::try_from(digits.len()).ok()?.checked_mul(8)?;
    bits.checked_sub(u64::from(first.leading_zeros()))
}
