//! Forks: how a child learns that it is one, and how the locks that cross a fork stay usable.
//!
//! A page with MADV_WIPEONFORK tells a child from its parent with one memory read; process ids
//! repeat across namespaces and cost a system call. Locks that a child needs are `ForkLock`s:
//! the fork hooks take them before the fork and release them on both sides, so that no thread
//! that the child does not have can leave one locked. std's locks are used for that (a futex
//! word each); parking_lot's shared table of waiters could be left locked by such a thread.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One byte that the kernel zeroes in a child.
static MARK: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// The process that set the mark, for kernels that cannot wipe a page.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Marks this process as the one that initialised the library.
pub(crate) fn mark_process() {
    OWNER.store(std::process::id(), Ordering::Relaxed);
    let mut page = MARK.load(Ordering::Acquire);
    if page.is_null() {
        page = new_wiped_page().unwrap_or(ptr::null_mut());
        MARK.store(page, Ordering::Release);
    }
    if !page.is_null() {
        // SAFETY: the page was mapped by `new_wiped_page` and is never unmapped.
        unsafe { page.write_volatile(1) };
    }
}

/// True in a process that inherited the library from the one that initialised it.
#[inline]
pub(crate) fn is_inherited() -> bool {
    let page = MARK.load(Ordering::Relaxed);
    if page.is_null() {
        let owner = OWNER.load(Ordering::Relaxed);
        return owner != 0 && owner != std::process::id();
    }
    // SAFETY: the page was mapped by `new_wiped_page` and is never unmapped.
    unsafe { page.read_volatile() == 0 }
}

fn new_wiped_page() -> Option<*mut u8> {
    const PAGE: usize = 4096;
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing of ours.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: `page` is the whole mapping made above.
    if unsafe { libc::madvise(page, PAGE, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: as above, and nobody else has seen the address.
        unsafe { libc::munmap(page, PAGE) };
        return None;
    }
    Some(page.cast())
}

/// Registers the fork hooks, once in the life of the process. They stay for good, which is why
/// the library is linked with `-z nodelete`.
pub(crate) fn register_hooks(
    prepare: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
) {
    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> libc::c_int;
    }
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: the hooks are functions of a library that is never unmapped. The only failure
        // is ENOMEM; then a fork during a call can leave a child's lock taken, as without hooks.
        unsafe { pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    });
}

/// A mutex that a forking thread holds across the fork, so that it is free in the child.
pub(crate) struct ForkLock<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: `held` is touched only by the thread that holds `mutex` (see the two methods below).
unsafe impl<T: Send> Sync for ForkLock<T> {}

impl<T> ForkLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(value), held: UnsafeCell::new(None) }
    }

    /// Locks. A panic under the lock does not poison it: what it guards is kept whole by the
    /// database or by construction.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the prepare hook: locks, and keeps the lock until `release_after_fork`.
    pub(crate) fn hold_for_fork(&'static self) {
        let guard = self.lock();
        // SAFETY: this thread holds the mutex, and only its holder touches `held`.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// For the parent and child hooks: releases what `hold_for_fork` took in the same thread.
    pub(crate) fn release_after_fork(&'static self) {
        // SAFETY: the forking thread took the mutex in `hold_for_fork`; it, or its copy in the
        // child, is the only one that runs this.
        let guard = unsafe { (*self.held.get()).take() };
        drop(guard);
    }
}

/// A read/write lock that a forking thread holds across the fork, as `ForkLock`.
pub(crate) struct ForkRwLock<T: 'static> {
    lock: RwLock<T>,
    held: UnsafeCell<Option<RwLockWriteGuard<'static, T>>>,
}

// SAFETY: `held` is touched only by the thread that holds `lock` for writing.
unsafe impl<T: Send + Sync> Sync for ForkRwLock<T> {}

impl<T> ForkRwLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { lock: RwLock::new(value), held: UnsafeCell::new(None) }
    }

    #[inline]
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.lock.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the prepare hook.
    pub(crate) fn hold_for_fork(&'static self) {
        let guard = self.write();
        // SAFETY: this thread holds the lock for writing, and only its holder touches `held`.
        unsafe { *self.held.get() = Some(guard) };
    }

    /// For the parent and child hooks.
    pub(crate) fn release_after_fork(&'static self) {
        // SAFETY: as in `ForkLock::release_after_fork`.
        let guard = unsafe { (*self.held.get()).take() };
        drop(guard);
    }
}
