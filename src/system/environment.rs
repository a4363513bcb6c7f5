//! The environment, read once, in C_Initialize, and not at all in a privileged process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::fork;

/// The variables that we look at, as they were at one moment.
#[derive(Clone, Default, Debug)]
pub(crate) struct Environment {
    /// True in a set-user-id or otherwise privileged process (AT_SECURE): nothing else is set.
    pub(crate) secure: bool,
    pub(crate) claviger_conf: Option<PathBuf>,
    pub(crate) claviger_dir: Option<PathBuf>,
    pub(crate) claviger_log: Option<PathBuf>,
    pub(crate) claviger_view: Option<String>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) config_home: Option<PathBuf>,
    pub(crate) data_home: Option<PathBuf>,
    /// A trace of the W3C's form; anything else is left out.
    pub(crate) traceparent: Option<String>,
}

/// What the library read in this process, and in the one that it is a fork of. Only C_Initialize
/// looks here, and no thread forks while another is in that.
static READ: Mutex<(Option<Environment>, Option<Environment>)> = Mutex::new((None, None));

impl Environment {
    /// Reads the environment as C_Initialize does: what it lacks in a forked child is as it was in
    /// the parent. A server that clears the environment of its workers, as nginx does, is to find
    /// the same tokens in them.
    pub(crate) fn of_library() -> Self {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, parents) = &mut *read;
        if fork::is_inherited() {
            *parents = own.take();
        }
        let mut here = Self::read();
        if let Some(parents) = parents.as_ref().filter(|_| !here.secure) {
            here.take_over(parents);
        }
        *own = Some(here.clone());
        here
    }

    fn take_over(&mut self, parents: &Self) {
        for (own, parents) in [
            (&mut self.claviger_conf, &parents.claviger_conf),
            (&mut self.claviger_dir, &parents.claviger_dir),
            (&mut self.claviger_log, &parents.claviger_log),
            (&mut self.home, &parents.home),
            (&mut self.config_home, &parents.config_home),
            (&mut self.data_home, &parents.data_home),
        ] {
            if own.is_none() {
                own.clone_from(parents);
            }
        }
        if self.claviger_view.is_none() {
            self.claviger_view.clone_from(&parents.claviger_view);
        }
    }

    /// Reads the environment of this process.
    #[must_use]
    pub(crate) fn read() -> Self {
        if is_secure() {
            return Self { secure: true, ..Self::default() };
        }
        let path = |name: &str| {
            std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from)
        };
        Self {
            secure: false,
            claviger_conf: path("CLAVIGER_CONF"),
            claviger_dir: path("CLAVIGER_DIR"),
            claviger_log: path("CLAVIGER_LOG"),
            claviger_view: std::env::var("CLAVIGER_VIEW").ok().filter(|view| !view.is_empty()),
            home: path("HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            data_home: path("XDG_DATA_HOME"),
            traceparent: std::env::var("TRACEPARENT").ok().filter(|value| is_trace(value)),
        }
    }
}

/// Version, trace id, parent id and flags in hexadecimal digits. W3C Trace Context, 3.2.
fn is_trace(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([2, 32, 16, 2]) && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The kernel's word that this process runs with more rights than who started it.
fn is_secure() -> bool {
    // SAFETY: getauxval reads a value that the kernel gave; any type is allowed.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// The effective user id of this process.
#[must_use]
pub(crate) fn effective_user() -> u32 {
    // SAFETY: geteuid cannot fail and touches nothing.
    unsafe { libc::geteuid() }
}

/// Group id by name, from the system's group database.
#[must_use]
pub(crate) fn group_id(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    let mut buffer = vec![0_i8 as libc::c_char; 16 * 1024];
    let mut found = std::ptr::null_mut();
    // SAFETY: an all-zero `group` is a valid value to be overwritten.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    // SAFETY: all pointers are to live locals, and the length is that of the buffer.
    let failed = unsafe {
        libc::getgrnam_r(
            name.as_ptr(),
            &raw mut entry,
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
        )
    };
    (failed == 0 && !found.is_null()).then_some(entry.gr_gid)
}
