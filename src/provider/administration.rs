//! What the command line tool asks for, in plain words: objects, new keys, and the end of a
//! token. No templates and no numbers of the standard leave this file.
//!
//! Each step passes the hall as the C function does that it stands for, under the same rules.
//! PKCS#11 3.2, "Object management functions" and "Key management functions".

use std::sync::PoisonError;

use crate::call::Function;
use crate::engine::aws_lc::ec::Curve;
use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::registry::REGISTRY;
use crate::object::attribute::{self, Attr};
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, curve_of, identifier};
use crate::object::template::Template;
use crate::secret::Secret;
use crate::session::state::Access;
use crate::store::sqlite::{Opening, SqliteStore};

use super::keys::GivenMechanism;
use super::sessions::UserType;
use super::{Call, Provider};

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectClass {
    /// CKO_DATA.
    Data,
    /// CKO_CERTIFICATE.
    Certificate,
    /// CKO_PUBLIC_KEY.
    PublicKey,
    /// CKO_PRIVATE_KEY.
    PrivateKey,
    /// CKO_SECRET_KEY.
    SecretKey,
}

/// Which objects are meant: those that match everything that is given.
#[derive(Clone, Default, Debug)]
pub struct ObjectChoice {
    /// Of this class.
    pub class: Option<ObjectClass>,
    /// With this CKA_LABEL.
    pub label: Option<String>,
    /// With this CKA_ID.
    pub id: Option<Vec<u8>>,
    /// With this CKA_UNIQUE_ID.
    pub unique_id: Option<String>,
}

/// An object, as far as it may be shown to everybody who sees it.
#[derive(Clone, Debug)]
pub struct ObjectView {
    /// CKA_UNIQUE_ID.
    pub unique_id: String,
    /// Nothing for a class that only the C functions know.
    pub class: Option<ObjectClass>,
    /// Of keys: `rsa`, `ec`, `ed25519`, `aes`, `generic`, `hmac`.
    pub key_type: Option<&'static str>,
    /// Of keys: bits of the modulus, the curve or the secret.
    pub bits: Option<u64>,
    /// CKA_LABEL.
    pub label: String,
    /// CKA_ID.
    pub id: Vec<u8>,
    /// CKA_PRIVATE.
    pub private: bool,
    /// CKA_SENSITIVE, of private and secret keys.
    pub sensitive: Option<bool>,
    /// CKA_EXTRACTABLE, of private and secret keys.
    pub extractable: Option<bool>,
    /// The uses that the object allows.
    pub usage: Vec<&'static str>,
}

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

const CLASSES: [(Class, ObjectClass); 5] = [
    (Class::Data, ObjectClass::Data),
    (Class::Certificate, ObjectClass::Certificate),
    (Class::PublicKey, ObjectClass::PublicKey),
    (Class::PrivateKey, ObjectClass::PrivateKey),
    (Class::SecretKey, ObjectClass::SecretKey),
];

const USES: [(Attr<bool>, &str); 9] = [
    (attribute::ENCRYPT, "encrypt"),
    (attribute::DECRYPT, "decrypt"),
    (attribute::SIGN, "sign"),
    (attribute::VERIFY, "verify"),
    (attribute::WRAP, "wrap"),
    (attribute::UNWRAP, "unwrap"),
    (attribute::DERIVE, "derive"),
    (attribute::ENCAPSULATE, "encapsulate"),
    (attribute::DECAPSULATE, "decapsulate"),
];

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

/// Handles asked for at a time.
const BATCH: usize = 512;

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
            Self::P256 => CurveName::Nist(Curve::P256),
            Self::P384 => CurveName::Nist(Curve::P384),
            Self::P521 => CurveName::Nist(Curve::P521),
            Self::Ed25519 => CurveName::Edwards25519,
        };
        template.set(attribute::EC_PARAMS, identifier(curve).to_vec());
    }
}

impl Provider {
    /// The objects that a session sees and that match.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_GetAttributeValue.
    pub fn objects(&self, session: u64, choice: &ObjectChoice) -> Result<Vec<ObjectView>> {
        let handles = self.handles(session, choice)?;
        self.run(Function::GetAttributeValue, session, |call| {
            handles.into_iter().map(|handle| call.view(handle)).collect()
        })
    }

    fn handles(&self, session: u64, choice: &ObjectChoice) -> Result<Vec<u64>> {
        let wanted = choice.template();
        self.run(Function::FindObjectsInit, session, |call| call.find_init(Some(&wanted)))?;
        let mut handles = Vec::new();
        loop {
            let found = self.run(Function::FindObjects, session, |call| call.find(BATCH))?;
            if found.is_empty() {
                break;
            }
            handles.extend(found);
        }
        self.run(Function::FindObjectsFinal, session, |call| call.find_final())?;
        Ok(handles)
    }

    /// Destroys the objects that match; how many there were.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_DestroyObject. What came before the failure is destroyed.
    pub fn destroy_objects(&self, session: u64, choice: &ObjectChoice) -> Result<usize> {
        let handles = self.handles(session, choice)?;
        for handle in &handles {
            let handle = *handle;
            self.run(Function::DestroyObject, session, |call| call.destroy_object(handle))?;
        }
        Ok(handles.len())
    }

    /// Makes a key or a key pair on the token, to be used and not read.
    ///
    /// # Errors
    /// Those of C_GenerateKey and C_GenerateKeyPair.
    pub fn make_key(
        &self,
        session: u64,
        key: NewKey,
        label: &str,
        id: Option<&[u8]>,
    ) -> Result<Vec<ObjectView>> {
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
        match key {
            NewKey::Aes(_) | NewKey::Generic(_) => {
                key.describe(&mut hidden);
                key.grant(&mut hidden, SECRET_USES);
                let given = given(key, Half::Secret)?;
                self.run(Function::GenerateKey, session, |call| {
                    let made = call.generate_key(&given, hidden)?;
                    Ok(vec![call.view(made)?])
                })
            }
            _ => {
                key.describe(&mut public);
                key.grant(&mut public, PUBLIC_USES);
                key.grant(&mut hidden, PRIVATE_USES);
                let given = given(key, Half::Pair)?;
                self.run(Function::GenerateKeyPair, session, |call| {
                    let made = call.generate_key_pair(&given, public, hidden)?;
                    Ok(vec![call.view(made.public)?, call.view(made.private)?])
                })
            }
        }
    }

    /// The serial number of the token in a slot, also of one that cannot be opened.
    #[must_use]
    pub fn serial(&self, slot: u64) -> Option<String> {
        let token = self.slot(slot).ok()?.token()?;
        Some(token.serial().to_owned())
    }

    /// Deletes a token and everything on it. The security officer's PIN is checked first, with
    /// its tries counted.
    ///
    /// # Errors
    /// Those of C_OpenSession and C_Login; `CKR_SESSION_EXISTS` if this process has a session
    /// open on it; the store's.
    pub fn delete_token(&self, slot: u64, so_pin: &Secret) -> Result<()> {
        let held = self.slot(slot)?;
        let _one_at_a_time = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        if self.session_counts(slot).0 != 0 {
            return Err(Rv::SessionExists.because("a session with this token is open"));
        }
        let serial = held.token().map(|token| token.serial().to_owned());
        let serial =
            serial.ok_or_else(|| Rv::TokenNotRecognized.because("the token is not initialised"))?;
        let session = self.open_session(slot, Access::ReadWrite)?;
        let checked = self
            .run(Function::Login, session, |call| call.login(UserType::SecurityOfficer, so_pin));
        self.run(Function::CloseSession, session, |call| call.close_session())?;
        checked?;
        held.forget();
        let directory = self.configuration.directory.join("tokens").join(serial);
        let opening = Opening {
            access: self.configuration.access(),
            shared_fs: self.configuration.shared_fs,
        };
        SqliteStore::open(&directory, opening)?.destroy()?;
        self.look_for_tokens()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Secret,
    Pair,
}

/// The mechanism that makes such keys.
fn given(key: NewKey, half: Half) -> Result<GivenMechanism> {
    let makes = |row: &&crate::mechanism::Mechanism| {
        let column = match half {
            Half::Secret => row.generate.is_some(),
            Half::Pair => row.generate_pair.is_some(),
        };
        column && row.key_types.contains(&key.key_type())
    };
    let row = REGISTRY.iter().find(makes);
    let row = row.ok_or_else(|| Rv::MechanismInvalid.because("nothing makes such keys"))?;
    Ok(GivenMechanism { id: row.id, params: MechanismParams::None })
}

impl ObjectChoice {
    fn template(&self) -> Template {
        let mut wanted = Template::default();
        let class = CLASSES.iter().find(|(_, shown)| Some(*shown) == self.class);
        if let Some((class, _)) = class {
            wanted.set(attribute::CLASS, class.code());
        }
        if let Some(label) = &self.label {
            wanted.set(attribute::LABEL, label.as_bytes().to_vec());
        }
        if let Some(id) = &self.id {
            wanted.set(attribute::ID, id.clone());
        }
        if let Some(unique_id) = &self.unique_id {
            wanted.set(attribute::UNIQUE_ID, unique_id.as_bytes().to_vec());
        }
        wanted.set(attribute::TOKEN, true);
        wanted
    }
}

impl Call<'_> {
    fn view(&self, handle: u64) -> Result<ObjectView> {
        let held = self.object(handle)?;
        let attributes = &held.object.attributes;
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let class = attributes.get(attribute::CLASS).and_then(Class::from_code);
        let shown = CLASSES.iter().find(|(known, _)| Some(*known) == class);
        let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
        let uses = USES.iter().filter(|(flag, _)| attributes.is_set(*flag));
        Ok(ObjectView {
            unique_id: text(attributes.get(attribute::UNIQUE_ID)),
            class: shown.map(|(_, shown)| *shown),
            key_type: key_type.map(key_type_name),
            bits: key_type.and_then(|key_type| bits(key_type, attributes)),
            label: text(attributes.get(attribute::LABEL)),
            id: attributes.get(attribute::ID).unwrap_or_default().to_vec(),
            private: attributes.is_set(attribute::PRIVATE),
            sensitive: attributes.get(attribute::SENSITIVE),
            extractable: attributes.get(attribute::EXTRACTABLE),
            usage: uses.map(|(_, name)| *name).collect(),
        })
    }
}

const fn key_type_name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Rsa => "rsa",
        KeyType::Ec => "ec",
        KeyType::EcEdwards => "ed25519",
        KeyType::Aes => "aes",
        KeyType::GenericSecret => "generic",
        KeyType::Sha1Hmac
        | KeyType::Sha224Hmac
        | KeyType::Sha256Hmac
        | KeyType::Sha384Hmac
        | KeyType::Sha512Hmac => "hmac",
    }
}

fn bits(key_type: KeyType, attributes: &Template) -> Option<u64> {
    match key_type {
        KeyType::Rsa => {
            let modulus = attributes.get(attribute::MODULUS)?;
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            let digits = modulus.get(zeros..)?;
            let first = digits.first()?;
            let bits = u64::try_from(digits.len()).ok()?.checked_mul(8)?;
            bits.checked_sub(u64::from(first.leading_zeros()))
        }
        KeyType::Ec | KeyType::EcEdwards => {
            match curve_of(attributes.get(attribute::EC_PARAMS)?).ok()? {
                CurveName::Nist(Curve::P256) | CurveName::Edwards25519 => Some(256),
                CurveName::Nist(Curve::P384) => Some(384),
                CurveName::Nist(Curve::P521) => Some(521),
            }
        }
        _ => attributes.get(attribute::VALUE_LEN)?.checked_mul(8),
    }
}
