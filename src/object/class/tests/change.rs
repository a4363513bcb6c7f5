//! Tests of `C_SetAttributeValue` and `C_CopyObject`.

use super::{DENIED, STANDARD, aes, created, ed25519, flags, of_class, refused, with};
use crate::error::Rv;
use crate::object::attribute::{self, Attr};
use crate::object::class::Class;
use crate::object::class::change::{change, copy};
use crate::object::template::{Template, Value};

#[test]
fn sticky_flags_go_one_way() {
    let key =
        created(with(aes(), &[(attribute::SENSITIVE, false), (attribute::EXTRACTABLE, true)]));
    for (name, to, back) in [
        (attribute::SENSITIVE, true, false),
        (attribute::WRAP_WITH_TRUSTED, true, false),
        (attribute::EXTRACTABLE, false, true),
        (attribute::COPYABLE, false, true),
    ] {
        let same = change(&key, &flags(&[(name, back)]), &STANDARD).expect("no change");
        let moved = change(&same, &flags(&[(name, to)]), &STANDARD).expect("moved");
        assert_eq!(moved.get(name), Some(to), "{}", name.name);
        for value in [to, back] {
            let outcome = change(&moved, &flags(&[(name, value)]), &STANDARD);
            assert_eq!(refused(outcome), Rv::AttributeReadOnly, "{} {value}", name.name);
        }
    }
}

#[test]
fn a_change_is_whole_or_not_made() {
    let key = created(with(aes(), &[(attribute::SENSITIVE, true)]));
    let mut changes = flags(&[(attribute::SENSITIVE, true)]);
    changes.set(attribute::LABEL, b"new".to_vec());
    assert_eq!(refused(change(&key, &changes, &STANDARD)), Rv::AttributeReadOnly);
    assert!(!key.contains(attribute::LABEL.id));
    for (id, value) in [
        (attribute::CLASS.id, Value::Ulong(Class::SecretKey.code())),
        (attribute::TOKEN.id, Value::Bool(false)),
        (attribute::PRIVATE.id, Value::Bool(true)),
        (attribute::MODIFIABLE.id, Value::Bool(true)),
        (attribute::LOCAL.id, Value::Bool(false)),
        (attribute::ALLOWED_MECHANISMS.id, Value::Ulongs(vec![])),
    ] {
        let mut changes = Template::default();
        changes.put(id, value);
        let outcome = change(&key, &changes, &STANDARD);
        assert_eq!(refused(outcome), Rv::AttributeReadOnly, "{}", attribute::name(id));
    }
    for id in [attribute::MODULUS.id, attribute::APPLICATION.id, 0x8000_0001] {
        let mut changes = Template::default();
        changes.put(id, Value::Bytes(vec![]));
        assert_eq!(refused(change(&key, &changes, &STANDARD)), Rv::AttributeTypeInvalid);
    }
    let fixed = created(with(aes(), &[(attribute::MODIFIABLE, false)]));
    let mut label = Template::default();
    label.set(attribute::LABEL, b"new".to_vec());
    assert_eq!(refused(change(&fixed, &label, &STANDARD)), Rv::ActionProhibited);
}

#[test]
fn copies_change_what_copies_may() {
    let mut template = of_class(Class::Data);
    template.set(attribute::OBJECT_ID, b"one".to_vec());
    let mut object = created(template);
    object.set(attribute::UNIQUE_ID, b"unique".to_vec());
    let mut changes = flags(&[
        (attribute::TOKEN, true),
        (attribute::PRIVATE, true),
        (attribute::MODIFIABLE, false),
        (attribute::DESTROYABLE, false),
    ]);
    changes.set(attribute::LABEL, b"copy".to_vec());
    let made = copy(&object, &changes, &STANDARD).expect("a copy");
    assert!(made.matches(&changes));
    assert!(!made.contains(attribute::UNIQUE_ID.id));
    for (id, value) in [
        (attribute::CLASS.id, Value::Ulong(Class::Data.code())),
        (attribute::OBJECT_ID.id, Value::Bytes(b"one".to_vec())),
        (attribute::UNIQUE_ID.id, Value::Bytes(b"unique".to_vec())),
    ] {
        let mut changes = Template::default();
        changes.put(id, value);
        let outcome = copy(&object, &changes, &STANDARD);
        assert_eq!(refused(outcome), Rv::AttributeReadOnly, "{}", attribute::name(id));
    }
    let public = flags(&[(attribute::PRIVATE, false)]);
    assert_eq!(refused(copy(&made, &public, &STANDARD)), Rv::TemplateInconsistent);
    let single = created(with(of_class(Class::Data), &[(attribute::COPYABLE, false)]));
    assert_eq!(refused(copy(&single, &public, &STANDARD)), Rv::ActionProhibited);
}

#[test]
fn copies_are_never_less_secret() {
    let key =
        created(with(aes(), &[(attribute::SENSITIVE, true), (attribute::EXTRACTABLE, false)]));
    for (name, worse) in [(attribute::SENSITIVE, false), (attribute::EXTRACTABLE, true)] {
        let outcome = copy(&key, &flags(&[(name, worse)]), &STANDARD);
        assert_eq!(refused(outcome), Rv::AttributeReadOnly, "{}", name.name);
        copy(&key, &flags(&[(name, !worse)]), &STANDARD).expect("as it is");
    }
    let open =
        created(with(aes(), &[(attribute::SENSITIVE, false), (attribute::EXTRACTABLE, true)]));
    let hidden = flags(&[(attribute::SENSITIVE, true), (attribute::EXTRACTABLE, false)]);
    let made = copy(&open, &hidden, &STANDARD).expect("a copy");
    assert_eq!(made.get(attribute::ALWAYS_SENSITIVE), Some(false), "it was readable once");
    assert_eq!(made.get(attribute::NEVER_EXTRACTABLE), Some(false));
}

#[test]
fn the_policy_hardens_copies_that_go_to_the_token() {
    let (sensitive, extractable) = (attribute::SENSITIVE, attribute::EXTRACTABLE);
    let key = created(with(ed25519(), &[(sensitive, false), (extractable, true)]));
    let to_token = |asked: &[(Attr<bool>, bool)]| with(flags(&[(attribute::TOKEN, true)]), asked);
    let made = copy(&key, &to_token(&[]), &DENIED).expect("a copy");
    assert_eq!((made.get(sensitive), made.get(extractable)), (Some(true), Some(false)));
    let made = copy(&key, &to_token(&[(sensitive, false)]), &DENIED).expect("a copy");
    assert_eq!((made.get(sensitive), made.get(extractable)), (Some(false), Some(false)));
    for asked in [&[(sensitive, false), (extractable, true)][..], &[(extractable, true)]] {
        let outcome = copy(&key, &to_token(asked), &DENIED);
        assert_eq!(refused(outcome), Rv::TemplateInconsistent);
    }
    let trusted = [(extractable, true), (attribute::WRAP_WITH_TRUSTED, true)];
    copy(&key, &to_token(&trusted), &DENIED).expect("wrapped by trusted keys only");
    let made = copy(&key, &to_token(&[]), &STANDARD).expect("a copy");
    assert_eq!((made.get(sensitive), made.get(extractable)), (Some(false), Some(true)));
    let made = copy(&key, &flags(&[]), &DENIED).expect("a copy in the session");
    assert_eq!((made.get(sensitive), made.get(extractable)), (Some(false), Some(true)));
}
