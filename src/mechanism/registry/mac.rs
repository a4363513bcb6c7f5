//! MACs that are made of hash functions, and their keys. PKCS#11 3.2, "Hash-Based Message
//! Authentication Codes (HMAC)".

use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest;
use crate::mechanism::mac::Length;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, generic, hmac};
use crate::object::class::KeyType;

/// The three rows of a hash function: its HMAC at full and at chosen length, and keys for it.
macro_rules! hmac {
    ($full:ident, $general:ident, $make:ident, $digest:ident, $key:ident) => {
        [
            row!($full)
                .keys(&[KeyType::GenericSecret, KeyType::$key], 1, generic::LONGEST as u64)
                .signs(|key, params| hmac::sign(key, params, Digest::$digest, Length::Full))
                .verifies(|key, params| hmac::verify(key, params, Digest::$digest, Length::Full)),
            row!($general)
                .keys(&[KeyType::GenericSecret, KeyType::$key], 1, generic::LONGEST as u64)
                .takes(Shape::MacLength)
                .signs(|key, params| hmac::sign(key, params, Digest::$digest, Length::Chosen))
                .verifies(|key, params| hmac::verify(key, params, Digest::$digest, Length::Chosen)),
            row!($make)
                .keys(&[KeyType::$key], 1, generic::LONGEST as u64)
                .generates(|asked, params| generic::generate(asked, params, KeyType::$key)),
        ]
    };
}

#[rustfmt::skip]
const HMACS: [[Mechanism; 3]; 15] = [
    hmac!(CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKM_SHA_1_KEY_GEN, Sha1, Sha1Hmac),
    hmac!(CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_KEY_GEN, Sha224, Sha224Hmac),
    hmac!(CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_KEY_GEN, Sha256, Sha256Hmac),
    hmac!(CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_KEY_GEN, Sha384, Sha384Hmac),
    hmac!(CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_KEY_GEN, Sha512, Sha512Hmac),
    hmac!(CKM_SHA512_224_HMAC, CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_KEY_GEN,
          Sha512_224, Sha512_224Hmac),
    hmac!(CKM_SHA512_256_HMAC, CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_KEY_GEN,
          Sha512_256, Sha512_256Hmac),
    hmac!(CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_KEY_GEN,
          Sha3_224, Sha3_224Hmac),
    hmac!(CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_KEY_GEN,
          Sha3_256, Sha3_256Hmac),
    hmac!(CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_KEY_GEN,
          Sha3_384, Sha3_384Hmac),
    hmac!(CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_KEY_GEN,
          Sha3_512, Sha3_512Hmac),
    hmac!(CKM_BLAKE2B_160_HMAC, CKM_BLAKE2B_160_HMAC_GENERAL, CKM_BLAKE2B_160_KEY_GEN,
          Blake2b160, Blake2b160Hmac),
    hmac!(CKM_BLAKE2B_256_HMAC, CKM_BLAKE2B_256_HMAC_GENERAL, CKM_BLAKE2B_256_KEY_GEN,
          Blake2b256, Blake2b256Hmac),
    hmac!(CKM_BLAKE2B_384_HMAC, CKM_BLAKE2B_384_HMAC_GENERAL, CKM_BLAKE2B_384_KEY_GEN,
          Blake2b384, Blake2b384Hmac),
    hmac!(CKM_BLAKE2B_512_HMAC, CKM_BLAKE2B_512_HMAC_GENERAL, CKM_BLAKE2B_512_KEY_GEN,
          Blake2b512, Blake2b512Hmac),
];

/// SHA-512/t has no row for a MAC of chosen length: its one parameter holds t.
const TRUNCATED: [Mechanism; 2] = [
    row!(CKM_SHA512_T_HMAC)
        .keys(&[KeyType::GenericSecret, KeyType::Sha512THmac], 1, generic::LONGEST as u64)
        .takes(Shape::MacLength)
        .signs(hmac::sign_truncated)
        .verifies(hmac::verify_truncated),
    row!(CKM_SHA512_T_KEY_GEN)
        .keys(&[KeyType::Sha512THmac], 1, generic::LONGEST as u64)
        .generates(|asked, params| generic::generate(asked, params, KeyType::Sha512THmac)),
];

pub(super) const ROWS: &[Mechanism] = &{
    let mut rows = [TRUNCATED[0]; 3 * HMACS.len() + 2];
    rows[1] = TRUNCATED[1];
    let (mut hash, mut next) = (0, 2);
    while hash < HMACS.len() {
        let mut column = 0;
        while column < 3 {
            rows[next] = HMACS[hash][column];
            column += 1;
            next += 1;
        }
        hash += 1;
    }
    rows
};
