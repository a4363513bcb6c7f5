//! RSA signatures with PKCS#1 v1.5 and PSS padding, over data that the caller prepared or with
//! hashing.
//!
//! PKCS#11 3.2, "PKCS #1 v1.5 RSA", "PKCS #1 RSA PSS" and the two "signature with …" sections;
//! RFC 8017.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::{MechanismParams, invalid};
use super::rsa::{self, PKCS1_OVERHEAD};
use super::{Finished, Key, private_key, registry};
use crate::custody::{PrivateKey, SignPrimitive};
use crate::engine::aws_lc::rsa::PssParams;
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Error, Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// How the representative of a message is padded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scheme {
    Pkcs1,
    Pss,
}

/// A scheme with its checked parameters.
#[derive(Clone, Copy)]
enum Padding {
    Pkcs1,
    Pss(PssParams),
}

/// Starts a signature; without `digest`, over data that the caller prepared.
pub(super) fn sign(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
    digest: Option<Digest>,
) -> Result<Box<dyn Signing>> {
    let private = private_key(key, KeyType::Rsa)?;
    let padding = padding(key, params, scheme, digest)?;
    Ok(match digest {
        None => Box::new(Signature { key: private, padding }),
        Some(digest) => {
            Box::new(HashedSignature { key: private, padding, hasher: Hasher::new(digest) })
        }
    })
}

/// Starts a verification; without `digest`, over data that the caller prepared.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
    digest: Option<Digest>,
) -> Result<Box<dyn Verifying>> {
    rsa::public_key(key)?;
    let padding = padding(key, params, scheme, digest)?;
    Ok(match digest {
        None => Box::new(Verification { key: Arc::clone(key), padding }),
        Some(digest) => Box::new(HashedVerification {
            key: Arc::clone(key),
            padding,
            hasher: Hasher::new(digest),
        }),
    })
}

fn padding(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
    digest: Option<Digest>,
) -> Result<Padding> {
    match (scheme, params) {
        (Scheme::Pkcs1, params) => {
            params.none()?;
            rsa::check_size(key)?;
            Ok(Padding::Pkcs1)
        }
        (Scheme::Pss, MechanismParams::Pss { hash, mgf, salt_len }) => {
            let hash = registry::digest_of(*hash).ok_or_else(|| invalid("hash of PSS"))?;
            let mgf = registry::mask_of(*mgf).ok_or_else(|| invalid("mask function of PSS"))?;
            if digest.is_some_and(|digest| digest != hash) {
                return Err(invalid("hash of PSS is not the mechanism's"));
            }
            // What is padded is one bit shorter than the modulus.
            let padded_len = rsa::check_size(key)?.saturating_sub(1).div_ceil(8);
            let salt_len = usize::try_from(*salt_len)
                .ok()
                .filter(|salt| salt.saturating_add(hash.len() + 2) <= padded_len)
                .ok_or_else(|| invalid("salt of PSS is too long for the key"))?;
            Ok(Padding::Pss(PssParams { hash, mgf, salt_len }))
        }
        (Scheme::Pss, _) => Err(invalid("PSS needs its parameters")),
    }
}

/// Checks the length of data that the caller prepared.
fn check_prepared(padding: Padding, data: &[u8], modulus_len: usize) -> Result<()> {
    let fits = match padding {
        Padding::Pkcs1 => data.len() + PKCS1_OVERHEAD <= modulus_len,
        Padding::Pss(params) => data.len() == params.hash.len(),
    };
    if fits { Ok(()) } else { Err(Rv::DataLenRange.because("length of what RSA is to sign")) }
}

fn sign_prepared(
    key: &dyn PrivateKey,
    padding: Padding,
    data: &[u8],
    out: &mut [u8],
) -> Result<usize> {
    check_prepared(padding, data, key.kind().signature_len())?;
    key.sign(
        match padding {
            Padding::Pkcs1 => SignPrimitive::Pkcs1(data),
            Padding::Pss(params) => SignPrimitive::Pss { params, digest: data },
        },
        out,
    )
}

fn verify_prepared(key: &RsaPublic, padding: Padding, data: &[u8], signature: &[u8]) -> Result<()> {
    check_prepared(padding, data, key.modulus_len())?;
    check_len(key, signature.len())?;
    match padding {
        Padding::Pkcs1 => key.verify_pkcs1(data, signature),
        Padding::Pss(params) => key.verify_pss(&params, data, signature),
    }
    .map_err(|_| wrong())
}

fn check_len(key: &RsaPublic, signature: usize) -> Result<()> {
    if signature == key.modulus_len() {
        Ok(())
    } else {
        Err(Rv::SignatureLenRange.because("an RSA signature is as long as the modulus"))
    }
}

fn wrong() -> Error {
    Rv::SignatureInvalid.because("wrong signature")
}

/// What is padded after hashing: PSS takes the digest, PKCS#1 v1.5 the digest and its name.
struct Representative {
    bytes: [u8; LONGEST_PREFIX + Digest::MAX_LEN],
    len: usize,
}

impl Representative {
    fn of(padding: Padding, hasher: &mut Hasher) -> Result<Self> {
        let prefix = match padding {
            Padding::Pkcs1 => digest_info(hasher.digest())?,
            Padding::Pss(_) => Vec::new(),
        };
        let digest = Finished::of(hasher)?;
        let mut bytes = [0; LONGEST_PREFIX + Digest::MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(prefix.iter().chain(digest.bytes())) {
            *to = *from;
        }
        Ok(Self { bytes, len: prefix.len() + digest.bytes().len() })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

const LONGEST_PREFIX: usize = 19;

/// The DER of a `DigestInfo` up to the digest (RFC 8017, section 9.2, note 1). All of NIST's
/// functions but SHA-1 differ in the last number of the identifier and in lengths only.
pub(super) fn digest_info(digest: Digest) -> Result<Vec<u8>> {
    match digest {
        Digest::Sha1 => return Ok(SHA1_INFO.to_vec()),
        Digest::Md5 => return Ok(MD5_INFO.to_vec()),
        _ => {}
    }
    let number = digest.nist_number().ok_or_else(|| invalid("a hash function without a name"))?;
    let len = u8::try_from(digest.len()).map_err(|_| invalid("length of a digest"))?;
    let mut info = vec![0x30, 17 + len];
    info.extend_from_slice(&NIST_ALGORITHM);
    info.extend_from_slice(&[number, 0x05, 0x00, 0x04, len]);
    Ok(info)
}

const MD5_INFO: [u8; 18] = [
    0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00,
    0x04, 0x10,
];
const SHA1_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
/// An `AlgorithmIdentifier` up to the last number of its identifier.
const NIST_ALGORITHM: [u8; 12] =
    [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

struct Signature {
    key: Arc<dyn PrivateKey>,
    padding: Padding,
}

impl Signing for Signature {
    fn len(&self) -> usize {
        self.key.kind().signature_len()
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        sign_prepared(&*self.key, self.padding, data, out)
    }
}

struct HashedSignature {
    key: Arc<dyn PrivateKey>,
    padding: Padding,
    hasher: Hasher,
}

impl Signing for HashedSignature {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.restore(state)
    }

    fn len(&self) -> usize {
        self.key.kind().signature_len()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let message = Representative::of(self.padding, &mut self.hasher)?;
        sign_prepared(&*self.key, self.padding, message.bytes(), out)
    }
}

struct Verification {
    key: Key,
    padding: Padding,
}

impl Verifying for Verification {
    fn check_len(&self, signature: usize) -> Result<()> {
        check_len(rsa::public_key(&self.key)?, signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        verify_prepared(rsa::public_key(&self.key)?, self.padding, data, signature)
    }
}

struct HashedVerification {
    key: Key,
    padding: Padding,
    hasher: Hasher,
}

impl Verifying for HashedVerification {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.hasher.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.hasher.restore(state)
    }

    fn check_len(&self, signature: usize) -> Result<()> {
        check_len(rsa::public_key(&self.key)?, signature)
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.update(part);
        Ok(())
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        let message = Representative::of(self.padding, &mut self.hasher)?;
        verify_prepared(rsa::public_key(&self.key)?, self.padding, message.bytes(), signature)
    }
}
