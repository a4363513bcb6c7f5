//! SHAKE128 and SHAKE256 (FIPS 202), taking input in parts and giving output of any length once;
//! and SHA3-256 of secrets. What they hold lives in the arena for secrets.

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

/// Fills the 32 bytes of `out` with SHA3-256 over the parts one after the other.
pub(crate) fn sha3_256(parts: &[&[u8]], out: &mut [u8]) -> Result<(), EngineError> {
    initialise()?;
    let out: &mut [u8; 32] = out.try_into().map_err(|_| EngineError::Length)?;
    // SAFETY: the library's own constructor.
    let state = unsafe { Owned::<lc::EVP_MD_CTX>::fresh(lc::EVP_MD_CTX_new) }?;
    // SAFETY: gives the address of a static.
    let function = unsafe { lc::EVP_sha3_256() };
    // SAFETY: a live object and a static; null is the library's own engine.
    let done = unsafe { lc::EVP_DigestInit_ex(state.as_ptr(), function, ptr::null_mut()) };
    check(done, EngineError::Memory)?;
    for part in parts {
        // SAFETY: a live object that was begun, and a readable slice.
        let done =
            unsafe { lc::EVP_DigestUpdate(state.as_ptr(), part.as_ptr().cast(), part.len()) };
        check(done, EngineError::Failed("SHA3-256"))?;
    }
    // SAFETY: a live object that was begun, and room for its digest; null takes no length.
    let done = unsafe { lc::EVP_DigestFinal_ex(state.as_ptr(), out.as_mut_ptr(), ptr::null_mut()) };
    check(done, EngineError::Failed("SHA3-256"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 202's value for the empty message, as NIST publishes it with the standard.
    #[test]
    fn sha3_256_of_nothing_is_what_nist_says() {
        let mut digest = [0; 32];
        sha3_256(&[&[], &[]], &mut digest).unwrap();
        assert_eq!(digest[..8], [0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66]);
        assert_eq!(digest[24..], [0x82, 0xd8, 0x0a, 0x4b, 0x80, 0xf8, 0x43, 0x4a]);
        let mut whole = [0; 32];
        sha3_256(&[&[7; 200]], &mut whole).unwrap();
        sha3_256(&[&[7; 136], &[7; 64]], &mut digest).unwrap();
        assert_eq!(whole, digest);
        assert_eq!(sha3_256(&[], &mut [0; 31]), Err(EngineError::Length));
    }

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
