//! C_EncapsulateKey and C_DecapsulateKey through a session.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::module::call;
use super::operations::{Mechanism, input, lend_room};
use super::rv::Rv;
use super::session::Session;
use super::template::{Template, len};

impl Session<'_> {
    /// Asks for the length, then for the ciphertext and the key; gives both.
    #[track_caller]
    pub fn encapsulate(
        &self,
        how: &Mechanism<'_>,
        public: ck::CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<(Vec<u8>, ck::CK_OBJECT_HANDLE), Rv> {
        let (mut c, session) = (how.c, self.handle);
        let (mut needed, mut key) = (0, 0);
        template
            .lend(|rows, count| {
                let (m, length) = (&raw mut c, &raw mut needed);
                let none = null_mut();
                call!(
                    self,
                    C_EncapsulateKey(session, m, public, rows, count, none, length, null_mut())
                )
            })
            .with(())?;
        let room = usize::try_from(needed).expect("a length");
        let (rv, written, bytes) = lend_room(room, |buffer, length| {
            template.lend(|rows, count| {
                let (m, k) = (&raw mut c, &raw mut key);
                call!(self, C_EncapsulateKey(session, m, public, rows, count, buffer, length, k))
            })
        });
        rv.with(())?;
        assert_eq!(written, bytes.len(), "the length that was told");
        Ok((bytes, key))
    }

    /// Lends room of a length; gives the answer, the length that came back, and the handle.
    pub fn encapsulate_into(
        &self,
        how: &Mechanism<'_>,
        public: ck::CK_OBJECT_HANDLE,
        template: &Template,
        room: usize,
    ) -> (Rv, usize, ck::CK_OBJECT_HANDLE) {
        let (mut c, mut key, session) = (how.c, 0, self.handle);
        let (rv, length, _) = lend_room(room, |buffer, length| {
            template.lend(|rows, count| {
                let (m, k) = (&raw mut c, &raw mut key);
                call!(self, C_EncapsulateKey(session, m, public, rows, count, buffer, length, k))
            })
        });
        (rv, length, key)
    }

    #[track_caller]
    pub fn decapsulate(
        &self,
        how: &Mechanism<'_>,
        private: ck::CK_OBJECT_HANDLE,
        template: &Template,
        ciphertext: &[u8],
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut key) = (how.c, 0);
        let (bytes, length) = input(ciphertext);
        template
            .lend(|rows, count| {
                let (s, m, k) = (self.handle, &raw mut c, &raw mut key);
                call!(self, C_DecapsulateKey(s, m, private, rows, count, bytes, length, k))
            })
            .with(())?;
        Ok(key)
    }
}

/// A parameter for signatures with a context.
pub fn context(hedge: ck::CK_HEDGE_TYPE, bytes: &[u8]) -> ck::CK_SIGN_ADDITIONAL_CONTEXT {
    ck::CK_SIGN_ADDITIONAL_CONTEXT {
        hedgeVariant: hedge,
        pContext: bytes.as_ptr().cast_mut(),
        ulContextLen: len(bytes.len()),
    }
}

/// A parameter for signatures of a digest.
pub fn hash_context(hash: ck::CK_MECHANISM_TYPE) -> ck::CK_HASH_SIGN_ADDITIONAL_CONTEXT {
    ck::CK_HASH_SIGN_ADDITIONAL_CONTEXT {
        hedgeVariant: ck::CKH_HEDGE_PREFERRED,
        pContext: null_mut(),
        ulContextLen: 0,
        hash,
    }
}
