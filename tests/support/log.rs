//! The audit log of a test's token, as `claviger audit` shows it.

use std::process::Command;

use serde_json::Value;

use super::isolation::Bench;

/// All leaves of a log that was found sound.
pub struct Log {
    pub leaves: Vec<Value>,
}

fn tool(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    bench.furnish(&mut command);
    let output = command.arg("audit").args(arguments).output().expect("claviger");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

impl Bench {
    /// What `claviger audit verify` says; 3 stands for a sound log without a pinned key.
    pub fn verdict(&self) -> (Option<i32>, String) {
        let (code, output, errors) = tool(self, &["verify"]);
        (code, output + &errors)
    }

    /// The log of the one token, which has to be sound.
    #[track_caller]
    pub fn log(&self) -> Log {
        let (code, verdict) = self.verdict();
        assert_eq!(code, Some(3), "{verdict}");
        let (code, output, errors) = tool(self, &["export", "--format", "jsonl"]);
        assert_eq!(code, Some(0), "{errors}");
        let parse = |line| serde_json::from_str(line).expect("a line of JSON");
        Log { leaves: output.lines().map(parse).collect() }
    }
}

/// A text of a leaf; empty if there is none.
pub fn text<'l>(leaf: &'l Value, name: &str) -> &'l str {
    leaf[name].as_str().unwrap_or_default()
}

impl Log {
    /// The leaves of a kind; the empty kind are the uses.
    pub fn of_kind<'l>(&'l self, kind: &'l str) -> impl Iterator<Item = &'l Value> {
        self.leaves.iter().filter(move |leaf| text(leaf, "kind") == kind)
    }

    /// The uses, in the order of the log: function and return value.
    pub fn uses(&self) -> Vec<(&str, &str)> {
        self.of_kind("").map(|leaf| (text(leaf, "call"), text(leaf, "rv"))).collect()
    }

    /// How many uses there are of a function that succeeded.
    pub fn count(&self, call: &str) -> usize {
        self.uses().iter().filter(|found| **found == (call, "CKR_OK")).count()
    }

    /// The one use that fits.
    #[track_caller]
    pub fn one(&self, call: &str, rv: &str) -> &Value {
        let fits = |leaf: &&Value| text(leaf, "call") == call && text(leaf, "rv") == rv;
        let found: Vec<_> = self.of_kind("").filter(fits).collect();
        let [one] = found.as_slice() else { panic!("{} of {call} {rv}", found.len()) };
        one
    }
}
