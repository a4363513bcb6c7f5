//! Many processes at once, all let go at the same moment.

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::isolation::Bench;

/// A crowd that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What one of the crowd wrote, line by line, without the lines of the test harness.
pub type Lines = Vec<String>;

impl Bench {
    /// Starts one process per role and lets them go together; each calls `wait_for_the_start`.
    /// Fails the test if one of them fails.
    #[track_caller]
    pub fn crowd(&self, roles: &[String]) -> Vec<Lines> {
        let start = self.start();
        let _ = std::fs::remove_file(&start);
        let mut children: Vec<Child> = roles
            .iter()
            .map(|role| {
                let mut command = self.player(role);
                command.stdin(Stdio::null()).stdout(Stdio::piped());
                command.spawn().expect("one more process")
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        std::fs::write(&start, b"go").expect("the start is given");
        let deadline = Instant::now() + PATIENCE;
        children.iter_mut().zip(roles).map(|(child, role)| finish(child, role, deadline)).collect()
    }

    fn start(&self) -> std::path::PathBuf {
        self.dir().join("start")
    }

    /// In one of the crowd: waits until all are let go.
    pub fn wait_for_the_start(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.start().exists() {
            assert!(Instant::now() < deadline, "the start was never given");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn finish(child: &mut Child, role: &str, deadline: Instant) -> Lines {
    let mut output = child.stdout.take().expect("its output");
    let mut text = String::new();
    // Lines are few, so the pipe never fills while another one is waited for.
    while child.try_wait().expect("the state of a child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("a child that hangs can be killed");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    output.read_to_string(&mut text).expect("text");
    let status = child.wait().expect("the end of a child");
    assert!(status.success(), "{role}: {}: {text}", super::isolation::describe(status));
    said(&text)
}

/// The lines that a process said to its test.
pub fn said(text: &str) -> Lines {
    text.lines().filter_map(|line| line.strip_prefix("said: ")).map(str::to_owned).collect()
}

/// Says a line to the test, at once and in one write.
pub fn say(line: &str) {
    // The test harness leaves its own line unfinished.
    let line = format!("\nsaid: {line}\n");
    // SAFETY: a live buffer and its length. Rust's own stdout is captured by the test harness.
    let written = unsafe { libc::write(1, line.as_ptr().cast(), line.len()) };
    assert_eq!(usize::try_from(written), Ok(line.len()), "the test listens");
}
