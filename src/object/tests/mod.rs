//! Tests of attributes, templates, encodings and keys, through their interfaces.

mod attributes;
mod encoding;
mod keys;

use crate::secret::Secret;

fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes).expect("memory")
}
