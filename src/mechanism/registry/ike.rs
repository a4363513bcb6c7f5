//! The keys of IKE. PKCS#11 3.2, "IKE Mechanisms".

use super::derivation::SECRETS;
use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest;
use crate::mechanism::ike::{self, Prf};
use crate::mechanism::kdf_params::KdfShape::{Ike1Extended, Ike1Prf, IkePrf, IkePrfPlus};
use crate::mechanism::params::Shape;
use crate::mechanism::row::Usual;
use crate::mechanism::{Mechanism, generic};
use crate::object::class::KeyType;

/// The pseudorandom function that a parameter names by its mechanism.
pub(in crate::mechanism) const fn ike_prf_of(mechanism: u64) -> Option<Prf> {
    match mechanism {
        cryptoki::CKM_SHA_1_HMAC => Some(Prf::Hmac(Digest::Sha1)),
        cryptoki::CKM_SHA224_HMAC => Some(Prf::Hmac(Digest::Sha224)),
        cryptoki::CKM_SHA256_HMAC => Some(Prf::Hmac(Digest::Sha256)),
        cryptoki::CKM_SHA384_HMAC => Some(Prf::Hmac(Digest::Sha384)),
        cryptoki::CKM_SHA512_HMAC => Some(Prf::Hmac(Digest::Sha512)),
        cryptoki::CKM_AES_XCBC_MAC => Some(Prf::AesXcbc),
        cryptoki::CKM_AES_CMAC => Some(Prf::AesCmac),
        _ => None,
    }
}

/// One of them may be the front of its base key, and all are as secret as what they come of.
const fn ike(row: Mechanism) -> Mechanism {
    row.keys(ike::KEYS, 1, generic::LONGEST as u64).shows_base()
}

pub(super) const ROWS: &[Mechanism] = &[
    ike(row!(CKM_IKE2_PRF_PLUS_DERIVE))
        .names(SECRETS)
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(IkePrfPlus))
        .derives(ike::plus),
    ike(row!(CKM_IKE_PRF_DERIVE))
        .as_usual(Usual::Told(ike::usual_key_type))
        .takes(Shape::Kdf(IkePrf))
        .derives(ike::prf),
    // The template must say what these are.
    ike(row!(CKM_IKE1_PRF_DERIVE))
        .names(SECRETS)
        .as_usual(Usual::Told(|_| None))
        .takes(Shape::Kdf(Ike1Prf))
        .derives(ike::ike1),
    ike(row!(CKM_IKE1_EXTENDED_DERIVE))
        .usually(KeyType::GenericSecret)
        .takes(Shape::Kdf(Ike1Extended))
        .derives(ike::extended),
];
