//! What the rows refuse, and with which code; and that the table is in order.

mod ciphers;
mod making;
mod one_time;
mod signing;

use std::sync::LazyLock;

use super::cipher_params::{CipherParams, CipherShape};
use super::kdf_params::{CountedPart, KdfParams, KdfShape, NumberForm, Password, Randoms, Salt};
use super::params::{Hedge, MechanismParams, OtpParams, Shape};
use super::registry::REGISTRY;
use super::vectors::{derived, key, rsa, secret, secret_key};
use super::{Derivation, Key, Mechanism, find};
use std::sync::Arc;

use crate::cryptoki as ck;
use crate::custody::software::Software;
use crate::custody::{Custodian, KeySpec};
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::edwards::Edwards;
use crate::engine::ml_kem::MlKem;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsa;
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::material::{private_template, public_template};
use crate::object::template::Template;
use crate::object::{Object, attribute};

/// The code of a refusal.
fn refused<T>(outcome: Result<T>) -> Rv {
    match outcome {
        Ok(_) => panic!("this was taken"),
        Err(error) => error.rv,
    }
}

/// A new pair: public and private key.
pub(super) fn pair(spec: &KeySpec) -> (Key, Key) {
    let material = Software.generate(spec).expect("a pair");
    let private = private_template(&material).expect("attributes");
    (Object::new(public_template(&material)).into(), Object::new(private).into())
}

/// One pair for all, because making it takes long without optimisation.
fn slh_dsa_pair() -> (Key, Key) {
    static PAIR: LazyLock<(Key, Key)> = LazyLock::new(|| pair(&KeySpec::SlhDsa(SlhDsa::Sha2_128f)));
    PAIR.clone()
}

fn rsa_pair() -> (Key, Key) {
    pair(&KeySpec::Rsa { bits: 2048, exponent: vec![1, 0, 1] })
}

/// A parameter that a shape can be read as, and that is sound.
fn sound(shape: Shape) -> MechanismParams {
    match shape {
        Shape::None
        | Shape::OptionalEddsa
        | Shape::OptionalIv16
        | Shape::OptionalInfo
        | Shape::OptionalSignContext => MechanismParams::None,
        Shape::HashSignContext => MechanismParams::HashSignContext {
            hedge: Hedge::Preferred,
            context: vec![],
            hash: ck::CKM_SHA256,
        },
        Shape::Iv16 => MechanismParams::Iv(vec![0; 16]),
        Shape::OptionalIv => MechanismParams::None,
        Shape::Message => MechanismParams::None,
        Shape::Ctr => MechanismParams::Ctr { bits: 32, block: [0; 16] },
        Shape::Gcm => MechanismParams::Gcm { iv: vec![0; 12], aad: vec![], tag_bits: 128 },
        Shape::Pss => MechanismParams::Pss { hash: ck::CKM_SHA256, mgf: 2, salt_len: 32 },
        Shape::Oaep => MechanismParams::Oaep {
            hash: ck::CKM_SHA256,
            mgf: ck::CKG_MGF1_SHA256,
            source: ck::CKZ_DATA_SPECIFIED,
            label: vec![],
        },
        Shape::EcdhAes => {
            MechanismParams::EcdhAes { aes_bits: 256, ecdh: Box::new(sound(Shape::Ecdh1)) }
        }
        Shape::RsaAes => {
            MechanismParams::RsaAes { aes_bits: 256, oaep: Box::new(sound(Shape::Oaep)) }
        }
        Shape::PublicValue => MechanismParams::PublicValue(vec![2; 256]),
        Shape::Ecdh1 => {
            MechanismParams::Ecdh1 { kdf: ck::CKD_NULL, shared: vec![], public: vec![] }
        }
        Shape::MacLength => MechanismParams::MacLength(8),
        Shape::Version => MechanismParams::Version([3, 3]),
        Shape::OptionalOtp => MechanismParams::Otp(OtpParams::default()),
        Shape::TlsMac => MechanismParams::TlsMac { hash: ck::CKM_SHA256, len: 12, side: 1 },
        Shape::Kdf(shape) => MechanismParams::Kdf(sound_kdf(shape)),
        Shape::Cipher(shape) => sound_cipher(shape),
    }
}

fn sound_cipher(shape: CipherShape) -> MechanismParams {
    MechanismParams::Cipher(match shape {
        CipherShape::Ccm => {
            CipherParams::Ccm { data_len: 5, nonce: vec![0; 13], aad: vec![], tag_len: 16 }
        }
        CipherShape::ChaCha20 => {
            CipherParams::ChaCha20 { counter: 0, counter_bits: 32, nonce: vec![0; 12] }
        }
        CipherShape::ChaCha20Poly1305 => {
            CipherParams::ChaCha20Poly1305 { nonce: vec![0; 12], aad: vec![] }
        }
        #[cfg(feature = "legacy")]
        CipherShape::Iv8 => return MechanismParams::Iv(vec![0; 8]),
        #[cfg(feature = "legacy")]
        CipherShape::OptionalIv8 => return MechanismParams::None,
    })
}

fn sound_randoms() -> Randoms {
    Randoms { client: vec![1; 32], server: vec![2; 32] }
}

fn sound_ike(shape: KdfShape) -> KdfParams {
    let prf = ck::CKM_SHA256_HMAC;
    match shape {
        KdfShape::IkePrf => {
            KdfParams::IkePrf { prf, data_as_key: true, nonces: vec![1; 32], new_key: None }
        }
        KdfShape::Ike1Prf => {
            KdfParams::Ike1Prf { prf, agreed: 1, previous: None, cookies: vec![1; 16], number: 0 }
        }
        KdfShape::Ike1Extended => KdfParams::Ike1Extended { prf, agreed: None, extra: vec![1] },
        _ => KdfParams::IkePrfPlus { prf, seed_key: None, seed: vec![1] },
    }
}

fn sound_kdf(shape: KdfShape) -> KdfParams {
    match shape {
        KdfShape::Data => KdfParams::Data(vec![1; 16]),
        KdfShape::OtherKey => KdfParams::OtherKey(1),
        KdfShape::FirstBit => KdfParams::FirstBit(3),
        KdfShape::AesCbcData => KdfParams::CbcData { iv: vec![0; 16], data: vec![1; 16] },
        #[cfg(feature = "legacy")]
        KdfShape::DesCbcData => KdfParams::CbcData { iv: vec![0; 8], data: vec![1; 8] },
        KdfShape::Hkdf => KdfParams::Hkdf {
            extract: true,
            expand: true,
            hash: ck::CKM_SHA256,
            salt: Salt::Null,
            info: vec![],
        },
        KdfShape::Counted | KdfShape::Feedback => KdfParams::Counted {
            prf: ck::CKM_SHA256_HMAC,
            parts: vec![CountedPart::Iteration(Some(NumberForm { little_endian: false, bits: 8 }))],
            iv: vec![],
        },
        KdfShape::TlsMaster => {
            KdfParams::TlsMaster { randoms: sound_randoms(), hash: ck::CKM_SHA256, version: false }
        }
        KdfShape::TlsExtendedMaster => KdfParams::TlsExtendedMaster {
            session_hash: vec![1; 32],
            hash: ck::CKM_SHA256,
            version: false,
        },
        KdfShape::TlsKeys => KdfParams::TlsKeys {
            mac_bits: 0,
            key_bits: 128,
            iv_bits: 32,
            export: false,
            randoms: sound_randoms(),
            hash: ck::CKM_SHA256,
        },
        KdfShape::TlsExport => KdfParams::TlsExport {
            label: b"label".to_vec(),
            randoms: sound_randoms(),
            context: None,
            hash: ck::CKM_SHA256,
        },
        KdfShape::IkePrf | KdfShape::Ike1Prf | KdfShape::Ike1Extended | KdfShape::IkePrfPlus => {
            sound_ike(shape)
        }
        KdfShape::Pbkdf2 => KdfParams::Pbkdf2 {
            source: ck::CKZ_SALT_SPECIFIED,
            salt: vec![0; 8],
            iterations: 1,
            prf: ck::CKP_PKCS5_PBKD2_HMAC_SHA256,
            password: Password(Arc::new(secret(b"password"))),
        },
    }
}

/// What every start of a row says to a key and a parameter.
fn starts(row: &Mechanism, key: &Key, params: &MechanismParams) -> Vec<Option<Rv>> {
    let mut outcomes = Vec::new();
    let mut add = |outcome: Result<()>| outcomes.push(outcome.err().map(|error| error.rv));
    if let Some(start) = row.sign {
        add(start(key, params).map(drop));
    }
    if let Some(start) = row.verify {
        add(start(key, params).map(drop));
    }
    for start in [row.encrypt, row.decrypt].into_iter().flatten() {
        add(start(key, params).map(drop));
    }
    if let Some(start) = row.wrap {
        add(start(key, params).map(drop));
    }
    if let Some(start) = row.unwrap {
        add(start(key, params, None).map(drop));
    }
    if let Some(derive) = row.derive_objects {
        let (len, key_type) = (None, KeyType::GenericSecret);
        let derivation = Derivation { base: key, params, others: &[], len, key_type };
        add(derive(&derivation, vec![]).map(drop));
    }
    if row.derive.is_some() {
        add(derived(row, key, params, None).map(drop));
    }
    if let Some(start) = row.encapsulate {
        add(start(key, params, None).map(drop));
    }
    if let Some(open) = row.decapsulate {
        add(open(key, params, &[], None).map(drop));
    }
    outcomes
}

#[test]
fn the_rows_are_sorted_and_found_by_their_numbers() {
    assert!(REGISTRY.is_sorted_by(|left, right| left.id < right.id), "sorted, each once");
    for row in REGISTRY {
        assert_eq!(find(row.id).map(|found| found.name), Some(row.name));
    }
    assert!(find(ck::CKM_VENDOR_DEFINED).is_none());
    let old = [ck::CKM_SHA1_RSA_PKCS, ck::CKM_MD5_RSA_PKCS, ck::CKM_ECDSA_SHA1];
    assert!(old.into_iter().all(|id| find(id).is_none_or(|row| row.legacy)), "old hashes");
    assert!(REGISTRY.len() > 40, "the families are joined");
}

#[test]
fn flags_and_sizes_follow_from_the_rows() {
    let flags = |id| find(id).expect("a row").flags();
    let rsa = ck::CKF_ENCRYPT | ck::CKF_DECRYPT | ck::CKF_SIGN | ck::CKF_VERIFY;
    assert_eq!(flags(ck::CKM_RSA_PKCS) & rsa, rsa);
    assert_eq!(flags(ck::CKM_RSA_PKCS) & (ck::CKF_DIGEST | ck::CKF_DERIVE), 0);
    assert_eq!(flags(ck::CKM_SHA256), ck::CKF_DIGEST);
    assert_eq!(flags(ck::CKM_AES_KEY_GEN), ck::CKF_GENERATE);
    let curves = ck::CKF_EC_F_P | ck::CKF_EC_OID | ck::CKF_EC_UNCOMPRESS;
    let capsules = ck::CKF_ENCAPSULATE | ck::CKF_DECAPSULATE;
    assert_eq!(flags(ck::CKM_ECDH1_DERIVE), ck::CKF_DERIVE | capsules | curves);
    assert_eq!(flags(ck::CKM_EC_KEY_PAIR_GEN) & curves, curves);
    for row in REGISTRY {
        assert!(row.min_key_size <= row.max_key_size, "{row:?}");
        assert!(row.flags() != 0, "{row:?} can do nothing");
        assert_eq!(row.key_types.is_empty(), row.digest.is_some(), "{row:?}");
        let makes = row.generate.is_some() || row.generate_pair.is_some();
        assert_eq!(row.makes().is_some(), makes, "{row:?}");
    }
}

#[test]
fn another_kind_of_key_is_named_before_a_bad_parameter() {
    let certificate = Object::new({
        let mut attributes = Template::default();
        attributes.set(attribute::CLASS, Class::Certificate.code());
        attributes
    });
    let others: [Key; 3] = [
        key(Class::SecretKey, KeyType::Rsa, |_| ()),
        key(Class::Data, KeyType::Aes, |_| ()),
        certificate.into(),
    ];
    for row in REGISTRY {
        for params in [MechanismParams::None, MechanismParams::MacLength(0), sound(row.shape)] {
            for other in &others {
                for outcome in starts(row, other, &params) {
                    assert_eq!(outcome, Some(Rv::KeyTypeInconsistent), "{row:?}");
                }
            }
        }
    }
}

/// A secret key of a size that its type has.
fn secret_of(key_type: KeyType) -> Key {
    let usual = match key_type {
        KeyType::AesXts => 64,
        // The one size that all mechanisms of AES take.
        KeyType::Aes => 16,
        _ => 32,
    };
    let value: Vec<u8> = (1..).take(key_type.fixed_len().unwrap_or(usual)).collect();
    secret_key(key_type, &value)
}

/// Keys that fit a row: the ones that its starts take.
fn fitting(row: &Mechanism) -> Vec<Key> {
    let (public, private) = match row.key_types.first() {
        Some(KeyType::Rsa) => rsa_pair(),
        Some(KeyType::Ec) => pair(&KeySpec::Ec(Curve::P256)),
        Some(KeyType::EcEdwards) => pair(&KeySpec::Edwards(Edwards::Ed25519)),
        Some(KeyType::EcMontgomery) => pair(&KeySpec::Montgomery(Montgomery::X25519)),
        #[cfg(feature = "legacy")]
        Some(KeyType::Dsa) => super::vectors::dsa::pair(),
        Some(KeyType::MlDsa) => pair(&KeySpec::MlDsa(MlDsa::MlDsa44)),
        Some(KeyType::MlKem) => pair(&KeySpec::MlKem(MlKem::MlKem512)),
        Some(KeyType::SlhDsa) => slh_dsa_pair(),
        Some(other) => return vec![secret_of(*other)],
        None => return vec![],
    };
    vec![public, private]
}

#[test]
fn parameters_of_another_shape_are_refused() {
    let shapes = [
        Shape::Iv16,
        Shape::Ctr,
        Shape::Gcm,
        Shape::Pss,
        Shape::Oaep,
        Shape::Ecdh1,
        Shape::MacLength,
        Shape::Kdf(KdfShape::Data),
        Shape::Kdf(KdfShape::OtherKey),
        Shape::Kdf(KdfShape::FirstBit),
        Shape::Kdf(KdfShape::AesCbcData),
        Shape::Kdf(KdfShape::Hkdf),
        Shape::Kdf(KdfShape::Pbkdf2),
        Shape::Kdf(KdfShape::Counted),
        Shape::Cipher(CipherShape::Ccm),
        Shape::Cipher(CipherShape::ChaCha20),
        Shape::Cipher(CipherShape::ChaCha20Poly1305),
    ];
    for row in REGISTRY {
        for key in fitting(row) {
            for shape in shapes.into_iter().filter(|shape| *shape != row.shape) {
                if row.shape == Shape::OptionalIv16 && shape == Shape::Iv16 {
                    continue;
                }
                for outcome in starts(row, &key, &sound(shape)) {
                    let allowed = [Some(Rv::MechanismParamInvalid), Some(Rv::KeyTypeInconsistent)];
                    assert!(allowed.contains(&outcome), "{row:?} {shape:?} {outcome:?}");
                }
            }
        }
    }
    let sha = find(ck::CKM_SHA256).and_then(|row| row.digest).expect("a digest");
    assert_eq!(refused(sha(&MechanismParams::Iv(vec![0; 16]))), Rv::MechanismParamInvalid);
}

#[test]
fn keys_of_unusable_sizes_are_refused() {
    let short = secret_key(KeyType::Aes, &[0; 15]);
    for id in [ck::CKM_AES_ECB, ck::CKM_AES_CBC, ck::CKM_AES_CTR, ck::CKM_AES_GCM] {
        let row = find(id).expect("a row");
        for outcome in starts(row, &short, &sound(row.shape)) {
            assert_eq!(outcome, Some(Rv::KeySizeRange), "{row:?}");
        }
        for outcome in starts(row, &short, &MechanismParams::MacLength(0)) {
            assert_eq!(outcome, Some(Rv::MechanismParamInvalid), "{row:?}: parameters first");
        }
    }
    let empty = secret_key(KeyType::GenericSecret, &[]);
    let hmac = find(ck::CKM_SHA256_HMAC).expect("a row");
    assert_eq!(starts(hmac, &empty, &MechanismParams::None), [Some(Rv::KeySizeRange); 2]);
    let tiny = rsa::public(&[0xff; 64], &[1, 0, 1]);
    let pkcs = find(ck::CKM_RSA_PKCS).expect("a row");
    assert!(starts(pkcs, &tiny, &MechanismParams::None).contains(&Some(Rv::KeySizeRange)));
}
