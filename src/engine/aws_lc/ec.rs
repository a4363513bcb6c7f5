//! Curves over prime fields in Weierstrass form: keys, ECDSA (FIPS 186-5), ECDH (SP 800-56A).
//! The NIST curves, secp256k1 (SEC 2) and the Brainpool curves (RFC 5639).
//!
//! Signatures are r || s, each as long as the field; points are as in SEC 1, section 2.3.3.
//! Keys are parsed once and may be used by many threads at once.

use std::ptr;

use aws_lc_sys as lc;

use super::bignum::{Arithmetic, Bignum, public_bytes, write_padded};
use super::{EngineError, Owned, check, failed, gate, initialise};
use crate::engine::random;
use crate::secret::Secret;

/// A curve that is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Curve {
    P224,
    P256,
    P384,
    P521,
    Secp256k1,
    Brainpool256,
    Brainpool384,
    Brainpool512,
}

impl Curve {
    /// Bytes of a coordinate, of a scalar and of half a signature: on these curves one number.
    pub(crate) const fn field_len(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 | Self::Secp256k1 | Self::Brainpool256 => 32,
            Self::P384 | Self::Brainpool384 => 48,
            Self::Brainpool512 => 64,
            Self::P521 => 66,
        }
    }

    /// Bits of the field.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Self::P521 => 521,
            other => 8 * other.field_len(),
        }
    }

    /// Bytes of a signature.
    pub(crate) const fn signature_len(self) -> usize {
        2 * self.field_len()
    }

    /// Bytes of an uncompressed point.
    pub(crate) const fn point_len(self) -> usize {
        1 + 2 * self.field_len()
    }

    fn group(self) -> *const lc::EC_GROUP {
        match self {
            // SAFETY: gives the address of a static.
            Self::P224 => unsafe { lc::EC_group_p224() },
            // SAFETY: as above.
            Self::P256 => unsafe { lc::EC_group_p256() },
            // SAFETY: as above.
            Self::P384 => unsafe { lc::EC_group_p384() },
            // SAFETY: as above.
            Self::P521 => unsafe { lc::EC_group_p521() },
            // SAFETY: as above.
            Self::Secp256k1 => unsafe { lc::EC_group_secp256k1() },
            // SAFETY: as above.
            Self::Brainpool256 => unsafe { lc::EC_group_brainpoolP256r1() },
            // SAFETY: as above.
            Self::Brainpool384 => unsafe { lc::EC_group_brainpoolP384r1() },
            // SAFETY: as above.
            Self::Brainpool512 => unsafe { lc::EC_group_brainpoolP512r1() },
        }
    }
}

/// A parsed private key and its public point.
pub(crate) struct EcPrivate {
    key: Owned<lc::EC_KEY>,
    curve: Curve,
}

impl EcPrivate {
    /// Makes a key. Takes the library's own randomness.
    pub(crate) fn generate(curve: Curve) -> Result<Self, EngineError> {
        let key = empty_key(curve)?;
        let _inside = gate::enter();
        // SAFETY: a live key with its group.
        let done = unsafe { lc::EC_KEY_generate_key(key.as_ptr()) };
        check(done, EngineError::Failed("EC key generation"))?;
        Ok(Self { key, curve })
    }

    /// As `generate`, from at least 64 random bits more than the order has (FIPS 186-4, B.4.1;
    /// FIPS 186-5, A.2.1).
    pub(crate) fn generate_with_extra_bits(curve: Curve) -> Result<Self, EngineError> {
        initialise()?;
        // SAFETY: gives the group's own number.
        let order = unsafe { lc::EC_GROUP_get0_order(curve.group()) };
        // SAFETY: a static's number.
        let order = Bignum::from_bytes(&unsafe { public_bytes(order) }?)?;
        let drawn = random::secret((order.bits() as usize + 64).div_ceil(8))?;
        let drawn = drawn.expose(Bignum::from_bytes)?;
        let (_, rest) = Arithmetic::new()?.divided(&drawn, &order.less_one()?)?;
        let number = rest.plus_one()?;
        let scalar = Secret::build(curve.field_len(), |out| {
            // SAFETY: a live number.
            unsafe { write_padded(number.as_ptr(), out) }
        })?;
        Self::from_scalar(curve, &scalar)
    }

    /// Parses a scalar, big endian, from 1 to the order less 1, and computes its point. Zeros
    /// in front may be missing or in excess.
    pub(crate) fn from_scalar(curve: Curve, scalar: &Secret) -> Result<Self, EngineError> {
        let refused = EngineError::Key("EC private key out of range");
        let key = empty_key(curve)?;
        let number = scalar.expose(|bytes| {
            let excess = bytes.len().saturating_sub(curve.field_len());
            let (front, scalar) = bytes.split_at_checked(excess).ok_or(refused)?;
            if front.iter().fold(0, |all, byte| all | byte) != 0 {
                return Err(refused);
            }
            Bignum::from_bytes(scalar)
        })?;
        // SAFETY: live objects; the library copies the number and checks its range.
        check(unsafe { lc::EC_KEY_set_private_key(key.as_ptr(), number.as_ptr()) }, refused)?;
        let point = empty_point(curve)?;
        // SAFETY: live objects of one group; null leaves the second product out.
        let done = unsafe {
            lc::EC_POINT_mul(
                curve.group(),
                point.as_ptr(),
                number.as_ptr(),
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
            )
        };
        check(done, EngineError::Failed("EC public key computation"))?;
        // SAFETY: live objects of one group; the library copies the point.
        check(unsafe { lc::EC_KEY_set_public_key(key.as_ptr(), point.as_ptr()) }, refused)?;
        Ok(Self { key, curve })
    }

    pub(crate) const fn curve(&self) -> Curve {
        self.curve
    }

    /// The scalar, as long as the field.
    pub(crate) fn scalar(&self) -> Result<Secret, EngineError> {
        // SAFETY: gives the key's own number.
        let number = unsafe { lc::EC_KEY_get0_private_key(self.key.as_ptr()) };
        Secret::build(self.curve.field_len(), |out| {
            // SAFETY: null or alive as long as the key, which nobody changes.
            unsafe { write_padded(number, out) }
        })
    }

    /// The public point, uncompressed.
    pub(crate) fn public_point(&self) -> Result<Vec<u8>, EngineError> {
        encoded_point(self.curve, &self.key)
    }

    /// The public half.
    #[cfg(test)]
    pub(crate) fn public(&self) -> Result<EcPublic, EngineError> {
        EcPublic::from_point(self.curve, &self.public_point()?)
    }

    /// Signs a digest: the leftmost bits of one that is longer than the order count. Writes
    /// r || s and gives its length.
    pub(crate) fn sign(&self, digest: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..self.curve.signature_len()).ok_or(EngineError::Length)?;
        let halves = out.split_at_mut_checked(self.curve.field_len());
        let (r, s) = halves.ok_or(EngineError::Length)?;
        let _inside = gate::enter();
        // SAFETY: a live key and a readable digest. A fresh object or null.
        let signature =
            unsafe { lc::ECDSA_do_sign(digest.as_ptr(), digest.len(), self.key.as_ptr()) };
        // SAFETY: as above.
        let signature = unsafe { Owned::or(signature, EngineError::Failed("ECDSA signature")) }?;
        // SAFETY: gives the signature's own number.
        let number = unsafe { lc::ECDSA_SIG_get0_r(signature.as_ptr()) };
        // SAFETY: alive as long as the signature.
        unsafe { write_padded(number, r) }?;
        // SAFETY: as above.
        let number = unsafe { lc::ECDSA_SIG_get0_s(signature.as_ptr()) };
        // SAFETY: as above.
        unsafe { write_padded(number, s) }?;
        Ok(self.curve.signature_len())
    }

    /// The x coordinate of the product with the peer's point, as long as the field. `Key` if
    /// the peer's bytes are no point of this curve.
    pub(crate) fn derive(&self, peer_point: &[u8]) -> Result<Secret, EngineError> {
        let point = decoded_point(self.curve, peer_point)?;
        Secret::build(self.curve.field_len(), |out| {
            // SAFETY: live objects; the output is writable for its length; no derivation.
            let written = unsafe {
                lc::ECDH_compute_key(
                    out.as_mut_ptr().cast(),
                    out.len(),
                    point.as_ptr(),
                    self.key.as_ptr(),
                    None,
                )
            };
            match usize::try_from(written) {
                Ok(written) if written == out.len() => Ok(()),
                _ => Err(failed(EngineError::Failed("ECDH"))),
            }
        })
    }
}

/// A parsed public key.
pub(crate) struct EcPublic {
    key: Owned<lc::EC_KEY>,
    curve: Curve,
}

impl EcPublic {
    /// Parses a compressed or uncompressed point, which lies on the curve and is not infinity.
    pub(crate) fn from_point(curve: Curve, point: &[u8]) -> Result<Self, EngineError> {
        let key = empty_key(curve)?;
        let point = decoded_point(curve, point)?;
        // SAFETY: live objects of one group; the library copies the point.
        let done = unsafe { lc::EC_KEY_set_public_key(key.as_ptr(), point.as_ptr()) };
        check(done, EngineError::Key("EC public key"))?;
        Ok(Self { key, curve })
    }

    pub(crate) const fn curve(&self) -> Curve {
        self.curve
    }

    /// The point, uncompressed.
    pub(crate) fn point(&self) -> Result<Vec<u8>, EngineError> {
        encoded_point(self.curve, &self.key)
    }

    /// Checks r || s; shorter halves count as having zeros in front. `Length` if the signature
    /// is empty, odd or too long, else `Verify` for whatever does not fit.
    pub(crate) fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), EngineError> {
        let len = signature.len();
        if len == 0 || !len.is_multiple_of(2) || len > self.curve.signature_len() {
            return Err(EngineError::Length);
        }
        let (r, s) = signature.split_at_checked(len / 2).ok_or(EngineError::Length)?;
        let (r, s) = (Bignum::from_bytes(r)?, Bignum::from_bytes(s)?);
        // SAFETY: the library's own constructor.
        let signature = unsafe { Owned::fresh(lc::ECDSA_SIG_new) }?;
        // SAFETY: live objects; the signature takes both numbers over, which cannot fail for
        // numbers that are there.
        let done = unsafe { lc::ECDSA_SIG_set0(signature.as_ptr(), r.release(), s.release()) };
        check(done, EngineError::Failed("ECDSA signature"))?;
        // SAFETY: live objects and a readable digest.
        let done = unsafe {
            lc::ECDSA_do_verify(
                digest.as_ptr(),
                digest.len(),
                signature.as_ptr(),
                self.key.as_ptr(),
            )
        };
        check(done, EngineError::Verify)
    }
}

fn empty_key(curve: Curve) -> Result<Owned<lc::EC_KEY>, EngineError> {
    initialise()?;
    // SAFETY: the library's own constructor.
    let key = unsafe { Owned::fresh(lc::EC_KEY_new) }?;
    // SAFETY: a live key without a group; groups are statics.
    let done = unsafe { lc::EC_KEY_set_group(key.as_ptr(), curve.group()) };
    check(done, EngineError::Memory)?;
    Ok(key)
}

fn empty_point(curve: Curve) -> Result<Owned<lc::EC_POINT>, EngineError> {
    // SAFETY: groups are statics. A fresh object or null.
    let point = unsafe { lc::EC_POINT_new(curve.group()) };
    // SAFETY: as above.
    unsafe { Owned::new(point) }
}

/// Checks that bytes are a point of the curve and gives them uncompressed.
pub(crate) fn uncompressed(curve: Curve, bytes: &[u8]) -> Result<Vec<u8>, EngineError> {
    let point = decoded_point(curve, bytes)?;
    match bytes {
        // There is one such form of a point, and writing it would cost an inversion in the field.
        [4, ..] => Ok(bytes.to_vec()),
        // SAFETY: a live point of the curve.
        _ => unsafe { encoded(curve, point.as_ptr()) },
    }
}

/// The form is looked at here: the library also takes infinity and the hybrid form.
fn decoded_point(curve: Curve, bytes: &[u8]) -> Result<Owned<lc::EC_POINT>, EngineError> {
    let compressed = 1 + curve.field_len();
    let fits = match bytes.first() {
        Some(4) => bytes.len() == curve.point_len(),
        Some(2 | 3) => bytes.len() == compressed,
        _ => false,
    };
    if !fits {
        return Err(EngineError::Key("the bytes are no EC point of this curve's length"));
    }
    initialise()?;
    let point = empty_point(curve)?;
    // SAFETY: live objects of one group, and readable bytes; null lets the library make its
    // own scratch space.
    let done = unsafe {
        lc::EC_POINT_oct2point(
            curve.group(),
            point.as_ptr(),
            bytes.as_ptr(),
            bytes.len(),
            ptr::null_mut(),
        )
    };
    check(done, EngineError::Key("the EC point is not on the curve"))?;
    Ok(point)
}

fn encoded_point(curve: Curve, key: &Owned<lc::EC_KEY>) -> Result<Vec<u8>, EngineError> {
    // SAFETY: gives the key's own point.
    let point = unsafe { lc::EC_KEY_get0_public_key(key.as_ptr()) };
    // SAFETY: the point is alive as long as the key.
    unsafe { encoded(curve, point) }
}

/// # Safety
/// `point` is a live point of the curve.
unsafe fn encoded(curve: Curve, point: *const lc::EC_POINT) -> Result<Vec<u8>, EngineError> {
    let mut bytes = vec![0; curve.point_len()];
    // SAFETY: this function's own contract; the output is writable for its length.
    let written = unsafe {
        lc::EC_POINT_point2oct(
            curve.group(),
            point,
            lc::point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED,
            bytes.as_mut_ptr(),
            bytes.len(),
            ptr::null_mut(),
        )
    };
    match written == bytes.len() {
        true => Ok(bytes),
        false => Err(failed(EngineError::Failed("EC point encoding"))),
    }
}
