//! The mechanisms in words, as the documents show them. Every word comes from the registry, so
//! that a document cannot promise what the module does not do. PKCS#11 3.2, "Mechanisms".

use crate::mechanism::Mechanism;
use crate::mechanism::cipher_params::CipherShape;
use crate::mechanism::kdf_params::KdfShape;
use crate::mechanism::params::Shape;
use crate::mechanism::registry::REGISTRY;
use crate::object::class::KeyType;

/// One mechanism, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MechanismRow {
    /// The standard's name.
    pub name: &'static str,
    /// The standard's number.
    pub number: u64,
    /// What it does: `encrypt`, `decrypt`, `digest`, `sign`, `verify`, `generate`,
    /// `generate pair`, `derive`, `wrap`, `unwrap`, and the authenticated forms of these two.
    /// `generate pair`, `derive`, `sign recover`, `verify recover`, `messages`.
    pub functions: Vec<&'static str>,
    /// The types of key that it works with or makes; none for digests.
    pub keys: Vec<&'static str>,
    /// The standard's numbers of these types.
    pub key_numbers: Vec<u64>,
    /// The sizes of keys, if it takes or makes any.
    pub key_sizes: Option<KeySizes>,
    /// The structure or bytes that it takes as its parameter, if it takes any.
    pub parameter: Option<&'static str>,
    /// Broken or outlived: offered where the configuration says `mechanisms.legacy`.
    pub legacy: bool,
    /// The smallest key that is not outlived, where smaller ones can be had as well.
    pub modern_from: Option<u64>,
}

/// The sizes of keys that a mechanism takes or makes, as C_GetMechanismInfo tells them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySizes {
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// `bits` or `bytes`, as the standard has it for the mechanism.
    pub unit: &'static str,
}

/// Every mechanism of a software token, in the order of the standard's numbers.
#[must_use]
pub fn mechanism_table() -> Vec<MechanismRow> {
    REGISTRY.iter().map(row).collect()
}

fn row(mechanism: &Mechanism) -> MechanismRow {
    let functions = [
        (mechanism.encrypt.is_some(), "encrypt"),
        (mechanism.decrypt.is_some(), "decrypt"),
        (mechanism.digest.is_some(), "digest"),
        (mechanism.sign.is_some() || mechanism.sign_bundle.is_some(), "sign"),
        (mechanism.verify.is_some() || mechanism.verify_bundle.is_some(), "verify"),
        (mechanism.generate.is_some(), "generate"),
        (mechanism.generate_pair.is_some(), "generate pair"),
        (mechanism.derives_anything(), "derive"),
        (mechanism.wrap.is_some(), "wrap"),
        (mechanism.unwrap.is_some(), "unwrap"),
        (mechanism.envelop.is_some(), "wrap authenticated"),
        (mechanism.open.is_some(), "unwrap authenticated"),
        (mechanism.sign_recover.is_some(), "sign recover"),
        (mechanism.verify_recover.is_some(), "verify recover"),
        (mechanism.messages.is_some(), "messages"),
        (mechanism.encapsulate.is_some(), "encapsulate"),
        (mechanism.decapsulate.is_some(), "decapsulate"),
    ];
    MechanismRow {
        name: mechanism.name,
        number: mechanism.id,
        functions: functions.into_iter().filter(|(can, _)| *can).map(|(_, word)| word).collect(),
        keys: key_names(mechanism.key_types),
        key_numbers: mechanism.key_types.iter().map(|key_type| key_type.code()).collect(),
        key_sizes: mechanism.key_types.first().filter(|_| mechanism.max_key_size != 0).map(
            |key_type| KeySizes {
                min: mechanism.min_key_size,
                max: mechanism.max_key_size,
                unit: unit(*key_type, mechanism),
            },
        ),
        parameter: parameter(mechanism.shape),
        legacy: mechanism.legacy,
        modern_from: Some(mechanism.min_modern_size).filter(|min| *min > mechanism.min_key_size),
    }
}

/// The unit of a mechanism's key sizes. The standard counts generic secrets in bits where ones
/// of any length are made, and in bytes where a MAC uses them.
fn unit(key_type: KeyType, mechanism: &Mechanism) -> &'static str {
    match key_type {
        KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa => "bytes",
        KeyType::Rsa
        | KeyType::Ec
        | KeyType::EcEdwards
        | KeyType::EcMontgomery
        | KeyType::Dh
        | KeyType::Dsa => "bits",
        KeyType::GenericSecret if !mechanism.counts_bytes() => "bits",
        KeyType::ChaCha20 if mechanism.generate.is_none() => "bits",
        _ => "bytes",
    }
}

/// The names of types, or one name for all types of secret or of private keys.
fn key_names(types: &[KeyType]) -> Vec<&'static str> {
    match (types.len(), types.first()) {
        (0..=MANY, _) => types.iter().map(|key_type| key_name(*key_type)).collect(),
        (_, Some(first)) if first.is_asymmetric() => vec!["any private key"],
        _ => vec!["any secret key"],
    }
}

/// A mechanism that takes more types than this takes every secret key, or every private one.
const MANY: usize = 8;

const fn key_name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Rsa => "RSA",
        KeyType::Ec => "EC",
        KeyType::EcEdwards => "Edwards",
        KeyType::EcMontgomery => "Montgomery",
        KeyType::MlDsa => "ML-DSA",
        KeyType::MlKem => "ML-KEM",
        KeyType::SlhDsa => "SLH-DSA",
        KeyType::CompSig => "composite signature",
        KeyType::CompKem => "composite KEM",
        KeyType::Dh => "DH",
        KeyType::Dsa => "DSA",
        KeyType::Aes => "AES",
        KeyType::GenericSecret => "generic secret",
        KeyType::Sha1Hmac => "SHA-1 HMAC",
        KeyType::Sha224Hmac => "SHA-224 HMAC",
        KeyType::Sha256Hmac => "SHA-256 HMAC",
        KeyType::Sha384Hmac => "SHA-384 HMAC",
        KeyType::Sha512Hmac => "SHA-512 HMAC",
        KeyType::Sha512_224Hmac => "SHA-512/224 HMAC",
        KeyType::Sha512_256Hmac => "SHA-512/256 HMAC",
        KeyType::Sha512THmac => "SHA-512/t HMAC",
        KeyType::Sha3_224Hmac => "SHA3-224 HMAC",
        KeyType::Sha3_256Hmac => "SHA3-256 HMAC",
        KeyType::Sha3_384Hmac => "SHA3-384 HMAC",
        KeyType::Sha3_512Hmac => "SHA3-512 HMAC",
        KeyType::Blake2b160Hmac => "BLAKE2b-160 HMAC",
        KeyType::Blake2b256Hmac => "BLAKE2b-256 HMAC",
        KeyType::Blake2b384Hmac => "BLAKE2b-384 HMAC",
        KeyType::Blake2b512Hmac => "BLAKE2b-512 HMAC",
        KeyType::Md5Hmac => "MD5 HMAC",
        KeyType::Hkdf => "HKDF",
        KeyType::AesXts => "AES-XTS",
        KeyType::ChaCha20 => "ChaCha20",
        KeyType::Poly1305 => "Poly1305",
        KeyType::Des => "DES",
        KeyType::Des2 => "double-length DES",
        KeyType::Des3 => "triple-length DES",
        KeyType::Hotp => "HOTP",
    }
}

/// The structure that a mechanism takes as its parameter.
pub(crate) fn structure_of(row: &Mechanism) -> &'static str {
    let words = parameter(row.shape).unwrap_or_default();
    words.split('`').nth(1).unwrap_or("pParameter")
}

const fn parameter(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::None => None,
        Shape::OptionalEddsa => Some("none, or `CK_EDDSA_PARAMS`"),
        Shape::OptionalIv16 => Some("none; 16 bytes are ignored"),
        Shape::OptionalIv => Some("none, or the initial value"),
        Shape::Iv16 => Some("16 bytes"),
        Shape::Ctr => Some("`CK_AES_CTR_PARAMS`"),
        Shape::Gcm => Some("`CK_GCM_PARAMS`; wrapping also `CK_GCM_WRAP_PARAMS`"),
        Shape::Message => Some("the structure of a message"),
        Shape::Pss => Some("`CK_RSA_PKCS_PSS_PARAMS`"),
        Shape::Oaep => Some("`CK_RSA_PKCS_OAEP_PARAMS`"),
        Shape::RsaAes => Some("`CK_RSA_AES_KEY_WRAP_PARAMS`"),
        Shape::EcdhAes => Some("`CK_ECDH_AES_KEY_WRAP_PARAMS`"),
        Shape::Ecdh1 => Some("`CK_ECDH1_DERIVE_PARAMS`"),
        Shape::PublicValue => Some("the peer's public value, or none (encapsulation)"),
        Shape::MacLength => Some("`CK_MAC_GENERAL_PARAMS`"),
        Shape::OptionalInfo => Some("none, or HPKE's `info`"),
        Shape::OptionalSignContext => Some("none, or `CK_SIGN_ADDITIONAL_CONTEXT`"),
        Shape::HashSignContext => Some("`CK_HASH_SIGN_ADDITIONAL_CONTEXT`"),
        Shape::Version => Some("`CK_VERSION`"),
        Shape::OptionalOtp => Some("none, or `CK_OTP_PARAMS`"),
        Shape::TlsMac => Some("`CK_TLS_MAC_PARAMS`"),
        Shape::Kdf(shape) => Some(kdf_parameter(shape)),
        Shape::Cipher(shape) => Some(cipher_parameter(shape)),
    }
}

const fn cipher_parameter(shape: CipherShape) -> &'static str {
    match shape {
        CipherShape::Ccm => "`CK_CCM_PARAMS`; wrapping also `CK_CCM_WRAP_PARAMS`",
        CipherShape::ChaCha20 => "`CK_CHACHA20_PARAMS`",
        CipherShape::ChaCha20Poly1305 => "`CK_SALSA20_CHACHA20_POLY1305_PARAMS`",
        #[cfg(feature = "legacy")]
        CipherShape::Iv8 => "8 bytes",
        #[cfg(feature = "legacy")]
        CipherShape::OptionalIv8 => "none; 8 or 16 bytes are ignored",
    }
}

const fn kdf_parameter(shape: KdfShape) -> &'static str {
    match shape {
        KdfShape::Data => "`CK_KEY_DERIVATION_STRING_DATA`",
        KdfShape::OtherKey => "`CK_OBJECT_HANDLE`",
        KdfShape::FirstBit => "`CK_EXTRACT_PARAMS`",
        KdfShape::AesCbcData => "`CK_AES_CBC_ENCRYPT_DATA_PARAMS`",
        #[cfg(feature = "legacy")]
        KdfShape::DesCbcData => "`CK_DES_CBC_ENCRYPT_DATA_PARAMS`",
        KdfShape::Hkdf => "`CK_HKDF_PARAMS`",
        KdfShape::Counted => "`CK_SP800_108_KDF_PARAMS`",
        KdfShape::Feedback => "`CK_SP800_108_FEEDBACK_KDF_PARAMS`",
        KdfShape::TlsMaster => "`CK_TLS12_MASTER_KEY_DERIVE_PARAMS`",
        KdfShape::TlsExtendedMaster => "`CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS`",
        KdfShape::TlsKeys => "`CK_TLS12_KEY_MAT_PARAMS`",
        KdfShape::TlsExport => "`CK_TLS_KDF_PARAMS`",
        KdfShape::IkePrf => "`CK_IKE_PRF_DERIVE_PARAMS`",
        KdfShape::Ike1Prf => "`CK_IKE1_PRF_DERIVE_PARAMS`",
        KdfShape::Ike1Extended => "`CK_IKE1_EXTENDED_DERIVE_PARAMS`",
        KdfShape::IkePrfPlus => "`CK_IKE2_PRF_PLUS_DERIVE_PARAMS`",
        KdfShape::Pbkdf2 => "`CK_PKCS5_PBKD2_PARAMS2`, or the older `CK_PKCS5_PBKD2_PARAMS`",
    }
}
