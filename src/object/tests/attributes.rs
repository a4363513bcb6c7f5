//! Tests of the attribute table, of values and of templates.

use std::sync::Arc;

use super::secret;
use crate::cryptoki;
use crate::error::Rv;
use crate::object::attribute::{self, Kind, RULES, Typed, parse, rule};
use crate::object::template::{Defaults, Plain, Template, Value};

/// Attributes of PKCS#11 3.2 that this token does not know: those of hardware features, domain
/// parameters, OTP, GOST, CMS, HSS, validation, trust and post-quantum objects, and old ones.
static NOT_SUPPORTED: &[u64] = &[
    cryptoki::CKA_AC_ISSUER,
    cryptoki::CKA_OWNER,
    cryptoki::CKA_ATTR_TYPES,
    cryptoki::CKA_SECONDARY_AUTH,
    cryptoki::CKA_AUTH_PIN_FLAGS,
    cryptoki::CKA_OTP_TIME_INTERVAL,
    cryptoki::CKA_GOSTR3410_PARAMS,
    cryptoki::CKA_GOSTR3411_PARAMS,
    cryptoki::CKA_GOST28147_PARAMS,
    cryptoki::CKA_HW_FEATURE_TYPE,
    cryptoki::CKA_RESET_ON_INIT,
    cryptoki::CKA_HAS_RESET,
    cryptoki::CKA_PIXEL_X,
    cryptoki::CKA_PIXEL_Y,
    cryptoki::CKA_RESOLUTION,
    cryptoki::CKA_CHAR_ROWS,
    cryptoki::CKA_CHAR_COLUMNS,
    cryptoki::CKA_COLOR,
    cryptoki::CKA_BITS_PER_PIXEL,
    cryptoki::CKA_CHAR_SETS,
    cryptoki::CKA_ENCODING_METHODS,
    cryptoki::CKA_MIME_TYPES,
    cryptoki::CKA_MECHANISM_TYPE,
    cryptoki::CKA_REQUIRED_CMS_ATTRIBUTES,
    cryptoki::CKA_DEFAULT_CMS_ATTRIBUTES,
    cryptoki::CKA_SUPPORTED_CMS_ATTRIBUTES,
    cryptoki::CKA_X2RATCHET_BAG,
    cryptoki::CKA_X2RATCHET_BAGSIZE,
    cryptoki::CKA_X2RATCHET_BOBS1STMSG,
    cryptoki::CKA_X2RATCHET_CKR,
    cryptoki::CKA_X2RATCHET_CKS,
    cryptoki::CKA_X2RATCHET_DHP,
    cryptoki::CKA_X2RATCHET_DHR,
    cryptoki::CKA_X2RATCHET_DHS,
    cryptoki::CKA_X2RATCHET_HKR,
    cryptoki::CKA_X2RATCHET_HKS,
    cryptoki::CKA_X2RATCHET_ISALICE,
    cryptoki::CKA_X2RATCHET_NHKR,
    cryptoki::CKA_X2RATCHET_NHKS,
    cryptoki::CKA_X2RATCHET_NR,
    cryptoki::CKA_X2RATCHET_NS,
    cryptoki::CKA_X2RATCHET_PNS,
    cryptoki::CKA_X2RATCHET_RK,
    cryptoki::CKA_HSS_LEVELS,
    cryptoki::CKA_HSS_LMS_TYPE,
    cryptoki::CKA_HSS_LMOTS_TYPE,
    cryptoki::CKA_HSS_LMS_TYPES,
    cryptoki::CKA_HSS_LMOTS_TYPES,
    cryptoki::CKA_HSS_KEYS_REMAINING,
    cryptoki::CKA_OBJECT_VALIDATION_FLAGS,
    cryptoki::CKA_VALIDATION_TYPE,
    cryptoki::CKA_VALIDATION_VERSION,
    cryptoki::CKA_VALIDATION_LEVEL,
    cryptoki::CKA_VALIDATION_MODULE_ID,
    cryptoki::CKA_VALIDATION_FLAG,
    cryptoki::CKA_VALIDATION_AUTHORITY_TYPE,
    cryptoki::CKA_VALIDATION_COUNTRY,
    cryptoki::CKA_VALIDATION_CERTIFICATE_IDENTIFIER,
    cryptoki::CKA_VALIDATION_CERTIFICATE_URI,
    cryptoki::CKA_VALIDATION_VENDOR_URI,
    cryptoki::CKA_VALIDATION_PROFILE,
    cryptoki::CKA_VENDOR_DEFINED,
];
/// How many numbers of attributes the standard's header has, `CKA_VENDOR_DEFINED` included.
const IN_THE_HEADER: usize = 158;

#[test]
fn every_attribute_of_the_standard_is_known_or_on_the_list() {
    let mut all: Vec<u64> = RULES.iter().map(|rule| rule.id).collect();
    assert!(all.is_sorted(), "the table is in the order of the numbers");
    let ours = RULES.iter().filter(|rule| rule.name.starts_with("CKA_CLAVIGER_")).count();
    all.extend(NOT_SUPPORTED);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), RULES.len() + NOT_SUPPORTED.len(), "none stands twice");
    assert_eq!(all.len() - ours, IN_THE_HEADER);
}

#[test]
fn the_name_is_the_standards() {
    assert_eq!(attribute::EC_POINT.name, "CKA_EC_POINT");
    assert_eq!(attribute::name(attribute::EC_POINT.id), "CKA_EC_POINT");
    assert_eq!(attribute::VALUE.id, attribute::PUBLIC_VALUE.id);
    assert_eq!(rule(attribute::VALUE.id).map(|rule| rule.kind), Some(Kind::Hidden));
    assert_eq!(<attribute::Date as Typed>::KIND, Kind::Date);
}

#[test]
fn values_of_the_wrong_form_are_refused() {
    let refused = |id, bytes: &[u8]| parse(id, bytes).expect_err("no value").rv;
    for flag in [&[][..], &[2], &[0xff], &[1, 0], &[1, 0, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(refused(attribute::TOKEN.id, flag), Rv::AttributeValueInvalid, "{flag:?}");
    }
    for number in [&[][..], &[0; 4], &[0; 7], &[0; 9], &[0; 16]] {
        let refused = refused(attribute::KEY_TYPE.id, number);
        assert_eq!(refused, Rv::AttributeValueInvalid, "{number:?}");
    }
    for date in [&b"2026112"[..], b"202611211", b"2026-1-1", b"2026112\0"] {
        let refused = refused(attribute::START_DATE.id, date);
        assert_eq!(refused, Rv::AttributeValueInvalid, "{date:?}");
    }
    assert_eq!(refused(attribute::ALLOWED_MECHANISMS.id, &[0; 9]), Rv::AttributeValueInvalid);
    assert_eq!(refused(attribute::WRAP_TEMPLATE.id, &[0; 24]), Rv::AttributeValueInvalid);
    for unknown in [cryptoki::CKA_VENDOR_DEFINED, 0x8000_1234, u64::MAX, cryptoki::CKA_COLOR] {
        assert_eq!(refused(unknown, &[1]), Rv::AttributeTypeInvalid, "{unknown:#x}");
    }
}

#[test]
fn values_are_shown_as_they_came() {
    let mut mechanisms = Vec::new();
    mechanisms.extend(1u64.to_ne_bytes());
    mechanisms.extend(0x251u64.to_ne_bytes());
    for (id, bytes) in [
        (attribute::SIGN.id, &[1][..]),
        (attribute::SIGN.id, &[0]),
        (attribute::CLASS.id, &3u64.to_ne_bytes()),
        (attribute::LABEL.id, b"a label"),
        (attribute::LABEL.id, b""),
        (attribute::VALUE.id, b"a value"),
        (attribute::START_DATE.id, b"20261121"),
        (attribute::START_DATE.id, b""),
        (attribute::ALLOWED_MECHANISMS.id, &mechanisms),
        (attribute::ALLOWED_MECHANISMS.id, b""),
        (attribute::WRAP_TEMPLATE.id, b""),
    ] {
        let value = parse(id, bytes).expect("a value");
        value.expose(|shown| assert_eq!(shown, bytes, "{id:#x}"));
    }
    let value = parse(attribute::PRIME_1.id, b"prime").expect("a value");
    assert!(!format!("{value:?}").contains("112"), "a secret is not printed: {value:?}");
    assert!(matches!(value, Value::Secret(_)));
}

#[test]
fn a_template_takes_an_attribute_twice_only_if_equal() {
    let mut template = Template::default();
    let label = || Value::Bytes(b"one".to_vec());
    template.insert(attribute::LABEL.id, label()).expect("the first");
    template.insert(attribute::LABEL.id, label()).expect("the same again");
    let other = Value::Bytes(b"two".to_vec());
    let refused = template.insert(attribute::LABEL.id, other).expect_err("another");
    assert_eq!(refused.rv, Rv::TemplateInconsistent);
    assert_eq!(template.len(), 1);
    assert_eq!(template.get(attribute::LABEL), Some(&b"one"[..]));
}

#[test]
fn what_is_missing_is_named() {
    let refused = Template::default().require(attribute::MODULUS_BITS).expect_err("missing");
    assert_eq!((refused.rv, &*refused.why), (Rv::TemplateIncomplete, "CKA_MODULUS_BITS"));
}

#[test]
fn templates_are_in_order_whatever_order_they_came_in() {
    let mut template = Template::default();
    template.set(attribute::ID, vec![1]);
    template.set(attribute::CLASS, 2);
    template.set(attribute::LABEL, vec![]);
    template.set(attribute::CLASS, 3);
    template.put(attribute::TOKEN.id, Value::Bool(true));
    let ids: Vec<u64> = template.iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [0, 1, 3, 0x102]);
    assert_eq!(template.get(attribute::CLASS), Some(3));
    assert!(template.remove(attribute::CLASS.id).is_some());
    assert!(template.remove(attribute::CLASS.id).is_none());
    assert!(!template.contains(attribute::CLASS.id));
}

#[test]
fn defaults_stand_behind_what_a_template_has_of_its_own() {
    let defaults = Arc::new(Defaults::of([
        (attribute::SIGN.id, Plain::Bool(true)),
        (attribute::TOKEN.id, Plain::Bool(false)),
        (attribute::FORMAT.id, Plain::Ulong(1)),
    ]));
    let mut template = Template::default();
    template.set(attribute::LABEL, b"x".to_vec());
    template.set(attribute::TOKEN, true);
    template.set_defaults(Arc::clone(&defaults));
    assert_eq!(template.get(attribute::TOKEN), Some(true));
    assert_eq!(template.get(attribute::SIGN), Some(true));
    assert_eq!(template.get(attribute::FORMAT), Some(1));
    assert!(!template.contains(attribute::ID.id));
    let in_order = [attribute::TOKEN.id, attribute::LABEL.id, attribute::SIGN.id];
    let in_order = [&in_order[..], &[attribute::FORMAT.id]].concat();
    assert_eq!(template.iter().map(|(id, _)| id).collect::<Vec<_>>(), in_order);
    assert_eq!(template.len(), 4);

    // What is written goes to one template, not to those that share the defaults.
    let mut other = template.try_clone().expect("memory");
    assert!(other.same(&template));
    other.set(attribute::SIGN, false);
    assert!(!other.same(&template));
    assert!(template.is_set(attribute::SIGN));
    assert!(other.insert(attribute::FORMAT.id, Value::Ulong(2)).is_err());

    // What is taken out does not come back as a default.
    assert!(matches!(other.remove(attribute::TOKEN.id), Some(Value::Bool(true))));
    assert!(!other.contains(attribute::TOKEN.id));
    assert!(matches!(other.remove(attribute::FORMAT.id), Some(Value::Ulong(1))));
    assert_eq!(other.len(), 2);

    let mut bare = Template::default();
    assert!(bare.is_empty());
    bare.set_defaults(defaults);
    assert!(!bare.is_empty());
    let owned: Vec<u64> = template.into_iter().map(|(id, _)| id).collect();
    assert_eq!(owned, in_order);
}

#[test]
fn secrets_and_bytes_are_equal_if_their_bytes_are() {
    let own = Value::Bytes(b"value".to_vec());
    assert!(own.same(&Value::Secret(secret(b"value"))));
    assert!(!own.same(&Value::Secret(secret(b"valu"))));
    assert!(Value::Secret(secret(b"x")).same(&Value::Secret(secret(b"x"))));
    assert!(!Value::Nested(Template::default()).same(&Value::Bytes(vec![])));
    let mut inner = Template::default();
    inner.set(attribute::SIGN, true);
    let outer = Value::Nested(inner.try_clone().expect("memory"));
    assert!(outer.same(&Value::Nested(inner)));
    assert!(!outer.same(&Value::Nested(Template::default())));
}
