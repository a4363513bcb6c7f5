//! Who this process is, for whoever reads a log later: asked of the kernel, once a login. And what
//! stands in its memory, where a number may be an address and may be none.

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

/// The number at an address of this process; `None` if nothing can be read there. The kernel reads,
/// so an address that is none does no harm.
pub(crate) fn peek(address: usize) -> Option<u64> {
    let mut bytes = [0; size_of::<u64>()];
    let here = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let there =
        libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: bytes.len() };
    let own = i32::try_from(std::process::id()).ok()?;
    // SAFETY: `here` is exclusively borrowed memory of that length; the kernel checks `there`.
    let read = unsafe { libc::process_vm_readv(own, &here, 1, &there, 1, 0) };
    (usize::try_from(read) == Ok(bytes.len())).then(|| u64::from_ne_bytes(bytes))
}

/// The file name of the program that this process runs.
pub(crate) fn program_name() -> String {
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The paths of the files of which this process has code mapped, each once. proc(5): the path is
/// the sixth field, to the end of the line; the second says what may be done.
pub(crate) fn loaded_files() -> Vec<String> {
    let maps = fs::read("/proc/self/maps").unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let path = |line: &str| {
        let is_code = line.split(' ').nth(1)?.contains('x');
        line.get(line.find('/')?..).filter(|_| is_code).map(str::to_owned)
    };
    let mut files: Vec<String> = maps.lines().filter_map(path).collect();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::{Process, loaded_files, peek, program_name};

    #[test]
    fn memory_is_read_where_there_is_some() {
        let number = 0x1234_5678_9abc_def0_u64;
        assert_eq!(peek((&raw const number).addr()), Some(number));
        for nowhere in [0, 8, 1 << 40, usize::MAX - 7, usize::MAX] {
            assert_eq!(peek(nowhere), None, "{nowhere:#x}");
        }
    }

    #[test]
    fn what_is_loaded_is_told() {
        let program = program_name();
        assert!(loaded_files().iter().any(|path| path.ends_with(&format!("/{program}"))));
    }

    #[test]
    fn this_process_is_told() {
        let told = Process::this();
        assert_eq!(told.pid, u64::from(std::process::id()));
        let program = std::env::current_exe().unwrap();
        assert_eq!(told.program, program.as_os_str().as_encoded_bytes());
        assert!(!told.boot.contains(&b'\n') && !told.host.contains(&b'\n'), "{told:?}");
    }
}
