//! HKDF: keys, readable data, and keys to derive from. PKCS#11 3.2, "HKDF Mechanisms"; RFC 5869.

use super::derivation::{value, wanted};
use super::kdf_params::{KdfParams, Salt};
use super::params::invalid;
use super::{Derivation, Derived, any_secret, registry, secret_value};
use crate::engine::aws_lc::kdf::{hkdf_expand, hkdf_extract};
use crate::engine::hash::Digest;
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

/// Types of key that HKDF takes.
pub(super) const KEYS: &[KeyType] = &[KeyType::Hkdf, KeyType::GenericSecret];

/// Derives a key.
pub(super) fn derive(derivation: &Derivation<'_>) -> Result<Secret> {
    let base = secret_value(derivation.base, KEYS)?;
    let KdfParams::Hkdf { extract, expand, hash, salt, info } = derivation.params.kdf()? else {
        return Err(invalid("HKDF takes its own parameters"));
    };
    let digest = registry::digest_of(*hash).ok_or_else(|| invalid("hash function of HKDF"))?;
    match (extract, expand) {
        (false, false) => Err(invalid("neither to extract nor to expand")),
        (false, true) => base.expose(|key| expanded(derivation, digest, key, info)),
        (true, _) => {
            let key = extracted(derivation, digest, base, salt)?;
            key.expose(|key| match expand {
                true => expanded(derivation, digest, key, info),
                false => derivation.front_of(key),
            })
        }
    }
}

fn extracted(
    derivation: &Derivation<'_>,
    digest: Digest,
    base: &Secret,
    salt: &Salt,
) -> Result<Secret> {
    let with = |salt: &[u8]| {
        let fill = |room: &mut [u8]| base.expose(|base| hkdf_extract(digest, base, salt, room));
        Ok::<_, Error>(Secret::build(digest.len(), fill)?)
    };
    match (salt, derivation.others) {
        (Salt::Null, _) => with(&[]),
        (Salt::Data(salt), _) => with(salt),
        (Salt::Key(_), [salt]) => any_secret(salt)?.expose(with),
        _ => Err(invalid("where the salt of HKDF comes from")),
    }
}

fn expanded(
    derivation: &Derivation<'_>,
    digest: Digest,
    key: &[u8],
    info: &[u8],
) -> Result<Secret> {
    // The standard says "should" of a length: without one, a type of any length is as long as the
    // hash, as after the extraction alone.
    let key_type = derivation.key_type;
    let any = key_type.fixed_len().is_none() && !key_type.has_sizes();
    let len = wanted(derivation.len.or(any.then_some(digest.len())), key_type, None)?;
    if len > 255 * digest.len() {
        return Err(Rv::TemplateInconsistent.because("CKA_VALUE_LEN is more than HKDF gives"));
    }
    value(key_type, len, |room| Ok(hkdf_expand(digest, key, info, room)?))
}

/// Derives a data object, for everybody to read. From a key that nobody may read only such data is
/// made as TLS 1.3 and QUIC use in public, so that no key that the token derives can be had so.
pub(super) fn derive_data(
    derivation: &Derivation<'_>,
    mut templates: Vec<Template>,
) -> Result<Derived> {
    let value = derive(derivation)?;
    let base = &derivation.base.attributes;
    let closed = base.is_set(attribute::SENSITIVE) || !base.is_set(attribute::EXTRACTABLE);
    let public = match derivation.params.kdf()? {
        KdfParams::Hkdf { expand: true, info, .. } => is_vector(info),
        _ => false,
    };
    if closed && !public {
        return Err(invalid("of a key that is not readable, HKDF_DATA makes TLS vectors only"));
    }
    let mut made = templates.pop().unwrap_or_default();
    made.remove(attribute::VALUE_LEN.id);
    made.remove(attribute::KEY_TYPE.id);
    made.set(attribute::CLASS, Class::Data.code());
    Ok(Derived { objects: vec![(made, Some(value))], shown: Vec::new() })
}

/// Whether an info string is that of an initialisation vector: two bytes of length, and a label as
/// the profile "HKDF TLS Token" writes it, or as RFC 8446, section 7.1, does.
fn is_vector(info: &[u8]) -> bool {
    let Some(label) = info.get(2..) else { return false };
    let labels: [&[u8]; 4] =
        [b"tls iv\0", b"tls quic iv\0", b"\x08tls13 iv\0", b"\x0dtls13 quic iv\0"];
    labels.contains(&label)
}
