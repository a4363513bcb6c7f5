//! Data and templates that mechanisms take.

use cryptoki_sys as ck;

use super::uses::Use;
use crate::support::composite::{CKK_COMP_KEM, CKK_COMP_SIG, XWING};
use crate::support::known::{ED25519, P256, hex};
use crate::support::{Template, template};

/// Data that some mechanism takes, the likeliest first: blocks, digests of all lengths, a little,
/// nothing.
pub fn data() -> Vec<Vec<u8>> {
    let lengths = [32, 20, 28, 48, 64, 16, 24, 40, 12, 5, 0];
    lengths.iter().map(|length| (1..=*length).collect()).collect()
}

/// The second group of Oakley (RFC 2409, section 6.2): short, so that its keys are quick.
const OAKLEY_2: &str = "\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22\
    514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6\
    f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381\
    ffffffffffffffff";

/// A group of OpenSSL's for DSA, with a prime of 1024 bits.
const DSA_PRIME: &str = "\
    982a353c61698bd05d5db14cb162823ba6589a2df7c0ad11adf09c2d4576eaca7982effe227943a1\
    8a0e782c124be9ef64a5e41e6838eea93763982aa82f6f34d7814513d61a6c674b907d12550703f9\
    cb2357fe50561cef78bf7ea10b2310dec61e2b41e5b32dd94e80e2652a5e144b63266d8b2ab7a43c\
    3687913dde345cab";
const DSA_SUBPRIME: &str = "d57bbb4253771fd0a0644bd6278643f74f30fba2639d79b24da11c39";
const DSA_BASE: &str = "\
    553d4b61effaf1f3a7bbbc9ae570793277070cedb2240331c75e27bab843c874441dcbb65641f647\
    dcf407bef9e02461480687940718328391634101086be68b5af3b3886c8c1098d2a79bf6e9fb424e\
    4a38ccfdc43f7e879057ac0dab093076b7182e9f3c1e28e21dbfdfd63c1354847c1147a31c6ec9cd\
    9577914a1c289e16";

/// Attributes of a public key that say what pair to make: a size, a curve, a parameter set. Those
/// of types that are known here are quick; the others are tried with everything.
pub fn pair_templates(key_type: ck::CK_KEY_TYPE) -> Vec<Template> {
    let curve = |oid: &[u8]| template! { CKA_EC_PARAMS => oid };
    let set = |set: ck::CK_ULONG| template! { CKA_PARAMETER_SET => set };
    match key_type {
        ck::CKK_RSA => vec![template! { CKA_MODULUS_BITS => 1024 as ck::CK_ULONG }],
        ck::CKK_EC => vec![curve(P256)],
        ck::CKK_EC_EDWARDS => vec![curve(ED25519)],
        ck::CKK_EC_MONTGOMERY => vec![curve(b"\x06\x03\x2b\x65\x6e")],
        ck::CKK_DH => vec![template! { CKA_PRIME => &hex(OAKLEY_2), CKA_BASE => &[2] }],
        ck::CKK_DSA => vec![template! {
            CKA_PRIME => &hex(DSA_PRIME), CKA_SUBPRIME => &hex(DSA_SUBPRIME),
            CKA_BASE => &hex(DSA_BASE),
        }],
        ck::CKK_SLH_DSA => vec![set(ck::CKP_SLH_DSA_SHA2_128F)],
        // MLDSA44-Ed25519; MLKEM768-X25519, and X-Wing, which envelopes want.
        CKK_COMP_SIG => vec![set(3)],
        CKK_COMP_KEM => vec![set(4), set(XWING)],
        _ => [vec![template! {}], [1, 3, 2, 4].map(set).to_vec()].concat(),
    }
}

/// Attributes of what a use makes of a key: of any kind that it can.
pub fn templates(which: Use, key_type: ck::CK_KEY_TYPE) -> Vec<Template> {
    if which == Use::GeneratePair {
        return pair_templates(key_type);
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
            template! { CKA_PRIME_BITS => 1024 as ck::CK_ULONG },
            template! { CKA_PRIME_BITS => 2048 as ck::CK_ULONG },
            template! { CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET, CKA_VALUE_LEN => 32 as ck::CK_ULONG },
        ],
        Use::Unwrap => {
            let exact = long(&aes, 32);
            vec![aes, generic, exact, private(ck::CKK_RSA), private(ck::CKK_EC)]
        }
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
