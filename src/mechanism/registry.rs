//! The registry: one row per mechanism, in the order of the standard's numbers.
//!
//! What `C_GetMechanismList` and `C_GetMechanismInfo` say comes from here; the flags follow from
//! the filled columns. Also here, because only tables name them: the standard's numbers that the
//! families compare with. PKCS#11 3.2, "Mechanisms".

use std::ops::RangeInclusive;

use super::hmac::Length;
use super::params::Shape;
use super::rsa_signature::Scheme;
use super::{Mechanism, aes, ec, ecdh, ecdsa, eddsa, gcm, generic, hmac, rsa, rsa_signature, sha};
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Direction::{Decrypt, Encrypt};
use crate::engine::aws_lc::cipher::Mode;
use crate::engine::hash::Digest::{self, Sha1, Sha224, Sha256, Sha384, Sha512};
use crate::object::class::KeyType;

/// Where a label of OAEP comes from: from the parameter.
pub(super) const LABEL_SPECIFIED: u64 = cryptoki::CKZ_DATA_SPECIFIED;

/// The RSA moduli that keys may have, in bits. Imported keys may be older than new ones.
pub(super) const RSA_BITS: RangeInclusive<u64> = 1024..=16384;
/// The RSA moduli that are made.
pub(super) const RSA_NEW_BITS: RangeInclusive<u64> = 2048..=4096;

/// Prime fields, curves by their object identifier, points that are not compressed.
const CURVES: u64 = cryptoki::CKF_EC_F_P | cryptoki::CKF_EC_OID | cryptoki::CKF_EC_UNCOMPRESS;
/// Curves by identifier or by name.
const EDWARDS_CURVES: u64 =
    cryptoki::CKF_EC_F_P | cryptoki::CKF_EC_OID | cryptoki::CKF_EC_CURVENAME;

/// The hash function that a parameter names by its mechanism.
pub(super) const fn digest_of(mechanism: u64) -> Option<Digest> {
    match mechanism {
        cryptoki::CKM_SHA_1 => Some(Sha1),
        cryptoki::CKM_SHA224 => Some(Sha224),
        cryptoki::CKM_SHA256 => Some(Sha256),
        cryptoki::CKM_SHA384 => Some(Sha384),
        cryptoki::CKM_SHA512 => Some(Sha512),
        _ => None,
    }
}

/// The hash function of a mask generation function.
pub(super) const fn mask_of(mgf: u64) -> Option<Digest> {
    match mgf {
        cryptoki::CKG_MGF1_SHA1 => Some(Sha1),
        cryptoki::CKG_MGF1_SHA224 => Some(Sha224),
        cryptoki::CKG_MGF1_SHA256 => Some(Sha256),
        cryptoki::CKG_MGF1_SHA384 => Some(Sha384),
        cryptoki::CKG_MGF1_SHA512 => Some(Sha512),
        _ => None,
    }
}

/// The key derivation function of a key agreement: none at all, or ANSI X9.63 with a hash. The
/// outer `None` is one that this token does not have.
pub(super) const fn derivation_of(kdf: u64) -> Option<Option<Digest>> {
    match kdf {
        cryptoki::CKD_NULL => Some(None),
        cryptoki::CKD_SHA224_KDF => Some(Some(Sha224)),
        cryptoki::CKD_SHA256_KDF => Some(Some(Sha256)),
        cryptoki::CKD_SHA384_KDF => Some(Some(Sha384)),
        cryptoki::CKD_SHA512_KDF => Some(Some(Sha512)),
        _ => None,
    }
}

impl Mechanism {
    /// The flags of `CK_MECHANISM_INFO`. They follow from the columns, so they cannot lie.
    pub(crate) fn flags(&self) -> u64 {
        [
            (self.encrypt.is_some(), cryptoki::CKF_ENCRYPT),
            (self.decrypt.is_some(), cryptoki::CKF_DECRYPT),
            (self.digest.is_some(), cryptoki::CKF_DIGEST),
            (self.sign.is_some(), cryptoki::CKF_SIGN),
            (self.verify.is_some(), cryptoki::CKF_VERIFY),
            (self.generate.is_some(), cryptoki::CKF_GENERATE),
            (self.generate_pair.is_some(), cryptoki::CKF_GENERATE_KEY_PAIR),
            (self.derive.is_some(), cryptoki::CKF_DERIVE),
        ]
        .into_iter()
        .filter(|(can, _)| *can)
        .fold(self.extra, |all, (_, flag)| all | flag)
    }
}

/// Begins a row with a number and its own name.
macro_rules! row {
    ($number:ident) => {
        Mechanism::named(cryptoki::$number, stringify!($number))
    };
}

/// Every mechanism of this token.
pub(crate) static REGISTRY: &[Mechanism] = &[
    row!(CKM_RSA_PKCS_KEY_PAIR_GEN)
        .keys(&[KeyType::Rsa], *RSA_NEW_BITS.start(), *RSA_NEW_BITS.end())
        .generates_pair(rsa::generate_pair),
    row!(CKM_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, None))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, None))
        .encrypts(|key, params| rsa::encrypt(key, params, rsa::Scheme::Pkcs1))
        .decrypts(|key, params| rsa::decrypt(key, params, rsa::Scheme::Pkcs1)),
    row!(CKM_RSA_PKCS_OAEP)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Oaep)
        .encrypts(|key, params| rsa::encrypt(key, params, rsa::Scheme::Oaep))
        .decrypts(|key, params| rsa::decrypt(key, params, rsa::Scheme::Oaep)),
    row!(CKM_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, None))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, None)),
    row!(CKM_SHA256_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha256))),
    row!(CKM_SHA384_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha384))),
    row!(CKM_SHA512_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha512))),
    row!(CKM_SHA256_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha256))),
    row!(CKM_SHA384_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha384))),
    row!(CKM_SHA512_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha512))),
    row!(CKM_SHA224_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha224))),
    row!(CKM_SHA224_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha224))),
    row!(CKM_SHA_1).digests(|params| sha::start(params, Sha1)),
    row!(CKM_SHA_1_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha1Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha1, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha1, Length::Full)),
    row!(CKM_SHA_1_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha1Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha1, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha1, Length::Chosen)),
    row!(CKM_SHA256).digests(|params| sha::start(params, Sha256)),
    row!(CKM_SHA256_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha256Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha256, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha256, Length::Full)),
    row!(CKM_SHA256_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha256Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha256, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha256, Length::Chosen)),
    row!(CKM_SHA224).digests(|params| sha::start(params, Sha224)),
    row!(CKM_SHA224_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha224Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha224, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha224, Length::Full)),
    row!(CKM_SHA224_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha224Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha224, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha224, Length::Chosen)),
    row!(CKM_SHA384).digests(|params| sha::start(params, Sha384)),
    row!(CKM_SHA384_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha384Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha384, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha384, Length::Full)),
    row!(CKM_SHA384_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha384Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha384, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha384, Length::Chosen)),
    row!(CKM_SHA512).digests(|params| sha::start(params, Sha512)),
    row!(CKM_SHA512_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha512Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha512, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha512, Length::Full)),
    row!(CKM_SHA512_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha512Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha512, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha512, Length::Chosen)),
    row!(CKM_GENERIC_SECRET_KEY_GEN)
        .keys(&[KeyType::GenericSecret], 8, 8 * generic::LONGEST as u64)
        .generates(generic::generate),
    row!(CKM_EC_KEY_PAIR_GEN)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .generates_pair(ec::generate_pair),
    row!(CKM_ECDSA)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, None))
        .verifies(|key, params| ecdsa::verify(key, params, None)),
    row!(CKM_ECDSA_SHA224)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha224)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha224))),
    row!(CKM_ECDSA_SHA256)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha256)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha256))),
    row!(CKM_ECDSA_SHA384)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha384)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha384))),
    row!(CKM_ECDSA_SHA512)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha512)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha512))),
    row!(CKM_ECDH1_DERIVE)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .takes(Shape::Ecdh1)
        .derives(ecdh::derive),
    row!(CKM_EC_EDWARDS_KEY_PAIR_GEN)
        .keys(&[KeyType::EcEdwards], 255, 255)
        .flagged(EDWARDS_CURVES)
        .generates_pair(ec::generate_edwards_pair),
    row!(CKM_EDDSA)
        .keys(&[KeyType::EcEdwards], 255, 255)
        .flagged(EDWARDS_CURVES)
        .takes(Shape::OptionalEddsa)
        .signs(eddsa::sign)
        .verifies(eddsa::verify),
    row!(CKM_AES_KEY_GEN).keys(&[KeyType::Aes], 16, 32).generates(aes::generate),
    row!(CKM_AES_ECB)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Ecb, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ecb, Decrypt)),
    row!(CKM_AES_CBC)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Cbc, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Cbc, Decrypt)),
    row!(CKM_AES_CBC_PAD)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::CbcPad, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::CbcPad, Decrypt)),
    row!(CKM_AES_CTR)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Ctr)
        .encrypts(|key, params| aes::start(key, params, Mode::Ctr, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ctr, Decrypt)),
    row!(CKM_AES_GCM)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Gcm)
        .encrypts(gcm::encrypt)
        .decrypts(gcm::decrypt),
];
