//! SHAKE128 and SHAKE256 (FIPS 202), taking input in parts and giving output of any length once.

use std::ptr;

use aws_lc_sys as lc;

use super::{EngineError, Owned, check, initialise};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Width {
    /// SHAKE128.
    #[cfg(test)]
    W128,
    /// SHAKE256.
    W256,
}

/// A running SHAKE; its state lives in the arena for secrets.
pub(crate) struct Shake(Owned<lc::EVP_MD_CTX>);

impl Shake {
    pub(crate) fn new(width: Width) -> Result<Self, EngineError> {
        initialise()?;
        // SAFETY: the library's own constructor.
        let state = unsafe { Owned::fresh(lc::EVP_MD_CTX_new) }?;
        let function = match width {
            #[cfg(test)]
            // SAFETY: gives the address of a static.
            Width::W128 => unsafe { lc::EVP_shake128() },
            // SAFETY: as above.
            Width::W256 => unsafe { lc::EVP_shake256() },
        };
        // SAFETY: a live object and a static; null is the library's own engine.
        let done = unsafe { lc::EVP_DigestInit_ex(state.as_ptr(), function, ptr::null_mut()) };
        check(done, EngineError::Memory)?;
        Ok(Self(state))
    }

    pub(crate) fn update(&mut self, input: &[u8]) -> Result<(), EngineError> {
        // SAFETY: a live object that was begun, and a readable slice.
        let done =
            unsafe { lc::EVP_DigestUpdate(self.0.as_ptr(), input.as_ptr().cast(), input.len()) };
        check(done, EngineError::Failed("SHAKE"))
    }

    /// Fills `out`, whose length does not change the bytes that come first.
    pub(crate) fn finish(self, out: &mut [u8]) -> Result<(), EngineError> {
        // SAFETY: a live object that was begun, and a writable slice.
        let done = unsafe { lc::EVP_DigestFinalXOF(self.0.as_ptr(), out.as_mut_ptr(), out.len()) };
        check(done, EngineError::Failed("SHAKE"))
    }
}

/// `N` bytes of SHAKE over the parts one after the other.
pub(crate) fn shake<const N: usize>(width: Width, parts: &[&[u8]]) -> Result<[u8; N], EngineError> {
    let mut state = Shake::new(width)?;
    for part in parts {
        state.update(part)?;
    }
    let mut out = [0; N];
    state.finish(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 202's values for the empty message, as NIST publishes them with the standard.
    #[test]
    fn the_empty_message_gives_what_nist_says() {
        let short: [u8; 8] = shake(Width::W128, &[]).unwrap();
        assert_eq!(short, [0x7f, 0x9c, 0x2b, 0xa4, 0xe8, 0x8f, 0x82, 0x7d]);
        let short: [u8; 8] = shake(Width::W256, &[&[], &[]]).unwrap();
        assert_eq!(short, [0x46, 0xb9, 0xdd, 0x2b, 0x0b, 0xa8, 0x8d, 0x13]);
    }

    #[test]
    fn parts_are_one_message() {
        let whole: [u8; 64] = shake(Width::W256, &[&[7; 1000]]).unwrap();
        let parts: [u8; 64] = shake(Width::W256, &[&[7; 1], &[7; 135], &[7; 864]]).unwrap();
        assert_eq!(whole, parts);
        let other: [u8; 64] = shake(Width::W256, &[&[7; 999]]).unwrap();
        assert_ne!(whole, other);
    }
}
