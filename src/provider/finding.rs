//! Searching. PKCS#11 3.2, "C_FindObjectsInit" and the two after it.

use crate::error::{Result, Rv};
use crate::object::template::Template;
use crate::session::find::FindOperation;
use crate::session::operation::Operation;

use super::Call;

impl Call<'_> {
    /// C_FindObjectsInit. `None` stands for a template that nothing can match.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, the store's.
    pub(crate) fn find_init(&self, wanted: Option<&Template>) -> Result<()> {
        self.open.session.operations().find.refuse_active()?;
        let found = match wanted {
            Some(wanted) => self.token().find(&self.viewer()?, wanted)?,
            None => Vec::new(),
        };
        self.open.session.operations().find.start(false, || Ok(FindOperation::new(found)))
    }

    /// C_FindObjects: at most `count` handles.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub fn find(&self, count: usize) -> Result<Vec<u64>> {
        match &mut self.open.session.operations().find {
            Operation::Ready(find) | Operation::Streaming(find) => Ok(find.next(count).collect()),
            Operation::Idle | Operation::AwaitingLogin(_) => {
                Err(Rv::OperationNotInitialized.because("no search is active"))
            }
        }
    }

    /// C_FindObjectsFinal.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub fn find_final(&self) -> Result<()> {
        self.open
            .session
            .operations()
            .find
            .judge(crate::session::operation::Ending::Parts, |_| Ok(()))
    }
}
