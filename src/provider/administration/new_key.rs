//! New keys in plain words: the kind, and the attributes that go with it. They are made to be
//! used and not read, and only for what their kind is for.

use crate::engine::aws_lc::ec::Curve;
use crate::engine::edwards::Edwards;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::registry::REGISTRY;
use crate::object::attribute::{self, Attr};
use crate::object::class::KeyType;
use crate::object::curve::{CurveName, identifier};
use crate::object::template::Template;
use crate::provider::keys::GivenMechanism;

/// A key that is to be made on a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewKey {
    /// A pair, with a modulus of so many bits.
    Rsa(u64),
    /// A pair on P-256.
    P256,
    /// A pair on P-384.
    P384,
    /// A pair on P-521.
    P521,
    /// A pair.
    Ed25519,
    /// A secret key of so many bytes.
    Aes(u64),
    /// A secret key of so many bytes.
    Generic(u64),
}

const PUBLIC_USES: &[Attr<bool>] =
    &[attribute::ENCRYPT, attribute::VERIFY, attribute::WRAP, attribute::DERIVE];
const PRIVATE_USES: &[Attr<bool>] =
    &[attribute::DECRYPT, attribute::SIGN, attribute::UNWRAP, attribute::DERIVE];
const SECRET_USES: &[Attr<bool>] = &[
    attribute::ENCRYPT,
    attribute::DECRYPT,
    attribute::SIGN,
    attribute::VERIFY,
    attribute::WRAP,
    attribute::UNWRAP,
    attribute::DERIVE,
];

impl NewKey {
    const fn key_type(self) -> KeyType {
        match self {
            Self::Rsa(_) => KeyType::Rsa,
            Self::P256 | Self::P384 | Self::P521 => KeyType::Ec,
            Self::Ed25519 => KeyType::EcEdwards,
            Self::Aes(_) => KeyType::Aes,
            Self::Generic(_) => KeyType::GenericSecret,
        }
    }

    /// What such a key may do, both halves together. No key wraps or unwraps: one that also
    /// decrypts would give away what it wrapped.
    fn granted(self) -> &'static [Attr<bool>] {
        match self {
            Self::Rsa(_) => {
                &[attribute::SIGN, attribute::VERIFY, attribute::ENCRYPT, attribute::DECRYPT]
            }
            Self::P256 | Self::P384 | Self::P521 | Self::Generic(_) => {
                &[attribute::SIGN, attribute::VERIFY, attribute::DERIVE]
            }
            Self::Ed25519 => &[attribute::SIGN, attribute::VERIFY],
            Self::Aes(_) => &[attribute::ENCRYPT, attribute::DECRYPT],
        }
    }

    /// True if one key is made and not two halves.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Aes(_) | Self::Generic(_))
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
        let makes = |row: &&Mechanism| {
            let makes =
                if self.is_secret() { row.generate.is_some() } else { row.generate_pair.is_some() };
            makes && row.key_types.contains(&self.key_type())
        };
        let row = REGISTRY.iter().find(makes);
        let row = row.ok_or_else(|| Rv::MechanismInvalid.because("nothing makes such keys"))?;
        Ok(GivenMechanism { id: row.id, params: MechanismParams::None })
    }

    /// Says of each use whether it is granted, so that no default decides.
    fn grant(self, template: &mut Template, uses: &[Attr<bool>]) {
        for flag in uses {
            let granted = self.granted().iter().any(|granted| granted.id == flag.id);
            template.set(*flag, granted);
        }
    }

    /// The attribute that tells the size or the curve.
    fn describe(self, template: &mut Template) {
        let curve = match self {
            Self::Rsa(bits) => return template.set(attribute::MODULUS_BITS, bits),
            Self::Aes(bytes) | Self::Generic(bytes) => {
                return template.set(attribute::VALUE_LEN, bytes);
            }
            Self::P256 => CurveName::Weierstrass(Curve::P256),
            Self::P384 => CurveName::Weierstrass(Curve::P384),
            Self::P521 => CurveName::Weierstrass(Curve::P521),
            Self::Ed25519 => CurveName::Edwards(Edwards::Ed25519),
        };
        template.set(attribute::EC_PARAMS, identifier(curve).to_vec());
    }
}
