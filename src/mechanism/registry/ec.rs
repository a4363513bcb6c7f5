//! Elliptic curves: making pairs, ECDSA, EdDSA, key agreement. PKCS#11 3.2, "Elliptic curve".

use super::{CURVES, EDWARDS_CURVES, row};
use crate::cryptoki;
use crate::engine::hash::Digest::{Sha224, Sha256, Sha384, Sha512};
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, ec, ecdh, ecdsa, eddsa};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_EC_KEY_PAIR_GEN)
        .keys(&[KeyType::Ec], 256, 521)
        .flagged(CURVES)
        .generates_pair(ec::generate_pair),
    row!(CKM_ECDSA)
        .keys(&[KeyType::Ec], 256, 521)
        .one_part()
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
];
