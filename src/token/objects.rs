//! The objects of a token, stored ones and those of sessions: create, copy, change, destroy,
//! open. PKCS#11 3.2, "Object management functions".

use std::sync::Arc;

use crate::error::{Error, Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::object::class::change::{change, copy};
use crate::object::class::{Birth, Class, Context, complete};
use crate::object::template::Template;
use crate::store::vault::VaultError;
use crate::store::{Mode, ObjectId, StoreError, StoredObject, Transaction};

use super::Token;
use super::note::Note;
use super::quarantine::CHANGED;
use super::sealed::{open_row, row_of};
pub(crate) use super::table::Held;
use super::table::Place;
use super::view::View;

/// On whose behalf something is done.
#[derive(Clone, Copy)]
pub(crate) struct Viewer<'c> {
    /// The call, for its record.
    pub(crate) note: &'c Note,
    /// The session's handle.
    pub(crate) session: u64,
    /// Private objects are in sight.
    pub(crate) sees_private: bool,
    /// The session may change token objects.
    pub(crate) may_write: bool,
    /// Somebody is logged in.
    pub(crate) is_logged_in: bool,
    /// It is the security officer.
    pub(crate) is_security_officer: bool,
    /// What the program sees.
    pub(crate) view: &'c View,
}

fn no_object() -> Error {
    Rv::ObjectHandleInvalid.because("no such object in sight")
}

pub(super) fn went_away() -> Error {
    Rv::ObjectHandleInvalid.because("another process destroyed or changed the object")
}

impl Token {
    pub(crate) fn context(&self, viewer: &Viewer, mechanism: Option<u64>) -> Context<'_> {
        Context {
            so: viewer.is_security_officer,
            sees_private: viewer.sees_private,
            export_denied: self.settings.export_denied,
            separate_uses: self.settings.separate_uses,
            close_session_keys: self.settings.close_session_keys,
            mechanism,
            defaults: Some(&self.defaults),
        }
    }

    /// May this session make or change an object like this one?
    pub(crate) fn check_write(&self, viewer: &Viewer, object: &Template) -> Result<()> {
        let private = object.is_set(attribute::PRIVATE);
        self.check_place(viewer, object.is_set(attribute::TOKEN), private)
    }

    /// The same of an object of which no more is known yet.
    pub(crate) fn check_place(&self, viewer: &Viewer, on_token: bool, private: bool) -> Result<()> {
        if on_token && self.is_read_only()? {
            return Err(Rv::TokenWriteProtected.because("nothing can be changed on this token"));
        }
        if on_token && !viewer.may_write {
            return Err(Rv::SessionReadOnly.because("token objects need a read/write session"));
        }
        if private && !viewer.sees_private {
            return Err(Rv::UserNotLoggedIn.because("private objects are the user's"));
        }
        if on_token && self.settings.public_write_needs_login && !viewer.is_logged_in {
            let why = "changing token objects needs a login (policy.public_write)";
            return Err(Rv::UserNotLoggedIn.because(why));
        }
        Ok(())
    }

    /// C_CreateObject; the object's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn create(&self, viewer: &Viewer, template: Template) -> Result<u64> {
        if template.is_set(attribute::TOKEN) && !viewer.may_write {
            return Err(Rv::SessionReadOnly.because("token objects need a read/write session"));
        }
        let whole = complete(template, Birth::Create, &self.context(viewer, None))?;
        self.check_write(viewer, &whole)?;
        self.refuse_second_trust(viewer, &whole)?;
        self.add(viewer, whole)
    }

    /// A token has one trust object for a certificate. Those that this session cannot see do not
    /// count, since their being there is not to be told.
    fn refuse_second_trust(&self, viewer: &Viewer, whole: &Template) -> Result<()> {
        let is_trust = whole.get(attribute::CLASS) == Some(Class::Trust.code());
        if !is_trust || !whole.is_set(attribute::TOKEN) {
            return Ok(());
        }
        let mut same = Template::default();
        same.set(attribute::CLASS, Class::Trust.code());
        same.set(attribute::TOKEN, true);
        for name in [attribute::ISSUER, attribute::SERIAL_NUMBER] {
            same.set(name, whole.require(name)?.to_vec());
        }
        if self.find(viewer, &same)?.is_empty() {
            return Ok(());
        }
        Err(Rv::TemplateInconsistent.because("the token has a trust object for that certificate"))
    }

    /// An object by its handle.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` if it is not there or not in sight; the store's.
    pub(crate) fn object(&self, viewer: &Viewer, handle: u64) -> Result<Arc<Held>> {
        let held = self.object_of(viewer, handle)?;
        match viewer.view.shows(&held.object.attributes) {
            true => Ok(held),
            false => Err(no_object()),
        }
    }

    /// An object by its handle, whatever the program's view.
    fn object_of(&self, viewer: &Viewer, handle: u64) -> Result<Arc<Held>> {
        let in_sight = |held: &Arc<Held>| !held.private || viewer.sees_private;
        if let Some((_, held)) = self.table.own().iter().find(|(own, _)| *own == handle) {
            return Ok(Arc::clone(held));
        }
        if let Some(held) = self.table.session_object(handle) {
            return Some(held).filter(in_sight).ok_or_else(no_object);
        }
        let Some(known) = self.table.known(handle) else { return Err(no_object()) };
        if known.private && !viewer.sees_private {
            return Err(no_object());
        }
        // Read before the database is: what is found there is at least as new.
        let generation = self.store()?.generation();
        if let Some(held) = self.table.fresh(handle, generation) {
            return Ok(held);
        }
        let held = self.reopen(handle, known.id, generation);
        self.record_findings();
        let held = held?;
        if held.private != known.private {
            return Err(Rv::DeviceError.because("an object's row contradicts the index"));
        }
        Ok(held)
    }

    /// Asks the database whether an object is what it was, and opens it if it is not.
    fn reopen(&self, handle: u64, id: ObjectId, generation: Option<u64>) -> Result<Arc<Held>> {
        let transaction = self.store()?.begin(Mode::Read)?;
        self.check_instance(transaction.as_ref())?;
        self.check_state(transaction.as_ref())?;
        let Some(row) = self.row(&id, transaction.as_ref())? else {
            drop(transaction);
            self.table.forget(handle);
            return Err(went_away());
        };
        if let Some(held) = self.table.confirm(handle, row.version, generation) {
            return Ok(held);
        }
        let held = Arc::new(self.open(&row, transaction.as_ref())?);
        if let Some(lane) = self.login().as_ref().and_then(|login| login.lane.as_ref()) {
            lane.saw_head(transaction.head()?.size);
        }
        drop(transaction);
        self.table.keep(handle, &held, generation);
        Ok(held)
    }

    /// An object's row; one that was changed outside goes on record.
    pub(super) fn row(
        &self,
        id: &ObjectId,
        transaction: &dyn Transaction,
    ) -> Result<Option<StoredObject>> {
        transaction.get(id).map_err(|error| {
            if matches!(error, StoreError::Tampered(_) | StoreError::Corrupt(_)) {
                self.quarantine.object(*id, CHANGED);
            }
            error.into()
        })
    }

    /// The object of a row; one that cannot be opened goes on record.
    pub(super) fn open(&self, row: &StoredObject, transaction: &dyn Transaction) -> Result<Held> {
        open_row(row, self.vault().as_ref(), transaction).inspect_err(|error| {
            if error.rv == Rv::DeviceError {
                self.quarantine.object(row.id, &error.why);
            }
        })
    }

    /// A login is of no use any more once another process initialised the token anew.
    pub(super) fn check_instance(&self, transaction: &dyn Transaction) -> Result<()> {
        let Some(vault) = self.vault() else { return Ok(()) };
        if transaction.token()?.instance == *vault.instance() {
            return Ok(());
        }
        self.was_replaced();
        Err(VaultError::Replaced.into())
    }

    /// C_DestroyObject.
    ///
    /// # Errors
    /// The standard's, the store's.
    pub(crate) fn destroy(&self, viewer: &Viewer, handle: u64) -> Result<()> {
        let held = self.object(viewer, handle)?;
        viewer.note.concerns(&held);
        self.check_write(viewer, &held.object.attributes)?;
        if !held.object.is_set(attribute::DESTROYABLE) {
            return Err(Rv::ActionProhibited.because("CKA_DESTROYABLE is false"));
        }
        match held.place {
            Place::Own => return Err(Rv::ActionProhibited.because("the token's own object")),
            Place::Session(_) => {
                self.record(viewer.note, "CKR_OK")?;
                if !self.table.remove_session_object(handle) {
                    return Err(no_object());
                }
            }
            Place::Token { id, version, .. } => {
                let mut change = self.begin_change(viewer.note, self.vault().as_ref())?;
                let was_there = change.transaction.remove(&id)?;
                change.concerns(id, version);
                self.commit_change(change)?;
                self.table.forget(handle);
                if !was_there {
                    return Err(went_away());
                }
            }
        }
        Ok(())
    }

    /// C_SetAttributeValue: all of the changes or none.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn set_attributes(
        &self,
        viewer: &Viewer,
        handle: u64,
        changes: &Template,
    ) -> Result<()> {
        let held = self.object(viewer, handle)?;
        viewer.note.concerns(&held);
        self.check_write(viewer, &held.object.attributes)?;
        if let Some(partner) = changes.get(attribute::CLAVIGER_BUNDLE) {
            if changes.len() != 1 {
                let why = "keys are tied in a call that changes nothing else";
                return Err(Rv::TemplateInconsistent.because(why));
            }
            return self.tie(viewer, &held, partner);
        }
        let context = self.context(viewer, None);
        match held.place {
            Place::Own => change(&held.object.attributes, changes, &context).map(drop),
            Place::Session(_) => self.set_in_session(viewer, handle, held, changes),
            Place::Token { id, .. } => {
                // The newest version is changed, not the one that this process happens to hold.
                let mut log = self.begin_change(viewer.note, self.vault().as_ref())?;
                let row = self.row(&id, log.transaction.as_ref())?.ok_or_else(went_away)?;
                let newest = self.open(&row, log.transaction.as_ref())?;
                let changed = change(&newest.object.attributes, changes, &context)?;
                let row = self.next_version(&row, &newest, &changed, log.transaction.as_ref())?;
                if !log.transaction.replace(&row)? {
                    return Err(went_away());
                }
                log.concerns(id, row.version);
                self.commit_change(log)
            }
        }
    }

    /// Changes a session object. One that another thread changed meanwhile, as the use of a key
    /// with a counter does, is changed as it is by then.
    fn set_in_session(
        &self,
        viewer: &Viewer,
        handle: u64,
        mut held: Arc<Held>,
        changes: &Template,
    ) -> Result<()> {
        let context = self.context(viewer, None);
        loop {
            let changed = change(&held.object.attributes, changes, &context)?;
            self.record(viewer.note, "CKR_OK")?;
            let object = Arc::new(Object::new(changed));
            let new = Held { object, place: held.place, private: held.private };
            if self.table.replace_session_object(handle, &held, new).ok_or_else(no_object)? {
                return Ok(());
            }
            held = self.object(viewer, handle)?;
        }
    }

    pub(super) fn next_version(
        &self,
        row: &StoredObject,
        newest: &Held,
        changed: &Template,
        transaction: &dyn Transaction,
    ) -> Result<StoredObject> {
        if let Place::Token { complete: false, .. } = newest.place {
            return Err(Rv::UserNotLoggedIn.because("keys on the token need a login"));
        }
        let version = row.version.checked_add(1);
        let version = version.ok_or_else(|| Rv::DeviceError.because("no more versions"))?;
        row_of(row.id, version, changed, self.vault().as_ref(), transaction)
    }

    /// C_CopyObject; the copy's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn copy(&self, viewer: &Viewer, handle: u64, changes: &Template) -> Result<u64> {
        let held = self.object(viewer, handle)?;
        if let Place::Token { complete: false, .. } = held.place {
            return Err(Rv::UserNotLoggedIn.because("keys on the token need a login"));
        }
        // A copy in the session could be used where the key itself cannot.
        self.check_trust(&held)?;
        if changes.is_set(attribute::TOKEN) && !viewer.may_write {
            return Err(Rv::SessionReadOnly.because("token objects need a read/write session"));
        }
        let copied = copy(&held.object.attributes, changes, &self.context(viewer, None))?;
        self.check_write(viewer, &copied)?;
        self.add(viewer, copied)
    }
}
