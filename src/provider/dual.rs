//! Two operations in one call: a cipher, and a digest, signature or verification of the plaintext.
//! PKCS#11 3.2, "Dual-function cryptographic functions".
//!
//! Both must be active. A call that gives no output changes neither; one that fails ends both,
//! because their plaintexts would no longer be the same.

use crate::call::{Room, Written};
use crate::error::{Result, Rv};
use crate::session::Operations;
use crate::session::operation::Operation;

use super::Call;
use super::ciphering::Cipher;

impl Call<'_> {
    /// Runs a part through the cipher, and gives `take` the part and what came of it.
    fn together<T>(
        &self,
        cipher: &mut Cipher,
        other: &mut Operation<T>,
        part: &[u8],
        room: Room<'_>,
        take: impl FnOnce(&mut T, &[u8]) -> Result<()>,
    ) -> Result<Written> {
        if !cipher.is_active() || !other.is_active() {
            return Err(Rv::OperationNotInitialized.because("both operations must be active"));
        }
        let done = cipher.update(
            room,
            |running| running.work.update_len(part.len()),
            |running, out| {
                running.take_in(part);
                // Some of the output leaves here already.
                self.count(running)?;
                let written = running.work.update(part, out)?;
                let ready = out.get(..written).unwrap_or_default();
                other.absorb(|operation| take(operation, ready))?;
                Ok(written)
            },
        );
        if done.is_err() {
            cipher.cancel();
            other.cancel();
        }
        done
    }

    /// C_DigestEncryptUpdate.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, which ends nothing; those of both, which end both.
    pub fn digest_encrypt_update(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        let mut operations = self.open.session.operations();
        let Operations { digest, encrypt, .. } = &mut *operations;
        self.together(encrypt, digest, part, room, |running, _| running.work.update(part))
    }

    /// C_DecryptDigestUpdate.
    ///
    /// # Errors
    /// As `digest_encrypt_update`.
    pub fn decrypt_digest_update(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        let mut operations = self.open.session.operations();
        let Operations { digest, decrypt, .. } = &mut *operations;
        self.together(decrypt, digest, part, room, |running, plain| running.work.update(plain))
    }

    /// C_SignEncryptUpdate.
    ///
    /// # Errors
    /// As `digest_encrypt_update`.
    pub fn sign_encrypt_update(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        let mut operations = self.open.session.operations();
        let Operations { sign, encrypt, .. } = &mut *operations;
        self.together(encrypt, sign, part, room, |running, _| {
            running.take_in(part);
            running.work.update(part)
        })
    }

    /// C_DecryptVerifyUpdate.
    ///
    /// # Errors
    /// As `digest_encrypt_update`.
    pub fn decrypt_verify_update(&self, part: &[u8], room: Room<'_>) -> Result<Written> {
        let mut operations = self.open.session.operations();
        let Operations { verify, decrypt, .. } = &mut *operations;
        self.together(decrypt, verify, part, room, |running, plain| {
            running.take_in(plain);
            running.work.update(plain)
        })
    }
}
