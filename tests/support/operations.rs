//! Cryptography through a session: mechanisms, and calls that ask for the length first, refuse
//! to be lied to about it, and look for writes beyond the room that they lent.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::module::call;
use super::rv::Rv;
use super::session::Session;
use super::template::{Template, len};

/// A mechanism with its parameter, which it borrows.
#[derive(Clone, Copy)]
pub struct Mechanism<'p> {
    pub c: ck::CK_MECHANISM,
    parameter: PhantomData<&'p [u8]>,
}

impl Mechanism<'static> {
    /// As a constant.
    pub const fn of(c: ck::CK_MECHANISM) -> Self {
        Self { c, parameter: PhantomData }
    }
}

/// A mechanism without parameter.
pub fn plain(mechanism: ck::CK_MECHANISM_TYPE) -> Mechanism<'static> {
    let c = ck::CK_MECHANISM { mechanism, pParameter: null_mut(), ulParameterLen: 0 };
    Mechanism { c, parameter: PhantomData }
}

/// A mechanism whose parameter is bytes, as an IV is.
pub fn with_bytes(mechanism: ck::CK_MECHANISM_TYPE, bytes: &[u8]) -> Mechanism<'_> {
    let pointer = bytes.as_ptr().cast::<c_void>().cast_mut();
    let c = ck::CK_MECHANISM { mechanism, pParameter: pointer, ulParameterLen: len(bytes.len()) };
    Mechanism { c, parameter: PhantomData }
}

/// A mechanism whose parameter is a structure of the standard.
pub fn with_struct<T>(mechanism: ck::CK_MECHANISM_TYPE, parameter: &T) -> Mechanism<'_> {
    let pointer = (&raw const *parameter).cast::<c_void>().cast_mut();
    let size = len(size_of::<T>());
    let c = ck::CK_MECHANISM { mechanism, pParameter: pointer, ulParameterLen: size };
    Mechanism { c, parameter: PhantomData }
}

/// What a byte next to lent room holds, before and after.
const CANARY: u8 = 0xC7;
const CANARIES: usize = 64;

/// Lends `room` bytes to `produce` and fails the test if anything beside them was written.
/// Gives the answer, the length that was reported, and the bytes.
#[track_caller]
pub fn lend_room(
    room: usize,
    produce: impl FnOnce(*mut u8, *mut ck::CK_ULONG) -> Rv,
) -> (Rv, usize, Vec<u8>) {
    let mut bytes = vec![CANARY; room + 2 * CANARIES];
    let mut length = len(room);
    let rv = produce(bytes[CANARIES..].as_mut_ptr(), &raw mut length);
    assert!(bytes[..CANARIES].iter().all(|&byte| byte == CANARY), "written before the room");
    let after = &bytes[CANARIES + room..];
    assert!(after.iter().all(|&byte| byte == CANARY), "written after the room of {room}");
    let length = usize::try_from(length).expect("a length");
    (rv, length, bytes[CANARIES..CANARIES + room].to_vec())
}

/// The two-call convention: asks for the length, then for the bytes, and checks both answers.
#[track_caller]
pub fn in_two_calls(
    mut produce: impl FnMut(*mut u8, *mut ck::CK_ULONG) -> Rv,
) -> Result<Vec<u8>, Rv> {
    let mut needed = 0;
    produce(null_mut(), &raw mut needed).with(())?;
    let (rv, written, mut bytes) =
        lend_room(usize::try_from(needed).expect("a length"), &mut produce);
    rv.with(())?;
    assert!(written <= bytes.len(), "more was reported than there was room for");
    bytes.truncate(written);
    Ok(bytes)
}

/// Input as pointer and length.
pub fn input(bytes: &[u8]) -> (*mut u8, ck::CK_ULONG) {
    (bytes.as_ptr().cast_mut(), len(bytes.len()))
}

/// Calls that begin an operation with a mechanism and a key.
macro_rules! beginnings {
    ($($name:ident = $function:ident;)*) => {
        impl Session<'_> { $(
            pub fn $name(&self, how: &Mechanism<'_>, key: ck::CK_OBJECT_HANDLE) -> Result<(), Rv> {
                let mut c = how.c;
                call!(self, $function(self.handle, &raw mut c, key)).with(())
            }
        )* }
    };
}

beginnings! {
    encrypt_init = C_EncryptInit;
    decrypt_init = C_DecryptInit;
    sign_init = C_SignInit;
    verify_init = C_VerifyInit;
    sign_recover_init = C_SignRecoverInit;
    verify_recover_init = C_VerifyRecoverInit;
    message_encrypt_init = C_MessageEncryptInit;
    message_decrypt_init = C_MessageDecryptInit;
    message_sign_init = C_MessageSignInit;
    message_verify_init = C_MessageVerifyInit;
}

/// Calls with input and output of variable length.
macro_rules! transformations {
    ($($name:ident = $function:ident;)*) => {
        impl Session<'_> { $(
            #[track_caller]
            pub fn $name(&self, bytes: &[u8]) -> Result<Vec<u8>, Rv> {
                let (pointer, length) = input(bytes);
                in_two_calls(|out, out_len| {
                    call!(self, $function(self.handle, pointer, length, out, out_len))
                })
            }
        )* }
    };
}

transformations! {
    encrypt_data = C_Encrypt;
    encrypt_update = C_EncryptUpdate;
    decrypt_data = C_Decrypt;
    decrypt_update = C_DecryptUpdate;
    sign_data = C_Sign;
    digest_data = C_Digest;
    digest_encrypt_update = C_DigestEncryptUpdate;
    decrypt_digest_update = C_DecryptDigestUpdate;
    sign_encrypt_update = C_SignEncryptUpdate;
    decrypt_verify_update = C_DecryptVerifyUpdate;
    sign_recover_data = C_SignRecover;
    verify_recover_data = C_VerifyRecover;
}

/// Calls that only give output.
macro_rules! endings {
    ($($name:ident = $function:ident;)*) => {
        impl Session<'_> { $(
            #[track_caller]
            pub fn $name(&self) -> Result<Vec<u8>, Rv> {
                in_two_calls(|out, out_len| call!(self, $function(self.handle, out, out_len)))
            }
        )* }
    };
}

endings! {
    encrypt_final = C_EncryptFinal;
    decrypt_final = C_DecryptFinal;
    sign_final = C_SignFinal;
    digest_final = C_DigestFinal;
}

/// Calls that only take input.
macro_rules! intakes {
    ($($name:ident = $function:ident;)*) => {
        impl Session<'_> { $(
            pub fn $name(&self, bytes: &[u8]) -> Result<(), Rv> {
                let (pointer, length) = input(bytes);
                call!(self, $function(self.handle, pointer, length)).with(())
            }
        )* }
    };
}

intakes! {
    sign_update = C_SignUpdate;
    digest_update = C_DigestUpdate;
    verify_update = C_VerifyUpdate;
    verify_final = C_VerifyFinal;
    verify_signature_data = C_VerifySignature;
    verify_signature_update = C_VerifySignatureUpdate;
    seed_random = C_SeedRandom;
}

impl Session<'_> {
    pub fn digest_init(&self, how: &Mechanism<'_>) -> Result<(), Rv> {
        let mut c = how.c;
        call!(self, C_DigestInit(self.handle, &raw mut c)).with(())
    }

    pub fn verify_signature_init(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        signature: &[u8],
    ) -> Result<(), Rv> {
        let (mut c, s, (start, length)) = (how.c, self.handle, input(signature));
        call!(self, C_VerifySignatureInit(s, &raw mut c, key, start, length)).with(())
    }

    pub fn verify_signature_final(&self) -> Result<(), Rv> {
        call!(self, C_VerifySignatureFinal(self.handle)).with(())
    }

    pub fn verify_data(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        let ((data, data_len), (signature, signature_len)) = (input(data), input(signature));
        call!(self, C_Verify(self.handle, data, data_len, signature, signature_len)).with(())
    }

    /// C_SignInit and C_Sign.
    #[track_caller]
    pub fn sign(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        data: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        self.sign_init(how, key)?;
        self.sign_data(data)
    }

    /// C_SignInit, C_SignUpdate with each part, C_SignFinal.
    #[track_caller]
    pub fn sign_parts(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        parts: &[&[u8]],
    ) -> Result<Vec<u8>, Rv> {
        self.sign_init(how, key)?;
        parts.iter().try_for_each(|part| self.sign_update(part))?;
        self.sign_final()
    }

    /// C_VerifyInit and C_Verify.
    pub fn verify(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Rv> {
        self.verify_init(how, key)?;
        self.verify_data(data, signature)
    }

    /// C_EncryptInit and C_Encrypt.
    #[track_caller]
    pub fn encrypt(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        plain: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        self.encrypt_init(how, key)?;
        self.encrypt_data(plain)
    }

    /// C_DecryptInit and C_Decrypt.
    #[track_caller]
    pub fn decrypt(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        sealed: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        self.decrypt_init(how, key)?;
        self.decrypt_data(sealed)
    }

    /// C_DigestInit and C_Digest.
    #[track_caller]
    pub fn digest(&self, how: &Mechanism<'_>, data: &[u8]) -> Result<Vec<u8>, Rv> {
        self.digest_init(how)?;
        self.digest_data(data)
    }

    pub fn generate(
        &self,
        how: &Mechanism<'_>,
        template: &Template,
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut key) = (how.c, 0);
        template
            .lend(|rows, count| {
                call!(self, C_GenerateKey(self.handle, &raw mut c, rows, count, &raw mut key))
            })
            .with(())?;
        Ok(key)
    }

    /// Gives the public and the private key.
    pub fn generate_pair(
        &self,
        how: &Mechanism<'_>,
        public: &Template,
        private: &Template,
    ) -> Result<(ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE), Rv> {
        let (mut c, mut keys) = (how.c, (0, 0));
        public
            .lend(|pub_rows, pub_count| {
                private.lend(|rows, count| {
                    let (s, m) = (self.handle, &raw mut c);
                    let (first, second) = (&raw mut keys.0, &raw mut keys.1);
                    call!(
                        self,
                        C_GenerateKeyPair(s, m, pub_rows, pub_count, rows, count, first, second)
                    )
                })
            })
            .with(())?;
        Ok(keys)
    }

    pub fn derive(
        &self,
        how: &Mechanism<'_>,
        base: ck::CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut key) = (how.c, 0);
        template
            .lend(|rows, count| {
                call!(self, C_DeriveKey(self.handle, &raw mut c, base, rows, count, &raw mut key))
            })
            .with(())?;
        Ok(key)
    }
}
