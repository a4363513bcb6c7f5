//! Making RSA keys: two random primes by rejection (FIPS 186-5, A.1.3), and the numbers that
//! follow from them.
//!
//! The library makes keys too (`RSA_generate_key_ex`), but in steps of 128 bits, and it tries one
//! candidate at a time. Here two are tried at once by Fermat's test, for which the library has a
//! function that takes little longer than for one; what passes goes to the library's own test
//! (FIPS 186-5, B.3), which alone says what is a prime. Every candidate is drawn afresh, so that
//! how long it took to refuse one tells nothing about the next, and what is done with a prime
//! itself takes the same steps whatever it is.

use aws_lc_sys as lc;

use super::bignum::{Arithmetic, Bignum};
use super::rsa_import::{Numbers, library_key};
use super::{EngineError, Owned, failed, gate};
use crate::engine::random;
use crate::secret::Secret;

const REFUSED: EngineError = EngineError::Failed("RSA key generation");

/// Odd primes that no candidate may be divisible by are below this.
const SIEVE: u64 = 4096;
/// Each draw finds a prime of n bits with a chance of about 6 in n.
const DRAWS_PER_BIT: usize = 100;

/// Makes a key with a modulus of exactly `bits`, an even number.
pub(super) fn generate(bits: usize, exponent: u64) -> Result<Owned<lc::RSA>, EngineError> {
    let search = Search::new(bits / 2, exponent)?;
    loop {
        let first = search.prime()?;
        let second = search.prime()?;
        if let Some(key) = search.key(first, second)? {
            return Ok(key);
        }
    }
}

/// A number that may be a prime, with what its test needs.
struct Candidate {
    number: Bignum,
    less_one: Bignum,
    prepared: Owned<lc::BN_MONT_CTX>,
}

/// The search for primes of one size.
struct Search {
    /// Bits of a prime.
    bits: usize,
    exponent: u64,
    sieve: Sieve,
    arithmetic: Arithmetic,
    /// What Fermat's test raises to a power: as long as a candidate, and less.
    base: Bignum,
}

impl Search {
    fn new(bits: usize, exponent: u64) -> Result<Self, EngineError> {
        let base = Secret::build(bits.div_ceil(8), |room| {
            random::fill(room)?;
            shape(room, bits - 1);
            Ok::<_, EngineError>(())
        })?;
        Ok(Self {
            bits,
            exponent,
            sieve: Sieve::new(bits.div_ceil(32)),
            arithmetic: Arithmetic::new()?,
            base: base.expose(Bignum::from_bytes)?,
        })
    }

    /// A prime whose two highest bits are set, and which the exponent fits.
    fn prime(&self) -> Result<Bignum, EngineError> {
        for _ in 0..DRAWS_PER_BIT * self.bits {
            let pair = [self.candidate()?, self.candidate()?];
            let passed = self.pass(&pair)?;
            for (candidate, passed) in pair.into_iter().zip(passed) {
                if passed && self.is_prime(&candidate.number)? {
                    return Ok(candidate.number);
                }
            }
        }
        Err(REFUSED)
    }

    /// A random odd number that no small prime divides.
    fn candidate(&self) -> Result<Candidate, EngineError> {
        loop {
            let drawn = Secret::build(self.bits.div_ceil(8), |room| {
                loop {
                    random::fill(room)?;
                    shape(room, self.bits);
                    if self.sieve.passes(room) {
                        return Ok::<_, EngineError>(());
                    }
                }
            })?;
            let number = drawn.expose(Bignum::from_bytes)?;
            let less_one = number.less_one()?;
            // The exponent must have an inverse: it shares no divisor with the prime less 1.
            if common_divisor(self.exponent, less_one.remainder(self.exponent)?) == 1 {
                let prepared = self.arithmetic.prepared(&number)?;
                return Ok(Candidate { number, less_one, prepared });
            }
        }
    }

    /// Fermat's test, which every prime passes: a^(p - 1) is 1 modulo p.
    fn pass(&self, [first, second]: &[Candidate; 2]) -> Result<[bool; 2], EngineError> {
        let results = self.arithmetic.two_powers(
            &self.base,
            [&first.less_one, &second.less_one],
            [&first.number, &second.number],
            [&first.prepared, &second.prepared],
        )?;
        Ok(results.map(|power| power.is_one()))
    }

    /// The library's test, with as many rounds as FIPS 186-5, table B.1, asks for and more.
    fn is_prime(&self, number: &Bignum) -> Result<bool, EngineError> {
        let _inside = gate::enter();
        self.arithmetic.is_prime(number)
    }

    /// The key of two primes; none if they are too near each other, or the private exponent is
    /// too small (FIPS 186-5, A.1.1 and A.1.3).
    fn key(&self, one: Bignum, other: Bignum) -> Result<Option<Owned<lc::RSA>>, EngineError> {
        let (larger, smaller) = if one.is_less_than(&other) { (other, one) } else { (one, other) };
        if (larger.less(&smaller)?.bits() as usize) < self.bits.saturating_sub(99) {
            return Ok(None);
        }
        let arithmetic = &self.arithmetic;
        let (first, second) = (larger.less_one()?, smaller.less_one()?);
        let common = arithmetic.common_divisor(&first, &second)?;
        let (share, _) = arithmetic.divided(&first, &common)?;
        let private = self.inverse(&arithmetic.product(&share, &second)?)?;
        if private.bits() as usize <= self.bits {
            return Ok(None);
        }
        // Fermat again: q^(p - 2) is the inverse of q.
        let coefficient = arithmetic.power(&smaller, &first.less_one()?, &larger)?;
        let (exponent1, exponent2) = (self.inverse(&first)?, self.inverse(&second)?);
        let numbers = Numbers {
            modulus: arithmetic.product(&larger, &smaller)?,
            exponent: Bignum::from_word(self.exponent)?,
            private,
            prime1: larger,
            prime2: smaller,
        };
        library_key(&numbers, [&exponent1, &exponent2, &coefficient]).map(Some)
    }

    /// The inverse of the exponent modulo a multiple of what both primes less 1 share: with k so
    /// that k m + 1 is divisible by e, that is (k m + 1) / e. Only the remainder of the secret by
    /// the small exponent is calculated with in steps that depend on it.
    fn inverse(&self, modulus: &Bignum) -> Result<Bignum, EngineError> {
        let remainder = modulus.remainder(self.exponent)?;
        let exponent = Bignum::from_word(self.exponent)?;
        let inverse = self.arithmetic.inverse(&Bignum::from_word(remainder)?, &exponent)?;
        let multiple = exponent.less(&inverse.ok_or(REFUSED)?)?;
        let product = self.arithmetic.product(&multiple, modulus)?;
        let (quotient, rest) = self.arithmetic.divided(&product.plus_one()?, &exponent)?;
        if rest.is_zero() { Ok(quotient) } else { Err(failed(REFUSED)) }
    }
}

/// Makes random bytes an odd number of exactly so many bits, at least three, the two highest set:
/// the product of two such numbers has exactly twice as many.
fn shape(bytes: &mut [u8], bits: usize) {
    let (len, spare) = (bytes.len(), bytes.len() * 8 - bits);
    let mut set = |bit: usize, mask: u8| {
        let byte = len.checked_sub(1 + bit / 8).and_then(|place| bytes.get_mut(place));
        byte.into_iter().for_each(|byte| *byte |= mask);
    };
    set(0, 1);
    for bit in [bits - 1, bits - 2] {
        set(bit, 1 << (bit % 8));
    }
    for (place, byte) in bytes.iter_mut().enumerate().take(spare.div_ceil(8)) {
        *byte &= match spare - place * 8 {
            part @ 0..8 => 0xff >> part,
            _ => 0,
        };
    }
}

/// Euclid's algorithm.
fn common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { common_divisor(right, left % right) }
}

/// Trial division, by multiplications alone: what becomes of a prime takes the same time as any
/// other.
struct Sieve {
    /// A prime, and 2^64 divided by it, rounded up.
    primes: Vec<(u64, u64)>,
    /// Of each prime in turn, what the powers of 2^32 leave, from the lowest on.
    powers: Vec<u32>,
    limbs: usize,
}

impl Sieve {
    fn new(limbs: usize) -> Self {
        let is_prime = |number: &u64| {
            (3_u64..).take_while(|d| d * d <= *number).all(|d| !number.is_multiple_of(d))
        };
        let primes: Vec<_> = (3..SIEVE).step_by(2).filter(is_prime).collect();
        let powers = primes.iter().flat_map(|prime| {
            let next = move |power: &u64| Some((power << 32) % prime);
            let powers = std::iter::successors(Some(1_u64), next);
            powers.take(limbs).map(|power| power as u32)
        });
        let powers = powers.collect();
        let primes = primes.into_iter().map(|prime| (prime, u64::MAX / prime + 1)).collect();
        Self { primes, powers, limbs }
    }

    /// Whether none of the primes divides the number.
    fn passes(&self, number: &[u8]) -> bool {
        let lines = self.primes.iter().zip(self.powers.chunks_exact(self.limbs));
        lines.into_iter().all(|((prime, reciprocal), powers)| {
            let limbs = number
                .rchunks(4)
                .map(|limb| limb.iter().fold(0_u64, |limb, byte| limb << 8 | u64::from(*byte)));
            // At most 128 terms of 44 bits, and the reciprocal is wrong by less than 12 bits.
            let sum: u64 = limbs.zip(powers).map(|(limb, power)| limb * u64::from(*power)).sum();
            let quotient = (u128::from(sum) * u128::from(*reciprocal)) >> 64;
            sum != quotient as u64 * prime
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Sieve, shape};

    #[test]
    fn the_sieve_finds_what_small_primes_divide() {
        let sieve = Sieve::new(8);
        assert_eq!(sieve.primes.len(), 563);
        let mut number = [0; 32];
        for (start, step) in [(4099_u128, 2_u128), (u128::MAX / 3, 7)] {
            for index in 0..3000 {
                let value = start + index * step;
                number[16..].copy_from_slice(&value.to_be_bytes());
                let divisible =
                    sieve.primes.iter().any(|(prime, _)| value % u128::from(*prime) == 0);
                assert_eq!(sieve.passes(&number), !divisible, "{value}");
            }
        }
        // The largest sums there are.
        assert!(!sieve.passes(&[0xff; 32]), "3 divides it");
        let largest = Sieve::new(128);
        assert!(!largest.passes(&[0xff; 512]), "as before");
    }

    #[test]
    fn candidates_have_exactly_their_bits() {
        for bits in [513, 516, 519, 520, 1023, 1024] {
            for filling in [0, 0xff] {
                let mut bytes = vec![filling; bits_to_bytes(bits) + 1];
                shape(&mut bytes, bits);
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                let top = bytes[zeros];
                assert_eq!((bytes.len() - zeros) * 8 - top.leading_zeros() as usize, bits);
                let second = bytes.len() - 1 - (bits - 2) / 8;
                assert_eq!(bytes[second] >> ((bits - 2) % 8) & 1, 1, "{bits}");
                assert_eq!(bytes.last().map(|last| last & 1), Some(1));
            }
        }
    }

    fn bits_to_bytes(bits: usize) -> usize {
        bits.div_ceil(8)
    }
}
