//! How often this process makes something lasting: fsync(2) and its like are counted on their way
//! to the kernel. A program's own symbols go before those of the C library, also for the modules
//! that it loads, so that this works with any module and needs no tool.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);
static SKIPPED: AtomicBool = AtomicBool::new(false);

/// From now on nothing is made lasting, to fill a store that the bench will throw away.
pub(crate) fn skip(skipped: bool) {
    SKIPPED.store(skipped, Ordering::Relaxed);
}

/// How many there were so far, of all threads.
pub(crate) fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

macro_rules! counted {
    ($name:ident, $number:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name(file: libc::c_int) -> libc::c_int {
            COUNT.fetch_add(1, Ordering::Relaxed);
            if SKIPPED.load(Ordering::Relaxed) {
                return 0;
            }
            // SAFETY: the system call that was asked for; it takes a number and no memory.
            match unsafe { libc::syscall($number, file) } {
                0 => 0,
                _ => -1,
            }
        }
    };
}
counted!(fsync, libc::SYS_fsync);
counted!(fdatasync, libc::SYS_fdatasync);
counted!(syncfs, libc::SYS_syncfs);
