//! The running search of a session: the handles that matched when it began.

use std::vec::IntoIter;

/// Matches not yet handed out. Objects made or destroyed since then do not change it.
#[derive(Debug)]
pub struct FindOperation {
    handles: IntoIter<u64>,
}

impl FindOperation {
    /// A search with these results.
    #[must_use]
    pub fn new(handles: Vec<u64>) -> Self {
        Self { handles: handles.into_iter() }
    }

    /// The next results, at most `count`.
    pub fn next(&mut self, count: usize) -> impl Iterator<Item = u64> + '_ {
        self.handles.by_ref().take(count)
    }
}
