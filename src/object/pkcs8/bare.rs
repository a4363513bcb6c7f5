//! Keys that are nothing but bytes under a parameter set: RFC 9881 (ML-DSA), RFC 9935 (ML-KEM),
//! RFC 9909 (SLH-DSA).
//!
//! The first two write a choice of seed, expanded key or both, told apart by their tags; both is
//! written if both are known. Whether they agree is seen when the object is completed.

use zeroize::Zeroizing;

use super::{Found, Parts, malformed};
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::object::class::sets::ParameterSet;
use crate::object::computed::PublicPart;
use crate::object::der;
use crate::object::template::Template;
use crate::secret::Secret;

/// `seed [0] IMPLICIT OCTET STRING`.
const SEED: u8 = 0x80;

pub(super) fn write(attributes: &Template) -> Result<Parts> {
    let broken = || Rv::GeneralError.because("a private key that is not whole");
    let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let set = ParameterSet::named(attributes, key_type.ok_or_else(broken)?)?;
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let octets = |secret: &Secret| {
        secret.expose(|bytes| Zeroizing::new(der::element(der::OCTET_STRING, &[bytes])))
    };
    let key = match (set, attributes.get(attribute::SEED)) {
        (ParameterSet::SlhDsa(_), _) => value.expose(|bytes| Zeroizing::new(bytes.to_vec())),
        (_, None) => octets(value),
        (_, Some(seed)) => {
            let (seed, value) = (octets(seed), octets(value));
            Zeroizing::new(der::element(der::SEQUENCE, &[&seed, &value]))
        }
    };
    Ok(Parts { algorithm: der::element(der::SEQUENCE, &[set.identifier()]), key })
}

pub(super) fn read(found: &Found<'_>) -> Result<Template> {
    let set = ParameterSet::identified(found.algorithm).ok_or_else(malformed)?;
    if found.parameters.is_some() {
        return Err(malformed());
    }
    let mut made = Template::default();
    made.set(attribute::PARAMETER_SET, set.number());
    if let ParameterSet::SlhDsa(_) = set {
        made.set(attribute::VALUE, Secret::copy_of(found.key)?);
    } else {
        let (seed, value) = choice(found.key).ok_or_else(malformed)?;
        for (name, bytes) in [(attribute::SEED, seed), (attribute::VALUE, value)] {
            if let Some(bytes) = bytes {
                made.set(name, Secret::copy_of(bytes)?);
            }
        }
    }
    if let Some(bits) = found.public {
        let public = PublicPart::Bare { identifier: set.identifier(), bits: bits.to_vec() };
        made.set(attribute::PUBLIC_KEY_INFO, public.info());
    }
    Ok(made)
}

/// The seed and the expanded key of the choice, as far as it has them; none is empty.
#[allow(clippy::type_complexity, reason = "two slices, named at both ends")]
fn choice(key: &[u8]) -> Option<(Option<&[u8]>, Option<&[u8]>)> {
    let chosen = match der::whole(key)? {
        (SEED, seed) => (Some(seed), None),
        (der::OCTET_STRING, value) => (None, Some(value)),
        (der::SEQUENCE, mut both) => {
            let seed = der::take(&mut both, der::OCTET_STRING)?;
            let value = der::take(&mut both, der::OCTET_STRING)?;
            both.is_empty().then_some((Some(seed), Some(value)))?
        }
        _ => return None,
    };
    let (seed, value) = chosen;
    let filled = [seed, value].into_iter().flatten().all(|bytes| !bytes.is_empty());
    filled.then_some(chosen)
}
