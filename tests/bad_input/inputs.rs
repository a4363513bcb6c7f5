//! Data and templates that mechanisms take.

use cryptoki_sys as ck;

use super::uses::Use;
use crate::support::known::{ED25519, P256};
use crate::support::{Template, template};

/// Data that some mechanism takes, the likeliest first: blocks, digests of all lengths, a little.
pub fn data() -> Vec<Vec<u8>> {
    let lengths = [32, 20, 28, 48, 64, 16, 24, 40, 12, 5];
    lengths.iter().map(|length| (1..=*length).collect()).collect()
}

/// Attributes of a public key that say what pair to make: a size, a curve, a parameter set.
pub fn pair_templates() -> Vec<Template> {
    let curve = |oid: &[u8]| template! { CKA_EC_PARAMS => oid };
    let mut all = vec![
        template! {},
        template! { CKA_MODULUS_BITS => 2048 as ck::CK_ULONG },
        curve(P256),
        curve(ED25519),
        curve(b"\x06\x03\x2b\x65\x6e"),
    ];
    // The likeliest first: small parameter sets are quick.
    all.extend([1, 3, 2, 4].map(|set: ck::CK_ULONG| template! { CKA_PARAMETER_SET => set }));
    all
}

/// Attributes of what a use makes of a key: of any kind that it can.
pub fn templates(which: Use) -> Vec<Template> {
    if which == Use::GeneratePair {
        return pair_templates();
    }
    let secret = |key_type: ck::CK_KEY_TYPE| {
        template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type }
    };
    let aes = secret(ck::CKK_AES);
    let generic = secret(ck::CKK_GENERIC_SECRET);
    let long =
        |template: &Template, length: ck::CK_ULONG| template.clone().and(ck::CKA_VALUE_LEN, length);
    match which {
        Use::Generate => vec![
            template! { CKA_VALUE_LEN => 32 as ck::CK_ULONG },
            template! {},
            template! { CKA_VALUE_LEN => 64 as ck::CK_ULONG },
            template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 32 as ck::CK_ULONG },
        ],
        Use::Unwrap => vec![aes, generic, private(ck::CKK_RSA), private(ck::CKK_EC)],
        _ => vec![
            long(&aes, 16),
            long(&generic, 16),
            aes,
            generic,
            template! { CKA_CLASS => ck::CKO_PUBLIC_KEY },
        ],
    }
}

fn private(key_type: ck::CK_KEY_TYPE) -> Template {
    template! { CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type }
}
