//! TLS 1.2. PKCS#11 3.2, "TLS 1.2 Mechanisms".

use super::row;
use crate::cryptoki;
use crate::mechanism::kdf_params::KdfShape::{TlsExport, TlsExtendedMaster, TlsKeys, TlsMaster};
use crate::mechanism::params::Shape;
use crate::mechanism::tls12::Premaster::{Agreed, Rsa};
use crate::mechanism::{Mechanism, generic, tls12};
use crate::object::class::KeyType;

/// What a master secret is for, unless its maker says otherwise.
pub(in crate::mechanism) const OF_MASTER_SECRETS: &[u64] = &[
    cryptoki::CKM_TLS12_KEY_AND_MAC_DERIVE,
    cryptoki::CKM_TLS12_KEY_SAFE_DERIVE,
    cryptoki::CKM_TLS_KDF,
    cryptoki::CKM_TLS_MAC,
    cryptoki::CKM_TLS12_KDF,
    cryptoki::CKM_TLS12_MAC,
];

/// A derivation from a secret of 48 bytes. The standard gives this size also to those that take
/// any.
const fn from_secret(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::GenericSecret], 48, 48).usually(KeyType::GenericSecret)
}

const fn exporter(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::GenericSecret], 1, generic::LONGEST as u64)
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(TlsExport))
        .shows_base()
        .derives(tls12::export)
}

const fn finished(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::GenericSecret], 1, generic::LONGEST as u64)
        .takes(Shape::TlsMac)
        .signs(|key, params| Ok(Box::new(tls12::finished(key, params)?)))
        .verifies(|key, params| Ok(Box::new(tls12::finished(key, params)?)))
}

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_TLS_PRE_MASTER_KEY_GEN)
        .keys(&[KeyType::GenericSecret], 48, 48)
        .takes(Shape::Version)
        .generates(tls12::premaster),
    from_secret(row!(CKM_TLS12_MASTER_KEY_DERIVE))
        .takes(Shape::Kdf(TlsMaster))
        .derives_objects(|from, templates| tls12::master(from, templates, Rsa)),
    from_secret(row!(CKM_TLS12_MASTER_KEY_DERIVE_DH))
        .takes(Shape::Kdf(TlsMaster))
        .derives_objects(|from, templates| tls12::master(from, templates, Agreed)),
    from_secret(row!(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE))
        .takes(Shape::Kdf(TlsExtendedMaster))
        .derives_objects(|from, templates| tls12::master(from, templates, Rsa)),
    from_secret(row!(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH))
        .takes(Shape::Kdf(TlsExtendedMaster))
        .derives_objects(|from, templates| tls12::master(from, templates, Agreed)),
    from_secret(row!(CKM_TLS12_KEY_AND_MAC_DERIVE))
        .takes(Shape::Kdf(TlsKeys))
        .derives_objects(|from, templates| tls12::keys(from, templates, true)),
    from_secret(row!(CKM_TLS12_KEY_SAFE_DERIVE))
        .takes(Shape::Kdf(TlsKeys))
        .derives_objects(|from, templates| tls12::keys(from, templates, false)),
    exporter(row!(CKM_TLS_KDF)),
    exporter(row!(CKM_TLS12_KDF)),
    finished(row!(CKM_TLS_MAC)),
    finished(row!(CKM_TLS12_MAC)),
];
