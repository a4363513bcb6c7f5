//! AES and ChaCha20-Poly1305 of AWS-LC, each with its key set up before.

#![allow(unsafe_code)]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one operation of the library, in steps")]

use super::{Owned, done};
use crate::support::module::Outcome;
use aws_lc_sys as lc;
use std::ptr::{null, null_mut};

const KEY: [u8; 32] = [0x6b; 32];
const TAG: usize = 16;

/// AES-256 in a mode; it only wants an IV for each message.
pub(crate) struct Aes(Owned<lc::EVP_CIPHER_CTX>);

impl Aes {
    fn new(cipher: *const lc::EVP_CIPHER) -> Outcome<Self> {
        // SAFETY: the library's own constructor.
        let context = unsafe { lc::EVP_CIPHER_CTX_new() };
        let context = Owned::new("a cipher", context, lc::EVP_CIPHER_CTX_free)?;
        // SAFETY: a live context, a static, and a key of its length; the IV comes later.
        let status = unsafe {
            let keyed =
                lc::EVP_EncryptInit_ex(context.get(), cipher, null_mut(), KEY.as_ptr(), null());
            keyed & lc::EVP_CIPHER_CTX_set_padding(context.get(), 0)
        };
        done("a bare cipher", status).map(|()| Self(context))
    }

    pub(crate) fn gcm() -> Outcome<Self> {
        // SAFETY: gives the address of a static.
        Self::new(unsafe { lc::EVP_aes_256_gcm() })
    }

    pub(crate) fn cbc() -> Outcome<Self> {
        // SAFETY: as above.
        Self::new(unsafe { lc::EVP_aes_256_cbc() })
    }

    pub(crate) fn ctr() -> Outcome<Self> {
        // SAFETY: as above.
        Self::new(unsafe { lc::EVP_aes_256_ctr() })
    }

    /// Encrypts whole blocks under an IV that is as long as the mode wants.
    pub(crate) fn encrypt(&self, iv: &[u8], plain: &[u8], room: &mut [u8]) -> Outcome<()> {
        assert!(room.len() >= plain.len() + TAG && iv.len() >= 12);
        let (context, mut written, mut rest) = (self.0.get(), 0, 0);
        // SAFETY: a live context with its key, an IV and a plaintext that are readable; room for
        // the plaintext and a block, as was just checked.
        let status = unsafe {
            let begun = lc::EVP_EncryptInit_ex(context, null(), null_mut(), null(), iv.as_ptr());
            let done = lc::EVP_EncryptUpdate(
                context,
                room.as_mut_ptr(),
                &raw mut written,
                plain.as_ptr(),
                plain.len() as i32,
            );
            let end = room.as_mut_ptr().add(plain.len());
            begun & done & lc::EVP_EncryptFinal_ex(context, end, &raw mut rest)
        };
        done("a bare encryption", status)
    }

    /// The tag of what was just encrypted in GCM, to where it belongs.
    pub(crate) fn tag(&self, room: &mut [u8; TAG]) -> Outcome<()> {
        let (command, len) = (lc::EVP_CTRL_AEAD_GET_TAG, TAG as i32);
        // SAFETY: a live context, and room for a tag.
        let status = unsafe {
            lc::EVP_CIPHER_CTX_ctrl(self.0.get(), command, len, room.as_mut_ptr().cast())
        };
        done("a bare tag", status)
    }
}

/// AES-256-CMAC.
pub(crate) struct Cmac(Owned<lc::CMAC_CTX>);

impl Cmac {
    pub(crate) fn new() -> Outcome<Self> {
        // SAFETY: the library's own constructor.
        let context = Owned::new("CMAC", unsafe { lc::CMAC_CTX_new() }, lc::CMAC_CTX_free)?;
        // SAFETY: a live context, a static, and a key of its length.
        let status = unsafe {
            let cipher = lc::EVP_aes_256_cbc();
            lc::CMAC_Init(context.get(), KEY.as_ptr().cast(), KEY.len(), cipher, null_mut())
        };
        done("a bare CMAC", status).map(|()| Self(context))
    }

    pub(crate) fn code(&self, data: &[u8], room: &mut [u8; TAG]) -> Outcome<()> {
        let mut len = 0;
        // SAFETY: a live context with its key, readable data, and room for a block.
        let status = unsafe {
            let begun = lc::CMAC_Reset(self.0.get());
            let taken = lc::CMAC_Update(self.0.get(), data.as_ptr(), data.len());
            begun & taken & lc::CMAC_Final(self.0.get(), room.as_mut_ptr(), &raw mut len)
        };
        done("a bare code", status)
    }
}

/// ChaCha20-Poly1305.
pub(crate) struct ChaCha(Owned<lc::EVP_AEAD_CTX>);

impl ChaCha {
    pub(crate) fn new() -> Outcome<Self> {
        // SAFETY: a static and a key of its length.
        let context = unsafe {
            let cipher = lc::EVP_aead_chacha20_poly1305();
            lc::EVP_AEAD_CTX_new(cipher, KEY.as_ptr(), KEY.len(), TAG)
        };
        Ok(Self(Owned::new("ChaCha20-Poly1305", context, lc::EVP_AEAD_CTX_free)?))
    }

    pub(crate) fn seal(&self, nonce: &[u8; 12], plain: &[u8], room: &mut [u8]) -> Outcome<()> {
        let mut len = 0;
        // SAFETY: a live context with its key, slices with their lengths, nothing beside.
        let status = unsafe {
            lc::EVP_AEAD_CTX_seal(
                self.0.get(),
                room.as_mut_ptr(),
                &raw mut len,
                room.len(),
                nonce.as_ptr(),
                nonce.len(),
                plain.as_ptr(),
                plain.len(),
                null(),
                0,
            )
        };
        done("a bare sealing", status)
    }
}
