//! `claviger audit prove`: one entry and the proof that it is in the log, as one text that
//! stands on its own (C2SP tlog-proof); and the check of such a text, for which nothing of the
//! log is needed. The entry itself is the proof's `extra` line.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger::audit::leaf::Leaf;
use claviger::audit::note::VerifierKey;
use claviger::audit::proof::Proof;
use claviger::audit::record::LaneId;
use claviger::audit::verify::{What, read_entries};

use super::filter::lane_id;
use super::{LogChoice, OpenLog, text_of};
use crate::failure::{Code, Failure};
use crate::output;

const HELP: &str = "\
A proof holds the entry, the hashes up to the root and the signed checkpoint. --check prints the
entry if all of that holds, and ends with 0 if the checkpoint is signed with the key that was
given, with 3 if no key was given, and with 1 if anything does not hold.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The entry, by its place in the log: the first column of `show`.
    #[arg(required_unless_present_any = ["lane", "check"])]
    index: Option<u64>,
    /// The entry, by the lane of its record ...
    #[arg(long, value_name = "LANE", value_parser = lane_id, requires = "seq",
          conflicts_with = "index")]
    lane: Option<LaneId>,
    /// ... and its number in that lane.
    #[arg(long, value_name = "NUMBER", requires = "lane")]
    seq: Option<u64>,
    /// The entry itself, as `export` has written it, if the log does not have it any more.
    #[arg(long, value_name = "FILE", requires = "index")]
    entry: Option<PathBuf>,
    /// Check this proof instead, and print the entry in it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["index", "lane", "seq", "entry", "token",
          "slot", "generation", "log"])]
    check: Option<PathBuf>,
    /// The key that must have signed, kept elsewhere than the token; may be repeated.
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    key: Vec<VerifierKey>,
    #[command(flatten)]
    log: LogChoice,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.check {
        return check(file, &arguments.key);
    }
    let log = arguments.log.open()?;
    let index = match (arguments.index, arguments.lane, arguments.seq) {
        (Some(index), ..) => index,
        (None, Some(lane), Some(seq)) => find(&log, lane, seq)?,
        _ => return Err(Failure::new(Code::Usage, "say which entry")),
    };
    if index >= log.view.size {
        let cause = format!("{} has {} entries and no entry {index}", log.name(), log.view.size);
        return Err(Failure::new(Code::NotFound, cause).or("the first one is entry 0"));
    }
    let entry = match &arguments.entry {
        Some(file) => text_of(file)?.trim_end_matches('\n').as_bytes().to_vec(),
        None => log.view.entry(index).map_err(|fault| match fault.what {
            What::Missing(_) => {
                let cause = format!("entry {index} of {} is not there any more", log.name());
                Failure::new(Code::NotFound, cause)
                    .or("if it was removed after it was exported, give the line with --entry")
            }
            _ => log.fault(&fault),
        })?,
    };
    let proof = log.view.prove(index, entry).map_err(|fault| log.fault(&fault))?;
    let entry = proof.extra.as_deref().unwrap_or_default();
    let keys = log.keys(&arguments.key);
    let holds = match keys.as_slice() {
        [] => proof.check(entry),
        keys => proof.verify(entry, keys),
    };
    holds.map_err(|error| {
        Failure::new(Code::Failed, format!("entry {index} of {}: {error}", log.name()))
            .or("`claviger audit verify` says what is wrong")
    })?;
    output::print(&proof.format())
}

fn find(log: &OpenLog, lane: LaneId, seq: u64) -> Result<u64, Failure> {
    let mut found = None;
    let size = log.view.size;
    let read = read_entries(&log.view, (0, size), size, |index, entry| {
        let leaf = Leaf::parse(entry).ok();
        let record = leaf.as_ref().and_then(Leaf::record);
        if record.is_some_and(|record| record.lane == lane && record.seq == seq) {
            found = Some(index);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    read.map_err(|fault| log.fault(&fault))?;
    found.ok_or_else(|| {
        let cause = format!("record {seq} of lane {lane} is not in {}", log.name());
        Failure::new(Code::NotFound, cause)
            .or("records of a process that is at work come into the log a little later")
    })
}

fn check(file: &Path, keys: &[VerifierKey]) -> Result<(), Failure> {
    let bad = |why: String| Failure::new(Code::Failed, format!("{}: {why}", file.display()));
    let proof = Proof::parse(&text_of(file)?).map_err(|error| bad(error.to_string()))?;
    let Some(entry) = proof.extra.as_deref() else {
        return Err(bad("the entry is not in the proof".to_owned()));
    };
    let signed = match keys {
        [] => proof.check(entry),
        keys => proof.verify(entry, keys),
    };
    let signed = signed.map_err(|error| bad(error.to_string()))?;
    output::print(&format!("{}\n", one_line(entry)))?;
    if keys.is_empty() {
        output::note("self-consistent, key not pinned: give the log's key with --key");
        return Err(Failure::new(Code::NotPinned, ""));
    }
    output::note(&format!("entry {} of {} is proved", proof.index, signed.origin));
    Ok(())
}

/// An entry of a log that may be somebody else's.
fn one_line(entry: &[u8]) -> String {
    output::printable(&String::from_utf8_lossy(entry)).replace('\n', "\\n")
}
