//! Which attributes an object has, as the standard's tables list them: who must give them, who
//! must not, and what an absent one is.
//!
//! Data only; `super` reads it. The numbers are those of the footnotes under the table "Common
//! footnotes for object attribute tables" of PKCS#11 3.2; footnotes 8 and 10 to 13 stand in the
//! column `change` of `attribute`.

use super::{Class, KeyType, format, one_time};
use crate::cryptoki;
use crate::object::attribute::{self, Attr};
use Absent::{Computed, Empty, Missing, Number, Private, Secrecy, Use};

/// Must be given to `C_CreateObject`.
pub(super) const N1: u8 = 1;
/// Must not be given to `C_CreateObject`.
pub(super) const N2: u8 = 1 << 1;
/// Must be given when a key is generated.
pub(super) const N3: u8 = 1 << 2;
/// Must not be given when a key is generated.
pub(super) const N4: u8 = 1 << 3;
/// Must be given when a key is unwrapped.
pub(super) const N5: u8 = 1 << 4;
/// Must not be given when a key is unwrapped or derived.
pub(super) const N6: u8 = 1 << 5;
/// Hidden while the object is sensitive or not extractable.
pub(super) const N7: u8 = 1 << 6;

/// What an attribute is that nobody gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absent {
    /// Nothing; it reads as empty.
    Empty,
    /// Nothing; the object then has no such attribute.
    Missing,
    /// This flag.
    Flag(bool),
    /// This number.
    Number(u64),
    /// True for classes that hold secrets.
    Private,
    /// True for the uses that a type of key is good for.
    Use,
    /// `CKA_SENSITIVE` or `CKA_EXTRACTABLE`, from class, place and birth.
    Secrecy,
    /// What the token computes from the rest; reads as empty if it cannot.
    Computed,
}

/// One line of one of the standard's tables.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) notes: u8,
    pub(super) absent: Absent,
}

impl Row {
    pub(super) fn has(&self, note: u8) -> bool {
        self.notes & note != 0
    }
}

pub(super) const fn row<T>(name: Attr<T>, notes: u8, absent: Absent) -> Row {
    Row { id: name.id, notes, absent }
}

pub(super) const TRUE: Absent = Absent::Flag(true);
const FALSE: Absent = Absent::Flag(false);
const UNKNOWN: Absent = Number(cryptoki::CKT_TRUST_UNKNOWN as u64);

/// "Common object attributes" and "Common storage object attributes".
static STORAGE: &[Row] = &[
    row(attribute::CLASS, N1, Empty),
    row(attribute::TOKEN, 0, FALSE),
    row(attribute::PRIVATE, 0, Private),
    row(attribute::MODIFIABLE, 0, TRUE),
    row(attribute::LABEL, 0, Empty),
    row(attribute::COPYABLE, 0, TRUE),
    row(attribute::DESTROYABLE, 0, TRUE),
    row(attribute::UNIQUE_ID, N2 | N4 | N6, Computed),
];

/// "Data object attributes".
static DATA: &[Row] = &[
    row(attribute::APPLICATION, 0, Empty),
    row(attribute::OBJECT_ID, 0, Empty),
    row(attribute::VALUE, 0, Empty),
];

/// "Common certificate object attributes".
static CERTIFICATE: &[Row] = &[
    row(attribute::CERTIFICATE_TYPE, N1, Empty),
    row(attribute::TRUSTED, 0, FALSE),
    row(attribute::CERTIFICATE_CATEGORY, 0, Number(0)),
    row(attribute::CHECK_VALUE, 0, Computed),
    row(attribute::START_DATE, 0, Empty),
    row(attribute::END_DATE, 0, Empty),
    row(attribute::PUBLIC_KEY_INFO, 0, Empty),
];

/// "X.509 certificate object attributes". `CKA_VALUE` may be missing if `CKA_URL` is there.
static X_509: &[Row] = &[
    row(attribute::SUBJECT, N1, Empty),
    row(attribute::ID, 0, Empty),
    row(attribute::ISSUER, 0, Empty),
    row(attribute::SERIAL_NUMBER, 0, Empty),
    row(attribute::VALUE, 0, Empty),
    row(attribute::URL, 0, Empty),
    row(attribute::HASH_OF_SUBJECT_PUBLIC_KEY, 0, Empty),
    row(attribute::HASH_OF_ISSUER_PUBLIC_KEY, 0, Empty),
    row(attribute::JAVA_MIDP_SECURITY_DOMAIN, 0, Number(0)),
    row(attribute::NAME_HASH_ALGORITHM, 0, Number(cryptoki::CKM_SHA_1)),
];

/// "Profile object attributes".
static PROFILE: &[Row] = &[row(attribute::PROFILE_ID, N1, Empty)];

/// "Trust object attributes"; `trust` has the rule for the second footnote there.
static TRUST: &[Row] = &[
    row(attribute::ISSUER, N1, Empty),
    row(attribute::SERIAL_NUMBER, N1, Empty),
    row(attribute::HASH_OF_CERTIFICATE, 0, Empty),
    row(attribute::NAME_HASH_ALGORITHM, 0, Number(cryptoki::CKM_SHA_1)),
    row(attribute::TRUST_SERVER_AUTH, 0, UNKNOWN),
    row(attribute::TRUST_CLIENT_AUTH, 0, UNKNOWN),
    row(attribute::TRUST_CODE_SIGNING, 0, UNKNOWN),
    row(attribute::TRUST_EMAIL_PROTECTION, 0, UNKNOWN),
    row(attribute::TRUST_IPSEC_IKE, 0, UNKNOWN),
    row(attribute::TRUST_TIME_STAMPING, 0, UNKNOWN),
    row(attribute::TRUST_OCSP_SIGNING, 0, UNKNOWN),
];

/// "Common key attributes", and two of ours. The mechanism gives what nobody gave of the first on
/// generation.
static KEY: &[Row] = &[
    row(attribute::KEY_TYPE, N1 | N5, Empty),
    row(attribute::ID, 0, Empty),
    row(attribute::START_DATE, 0, Empty),
    row(attribute::END_DATE, 0, Empty),
    row(attribute::DERIVE, 0, FALSE),
    row(attribute::LOCAL, N2 | N4 | N6, Computed),
    row(attribute::KEY_GEN_MECHANISM, N2 | N4 | N6, Computed),
    row(attribute::ALLOWED_MECHANISMS, 0, Empty),
    row(attribute::KEY_VERSION, N2 | N4 | N6, Empty),
    row(attribute::OPERATION, N2 | N4 | N6, Empty),
];

/// "Common public key attributes".
static PUBLIC_KEY: &[Row] = &[
    row(attribute::SUBJECT, 0, Empty),
    row(attribute::ENCRYPT, 0, Use),
    row(attribute::VERIFY, 0, Use),
    row(attribute::VERIFY_RECOVER, 0, Use),
    row(attribute::WRAP, 0, Use),
    row(attribute::ENCAPSULATE, 0, Use),
    row(attribute::TRUSTED, 0, FALSE),
    row(attribute::WRAP_TEMPLATE, 0, Empty),
    row(attribute::ENCAPSULATE_TEMPLATE, 0, Empty),
    row(attribute::PUBLIC_KEY_INFO, 0, Computed),
    row(attribute::PUBLIC_CRC64_VALUE, N4, Computed),
    row(attribute::CLAVIGER_BUNDLE, N2 | N4 | N6, Empty),
];

/// "Common private key attributes", and one of ours.
static PRIVATE_KEY: &[Row] = &[
    row(attribute::SUBJECT, 0, Empty),
    row(attribute::SENSITIVE, 0, Secrecy),
    row(attribute::DECRYPT, 0, Use),
    row(attribute::SIGN, 0, Use),
    row(attribute::SIGN_RECOVER, 0, Use),
    row(attribute::UNWRAP, 0, Use),
    row(attribute::DECAPSULATE, 0, Use),
    row(attribute::EXTRACTABLE, 0, Secrecy),
    row(attribute::ALWAYS_SENSITIVE, N2 | N4 | N6, Computed),
    row(attribute::NEVER_EXTRACTABLE, N2 | N4 | N6, Computed),
    row(attribute::WRAP_WITH_TRUSTED, 0, FALSE),
    row(attribute::UNWRAP_TEMPLATE, 0, Empty),
    row(attribute::ALWAYS_AUTHENTICATE, 0, FALSE),
    row(attribute::PUBLIC_KEY_INFO, 0, Computed),
    row(attribute::PUBLIC_CRC64_VALUE, N4, Computed),
    row(attribute::DERIVE_TEMPLATE, 0, Empty),
    row(attribute::DECAPSULATE_TEMPLATE, 0, Empty),
    row(attribute::USES_LEFT, 0, Empty),
    row(attribute::CLAVIGER_BUNDLE, N2 | N4 | N6, Empty),
];

/// "Common secret key attributes", and one of ours.
static SECRET_KEY: &[Row] = &[
    row(attribute::SENSITIVE, 0, Secrecy),
    row(attribute::ENCRYPT, 0, Use),
    row(attribute::DECRYPT, 0, Use),
    row(attribute::SIGN, 0, Use),
    row(attribute::VERIFY, 0, Use),
    row(attribute::WRAP, 0, Use),
    row(attribute::UNWRAP, 0, Use),
    row(attribute::EXTRACTABLE, 0, Secrecy),
    row(attribute::ALWAYS_SENSITIVE, N2 | N4 | N6, Computed),
    row(attribute::NEVER_EXTRACTABLE, N2 | N4 | N6, Computed),
    row(attribute::CHECK_VALUE, 0, Computed),
    row(attribute::WRAP_WITH_TRUSTED, 0, FALSE),
    row(attribute::TRUSTED, 0, FALSE),
    row(attribute::WRAP_TEMPLATE, 0, Empty),
    row(attribute::UNWRAP_TEMPLATE, 0, Empty),
    row(attribute::DERIVE_TEMPLATE, 0, Empty),
    row(attribute::USES_LEFT, 0, Empty),
];

/// "RSA public key object attributes".
static RSA_PUBLIC: &[Row] = &[
    row(attribute::MODULUS, N1 | N4, Empty),
    row(attribute::MODULUS_BITS, N2 | N3, Computed),
    row(attribute::PUBLIC_EXPONENT, N1, Empty),
];

/// "RSA private key object attributes". `CKA_PUBLIC_EXPONENT` is demanded there, but modulus
/// and private exponent are enough to compute with, and callers rely on that.
static RSA_PRIVATE: &[Row] = &[
    row(attribute::MODULUS, N1 | N4 | N6, Empty),
    row(attribute::PUBLIC_EXPONENT, N4 | N6, Empty),
    row(attribute::PRIVATE_EXPONENT, N1 | N4 | N6 | N7, Empty),
    row(attribute::PRIME_1, N4 | N6 | N7, Empty),
    row(attribute::PRIME_2, N4 | N6 | N7, Empty),
    row(attribute::EXPONENT_1, N4 | N6 | N7, Empty),
    row(attribute::EXPONENT_2, N4 | N6 | N7, Empty),
    row(attribute::COEFFICIENT, N4 | N6 | N7, Empty),
];

/// "Elliptic curve public key object attributes", and the same for the other curves.
static EC_PUBLIC: &[Row] =
    &[row(attribute::EC_PARAMS, N1 | N3, Empty), row(attribute::EC_POINT, N1 | N4, Empty)];

/// "Elliptic curve private key object attributes", and the same for the other curves.
static EC_PRIVATE: &[Row] = &[
    row(attribute::EC_PARAMS, N1 | N4 | N6, Empty),
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
];

/// Ours: keys whose bytes a later draft could write otherwise say which ones they have.
const FORMATTED: Row = row(attribute::FORMAT, N2 | N4 | N6, Number(format::CURRENT));

/// "ML-DSA public key object attributes", and the same for ML-KEM, SLH-DSA and composites.
static BARE_PUBLIC: &[Row] = &[
    row(attribute::PARAMETER_SET, N1 | N3, Empty),
    row(attribute::VALUE, N1 | N4, Empty),
    FORMATTED,
];

/// "ML-DSA private key object attributes", and the same for ML-KEM. Either of seed and value is
/// enough. The set may be named for the private half of a new pair too, because callers do that.
static SEEDED_PRIVATE: &[Row] = &[
    row(attribute::PARAMETER_SET, N1 | N6, Empty),
    row(attribute::SEED, N4 | N6 | N7, Missing),
    row(attribute::VALUE, N4 | N6 | N7, Empty),
    FORMATTED,
];

/// "SLH-DSA private key object attributes", and the same for composites. As for ML-DSA, the set may
/// be named for a new pair.
static BARE_PRIVATE: &[Row] = &[
    row(attribute::PARAMETER_SET, N1 | N6, Empty),
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
    FORMATTED,
];

/// "Diffie-Hellman public key object attributes".
static DH_PUBLIC: &[Row] = &[
    row(attribute::PRIME, N1 | N3, Empty),
    row(attribute::BASE, N1 | N3, Empty),
    row(attribute::VALUE, N1 | N4, Empty),
];

/// "Diffie-Hellman private key object attributes".
static DH_PRIVATE: &[Row] = &[
    row(attribute::PRIME, N1 | N4 | N6, Empty),
    row(attribute::BASE, N1 | N4 | N6, Empty),
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
    row(attribute::VALUE_BITS, N2 | N6, Computed),
];

/// "DSA public key object attributes".
static DSA_PUBLIC: &[Row] = &[
    row(attribute::PRIME, N1 | N3, Empty),
    row(attribute::SUBPRIME, N1 | N3, Empty),
    row(attribute::BASE, N1 | N3, Empty),
    row(attribute::VALUE, N1 | N4, Empty),
];

/// "DSA private key object attributes".
static DSA_PRIVATE: &[Row] = &[
    row(attribute::PRIME, N1 | N4 | N6, Empty),
    row(attribute::SUBPRIME, N1 | N4 | N6, Empty),
    row(attribute::BASE, N1 | N4 | N6, Empty),
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
];

/// "Domain parameter objects".
static PARAMETERS: &[Row] =
    &[row(attribute::KEY_TYPE, N1, Empty), row(attribute::LOCAL, N2 | N4 | N6, Computed)];

/// "DSA domain parameter object attributes".
static DSA_PARAMETERS: &[Row] = &[
    row(attribute::PRIME, N1 | N4, Empty),
    row(attribute::SUBPRIME, N1 | N4, Empty),
    row(attribute::BASE, N1 | N4, Empty),
    row(attribute::PRIME_BITS, N2 | N3, Computed),
    row(attribute::SUBPRIME_BITS, N2, Computed),
];

/// "Diffie-Hellman domain parameter object attributes".
static DH_PARAMETERS: &[Row] = &[
    row(attribute::PRIME, N1 | N4, Empty),
    row(attribute::BASE, N1 | N4, Empty),
    row(attribute::PRIME_BITS, N2 | N3, Computed),
];

/// "Generic secret key object attributes", "AES secret key object attributes" and their like.
static SECRET_VALUE: &[Row] = &[
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
    row(attribute::VALUE_LEN, N2 | N3, Computed),
];

/// "ChaCha20 secret key object attributes" and the like, whose values have one length. It may be
/// asked for all the same.
static SECRET_OF_ONE_LENGTH: &[Row] =
    &[row(attribute::VALUE, N1 | N4 | N6 | N7, Empty), row(attribute::VALUE_LEN, N2, Computed)];

/// The tables that make up an object, from the common to the particular.
pub(super) fn tables(class: Class, key_type: Option<KeyType>) -> [&'static [Row]; 4] {
    let particular = match (class, key_type) {
        (Class::PublicKey, Some(KeyType::Rsa)) => RSA_PUBLIC,
        (Class::DomainParameters, Some(KeyType::Dsa)) => DSA_PARAMETERS,
        (Class::DomainParameters, _) => DH_PARAMETERS,
        (Class::PublicKey, Some(KeyType::Dsa)) => DSA_PUBLIC,
        (Class::PrivateKey, Some(KeyType::Dsa)) => DSA_PRIVATE,
        (Class::PublicKey, Some(KeyType::Dh)) => DH_PUBLIC,
        (Class::PrivateKey, Some(KeyType::Dh)) => DH_PRIVATE,
        (Class::PublicKey, Some(KeyType::MlDsa | KeyType::MlKem | KeyType::SlhDsa)) => BARE_PUBLIC,
        (Class::PublicKey, Some(key_type)) if key_type.is_composite() => BARE_PUBLIC,
        (Class::PublicKey, _) => EC_PUBLIC,
        (Class::PrivateKey, Some(KeyType::Rsa)) => RSA_PRIVATE,
        (Class::PrivateKey, Some(KeyType::MlDsa | KeyType::MlKem)) => SEEDED_PRIVATE,
        (Class::PrivateKey, Some(KeyType::SlhDsa)) => BARE_PRIVATE,
        (Class::PrivateKey, Some(key_type)) if key_type.is_composite() => BARE_PRIVATE,
        (Class::PrivateKey, _) => EC_PRIVATE,
        (Class::SecretKey, Some(own)) if own.fixed_len().is_some() => SECRET_OF_ONE_LENGTH,
        (Class::SecretKey, _) => SECRET_VALUE,
        (Class::OtpKey, _) => one_time::HOTP,
        (Class::Data | Class::Certificate | Class::Profile | Class::Trust, _) => &[],
    };
    match class {
        Class::Data => [STORAGE, DATA, particular, &[]],
        Class::Certificate => [STORAGE, CERTIFICATE, X_509, particular],
        Class::Profile => [STORAGE, PROFILE, particular, &[]],
        Class::Trust => [STORAGE, TRUST, particular, &[]],
        Class::DomainParameters => [STORAGE, PARAMETERS, particular, &[]],
        Class::PublicKey => [STORAGE, KEY, PUBLIC_KEY, particular],
        Class::PrivateKey => [STORAGE, KEY, PRIVATE_KEY, particular],
        Class::SecretKey | Class::OtpKey => [STORAGE, KEY, SECRET_KEY, particular],
    }
}

static RSA_USES: &[Attr<bool>] = &[
    attribute::ENCRYPT,
    attribute::DECRYPT,
    attribute::SIGN,
    attribute::SIGN_RECOVER,
    attribute::VERIFY,
    attribute::VERIFY_RECOVER,
    attribute::WRAP,
    attribute::UNWRAP,
];

static AES_USES: &[Attr<bool>] = &[
    attribute::ENCRYPT,
    attribute::DECRYPT,
    attribute::SIGN,
    attribute::VERIFY,
    attribute::WRAP,
    attribute::UNWRAP,
];

static CIPHER_USES: &[Attr<bool>] = &[attribute::ENCRYPT, attribute::DECRYPT];

static SIGNING_USES: &[Attr<bool>] = &[attribute::SIGN, attribute::VERIFY];

static KEM_USES: &[Attr<bool>] = &[attribute::ENCAPSULATE, attribute::DECAPSULATE];

/// Whether a type of key may be used so unless its maker says otherwise.
pub(super) fn is_usual(use_flag: u64, key_type: Option<KeyType>) -> bool {
    let uses = match key_type {
        Some(KeyType::Rsa) => RSA_USES,
        Some(KeyType::Aes) => AES_USES,
        Some(KeyType::ChaCha20 | KeyType::AesXts | KeyType::Des | KeyType::Des2) => CIPHER_USES,
        Some(KeyType::Des3) => AES_USES,
        Some(KeyType::Hkdf | KeyType::EcMontgomery | KeyType::Dh) => &[],
        Some(KeyType::MlKem | KeyType::CompKem) => KEM_USES,
        Some(_) => SIGNING_USES,
        None => &[],
    };
    uses.iter().any(|usual| usual.id == use_flag)
}
