//! Elliptic curves: making pairs, ECDSA, EdDSA, key agreement. PKCS#11 3.2, "Elliptic curve".

use super::{CURVES, NAMED_CURVES, row};
use crate::cryptoki;
#[cfg(feature = "legacy")]
use crate::engine::hash::Digest::Sha1;
use crate::engine::hash::Digest::{
    Sha3_224, Sha3_256, Sha3_384, Sha3_512, Sha224, Sha256, Sha384, Sha512,
};
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, ec, ecdh, ecdh_wrap, ecdsa, eddsa};
use crate::object::class::KeyType;

/// The smallest and the largest field of a curve in Weierstrass form.
const EC_BITS: (u64, u64) = (224, 521);
/// Agreement also knows the Montgomery curves, whose largest is smaller than that.
const AGREEING: &[KeyType] = &[KeyType::Ec, KeyType::EcMontgomery, KeyType::EcEdwards];

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_EC_KEY_PAIR_GEN)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .generates_pair(|custodian, public, private| {
            ec::generate_pair(custodian, KeyType::Ec, public, private)
        }),
    row!(CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .generates_pair(ec::generate_pair_with_extra_bits),
    row!(CKM_ECDSA)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .one_part()
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, None))
        .verifies(|key, params| ecdsa::verify(key, params, None)),
    #[cfg(feature = "legacy")]
    row!(CKM_ECDSA_SHA1)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha1)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha1)))
        .legacy(),
    row!(CKM_ECDSA_SHA224)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha224)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha224))),
    row!(CKM_ECDSA_SHA256)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha256)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha256))),
    row!(CKM_ECDSA_SHA384)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha384)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha384))),
    row!(CKM_ECDSA_SHA512)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha512)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha512))),
    row!(CKM_ECDSA_SHA3_224)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha3_224)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha3_224))),
    row!(CKM_ECDSA_SHA3_256)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha3_256)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha3_256))),
    row!(CKM_ECDSA_SHA3_384)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha3_384)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha3_384))),
    row!(CKM_ECDSA_SHA3_512)
        .keys(&[KeyType::Ec], EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .signs(|key, params| ecdsa::sign(key, params, Some(Sha3_512)))
        .verifies(|key, params| ecdsa::verify(key, params, Some(Sha3_512))),
    row!(CKM_ECDH1_DERIVE)
        .keys(AGREEING, EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .takes(Shape::Ecdh1)
        .derives(ecdh::derive)
        .encapsulates(ecdh::encapsulate)
        .decapsulates(ecdh::decapsulate),
    row!(CKM_ECDH1_COFACTOR_DERIVE)
        .keys(AGREEING, EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .takes(Shape::Ecdh1)
        .derives(ecdh::derive)
        .encapsulates(ecdh::encapsulate)
        .decapsulates(ecdh::decapsulate),
    row!(CKM_ECDH_AES_KEY_WRAP)
        .keys(AGREEING, EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .takes(Shape::EcdhAes)
        .wraps(ecdh_wrap::wrap)
        .unwraps(|key, params, _| ecdh_wrap::unwrap(key, params)),
    row!(CKM_ECDH_X_AES_KEY_WRAP)
        .keys(AGREEING, EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .takes(Shape::EcdhAes)
        .wraps(ecdh_wrap::wrap)
        .unwraps(|key, params, _| ecdh_wrap::unwrap(key, params)),
    row!(CKM_ECDH_COF_AES_KEY_WRAP)
        .keys(AGREEING, EC_BITS.0, EC_BITS.1)
        .flagged(CURVES)
        .takes(Shape::EcdhAes)
        .wraps(ecdh_wrap::wrap)
        .unwraps(|key, params, _| ecdh_wrap::unwrap(key, params)),
    row!(CKM_EC_MONTGOMERY_KEY_PAIR_GEN)
        .keys(&[KeyType::EcMontgomery], 255, 448)
        .flagged(NAMED_CURVES)
        .generates_pair(|custodian, public, private| {
            ec::generate_pair(custodian, KeyType::EcMontgomery, public, private)
        }),
    row!(CKM_EC_EDWARDS_KEY_PAIR_GEN)
        .keys(&[KeyType::EcEdwards], 255, 448)
        .flagged(NAMED_CURVES)
        .generates_pair(|custodian, public, private| {
            ec::generate_pair(custodian, KeyType::EcEdwards, public, private)
        }),
    row!(CKM_EDDSA)
        .keys(&[KeyType::EcEdwards], 255, 448)
        .flagged(NAMED_CURVES)
        .takes(Shape::OptionalEddsa)
        .signs(eddsa::sign)
        .verifies(eddsa::verify),
];
