//! Published vectors in files: where they are, and the "NAME = value" form of NIST's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The directory that `CLAVIGER_VECTORS` names, or the one beside the project.
pub(super) fn directory() -> Option<PathBuf> {
    let named = std::env::var_os("CLAVIGER_VECTORS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    Some(named.unwrap_or(beside)).filter(|directory| directory.is_dir())
}

/// One vector: its values by name, and those of the `[section]` that it stands in.
pub(super) type Case = BTreeMap<String, String>;

/// The vectors of a file, blank lines between them; none if there is no such file, which is
/// said.
pub(super) fn cases(path: &Path) -> Vec<Case> {
    let Some(text) = text(path) else { return Vec::new() };
    let text = String::from_utf8(text).expect("text");
    let (mut cases, mut section, mut case) = (Vec::new(), Case::new(), Case::new());
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let (name, value) = heading.split_once('=').unwrap_or((heading, ""));
            if value.is_empty() {
                section.insert("section".into(), name.trim().into());
            } else {
                section.insert(name.trim().into(), value.trim().into());
            }
        } else if line.is_empty() {
            if !case.is_empty() {
                let mut whole = section.clone();
                whole.append(&mut case);
                cases.push(whole);
            }
        } else if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#'))
        {
            case.insert(name.trim().into(), value.trim().into());
        }
    }
    cases
}

/// A file of JSON, which may be compressed; none if there is no such file, which is said.
pub(super) fn json(path: &Path) -> Option<serde_json::Value> {
    text(path).map(|text| serde_json::from_slice(&text).expect("JSON"))
}

/// The content of a file, which may be compressed; none if there is no such file, which is said.
fn text(path: &Path) -> Option<Vec<u8>> {
    let text = if path.extension().is_some_and(|ending| ending == "gz") {
        let unpacked = std::process::Command::new("gzip").arg("-dc").arg(path).output();
        unpacked.ok().filter(|output| output.status.success()).map(|output| output.stdout)
    } else {
        std::fs::read(path).ok()
    };
    if text.is_none() {
        eprintln!("skipped: no {}", path.display());
    }
    text
}
