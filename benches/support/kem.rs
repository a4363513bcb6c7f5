//! C_EncapsulateKey and C_DecapsulateKey, which only modules of PKCS#11 3.2 have.

#![allow(unsafe_code)]

use super::attributes::{Attributes, Mechanism};
use super::module::{Module, Outcome, Refusal, Session};
use super::scratch::slot;
use cryptoki_sys::{
    CK_ATTRIBUTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CKA_CLASS,
    CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_SENSITIVE, CKK_GENERIC_SECRET, CKM_ML_KEM, CKO_SECRET_KEY,
    CKR_OK,
};

type Encapsulate = unsafe extern "C" fn(
    CK_SESSION_HANDLE,
    *mut CK_MECHANISM,
    CK_OBJECT_HANDLE,
    *mut CK_ATTRIBUTE,
    CK_ULONG,
    *mut u8,
    *mut CK_ULONG,
    *mut CK_OBJECT_HANDLE,
) -> CK_RV;
type Decapsulate = unsafe extern "C" fn(
    CK_SESSION_HANDLE,
    *mut CK_MECHANISM,
    CK_OBJECT_HANDLE,
    *mut CK_ATTRIBUTE,
    CK_ULONG,
    *mut u8,
    CK_ULONG,
    *mut CK_OBJECT_HANDLE,
) -> CK_RV;

/// Keys of a session before it is closed, and they with it.
const MOST: usize = 256;

/// Both functions of a module, and a session for the keys that they make.
pub(crate) struct Kem<'m> {
    module: &'m Module,
    encapsulate: Encapsulate,
    decapsulate: Decapsulate,
    session: Session<'m>,
    made: usize,
}

/// A secret of the session that nobody reads.
fn secret() -> Attributes {
    Attributes::new()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
        .flag(CKA_SENSITIVE, true)
        .flag(CKA_EXTRACTABLE, false)
}

fn answer(call: &str, rv: CK_RV) -> Outcome<()> {
    if rv == CKR_OK { Ok(()) } else { Err(Refusal { call: call.to_owned(), rv }) }
}

impl<'m> Kem<'m> {
    pub(crate) fn of(module: &'m Module) -> Outcome<Self> {
        // SAFETY: the standard's types.
        let encapsulate = unsafe { module.exported("C_EncapsulateKey") }?;
        // SAFETY: as above.
        let decapsulate = unsafe { module.exported("C_DecapsulateKey") }?;
        let session = module.open(slot(module)?)?;
        Ok(Self { module, encapsulate, decapsulate, session, made: 0 })
    }

    /// The session for the next key: now and then a new one.
    fn session(&mut self) -> Outcome<CK_SESSION_HANDLE> {
        self.made += 1;
        if self.made.is_multiple_of(MOST) {
            let fresh = self.module.open(slot(self.module)?)?;
            std::mem::replace(&mut self.session, fresh).close()?;
        }
        Ok(self.session.handle())
    }

    /// The ciphertext of a new secret.
    pub(crate) fn encapsulate(&mut self, key: CK_OBJECT_HANDLE) -> Outcome<Vec<u8>> {
        let (mut how, mut template) = (Mechanism::plain(CKM_ML_KEM), secret());
        let (mut m, mut rows, session) = (how.as_c(), template.as_c(), self.session()?);
        let (mut room, mut len, mut made) = (vec![0; 2048], 2048, 0);
        // SAFETY: references and slices that outlive the call, with their own lengths.
        let rv = unsafe {
            (self.encapsulate)(
                session,
                &raw mut m,
                key,
                rows.as_mut_ptr(),
                rows.len() as CK_ULONG,
                room.as_mut_ptr(),
                &raw mut len,
                &raw mut made,
            )
        };
        answer("C_EncapsulateKey", rv)?;
        room.truncate(len as usize);
        Ok(room)
    }

    /// Finds the secret of a ciphertext.
    pub(crate) fn decapsulate(&mut self, key: CK_OBJECT_HANDLE, ciphertext: &[u8]) -> Outcome<()> {
        let (mut how, mut template) = (Mechanism::plain(CKM_ML_KEM), secret());
        let (mut m, mut rows, mut made) = (how.as_c(), template.as_c(), 0);
        let session = self.session()?;
        // SAFETY: as above.
        let rv = unsafe {
            (self.decapsulate)(
                session,
                &raw mut m,
                key,
                rows.as_mut_ptr(),
                rows.len() as CK_ULONG,
                ciphertext.as_ptr().cast_mut(),
                ciphertext.len() as CK_ULONG,
                &raw mut made,
            )
        };
        answer("C_DecapsulateKey", rv)
    }
}
