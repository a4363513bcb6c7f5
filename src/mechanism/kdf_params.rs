//! The parameters of derivations, and the shapes that they take. PKCS#11 3.2, "Miscellaneous simple
//! key derivation mechanisms", "Key derivation by data encryption", "HKDF", "PKCS #5", "TLS 1.2
//! Mechanisms", "IKE Mechanisms".

use std::sync::Arc;

use super::params::{MechanismParams, invalid};
use crate::error::Error;
use crate::secret::Secret;

/// What a caller gave to a derivation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum KdfParams {
    /// `CK_KEY_DERIVATION_STRING_DATA`.
    Data(Vec<u8>),
    /// The handle of a second key.
    OtherKey(u64),
    /// `CK_EXTRACT_PARAMS`: where in the base key the new one begins, in bits.
    FirstBit(u64),
    /// `CK_AES_CBC_ENCRYPT_DATA_PARAMS` and its like.
    CbcData { iv: Vec<u8>, data: Vec<u8> },
    /// `CK_HKDF_PARAMS`.
    Hkdf { extract: bool, expand: bool, hash: u64, salt: Salt, info: Vec<u8> },
    /// `CK_SP800_108_KDF_PARAMS` and `CK_SP800_108_FEEDBACK_KDF_PARAMS`, without further keys.
    Counted { prf: u64, parts: Vec<CountedPart>, iv: Vec<u8> },
    /// `CK_PKCS5_PBKD2_PARAMS2`.
    Pbkdf2 { source: u64, salt: Vec<u8>, iterations: u64, prf: u64, password: Password },
    /// `CK_TLS12_MASTER_KEY_DERIVE_PARAMS`; whether the version is asked for.
    TlsMaster { randoms: Randoms, hash: u64, version: bool },
    /// `CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS`.
    TlsExtendedMaster { session_hash: Vec<u8>, hash: u64, version: bool },
    /// `CK_TLS12_KEY_MAT_PARAMS`.
    TlsKeys {
        mac_bits: u64,
        key_bits: u64,
        iv_bits: u64,
        export: bool,
        randoms: Randoms,
        hash: u64,
    },
    /// `CK_TLS_KDF_PARAMS`.
    TlsExport { label: Vec<u8>, randoms: Randoms, context: Option<Vec<u8>>, hash: u64 },
    /// `CK_IKE_PRF_DERIVE_PARAMS`: both nonces; the handle of a new key, if it is a rekeying.
    IkePrf { prf: u64, data_as_key: bool, nonces: Vec<u8>, new_key: Option<u64> },
    /// `CK_IKE1_PRF_DERIVE_PARAMS`: the handle of the agreed secret and, if there is one, that of
    /// the key before this one; both cookies.
    Ike1Prf { prf: u64, agreed: u64, previous: Option<u64>, cookies: Vec<u8>, number: u8 },
    /// `CK_IKE1_EXTENDED_DERIVE_PARAMS`, maybe with the handle of the agreed secret.
    Ike1Extended { prf: u64, agreed: Option<u64>, extra: Vec<u8> },
    /// `CK_IKE2_PRF_PLUS_DERIVE_PARAMS`, maybe with the handle of a key that the seed begins with.
    IkePrfPlus { prf: u64, seed_key: Option<u64>, seed: Vec<u8> },
}

/// `CK_SSL3_RANDOM_DATA`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: Vec<u8>,
    pub(crate) server: Vec<u8>,
}

/// A part of what the functions of SP 800-108 hash each time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CountedPart {
    /// The iteration variable: in counter mode a number of this form, else what came before.
    Iteration(Option<NumberForm>),
    /// The counter, where that is not the iteration variable.
    Counter(NumberForm),
    /// How many bits are made in all: of keys, or of whole segments.
    Length {
        segments: bool,
        form: NumberForm,
    },
    Bytes(Vec<u8>),
    /// The value of the key with this handle.
    Key(u64),
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NumberForm {
    pub(crate) little_endian: bool,
    pub(crate) bits: u64,
}

/// The salt of HKDF.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Salt {
    /// None; or of a kind that there is not, which the family refuses.
    Null,
    Data(Vec<u8>),
    Key(u64),
    Unknown,
}

/// A password among parameters.
#[derive(Clone, Debug)]
pub(crate) struct Password(pub(crate) Arc<Secret>);

impl PartialEq for Password {
    /// Passwords are not compared; the same one is the same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Password {}

/// Which structure the door reads for a derivation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KdfShape {
    /// A `CK_KEY_DERIVATION_STRING_DATA`.
    Data,
    /// A `CK_OBJECT_HANDLE`.
    OtherKey,
    /// A `CK_EXTRACT_PARAMS`.
    FirstBit,
    /// A `CK_AES_CBC_ENCRYPT_DATA_PARAMS`.
    AesCbcData,
    /// A `CK_DES_CBC_ENCRYPT_DATA_PARAMS`.
    #[cfg(feature = "legacy")]
    DesCbcData,
    /// A `CK_HKDF_PARAMS`.
    Hkdf,
    /// A `CK_SP800_108_KDF_PARAMS`.
    Counted,
    /// A `CK_SP800_108_FEEDBACK_KDF_PARAMS`.
    Feedback,
    /// A `CK_PKCS5_PBKD2_PARAMS2`, or the older `CK_PKCS5_PBKD2_PARAMS`.
    Pbkdf2,
    /// A `CK_TLS12_MASTER_KEY_DERIVE_PARAMS`.
    TlsMaster,
    /// A `CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS`.
    TlsExtendedMaster,
    /// A `CK_TLS12_KEY_MAT_PARAMS`.
    TlsKeys,
    /// A `CK_TLS_KDF_PARAMS`.
    TlsExport,
    /// A `CK_IKE_PRF_DERIVE_PARAMS`.
    IkePrf,
    /// A `CK_IKE1_PRF_DERIVE_PARAMS`.
    Ike1Prf,
    /// A `CK_IKE1_EXTENDED_DERIVE_PARAMS`.
    Ike1Extended,
    /// A `CK_IKE2_PRF_PLUS_DERIVE_PARAMS`.
    IkePrfPlus,
}

impl KdfParams {
    /// The handles of the keys that it names.
    pub(super) fn handles(&self) -> Vec<u64> {
        match self {
            Self::OtherKey(handle) | Self::Hkdf { salt: Salt::Key(handle), .. } => vec![*handle],
            Self::Counted { parts, .. } => {
                let keys = parts.iter().filter_map(|part| match part {
                    CountedPart::Key(handle) => Some(*handle),
                    _ => None,
                });
                keys.collect()
            }
            // Both flags are refused later, and whichever key is named with them.
            Self::IkePrf { data_as_key: false, new_key: Some(handle), .. }
            | Self::Ike1Extended { agreed: Some(handle), .. }
            | Self::IkePrfPlus { seed_key: Some(handle), .. } => vec![*handle],
            Self::Ike1Prf { agreed, previous, .. } => {
                std::iter::once(*agreed).chain(*previous).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl MechanismParams {
    /// For derivations.
    pub(super) fn kdf(&self) -> Result<&KdfParams, Error> {
        match self {
            Self::Kdf(kdf) => Ok(kdf),
            _ => Err(invalid("the derivation needs its parameters")),
        }
    }
}
