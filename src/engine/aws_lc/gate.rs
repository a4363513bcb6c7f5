//! A gate around what draws the library's randomness, so that a fork meets no thread inside.
//!
//! The library's generator has global locks that no fork hook of its own frees: a child forked
//! while another thread seeds (20 ms the first time, then briefly every 4096 draws) would wait
//! for ever at its first signature. A forking thread therefore closes the gate and waits until
//! it is empty; the others go on when the fork is over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::system::fork::ForkLock;
use crate::system::shard::{self, Apart, SHARDS};

static INSIDE: [Apart<AtomicUsize>; SHARDS] = [const { Apart(AtomicUsize::new(0)) }; SHARDS];
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Held by the thread that closed the gate.
static KEY: ForkLock<()> = ForkLock::new(());

/// Being inside the gate; not for long, because a fork waits for it.
pub(super) struct Inside(&'static AtomicUsize);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Goes in, after a fork that is under way.
pub(super) fn enter() -> Inside {
    let [first, ..] = &INSIDE;
    let count = INSIDE.get(shard::of_this_thread()).unwrap_or(first);
    loop {
        count.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(count);
        if !CLOSED.load(Ordering::SeqCst) {
            return inside;
        }
        drop(inside);
        drop(KEY.lock());
    }
}

/// For the prepare hook: before the arena is held, which whoever is inside still needs.
pub(in crate::engine) fn hold_for_fork() {
    KEY.hold_for_fork();
    CLOSED.store(true, Ordering::SeqCst);
    while INSIDE.iter().any(|count| count.load(Ordering::SeqCst) != 0) {
        thread::sleep(Duration::from_micros(50));
    }
}

/// For the parent and child hooks.
pub(in crate::engine) fn release_after_fork() {
    CLOSED.store(false, Ordering::SeqCst);
    KEY.release_after_fork();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::{hold_for_fork, release_after_fork};
    use crate::engine::aws_lc::ec::{Curve, EcPrivate};
    use crate::system::arena::{ENGINE, SECRETS};

    fn sign(key: &EcPrivate) -> bool {
        key.sign(&[1; 32], &mut [0; 64]).is_ok()
    }

    /// Forks; the child signs and leaves. Gives its exit status, or none if it hangs.
    fn child_signs(key: &EcPrivate, forked: &AtomicBool) -> Option<i32> {
        hold_for_fork();
        ENGINE.hold_for_fork();
        SECRETS.hold_for_fork();
        // SAFETY: all locks that the child needs are held; it calls nothing but the signature.
        let child = unsafe { libc::fork() };
        SECRETS.release_after_fork();
        ENGINE.release_after_fork();
        release_after_fork();
        if child == 0 {
            let code = if sign(key) { 0 } else { 1 };
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(code) };
        }
        forked.store(true, Ordering::Relaxed);
        let mut status = -1;
        for _ in 0..10_000 {
            // SAFETY: a child of ours and a live local.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: a child of ours that has not been waited for.
        unsafe { libc::kill(child, libc::SIGKILL) };
        // SAFETY: as above.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        None
    }

    #[test]
    fn a_child_can_sign_though_threads_of_its_parent_were_seeding() {
        let key = EcPrivate::generate(Curve::P256).expect("a key");
        for round in 0..20 {
            let forked = AtomicBool::new(false);
            let status = thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        assert!(sign(&key), "the first draw of a new thread seeds its generator");
                        while !forked.load(Ordering::Relaxed) {
                            thread::yield_now();
                        }
                    });
                }
                child_signs(&key, &forked)
            });
            assert_eq!(status, Some(0), "round {round}");
        }
    }
}
