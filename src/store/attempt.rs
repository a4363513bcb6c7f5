//! PIN attempts: a try is counted down and lasting before the PIN is looked at.
//!
//! An attempt holds a shared lock from the count-down to its answer. Who finds no tries left
//! waits until no attempt is under way, reads again, and only then says that the role is locked;
//! otherwise many processes with the right PIN would lock each other out. A killed attempt stays
//! counted.

use super::{AttemptLock, Mode, Role, Store, StoreError};
use crate::system::files::LockKind;

/// What came of asking for an attempt.
pub(crate) enum Attempt<'s> {
    /// One try is counted down; the PIN may be checked.
    Allowed(Counted<'s>),
    /// No tries are left.
    Locked,
}

/// An attempt under way. Dropped, it stays counted.
pub(crate) struct Counted<'s> {
    store: &'s (dyn Store + 's),
    role: Role,
    _under_way: AttemptLock<'s>,
}

impl<'a> dyn Store + 'a {
    /// Counts a try down. Attempts of one process on one token are made one after the other:
    /// the lock is the process's.
    pub(crate) fn begin_attempt(&self, role: Role) -> Result<Attempt<'_>, StoreError> {
        loop {
            let under_way = self.lock_attempts(LockKind::Shared)?;
            let mut transaction = self.begin(Mode::Write)?;
            if let Some(left) = transaction.tries(role)?.checked_sub(1) {
                transaction.set_tries(role, left)?;
                transaction.commit()?;
                let counted = Counted { store: self, role, _under_way: under_way };
                return Ok(Attempt::Allowed(counted));
            }
            drop(transaction);
            drop(under_way);
            let _alone = self.lock_attempts(LockKind::Exclusive)?;
            if self.begin(Mode::Read)?.tries(role)? == 0 {
                return Ok(Attempt::Locked);
            }
        }
    }

    /// Counts one wrong PIN that was found out without an attempt (a context-specific login),
    /// and gives the tries left.
    pub(crate) fn count_mismatch(&self, role: Role) -> Result<u32, StoreError> {
        let mut transaction = self.begin(Mode::Write)?;
        let left = transaction.tries(role)?.saturating_sub(1);
        transaction.set_tries(role, left)?;
        transaction.commit()?;
        Ok(left)
    }
}

impl Counted<'_> {
    /// The PIN was right: all tries are there again.
    pub(crate) fn succeed(self, tries: u32) -> Result<(), StoreError> {
        let mut transaction = self.store.begin(Mode::Write)?;
        transaction.set_tries(self.role, tries)?;
        transaction.commit()
    }
}
