//! The public key of a pair from the private one, as attributes of an object of its own: the
//! private one has been holding the public part in `CKA_PUBLIC_KEY_INFO` since it came to be.
//!
//! PKCS#11 3.2, "Miscellaneous simple key derivation mechanisms", CKM_PUB_KEY_FROM_PRIV_KEY.

use super::attribute::{self, Attr};
use super::class::{Class, KeyType};
use super::template::Template;
use super::{computed, curve, der};
use crate::error::{Error, Result, Rv};

/// A public key, in the attributes that it is made of and those that it is usually given.
pub(crate) struct PublicHalf {
    /// What makes the key; whoever asks for something else is refused.
    pub(crate) own: Template,
    /// What nobody need ask for: what the private key may do, the other way round, and its names.
    pub(crate) usual: Template,
}

/// A use of the private key, and that of the public one which goes with it.
const USES: [(Attr<bool>, Attr<bool>); 6] = [
    (attribute::DECRYPT, attribute::ENCRYPT),
    (attribute::SIGN, attribute::VERIFY),
    (attribute::SIGN_RECOVER, attribute::VERIFY_RECOVER),
    (attribute::UNWRAP, attribute::WRAP),
    (attribute::DECAPSULATE, attribute::ENCAPSULATE),
    (attribute::DERIVE, attribute::DERIVE),
];

/// Attributes that both have.
const COPIED: [u64; 5] = [
    attribute::ID.id,
    attribute::START_DATE.id,
    attribute::END_DATE.id,
    attribute::SUBJECT.id,
    attribute::ALLOWED_MECHANISMS.id,
];

/// The public half of a private key.
///
/// # Errors
/// `CKR_KEY_TYPE_INCONSISTENT` if it is none, `CKR_KEY_FUNCTION_NOT_PERMITTED` if its public half
/// is not known, `CKR_HOST_MEMORY`.
pub(crate) fn public_half(private: &Template) -> Result<PublicHalf> {
    let key_type = private.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let key_type =
        key_type.filter(|_| private.get(attribute::CLASS) == Some(Class::PrivateKey.code()));
    let key_type = key_type.ok_or_else(|| Rv::KeyTypeInconsistent.because("not a private key"))?;
    let info = private.get(attribute::PUBLIC_KEY_INFO).filter(|info| !info.is_empty());
    let info = info.ok_or_else(|| {
        Rv::KeyFunctionNotPermitted.because("the public exponent of the key is not known")
    })?;
    let bits = computed::subject_public_key(info).ok_or_else(broken)?;
    let mut own = Template::default();
    own.set(attribute::CLASS, Class::PublicKey.code());
    own.set(attribute::KEY_TYPE, key_type.code());
    own.set(attribute::PUBLIC_KEY_INFO, info.to_vec());
    for id in parameters(key_type) {
        let value = private.value(*id).ok_or_else(broken)?;
        own.put(*id, value.try_clone()?);
    }
    match key_type {
        KeyType::Rsa => {}
        KeyType::Dh | KeyType::Dsa => {
            let value = der::take_number(&mut &*bits).ok_or_else(broken)?;
            own.set(attribute::PUBLIC_VALUE, value.to_vec());
        }
        KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery => {
            let curve = curve::curve_of(private.require(attribute::EC_PARAMS)?)?;
            own.set(attribute::EC_POINT, curve::written_point(curve, bits));
        }
        _ => own.set(attribute::PUBLIC_VALUE, bits.to_vec()),
    }
    Ok(PublicHalf { own, usual: usual(private)? })
}

/// The attributes that stand in both halves and make them what they are.
fn parameters(key_type: KeyType) -> &'static [u64] {
    match key_type {
        KeyType::Rsa => &[attribute::MODULUS.id, attribute::PUBLIC_EXPONENT.id],
        KeyType::Dh => &[attribute::PRIME.id, attribute::BASE.id],
        KeyType::Dsa => &[attribute::PRIME.id, attribute::SUBPRIME.id, attribute::BASE.id],
        KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery => &[attribute::EC_PARAMS.id],
        _ => &[attribute::PARAMETER_SET.id],
    }
}

fn usual(private: &Template) -> Result<Template> {
    let mut usual = Template::default();
    for (of_private, of_public) in USES {
        usual.set(of_public, private.is_set(of_private));
    }
    for id in COPIED {
        if let Some(value) = private.value(id) {
            usual.put(id, value.try_clone()?);
        }
    }
    Ok(usual)
}

fn broken() -> Error {
    Rv::GeneralError.because("a private key that is not whole")
}
