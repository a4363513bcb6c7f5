//! Tests of attributes, templates, encodings and of what is computed, through their interfaces.

use super::attribute::{self, Kind, RULES, Typed, parse, rule};
use super::class::change;
use super::class::reading::{Answer, readable};
use super::class::{Birth, Class, Context, KeyType, Species, admit, complete};
use super::codec::{decode, encode};
use super::curve::{CurveName, curve_of, identifier, point_of, written_point};
use super::material::{material_of, pair, private_template, public_template};
use super::template::{Template, Value};
use super::{Object, Prepared};
use crate::cryptoki;
use crate::custody::software::Software;
use crate::custody::{Custodian, KeyKind, KeyMaterial, KeySpec, SignPrimitive};
use crate::engine::aws_lc::ec::Curve;
use crate::engine::ed25519::Variant;
use crate::engine::hash::{Digest, digest};
use crate::error::Rv;
use crate::secret::Secret;

/// Attributes of PKCS#11 3.2 that this token does not know: those of hardware features, domain
/// parameters, OTP, GOST, CMS, HSS, validation, trust and post-quantum objects, and old ones.
static NOT_SUPPORTED: &[u64] = &[
    cryptoki::CKA_AC_ISSUER,
    cryptoki::CKA_OWNER,
    cryptoki::CKA_ATTR_TYPES,
    cryptoki::CKA_PRIME,
    cryptoki::CKA_SUBPRIME,
    cryptoki::CKA_BASE,
    cryptoki::CKA_PRIME_BITS,
    cryptoki::CKA_SUBPRIME_BITS,
    cryptoki::CKA_VALUE_BITS,
    cryptoki::CKA_SECONDARY_AUTH,
    cryptoki::CKA_AUTH_PIN_FLAGS,
    cryptoki::CKA_OTP_FORMAT,
    cryptoki::CKA_OTP_LENGTH,
    cryptoki::CKA_OTP_TIME_INTERVAL,
    cryptoki::CKA_OTP_USER_FRIENDLY_MODE,
    cryptoki::CKA_OTP_CHALLENGE_REQUIREMENT,
    cryptoki::CKA_OTP_TIME_REQUIREMENT,
    cryptoki::CKA_OTP_COUNTER_REQUIREMENT,
    cryptoki::CKA_OTP_PIN_REQUIREMENT,
    cryptoki::CKA_OTP_COUNTER,
    cryptoki::CKA_OTP_TIME,
    cryptoki::CKA_OTP_USER_IDENTIFIER,
    cryptoki::CKA_OTP_SERVICE_IDENTIFIER,
    cryptoki::CKA_OTP_SERVICE_LOGO,
    cryptoki::CKA_OTP_SERVICE_LOGO_TYPE,
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
    cryptoki::CKA_PROFILE_ID,
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
    cryptoki::CKA_PARAMETER_SET,
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
    cryptoki::CKA_ENCAPSULATE_TEMPLATE,
    cryptoki::CKA_DECAPSULATE_TEMPLATE,
    cryptoki::CKA_TRUST_SERVER_AUTH,
    cryptoki::CKA_TRUST_CLIENT_AUTH,
    cryptoki::CKA_TRUST_CODE_SIGNING,
    cryptoki::CKA_TRUST_EMAIL_PROTECTION,
    cryptoki::CKA_TRUST_IPSEC_IKE,
    cryptoki::CKA_TRUST_TIME_STAMPING,
    cryptoki::CKA_TRUST_OCSP_SIGNING,
    cryptoki::CKA_HASH_OF_CERTIFICATE,
    cryptoki::CKA_PUBLIC_CRC64_VALUE,
    cryptoki::CKA_SEED,
    cryptoki::CKA_VENDOR_DEFINED,
];
/// How many numbers of attributes the standard's header has, `CKA_VENDOR_DEFINED` included.
const IN_THE_HEADER: usize = 158;

pub(super) fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes).expect("memory")
}

const STANDARD: Context = Context { so: false, export_denied: false, mechanism: None };

#[test]
fn every_attribute_of_the_standard_is_known_or_on_the_list() {
    let mut all: Vec<u64> = RULES.iter().map(|rule| rule.id).collect();
    assert!(all.is_sorted(), "the table is in the order of the numbers");
    all.extend(NOT_SUPPORTED);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), RULES.len() + NOT_SUPPORTED.len(), "none stands twice");
    assert_eq!(all.len(), IN_THE_HEADER);
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
    template.set_default(attribute::CLASS, 4);
    template.set_default(attribute::TOKEN, true);
    let ids: Vec<u64> = template.iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [0, 1, 3, 0x102]);
    assert_eq!(template.get(attribute::CLASS), Some(3));
    assert!(template.remove(attribute::CLASS.id).is_some());
    assert!(template.remove(attribute::CLASS.id).is_none());
    assert!(!template.contains(attribute::CLASS.id));
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

/// One attribute of every kind.
fn motley(private: bool) -> Template {
    let mut inner = Template::default();
    inner.set(attribute::KEY_TYPE, 0x2b);
    inner.set(attribute::VALUE, secret(b"inner"));
    inner.set(attribute::ALLOWED_MECHANISMS, vec![1]);
    let mut template = Template::default();
    template.set(attribute::PRIVATE, private);
    template.set(attribute::CLASS, Class::SecretKey.code());
    template.set(attribute::LABEL, b"label".to_vec());
    template.set(attribute::ID, vec![]);
    template.set(attribute::VALUE, secret(b"the secret value"));
    template.set(attribute::ALLOWED_MECHANISMS, vec![0x251, u64::MAX]);
    template.set(attribute::START_DATE, b"20261121".to_vec());
    template.set(attribute::WRAP_TEMPLATE, inner);
    template.set(attribute::UNWRAP_TEMPLATE, Template::default());
    template
}

#[test]
fn what_is_encoded_is_decoded() {
    for private in [false, true] {
        let template = motley(private);
        let encoded = encode(&template).expect("encoded");
        let decoded = decode(&encoded.clear, Some(&encoded.secret)).expect("decoded");
        assert!(decoded.same(&template), "{decoded:?}");
        assert!(matches!(decoded.value(attribute::VALUE.id), Some(Value::Secret(_))));
        let again = encode(&decoded).expect("encoded");
        assert_eq!(again.clear, encoded.clear, "one encoding only");
        let clear = decode(&encoded.clear, None).expect("the clear part alone");
        assert!(!clear.contains(attribute::VALUE.id));
        assert_eq!(clear.is_empty(), private, "of private objects everything is sealed");
    }
}

#[test]
fn the_encoding_is_the_documented_one() {
    let mut template = Template::default();
    template.set(attribute::LABEL, b"ab".to_vec());
    template.set(attribute::TOKEN, true);
    let encoded = encode(&template).expect("encoded");
    let expected = [
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1][..],
        &[3, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, b'a', b'b'],
    ]
    .concat();
    assert_eq!(encoded.clear, expected);
    encoded.secret.expose(|bytes| assert_eq!(bytes, [1]));
}

#[test]
fn damaged_bytes_are_refused_and_never_misread() {
    let encoded = encode(&motley(false)).expect("encoded");
    for len in 0..encoded.clear.len() {
        if let Ok(cut) = decode(&encoded.clear[..len], None) {
            assert!(cut.len() < 8, "only whole attributes are read");
        }
    }
    for place in 0..encoded.clear.len() {
        for bit in 0..8 {
            let mut bytes = encoded.clear.clone();
            bytes[place] ^= 1 << bit;
            if let Ok(template) = decode(&bytes, None) {
                // What is read is still in its one form.
                let mut template = template;
                template.set(attribute::PRIVATE, false);
                encode(&template).expect("encoded");
            }
        }
    }
    let both = encode(&motley(true)).expect("encoded");
    let refused = both.secret.expose(|bytes| decode(bytes, Some(&both.secret)));
    assert_eq!(refused.expect_err("everything twice").rv, Rv::DeviceError);
    for bytes in [
        &[][..],
        &[0],
        &[2],
        &[1, 0],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert_eq!(decode(bytes, None).expect_err("damaged").rv, Rv::DeviceError, "{bytes:?}");
    }
}

#[test]
fn curves_have_names_and_numbers() {
    let printable = |name: &str| {
        let mut der = vec![0x13, u8::try_from(name.len()).expect("short")];
        der.extend(name.as_bytes());
        der
    };
    for (curve, names) in [
        (CurveName::Nist(Curve::P256), &["secp256r1", "prime256v1", "P-256"][..]),
        (CurveName::Nist(Curve::P384), &["secp384r1", "P-384"]),
        (CurveName::Nist(Curve::P521), &["secp521r1", "P-521"]),
        (CurveName::Edwards25519, &["edwards25519"]),
    ] {
        assert_eq!(curve_of(identifier(curve)), Ok(curve));
        for name in names {
            assert_eq!(curve_of(&printable(name)), Ok(curve), "{name}");
        }
    }
    let refused = |params: &[u8]| curve_of(params).expect_err("no curve").rv;
    for name in ["secp256k1", "edwards448", "curve25519", "P-25"] {
        assert_eq!(refused(&printable(name)), Rv::CurveNotSupported, "{name}");
    }
    let secp256k1 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
    assert_eq!(refused(&secp256k1), Rv::CurveNotSupported);
    for params in [
        &[][..],
        &[5, 0],
        &[6, 0],
        &[0x13, 0],
        &[0x30, 3, 2, 1, 1],
        &[6, 4, 0x2b, 0x65, 0x70],
        &[6, 3, 0x2b, 0x65, 0x70, 0],
        b"P-256",
    ] {
        assert_eq!(refused(params), Rv::DomainParamsInvalid, "{params:?}");
    }
}

#[test]
fn points_are_read_in_every_usual_form() {
    for curve in [Curve::P256, Curve::P384, Curve::P521] {
        let material = Software.generate(&KeySpec::Ec(curve)).expect("a pair");
        let KeyMaterial::Ec { point, .. } = material else { panic!("another kind") };
        let name = CurveName::Nist(curve);
        let written = written_point(name, &point);
        let mut compressed = vec![2 + point[point.len() - 1] % 2];
        compressed.extend(&point[1..=curve.field_len()]);
        for given in [&point, &written, &compressed, &written_point(name, &compressed)] {
            assert_eq!(point_of(name, given).as_ref(), Ok(&point), "{curve:?}");
        }
        let mut off = point.clone();
        *off.last_mut().expect("bytes") ^= 1;
        for bad in [&off[..], &written_point(name, &off), &point[1..], &[], &[4, 1, 0], &[0]] {
            let refused = point_of(name, bad).expect_err("no point").rv;
            assert_eq!(refused, Rv::AttributeValueInvalid);
        }
    }
    let material = Software.generate(&KeySpec::Ed25519).expect("a pair");
    let KeyMaterial::Ed25519 { public, .. } = material else { panic!("another kind") };
    let name = CurveName::Edwards25519;
    let octets = [&[4, 32][..], &public].concat();
    let bits = [&[3, 33, 0][..], &public].concat();
    for given in [&public[..], &octets, &bits] {
        assert_eq!(point_of(name, given), Ok(public.to_vec()));
    }
    assert_eq!(written_point(name, &public), public);
    assert!(point_of(name, &[0; 32]).is_err(), "a point of small order");
    assert!(point_of(name, &public[1..]).is_err());
}

/// Makes a pair as C_GenerateKeyPair does, with nothing asked for but what must be.
fn generated(spec: &KeySpec) -> (Template, Template) {
    let material = Software.generate(spec).expect("a pair");
    let mut public = Template::default();
    match spec {
        KeySpec::Rsa { .. } => public.set(attribute::MODULUS_BITS, 1024),
        KeySpec::Ec(curve) => {
            let params = identifier(CurveName::Nist(*curve)).to_vec();
            public.set(attribute::EC_PARAMS, params);
        }
        KeySpec::Ed25519 => public.set(attribute::EC_PARAMS, b"\x13\x0cedwards25519".to_vec()),
    }
    let private = Template::default();
    let context = Context { mechanism: Some(7), ..STANDARD };
    let key_type = match spec {
        KeySpec::Rsa { .. } => KeyType::Rsa,
        KeySpec::Ec(_) => KeyType::Ec,
        KeySpec::Ed25519 => KeyType::EcEdwards,
    };
    for (template, class, birth) in [
        (&public, Class::PublicKey, Birth::GeneratePublic),
        (&private, Class::PrivateKey, Birth::GeneratePrivate),
    ] {
        admit(template, Species::key(class, key_type), birth, &context).expect("admitted");
    }
    let (public, private) = pair(&public, &private, &material).expect("both");
    let public = complete(public, Birth::GeneratePublic, &context).expect("public");
    (public, complete(private, Birth::GeneratePrivate, &context).expect("private"))
}

fn specs() -> [KeySpec; 5] {
    [
        KeySpec::Rsa { bits: 1024, exponent: vec![1, 0, 1] },
        KeySpec::Ec(Curve::P256),
        KeySpec::Ec(Curve::P384),
        KeySpec::Ec(Curve::P521),
        KeySpec::Ed25519,
    ]
}

#[test]
fn both_halves_of_a_pair_have_one_id_and_one_public_key() {
    for spec in specs() {
        let (public, private) = generated(&spec);
        let info = public.get(attribute::PUBLIC_KEY_INFO).expect("an SPKI");
        assert_eq!(private.get(attribute::PUBLIC_KEY_INFO), Some(info), "{spec:?}");
        let id = public.get(attribute::ID).expect("an id");
        assert_eq!(private.get(attribute::ID), Some(id));
        let bits = super::computed::subject_public_key(info).expect("its bits");
        assert_eq!(id, digest(Digest::Sha1, bits));
        assert_eq!(public.get(attribute::EC_PARAMS), private.get(attribute::EC_PARAMS));
        if let Some(point) = public.get(attribute::EC_POINT) {
            assert!(point.ends_with(bits), "{spec:?}");
        }
        assert_eq!(private.get(attribute::KEY_GEN_MECHANISM), Some(7));
        assert!(public.is_set(attribute::LOCAL) && private.is_set(attribute::LOCAL));
    }
}

#[test]
fn a_pair_signs_and_is_imported_again() {
    for spec in specs() {
        let (public, private) = generated(&spec);
        let key = Object::new(private.try_clone().expect("memory"));
        let Prepared::Private(signer) = key.prepared().expect("a key") else { panic!("{spec:?}") };
        let primitive = match signer.kind() {
            KeyKind::Rsa { .. } => SignPrimitive::Pkcs1(b"message"),
            KeyKind::Ec(_) => SignPrimitive::Ecdsa(b"message"),
            KeyKind::Ed25519 => {
                SignPrimitive::Ed25519 { variant: Variant::Pure, message: b"message" }
            }
        };
        let mut signature = vec![0; signer.kind().signature_len()];
        signer.sign(primitive, &mut signature).expect("a signature");
        let public = Object::new(public);
        match public.prepared().expect("a public key") {
            Prepared::Rsa(key) => key.verify_pkcs1(b"message", &signature),
            Prepared::Ec(key) => key.verify(b"message", &signature),
            Prepared::Ed25519(key) => key.verify(b"message", &signature),
            Prepared::Private(_) => panic!("a private key"),
        }
        .expect("the signature fits");
        let material = material_of(&private).expect("material");
        let made = private_template(&material).expect("attributes");
        assert!(private.matches(&made) || matches!(spec, KeySpec::Ed25519), "{spec:?}");
        let imported = complete(made, Birth::Create, &STANDARD).expect("imported");
        assert_eq!(
            imported.get(attribute::PUBLIC_KEY_INFO),
            private.get(attribute::PUBLIC_KEY_INFO)
        );
        let shown = public_template(&material);
        let imported = complete(shown, Birth::Create, &STANDARD).expect("imported");
        assert_eq!(
            imported.get(attribute::PUBLIC_KEY_INFO),
            public.attributes.get(attribute::PUBLIC_KEY_INFO)
        );
        assert!(!imported.is_set(attribute::LOCAL));
    }
}

#[test]
fn secret_keys_are_not_prepared() {
    let mut template = Template::default();
    template.set(attribute::CLASS, Class::SecretKey.code());
    template.set(attribute::KEY_TYPE, KeyType::Aes.code());
    template.set(attribute::VALUE, secret(&[0; 16]));
    let object = Object::new(complete(template, Birth::Create, &STANDARD).expect("a key"));
    let refused = object.prepared().err().expect("no half of a pair");
    assert_eq!(refused.rv, Rv::KeyTypeInconsistent);
    assert_eq!(object.species().map(|species| species.class), Ok(Class::SecretKey));
    assert!(object.is_set(attribute::ENCRYPT));
}

#[test]
fn an_id_given_to_one_half_holds_for_both() {
    let material = Software.generate(&KeySpec::Ed25519).expect("a pair");
    let mut with_id = Template::default();
    with_id.set(attribute::ID, vec![1]);
    let without = Template::default();
    for (public, private) in [(&with_id, &without), (&without, &with_id)] {
        let (public, private) = pair(public, private, &material).expect("both");
        assert_eq!(public.get(attribute::ID), Some(&[1][..]));
        assert_eq!(private.get(attribute::ID), Some(&[1][..]));
    }
    let mut other = Template::default();
    other.set(attribute::ID, vec![2]);
    let (public, private) = pair(&with_id, &other, &material).expect("both");
    assert_eq!(public.get(attribute::ID), Some(&[1][..]));
    assert_eq!(private.get(attribute::ID), Some(&[2][..]));
    let mut foreign = Template::default();
    foreign.set(attribute::KEY_TYPE, KeyType::Rsa.code());
    let refused = pair(&foreign, &without, &material).expect_err("another type");
    assert_eq!(refused.rv, Rv::TemplateInconsistent);
}

#[test]
fn a_session_key_gets_its_id_when_it_is_copied_to_the_token() {
    let (public, _) = generated(&KeySpec::Ec(Curve::P256));
    let id = public.get(attribute::ID).expect("an id").to_vec();
    let mut given = Template::default();
    for name in [attribute::EC_PARAMS, attribute::EC_POINT] {
        given.set(name, public.get(name).expect("there").to_vec());
    }
    given.set(attribute::CLASS, Class::PublicKey.code());
    given.set(attribute::KEY_TYPE, KeyType::Ec.code());
    let session = complete(given, Birth::Create, &STANDARD).expect("created");
    assert!(matches!(readable(&session, attribute::ID.id), Answer::Empty));
    let mut to_token = Template::default();
    to_token.set(attribute::TOKEN, true);
    let copy = change::copy(&session, &to_token, &STANDARD).expect("copied");
    assert_eq!(copy.get(attribute::ID), Some(&id[..]));
}
