//! The running operations that `C_…Init` starts, as object-safe traits.
//!
//! Lengths are asked for before room is lent, and asking gives the same refusals as doing. When
//! an operation ends is the session's to know: it drops the value. PKCS#11 3.2, "Conventions for
//! functions returning output in a variable-length buffer".

use super::params::MechanismParams;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// A running signature or MAC.
pub(crate) trait Signing: Send {
    /// The state of what was taken in, for `restore`; none if this work cannot give it.
    ///
    /// # Errors
    /// No memory.
    fn save(&self) -> Result<Option<Secret>> {
        Ok(None)
    }

    /// Goes on from a state that `save` gave for the same mechanism, parameter and key; false if
    /// it is none.
    fn restore(&mut self, _state: &[u8]) -> bool {
        false
    }

    /// Whether it signs by its key's counter, which `count` tells it before `finish` or `sign`.
    fn counts(&self) -> bool {
        false
    }

    /// Takes the number that the counter has, for the signature of this data, and gives the one
    /// that it is to have. Called while nobody else moves the counter, which then moves for good.
    ///
    /// # Errors
    /// As `sign`; the counter stays where it is.
    fn count(&mut self, _counter: u64, _data: &[u8]) -> Result<u64> {
        Err(no_counter())
    }

    /// The length of the signature.
    fn len(&self) -> usize;

    /// Takes in a part of the data.
    ///
    /// # Errors
    /// `CKR_FUNCTION_NOT_SUPPORTED` if the mechanism takes its data in one part only.
    fn update(&mut self, _part: &[u8]) -> Result<()> {
        Err(single_part())
    }

    /// Signs what was taken in; `out` has at least `len` bytes.
    ///
    /// # Errors
    /// As `update`.
    fn finish(&mut self, _out: &mut [u8]) -> Result<usize> {
        Err(single_part())
    }

    /// Signs data given in one part; `out` has at least `len` bytes.
    ///
    /// # Errors
    /// `CKR_DATA_LEN_RANGE` if the mechanism cannot sign so much or so little.
    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        self.update(data)?;
        self.finish(out)
    }
}

/// A running verification.
pub(crate) trait Verifying: Send {
    /// The state of what was taken in, for `restore`; none if this work cannot give it.
    ///
    /// # Errors
    /// No memory.
    fn save(&self) -> Result<Option<Secret>> {
        Ok(None)
    }

    /// Goes on from a state that `save` gave for the same mechanism, parameter and key; false if
    /// it is none.
    fn restore(&mut self, _state: &[u8]) -> bool {
        false
    }

    /// Whether it judges by its key's counter: by `verify_from` then, and not by `finish`.
    fn counts(&self) -> bool {
        false
    }

    /// Checks a signature by the number that the counter has, and gives the one that it is to have.
    /// Called while nobody else moves the counter, which then moves for good.
    ///
    /// # Errors
    /// As `verify`; the counter stays where it is.
    fn verify_from(&mut self, _counter: u64, _data: &[u8], _signature: &[u8]) -> Result<u64> {
        Err(no_counter())
    }

    /// Checks the length of a signature that comes before its data.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_LEN_RANGE` if no signature of this key is so long.
    fn check_len(&self, _signature: usize) -> Result<()> {
        Ok(())
    }

    /// Takes in a part of the data.
    ///
    /// # Errors
    /// `CKR_FUNCTION_NOT_SUPPORTED` if the mechanism takes its data in one part only.
    fn update(&mut self, _part: &[u8]) -> Result<()> {
        Err(single_part())
    }

    /// Checks the signature of what was taken in.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_LEN_RANGE` by its length alone, `CKR_SIGNATURE_INVALID` for every other
    /// signature that is not right.
    fn finish(&mut self, _signature: &[u8]) -> Result<()> {
        Err(single_part())
    }

    /// Checks the signature of data given in one part.
    ///
    /// # Errors
    /// As `finish`.
    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.update(data)?;
        self.finish(signature)
    }
}

/// A running encryption or decryption.
///
/// Lengths are upper bounds where padding decides; the calls give what they wrote.
pub(crate) trait Ciphering: Send {
    /// A parameter and an input with which a new operation with the same key goes on as this one
    /// would; what it gives for that input is not wanted. None if this cipher cannot tell.
    ///
    /// # Errors
    /// No memory.
    fn resume(&self) -> Result<Option<(MechanismParams, Secret)>> {
        Ok(None)
    }

    /// Room for the output of a part of `input` bytes.
    ///
    /// # Errors
    /// As `update`.
    fn update_len(&self, _input: usize) -> Result<usize> {
        Err(single_part())
    }

    /// Takes in a part and writes what is ready.
    ///
    /// # Errors
    /// `CKR_FUNCTION_NOT_SUPPORTED` if the mechanism takes its data in one part only,
    /// `CKR_DATA_LEN_RANGE` or `CKR_ENCRYPTED_DATA_LEN_RANGE` if it is too much.
    fn update(&mut self, _input: &[u8], _out: &mut [u8]) -> Result<usize> {
        Err(single_part())
    }

    /// Room for what `finish` will write.
    ///
    /// # Errors
    /// As `finish`, but for what only the computation can tell.
    fn finish_len(&self) -> Result<usize> {
        Err(single_part())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The two length ranges if the parts do not fill blocks, `CKR_ENCRYPTED_DATA_INVALID` for
    /// every kind of wrong ciphertext.
    fn finish(&mut self, _out: &mut [u8]) -> Result<usize> {
        Err(single_part())
    }

    /// Room for the output of data given in one part.
    ///
    /// # Errors
    /// As `whole`, but for what only the computation can tell.
    fn whole_len(&self, input: usize) -> Result<usize>;

    /// The exact length of the output of `whole`, where that can be found out although it is less
    /// than `whole_len`; asked for a caller whose room is shorter than that.
    ///
    /// # Errors
    /// As `whole`.
    fn exact_len(&self, input: &[u8]) -> Result<usize> {
        self.whole_len(input.len())
    }

    /// Encrypts or decrypts data given in one part.
    ///
    /// # Errors
    /// As `update` and `finish`.
    fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize>;
}

/// A running digest.
pub(crate) trait Digesting: Send {
    /// The state of what was taken in, for `restore`; none if this work cannot give it.
    ///
    /// # Errors
    /// No memory.
    fn save(&self) -> Result<Option<Secret>> {
        Ok(None)
    }

    /// Goes on from a state that `save` gave for the same mechanism, parameter and key; false if
    /// it is none.
    fn restore(&mut self, _state: &[u8]) -> bool {
        false
    }

    /// The length of the digest.
    fn len(&self) -> usize;

    /// Takes in a part of the data, or the value of a key.
    ///
    /// # Errors
    /// None of its own so far.
    fn update(&mut self, part: &[u8]) -> Result<()>;

    /// Writes the digest; `out` has at least `len` bytes.
    ///
    /// # Errors
    /// None of its own so far.
    fn finish(&mut self, out: &mut [u8]) -> Result<usize>;
}

/// A secret about to be made for the holder of a public key.
pub(crate) trait Encapsulating: Send {
    /// The length of the ciphertext.
    fn len(&self) -> usize;

    /// Makes the secret and writes its ciphertext; `out` has at least `len` bytes.
    ///
    /// # Errors
    /// The engine's.
    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)>;
}

/// A key about to be wrapped together with data that is authenticated and not wrapped.
pub(crate) trait Enveloping: Send {
    /// The length of what wrapping a key of `key` bytes gives.
    ///
    /// # Errors
    /// `CKR_DATA_LEN_RANGE` if the mechanism cannot wrap so much or so little.
    fn len(&self, key: usize) -> Result<usize>;

    /// Wraps the key; `out` has at least `len` bytes. Gives what it wrote, and what goes back
    /// into the caller's parameter.
    ///
    /// # Errors
    /// As `len`; the engine's.
    fn envelop(&mut self, key: &[u8], out: &mut [u8]) -> Result<(usize, Reply)>;
}

/// What a mechanism gives back through its parameter: nothing, where a field is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Reply {
    /// The nonce that was made.
    pub(crate) nonce: Vec<u8>,
    /// The tag, where it does not stand in the output.
    pub(crate) tag: Vec<u8>,
}

fn no_counter() -> Error {
    Rv::GeneralError.because("a mechanism without a counter")
}

fn single_part() -> Error {
    Rv::FunctionNotSupported.because("this mechanism takes its data in one part only")
}

/// The first `len` bytes of room that was promised to be long enough.
pub(super) fn room(out: &mut [u8], len: usize) -> Result<&mut [u8]> {
    out.get_mut(..len).ok_or_else(|| Rv::GeneralError.because("less room than was promised"))
}
