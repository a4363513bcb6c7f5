//! RSA signatures that give their data back: PKCS#1 v1.5 padding around the caller's data, no
//! hashing. PKCS#11 3.2, "PKCS #1 v1.5 RSA", "C_SignRecover", "C_VerifyRecover"; RFC 8017.

use std::sync::Arc;

use super::operation::{Ciphering, room};
use super::params::MechanismParams;
use super::rsa::{self, PKCS1_OVERHEAD};
use super::{Key, private_key};
use crate::custody::{PrivateKey, SignPrimitive};
use crate::error::{Result, Rv};
use crate::object::class::KeyType;

/// Starts a signature that gives its data back.
pub(super) fn sign(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    let private = private_key(key, KeyType::Rsa)?;
    params.none()?;
    rsa::check_size(key)?;
    Ok(Box::new(Signature { key: private }))
}

/// Starts the recovery of signed data.
pub(super) fn verify(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    rsa::public_key(key)?;
    params.none()?;
    rsa::check_size(key)?;
    Ok(Box::new(Recovery { key: Arc::clone(key) }))
}

struct Signature {
    key: Arc<dyn PrivateKey>,
}

impl Ciphering for Signature {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let modulus_len = self.key.kind().signature_len();
        if input.saturating_add(PKCS1_OVERHEAD) <= modulus_len {
            Ok(modulus_len)
        } else {
            Err(Rv::DataLenRange.because("more than fits an RSA signature"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.whole_len(input.len())?)?;
        self.key.sign(SignPrimitive::Pkcs1(input), out)
    }
}

struct Recovery {
    key: Key,
}

impl Recovery {
    fn data(&self, signature: &[u8]) -> Result<Vec<u8>> {
        self.whole_len(signature.len())?;
        rsa::public_key(&self.key)?
            .recover_pkcs1(signature)
            .map_err(|_| Rv::SignatureInvalid.because("no data with the right padding"))
    }
}

impl Ciphering for Recovery {
    fn exact_len(&self, input: &[u8]) -> Result<usize> {
        self.data(input).map(|data| data.len())
    }

    fn whole_len(&self, input: usize) -> Result<usize> {
        let modulus_len = rsa::public_key(&self.key)?.modulus_len();
        if input == modulus_len {
            Ok(modulus_len.saturating_sub(PKCS1_OVERHEAD))
        } else {
            Err(Rv::SignatureLenRange.because("an RSA signature is as long as the modulus"))
        }
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let data = self.data(input)?;
        room(out, data.len())?.copy_from_slice(&data);
        Ok(data.len())
    }
}
