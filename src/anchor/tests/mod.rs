//! Anchors of each kind, willing and unwilling. The log that they are about is one of memory.

mod commands;
mod directory;
#[cfg(feature = "witness")]
mod witness;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Anchor, Asked, Published, Put};
use crate::audit::note::Note;
use crate::audit::tests::history::Logs;

const SERIAL: &str = "4a1f00c0ffee0001";
const LIMIT: Duration = Duration::from_millis(1500);

fn asked(generation: u64) -> Asked<'static> {
    Asked { serial: SERIAL, generation }
}

/// Brings an anchor the checkpoint of a log at one size.
fn put(
    anchor: &dyn Anchor,
    logs: &Logs,
    (generation, size): (u64, u64),
    witnessed: u64,
) -> Result<Put, String> {
    let (note, checkpoint) = (logs.note(generation, size), logs.checkpoint(generation, size));
    anchor.put(&Published {
        of: asked(generation),
        note: &note,
        checkpoint: &checkpoint,
        history: logs,
        witnessed,
    })
}

/// The size that an anchor keeps.
fn kept(anchor: &dyn Anchor, generation: u64) -> Option<u64> {
    let kept = anchor.get(asked(generation)).unwrap()?;
    let note = Note::parse(&kept).unwrap();
    Some(note.text().lines().nth(1).unwrap().parse().unwrap())
}

/// Does it in about the time that it has.
#[track_caller]
fn in_time<T>(what: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = what();
    let took = begin.elapsed();
    assert!(took < LIMIT + Duration::from_secs(2), "it took {took:?}");
    done
}

/// Set for a child process: the part that it plays, and where.
const PART: &str = "CLAVIGER_TEST_PART";
const PLACE: &str = "CLAVIGER_TEST_PLACE";

/// This test binary, about to run one test of its own in another process.
fn part(test: &str, part: &str, place: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let (_, module) = module_path!().split_once("::").unwrap();
    command.args([&format!("{module}::{test}"), "--exact", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(PLACE, place);
    command
}

/// The part that this process was started for, and where.
fn own_part() -> Option<(String, PathBuf)> {
    Some((std::env::var(PART).ok()?, PathBuf::from(std::env::var_os(PLACE)?)))
}
