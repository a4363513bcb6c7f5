//! `claviger audit show`: what is on record, for people, or line by line as it is stored.
//! It checks while it reads: what was listed is held against the checkpoint at the end.

use clap::Args;
use claviger::audit::leaf::Leaf;
use claviger::audit::record::LaneId;
use claviger::audit::time::Time;

use super::LogChoice;
use super::filter::Filter;
use super::line::{self, Line, Processes};
use super::listing::Listing;
use crate::failure::Failure;

/// What is the same on every line of a token, and what only machines compare.
const NOT_SHOWN: &[&str] = &["call", "rv", "role", "boot", "token", "custody", "previous"];

const HELP: &str = "\
The columns: the entry's place in the log, its time (UTC), the function or what else happened,
what it returned, who was logged in; then what there is to tell, with the process beside each use.
`change` marks calls that changed the token. A line that is about nothing of the kind that a
filter asks for is left out.";

/// What is listed, and how.
#[derive(Args)]
pub(super) struct Choice {
    #[command(flatten)]
    pub(super) filter: Filter,
    /// State leaves as well: one with every change, for machines.
    #[arg(long)]
    all: bool,
    /// Print the lines as they are stored and hashed, one JSON object each.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    log: LogChoice,
}

/// How far a reader of a log has come.
pub(super) struct Reader<'c> {
    choice: &'c Choice,
    processes: Processes,
    time: Time,
}

impl<'c> Reader<'c> {
    pub(super) fn new(choice: &'c Choice) -> Self {
        Self { choice, processes: Processes::default(), time: Time::default() }
    }

    /// Goes past a leaf that is not listed.
    pub(super) fn skip(&mut self, leaf: &Leaf<'_>) {
        self.time = line::time(leaf).unwrap_or(self.time);
        self.processes.pass(leaf);
    }

    /// Goes past a leaf; what is listed of it.
    pub(super) fn pass(&mut self, index: u64, leaf: &Leaf<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
        self.skip(leaf);
        let wanted = (self.choice.all || !matches!(leaf, Leaf::State(_)))
            && self.choice.filter.admits(leaf, self.time);
        wanted.then(|| match self.choice.json {
            true => [bytes, b"\n"].concat(),
            false => text(&self.processes.line(index, leaf)).into_bytes(),
        })
    }
}

/// One line for people.
fn text(line: &Line) -> String {
    let time = line.time.map_or_else(String::new, |time| time.to_string());
    let call = line.field("call").unwrap_or(line.kind);
    let rv = line.field("rv").unwrap_or_default();
    let role = line.field("role").unwrap_or_default();
    let mut text = format!("{:>7}  {time:<27}  {call:<19}  {rv:<20}  {role:<4}", line.index);
    if line.field("call").is_some() && line.kind != "use" {
        text = format!("{text}  {}", line.kind);
    }
    let no_lane = LaneId::NONE.to_string();
    let nothing = [("lane", no_lane.as_str()), ("seq", "0"), ("head", "0")];
    for (name, value) in &line.fields {
        if NOT_SHOWN.contains(name) || nothing.contains(&(*name, value.as_str())) {
            continue;
        }
        // Backslashes are doubled already.
        match value.contains([' ', '"', '=']) || value.is_empty() {
            true => text += &format!("  {name}=\"{}\"", value.replace('"', "\\\"")),
            false => text += &format!("  {name}={value}"),
        }
    }
    format!("{}\n", text.trim_end())
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let log = arguments.log.open()?;
    let mut reader = Reader::new(&arguments.choice);
    let mut listing = Listing::new();
    let report = log.view.verify(&log.keys(&[]), &mut |index, leaf, bytes| {
        if let Some(line) = reader.pass(index, leaf, bytes) {
            listing.write(&line);
        }
    });
    listing.finish()?;
    log.judge(&report)
}
