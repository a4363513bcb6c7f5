//! Big numbers: bytes to numbers and back, and the little arithmetic that the import of an
//! incomplete RSA key needs.

use std::ffi::c_int;
use std::ptr;

use aws_lc_sys as lc;

use super::{EngineError, Owned, check, failed};
use crate::secret::Secret;

pub(super) type Bignum = Owned<lc::BIGNUM>;

const NO_ROOM: EngineError = EngineError::Memory;

impl Bignum {
    /// Zero.
    pub(super) fn zero() -> Result<Self, EngineError> {
        // SAFETY: the library's own constructor.
        unsafe { Self::fresh(lc::BN_new) }
    }

    /// From big-endian bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        // SAFETY: the bytes are readable for their length; null asks for a new number.
        let number = unsafe { lc::BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()) };
        // SAFETY: a fresh object or null.
        unsafe { Self::new(number) }
    }

    /// From a small value.
    pub(super) fn from_word(value: u64) -> Result<Self, EngineError> {
        Self::from_bytes(&value.to_be_bytes())
    }

    /// Number of significant bits.
    pub(super) fn bits(&self) -> u32 {
        // SAFETY: reads a live number.
        unsafe { lc::BN_num_bits(self.as_ptr()) }
    }

    pub(super) fn is_one(&self) -> bool {
        // SAFETY: reads a live number.
        unsafe { lc::BN_is_one(self.as_ptr()) == 1 }
    }

    pub(super) fn is_odd(&self) -> bool {
        // SAFETY: reads a live number.
        unsafe { lc::BN_is_odd(self.as_ptr()) == 1 }
    }

    pub(super) fn is_zero(&self) -> bool {
        // SAFETY: reads a live number.
        unsafe { lc::BN_is_zero(self.as_ptr()) == 1 }
    }

    pub(super) fn is_less_than(&self, other: &Self) -> bool {
        // SAFETY: reads two live numbers.
        unsafe { lc::BN_cmp(self.as_ptr(), other.as_ptr()) < 0 }
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        // SAFETY: reads two live numbers.
        unsafe { lc::BN_cmp(self.as_ptr(), other.as_ptr()) == 0 }
    }

    /// The number less one.
    pub(super) fn less_one(&self) -> Result<Self, EngineError> {
        self.less(&Self::from_word(1)?)
    }

    /// The number less another one, which is not larger.
    pub(super) fn less(&self, other: &Self) -> Result<Self, EngineError> {
        let result = Self::zero()?;
        // SAFETY: three live numbers.
        check(unsafe { lc::BN_sub(result.as_ptr(), self.as_ptr(), other.as_ptr()) }, NO_ROOM)?;
        Ok(result)
    }

    /// The number and one.
    pub(super) fn plus_one(self) -> Result<Self, EngineError> {
        // SAFETY: a live number that is ours.
        check(unsafe { lc::BN_add_word(self.as_ptr(), 1) }, NO_ROOM)?;
        Ok(self)
    }

    /// What division by a small number, not zero, leaves.
    pub(super) fn remainder(&self, divisor: u64) -> Result<u64, EngineError> {
        // SAFETY: reads a live number.
        match unsafe { lc::BN_mod_word(self.as_ptr(), divisor) } {
            lc::BN_ULONG::MAX => Err(failed(EngineError::Failed("division"))),
            rest => Ok(rest),
        }
    }

    /// How many zero bits the number ends with; 0 for zero.
    pub(super) fn trailing_zeros(&self) -> c_int {
        // SAFETY: reads a live number.
        unsafe { lc::BN_count_low_zero_bits(self.as_ptr()) }
    }

    pub(super) fn shifted_right(&self, bits: c_int) -> Result<Self, EngineError> {
        let result = Self::zero()?;
        // SAFETY: two live numbers; a negative count is refused by the library.
        check(unsafe { lc::BN_rshift(result.as_ptr(), self.as_ptr(), bits) }, NO_ROOM)?;
        Ok(result)
    }
}

/// The number's bytes, big endian, without leading zeros.
///
/// # Safety
/// `number` is null or live.
pub(super) unsafe fn public_bytes(number: *const lc::BIGNUM) -> Result<Vec<u8>, EngineError> {
    // SAFETY: as this function's caller promises.
    let len = unsafe { len_of(number) };
    let mut bytes = vec![0; len];
    // SAFETY: as this function's caller promises.
    unsafe { write_padded(number, &mut bytes) }?;
    Ok(bytes)
}

/// The number's bytes as a secret, big endian, without leading zeros; none if there is none.
///
/// # Safety
/// `number` is null or live.
pub(super) unsafe fn secret_bytes(
    number: *const lc::BIGNUM,
) -> Result<Option<Secret>, EngineError> {
    if number.is_null() {
        return Ok(None);
    }
    // SAFETY: as this function's caller promises.
    let len = unsafe { len_of(number) };
    // SAFETY: as this function's caller promises.
    Secret::build(len, |out| unsafe { write_padded(number, out) }).map(Some)
}

/// # Safety
/// `number` is null or live.
unsafe fn len_of(number: *const lc::BIGNUM) -> usize {
    if number.is_null() {
        return 0;
    }
    // SAFETY: live, as this function's caller promises.
    unsafe { lc::BN_num_bytes(number) as usize }
}

/// Fills `out` with the number, big endian, zeros in front. `Length` if it does not fit.
///
/// # Safety
/// `number` is null or live.
pub(super) unsafe fn write_padded(
    number: *const lc::BIGNUM,
    out: &mut [u8],
) -> Result<(), EngineError> {
    if number.is_null() {
        return if out.is_empty() { Ok(()) } else { Err(EngineError::Length) };
    }
    // SAFETY: the number is live, and `out` is writable for its length.
    let done = unsafe { lc::BN_bn2bin_padded(out.as_mut_ptr(), out.len(), number) };
    check(done, EngineError::Length)
}

/// Scratch space for arithmetic. Only `power` takes the same time for all exponents; the other
/// operations run once in a key's life, at its import, where no stranger measures them often.
pub(super) struct Arithmetic(Owned<lc::BN_CTX>);

impl Arithmetic {
    pub(super) fn new() -> Result<Self, EngineError> {
        // SAFETY: the library's own constructor.
        unsafe { Owned::fresh(lc::BN_CTX_new) }.map(Self)
    }

    pub(super) fn product(&self, left: &Bignum, right: &Bignum) -> Result<Bignum, EngineError> {
        let out = Bignum::zero()?;
        // SAFETY: live objects.
        let done =
            unsafe { lc::BN_mul(out.as_ptr(), left.as_ptr(), right.as_ptr(), self.0.as_ptr()) };
        check(done, NO_ROOM)?;
        Ok(out)
    }

    /// Quotient and remainder; `Failed` for a zero divisor.
    pub(super) fn divided(
        &self,
        number: &Bignum,
        divisor: &Bignum,
    ) -> Result<(Bignum, Bignum), EngineError> {
        let (quotient, remainder) = (Bignum::zero()?, Bignum::zero()?);
        // SAFETY: live objects; the library refuses a zero divisor.
        let done = unsafe {
            lc::BN_div(
                quotient.as_ptr(),
                remainder.as_ptr(),
                number.as_ptr(),
                divisor.as_ptr(),
                self.0.as_ptr(),
            )
        };
        check(done, EngineError::Failed("division"))?;
        Ok((quotient, remainder))
    }

    pub(super) fn common_divisor(
        &self,
        left: &Bignum,
        right: &Bignum,
    ) -> Result<Bignum, EngineError> {
        let out = Bignum::zero()?;
        // SAFETY: live objects.
        let done =
            unsafe { lc::BN_gcd(out.as_ptr(), left.as_ptr(), right.as_ptr(), self.0.as_ptr()) };
        check(done, NO_ROOM)?;
        Ok(out)
    }

    /// The inverse modulo `modulus`, if there is one.
    pub(super) fn inverse(
        &self,
        number: &Bignum,
        modulus: &Bignum,
    ) -> Result<Option<Bignum>, EngineError> {
        let out = Bignum::zero()?;
        // SAFETY: live objects; the result goes to the first, which the call gives back.
        let found = unsafe {
            lc::BN_mod_inverse(out.as_ptr(), number.as_ptr(), modulus.as_ptr(), self.0.as_ptr())
        };
        if found.is_null() {
            let _ = failed(EngineError::Failed("no inverse"));
            return Ok(None);
        }
        Ok(Some(out))
    }

    /// `base` to the power of `exponent` modulo an odd `modulus`; `base` is below `modulus`.
    pub(super) fn power(
        &self,
        base: &Bignum,
        exponent: &Bignum,
        modulus: &Bignum,
    ) -> Result<Bignum, EngineError> {
        let out = Bignum::zero()?;
        // SAFETY: live objects; null lets the library prepare the modulus itself.
        let done = unsafe {
            lc::BN_mod_exp_mont_consttime(
                out.as_ptr(),
                base.as_ptr(),
                exponent.as_ptr(),
                modulus.as_ptr(),
                self.0.as_ptr(),
                ptr::null(),
            )
        };
        check(done, EngineError::Key("RSA modulus"))?;
        Ok(out)
    }

    /// What a modulus needs for powers: an odd one, which is a secret.
    pub(super) fn prepared(&self, modulus: &Bignum) -> Result<Owned<lc::BN_MONT_CTX>, EngineError> {
        // SAFETY: live objects. A fresh object or null.
        let object = unsafe { lc::BN_MONT_CTX_new_consttime(modulus.as_ptr(), self.0.as_ptr()) };
        // SAFETY: as above.
        unsafe { Owned::new(object) }
    }

    /// Two powers of one base, each modulo a number of its own that was `prepared`, in little more
    /// time than one. The base is below both.
    pub(super) fn two_powers(
        &self,
        base: &Bignum,
        [exponent1, exponent2]: [&Bignum; 2],
        [modulus1, modulus2]: [&Bignum; 2],
        [prepared1, prepared2]: [&Owned<lc::BN_MONT_CTX>; 2],
    ) -> Result<[Bignum; 2], EngineError> {
        let (first, second) = (Bignum::zero()?, Bignum::zero()?);
        // SAFETY: live objects; the contexts are those of the moduli.
        let done = unsafe {
            lc::BN_mod_exp_mont_consttime_x2(
                first.as_ptr(),
                base.as_ptr(),
                exponent1.as_ptr(),
                modulus1.as_ptr(),
                prepared1.as_ptr(),
                second.as_ptr(),
                base.as_ptr(),
                exponent2.as_ptr(),
                modulus2.as_ptr(),
                prepared2.as_ptr(),
                self.0.as_ptr(),
            )
        };
        check(done, EngineError::Failed("two powers"))?;
        Ok([first, second])
    }

    /// Whether a random number is a prime, but for a chance that is lower than that of a guess.
    pub(super) fn is_prime(&self, number: &Bignum) -> Result<bool, EngineError> {
        let mut prime = 0;
        // SAFETY: live objects; no callback.
        let done = unsafe {
            lc::BN_primality_test(
                &raw mut prime,
                number.as_ptr(),
                lc::BN_prime_checks_for_generation as c_int,
                self.0.as_ptr(),
                1,
                ptr::null_mut(),
            )
        };
        check(done, EngineError::Failed("primality"))?;
        Ok(prime == 1)
    }
}
