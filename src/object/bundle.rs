//! Bundles: two ordinary key pairs, one classical and one post-quantum, that sign together.
//!
//! Each key of a bundle names its partner in `CKA_CLAVIGER_BUNDLE`, which the token writes when
//! the two are tied and which never changes:
//!
//!     01                    version
//!     9f86d081…             SHA-256 of the partner's SubjectPublicKeyInfo (32 bytes)
//!     3c6e0b8a…             the partner's CKA_UNIQUE_ID, as it is read
//!
//! What they sign together is DER:
//!
//!     SEQUENCE OF SEQUENCE { algorithm AlgorithmIdentifier, signature BIT STRING }
//!
//! with the classical signature first. Each is a signature of the message alone, as any verifier
//! of its algorithm takes it.

use super::attribute;
use super::class::KeyType;
use super::der;
use super::template::Template;
use crate::engine::hash::sha256;
use crate::error::{Error, Result, Rv};

/// What follows the label of a bundle, which its classical key has, in that of its post-quantum
/// key: many programs want exactly one key for a label.
pub(crate) const PARTNER_LABEL: &str = "#pq";

const VERSION: u8 = 1;
const HASH_LEN: usize = 32;

/// Which of the two a key is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    Classical,
    PostQuantum,
}

impl Half {
    /// What keys of this type can be in a bundle.
    pub(crate) fn of(key_type: KeyType) -> Option<Self> {
        match key_type {
            KeyType::Rsa | KeyType::Ec | KeyType::EcEdwards => Some(Self::Classical),
            KeyType::MlDsa => Some(Self::PostQuantum),
            _ => None,
        }
    }
}

/// Who the other key of a bundle is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Partner {
    /// Of its `SubjectPublicKeyInfo`.
    pub(crate) hash: [u8; HASH_LEN],
    /// Its `CKA_UNIQUE_ID`.
    pub(crate) unique_id: Vec<u8>,
}

impl Partner {
    /// What is written into a key's partner about a key.
    ///
    /// # Errors
    /// `CKR_TEMPLATE_INCONSISTENT` for a key whose public key is not known.
    pub(crate) fn of(key: &Template) -> Result<Self> {
        let info = key.get(attribute::PUBLIC_KEY_INFO).filter(|info| !info.is_empty());
        let info = info.ok_or_else(|| unfit("a key without CKA_PUBLIC_KEY_INFO"))?;
        let unique_id = key.get(attribute::UNIQUE_ID).ok_or_else(|| unfit("an unnamed key"))?;
        Ok(Self { hash: sha256(&[info]), unique_id: unique_id.to_vec() })
    }

    /// The partner that a key names, if it is in a bundle.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` for what this version did not write.
    pub(crate) fn named_by(key: &Template) -> Result<Option<Self>> {
        let Some(written) = key.get(attribute::CLAVIGER_BUNDLE).filter(|w| !w.is_empty()) else {
            return Ok(None);
        };
        let parsed = written
            .split_first()
            .filter(|(version, _)| **version == VERSION)
            .and_then(|(_, rest)| rest.split_first_chunk::<HASH_LEN>());
        let (hash, unique_id) =
            parsed.ok_or_else(|| Rv::DeviceError.because("CKA_CLAVIGER_BUNDLE of no version"))?;
        Ok(Some(Self { hash: *hash, unique_id: unique_id.to_vec() }))
    }

    /// As it stands in the attribute.
    pub(crate) fn written(&self) -> Vec<u8> {
        [&[VERSION], &self.hash[..], &self.unique_id].concat()
    }

    /// Whether a key is the one that is meant.
    pub(crate) fn is(&self, key: &Template) -> bool {
        Self::of(key).is_ok_and(|key| key == *self)
    }
}

/// Checks that two keys can be tied: halves of the same class, one of each kind.
///
/// # Errors
/// `CKR_TEMPLATE_INCONSISTENT` for keys that make no bundle, `CKR_ATTRIBUTE_READ_ONLY` for keys
/// that are in one, `CKR_ACTION_PROHIBITED` for keys that must not be changed.
pub(crate) fn check_pair(one: &Template, other: &Template) -> Result<()> {
    let half = |key: &Template| {
        key.get(attribute::KEY_TYPE).and_then(KeyType::from_code).and_then(Half::of)
    };
    let fits = matches!(
        (half(one), half(other)),
        (Some(Half::Classical), Some(Half::PostQuantum))
            | (Some(Half::PostQuantum), Some(Half::Classical))
    );
    if !fits || one.get(attribute::CLASS) != other.get(attribute::CLASS) {
        return Err(unfit("a bundle is a classical and a post-quantum key of one class"));
    }
    for key in [one, other] {
        if Partner::named_by(key)?.is_some() {
            return Err(Rv::AttributeReadOnly.because("the key is in a bundle"));
        }
        if !key.is_set(attribute::MODIFIABLE) {
            return Err(Rv::ActionProhibited.because("CKA_MODIFIABLE is false"));
        }
    }
    Ok(())
}

/// Ties two new pairs, which have their names already: public and private half of the one, then of
/// the other. What is not two pairs is left as it is.
///
/// # Errors
/// As of `check_pair`.
pub(crate) fn tie_pairs<'k>(made: impl Iterator<Item = &'k mut Template>) -> Result<()> {
    let mut made: Vec<&mut Template> = made.collect();
    if let [public, private, other_public, other_private] = made.as_mut_slice() {
        tie_new(public, other_public)?;
        tie_new(private, other_private)?;
    }
    Ok(())
}

fn tie_new(one: &mut Template, other: &mut Template) -> Result<()> {
    check_pair(one, other)?;
    let partners = [Partner::of(other)?, Partner::of(one)?];
    for (key, partner) in [one, other].into_iter().zip(partners) {
        key.set(attribute::CLAVIGER_BUNDLE, partner.written());
    }
    Ok(())
}

fn unfit(why: &'static str) -> Error {
    Rv::TemplateInconsistent.because(why)
}

/// One signature with the DER of its `AlgorithmIdentifier`.
pub(crate) type Signed<'s> = (&'s [u8], &'s [u8]);

/// Signatures side by side.
pub(crate) fn write(signatures: &[Signed<'_>]) -> Vec<u8> {
    let written: Vec<Vec<u8>> = signatures
        .iter()
        .map(|(algorithm, signature)| {
            der::element(der::SEQUENCE, &[algorithm, &der::bit_string(signature)])
        })
        .collect();
    let parts: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    der::element(der::SEQUENCE, &parts)
}

/// The signatures that stand side by side; `None` for what `write` does not write.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Signed<'_>>> {
    let (der::SEQUENCE, mut content) = der::whole(bytes)? else { return None };
    let mut found = Vec::new();
    while !content.is_empty() {
        let mut one = der::take(&mut content, der::SEQUENCE)?;
        let algorithm = der::take_whole(&mut one, der::SEQUENCE)?;
        let [0, signature @ ..] = der::take(&mut one, der::BIT_STRING)? else { return None };
        if !one.is_empty() {
            return None;
        }
        found.push((algorithm, signature));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let first = (&[0x30, 5, 6, 3, 0x2b, 0x65, 0x70][..], &[1; 64][..]);
        let second = (&[0x30, 2, 6, 0][..], &[2; 3309][..]);
        for signatures in [vec![], vec![first], vec![first, second]] {
            let written = write(&signatures);
            assert_eq!(read(&written), Some(signatures));
            for end in 0..written.len().min(40) {
                assert_eq!(read(&written[..end]), None, "{end}");
            }
            assert_eq!(read(&[&written[..], &[0]].concat()), None);
        }
        assert_eq!(read(&[0x30, 0x81, 0x00]), None, "a length that DER writes otherwise");
    }

    #[test]
    fn a_partner_is_known_by_its_public_key_and_its_name() {
        let mut key = Template::default();
        key.set(attribute::PUBLIC_KEY_INFO, vec![1, 2, 3]);
        key.set(attribute::UNIQUE_ID, b"name".to_vec());
        let partner = Partner::of(&key).unwrap();
        let mut own = Template::default();
        assert_eq!(Partner::named_by(&own), Ok(None));
        own.set(attribute::CLAVIGER_BUNDLE, partner.written());
        assert_eq!(Partner::named_by(&own), Ok(Some(partner.clone())));
        assert!(partner.is(&key));
        key.set(attribute::PUBLIC_KEY_INFO, vec![1, 2, 4]);
        assert!(!partner.is(&key), "another public key");
        own.set(attribute::CLAVIGER_BUNDLE, vec![2; 40]);
        assert!(Partner::named_by(&own).is_err(), "another version");
    }
}
