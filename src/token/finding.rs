//! Searching the objects of a token. What an index says is a proposal: only rows that the state
//! tree holds are handed out. PKCS#11 3.2, "C_FindObjectsInit".

use std::sync::Arc;

use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::format;
use crate::object::class::reading::matches;
use crate::object::template::Template;
use crate::store::{Mode, ObjectId, Query, StoreError, StoredObject, Transaction};

use super::Token;
use super::objects::{Held, Viewer};
use super::quarantine::CHANGED;
use super::sealed::query_of;
use super::table::Kind;
use super::view::View;

impl Token {
    /// C_FindObjectsInit: the handles of what matches and is in sight.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn find(&self, viewer: &Viewer, wanted: &Template) -> Result<Vec<u64>> {
        let on_token = wanted.get(attribute::TOKEN);
        let mut found = Vec::new();
        if on_token != Some(false) {
            found.extend(self.find_own(wanted));
            found.extend(self.find_stored(viewer, wanted)?);
        }
        if on_token != Some(true) {
            found.extend(self.table.session_objects(|held| {
                let attributes = &held.object.attributes;
                let in_sight = !held.private || viewer.sees_private;
                in_sight && viewer.view.shows(attributes) && matches(attributes, wanted)
            }));
        }
        Ok(found)
    }

    /// The token's own objects are found by who asks for their kind: tools that list everything
    /// there is do not know what to do with them.
    fn find_own(&self, wanted: &Template) -> impl Iterator<Item = u64> {
        let asked = [attribute::CLASS.id, attribute::PROFILE_ID.id];
        let asked = asked.into_iter().any(|id| wanted.contains(id));
        let own = self.table.own().iter().filter(move |_| asked);
        own.filter(|(_, held)| matches(&held.object.attributes, wanted)).map(|(handle, _)| *handle)
    }

    /// Public objects come first, then private ones, each in the order in which they were made.
    fn find_stored(&self, viewer: &Viewer, wanted: &Template) -> Result<Vec<u64>> {
        let vault = self.vault();
        let (query, compare) = query_of(wanted, vault.as_deref())?;
        let generation = self.store()?.generation();
        let transaction = self.store()?.begin(Mode::Read)?;
        self.check_instance(transaction.as_ref())?;
        self.check_state(transaction.as_ref())?;
        // What a view hides is told by the whole object.
        let compare = compare || !viewer.view.is_full();
        let wanted = compare.then_some((wanted, viewer.view));
        let mut found = Vec::new();
        for private in [false, true] {
            let in_question = query.private.is_none_or(|asked| asked == private);
            if !in_question || (private && !viewer.sees_private) {
                continue;
            }
            let query = Query { private: Some(private), ..query.clone() };
            for id in transaction.find(&query)? {
                found.extend(self.hit(id, &query, wanted, generation, &*transaction)?);
            }
        }
        drop(transaction);
        self.record_findings();
        Ok(found)
    }

    /// The handle of what an index found, if its row is true, is what was asked for, and matches
    /// the whole template where there is more to compare. A hit that was changed outside is
    /// passed over and goes on record: it must not keep the others from being found.
    fn hit(
        &self,
        id: ObjectId,
        query: &Query,
        wanted: Option<(&Template, &View)>,
        generation: Option<u64>,
        transaction: &dyn Transaction,
    ) -> Result<Option<u64>> {
        let fits = |private: bool, kind: Kind| {
            query.private == Some(private)
                && query.class.is_none_or(|class| class == kind.class)
                && query.key_type.is_none_or(|key_type| kind.key_type == Some(key_type))
        };
        let mut row = None;
        let (handle, private, kind) = match self.table.checked(&id, generation) {
            Some(checked) => checked,
            None => {
                let Some(found) = self.row_of_hit(&id, transaction)? else { return Ok(None) };
                let kind = Kind { class: found.class, key_type: found.key_type };
                let handle = self.table.handle_of(id, found.private);
                // A key that nothing can be done with is not found by its class either.
                if format::is_said_by(kind.key_type)
                    && self.opened_hit(handle, &found, generation, transaction)?.is_none()
                {
                    return Ok(None);
                }
                self.table.set_checked(handle, kind, generation);
                let private = found.private;
                row = Some(found);
                (handle, private, kind)
            }
        };
        if !fits(private, kind) {
            self.quarantine.remark("an index names an object for what it is not");
            return Ok(None);
        }
        let Some((wanted, view)) = wanted else { return Ok(Some(handle)) };
        let held = match (self.table.fresh(handle, generation), row) {
            (Some(held), _) => held,
            (None, row) => {
                let row = match row {
                    Some(row) => Some(row),
                    None => self.row_of_hit(&id, transaction)?,
                };
                let Some(row) = row else { return Ok(None) };
                match self.opened_hit(handle, &row, generation, transaction)? {
                    Some(held) => held,
                    None => return Ok(None),
                }
            }
        };
        let attributes = &held.object.attributes;
        Ok((view.shows(attributes) && matches(attributes, wanted)).then_some(handle))
    }

    /// The object of a hit; none, on record, if its row cannot be opened or its key is in a format
    /// that is not known.
    fn opened_hit(
        &self,
        handle: u64,
        row: &StoredObject,
        generation: Option<u64>,
        transaction: &dyn Transaction,
    ) -> Result<Option<Arc<Held>>> {
        if let Some(held) = self.table.confirm(handle, row.version, generation) {
            return Ok(Some(held));
        }
        let held = match self.open(row, transaction) {
            Ok(held) => Arc::new(held),
            Err(error) if error.rv == Rv::DeviceError => return Ok(None),
            Err(error) if error.rv == Rv::ClavigerFormatUnknown => {
                self.quarantine.remark(&format!("object {}: {}", row.id, error.why));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.table.keep(handle, &held, generation);
        Ok(Some(held))
    }

    /// The row of what an index found; none, on record, if it was changed outside or is gone.
    fn row_of_hit(
        &self,
        id: &ObjectId,
        transaction: &dyn Transaction,
    ) -> Result<Option<StoredObject>> {
        match transaction.get(id) {
            Ok(Some(row)) => Ok(Some(row)),
            Ok(None) => {
                self.quarantine.object(*id, "an index names it, and there is no such object");
                Ok(None)
            }
            Err(StoreError::Tampered(_) | StoreError::Corrupt(_)) => {
                self.quarantine.object(*id, CHANGED);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
