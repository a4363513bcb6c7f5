//! What a figure was measured on.

use std::process::Command;
use std::{fs, thread};

/// Processors, load and compiler, on one line.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc =
        rustc.map_or_else(|_| "?".into(), |o| String::from_utf8_lossy(&o.stdout).into_owned());
    format!(
        "{cores} cores of {}; load {}; {}",
        model.trim_start_matches([' ', '\t', ':']),
        load.split_whitespace().next().unwrap_or("?"),
        rustc.trim()
    )
}
