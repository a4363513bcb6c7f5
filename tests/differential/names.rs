//! The attributes that templates are made of, with their names and kinds of value.

use cryptoki_sys as ck;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Flag,
    Number,
    Bytes,
    Date,
    Mechanisms,
}

/// An attribute.
pub struct Name {
    pub number: ck::CK_ATTRIBUTE_TYPE,
    pub name: &'static str,
    pub form: Form,
}

macro_rules! names {
    ($($form:ident: $($name:ident)*;)*) => {
        &[$($(Name { number: ck::$name, name: stringify!($name), form: Form::$form },)*)*]
    };
}

/// All that are changed and read. Both sides know them.
pub const NAMES: &[Name] = names! {
    Flag: CKA_TOKEN CKA_PRIVATE CKA_MODIFIABLE CKA_COPYABLE CKA_DESTROYABLE CKA_TRUSTED
        CKA_SENSITIVE CKA_EXTRACTABLE CKA_ENCRYPT CKA_DECRYPT CKA_SIGN CKA_VERIFY
        CKA_SIGN_RECOVER CKA_VERIFY_RECOVER CKA_WRAP CKA_UNWRAP CKA_DERIVE CKA_LOCAL
        CKA_ALWAYS_SENSITIVE CKA_NEVER_EXTRACTABLE CKA_WRAP_WITH_TRUSTED
        CKA_ALWAYS_AUTHENTICATE;
    Number: CKA_CLASS CKA_KEY_TYPE CKA_VALUE_LEN CKA_MODULUS_BITS CKA_KEY_GEN_MECHANISM
        CKA_CERTIFICATE_TYPE CKA_CERTIFICATE_CATEGORY CKA_JAVA_MIDP_SECURITY_DOMAIN;
    Bytes: CKA_LABEL CKA_ID CKA_SUBJECT CKA_ISSUER CKA_SERIAL_NUMBER CKA_APPLICATION
        CKA_OBJECT_ID CKA_URL CKA_VALUE CKA_MODULUS CKA_PUBLIC_EXPONENT CKA_PRIVATE_EXPONENT
        CKA_PRIME_1 CKA_PRIME_2 CKA_EXPONENT_1 CKA_EXPONENT_2 CKA_COEFFICIENT CKA_EC_PARAMS
        CKA_EC_POINT CKA_CHECK_VALUE CKA_HASH_OF_SUBJECT_PUBLIC_KEY;
    Date: CKA_START_DATE CKA_END_DATE;
    Mechanisms: CKA_ALLOWED_MECHANISMS;
};

/// The row of an attribute.
pub fn of(number: ck::CK_ATTRIBUTE_TYPE) -> &'static Name {
    NAMES.iter().find(|name| name.number == number).expect("an attribute of the table")
}
