//! The bytes of keys on their way through a wrapping mechanism: of a secret key its value, of a
//! private key its `PrivateKeyInfo`. PKCS#11 3.2, "Wrapping/unwrapping private keys".

use super::operation::{Ciphering, Enveloping, Reply};
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, Species};
use crate::object::template::Template;
use crate::object::{Object, attribute, pkcs8};
use crate::secret::Secret;

/// The bytes of a key.
///
/// # Errors
/// `CKR_KEY_NOT_WRAPPABLE` for keys that have no such form, `CKR_HOST_MEMORY`.
pub(crate) fn bytes_of(key: &Object) -> Result<Secret> {
    let class = key.attributes.get(attribute::CLASS).and_then(Class::from_code);
    match (class, key.attributes.get(attribute::VALUE)) {
        (Some(Class::PrivateKey), _) => pkcs8::encode(&key.attributes),
        (Some(Class::SecretKey | Class::OtpKey), Some(value)) => value.expose(Secret::copy_of),
        _ => Err(Rv::KeyNotWrappable.because("neither a private nor a secret key")),
    }
}

/// The attributes that the bytes of a key make it of.
///
/// # Errors
/// `CKR_WRAPPED_KEY_INVALID` if they make no such key, `CKR_HOST_MEMORY`.
pub(crate) fn attributes_of(species: Species, bytes: Secret) -> Result<Template> {
    if species.class == Class::PrivateKey {
        return bytes.expose(pkcs8::decode);
    }
    let mut made = Template::default();
    made.set(attribute::VALUE, bytes);
    Ok(made)
}

/// Wraps the bytes of a key.
///
/// # Errors
/// The mechanism's.
pub(crate) fn wrap(work: &mut dyn Ciphering, key: &Secret, out: &mut [u8]) -> Result<usize> {
    key.expose(|bytes| work.whole(bytes, out))
}

/// As `wrap`, with associated data.
///
/// # Errors
/// The mechanism's.
pub(crate) fn envelop(
    work: &mut dyn Enveloping,
    key: &Secret,
    out: &mut [u8],
) -> Result<(usize, Reply)> {
    key.expose(|bytes| work.envelop(bytes, out))
}

/// Unwraps the bytes of a key, of which there are at most `room`.
///
/// # Errors
/// The mechanism's.
pub(crate) fn unwrap(work: &mut dyn Ciphering, wrapped: &[u8], room: usize) -> Result<Secret> {
    let mut written = 0;
    let bytes = Secret::build(room, |out| {
        written = work.whole(wrapped, out)?;
        Ok::<_, Error>(())
    })?;
    match written {
        all if all == room => Ok(bytes),
        part => bytes.expose(|bytes| Secret::copy_of(bytes.get(..part).unwrap_or_default())),
    }
}
