//! New keys in plain words: one table of the kinds, with what goes with each. They are made to be
//! used and not read, and only for what their kind is for.

use std::fmt;
use std::str::FromStr;

use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::aws_lc::ml_kem::MlKem;
use crate::engine::edwards::Edwards;
use crate::engine::montgomery::Montgomery;
use crate::engine::slh_dsa::SlhDsa;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::registry::REGISTRY;
use crate::object::attribute::{self, Attr};
use crate::object::class::KeyType;
use crate::object::class::sets::ParameterSet;
use crate::object::curve::{CurveName, identifier};
use crate::object::template::Template;
use crate::provider::keys::GivenMechanism;

/// A key that is to be made on a token: its kind, and for generic secrets how many bytes.
#[derive(Clone, Copy, Debug)]
pub struct NewKey {
    kind: &'static Kind,
    bytes: u64,
}

/// A row of the table.
#[derive(Debug)]
struct Kind {
    /// As a person writes it.
    name: &'static str,
    key_type: KeyType,
    part: Part,
    /// What such a key may do, both halves together.
    uses: &'static [Use],
}

/// The attribute that tells the size, the curve or the parameters.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Bits of the modulus.
    Bits(u64),
    Curve(CurveName),
    Set(ParameterSet),
    /// Bytes of a secret.
    Bytes(u64),
    /// Bytes of a secret, as many as are asked for.
    AnyBytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    Sign,
    Encrypt,
    Derive,
    Encapsulate,
}

/// What generic secrets may have, in bytes.
const GENERIC: std::ops::RangeInclusive<u64> = 14..=64;

const fn kind(name: &'static str, key_type: KeyType, part: Part, uses: &'static [Use]) -> Kind {
    Kind { name, key_type, part, uses }
}

const fn on_curve(name: &'static str, curve: Curve) -> Kind {
    kind(name, KeyType::Ec, Part::Curve(CurveName::Weierstrass(curve)), &[Use::Sign, Use::Derive])
}

const fn edwards(name: &'static str, curve: Edwards) -> Kind {
    kind(name, KeyType::EcEdwards, Part::Curve(CurveName::Edwards(curve)), &[Use::Sign])
}

const fn montgomery(name: &'static str, curve: Montgomery) -> Kind {
    kind(name, KeyType::EcMontgomery, Part::Curve(CurveName::Montgomery(curve)), &[Use::Derive])
}

const fn ml_dsa(name: &'static str, set: MlDsa) -> Kind {
    kind(name, KeyType::MlDsa, Part::Set(ParameterSet::MlDsa(set)), &[Use::Sign])
}

const fn ml_kem(name: &'static str, set: MlKem) -> Kind {
    kind(name, KeyType::MlKem, Part::Set(ParameterSet::MlKem(set)), &[Use::Encapsulate])
}

const fn slh_dsa(name: &'static str, set: SlhDsa) -> Kind {
    kind(name, KeyType::SlhDsa, Part::Set(ParameterSet::SlhDsa(set)), &[Use::Sign])
}

const fn rsa(name: &'static str, bits: u64) -> Kind {
    kind(name, KeyType::Rsa, Part::Bits(bits), &[Use::Sign, Use::Encrypt])
}

const fn aes(name: &'static str, bytes: u64) -> Kind {
    kind(name, KeyType::Aes, Part::Bytes(bytes), &[Use::Encrypt])
}

/// Every kind of key that can be made.
static KINDS: &[Kind] = &[
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
    aes("aes:128", 16),
    aes("aes:192", 24),
    aes("aes:256", 32),
    kind("generic", KeyType::GenericSecret, Part::AnyBytes, &[Use::Sign, Use::Derive]),
];

/// Other ways to write some of them.
const ALIASES: &[(&str, &str)] = &[
    ("ec:p-256", "ec:p256"),
    ("ec:secp256r1", "ec:p256"),
    ("ec:prime256v1", "ec:p256"),
    ("ec:p-384", "ec:p384"),
    ("ec:secp384r1", "ec:p384"),
    ("ec:p-521", "ec:p521"),
    ("ec:secp521r1", "ec:p521"),
    ("ec:ed25519", "ed25519"),
    ("ec:edwards25519", "ed25519"),
];

const PUBLIC_USES: &[(Attr<bool>, Option<Use>)] = &[
    (attribute::ENCRYPT, Some(Use::Encrypt)),
    (attribute::VERIFY, Some(Use::Sign)),
    (attribute::WRAP, None),
    (attribute::DERIVE, Some(Use::Derive)),
    (attribute::ENCAPSULATE, Some(Use::Encapsulate)),
];
const PRIVATE_USES: &[(Attr<bool>, Option<Use>)] = &[
    (attribute::DECRYPT, Some(Use::Encrypt)),
    (attribute::SIGN, Some(Use::Sign)),
    (attribute::UNWRAP, None),
    (attribute::DERIVE, Some(Use::Derive)),
    (attribute::DECAPSULATE, Some(Use::Encapsulate)),
];
/// No key wraps or unwraps: one that also decrypts would give away what it wrapped.
const SECRET_USES: &[(Attr<bool>, Option<Use>)] = &[
    (attribute::ENCRYPT, Some(Use::Encrypt)),
    (attribute::DECRYPT, Some(Use::Encrypt)),
    (attribute::SIGN, Some(Use::Sign)),
    (attribute::VERIFY, Some(Use::Sign)),
    (attribute::WRAP, None),
    (attribute::UNWRAP, None),
    (attribute::DERIVE, Some(Use::Derive)),
];

impl FromStr for NewKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
        let name = alias.map_or(lower.as_str(), |(_, name)| name);
        let unknown = || format!("known are {}", Self::names().join(", "));
        let (name, bytes) = match name.strip_prefix("generic:") {
            Some(bytes) => {
                let bytes = bytes.parse().ok().filter(|bytes| GENERIC.contains(bytes));
                ("generic", bytes.ok_or_else(unknown)?)
            }
            None if name == "generic" => return Err(unknown()),
            None => (name, 0),
        };
        let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(unknown)?;
        Ok(Self { kind, bytes })
    }
}

impl fmt::Display for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.part {
            Part::AnyBytes => write!(f, "{}:{}", self.kind.name, self.bytes),
            _ => f.write_str(self.kind.name),
        }
    }
}

impl NewKey {
    /// How each kind is written; of generic secrets the shortest and the longest.
    #[must_use]
    pub fn names() -> Vec<String> {
        let mut names = Vec::new();
        for kind in KINDS {
            match kind.part {
                Part::AnyBytes => {
                    names.push(format!("{}:{}", kind.name, GENERIC.start()));
                    names.push(format!("{}:{}", kind.name, GENERIC.end()));
                }
                _ => names.push(kind.name.to_owned()),
            }
        }
        names
    }

    /// True if one key is made and not two halves.
    pub(super) fn is_secret(self) -> bool {
        !self.kind.key_type.is_asymmetric()
    }

    /// What goes with the key, or with the public and the private half.
    pub(super) fn templates(self, label: &str, id: Option<&[u8]>) -> Result<(Template, Template)> {
        let mut public = Template::default();
        public.set(attribute::TOKEN, true);
        public.set(attribute::LABEL, label.as_bytes().to_vec());
        if let Some(id) = id {
            public.set(attribute::ID, id.to_vec());
        }
        let mut hidden = public.try_clone()?;
        hidden.set(attribute::PRIVATE, true);
        hidden.set(attribute::SENSITIVE, true);
        hidden.set(attribute::EXTRACTABLE, false);
        self.describe(if self.is_secret() { &mut hidden } else { &mut public });
        self.grant(&mut public, PUBLIC_USES);
        self.grant(&mut hidden, if self.is_secret() { SECRET_USES } else { PRIVATE_USES });
        Ok((public, hidden))
    }

    /// The mechanism that makes such keys.
    pub(super) fn mechanism(self) -> Result<GivenMechanism> {
        maker(self.kind.key_type, self.is_secret())
    }

    /// Says of each use whether it is granted, so that no default decides.
    fn grant(self, template: &mut Template, uses: &[(Attr<bool>, Option<Use>)]) {
        for (flag, granted_with) in uses {
            template.set(*flag, granted_with.is_some_and(|it| self.kind.uses.contains(&it)));
        }
    }

    /// The attribute that tells the size or the curve.
    fn describe(self, template: &mut Template) {
        match self.kind.part {
            Part::Bits(bits) => template.set(attribute::MODULUS_BITS, bits),
            Part::Bytes(bytes) => template.set(attribute::VALUE_LEN, bytes),
            Part::AnyBytes => template.set(attribute::VALUE_LEN, self.bytes),
            Part::Set(set) => template.set(attribute::PARAMETER_SET, set.number()),
            Part::Curve(curve) => template.set(attribute::EC_PARAMS, identifier(curve).to_vec()),
        }
    }
}

/// The mechanism that makes keys of a type.
pub(super) fn maker(key_type: KeyType, is_secret: bool) -> Result<GivenMechanism> {
    let makes = |row: &&Mechanism| {
        let makes = if is_secret { row.generate.is_some() } else { row.generate_pair.is_some() };
        makes && row.makes() == Some(key_type)
    };
    let row = REGISTRY.iter().find(makes);
    let row = row.ok_or_else(|| Rv::MechanismInvalid.because("nothing makes such keys"))?;
    Ok(GivenMechanism { id: row.id, params: MechanismParams::None })
}

#[cfg(test)]
mod tests {
    use super::NewKey;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for name in NewKey::names() {
            let found: NewKey = name.parse().unwrap();
            assert_eq!(found.to_string(), name);
            found.mechanism().unwrap();
        }
        let alias: NewKey = "EC:prime256v1".parse().unwrap();
        assert_eq!(alias.to_string(), "ec:p256");
        for wrong in ["", "rsa", "rsa:1024", "rsa:02048x", "ec:k256", "generic", "generic:13"] {
            assert!(wrong.parse::<NewKey>().is_err(), "{wrong}");
        }
    }
}
