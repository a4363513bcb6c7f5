//! One-time passwords: whose counter it is, how far a password is looked for, and what is refused.

use super::refused;
use crate::cryptoki as ck;
use crate::error::{Result, Rv};
use crate::mechanism::operation::{Signing, Verifying};
use crate::mechanism::params::{MechanismParams, OtpParams};
use crate::mechanism::vectors::one_time::{key_at, password};
use crate::mechanism::{Key, find};
use crate::object::class::KeyType;
use crate::object::template::Template;
use crate::object::{Object, attribute};

fn signing(key: &Key, params: OtpParams) -> Result<Box<dyn Signing>> {
    let start = find(ck::CKM_HOTP).and_then(|row| row.sign).expect("a row");
    start(key, &MechanismParams::Otp(params))
}

fn verifying(key: &Key, params: OtpParams) -> Result<Box<dyn Verifying>> {
    let start = find(ck::CKM_HOTP).and_then(|row| row.verify).expect("a row");
    start(key, &MechanismParams::Otp(params))
}

fn given(counter: u64) -> OtpParams {
    OtpParams { counter: Some(counter), ..OtpParams::default() }
}

fn key_with(change: impl FnOnce(&mut Template)) -> Key {
    let mut attributes = key_at(0).attributes.try_clone().expect("memory");
    change(&mut attributes);
    Object::new(attributes).into()
}

#[test]
fn the_key_says_whose_counter_it_is() {
    let key = |requirement| key_with(|it| it.set(attribute::OTP_COUNTER_REQUIREMENT, requirement));
    for (requirement, own) in [
        (ck::CK_OTP_PARAM_IGNORED, true),
        (ck::CK_OTP_PARAM_OPTIONAL, false),
        (ck::CK_OTP_PARAM_MANDATORY, false),
    ] {
        let key = key(requirement);
        assert_eq!(signing(&key, given(7)).expect("a counter").counts(), own);
        assert_eq!(verifying(&key, given(7)).expect("a counter").counts(), own);
    }
    let none = OtpParams::default;
    assert!(signing(&key(ck::CK_OTP_PARAM_OPTIONAL), none()).expect("its own").counts());
    let mandatory = key(ck::CK_OTP_PARAM_MANDATORY);
    assert_eq!(refused(signing(&mandatory, none())), Rv::MechanismParamInvalid);
    assert_eq!(refused(verifying(&mandatory, none())), Rv::MechanismParamInvalid);
}

#[test]
fn a_password_is_looked_for_at_the_counter_and_the_four_numbers_after_it() {
    let key = key_at(0);
    let judge = |counter, of| {
        let mut work = verifying(&key, OtpParams::default()).expect("a key");
        work.verify_from(counter, &[], &password(of, 6))
    };
    for of in 2..=6 {
        assert_eq!(judge(2, of), Ok(of as u64 + 1));
    }
    assert_eq!(refused(judge(2, 1)), Rv::SignatureInvalid);
    assert_eq!(refused(judge(2, 7)), Rv::SignatureInvalid);
    // One that the caller gave is that one alone.
    let exact =
        |counter, of| verifying(&key, given(counter)).expect("a key").verify(&[], &password(of, 6));
    assert_eq!(exact(3, 3), Ok(()));
    assert_eq!(refused(exact(3, 4)), Rv::SignatureInvalid);
    assert_eq!(refused(exact(3, 2)), Rv::SignatureInvalid);
}

#[test]
fn a_counter_at_its_end_makes_no_password_and_a_number_makes_one() {
    let key = key_at(0);
    let mut work = signing(&key, OtpParams::default()).expect("a key");
    assert_eq!(refused(work.count(u64::MAX, &[])), Rv::KeyExhausted);
    let mut work = signing(&key, OtpParams::default()).expect("a key");
    assert_eq!(work.count(u64::MAX - 1, &[]), Ok(u64::MAX));
    let mut out = [0; 6];
    work.sign(&[], &mut out).expect("the last one");
    assert_eq!(refused(work.sign(&[], &mut out)), Rv::GeneralError);
    let mut untold = signing(&key, OtpParams::default()).expect("a key");
    assert_eq!(refused(untold.sign(&[], &mut out)), Rv::GeneralError);
    // A caller's own counter may have any value.
    let mut last = signing(&key, given(u64::MAX)).expect("a key");
    last.sign(&[], &mut out).expect("a password");
    let mut judge = verifying(&key, OtpParams::default()).expect("a key");
    assert_eq!(refused(judge.verify_from(u64::MAX, &[], &out)), Rv::KeyExhausted);
}

#[test]
fn data_other_digits_formats_and_flags_are_refused() {
    let key = key_at(0);
    let mut out = [0; 6];
    let mut work = signing(&key, OtpParams::default()).expect("a key");
    assert_eq!(refused(work.count(0, b"data")), Rv::DataLenRange);
    let mut work = signing(&key, given(0)).expect("a key");
    assert_eq!(refused(work.sign(b"data", &mut out)), Rv::DataLenRange);
    let mut work = signing(&key, given(0)).expect("a key");
    assert_eq!(refused(work.update(&[])), Rv::FunctionNotSupported);
    assert!(work.sign(&[], &mut [0; 5]).is_err());
    for wrong in [5, 7] {
        let mut judge = verifying(&key, OtpParams::default()).expect("a key");
        let wrong = vec![b'0'; wrong];
        assert_eq!(refused(judge.verify_from(0, &[], &wrong)), Rv::SignatureLenRange);
        let mut judge = verifying(&key, given(0)).expect("a key");
        assert_eq!(refused(judge.verify(&[], &wrong)), Rv::SignatureLenRange);
    }
    let with = |change: fn(&mut OtpParams)| {
        let mut params = OtpParams::default();
        change(&mut params);
        signing(&key, params).map(drop)
    };
    for bad in [
        (|it| it.digits = Some(5)) as fn(&mut OtpParams),
        |it| it.digits = Some(9),
        |it| it.digits = Some(u64::MAX),
        |it| it.format = Some(ck::CK_OTP_FORMAT_HEXADECIMAL),
        |it| it.flags = ck::CKF_NEXT_OTP,
        |it| it.flags = ck::CKF_EXCLUDE_COUNTER,
        |it| it.flags = 1 << 40,
    ] {
        assert_eq!(refused(with(bad)), Rv::MechanismParamInvalid);
    }
    assert_eq!(with(|it| it.flags = ck::CKF_EXCLUDE_TIME | ck::CKF_EXCLUDE_PIN), Ok(()));
    assert_eq!(with(|it| it.format = Some(ck::CK_OTP_FORMAT_DECIMAL)), Ok(()));
    let for_people = OtpParams { flags: ck::CKF_USER_FRIENDLY_OTP, ..OtpParams::default() };
    let friendly = |is| key_with(|key| key.set(attribute::OTP_USER_FRIENDLY_MODE, is));
    assert_eq!(signing(&friendly(true), for_people.clone()).map(drop), Ok(()));
    assert_eq!(refused(signing(&friendly(false), for_people)), Rv::MechanismParamInvalid);
}

#[test]
fn keys_are_of_their_class_and_as_long_as_asked() {
    let start = find(ck::CKM_HOTP).and_then(|row| row.sign).expect("a row");
    let params = MechanismParams::Otp(OtpParams::default());
    for class in [ck::CKO_SECRET_KEY, ck::CKO_PRIVATE_KEY] {
        let other = key_with(|key| key.set(attribute::CLASS, class));
        assert_eq!(refused(start(&other, &params)), Rv::KeyTypeInconsistent);
    }
    let other = key_with(|key| key.set(attribute::KEY_TYPE, KeyType::Sha1Hmac.code()));
    assert_eq!(refused(start(&other, &params)), Rv::KeyTypeInconsistent);
    assert_eq!(refused(start(&key_at(0), &MechanismParams::None)), Rv::MechanismParamInvalid);
    let generate = find(ck::CKM_HOTP_KEY_GEN).and_then(|row| row.generate).expect("a row");
    let made = |len: Option<u64>| {
        let mut asked = Template::default();
        if let Some(len) = len {
            asked.set(attribute::VALUE_LEN, len);
        }
        let made = generate(&asked, &MechanismParams::None)?;
        Ok(made.get(attribute::VALUE).expect("a value").len())
    };
    assert_eq!(made(None), Ok(20));
    assert_eq!(made(Some(16)), Ok(16));
    assert_eq!(made(Some(8192)), Ok(8192));
    for len in [0, 15, 8193, u64::MAX] {
        assert_eq!(refused(made(Some(len))), Rv::AttributeValueInvalid, "{len}");
    }
}
