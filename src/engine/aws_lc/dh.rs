//! Diffie-Hellman over prime fields (PKCS#3; SP 800-56A, section 5.7.1.1).
//!
//! Groups are a prime and a base. Of the groups of RFC 3526 and RFC 7919 the order of the base is
//! known, and a peer's value is checked to lie in its subgroup; of others, that it is between 1
//! and the prime less 1.

use std::ptr;

use aws_lc_sys as lc;

use super::bignum::{Arithmetic, Bignum, public_bytes, secret_bytes};
use super::{EngineError, Owned, check, ffdhe, gate, initialise};
use crate::secret::Secret;

/// The sizes of prime that are taken, in bits.
pub(crate) const PRIME_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

const REFUSED: EngineError = EngineError::Failed("Diffie-Hellman");

/// A prime and a base, big endian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DhGroup {
    pub(crate) prime: Vec<u8>,
    pub(crate) base: Vec<u8>,
}

impl DhGroup {
    /// The group of RFC 7919 whose prime has so many bits, if there is one here.
    pub(crate) fn published(bits: u64) -> Result<Option<Self>, EngineError> {
        let prime = match bits {
            2048 => ffdhe::named(lc::NID_ffdhe2048)?,
            3072 => ffdhe::named(lc::NID_ffdhe3072)?,
            4096 => ffdhe::named(lc::NID_ffdhe4096)?,
            6144 => ffdhe::prime_6144(),
            8192 => ffdhe::named(lc::NID_ffdhe8192)?,
            _ => return Ok(None),
        };
        Ok(Some(Self { prime, base: vec![2] }))
    }

    /// Prime and base as numbers: the prime odd and of a size that is taken, the base from 2 to
    /// the prime less 2.
    fn numbers(&self) -> Result<(Bignum, Bignum), EngineError> {
        initialise()?;
        let longest = PRIME_BITS.end() / 8 + 1;
        if self.prime.len() > longest || self.base.len() > longest {
            return Err(EngineError::Key("a Diffie-Hellman group of another size"));
        }
        let (prime, base) = (Bignum::from_bytes(&self.prime)?, Bignum::from_bytes(&self.base)?);
        if !prime.is_odd() || !PRIME_BITS.contains(&(prime.bits() as usize)) {
            return Err(EngineError::Key("a prime that is even, too short or too long"));
        }
        if !is_inside(&base, &prime)? {
            return Err(EngineError::Key("a base that is not between 1 and the prime less 1"));
        }
        Ok((prime, base))
    }

    fn object(&self) -> Result<Owned<lc::DH>, EngineError> {
        let (prime, base) = self.numbers()?;
        // SAFETY: the library's own constructor.
        let object = unsafe { Owned::fresh(lc::DH_new) }?;
        // SAFETY: live objects; the group takes both numbers over, which cannot fail for numbers
        // that are there.
        let done = unsafe {
            lc::DH_set0_pqg(object.as_ptr(), prime.release(), ptr::null_mut(), base.release())
        };
        check(done, REFUSED)?;
        Ok(object)
    }

    /// Bytes of the prime without zeros in front, and of a shared secret.
    pub(crate) fn prime_len(&self) -> usize {
        self.prime.iter().skip_while(|byte| **byte == 0).count()
    }

    /// Checks the group; gives the bits of its prime.
    pub(crate) fn bits(&self) -> Result<u32, EngineError> {
        self.numbers().map(|(prime, _)| prime.bits())
    }

    /// Checks a public value.
    pub(crate) fn check_public(&self, value: &[u8]) -> Result<(), EngineError> {
        self.checked(value).map(drop)
    }

    fn checked(&self, value: &[u8]) -> Result<Bignum, EngineError> {
        let (prime, _) = self.numbers()?;
        if value.len() > self.prime.len() + 1 {
            return Err(EngineError::Key("a public value longer than the prime"));
        }
        let value = Bignum::from_bytes(value)?;
        if !is_inside(&value, &prime)? {
            return Err(EngineError::Key("a public value out of range"));
        }
        if is_published(&prime)? {
            let order = prime.shifted_right(1)?;
            if !Arithmetic::new()?.power(&value, &order, &prime)?.is_one() {
                return Err(EngineError::Key("a public value outside the subgroup"));
            }
        }
        Ok(value)
    }
}

/// Whether a number is above 1 and below the prime less 1.
fn is_inside(number: &Bignum, prime: &Bignum) -> Result<bool, EngineError> {
    let inside = !number.is_zero() && !number.is_one() && number.is_less_than(&prime.less_one()?);
    Ok(inside)
}

/// Whether a prime is one of RFC 3526 or RFC 7919.
fn is_published(prime: &Bignum) -> Result<bool, EngineError> {
    for published in [
        lc::BN_get_rfc3526_prime_2048,
        lc::BN_get_rfc3526_prime_3072,
        lc::BN_get_rfc3526_prime_4096,
        lc::BN_get_rfc3526_prime_6144,
        lc::BN_get_rfc3526_prime_8192,
    ] {
        let number = Bignum::zero()?;
        // SAFETY: a live number, which the library fills and gives back.
        if unsafe { published(number.as_ptr()) }.is_null() {
            return Err(super::failed(EngineError::Memory));
        }
        if number.equals(prime) {
            return Ok(true);
        }
    }
    for bits in ffdhe::BITS {
        if let Some(group) = DhGroup::published(bits)?
            && Bignum::from_bytes(&group.prime)?.equals(prime)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A private key.
pub(crate) struct DhPrivate {
    group: DhGroup,
    exponent: Secret,
}

impl DhPrivate {
    /// Makes a key, with an exponent of so many bits at most. Takes the library's own randomness.
    pub(crate) fn generate(group: DhGroup, bits: Option<u32>) -> Result<Self, EngineError> {
        let object = group.object()?;
        if let Some(bits) = bits {
            // SAFETY: a live object.
            check(unsafe { lc::DH_set_length(object.as_ptr(), bits) }, REFUSED)?;
        }
        let inside = gate::enter();
        // SAFETY: a live group.
        let done = unsafe { lc::DH_generate_key(object.as_ptr()) };
        drop(inside);
        check(done, EngineError::Key("no key could be made in this group"))?;
        // SAFETY: gives the key's own number.
        let exponent = unsafe { lc::DH_get0_priv_key(object.as_ptr()) };
        // SAFETY: alive as long as the key, which nobody changes.
        let exponent = unsafe { secret_bytes(exponent) }?;
        Ok(Self { group, exponent: exponent.ok_or(REFUSED)? })
    }

    /// The key of an exponent, from 1 to the prime less 2.
    pub(crate) fn from_exponent(group: DhGroup, exponent: &Secret) -> Result<Self, EngineError> {
        let (prime, _) = group.numbers()?;
        let refused = EngineError::Key("a private value out of range");
        if exponent.len() > group.prime.len() + 1 {
            return Err(refused);
        }
        let number = exponent.expose(Bignum::from_bytes)?;
        if number.is_zero() || !number.is_less_than(&prime.less_one()?) {
            return Err(refused);
        }
        // SAFETY: a live number.
        let exponent = unsafe { secret_bytes(number.as_ptr()) }?;
        Ok(Self { group, exponent: exponent.ok_or(REFUSED)? })
    }

    pub(crate) const fn group(&self) -> &DhGroup {
        &self.group
    }

    /// The exponent, without zeros in front.
    pub(crate) fn exponent(&self) -> Result<Secret, EngineError> {
        Ok(self.exponent.expose(Secret::copy_of)?)
    }

    /// The public value, without zeros in front.
    pub(crate) fn public(&self) -> Result<Vec<u8>, EngineError> {
        let (prime, base) = self.group.numbers()?;
        let exponent = self.exponent.expose(Bignum::from_bytes)?;
        let value = Arithmetic::new()?.power(&base, &exponent, &prime)?;
        // SAFETY: a live number.
        unsafe { public_bytes(value.as_ptr()) }
    }

    /// The shared secret, as long as the prime. `Key` for a value that `check_public` refuses.
    pub(crate) fn derive(&self, peer: &[u8]) -> Result<Secret, EngineError> {
        let peer = self.group.checked(peer)?;
        let object = self.group.object()?;
        let exponent = self.exponent.expose(Bignum::from_bytes)?;
        // SAFETY: live objects; the key takes the number over, which cannot fail.
        let done = unsafe { lc::DH_set0_key(object.as_ptr(), ptr::null_mut(), exponent.release()) };
        check(done, REFUSED)?;
        Secret::build(self.group.prime_len(), |out| {
            // SAFETY: live objects; the output is as long as the prime.
            let written = unsafe {
                lc::DH_compute_key_padded(out.as_mut_ptr(), peer.as_ptr(), object.as_ptr())
            };
            match usize::try_from(written) {
                Ok(written) if written == out.len() => Ok(()),
                _ => Err(super::failed(EngineError::Key("an agreement on 0 or 1"))),
            }
        })
    }
}
