//! The end of the process: one function in `.fini_array` that sets a flag.
//!
//! Hosts exit without C_Finalize, and their destructors may call us after our own libraries'
//! destructors ran. After the flag every entry answers CKR_CRYPTOKI_NOT_INITIALIZED.

use std::sync::atomic::{AtomicBool, Ordering};

static EXITING: AtomicBool = AtomicBool::new(false);

/// True once the dynamic linker began to end the process.
#[inline]
pub(crate) fn is_exiting() -> bool {
    EXITING.load(Ordering::Relaxed)
}

extern "C" fn note_exit() {
    EXITING.store(true, Ordering::Relaxed);
}

// SAFETY: `.fini_array` holds functions without arguments that the dynamic linker calls once at
// the end; this one touches an atomic only.
#[used]
#[unsafe(link_section = ".fini_array")]
static NOTE_EXIT: extern "C" fn() = note_exit;
