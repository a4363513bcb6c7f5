//! Tests of what is demanded, refused and filled in when an object is made.

use super::{
    DENIED, OFFICER, STANDARD, aes, certificate, create, created, ed25519, flags, of_class,
    refused, secret, secret_key, small_rsa, with, without,
};
use crate::cryptoki;
use crate::error::Rv;
use crate::object::attribute::{self, Attr};
use crate::object::class::change::{change, copy};
use crate::object::class::reading::{Answer, readable};
use crate::object::class::{Birth, Class, Context, KeyType, Species, admit, complete};
use crate::object::template::{Template, Value};

#[test]
fn every_object_has_the_storage_defaults() {
    for (template, private) in [
        (of_class(Class::Data), false),
        (certificate(), false),
        (small_rsa(Class::PublicKey), false),
        (small_rsa(Class::PrivateKey), true),
        (aes(), true),
    ] {
        let object = created(template);
        assert_eq!(object.get(attribute::PRIVATE), Some(private));
        for (name, default) in [
            (attribute::TOKEN, false),
            (attribute::MODIFIABLE, true),
            (attribute::COPYABLE, true),
            (attribute::DESTROYABLE, true),
        ] {
            assert_eq!(object.get(name), Some(default), "{}", name.name);
        }
        assert!(matches!(readable(&object, attribute::LABEL.id), Answer::Empty));
    }
}

#[test]
fn uses_default_to_what_the_key_is_good_for() {
    let object = created(small_rsa(Class::PrivateKey));
    for name in [attribute::DECRYPT, attribute::SIGN, attribute::SIGN_RECOVER, attribute::UNWRAP] {
        assert_eq!(object.get(name), Some(true), "{}", name.name);
    }
    for name in [attribute::DERIVE, attribute::WRAP_WITH_TRUSTED, attribute::ALWAYS_AUTHENTICATE] {
        assert_eq!(object.get(name), Some(false), "{}", name.name);
    }
    let object = created(small_rsa(Class::PublicKey));
    for name in [attribute::ENCRYPT, attribute::VERIFY, attribute::VERIFY_RECOVER, attribute::WRAP]
    {
        assert_eq!(object.get(name), Some(true), "{}", name.name);
    }
    assert_eq!(object.get(attribute::TRUSTED), Some(false));
    let object = created(ed25519());
    assert_eq!(object.get(attribute::SIGN), Some(true));
    assert_eq!(object.get(attribute::DECRYPT), Some(false));
    let object = created(secret_key(KeyType::GenericSecret, &[1]));
    assert_eq!(object.get(attribute::SIGN), Some(true));
    assert_eq!(object.get(attribute::ENCRYPT), Some(false));
    let object = created(with(aes(), &[(attribute::ENCRYPT, false)]));
    assert_eq!(object.get(attribute::ENCRYPT), Some(false), "what the caller says stays");
    assert_eq!(object.get(attribute::DECRYPT), Some(true));
}

#[test]
fn imported_keys_have_no_history() {
    for template in [small_rsa(Class::PrivateKey), aes()] {
        let object = created(template);
        for name in [attribute::LOCAL, attribute::ALWAYS_SENSITIVE, attribute::NEVER_EXTRACTABLE] {
            assert_eq!(object.get(name), Some(false), "{}", name.name);
        }
        let mechanism = object.get(attribute::KEY_GEN_MECHANISM);
        assert_eq!(mechanism, Some(cryptoki::CK_UNAVAILABLE_INFORMATION));
    }
}

#[test]
fn generated_keys_tell_their_history() {
    let context = Context { mechanism: Some(0x1080), ..STANDARD };
    for (sensitive, extractable) in [(true, true), (true, false), (false, true), (false, false)] {
        let template = with(
            aes(),
            &[(attribute::SENSITIVE, sensitive), (attribute::EXTRACTABLE, extractable)],
        );
        let key = complete(template, Birth::Generate, &context).expect("a key");
        assert_eq!(key.get(attribute::ALWAYS_SENSITIVE), Some(sensitive));
        assert_eq!(key.get(attribute::NEVER_EXTRACTABLE), Some(!extractable));
        assert_eq!(key.get(attribute::LOCAL), Some(true));
        assert_eq!(key.get(attribute::KEY_GEN_MECHANISM), Some(0x1080));
    }
}

#[test]
fn derived_keys_carry_the_history_of_their_base() {
    for (always, never) in [(true, true), (true, false), (false, true), (false, false)] {
        for (sensitive, extractable) in [(true, false), (false, true)] {
            let birth = Birth::Derive { always_sensitive: always, never_extractable: never };
            let asked = [(attribute::SENSITIVE, sensitive), (attribute::EXTRACTABLE, extractable)];
            let key = complete(with(aes(), &asked), birth, &STANDARD).expect("a key");
            assert_eq!(key.get(attribute::ALWAYS_SENSITIVE), Some(always && sensitive));
            assert_eq!(key.get(attribute::NEVER_EXTRACTABLE), Some(never && !extractable));
            assert_eq!(key.get(attribute::LOCAL), Some(false));
        }
    }
}

#[test]
fn secrecy_defaults_follow_class_and_place() {
    let secrecy =
        |key: &Template| (key.is_set(attribute::SENSITIVE), key.is_set(attribute::EXTRACTABLE));
    for context in [STANDARD, DENIED] {
        for birth in [Birth::Create, Birth::GeneratePrivate] {
            for on_token in [false, true] {
                let template = with(ed25519(), &[(attribute::TOKEN, on_token)]);
                let key = complete(template, birth, &context).expect("a key");
                assert_eq!(secrecy(&key), (true, false));
            }
        }
        for birth in [Birth::Create, Birth::Generate] {
            for on_token in [false, true] {
                let template = with(aes(), &[(attribute::TOKEN, on_token)]);
                let key = complete(template, birth, &context).expect("a key");
                assert_eq!(secrecy(&key), (on_token, !on_token));
            }
        }
    }
}

#[test]
fn what_the_token_makes_no_caller_gives() {
    for name in [attribute::LOCAL, attribute::ALWAYS_SENSITIVE, attribute::NEVER_EXTRACTABLE] {
        for birth in [Birth::Create, Birth::Generate, Birth::Unwrap] {
            let template = with(aes(), &[(name, false)]);
            let outcome = complete(template, birth, &STANDARD);
            assert_eq!(refused(outcome), Rv::AttributeReadOnly, "{}", name.name);
        }
    }
    let mut template = aes();
    template.set(attribute::KEY_GEN_MECHANISM, 0x1080);
    assert_eq!(refused(create(template)), Rv::AttributeReadOnly);
    let mut template = of_class(Class::Data);
    template.set(attribute::UNIQUE_ID, b"mine".to_vec());
    assert_eq!(refused(create(template)), Rv::AttributeReadOnly);
    let mut template = aes();
    template.set(attribute::VALUE_LEN, 16);
    assert_eq!(refused(create(template)), Rv::AttributeReadOnly);
    let mut template = small_rsa(Class::PublicKey);
    template.set(attribute::MODULUS_BITS, 512);
    assert_eq!(refused(create(template)), Rv::AttributeReadOnly);
}

#[test]
fn what_is_demanded_is_named() {
    let incomplete = |template| assert_eq!(refused(create(template)), Rv::TemplateIncomplete);
    incomplete(Template::default());
    incomplete(without(aes(), attribute::KEY_TYPE));
    incomplete(without(aes(), attribute::VALUE));
    incomplete(without(certificate(), attribute::CERTIFICATE_TYPE));
    incomplete(without(certificate(), attribute::SUBJECT));
    incomplete(without(certificate(), attribute::VALUE));
    incomplete(without(small_rsa(Class::PublicKey), attribute::MODULUS));
    incomplete(without(small_rsa(Class::PublicKey), attribute::PUBLIC_EXPONENT));
    incomplete(without(small_rsa(Class::PrivateKey), attribute::MODULUS));
    incomplete(without(small_rsa(Class::PrivateKey), attribute::PRIVATE_EXPONENT));
    incomplete(without(ed25519(), attribute::EC_PARAMS));
    incomplete(without(ed25519(), attribute::VALUE));
}

#[test]
fn a_template_is_judged_before_anything_is_made() {
    let judge = |given: &Template, class, key_type, birth| {
        admit(given, Species::key(class, key_type), birth, &DENIED).map_err(|error| error.rv)
    };
    let public = |given: &Template, key_type| {
        judge(given, Class::PublicKey, key_type, Birth::GeneratePublic)
    };
    let empty = Template::default();
    assert_eq!(public(&empty, KeyType::Rsa), Err(Rv::TemplateIncomplete));
    assert_eq!(public(&empty, KeyType::Ec), Err(Rv::TemplateIncomplete));
    let aes = |given: &Template| judge(given, Class::SecretKey, KeyType::Aes, Birth::Generate);
    assert_eq!(aes(&empty), Err(Rv::TemplateIncomplete));
    let mut given = Template::default();
    given.set(attribute::VALUE_LEN, 16);
    assert_eq!(aes(&given), Ok(()));
    given.set(attribute::VALUE, secret(&[0; 16]));
    assert_eq!(aes(&given), Err(Rv::AttributeReadOnly));
    given.remove(attribute::VALUE.id);
    given.set(attribute::KEY_TYPE, KeyType::GenericSecret.code());
    assert_eq!(aes(&given), Err(Rv::TemplateInconsistent));
    let private =
        |given: &Template| judge(given, Class::PrivateKey, KeyType::Rsa, Birth::GeneratePrivate);
    assert_eq!(private(&empty), Ok(()));
    let readable =
        [(attribute::TOKEN, true), (attribute::SENSITIVE, false), (attribute::EXTRACTABLE, true)];
    assert_eq!(private(&flags(&readable)), Err(Rv::TemplateInconsistent));
    assert_eq!(private(&flags(&[(attribute::VERIFY, true)])), Err(Rv::TemplateInconsistent));
}

#[test]
fn classes_and_types_that_are_not_offered_are_refused() {
    for class in [
        cryptoki::CKO_HW_FEATURE,
        cryptoki::CKO_MECHANISM,
        cryptoki::CKO_PROFILE,
        cryptoki::CKO_VALIDATION,
        cryptoki::CKO_VENDOR_DEFINED,
        u64::MAX,
    ] {
        let mut template = Template::default();
        template.set(attribute::CLASS, class);
        assert_eq!(refused(create(template)), Rv::AttributeValueInvalid, "{class:#x}");
    }
    for key_type in [cryptoki::CKK_DES3, cryptoki::CKK_X9_42_DH, cryptoki::CKK_VENDOR_DEFINED] {
        let mut template = aes();
        template.set(attribute::KEY_TYPE, key_type);
        assert_eq!(refused(create(template)), Rv::AttributeValueInvalid, "{key_type:#x}");
    }
    let mut template = aes();
    template.set(attribute::KEY_TYPE, KeyType::Rsa.code());
    assert_eq!(refused(create(template)), Rv::TemplateInconsistent);
    let mut template = certificate();
    template.set(attribute::CERTIFICATE_TYPE, cryptoki::CKC_WTLS);
    assert_eq!(refused(create(template)), Rv::AttributeValueInvalid);
}

#[test]
fn attributes_of_other_classes_are_inconsistent() {
    let foreign = flags(&[(attribute::SIGN, true)]);
    for (id, value) in foreign {
        let mut template = of_class(Class::Data);
        template.put(id, value);
        assert_eq!(refused(create(template)), Rv::TemplateInconsistent);
    }
    let mut template = aes();
    template.set(attribute::MODULUS, vec![1]);
    assert_eq!(refused(create(template)), Rv::TemplateInconsistent);
    let mut template = aes();
    template.put(0x8000_0001, Value::Bytes(vec![]));
    assert_eq!(refused(create(template)), Rv::AttributeTypeInvalid);
}

#[test]
fn templates_nest_once() {
    let mut inner = Template::default();
    inner.set(attribute::KEY_TYPE, 0x2b);
    inner.set(attribute::PUBLIC_EXPONENT, vec![1, 0, 1]);
    let mut template = aes();
    template.set(attribute::WRAP_TEMPLATE, inner.try_clone().expect("memory"));
    let key = created(template);
    assert!(key.get(attribute::WRAP_TEMPLATE).is_some_and(|kept| kept.same(&inner)));
    let mut outer = Template::default();
    outer.set(attribute::WRAP_TEMPLATE, inner);
    let mut template = aes();
    template.set(attribute::WRAP_TEMPLATE, outer);
    assert_eq!(refused(create(template)), Rv::TemplateInconsistent);
}

#[test]
fn always_authenticate_is_for_private_keys() {
    let asked = [(attribute::ALWAYS_AUTHENTICATE, true), (attribute::PRIVATE, false)];
    assert_eq!(refused(create(with(ed25519(), &asked))), Rv::TemplateInconsistent);
    let key = created(with(ed25519(), &[(attribute::ALWAYS_AUTHENTICATE, true)]));
    assert!(key.is_set(attribute::ALWAYS_AUTHENTICATE));
}

#[test]
fn trust_is_given_by_the_security_officer() {
    let trusted = || with(certificate(), &[(attribute::TRUSTED, true)]);
    assert_eq!(refused(create(trusted())), Rv::AttributeReadOnly);
    let object = complete(trusted(), Birth::Create, &OFFICER).expect("trusted");
    assert!(object.is_set(attribute::TRUSTED));
    let object = created(certificate());
    let trust = flags(&[(attribute::TRUSTED, true)]);
    assert_eq!(refused(change(&object, &trust, &STANDARD)), Rv::AttributeReadOnly);
    let trusted = change(&object, &trust, &OFFICER).expect("trusted");
    assert!(trusted.is_set(attribute::TRUSTED));
    let label = Template::default();
    let copied = copy(&trusted, &label, &STANDARD).expect("a copy");
    assert!(copied.is_set(attribute::TRUSTED));
}

#[test]
fn the_policy_keeps_token_keys_unreadable() {
    let ask = |asked: &[(Attr<bool>, bool)], context: &Context| {
        let template = with(with(ed25519(), &[(attribute::TOKEN, true)]), asked);
        complete(template, Birth::Create, context)
    };
    let (sensitive, extractable) = (attribute::SENSITIVE, attribute::EXTRACTABLE);
    let readable = [(sensitive, false), (extractable, true)];
    assert_eq!(refused(ask(&readable, &DENIED)), Rv::TemplateInconsistent);
    ask(&readable, &STANDARD).expect("the standard allows it");
    assert_eq!(refused(ask(&[(extractable, true)], &DENIED)), Rv::TemplateInconsistent);
    let trusted = [(extractable, true), (attribute::WRAP_WITH_TRUSTED, true)];
    ask(&trusted, &DENIED).expect("wrapped by trusted keys only");
    ask(&[(sensitive, false)], &DENIED).expect("not extractable, so not readable");
    ask(&[(sensitive, true), (extractable, false)], &DENIED).expect("kept");
    let session = with(ed25519(), &readable);
    complete(session, Birth::Create, &DENIED).expect("session keys are the application's");
}

#[test]
fn token_keys_get_an_id_and_session_keys_keep_none() {
    let key = created(with(ed25519(), &[(attribute::TOKEN, true)]));
    assert_eq!(key.get(attribute::ID).map(<[u8]>::len), Some(20));
    assert!(!created(ed25519()).contains(attribute::ID.id));
    let mut chosen = with(ed25519(), &[(attribute::TOKEN, true)]);
    chosen.set(attribute::ID, vec![1]);
    assert_eq!(created(chosen).get(attribute::ID), Some(&[1][..]));
    assert!(!created(with(aes(), &[(attribute::TOKEN, true)])).contains(attribute::ID.id));
}
