//! A session for keys that nobody uses, so that making one is measured without removing it.

use super::module::{Module, Outcome, Session};
use super::scratch::slot;

/// Keys of a session before it is closed, and they with it.
const MOST: usize = 256;

/// The session that the next key is made in: now and then a new one.
pub(crate) struct Shelf<'m> {
    module: &'m Module,
    session: Session<'m>,
    made: usize,
}

impl<'m> Shelf<'m> {
    pub(crate) fn of(module: &'m Module) -> Outcome<Self> {
        Ok(Self { module, session: module.open(slot(module)?)?, made: 0 })
    }

    pub(crate) fn session(&mut self) -> Outcome<Session<'m>> {
        self.made += 1;
        if self.made.is_multiple_of(MOST) {
            let fresh = self.module.open(slot(self.module)?)?;
            std::mem::replace(&mut self.session, fresh).close()?;
        }
        Ok(self.session)
    }
}
