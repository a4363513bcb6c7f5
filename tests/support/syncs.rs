//! How often this process makes something lasting: fsync(2) and its like are counted on their way
//! to the kernel. A program's own symbols go before those of the C library, also for the module
//! that it loads, so that this needs no tool and no rights.

use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

macro_rules! counted {
    ($name:ident, $number:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name(file: libc::c_int) -> libc::c_int {
            COUNT.fetch_add(1, Ordering::Relaxed);
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

/// How many of them a call makes.
pub fn during(call: impl FnOnce()) -> u64 {
    let before = COUNT.load(Ordering::Relaxed);
    call();
    COUNT.load(Ordering::Relaxed) - before
}
