//! ML-DSA, ML-KEM and SLH-DSA. Sizes of keys are bytes of public keys, as the standard has it for
//! these. PKCS#11 3.2, "ML-DSA", "ML-KEM", "SLH-DSA".

use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest;
use crate::mechanism::params::Shape;
use crate::mechanism::prehash::Input;
use crate::mechanism::{Mechanism, ml_dsa, ml_kem, slh_dsa};
use crate::object::class::KeyType;

/// A row that signs and verifies with a family.
macro_rules! signature {
    ($number:ident, $family:ident, $shape:ident, $input:expr) => {
        $family!($number)
            .takes(Shape::$shape)
            .signs(|key, params| $family::sign(key, params, $input))
            .verifies(|key, params| $family::verify(key, params, $input))
    };
}

/// A row for ML-DSA keys.
macro_rules! ml_dsa {
    ($number:ident) => {
        row!($number).keys(&[KeyType::MlDsa], 1312, 2592)
    };
}

/// A row for SLH-DSA keys.
macro_rules! slh_dsa {
    ($number:ident) => {
        row!($number).keys(&[KeyType::SlhDsa], 32, 64)
    };
}

/// A row of a family for messages that are hashed first.
macro_rules! hashed {
    ($number:ident, $family:ident, $digest:ident) => {
        signature!($number, $family, OptionalSignContext, Input::Hashed(Digest::$digest))
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_ML_KEM_KEY_PAIR_GEN)
        .keys(&[KeyType::MlKem], 800, 1568)
        .generates_pair(ml_kem::generate_pair),
    row!(CKM_ML_KEM)
        .keys(&[KeyType::MlKem], 800, 1568)
        .encapsulates(ml_kem::encapsulate)
        .decapsulates(ml_kem::decapsulate),
    ml_dsa!(CKM_ML_DSA_KEY_PAIR_GEN).generates_pair(ml_dsa::generate_pair),
    signature!(CKM_ML_DSA, ml_dsa, OptionalSignContext, Input::Message),
    signature!(CKM_HASH_ML_DSA, ml_dsa, HashSignContext, Input::Digest),
    hashed!(CKM_HASH_ML_DSA_SHA224, ml_dsa, Sha224),
    hashed!(CKM_HASH_ML_DSA_SHA256, ml_dsa, Sha256),
    hashed!(CKM_HASH_ML_DSA_SHA384, ml_dsa, Sha384),
    hashed!(CKM_HASH_ML_DSA_SHA512, ml_dsa, Sha512),
    hashed!(CKM_HASH_ML_DSA_SHA3_224, ml_dsa, Sha3_224),
    hashed!(CKM_HASH_ML_DSA_SHA3_256, ml_dsa, Sha3_256),
    hashed!(CKM_HASH_ML_DSA_SHA3_384, ml_dsa, Sha3_384),
    hashed!(CKM_HASH_ML_DSA_SHA3_512, ml_dsa, Sha3_512),
    hashed!(CKM_HASH_ML_DSA_SHAKE128, ml_dsa, Shake128),
    hashed!(CKM_HASH_ML_DSA_SHAKE256, ml_dsa, Shake256),
    slh_dsa!(CKM_SLH_DSA_KEY_PAIR_GEN).generates_pair(slh_dsa::generate_pair),
    signature!(CKM_SLH_DSA, slh_dsa, OptionalSignContext, Input::Message),
    signature!(CKM_HASH_SLH_DSA, slh_dsa, HashSignContext, Input::Digest),
    hashed!(CKM_HASH_SLH_DSA_SHA224, slh_dsa, Sha224),
    hashed!(CKM_HASH_SLH_DSA_SHA256, slh_dsa, Sha256),
    hashed!(CKM_HASH_SLH_DSA_SHA384, slh_dsa, Sha384),
    hashed!(CKM_HASH_SLH_DSA_SHA512, slh_dsa, Sha512),
    hashed!(CKM_HASH_SLH_DSA_SHA3_224, slh_dsa, Sha3_224),
    hashed!(CKM_HASH_SLH_DSA_SHA3_256, slh_dsa, Sha3_256),
    hashed!(CKM_HASH_SLH_DSA_SHA3_384, slh_dsa, Sha3_384),
    hashed!(CKM_HASH_SLH_DSA_SHA3_512, slh_dsa, Sha3_512),
    hashed!(CKM_HASH_SLH_DSA_SHAKE128, slh_dsa, Shake128),
    hashed!(CKM_HASH_SLH_DSA_SHAKE256, slh_dsa, Shake256),
];
