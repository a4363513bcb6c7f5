//! Composites: a post-quantum and a classical algorithm under one key. PKCS#11 3.3 (working
//! draft), "Composite Signature", "Composite KEM".

use super::row;
use crate::cryptoki;
use crate::mechanism::comp_sig::Input;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, bundle, comp_kem, comp_sig, hpke};
use crate::object::class::KeyType;

/// Bytes of the shortest and of the longest public key: MLDSA44-Ed25519 and MLDSA87-RSA4096.
const SIGNATURE_KEYS: (u64, u64) = (1344, 3118);

/// Bytes of the shortest and of the longest public key: MLKEM768-X25519 and MLKEM1024-RSA3072.
const KEM_KEYS: (u64, u64) = (1216, 1966);

/// Bytes of the public keys that HPKE takes.
const XWING_KEY: u64 = 1216;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_COMP_SIG_KEY_PAIR_GEN)
        .keys(&[KeyType::CompSig], SIGNATURE_KEYS.0, SIGNATURE_KEYS.1)
        .generates_pair(comp_sig::generate_pair),
    row!(CKM_COMP_SIG)
        .keys(&[KeyType::CompSig], SIGNATURE_KEYS.0, SIGNATURE_KEYS.1)
        .takes(Shape::OptionalSignContext)
        .signs(|key, params| comp_sig::sign(key, params, Input::Message))
        .verifies(|key, params| comp_sig::verify(key, params, Input::Message)),
    row!(CKM_COMP_SIG_EXTERNAL_HASH)
        .keys(&[KeyType::CompSig], SIGNATURE_KEYS.0, SIGNATURE_KEYS.1)
        .takes(Shape::OptionalSignContext)
        .signs(|key, params| comp_sig::sign(key, params, Input::Digest))
        .verifies(|key, params| comp_sig::verify(key, params, Input::Digest)),
    row!(CKM_COMP_KEM_KEY_PAIR_GEN)
        .keys(&[KeyType::CompKem], KEM_KEYS.0, KEM_KEYS.1)
        .generates_pair(comp_kem::generate_pair),
    row!(CKM_COMP_KEM)
        .keys(&[KeyType::CompKem], KEM_KEYS.0, KEM_KEYS.1)
        .encapsulates(comp_kem::encapsulate)
        .decapsulates(comp_kem::decapsulate),
    row!(CKM_CLAVIGER_HPKE)
        .keys(&[KeyType::CompKem], XWING_KEY, XWING_KEY)
        .takes(Shape::OptionalInfo)
        .wraps(hpke::wrap)
        .unwraps(|key, params, _| hpke::open(key, params, &[]))
        .envelops(Shape::OptionalInfo, hpke::envelop, hpke::open)
        .keeps_apart(),
    row!(CKM_CLAVIGER_BUNDLE)
        .keys(&[KeyType::MlDsa, KeyType::Rsa, KeyType::Ec, KeyType::EcEdwards], 1312, 2592)
        .bundles(bundle::sign, bundle::verify),
];
