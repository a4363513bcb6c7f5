//! DSA, which is outlived. PKCS#11 3.2, "DSA".

use super::row;
use crate::cryptoki;
use crate::mechanism::{Mechanism, dsa};
use crate::object::class::KeyType;

/// The smallest and the largest prime, in bits.
const PRIME_BITS: (u64, u64) = (1024, 3072);

const fn of_dsa(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::Dsa], PRIME_BITS.0, PRIME_BITS.1).legacy()
}

/// The row of a hash function.
macro_rules! hashed {
    ($name:ident, $digest:ident) => {
        of_dsa(row!($name))
            .signs(|key, params| dsa::sign(key, params, Some(Digest::$digest)))
            .verifies(|key, params| dsa::verify(key, params, Some(Digest::$digest)))
    };
}

use crate::engine::hash::Digest;

pub(super) const ROWS: &[Mechanism] = &[
    of_dsa(row!(CKM_DSA_KEY_PAIR_GEN)).generates_pair(dsa::generate_pair),
    of_dsa(row!(CKM_DSA_PARAMETER_GEN)).generates_parameters(dsa::generate_group),
    of_dsa(row!(CKM_DSA))
        .one_part()
        .signs(|key, params| dsa::sign(key, params, None))
        .verifies(|key, params| dsa::verify(key, params, None)),
    hashed!(CKM_DSA_SHA1, Sha1),
    hashed!(CKM_DSA_SHA224, Sha224),
    hashed!(CKM_DSA_SHA256, Sha256),
    hashed!(CKM_DSA_SHA384, Sha384),
    hashed!(CKM_DSA_SHA512, Sha512),
    hashed!(CKM_DSA_SHA3_224, Sha3_224),
    hashed!(CKM_DSA_SHA3_256, Sha3_256),
    hashed!(CKM_DSA_SHA3_384, Sha3_384),
    hashed!(CKM_DSA_SHA3_512, Sha3_512),
];
