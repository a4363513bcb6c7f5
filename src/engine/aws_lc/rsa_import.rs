//! From the numbers of an RSA private key to a checked key, also when some are missing.
//!
//! What the caller gave is checked as a whole by the library (`RSA_check_key`): p q = n, d e = 1
//! modulo p - 1 and q - 1, and the three values of the remainder theorem.

use aws_lc_sys as lc;

use super::bignum::{Arithmetic, Bignum};
use super::rsa::{RsaComponents, checked_exponent, checked_modulus};
use super::{EngineError, Owned};
use crate::secret::Secret;

/// Tried when the public exponent is not known, the usual one first.
const USUAL_EXPONENTS: [u64; 5] = [65537, 3, 5, 17, 257];

/// Each base finds the primes with a chance of at least one half.
const BASES: [u64; 40] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173,
];

const INCONSISTENT: EngineError = EngineError::Key("the RSA private key is inconsistent");

/// n, e, d and the primes.
pub(super) struct Numbers {
    pub(super) modulus: Bignum,
    pub(super) exponent: Bignum,
    pub(super) private: Bignum,
    pub(super) prime1: Bignum,
    pub(super) prime2: Bignum,
}

/// Makes and checks the library's key.
pub(super) fn parse(components: &RsaComponents) -> Result<Owned<lc::RSA>, EngineError> {
    let modulus = checked_modulus(&components.modulus)?;
    let private = number(&components.private_exponent)?;
    if private.is_zero() || !private.is_less_than(&modulus) {
        return Err(EngineError::Key("RSA private exponent out of range"));
    }
    let arithmetic = Arithmetic::new()?;
    let primes = match (&components.prime1, &components.prime2) {
        (Some(prime1), Some(prime2)) => {
            let (prime1, prime2) = (prime(prime1, &modulus)?, prime(prime2, &modulus)?);
            Some((prime1, prime2))
        }
        _ => None,
    };
    let exponent = match (components.public_exponent.as_slice(), &primes) {
        ([], Some(primes)) => Some(exponent_of(&arithmetic, &private, primes)?),
        ([], None) => guessed_exponent(&arithmetic, &modulus, &private)?,
        (bytes, _) => Some(checked_exponent(bytes)?),
    };
    let Some(exponent) = exponent else { return without_exponent(&modulus, &private) };
    let (prime1, prime2) = match primes {
        Some(primes) => primes,
        None => primes_of(&arithmetic, &modulus, &exponent, &private)?,
    };
    let numbers = Numbers { modulus, exponent, private, prime1, prime2 };
    whole(&arithmetic, &numbers, components)
}

/// A key with all its numbers; those of the remainder theorem are computed if one is missing.
fn whole(
    arithmetic: &Arithmetic,
    numbers: &Numbers,
    given: &RsaComponents,
) -> Result<Owned<lc::RSA>, EngineError> {
    let Numbers { private, prime1, prime2, .. } = numbers;
    // The three belong to the primes in the order in which they were given.
    let in_order = given.prime1.is_some() && given.prime2.is_some();
    let (exponent1, exponent2, coefficient) =
        match (&given.exponent1, &given.exponent2, &given.coefficient) {
            (Some(first), Some(second), Some(inverse)) if in_order => {
                (number(first)?, number(second)?, number(inverse)?)
            }
            _ => {
                let inverse = arithmetic.inverse(prime2, prime1)?.ok_or(INCONSISTENT)?;
                let (_, first) = arithmetic.divided(private, &prime1.less_one()?)?;
                let (_, second) = arithmetic.divided(private, &prime2.less_one()?)?;
                (first, second, inverse)
            }
        };
    library_key(numbers, [&exponent1, &exponent2, &coefficient])
}

/// The library's key, which it checks as a whole; with the three numbers of the remainder theorem.
pub(super) fn library_key(
    Numbers { modulus, exponent, private, prime1, prime2 }: &Numbers,
    [exponent1, exponent2, coefficient]: [&Bignum; 3],
) -> Result<Owned<lc::RSA>, EngineError> {
    // SAFETY: live numbers, of which the library makes copies. A fresh, checked key or null.
    let rsa = unsafe {
        lc::RSA_new_private_key(
            modulus.as_ptr(),
            exponent.as_ptr(),
            private.as_ptr(),
            prime1.as_ptr(),
            prime2.as_ptr(),
            exponent1.as_ptr(),
            exponent2.as_ptr(),
            coefficient.as_ptr(),
        )
    };
    // SAFETY: as above.
    unsafe { Owned::or(rsa, INCONSISTENT) }
}

fn without_exponent(modulus: &Bignum, private: &Bignum) -> Result<Owned<lc::RSA>, EngineError> {
    // SAFETY: live numbers, of which the library makes copies. A fresh, checked key or null.
    let rsa = unsafe { lc::RSA_new_private_key_no_e(modulus.as_ptr(), private.as_ptr()) };
    // SAFETY: as above.
    unsafe { Owned::or(rsa, INCONSISTENT) }
}

/// A secret number of at most the longest modulus.
fn number(secret: &Secret) -> Result<Bignum, EngineError> {
    if secret.len() > 16384 / 8 + 1 {
        return Err(EngineError::Key("an RSA component is too long"));
    }
    secret.expose(Bignum::from_bytes)
}

/// A prime factor: only what the arithmetic needs is checked here, the rest by the library.
fn prime(secret: &Secret, modulus: &Bignum) -> Result<Bignum, EngineError> {
    let prime = number(secret)?;
    let fits = prime.is_odd() && !prime.is_one() && prime.is_less_than(modulus);
    if fits { Ok(prime) } else { Err(INCONSISTENT) }
}

/// The public exponent from the private one: its inverse modulo lcm(p - 1, q - 1).
fn exponent_of(
    arithmetic: &Arithmetic,
    private: &Bignum,
    (prime1, prime2): &(Bignum, Bignum),
) -> Result<Bignum, EngineError> {
    let (first, second) = (prime1.less_one()?, prime2.less_one()?);
    let common = arithmetic.common_divisor(&first, &second)?;
    let (share, _) = arithmetic.divided(&first, &common)?;
    let order = arithmetic.product(&share, &second)?;
    let exponent = arithmetic.inverse(private, &order)?.ok_or(INCONSISTENT)?;
    match exponent.is_odd() && (2..=33).contains(&exponent.bits()) {
        true => Ok(exponent),
        false => Err(EngineError::Key("RSA public exponent over 33 bits")),
    }
}

/// The first usual exponent that undoes the private one.
fn guessed_exponent(
    arithmetic: &Arithmetic,
    modulus: &Bignum,
    private: &Bignum,
) -> Result<Option<Bignum>, EngineError> {
    let base = Bignum::from_word(2)?;
    let signed = arithmetic.power(&base, private, modulus)?;
    for candidate in USUAL_EXPONENTS {
        let candidate = Bignum::from_word(candidate)?;
        if arithmetic.power(&signed, &candidate, modulus)?.equals(&base) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// The primes from both exponents (NIST SP 800-56B, appendix C.1): d e - 1 is a multiple of the
/// order of every base, so halving it until a base's power is not 1 finds a square root of 1
/// other than 1 and n - 1, whose neighbour shares a prime with n. The larger prime comes first.
fn primes_of(
    arithmetic: &Arithmetic,
    modulus: &Bignum,
    exponent: &Bignum,
    private: &Bignum,
) -> Result<(Bignum, Bignum), EngineError> {
    let multiple = arithmetic.product(exponent, private)?.less_one()?;
    let halvings = multiple.trailing_zeros();
    if multiple.is_zero() || halvings == 0 {
        return Err(INCONSISTENT);
    }
    let odd = multiple.shifted_right(halvings)?;
    let last = modulus.less_one()?;
    let two = Bignum::from_word(2)?;
    for base in BASES {
        let mut root = arithmetic.power(&Bignum::from_word(base)?, &odd, modulus)?;
        for _ in 0..halvings {
            let square = arithmetic.power(&root, &two, modulus)?;
            if square.is_one() {
                break;
            }
            root = square;
        }
        if root.is_one() || root.equals(&last) {
            continue;
        }
        let factor = arithmetic.common_divisor(&root.less_one()?, modulus)?;
        if factor.is_one() {
            return Err(INCONSISTENT); // no root of 1 was reached: d and e do not belong together
        }
        let (other, _) = arithmetic.divided(modulus, &factor)?;
        return Ok(if factor.is_less_than(&other) { (other, factor) } else { (factor, other) });
    }
    Err(INCONSISTENT)
}

/// Makes a public key of the library.
pub(super) fn public(modulus: &[u8], exponent: &[u8]) -> Result<Owned<lc::RSA>, EngineError> {
    let (modulus, exponent) = (checked_modulus(modulus)?, checked_exponent(exponent)?);
    // SAFETY: live numbers, of which the library makes copies. A fresh, checked key or null.
    let rsa = unsafe { lc::RSA_new_public_key(modulus.as_ptr(), exponent.as_ptr()) };
    // SAFETY: as above.
    unsafe { Owned::or(rsa, EngineError::Key("RSA public key")) }
}
