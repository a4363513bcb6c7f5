//! Who this process is, for whoever reads a log later: asked of the kernel, once a login.

use std::fs;
use std::os::unix::ffi::OsStringExt;

use super::environment::effective_user;

/// What tells one process from all others. Names are bytes, as the kernel has them.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// The kernel's name for the time since this machine was started; empty if it has none.
    pub(crate) boot: Vec<u8>,
    pub(crate) host: Vec<u8>,
    pub(crate) pid: u64,
    /// The effective user's number.
    pub(crate) uid: u64,
    /// The program's path.
    pub(crate) program: Vec<u8>,
}

impl Process {
    /// This one, now.
    pub(crate) fn this() -> Self {
        let told = |path| fs::read(path).unwrap_or_default().trim_ascii().to_vec();
        let program = fs::read_link("/proc/self/exe").unwrap_or_default();
        Self {
            boot: told("/proc/sys/kernel/random/boot_id"),
            host: told("/proc/sys/kernel/hostname"),
            pid: u64::from(std::process::id()),
            uid: u64::from(effective_user()),
            program: program.into_os_string().into_vec(),
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
        let program = std::env::current_exe().unwrap();
        assert_eq!(told.program, program.as_os_str().as_encoded_bytes());
        assert!(!told.boot.contains(&b'\n') && !told.host.contains(&b'\n'), "{told:?}");
    }
}
