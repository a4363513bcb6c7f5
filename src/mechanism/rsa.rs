//! RSA: making key pairs, and encryption with PKCS#1 v1.5 and OAEP padding.
//!
//! Signatures are `rsa_signature`'s. PKCS#11 3.2, "PKCS #1 RSA key pair generation", "PKCS #1
//! v1.5 RSA", "PKCS #1 RSA OAEP"; RFC 8017.

use std::sync::Arc;

use super::operation::{Ciphering, room};
use super::params::{MechanismParams, invalid};
use super::{Key, expect_key, expect_template, inconsistent, new_pair, private_key, registry};
use crate::custody::{Custodian, DecryptPrimitive, KeySpec, PrivateKey};
use crate::engine::aws_lc::rsa::OaepParams;
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::hash::Digest;
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, Prepared, attribute};
use crate::secret::Secret;

/// What PKCS#1 v1.5 padding adds at least.
pub(super) const PKCS1_OVERHEAD: usize = 11;

/// Checks that a key is of a size that is used, and gives its modulus' number of bits.
pub(super) fn check_size(key: &Object) -> Result<usize> {
    let modulus = key
        .attributes
        .get(attribute::MODULUS)
        .ok_or_else(|| Rv::GeneralError.because("an RSA key without a modulus"))?;
    let bits = modulus.iter().position(|byte| *byte != 0).map_or(0, |zeros| {
        let rest = modulus.get(zeros..).unwrap_or_default();
        rest.len() * 8 - rest.first().map_or(0, |top| top.leading_zeros() as usize)
    });
    if registry::RSA_BITS.contains(&(bits as u64)) {
        Ok(bits)
    } else {
        Err(Rv::KeySizeRange.because("an RSA modulus of a size that is not used"))
    }
}

/// A public RSA key, ready for use.
pub(super) fn public_key(key: &Object) -> Result<&RsaPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::Rsa])?;
    match key.prepared()? {
        Prepared::Rsa(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// Makes a pair with the modulus size and exponent of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    expect_template(public, Class::PublicKey, KeyType::Rsa)?;
    expect_template(private, Class::PrivateKey, KeyType::Rsa)?;
    let bits = public.require(attribute::MODULUS_BITS)?;
    // FIPS 186-5, 5.1: both primes have half as many.
    if !registry::RSA_NEW_BITS.contains(&bits) || bits % 2 != 0 {
        return Err(Rv::AttributeValueInvalid.because("CKA_MODULUS_BITS"));
    }
    let exponent = match public.get(attribute::PUBLIC_EXPONENT) {
        None => vec![1, 0, 1],
        Some(asked) => asked.iter().copied().skip_while(|byte| *byte == 0).collect(),
    };
    check_exponent(&exponent)?;
    let bits = usize::try_from(bits).map_err(|_| Rv::AttributeValueInvalid.because("bits"))?;
    new_pair(custodian, &KeySpec::Rsa { bits, exponent }, public, private)
}

/// FIPS 186-5: odd and above 2^16; the engine makes keys with exponents of at most 32 bits.
fn check_exponent(exponent: &[u8]) -> Result<()> {
    let value = exponent.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(256).map(|value| value + u64::from(*byte))
    });
    match value {
        Some(value) if value > 1 << 16 && value < 1 << 32 && value % 2 == 1 => Ok(()),
        _ => Err(Rv::AttributeValueInvalid.because("CKA_PUBLIC_EXPONENT")),
    }
}

/// How a message is padded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scheme {
    Pkcs1,
    Oaep,
}

/// A scheme with its checked parameters.
enum Padding {
    Pkcs1,
    Oaep { hash: Digest, mgf: Digest, label: Vec<u8> },
}

impl Padding {
    fn of(params: &MechanismParams, scheme: Scheme) -> Result<Self> {
        match (scheme, params) {
            (Scheme::Pkcs1, params) => {
                params.none()?;
                Ok(Self::Pkcs1)
            }
            (Scheme::Oaep, MechanismParams::Oaep { hash, mgf, source, label }) => {
                let hash = registry::digest_of(*hash).ok_or_else(|| invalid("hash of OAEP"))?;
                let mgf = registry::mask_of(*mgf).ok_or_else(|| invalid("mask of OAEP"))?;
                // libp11 gives no source where there is no label.
                if *source != registry::LABEL_SPECIFIED && (*source != 0 || !label.is_empty()) {
                    return Err(invalid("source of OAEP's label"));
                }
                Ok(Self::Oaep { hash, mgf, label: label.clone() })
            }
            (Scheme::Oaep, _) => Err(invalid("OAEP needs its parameters")),
        }
    }

    /// The longest message for a key; `CKR_KEY_SIZE_RANGE` if not even none fits.
    fn capacity(&self, modulus_len: usize) -> Result<usize> {
        let overhead = match self {
            Self::Pkcs1 => PKCS1_OVERHEAD,
            Self::Oaep { hash, .. } => 2 * hash.len() + 2,
        };
        modulus_len
            .checked_sub(overhead)
            .ok_or_else(|| Rv::KeySizeRange.because("the padding is longer than the modulus"))
    }
}

fn oaep<'a>(hash: Digest, mgf: Digest, label: &'a [u8]) -> OaepParams<'a> {
    OaepParams { hash, mgf, label }
}

/// Starts an encryption.
pub(super) fn encrypt(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
) -> Result<Box<dyn Ciphering>> {
    let public = public_key(key)?;
    let padding = Padding::of(params, scheme)?;
    check_size(key)?;
    let capacity = padding.capacity(public.modulus_len())?;
    Ok(Box::new(Encryption { key: Arc::clone(key), padding, capacity }))
}

/// Starts a decryption.
pub(super) fn decrypt(
    key: &Key,
    params: &MechanismParams,
    scheme: Scheme,
) -> Result<Box<dyn Ciphering>> {
    let private = private_key(key, KeyType::Rsa)?;
    let padding = Padding::of(params, scheme)?;
    check_size(key)?;
    let modulus_len = private.kind().signature_len();
    let capacity = padding.capacity(modulus_len)?;
    Ok(Box::new(Decryption { key: private, padding, modulus_len, capacity }))
}

struct Encryption {
    key: Key,
    padding: Padding,
    capacity: usize,
}

impl Ciphering for Encryption {
    fn whole_len(&self, input: usize) -> Result<usize> {
        if input <= self.capacity {
            Ok(public_key(&self.key)?.modulus_len())
        } else {
            Err(Rv::DataLenRange.because("more than fits an RSA encryption"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        let key = public_key(&self.key)?;
        Ok(match &self.padding {
            Padding::Pkcs1 => key.encrypt_pkcs1(input, out)?,
            Padding::Oaep { hash, mgf, label } => {
                key.encrypt_oaep(&oaep(*hash, *mgf, label), input, out)?
            }
        })
    }
}

struct Decryption {
    key: Arc<dyn PrivateKey>,
    padding: Padding,
    modulus_len: usize,
    capacity: usize,
}

impl Decryption {
    /// The message, at the beginning of what is longer, and its length.
    fn open(&self, input: &[u8]) -> Result<(Secret, usize)> {
        self.whole_len(input.len())?;
        let primitive = match &self.padding {
            Padding::Pkcs1 => DecryptPrimitive::Pkcs1(input),
            Padding::Oaep { hash, mgf, label } => {
                DecryptPrimitive::Oaep { params: oaep(*hash, *mgf, label), ciphertext: input }
            }
        };
        // The primitive may need room for the padding as well.
        let mut written = 0;
        let opened = Secret::build(self.modulus_len, |room| {
            written = self.key.decrypt(primitive, room)?;
            Ok::<_, Error>(())
        })?;
        Ok((opened, written))
    }
}

impl Ciphering for Decryption {
    fn exact_len(&self, input: &[u8]) -> Result<usize> {
        self.open(input).map(|(_, written)| written)
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        if input == self.modulus_len {
            Ok(self.capacity)
        } else {
            Err(Rv::EncryptedDataLenRange.because("an RSA ciphertext is as long as the modulus"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let (opened, written) = self.open(input)?;
        let out = room(out, written)?;
        opened.expose(|opened| {
            out.iter_mut().zip(opened).for_each(|(to, from)| *to = *from);
        });
        Ok(written)
    }
}
