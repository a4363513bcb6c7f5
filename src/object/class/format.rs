//! The format of post-quantum and composite keys: how the bytes of `CKA_VALUE` and `CKA_SEED` are
//! to be read. A key says which one it has in `CKA_CLAVIGER_FORMAT`, sealed with the rest of it.

use super::KeyType;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// FIPS 203, 204 and 205; draft-ietf-lamps-pq-composite-sigs-19 and -kem-17,
/// draft-connolly-cfrg-xwing-kem-10.
pub(crate) const CURRENT: u64 = 1;

/// Whether keys of a type say their format: also those whose type came with a later version may.
pub(crate) fn is_said_by(key_type: Option<u64>) -> bool {
    let known = |code| KeyType::from_code(code).map(|it| it.is_bare() || it.is_composite());
    key_type.is_some_and(|code| known(code).unwrap_or(true))
}

/// Refuses a key that a later version wrote in another way, before any of it is read. One that
/// says nothing is older than the attribute, and in the first format.
///
/// # Errors
/// `CKR_CLAVIGER_FORMAT_UNKNOWN`.
pub(crate) fn check(attributes: &Template) -> Result<()> {
    match attributes.get(attribute::FORMAT) {
        None | Some(CURRENT) => Ok(()),
        Some(other) => {
            let why = format!("CKA_CLAVIGER_FORMAT is {other}, and {CURRENT} is the newest known");
            Err(Rv::ClavigerFormatUnknown.because(why))
        }
    }
}
