//! The kinds of keys that can be made, as one table: how a person writes each, what it is to the
//! standard, and what such keys are for. Composites follow from their own tables.

use std::sync::LazyLock;

use crate::engine::aws_lc::dh::DhGroup;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::edwards::Edwards;
use crate::engine::ml_kem::MlKem;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsa;
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::object::class::sets::ParameterSet;
use crate::object::composite::halves::Form;
use crate::object::composite::sets::{KEMS, KemSet, SIGNATURES};
use crate::object::curve::{CurveName, curve_of};
use crate::object::size::bits_of;
use crate::object::template::Template;

/// A row of the table.
#[derive(Debug)]
pub(super) struct Kind {
    /// As a person writes it.
    pub(super) name: String,
    pub(super) key_type: KeyType,
    pub(super) part: Part,
    /// What such a key may do, both halves together.
    pub(super) uses: &'static [Use],
}

/// The attribute that tells the size, the curve or the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Bits of the modulus.
    Bits(u64),
    Curve(CurveName),
    /// Bits of the prime of a group of RFC 7919.
    Group(u64),
    Set(ParameterSet),
    /// The number of a composite's parameter set.
    Composite(u64),
    /// Bytes of a secret.
    Bytes(u64),
    /// Bytes of a secret, as many as are asked for.
    AnyBytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    Sign,
    Encrypt,
    Derive,
    Encapsulate,
}

fn kind(name: &str, key_type: KeyType, part: Part, uses: &'static [Use]) -> Kind {
    Kind { name: name.to_owned(), key_type, part, uses }
}

fn on_curve(name: &str, curve: Curve) -> Kind {
    kind(name, KeyType::Ec, Part::Curve(CurveName::Weierstrass(curve)), &[Use::Sign, Use::Derive])
}

fn edwards(name: &str, curve: Edwards) -> Kind {
    kind(name, KeyType::EcEdwards, Part::Curve(CurveName::Edwards(curve)), &[Use::Sign])
}

fn montgomery(name: &str, curve: Montgomery) -> Kind {
    kind(name, KeyType::EcMontgomery, Part::Curve(CurveName::Montgomery(curve)), &[Use::Derive])
}

fn ml_dsa(name: &str, set: MlDsa) -> Kind {
    kind(name, KeyType::MlDsa, Part::Set(ParameterSet::MlDsa(set)), &[Use::Sign])
}

fn ml_kem(name: &str, set: MlKem) -> Kind {
    kind(name, KeyType::MlKem, Part::Set(ParameterSet::MlKem(set)), &[Use::Encapsulate])
}

fn slh_dsa(name: &str, set: SlhDsa) -> Kind {
    kind(name, KeyType::SlhDsa, Part::Set(ParameterSet::SlhDsa(set)), &[Use::Sign])
}

/// The finite fields of TLS; parties that agree on a group agree on one of these.
fn ffdhe(name: &str, bits: u64) -> Kind {
    kind(name, KeyType::Dh, Part::Group(bits), &[Use::Derive])
}

fn rsa(name: &str, bits: u64) -> Kind {
    kind(name, KeyType::Rsa, Part::Bits(bits), &[Use::Sign, Use::Encrypt])
}

fn aes(name: &str, bytes: u64) -> Kind {
    kind(name, KeyType::Aes, Part::Bytes(bytes), &[Use::Encrypt])
}

fn secret(name: &str, key_type: KeyType, uses: &'static [Use]) -> Kind {
    kind(name, key_type, Part::AnyBytes, uses)
}

/// `comp-sig:` and the label of the draft, `MLDSA65-Ed25519-SHA512`.
fn composite_signatures() -> impl Iterator<Item = Kind> {
    SIGNATURES.iter().map(|set| {
        let label = set.label.strip_prefix("COMPSIG-").unwrap_or(set.label).to_ascii_lowercase();
        let part = Part::Composite(set.id);
        Kind {
            name: format!("comp-sig:{label}"),
            key_type: KeyType::CompSig,
            part,
            uses: &[Use::Sign],
        }
    })
}

/// `comp-kem:` and the label of the draft, `MLKEM768-P256`; those whose label is a drawing have
/// their usual name.
fn composite_kems() -> impl Iterator<Item = Kind> {
    let label = |set: &KemSet| match (set.hpke, set.halves.form) {
        (Some(_), Form::Expanded) => "xwing".to_owned(),
        (Some(_), _) => "mlkem768-x25519".to_owned(),
        (None, _) => String::from_utf8_lossy(set.label).to_ascii_lowercase(),
    };
    KEMS.iter().map(move |set| Kind {
        name: format!("comp-kem:{}", label(set)),
        key_type: KeyType::CompKem,
        part: Part::Composite(set.id),
        uses: &[Use::Encapsulate],
    })
}

/// Every kind of key that can be made.
pub(super) static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut kinds = pairs();
    kinds.extend(composite_signatures());
    kinds.extend(composite_kems());
    kinds.extend(secrets());
    kinds
});

fn pairs() -> Vec<Kind> {
    vec![
        rsa("rsa:2048", 2048),
        rsa("rsa:3072", 3072),
        rsa("rsa:4096", 4096),
        on_curve("ec:p256", Curve::P256),
        on_curve("ec:p384", Curve::P384),
        on_curve("ec:p521", Curve::P521),
        on_curve("ec:secp256k1", Curve::Secp256k1),
        on_curve("ec:brainpoolp256r1", Curve::Brainpool256),
        on_curve("ec:brainpoolp384r1", Curve::Brainpool384),
        on_curve("ec:brainpoolp512r1", Curve::Brainpool512),
        edwards("ed25519", Edwards::Ed25519),
        edwards("ed448", Edwards::Ed448),
        montgomery("x25519", Montgomery::X25519),
        montgomery("x448", Montgomery::X448),
        ffdhe("dh:ffdhe2048", 2048),
        ffdhe("dh:ffdhe3072", 3072),
        ffdhe("dh:ffdhe4096", 4096),
        ffdhe("dh:ffdhe6144", 6144),
        ffdhe("dh:ffdhe8192", 8192),
        ml_dsa("ml-dsa:44", MlDsa::MlDsa44),
        ml_dsa("ml-dsa:65", MlDsa::MlDsa65),
        ml_dsa("ml-dsa:87", MlDsa::MlDsa87),
        ml_kem("ml-kem:512", MlKem::MlKem512),
        ml_kem("ml-kem:768", MlKem::MlKem768),
        ml_kem("ml-kem:1024", MlKem::MlKem1024),
        slh_dsa("slh-dsa:sha2-128s", SlhDsa::Sha2_128s),
        slh_dsa("slh-dsa:sha2-128f", SlhDsa::Sha2_128f),
        slh_dsa("slh-dsa:sha2-192s", SlhDsa::Sha2_192s),
        slh_dsa("slh-dsa:sha2-192f", SlhDsa::Sha2_192f),
        slh_dsa("slh-dsa:sha2-256s", SlhDsa::Sha2_256s),
        slh_dsa("slh-dsa:sha2-256f", SlhDsa::Sha2_256f),
        slh_dsa("slh-dsa:shake-128s", SlhDsa::Shake128s),
        slh_dsa("slh-dsa:shake-128f", SlhDsa::Shake128f),
        slh_dsa("slh-dsa:shake-192s", SlhDsa::Shake192s),
        slh_dsa("slh-dsa:shake-192f", SlhDsa::Shake192f),
        slh_dsa("slh-dsa:shake-256s", SlhDsa::Shake256s),
        slh_dsa("slh-dsa:shake-256f", SlhDsa::Shake256f),
    ]
}

fn secrets() -> Vec<Kind> {
    const MAC: &[Use] = &[Use::Sign];
    vec![
        aes("aes:128", 16),
        aes("aes:192", 24),
        aes("aes:256", 32),
        kind("aes-xts:512", KeyType::AesXts, Part::Bytes(64), &[Use::Encrypt]),
        kind("chacha20", KeyType::ChaCha20, Part::Bytes(32), &[Use::Encrypt]),
        kind("poly1305", KeyType::Poly1305, Part::Bytes(32), MAC),
        secret("generic", KeyType::GenericSecret, &[Use::Sign, Use::Derive]),
        secret("hkdf", KeyType::Hkdf, &[Use::Derive]),
        secret("hmac-sha256", KeyType::Sha256Hmac, MAC),
        secret("hmac-sha384", KeyType::Sha384Hmac, MAC),
        secret("hmac-sha512", KeyType::Sha512Hmac, MAC),
        secret("hmac-sha3-256", KeyType::Sha3_256Hmac, MAC),
        secret("hmac-sha3-384", KeyType::Sha3_384Hmac, MAC),
        secret("hmac-sha3-512", KeyType::Sha3_512Hmac, MAC),
    ]
}

/// Other names, as `bare` writes them.
const ALIASES: &[(&str, &str)] = &[
    ("secp256r1", "ec:p256"),
    ("prime256v1", "ec:p256"),
    ("secp384r1", "ec:p384"),
    ("secp521r1", "ec:p521"),
    ("ecsecp256r1", "ec:p256"),
    ("ecprime256v1", "ec:p256"),
    ("ecsecp384r1", "ec:p384"),
    ("ecsecp521r1", "ec:p521"),
    ("eced25519", "ed25519"),
    ("ecedwards25519", "ed25519"),
    ("dh2048", "dh:ffdhe2048"),
    ("dh3072", "dh:ffdhe3072"),
    ("dh4096", "dh:ffdhe4096"),
    ("dh6144", "dh:ffdhe6144"),
    ("dh8192", "dh:ffdhe8192"),
];

/// A name without what people write differently: standards have ML-DSA-65, P-256 and X-Wing.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !"-_:".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
}

impl Kind {
    /// Whether a name means this kind: its own, another that it has, or what stands behind the
    /// family's where that is more than a number.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let name = bare(name);
        if ALIASES.contains(&(name.as_str(), self.name.as_str())) || bare(&self.name) == name {
            return true;
        }
        let short = self.name.split_once(':').map(|(_, short)| bare(short));
        short.is_some_and(|short| short.contains(|c: char| c.is_alphabetic()) && short == name)
    }
}

/// What keys of a type are for.
pub(super) fn uses_of(key_type: KeyType) -> &'static [Use] {
    KINDS.iter().find(|kind| kind.key_type == key_type).map_or(&[], |kind| kind.uses)
}

/// Whether a key lies in the group of RFC 7919 of so many bits.
fn is_in_group(attributes: &Template, bits: u64) -> bool {
    let group = DhGroup::published(bits).ok().flatten();
    group.is_some_and(|group| {
        attributes.get(attribute::PRIME) == Some(&group.prime)
            && attributes.get(attribute::BASE) == Some(&group.base)
    })
}

/// A key's kind as it is written for `key generate`; nothing if that makes no such keys.
pub(super) fn kind_of(attributes: &Template) -> Option<String> {
    let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code)?;
    let bits = bits_of(attributes);
    let set = attributes.get(attribute::PARAMETER_SET);
    let curve = attributes.get(attribute::EC_PARAMS).and_then(|params| curve_of(params).ok());
    let kind =
        KINDS.iter().filter(|kind| kind.key_type == key_type).find(|kind| match kind.part {
            Part::Bits(asked) => bits == Some(asked),
            Part::Curve(asked) => curve == Some(asked),
            Part::Group(asked) => bits == Some(asked) && is_in_group(attributes, asked),
            Part::Set(asked) => set == Some(asked.number()),
            Part::Composite(asked) => set == Some(asked),
            Part::Bytes(asked) => bits == Some(asked * 8),
            Part::AnyBytes => true,
        })?;
    match kind.part {
        Part::AnyBytes => Some(format!("{}:{}", kind.name, bits? / 8)),
        _ => Some(kind.name.clone()),
    }
}
