//! Keys that change with their use: each use of one with a limit is taken off, and a counter moves
//! on, in a commit of its own, before its output leaves.
//!
//! Processes count together, since the commit takes the newest version of the key. One that is
//! killed may have taken off a use that nobody had; none is given back. Counters of keys in
//! sessions move in memory, under the lock of the table.

use crate::error::{Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::object::class::one_time;
use crate::object::template::Template;
use crate::store::ObjectId;

use super::Token;
use super::note::Note;
use super::objects::went_away;

/// Whether a key may be used once more.
///
/// # Errors
/// `CKR_KEY_EXHAUSTED`.
pub(crate) fn check_left(key: &Object) -> Result<()> {
    left(&key.attributes)
}

fn left(key: &Template) -> Result<()> {
    match key.get(attribute::USES_LEFT) {
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
        self.change_newest(note, key, take_off)
    }

    /// Moves the counter of a key to what `next` says of the number that it has, and takes a use
    /// off the key if it has a limit. Of a key on the token the change is the record of the use.
    ///
    /// # Errors
    /// Those of `next`, and `CKR_KEY_EXHAUSTED`: then nothing moved. The store's.
    pub(crate) fn turn(
        &self,
        note: &Note,
        key: &Object,
        next: impl FnOnce(u64) -> Result<u64>,
    ) -> Result<()> {
        let turn = |attributes: &mut Template| {
            take_off(attributes)?;
            one_time::set_counter(attributes, next(one_time::counter(attributes)?)?);
            Ok(())
        };
        if key.is_set(attribute::TOKEN) {
            return self.change_newest(note, key, turn);
        }
        self.table.change_session_object(&key.attributes, turn)
    }

    /// Changes the newest version of a key on the token, which nobody else changes meanwhile.
    fn change_newest(
        &self,
        note: &Note,
        key: &Object,
        edit: impl FnOnce(&mut Template) -> Result<()>,
    ) -> Result<()> {
        let id = key.attributes.get(attribute::UNIQUE_ID).unwrap_or_default();
        let id = std::str::from_utf8(id).ok().and_then(ObjectId::named).ok_or_else(went_away)?;
        let mut change = self.begin_change(note, self.vault().as_ref())?;
        let row = self.row(&id, change.transaction.as_ref())?.ok_or_else(went_away)?;
        let newest = self.open(&row, change.transaction.as_ref())?;
        let mut attributes = newest.object.attributes.try_clone()?;
        edit(&mut attributes)?;
        let row = self.next_version(&row, &newest, &attributes, change.transaction.as_ref())?;
        if !change.transaction.replace(&row)? {
            return Err(went_away());
        }
        change.concerns(id, row.version);
        self.commit_change(change)
    }
}

/// Takes one use off a key that has a limit.
fn take_off(key: &mut Template) -> Result<()> {
    left(key)?;
    if let Some(left) = key.get(attribute::USES_LEFT) {
        key.set(attribute::USES_LEFT, left.saturating_sub(1));
    }
    Ok(())
}
