//! Tests of defaults that read as empty, of hidden values and of searches.

use super::{
    STANDARD, aes, certificate, create, created, of_class, refused, secret, small_rsa, with,
    without,
};
use crate::cryptoki;
use crate::error::Rv;
use crate::object::attribute::{self, Attr};
use crate::object::class::Class;
use crate::object::class::change::change;
use crate::object::class::reading::{Answer, matches, readable};
use crate::object::template::{Template, Value};

#[test]
fn certificates_have_their_defaults_and_a_check_value() {
    let object = created(certificate());
    assert_eq!(object.get(attribute::PUBLIC_VALUE), Some(&b"Test2"[..]));
    assert_eq!(object.get(attribute::CHECK_VALUE), Some(&[0x2b, 0x84, 0xf6][..]));
    assert_eq!(object.get(attribute::CERTIFICATE_CATEGORY), Some(0));
    assert_eq!(object.get(attribute::JAVA_MIDP_SECURITY_DOMAIN), Some(0));
    assert_eq!(object.get(attribute::NAME_HASH_ALGORITHM), Some(cryptoki::CKM_SHA_1));
    for id in [
        attribute::ID.id,
        attribute::ISSUER.id,
        attribute::SERIAL_NUMBER.id,
        attribute::URL.id,
        attribute::HASH_OF_SUBJECT_PUBLIC_KEY.id,
        attribute::HASH_OF_ISSUER_PUBLIC_KEY.id,
        attribute::START_DATE.id,
        attribute::END_DATE.id,
    ] {
        assert!(matches!(readable(&object, id), Answer::Empty), "{}", attribute::name(id));
    }
    let mut check = Template::default();
    check.set(attribute::CHECK_VALUE, vec![0x2b, 0x84, 0xf6]);
    assert_eq!(refused(change(&object, &check, &STANDARD)), Rv::AttributeReadOnly);
    let mut subject = Template::default();
    subject.set(attribute::SUBJECT, b"Test1".to_vec());
    assert_eq!(refused(change(&object, &subject, &STANDARD)), Rv::AttributeReadOnly);
    let mut issuer = Template::default();
    issuer.set(attribute::ISSUER, b"issuer".to_vec());
    let changed = change(&object, &issuer, &STANDARD).expect("changed");
    assert_eq!(changed.get(attribute::ISSUER), Some(&b"issuer"[..]));
    let mut wrong = certificate();
    wrong.set(attribute::CERTIFICATE_CATEGORY, 4);
    assert_eq!(refused(create(wrong)), Rv::AttributeValueInvalid);
    let mut by_url = without(certificate(), attribute::VALUE);
    by_url.set(attribute::URL, b"https://ca.example/cert".to_vec());
    created(by_url);
}

#[test]
fn data_objects_are_what_the_caller_says() {
    let object = created(of_class(Class::Data));
    for id in [attribute::APPLICATION.id, attribute::OBJECT_ID.id, attribute::VALUE.id] {
        assert!(matches!(readable(&object, id), Answer::Empty));
    }
    assert!(matches!(readable(&object, attribute::SIGN.id), Answer::NotPossessed));
    assert!(matches!(readable(&object, 0x8000_0001), Answer::NotPossessed));
    let mut template = of_class(Class::Data);
    template.set(attribute::VALUE, secret(b"data"));
    let object = created(template);
    assert_eq!(object.get(attribute::PUBLIC_VALUE), Some(&b"data"[..]));
    assert!(matches!(readable(&object, attribute::VALUE.id), Answer::Value(Value::Bytes(_))));
}

#[test]
fn two_numbers_make_an_rsa_private_key() {
    let key = created(small_rsa(Class::PrivateKey));
    let open = with(
        small_rsa(Class::PrivateKey),
        &[(attribute::SENSITIVE, false), (attribute::EXTRACTABLE, true)],
    );
    let open = created(open);
    for id in [attribute::PRIVATE_EXPONENT.id, attribute::PRIME_1.id, attribute::COEFFICIENT.id] {
        assert!(matches!(readable(&key, id), Answer::Sensitive), "{}", attribute::name(id));
    }
    let exponent = readable(&open, attribute::PRIVATE_EXPONENT.id);
    assert!(matches!(exponent, Answer::Value(Value::Secret(_))));
    assert!(matches!(readable(&open, attribute::PRIME_1.id), Answer::Empty));
    assert!(matches!(readable(&open, attribute::PUBLIC_KEY_INFO.id), Answer::Empty));
    assert!(matches!(readable(&open, attribute::ID.id), Answer::Empty));
    assert!(matches!(readable(&open, attribute::EC_POINT.id), Answer::NotPossessed));
}

#[test]
fn what_is_hidden_depends_on_both_flags() {
    for (sensitive, extractable) in [(true, true), (true, false), (false, true), (false, false)] {
        let asked = [(attribute::SENSITIVE, sensitive), (attribute::EXTRACTABLE, extractable)];
        let key = created(with(aes(), &asked));
        let shown = matches!(readable(&key, attribute::VALUE.id), Answer::Value(_));
        assert_eq!(shown, !sensitive && extractable);
        let mut wanted = Template::default();
        wanted
            .set(attribute::VALUE, key.get(attribute::VALUE).map(|v| v.expose(secret)).expect(""));
        assert_eq!(matches(&key, &wanted), shown, "a search tells no more than a reading");
    }
}

#[test]
fn searches_compare_bytes_and_know_absence() {
    let mut template = of_class(Class::Data);
    template.set(attribute::VALUE, secret(b"data"));
    template.set(attribute::LABEL, b"label".to_vec());
    let object = created(template);
    let finds = |name: Attr<attribute::Bytes>, value: &[u8]| {
        let mut wanted = Template::default();
        wanted.set(name, value.to_vec());
        matches(&object, &wanted)
    };
    assert!(matches(&object, &Template::default()));
    assert!(finds(attribute::LABEL, b"label"));
    assert!(!finds(attribute::LABEL, b"labe"));
    assert!(finds(attribute::APPLICATION, b""));
    assert!(!finds(attribute::APPLICATION, b"x"));
    assert!(!finds(attribute::SUBJECT, b""), "data objects have no subject");
    let mut wanted = Template::default();
    wanted.set(attribute::VALUE, secret(b"data"));
    assert!(matches(&object, &wanted), "as it comes from the door");
    wanted.put(0x8000_0001, Value::Bytes(vec![]));
    assert!(!matches(&object, &wanted), "unknown attributes match nothing");
}
