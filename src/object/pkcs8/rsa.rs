//! `RSAPrivateKey` of RFC 8017, A.1.2.

use zeroize::Zeroizing;

use super::{Found, Parts, malformed};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr, Hidden};
use crate::object::computed::{PublicPart, RSA_ALGORITHM};
use crate::object::der;
use crate::object::template::Template;
use crate::secret::Secret;

/// `rsaEncryption`.
pub(super) const ALGORITHM: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The secret numbers, in the order of the structure.
const NUMBERS: [Attr<Hidden>; 6] = [
    attribute::PRIVATE_EXPONENT,
    attribute::PRIME_1,
    attribute::PRIME_2,
    attribute::EXPONENT_1,
    attribute::EXPONENT_2,
    attribute::COEFFICIENT,
];

/// `two-prime`.
const VERSION: &[u8] = &[0];
const NULL: &[u8] = &[0x05, 0x00];

pub(super) fn write(attributes: &Template) -> Result<Parts> {
    let unknown = || Rv::KeyNotWrappable.because("an RSA key without its primes or exponent");
    let public = |name| attributes.get(name).filter(|bytes: &&[u8]| !bytes.is_empty());
    let modulus = der::integer(public(attribute::MODULUS).ok_or_else(unknown)?);
    let exponent = der::integer(public(attribute::PUBLIC_EXPONENT).ok_or_else(unknown)?);
    let version = der::element(der::INTEGER, &[VERSION]);
    let mut numbers = Vec::with_capacity(NUMBERS.len());
    for name in NUMBERS {
        let number = attributes.get(name).filter(|number| !number.is_empty());
        let number = number.ok_or_else(unknown)?;
        numbers.push(number.expose(|bytes| Zeroizing::new(der::integer(bytes))));
    }
    let mut parts: Vec<&[u8]> = vec![&version, &modulus, &exponent];
    parts.extend(numbers.iter().map(|number| number.as_slice()));
    let key = Zeroizing::new(der::element(der::SEQUENCE, &parts));
    Ok(Parts { algorithm: RSA_ALGORITHM.to_vec(), key })
}

pub(super) fn read(found: &Found<'_>) -> Result<Template> {
    if found.parameters.is_some_and(|parameters| parameters != NULL) {
        return Err(malformed());
    }
    let (der::SEQUENCE, mut content) = der::whole(found.key).ok_or_else(malformed)? else {
        return Err(malformed());
    };
    if der::take(&mut content, der::INTEGER) != Some(VERSION) {
        return Err(malformed());
    }
    let mut number = || der::take_number(&mut content).ok_or_else(malformed);
    let (modulus, exponent) = (number()?.to_vec(), number()?.to_vec());
    let mut made = Template::default();
    for name in NUMBERS {
        made.set(name, Secret::copy_of(number()?)?);
    }
    if !content.is_empty() {
        return Err(malformed());
    }
    made.set(attribute::MODULUS, modulus.clone());
    made.set(attribute::PUBLIC_EXPONENT, exponent.clone());
    let bits = PublicPart::Rsa { modulus, exponent }.bits();
    if found.public.is_some_and(|public| public != bits) {
        return Err(malformed());
    }
    Ok(made)
}
