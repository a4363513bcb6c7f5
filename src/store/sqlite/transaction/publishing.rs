//! Checkpoints that are published beside the log that they are of.

use super::super::{head, token};
use super::SqliteTransaction;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::note::Note;
use crate::store::StoreError;
use crate::store::log::Log;

impl SqliteTransaction<'_> {
    /// Publishes a checkpoint of the current log.
    pub(in crate::store::sqlite) fn publish(&self, checkpoint: &str) -> Result<(), StoreError> {
        let (log, size) = self.log_of(checkpoint)?;
        log.publish(size, checkpoint)
    }

    /// Keeps a checkpoint of the current log that a witness has signed.
    pub(in crate::store::sqlite) fn keep_witnessed(
        &self,
        checkpoint: &str,
    ) -> Result<(), StoreError> {
        self.log_of(checkpoint)?.0.keep_witnessed(checkpoint)
    }

    /// The current log, if this is a checkpoint of it; and the checkpoint's size.
    fn log_of(&self, checkpoint: &str) -> Result<(Log, u64), StoreError> {
        let found = head::read(self.connection()?)?;
        let serial = token::serial(self.connection()?)?;
        let wrong = || StoreError::Io("the checkpoint is not one of this log".to_owned());
        let note = Note::parse(checkpoint.as_bytes()).map_err(|_| wrong())?;
        let signed = Checkpoint::parse(note.text()).map_err(|_| wrong())?;
        let same = signed.size < found.size || signed.root == found.root;
        if signed.origin != found.origin(&serial) || signed.size > found.size || !same {
            return Err(wrong());
        }
        let log = self.registry.of(self.key)?.place().log.of(found.generation);
        Ok((log, signed.size))
    }
}
