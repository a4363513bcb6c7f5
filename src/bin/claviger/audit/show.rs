//! `claviger audit show` and `follow`: what is on record, for people and as JSON.
//!
//! Both check while they read: `show` holds what it has listed against the checkpoint at the
//! end, `follow` each new part before it is listed.

use std::ops::ControlFlow;
use std::time::Duration;

use clap::Args;
use claviger::audit::checkpoint::Checkpoint;
use claviger::audit::leaf::Leaf;
use claviger::audit::time::Time;
use claviger::audit::tree::{Frontier, leaf_hash};
use claviger::audit::verify::{Fault, What, read_entries};

use super::filter::Filter;
use super::line::{self, Line, Processes};
use super::listing::Listing;
use super::{LogChoice, OpenLog};
use crate::failure::Failure;
use crate::output::{self, Format};

/// How often `follow` looks.
const PAUSE: Duration = Duration::from_millis(500);
/// What is the same on every line of a token, and what only machines compare.
const NOT_SHOWN: &[&str] = &["call", "rv", "role", "boot", "token", "custody", "previous"];

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    filter: Filter,
    /// State leaves as well: one with every change, for machines.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    log: LogChoice,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Follow {
    #[command(flatten)]
    filter: Filter,
    /// State leaves as well: one with every change, for machines.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    log: LogChoice,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Text,
    /// An array.
    Json,
    /// An object a line.
    JsonLines,
}

/// What is listed, and how far the reader has come.
struct Reader<'f> {
    filter: &'f Filter,
    all: bool,
    style: Style,
    processes: Processes,
    time: Time,
    listed: u64,
}

impl<'f> Reader<'f> {
    fn new(filter: &'f Filter, all: bool, style: Style) -> Self {
        let (processes, time) = (Processes::default(), Time::default());
        Self { filter, all, style, processes, time, listed: 0 }
    }

    /// Goes past a leaf; what is listed of it.
    fn pass(&mut self, index: u64, leaf: &Leaf<'_>, bytes: &[u8]) -> Option<String> {
        self.time = line::time(leaf).unwrap_or(self.time);
        self.processes.pass(leaf);
        let wanted =
            (self.all || !matches!(leaf, Leaf::State(_))) && self.filter.admits(leaf, self.time);
        if !wanted {
            return None;
        }
        self.listed += 1;
        // The leaf is JSON as it stands.
        let json = || format!("{{\"index\":{index},\"leaf\":{}}}", String::from_utf8_lossy(bytes));
        Some(match self.style {
            Style::Text => text(&self.processes.line(index, leaf)),
            Style::JsonLines => format!("{}\n", json()),
            Style::Json if self.listed == 1 => format!("\n{}", json()),
            Style::Json => format!(",\n{}", json()),
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
    for (name, value) in line.fields.iter().filter(|(name, _)| !NOT_SHOWN.contains(name)) {
        match value.contains([' ', '"', '=']) || value.is_empty() {
            true => text += &format!("  {name}={value:?}"),
            false => text += &format!("  {name}={value}"),
        }
    }
    format!("{}\n", text.trim_end())
}

pub(super) fn show(arguments: &Show) -> Result<(), Failure> {
    let log = arguments.log.open()?;
    let style = if arguments.format.json { Style::Json } else { Style::Text };
    let mut reader = Reader::new(&arguments.filter, arguments.all, style);
    let mut listing = Listing::new();
    if style == Style::Json {
        listing.write(b"[");
    }
    let report = log.view.verify(&log.keys(&[]), &mut |index, leaf, bytes| {
        if let Some(line) = reader.pass(index, leaf, bytes) {
            listing.write(line.as_bytes());
        }
    });
    if style == Style::Json {
        listing.write(b"\n]\n");
    }
    listing.finish()?;
    log.judge(&report)
}

pub(super) fn follow(arguments: &Follow) -> Result<(), Failure> {
    let mut log = arguments.log.open()?;
    let style = if arguments.json { Style::JsonLines } else { Style::Text };
    let mut reader = Reader::new(&arguments.filter, arguments.all, style);
    let mut listing = Listing::new();
    let mut edge = Frontier::new();
    // What is there already is listed only if a beginning was asked for; it tells which process
    // has which lane all the same.
    let mut lists = arguments.filter.has_beginning();
    let mut generation = log.view.generation;
    loop {
        if log.view.generation != generation {
            generation = log.view.generation;
            edge = Frontier::new();
            output::note(&format!("generation {generation} of the log begins"));
        }
        let new = part(&log, &mut edge, &mut reader).map_err(|fault| log.fault(&fault))?;
        if lists {
            new.iter().for_each(|line| listing.write(line.as_bytes()));
        }
        lists = true;
        if !listing.flush() {
            return listing.finish();
        }
        std::thread::sleep(PAUSE);
        log.refresh()?;
    }
}

/// What has come into the log behind the edge, once it is known to be signed.
fn part(log: &OpenLog, edge: &mut Frontier, reader: &mut Reader<'_>) -> Result<Vec<String>, Fault> {
    let signed = Checkpoint::open(log.view.checkpoint.as_bytes(), &log.keys(&[]));
    let signed = signed.map_err(What::Checkpoint)?;
    let mut lines = Vec::new();
    let mut wrong = None;
    read_entries(&log.view, (edge.size(), signed.size), signed.size, |index, entry| {
        let grown = edge.append_to(leaf_hash(entry), |_| {});
        match (grown, Leaf::parse(entry)) {
            (Ok(()), Ok(leaf)) => {
                lines.extend(reader.pass(index, &leaf, entry));
                ControlFlow::Continue(())
            }
            (_, parsed) => {
                let what = parsed.err().map_or(What::Root, What::Syntax);
                wrong = Some(Fault { index: Some(index), what });
                ControlFlow::Break(())
            }
        }
    })?;
    match wrong {
        Some(fault) => Err(fault),
        None if edge.size() != signed.size || edge.root() != signed.root => Err(What::Root.into()),
        None => Ok(lines),
    }
}
