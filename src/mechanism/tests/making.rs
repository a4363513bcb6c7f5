//! Making keys, and deriving them.

use std::sync::Arc;

use super::refused;
use crate::cryptoki as ck;
use crate::custody::software::Software;
use crate::custody::{Custodian, KeyMaterial, KeySpec, PrivateKey};
use crate::engine::aws_lc::ec::{Curve, EcPrivate};
use crate::engine::edwards::Edwards;
use crate::error::{Result, Rv};
use crate::mechanism::find;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::vectors::curves::ec_private;
use crate::mechanism::vectors::{derived, secret};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::{Template, Value};

fn template(values: &[(u64, Value)]) -> Template {
    let mut made = Template::default();
    for (id, value) in values {
        made.put(*id, value.try_clone().expect("memory"));
    }
    made
}

fn secret_of_len(id: u64, len: Option<u64>) -> Result<Template> {
    let asked: Vec<_> = len.map(|len| (ck::CKA_VALUE_LEN, Value::Ulong(len))).into_iter().collect();
    find(id).and_then(|row| row.generate).expect("a row")(&template(&asked), &MechanismParams::None)
}

#[test]
fn secret_keys_are_as_long_as_asked_and_differ() {
    for (id, key_type, len) in [
        (ck::CKM_AES_KEY_GEN, KeyType::Aes, 16),
        (ck::CKM_AES_KEY_GEN, KeyType::Aes, 32),
        (ck::CKM_GENERIC_SECRET_KEY_GEN, KeyType::GenericSecret, 1),
        (ck::CKM_GENERIC_SECRET_KEY_GEN, KeyType::GenericSecret, 8192),
    ] {
        let made = secret_of_len(id, Some(len)).expect("a key");
        assert_eq!(made.get(attribute::CLASS), Some(Class::SecretKey.code()));
        assert_eq!(made.get(attribute::KEY_TYPE), Some(key_type.code()));
        let value = made.get(attribute::VALUE).expect("a value");
        assert_eq!(value.len() as u64, len);
        let other = secret_of_len(id, Some(len)).expect("a key");
        let same = other
            .get(attribute::VALUE)
            .expect("a value")
            .expose(|other| value.expose(|value| value == other));
        assert!(!same || len == 1, "{len}");
    }
}

#[test]
fn secret_keys_of_other_lengths_are_refused() {
    for id in [ck::CKM_AES_KEY_GEN, ck::CKM_GENERIC_SECRET_KEY_GEN] {
        assert_eq!(refused(secret_of_len(id, None)), Rv::TemplateIncomplete);
        for len in [0, 8193, 1 << 40, u64::MAX] {
            assert_eq!(refused(secret_of_len(id, Some(len))), Rv::AttributeValueInvalid, "{len}");
        }
    }
    for len in [1, 15, 17, 31, 33, 64] {
        let outcome = secret_of_len(ck::CKM_AES_KEY_GEN, Some(len));
        assert_eq!(refused(outcome), Rv::AttributeValueInvalid, "{len}");
    }
    let generate = find(ck::CKM_AES_KEY_GEN).and_then(|row| row.generate).expect("a row");
    let wanted = template(&[(ck::CKA_VALUE_LEN, Value::Ulong(16))]);
    let params = MechanismParams::Iv(vec![0; 16]);
    assert_eq!(refused(generate(&wanted, &params)), Rv::MechanismParamInvalid);
    let wanted = template(&[
        (ck::CKA_VALUE_LEN, Value::Ulong(16)),
        (ck::CKA_KEY_TYPE, Value::Ulong(KeyType::GenericSecret.code())),
    ]);
    assert_eq!(refused(generate(&wanted, &MechanismParams::None)), Rv::TemplateInconsistent);
}

#[test]
fn a_premaster_secret_is_the_version_and_46_random_bytes() {
    let generate = find(ck::CKM_TLS_PRE_MASTER_KEY_GEN).and_then(|row| row.generate);
    let generate = generate.expect("a row");
    let version = MechanismParams::Version([3, 3]);
    let mut seen = Vec::new();
    for asked in [template(&[]), template(&[(ck::CKA_VALUE_LEN, Value::Ulong(48))])] {
        let made = generate(&asked, &version).expect("a secret");
        assert_eq!(made.get(attribute::CLASS), Some(Class::SecretKey.code()));
        assert_eq!(made.get(attribute::KEY_TYPE), Some(KeyType::GenericSecret.code()));
        let value = made.get(attribute::VALUE).expect("a value").expose(<[u8]>::to_vec);
        assert_eq!((value.len(), &value[..2]), (48, &[3, 3][..]));
        // Not even one part of it comes twice, or is nothing.
        seen.extend(value[2..].chunks(23).map(<[u8]>::to_vec));
    }
    seen.push(vec![0; 23]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    for len in [0, 47, 49, u64::MAX] {
        let asked = template(&[(ck::CKA_VALUE_LEN, Value::Ulong(len))]);
        assert_eq!(refused(generate(&asked, &version)), Rv::AttributeValueInvalid, "{len}");
    }
    let aes = template(&[(ck::CKA_KEY_TYPE, Value::Ulong(KeyType::Aes.code()))]);
    assert_eq!(refused(generate(&aes, &version)), Rv::TemplateInconsistent);
    let nothing = generate(&template(&[]), &MechanismParams::None);
    assert_eq!(refused(nothing), Rv::MechanismParamInvalid);
}

fn pair_of(
    id: u64,
    public: &[(u64, Value)],
    private: &[(u64, Value)],
) -> Result<(Template, Template)> {
    let make = find(id).and_then(|row| row.generate_pair).expect("a row");
    make(&Software, &template(public), &template(private))
}

#[test]
fn rsa_pairs_of_other_sizes_and_exponents_are_refused() {
    let rsa = |bits: u64, exponent: &[u8]| {
        let public = [
            (ck::CKA_MODULUS_BITS, Value::Ulong(bits)),
            (ck::CKA_PUBLIC_EXPONENT, Value::Bytes(exponent.to_vec())),
        ];
        pair_of(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &[])
    };
    for bits in [0, 512, 896, 1025, 2047, 2049, 4097, 8193, 16384, u64::MAX] {
        assert_eq!(refused(rsa(bits, &[1, 0, 1])), Rv::AttributeValueInvalid, "{bits}");
    }
    let long = [1; 40];
    for exponent in [&[][..], &[0], &[1], &[3], &[1, 0, 0], &[1, 0, 0, 0, 1], &long] {
        assert_eq!(refused(rsa(2048, exponent)), Rv::AttributeValueInvalid, "{exponent:?}");
    }
    let outcome = pair_of(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, &[], &[]);
    assert_eq!(refused(outcome), Rv::TemplateIncomplete);
    let (public, private) = rsa(2048, &[0, 1, 0, 1]).expect("a pair");
    assert_eq!(public.get(attribute::MODULUS).map(<[u8]>::len), Some(256));
    assert!(private.contains(ck::CKA_COEFFICIENT));
}

#[test]
fn curves_of_other_mechanisms_are_refused() {
    let p256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let edwards = b"\x13\x0cedwards25519";
    let make = |id, params: &[u8], own: &[(u64, Value)]| {
        pair_of(id, &[(ck::CKA_EC_PARAMS, Value::Bytes(params.to_vec()))], own)
    };
    let (nist, edwards_gen) = (ck::CKM_EC_KEY_PAIR_GEN, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    assert_eq!(refused(make(nist, edwards, &[])), Rv::CurveNotSupported);
    assert_eq!(refused(make(edwards_gen, p256, &[])), Rv::CurveNotSupported);
    let montgomery = ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
    assert_eq!(refused(make(montgomery, edwards, &[])), Rv::CurveNotSupported);
    assert_eq!(refused(make(montgomery, p256, &[])), Rv::CurveNotSupported);
    assert_eq!(refused(make(nist, b"\x13\x0acurve25519", &[])), Rv::CurveNotSupported);
    let secp192r1 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01";
    assert_eq!(refused(make(nist, secp192r1, &[])), Rv::CurveNotSupported);
    for params in [&b""[..], b"\x05\x00", b"\x30\x03\x02\x01\x01", b"\x06\x08\x2a"] {
        assert_eq!(refused(make(nist, params, &[])), Rv::DomainParamsInvalid, "{params:?}");
    }
    assert_eq!(refused(pair_of(nist, &[], &[])), Rv::TemplateIncomplete);
    let other = [(ck::CKA_EC_PARAMS, Value::Bytes(edwards.to_vec()))];
    assert_eq!(refused(make(nist, p256, &other)), Rv::TemplateInconsistent);
    let class = [(ck::CKA_CLASS, Value::Ulong(Class::PublicKey.code()))];
    assert_eq!(refused(make(nist, p256, &class)), Rv::TemplateInconsistent);

    let (public, private) = make(nist, p256, &[]).expect("a pair");
    assert_eq!(public.get(attribute::EC_POINT).map(<[u8]>::len), Some(67), "DER around the point");
    assert_eq!(private.get(attribute::EC_PARAMS), Some(&p256[..]));
    let (public, private) = make(edwards_gen, edwards, &[]).expect("a pair");
    assert_eq!(public.get(attribute::EC_POINT).map(<[u8]>::len), Some(32), "raw");
    assert_eq!(private.get(attribute::VALUE).map(|seed| seed.len()), Some(32));
}

/// A custodian that gives what it was not asked for.
struct Confused;

impl Custodian for Confused {
    fn generate(&self, _spec: &KeySpec) -> Result<KeyMaterial> {
        Software.generate(&KeySpec::Edwards(Edwards::Ed25519))
    }

    fn open(&self, material: &KeyMaterial) -> Result<Arc<dyn PrivateKey>> {
        Software.open(material)
    }

    fn destroy(&self, _material: &KeyMaterial) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_pair_of_another_kind_than_asked_is_refused() {
    let make = find(ck::CKM_EC_KEY_PAIR_GEN).and_then(|row| row.generate_pair).expect("a row");
    let params = Value::Bytes(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec());
    let public = template(&[(ck::CKA_EC_PARAMS, params)]);
    assert_eq!(refused(make(&Confused, &public, &Template::default())), Rv::GeneralError);
}

fn agree(kdf: u64, shared: &[u8], public: &[u8], len: Option<usize>) -> Result<Vec<u8>> {
    let row = find(ck::CKM_ECDH1_DERIVE).expect("a row");
    let params = MechanismParams::Ecdh1 { kdf, shared: shared.to_vec(), public: public.to_vec() };
    derived(row, &ec_private(Curve::P256, &[7; 32]), &params, len)
        .map(|secret| secret.expose(<[u8]>::to_vec))
}

fn peer() -> Vec<u8> {
    let peer = EcPrivate::from_scalar(Curve::P256, &secret(&[9; 32]));
    peer.and_then(|peer| peer.public_point()).expect("a point")
}

#[test]
fn points_come_raw_or_in_an_octet_string_and_others_are_refused() {
    let peer = peer();
    let agreed = agree(ck::CKD_NULL, &[], &peer, None).expect("a secret");
    assert_eq!(agreed.len(), 32);
    let wrapped = [&[4, 65][..], &peer].concat();
    assert_eq!(agree(ck::CKD_NULL, &[], &wrapped, None).expect("a secret"), agreed);
    let long_form = [&[4, 0x81, 65][..], &peer].concat();
    for bad in [&[][..], &[0], &peer[..64], &wrapped[..66], &long_form, &[4; 65], &[4, 1, 0]] {
        let outcome = agree(ck::CKD_NULL, &[], bad, None);
        assert_eq!(refused(outcome), Rv::PublicKeyInvalid, "{} bytes", bad.len());
    }
}

#[test]
fn agreements_are_cut_from_the_front_and_never_stretched() {
    let peer = peer();
    let agreed = agree(ck::CKD_NULL, &[], &peer, None).expect("a secret");
    for len in [1, 16, 31, 32] {
        let cut = agree(ck::CKD_NULL, &[], &peer, Some(len)).expect("a secret");
        assert_eq!(cut, agreed[32 - len..], "{len}");
    }
    let outcome = agree(ck::CKD_NULL, &[], &peer, Some(0));
    assert_eq!(refused(outcome), Rv::AttributeValueInvalid, "nothing");
    for len in [33, 64, usize::MAX] {
        let outcome = agree(ck::CKD_NULL, &[], &peer, Some(len));
        assert_eq!(refused(outcome), Rv::TemplateInconsistent, "{len}");
    }
}

#[test]
fn derivation_functions_are_known_ones_with_their_data() {
    let peer = peer();
    let outcome = agree(ck::CKD_NULL, b"data", &peer, None);
    assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "data without a function");
    for kdf in [0, ck::CKD_SHA1_KDF_ASN1, ck::CKD_CPDIVERSIFY_KDF, 0x77, u64::MAX] {
        let outcome = agree(kdf, &[], &peer, Some(16));
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{kdf}");
    }
    let derived = agree(ck::CKD_SHA256_KDF, b"data", &peer, Some(100)).expect("a secret");
    assert_eq!(derived.len(), 100);
    let other = agree(ck::CKD_SHA256_KDF, b"Data", &peer, Some(100)).expect("a secret");
    assert_ne!(derived, other);
    let outcome = agree(ck::CKD_SHA256_KDF, &[], &peer, None);
    assert_eq!(refused(outcome), Rv::TemplateIncomplete, "no length");
    let outcome = agree(ck::CKD_SHA256_KDF, &[], &peer, Some(1 << 40));
    assert_eq!(refused(outcome), Rv::TemplateInconsistent, "too long");
}
