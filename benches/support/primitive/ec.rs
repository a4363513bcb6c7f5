//! ECDSA and key agreement of AWS-LC.

#![allow(unsafe_code)]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one operation of the library, in steps")]

use super::{Owned, done};
use crate::support::module::Outcome;
use aws_lc_sys as lc;
use std::ptr::{null, null_mut};

/// A pair.
pub(crate) struct Ec(Owned<lc::EC_KEY>);

impl Ec {
    /// A new pair on the curve of this number.
    pub(crate) fn new(curve: i32) -> Outcome<Self> {
        // SAFETY: the library's own constructor.
        let key = unsafe { lc::EC_KEY_new_by_curve_name(curve) };
        let key = Owned::new("an EC key", key, lc::EC_KEY_free)?;
        // SAFETY: a live key with its group.
        done("a bare EC key", unsafe { lc::EC_KEY_generate_key(key.get()) }).map(|()| Self(key))
    }

    /// Computes the public point anew, and says whether it is the same (SP 800-56A Rev. 3, section
    /// 5.6.2.1.4).
    pub(crate) fn check(&self) -> Outcome<()> {
        // SAFETY: the live key's own parts, and a fresh point that is freed below; null leaves a
        // product out and lets the library make its own scratch space.
        let same = unsafe {
            let group = lc::EC_KEY_get0_group(self.0.get());
            let scalar = lc::EC_KEY_get0_private_key(self.0.get());
            let point = lc::EC_POINT_new(group);
            let made = lc::EC_POINT_mul(group, point, scalar, null(), null(), null_mut());
            let own = lc::EC_KEY_get0_public_key(self.0.get());
            let differs = lc::EC_POINT_cmp(group, point, own, null_mut());
            lc::EC_POINT_free(point);
            made & i32::from(differs == 0)
        };
        done("a bare check", same)
    }

    /// The length of the signature, which is in DER.
    pub(crate) fn sign(&self, digest: &[u8], room: &mut [u8; 160]) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: the live key, a readable digest, room for the longest signature.
        let status = unsafe {
            lc::ECDSA_sign(
                0,
                digest.as_ptr(),
                digest.len(),
                room.as_mut_ptr(),
                &raw mut len,
                self.0.get(),
            )
        };
        done("a bare signature", status).map(|()| len as usize)
    }

    pub(crate) fn verify(&self, digest: &[u8], signature: &[u8]) -> Outcome<()> {
        // SAFETY: the live key, readable slices.
        let status = unsafe {
            lc::ECDSA_verify(
                0,
                digest.as_ptr(),
                digest.len(),
                signature.as_ptr(),
                signature.len(),
                self.0.get(),
            )
        };
        done("a bare verification", status)
    }

    /// The x coordinate of the product with the peer's point, which is parsed first.
    pub(crate) fn agree(&self, peer: &[u8], room: &mut [u8; 32]) -> Outcome<()> {
        // SAFETY: a fresh point that is freed below, the live key and its group, slices with their
        // lengths; no derivation.
        let status = unsafe {
            let group = lc::EC_KEY_get0_group(self.0.get());
            let point = lc::EC_POINT_new(group);
            let parsed =
                lc::EC_POINT_oct2point(group, point, peer.as_ptr(), peer.len(), null_mut());
            let written = lc::ECDH_compute_key(
                room.as_mut_ptr().cast(),
                room.len(),
                point,
                self.0.get(),
                None,
            );
            lc::EC_POINT_free(point);
            parsed & i32::from(written == 32)
        };
        done("a bare agreement", status)
    }
}

/// X25519 with a scalar and a peer's public key.
pub(crate) fn x25519(scalar: &[u8; 32], peer: &[u8; 32], room: &mut [u8; 32]) -> Outcome<()> {
    // SAFETY: arrays of the lengths that the function wants.
    done("bare X25519", unsafe { lc::X25519(room.as_mut_ptr(), scalar.as_ptr(), peer.as_ptr()) })
}

/// The public key of an X25519 scalar.
pub(crate) fn x25519_public(scalar: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    // SAFETY: as above.
    unsafe { lc::X25519_public_from_private(public.as_mut_ptr(), scalar.as_ptr()) };
    public
}
