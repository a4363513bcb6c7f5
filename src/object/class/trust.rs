//! Trust objects: what is said about certificates. PKCS#11 3.2, "Trust objects".

use crate::cryptoki;
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::template::Template;

/// What an object says of a certificate, one attribute a use.
static USES: &[Attr<u64>] = &[
    attribute::TRUST_SERVER_AUTH,
    attribute::TRUST_CLIENT_AUTH,
    attribute::TRUST_CODE_SIGNING,
    attribute::TRUST_EMAIL_PROTECTION,
    attribute::TRUST_IPSEC_IKE,
    attribute::TRUST_TIME_STAMPING,
    attribute::TRUST_OCSP_SIGNING,
];

/// What may be said without telling the certificate by its hash.
const NOTHING_GOOD: [u64; 2] =
    [cryptoki::CKT_TRUST_UNKNOWN as u64, cryptoki::CKT_NOT_TRUSTED as u64];
const GOOD: [u64; 3] = [
    cryptoki::CKT_TRUSTED as u64,
    cryptoki::CKT_TRUST_ANCHOR as u64,
    cryptoki::CKT_TRUST_MUST_VERIFY_TRUST as u64,
];

/// Bytes of a digest by the hash functions that certificates are told by.
const fn digest_len(mechanism: u64) -> Option<usize> {
    match mechanism {
        cryptoki::CKM_SHA_1 => Some(20),
        cryptoki::CKM_SHA224 | cryptoki::CKM_SHA3_224 => Some(28),
        cryptoki::CKM_SHA256 | cryptoki::CKM_SHA3_256 => Some(32),
        cryptoki::CKM_SHA384 | cryptoki::CKM_SHA3_384 => Some(48),
        cryptoki::CKM_SHA512 | cryptoki::CKM_SHA3_512 => Some(64),
        _ => None,
    }
}

/// Checks what an object says: known words only, and nothing good of a certificate that is not
/// told by its hash.
///
/// # Errors
/// `CKR_ATTRIBUTE_VALUE_INVALID`, `CKR_TEMPLATE_INCOMPLETE`.
pub(super) fn check(template: &Template) -> Result<()> {
    let mut trusts = false;
    for name in USES {
        match template.get(*name) {
            None => (),
            Some(said) if NOTHING_GOOD.contains(&said) => (),
            Some(said) if GOOD.contains(&said) => trusts = true,
            Some(_) => return Err(Rv::AttributeValueInvalid.because(name.name)),
        }
    }
    let hash = template.get(attribute::HASH_OF_CERTIFICATE).filter(|hash| !hash.is_empty());
    let algorithm = template.get(attribute::NAME_HASH_ALGORITHM);
    match (hash, algorithm) {
        (None, _) | (_, None) if trusts => {
            Err(Rv::TemplateIncomplete.because("trust without the hash of the certificate"))
        }
        (Some(hash), Some(algorithm)) if digest_len(algorithm) != Some(hash.len()) => {
            Err(Rv::AttributeValueInvalid.because(attribute::HASH_OF_CERTIFICATE.name))
        }
        _ => Ok(()),
    }
}
