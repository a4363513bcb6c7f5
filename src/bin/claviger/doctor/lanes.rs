//! What `doctor` says of uses that are not in the log yet: those of processes that are gone, those
//! of before any login, and lanes that somebody has removed. It opens none of the files: closing
//! one would end the record locks that this process has on it.

use std::fs;
use std::path::Path;

use claviger::audit::record::LaneId;

use super::examine::is_locked;
use super::finding::Findings;

const TOPIC: &str = "log";
/// Bytes of `early.lane` before its first record.
const EARLY_HEADER: u64 = 25;

/// `listed` gives the lanes that are open by what is signed.
pub(super) fn lanes(
    findings: &mut Findings,
    name: &str,
    directory: &Path,
    listed: impl Fn() -> Vec<LaneId>,
) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_left = |entry: &fs::DirEntry| {
        let file = entry.file_name();
        let lane = file.to_str().and_then(|name| LaneId::parse(name.strip_suffix(".lane")?));
        lane.is_some() && entry.metadata().is_ok_and(|found| found.is_file() && !is_locked(&found))
    };
    let left = entries.filter(is_left).count();
    if left > 0 {
        let whose = if left == 1 { "a process" } else { &format!("{left} processes") };
        let what = format!("uses of {name} by {whose} that ended without a logout wait");
        findings.note(TOPIC, what, "the next login puts them on record; never delete these files");
    }
    let early = fs::metadata(directory.join("early.lane"));
    if early.is_ok_and(|found| found.len() > EARLY_HEADER) {
        let what = format!("what happened at {name} before any login waits to be put on record");
        findings.note(TOPIC, what, "the next login does that; nothing is to be done");
    }
    for lane in gone(directory, listed) {
        let what = format!("lane {lane} of {name} was removed: uses of its process are lost");
        let mend = "put back its file if there is a copy; the next login puts the loss on record";
        findings.problem(TOPIC, what, mend);
    }
}

/// The open lanes without a file. A lane's file goes after the lane is closed, so one that seems
/// to be gone may only have ended meanwhile: those are listed no more.
fn gone(directory: &Path, listed: impl Fn() -> Vec<LaneId>) -> Vec<LaneId> {
    let is_gone = |lane: &LaneId| {
        let path = directory.join(format!("{lane}.lane"));
        fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    };
    let seem_gone: Vec<LaneId> = listed().into_iter().filter(is_gone).collect();
    match seem_gone.is_empty() {
        true => Vec::new(),
        false => listed().into_iter().filter(|lane| seem_gone.contains(lane)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_lane_is_gone_if_it_stays_listed_without_a_file() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("0000000000000001.lane"), "").unwrap();
        let (there, removed, ended) = (LaneId(1), LaneId(2), LaneId(3));
        let asked = Cell::new(0);
        let listed = || {
            asked.set(asked.get() + 1);
            if asked.get() == 1 { vec![there, removed, ended] } else { vec![there, removed] }
        };
        assert_eq!(gone(directory.path(), listed), [removed]);
        assert_eq!(gone(directory.path(), || vec![there]), []);
        assert_eq!(gone(&directory.path().join("none"), Vec::new), []);
    }
}
