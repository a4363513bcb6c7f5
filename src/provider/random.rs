//! Random numbers. PKCS#11 3.2, "Random number generation functions".

use crate::call::Written;
use crate::engine::random;
use crate::error::{Result, Rv};

use super::Call;

impl Call<'_> {
    /// C_SeedRandom. The kernel's generator needs no seed, and a caller's could not make it
    /// better; it is taken as the standard allows, and nothing depends on it.
    ///
    /// # Errors
    /// None.
    pub fn seed_random(&self, _seed: &[u8]) -> Result<()> {
        Ok(())
    }

    /// C_GenerateRandom.
    ///
    /// # Errors
    /// `CKR_FUNCTION_FAILED` if the kernel has no generator.
    pub fn generate_random(&self, out: &mut [u8]) -> Result<Written> {
        random::fill(out).map_err(|_| Rv::FunctionFailed.because("getrandom failed"))?;
        Ok(Written::Bytes(out.len()))
    }
}
