//! What an object must have, may have and gets: the rules of birth.
//!
//! `admit` judges a caller's template before anything is made, `complete` turns it into a whole
//! object's attributes. The tables are in `rules`, the forms of values in `value`, who may read
//! a key in `secrecy`, later changes in `change`. PKCS#11 3.2, "Creating objects".

mod bare;
mod birth;
pub(crate) mod change;
mod consistency;
mod defaults;
pub(crate) mod format;
mod groups;
mod lengths;
pub(crate) mod one_time;
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

use super::attribute;
use super::template::Template;
use crate::cryptoki;
use crate::error::{Result, Rv};
pub(crate) use birth::{Admitted, Birth, Context, admit, check_halves, complete};
pub(crate) use defaults::{AllDefaults, is_usually_private};
pub(crate) use lengths::asked_len;
use rules::Row;

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
        OtpKey = CKO_OTP_KEY,
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
        Hotp = CKK_HOTP,
    }
}

/// The one type of certificate.
pub(crate) const X_509: u64 = cryptoki::CKC_X_509;

impl Class {
    /// Whether such an object holds a secret, and so is private unless its maker says otherwise.
    pub(crate) fn is_secret(self) -> bool {
        self == Self::PrivateKey || self.is_symmetric()
    }

    /// Whether such an object is a key that is nothing but the bytes of its value.
    pub(crate) fn is_symmetric(self) -> bool {
        matches!(self, Self::SecretKey | Self::OtpKey)
    }

    /// Whether such an object is a key.
    pub(crate) fn is_key(self) -> bool {
        self == Self::PublicKey || self.is_secret()
    }
}

impl KeyType {
    /// The class of the half that holds the secret.
    pub(crate) fn secret_class(self) -> Class {
        match self {
            Self::Hotp => Class::OtpKey,
            pair if pair.is_asymmetric() => Class::PrivateKey,
            _ => Class::SecretKey,
        }
    }

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
        let fits = match class {
            Class::DomainParameters => key_type.has_groups(),
            Class::PublicKey => key_type.is_asymmetric(),
            secret => key_type.secret_class() == secret,
        };
        if !fits {
            return Err(Rv::TemplateInconsistent.because("no such keys of this class"));
        }
        Ok(Self { class, key_type: Some(key_type) })
    }

    fn rows(self) -> impl Iterator<Item = &'static Row> {
        rules::tables(self.class, self.key_type).into_iter().flatten()
    }

    fn row(self, id: u64) -> Option<&'static Row> {
        self.find(|row| row.id == id)
    }

    /// The first row that passes a test. Every new object meets this for each of its attributes,
    /// and table after table it takes half as long as along the chain of them.
    fn find(self, wanted: impl Fn(&Row) -> bool) -> Option<&'static Row> {
        let tables = rules::tables(self.class, self.key_type);
        tables.into_iter().find_map(|table| table.iter().find(|row| wanted(row)))
    }
}
