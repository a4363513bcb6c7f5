//! Tests of values that make keys and of what is computed of them.

use super::{aes, create, created, ed25519, refused, secret, secret_key, small_rsa, with};
use crate::error::Rv;
use crate::object::attribute;
use crate::object::class::reading::{Answer, readable};
use crate::object::class::{Class, KeyType};
use crate::secret::Secret;

#[test]
fn check_values_are_the_standards() {
    let check = |key_type| {
        let value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6];
        let hidden = [(attribute::SENSITIVE, true), (attribute::EXTRACTABLE, false)];
        let key = created(with(secret_key(key_type, &value), &hidden));
        assert_eq!(key.get(attribute::VALUE_LEN), Some(16));
        let Answer::Value(check) = readable(&key, attribute::CHECK_VALUE.id) else {
            panic!("a check value is never hidden")
        };
        check.expose(<[u8]>::to_vec)
    };
    assert_eq!(check(KeyType::GenericSecret), [0x5c, 0x3b, 0x7c]);
    assert_eq!(check(KeyType::Aes), [0x08, 0xbd, 0x28]);
    let mut right = aes();
    right.set(attribute::CHECK_VALUE, vec![0x08, 0xbd, 0x28]);
    created(right);
    let mut none = aes();
    none.set(attribute::CHECK_VALUE, vec![]);
    assert_eq!(created(none).get(attribute::CHECK_VALUE), Some(&[][..]));
    let mut wrong = aes();
    wrong.set(attribute::CHECK_VALUE, vec![0x08, 0xbd, 0x29]);
    assert_eq!(refused(create(wrong)), Rv::AttributeValueInvalid);
}

#[test]
fn values_of_the_wrong_size_make_no_key() {
    for len in [0, 1, 15, 17, 33, 64] {
        let outcome = create(secret_key(KeyType::Aes, &vec![0; len]));
        assert_eq!(refused(outcome), Rv::AttributeValueInvalid, "{len}");
    }
    for len in [16, 24, 32] {
        created(secret_key(KeyType::Aes, &vec![0; len]));
    }
    let empty = create(secret_key(KeyType::GenericSecret, &[]));
    assert_eq!(refused(empty), Rv::AttributeValueInvalid);
    let invalid = |template| assert_eq!(refused(create(template)), Rv::AttributeValueInvalid);
    let modulus = |bytes: Vec<u8>| {
        let mut template = small_rsa(Class::PublicKey);
        template.set(attribute::MODULUS, bytes);
        template
    };
    invalid(modulus(vec![]));
    invalid(modulus(vec![0; 64]));
    invalid(modulus(vec![0xc6; 64]));
    invalid(modulus(vec![0xff; 63]));
    invalid(modulus(vec![0xff; 2049]));
    let key = created(modulus([&[0][..], &[0xff; 64]].concat()));
    assert_eq!(key.get(attribute::MODULUS_BITS), Some(512), "zeros before a number do not count");
    for exponent in [&[][..], &[0], &[1], &[2], &[1; 65]] {
        let mut template = small_rsa(Class::PublicKey);
        template.set(attribute::PUBLIC_EXPONENT, exponent.to_vec());
        invalid(template);
    }
    for len in [0, 31, 33, 64] {
        let mut template = ed25519();
        template.set(attribute::VALUE, secret(&vec![7; len]));
        invalid(template);
    }
    let mut template = ed25519();
    template.set(attribute::VALUE, secret(&[&[4, 32][..], &[7; 32]].concat()));
    assert_eq!(created(template).get(attribute::VALUE).map(Secret::len), Some(32));
}

#[test]
fn curves_and_key_types_go_together() {
    let mut template = ed25519();
    template.set(attribute::KEY_TYPE, KeyType::Ec.code());
    assert_eq!(refused(create(template)), Rv::CurveNotSupported);
    let p256 = vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let mut template = ed25519();
    template.set(attribute::EC_PARAMS, p256.clone());
    assert_eq!(refused(create(template)), Rv::CurveNotSupported);
    let mut template = ed25519();
    template.set(attribute::KEY_TYPE, KeyType::Ec.code());
    template.set(attribute::EC_PARAMS, vec![0x30, 0]);
    assert_eq!(refused(create(template)), Rv::DomainParamsInvalid);
    for scalar in [&[0; 32][..], &[0xff; 32], &[], &[1; 33]] {
        let mut template = ed25519();
        template.set(attribute::KEY_TYPE, KeyType::Ec.code());
        template.set(attribute::EC_PARAMS, p256.clone());
        template.set(attribute::VALUE, secret(scalar));
        assert_eq!(refused(create(template)), Rv::AttributeValueInvalid, "{scalar:?}");
    }
    let mut template = ed25519();
    template.set(attribute::KEY_TYPE, KeyType::Ec.code());
    template.set(attribute::EC_PARAMS, p256);
    template.set(attribute::VALUE, secret(&[5]));
    let key = created(template);
    assert_eq!(key.get(attribute::VALUE).map(Secret::len), Some(32), "as long as the field");
}

#[test]
fn a_public_key_that_is_given_must_be_the_keys_own() {
    let info = created(ed25519()).get(attribute::PUBLIC_KEY_INFO).expect("an SPKI").to_vec();
    assert_eq!(info.len(), 44);
    let given = |info: Vec<u8>| {
        let mut template = ed25519();
        template.set(attribute::PUBLIC_KEY_INFO, info);
        create(template)
    };
    given(info.clone()).expect("its own");
    assert_eq!(
        given(vec![]).expect("nothing given").get(attribute::PUBLIC_KEY_INFO),
        Some(&info[..])
    );
    let mut other = info;
    other[43] ^= 1;
    assert_eq!(refused(given(other)), Rv::AttributeValueInvalid);
}
