//! Objects. PKCS#11 3.2, "Object management functions".

use std::sync::{Arc, PoisonError};

use crate::error::Result;
use crate::object::template::Template;
use crate::token::objects::Held;

use super::Call;

impl Call<'_> {
    /// C_CreateObject; the object's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn create_object(&self, template: Template) -> Result<u64> {
        self.token().create(&self.viewer()?, template)
    }

    /// C_CopyObject; the copy's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn copy_object(&self, object: u64, changes: &Template) -> Result<u64> {
        self.token().copy(&self.viewer()?, object, changes)
    }

    /// C_DestroyObject.
    ///
    /// # Errors
    /// The standard's, the store's.
    pub fn destroy_object(&self, object: u64) -> Result<()> {
        self.token().destroy(&self.viewer()?, object)
    }

    /// C_GetObjectSize: not told. What an object takes in the store says nothing that a caller
    /// could use.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID`, the store's.
    pub fn object_size(&self, object: u64) -> Result<u64> {
        self.object(object)?;
        Ok(u64::MAX)
    }

    /// An object that is in sight.
    pub(crate) fn object(&self, object: u64) -> Result<Arc<Held>> {
        self.token().object(&self.viewer()?, object)
    }

    /// A key that is in sight.
    pub(crate) fn key(&self, key: u64) -> Result<Arc<Held>> {
        let viewer = self.viewer()?;
        let mut last = self.open.last_key.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.token().key_again(&viewer, key, &mut last)?;
        self.note.concerns(&held);
        Ok(held)
    }

    /// C_SetAttributeValue.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn set_attributes(&self, object: u64, changes: &Template) -> Result<()> {
        self.token().set_attributes(&self.viewer()?, object, changes)
    }
}
