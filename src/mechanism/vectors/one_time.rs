//! HOTP: RFC 4226, appendix D.

use super::{Key, Mechanism, key, secret};
use crate::cryptoki as ck;
use crate::mechanism::params::{MechanismParams, OtpParams};
use crate::object::attribute;
use crate::object::class::one_time::set_counter;
use crate::object::class::{Class, KeyType};

/// The secret of the appendix.
const SECRET: &[u8] = b"12345678901234567890";

/// The column "Decimal" of its second table, for the counters from 0 on: each password is the last
/// digits of its number.
const NUMBERS: [u32; 10] = [
    1_284_755_224,
    1_094_287_082,
    137_359_152,
    1_726_969_429,
    1_640_338_314,
    868_254_676,
    1_918_287_922,
    82_162_583,
    673_399_871,
    645_520_489,
];

/// The key of the appendix, with a counter of its own.
pub(in crate::mechanism) fn key_at(counter: u64) -> Key {
    key(Class::OtpKey, KeyType::Hotp, |new| {
        new.set(attribute::VALUE, secret(SECRET));
        new.set(attribute::OTP_LENGTH, 6);
        new.set(attribute::OTP_COUNTER_REQUIREMENT, ck::CK_OTP_PARAM_OPTIONAL);
        set_counter(new, counter);
    })
}

/// Its password of so many digits.
pub(in crate::mechanism) fn password(counter: usize, digits: usize) -> Vec<u8> {
    let number = format!("{:010}", NUMBERS[counter]);
    number.as_bytes()[10 - digits..].to_vec()
}

pub(super) fn run(row: &Mechanism) -> usize {
    if row.name != "CKM_HOTP" {
        return 0;
    }
    let (sign, verify) = (row.sign.expect(row.name), row.verify.expect(row.name));
    let key = key_at(0);
    for counter in 0..NUMBERS.len() {
        for digits in 6..=8 {
            let (given, own) = (Some(counter as u64), None);
            for counter_of_caller in [given, own] {
                let expected = password(counter, digits);
                let digits = Some(digits as u64);
                let params = OtpParams { counter: counter_of_caller, digits, ..Default::default() };
                let params = MechanismParams::Otp(params);
                let mut signing = sign(&key, &params).expect(row.name);
                let mut verifying = verify(&key, &params).expect(row.name);
                let mut out = [0; 8];
                if counter_of_caller.is_none() {
                    let next = counter as u64 + 1;
                    assert_eq!(signing.count(counter as u64, &[]), Ok(next));
                    let found = verifying.verify_from(counter as u64, &[], &expected);
                    assert_eq!(found, Ok(next));
                } else {
                    verifying.verify(&[], &expected).expect(row.name);
                }
                let written = signing.sign(&[], &mut out).expect(row.name);
                assert_eq!(out[..written], expected, "{counter}");
            }
        }
    }
    NUMBERS.len()
}
