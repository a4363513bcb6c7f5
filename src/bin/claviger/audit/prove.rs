//! `claviger audit prove`: one entry and the proof that it is in the log, as one text that
//! stands on its own (C2SP tlog-proof). The entry itself is its `extra` line.

use std::ops::ControlFlow;

use clap::Args;
use claviger::audit::leaf::Leaf;
use claviger::audit::note::VerifierKey;
use claviger::audit::record::LaneId;
use claviger::audit::verify::read_entries;

use super::filter::lane_id;
use super::{LogChoice, OpenLog};
use crate::failure::{Code, Failure};
use crate::output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The entry, by its place in the log: the first column of `show`.
    #[arg(required_unless_present = "lane")]
    index: Option<u64>,
    /// The entry, by the lane of its record ...
    #[arg(long, value_name = "LANE", value_parser = lane_id, requires = "seq",
          conflicts_with = "index")]
    lane: Option<LaneId>,
    /// ... and its number in that lane.
    #[arg(long, value_name = "NUMBER", requires = "lane")]
    seq: Option<u64>,
    /// The key by which the proof is checked before it is printed [default: the token's own].
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    key: Vec<VerifierKey>,
    #[command(flatten)]
    log: LogChoice,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
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
    let keys = log.keys(&arguments.key);
    if keys.is_empty() {
        return Err(Failure::new(Code::Usage, "a copy of a log does not tell its key")
            .or("give it with --key; `claviger audit key` prints it where the token is"));
    }
    let proof = log.view.prove(index).map_err(|fault| log.fault(&fault))?;
    let entry = proof.extra.as_deref().unwrap_or_default();
    proof.verify(entry, &keys).map_err(|error| {
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
