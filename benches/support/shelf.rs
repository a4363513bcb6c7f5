//! A session for keys that nobody uses, so that making one is measured without removing it.

use super::module::{Module, Outcome, Session};
use super::scratch::slot;
use std::cell::Cell;
use std::rc::Rc;

/// The session that keys are made in. Clones are the same shelf.
#[derive(Clone)]
pub(crate) struct Shelf<'m> {
    module: &'m Module,
    session: Rc<Cell<Session<'m>>>,
}

impl<'m> Shelf<'m> {
    pub(crate) fn of(module: &'m Module) -> Outcome<Self> {
        let session = module.open(slot(module)?)?;
        Ok(Self { module, session: Rc::new(Cell::new(session)) })
    }

    pub(crate) fn session(&self) -> Session<'m> {
        self.session.get()
    }

    /// Closes the session, and its keys with it, and opens another.
    pub(crate) fn clear(&self) -> Outcome<()> {
        self.session.replace(self.module.open(slot(self.module)?)?).close()
    }
}
