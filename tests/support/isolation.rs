//! Each test in a process of its own. PKCS#11 state belongs to the process, while cargo runs
//! tests as threads of one; so the test binary starts itself again for one test by name, with
//! its own token directory and configuration. A crash or a hang is then one failed test.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::module::Module;

/// Names the one test that a child process has to run.
const MARK: &str = "CLAVIGER_TEST_CHILD";
/// The test's own directory.
const DIRECTORY: &str = "CLAVIGER_TEST_DIRECTORY";
/// What a process that a test started has to play.
const ROLE: &str = "CLAVIGER_TEST_ROLE";
/// Another module to run the tests against, for comparison.
const OTHER_MODULE: &str = "CLAVIGER_TEST_MODULE";
/// A test that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(180);
/// So does another process that a test runs; it is the first to be given up.
const PLAYERS_PATIENCE: Duration = Duration::from_secs(120);
/// PINs cost next to nothing in tests.
const CHEAP_PINS: &str = "pin.argon2_memory_kib = 64\npin.argon2_passes = 1\n";

/// Runs `test` in a fresh process. The test's name is that of the closure.
#[track_caller]
pub fn isolated<F: FnOnce(&Bench)>(test: F) {
    let name = test_name::<F>();
    match std::env::var(MARK) {
        Ok(mark) if mark == name => test(&Bench::of_this_process()),
        _ => run_in_child(&name, PATIENCE, &std::env::temp_dir()),
    }
}

/// The same for a test that uses a token thousands of times: it may take so long, and its
/// directory lies in memory where there is room for it, so that nothing waits for a disk.
#[track_caller]
pub fn isolated_in_memory<F: FnOnce(&Bench)>(patience: Duration, test: F) {
    isolated_as::<F>(patience, test);
}

/// The same, under the name of the test that `Named` stands in: for functions that wrap a test's
/// closure in one of their own.
#[track_caller]
pub fn isolated_as<Named>(patience: Duration, test: impl FnOnce(&Bench)) {
    let name = test_name::<Named>();
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    match std::env::var(MARK) {
        Ok(mark) if mark == name => test(&Bench::of_this_process()),
        _ => run_in_child(&name, patience, &place),
    }
}

/// The path of the test that a closure stands in, as the test harness knows it.
fn test_name<F>() -> String {
    let full = std::any::type_name::<F>();
    let without_crate = full.split_once("::").map_or(full, |(_, rest)| rest);
    without_crate.trim_end_matches("::{{closure}}").to_owned()
}

fn run_in_child(name: &str, patience: Duration, place: &Path) {
    let directory = tempfile::tempdir_in(place).expect("a temporary directory");
    let bench = Bench { directory: directory.path().to_owned() };
    bench.prepare();
    let mut command = test_command(name);
    command.env(MARK, name).env(DIRECTORY, bench.dir()).env_remove(ROLE);
    bench.furnish(&mut command);
    let (status, output) = run_with_patience(&mut command, patience);
    if output.contains("running 0 tests") {
        panic!("no test is called {name}");
    }
    if !status.success() {
        panic!("{name} {}; what it wrote:\n{}", describe(status), without_harness(&output));
    }
}

/// This test binary, with one test to run.
fn test_command(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args([name, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]);
    command
}

/// A child's output without the lines of its own test harness.
fn without_harness(output: &str) -> String {
    let noise = ["running 1 test", "test ", "failures:", "    ", "note: run with", "error: test"];
    let kept =
        |line: &&str| !line.trim().is_empty() && !noise.iter().any(|start| line.starts_with(start));
    output.lines().filter(kept).collect::<Vec<_>>().join("\n")
}

/// How a process ended, in words.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (_, Some(libc::SIGKILL)) => "was killed: it hung".to_owned(),
        (_, Some(signal)) => format!("crashed with signal {signal}"),
        (Some(code), None) => format!("failed with code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Runs a command to its end, but not longer than `patience`; everything that it started in its
/// process group dies with it. Gives what it wrote on both streams.
pub fn run_with_patience(command: &mut Command, patience: Duration) -> (ExitStatus, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let group = libc::pid_t::try_from(child.id()).expect("a process id");
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let status = wait(&mut child, group, patience);
    // SAFETY: the group is the child's own; what is left of it has no business after its end.
    unsafe { libc::kill(-group, libc::SIGKILL) };
    let text = [out, err].map(|reader| reader.join().expect("a reader of the child's output"));
    (status, text.concat())
}

fn wait(child: &mut Child, group: libc::pid_t, patience: Duration) -> ExitStatus {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("the state of a child") {
            return status;
        }
        if Instant::now() > deadline {
            // SAFETY: the group was made for this child.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // A reader that fails has still kept what came before.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Where one test works: its directory, configuration and module.
pub struct Bench {
    directory: PathBuf,
}

impl Bench {
    fn of_this_process() -> Self {
        let directory = std::env::var_os(DIRECTORY).expect("a child knows its directory");
        Self { directory: directory.into() }
    }

    /// The test's own directory, removed when the test is over.
    pub fn dir(&self) -> &Path {
        &self.directory
    }

    /// Where the module keeps tokens.
    pub fn token_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The module's configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.directory.join("claviger.toml")
    }

    /// Replaces the configuration; PINs stay cheap. Call it before C_Initialize.
    pub fn configure(&self, toml: &str) {
        let text = format!("{CHEAP_PINS}{toml}\n");
        std::fs::write(self.configuration(), text).expect("the configuration is written");
    }

    /// Gives a process that a test starts the same token directory and module.
    pub fn furnish(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = text.starts_with("CLAVIGER_") && !text.starts_with("CLAVIGER_TEST_");
            if ours || text.starts_with("XDG_") {
                command.env_remove(&name);
            }
        }
        command.env("HOME", &self.directory);
        command.env("CLAVIGER_DIR", self.token_dir());
        command.env("CLAVIGER_CONF", self.configuration());
        command.env("SOFTHSM2_CONF", self.directory.join("softhsm2.conf"));
        command.env(OTHER_MODULE, self.module_path());
    }

    fn prepare(&self) {
        self.configure("");
        let softhsm_tokens = self.directory.join("softhsm");
        std::fs::create_dir(&softhsm_tokens).expect("a directory for SoftHSM's tokens");
        let softhsm = format!("directories.tokendir = {}\n", softhsm_tokens.display());
        let written = std::fs::write(self.directory.join("softhsm2.conf"), softhsm);
        written.expect("SoftHSM's configuration is written");
    }

    /// The module under test: the cdylib that cargo built beside this test.
    pub fn module_path(&self) -> PathBuf {
        if let Some(other) = std::env::var_os(OTHER_MODULE) {
            return std::path::absolute(other).expect("a path");
        }
        let test = std::env::current_exe().expect("the path of this test");
        let deps = test.parent().expect("the folder of this test");
        let profile = deps.parent().expect("the folder of the profile");
        let built = |path: PathBuf| {
            let made = std::fs::metadata(&path).and_then(|file| file.modified()).ok()?;
            Some((made, path))
        };
        let candidates = [deps.join("libclaviger.so"), profile.join("libclaviger.so")];
        let newest = candidates.into_iter().filter_map(built).max();
        newest.expect("cargo builds libclaviger.so before its tests").1
    }

    /// What this process has to play in its test; None in the first one.
    pub fn role(&self) -> Option<String> {
        std::env::var(ROLE).ok()
    }

    /// A command that runs this test again in another process, which has a role to play on the
    /// same tokens. What it writes begins with lines of the test harness.
    pub fn player(&self, role: &str) -> Command {
        let name = std::env::var(MARK).expect("a child knows its name");
        let mut command = test_command(&name);
        command.env(MARK, name).env(DIRECTORY, self.dir()).env(ROLE, role);
        self.furnish(&mut command);
        command
    }

    /// Runs another process in a role to its end; fails the test if that fails.
    #[track_caller]
    pub fn play(&self, role: &str) -> String {
        let (status, output) = run_with_patience(&mut self.player(role), PLAYERS_PATIENCE);
        assert!(status.success(), "{role} {}: {}", describe(status), without_harness(&output));
        output
    }

    /// Loads the module, as a host would.
    pub fn load(&self) -> Module {
        Module::load(&self.module_path())
    }

    /// Loads the module and calls C_Initialize.
    pub fn initialised(&self) -> Module {
        let module = self.load();
        module.initialize().expect("C_Initialize");
        module
    }
}
