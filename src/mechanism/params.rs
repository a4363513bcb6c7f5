//! The parameters of a mechanism as typed values, and the shape that each mechanism takes.
//!
//! The door reads the C structures by shape; whether the values make sense for a mechanism and
//! a key is decided by the mechanism's family. PKCS#11 3.2, "Mechanisms".

use super::cipher_params::{CipherParams, CipherShape};
use super::kdf_params::{KdfParams, KdfShape};
use super::message::Message;
use crate::error::{Error, Rv};

/// What a caller gave beside the number of a mechanism.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum MechanismParams {
    /// No parameter.
    None,
    /// An initialisation vector of any length; the family checks it.
    Iv(Vec<u8>),
    /// `CK_AES_CTR_PARAMS`.
    Ctr { bits: u64, block: [u8; 16] },
    /// `CK_GCM_PARAMS`.
    Gcm { iv: Vec<u8>, aad: Vec<u8>, tag_bits: u64 },
    /// `CK_GCM_WRAP_PARAMS` and its like.
    Wrapping { message: Message, aad: Vec<u8> },
    /// `CK_GCM_MESSAGE_PARAMS` and its like; the tag is what stands there to be checked.
    Message { message: Message, tag: Vec<u8> },
    /// `CK_RSA_PKCS_PSS_PARAMS`, with the standard's numbers for hash and mask function.
    Pss { hash: u64, mgf: u64, salt_len: u64 },
    /// `CK_RSA_PKCS_OAEP_PARAMS`.
    Oaep { hash: u64, mgf: u64, source: u64, label: Vec<u8> },
    /// `CK_RSA_AES_KEY_WRAP_PARAMS`; the second is an `Oaep`.
    RsaAes { aes_bits: u64, oaep: Box<MechanismParams> },
    /// The peer's public value.
    PublicValue(Vec<u8>),
    /// `CK_ECDH1_DERIVE_PARAMS`.
    Ecdh1 { kdf: u64, shared: Vec<u8>, public: Vec<u8> },
    /// `CK_ECDH_AES_KEY_WRAP_PARAMS`; the second is an `Ecdh1` without a point.
    EcdhAes { aes_bits: u64, ecdh: Box<MechanismParams> },
    /// `CK_EDDSA_PARAMS`.
    Eddsa { prehash: bool, context: Vec<u8> },
    /// `CK_MAC_GENERAL_PARAMS`: the length of the MAC in bytes.
    MacLength(u64),
    /// `CK_VERSION`: of the protocol, as the client offers it.
    Version([u8; 2]),
    /// `CK_OTP_PARAMS`, or none.
    Otp(OtpParams),
    /// `CK_TLS_MAC_PARAMS`.
    TlsMac { hash: u64, len: u64, side: u64 },
    /// What a derivation takes.
    Kdf(KdfParams),
    /// What both sides of an envelope know: HPKE's `info`.
    Info(Vec<u8>),
    /// `CK_SIGN_ADDITIONAL_CONTEXT`.
    SignContext { hedge: Hedge, context: Vec<u8> },
    /// `CK_HASH_SIGN_ADDITIONAL_CONTEXT`, with the standard's number for the hash.
    HashSignContext { hedge: Hedge, context: Vec<u8>, hash: u64 },
    /// What a cipher takes that is not among the common ones.
    Cipher(CipherParams),
}

/// What a caller wants of a one-time password.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct OtpParams {
    /// The counter, if the caller has it.
    pub(crate) counter: Option<u64>,
    /// How many digits, if not as many as the key says.
    pub(crate) digits: Option<u64>,
    /// The standard's number of a format.
    pub(crate) format: Option<u64>,
    /// The standard's flags.
    pub(crate) flags: u64,
}

/// Whether a signature takes fresh randomness in, where its algorithm leaves that open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hedge {
    /// If it can.
    Preferred,
    /// It must.
    Required,
    /// It must not: the same message gives the same signature.
    Forbidden,
}

/// Which structure the door reads for a mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Nothing; anything else is refused.
    None,
    /// Nothing or a `CK_EDDSA_PARAMS`.
    OptionalEddsa,
    /// Nothing or 16 bytes, which are ignored.
    OptionalIv16,
    /// Nothing or bytes.
    OptionalIv,
    /// 16 bytes.
    Iv16,
    /// A `CK_AES_CTR_PARAMS`.
    Ctr,
    /// A `CK_GCM_PARAMS` or a `CK_GCM_WRAP_PARAMS`.
    Gcm,
    /// The structure that comes with each message of the mechanism.
    Message,
    /// A `CK_RSA_PKCS_PSS_PARAMS`.
    Pss,
    /// A `CK_RSA_PKCS_OAEP_PARAMS`.
    Oaep,
    /// A `CK_RSA_AES_KEY_WRAP_PARAMS`.
    RsaAes,
    /// A `CK_ECDH1_DERIVE_PARAMS`.
    Ecdh1,
    /// A `CK_ECDH_AES_KEY_WRAP_PARAMS`.
    EcdhAes,
    /// A public value, big endian.
    PublicValue,
    /// A `CK_MAC_GENERAL_PARAMS`.
    MacLength,
    /// A `CK_VERSION`.
    Version,
    /// Nothing or a `CK_OTP_PARAMS`.
    OptionalOtp,
    /// A `CK_TLS_MAC_PARAMS`.
    TlsMac,
    /// What a derivation takes.
    Kdf(KdfShape),
    /// Nothing or bytes: HPKE's `info`.
    OptionalInfo,
    /// Nothing or a `CK_SIGN_ADDITIONAL_CONTEXT`.
    OptionalSignContext,
    /// A `CK_HASH_SIGN_ADDITIONAL_CONTEXT`.
    HashSignContext,
    /// What a cipher takes that is not among the common ones.
    Cipher(CipherShape),
}

impl MechanismParams {
    /// Whether wrapping with it gives something back through it.
    pub(crate) fn takes_back(&self) -> bool {
        matches!(self, Self::Wrapping { .. })
    }

    /// The handles of the keys that it names.
    pub(crate) fn handles(&self) -> Vec<u64> {
        match self {
            Self::Kdf(kdf) => kdf.handles(),
            _ => Vec::new(),
        }
    }

    /// For mechanisms without a parameter.
    pub(crate) fn none(&self) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            _ => Err(invalid("this mechanism takes no parameter")),
        }
    }
}

/// The refusal of a parameter.
pub(super) fn invalid(why: &'static str) -> Error {
    Rv::MechanismParamInvalid.because(why)
}
