//! RSA as a key encapsulation. PKCS#1 v1.5 and OAEP carry a secret that is made for the purpose, as
//! long as the template asks for, and are opened as a wrapped key is; without padding the secret is
//! a number below the modulus itself (RSASVE).
//!
//! PKCS#11 3.2, "PKCS #1 v1.5 RSA", "PKCS #1 RSA OAEP", "X.509 (raw) RSA"; SP 800-56B Rev. 2,
//! section 7.2.1.

use super::operation::{Ciphering, Encapsulating, room};
use super::params::MechanismParams;
use super::rsa::{self, Scheme};
use super::wrapping::unwrap;
use super::{Key, rsa_raw, rsa_wrap};
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::{Object, attribute};
use crate::secret::Secret;

/// How often a number is drawn. One in two is below the modulus, or more.
const DRAWS: usize = 128;

/// Prepares a secret of so many bytes, which is encrypted with padding.
pub(super) fn encapsulate(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
    scheme: Scheme,
) -> Result<Box<dyn Encapsulating>> {
    let work = rsa::encrypt(key, params, scheme)?;
    let secret_len = len.ok_or_else(|| Rv::TemplateIncomplete.because("CKA_VALUE_LEN"))?;
    let len = match secret_len {
        0 => return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN")),
        secret_len => work.whole_len(secret_len).map_err(|_| unfit())?,
    };
    Ok(Box::new(Carried { work, secret_len, len }))
}

/// Gives the secret that was encrypted with PKCS#1 v1.5 padding, or another one of that length
/// where the padding is wrong.
pub(super) fn decapsulate_pkcs1(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    open(rsa_wrap::unwrap_pkcs1(key, params, len)?, ciphertext)
}

/// Gives the secret that was encrypted with OAEP.
pub(super) fn decapsulate_oaep(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    let secret = open(rsa::decrypt(key, params, Scheme::Oaep)?, ciphertext)?;
    match len {
        Some(len) if len != secret.len() => Err(unfit()),
        _ => Ok(secret),
    }
}

fn unfit() -> Error {
    Rv::TemplateInconsistent.because("CKA_VALUE_LEN does not fit the modulus or the ciphertext")
}

fn open(mut work: Box<dyn Ciphering>, ciphertext: &[u8]) -> Result<Secret> {
    let room = work.whole_len(ciphertext.len()).map_err(refused)?;
    unwrap(work.as_mut(), ciphertext, room).map_err(refused)
}

/// What a refusal is called that names encrypted data.
fn refused(error: Error) -> Error {
    match error.rv {
        Rv::EncryptedDataLenRange => Rv::WrappedKeyLenRange.because(error.why),
        Rv::EncryptedDataInvalid => Rv::WrappedKeyInvalid.because(error.why),
        _ => error,
    }
}

struct Carried {
    work: Box<dyn Ciphering>,
    secret_len: usize,
    /// Of the ciphertext.
    len: usize,
}

impl Encapsulating for Carried {
    fn len(&self) -> usize {
        self.len
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let secret = random::secret(self.secret_len)?;
        let written = secret.expose(|secret| self.work.whole(secret, out))?;
        Ok((written, secret))
    }
}

/// Prepares a number below the modulus, which is the secret.
pub(super) fn encapsulate_number(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Encapsulating>> {
    let work = rsa_raw::encrypt(key, params)?;
    let modulus = modulus_of(key)?;
    expect_len(len, modulus.len())?;
    Ok(Box::new(Number { work, modulus }))
}

/// Gives the number of a ciphertext.
pub(super) fn decapsulate_number(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    let work = rsa_raw::decrypt(key, params)?;
    let modulus = modulus_of(key)?;
    expect_len(len, modulus.len())?;
    if is_own_power(ciphertext, &modulus) {
        return Err(Rv::WrappedKeyInvalid.because("a number that hides nothing"));
    }
    open(work, ciphertext)
}

/// The modulus without zeros in front.
fn modulus_of(key: &Object) -> Result<Vec<u8>> {
    let modulus = key.attributes.require(attribute::MODULUS)?;
    Ok(modulus.iter().copied().skip_while(|byte| *byte == 0).collect())
}

/// The secret is as long as the modulus; no other can be made of it here.
fn expect_len(asked: Option<usize>, modulus_len: usize) -> Result<()> {
    match asked {
        None => Ok(()),
        Some(len) if len == modulus_len => Ok(()),
        Some(_) => Err(Rv::TemplateInconsistent.because("the secret is as long as the modulus")),
    }
}

/// Whether a number as long as the modulus is 0, 1 or the modulus less 1. Raised to the exponent
/// each of these is itself, and nothing else becomes one of them.
fn is_own_power(number: &[u8], modulus: &[u8]) -> bool {
    let (Some((last, front)), Some((modulus_last, modulus_front))) =
        (number.split_last(), modulus.split_last())
    else {
        return false;
    };
    let is_small = *last <= 1 && front.iter().all(|byte| *byte == 0);
    // The modulus is odd.
    is_small || (*last == modulus_last & !1 && front == modulus_front)
}

struct Number {
    work: Box<dyn Ciphering>,
    modulus: Vec<u8>,
}

impl Encapsulating for Number {
    fn len(&self) -> usize {
        self.modulus.len()
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let out = room(out, self.modulus.len())?;
        let top = self.modulus.first().copied().unwrap_or_default();
        for _ in 0..DRAWS {
            let number = Secret::build(out.len(), |number| {
                random::fill(number)?;
                if let Some(first) = number.first_mut() {
                    *first &= u8::MAX.checked_shr(top.leading_zeros()).unwrap_or_default();
                }
                Ok::<_, Error>(())
            })?;
            match number.expose(|number| self.work.whole(number, out)) {
                Ok(_) if is_own_power(out, &self.modulus) => {}
                Ok(written) => return Ok((written, number)),
                // Not below the modulus.
                Err(error) if error.rv == Rv::DataInvalid => {}
                Err(error) => return Err(error),
            }
        }
        Err(Rv::GeneralError.because("no random number is below the modulus"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::KeySpec;
    use crate::mechanism::tests::pair;

    #[test]
    fn numbers_that_hide_nothing_are_known() {
        let modulus = [0xc5, 0x01, 0x77];
        for own in [[0, 0, 0], [0, 0, 1], [0xc5, 0x01, 0x76]] {
            assert!(is_own_power(&own, &modulus), "{own:x?}");
        }
        for other in [[0, 0, 2], [0, 1, 0], [0xc5, 0x01, 0x75], [0xc5, 0x02, 0x76], [1, 0, 0]] {
            assert!(!is_own_power(&other, &modulus), "{other:x?}");
        }
    }

    /// Whatever number of bits of the first byte the modulus has.
    #[test]
    fn a_number_is_below_the_modulus_and_comes_back() {
        for bits in [2048, 2054] {
            let (public, private) = pair(&KeySpec::Rsa { bits, exponent: vec![1, 0, 1] });
            let modulus = modulus_of(&public).expect("a modulus");
            let none = MechanismParams::None;
            let mut running = encapsulate_number(&public, &none, None).expect("a start");
            let mut ciphertext = vec![0; running.len()];
            assert_eq!(ciphertext.len(), bits.div_ceil(8));
            let mut before: Option<Secret> = None;
            for _ in 0..8 {
                let (_, number) = running.encapsulate(&mut ciphertext).expect("a number");
                number.expose(|number| assert!(number < &modulus[..]));
                let opened = decapsulate_number(&private, &none, &ciphertext, None);
                opened.expect("it").expose(|opened| number.expose(|n| assert_eq!(opened, n)));
                if let Some(before) = before {
                    before.expose(|before| number.expose(|number| assert_ne!(before, number)));
                }
                before = Some(number);
            }
        }
    }
}
