//! RSA public keys: verification and encryption. RFC 8017.
//!
//! Verification rebuilds what a right signature holds and compares; nothing in a signature is
//! ever parsed.

use std::ffi::c_int;

use aws_lc_sys as lc;

use super::rsa::{OaepParams, PssParams};
use super::{EngineError, Owned, check, constant_time_eq, initialise, message_digest, rsa_import};
use crate::engine::rsa_padding;
use crate::secret::Secret;

/// A parsed public key.
pub(crate) struct RsaPublic {
    rsa: Owned<lc::RSA>,
    modulus_bits: usize,
}

impl RsaPublic {
    /// Parses and checks a key: modulus odd and of 1024 to 16384 bits, exponent odd and of 2 to
    /// 33 bits.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, EngineError> {
        initialise()?;
        let rsa = rsa_import::public(modulus, exponent)?;
        // SAFETY: reads a live key.
        let modulus_bits = unsafe { lc::RSA_bits(rsa.as_ptr()) } as usize;
        Ok(Self { rsa, modulus_bits })
    }

    /// Bytes of the modulus, of a signature and of a ciphertext.
    pub(crate) fn modulus_len(&self) -> usize {
        self.modulus_bits.div_ceil(8)
    }

    /// Checks a PKCS#1 v1.5 signature over `data` as it is (usually a DigestInfo). `Length` if
    /// the signature is not as long as the modulus, else `Verify` for whatever does not fit.
    pub(crate) fn verify_pkcs1(&self, data: &[u8], signature: &[u8]) -> Result<(), EngineError> {
        let mut expected = vec![0; self.modulus_len()];
        let fits = rsa_padding::pkcs1_signature(data, &mut expected);
        let mut found = vec![0; self.modulus_len()];
        self.recover(signature, &mut found)?;
        fits.map_err(|_| EngineError::Verify)?;
        if constant_time_eq(&found, &expected) { Ok(()) } else { Err(EngineError::Verify) }
    }

    /// The data in a PKCS#1 v1.5 signature. `Length` if the signature is not as long as the
    /// modulus, else `Verify` unless it is what signing that data gives.
    pub(crate) fn recover_pkcs1(&self, signature: &[u8]) -> Result<Vec<u8>, EngineError> {
        let mut found = vec![0; self.modulus_len()];
        self.recover(signature, &mut found)?;
        // The padding is 00 01 FF … FF 00; whether all of it is right is told by making it anew.
        let padding = found.iter().skip(2).position(|byte| *byte == 0);
        let data = padding.and_then(|ones| found.get(ones + 3..)).ok_or(EngineError::Verify)?;
        let mut expected = vec![0; self.modulus_len()];
        rsa_padding::pkcs1_signature(data, &mut expected).map_err(|_| EngineError::Verify)?;
        if constant_time_eq(&found, &expected) {
            Ok(data.to_vec())
        } else {
            Err(EngineError::Verify)
        }
    }

    /// Checks a PSS signature of a digest; the salt has exactly the length of the parameters.
    /// Errors as of `verify_pkcs1`.
    pub(crate) fn verify_pss(
        &self,
        params: &PssParams,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), EngineError> {
        if signature.len() != self.modulus_len() {
            return Err(EngineError::Length);
        }
        let salt_len = c_int::try_from(params.salt_len).map_err(|_| EngineError::Verify)?;
        let (hash, mgf) = (message_digest(params.hash)?, message_digest(params.mgf)?);
        // SAFETY: a live key, readable inputs with their lengths, digests that are statics.
        let done = unsafe {
            lc::RSA_verify_pss_mgf1(
                self.rsa.as_ptr(),
                digest.as_ptr(),
                digest.len(),
                hash,
                mgf,
                salt_len,
                signature.as_ptr(),
                signature.len(),
            )
        };
        check(done, EngineError::Verify)
    }

    /// PKCS#1 v1.5 encryption. Gives the bytes written.
    pub(crate) fn encrypt_pkcs1(&self, plain: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        Secret::build(self.modulus_len(), |room| rsa_padding::pkcs1_encryption(plain, room))?
            .expose(|encoded| self.transform(encoded, out))
    }

    /// OAEP encryption. Gives the bytes written.
    pub(crate) fn encrypt_oaep(
        &self,
        params: &OaepParams<'_>,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        Secret::build(self.modulus_len(), |room| rsa_padding::oaep(params, plain, room))?
            .expose(|encoded| self.transform(encoded, out))
    }

    /// The bare operation on a number as long as the modulus. Gives the bytes written; `Length`
    /// for another length, or a number that is not below the modulus.
    pub(crate) fn raw(&self, number: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        if number.len() != self.modulus_len() {
            return Err(EngineError::Length);
        }
        self.transform(number, out)
    }

    fn transform(&self, input: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        if out.len() < self.modulus_len() {
            return Err(EngineError::Length);
        }
        let mut written = 0;
        // SAFETY: a live key, a readable input and an output that holds the modulus, as was
        // just checked; the library is told both lengths.
        let done = unsafe {
            lc::RSA_encrypt(
                self.rsa.as_ptr(),
                &raw mut written,
                out.as_mut_ptr(),
                out.len(),
                input.as_ptr(),
                input.len(),
                lc::RSA_NO_PADDING,
            )
        };
        check(done, EngineError::Length)?;
        Ok(written)
    }

    /// What a signature holds, padding and all.
    fn recover(&self, signature: &[u8], out: &mut [u8]) -> Result<(), EngineError> {
        if signature.len() != self.modulus_len() || out.len() != self.modulus_len() {
            return Err(EngineError::Length);
        }
        let mut written = 0;
        // SAFETY: a live key, a readable input and an output that holds the modulus, as was
        // just checked; the library is told both lengths.
        let done = unsafe {
            lc::RSA_verify_raw(
                self.rsa.as_ptr(),
                &raw mut written,
                out.as_mut_ptr(),
                out.len(),
                signature.as_ptr(),
                signature.len(),
                lc::RSA_NO_PADDING,
            )
        };
        check(done, EngineError::Verify)
    }
}
