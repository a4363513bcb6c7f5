//! Objects in plain words: which are meant, and what may be shown of them to everybody who sees
//! them. Attributes that could be secret are never read here.

use crate::audit::base64;
use crate::call::Function;
use crate::engine::edwards::Edwards;
use crate::engine::montgomery::Montgomery;
use crate::error::Result;
use crate::object::attribute::{self, Attr};
use crate::object::bundle::Partner;
use crate::object::class::{Class, KeyType};
use crate::object::curve::{CurveName, curve_of};
use crate::object::size::bits_of;
use crate::object::template::Template;
use crate::provider::{Call, Provider};

use super::kinds::kind_of;

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
    /// CKO_OTP_KEY.
    OtpKey,
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
    /// Of keys: the kind as `key generate` takes it, if that makes such keys.
    pub algorithm: Option<String>,
    /// CKA_LABEL.
    pub label: String,
    /// CKA_ID.
    pub id: Vec<u8>,
    /// CKA_CLAVIGER_KEY_VERSION, of keys that were rotated.
    pub version: Option<u64>,
    /// CKA_START_DATE as year, month and day.
    pub start_date: Option<String>,
    /// CKA_END_DATE.
    pub end_date: Option<String>,
    /// CKA_LOCAL, of keys: whether it was made on the token.
    pub local: Option<bool>,
    /// CKA_UNIQUE_ID of the other key of a bundle.
    pub bundled_with: Option<String>,
    /// CKA_PRIVATE.
    pub private: bool,
    /// CKA_SENSITIVE, of private and secret keys.
    pub sensitive: Option<bool>,
    /// CKA_EXTRACTABLE, of private and secret keys.
    pub extractable: Option<bool>,
    /// The uses that the object allows.
    pub usage: Vec<&'static str>,
}

const CLASSES: [(Class, ObjectClass); 6] = [
    (Class::Data, ObjectClass::Data),
    (Class::Certificate, ObjectClass::Certificate),
    (Class::PublicKey, ObjectClass::PublicKey),
    (Class::PrivateKey, ObjectClass::PrivateKey),
    (Class::SecretKey, ObjectClass::SecretKey),
    (Class::OtpKey, ObjectClass::OtpKey),
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

impl ObjectChoice {
    pub(super) fn template(&self) -> Template {
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

impl Provider {
    /// The public keys of the objects that match, each once: SubjectPublicKeyInfo of
    /// RFC 5280 as the PEM of RFC 7468.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_GetAttributeValue.
    pub fn public_keys(&self, session: u64, choice: &ObjectChoice) -> Result<Vec<String>> {
        let handles = self.handles(session, choice)?;
        self.run(Function::GetAttributeValue, session, |call| {
            let mut keys: Vec<Vec<u8>> = Vec::new();
            for handle in handles {
                let held = call.object(handle)?;
                let key = held.object.attributes.get(attribute::PUBLIC_KEY_INFO);
                if let Some(key) = key.filter(|key| !key.is_empty())
                    && !keys.iter().any(|known| known == key)
                {
                    keys.push(key.to_vec());
                }
            }
            Ok(keys.iter().map(|key| pem("PUBLIC KEY", key)).collect())
        })
    }
}

impl Call<'_> {
    pub(super) fn view(&self, handle: u64) -> Result<ObjectView> {
        let held = self.object(handle)?;
        let attributes = &held.object.attributes;
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let class = attributes.get(attribute::CLASS).and_then(Class::from_code);
        let shown = CLASSES.iter().find(|(known, _)| Some(*known) == class);
        let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
        let uses = USES.iter().filter(|(flag, _)| attributes.is_set(*flag));
        let partner = Partner::named_by(attributes)?;
        Ok(ObjectView {
            unique_id: text(attributes.get(attribute::UNIQUE_ID)),
            class: shown.map(|(_, shown)| *shown),
            key_type: key_type.map(|key_type| key_name(key_type, attributes)),
            bits: key_type.and_then(|_| bits_of(attributes)),
            algorithm: kind_of(attributes),
            version: attributes.get(attribute::KEY_VERSION),
            start_date: attributes.get(attribute::START_DATE).and_then(day),
            end_date: attributes.get(attribute::END_DATE).and_then(day),
            local: attributes.get(attribute::LOCAL),
            bundled_with: partner.map(|partner| text(Some(&partner.unique_id))),
            label: text(attributes.get(attribute::LABEL)),
            id: attributes.get(attribute::ID).unwrap_or_default().to_vec(),
            private: attributes.is_set(attribute::PRIVATE),
            sensitive: attributes.get(attribute::SENSITIVE),
            extractable: attributes.get(attribute::EXTRACTABLE),
            usage: uses.map(|(_, name)| *name).collect(),
        })
    }
}

/// The eight digits of a date with hyphens between them; nothing for an empty one.
fn day(digits: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(digits).ok()?;
    Some(format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..8)?))
}

/// RFC 7468.
fn pem(kind: &str, der: &[u8]) -> String {
    let text = base64::encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// The type of a key; for keys of the newer curves, what the curve is called in daily life.
pub(in crate::provider) fn key_name(key_type: KeyType, attributes: &Template) -> &'static str {
    let curve = attributes.get(attribute::EC_PARAMS).and_then(|params| curve_of(params).ok());
    match curve {
        Some(CurveName::Edwards(Edwards::Ed25519)) => "ed25519",
        Some(CurveName::Edwards(Edwards::Ed448)) => "ed448",
        Some(CurveName::Montgomery(Montgomery::X25519)) => "x25519",
        Some(CurveName::Montgomery(Montgomery::X448)) => "x448",
        _ => key_type_name(key_type),
    }
}

/// Whether a type of key has this name.
pub(in crate::provider) fn is_key_name(name: &str) -> bool {
    ["ed25519", "ed448", "x25519", "x448"].contains(&name) || key_types(name).next().is_some()
}

/// The types of key that have this name: several share "hmac".
pub(in crate::provider) fn key_types(name: &str) -> impl Iterator<Item = KeyType> {
    KeyType::ALL.iter().copied().filter(move |key_type| key_type_name(*key_type) == name)
}

const fn key_type_name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Rsa => "rsa",
        KeyType::Ec => "ec",
        KeyType::EcEdwards => "edwards",
        KeyType::EcMontgomery => "montgomery",
        KeyType::MlDsa => "ml-dsa",
        KeyType::MlKem => "ml-kem",
        KeyType::SlhDsa => "slh-dsa",
        KeyType::CompSig => "composite-signature",
        KeyType::CompKem => "composite-kem",
        KeyType::Dh => "dh",
        KeyType::Dsa => "dsa",
        KeyType::Aes => "aes",
        KeyType::GenericSecret => "generic",
        KeyType::Hkdf => "hkdf",
        KeyType::AesXts => "aes-xts",
        KeyType::ChaCha20 => "chacha20",
        KeyType::Poly1305 => "poly1305",
        KeyType::Des => "des",
        KeyType::Des2 => "des2",
        KeyType::Des3 => "des3",
        KeyType::Hotp => "hotp",
        KeyType::Sha1Hmac
        | KeyType::Sha224Hmac
        | KeyType::Sha256Hmac
        | KeyType::Sha384Hmac
        | KeyType::Sha512Hmac
        | KeyType::Sha512_224Hmac
        | KeyType::Sha512_256Hmac
        | KeyType::Sha512THmac
        | KeyType::Sha3_224Hmac
        | KeyType::Sha3_256Hmac
        | KeyType::Sha3_384Hmac
        | KeyType::Sha3_512Hmac
        | KeyType::Blake2b160Hmac
        | KeyType::Blake2b256Hmac
        | KeyType::Blake2b384Hmac
        | KeyType::Blake2b512Hmac
        | KeyType::Md5Hmac => "hmac",
    }
}
