//! What an object must have, may have and gets: the rules of birth.
//!
//! `admit` judges a caller's template before anything is made, `complete` turns it into a whole
//! object's attributes. The tables are in `rules`, the forms of values in `value`, who may read
//! a key in `secrecy`, later changes in `change`. PKCS#11 3.2, "Creating objects".

mod bare;
pub(crate) mod change;
mod consistency;
pub(crate) mod format;
mod groups;
mod lengths;
pub(crate) mod profiles;
pub(crate) mod reading;
pub(crate) mod roles;
mod rules;
pub(crate) mod secrecy;
pub(crate) mod sets;
#[cfg(test)]
mod tests;
mod trust;
mod value;

use super::attribute::{self, Change};
use super::computed;
use super::template::{Template, Value};
use crate::cryptoki;
use crate::error::{Result, Rv};
use consistency::consistent;
use rules::{Absent, Row};

/// Makes an enum of the standard's numbers that this token offers.
macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident { $($name:ident = $number:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum $type { $(
            #[doc = stringify!($number)]
            $name,
        )* }

        impl $type {
            /// All of them.
            #[allow(dead_code, reason = "not asked of each")]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The standard's number.
            pub(crate) const fn code(self) -> u64 {
                match self { $(Self::$name => cryptoki::$number,)* }
            }

            /// The one with this number, if it is offered.
            pub(crate) fn from_code(code: u64) -> Option<Self> {
                match code {
                    $(cryptoki::$number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

numbered! {
    /// A class of objects. Profiles are the token's own; all others can be created.
    Class {
        Data = CKO_DATA,
        Certificate = CKO_CERTIFICATE,
        PublicKey = CKO_PUBLIC_KEY,
        PrivateKey = CKO_PRIVATE_KEY,
        SecretKey = CKO_SECRET_KEY,
        DomainParameters = CKO_DOMAIN_PARAMETERS,
        Profile = CKO_PROFILE,
        Trust = CKO_TRUST,
    }
}

numbered! {
    /// A type of key.
    KeyType {
        Rsa = CKK_RSA,
        Ec = CKK_EC,
        EcEdwards = CKK_EC_EDWARDS,
        EcMontgomery = CKK_EC_MONTGOMERY,
        MlDsa = CKK_ML_DSA,
        MlKem = CKK_ML_KEM,
        SlhDsa = CKK_SLH_DSA,
        CompSig = CKK_COMP_SIG,
        CompKem = CKK_COMP_KEM,
        Dh = CKK_DH,
        Dsa = CKK_DSA,
        GenericSecret = CKK_GENERIC_SECRET,
        Aes = CKK_AES,
        Sha1Hmac = CKK_SHA_1_HMAC,
        Sha224Hmac = CKK_SHA224_HMAC,
        Sha256Hmac = CKK_SHA256_HMAC,
        Sha384Hmac = CKK_SHA384_HMAC,
        Sha512Hmac = CKK_SHA512_HMAC,
        Sha512_224Hmac = CKK_SHA512_224_HMAC,
        Sha512_256Hmac = CKK_SHA512_256_HMAC,
        Sha512THmac = CKK_SHA512_T_HMAC,
        Sha3_224Hmac = CKK_SHA3_224_HMAC,
        Sha3_256Hmac = CKK_SHA3_256_HMAC,
        Sha3_384Hmac = CKK_SHA3_384_HMAC,
        Sha3_512Hmac = CKK_SHA3_512_HMAC,
        Blake2b160Hmac = CKK_BLAKE2B_160_HMAC,
        Blake2b256Hmac = CKK_BLAKE2B_256_HMAC,
        Blake2b384Hmac = CKK_BLAKE2B_384_HMAC,
        Blake2b512Hmac = CKK_BLAKE2B_512_HMAC,
        Md5Hmac = CKK_MD5_HMAC,
        Hkdf = CKK_HKDF,
        AesXts = CKK_AES_XTS,
        ChaCha20 = CKK_CHACHA20,
        Poly1305 = CKK_POLY1305,
        Des = CKK_DES,
        Des2 = CKK_DES2,
        Des3 = CKK_DES3,
    }
}

/// The one type of certificate.
pub(crate) const X_509: u64 = cryptoki::CKC_X_509;

impl Class {
    /// Whether such an object holds a secret, and so is private unless its maker says otherwise.
    pub(crate) fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::SecretKey)
    }

    /// Whether such an object is a key.
    pub(crate) fn is_key(self) -> bool {
        matches!(self, Self::PublicKey | Self::PrivateKey | Self::SecretKey)
    }
}

impl KeyType {
    /// Whether keys of this type lie in groups, which can be objects too.
    pub(crate) const fn has_groups(self) -> bool {
        matches!(self, Self::Dh | Self::Dsa)
    }

    /// Whether keys of this type come in pairs.
    pub(crate) fn is_asymmetric(self) -> bool {
        self.is_bare()
            || self.is_composite()
            || self.has_groups()
            || matches!(self, Self::Rsa | Self::Ec | Self::EcEdwards | Self::EcMontgomery)
    }
}

/// What kind of object it is; decides which tables hold for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Species {
    pub(crate) class: Class,
    /// Of keys and their parameters only.
    pub(crate) key_type: Option<KeyType>,
}

impl Species {
    /// A kind of key.
    pub(crate) const fn key(class: Class, key_type: KeyType) -> Self {
        Self { class, key_type: Some(key_type) }
    }

    /// What a template says that it is.
    ///
    /// # Errors
    /// `CKR_TEMPLATE_INCOMPLETE` without class or key type, `CKR_ATTRIBUTE_VALUE_INVALID` for
    /// one that is not offered, `CKR_TEMPLATE_INCONSISTENT` if they do not go together.
    pub(crate) fn of(template: &Template) -> Result<Self> {
        let class = template.require(attribute::CLASS)?;
        let class = Class::from_code(class)
            .ok_or_else(|| Rv::AttributeValueInvalid.because("a class that is not offered"))?;
        if !class.is_key() && class != Class::DomainParameters {
            return Ok(Self { class, key_type: None });
        }
        let key_type = template.require(attribute::KEY_TYPE)?;
        let key_type = KeyType::from_code(key_type)
            .ok_or_else(|| Rv::AttributeValueInvalid.because("a key type that is not offered"))?;
        let has_none = class == Class::DomainParameters && !key_type.has_groups();
        if has_none || key_type.is_asymmetric() == (class == Class::SecretKey) {
            return Err(Rv::TemplateInconsistent.because("no such keys of this class"));
        }
        Ok(Self { class, key_type: Some(key_type) })
    }

    fn rows(self) -> impl Iterator<Item = &'static Row> {
        rules::tables(self.class, self.key_type).into_iter().flatten()
    }

    fn row(self, id: u64) -> Option<&'static Row> {
        self.rows().find(|row| row.id == id)
    }
}

/// How an object comes into being. A copy has its own function, `change::copy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Birth {
    /// By `C_CreateObject`.
    Create,
    /// By `C_GenerateKey`.
    Generate,
    /// As the public half of `C_GenerateKeyPair`.
    GeneratePublic,
    /// As the private half of `C_GenerateKeyPair`.
    GeneratePrivate,
    /// By `C_DeriveKey`, from a key with these two attributes.
    Derive { always_sensitive: bool, never_extractable: bool },
    /// By `C_UnwrapKey`.
    Unwrap,
    /// By `C_EncapsulateKey` or `C_DecapsulateKey`.
    Encapsulate,
}

impl Birth {
    fn is_generation(self) -> bool {
        matches!(self, Self::Generate | Self::GeneratePublic | Self::GeneratePrivate)
    }

    /// Whether the caller must give the attribute of a row.
    fn demands(self, row: &Row) -> bool {
        match self {
            Self::Create => row.has(rules::N1),
            Self::Generate | Self::GeneratePublic | Self::GeneratePrivate => row.has(rules::N3),
            Self::Derive { .. } | Self::Unwrap | Self::Encapsulate => row.has(rules::N5),
        }
    }

    /// Whether the caller must not give the attribute of a row.
    fn forbids(self, row: &Row) -> bool {
        match self {
            Self::Create => row.has(rules::N2),
            Self::Generate | Self::GeneratePublic | Self::GeneratePrivate => row.has(rules::N4),
            Self::Derive { .. } | Self::Unwrap | Self::Encapsulate => row.has(rules::N6),
        }
    }
}

/// Who asks, and under which policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Whether the security officer is logged in.
    pub(crate) so: bool,
    /// Whether `policy.export` is `deny`.
    pub(crate) export_denied: bool,
    /// Whether `policy.separate_uses` is on.
    pub(crate) separate_uses: bool,
    /// The mechanism that generates the key, if one does.
    pub(crate) mechanism: Option<u64>,
}

/// Judges a caller's template for an object that is about to be made, before the work of making
/// it. For `Birth::Create`, `complete` calls it.
///
/// # Errors
/// The codes of the standard's section on creating objects, and of the export policy.
pub(crate) fn admit(
    given: &Template,
    species: Species,
    birth: Birth,
    context: &Context,
) -> Result<()> {
    for (id, value) in given.iter() {
        let row = belongs(species, id)?;
        if birth.forbids(row) {
            return Err(Rv::AttributeReadOnly.because(attribute::name(id)));
        }
        flat(value)?;
        // Keys without a limit read as having an empty list: it must not be taken for one that
        // allows nothing.
        if id == attribute::ALLOWED_MECHANISMS.id
            && matches!(value, Value::Ulongs(list) if list.is_empty())
        {
            return Err(Rv::AttributeValueInvalid.because("CKA_ALLOWED_MECHANISMS without one"));
        }
    }
    expect(given, attribute::CLASS, species.class.code())?;
    if let Some(key_type) = species.key_type {
        expect(given, attribute::KEY_TYPE, key_type.code())?;
    }
    if let Some(missing) = species.rows().find(|row| birth.demands(row) && !given.contains(row.id))
    {
        return Err(Rv::TemplateIncomplete.because(attribute::name(missing.id)));
    }
    let mut flags = Template::default();
    for (id, value) in given.iter() {
        if matches!(value, Value::Bool(_) | Value::Ulong(_)) {
            flags.put(id, value.try_clone()?);
        }
    }
    fill(&mut flags, species, birth, context);
    consistent(&flags, species, context)
}

/// Makes a caller's template, with what a mechanism added to it, into all attributes of an
/// object but `CKA_UNIQUE_ID`, which the token gives.
///
/// # Errors
/// As `admit`; and `CKR_ATTRIBUTE_VALUE_INVALID`, `CKR_DOMAIN_PARAMS_INVALID` or
/// `CKR_CURVE_NOT_SUPPORTED` for values that make no key.
pub(crate) fn complete(
    mut template: Template,
    birth: Birth,
    context: &Context,
) -> Result<Template> {
    let species = Species::of(&template)?;
    if birth == Birth::Create {
        if species.class == Class::Profile {
            return Err(Rv::AttributeValueInvalid.because("the token alone says what it is"));
        }
        admit(&template, species, birth, context)?;
    }
    for (id, value) in template.iter() {
        belongs(species, id)?;
        if attribute::rule(id).is_some_and(|rule| rule.change == Change::ByToken) {
            return Err(Rv::AttributeReadOnly.because(attribute::name(id)));
        }
        flat(value)?;
    }
    let public = value::settle(&mut template, species)?;
    fill(&mut template, species, birth, context);
    consistent(&template, species, context)?;
    if species.class == Class::DomainParameters {
        template.set(attribute::LOCAL, birth.is_generation());
    }
    if species.class.is_key() {
        record_birth(&mut template, species, birth, context);
    }
    computed::complete(&mut template, species, public.as_ref())?;
    if birth.is_generation() || template.is_set(attribute::TOKEN) {
        computed::identify(&mut template, species);
    }
    Ok(template)
}

/// The row of an attribute that an object of this species can have.
fn belongs(species: Species, id: u64) -> Result<&'static Row> {
    if attribute::rule(id).is_none() {
        return Err(Rv::AttributeTypeInvalid.because(format!("{id:#x}")));
    }
    species.row(id).ok_or_else(|| {
        Rv::TemplateInconsistent
            .because(format!("{} in a template of another class or type", attribute::name(id)))
    })
}

/// A template inside a template has none inside it.
fn flat(value: &Value) -> Result<()> {
    match value {
        Value::Nested(inner) if inner.iter().any(|(_, v)| matches!(v, Value::Nested(_))) => {
            Err(Rv::TemplateInconsistent.because("templates nested too deep"))
        }
        _ => Ok(()),
    }
}

fn expect(given: &Template, name: attribute::Attr<u64>, expected: u64) -> Result<()> {
    match given.get(name) {
        Some(other) if other != expected => {
            Err(Rv::TemplateInconsistent.because(format!("another {}", name.name)))
        }
        _ => Ok(()),
    }
}

/// Writes the defaults of flags and numbers that nobody gave.
fn fill(template: &mut Template, species: Species, birth: Birth, context: &Context) {
    let on_token = template.is_set(attribute::TOKEN);
    for row in species.rows() {
        let default = match row.absent {
            Absent::Empty | Absent::Missing | Absent::Computed => continue,
            Absent::Flag(flag) => Value::Bool(flag),
            Absent::Number(number) => Value::Ulong(number),
            Absent::Private => Value::Bool(species.class.is_secret()),
            Absent::Use => {
                let wanted = !context.separate_uses || roles::usual(row.id, template);
                Value::Bool(wanted && rules::is_usual(row.id, species.key_type))
            }
            Absent::Secrecy => Value::Bool(secrecy::usual(row.id, species.class, birth, on_token)),
        };
        if !template.contains(row.id) {
            template.put(row.id, default);
        }
    }
}

/// Writes where a key came from and whether it was ever readable.
fn record_birth(template: &mut Template, species: Species, birth: Birth, context: &Context) {
    let mechanism = context.mechanism.filter(|_| birth.is_generation());
    template.set(attribute::LOCAL, birth.is_generation());
    template.set(
        attribute::KEY_GEN_MECHANISM,
        mechanism.unwrap_or(cryptoki::CK_UNAVAILABLE_INFORMATION),
    );
    if species.class.is_secret() {
        let (always, never) = secrecy::history(template, birth);
        template.set(attribute::ALWAYS_SENSITIVE, always);
        template.set(attribute::NEVER_EXTRACTABLE, never);
    }
}
