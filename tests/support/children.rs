//! Forked processes of a test, and where its token lies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use super::isolation::Bench;

/// Runs `work` in a forked process; fails the test if it fails, crashes or hangs. The harness
/// runs one test in one thread, so that the child may panic.
#[track_caller]
pub fn in_child(work: impl FnOnce()) {
    assert_eq!(outcome_of(work), 0, "the child failed or crashed");
}

/// Runs `work` in a forked process, and gives the state that waitpid tells: 0 if all went well.
pub fn outcome_of(work: impl FnOnce()) -> i32 {
    // SAFETY: one thread runs here, and the child ends with _exit.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "fork");
    if process == 0 {
        let code = i32::from(catch_unwind(AssertUnwindSafe(work)).is_err());
        // SAFETY: ends the child without running the test harness's own ends.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: a child of ours, and a live local. A child that hangs is killed with this test.
    let waited = unsafe { libc::waitpid(process, &raw mut status, 0) };
    assert_eq!(waited, process);
    status
}

/// The same as `in_child`; gives the most memory that was resident in the child, in KiB.
#[track_caller]
pub fn in_child_measured(work: impl FnOnce()) -> i64 {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("this process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.expect("VmHWM").trim().trim_end_matches(" kB").to_owned()
    };
    let told = std::env::temp_dir().join(format!("peak-{}", std::process::id()));
    in_child(|| {
        // From here on: a child begins with its parent's peak.
        std::fs::write("/proc/self/clear_refs", "5").expect("the peak is forgotten");
        work();
        std::fs::write(&told, peak()).expect("the peak is told");
    });
    let text = std::fs::read_to_string(&told).expect("the peak");
    let _ = std::fs::remove_file(&told);
    text.parse().expect("a number")
}

impl Bench {
    /// The directory of the only token.
    pub fn token_directory(&self) -> PathBuf {
        let tokens = self.token_dir().join("tokens");
        let mut entries = std::fs::read_dir(tokens).expect("the tokens");
        entries.next().expect("a token").expect("an entry").path()
    }

    /// Has the module tell why calls fail; gives the file.
    pub fn log_to(&self) -> PathBuf {
        let log = self.dir().join("diagnostics");
        // SAFETY: one thread runs here.
        unsafe { std::env::set_var("CLAVIGER_LOG", &log) };
        log
    }
}

/// What a file of lines says, and an empty file from then on.
pub fn take_log(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    std::fs::write(log, b"").expect("the log is emptied");
    text
}

/// Gives up root's rights, if there are any: root may do everything.
pub fn become_nobody() {
    /// Nobody, on Debian and elsewhere.
    const NOBODY: u32 = 65_534;
    // SAFETY: changes the rights of this process alone.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setgroups(0, std::ptr::null()) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setgid(NOBODY) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setuid(NOBODY) }, 0);
}
