//! A row of the registry: a mechanism, and in its columns what can be done with it.
//!
//! A column is a function of the mechanism's family. A wrapping mechanism is a cipher whose input
//! is a key's bytes, a signature with recovery one whose output is the data: they share the types
//! of the ciphers.

use super::Key;
use super::bundle::Bundle;
use super::message::MessageParams;
use super::operation::{Ciphering, Digesting, Encapsulating, Enveloping, Signing, Verifying};
use super::params::{MechanismParams, Shape};
use crate::custody::Custodian;
use crate::error::Result;
use crate::object::class::KeyType;
use crate::object::public_half::PublicHalf;
use crate::object::template::Template;
use crate::secret::Secret;

/// Starts a signature or MAC with a key.
pub(crate) type StartSigning = fn(&Key, &MechanismParams) -> Result<Box<dyn Signing>>;
/// Starts a verification with a key.
pub(crate) type StartVerifying = fn(&Key, &MechanismParams) -> Result<Box<dyn Verifying>>;
/// Starts an encryption or decryption with a key.
pub(crate) type StartCiphering = fn(&Key, &MechanismParams) -> Result<Box<dyn Ciphering>>;
/// Starts the unwrapping of a key: a secret key of a length, if its template or its type says
/// which.
pub(crate) type StartUnwrapping =
    fn(&Key, &MechanismParams, Option<usize>) -> Result<Box<dyn Ciphering>>;
/// Starts a wrapping that authenticates the caller's data along with the key.
pub(crate) type StartEnveloping = fn(&Key, &MechanismParams, &[u8]) -> Result<Box<dyn Enveloping>>;
/// Starts the unwrapping of what that gave, with the same data.
pub(crate) type StartOpening = fn(&Key, &MechanismParams, &[u8]) -> Result<Box<dyn Ciphering>>;
/// Starts a digest.
pub(crate) type StartDigesting = fn(&MechanismParams) -> Result<Box<dyn Digesting>>;
/// Makes a key: gives the caller's attributes and the ones that the mechanism adds.
pub(crate) type Generate = fn(&Template, &MechanismParams) -> Result<Template>;
/// Makes a pair: takes and gives first the public, then the private attributes.
pub(crate) type GeneratePair =
    fn(&dyn Custodian, &Template, &Template) -> Result<(Template, Template)>;
/// Derives a value from a base key; with a length, exactly that many bytes.
pub(crate) type Derive = fn(&Derivation<'_>) -> Result<Secret>;
/// Derives what is no single secret key: gives whole templates, the caller's among them.
pub(crate) type DeriveObjects = fn(&Derivation<'_>, Vec<Template>) -> Result<Derived>;
/// Gives the public half of a private key.
pub(crate) type Publish = fn(&Key) -> Result<PublicHalf>;
/// Prepares to make a secret for the holder of a public key, of a length if one is asked for.
pub(crate) type StartEncapsulating =
    fn(&Key, &MechanismParams, Option<usize>) -> Result<Box<dyn Encapsulating>>;
/// Gives the secret in a ciphertext that was made for a private key, of a length if one is asked
/// for.
pub(crate) type Decapsulate = fn(&Key, &MechanismParams, &[u8], Option<usize>) -> Result<Secret>;

/// Which keys a wrapping mechanism takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wraps {
    /// Secret and private keys.
    Any,
    /// Secret keys only.
    SecretKeys,
}

/// Starts a signature with a bundle.
pub(crate) type StartBundleSigning = fn(&Bundle<'_>, &MechanismParams) -> Result<Box<dyn Signing>>;
/// Starts a verification with a bundle.
pub(crate) type StartBundleVerifying =
    fn(&Bundle<'_>, &MechanismParams) -> Result<Box<dyn Verifying>>;

/// What is derived where the caller's template does not say.
#[derive(Clone, Copy)]
pub(crate) enum Usual {
    /// A secret key of this type.
    Type(KeyType),
    /// A secret key of the type that the parameter tells, if it does.
    Told(fn(&MechanismParams) -> Option<KeyType>),
}

impl Usual {
    /// The type of the key.
    pub(crate) fn key_type(self, params: &MechanismParams) -> Option<KeyType> {
        match self {
            Self::Type(key_type) => Some(key_type),
            Self::Told(of) => of(params),
        }
    }
}

/// What a key is derived from, and to what.
pub(crate) struct Derivation<'d> {
    pub(crate) base: &'d Key,
    pub(crate) params: &'d MechanismParams,
    /// The keys that the parameter names by their handles, in its order.
    pub(crate) others: &'d [Key],
    /// The length in bytes that the template asks for, or that all keys of the type have.
    pub(crate) len: Option<usize>,
    /// The type of key that is made of the value.
    pub(crate) key_type: KeyType,
}

/// What is derived, where it is no single secret key.
pub(crate) struct Derived {
    /// The attributes of each new object, and its value apart from them where that is a secret.
    /// The first one's handle is what C_DeriveKey gives.
    pub(crate) objects: Vec<(Template, Option<Secret>)>,
    /// What goes back through the parameter, for everybody to read.
    pub(crate) shown: Vec<u8>,
}

/// One row of the registry: a mechanism and what can be done with it.
#[derive(Clone, Copy)]
pub(crate) struct Mechanism {
    /// The standard's number.
    pub(crate) id: u64,
    /// The standard's name.
    pub(crate) name: &'static str,
    /// The smallest key, in the unit that the standard gives for the mechanism.
    pub(crate) min_key_size: u64,
    /// The largest key, in the same unit.
    pub(crate) max_key_size: u64,
    /// The smallest key that is not outlived; smaller ones are for those who ask for `legacy`.
    pub(crate) min_modern_size: u64,
    /// The parameter.
    pub(crate) shape: Shape,
    /// The types of key it works with, or makes.
    pub(crate) key_types: &'static [KeyType],
    /// The types of the keys that the parameter names, where those may be of more than these.
    pub(crate) named_types: Option<&'static [KeyType]>,
    /// Flags that no column tells: which curves and encodings.
    pub(crate) extra: u64,
    /// Broken or outlived: off unless the configuration asks for it.
    pub(crate) legacy: bool,
    pub(crate) sign: Option<StartSigning>,
    pub(crate) verify: Option<StartVerifying>,
    /// Signs with two keys.
    pub(crate) sign_bundle: Option<StartBundleSigning>,
    pub(crate) verify_bundle: Option<StartBundleVerifying>,
    pub(crate) encrypt: Option<StartCiphering>,
    pub(crate) decrypt: Option<StartCiphering>,
    pub(crate) digest: Option<StartDigesting>,
    pub(crate) generate: Option<Generate>,
    /// Whether it is no key that `generate` makes, but the parameters of keys.
    pub(crate) makes_parameters: bool,
    pub(crate) generate_pair: Option<GeneratePair>,
    pub(crate) derive: Option<Derive>,
    pub(crate) derive_objects: Option<DeriveObjects>,
    /// Gives the public half of a private key, for which that need not allow derivations.
    pub(crate) publish: Option<Publish>,
    /// What is derived, if the caller's template does not say.
    pub(crate) derives_usually: Option<Usual>,
    /// Whether the value shows in what is derived of it, which is then as secret as that.
    pub(crate) shows_base: bool,
    /// Takes the bytes of a key: a secret key's value, a private key's `PrivateKeyInfo`.
    pub(crate) wrap: Option<StartCiphering>,
    /// Gives what `wrap` took.
    pub(crate) unwrap: Option<StartUnwrapping>,
    /// What can be wrapped.
    pub(crate) wraps: Wraps,
    /// Whether it keeps keys apart: who wraps keys that he knows under some key, with parameters of
    /// his choice, learns nothing of the others that it wrapped. A counter mode gives them away at
    /// the second key under one nonce.
    pub(crate) keeps_apart: bool,
    /// Takes the bytes of a key, as `wrap` does, and the caller's associated data.
    pub(crate) envelop: Option<StartEnveloping>,
    /// Gives what `envelop` took.
    pub(crate) open: Option<StartOpening>,
    /// The parameter of these two, where it is another than that of the other columns.
    pub(crate) envelope: Option<Shape>,
    pub(crate) encapsulate: Option<StartEncapsulating>,
    pub(crate) decapsulate: Option<Decapsulate>,
    pub(crate) sign_recover: Option<StartCiphering>,
    pub(crate) verify_recover: Option<StartCiphering>,
    /// How `encrypt` and `decrypt` take one message after another.
    pub(crate) messages: Option<MessageParams>,
    /// Takes its data in one part only.
    pub(crate) one_part: bool,
    /// What it signs is a number of its key's counter: it gives a password, and takes no data.
    pub(crate) one_time: bool,
}

impl Mechanism {
    /// A row that can do nothing yet.
    pub(super) const fn named(id: u64, name: &'static str) -> Self {
        Self {
            id,
            name,
            min_key_size: 0,
            max_key_size: 0,
            min_modern_size: 0,
            shape: Shape::None,
            key_types: &[],
            named_types: None,
            extra: 0,
            legacy: false,
            sign: None,
            verify: None,
            sign_bundle: None,
            verify_bundle: None,
            encrypt: None,
            decrypt: None,
            digest: None,
            generate: None,
            makes_parameters: false,
            generate_pair: None,
            derive: None,
            derive_objects: None,
            publish: None,
            derives_usually: None,
            shows_base: false,
            wrap: None,
            unwrap: None,
            wraps: Wraps::Any,
            keeps_apart: false,
            envelop: None,
            open: None,
            envelope: None,
            encapsulate: None,
            decapsulate: None,
            sign_recover: None,
            verify_recover: None,
            messages: None,
            one_part: false,
            one_time: false,
        }
    }

    pub(super) const fn keys(mut self, types: &'static [KeyType], min: u64, max: u64) -> Self {
        self.key_types = types;
        self.min_key_size = min;
        self.max_key_size = max;
        self
    }

    pub(super) const fn names(mut self, types: &'static [KeyType]) -> Self {
        self.named_types = Some(types);
        self
    }

    pub(super) const fn modern_from(mut self, min: u64) -> Self {
        self.min_modern_size = min;
        self
    }

    pub(super) const fn takes(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    pub(super) const fn flagged(mut self, extra: u64) -> Self {
        self.extra = extra;
        self
    }

    #[cfg(feature = "legacy")]
    pub(super) const fn legacy(mut self) -> Self {
        self.legacy = true;
        self
    }

    pub(super) const fn signs(mut self, start: StartSigning) -> Self {
        self.sign = Some(start);
        self
    }

    pub(super) const fn verifies(mut self, start: StartVerifying) -> Self {
        self.verify = Some(start);
        self
    }

    pub(super) const fn bundles(
        mut self,
        sign: StartBundleSigning,
        verify: StartBundleVerifying,
    ) -> Self {
        self.sign_bundle = Some(sign);
        self.verify_bundle = Some(verify);
        self
    }

    pub(super) const fn encrypts(mut self, start: StartCiphering) -> Self {
        self.encrypt = Some(start);
        self
    }

    pub(super) const fn decrypts(mut self, start: StartCiphering) -> Self {
        self.decrypt = Some(start);
        self
    }

    pub(super) const fn digests(mut self, start: StartDigesting) -> Self {
        self.digest = Some(start);
        self
    }

    pub(super) const fn generates(mut self, make: Generate) -> Self {
        self.generate = Some(make);
        self
    }

    pub(super) const fn generates_parameters(mut self, make: Generate) -> Self {
        self.generate = Some(make);
        self.makes_parameters = true;
        self
    }

    pub(super) const fn generates_pair(mut self, make: GeneratePair) -> Self {
        self.generate_pair = Some(make);
        self
    }

    pub(super) const fn derives(mut self, derive: Derive) -> Self {
        self.derive = Some(derive);
        self
    }

    pub(super) const fn derives_objects(mut self, derive: DeriveObjects) -> Self {
        self.derive_objects = Some(derive);
        self
    }

    pub(super) const fn publishes(mut self, publish: Publish) -> Self {
        self.publish = Some(publish);
        self
    }

    pub(super) const fn usually(self, key_type: KeyType) -> Self {
        self.as_usual(Usual::Type(key_type))
    }

    pub(super) const fn as_usual(mut self, usual: Usual) -> Self {
        self.derives_usually = Some(usual);
        self
    }

    pub(super) const fn shows_base(mut self) -> Self {
        self.shows_base = true;
        self
    }

    pub(super) const fn wraps(mut self, start: StartCiphering) -> Self {
        self.wrap = Some(start);
        self
    }

    pub(super) const fn unwraps(mut self, start: StartUnwrapping) -> Self {
        self.unwrap = Some(start);
        self
    }

    /// Of keys it wraps secret ones only: a private key is too long for it, or no whole blocks.
    pub(super) const fn secrets_only(mut self) -> Self {
        self.wraps = Wraps::SecretKeys;
        self
    }

    /// It keeps the keys apart that it wraps.
    pub(super) const fn keeps_apart(mut self) -> Self {
        self.keeps_apart = true;
        self
    }

    /// The two columns of `C_WrapKeyAuthenticated` and `C_UnwrapKeyAuthenticated`, and their
    /// parameter.
    pub(super) const fn envelops(
        mut self,
        shape: Shape,
        envelop: StartEnveloping,
        open: StartOpening,
    ) -> Self {
        self.envelope = Some(shape);
        self.envelop = Some(envelop);
        self.open = Some(open);
        self
    }

    pub(super) const fn encapsulates(mut self, start: StartEncapsulating) -> Self {
        self.encapsulate = Some(start);
        self
    }

    pub(super) const fn decapsulates(mut self, open: Decapsulate) -> Self {
        self.decapsulate = Some(open);
        self
    }

    pub(super) const fn recovers(mut self, sign: StartCiphering, verify: StartCiphering) -> Self {
        self.sign_recover = Some(sign);
        self.verify_recover = Some(verify);
        self
    }

    pub(super) const fn messages(mut self, params: MessageParams) -> Self {
        self.messages = Some(params);
        self
    }

    pub(super) const fn one_part(mut self) -> Self {
        self.one_part = true;
        self
    }

    pub(super) const fn one_time(mut self) -> Self {
        self.one_time = true;
        self.one_part()
    }
}

impl Mechanism {
    /// How it signs one message after another; passwords are made of no messages.
    pub(crate) fn message_sign(&self) -> Option<StartSigning> {
        self.sign.filter(|_| !self.one_time)
    }

    /// How it verifies one message after another.
    pub(crate) fn message_verify(&self) -> Option<StartVerifying> {
        self.verify.filter(|_| !self.one_time)
    }

    /// Whether C_DeriveKey does anything with it.
    pub(crate) fn derives_anything(&self) -> bool {
        self.derive.is_some() || self.derive_objects.is_some() || self.publish.is_some()
    }

    /// The same as a row for the keys that the parameter names.
    pub(crate) fn of_named_keys(&self) -> Self {
        Self { key_types: self.named_types.unwrap_or(self.key_types), ..*self }
    }

    /// The type of the keys that it makes, if it makes keys.
    pub(crate) fn makes(&self) -> Option<KeyType> {
        let makes = self.generate.is_some() || self.generate_pair.is_some();
        self.key_types.first().copied().filter(|_| makes)
    }
}

impl std::fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:#x})", self.name, self.id)
    }
}
