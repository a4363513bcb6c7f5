//! Random numbers. PKCS#11 3.2, "Random number generation functions".

use crate::call::{Function, Room};
use crate::cryptoki::{CK_BYTE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use crate::error::Rv;

use super::in_session;
use super::input::input;
use super::output::output;

/// # Safety
/// `seed` is null or valid for reads of `seed_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SeedRandom(
    session: CK_SESSION_HANDLE,
    seed: CK_BYTE_PTR,
    seed_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::SeedRandom, session, |call| {
        if seed.is_null() {
            return Err(Rv::ArgumentsBad.because("no seed"));
        }
        // SAFETY: this function's own contract.
        let seed = unsafe { input(seed, seed_len)? };
        call.seed_random(seed)
    })
}

/// # Safety
/// `random` is null or valid for writes of `random_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateRandom(
    session: CK_SESSION_HANDLE,
    random: CK_BYTE_PTR,
    random_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::GenerateRandom, session, |call| {
        if random.is_null() || random_len > i32::MAX.unsigned_abs().into() {
            return Err(Rv::ArgumentsBad.because("no room for random bytes, or an absurd one"));
        }
        let mut len = random_len;
        // SAFETY: this function's own contract; the length is a local.
        let output = unsafe { output(random, &raw mut len)? };
        output.lend(|room| match room {
            Room::LengthQuery => Ok(crate::call::Written::Length(0)),
            Room::Bytes(bytes) => call.generate_random(bytes),
        })
    })
}
