//! Elliptic curves: making pairs, ECDSA, EdDSA, key agreement. PKCS#11 3.2, "Elliptic curve".

use super::{CURVES, NAMED_CURVES, row};
use crate::cryptoki;
use crate::engine::hash::Digest;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, ec, ecdh, ecdh_wrap, ecdsa, eddsa};
use crate::object::class::KeyType;

/// The smallest and the largest field of a curve in Weierstrass form.
const EC_BITS: (u64, u64) = (224, 521);
/// Agreement also knows the Montgomery curves, whose largest is smaller than that.
const AGREEING: &[KeyType] = &[KeyType::Ec, KeyType::EcMontgomery, KeyType::EcEdwards];

/// A row for keys on curves in Weierstrass form, or for all that agree.
const fn on_curves(row: Mechanism, types: &'static [KeyType]) -> Mechanism {
    row.keys(types, EC_BITS.0, EC_BITS.1).flagged(CURVES)
}

const fn agreement(row: Mechanism) -> Mechanism {
    on_curves(row, AGREEING)
        .takes(Shape::Ecdh1)
        .derives(ecdh::derive)
        .encapsulates(ecdh::encapsulate)
        .decapsulates(ecdh::decapsulate)
}

const fn wrapping(row: Mechanism) -> Mechanism {
    on_curves(row, AGREEING)
        .takes(Shape::EcdhAes)
        .wraps(ecdh_wrap::wrap)
        .unwraps(|key, params, _| ecdh_wrap::unwrap(key, params))
        .keeps_apart()
}

/// A row of ECDSA: without a hash function over a digest of the caller's.
macro_rules! ecdsa {
    ($name:ident, $digest:expr) => {
        on_curves(row!($name), &[KeyType::Ec])
            .signs(|key, params| ecdsa::sign(key, params, $digest))
            .verifies(|key, params| ecdsa::verify(key, params, $digest))
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    on_curves(row!(CKM_EC_KEY_PAIR_GEN), &[KeyType::Ec]).generates_pair(
        |custodian, public, private| ec::generate_pair(custodian, KeyType::Ec, public, private),
    ),
    on_curves(row!(CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS), &[KeyType::Ec])
        .generates_pair(ec::generate_pair_with_extra_bits),
    ecdsa!(CKM_ECDSA, None).one_part(),
    #[cfg(feature = "legacy")]
    ecdsa!(CKM_ECDSA_SHA1, Some(Digest::Sha1)).legacy(),
    ecdsa!(CKM_ECDSA_SHA224, Some(Digest::Sha224)),
    ecdsa!(CKM_ECDSA_SHA256, Some(Digest::Sha256)),
    ecdsa!(CKM_ECDSA_SHA384, Some(Digest::Sha384)),
    ecdsa!(CKM_ECDSA_SHA512, Some(Digest::Sha512)),
    ecdsa!(CKM_ECDSA_SHA3_224, Some(Digest::Sha3_224)),
    ecdsa!(CKM_ECDSA_SHA3_256, Some(Digest::Sha3_256)),
    ecdsa!(CKM_ECDSA_SHA3_384, Some(Digest::Sha3_384)),
    ecdsa!(CKM_ECDSA_SHA3_512, Some(Digest::Sha3_512)),
    agreement(row!(CKM_ECDH1_DERIVE)),
    agreement(row!(CKM_ECDH1_COFACTOR_DERIVE)),
    wrapping(row!(CKM_ECDH_AES_KEY_WRAP)),
    wrapping(row!(CKM_ECDH_X_AES_KEY_WRAP)),
    wrapping(row!(CKM_ECDH_COF_AES_KEY_WRAP)),
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
