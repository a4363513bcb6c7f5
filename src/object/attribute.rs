//! The attributes of PKCS#11 3.2 as one table: number, kind of value, who may change it.
//!
//! Gives each attribute a typed name (`attribute::SIGN`) and turns a caller's bytes into a
//! checked value. Which attributes a class has and demands is `class`'s. PKCS#11 3.2,
//! "Objects" and the tables of its sections.

use std::marker::PhantomData;

use super::template::{Template, Value};
use crate::cryptoki;
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// What the value of an attribute is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// One byte, 0 or 1.
    Flag,
    /// A number of the platform's word size.
    Ulong,
    /// Text, names, numbers of any size.
    Bytes,
    /// Key material.
    Hidden,
    /// A list of mechanisms.
    Ulongs,
    /// A template.
    Nested,
    /// Eight digits, year first, or nothing.
    Date,
}

/// How the value of an existing object may change (the standard's footnotes 8 and 10 to 13).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// Fixed at birth.
    Never,
    /// By `C_SetAttributeValue` and by a copy.
    Freely,
    /// By a copy only.
    OnCopy,
    /// From false to true.
    OnlyToTrue,
    /// From true to false.
    OnlyToFalse,
    /// To a smaller number; not by a copy.
    OnlyLess,
    /// To true by the security officer alone.
    Trust,
    /// Made by the token; in no template.
    ByToken,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    /// The standard's name.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) change: Change,
}

/// The name of an attribute whose value is a `T`.
pub(crate) struct Attr<T> {
    pub(crate) id: u64,
    /// The standard's name.
    pub(crate) name: &'static str,
    kind: PhantomData<fn() -> T>,
}

impl<T> Attr<T> {
    const fn named(id: u64, name: &'static str) -> Self {
        Self { id, name, kind: PhantomData }
    }
}

impl<T> Clone for Attr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Attr<T> {}

/// How a value is read from and put into a template.
pub(crate) trait Typed {
    /// What reading gives.
    type View<'t>;
    /// What writing takes.
    type Owned;
    const KIND: Kind;

    /// The value, if it is of this type.
    fn view(value: &Value) -> Option<Self::View<'_>>;
    fn wrap(owned: Self::Owned) -> Value;
}

/// Declares a type of value: its views and its variant of `Value`.
macro_rules! typed {
    ($type:ty, $kind:ident, $variant:ident, $view:ty, $owned:ty, $bound:ident => $read:expr) => {
        impl Typed for $type {
            type View<'t> = $view;
            type Owned = $owned;
            const KIND: Kind = Kind::$kind;

            fn view(value: &Value) -> Option<Self::View<'_>> {
                match value {
                    Value::$variant($bound) => Some($read),
                    _ => None,
                }
            }

            fn wrap(owned: $owned) -> Value {
                Value::$variant(owned)
            }
        }
    };
}

/// Bytes that are no secret.
pub(crate) struct Bytes;
/// Key material.
pub(crate) struct Hidden;
/// A list of numbers.
pub(crate) struct Ulongs;
/// A template inside a template.
pub(crate) struct Nested;
/// A `CK_DATE`.
pub(crate) struct Date;

typed!(bool, Flag, Bool, bool, bool, flag => *flag);
typed!(u64, Ulong, Ulong, u64, u64, number => *number);
typed!(Bytes, Bytes, Bytes, &'t [u8], Vec<u8>, bytes => bytes);
typed!(Hidden, Hidden, Secret, &'t Secret, Secret, secret => secret);
typed!(Ulongs, Ulongs, Ulongs, &'t [u64], Vec<u64>, list => list);
typed!(Nested, Nested, Nested, &'t Template, Template, template => template);
typed!(Date, Date, Bytes, &'t [u8], Vec<u8>, date => date);

/// Makes the typed names and the rules from one list.
macro_rules! attributes {
    ($($name:ident = $number:ident: $type:ty, $change:ident;)*) => {
        $(
            #[doc = stringify!($number)]
            pub(crate) const $name: Attr<$type> =
                Attr::named(cryptoki::$number, stringify!($number));
        )*

        /// Every attribute that this token knows, in the order of their numbers.
        pub(crate) static RULES: &[Rule] = &[$(Rule {
            id: cryptoki::$number,
            name: stringify!($number),
            kind: <$type as Typed>::KIND,
            change: Change::$change,
        },)*];
    };
}

attributes! {
    CLASS = CKA_CLASS: u64, Never;
    TOKEN = CKA_TOKEN: bool, OnCopy;
    PRIVATE = CKA_PRIVATE: bool, OnCopy;
    LABEL = CKA_LABEL: Bytes, Freely;
    UNIQUE_ID = CKA_UNIQUE_ID: Bytes, ByToken;
    APPLICATION = CKA_APPLICATION: Bytes, Never;
    VALUE = CKA_VALUE: Hidden, Never;
    OBJECT_ID = CKA_OBJECT_ID: Bytes, Never;
    CERTIFICATE_TYPE = CKA_CERTIFICATE_TYPE: u64, Never;
    ISSUER = CKA_ISSUER: Bytes, Freely;
    SERIAL_NUMBER = CKA_SERIAL_NUMBER: Bytes, Freely;
    TRUSTED = CKA_TRUSTED: bool, Trust;
    CERTIFICATE_CATEGORY = CKA_CERTIFICATE_CATEGORY: u64, Never;
    JAVA_MIDP_SECURITY_DOMAIN = CKA_JAVA_MIDP_SECURITY_DOMAIN: u64, Never;
    URL = CKA_URL: Bytes, Never;
    HASH_OF_SUBJECT_PUBLIC_KEY = CKA_HASH_OF_SUBJECT_PUBLIC_KEY: Bytes, Never;
    HASH_OF_ISSUER_PUBLIC_KEY = CKA_HASH_OF_ISSUER_PUBLIC_KEY: Bytes, Never;
    NAME_HASH_ALGORITHM = CKA_NAME_HASH_ALGORITHM: u64, Never;
    CHECK_VALUE = CKA_CHECK_VALUE: Bytes, Never;
    KEY_TYPE = CKA_KEY_TYPE: u64, Never;
    SUBJECT = CKA_SUBJECT: Bytes, Freely;
    ID = CKA_ID: Bytes, Freely;
    SENSITIVE = CKA_SENSITIVE: bool, OnlyToTrue;
    ENCRYPT = CKA_ENCRYPT: bool, Freely;
    DECRYPT = CKA_DECRYPT: bool, Freely;
    WRAP = CKA_WRAP: bool, Freely;
    UNWRAP = CKA_UNWRAP: bool, Freely;
    SIGN = CKA_SIGN: bool, Freely;
    SIGN_RECOVER = CKA_SIGN_RECOVER: bool, Freely;
    VERIFY = CKA_VERIFY: bool, Freely;
    VERIFY_RECOVER = CKA_VERIFY_RECOVER: bool, Freely;
    DERIVE = CKA_DERIVE: bool, Freely;
    START_DATE = CKA_START_DATE: Date, Freely;
    END_DATE = CKA_END_DATE: Date, Freely;
    MODULUS = CKA_MODULUS: Bytes, Never;
    MODULUS_BITS = CKA_MODULUS_BITS: u64, Never;
    PUBLIC_EXPONENT = CKA_PUBLIC_EXPONENT: Bytes, Never;
    PRIVATE_EXPONENT = CKA_PRIVATE_EXPONENT: Hidden, Never;
    PRIME_1 = CKA_PRIME_1: Hidden, Never;
    PRIME_2 = CKA_PRIME_2: Hidden, Never;
    EXPONENT_1 = CKA_EXPONENT_1: Hidden, Never;
    EXPONENT_2 = CKA_EXPONENT_2: Hidden, Never;
    COEFFICIENT = CKA_COEFFICIENT: Hidden, Never;
    PUBLIC_KEY_INFO = CKA_PUBLIC_KEY_INFO: Bytes, Never;
    PRIME = CKA_PRIME: Bytes, Never;
    SUBPRIME = CKA_SUBPRIME: Bytes, Never;
    BASE = CKA_BASE: Bytes, Never;
    PRIME_BITS = CKA_PRIME_BITS: u64, Never;
    SUBPRIME_BITS = CKA_SUBPRIME_BITS: u64, Never;
    VALUE_BITS = CKA_VALUE_BITS: u64, Never;
    VALUE_LEN = CKA_VALUE_LEN: u64, Never;
    EXTRACTABLE = CKA_EXTRACTABLE: bool, OnlyToFalse;
    LOCAL = CKA_LOCAL: bool, ByToken;
    NEVER_EXTRACTABLE = CKA_NEVER_EXTRACTABLE: bool, ByToken;
    ALWAYS_SENSITIVE = CKA_ALWAYS_SENSITIVE: bool, ByToken;
    KEY_GEN_MECHANISM = CKA_KEY_GEN_MECHANISM: u64, ByToken;
    MODIFIABLE = CKA_MODIFIABLE: bool, OnCopy;
    COPYABLE = CKA_COPYABLE: bool, OnlyToFalse;
    DESTROYABLE = CKA_DESTROYABLE: bool, OnCopy;
    EC_PARAMS = CKA_EC_PARAMS: Bytes, Never;
    EC_POINT = CKA_EC_POINT: Bytes, Never;
    ALWAYS_AUTHENTICATE = CKA_ALWAYS_AUTHENTICATE: bool, Never;
    WRAP_WITH_TRUSTED = CKA_WRAP_WITH_TRUSTED: bool, OnlyToTrue;
    OTP_FORMAT = CKA_OTP_FORMAT: u64, Never;
    OTP_LENGTH = CKA_OTP_LENGTH: u64, Never;
    OTP_USER_FRIENDLY_MODE = CKA_OTP_USER_FRIENDLY_MODE: bool, Never;
    OTP_CHALLENGE_REQUIREMENT = CKA_OTP_CHALLENGE_REQUIREMENT: u64, Never;
    OTP_TIME_REQUIREMENT = CKA_OTP_TIME_REQUIREMENT: u64, Never;
    OTP_COUNTER_REQUIREMENT = CKA_OTP_COUNTER_REQUIREMENT: u64, Never;
    OTP_PIN_REQUIREMENT = CKA_OTP_PIN_REQUIREMENT: u64, Never;
    OTP_USER_IDENTIFIER = CKA_OTP_USER_IDENTIFIER: Bytes, Freely;
    OTP_SERVICE_IDENTIFIER = CKA_OTP_SERVICE_IDENTIFIER: Bytes, Freely;
    OTP_SERVICE_LOGO = CKA_OTP_SERVICE_LOGO: Bytes, Freely;
    OTP_SERVICE_LOGO_TYPE = CKA_OTP_SERVICE_LOGO_TYPE: Bytes, Freely;
    OTP_COUNTER = CKA_OTP_COUNTER: Bytes, Never;
    OTP_TIME = CKA_OTP_TIME: Bytes, Never;
    PROFILE_ID = CKA_PROFILE_ID: u64, Never;
    PARAMETER_SET = CKA_PARAMETER_SET: u64, Never;
    ENCAPSULATE_TEMPLATE = CKA_ENCAPSULATE_TEMPLATE: Nested, Never;
    DECAPSULATE_TEMPLATE = CKA_DECAPSULATE_TEMPLATE: Nested, Never;
    TRUST_SERVER_AUTH = CKA_TRUST_SERVER_AUTH: u64, Freely;
    TRUST_CLIENT_AUTH = CKA_TRUST_CLIENT_AUTH: u64, Freely;
    TRUST_CODE_SIGNING = CKA_TRUST_CODE_SIGNING: u64, Freely;
    TRUST_EMAIL_PROTECTION = CKA_TRUST_EMAIL_PROTECTION: u64, Freely;
    TRUST_IPSEC_IKE = CKA_TRUST_IPSEC_IKE: u64, Freely;
    TRUST_TIME_STAMPING = CKA_TRUST_TIME_STAMPING: u64, Freely;
    TRUST_OCSP_SIGNING = CKA_TRUST_OCSP_SIGNING: u64, Freely;
    ENCAPSULATE = CKA_ENCAPSULATE: bool, Freely;
    DECAPSULATE = CKA_DECAPSULATE: bool, Freely;
    HASH_OF_CERTIFICATE = CKA_HASH_OF_CERTIFICATE: Bytes, Freely;
    PUBLIC_CRC64_VALUE = CKA_PUBLIC_CRC64_VALUE: Bytes, Never;
    SEED = CKA_SEED: Hidden, Never;
    WRAP_TEMPLATE = CKA_WRAP_TEMPLATE: Nested, Never;
    UNWRAP_TEMPLATE = CKA_UNWRAP_TEMPLATE: Nested, Never;
    DERIVE_TEMPLATE = CKA_DERIVE_TEMPLATE: Nested, Never;
    ALLOWED_MECHANISMS = CKA_ALLOWED_MECHANISMS: Ulongs, Never;
    CLAVIGER_BUNDLE = CKA_CLAVIGER_BUNDLE: Bytes, Never;
    USES_LEFT = CKA_CLAVIGER_USES_LEFT: u64, OnlyLess;
    KEY_VERSION = CKA_CLAVIGER_KEY_VERSION: u64, ByToken;
    OPERATION = CKA_CLAVIGER_OPERATION: Bytes, ByToken;
    FORMAT = CKA_CLAVIGER_FORMAT: u64, ByToken;
}

/// `CKA_VALUE` of a data object, certificate or public key. It arrives as `VALUE`, because only
/// the class tells them apart; `class` turns it into this.
pub(crate) const PUBLIC_VALUE: Attr<Bytes> = Attr::named(cryptoki::CKA_VALUE, "CKA_VALUE");

/// The number under which an attribute is known here. The two templates of encapsulation lack the
/// bit of arrays in 3.2, and have it in the draft of 3.3.
pub(crate) const fn canonical(id: u64) -> u64 {
    const ARRAY: u64 = cryptoki::CKF_ARRAY_ATTRIBUTE;
    match id & !ARRAY {
        bare @ (cryptoki::CKA_ENCAPSULATE_TEMPLATE | cryptoki::CKA_DECAPSULATE_TEMPLATE) => bare,
        _ => id,
    }
}

/// The row of an attribute, or `None` if this token does not know it.
pub(crate) fn rule(id: u64) -> Option<&'static Rule> {
    let place = RULES.binary_search_by_key(&id, |rule| rule.id).ok()?;
    RULES.get(place)
}

/// The standard's name of an attribute, for messages.
pub(crate) fn name(id: u64) -> &'static str {
    rule(id).map_or("an unknown attribute", |rule| rule.name)
}

/// The checked value of an attribute, from the bytes that a caller gave. A template inside a
/// template has no bytes; the door reads it entry by entry.
///
/// # Errors
/// `CKR_ATTRIBUTE_TYPE_INVALID` for an attribute that this token does not know,
/// `CKR_ATTRIBUTE_VALUE_INVALID` for bytes that are no value of it.
pub(crate) fn parse(id: u64, bytes: &[u8]) -> Result<Value> {
    let rule = rule(id).ok_or_else(|| Rv::AttributeTypeInvalid.because(format!("{id:#x}")))?;
    let parsed = match rule.kind {
        Kind::Flag => match bytes {
            [0] => Some(Value::Bool(false)),
            [1] => Some(Value::Bool(true)),
            _ => None,
        },
        Kind::Ulong => bytes.try_into().ok().map(|word| Value::Ulong(u64::from_ne_bytes(word))),
        Kind::Bytes => Some(Value::Bytes(copied(bytes)?)),
        Kind::Hidden => Some(Value::Secret(Secret::copy_of(bytes)?)),
        Kind::Ulongs => ulongs(bytes),
        Kind::Nested => bytes.is_empty().then(|| Value::Nested(Template::default())),
        Kind::Date => is_date(bytes).then(|| Value::Bytes(bytes.to_vec())),
    };
    parsed.ok_or_else(|| Rv::AttributeValueInvalid.because(rule.name))
}

/// A copy of bytes whose number the caller chose.
pub(super) fn copied(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())
        .map_err(|_| Rv::HostMemory.because("no memory for an attribute"))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

fn ulongs(bytes: &[u8]) -> Option<Value> {
    let (words, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| Value::Ulongs(words.iter().map(|w| u64::from_ne_bytes(*w)).collect()))
}

/// Nothing, or year, month and day in digits (`CK_DATE`).
fn is_date(bytes: &[u8]) -> bool {
    let (year, month, day) = match bytes {
        [] => return true,
        [year @ .., m, n, d, e] => (year, [*m, *n], [*d, *e]),
        _ => return false,
    };
    let digits = bytes.iter().all(u8::is_ascii_digit);
    let fits = (*b"01"..=*b"12").contains(&month) && (*b"01"..=*b"31").contains(&day);
    year.len() == 4 && digits && fits
}
