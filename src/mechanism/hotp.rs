//! HOTP: one-time passwords by a counter, RFC 4226. PKCS#11 3.2, "OATH HOTP".
//!
//! The counter is the key's own, which moves on with each password that is made and each one that
//! is found right, or one that the caller gives, and then nothing moves. Who has the key moves the
//! counter, and tells it here while nobody else can have the same: see `Signing::counts`.

use super::generic::LONGEST;
use super::operation::{Signing, Verifying, room};
use super::params::{MechanismParams, OtpParams, invalid};
use super::registry::{OTP_DECIMAL, OTP_FLAGS_WITHOUT_EFFECT, OTP_FOR_PEOPLE};
use super::{Key, expect_key, expect_template, value_len};
use crate::engine::hash::{Digest, Mac, constant_time_eq};
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::one_time::{DIGITS, Given, SHORTEST, USUAL};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// How many numbers a password is looked for at, from the key's counter on: RFC 4226, section 7.4.
/// What the caller made and nobody asked for is passed over.
const WINDOW: u64 = 5;

/// The most digits that there are.
const MOST_DIGITS: usize = 8;

/// Makes a key of the length that is asked for, or of that which RFC 4226 recommends.
pub(super) fn generate(template: &Template, params: &MechanismParams) -> Result<Template> {
    params.none()?;
    expect_template(template, Class::OtpKey, KeyType::Hotp)?;
    let len = match template.contains(attribute::VALUE_LEN.id) {
        true => value_len(template)?,
        false => USUAL,
    };
    if !(SHORTEST..=LONGEST).contains(&len) {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of a HOTP key"));
    }
    let mut made = template.try_clone()?;
    made.set(attribute::CLASS, Class::OtpKey.code());
    made.set(attribute::KEY_TYPE, KeyType::Hotp.code());
    made.set(attribute::VALUE, random::secret(len)?);
    Ok(made)
}

/// A password, in as many digits as its maker wanted.
type Password = [u8; MOST_DIGITS];

/// What makes and judges passwords.
struct Hotp {
    key: Key,
    digits: usize,
    /// The counter that the caller gave, or that the key had when nobody else could have it.
    counter: Option<u64>,
    /// Whether it is the key's.
    is_own: bool,
}

fn start(key: &Key, params: &MechanismParams) -> Result<Hotp> {
    expect_key(key, Class::OtpKey, &[KeyType::Hotp])?;
    let MechanismParams::Otp(OtpParams { counter, digits, format, flags }) = params else {
        return Err(invalid("HOTP takes the parameters of one-time passwords"));
    };
    if flags & !(OTP_FLAGS_WITHOUT_EFFECT | OTP_FOR_PEOPLE) != 0 {
        return Err(invalid("a flag that HOTP does not have"));
    }
    let attributes = &key.attributes;
    let for_people = flags & OTP_FOR_PEOPLE != 0;
    if for_people && !attributes.is_set(attribute::OTP_USER_FRIENDLY_MODE) {
        return Err(invalid("CKA_OTP_USER_FRIENDLY_MODE of the key is false"));
    }
    if format.is_some_and(|format| format != OTP_DECIMAL) {
        return Err(invalid("HOTP makes decimal digits"));
    }
    let digits = digits.or_else(|| attributes.get(attribute::OTP_LENGTH));
    let digits = digits.filter(|digits| DIGITS.contains(digits));
    let digits = digits.and_then(|digits| usize::try_from(digits).ok());
    let digits = digits.ok_or_else(|| invalid("HOTP makes 6 to 8 digits"))?;
    let counter = match Given::wanted_by(attributes)? {
        Given::Ignored => None,
        Given::Optional => *counter,
        Given::Mandatory if counter.is_none() => {
            return Err(invalid("the key wants CK_OTP_COUNTER"));
        }
        Given::Mandatory => *counter,
    };
    Ok(Hotp { key: Key::clone(key), digits, counter, is_own: counter.is_none() })
}

/// Starts the making of a password.
pub(super) fn sign(key: &Key, params: &MechanismParams) -> Result<Box<dyn Signing>> {
    Ok(Box::new(start(key, params)?))
}

/// Starts the check of a password.
pub(super) fn verify(key: &Key, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    Ok(Box::new(start(key, params)?))
}

impl Hotp {
    /// RFC 4226, section 5.3.
    fn at(&self, counter: u64) -> Result<Password> {
        let value = self.key.attributes.get(attribute::VALUE);
        let value = value.ok_or_else(|| Rv::GeneralError.because("a key without a value"))?;
        let mut code = [0; Digest::Sha1.len()];
        let mut mac = value.expose(|value| Mac::new(Digest::Sha1, value))?;
        mac.update(&counter.to_be_bytes());
        mac.finish(&mut code)?;
        let offset = usize::from(code.last().copied().unwrap_or_default() & 0x0f);
        let bytes = code.get(offset..).and_then(|rest| rest.first_chunk());
        let bytes = bytes.ok_or_else(|| Rv::GeneralError.because("a code that is too short"))?;
        let mut number = u32::from_be_bytes(*bytes) & 0x7fff_ffff;
        let mut password = [0; MOST_DIGITS];
        for place in room(&mut password, self.digits)?.iter_mut().rev() {
            *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        Ok(password)
    }

    /// Whether this is the password of a counter.
    fn is_at(&self, counter: u64, password: &[u8]) -> Result<bool> {
        let mut own = self.at(counter)?;
        Ok(constant_time_eq(room(&mut own, self.digits)?, password))
    }

    fn check_digits(&self, password: usize) -> Result<()> {
        if password == self.digits {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("the digits of the password"))
        }
    }
}

fn no_data(data: &[u8]) -> Result<()> {
    if data.is_empty() {
        Ok(())
    } else {
        Err(Rv::DataLenRange.because("one-time passwords are made of no data"))
    }
}

fn after(counter: u64) -> Result<u64> {
    let next = counter.checked_add(1);
    next.ok_or_else(|| Rv::KeyExhausted.because("CKA_OTP_COUNTER is at its end"))
}

fn wrong() -> Error {
    Rv::SignatureInvalid.because("wrong one-time password")
}

impl Signing for Hotp {
    fn counts(&self) -> bool {
        self.is_own
    }

    fn count(&mut self, counter: u64, data: &[u8]) -> Result<u64> {
        no_data(data)?;
        self.counter = Some(counter);
        after(counter)
    }

    fn len(&self) -> usize {
        self.digits
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        // Taken out: a number is for one password.
        let counter = self.counter.take();
        let counter = counter.ok_or_else(|| Rv::GeneralError.because("no counter was told"))?;
        let mut password = self.at(counter)?;
        room(out, self.digits)?.copy_from_slice(room(&mut password, self.digits)?);
        Ok(self.digits)
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        no_data(data)?;
        Signing::finish(self, out)
    }
}

impl Verifying for Hotp {
    fn counts(&self) -> bool {
        self.is_own
    }

    fn check_len(&self, signature: usize) -> Result<()> {
        self.check_digits(signature)
    }

    fn verify_from(&mut self, counter: u64, data: &[u8], signature: &[u8]) -> Result<u64> {
        no_data(data)?;
        self.check_digits(signature.len())?;
        for number in (0..WINDOW).map_while(|step| counter.checked_add(step)) {
            if self.is_at(number, signature)? {
                return after(number);
            }
        }
        Err(wrong())
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.check_digits(signature.len())?;
        let counter = self.counter.take();
        let counter = counter.ok_or_else(|| Rv::GeneralError.because("no counter was told"))?;
        if self.is_at(counter, signature)? { Ok(()) } else { Err(wrong()) }
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        no_data(data)?;
        Verifying::finish(self, signature)
    }
}
