//! Keys by their handles, as operations ask for them. PKCS#11 3.2, "Objects", the return values
//! of the …Init functions.

use std::sync::{Arc, Weak};

use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::class::Class;

use super::Token;
use super::objects::{Held, Viewer};
use super::table::Place;

/// The key that a session used last. It does not keep the key alive.
#[derive(Default)]
pub(crate) struct LastKey {
    handle: u64,
    held: Weak<Held>,
    on_token: bool,
    changes: u64,
    generation: Option<u64>,
}

impl Token {
    /// A key by its handle, with its secret part.
    ///
    /// # Errors
    /// `CKR_KEY_HANDLE_INVALID`; `CKR_USER_NOT_LOGGED_IN` if only a login opens it.
    pub(crate) fn key(&self, viewer: &Viewer, handle: u64) -> Result<Arc<Held>> {
        let held = self.object(viewer, handle).map_err(|error| match error.rv {
            Rv::ObjectHandleInvalid => Rv::KeyHandleInvalid.because(error.why),
            _ => error,
        })?;
        let class = held.object.attributes.get(attribute::CLASS).and_then(Class::from_code);
        if !class.is_some_and(Class::is_key) {
            return Err(Rv::KeyHandleInvalid.because("the object is not a key"));
        }
        match held.place {
            Place::Token { complete: false, .. } => {
                Err(Rv::UserNotLoggedIn.because("keys on the token need a login"))
            }
            Place::Token { .. } | Place::Session(_) | Place::Own => Ok(held),
        }
    }

    /// A key by its handle, from what the same session used last if that is still good: no table
    /// that other threads look into, and no more than a read of the generation.
    ///
    /// # Errors
    /// As `key`.
    pub(crate) fn key_again(
        &self,
        viewer: &Viewer,
        handle: u64,
        last: &mut LastKey,
    ) -> Result<Arc<Held>> {
        let changes = self.table.changes();
        let generation = match last.on_token {
            true => self.store()?.generation(),
            false => None,
        };
        let same = last.handle == handle
            && last.changes == changes
            && (!last.on_token || (generation.is_some() && last.generation == generation));
        if same
            && let Some(held) = last.held.upgrade()
            && (!held.private || viewer.sees_private)
        {
            return Ok(held);
        }
        let generation = self.store()?.generation();
        let held = self.key(viewer, handle)?;
        let on_token = matches!(held.place, Place::Token { .. });
        *last = LastKey { handle, held: Arc::downgrade(&held), on_token, changes, generation };
        Ok(held)
    }
}
