//! How long the values of secret keys are. PKCS#11 3.2, the sections of their types.

use super::KeyType;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// The length in bytes that a template asks for, or that all keys of the type have.
pub(crate) fn asked_len(template: &Template, key_type: Option<KeyType>) -> Result<Option<usize>> {
    let len = template.get(attribute::VALUE_LEN).map(usize::try_from).transpose();
    let len = len.map_err(|_| Rv::AttributeValueInvalid.because(attribute::VALUE_LEN.name))?;
    Ok(len.or_else(|| key_type.and_then(KeyType::fixed_len)))
}

impl KeyType {
    /// The length in bytes of every value, where there is one.
    pub(crate) const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::Des => Some(8),
            Self::Des2 => Some(16),
            Self::Des3 => Some(24),
            Self::ChaCha20 | Self::Poly1305 => Some(32),
            _ => None,
        }
    }

    /// Whether values have one of a few lengths, so that somebody must choose.
    pub(crate) const fn has_sizes(self) -> bool {
        matches!(self, Self::Aes | Self::AesXts)
    }

    /// Whether the lowest bit of each byte of a value is its parity.
    pub(crate) const fn has_parity(self) -> bool {
        matches!(self, Self::Des | Self::Des2 | Self::Des3)
    }
}
