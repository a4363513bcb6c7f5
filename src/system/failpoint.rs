//! Places where a test can end the process as a power cut or `kill -9` would.
//!
//! Without the cargo feature `failpoints` a place is an empty inline function. With it, the
//! variable `CLAVIGER_FAILPOINT="name"` or `"name:nth"` ends the process the nth time that the
//! place of that name is reached, with status 137 and without any clean-up.

#[cfg(feature = "failpoints")]
pub(crate) use armed::hit;

/// Does nothing.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) const fn hit(_name: &str) {}

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        left: AtomicU64,
    }

    /// Ends the process if the environment names this place and its turn has come.
    pub(crate) fn hit(name: &str) {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let Some(armed) = ARMED.get_or_init(read).as_ref() else { return };
        if armed.name == name && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // SAFETY: _exit runs nothing of ours; that is what a crash is.
            unsafe { libc::_exit(137) };
        }
    }

    fn read() -> Option<Armed> {
        let value = std::env::var("CLAVIGER_FAILPOINT").ok()?;
        let (name, turn) = match value.rsplit_once(':') {
            Some((name, turn)) => (name, turn.parse().ok()?),
            None => (value.as_str(), 1),
        };
        Some(Armed { name: name.to_owned(), left: AtomicU64::new(turn) })
    }
}
