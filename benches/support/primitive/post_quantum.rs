//! ML-DSA-65 and ML-KEM-768 of AWS-LC, ML-KEM-768 of libcrux, SLH-DSA of its crate.

#![allow(unsafe_code)]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one operation of the library, in steps")]

use super::{Owned, done};
use crate::support::module::Outcome;
use aws_lc_sys as lc;
#[cfg(target_arch = "x86_64")]
use libcrux_ml_kem::mlkem768::{
    MlKem768Ciphertext,
    avx2::unpacked::{self, MlKem768KeyPairUnpacked, MlKem768PublicKeyUnpacked},
};
use slh_dsa::{Sha2_128f, SigningKey};
use std::hint::black_box;
use std::ptr::null_mut;

type Key = Owned<lc::EVP_PKEY>;

/// A pair that signs.
pub(crate) struct MlDsa65(Key);

impl MlDsa65 {
    pub(crate) fn new() -> Outcome<Self> {
        let seed = [7; 32];
        // SAFETY: a readable array of the length that is told.
        let key = unsafe {
            lc::EVP_PKEY_pqdsa_new_raw_private_key(lc::NID_MLDSA65, seed.as_ptr(), seed.len())
        };
        Ok(Self(Owned::new("an ML-DSA key", key, lc::EVP_PKEY_free)?))
    }

    /// The length of the signature.
    pub(crate) fn sign(&self, message: &[u8], room: &mut [u8]) -> Outcome<usize> {
        let mut len = room.len();
        // SAFETY: a fresh object that is freed below, the live key, slices with their lengths.
        let status = unsafe {
            let context = lc::EVP_MD_CTX_new();
            let begun =
                lc::EVP_DigestSignInit(context, null_mut(), null_mut(), null_mut(), self.0.get());
            let signed = lc::EVP_DigestSign(
                context,
                room.as_mut_ptr(),
                &raw mut len,
                message.as_ptr(),
                message.len(),
            );
            lc::EVP_MD_CTX_free(context);
            begun & signed
        };
        done("a bare signature", status).map(|()| len)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Outcome<()> {
        // SAFETY: as above.
        let status = unsafe {
            let context = lc::EVP_MD_CTX_new();
            let begun =
                lc::EVP_DigestVerifyInit(context, null_mut(), null_mut(), null_mut(), self.0.get());
            let verified = lc::EVP_DigestVerify(
                context,
                signature.as_ptr(),
                signature.len(),
                message.as_ptr(),
                message.len(),
            );
            lc::EVP_MD_CTX_free(context);
            begun & verified
        };
        done("a bare verification", status)
    }
}

/// A pair that encapsulates, which AWS-LC uses.
pub(crate) struct MlKem768(Key);

impl MlKem768 {
    pub(crate) const CIPHERTEXT: usize = 1088;

    pub(crate) fn new() -> Outcome<Self> {
        let mut key = null_mut();
        // SAFETY: a fresh object that is freed below, and a place for the key.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new_id(lc::EVP_PKEY_KEM, null_mut());
            let named = lc::EVP_PKEY_CTX_kem_set_params(context, lc::NID_MLKEM768);
            let begun = lc::EVP_PKEY_keygen_init(context);
            let made = lc::EVP_PKEY_keygen(context, &raw mut key);
            lc::EVP_PKEY_CTX_free(context);
            named & begun & made
        };
        done("an ML-KEM key", status)?;
        Ok(Self(Owned::new("an ML-KEM key", key, lc::EVP_PKEY_free)?))
    }

    /// Writes the ciphertext of a new secret.
    pub(crate) fn encapsulate(&self, room: &mut [u8; Self::CIPHERTEXT]) -> Outcome<()> {
        let mut len = room.len();
        let (mut secret, mut secret_len) = ([0; 32], 32);
        // SAFETY: a fresh object that is freed below, the live key, rooms with their lengths.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new(self.0.get(), null_mut());
            let made = lc::EVP_PKEY_encapsulate(
                context,
                room.as_mut_ptr(),
                &raw mut len,
                secret.as_mut_ptr(),
                &raw mut secret_len,
            );
            lc::EVP_PKEY_CTX_free(context);
            made
        };
        done("a bare encapsulation", status)
    }

    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Outcome<()> {
        let (mut secret, mut len) = ([0; 32], 32);
        // SAFETY: as above.
        let status = unsafe {
            let context = lc::EVP_PKEY_CTX_new(self.0.get(), null_mut());
            let found = lc::EVP_PKEY_decapsulate(
                context,
                secret.as_mut_ptr(),
                &raw mut len,
                ciphertext.as_ptr(),
                ciphertext.len(),
            );
            lc::EVP_PKEY_CTX_free(context);
            found
        };
        done("a bare decapsulation", status)
    }
}

/// A prepared pair that encapsulates, of libcrux and with its code for AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) struct PreparedMlKem768 {
    public: MlKem768PublicKeyUnpacked,
    pair: MlKem768KeyPairUnpacked,
}

#[cfg(target_arch = "x86_64")]
impl PreparedMlKem768 {
    pub(crate) fn new() -> Self {
        let pair = unpacked::generate_key_pair([7; 64]);
        let encoded = unpacked::key_pair_serialized_public_key(&pair);
        let mut public = unpacked::init_public_key();
        unpacked::unpacked_public_key(&encoded, &mut public);
        Self { public, pair }
    }

    /// Gives the ciphertext of a new secret.
    pub(crate) fn encapsulate(&self) -> Outcome<MlKem768Ciphertext> {
        let mut random = [0; 32];
        // SAFETY: a writable array of the length that is told.
        done("random bytes", unsafe { lc::RAND_bytes(random.as_mut_ptr(), random.len()) })?;
        let (ciphertext, secret) = unpacked::encapsulate(&self.public, random);
        black_box(secret);
        Ok(ciphertext)
    }

    pub(crate) fn decapsulate(&self, ciphertext: &MlKem768Ciphertext) {
        black_box(unpacked::decapsulate(&self.pair, black_box(ciphertext)));
    }
}

/// SLH-DSA-SHA2-128f: a key that signs.
pub(crate) struct SlhDsa(SigningKey<Sha2_128f>);

impl SlhDsa {
    pub(crate) fn new() -> Self {
        Self(SigningKey::slh_keygen_internal(&[1; 16], &[2; 16], &[3; 16]))
    }

    /// With an empty context, and as if these were random bytes.
    pub(crate) fn sign(&self, message: &[u8], room: &mut [u8]) -> Outcome<()> {
        let signature = self.0.slh_sign_internal(&[&[0, 0], message], Some(&[4; 16])).to_bytes();
        room[..signature.len()].copy_from_slice(&signature);
        Ok(())
    }
}
