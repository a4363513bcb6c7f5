//! Somebody with a home directory and nothing else, who types commands.
//! No answer may hold a PIN or a panic; that is looked at for every command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SO_PIN: &str = "so-pin-7391";
pub(crate) const USER_PIN: &str = "user-pin-2846";

pub(crate) struct Person {
    pub(crate) home: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Person {
    pub(crate) fn new() -> Self {
        let person = Self { home: tempfile::tempdir().unwrap() };
        // Two passes over 19 MiB are for attackers; the tests log in often.
        person.configure("[pin]\nargon2_memory_kib = 64\nargon2_passes = 1\n");
        person.write("so.pin", SO_PIN);
        person.write("user.pin", &format!("{USER_PIN}\nthe second line does not count\n"));
        person
    }

    /// Somebody with one token, `web`.
    pub(crate) fn with_token() -> Self {
        let person = Self::new();
        person.make_token("web");
        person
    }

    pub(crate) fn make_token(&self, label: &str) -> Answer {
        let pins = ["--so-pin-file", "so.pin", "--pin-file", "user.pin"];
        self.run(&[&["token", "init", "--label", label], &pins[..]].concat()).expect_code(0)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path(".local/share/claviger")
    }

    /// The directory of the only token.
    pub(crate) fn token_directory(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.data().join("tokens")).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn configure(&self, text: &str) {
        self.write(".config/claviger/claviger.toml", text);
    }

    /// The command, in its own session so that there is no terminal to ask on.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(env!("CARGO_BIN_EXE_claviger")).args(arguments);
        self.settle(&mut command);
        command
    }

    /// Gives a command this home and nothing of the environment of the tests.
    pub(crate) fn settle(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.home.path());
        command.current_dir(self.home.path()).stdin(Stdio::null());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let answer = self.run(&[arguments, &["--json"]].concat()).expect_code(0);
        serde_json::from_str(&answer.out).unwrap_or_else(|why| panic!("{why}: {}", answer.out))
    }

    /// As `run`, with the user's PIN.
    pub(crate) fn run_as_user(&self, arguments: &[&str]) -> Answer {
        self.run(&[arguments, &["--pin-file", "user.pin"]].concat())
    }
}

impl Answer {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let answer = Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        for pin in [SO_PIN, USER_PIN] {
            assert!(!answer.out.contains(pin) && !answer.err.contains(pin), "{answer:?}");
        }
        assert!(!answer.err.contains("panicked"), "{answer:?}");
        answer
    }

    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.out.contains(part) || self.err.contains(part), "no {part:?} in {self:#?}");
        self
    }
}
