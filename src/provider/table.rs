//! The open sessions, by handle: spread over several locks, so that threads with a session each
//! do not wait for one another.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::system::shard::{Apart, SHARDS};

use super::OpenSession;

type Sessions = HashMap<u64, Arc<OpenSession>>;

/// All sessions of the process.
#[derive(Default)]
pub(super) struct SessionTable([Apart<RwLock<Sessions>>; SHARDS]);

impl SessionTable {
    fn shard(&self, handle: u64) -> &RwLock<Sessions> {
        let [first, ..] = &self.0;
        let place = usize::try_from(handle).unwrap_or_default() % SHARDS;
        self.0.get(place).unwrap_or(first)
    }

    fn read(shard: &RwLock<Sessions>) -> RwLockReadGuard<'_, Sessions> {
        shard.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(shard: &RwLock<Sessions>) -> RwLockWriteGuard<'_, Sessions> {
        shard.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session with this handle.
    #[inline]
    pub(super) fn get(&self, handle: u64) -> Option<Arc<OpenSession>> {
        Self::read(self.shard(handle)).get(&handle).cloned()
    }

    pub(super) fn insert(&self, open: Arc<OpenSession>) {
        let handle = open.session.handle;
        Self::write(self.shard(handle)).insert(handle, open);
    }

    pub(super) fn remove(&self, handle: u64) -> Option<Arc<OpenSession>> {
        Self::write(self.shard(handle)).remove(&handle)
    }

    /// The sessions that pass a test, at some moment each.
    pub(super) fn all(&self, wanted: impl Fn(&OpenSession) -> bool) -> Vec<Arc<OpenSession>> {
        let mut found = Vec::new();
        for shard in &self.0 {
            let sessions = Self::read(shard);
            found.extend(sessions.values().filter(|open| wanted(open)).cloned());
        }
        found
    }

    /// Takes the sessions out that pass a test.
    pub(super) fn take(&self, wanted: impl Fn(&OpenSession) -> bool) -> Vec<Arc<OpenSession>> {
        let mut taken = Vec::new();
        for shard in &self.0 {
            let mut sessions = Self::write(shard);
            taken.extend(sessions.extract_if(|_, open| wanted(open)).map(|(_, open)| open));
        }
        taken
    }
}
