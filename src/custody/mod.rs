//! Where private keys live: the trait that a custodian keeps, and the checked values it is given.
//!
//! A custodian parses no attribute and no mechanism parameter; it computes. Which key may be
//! used for what is decided above, and the encodings of PKCS#11 never come down here.

pub(crate) mod software;

use std::sync::Arc;

use crate::engine::aws_lc::dh::DhGroup;
use crate::engine::aws_lc::dsa::DsaGroup;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::{MU_LEN, MlDsa, PublicHash};
use crate::engine::aws_lc::rsa::{OaepParams, PssParams, RsaComponents};
use crate::engine::ed25519::Variant;
use crate::engine::edwards::{Edwards, PREHASH_LEN};
use crate::engine::ml_kem::MlKem;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsa;
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// What kind of key pair to make.
#[derive(Clone, Debug)]
pub(crate) enum KeySpec {
    /// An RSA pair; the exponent is big endian without leading zeros.
    Rsa { bits: usize, exponent: Vec<u8> },
    /// A pair on a curve in Weierstrass form, for signatures and key agreement.
    Ec(Curve),
    /// The same, from 64 random bits more than the order has.
    EcWithExtraBits(Curve),
    /// A pair for EdDSA.
    Edwards(Edwards),
    /// A pair for X25519 or X448.
    Montgomery(Montgomery),
    /// A pair for Diffie-Hellman, with an exponent of so many bits at most.
    Dh { group: DhGroup, bits: Option<u32> },
    /// A pair for DSA.
    #[cfg_attr(not(feature = "legacy"), allow(dead_code, reason = "DSA is outlived"))]
    Dsa(DsaGroup),
    /// An ML-DSA pair.
    MlDsa(MlDsa),
    /// An ML-KEM pair.
    MlKem(MlKem),
    /// An SLH-DSA pair.
    SlhDsa(SlhDsa),
}

/// A private key that a short seed gives rise to.
#[derive(Debug)]
pub(crate) enum Lattice {
    /// The seed: 32 bytes for ML-DSA, 64 for ML-KEM.
    Seed(Secret),
    /// What became of a seed that nobody kept.
    Expanded(Secret),
}

/// A key pair as bytes: what the store seals, and what `open` makes a key from.
#[derive(Debug)]
pub(crate) enum KeyMaterial {
    /// All numbers of an RSA pair, or as many as an import gave.
    Rsa(RsaComponents),
    /// The scalar as long as the field, and the uncompressed point.
    Ec { curve: Curve, scalar: Secret, point: Vec<u8> },
    /// The seed and public key of RFC 8032.
    Edwards { curve: Edwards, seed: Secret, public: Vec<u8> },
    /// The scalar and u coordinate of RFC 7748.
    Montgomery { curve: Montgomery, scalar: Secret, public: Vec<u8> },
    /// The private key and the bytes of the public key.
    MlDsa { set: MlDsa, private: Lattice, public: Vec<u8> },
    /// The decapsulation key and the bytes of the encapsulation key.
    MlKem { set: MlKem, private: Lattice, public: Vec<u8> },
    /// The private key and the bytes of the public key, in which it ends.
    SlhDsa { set: SlhDsa, private: Secret, public: Vec<u8> },
    /// The private and the public value, without zeros in front.
    Dsa { group: DsaGroup, value: Secret, public: Vec<u8> },
    /// The exponent and the public value, without zeros in front.
    Dh { group: DhGroup, exponent: Secret, public: Vec<u8> },
}

/// What a private key is, as far as lengths and choices depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyKind {
    /// RSA with a modulus of this many bytes.
    Rsa { modulus_len: usize },
    /// ECDSA and ECDH on this curve.
    Ec(Curve),
    /// EdDSA on this curve.
    Edwards(Edwards),
    /// X25519 or X448.
    Montgomery(Montgomery),
    /// ML-DSA, and what binds its signatures to the public key.
    MlDsa { set: MlDsa, public: PublicHash },
    /// ML-KEM.
    MlKem(MlKem),
    /// SLH-DSA.
    SlhDsa(SlhDsa),
    /// DSA with a subprime of this many bytes.
    Dsa { half_len: usize },
    /// Diffie-Hellman with a prime of this many bytes.
    Dh { prime_len: usize },
}

impl KeyKind {
    /// The length of every signature of such a key; 0 if it makes none.
    pub(crate) fn signature_len(self) -> usize {
        match self {
            Self::Rsa { modulus_len } => modulus_len,
            Self::Ec(curve) => curve.signature_len(),
            Self::Edwards(curve) => curve.signature_len(),
            Self::Montgomery(_) => 0,
            Self::MlDsa { set, .. } => set.signature_len(),
            Self::MlKem(_) => 0,
            Self::SlhDsa(set) => set.signature_len(),
            Self::Dsa { half_len } => 2 * half_len,
            Self::Dh { .. } => 0,
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
    /// DSA over a digest of any length; `r` and `s` come out at the subprime's length each.
    #[cfg_attr(not(feature = "legacy"), allow(dead_code, reason = "DSA is outlived"))]
    Dsa(&'a [u8]),
    /// EdDSA over a whole message.
    Eddsa { variant: Variant<'a>, message: &'a [u8] },
    /// EdDSA over the digest of a message, which the curve's prehashed scheme names.
    EddsaPrehashed { context: &'a [u8], digest: &'a [u8; PREHASH_LEN] },
    /// ML-DSA over a whole message.
    MlDsa { context: &'a [u8], message: &'a [u8], deterministic: bool },
    /// ML-DSA over the representative of a message, made with the key's own `PublicHash`.
    MlDsaMu { mu: &'a [u8; MU_LEN], deterministic: bool },
    /// SLH-DSA over the parts of a message one after the other, its context among them.
    SlhDsa { parts: &'a [&'a [u8]], deterministic: bool },
}

/// A private operation that decrypts. The ciphertext is as long as the modulus.
pub(crate) enum DecryptPrimitive<'a> {
    /// PKCS#1 v1.5, block type 2. Of a wrong padding comes another message; that it is another
    /// shows nowhere.
    Pkcs1(&'a [u8]),
    /// The same, for a message as long as `out`.
    Pkcs1OrElse(&'a [u8]),
    /// The bare operation on a number below the modulus and as long.
    Raw(&'a [u8]),
    /// OAEP.
    Oaep { params: OaepParams<'a>, ciphertext: &'a [u8] },
}

/// A private operation that agrees on a secret.
pub(crate) enum DerivePrimitive<'a> {
    /// Diffie-Hellman on the key's curve with the peer's point, which gives the x or u coordinate,
    /// or in the key's group with the peer's public value.
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

    /// Decrypts into `out`, which has at least as many bytes as the modulus where the primitive
    /// says nothing else.
    ///
    /// # Errors
    /// `CKR_ENCRYPTED_DATA_INVALID` for every kind of bad padding of OAEP, and of a number in
    /// PKCS#1 v1.5 that is not below the modulus; `CKR_DATA_LEN_RANGE` for such a number without
    /// padding.
    fn decrypt(&self, primitive: DecryptPrimitive<'_>, out: &mut [u8]) -> Result<usize>;

    /// Agrees on a secret.
    ///
    /// # Errors
    /// `CKR_PUBLIC_KEY_INVALID` for a point that is not on the curve or of small order.
    fn derive(&self, primitive: DerivePrimitive<'_>) -> Result<Secret>;

    /// The secret in a ciphertext that was made for the public key; of another ciphertext of the
    /// right length, a secret that nobody has.
    ///
    /// # Errors
    /// `CKR_WRAPPED_KEY_LEN_RANGE` for a ciphertext of another length,
    /// `CKR_KEY_TYPE_INCONSISTENT` if the key is no decapsulation key.
    fn decapsulate(&self, _ciphertext: &[u8]) -> Result<Secret> {
        Err(Rv::KeyTypeInconsistent.because("this kind of private key decapsulates nothing"))
    }
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
    let specs = [
        KeySpec::Rsa { bits: 2048, exponent: vec![1, 0, 1] },
        KeySpec::Ec(Curve::P256),
        KeySpec::Ec(Curve::P384),
        KeySpec::Ec(Curve::P521),
        KeySpec::Ec(Curve::Brainpool512),
        KeySpec::EcWithExtraBits(Curve::P256),
        KeySpec::EcWithExtraBits(Curve::P521),
        KeySpec::Edwards(Edwards::Ed25519),
        KeySpec::Edwards(Edwards::Ed448),
        KeySpec::MlDsa(MlDsa::MlDsa44),
        KeySpec::MlDsa(MlDsa::MlDsa65),
        KeySpec::MlDsa(MlDsa::MlDsa87),
        KeySpec::MlKem(MlKem::MlKem512),
        KeySpec::MlKem(MlKem::MlKem768),
        KeySpec::MlKem(MlKem::MlKem1024),
        KeySpec::SlhDsa(SlhDsa::Sha2_128f),
    ];
    for spec in &specs {
        let material = custodian.generate(spec).expect("a key pair");
        let key = custodian.open(&material).expect("its own key");
        match key.kind() {
            KeyKind::MlKem(set) => keeps_secrets(&*key, set),
            _ => signs(&*key, spec),
        }
        custodian.destroy(&material).expect("forgotten");
    }
    for curve in [Montgomery::X25519, Montgomery::X448] {
        let spec = KeySpec::Montgomery(curve);
        let [ours, theirs] = [(), ()].map(|()| custodian.generate(&spec).expect("a key pair"));
        let point = |material: &KeyMaterial| match material {
            KeyMaterial::Montgomery { public, .. } => public.clone(),
            other => panic!("another kind: {other:?}"),
        };
        let agree = |own: &KeyMaterial, peer: &KeyMaterial| {
            let key = custodian.open(own).expect("its own key");
            let refused = key.sign(SignPrimitive::Ecdsa(b"contract"), &mut [0; 200]);
            assert_eq!(refused.expect_err("no signature").rv, Rv::KeyTypeInconsistent);
            let agreed = key.derive(DerivePrimitive::Ecdh { point: &point(peer) });
            agreed.expect("a secret").expose(<[u8]>::to_vec)
        };
        assert_eq!(agree(&ours, &theirs), agree(&theirs, &ours), "{spec:?}");
    }
    let tiny = KeySpec::Rsa { bits: 512, exponent: vec![1, 0, 1] };
    assert!(custodian.generate(&tiny).is_err(), "a modulus that is no protection");
}

/// A key signs with its own primitive, and with no other.
#[cfg(test)]
fn signs(key: &dyn PrivateKey, spec: &KeySpec) {
    let primitive = match key.kind() {
        KeyKind::Rsa { .. } => SignPrimitive::Pkcs1(b"contract"),
        KeyKind::Ec(_) => SignPrimitive::Ecdsa(b"contract"),
        KeyKind::Dsa { .. } => SignPrimitive::Dsa(b"contract"),
        KeyKind::Edwards(_) => {
            SignPrimitive::Eddsa { variant: Variant::Pure, message: b"contract" }
        }
        KeyKind::MlDsa { .. } => {
            SignPrimitive::MlDsa { context: b"", message: b"contract", deterministic: false }
        }
        KeyKind::SlhDsa(_) => SignPrimitive::SlhDsa { parts: &[b"contract"], deterministic: false },
        KeyKind::MlKem(_) | KeyKind::Montgomery(_) | KeyKind::Dh { .. } => {
            panic!("{spec:?} signs nothing")
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
    let refused = key.decapsulate(&out).expect_err("no decapsulation key");
    assert_eq!(refused.rv, Rv::KeyTypeInconsistent, "{spec:?}");
}

/// A decapsulation key takes ciphertexts of one length, and always gives the same secret.
#[cfg(test)]
fn keeps_secrets(key: &dyn PrivateKey, set: MlKem) {
    let ciphertext = vec![7; set.ciphertext_len()];
    let first = key.decapsulate(&ciphertext).expect("implicit rejection");
    let again = key.decapsulate(&ciphertext).expect("implicit rejection");
    assert!(first.expose(|first| again.expose(|again| first == again)), "{set:?}");
    let refused = key.decapsulate(&ciphertext[1..]).expect_err("too short");
    assert_eq!(refused.rv, Rv::WrappedKeyLenRange, "{set:?}");
    let refused = key.sign(SignPrimitive::Ecdsa(b"contract"), &mut []).expect_err("no signature");
    assert_eq!(refused.rv, Rv::KeyTypeInconsistent, "{set:?}");
}
