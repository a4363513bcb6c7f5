//! X25519 (RFC 7748, section 5). `engine::montgomery` is the way to it.

use aws_lc_sys as lc;

use super::EngineError;

/// The u coordinate of the base point times a scalar.
pub(in crate::engine) fn public(scalar: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    // SAFETY: arrays of the lengths that the function wants.
    unsafe { lc::X25519_public_from_private(public.as_mut_ptr(), scalar.as_ptr()) };
    public
}

/// Writes the shared u coordinate. `Key` if it is zero, as for points of small order.
pub(in crate::engine) fn agree(
    scalar: &[u8; 32],
    peer: &[u8; 32],
    out: &mut [u8; 32],
) -> Result<(), EngineError> {
    // SAFETY: arrays of the lengths that the function wants.
    let done = unsafe { lc::X25519(out.as_mut_ptr(), scalar.as_ptr(), peer.as_ptr()) };
    super::check(done, EngineError::Key("the X25519 public key has a small order"))
}
