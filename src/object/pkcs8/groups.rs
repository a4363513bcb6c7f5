//! Keys in groups of prime order: DSA (RFC 3279, 2.3.2; PKCS#11 3.2, "Wrapping/unwrapping private
//! keys") and Diffie-Hellman (PKCS#3). The group stands in the algorithm's parameters, the key is
//! an INTEGER.

use zeroize::Zeroizing;

use super::{Found, Parts, malformed};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr, Bytes};
use crate::object::computed::{DH_ALGORITHM, DSA_ALGORITHM};
use crate::object::der;
use crate::object::template::Template;
use crate::secret::Secret;

/// `id-dsa`.
pub(super) const DSA: &[u8] = DSA_ALGORITHM;
/// `dhKeyAgreement`.
pub(super) const DH: &[u8] = DH_ALGORITHM;

/// The numbers of the parameters, in their order.
const OF_DSA: &[Attr<Bytes>] = &[attribute::PRIME, attribute::SUBPRIME, attribute::BASE];
const OF_DH: &[Attr<Bytes>] = &[attribute::PRIME, attribute::BASE];

pub(super) fn write_dsa(attributes: &Template) -> Result<Parts> {
    write(attributes, DSA, OF_DSA)
}

pub(super) fn write_dh(attributes: &Template) -> Result<Parts> {
    write(attributes, DH, OF_DH)
}

fn write(attributes: &Template, identifier: &[u8], names: &[Attr<Bytes>]) -> Result<Parts> {
    let broken = || Rv::GeneralError.because("a private key that is not whole");
    let numbers = names.iter().map(|name| attributes.get(*name).map(der::integer));
    let numbers = numbers.collect::<Option<Vec<_>>>().ok_or_else(broken)?;
    let parameters = der::element(der::SEQUENCE, &[&numbers.concat()]);
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let key = value.expose(|value| Zeroizing::new(der::integer(value)));
    Ok(Parts { algorithm: der::element(der::SEQUENCE, &[identifier, &parameters]), key })
}

pub(super) fn read_dsa(found: &Found<'_>) -> Result<Template> {
    read(found, OF_DSA)
}

pub(super) fn read_dh(found: &Found<'_>) -> Result<Template> {
    read(found, OF_DH)
}

fn read(found: &Found<'_>, names: &[Attr<Bytes>]) -> Result<Template> {
    let parameters = found.parameters.and_then(der::whole);
    let Some((der::SEQUENCE, mut numbers)) = parameters else { return Err(malformed()) };
    let mut made = Template::default();
    for name in names {
        let number = der::take_number(&mut numbers).ok_or_else(malformed)?;
        made.set(*name, number.to_vec());
    }
    // Diffie-Hellman may say how long private values are.
    if !numbers.is_empty()
        && (names.len() != OF_DH.len() || der::take_number(&mut numbers).is_none())
    {
        return Err(malformed());
    }
    let mut key = found.key;
    let value = der::take_number(&mut key).ok_or_else(malformed)?;
    if !numbers.is_empty() || !key.is_empty() {
        return Err(malformed());
    }
    made.set(attribute::VALUE, Secret::copy_of(value)?);
    Ok(made)
}
