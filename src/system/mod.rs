//! What the operating system owes us: locked memory, fork and exit, file locks, randomness,
//! the environment, commands.
//!
//! One of the four places where `unsafe` is allowed; everything it offers is safe. It knows
//! nothing of PKCS#11.

pub(crate) mod arena;
pub(crate) mod child;
pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod failpoint;
pub(crate) mod files;
pub(crate) mod fork;
pub(crate) mod process;
pub(crate) mod shard;

use std::io;

/// Fills `out` from getrandom(2). The kernel keeps the state, so a fork cannot repeat it.
///
/// # Errors
/// The kernel's, if it has no generator; never a partial fill.
pub(crate) fn random_bytes(out: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the pointer and length are those of one live, exclusively borrowed slice.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(count) => filled += count,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}
