//! Generic secrets: bytes of any length for MACs and derivation. PKCS#11 3.2, "Generic secret
//! key".

use super::params::MechanismParams;
use super::{expect_template, secret_key, value_len};
use crate::engine::random;
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// The longest secret that is made, in bytes.
pub(super) const LONGEST: usize = 8192;

/// Makes a secret of a type that may have any length, as long as the template asks.
pub(super) fn generate(
    template: &Template,
    params: &MechanismParams,
    key_type: KeyType,
) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::SecretKey, key_type)?;
    let len = value_len(template)?;
    if !(1..=LONGEST).contains(&len) {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of a generic secret"));
    }
    secret_key(template, key_type, random::secret(len)?)
}
