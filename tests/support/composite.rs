//! Composites: the numbers that no header has yet, and short ways to make such keys.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::module::call;
use super::operations::{Mechanism, in_two_calls, plain};
use super::rv::Rv;
use super::session::Session;
use super::template::{Template, len, template};

pub const CKK_COMP_SIG: ck::CK_ULONG = 0xC34C_0001;
pub const CKK_COMP_KEM: ck::CK_ULONG = 0xC34C_0002;
pub const CKM_COMP_SIG_KEY_PAIR_GEN: ck::CK_ULONG = 0x403d;
pub const CKM_COMP_SIG: ck::CK_ULONG = 0x403e;
pub const CKM_COMP_SIG_EXTERNAL_HASH: ck::CK_ULONG = 0x403f;
pub const CKM_COMP_KEM_KEY_PAIR_GEN: ck::CK_ULONG = 0x4040;
pub const CKM_COMP_KEM: ck::CK_ULONG = 0x4041;
pub const XWING: ck::CK_ULONG = 0xC34C_0001;

/// A public and a private key.
pub type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

/// A pair of session keys of this parameter set, whose private value can be read.
#[track_caller]
pub fn readable_pair(session: &Session<'_>, kind: ck::CK_ULONG, set: ck::CK_ULONG) -> Pair {
    let private = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
    let public = template! { CKA_PARAMETER_SET => set };
    session.generate_pair(&plain(kind), &public, &private).expect("a pair")
}

/// Both halves of a pair, to be created.
pub fn both(kind: ck::CK_ULONG, set: ck::CK_ULONG, public: &[u8], private: &[u8]) -> [Template; 2] {
    [(ck::CKO_PUBLIC_KEY, public), (ck::CKO_PRIVATE_KEY, private)].map(|(class, value)| {
        template! {
            CKA_CLASS => class, CKA_KEY_TYPE => kind, CKA_PARAMETER_SET => set, CKA_VALUE => value
        }
    })
}

/// A parameter with a context.
pub fn context(context: &[u8], hedge: ck::CK_HEDGE_TYPE) -> ck::CK_SIGN_ADDITIONAL_CONTEXT {
    ck::CK_SIGN_ADDITIONAL_CONTEXT {
        hedgeVariant: hedge,
        pContext: if context.is_empty() { null_mut() } else { context.as_ptr().cast_mut() },
        ulContextLen: len(context.len()),
    }
}

impl Session<'_> {
    /// Makes a secret for a public key: its ciphertext, and the handle of the key made of it.
    pub fn encapsulate_key(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<(Vec<u8>, ck::CK_OBJECT_HANDLE), Rv> {
        let (mut c, mut made) = (how.c, 0);
        let ciphertext = template.lend(|rows, count| {
            in_two_calls(|out, out_len| {
                let (m, made) = (&raw mut c, &raw mut made);
                call!(self, C_EncapsulateKey(self.handle, m, key, rows, count, out, out_len, made))
            })
        })?;
        Ok((ciphertext, made))
    }

    /// The handle of the key made of the secret in a ciphertext.
    pub fn decapsulate_key(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        template: &Template,
        ciphertext: &[u8],
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut made) = (how.c, 0);
        let (bytes, length) = super::operations::input(ciphertext);
        template
            .lend(|rows, count| {
                let (m, made) = (&raw mut c, &raw mut made);
                call!(self, C_DecapsulateKey(self.handle, m, key, rows, count, bytes, length, made))
            })
            .with(())?;
        Ok(made)
    }
}
