//! Two operations in one call. PKCS#11 3.2, "Dual-function cryptographic functions".

use crate::call::{Function, Room, Written};
use crate::cryptoki::{CK_BYTE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR};
use crate::error::Result;
use crate::provider::Call;
use crate::session::Kind;

use super::in_session;
use super::input::in_and_out;

/// What the four have in common. Bad pointers end both operations.
///
/// # Safety
/// `part` is null or valid for reads of `part_len` bytes; `len` is null or valid; `buffer` is
/// null or valid for writes of `*len` bytes. Both buffers may be the same memory.
unsafe fn update(
    call: &Call<'_>,
    both: [Kind; 2],
    (part, part_len): (CK_BYTE_PTR, CK_ULONG),
    (buffer, len): (CK_BYTE_PTR, CK_ULONG_PTR),
    step: impl FnOnce(&[u8], Room<'_>) -> Result<Written>,
) -> Result<()> {
    // SAFETY: this function's own contract.
    let given = unsafe { in_and_out(part, part_len, buffer, len) };
    let (part, output) = given.inspect_err(|_| both.iter().for_each(|kind| call.abandon(*kind)))?;
    output.lend(|room| step(&part, room))
}

/// The functions, which differ in what they do to which operations.
macro_rules! dual {
    ($($name:ident: $function:ident, $first:ident, $second:ident, $step:ident;)*) => {$(
        /// # Safety
        /// As for `update`.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            part: CK_BYTE_PTR,
            part_len: CK_ULONG,
            buffer: CK_BYTE_PTR,
            len: CK_ULONG_PTR,
        ) -> CK_RV {
            in_session(Function::$function, session, |call| {
                let both = [Kind::$first, Kind::$second];
                let step = |part: &[u8], room: Room<'_>| call.$step(part, room);
                // SAFETY: this function's own contract.
                unsafe { update(call, both, (part, part_len), (buffer, len), step) }
            })
        }
    )*};
}

dual! {
    C_DigestEncryptUpdate: DigestEncryptUpdate, Digest, Encrypt, digest_encrypt_update;
    C_DecryptDigestUpdate: DecryptDigestUpdate, Decrypt, Digest, decrypt_digest_update;
    C_SignEncryptUpdate: SignEncryptUpdate, Sign, Encrypt, sign_encrypt_update;
    C_DecryptVerifyUpdate: DecryptVerifyUpdate, Decrypt, Verify, decrypt_verify_update;
}
