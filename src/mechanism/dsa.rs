//! DSA: making groups and pairs, and signatures over a digest that the caller made or with hashing.
//!
//! PKCS#11 3.2, "DSA"; FIPS 186-4.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::MechanismParams;
use super::{Finished, Key, expect_key, expect_template, inconsistent, new_pair, private_key};
use crate::custody::{Custodian, KeySpec, PrivateKey, SignPrimitive};
use crate::engine::aws_lc::dsa::{DsaGroup, DsaPublic, PRIME_BITS};
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Prepared, attribute};
use crate::secret::Secret;

/// The longest digest that a caller may have made: of no hash function comes more.
const LONGEST_DIGEST: usize = 64;

/// Makes a group with a prime of the length that the template asks for. Of the lengths of subprime
/// that the standard has, the engine makes 160 bits for primes below 2048, and 256 for others.
pub(super) fn generate_group(template: &Template, params: &MechanismParams) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::DomainParameters, KeyType::Dsa)?;
    let bits = template.require(attribute::PRIME_BITS)?;
    let bits = usize::try_from(bits)
        .ok()
        .filter(|bits| PRIME_BITS.contains(bits) && bits.is_multiple_of(64));
    let bits = bits.ok_or_else(|| Rv::AttributeValueInvalid.because("CKA_PRIME_BITS"))?;
    let subprime_bits = if bits < 2048 { 160 } else { 256 };
    if template.get(attribute::SUBPRIME_BITS).is_some_and(|asked| asked != subprime_bits) {
        return Err(Rv::AttributeValueInvalid.because("CKA_SUBPRIME_BITS for this prime"));
    }
    let group = DsaGroup::generate(bits)?;
    let mut made = template.try_clone()?;
    made.set(attribute::CLASS, Class::DomainParameters.code());
    made.set(attribute::KEY_TYPE, KeyType::Dsa.code());
    made.set(attribute::PRIME, group.prime);
    made.set(attribute::SUBPRIME, group.subprime);
    made.set(attribute::BASE, group.base);
    Ok(made)
}

/// Makes a pair in the group of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    expect_template(public, Class::PublicKey, KeyType::Dsa)?;
    expect_template(private, Class::PrivateKey, KeyType::Dsa)?;
    let group = DsaGroup {
        prime: public.require(attribute::PRIME)?.to_vec(),
        subprime: public.require(attribute::SUBPRIME)?.to_vec(),
        base: public.require(attribute::BASE)?.to_vec(),
    };
    new_pair(custodian, &KeySpec::Dsa(group), public, private)
}

fn public_key(key: &Key) -> Result<&DsaPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::Dsa])?;
    match key.prepared()? {
        Prepared::Dsa(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// Starts a signature; without `digest`, over a digest of the caller.
pub(super) fn sign(
    key: &Key,
    params: &MechanismParams,
    digest: Option<Digest>,
) -> Result<Box<dyn Signing>> {
    let key = private_key(key, KeyType::Dsa)?;
    params.none()?;
    Ok(Box::new(Signature { key, hasher: digest.map(Hasher::new) }))
}

/// Starts a verification; without `digest`, over a digest of the caller.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    digest: Option<Digest>,
) -> Result<Box<dyn Verifying>> {
    public_key(key)?;
    params.none()?;
    Ok(Box::new(Verification { key: Arc::clone(key), hasher: digest.map(Hasher::new) }))
}

/// An empty digest counts as zero, for which anyone can make signatures.
fn check_digest(digest: &[u8]) -> Result<()> {
    if (1..=LONGEST_DIGEST).contains(&digest.len()) {
        Ok(())
    } else {
        Err(Rv::DataLenRange.because("length of a digest"))
    }
}

fn one_part() -> crate::error::Error {
    Rv::FunctionNotSupported.because("this mechanism takes its data in one part only")
}

struct Signature {
    key: Arc<dyn PrivateKey>,
    /// None for a digest that the caller made.
    hasher: Option<Hasher>,
}

impl Signing for Signature {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.as_ref().map(Hasher::save).transpose()?.flatten())
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.as_mut().is_some_and(|hasher| hasher.restore(state))
    }

    fn len(&self) -> usize {
        self.key.kind().signature_len()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.as_mut().ok_or_else(one_part)?.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let digest = Finished::of(self.hasher.as_mut().ok_or_else(one_part)?)?;
        self.key.sign(SignPrimitive::Dsa(digest.bytes()), out)
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        if self.hasher.is_some() {
            self.update(data)?;
            return self.finish(out);
        }
        check_digest(data)?;
        self.key.sign(SignPrimitive::Dsa(data), out)
    }
}

struct Verification {
    key: Key,
    hasher: Option<Hasher>,
}

impl Verification {
    fn check(&self, digest: &[u8], signature: &[u8]) -> Result<()> {
        self.check_len(signature.len())?;
        let outcome = public_key(&self.key)?.verify(digest, signature);
        outcome.map_err(|_| Rv::SignatureInvalid.because("wrong signature"))
    }
}

impl Verifying for Verification {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.as_ref().map(Hasher::save).transpose()?.flatten())
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.as_mut().is_some_and(|hasher| hasher.restore(state))
    }

    fn check_len(&self, signature: usize) -> Result<()> {
        if signature == public_key(&self.key)?.signature_len() {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("length of a DSA signature"))
        }
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.as_mut().ok_or_else(one_part)?.update(part);
        Ok(())
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        let digest = Finished::of(self.hasher.as_mut().ok_or_else(one_part)?)?;
        self.check(digest.bytes(), signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        if self.hasher.is_some() {
            self.update(data)?;
            return self.finish(signature);
        }
        check_digest(data)?;
        self.check(data, signature)
    }
}
