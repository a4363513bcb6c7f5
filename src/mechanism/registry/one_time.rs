//! One-time passwords, and their keys. PKCS#11 3.2, "OATH HOTP".

use super::row;
use crate::cryptoki;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, generic, hotp};
use crate::object::class::KeyType;
use crate::object::class::one_time::SHORTEST;

/// The one format of a password.
pub(in crate::mechanism) const OTP_DECIMAL: u64 = cryptoki::CK_OTP_FORMAT_DECIMAL;
/// Asks for a password that a person can read.
pub(in crate::mechanism) const OTP_FOR_PEOPLE: u64 = cryptoki::CKF_USER_FRIENDLY_OTP;
/// These leave out what HOTP does not take in, and so have no effect.
pub(in crate::mechanism) const OTP_FLAGS_WITHOUT_EFFECT: u64 =
    cryptoki::CKF_EXCLUDE_TIME | cryptoki::CKF_EXCLUDE_CHALLENGE | cryptoki::CKF_EXCLUDE_PIN;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_HOTP_KEY_GEN)
        .keys(&[KeyType::Hotp], SHORTEST as u64, generic::LONGEST as u64)
        .generates(hotp::generate),
    row!(CKM_HOTP)
        .keys(&[KeyType::Hotp], SHORTEST as u64, generic::LONGEST as u64)
        .takes(Shape::OptionalOtp)
        .signs(hotp::sign)
        .verifies(hotp::verify)
        .one_time(),
];
