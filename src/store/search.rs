//! Which attributes are searched by index, and the values under which they stand there.
//!
//! A public object's row holds the attribute's value, a private object's row 16 bytes of keyed
//! BLAKE3 over it, which only a logged-in process can make. Equal ids and labels can therefore
//! be told to be equal by who copies the files, and nothing more. Everything else in a search
//! template is compared on the opened hits, these attributes too.

use super::SearchRow;
use super::vault::{Vault, VaultError};

const LABEL: u64 = 0x03;
const UNIQUE_ID: u64 = 0x04;
const ISSUER: u64 = 0x81;
const SERIAL_NUMBER: u64 = 0x82;
const SUBJECT: u64 = 0x101;
const ID: u64 = 0x102;

/// The attributes with an index, by their number in the standard.
pub(crate) const SEARCHABLE: [u64; 6] = [LABEL, UNIQUE_ID, ISSUER, SERIAL_NUMBER, SUBJECT, ID];

/// True if an object with this attribute has a row for it. An empty value has none: absent
/// attributes read as empty, so it would tell objects apart that are alike.
pub(crate) fn is_indexed(attribute: u64, value: &[u8]) -> bool {
    !value.is_empty() && SEARCHABLE.contains(&attribute)
}

/// The rows of a public object with these attributes.
pub(crate) fn public_rows<'v>(
    attributes: impl IntoIterator<Item = (u64, &'v [u8])>,
) -> Vec<SearchRow> {
    indexed(attributes)
        .map(|(attribute, value)| SearchRow { attribute, value: value.to_vec() })
        .collect()
}

/// The rows of a private object with these attributes.
///
/// # Errors
/// The engine's.
pub(crate) fn private_rows<'v>(
    vault: &Vault,
    attributes: impl IntoIterator<Item = (u64, &'v [u8])>,
) -> Result<Vec<SearchRow>, VaultError> {
    indexed(attributes)
        .map(|(attribute, value)| {
            let value = vault.search_value(attribute, value)?.to_vec();
            Ok(SearchRow { attribute, value })
        })
        .collect()
}

fn indexed<'v>(
    attributes: impl IntoIterator<Item = (u64, &'v [u8])>,
) -> impl Iterator<Item = (u64, &'v [u8])> {
    attributes.into_iter().filter(|(attribute, value)| is_indexed(*attribute, value))
}

/// What an object with this attribute may have as its row: the value, and to those who are
/// logged in also what stands for it on private objects. `None` if the index does not help.
///
/// # Errors
/// The engine's.
pub(crate) fn candidates(
    vault: Option<&Vault>,
    attribute: u64,
    value: &[u8],
) -> Result<Option<Vec<Vec<u8>>>, VaultError> {
    if !is_indexed(attribute, value) {
        return Ok(None);
    }
    let mut found = vec![value.to_vec()];
    if let Some(vault) = vault {
        found.push(vault.search_value(attribute, value)?.to_vec());
    }
    Ok(Some(found))
}
