//! Diffie-Hellman over prime fields. PKCS#11 3.2, "Diffie-Hellman".

use super::row;
use crate::cryptoki;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, dh};
use crate::object::class::KeyType;

/// The smallest and the largest prime, and the smallest one that is not outlived.
const PRIME_BITS: (u64, u64, u64) = (1024, 8192, 2048);

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_DH_PKCS_KEY_PAIR_GEN)
        .keys(&[KeyType::Dh], PRIME_BITS.0, PRIME_BITS.1)
        .modern_from(PRIME_BITS.2)
        .generates_pair(dh::generate_pair),
    row!(CKM_DH_PKCS_PARAMETER_GEN)
        .keys(&[KeyType::Dh], PRIME_BITS.2, PRIME_BITS.1)
        .generates_parameters(dh::generate_group),
    row!(CKM_DH_PKCS_DERIVE)
        .keys(&[KeyType::Dh], PRIME_BITS.0, PRIME_BITS.1)
        .modern_from(PRIME_BITS.2)
        .takes(Shape::PublicValue)
        .derives(dh::derive)
        .encapsulates(dh::encapsulate)
        .decapsulates(dh::decapsulate),
];
