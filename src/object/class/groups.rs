//! Groups of prime order, and the keys in them: Diffie-Hellman and DSA. PKCS#11 3.2,
//! "Diffie-Hellman", "DSA", "Domain parameter objects".

use super::value::{invalid, show_value};
use super::{KeyType, Species};
use crate::engine::aws_lc::dh::{DhGroup, DhPrivate};
use crate::engine::aws_lc::dsa::{DsaGroup, DsaPrivate, DsaPublic};
use crate::error::Result;
use crate::object::attribute;
use crate::object::computed::PublicPart;
use crate::object::template::Template;

fn dh_group(template: &Template) -> Result<DhGroup> {
    Ok(DhGroup {
        prime: template.require(attribute::PRIME)?.to_vec(),
        base: template.require(attribute::BASE)?.to_vec(),
    })
}

pub(super) fn dh_public(template: &mut Template) -> Result<PublicPart> {
    show_value(template)?;
    let group = dh_group(template)?;
    let value = template.require(attribute::PUBLIC_VALUE)?.to_vec();
    group.check_public(&value)?;
    Ok(PublicPart::Dh { group, value })
}

pub(super) fn dh_private(template: &mut Template) -> Result<PublicPart> {
    let group = dh_group(template)?;
    let key = DhPrivate::from_exponent(group, template.require(attribute::VALUE)?)?;
    let exponent = key.exponent()?;
    let bits = exponent.expose(|bytes| {
        let top = bytes.first().map_or(0, |first| u64::from(8 - first.leading_zeros()));
        u64::try_from(bytes.len().saturating_sub(1)).unwrap_or_default() * 8 + top
    });
    template.set(attribute::VALUE_BITS, bits);
    Ok(PublicPart::Dh { group: key.group().clone(), value: key.public()? })
}

fn dsa_group(template: &Template) -> Result<DsaGroup> {
    Ok(DsaGroup {
        prime: template.require(attribute::PRIME)?.to_vec(),
        subprime: template.require(attribute::SUBPRIME)?.to_vec(),
        base: template.require(attribute::BASE)?.to_vec(),
    })
}

pub(super) fn dsa_public(template: &mut Template) -> Result<PublicPart> {
    show_value(template)?;
    let group = dsa_group(template)?;
    let value = template.require(attribute::PUBLIC_VALUE)?.to_vec();
    DsaPublic::new(&group, &value)?;
    Ok(PublicPart::Dsa { group, value })
}

pub(super) fn dsa_private(template: &mut Template) -> Result<PublicPart> {
    let key = DsaPrivate::from_value(dsa_group(template)?, template.require(attribute::VALUE)?)?;
    Ok(PublicPart::Dsa { group: key.group().clone(), value: key.public()? })
}

/// Checks a group that is an object of its own, and writes how long its numbers are.
pub(super) fn parameters(template: &mut Template, species: Species) -> Result<()> {
    let mut told = Vec::new();
    if species.key_type == Some(KeyType::Dsa) {
        let (prime, subprime) = dsa_group(template)?.bits()?;
        told.push((attribute::PRIME_BITS, u64::from(prime)));
        told.push((attribute::SUBPRIME_BITS, u64::from(subprime)));
    } else {
        told.push((attribute::PRIME_BITS, u64::from(dh_group(template)?.bits()?)));
    }
    for (name, bits) in told {
        if template.get(name).is_some_and(|asked| asked != bits) {
            return Err(invalid("bits of a group"));
        }
        template.set(name, bits);
    }
    Ok(())
}
