//! RSA without any padding: the bare operations on numbers below the modulus.
//!
//! Data shorter than the modulus stands for the number with zeros in front, as other modules take
//! it too; what comes out is as long as the modulus. PKCS#11 3.2, "X.509 (raw) RSA".

use std::sync::Arc;

use super::operation::{Ciphering, Signing, Verifying, room};
use super::params::MechanismParams;
use super::{Key, private_key, rsa};
use crate::custody::{DecryptPrimitive, PrivateKey};
use crate::engine::EngineError;
use crate::engine::hash::constant_time_eq;
use crate::error::{Error, Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// What a refusal is called, which depends on the function.
#[derive(Clone, Copy)]
struct Refusals {
    /// Of data longer than the modulus.
    len: Rv,
    /// Of a number that is not below the modulus.
    value: Rv,
}

const DATA: Refusals = Refusals { len: Rv::DataLenRange, value: Rv::DataInvalid };
const SEALED: Refusals =
    Refusals { len: Rv::EncryptedDataLenRange, value: Rv::EncryptedDataInvalid };
const SIGNED: Refusals = Refusals { len: Rv::SignatureLenRange, value: Rv::SignatureInvalid };

/// Starts a signature.
pub(super) fn sign(key: &Key, params: &MechanismParams) -> Result<Box<dyn Signing>> {
    Ok(Box::new(Signature(private(key, params, DATA, false)?)))
}

/// Starts a verification.
pub(super) fn verify(key: &Key, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    Ok(Box::new(Verification(public(key, params, SIGNED, true)?)))
}

/// Starts an encryption.
pub(super) fn encrypt(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    Ok(Box::new(public(key, params, DATA, false)?))
}

/// Starts a decryption.
pub(super) fn decrypt(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    Ok(Box::new(private(key, params, SEALED, true)?))
}

/// Starts a signature that gives its data back.
pub(super) fn sign_recover(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    Ok(Box::new(private(key, params, DATA, false)?))
}

/// Starts the recovery of signed data.
pub(super) fn verify_recover(key: &Key, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    Ok(Box::new(public(key, params, SIGNED, true)?))
}

fn private(
    key: &Key,
    params: &MechanismParams,
    refusals: Refusals,
    exact: bool,
) -> Result<PrivateOperation> {
    let private = private_key(key, KeyType::Rsa)?;
    params.none()?;
    rsa::check_size(key)?;
    Ok(PrivateOperation { key: private, refusals, exact })
}

fn public(
    key: &Key,
    params: &MechanismParams,
    refusals: Refusals,
    exact: bool,
) -> Result<PublicOperation> {
    rsa::public_key(key)?;
    params.none()?;
    rsa::check_size(key)?;
    Ok(PublicOperation { key: Arc::clone(key), refusals, exact })
}

/// The data with zeros in front, as long as the modulus.
fn padded(data: &[u8], modulus_len: usize) -> Result<Secret> {
    Secret::build(modulus_len, |room| {
        let zeros = modulus_len.saturating_sub(data.len());
        room.iter_mut().skip(zeros).zip(data).for_each(|(to, from)| *to = *from);
        Ok::<_, Error>(())
    })
}

fn check_len(input: usize, modulus_len: usize, exact: bool, refusals: Refusals) -> Result<usize> {
    if input == modulus_len || (input < modulus_len && !exact) {
        Ok(modulus_len)
    } else {
        Err(refusals.len.because("length of a number for RSA"))
    }
}

fn too_large(error: Error, refusals: Refusals) -> Error {
    match error.rv {
        Rv::DataLenRange => refusals.value.because("a number that is not below the modulus"),
        _ => error,
    }
}

struct PrivateOperation {
    key: Arc<dyn PrivateKey>,
    refusals: Refusals,
    /// Whether shorter input is refused: what another operation gave is never shorter.
    exact: bool,
}

impl Ciphering for PrivateOperation {
    fn whole_len(&self, input: usize) -> Result<usize> {
        check_len(input, self.key.kind().signature_len(), self.exact, self.refusals)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let modulus_len = self.whole_len(input.len())?;
        let out = room(out, modulus_len)?;
        padded(input, modulus_len)?.expose(|number| {
            let done = self.key.decrypt(DecryptPrimitive::Raw(number), out);
            done.map_err(|error| too_large(error, self.refusals))
        })
    }
}

struct PublicOperation {
    key: Key,
    refusals: Refusals,
    /// As of `PrivateOperation`.
    exact: bool,
}

impl Ciphering for PublicOperation {
    fn whole_len(&self, input: usize) -> Result<usize> {
        let modulus_len = rsa::public_key(&self.key)?.modulus_len();
        check_len(input, modulus_len, self.exact, self.refusals)
    }

    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let modulus_len = self.whole_len(input.len())?;
        let out = room(out, modulus_len)?;
        let key = rsa::public_key(&self.key)?;
        padded(input, modulus_len)?.expose(|number| {
            key.raw(number, out).map_err(|error| match error {
                EngineError::Length => {
                    self.refusals.value.because("a number that is not below the modulus")
                }
                other => other.into(),
            })
        })
    }
}

struct Signature(PrivateOperation);

impl Signing for Signature {
    fn len(&self) -> usize {
        self.0.key.kind().signature_len()
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        self.0.whole(data, out)
    }
}

struct Verification(PublicOperation);

impl Verifying for Verification {
    fn check_len(&self, signature: usize) -> Result<()> {
        self.0.whole_len(signature).map(drop)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        let modulus_len = rsa::public_key(&self.0.key)?.modulus_len();
        check_len(data.len(), modulus_len, false, DATA)?;
        let mut found = vec![0; modulus_len];
        self.0.whole(signature, &mut found)?;
        let fits = padded(data, modulus_len)?.expose(|data| constant_time_eq(data, &found));
        if fits { Ok(()) } else { Err(Rv::SignatureInvalid.because("wrong signature")) }
    }
}
