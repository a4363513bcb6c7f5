//! What is known of a call in progress, for its record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::table::Held;
use crate::call::Function;
use crate::object::Object;
use crate::object::attribute;
use crate::object::class::Class;

/// What a caller has said about what it is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Context {
    /// Its name for the operation.
    pub(crate) op: Option<String>,
    /// On whose behalf.
    pub(crate) actor: Option<String>,
    /// The trace that the call is a part of.
    pub(crate) trace: Option<String>,
}

/// A call in progress.
pub(crate) struct Note {
    /// The function's name, or the command's.
    pub(super) call: &'static str,
    /// None for what the command line tool does and no function of the standard does.
    pub(super) function: Option<Function>,
    pub(super) session: u64,
    pub(super) context: Option<Arc<Context>>,
    /// The mechanism's name.
    pub(crate) mechanism: Cell<Option<&'static str>>,
    /// Bytes of input.
    pub(crate) input: Cell<Option<u64>>,
    /// Over the input, with a key of the token.
    pub(crate) hash: Cell<Option<[u8; 32]>>,
    /// The unique id of what is used or changed, and its version on the token.
    pub(super) concerns: RefCell<Option<(Arc<Object>, u64)>>,
    /// Whether there is a record, and one of a success.
    pub(super) recorded: Cell<Option<bool>>,
}

impl Note {
    /// Of a call that has just come in.
    pub(crate) fn of(function: Function, session: u64, context: Option<Arc<Context>>) -> Self {
        Self { context, function: Some(function), ..Self::of_command(function.name(), session) }
    }

    /// Of what the command line tool does and no function of the standard does. Records have
    /// the command in the place of the function's name.
    pub(crate) const fn of_command(command: &'static str, session: u64) -> Self {
        Self {
            call: command,
            function: None,
            session,
            context: None,
            mechanism: Cell::new(None),
            input: Cell::new(None),
            hash: Cell::new(None),
            concerns: RefCell::new(None),
            recorded: Cell::new(None),
        }
    }

    /// Of the same call, about another object that it uses.
    pub(crate) fn beside(&self, held: &Held) -> Self {
        let beside = Self {
            context: self.context.clone(),
            function: self.function,
            ..Self::of_command(self.call, self.session)
        };
        beside.mechanism.set(self.mechanism.get());
        beside.concerns(held);
        beside
    }

    /// Names the object that is used or changed.
    pub(crate) fn concerns(&self, held: &Held) {
        self.names(Arc::clone(&held.object), held.version());
    }

    /// Names a further key that the call uses: it gets a record of its own.
    pub(crate) fn names_another(&self, held: &Held) {
        self.concerns(held);
        self.recorded.set(None);
    }

    /// As `concerns`, of an object with this version on the token; 0 for a session's.
    pub(crate) fn names(&self, object: Arc<Object>, version: u64) {
        self.concerns.replace(Some((object, version)));
    }

    /// The unique id of what is used or changed.
    pub(crate) fn unique_id(&self) -> Option<String> {
        let concerned = self.concerns.borrow();
        let (object, _) = concerned.as_ref()?;
        let id = object.attributes.get(attribute::UNIQUE_ID)?;
        std::str::from_utf8(id).ok().map(str::to_owned)
    }

    /// True if the object could only be used since somebody was logged in.
    pub(super) fn needs_login(&self) -> bool {
        let concerned = self.concerns.borrow();
        let Some((object, _)) = concerned.as_ref() else { return false };
        let class = object.attributes.get(attribute::CLASS).and_then(Class::from_code);
        let is_secret = class.is_some_and(Class::is_secret);
        object.is_set(attribute::PRIVATE) || (object.is_set(attribute::TOKEN) && is_secret)
    }

    /// True if a record of this outcome is missing.
    pub(crate) fn lacks(&self, success: bool) -> bool {
        match self.recorded.get() {
            None => true,
            // It was about to succeed, and then did not.
            Some(recorded) => recorded && !success,
        }
    }
}
