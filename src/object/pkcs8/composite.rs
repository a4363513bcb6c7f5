//! Composite keys: the octet string holds the drafts' serialisation as it is.
//! draft-ietf-lamps-pq-composite-sigs-19 and -kem-17, "Encoding to DER";
//! draft-connolly-cfrg-xwing-kem-10, "PKCS#8".

use zeroize::Zeroizing;

use super::{Found, Parts, malformed};
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::object::composite;
use crate::object::composite::sets::{KemSet, SignatureSet};
use crate::object::computed::PublicPart;
use crate::object::der;
use crate::object::template::Template;
use crate::secret::Secret;

pub(super) fn write(attributes: &Template) -> Result<Parts> {
    let broken = || Rv::GeneralError.because("a private key that is not whole");
    let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let halves = composite::halves_of(key_type.ok_or_else(broken)?, attributes)?;
    let value = attributes.get(attribute::VALUE).ok_or_else(broken)?;
    let key = value.expose(|bytes| Zeroizing::new(bytes.to_vec()));
    Ok(Parts { algorithm: der::element(der::SEQUENCE, &[halves.identifier]), key })
}

pub(super) fn read(found: &Found<'_>) -> Result<Template> {
    let signature = SignatureSet::identified(found.algorithm).map(|set| (set.id, &set.halves));
    let kem = KemSet::identified(found.algorithm).map(|set| (set.id, &set.halves));
    let (id, halves) = signature.or(kem).ok_or_else(malformed)?;
    if found.parameters.is_some() {
        return Err(malformed());
    }
    let mut made = Template::default();
    made.set(attribute::PARAMETER_SET, id);
    made.set(attribute::VALUE, Secret::copy_of(found.key)?);
    if let Some(bits) = found.public {
        let public = PublicPart::Bare { identifier: halves.identifier, bits: bits.to_vec() };
        made.set(attribute::PUBLIC_KEY_INFO, public.info());
    }
    Ok(made)
}
