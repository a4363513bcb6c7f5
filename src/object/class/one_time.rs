//! Keys that make one-time passwords by a counter: HOTP, RFC 4226. Their attributes, what values
//! those may have, and how the counter is written. PKCS#11 3.2, "OTP Key objects", "OATH HOTP
//! secret key objects".
//!
//! Decimal digits are all that RFC 4226 makes of a counter: no other format is taken, and neither
//! is a requirement of a challenge, a time or a PIN, of which such a password knows nothing.

use super::rules::Absent::{Computed, Empty, Number};
use super::rules::{N1, N2, N4, N6, N7, Row, TRUE, row};
use super::value::invalid;
use crate::cryptoki;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// The shortest value in bytes: RFC 4226, section 4, R6.
pub(crate) const SHORTEST: usize = 16;
/// The value's length unless the caller asks for another: as above, the one recommended.
pub(crate) const USUAL: usize = 20;
/// How many digits a password can have: RFC 4226, section 5.3.
pub(crate) const DIGITS: std::ops::RangeInclusive<u64> = 6..=8;

const IGNORED: u64 = cryptoki::CK_OTP_PARAM_IGNORED;

/// "Common OTP key attributes". The counter is 0 if nobody gives one. The token has it, so that
/// callers need not; the standard has them give it for a verification, so that they may.
pub(super) static HOTP: &[Row] = &[
    row(attribute::OTP_FORMAT, 0, Number(cryptoki::CK_OTP_FORMAT_DECIMAL)),
    row(attribute::OTP_LENGTH, 0, Number(*DIGITS.start())),
    row(attribute::OTP_USER_FRIENDLY_MODE, 0, TRUE),
    row(attribute::OTP_CHALLENGE_REQUIREMENT, 0, Number(IGNORED)),
    row(attribute::OTP_TIME_REQUIREMENT, 0, Number(IGNORED)),
    row(attribute::OTP_COUNTER_REQUIREMENT, 0, Number(cryptoki::CK_OTP_PARAM_OPTIONAL)),
    row(attribute::OTP_PIN_REQUIREMENT, 0, Number(IGNORED)),
    row(attribute::OTP_COUNTER, 0, Computed),
    row(attribute::OTP_TIME, 0, Empty),
    row(attribute::OTP_USER_IDENTIFIER, 0, Empty),
    row(attribute::OTP_SERVICE_IDENTIFIER, 0, Empty),
    row(attribute::OTP_SERVICE_LOGO, 0, Empty),
    row(attribute::OTP_SERVICE_LOGO_TYPE, 0, Empty),
    row(attribute::VALUE, N1 | N4 | N6 | N7, Empty),
    row(attribute::VALUE_LEN, N2, Computed),
];

/// What a key says about a counter that the caller gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Given {
    /// It is not looked at.
    Ignored,
    /// It counts instead of the key's own.
    Optional,
    /// There must be one.
    Mandatory,
}

impl Given {
    const fn of(requirement: u64) -> Option<Self> {
        match requirement {
            cryptoki::CK_OTP_PARAM_IGNORED => Some(Self::Ignored),
            cryptoki::CK_OTP_PARAM_OPTIONAL => Some(Self::Optional),
            cryptoki::CK_OTP_PARAM_MANDATORY => Some(Self::Mandatory),
            _ => None,
        }
    }

    /// What a whole key says.
    ///
    /// # Errors
    /// `CKR_GENERAL_ERROR` for a key that is not whole.
    pub(crate) fn wanted_by(key: &Template) -> Result<Self> {
        let requirement = key.get(attribute::OTP_COUNTER_REQUIREMENT).and_then(Self::of);
        requirement.ok_or_else(|| Rv::GeneralError.because("CKA_OTP_COUNTER_REQUIREMENT"))
    }
}

/// Checks what a caller gave, and begins the counter if he did not.
pub(super) fn settle(template: &mut Template) -> Result<()> {
    let is_other = |name, only: u64| template.get(name).is_some_and(|given| given != only);
    if is_other(attribute::OTP_FORMAT, cryptoki::CK_OTP_FORMAT_DECIMAL) {
        return Err(invalid("CKA_OTP_FORMAT: HOTP makes decimal digits"));
    }
    for name in [
        attribute::OTP_CHALLENGE_REQUIREMENT,
        attribute::OTP_TIME_REQUIREMENT,
        attribute::OTP_PIN_REQUIREMENT,
    ] {
        if is_other(name, IGNORED) {
            return Err(Rv::AttributeValueInvalid.because(name.name));
        }
    }
    let requirement = template.get(attribute::OTP_COUNTER_REQUIREMENT);
    if requirement.is_some_and(|given| Given::of(given).is_none()) {
        return Err(invalid("CKA_OTP_COUNTER_REQUIREMENT"));
    }
    if template.get(attribute::OTP_LENGTH).is_some_and(|given| !DIGITS.contains(&given)) {
        return Err(invalid("CKA_OTP_LENGTH: HOTP makes 6 to 8 digits"));
    }
    if template.get(attribute::OTP_TIME).is_some_and(|given| !given.is_empty()) {
        return Err(invalid("CKA_OTP_TIME: HOTP knows no time"));
    }
    match template.get(attribute::OTP_COUNTER) {
        None => set_counter(template, 0),
        Some(given) if given.len() == size_of::<u64>() => {}
        Some(_) => return Err(invalid("CKA_OTP_COUNTER is 8 bytes, big endian")),
    }
    Ok(())
}

/// The counter of a whole key.
///
/// # Errors
/// `CKR_GENERAL_ERROR` for a key that is not whole.
pub(crate) fn counter(key: &Template) -> Result<u64> {
    let counter = key.get(attribute::OTP_COUNTER).and_then(|bytes| bytes.try_into().ok());
    let counter = counter.ok_or_else(|| Rv::GeneralError.because("a key without its counter"))?;
    Ok(u64::from_be_bytes(counter))
}

/// Writes the counter.
pub(crate) fn set_counter(key: &mut Template, counter: u64) {
    key.set(attribute::OTP_COUNTER, counter.to_be_bytes().to_vec());
}
