//! Keys from passwords. PKCS#11 3.2, "PKCS #5 PBKD2 key generation"; RFC 8018.

use super::derivation::{value, wanted};
use super::kdf_params::KdfParams;
use super::params::{MechanismParams, invalid};
use super::{expect_template, registry, secret_key, value_len};
use crate::engine::aws_lc::kdf::pbkdf2;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// More would keep a caller waiting for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;

/// Makes a key of any type from a password.
pub(super) fn generate(template: &Template, params: &MechanismParams) -> Result<Template> {
    let KdfParams::Pbkdf2 { source, salt, iterations, prf, password } = params.kdf()? else {
        return Err(invalid("PBKDF2 takes its own parameters"));
    };
    if *source != registry::SALT_SPECIFIED {
        return Err(invalid("where the salt of PBKDF2 comes from"));
    }
    let digest = registry::prf_of(*prf).ok_or_else(|| invalid("PRF of PBKDF2"))?;
    let iterations = u32::try_from(*iterations).ok();
    let iterations = iterations.filter(|count| (1..=MOST_ITERATIONS).contains(count));
    let iterations = iterations.ok_or_else(|| invalid("iterations of PBKDF2"))?;
    let key_type = KeyType::from_code(template.require(attribute::KEY_TYPE)?);
    let key_type = key_type.ok_or_else(|| Rv::AttributeValueInvalid.because("CKA_KEY_TYPE"))?;
    expect_template(template, Class::SecretKey, key_type)?;
    let asked = template.contains(attribute::VALUE_LEN.id).then(|| value_len(template));
    let len = wanted(asked.transpose()?, key_type, None)?;
    let value = value(key_type, len, |room| {
        Ok(password.0.expose(|password| pbkdf2(digest, password, salt, iterations, room))?)
    })?;
    secret_key(template, key_type, value)
}
