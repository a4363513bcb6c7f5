//! Who this process is, for whoever reads a log later: asked of the kernel, once a login.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::environment::effective_user;

/// What tells one process from all others. Bytes of texts that are no UTF-8 stand as `\xNN`, and
/// backslashes are doubled.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// The kernel's name for the time since this machine was started; empty if it has none.
    pub(crate) boot: String,
    pub(crate) host: String,
    pub(crate) pid: u64,
    /// The effective user's number.
    pub(crate) uid: u64,
    /// The program's path.
    pub(crate) program: String,
}

impl Process {
    /// This one, now.
    pub(crate) fn this() -> Self {
        let read = |path| {
            let text = fs::read(path).unwrap_or_default();
            told(text.trim_ascii())
        };
        let program = fs::read_link("/proc/self/exe").unwrap_or_default();
        Self {
            boot: read("/proc/sys/kernel/random/boot_id"),
            host: read("/proc/sys/kernel/hostname"),
            pid: u64::from(std::process::id()),
            uid: u64::from(effective_user()),
            program: told(program.as_os_str().as_bytes()),
        }
    }
}

/// As text, with nothing lost.
fn told(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Process, told};

    #[test]
    fn nothing_of_a_name_is_lost() {
        assert_eq!(told(b"/usr/bin/openssl"), "/usr/bin/openssl");
        assert_eq!(told(b"a\\x41\xff\xc3\xa9"), "a\\\\x41\\xff\u{e9}");
    }

    #[test]
    fn this_process_is_told() {
        let told = Process::this();
        assert_eq!(told.pid, u64::from(std::process::id()));
        assert!(told.program.contains("claviger"), "{told:?}");
        assert!(!told.boot.contains('\n') && !told.host.contains('\n'), "{told:?}");
    }
}
