//! Sound templates of every kind of object that both sides know, to be changed by chance.

use cryptoki_sys as ck;

use super::cases::Row;
use crate::support::known::{
    ED25519, ED25519_PUBLIC, ED25519_SEED, P256, P256_POINT, P256_PRIVATE, RSA_COEFFICIENT,
    RSA_EXPONENT_1, RSA_EXPONENT_2, RSA_MODULUS, RSA_PRIME_1, RSA_PRIME_2, RSA_PRIVATE_EXPONENT,
    hex, octet_string,
};

/// How an object comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Birth {
    Create,
    /// C_GenerateKey or C_GenerateKeyPair with this mechanism.
    Generate(ck::CK_MECHANISM_TYPE),
}

/// A kind of object, and what is sound for it.
pub struct Kind {
    pub name: &'static str,
    pub birth: Birth,
    /// What is made, or the public half of it.
    pub sound: fn() -> Vec<Row>,
    /// The attributes that it is asked for beside those of all objects.
    pub own: &'static [ck::CK_ATTRIBUTE_TYPE],
}

fn number(value: ck::CK_ULONG) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn object(class: ck::CK_OBJECT_CLASS, rows: Vec<Row>) -> Vec<Row> {
    [vec![(ck::CKA_CLASS, number(class))], rows].concat()
}

fn key(class: ck::CK_OBJECT_CLASS, key_type: ck::CK_KEY_TYPE, rows: Vec<Row>) -> Vec<Row> {
    object(class, [vec![(ck::CKA_KEY_TYPE, number(key_type))], rows].concat())
}

fn secret(key_type: ck::CK_KEY_TYPE, value: &[u8]) -> Vec<Row> {
    key(ck::CKO_SECRET_KEY, key_type, vec![(ck::CKA_VALUE, value.to_vec())])
}

const EXPONENT: &[u8] = &[1, 0, 1];

fn rsa_private() -> Vec<Row> {
    let rows = [
        (ck::CKA_MODULUS, RSA_MODULUS),
        (ck::CKA_PRIVATE_EXPONENT, RSA_PRIVATE_EXPONENT),
        (ck::CKA_PRIME_1, RSA_PRIME_1),
        (ck::CKA_PRIME_2, RSA_PRIME_2),
        (ck::CKA_EXPONENT_1, RSA_EXPONENT_1),
        (ck::CKA_EXPONENT_2, RSA_EXPONENT_2),
        (ck::CKA_COEFFICIENT, RSA_COEFFICIENT),
    ];
    let mut rows: Vec<Row> = rows.map(|(name, value)| (name, hex(value))).to_vec();
    rows.push((ck::CKA_PUBLIC_EXPONENT, EXPONENT.to_vec()));
    key(ck::CKO_PRIVATE_KEY, ck::CKK_RSA, rows)
}

fn rsa_public() -> Vec<Row> {
    let exponent = (ck::CKA_PUBLIC_EXPONENT, EXPONENT.to_vec());
    key(ck::CKO_PUBLIC_KEY, ck::CKK_RSA, vec![(ck::CKA_MODULUS, hex(RSA_MODULUS)), exponent])
}

fn on_curve(class: ck::CK_OBJECT_CLASS, key_type: ck::CK_KEY_TYPE, value: Row) -> Vec<Row> {
    let curve = if key_type == ck::CKK_EC { P256 } else { ED25519 };
    key(class, key_type, vec![(ck::CKA_EC_PARAMS, curve.to_vec()), value])
}

const KEY: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_KEY_TYPE,
    ck::CKA_ID,
    ck::CKA_START_DATE,
    ck::CKA_END_DATE,
    ck::CKA_DERIVE,
    ck::CKA_LOCAL,
    ck::CKA_KEY_GEN_MECHANISM,
    ck::CKA_ALLOWED_MECHANISMS,
];

/// The attributes that objects of a class are asked for, and changed in.
pub fn asked_of(kind: &Kind) -> Vec<ck::CK_ATTRIBUTE_TYPE> {
    let storage = [
        ck::CKA_CLASS,
        ck::CKA_TOKEN,
        ck::CKA_PRIVATE,
        ck::CKA_MODIFIABLE,
        ck::CKA_LABEL,
        ck::CKA_COPYABLE,
        ck::CKA_DESTROYABLE,
    ];
    let secret = [ck::CKA_SENSITIVE, ck::CKA_EXTRACTABLE, ck::CKA_ALWAYS_SENSITIVE]
        .into_iter()
        .chain([ck::CKA_NEVER_EXTRACTABLE, ck::CKA_WRAP_WITH_TRUSTED])
        .chain([ck::CKA_DECRYPT, ck::CKA_SIGN, ck::CKA_UNWRAP]);
    let public = [ck::CKA_ENCRYPT, ck::CKA_VERIFY, ck::CKA_WRAP, ck::CKA_TRUSTED];
    let mut all = storage.to_vec();
    let name = kind.name;
    if !matches!(name, "data" | "certificate") {
        all.extend(KEY);
    }
    if name.ends_with("public") || name.ends_with("secret") || name.ends_with("pair") {
        all.extend(public);
    }
    if name.ends_with("private") || name.ends_with("secret") {
        all.extend(secret);
    }
    all.extend(kind.own);
    all
}

const RSA_OWN: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_SUBJECT,
    ck::CKA_MODULUS,
    ck::CKA_PUBLIC_EXPONENT,
    ck::CKA_PRIVATE_EXPONENT,
    ck::CKA_PRIME_1,
    ck::CKA_PRIME_2,
    ck::CKA_EXPONENT_1,
    ck::CKA_EXPONENT_2,
    ck::CKA_COEFFICIENT,
    ck::CKA_SIGN_RECOVER,
    ck::CKA_ALWAYS_AUTHENTICATE,
];
const EC_PRIVATE_OWN: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_SUBJECT,
    ck::CKA_EC_PARAMS,
    ck::CKA_VALUE,
    ck::CKA_SIGN_RECOVER,
    ck::CKA_ALWAYS_AUTHENTICATE,
];
const EC_PUBLIC_OWN: &[ck::CK_ATTRIBUTE_TYPE] =
    &[ck::CKA_SUBJECT, ck::CKA_EC_PARAMS, ck::CKA_EC_POINT, ck::CKA_VERIFY_RECOVER];
const SECRET_OWN: &[ck::CK_ATTRIBUTE_TYPE] =
    &[ck::CKA_VALUE, ck::CKA_VALUE_LEN, ck::CKA_CHECK_VALUE];

/// Every kind.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "data",
        birth: Birth::Create,
        sound: || object(ck::CKO_DATA, vec![(ck::CKA_VALUE, b"a value".to_vec())]),
        own: &[ck::CKA_APPLICATION, ck::CKA_OBJECT_ID, ck::CKA_VALUE],
    },
    Kind {
        name: "certificate",
        birth: Birth::Create,
        sound: || {
            let rows = vec![
                (ck::CKA_CERTIFICATE_TYPE, number(ck::CKC_X_509)),
                (ck::CKA_SUBJECT, b"0\x00".to_vec()),
                (ck::CKA_VALUE, b"0\x03\x02\x01\x05".to_vec()),
            ];
            object(ck::CKO_CERTIFICATE, rows)
        },
        own: &[
            ck::CKA_CERTIFICATE_TYPE,
            ck::CKA_TRUSTED,
            ck::CKA_CERTIFICATE_CATEGORY,
            ck::CKA_CHECK_VALUE,
            ck::CKA_START_DATE,
            ck::CKA_END_DATE,
            ck::CKA_SUBJECT,
            ck::CKA_ID,
            ck::CKA_ISSUER,
            ck::CKA_SERIAL_NUMBER,
            ck::CKA_VALUE,
            ck::CKA_URL,
            ck::CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
            ck::CKA_JAVA_MIDP_SECURITY_DOMAIN,
        ],
    },
    Kind {
        name: "aes secret",
        birth: Birth::Create,
        sound: || secret(ck::CKK_AES, &[7; 32]),
        own: SECRET_OWN,
    },
    Kind {
        name: "generic secret",
        birth: Birth::Create,
        sound: || secret(ck::CKK_GENERIC_SECRET, &[7; 20]),
        own: SECRET_OWN,
    },
    Kind {
        name: "des3 secret",
        birth: Birth::Create,
        sound: || secret(ck::CKK_DES3, b"\x01\x02\x04\x07\x08\x0b\x0d\x0e123478ABdefghkm\x70"),
        own: SECRET_OWN,
    },
    Kind { name: "rsa private", birth: Birth::Create, sound: rsa_private, own: RSA_OWN },
    Kind {
        name: "rsa public",
        birth: Birth::Create,
        sound: rsa_public,
        own: &[
            ck::CKA_SUBJECT,
            ck::CKA_MODULUS,
            ck::CKA_MODULUS_BITS,
            ck::CKA_PUBLIC_EXPONENT,
            ck::CKA_VERIFY_RECOVER,
        ],
    },
    Kind {
        name: "ec private",
        birth: Birth::Create,
        sound: || {
            let value = (ck::CKA_VALUE, hex(P256_PRIVATE));
            on_curve(ck::CKO_PRIVATE_KEY, ck::CKK_EC, value)
        },
        own: EC_PRIVATE_OWN,
    },
    Kind {
        name: "ec public",
        birth: Birth::Create,
        sound: || {
            let point = (ck::CKA_EC_POINT, octet_string(&hex(P256_POINT)));
            on_curve(ck::CKO_PUBLIC_KEY, ck::CKK_EC, point)
        },
        own: EC_PUBLIC_OWN,
    },
    Kind {
        name: "edwards private",
        birth: Birth::Create,
        sound: || {
            let value = (ck::CKA_VALUE, hex(ED25519_SEED));
            on_curve(ck::CKO_PRIVATE_KEY, ck::CKK_EC_EDWARDS, value)
        },
        own: EC_PRIVATE_OWN,
    },
    Kind {
        name: "edwards public",
        birth: Birth::Create,
        sound: || {
            let point = (ck::CKA_EC_POINT, octet_string(&hex(ED25519_PUBLIC)));
            on_curve(ck::CKO_PUBLIC_KEY, ck::CKK_EC_EDWARDS, point)
        },
        own: EC_PUBLIC_OWN,
    },
    Kind {
        name: "made aes secret",
        birth: Birth::Generate(ck::CKM_AES_KEY_GEN),
        sound: || vec![(ck::CKA_VALUE_LEN, number(16))],
        own: SECRET_OWN,
    },
    Kind {
        name: "made generic secret",
        birth: Birth::Generate(ck::CKM_GENERIC_SECRET_KEY_GEN),
        sound: || vec![(ck::CKA_VALUE_LEN, number(24))],
        own: SECRET_OWN,
    },
    Kind {
        name: "made des3 secret",
        birth: Birth::Generate(ck::CKM_DES3_KEY_GEN),
        sound: Vec::new,
        own: SECRET_OWN,
    },
    Kind {
        name: "ec pair",
        birth: Birth::Generate(ck::CKM_EC_KEY_PAIR_GEN),
        sound: || vec![(ck::CKA_EC_PARAMS, P256.to_vec())],
        own: EC_PUBLIC_OWN,
    },
];
