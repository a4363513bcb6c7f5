//! C_WrapKey and C_UnwrapKey, with and without associated data.

use cryptoki_sys as ck;

use super::module::call;
use super::operations::{Mechanism, in_two_calls, input};
use super::rv::Rv;
use super::session::Session;
use super::template::Template;

impl Session<'_> {
    /// Asks for the length, then for the bytes.
    #[track_caller]
    pub fn wrap(
        &self,
        how: &Mechanism<'_>,
        by: ck::CK_OBJECT_HANDLE,
        key: ck::CK_OBJECT_HANDLE,
    ) -> Result<Vec<u8>, Rv> {
        let mut c = how.c;
        in_two_calls(|out, out_len| {
            call!(self, C_WrapKey(self.handle, &raw mut c, by, key, out, out_len))
        })
    }

    pub fn unwrap_key(
        &self,
        how: &Mechanism<'_>,
        by: ck::CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &Template,
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut key, (from, from_len)) = (how.c, 0, input(wrapped));
        template
            .lend(|rows, count| {
                let (s, m) = (self.handle, &raw mut c);
                call!(self, C_UnwrapKey(s, m, by, from, from_len, rows, count, &raw mut key))
            })
            .with(())?;
        Ok(key)
    }

    #[track_caller]
    pub fn wrap_authenticated(
        &self,
        how: &Mechanism<'_>,
        (by, key): (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE),
        data: &[u8],
    ) -> Result<Vec<u8>, Rv> {
        let (mut c, (data, data_len), s) = (how.c, input(data), self.handle);
        in_two_calls(|out, out_len| {
            let m = &raw mut c;
            call!(self, C_WrapKeyAuthenticated(s, m, by, key, data, data_len, out, out_len))
        })
    }

    pub fn unwrap_authenticated(
        &self,
        how: &Mechanism<'_>,
        by: ck::CK_OBJECT_HANDLE,
        (wrapped, data): (&[u8], &[u8]),
        template: &Template,
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let (mut c, mut key, (from, from_len)) = (how.c, 0, input(wrapped));
        let (data, data_len) = input(data);
        template
            .lend(|rows, count| {
                let (s, m, k) = (self.handle, &raw mut c, &raw mut key);
                call!(
                    self,
                    C_UnwrapKeyAuthenticated(
                        s, m, by, from, from_len, rows, count, data, data_len, k
                    )
                )
            })
            .with(())?;
        Ok(key)
    }
}
