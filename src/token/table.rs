//! Handles, and the objects that this process has open.
//!
//! A handle lives as long as the process, or until a logout takes a private object out of
//! sight. Opened objects are kept, with their parsed keys, up to a bound; whether one is still
//! true is told by the store's generation.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::engine::random;
use crate::error::{Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::object::template::Template;
use crate::store::ObjectId;

/// The most objects of a token that are kept open.
const MOST_OPENED: usize = 4096;
/// No generation: checked at the next use.
const UNCHECKED: u64 = u64::MAX;

/// An object that this process has in hand.
pub(crate) struct Held {
    /// Its attributes and, once it was used, its parsed key.
    pub(crate) object: Arc<Object>,
    pub(super) place: Place,
    pub(super) private: bool,
}

impl Held {
    /// True if the object is on the token.
    pub(super) const fn is_stored(&self) -> bool {
        matches!(self.place, Place::Token { .. })
    }
}

impl Held {
    /// The version of a stored object; 0 for a session's.
    pub(crate) const fn version(&self) -> u64 {
        match self.place {
            Place::Token { version, .. } => version,
            Place::Session(_) | Place::Own => 0,
        }
    }
}

/// Where an object lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Nowhere: the token says what it is.
    Own,
    /// In the session with this handle.
    Session(u64),
    /// On the token. Opened without a login, an object lacks its secret part.
    Token { id: ObjectId, version: u64, complete: bool },
}

/// What a handle of a stored object stands for.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) id: ObjectId,
    pub(super) private: bool,
    /// What its row said when that was found to be true, and at which generation of the store.
    kind: Kind,
    checked: u64,
}

/// What an object's row says beside the object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) class: u64,
    pub(super) key_type: Option<u64>,
}

struct Opened {
    held: Arc<Held>,
    /// The store's generation at which it was last found to be true.
    checked: AtomicU64,
}

#[derive(Default)]
struct Stored {
    by_handle: HashMap<u64, Known>,
    by_id: HashMap<ObjectId, u64>,
    opened: HashMap<u64, Opened>,
}

/// The objects of one token in this process.
pub(super) struct Table {
    next: Arc<AtomicU64>,
    /// Moves when an object that was handed out may be handed out no more.
    changes: AtomicU64,
    stored: RwLock<Stored>,
    in_sessions: RwLock<HashMap<u64, Arc<Held>>>,
    /// How the names of session objects begin: drawn with the first of them, so that the others
    /// cost no system call.
    names: OnceLock<[u8; 8]>,
    named: AtomicU64,
    /// Objects that nobody made and nobody changes.
    own: Vec<(u64, Arc<Held>)>,
}

macro_rules! locked {
    ($self:ident . $field:ident . $kind:ident ()) => {
        $self.$field.$kind().unwrap_or_else(PoisonError::into_inner)
    };
}

impl Table {
    pub(super) fn new(next: Arc<AtomicU64>, own: Vec<Template>) -> Self {
        let own = own.into_iter().map(|attributes| {
            let object = Arc::new(Object::new(attributes));
            let held = Arc::new(Held { object, place: Place::Own, private: false });
            (next.fetch_add(1, Ordering::Relaxed), held)
        });
        Self {
            own: own.collect(),
            next,
            changes: AtomicU64::new(0),
            stored: RwLock::default(),
            in_sessions: RwLock::default(),
            names: OnceLock::new(),
            named: AtomicU64::new(0),
        }
    }

    /// A number that is the same as long as every object handed out is still good.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn new_handle(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The token's own objects.
    pub(super) fn own(&self) -> &[(u64, Arc<Held>)] {
        &self.own
    }

    /// A name for a session object.
    pub(super) fn new_name(&self) -> Result<ObjectId> {
        let prefix = match self.names.get() {
            Some(prefix) => *prefix,
            None => {
                let drawn = random::array()?;
                *self.names.get_or_init(|| drawn)
            }
        };
        Ok(ObjectId::of_session(prefix, self.named.fetch_add(1, Ordering::Relaxed)))
    }

    /// Takes in a session object; its handle.
    pub(super) fn add_session_object(&self, held: Held) -> u64 {
        let handle = self.new_handle();
        locked!(self.in_sessions.write()).insert(handle, Arc::new(held));
        handle
    }

    pub(super) fn session_object(&self, handle: u64) -> Option<Arc<Held>> {
        locked!(self.in_sessions.read()).get(&handle).cloned()
    }

    /// The session objects that pass a test, in order of their handles.
    pub(super) fn session_objects(&self, wanted: impl Fn(&Held) -> bool) -> Vec<u64> {
        let objects = locked!(self.in_sessions.read());
        let mut found: Vec<u64> =
            objects.iter().filter(|(_, held)| wanted(held)).map(|(handle, _)| *handle).collect();
        found.sort_unstable();
        found
    }

    /// Puts another version in the place of the one that a session object had; `None` if it is
    /// gone, false if it has another one by now.
    pub(super) fn replace_session_object(
        &self,
        handle: u64,
        had: &Arc<Held>,
        held: Held,
    ) -> Option<bool> {
        let mut objects = locked!(self.in_sessions.write());
        let place = objects.get_mut(&handle)?;
        if !Arc::ptr_eq(place, had) {
            return Some(false);
        }
        *place = Arc::new(held);
        self.changed();
        Some(true)
    }

    /// Changes the attributes of the session object that has the name of these; nobody else changes
    /// it meanwhile.
    pub(super) fn change_session_object(
        &self,
        named: &Template,
        edit: impl FnOnce(&mut Template) -> Result<()>,
    ) -> Result<()> {
        let name = named.get(attribute::UNIQUE_ID);
        let mut objects = locked!(self.in_sessions.write());
        let mut all = objects.values_mut();
        let place = all.find(|held| held.object.attributes.get(attribute::UNIQUE_ID) == name);
        let place = place.ok_or_else(|| Rv::ObjectHandleInvalid.because("the object is gone"))?;
        let mut attributes = place.object.attributes.try_clone()?;
        edit(&mut attributes)?;
        let object = Arc::new(Object::new(attributes));
        *place = Arc::new(Held { object, place: place.place, private: place.private });
        self.changed();
        Ok(())
    }

    pub(super) fn remove_session_object(&self, handle: u64) -> bool {
        let was_there = locked!(self.in_sessions.write()).remove(&handle).is_some();
        self.changed();
        was_there
    }

    pub(super) fn end_session(&self, session: u64) {
        let mut objects = locked!(self.in_sessions.write());
        let before = objects.len();
        objects.retain(|_, held| held.place != Place::Session(session));
        if objects.len() != before {
            self.changed();
        }
    }

    /// The handle of a stored object, made if there is none.
    pub(super) fn handle_of(&self, id: ObjectId, private: bool) -> u64 {
        if let Some(handle) = locked!(self.stored.read()).by_id.get(&id) {
            return *handle;
        }
        let mut stored = locked!(self.stored.write());
        if let Some(handle) = stored.by_id.get(&id) {
            return *handle;
        }
        let handle = self.new_handle();
        stored.by_id.insert(id, handle);
        let kind = Kind { class: 0, key_type: None };
        stored.by_handle.insert(handle, Known { id, private, kind, checked: UNCHECKED });
        handle
    }

    /// The handle of a stored object whose row was found to be true at this very generation, and
    /// what it said.
    pub(super) fn checked(
        &self,
        id: &ObjectId,
        generation: Option<u64>,
    ) -> Option<(u64, bool, Kind)> {
        let generation = generation?;
        let stored = locked!(self.stored.read());
        let handle = stored.by_id.get(id)?;
        let known = stored.by_handle.get(handle)?;
        (known.checked == generation).then_some((*handle, known.private, known.kind))
    }

    /// An object's row was found to be true.
    pub(super) fn set_checked(&self, handle: u64, kind: Kind, generation: Option<u64>) {
        if let Some(known) = locked!(self.stored.write()).by_handle.get_mut(&handle) {
            known.kind = kind;
            known.checked = generation.unwrap_or(UNCHECKED);
        }
    }

    pub(super) fn known(&self, handle: u64) -> Option<Known> {
        locked!(self.stored.read()).by_handle.get(&handle).copied()
    }

    /// An opened object, if it was found to be true at this very generation.
    pub(super) fn fresh(&self, handle: u64, generation: Option<u64>) -> Option<Arc<Held>> {
        let generation = generation?;
        let stored = locked!(self.stored.read());
        let opened = stored.opened.get(&handle)?;
        let is_fresh = opened.checked.load(Ordering::Relaxed) == generation;
        is_fresh.then(|| Arc::clone(&opened.held))
    }

    /// An opened object of this version, which was just found to be the newest.
    pub(super) fn confirm(
        &self,
        handle: u64,
        version: u64,
        generation: Option<u64>,
    ) -> Option<Arc<Held>> {
        let stored = locked!(self.stored.read());
        let opened = stored.opened.get(&handle)?;
        match opened.held.place {
            Place::Token { version: own, .. } if own == version => {
                opened.checked.store(generation.unwrap_or(UNCHECKED), Ordering::Relaxed);
                Some(Arc::clone(&opened.held))
            }
            _ => None,
        }
    }

    /// Keeps an opened object under its handle, if it has one still and is what the index said:
    /// one that contradicts it is never kept, so every use of it meets the check again.
    pub(super) fn keep(&self, handle: u64, held: &Arc<Held>, generation: Option<u64>) {
        let mut stored = locked!(self.stored.write());
        let known = stored.by_handle.get(&handle);
        if known.is_none_or(|known| known.private != held.private) {
            return;
        }
        if stored.opened.len() >= MOST_OPENED {
            stored.opened.clear();
        }
        let checked = AtomicU64::new(generation.unwrap_or(UNCHECKED));
        stored.opened.insert(handle, Opened { held: Arc::clone(held), checked });
    }

    /// Takes a destroyed object's handle away.
    pub(super) fn forget(&self, handle: u64) {
        let mut stored = locked!(self.stored.write());
        stored.opened.remove(&handle);
        if let Some(known) = stored.by_handle.remove(&handle) {
            stored.by_id.remove(&known.id);
        }
        self.changed();
    }

    /// Handles of private objects become invalid for good, and private session objects end.
    pub(super) fn forget_private(&self) {
        let mut stored = locked!(self.stored.write());
        stored.opened.clear();
        stored.by_handle.retain(|_, known| !known.private);
        let Stored { by_handle, by_id, .. } = &mut *stored;
        by_id.retain(|_, handle| by_handle.contains_key(handle));
        drop(stored);
        locked!(self.in_sessions.write()).retain(|_, held| !held.private);
        self.changed();
    }

    /// Every stored object is gone.
    pub(super) fn forget_stored(&self) {
        *locked!(self.stored.write()) = Stored::default();
        self.changed();
    }

    /// Drops what is open; handles stay.
    pub(super) fn close_opened(&self) {
        locked!(self.stored.write()).opened.clear();
        self.changed();
    }
}
