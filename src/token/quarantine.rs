//! What was found to be changed outside: objects that are not used any more, and rows that were
//! added or removed. Each finding is told once in a login, in the diagnostic log and in a leaf of
//! the audit log; what was found stays in the database as it is.
//!
//! Without a login nothing can be signed: what was found then is recorded by the next one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::audit::leaf::Leaf;
use crate::store::{Mode, ObjectId, StoreError, Transaction};

use super::Token;
use super::journal::now;

/// Findings of which the texts are kept until somebody takes them; more are only counted.
const MOST: usize = 4_096;

/// What is said of an object whose row the state tree does not hold.
pub(super) const CHANGED: &str = "its row was changed outside the token";

/// The findings since the last login ended. Its lock is a leaf.
#[derive(Default)]
pub(super) struct Quarantine {
    /// Something waits to be told.
    is_news: AtomicBool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    objects: BTreeSet<ObjectId>,
    rows_differ: bool,
    /// Lines for the diagnostic log.
    news: Vec<String>,
    /// Leaves for the audit log.
    leaves: Vec<Vec<u8>>,
    /// So many of them had their chance of a commit of their own.
    attempted: usize,
}

impl Quarantine {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object is not what it was.
    pub(super) fn object(&self, id: ObjectId, why: &str) {
        let mut found = self.found();
        if found.objects.insert(id) {
            self.tell(&mut found, Some(id), why);
        }
    }

    /// Rows were added or removed.
    pub(super) fn rows(&self, missing: u64, surplus: u64) {
        let mut found = self.found();
        if !std::mem::replace(&mut found.rows_differ, true) {
            let why = format!("rows of objects: {missing} are missing, {surplus} too many");
            self.tell(&mut found, None, &why);
        }
    }

    /// Something that is no reason to distrust the token: a line in the diagnostic log.
    pub(super) fn remark(&self, why: &str) {
        let mut found = self.found();
        if found.news.len() < MOST {
            found.news.push(why.to_owned());
        }
        self.is_news.store(true, Ordering::Relaxed);
    }

    fn tell(&self, found: &mut Found, id: Option<ObjectId>, why: &str) {
        if found.leaves.len() >= MOST {
            return;
        }
        let key = id.map(|id| Cow::Owned(id.to_string()));
        found.news.push(match &key {
            Some(key) => format!("object {key}: {why}"),
            None => why.to_owned(),
        });
        let leaf = Leaf::Quarantined { key, reason: Cow::Borrowed(why), time: now() };
        found.leaves.push(leaf.to_bytes());
        self.is_news.store(true, Ordering::Relaxed);
    }

    pub(super) fn rows_differ(&self) -> bool {
        self.found().rows_differ
    }

    /// A login has ended.
    pub(super) fn clear(&self) {
        let mut found = self.found();
        let news = std::mem::take(&mut found.news);
        *found = Found { news, ..Found::default() };
    }

    /// Adds the leaves that wait to a signed commit; how many, to be told to `recorded`.
    pub(super) fn append_to(&self, transaction: &mut dyn Transaction) -> Result<usize, StoreError> {
        let leaves = self.found().leaves.clone();
        leaves.iter().try_for_each(|leaf| transaction.append_leaf(leaf))?;
        Ok(leaves.len())
    }

    /// The commit went through.
    pub(super) fn recorded(&self, count: usize) {
        let mut found = self.found();
        let count = count.min(found.leaves.len());
        found.leaves.drain(..count);
        found.attempted = found.attempted.saturating_sub(count);
    }

    /// True once for each finding that waits for a commit.
    fn wants_commit(&self) -> bool {
        let mut found = self.found();
        let waiting = found.leaves.len();
        std::mem::replace(&mut found.attempted, waiting) < waiting
    }
}

impl Token {
    /// What was found and not told yet.
    pub(crate) fn take_news(&self) -> Vec<String> {
        // Every call asks; nearly none has to write for that.
        if !self.quarantine.is_news.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut found = self.quarantine.found();
        self.quarantine.is_news.store(false, Ordering::Relaxed);
        std::mem::take(&mut found.news)
    }

    /// Puts findings on record at once, if somebody is logged in. What fails goes with the next
    /// commit: the call that found it must not fail for that. No transaction may be open.
    pub(super) fn record_findings(&self) {
        let Some(vault) = self.vault() else { return };
        if !self.quarantine.wants_commit() || self.refuse_distrusted().is_err() {
            return;
        }
        let Ok(key) = vault.audit_signer() else { return };
        let Ok(store) = self.store() else { return };
        let written = store.begin(Mode::Write).and_then(|mut transaction| {
            transaction.sign_with(key)?;
            let count = self.quarantine.append_to(&mut *transaction)?;
            transaction.commit()?;
            Ok(count)
        });
        if let Ok(count) = written {
            self.quarantine.recorded(count);
        }
    }
}
