//! The registry: one row per mechanism, a table a family, joined in the order of the standard's
//! numbers.
//!
//! What `C_GetMechanismList` and `C_GetMechanismInfo` say comes from here; the flags follow from
//! the filled columns. Also here, because only tables name them: the standard's numbers that the
//! families compare with. PKCS#11 3.2, "Mechanisms".

mod aes;
mod chacha;
mod composite;
mod derivation;
#[cfg(feature = "legacy")]
mod des;
mod dh;
mod digest;
#[cfg(feature = "legacy")]
mod dsa;
mod ec;
mod generic;
mod ike;
mod mac;
mod one_time;
mod post_quantum;
mod rsa;
mod tls;

use std::ops::RangeInclusive;

use super::Mechanism;
use super::ecdh::Kdf;
use crate::cryptoki;
pub(super) use ike::ike_prf_of;
pub(super) use one_time::{OTP_DECIMAL, OTP_FLAGS_WITHOUT_EFFECT, OTP_FOR_PEOPLE};
pub(super) use tls::OF_MASTER_SECRETS;

use crate::engine::hash::Digest::{self, Sha1, Sha224, Sha256, Sha384, Sha512};

/// Where a label of OAEP comes from: from the parameter.
pub(super) const LABEL_SPECIFIED: u64 = cryptoki::CKZ_DATA_SPECIFIED;

/// Mechanisms that sign with types of keys that may not be offered: DSA with every hash.
pub(crate) const fn is_for_other_keys(mechanism: u64) -> bool {
    matches!(
        mechanism,
        cryptoki::CKM_DSA..=cryptoki::CKM_DSA_SHA512
            | cryptoki::CKM_DSA_SHA3_224..=cryptoki::CKM_DSA_SHA3_512
    )
}

/// The mechanism whose bad parameters a configuration may call bad arguments.
pub(crate) const OAEP_NAME: &str = "CKM_RSA_PKCS_OAEP";

/// The mechanism that some of its keys use with a parameter only.
pub(crate) const EDDSA_NAME: &str = "CKM_EDDSA";

/// Whether the keys of a TLS connection come with their vectors.
pub(crate) const fn has_vectors(mechanism: u64) -> bool {
    mechanism == cryptoki::CKM_TLS12_KEY_AND_MAC_DERIVE
}

/// Where a salt of PBKDF2 comes from: from the parameter.
pub(super) const SALT_SPECIFIED: u64 = cryptoki::CKZ_SALT_SPECIFIED;

/// The RSA moduli that keys may have, in bits. Imported keys may be older than new ones.
pub(super) const RSA_BITS: RangeInclusive<u64> = 1024..=16384;
/// The RSA moduli that are made.
pub(super) const RSA_NEW_BITS: RangeInclusive<u64> = 1024..=8192;
/// The smallest modulus that is made unless the configuration asks for legacy mechanisms.
const RSA_MODERN: u64 = 2048;

/// Prime fields, curves by their object identifier, points that are not compressed.
const CURVES: u64 = cryptoki::CKF_EC_F_P | cryptoki::CKF_EC_OID | cryptoki::CKF_EC_UNCOMPRESS;
/// Edwards and Montgomery curves, by identifier or by name.
const NAMED_CURVES: u64 = cryptoki::CKF_EC_F_P | cryptoki::CKF_EC_OID | cryptoki::CKF_EC_CURVENAME;

/// The hash function that a parameter names by its mechanism.
pub(super) const fn digest_of(mechanism: u64) -> Option<Digest> {
    match mechanism {
        cryptoki::CKM_SHA_1 => Some(Sha1),
        cryptoki::CKM_SHA224 => Some(Sha224),
        cryptoki::CKM_SHA256 => Some(Sha256),
        cryptoki::CKM_SHA384 => Some(Sha384),
        cryptoki::CKM_SHA512 => Some(Sha512),
        cryptoki::CKM_SHA512_224 => Some(Digest::Sha512_224),
        cryptoki::CKM_SHA512_256 => Some(Digest::Sha512_256),
        cryptoki::CKM_SHA3_224 => Some(Digest::Sha3_224),
        cryptoki::CKM_SHA3_256 => Some(Digest::Sha3_256),
        cryptoki::CKM_SHA3_384 => Some(Digest::Sha3_384),
        cryptoki::CKM_SHA3_512 => Some(Digest::Sha3_512),
        _ => None,
    }
}

/// A pseudorandom function of SP 800-108.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prf {
    Hmac(Digest),
    AesCmac,
}

impl Prf {
    /// Bytes that it gives.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Hmac(digest) => digest.len(),
            Self::AesCmac => 16,
        }
    }
}

/// The pseudorandom function that a parameter of SP 800-108 names by its mechanism.
pub(super) const fn counted_prf_of(mechanism: u64) -> Option<Prf> {
    match mechanism {
        cryptoki::CKM_SHA_1_HMAC => Some(Prf::Hmac(Sha1)),
        cryptoki::CKM_SHA224_HMAC => Some(Prf::Hmac(Sha224)),
        cryptoki::CKM_SHA256_HMAC => Some(Prf::Hmac(Sha256)),
        cryptoki::CKM_SHA384_HMAC => Some(Prf::Hmac(Sha384)),
        cryptoki::CKM_SHA512_HMAC => Some(Prf::Hmac(Sha512)),
        cryptoki::CKM_SHA3_224_HMAC => Some(Prf::Hmac(Digest::Sha3_224)),
        cryptoki::CKM_SHA3_256_HMAC => Some(Prf::Hmac(Digest::Sha3_256)),
        cryptoki::CKM_SHA3_384_HMAC => Some(Prf::Hmac(Digest::Sha3_384)),
        cryptoki::CKM_SHA3_512_HMAC => Some(Prf::Hmac(Digest::Sha3_512)),
        cryptoki::CKM_AES_CMAC => Some(Prf::AesCmac),
        _ => None,
    }
}

/// The hash function of a PRF of PBKDF2, which is HMAC.
pub(super) const fn prf_of(prf: u64) -> Option<Digest> {
    match prf {
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA1 => Some(Sha1),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA224 => Some(Sha224),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA256 => Some(Sha256),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA384 => Some(Sha384),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA512 => Some(Sha512),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA512_224 => Some(Digest::Sha512_224),
        cryptoki::CKP_PKCS5_PBKD2_HMAC_SHA512_256 => Some(Digest::Sha512_256),
        _ => None,
    }
}

/// The hash function of a mask generation function.
pub(super) const fn mask_of(mgf: u64) -> Option<Digest> {
    match mgf {
        cryptoki::CKG_MGF1_SHA1 => Some(Sha1),
        cryptoki::CKG_MGF1_SHA224 => Some(Sha224),
        cryptoki::CKG_MGF1_SHA256 => Some(Sha256),
        cryptoki::CKG_MGF1_SHA384 => Some(Sha384),
        cryptoki::CKG_MGF1_SHA512 => Some(Sha512),
        cryptoki::CKG_MGF1_SHA3_224 => Some(Digest::Sha3_224),
        cryptoki::CKG_MGF1_SHA3_256 => Some(Digest::Sha3_256),
        cryptoki::CKG_MGF1_SHA3_384 => Some(Digest::Sha3_384),
        cryptoki::CKG_MGF1_SHA3_512 => Some(Digest::Sha3_512),
        _ => None,
    }
}

/// The numbers of a hash function and of MGF1 with it, where signatures have them.
pub(crate) const fn pss_numbers(digest: Digest) -> Option<(u64, u64)> {
    match digest {
        Sha224 => Some((cryptoki::CKM_SHA224, cryptoki::CKG_MGF1_SHA224)),
        Sha256 => Some((cryptoki::CKM_SHA256, cryptoki::CKG_MGF1_SHA256)),
        Sha384 => Some((cryptoki::CKM_SHA384, cryptoki::CKG_MGF1_SHA384)),
        Sha512 => Some((cryptoki::CKM_SHA512, cryptoki::CKG_MGF1_SHA512)),
        Digest::Sha3_224 => Some((cryptoki::CKM_SHA3_224, cryptoki::CKG_MGF1_SHA3_224)),
        Digest::Sha3_256 => Some((cryptoki::CKM_SHA3_256, cryptoki::CKG_MGF1_SHA3_256)),
        Digest::Sha3_384 => Some((cryptoki::CKM_SHA3_384, cryptoki::CKG_MGF1_SHA3_384)),
        Digest::Sha3_512 => Some((cryptoki::CKM_SHA3_512, cryptoki::CKG_MGF1_SHA3_512)),
        _ => None,
    }
}

/// The key derivation function of a key agreement, if this token has it.
pub(super) const fn derivation_of(kdf: u64) -> Option<Kdf> {
    match kdf {
        cryptoki::CKD_NULL => Some(Kdf::None),
        cryptoki::CKD_SHA1_KDF => Some(Kdf::X963(Sha1)),
        cryptoki::CKD_SHA224_KDF => Some(Kdf::X963(Sha224)),
        cryptoki::CKD_SHA256_KDF => Some(Kdf::X963(Sha256)),
        cryptoki::CKD_SHA384_KDF => Some(Kdf::X963(Sha384)),
        cryptoki::CKD_SHA512_KDF => Some(Kdf::X963(Sha512)),
        cryptoki::CKD_SHA3_224_KDF => Some(Kdf::X963(Digest::Sha3_224)),
        cryptoki::CKD_SHA3_256_KDF => Some(Kdf::X963(Digest::Sha3_256)),
        cryptoki::CKD_SHA3_384_KDF => Some(Kdf::X963(Digest::Sha3_384)),
        cryptoki::CKD_SHA3_512_KDF => Some(Kdf::X963(Digest::Sha3_512)),
        cryptoki::CKD_BLAKE2B_160_KDF => Some(Kdf::X963(Digest::Blake2b160)),
        cryptoki::CKD_BLAKE2B_256_KDF => Some(Kdf::X963(Digest::Blake2b256)),
        cryptoki::CKD_BLAKE2B_384_KDF => Some(Kdf::X963(Digest::Blake2b384)),
        cryptoki::CKD_BLAKE2B_512_KDF => Some(Kdf::X963(Digest::Blake2b512)),
        cryptoki::CKD_SHA1_KDF_SP800 => Some(Kdf::Concatenation(Sha1)),
        cryptoki::CKD_SHA224_KDF_SP800 => Some(Kdf::Concatenation(Sha224)),
        cryptoki::CKD_SHA256_KDF_SP800 => Some(Kdf::Concatenation(Sha256)),
        cryptoki::CKD_SHA384_KDF_SP800 => Some(Kdf::Concatenation(Sha384)),
        cryptoki::CKD_SHA512_KDF_SP800 => Some(Kdf::Concatenation(Sha512)),
        cryptoki::CKD_SHA3_224_KDF_SP800 => Some(Kdf::Concatenation(Digest::Sha3_224)),
        cryptoki::CKD_SHA3_256_KDF_SP800 => Some(Kdf::Concatenation(Digest::Sha3_256)),
        cryptoki::CKD_SHA3_384_KDF_SP800 => Some(Kdf::Concatenation(Digest::Sha3_384)),
        cryptoki::CKD_SHA3_512_KDF_SP800 => Some(Kdf::Concatenation(Digest::Sha3_512)),
        _ => None,
    }
}

impl Mechanism {
    /// The flags of `CK_MECHANISM_INFO`. They follow from the columns, so they cannot lie.
    pub(crate) fn flags(&self) -> u64 {
        let has_messages = self.messages.is_some()
            || self.message_sign().is_some()
            || self.message_verify().is_some();
        [
            (self.encrypt.is_some(), cryptoki::CKF_ENCRYPT),
            (self.decrypt.is_some(), cryptoki::CKF_DECRYPT),
            (self.digest.is_some(), cryptoki::CKF_DIGEST),
            (self.sign.is_some() || self.sign_bundle.is_some(), cryptoki::CKF_SIGN),
            (self.verify.is_some() || self.verify_bundle.is_some(), cryptoki::CKF_VERIFY),
            (self.generate.is_some(), cryptoki::CKF_GENERATE),
            (self.generate_pair.is_some(), cryptoki::CKF_GENERATE_KEY_PAIR),
            (self.derives_anything(), cryptoki::CKF_DERIVE),
            (self.wrap.is_some() || self.envelop.is_some(), cryptoki::CKF_WRAP),
            (self.unwrap.is_some() || self.open.is_some(), cryptoki::CKF_UNWRAP),
            (self.encapsulate.is_some(), cryptoki::CKF_ENCAPSULATE),
            (self.decapsulate.is_some(), cryptoki::CKF_DECAPSULATE),
            (self.sign_recover.is_some(), cryptoki::CKF_SIGN_RECOVER),
            (self.verify_recover.is_some(), cryptoki::CKF_VERIFY_RECOVER),
            (self.encrypt.and(self.messages).is_some(), cryptoki::CKF_MESSAGE_ENCRYPT),
            (self.decrypt.and(self.messages).is_some(), cryptoki::CKF_MESSAGE_DECRYPT),
            (self.message_sign().is_some(), cryptoki::CKF_MESSAGE_SIGN),
            (self.message_verify().is_some(), cryptoki::CKF_MESSAGE_VERIFY),
            (has_messages && !self.one_part, cryptoki::CKF_MULTI_MESSAGE),
        ]
        .into_iter()
        .filter(|(can, _)| *can)
        .fold(self.extra, |all, (_, flag)| all | flag)
    }
}

/// Begins a row with a number and its own name.
macro_rules! row {
    ($number:ident) => {
        Mechanism::named(cryptoki::$number, stringify!($number))
    };
}
use row;

/// A family each.
#[rustfmt::skip]
const FAMILIES: &[&[Mechanism]] = &[
    aes::ROWS,
    chacha::ROWS,
    composite::ROWS,
    derivation::ROWS,
    #[cfg(feature = "legacy")] des::ROWS,
    dh::ROWS,
    digest::ROWS,
    #[cfg(feature = "legacy")] dsa::ROWS,
    ec::ROWS,
    generic::ROWS,
    ike::ROWS,
    mac::ROWS,
    one_time::ROWS,
    post_quantum::ROWS,
    rsa::ROWS,
    tls::ROWS,
];

/// How many mechanisms there are.
const COUNT: usize = {
    let (mut family, mut count) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

/// The rows of all families by their numbers. Computed by the compiler, which refuses a number
/// that stands twice.
static ROWS: [Mechanism; COUNT] = {
    let mut sorted = [FAMILIES[0][0]; COUNT];
    let (mut family, mut len) = (0, 0);
    while family < FAMILIES.len() {
        let mut next = 0;
        while next < FAMILIES[family].len() {
            let row = FAMILIES[family][next];
            let mut place = len;
            while place > 0 && sorted[place - 1].id > row.id {
                sorted[place] = sorted[place - 1];
                place -= 1;
            }
            assert!(place == 0 || sorted[place - 1].id != row.id, "a mechanism has two rows");
            sorted[place] = row;
            len += 1;
            next += 1;
        }
        family += 1;
    }
    sorted
};

/// Every mechanism of this token, in the order of the standard's numbers.
pub(crate) static REGISTRY: &[Mechanism] = &ROWS;
