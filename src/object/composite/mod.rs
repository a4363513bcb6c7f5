//! Composite keys: two algorithms under one key, as the LAMPS working group and OASIS have them.
//!
//! `sets` says which there are, `part` how the classical half is written, `halves` how a key is
//! split and opened. What both kinds of composites share of attributes is here: the set stands in
//! `CKA_PARAMETER_SET`, the key in `CKA_VALUE`, and nothing of a half is an object of its own.
//! PKCS#11 3.3 (working draft), "Composite Signature", "Composite KEM".

pub(crate) mod halves;
pub(crate) mod part;
pub(crate) mod sets;

use super::attribute;
use super::class::KeyType;
use super::computed::PublicPart;
use super::material;
use super::template::{Template, Value};
use super::{Object, Prepared};
use crate::custody::Custodian;
use crate::error::{Error, Result, Rv};
use halves::Halves;
use sets::{KemSet, SignatureSet};

/// The parameter set of a composite signature key.
///
/// # Errors
/// `CKR_TEMPLATE_INCOMPLETE` if none is named, `CKR_PARAMETER_SET_NOT_SUPPORTED` for one that is
/// not offered.
pub(crate) fn signature_set(attributes: &Template) -> Result<&'static SignatureSet> {
    SignatureSet::of(attributes.require(attribute::PARAMETER_SET)?).ok_or_else(not_offered)
}

/// The parameter set of a composite KEM key.
///
/// # Errors
/// As of `signature_set`.
pub(crate) fn kem_set(attributes: &Template) -> Result<&'static KemSet> {
    KemSet::of(attributes.require(attribute::PARAMETER_SET)?).ok_or_else(not_offered)
}

fn not_offered() -> Error {
    Rv::ParameterSetNotSupported.because("no such composite here")
}

/// The halves that a key of this type and parameter set has.
pub(super) fn halves_of(key_type: KeyType, attributes: &Template) -> Result<&'static Halves> {
    match key_type {
        KeyType::CompSig => Ok(&signature_set(attributes)?.halves),
        KeyType::CompKem => Ok(&kem_set(attributes)?.halves),
        _ => Err(Rv::GeneralError.because("not a composite key")),
    }
}

/// Checks a public key's value; gives what is shown of it.
pub(super) fn settle_public(template: &mut Template, key_type: KeyType) -> Result<PublicPart> {
    let halves = halves_of(key_type, template)?;
    let value = template.require(attribute::PUBLIC_VALUE)?;
    halves.open_public(value)?;
    Ok(PublicPart::Bare { identifier: halves.identifier, bits: value.to_vec() })
}

/// Checks a private key's value and writes it in its one form; gives the public key.
pub(super) fn settle_private(template: &mut Template, key_type: KeyType) -> Result<PublicPart> {
    let halves = halves_of(key_type, template)?;
    let value = template.require(attribute::VALUE)?;
    let (bits, value) = (halves.public_of(value)?, halves.canonical(value)?);
    template.set(attribute::VALUE, value);
    Ok(PublicPart::Bare { identifier: halves.identifier, bits })
}

/// A whole private key, ready for use.
pub(super) fn prepare_private(object: &Object, key_type: KeyType) -> Result<Prepared> {
    let value = object.attributes.require(attribute::VALUE)?;
    let halves = halves_of(key_type, &object.attributes)?;
    let key = halves.open_private(&*object.custodian, value)?;
    Ok(Prepared::CompositePrivate(Box::new(key)))
}

/// A whole public key, ready for use.
pub(super) fn prepare_public(object: &Object, key_type: KeyType) -> Result<Prepared> {
    let value = object.attributes.require(attribute::PUBLIC_VALUE)?;
    let halves = halves_of(key_type, &object.attributes)?;
    Ok(Prepared::CompositePublic(Box::new(halves.open_public(value)?)))
}

/// Makes a pair of the set that the public template names; gives the attributes of both keys.
///
/// # Errors
/// Those of `signature_set`, `CKR_TEMPLATE_INCONSISTENT` if the private template names another
/// set, the custodian's.
pub(crate) fn generate_pair(
    custodian: &dyn Custodian,
    key_type: KeyType,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    let set = public.require(attribute::PARAMETER_SET)?;
    if private.get(attribute::PARAMETER_SET).is_some_and(|other| other != set) {
        return Err(Rv::TemplateInconsistent.because("two parameter sets for one pair"));
    }
    let made = halves_of(key_type, public)?.generate(custodian)?;
    let begun = |class: super::class::Class, value: Value| {
        let mut half = Template::default();
        half.set(attribute::CLASS, class.code());
        half.set(attribute::KEY_TYPE, key_type.code());
        half.set(attribute::PARAMETER_SET, set);
        half.put(attribute::VALUE.id, value);
        half
    };
    material::paired(
        public,
        private,
        begun(super::class::Class::PublicKey, Value::Bytes(made.public)),
        begun(super::class::Class::PrivateKey, Value::Secret(made.private)),
    )
}
