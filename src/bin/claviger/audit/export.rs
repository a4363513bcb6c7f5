//! `claviger audit export`: the records for other programs.
//!
//! JSON lines are the leaves as they were hashed, so that the tree can be made of them again.
//! CSV follows RFC 4180, syslog RFC 5424; both have the process beside each record.

use std::fs::File;
use std::os::fd::AsFd;

use clap::{Args, ValueEnum};
use claviger::audit::time::Time;

use super::filter::Filter;
use super::line::{self, Processes};
use super::listing::Listing;
use super::{LogChoice, OpenLog, Place};
use super::{csv, syslog};
use crate::failure::{Code, Failure};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The leaves as they are, one a line.
    Jsonl,
    /// RFC 4180, with a heading.
    Csv,
    /// RFC 5424, one message a line.
    Syslog,
}

const HELP: &str = "\
Without filters `jsonl` is the whole log, byte for byte: line N is entry N-1. In CSV, a value that
a spreadsheet could take for a formula (it begins with = + - @ ' or a tab) has a ' before it. In
CSV and syslog, backslashes are doubled and control characters are \\uXXXX, as in JSON.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// What to write.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Form,
    /// The first entry, by its place in the log.
    #[arg(long, value_name = "INDEX", default_value = "0")]
    from: u64,
    /// The last entry.
    #[arg(long, value_name = "INDEX")]
    to: Option<u64>,
    /// Remember that all of the log was exported, so that `claviger audit prune` may remove what
    /// is old.
    #[arg(long, conflicts_with_all = ["key", "call", "rv", "failed", "since", "until", "lane",
                                      "log"])]
    mark: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    log: LogChoice,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.mark && arguments.format == Form::Csv {
        // Only the leaves themselves make the tree again.
        return Err(Failure::new(Code::Usage, "--mark is for jsonl and syslog: CSV is no leaf"));
    }
    let log = arguments.log.open()?;
    let mut listing = Listing::new();
    let mut processes = Processes::default();
    let mut time = Time::default();
    if arguments.format == Form::Csv {
        listing.write(csv::heading().as_bytes());
    }
    let range = arguments.from..=arguments.to.unwrap_or(u64::MAX);
    let report = log.view.verify(&log.keys(&[]), &mut |index, leaf, bytes| {
        time = line::time(leaf).unwrap_or(time);
        processes.pass(leaf);
        if !range.contains(&index) || !arguments.filter.admits(leaf, time) {
            return;
        }
        match arguments.format {
            Form::Jsonl => {
                listing.write(bytes);
                listing.write(b"\n");
            }
            Form::Csv => listing.write(csv::row(&processes.line(index, leaf)).as_bytes()),
            Form::Syslog => {
                let line = processes.line(index, leaf);
                listing.write(syslog::message(&line, leaf, bytes).as_bytes());
            }
        }
    });
    let is_whole = listing.flush();
    listing.finish()?;
    log.judge(&report)?;
    if arguments.mark { mark(&log, is_whole) } else { Ok(()) }
}

/// Before it is said that something may be removed, what was written has to be lasting.
fn mark(log: &OpenLog, is_whole: bool) -> Result<(), Failure> {
    if !is_whole {
        return Err(Failure::new(Code::Failed, "nobody read to the end; nothing is marked"));
    }
    let failed = |error: std::io::Error| {
        Failure::new(Code::Failed, format!("the result cannot be made lasting: {error}"))
    };
    let out = File::from(std::io::stdout().as_fd().try_clone_to_owned().map_err(failed)?);
    if out.metadata().map_err(failed)?.is_file() {
        out.sync_all().map_err(failed)?;
    }
    if let Place::Token { library, .. } = &log.place {
        library.mark_exported(&log.view)?;
    }
    Ok(())
}
