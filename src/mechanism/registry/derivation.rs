//! Keys that are derived from others, or from passwords. PKCS#11 3.2, "Hash-based Key Derivation",
//! "Key derivation by data encryption", "PKCS #5", "SP800-108 Key Derivation",
//! "Miscellaneous simple key derivation mechanisms", "HKDF Mechanisms".

use super::row;
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Mode;
use crate::engine::hash::Digest;
use crate::mechanism::counted::Mode::{Counter, DoublePipeline, Feedback};
use crate::mechanism::kdf_params::KdfShape;
use crate::mechanism::params::Shape;
use crate::mechanism::{
    Mechanism, counted, derivation, digest, encrypted_data, generic, hkdf, pbkdf2,
};
use crate::object::class::KeyType;
use crate::object::public_half::public_half;

/// Every type of secret key.
pub(super) const SECRETS: &[KeyType] = &[
    KeyType::GenericSecret,
    KeyType::Aes,
    KeyType::Hkdf,
    KeyType::Sha1Hmac,
    KeyType::Sha224Hmac,
    KeyType::Sha256Hmac,
    KeyType::Sha384Hmac,
    KeyType::Sha512Hmac,
    KeyType::Sha512_224Hmac,
    KeyType::Sha512_256Hmac,
    KeyType::Sha512THmac,
    KeyType::Sha3_224Hmac,
    KeyType::Sha3_256Hmac,
    KeyType::Sha3_384Hmac,
    KeyType::Sha3_512Hmac,
    KeyType::Blake2b160Hmac,
    KeyType::Blake2b256Hmac,
    KeyType::Blake2b384Hmac,
    KeyType::Blake2b512Hmac,
    KeyType::Md5Hmac,
    KeyType::AesXts,
    KeyType::ChaCha20,
    KeyType::Poly1305,
    KeyType::Des,
    KeyType::Des2,
    KeyType::Des3,
];

const LONGEST: u64 = generic::LONGEST as u64;

/// Every type of key that comes in pairs.
const PAIRS: &[KeyType] = &[
    KeyType::Rsa,
    KeyType::Ec,
    KeyType::EcEdwards,
    KeyType::EcMontgomery,
    KeyType::Dh,
    KeyType::Dsa,
    KeyType::MlDsa,
    KeyType::MlKem,
    KeyType::SlhDsa,
    KeyType::CompSig,
    KeyType::CompKem,
];

/// A derivation from a key of any type, to a generic secret unless something else is asked for.
const fn from_any(row: Mechanism) -> Mechanism {
    row.keys(SECRETS, 1, LONGEST).usually(KeyType::GenericSecret)
}

/// The row of a hash function.
macro_rules! digested {
    ($name:ident, $digest:ident) => {
        from_any(row!($name)).derives(|derivation| digest::derive(derivation, Digest::$digest))
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    digested!(CKM_SHA1_KEY_DERIVATION, Sha1),
    digested!(CKM_SHA224_KEY_DERIVATION, Sha224),
    digested!(CKM_SHA256_KEY_DERIVATION, Sha256),
    digested!(CKM_SHA384_KEY_DERIVATION, Sha384),
    digested!(CKM_SHA512_KEY_DERIVATION, Sha512),
    digested!(CKM_SHA512_224_KEY_DERIVATION, Sha512_224),
    digested!(CKM_SHA512_256_KEY_DERIVATION, Sha512_256),
    digested!(CKM_SHA3_224_KEY_DERIVATION, Sha3_224),
    digested!(CKM_SHA3_256_KEY_DERIVATION, Sha3_256),
    digested!(CKM_SHA3_384_KEY_DERIVATION, Sha3_384),
    digested!(CKM_SHA3_512_KEY_DERIVATION, Sha3_512),
    digested!(CKM_SHAKE_128_KEY_DERIVATION, Shake128),
    digested!(CKM_SHAKE_256_KEY_DERIVATION, Shake256),
    digested!(CKM_BLAKE2B_160_KEY_DERIVE, Blake2b160),
    digested!(CKM_BLAKE2B_256_KEY_DERIVE, Blake2b256),
    digested!(CKM_BLAKE2B_384_KEY_DERIVE, Blake2b384),
    digested!(CKM_BLAKE2B_512_KEY_DERIVE, Blake2b512),
    from_any(row!(CKM_SHA512_T_KEY_DERIVATION))
        .takes(Shape::MacLength)
        .derives(digest::derive_truncated),
    from_any(row!(CKM_CONCATENATE_BASE_AND_KEY))
        .takes(Shape::Kdf(KdfShape::OtherKey))
        .shows_base()
        .derives(derivation::base_and_key),
    from_any(row!(CKM_CONCATENATE_BASE_AND_DATA))
        .takes(Shape::Kdf(KdfShape::Data))
        .shows_base()
        .derives(derivation::base_and_data),
    from_any(row!(CKM_CONCATENATE_DATA_AND_BASE))
        .takes(Shape::Kdf(KdfShape::Data))
        .shows_base()
        .derives(derivation::data_and_base),
    from_any(row!(CKM_XOR_BASE_AND_DATA))
        .takes(Shape::Kdf(KdfShape::Data))
        .shows_base()
        .derives(derivation::xor),
    from_any(row!(CKM_EXTRACT_KEY_FROM_KEY))
        .takes(Shape::Kdf(KdfShape::FirstBit))
        .shows_base()
        .derives(derivation::extract),
    row!(CKM_AES_ECB_ENCRYPT_DATA)
        .keys(&[KeyType::Aes], 16, 32)
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(KdfShape::Data))
        .derives(|derivation| encrypted_data::derive_aes(derivation, Mode::Ecb)),
    row!(CKM_AES_CBC_ENCRYPT_DATA)
        .keys(&[KeyType::Aes], 16, 32)
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(KdfShape::AesCbcData))
        .derives(|derivation| encrypted_data::derive_aes(derivation, Mode::Cbc)),
    row!(CKM_PUB_KEY_FROM_PRIV_KEY).keys(PAIRS, 0, 0).publishes(|key| public_half(&key.attributes)),
    row!(CKM_HKDF_DERIVE)
        .keys(hkdf::KEYS, 1, LONGEST)
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(KdfShape::Hkdf))
        .derives(hkdf::derive),
    row!(CKM_HKDF_DATA)
        .keys(hkdf::KEYS, 1, LONGEST)
        .takes(Shape::Kdf(KdfShape::Hkdf))
        .derives_objects(hkdf::derive_data),
    row!(CKM_HKDF_KEY_GEN)
        .keys(&[KeyType::Hkdf], 1, LONGEST)
        .generates(|asked, params| generic::generate(asked, params, KeyType::Hkdf)),
    row!(CKM_PKCS5_PBKD2)
        .keys(SECRETS, 1, LONGEST)
        .takes(Shape::Kdf(KdfShape::Pbkdf2))
        .generates(pbkdf2::generate),
    from_any(row!(CKM_SP800_108_COUNTER_KDF))
        .takes(Shape::Kdf(KdfShape::Counted))
        .derives_objects(|from, templates| counted::derive(from, templates, Counter)),
    from_any(row!(CKM_SP800_108_FEEDBACK_KDF))
        .takes(Shape::Kdf(KdfShape::Feedback))
        .derives_objects(|from, templates| counted::derive(from, templates, Feedback)),
    from_any(row!(CKM_SP800_108_DOUBLE_PIPELINE_KDF))
        .takes(Shape::Kdf(KdfShape::Counted))
        .derives_objects(|from, templates| counted::derive(from, templates, DoublePipeline)),
];
