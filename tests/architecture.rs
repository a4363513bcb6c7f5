//! The rules of the house: which floor imports which, where `unsafe` may stand, how long a file
//! may get, who may look into a secret. `docs/architecture.md` explains them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Top floor first. A module may import only from floors below its own.
const FLOORS: &[&[&str]] = &[
    &["abi"],
    &["provider"],
    &["session", "token"],
    &["mechanism"],
    &["object"],
    &["anchor", "custody", "store"],
    &["audit"],
    &["engine"],
    &["config"],
    &["secret", "call"],
    &["error", "system"],
    &["cryptoki"],
];

/// The places where `unsafe` may stand.
const MAY_BE_UNSAFE: &[&str] = &["abi/", "engine/aws_lc/", "system/"];

/// Floors that may use the standard's own names (`CKA_…`): the door, and files that are tables.
const MAY_SPEAK_CRYPTOKI: &[&str] = &[
    "abi/",
    "cryptoki.rs",
    "error.rs",
    "mechanism/registry/",
    "object/attribute.rs",
    "object/class/",
    "object/composite/sets.rs",
];

/// External crates have one home each.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store/sqlite/"]),
    ("aws_lc_sys", &["engine/aws_lc/"]),
    ("ed25519_dalek", &["engine/"]),
    ("ed448_goldilocks", &["engine/"]),
    ("libcrux_ml_kem", &["engine/"]),
    ("x448", &["engine/"]),
    ("aes_gcm", &["engine/"]),
    ("argon2", &["engine/"]),
    // Other floors have rooms of these names, or use the engine's.
    ("ml_dsa", &["engine/", "audit/", "custody/", "mechanism/", "object/"]),
    ("blake2", &["engine/"]),
    ("md5", &["engine/"]),
    ("sha3", &["engine/"]),
    ("shake", &["engine/"]),
    ("sha1", &["engine/"]),
    ("slh_dsa", &["engine/", "custody/", "mechanism/", "object/"]),
    ("sha2", &["engine/"]),
    ("blake3", &["engine/"]),
    ("toml", &["config/"]),
    ("rustls", &["anchor/witness/"]),
    ("httparse", &["anchor/witness/"]),
    ("cryptoki_sys", &["cryptoki.rs"]),
    ("x509_cert", &["bin/claviger/"]),
    ("clap", &["bin/claviger/"]),
    ("rpassword", &["bin/claviger/"]),
    ("serde_json", &["bin/claviger/"]),
];

/// Who may look into a `Secret`. A file that is new here deserves a look.
const MAY_EXPOSE: &[&str] = &[
    "abi/template.rs",
    "bin/claviger/pin_source.rs",
    "custody/",
    "engine/",
    "mechanism/",
    "object/",
    "provider/digesting.rs",
    "provider/operation_state.rs",
    "secret.rs",
    "store/vault.rs",
];

const LONGEST_FILE: usize = 400;
const LONGEST_LINE: usize = 100;
const LONGEST_FUNCTION: usize = 60;
/// Files, and folders of files, that are one table each.
const TABLES: &[&str] = &[
    "call.rs",
    "mechanism/registry/",
    "mechanism/row.rs",
    "object/attribute.rs",
    "object/class/rules.rs",
];

struct Source {
    /// Relative to `src/`.
    name: String,
    text: String,
}

impl Source {
    /// The text without its unit tests, which stand at the end.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("tests.rs") || {
            let stem = self.name.rsplit('/').next().unwrap_or_default();
            ["vectors.rs", "contract.rs"].contains(&stem) || self.name.contains("/vectors/")
        }
    }

    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    assert!(found.len() > 60, "the sources were not found");
    found
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap_or_else(|why| unreadable(&path, &why)),
        })
        .collect()
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|why| unreadable(directory, &why));
    for entry in entries {
        let path = entry.unwrap_or_else(|why| unreadable(directory, &why)).path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn unreadable(path: &Path, why: &std::io::Error) -> ! {
    panic!("{}: {why}", path.display())
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The modules that a text names after `crate::`, braces included.
fn imported_modules(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for after in line.split("crate::").skip(1) {
            let name: String =
                after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            names.insert(name);
        }
    }
    names
}

fn fail_with(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn imports_go_down_the_floors_only() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.name.starts_with("bin/")) {
        let module = source.module();
        let Some(own) = floor(module) else {
            if module != "lib" {
                broken.push(format!("{}: stands on no floor", source.name));
            }
            continue;
        };
        if source.text.contains("use crate::{") {
            broken.push(format!("{}: write one `use` a module", source.name));
        }
        for target in imported_modules(&source.text) {
            if target != module && floor(&target).is_some_and(|below| below <= own) {
                broken.push(format!("{}: {module} imports {target}, not below it", source.name));
            }
        }
    }
    fail_with(&broken);
}

#[test]
fn unsafe_stands_at_the_doors_only() {
    let mut broken = Vec::new();
    for source in sources() {
        let allowed = MAY_BE_UNSAFE.iter().any(|place| source.name.starts_with(place));
        let has = source.text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe("]
                .iter()
                .any(|form| code.contains(form))
        });
        if has && !allowed {
            broken.push(format!("{}: unsafe", source.name));
        }
    }
    fail_with(&broken);
}

#[test]
fn the_standards_names_stay_at_the_door_and_in_the_tables() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        if MAY_SPEAK_CRYPTOKI.iter().any(|place| source.name.starts_with(place)) {
            continue;
        }
        if imported_modules(source.code()).contains("cryptoki") {
            broken.push(format!("{}: uses crate::cryptoki", source.name));
        }
    }
    fail_with(&broken);
}

#[test]
fn external_crates_have_one_home_each() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (name, homes) in HOMES {
            let used = source
                .code()
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && names_crate(line, name));
            if used && !homes.iter().any(|home| source.name.starts_with(home)) {
                broken.push(format!("{}: uses {name}", source.name));
            }
        }
    }
    fail_with(&broken);
}

/// Does a line of code name this crate as a path's beginning?
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::")).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn only_the_listed_files_look_into_secrets() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let looks = source.code().contains(".expose(");
        if looks && !MAY_EXPOSE.iter().any(|place| source.name.starts_with(place)) {
            broken.push(format!("{}: exposes a secret", source.name));
        }
    }
    fail_with(&broken);
}

#[test]
fn files_functions_and_lines_stay_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        let is_table = TABLES.iter().any(|table| source.name.starts_with(table));
        if lines > LONGEST_FILE && !is_table && !source.is_test() {
            broken.push(format!("{}: {lines} lines", source.name));
        }
        for (number, line) in source.text.lines().enumerate() {
            if line.chars().count() > LONGEST_LINE {
                broken.push(format!("{}:{}: over 100 columns", source.name, number + 1));
            }
        }
        for (begin, length) in functions(&source.text) {
            if length > LONGEST_FUNCTION {
                broken.push(format!("{}:{begin}: a function of {length} lines", source.name));
            }
        }
    }
    fail_with(&broken);
}

/// The line and length of each function: from `fn` to the closing brace at its indentation.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_function = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "const fn "]
            .iter()
            .any(|form| code.starts_with(form))
            || code.contains("extern \"C\" fn ");
        if !is_function || code.ends_with(';') {
            continue;
        }
        let indent = line.len() - code.len();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(end) = lines[number..].iter().position(|line| *line == closing) {
            found.push((number + 1, end + 1));
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is_for() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| format!("{}: no //! at its head", source.name))
        .collect();
    fail_with(&broken);
}

#[test]
fn there_are_no_globs_and_no_rooms_for_anything() {
    const VAGUE: &[&str] =
        &["util", "utils", "misc", "helper", "helpers", "common", "manager", "fns", "prelude"];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let is_cryptoki = source.name == "cryptoki.rs";
        for line in source.code().lines().map(str::trim) {
            let glob = line.starts_with("use ") || line.starts_with("pub use ");
            if glob && line.ends_with("::*;") {
                broken.push(format!("{}: {line}", source.name));
            }
            if line.starts_with("pub(crate) use ") && line.ends_with("::*;") && !is_cryptoki {
                broken.push(format!("{}: {line}", source.name));
            }
        }
        let vague = source.name.split(['/', '.']).any(|part| VAGUE.contains(&part));
        if vague {
            broken.push(format!("{}: a name that says nothing", source.name));
        }
    }
    fail_with(&broken);
}

#[test]
fn panics_unwind_in_every_profile() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    assert!(manifest.contains("panic = \"unwind\""));
    assert!(!manifest.contains("panic = \"abort\""));
}

#[test]
fn the_map_names_every_room() {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let map = fs::read_to_string(map).expect("docs/architecture.md");
    let rooms: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.name.starts_with("bin/"))
        .map(|source| source.module().to_owned())
        .filter(|module| module != "lib")
        .collect();
    let missing: Vec<String> =
        rooms.iter().filter(|room| !map.contains(&format!("`{room}`"))).cloned().collect();
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}

#[test]
fn the_functions_that_are_not_built_are_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(root.join("src/abi/unsupported.rs")).unwrap();
    let list = fs::read_to_string(root.join("docs/not-supported.md")).unwrap();
    let table = source.split("not_built! {").nth(1).expect("the table");
    let names = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("C_"))
            .map(str::to_owned)
            .collect()
    };
    let listed = list.split("## Functions").nth(1).and_then(|text| text.split("\n## ").next());
    assert_eq!(names(table), names(listed.expect("a section Functions")));
}
