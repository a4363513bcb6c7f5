//! Who this process is, for whoever reads a log later: asked of the kernel, once a login.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::environment::effective_user;

/// What tells one process from all others.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// The kernel's name for the time since this machine was started; empty if it has none.
    pub(crate) boot: String,
    pub(crate) host: String,
    pub(crate) pid: u64,
    /// The effective user's number.
    pub(crate) uid: u64,
    /// The program's path. What is no UTF-8 stands as U+FFFD.
    pub(crate) program: String,
}

impl Process {
    /// This one, now.
    pub(crate) fn this() -> Self {
        let told = |path| {
            let text = fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(text.trim_ascii()).into_owned()
        };
        let program = fs::read_link("/proc/self/exe").unwrap_or_default();
        Self {
            boot: told("/proc/sys/kernel/random/boot_id"),
            host: told("/proc/sys/kernel/hostname"),
            pid: u64::from(std::process::id()),
            uid: u64::from(effective_user()),
            program: String::from_utf8_lossy(program.as_os_str().as_bytes()).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn this_process_is_told() {
        let told = Process::this();
        assert_eq!(told.pid, u64::from(std::process::id()));
        assert!(told.program.contains("claviger"), "{told:?}");
        assert!(!told.boot.contains('\n') && !told.host.contains('\n'), "{told:?}");
    }
}
