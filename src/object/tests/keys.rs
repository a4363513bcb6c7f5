//! Tests of curves, points, pairs and what is computed of them, with real keys.

use super::secret;
use crate::custody::software::Software;
use crate::custody::{Custodian, KeyKind, KeyMaterial, KeySpec, PrivateKey, SignPrimitive};
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::ed25519::Variant;
use crate::engine::edwards::Edwards;
use crate::engine::hash::{Digest, digest};
use crate::engine::ml_kem::MlKem;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsa;
use crate::error::Rv;
use crate::object::class::change;
use crate::object::class::reading::{Answer, readable};
use crate::object::class::sets::ParameterSet;
use crate::object::class::{
    Birth, Class, Context, KeyType, Species, admit, check_halves, complete,
};
use crate::object::curve::{CurveName, curve_of, identifier, point_of, written_point};
use crate::object::material::{material_of, pair, private_template, public_template};
use crate::object::template::Template;
use crate::object::{Object, Prepared, attribute, computed};
use crate::secret::Secret;

const STANDARD: Context = Context::STANDARD;

#[test]
fn curves_have_names_and_numbers() {
    let printable = |name: &str| {
        let mut der = vec![0x13, u8::try_from(name.len()).expect("short")];
        der.extend(name.as_bytes());
        der
    };
    for (curve, names) in [
        (CurveName::Weierstrass(Curve::P256), &["secp256r1", "prime256v1", "P-256"][..]),
        (CurveName::Weierstrass(Curve::P384), &["secp384r1", "P-384"]),
        (CurveName::Weierstrass(Curve::P521), &["secp521r1", "P-521"]),
        (CurveName::Weierstrass(Curve::P224), &["secp224r1", "P-224"]),
        (CurveName::Weierstrass(Curve::Secp256k1), &["secp256k1"]),
        (CurveName::Weierstrass(Curve::Brainpool256), &["brainpoolP256r1"]),
        (CurveName::Weierstrass(Curve::Brainpool384), &["brainpoolP384r1"]),
        (CurveName::Weierstrass(Curve::Brainpool512), &["brainpoolP512r1"]),
        (CurveName::Edwards(Edwards::Ed25519), &["edwards25519"]),
        (CurveName::Edwards(Edwards::Ed448), &["edwards448", "Ed448"]),
        (CurveName::Montgomery(Montgomery::X25519), &["curve25519", "X25519"]),
        (CurveName::Montgomery(Montgomery::X448), &["curve448", "X448"]),
    ] {
        assert_eq!(curve_of(identifier(curve)), Ok(curve));
        for name in names {
            assert_eq!(curve_of(&printable(name)), Ok(curve), "{name}");
        }
    }
    let refused = |params: &[u8]| curve_of(params).expect_err("no curve").rv;
    for name in ["secp192r1", "brainpoolP224r1", "edwards", "curve255190", "P-25"] {
        assert_eq!(refused(&printable(name)), Rv::CurveNotSupported, "{name}");
    }
    let secp192r1 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01];
    assert_eq!(refused(&secp192r1), Rv::CurveNotSupported);
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
        let name = CurveName::Weierstrass(curve);
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
    let material = Software.generate(&KeySpec::Edwards(Edwards::Ed25519)).expect("a pair");
    let KeyMaterial::Edwards { public, .. } = material else { panic!("another kind") };
    let name = CurveName::Edwards(Edwards::Ed25519);
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
        KeySpec::Ec(curve) | KeySpec::EcWithExtraBits(curve) => {
            let params = identifier(CurveName::Weierstrass(*curve)).to_vec();
            public.set(attribute::EC_PARAMS, params);
        }
        KeySpec::Edwards(curve) => {
            let name = if *curve == Edwards::Ed25519 {
                &b"\x13\x0cedwards25519"[..]
            } else {
                b"\x13\x0aedwards448"
            };
            public.set(attribute::EC_PARAMS, name.to_vec());
        }
        KeySpec::Dsa(_) => panic!("no pairs of these are made here"),
        KeySpec::Dh { group, .. } => {
            public.set(attribute::PRIME, group.prime.clone());
            public.set(attribute::BASE, group.base.clone());
        }
        KeySpec::Montgomery(curve) => {
            let params = identifier(CurveName::Montgomery(*curve)).to_vec();
            public.set(attribute::EC_PARAMS, params);
        }
        KeySpec::MlDsa(set) => {
            public.set(attribute::PARAMETER_SET, ParameterSet::MlDsa(*set).number());
        }
        KeySpec::MlKem(set) => {
            public.set(attribute::PARAMETER_SET, ParameterSet::MlKem(*set).number());
        }
        KeySpec::SlhDsa(set) => {
            public.set(attribute::PARAMETER_SET, ParameterSet::SlhDsa(*set).number());
        }
    }
    let private = Template::default();
    let context = Context { mechanism: Some(7), ..STANDARD };
    let key_type = match spec {
        KeySpec::Rsa { .. } => KeyType::Rsa,
        KeySpec::Ec(_) | KeySpec::EcWithExtraBits(_) => KeyType::Ec,
        KeySpec::Edwards(_) => KeyType::EcEdwards,
        KeySpec::Montgomery(_) => KeyType::EcMontgomery,
        KeySpec::MlDsa(_) => KeyType::MlDsa,
        KeySpec::MlKem(_) => KeyType::MlKem,
        KeySpec::SlhDsa(_) => KeyType::SlhDsa,
        KeySpec::Dh { .. } => KeyType::Dh,
        KeySpec::Dsa(_) => KeyType::Dsa,
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

fn specs() -> [KeySpec; 13] {
    [
        KeySpec::Rsa { bits: 1024, exponent: vec![1, 0, 1] },
        KeySpec::Ec(Curve::P256),
        KeySpec::Ec(Curve::P384),
        KeySpec::Ec(Curve::P521),
        KeySpec::Ec(Curve::Secp256k1),
        KeySpec::Ec(Curve::Brainpool512),
        KeySpec::Edwards(Edwards::Ed25519),
        KeySpec::Edwards(Edwards::Ed448),
        KeySpec::Montgomery(Montgomery::X25519),
        KeySpec::Montgomery(Montgomery::X448),
        KeySpec::MlDsa(MlDsa::MlDsa44),
        KeySpec::MlKem(MlKem::MlKem512),
        KeySpec::SlhDsa(SlhDsa::Sha2_128f),
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
        let bits = computed::subject_public_key(info).expect("its bits");
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
fn halves_of_two_pairs_are_not_a_pair() {
    for spec in specs() {
        let (public, private) = generated(&spec);
        check_halves(&public, &private).expect("a pair");
        let (other, _) = generated(&spec);
        let refused = check_halves(&other, &private).expect_err("no pair");
        assert_eq!(refused.rv, Rv::FunctionFailed, "{:?}", public.get(attribute::KEY_TYPE));
    }
}

#[test]
fn a_pair_signs_and_is_imported_again() {
    for spec in specs() {
        let (public, private) = generated(&spec);
        let key = Object::new(private.try_clone().expect("memory"));
        let public = Object::new(public);
        let Prepared::Private(signer) = key.prepared().expect("a key") else { panic!("{spec:?}") };
        if !matches!(spec, KeySpec::Montgomery(_) | KeySpec::MlKem(_)) {
            signs(&**signer, public.prepared().expect("a public key"));
        }
        let material = material_of(&private).expect("material");
        let made = private_template(&material).expect("attributes");
        assert!(private.matches(&made) || matches!(spec, KeySpec::Edwards(_)), "{spec:?}");
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

fn signs(private: &dyn PrivateKey, public: &Prepared) {
    let primitive = match private.kind() {
        KeyKind::Rsa { .. } => SignPrimitive::Pkcs1(b"message"),
        KeyKind::Ec(_) => SignPrimitive::Ecdsa(b"message"),
        KeyKind::Edwards(_) => SignPrimitive::Eddsa { variant: Variant::Pure, message: b"message" },
        KeyKind::MlDsa { .. } => {
            SignPrimitive::MlDsa { context: b"", message: b"message", deterministic: true }
        }
        KeyKind::SlhDsa(_) => {
            SignPrimitive::SlhDsa { parts: &[b"mess", b"age"], deterministic: true }
        }
        other => panic!("{other:?} does not sign"),
    };
    let mut signature = vec![0; private.kind().signature_len()];
    private.sign(primitive, &mut signature).expect("a signature");
    match public {
        Prepared::Rsa(key) => key.verify_pkcs1(b"message", &signature),
        Prepared::Ec(key) => key.verify(b"message", &signature),
        Prepared::Edwards(key) => key.verify(Variant::Pure, b"message", &signature),
        Prepared::MlDsa(key) => key.verify(b"", b"message", &signature),
        Prepared::SlhDsa(key) => key.verify(&[b"message"], &signature),
        _ => panic!("no key that verifies"),
    }
    .expect("the signature fits");
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    };
    digits.chunks(2).map(pair).collect()
}

/// The SubjectPublicKeyInfo of an imported private key.
fn info_of(key_type: KeyType, params: &[u8], value: &str) -> Vec<u8> {
    let mut template = Template::default();
    template.set(attribute::CLASS, Class::PrivateKey.code());
    template.set(attribute::KEY_TYPE, key_type.code());
    template.set(attribute::EC_PARAMS, params.to_vec());
    template.set(attribute::VALUE, secret(&bytes(value)));
    let key = complete(template, Birth::Create, &STANDARD).expect("created");
    key.get(attribute::PUBLIC_KEY_INFO).expect("an SPKI").to_vec()
}

#[test]
fn the_public_key_info_is_what_x_509_has() {
    // RFC 8410, 10.1 and 10.3.
    let seed = "D4EE72DBF913584AD5B6D8F1F769F8AD3AFE7C28CBF1D4FBE097A88F44755842";
    assert_eq!(
        info_of(KeyType::EcEdwards, identifier(CurveName::Edwards(Edwards::Ed25519)), seed),
        bytes(
            "302A300506032B6570032100
             19BF44096984CDFE8541BAC167DC3B96C85086AA30B6B6CB0C5C38AD703166E1"
        )
    );
    // The base point of P-256 (FIPS 186-4, D.1.2.3) belongs to the scalar 1.
    assert_eq!(
        info_of(KeyType::Ec, identifier(CurveName::Weierstrass(Curve::P256)), "01"),
        bytes(
            "3059301306072A8648CE3D020106082A8648CE3D03010703420004
             6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
             4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
        )
    );
    let (public, _) = generated(&KeySpec::Rsa { bits: 1024, exponent: vec![1, 0, 1] });
    let modulus = public.get(attribute::MODULUS).expect("a modulus");
    let expected = [
        &bytes("30819F300D06092A864886F70D010101050003818D0030818902818100"),
        modulus,
        &bytes("0203010001"),
    ];
    assert_eq!(public.get(attribute::PUBLIC_KEY_INFO), Some(&expected.concat()[..]));
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
    assert!(object.is_set(attribute::ENCRYPT));
}

#[test]
fn an_id_given_to_one_half_holds_for_both() {
    let material = Software.generate(&KeySpec::Edwards(Edwards::Ed25519)).expect("a pair");
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

#[test]
fn two_numbers_are_completed_to_a_whole_rsa_key() {
    let (_, whole) = generated(&KeySpec::Rsa { bits: 1024, exponent: vec![1, 0, 1] });
    let mut given = Template::default();
    for id in [
        attribute::CLASS.id,
        attribute::KEY_TYPE.id,
        attribute::MODULUS.id,
        attribute::PRIVATE_EXPONENT.id,
    ] {
        let value = whole.value(id).expect("there").try_clone().expect("memory");
        given.put(id, value);
    }
    let key = complete(given.try_clone().expect("memory"), Birth::Create, &STANDARD);
    let key = key.expect("created");
    assert_eq!(key.get(attribute::PUBLIC_EXPONENT), Some(&[1, 0, 1][..]));
    assert_eq!(key.get(attribute::PUBLIC_KEY_INFO), whole.get(attribute::PUBLIC_KEY_INFO));
    assert_eq!(key.get(attribute::PRIME_1).map(Secret::len), Some(64));
    let exponent = whole.get(attribute::PRIVATE_EXPONENT).expect("there");
    let mut wrong = exponent.expose(<[u8]>::to_vec);
    *wrong.last_mut().expect("bytes") ^= 2;
    given.set(attribute::PRIVATE_EXPONENT, secret(&wrong));
    given.set(attribute::PUBLIC_EXPONENT, vec![1, 0, 1]);
    let refused = complete(given, Birth::Create, &STANDARD).expect_err("no key");
    assert_eq!(refused.rv, Rv::AttributeValueInvalid);
}
