//! New keys in plain words: one table of the kinds, with what goes with each. They are made to be
//! used and not read, and only for what their kind is for.

use std::fmt;
use std::str::FromStr;

use crate::engine::aws_lc::dh::DhGroup;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::registry::REGISTRY;
use crate::object::attribute::{self, Attr};
use crate::object::bundle::{Half, PARTNER_LABEL};
use crate::object::class::KeyType;
use crate::object::curve::identifier;
use crate::object::template::Template;
use crate::provider::keys::GivenMechanism;

use super::kinds::{KINDS, Kind, Part, Use, uses_of};

/// A key that is to be made on a token: its kind, for generic secrets how many bytes, and of a
/// bundle the kind of the other key.
#[derive(Clone, Copy, Debug)]
pub struct NewKey {
    kind: &'static Kind,
    bytes: u64,
    partner: Option<&'static Kind>,
}

/// What goes with a new key beside its kind.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// CKA_LABEL.
    pub label: &'a str,
    /// CKA_ID; without, that of a pair is computed.
    pub id: Option<&'a [u8]>,
    /// Whether the private or secret key may leave the token wrapped by a trusted key.
    pub extractable: bool,
}

/// What makes a key: the mechanism, and the template of each half.
pub(super) type Asked = (GivenMechanism, Option<Template>, Template);

/// What generic secrets and their like may have, in bytes.
const GENERIC: std::ops::RangeInclusive<u64> = 14..=64;

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
        let Some(names) = lower.strip_prefix("bundle:") else { return Self::single(&lower) };
        let wrong = || "a bundle is written bundle:ed25519+ml-dsa:65, the classical key first";
        let (first, second) = names.split_once('+').ok_or_else(wrong)?;
        let (first, second) = (Self::single(first)?, Self::single(second)?);
        let half = |key: Self| Half::of(key.kind.key_type);
        if (half(first), half(second)) != (Some(Half::Classical), Some(Half::PostQuantum)) {
            return Err(wrong().to_owned());
        }
        Ok(Self { partner: Some(second.kind), ..first })
    }
}

impl fmt::Display for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind.part, self.partner) {
            (_, Some(partner)) => write!(f, "bundle:{}+{}", self.kind.name, partner.name),
            (Part::AnyBytes, None) => write!(f, "{}:{}", self.kind.name, self.bytes),
            _ => f.write_str(&self.kind.name),
        }
    }
}

impl NewKey {
    fn single(text: &str) -> Result<Self, String> {
        let unknown = || "`claviger key algorithms` lists those that are known".to_owned();
        let named = |name: &str| KINDS.iter().find(|kind| kind.is_called(name));
        let is_any = |kind: &&Kind| matches!(kind.part, Part::AnyBytes);
        if let Some(kind) = named(text).filter(|kind| !is_any(kind)) {
            return Ok(Self { kind, bytes: 0, partner: None });
        }
        let (name, bytes) = text.rsplit_once(':').ok_or_else(unknown)?;
        let kind = named(name).filter(is_any).ok_or_else(unknown)?;
        let bytes = bytes.parse().ok().filter(|bytes| GENERIC.contains(bytes));
        Ok(Self { kind, bytes: bytes.ok_or_else(unknown)?, partner: None })
    }

    /// How each kind is written; of generic secrets the shortest and the longest.
    #[must_use]
    pub fn names() -> Vec<String> {
        let mut names = Vec::new();
        for kind in KINDS.iter() {
            match kind.part {
                Part::AnyBytes => {
                    names.push(format!("{}:{}", kind.name, GENERIC.start()));
                    names.push(format!("{}:{}", kind.name, GENERIC.end()));
                }
                _ => names.push(kind.name.clone()),
            }
        }
        names
    }

    /// The keys of a bundle, the classical one first; else the key itself.
    fn parts(self) -> Vec<Self> {
        let partner = self.partner.map(|kind| Self { kind, bytes: 0, partner: None });
        [Some(Self { partner: None, ..self }), partner].into_iter().flatten().collect()
    }

    /// True if two pairs are made that sign together.
    pub(super) const fn is_bundle(self) -> bool {
        self.partner.is_some()
    }

    /// What makes the key, or of a bundle both keys. The post-quantum one has a label of its own,
    /// since many programs want exactly one key for a label.
    pub(super) fn described(self, naming: &Naming<'_>) -> Result<Vec<Asked>> {
        let label = format!("{}{PARTNER_LABEL}", naming.label);
        let partner = Naming { label: &label, id: None, ..*naming };
        let one = |(part, naming): (Self, &Naming<'_>)| {
            let (public, hidden) = part.templates(naming)?;
            Ok((part.mechanism()?, (!part.is_secret()).then_some(public), hidden))
        };
        self.parts().into_iter().zip([naming, &partner]).map(one).collect()
    }

    /// True if one key is made and not two halves.
    pub(super) fn is_secret(self) -> bool {
        !self.kind.key_type.is_asymmetric()
    }

    /// What goes with the key, or with the public and the private half.
    fn templates(self, naming: &Naming<'_>) -> Result<(Template, Template)> {
        let (mut public, mut hidden) = named(naming)?;
        self.describe(if self.is_secret() { &mut hidden } else { &mut public })?;
        grant(&mut public, &mut hidden, self.kind.key_type);
        Ok((public, hidden))
    }

    /// The mechanism that makes such keys.
    fn mechanism(self) -> Result<GivenMechanism> {
        maker(self.kind.key_type, self.is_secret())
    }

    /// The attribute that tells the size or the curve, or those that tell the group.
    fn describe(self, template: &mut Template) -> Result<()> {
        match self.kind.part {
            Part::Bits(bits) => template.set(attribute::MODULUS_BITS, bits),
            Part::Bytes(bytes) => template.set(attribute::VALUE_LEN, bytes),
            Part::AnyBytes => template.set(attribute::VALUE_LEN, self.bytes),
            Part::Set(set) => template.set(attribute::PARAMETER_SET, set.number()),
            Part::Composite(set) => template.set(attribute::PARAMETER_SET, set),
            Part::Curve(curve) => template.set(attribute::EC_PARAMS, identifier(curve).to_vec()),
            Part::Group(bits) => {
                let group = DhGroup::published(bits)?;
                let group = group.ok_or_else(|| Rv::GeneralError.because("no group"))?;
                template.set(attribute::PRIME, group.prime);
                template.set(attribute::BASE, group.base);
            }
        }
        Ok(())
    }
}

/// What a public and a private or secret key have beside what makes them the key that they are.
pub(super) fn named(naming: &Naming<'_>) -> Result<(Template, Template)> {
    let mut public = Template::default();
    public.set(attribute::TOKEN, true);
    public.set(attribute::LABEL, naming.label.as_bytes().to_vec());
    if let Some(id) = naming.id {
        public.set(attribute::ID, id.to_vec());
    }
    let mut hidden = public.try_clone()?;
    hidden.set(attribute::PRIVATE, true);
    hidden.set(attribute::SENSITIVE, true);
    hidden.set(attribute::EXTRACTABLE, naming.extractable);
    if naming.extractable {
        // Only a key that the security officer trusts takes it out.
        hidden.set(attribute::WRAP_WITH_TRUSTED, true);
    }
    Ok((public, hidden))
}

/// Says of each use whether keys of a type have it, so that no default decides.
pub(super) fn grant(public: &mut Template, hidden: &mut Template, key_type: KeyType) {
    let granted = uses_of(key_type);
    let of_hidden = if key_type.is_asymmetric() { PRIVATE_USES } else { SECRET_USES };
    for (template, uses) in [(public, PUBLIC_USES), (hidden, of_hidden)] {
        for (flag, granted_with) in uses {
            template.set(*flag, granted_with.is_some_and(|it| granted.contains(&it)));
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
    use super::{KINDS, NewKey};

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for name in NewKey::names() {
            let found: NewKey = name.parse().unwrap();
            assert_eq!(found.to_string(), name);
            found.mechanism().unwrap();
        }
        for (given, name) in [
            ("EC:prime256v1", "ec:p256"),
            ("P-256", "ec:p256"),
            ("brainpoolP384r1", "ec:brainpoolp384r1"),
            ("FFDHE2048", "dh:ffdhe2048"),
            ("RSA-3072", "rsa:3072"),
            ("ML-DSA-65", "ml-dsa:65"),
            ("SLH-DSA-SHA2-128s", "slh-dsa:sha2-128s"),
            ("MLDSA65-Ed25519-SHA512", "comp-sig:mldsa65-ed25519-sha512"),
            ("X-Wing", "comp-kem:xwing"),
            ("bundle:Ed25519+ML-DSA-65", "bundle:ed25519+ml-dsa:65"),
            ("HMAC_SHA256:32", "hmac-sha256:32"),
        ] {
            assert_eq!(given.parse::<NewKey>().unwrap().to_string(), name, "{given}");
        }
        // Whatever stands behind a colon means one kind, or none.
        for kind in KINDS.iter() {
            let short = kind.name.split_once(':').map_or(kind.name.as_str(), |(_, short)| short);
            let called = KINDS.iter().filter(|other| other.is_called(short)).count();
            let is_number = short.bytes().all(|byte| byte.is_ascii_digit());
            assert_eq!(called, usize::from(!is_number), "{short}");
        }
        for wrong in [
            "",
            "-:",
            "rsa",
            "2048",
            "65",
            "rsa:1024",
            "rsa:02048x",
            "ec:k256",
            "generic",
            "generic:13",
            "aes:128:16",
            "dh:1024",
            "dh:ffdhe1536",
        ] {
            assert!(wrong.parse::<NewKey>().is_err(), "{wrong}");
        }
        let bundle: NewKey = "bundle:Ed25519+ml-dsa:65".parse().unwrap();
        assert_eq!(bundle.to_string(), "bundle:ed25519+ml-dsa:65");
        assert_eq!(bundle.parts().len(), 2);
        for wrong in ["bundle:", "bundle:ed25519", "bundle:ml-dsa:65+ed25519", "bundle:rsa:2048+"] {
            assert!(wrong.parse::<NewKey>().is_err(), "{wrong}");
        }
    }
}
