//! Spreading threads over copies of a thing that all of them would otherwise write to: a lock or
//! a counter on a cache line of its own costs a few nanoseconds, a shared one tens.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many copies there are of a sharded thing.
pub(crate) const SHARDS: usize = 8;

/// The copy that this thread uses, below `SHARDS`. Threads are numbered as they come.
#[inline]
pub(crate) fn of_this_thread() -> usize {
    thread_local! { static OWN: Cell<usize> = const { Cell::new(usize::MAX) } }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        own.get()
    })
}

/// Something on cache lines of its own (two, as processors fetch them in pairs).
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
