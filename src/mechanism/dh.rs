//! Diffie-Hellman over prime fields: making pairs in a given group, and the raw secret; also as a
//! key encapsulation with an ephemeral key.
//!
//! PKCS#11 3.2, "PKCS #3 Diffie-Hellman key pair generation", "PKCS #3 Diffie-Hellman key
//! derivation".

use super::derivation::with_parity;
use super::ecdh::{check_asked, last_bytes, opened};
use super::operation::{Encapsulating, room};
use super::params::{MechanismParams, invalid};
use super::{Derivation, Key, expect_key, expect_template, inconsistent, new_pair, private_key};
use crate::custody::{Custodian, DerivePrimitive, KeyKind, KeySpec};
use crate::engine::EngineError;
use crate::engine::aws_lc::dh::{DhGroup, DhPrivate};
use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Attr, Bytes};
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
    let &Derivation { base, params, len, key_type, .. } = derivation;
    let private = private_key(base, KeyType::Dh)?;
    let MechanismParams::PublicValue(peer) = params else {
        return Err(invalid("key agreement needs the peer's public value"));
    };
    check_asked(len)?;
    let agreed = private.derive(DerivePrimitive::Ecdh { point: peer })?;
    with_parity(key_type, last_bytes(agreed, len)?)
}

/// Prepares a secret for the holder of a public key: an ephemeral key of its group agrees with it,
/// and the ciphertext is that key's public value, as long as the prime.
pub(super) fn encapsulate(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Encapsulating>> {
    expect_key(key, Class::PublicKey, &[KeyType::Dh])?;
    expect_none(params)?;
    check_asked(len)?;
    let number = |name: Attr<Bytes>| Ok::<_, Error>(key.attributes.require(name)?.to_vec());
    let group = DhGroup { prime: number(attribute::PRIME)?, base: number(attribute::BASE)? };
    let public = key.attributes.require(attribute::PUBLIC_VALUE)?.to_vec();
    Ok(Box::new(Encapsulation { group, public, len }))
}

/// Gives the secret that was made for a private key.
pub(super) fn decapsulate(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    let private = private_key(key, KeyType::Dh)?;
    expect_none(params)?;
    check_asked(len)?;
    let KeyKind::Dh { prime_len } = private.kind() else { return Err(inconsistent()) };
    // Other tokens may leave zeros in front away.
    if !(1..=prime_len).contains(&ciphertext.len()) {
        return Err(Rv::WrappedKeyLenRange.because("length of an ephemeral public value"));
    }
    last_bytes(opened(private.as_ref(), ciphertext)?, len)
}

/// The other side's value is not the caller's to give: it is the ciphertext.
fn expect_none(params: &MechanismParams) -> Result<()> {
    match params {
        MechanismParams::None => Ok(()),
        MechanismParams::PublicValue(value) if value.is_empty() => Ok(()),
        _ => Err(invalid("a public value where the ciphertext is one")),
    }
}

struct Encapsulation {
    group: DhGroup,
    public: Vec<u8>,
    len: Option<usize>,
}

impl Encapsulating for Encapsulation {
    fn len(&self) -> usize {
        self.group.prime_len()
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let out = room(out, self.len())?;
        let ephemeral = DhPrivate::generate(self.group.clone(), None)?;
        let agreed = ephemeral.derive(&self.public).map_err(|error| match error {
            EngineError::Key(why) => Rv::PublicKeyInvalid.because(why),
            other => other.into(),
        })?;
        let secret = last_bytes(agreed, self.len)?;
        let value = ephemeral.public()?;
        let zeros = out.len().checked_sub(value.len()).ok_or_else(inconsistent)?;
        let (front, rest) = out.split_at_mut(zeros);
        front.fill(0);
        rest.copy_from_slice(&value);
        Ok((out.len(), secret))
    }
}
