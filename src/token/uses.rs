//! Keys with a limit: each use is taken off in a commit of its own, before its output leaves.
//!
//! Processes count together, since the commit takes the newest version of the key. One that is
//! killed may have taken off a use that nobody had; none is given back.

use crate::error::{Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::store::ObjectId;

use super::Token;
use super::note::Note;
use super::objects::went_away;

/// Whether a key may be used once more.
///
/// # Errors
/// `CKR_KEY_EXHAUSTED`.
pub(crate) fn check_left(key: &Object) -> Result<()> {
    match key.attributes.get(attribute::USES_LEFT) {
        Some(0) => Err(Rv::KeyExhausted.because("CKA_CLAVIGER_USES_LEFT is 0")),
        _ => Ok(()),
    }
}

impl Token {
    /// Takes one use off a key that has a limit; the change is the record of the use.
    ///
    /// # Errors
    /// `CKR_KEY_EXHAUSTED` if others have taken the last one; the store's.
    pub(crate) fn take_use(&self, note: &Note, key: &Object) -> Result<()> {
        if !key.attributes.contains(attribute::USES_LEFT.id) {
            return Ok(());
        }
        let id = key.attributes.get(attribute::UNIQUE_ID).unwrap_or_default();
        let id = std::str::from_utf8(id).ok().and_then(ObjectId::named).ok_or_else(went_away)?;
        let mut change = self.begin_change(note, self.vault().as_ref())?;
        let row = self.row(&id, change.transaction.as_ref())?.ok_or_else(went_away)?;
        let newest = self.open(&row, change.transaction.as_ref())?;
        check_left(&newest.object)?;
        let mut attributes = newest.object.attributes.try_clone()?;
        let left = attributes.get(attribute::USES_LEFT).unwrap_or_default().saturating_sub(1);
        attributes.set(attribute::USES_LEFT, left);
        let row = self.next_version(&row, &newest, &attributes, change.transaction.as_ref())?;
        if !change.transaction.replace(&row)? {
            return Err(went_away());
        }
        change.concerns(id, row.version);
        self.commit_change(change)
    }
}
