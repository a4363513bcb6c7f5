//! C_EncapsulateKey and C_DecapsulateKey, which only modules of PKCS#11 3.2 have.

#![allow(unsafe_code)]

use super::attributes::{Attributes, Mechanism};
use super::module::{Module, Outcome, Refusal};
use super::shelf::Shelf;
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

/// Both functions of a module with what a caller has ready for them, and a session for the keys
/// that they make.
pub(crate) struct Kem<'m> {
    encapsulate: Encapsulate,
    decapsulate: Decapsulate,
    pub(crate) shelf: Shelf<'m>,
    mechanism: Mechanism,
    /// Of a secret of the session that nobody reads.
    template: Attributes,
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
        let template = Attributes::new()
            .number(CKA_CLASS, CKO_SECRET_KEY)
            .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
            .flag(CKA_SENSITIVE, true)
            .flag(CKA_EXTRACTABLE, false);
        let (shelf, mechanism) = (Shelf::of(module)?, Mechanism::plain(CKM_ML_KEM));
        Ok(Self { encapsulate, decapsulate, shelf, mechanism, template })
    }

    /// Writes the ciphertext of a new secret, and gives its length.
    pub(crate) fn encapsulate(&mut self, key: CK_OBJECT_HANDLE, room: &mut [u8]) -> Outcome<usize> {
        let (mut m, session) = (self.mechanism.as_c(), self.shelf.session().handle());
        let (rows, mut len, mut made) = (self.template.as_c(), room.len() as CK_ULONG, 0);
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
        answer("C_EncapsulateKey", rv).map(|()| len as usize)
    }

    /// Finds the secret of a ciphertext.
    pub(crate) fn decapsulate(&mut self, key: CK_OBJECT_HANDLE, ciphertext: &[u8]) -> Outcome<()> {
        let (mut m, session) = (self.mechanism.as_c(), self.shelf.session().handle());
        let (rows, mut made) = (self.template.as_c(), 0);
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
