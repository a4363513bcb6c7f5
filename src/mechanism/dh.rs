//! Diffie-Hellman over prime fields: making pairs in a given group, and the raw secret.
//!
//! PKCS#11 3.2, "PKCS #3 Diffie-Hellman key pair generation", "PKCS #3 Diffie-Hellman key
//! derivation".

use super::ecdh::last_bytes;
use super::params::{MechanismParams, invalid};
use super::{Derivation, expect_template, new_pair, private_key};
use crate::custody::{Custodian, DerivePrimitive, KeySpec};
use crate::engine::aws_lc::dh::DhGroup;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

/// The shortest exponent that is made, in bits: twice what the smallest group is worth.
const SHORTEST_EXPONENT: u64 = 160;

/// Makes a pair in the group of the public template, with an exponent as long as the private one
/// asks for.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    expect_template(public, Class::PublicKey, KeyType::Dh)?;
    expect_template(private, Class::PrivateKey, KeyType::Dh)?;
    let group = DhGroup {
        prime: public.require(attribute::PRIME)?.to_vec(),
        base: public.require(attribute::BASE)?.to_vec(),
    };
    let bits = match private.get(attribute::VALUE_BITS) {
        None => None,
        Some(bits) if bits < SHORTEST_EXPONENT => {
            return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_BITS"));
        }
        Some(bits) => u32::try_from(bits).ok(),
    };
    new_pair(custodian, &KeySpec::Dh { group, bits }, public, private)
}

/// Gives the group of RFC 7919 whose prime has as many bits as the template asks for: a group that
/// is known to be safe is worth more than one that nobody has seen.
pub(super) fn generate_group(template: &Template, params: &MechanismParams) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::DomainParameters, KeyType::Dh)?;
    let group = DhGroup::published(template.require(attribute::PRIME_BITS)?)?;
    let group = group.ok_or_else(|| Rv::AttributeValueInvalid.because("CKA_PRIME_BITS"))?;
    let mut made = template.try_clone()?;
    made.set(attribute::CLASS, Class::DomainParameters.code());
    made.set(attribute::KEY_TYPE, KeyType::Dh.code());
    made.set(attribute::PRIME, group.prime);
    made.set(attribute::BASE, group.base);
    Ok(made)
}

/// The secret that is shared with the holder of a public value; with a length, its last bytes.
pub(super) fn derive(derivation: &Derivation<'_>) -> Result<Secret> {
    let &Derivation { base, params, len, .. } = derivation;
    let private = private_key(base, KeyType::Dh)?;
    let MechanismParams::PublicValue(peer) = params else {
        return Err(invalid("key agreement needs the peer's public value"));
    };
    if len == Some(0) {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN"));
    }
    let agreed = private.derive(DerivePrimitive::Ecdh { point: peer })?;
    last_bytes(agreed, len)
}
