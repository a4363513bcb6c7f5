//! `CK_MECHANISM` becomes a number and typed parameters: one small reader per structure, a file
//! a family. Which one applies stands in the mechanism's row. PKCS#11 3.2, chapter "Mechanisms".

mod cipher;
pub(super) mod counted;
mod ec;
mod ike;
mod kdf;
pub(super) mod message;
pub(super) mod one_time;
mod post_quantum;
pub(super) mod returned;
mod rsa;
mod symmetric;
mod tls;

use crate::cryptoki::{CK_BYTE_PTR, CK_MECHANISM, CK_MECHANISM_PTR, CK_ULONG};
use crate::error::{Error, Result, Rv};
use crate::mechanism::find;
use crate::mechanism::params::{MechanismParams, Shape};
use crate::provider::GivenMechanism;
use crate::provider::administration::structure_of;

use super::input::input;

/// Reads the parameter of a mechanism.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
type Reader = unsafe fn(&CK_MECHANISM) -> Result<MechanismParams>;

/// The longest value inside a parameter, in bytes.
const LONGEST_PART: u64 = 1 << 20;

fn invalid(why: &'static str) -> Error {
    Rv::MechanismParamInvalid.because(why)
}

/// Reads a mechanism; one that we do not know is told apart later, by its number.
///
/// # Safety
/// `given` is null or a mechanism whose pointers lead to what their lengths say.
pub(super) unsafe fn mechanism(given: CK_MECHANISM_PTR) -> Result<GivenMechanism> {
    // SAFETY: this function's own contract.
    unsafe { optional_mechanism(given)? }.ok_or_else(|| Rv::ArgumentsBad.because("no mechanism"))
}

/// As `mechanism`; `None` for a null pointer, by which a …Init call ends an operation.
///
/// # Safety
/// As for `mechanism`.
pub(super) unsafe fn optional_mechanism(given: CK_MECHANISM_PTR) -> Result<Option<GivenMechanism>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given = unsafe { given.read_unaligned() };
    let Some(row) = find(given.mechanism) else {
        return Ok(Some(GivenMechanism { id: given.mechanism, params: MechanismParams::None }));
    };
    // SAFETY: this function's own contract.
    let params = unsafe { reader(row.shape)(&given) };
    let params = params.map_err(|error| error.at_parameter(row.name, structure_of(row)))?;
    Ok(Some(GivenMechanism { id: given.mechanism, params }))
}

/// The reader for a shape.
const fn reader(shape: Shape) -> Reader {
    match shape {
        Shape::None => none,
        Shape::OptionalIv16 => symmetric::no_iv,
        Shape::OptionalIv => symmetric::optional_iv,
        Shape::Iv16 => symmetric::iv,
        Shape::Ctr => symmetric::ctr,
        Shape::Gcm => symmetric::gcm,
        Shape::Message => none,
        Shape::Pss => rsa::pss,
        Shape::Oaep => rsa::oaep,
        Shape::RsaAes => rsa::rsa_aes,
        Shape::Ecdh1 => ec::ecdh1,
        Shape::EcdhAes => ec::ecdh_aes,
        Shape::PublicValue => ec::public_value,
        Shape::OptionalEddsa => ec::eddsa,
        Shape::MacLength => symmetric::mac_length,
        Shape::Version => tls::version,
        Shape::OptionalOtp => one_time::params,
        Shape::TlsMac => tls::mac,
        Shape::Kdf(shape) => kdf::reader(shape),
        Shape::OptionalInfo => post_quantum::info,
        Shape::OptionalSignContext => post_quantum::sign_context,
        Shape::HashSignContext => post_quantum::hash_sign_context,
        Shape::Cipher(shape) => cipher::reader(shape),
    }
}

/// # Safety
/// None of its own: no pointer is looked at.
unsafe fn none(given: &CK_MECHANISM) -> Result<MechanismParams> {
    if given.ulParameterLen != 0 {
        return Err(invalid("this mechanism takes no parameter"));
    }
    Ok(MechanismParams::None)
}

/// The parameter as one structure of exactly its size.
///
/// # Safety
/// As for `mechanism`.
unsafe fn structure<T: Copy>(given: &CK_MECHANISM) -> Result<T> {
    let fits = usize::try_from(given.ulParameterLen).is_ok_and(|len| len == size_of::<T>());
    if given.pParameter.is_null() || !fits {
        return Err(invalid("the parameter is missing or has another size"));
    }
    // SAFETY: not null, as long as a `T`, and valid for reads as the caller promises.
    Ok(unsafe { given.pParameter.cast::<T>().read_unaligned() })
}

/// A value inside a parameter.
///
/// # Safety
/// `start` is null or valid for reads of `len` bytes.
unsafe fn part(start: CK_BYTE_PTR, len: CK_ULONG) -> Result<Vec<u8>> {
    if (start.is_null() && len != 0) || len > LONGEST_PART {
        return Err(invalid("a pointer and its length inside the parameter disagree"));
    }
    // SAFETY: this function's own contract.
    Ok(unsafe { input(start, len)? }.to_vec())
}
