//! DSA (FIPS 186-4): groups, keys, signatures over a digest. Outlived: FIPS 186-5 has it no more.
//!
//! Signatures are r || s, each as long as the subprime; a digest that is longer than that counts
//! with its first bits. A group that comes in is checked as far as it costs little: that the base
//! has the subprime's order. Whether the two numbers are primes is not.

use std::ptr;

use aws_lc_sys as lc;

use super::bignum::{Arithmetic, Bignum, public_bytes, secret_bytes, write_padded};
use super::{EngineError, Owned, check, failed, gate, initialise};
use crate::secret::Secret;

/// The sizes of prime that are taken, in bits.
pub(crate) const PRIME_BITS: std::ops::RangeInclusive<usize> = 1024..=3072;
/// The sizes of subprime.
const SUBPRIME_BITS: [u32; 3] = [160, 224, 256];

const REFUSED: EngineError = EngineError::Failed("DSA");

/// Prime, subprime and base, big endian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DsaGroup {
    pub(crate) prime: Vec<u8>,
    pub(crate) subprime: Vec<u8>,
    pub(crate) base: Vec<u8>,
}

/// The three as numbers.
struct Numbers {
    prime: Bignum,
    subprime: Bignum,
    base: Bignum,
}

impl DsaGroup {
    /// Makes a group with a prime of so many bits; the subprime has 160 below 2048 bits, else 256.
    #[cfg(feature = "legacy")]
    pub(crate) fn generate(prime_bits: usize) -> Result<Self, EngineError> {
        initialise()?;
        let bits = u32::try_from(prime_bits).ok().filter(|_| PRIME_BITS.contains(&prime_bits));
        let bits = bits.ok_or(EngineError::Key("bits of DSA's prime"))?;
        // SAFETY: the library's own constructor.
        let object = unsafe { Owned::fresh(lc::DSA_new) }?;
        let inside = gate::enter();
        // SAFETY: a live object; no seed, and no interest in how it went.
        let done = unsafe {
            lc::DSA_generate_parameters_ex(
                object.as_ptr(),
                bits,
                ptr::null(),
                0,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        drop(inside);
        check(done, REFUSED)?;
        // SAFETY: gives the object's own number.
        let prime = unsafe { lc::DSA_get0_p(object.as_ptr()) };
        // SAFETY: as above.
        let subprime = unsafe { lc::DSA_get0_q(object.as_ptr()) };
        // SAFETY: as above.
        let base = unsafe { lc::DSA_get0_g(object.as_ptr()) };
        Ok(Self {
            // SAFETY: alive as long as the object, which nobody changes.
            prime: unsafe { public_bytes(prime) }?,
            // SAFETY: as above.
            subprime: unsafe { public_bytes(subprime) }?,
            // SAFETY: as above.
            base: unsafe { public_bytes(base) }?,
        })
    }

    /// Checks the group; gives the bits of the prime and of the subprime.
    pub(crate) fn bits(&self) -> Result<(u32, u32), EngineError> {
        let numbers = self.numbers()?;
        Ok((numbers.prime.bits(), numbers.subprime.bits()))
    }

    fn numbers(&self) -> Result<Numbers, EngineError> {
        initialise()?;
        let longest = PRIME_BITS.end() / 8 + 1;
        if [&self.prime, &self.subprime, &self.base].iter().any(|part| part.len() > longest) {
            return Err(EngineError::Key("a DSA group of another size"));
        }
        let prime = Bignum::from_bytes(&self.prime)?;
        let subprime = Bignum::from_bytes(&self.subprime)?;
        let base = Bignum::from_bytes(&self.base)?;
        let sized = PRIME_BITS.contains(&(prime.bits() as usize))
            && SUBPRIME_BITS.contains(&subprime.bits());
        if !sized || !prime.is_odd() || !subprime.is_odd() {
            return Err(EngineError::Key(
                "a DSA prime or subprime that is even or of another size",
            ));
        }
        let numbers = Numbers { prime, subprime, base };
        numbers.check_order(&numbers.base)?;
        Ok(numbers)
    }

    /// Bytes of the subprime, and of half a signature.
    pub(crate) fn half_len(&self) -> usize {
        self.subprime.iter().skip_while(|byte| **byte == 0).count()
    }

    /// The library's object of this group.
    fn object(&self) -> Result<Owned<lc::DSA>, EngineError> {
        let Numbers { prime, subprime, base } = self.numbers()?;
        // SAFETY: the library's own constructor.
        let object = unsafe { Owned::fresh(lc::DSA_new) }?;
        // SAFETY: live objects; the group takes the numbers over, which cannot fail for numbers
        // that are there.
        let done = unsafe {
            lc::DSA_set0_pqg(object.as_ptr(), prime.release(), subprime.release(), base.release())
        };
        check(done, REFUSED)?;
        Ok(object)
    }
}

impl Numbers {
    /// Checks that a number is above 1, below the prime, and of the subprime's order.
    fn check_order(&self, number: &Bignum) -> Result<(), EngineError> {
        let refused = EngineError::Key("a number that is not of DSA's subgroup");
        if number.is_zero() || number.is_one() || !number.is_less_than(&self.prime) {
            return Err(refused);
        }
        let power = Arithmetic::new()?.power(number, &self.subprime, &self.prime);
        if power.is_ok_and(|power| power.is_one()) { Ok(()) } else { Err(refused) }
    }
}

/// A private key.
pub(crate) struct DsaPrivate {
    key: Owned<lc::DSA>,
    group: DsaGroup,
}

impl DsaPrivate {
    /// Makes a key. Takes the library's own randomness.
    pub(crate) fn generate(group: DsaGroup) -> Result<Self, EngineError> {
        let key = group.object()?;
        let inside = gate::enter();
        // SAFETY: a live group.
        let done = unsafe { lc::DSA_generate_key(key.as_ptr()) };
        drop(inside);
        check(done, EngineError::Key("no key could be made in this group"))?;
        Ok(Self { key, group })
    }

    /// Parses a private value, from 1 to the subprime less 1.
    pub(crate) fn from_value(group: DsaGroup, value: &Secret) -> Result<Self, EngineError> {
        let numbers = group.numbers()?;
        let refused = EngineError::Key("a private value out of range");
        if value.len() > group.subprime.len() + 1 {
            return Err(refused);
        }
        let number = value.expose(Bignum::from_bytes)?;
        if number.is_zero() || !number.is_less_than(&numbers.subprime) {
            return Err(refused);
        }
        let public = Arithmetic::new()?.power(&numbers.base, &number, &numbers.prime)?;
        let key = group.object()?;
        // SAFETY: live objects; the key takes both numbers over, which cannot fail.
        let done = unsafe { lc::DSA_set0_key(key.as_ptr(), public.release(), number.release()) };
        check(done, REFUSED)?;
        Ok(Self { key, group })
    }

    pub(crate) const fn group(&self) -> &DsaGroup {
        &self.group
    }

    /// The private value, without zeros in front.
    pub(crate) fn value(&self) -> Result<Secret, EngineError> {
        // SAFETY: gives the key's own number.
        let number = unsafe { lc::DSA_get0_priv_key(self.key.as_ptr()) };
        // SAFETY: alive as long as the key, which nobody changes.
        unsafe { secret_bytes(number) }?.ok_or(REFUSED)
    }

    /// The public value, without zeros in front.
    pub(crate) fn public(&self) -> Result<Vec<u8>, EngineError> {
        // SAFETY: gives the key's own number.
        let number = unsafe { lc::DSA_get0_pub_key(self.key.as_ptr()) };
        // SAFETY: alive as long as the key, which nobody changes.
        unsafe { public_bytes(number) }
    }

    /// Signs a digest; gives the bytes written. Takes the library's own randomness.
    pub(crate) fn sign(&self, digest: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        let half = self.group.half_len();
        let out = out.get_mut(..2 * half).ok_or(EngineError::Length)?;
        let (first, second) = out.split_at_mut_checked(half).ok_or(EngineError::Length)?;
        let inside = gate::enter();
        // SAFETY: a live key and a readable digest. A fresh object or null.
        let signature =
            unsafe { lc::DSA_do_sign(digest.as_ptr(), digest.len(), self.key.as_ptr()) };
        drop(inside);
        // SAFETY: as above.
        let signature = unsafe { Owned::or(signature, EngineError::Failed("DSA signature")) }?;
        let (mut r, mut s) = (ptr::null(), ptr::null());
        // SAFETY: gives the signature's own numbers.
        unsafe { lc::DSA_SIG_get0(signature.as_ptr(), &raw mut r, &raw mut s) };
        // SAFETY: alive as long as the signature.
        unsafe { write_padded(r, first) }?;
        // SAFETY: as above.
        unsafe { write_padded(s, second) }?;
        Ok(2 * half)
    }
}

/// A public key.
pub(crate) struct DsaPublic {
    key: Owned<lc::DSA>,
    half: usize,
}

impl DsaPublic {
    /// Checks a public value and makes a key of it.
    pub(crate) fn new(group: &DsaGroup, value: &[u8]) -> Result<Self, EngineError> {
        let numbers = group.numbers()?;
        if value.len() > group.prime.len() + 1 {
            return Err(EngineError::Key("a public value longer than the prime"));
        }
        let public = Bignum::from_bytes(value)?;
        numbers.check_order(&public)?;
        let key = group.object()?;
        // SAFETY: live objects; the key takes the number over, which cannot fail.
        let done = unsafe { lc::DSA_set0_key(key.as_ptr(), public.release(), ptr::null_mut()) };
        check(done, REFUSED)?;
        Ok(Self { key, half: group.half_len() })
    }

    /// Bytes of a signature.
    pub(crate) const fn signature_len(&self) -> usize {
        2 * self.half
    }

    /// Checks a signature of a digest.
    pub(crate) fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), EngineError> {
        if signature.len() != self.signature_len() {
            return Err(EngineError::Length);
        }
        let (first, second) = signature.split_at(self.half);
        // SAFETY: the library's own constructor.
        let object = unsafe { Owned::fresh(lc::DSA_SIG_new) }?;
        let (r, s) = (Bignum::from_bytes(first)?, Bignum::from_bytes(second)?);
        // SAFETY: live objects; the signature takes the numbers over, which cannot fail.
        let set = unsafe { lc::DSA_SIG_set0(object.as_ptr(), r.release(), s.release()) };
        check(set, REFUSED)?;
        let mut valid = 0;
        // SAFETY: live objects and a readable digest.
        let done = unsafe {
            lc::DSA_do_check_signature(
                &raw mut valid,
                digest.as_ptr(),
                digest.len(),
                object.as_ptr(),
                self.key.as_ptr(),
            )
        };
        if done == 1 && valid == 1 { Ok(()) } else { Err(failed(EngineError::Verify)) }
    }
}
