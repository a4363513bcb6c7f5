//! Where private keys live: the trait that a custodian keeps, and the checked values it is given.
//!
//! A custodian parses no attribute and no mechanism parameter; it computes. Which key may be
//! used for what is decided above, and the encodings of PKCS#11 never come down here.

pub(crate) mod software;

use std::sync::Arc;

use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::rsa::{OaepParams, PssParams, RsaComponents};
use crate::engine::ed25519::{KEY_LEN, SIGNATURE_LEN, Variant};
use crate::error::Result;
use crate::secret::Secret;

/// What kind of key pair to make.
#[derive(Clone, Debug)]
pub(crate) enum KeySpec {
    /// An RSA pair; the exponent is big endian without leading zeros.
    Rsa { bits: usize, exponent: Vec<u8> },
    /// A pair on a NIST curve, for signatures and key agreement.
    Ec(Curve),
    /// An Ed25519 pair.
    Ed25519,
}

/// A key pair as bytes: what the store seals, and what `open` makes a key from.
#[derive(Debug)]
pub(crate) enum KeyMaterial {
    /// All numbers of an RSA pair, or as many as an import gave.
    Rsa(RsaComponents),
    /// The scalar as long as the field, and the uncompressed point.
    Ec { curve: Curve, scalar: Secret, point: Vec<u8> },
    /// The seed and public key of RFC 8032.
    Ed25519 { seed: Secret, public: [u8; KEY_LEN] },
}

/// What a private key is, as far as lengths and choices depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyKind {
    /// RSA with a modulus of this many bytes.
    Rsa { modulus_len: usize },
    /// ECDSA and ECDH on this curve.
    Ec(Curve),
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// The length of every signature of such a key.
    pub(crate) fn signature_len(self) -> usize {
        match self {
            Self::Rsa { modulus_len } => modulus_len,
            Self::Ec(curve) => curve.signature_len(),
            Self::Ed25519 => SIGNATURE_LEN,
        }
    }
}

/// A private operation that signs.
pub(crate) enum SignPrimitive<'a> {
    /// PKCS#1 v1.5 padding, block type 1, around these bytes (a `DigestInfo`, as a rule).
    Pkcs1(&'a [u8]),
    /// PSS over a digest made with `params.hash`.
    Pss { params: PssParams, digest: &'a [u8] },
    /// ECDSA over a digest of any length; `r` and `s` come out at field length each.
    Ecdsa(&'a [u8]),
    /// Ed25519 over a whole message.
    Ed25519 { variant: Variant<'a>, message: &'a [u8] },
    /// Ed25519ph over the SHA-512 digest of a message.
    Ed25519Prehashed { context: &'a [u8], digest: &'a [u8; 64] },
}

/// A private operation that decrypts. The ciphertext is as long as the modulus.
pub(crate) enum DecryptPrimitive<'a> {
    /// PKCS#1 v1.5, block type 2.
    Pkcs1(&'a [u8]),
    /// OAEP.
    Oaep { params: OaepParams<'a>, ciphertext: &'a [u8] },
}

/// A private operation that agrees on a secret.
pub(crate) enum DerivePrimitive<'a> {
    /// Diffie-Hellman on the key's curve with the peer's point; gives the x coordinate.
    Ecdh { point: &'a [u8] },
}

/// A private key, ready for use. What it holds is parsed once.
pub(crate) trait PrivateKey: Send + Sync {
    /// What kind of key it is.
    fn kind(&self) -> KeyKind;

    /// Signs into `out`, which has at least `kind().signature_len()` bytes.
    ///
    /// # Errors
    /// `CKR_DATA_LEN_RANGE` for input that does not fit the key, `CKR_KEY_TYPE_INCONSISTENT` for
    /// a primitive of another kind of key.
    fn sign(&self, primitive: SignPrimitive<'_>, out: &mut [u8]) -> Result<usize>;

    /// Decrypts into `out`, which has at least as many bytes as the modulus.
    ///
    /// # Errors
    /// `CKR_ENCRYPTED_DATA_INVALID` for every kind of bad padding.
    fn decrypt(&self, primitive: DecryptPrimitive<'_>, out: &mut [u8]) -> Result<usize>;

    /// Agrees on a secret.
    ///
    /// # Errors
    /// `CKR_PUBLIC_KEY_INVALID` for a point that is not on the curve.
    fn derive(&self, primitive: DerivePrimitive<'_>) -> Result<Secret>;
}

/// Who keeps private keys: software, a TPM, another module.
pub(crate) trait Custodian: Send + Sync {
    /// Makes a key pair and has it prove itself (sign, verify) before anyone sees it.
    ///
    /// # Errors
    /// `CKR_KEY_SIZE_RANGE` or `CKR_ATTRIBUTE_VALUE_INVALID` for what it cannot make,
    /// `CKR_FUNCTION_FAILED` for a pair whose halves do not fit.
    fn generate(&self, spec: &KeySpec) -> Result<KeyMaterial>;

    /// Makes a key ready for use.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` for material that is no key.
    fn open(&self, material: &KeyMaterial) -> Result<Arc<dyn PrivateKey>>;

    /// Forgets what the custodian itself keeps of a key.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` if it could not.
    #[allow(dead_code, reason = "software keeps nothing; a TPM or a module will")]
    fn destroy(&self, material: &KeyMaterial) -> Result<()>;
}

/// The promises of `Custodian`, run against every implementor.
#[cfg(test)]
pub(crate) fn contract(custodian: &dyn Custodian) {
    use crate::error::Rv;

    let specs = [
        KeySpec::Rsa { bits: 2048, exponent: vec![1, 0, 1] },
        KeySpec::Ec(Curve::P256),
        KeySpec::Ec(Curve::P384),
        KeySpec::Ec(Curve::P521),
        KeySpec::Ed25519,
    ];
    for spec in &specs {
        let material = custodian.generate(spec).expect("a key pair");
        let key = custodian.open(&material).expect("its own key");
        let primitive = match key.kind() {
            KeyKind::Rsa { .. } => SignPrimitive::Pkcs1(b"contract"),
            KeyKind::Ec(_) => SignPrimitive::Ecdsa(b"contract"),
            KeyKind::Ed25519 => {
                SignPrimitive::Ed25519 { variant: Variant::Pure, message: b"contract" }
            }
        };
        let mut out = vec![0; key.kind().signature_len()];
        let written = key.sign(primitive, &mut out).expect("a signature");
        assert_eq!(written, key.kind().signature_len(), "{spec:?}");
        let foreign = match key.kind() {
            KeyKind::Ec(_) => SignPrimitive::Pkcs1(b"contract"),
            _ => SignPrimitive::Ecdsa(b"contract"),
        };
        let refused = key.sign(foreign, &mut out).expect_err("a primitive of another kind");
        assert_eq!(refused.rv, Rv::KeyTypeInconsistent, "{spec:?}");
        custodian.destroy(&material).expect("forgotten");
    }
    let tiny = KeySpec::Rsa { bits: 512, exponent: vec![1, 0, 1] };
    assert!(custodian.generate(&tiny).is_err(), "a modulus that is no protection");
}
