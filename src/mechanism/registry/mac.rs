//! MACs that are made of hash functions. PKCS#11 3.2, "SHA-1" and its kin.

use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest::{Sha1, Sha224, Sha256, Sha384, Sha512};
use crate::mechanism::hmac::Length;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, generic, hmac};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_SHA_1_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha1Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha1, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha1, Length::Full)),
    row!(CKM_SHA_1_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha1Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha1, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha1, Length::Chosen)),
    row!(CKM_SHA256_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha256Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha256, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha256, Length::Full)),
    row!(CKM_SHA256_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha256Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha256, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha256, Length::Chosen)),
    row!(CKM_SHA224_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha224Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha224, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha224, Length::Full)),
    row!(CKM_SHA224_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha224Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha224, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha224, Length::Chosen)),
    row!(CKM_SHA384_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha384Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha384, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha384, Length::Full)),
    row!(CKM_SHA384_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha384Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha384, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha384, Length::Chosen)),
    row!(CKM_SHA512_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha512Hmac], 1, generic::LONGEST as u64)
        .signs(|key, params| hmac::sign(key, params, Sha512, Length::Full))
        .verifies(|key, params| hmac::verify(key, params, Sha512, Length::Full)),
    row!(CKM_SHA512_HMAC_GENERAL)
        .keys(&[KeyType::GenericSecret, KeyType::Sha512Hmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Sha512, Length::Chosen))
        .verifies(|key, params| hmac::verify(key, params, Sha512, Length::Chosen)),
];
