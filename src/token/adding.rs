//! Takes new objects in: onto the token, all of them in one transaction, or into a session.

use std::sync::Arc;

use crate::error::{Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::object::template::Template;
use crate::store::ObjectId;

use super::Token;
use super::objects::Viewer;
use super::sealed::row_of;
use super::table::{Held, Place};

impl Token {
    /// Takes in a whole object; its handle.
    pub(crate) fn add(&self, viewer: &Viewer, mut whole: Template) -> Result<u64> {
        if !whole.is_set(attribute::TOKEN) {
            let id = self.name(&mut whole)?;
            let object = Arc::new(Object::new(whole));
            self.record_made(viewer, Some(&object))?;
            return Ok(self.hand_out(viewer, id, object));
        }
        let handles = self.add_all(viewer, vec![whole])?;
        handles.first().copied().ok_or_else(|| Rv::GeneralError.because("no handle"))
    }

    /// Takes in whole objects together: all of them, in one transaction, or none.
    pub(crate) fn add_all(&self, viewer: &Viewer, all: Vec<Template>) -> Result<Vec<u64>> {
        let named = self.with_names(all)?;
        self.add_named(viewer, named, |_| ())
    }

    /// Gives new objects their names.
    pub(super) fn with_names(&self, all: Vec<Template>) -> Result<Vec<(ObjectId, Template)>> {
        let one = |mut whole: Template| Ok((self.name(&mut whole)?, whole));
        all.into_iter().map(one).collect()
    }

    /// Takes in objects that have their names. What the record of each says beside that is up to
    /// `about`.
    pub(super) fn add_named(
        &self,
        viewer: &Viewer,
        named: Vec<(ObjectId, Template)>,
        about: impl Fn(&Template),
    ) -> Result<Vec<u64>> {
        let stored = |whole: &Template| whole.is_set(attribute::TOKEN);
        if named.iter().any(|(_, whole)| stored(whole)) {
            let vault = self.vault();
            let mut change = self.begin_change(viewer.note, vault.as_ref())?;
            for (id, whole) in named.iter().filter(|(_, whole)| stored(whole)) {
                let row = row_of(*id, 1, whole, vault.as_ref(), change.transaction.as_ref())?;
                change.transaction.insert(&row)?;
                about(whole);
                change.concerns(*id, 1);
            }
            self.commit_change(change)?;
        }
        let objects: Vec<_> =
            named.into_iter().map(|(id, whole)| (id, Arc::new(Object::new(whole)))).collect();
        self.record_made(viewer, objects.last().map(|(_, object)| object))?;
        Ok(objects.into_iter().map(|(id, object)| self.hand_out(viewer, id, object)).collect())
    }

    /// Gives a new object its name.
    fn name(&self, whole: &mut Template) -> Result<ObjectId> {
        let id = match whole.is_set(attribute::TOKEN) {
            true => ObjectId::random()?,
            false => self.table.new_name()?,
        };
        whole.set(attribute::UNIQUE_ID, id.text());
        Ok(id)
    }

    /// What is made in a session alone is not handed out before it is on record.
    fn record_made(&self, viewer: &Viewer, object: Option<&Arc<Object>>) -> Result<()> {
        let Some(object) = object.filter(|_| viewer.note.lacks(true)) else { return Ok(()) };
        viewer.note.names(Arc::clone(object), 0);
        self.record(viewer.note, "CKR_OK")
    }

    /// A handle for an object that was just made.
    fn hand_out(&self, viewer: &Viewer, id: ObjectId, object: Arc<Object>) -> u64 {
        let private = object.is_set(attribute::PRIVATE);
        if object.is_set(attribute::TOKEN) {
            return self.table.handle_of(id, private);
        }
        let place = Place::Session(viewer.session);
        self.table.add_session_object(Held { object, place, private })
    }
}
