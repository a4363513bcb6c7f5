//! What a command gets of its host, and what the host gets of it.

use std::fs;
use std::process::Command;

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

#[test]
fn nothing_of_the_host_reaches_a_command() {
    // A descriptor that a host has left open for children.
    let open = File::open("/etc/passwd").unwrap();
    // SAFETY: a descriptor that is open.
    let shared = unsafe { libc::fcntl(open.as_raw_fd(), libc::F_DUPFD, 50) };
    assert!(shared >= 50);
    let said = |script: &str| {
        let ended = run(&shell(script), b"input\n", 1 << 16, LIMIT).unwrap();
        assert_eq!(ended.code, Some(0), "{script}");
        String::from_utf8(ended.output).unwrap()
    };
    assert_eq!(said("cat; cat"), "input\n");
    let environment = said("/usr/bin/env");
    let names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(names.iter().all(|name| ["PATH", "PWD", "SHLVL", "_", "OLDPWD"].contains(name)));
    assert!(environment.contains("PATH=/usr/local/sbin:"), "{environment}");
    assert_eq!(said("pwd").trim(), "/");
    assert_eq!(said("readlink /proc/self/fd/2").trim(), "/dev/null");
    assert_eq!(said("test -t 0 || echo no terminal").trim(), "no terminal");
    let descriptors = said("ls /proc/$$/fd");
    let high = descriptors.split_whitespace().filter(|name| name.parse::<i32>().unwrap() >= 50);
    assert_eq!(high.count(), 0, "{descriptors}");
    let ignored = said("grep -E '^Sig(Ign|Blk)' /proc/self/status");
    for line in ignored.lines() {
        // The C library has two signals of its own, and leaves them as they are.
        let set = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        assert_eq!(set & !(3 << 31), 0, "{line}");
    }
    // SAFETY: opened above.
    unsafe { libc::close(shared) };
}

/// A daemon has closed its standard descriptors; what is opened next gets their numbers.
#[test]
fn a_host_without_standard_descriptors_can_run_commands() {
    const PLACE: &str = "CLAVIGER_TEST_PLACE";
    let Some(place) = std::env::var_os(PLACE) else {
        let place = tempfile::NamedTempFile::new().unwrap();
        let test = "a_host_without_standard_descriptors_can_run_commands";
        let test = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([&test, "--exact", "--nocapture", "--test-threads=1"]).env(PLACE, place.path());
        assert!(child.output().unwrap().status.success());
        assert_eq!(fs::read_to_string(place.path()).unwrap(), "input, Some(7)");
        return;
    };
    for descriptor in 0..3 {
        // SAFETY: this process runs nothing that needs them.
        unsafe { libc::close(descriptor) };
    }
    let ended = run(&shell("cat; exit 7"), b"input", 100, LIMIT).unwrap();
    let said = String::from_utf8(ended.output).unwrap();
    fs::write(place, format!("{said}, {:?}", ended.code)).unwrap();
}

#[test]
fn nothing_is_left_open_and_nobody_is_left_over() {
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    run(&shell("true"), b"", 10, LIMIT).unwrap();
    let before = descriptors();
    for _ in 0..20 {
        run(&shell("cat"), &[b'x'; 5], 10, LIMIT).unwrap();
        run(&shell("cat"), &[b'x'; 50], 10, LIMIT).unwrap_err();
        run(&shell("sleep 9"), b"", 10, Duration::from_millis(20)).unwrap_err();
        run(&["/nonexistent".to_owned()], b"", 10, LIMIT).unwrap_err();
        run(&["/bin/sh".to_owned(), "nul\0".to_owned()], b"", 10, LIMIT).unwrap_err();
        run(&[], b"", 10, LIMIT).unwrap_err();
    }
    // Other tests open and close files meanwhile.
    assert!(descriptors() < before + 30);
}
