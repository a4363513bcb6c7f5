//! Bundles: tying two keys together, and finding the one from the other.
//!
//! Both keys learn of each other in one transaction, or neither does. What each says of its partner
//! is written by the token alone and never changes; `object::bundle` has its form.

use std::sync::Arc;

use super::Token;
use super::objects::{Held, Viewer};
use super::table::Place;
use crate::error::{Error, Result, Rv};
use crate::mechanism;
use crate::object::attribute;
use crate::object::bundle::{Partner, check_pair, tie_pairs};
use crate::object::template::Template;
use crate::store::ObjectId;

fn incomplete(why: &'static str) -> Error {
    Rv::ClavigerBundleIncomplete.because(why)
}

impl Token {
    /// Takes in the two new pairs of a bundle, tied: all four objects in one commit, or none.
    ///
    /// # Errors
    /// As of `tie`; the store's.
    pub(crate) fn add_bundle(&self, viewer: &Viewer, pairs: Vec<Template>) -> Result<Vec<u64>> {
        let mut named = self.with_names(pairs)?;
        tie_pairs(named.iter_mut().map(|(_, whole)| whole))?;
        self.add_named(viewer, named, |whole| {
            let made_by = whole.get(attribute::KEY_GEN_MECHANISM).and_then(mechanism::find);
            viewer.note.mechanism.set(made_by.map(|row| row.name));
        })
    }

    /// Ties a key to the one with this `CKA_UNIQUE_ID`, for good.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` if there is no such key in sight,
    /// `CKR_TEMPLATE_INCONSISTENT` for keys that make no bundle or are not on the token,
    /// `CKR_ATTRIBUTE_READ_ONLY` for keys that are in one; the policy's, the store's.
    pub(crate) fn tie(&self, viewer: &Viewer, held: &Held, unique_id: &[u8]) -> Result<()> {
        let partner = self.named(viewer, unique_id)?.ok_or_else(|| {
            Rv::AttributeValueInvalid.because("CKA_CLAVIGER_BUNDLE names no key in sight")
        })?;
        self.check_write(viewer, &partner.object.attributes)?;
        let mut log = self.begin_change(viewer.note, self.vault().as_ref())?;
        let mut found = Vec::new();
        for key in [held, &*partner] {
            let Place::Token { id, .. } = key.place else {
                return Err(Rv::TemplateInconsistent.because("only token keys make a bundle"));
            };
            let row =
                self.row(&id, log.transaction.as_ref())?.ok_or_else(super::objects::went_away)?;
            let newest = self.open(&row, log.transaction.as_ref())?;
            found.push((id, row, newest));
        }
        let [(_, _, one), (_, _, other)] = found.as_slice() else {
            return Err(Rv::GeneralError.because("not two keys"));
        };
        let (first, second) = (&one.object.attributes, &other.object.attributes);
        check_pair(first, second)?;
        let partners = [Partner::of(second)?, Partner::of(first)?];
        for ((id, row, newest), partner) in found.iter().zip(partners) {
            let mut changed: Template = newest.object.attributes.try_clone()?;
            changed.set(attribute::CLAVIGER_BUNDLE, partner.written());
            let row = self.next_version(row, newest, &changed, log.transaction.as_ref())?;
            if !log.transaction.replace(&row)? {
                return Err(super::objects::went_away());
            }
            log.concerns(*id, row.version);
        }
        self.commit_change(log)
    }

    /// The other key of a bundle.
    ///
    /// # Errors
    /// `CKR_KEY_TYPE_INCONSISTENT` for a key that is in no bundle,
    /// `CKR_CLAVIGER_BUNDLE_INCOMPLETE` if the other key is gone, not in sight or another one.
    pub(crate) fn partner(&self, viewer: &Viewer, key: &Held) -> Result<Arc<Held>> {
        let partner = Partner::named_by(&key.object.attributes)?
            .ok_or_else(|| Rv::KeyTypeInconsistent.because("the key is in no bundle"))?;
        let held = self.named(viewer, &partner.unique_id)?;
        let held = held.ok_or_else(|| incomplete("the other key of the bundle is not there"))?;
        if !partner.is(&held.object.attributes) {
            return Err(incomplete("the other key of the bundle is not what it was"));
        }
        Ok(held)
    }

    /// A token object by its `CKA_UNIQUE_ID`, if it is in sight.
    fn named(&self, viewer: &Viewer, unique_id: &[u8]) -> Result<Option<Arc<Held>>> {
        let Some(id) = ObjectId::parse(unique_id) else { return Ok(None) };
        let Some(private) = self.is_private(&id)? else { return Ok(None) };
        let handle = self.table.handle_of(id, private);
        match self.object(viewer, handle) {
            Err(error) if error.rv == Rv::ObjectHandleInvalid => Ok(None),
            found => found.map(Some),
        }
    }

    /// Whether a stored object is private; `None` if there is none.
    fn is_private(&self, id: &ObjectId) -> Result<Option<bool>> {
        let transaction = self.store()?.begin(crate::store::Mode::Read)?;
        self.check_instance(transaction.as_ref())?;
        Ok(self.row(id, transaction.as_ref())?.map(|row| row.private))
    }
}
