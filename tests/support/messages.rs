//! Calls that encrypt, decrypt, sign and verify one message after another.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::module::call;
use super::operations::{in_two_calls, input};
use super::rv::Rv;
use super::session::Session;
use super::template::len;

/// What one message brings, as the structure that the standard has for it.
pub trait MessageParams {
    type C;

    fn c(&mut self) -> Self::C;
}

/// The parameter of one message of AES-GCM, with its own nonce and tag.
pub struct Gcm {
    pub nonce: Vec<u8>,
    pub fixed_bits: ck::CK_ULONG,
    pub generator: ck::CK_ULONG,
    pub tag: Vec<u8>,
    pub tag_bits: ck::CK_ULONG,
}

impl Gcm {
    /// The caller's nonce, a tag of 16 bytes.
    pub fn with(nonce: &[u8]) -> Self {
        let (nonce, tag) = (nonce.to_vec(), vec![0; 16]);
        Self { nonce, fixed_bits: 0, generator: ck::CKG_NO_GENERATE, tag, tag_bits: 128 }
    }

    /// A nonce that the token makes but for its first bits.
    pub fn made_by(generator: ck::CK_ULONG, nonce: &[u8], fixed_bits: ck::CK_ULONG) -> Self {
        Self { fixed_bits, generator, ..Self::with(nonce) }
    }
}

impl MessageParams for Gcm {
    type C = ck::CK_GCM_MESSAGE_PARAMS;

    fn c(&mut self) -> Self::C {
        ck::CK_GCM_MESSAGE_PARAMS {
            pIv: self.nonce.as_mut_ptr(),
            ulIvLen: len(self.nonce.len()),
            ulIvFixedBits: self.fixed_bits,
            ivGenerator: self.generator,
            pTag: self.tag.as_mut_ptr(),
            ulTagBits: self.tag_bits,
        }
    }
}

/// The parameter of one message of AES-CCM.
pub struct Ccm {
    pub data_len: ck::CK_ULONG,
    pub nonce: Vec<u8>,
    pub fixed_bits: ck::CK_ULONG,
    pub generator: ck::CK_ULONG,
    pub tag: Vec<u8>,
}

impl MessageParams for Ccm {
    type C = ck::CK_CCM_MESSAGE_PARAMS;

    fn c(&mut self) -> Self::C {
        ck::CK_CCM_MESSAGE_PARAMS {
            ulDataLen: self.data_len,
            pNonce: self.nonce.as_mut_ptr(),
            ulNonceLen: len(self.nonce.len()),
            ulNonceFixedBits: self.fixed_bits,
            nonceGenerator: self.generator,
            pMAC: self.tag.as_mut_ptr(),
            ulMACLen: len(self.tag.len()),
        }
    }
}

/// The parameter of one message of ChaCha20-Poly1305.
pub struct ChaCha {
    pub nonce: Vec<u8>,
    pub tag: Vec<u8>,
}

impl MessageParams for ChaCha {
    type C = ck::CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS;

    fn c(&mut self) -> Self::C {
        ck::CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {
            pNonce: self.nonce.as_mut_ptr(),
            ulNonceLen: len(self.nonce.len() * 8),
            pTag: self.tag.as_mut_ptr(),
        }
    }
}

/// A structure of the standard as pointer and length.
pub fn parameter<T>(structure: &mut T) -> (*mut c_void, ck::CK_ULONG) {
    ((&raw mut *structure).cast(), len(size_of::<T>()))
}

const NONE: (*mut c_void, ck::CK_ULONG) = (null_mut(), 0);

impl Session<'_> {
    #[track_caller]
    pub fn encrypt_message(
        &self,
        how: &mut impl MessageParams,
        aad: &[u8],
        data: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        let (s, (aad, aad_len), (data, data_len)) = (self.handle, input(aad), input(data));
        let mut c = how.c();
        let (start, size) = parameter(&mut c);
        in_two_calls(|out, room| {
            call!(self, C_EncryptMessage(s, start, size, aad, aad_len, data, data_len, out, room))
        })
    }

    #[track_caller]
    pub fn decrypt_message(
        &self,
        how: &mut impl MessageParams,
        aad: &[u8],
        data: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        let (s, (aad, aad_len), (data, data_len)) = (self.handle, input(aad), input(data));
        let mut c = how.c();
        let (start, size) = parameter(&mut c);
        in_two_calls(|out, room| {
            call!(self, C_DecryptMessage(s, start, size, aad, aad_len, data, data_len, out, room))
        })
    }

    pub fn encrypt_message_begin(
        &self,
        how: &mut impl MessageParams,
        aad: &[u8],
    ) -> Result<(), Rv> {
        let (s, (aad, aad_len), mut c) = (self.handle, input(aad), how.c());
        let (start, size) = parameter(&mut c);
        call!(self, C_EncryptMessageBegin(s, start, size, aad, aad_len)).with(())
    }

    pub fn decrypt_message_begin(
        &self,
        how: &mut impl MessageParams,
        aad: &[u8],
    ) -> Result<(), Rv> {
        let (s, (aad, aad_len), mut c) = (self.handle, input(aad), how.c());
        let (start, size) = parameter(&mut c);
        call!(self, C_DecryptMessageBegin(s, start, size, aad, aad_len)).with(())
    }

    #[track_caller]
    pub fn encrypt_message_next(
        &self,
        how: &mut impl MessageParams,
        part: &[u8],
        flags: ck::CK_FLAGS,
    ) -> Result<Vec<u8>, Rv> {
        let (s, (part, part_len), mut c) = (self.handle, input(part), how.c());
        let (start, size) = parameter(&mut c);
        in_two_calls(|out, room| {
            call!(self, C_EncryptMessageNext(s, start, size, part, part_len, out, room, flags))
        })
    }

    #[track_caller]
    pub fn decrypt_message_next(
        &self,
        how: &mut impl MessageParams,
        part: &[u8],
        flags: ck::CK_FLAGS,
    ) -> Result<Vec<u8>, Rv> {
        let (s, (part, part_len), mut c) = (self.handle, input(part), how.c());
        let (start, size) = parameter(&mut c);
        in_two_calls(|out, room| {
            call!(self, C_DecryptMessageNext(s, start, size, part, part_len, out, room, flags))
        })
    }

    /// C_SignMessage without a parameter.
    #[track_caller]
    pub fn sign_message(&self, data: &[u8]) -> Result<Vec<u8>, Rv> {
        let (s, (data, data_len), (start, size)) = (self.handle, input(data), NONE);
        in_two_calls(|out, room| {
            call!(self, C_SignMessage(s, start, size, data, data_len, out, room))
        })
    }

    pub fn sign_message_begin(&self) -> Result<(), Rv> {
        call!(self, C_SignMessageBegin(self.handle, NONE.0, NONE.1)).with(())
    }

    /// C_SignMessageNext with a part that is not the last.
    pub fn sign_message_part(&self, part: &[u8]) -> Result<(), Rv> {
        let (s, (part, part_len), (start, size)) = (self.handle, input(part), NONE);
        let (none, no_len) = (null_mut(), null_mut());
        call!(self, C_SignMessageNext(s, start, size, part, part_len, none, no_len)).with(())
    }

    /// C_SignMessageNext with the last part.
    #[track_caller]
    pub fn sign_message_last(&self, part: &[u8]) -> Result<Vec<u8>, Rv> {
        let (s, (part, part_len), (start, size)) = (self.handle, input(part), NONE);
        in_two_calls(|out, room| {
            call!(self, C_SignMessageNext(s, start, size, part, part_len, out, room))
        })
    }

    pub fn verify_message(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        let (s, (data, data_len), (start, size)) = (self.handle, input(data), NONE);
        let (signature, signature_len) = input(signature);
        call!(self, C_VerifyMessage(s, start, size, data, data_len, signature, signature_len))
            .with(())
    }

    pub fn verify_message_begin(&self) -> Result<(), Rv> {
        call!(self, C_VerifyMessageBegin(self.handle, NONE.0, NONE.1)).with(())
    }

    pub fn verify_message_next(&self, part: &[u8], signature: Option<&[u8]>) -> Result<(), Rv> {
        let (s, (part, part_len), (start, size)) = (self.handle, input(part), NONE);
        let (signature, signature_len) = signature.map_or((null_mut(), 0), input);
        call!(self, C_VerifyMessageNext(s, start, size, part, part_len, signature, signature_len))
            .with(())
    }
}
