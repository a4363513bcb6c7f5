//! Attributes that the token computes: `CKA_PUBLIC_KEY_INFO`, `CKA_PUBLIC_CRC64_VALUE`,
//! `CKA_CHECK_VALUE`, `CKA_VALUE_LEN`, and the `CKA_ID` of keys that were given none.
//!
//! RFC 5280, 4.1 and 4.2.1.2; RFC 8017, A.1.1; RFC 5480; RFC 8410; PKCS#11 3.2, "Secret key
//! objects" for check values.

use super::attribute;
use super::class::{Class, KeyType, Species};
use super::curve::{self, CurveName};
use super::der;
use super::template::Template;
use crate::engine::aws_lc::cipher::{BLOCK_LEN, BlockCipher, Direction, Mode};
use crate::engine::aws_lc::dh::DhGroup;
use crate::engine::aws_lc::dsa::DsaGroup;
use crate::engine::hash::{Digest, digest};
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// Bytes of every check value.
const CHECK_LEN: usize = 3;

/// `rsaEncryption` with its NULL parameter.
pub(super) const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// `dhKeyAgreement` of PKCS#3.
pub(super) const DH_ALGORITHM: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01];
/// `id-dsa`.
pub(super) const DSA_ALGORITHM: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
/// `id-ecPublicKey`.
pub(super) const EC_ALGORITHM: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The public key of a pair, as far as its encodings need it.
#[derive(Debug)]
pub(super) enum PublicPart {
    /// Big endian.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The public value, big endian.
    Dh { group: DhGroup, value: Vec<u8> },
    /// The public value, big endian.
    Dsa { group: DsaGroup, value: Vec<u8> },
    /// The point without an encoding around it.
    Point { curve: CurveName, point: Vec<u8> },
    /// A key that is nothing but bytes, of an algorithm without parameters.
    Bare { identifier: &'static [u8], bits: Vec<u8> },
}

impl PublicPart {
    /// The content of `subjectPublicKey`.
    pub(super) fn bits(&self) -> Vec<u8> {
        match self {
            Self::Rsa { modulus, exponent } => {
                der::element(der::SEQUENCE, &[&der::integer(modulus), &der::integer(exponent)])
            }
            Self::Dh { value, .. } | Self::Dsa { value, .. } => der::integer(value),
            Self::Point { point, .. } => point.clone(),
            Self::Bare { bits, .. } => bits.clone(),
        }
    }

    /// The DER of `SubjectPublicKeyInfo`.
    pub(super) fn info(&self) -> Vec<u8> {
        let algorithm = match self {
            Self::Rsa { .. } => RSA_ALGORITHM.to_vec(),
            Self::Dh { group, .. } => {
                let parameters = [der::integer(&group.prime), der::integer(&group.base)].concat();
                let parameters = der::element(der::SEQUENCE, &[&parameters]);
                der::element(der::SEQUENCE, &[DH_ALGORITHM, &parameters])
            }
            Self::Dsa { group, .. } => {
                let parameters = [&group.prime, &group.subprime, &group.base];
                let parameters = parameters.map(|number| der::integer(number)).concat();
                let parameters = der::element(der::SEQUENCE, &[&parameters]);
                der::element(der::SEQUENCE, &[DSA_ALGORITHM, &parameters])
            }
            Self::Point { curve: curve @ CurveName::Weierstrass(_), .. } => {
                der::element(der::SEQUENCE, &[EC_ALGORITHM, curve::identifier(*curve)])
            }
            Self::Point { curve, .. } => der::element(der::SEQUENCE, &[curve::identifier(*curve)]),
            Self::Bare { identifier, .. } => der::element(der::SEQUENCE, &[identifier]),
        };
        der::element(der::SEQUENCE, &[&algorithm, &der::bit_string(&self.bits())])
    }

    /// The bytes that `CKA_PUBLIC_CRC64_VALUE` is over; keys on curves have none.
    fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Rsa { modulus, .. } => Some(modulus),
            Self::Dh { value, .. } | Self::Dsa { value, .. } => Some(value),
            Self::Point { .. } => None,
            Self::Bare { bits, .. } => Some(bits),
        }
    }
}

/// The content of `subjectPublicKey` in a `SubjectPublicKeyInfo`.
pub(crate) fn subject_public_key(info: &[u8]) -> Option<&[u8]> {
    let (der::SEQUENCE, content) = der::whole(info)? else { return None };
    let (der::SEQUENCE, _, rest) = der::first(content)? else { return None };
    match der::whole(rest)? {
        (der::BIT_STRING, [0, bits @ ..]) => Some(bits),
        _ => None,
    }
}

/// Writes what can be computed of a whole object, and holds what the caller gave against it.
///
/// # Errors
/// `CKR_ATTRIBUTE_VALUE_INVALID` if it differs.
pub(super) fn complete(
    template: &mut Template,
    species: Species,
    public: Option<&PublicPart>,
) -> Result<()> {
    match species.class {
        Class::Data | Class::Profile | Class::Trust | Class::DomainParameters => Ok(()),
        Class::Certificate => {
            let value = template.get(attribute::PUBLIC_VALUE).filter(|value| !value.is_empty());
            let check = value.map(hash_check);
            check.map_or(Ok(()), |check| settle(template, attribute::CHECK_VALUE, check))
        }
        Class::SecretKey | Class::OtpKey => {
            let value = template.require(attribute::VALUE)?;
            let len = u64::try_from(value.len()).map_err(|_| wrong(attribute::VALUE_LEN.name))?;
            let check = check_value(species, value)?;
            template.set(attribute::VALUE_LEN, len);
            settle(template, attribute::CHECK_VALUE, check)
        }
        Class::PublicKey | Class::PrivateKey => {
            let given = template.get(attribute::PUBLIC_KEY_INFO);
            match (public, given) {
                (Some(public), given) => {
                    let info = public.info();
                    if given.is_some_and(|given| !given.is_empty() && given != info) {
                        return Err(wrong(attribute::PUBLIC_KEY_INFO.name));
                    }
                    template.set(attribute::PUBLIC_KEY_INFO, info);
                    let crc = public.value().map(|value| crc64(value).to_be_bytes().to_vec());
                    crc.map_or(Ok(()), |crc| settle(template, attribute::PUBLIC_CRC64_VALUE, crc))
                }
                (None, Some([_, ..])) => Err(wrong(attribute::PUBLIC_KEY_INFO.name)),
                (None, _) => Ok(()),
            }
        }
    }
}

/// Gives a key without `CKA_ID` the one that both halves of a pair and, with most tools, the
/// certificate share: the SHA-1 of the public key (RFC 5280, 4.2.1.2, method 1).
pub(super) fn identify(template: &mut Template, species: Species) {
    let half = matches!(species.class, Class::PublicKey | Class::PrivateKey);
    if !half || template.contains(attribute::ID.id) {
        return;
    }
    let info = template.get(attribute::PUBLIC_KEY_INFO);
    if let Some(bits) = info.and_then(subject_public_key) {
        let id = digest(Digest::Sha1, bits);
        template.set(attribute::ID, id);
    }
}

/// Writes a computed value. An empty one that the caller gave means that there shall be none.
fn settle(
    template: &mut Template,
    name: attribute::Attr<attribute::Bytes>,
    computed: Vec<u8>,
) -> Result<()> {
    match template.get(name) {
        Some([]) => Ok(()),
        Some(given) if given != computed => Err(wrong(name.name)),
        _ => {
            template.set(name, computed);
            Ok(())
        }
    }
}

fn wrong(name: &'static str) -> crate::error::Error {
    Rv::AttributeValueInvalid.because(format!("{name} is not that of the value"))
}

/// AES and DES: of a block of zeros under the key; other secrets: of their hash.
fn check_value(species: Species, value: &Secret) -> Result<Vec<u8>> {
    let start = match species.key_type {
        Some(KeyType::Aes) => BlockCipher::new,
        Some(key_type) if key_type.has_parity() => BlockCipher::des,
        _ => return Ok(value.expose(hash_check)),
    };
    let mut block = [0; BLOCK_LEN];
    let mut cipher = value.expose(|key| start(Mode::Ecb, Direction::Encrypt, key, &[]))?;
    cipher.update(&[0; BLOCK_LEN], &mut block)?;
    Ok(block.into_iter().take(CHECK_LEN).collect())
}

/// CRC-64 of ECMA-182.
fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte) << 56, |crc, _| {
            let divisor = if crc >> 63 == 1 { 0x42f0_e1eb_a9ea_3693 } else { 0 };
            crc << 1 ^ divisor
        })
    })
}

fn hash_check(bytes: &[u8]) -> Vec<u8> {
    let mut hash = digest(Digest::Sha1, bytes);
    hash.truncate(CHECK_LEN);
    hash
}

#[cfg(test)]
mod tests {
    use super::crc64;

    #[test]
    fn the_checksum_is_the_one_of_ecma_182() {
        assert_eq!(crc64(b"123456789"), 0x6c40_df5f_0b49_7347);
        assert_eq!(crc64(b""), 0);
    }
}
