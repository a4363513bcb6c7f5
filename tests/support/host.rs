//! Small C hosts, compiled when a test needs them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::functions::FUNCTIONS;
use super::isolation::{Bench, run_with_patience};

/// A host that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the sources of the hosts are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

impl Bench {
    /// Compiles `tests/hosts/<name>.c`; a shared library if `flags` say so.
    #[track_caller]
    pub fn compile(&self, name: &str, flags: &[&str]) -> PathBuf {
        let built = self.dir().join(name);
        let listed = FUNCTIONS.map(|function| format!("OURS({function})\n")).concat();
        std::fs::write(self.dir().join("names.h"), listed).expect("the list of names");
        let mut command = Command::new("cc");
        command.args(["-std=gnu11", "-O1", "-Wall", "-Wno-unused-function", "-pthread"]);
        command.args(flags).arg("-I").arg(self.dir()).arg("-o").arg(&built);
        command.arg(sources().join(format!("{name}.c"))).arg("-ldl");
        let (status, output) = run_with_patience(&mut command, PATIENCE);
        assert!(status.success(), "cc {name}.c: {output}");
        built
    }

    /// Runs a program with this bench's token directory and configuration.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> (ExitStatus, String) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir());
        self.furnish(&mut command);
        run_with_patience(&mut command, PATIENCE)
    }
}
