//! Cryptographic primitives as safe functions over well-kept crates.
//!
//! This floor knows no word of PKCS#11: it takes checked values and bytes, and gives bytes or
//! an `EngineError`. What may be done with which key is decided above. Randomness for nonces,
//! salts and paddings is the kernel's (`random`); the C library's own generator serves only
//! what that library draws inside: key generation, blinding and ECDSA nonces.

#[allow(unsafe_code)]
pub(crate) mod aws_lc;
pub(crate) mod ed25519;
pub(crate) mod ed448;
pub(crate) mod edwards;
pub(crate) mod hash;
pub(crate) mod hpke;
pub(crate) mod kdf;
pub(crate) mod ml_dsa;
pub(crate) mod ml_kem;
pub(crate) mod montgomery;
pub(crate) mod random;
pub(crate) mod ratchet;
mod rsa_padding;
pub(crate) mod sealing;
pub(crate) mod slh_dsa;
#[cfg(test)]
mod tests;

use crate::error::{Error, Rv};

/// Makes the engine ready; `C_Initialize` calls it before there are threads to meet a fork in
/// the middle of it.
pub(crate) fn initialise() -> Result<(), EngineError> {
    aws_lc::initialise()
}

/// For the prepare hook, before the arenas are held: waits until no thread is in the midst of
/// the C library's generator.
pub(crate) fn hold_for_fork() {
    aws_lc::hold_for_fork();
}

/// For the parent and child hooks, after the arenas are released.
pub(crate) fn release_after_fork() {
    aws_lc::release_after_fork();
}

/// Why a primitive failed. None of these tells anything about a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EngineError {
    /// The key is malformed, inconsistent, off its curve or of a size that is not offered.
    Key(&'static str),
    /// An input, a signature or the room for the output has the wrong length.
    Length,
    /// The signature or code does not fit.
    Verify,
    /// The ciphertext cannot be opened; deliberately without a reason.
    Decrypt,
    /// No memory.
    Memory,
    /// What should not happen.
    Failed(&'static str),
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Key(why) => Rv::AttributeValueInvalid.because(why),
            EngineError::Length => Rv::DataLenRange.because("wrong length for the primitive"),
            EngineError::Verify => Rv::SignatureInvalid.because("the signature does not fit"),
            EngineError::Decrypt => Rv::EncryptedDataInvalid.because("cannot be decrypted"),
            EngineError::Memory => Rv::HostMemory.because("no memory for a primitive"),
            EngineError::Failed(why) => Rv::FunctionFailed.because(why),
        }
    }
}

/// What the making of a `Secret` gives: there was no memory for it.
impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        match error.rv {
            Rv::HostMemory => Self::Memory,
            _ => Self::Failed("a secret could not be made"),
        }
    }
}
