//! `claviger audit export`: the records for other programs.
//!
//! JSON lines are the leaves as they were hashed, so that the tree can be made of them again.
//! CSV follows RFC 4180, syslog RFC 5424; both have the process beside each record.

use clap::{Args, ValueEnum};
use claviger::audit::leaf::Leaf;
use claviger::audit::time::Time;

use super::LogChoice;
use super::filter::Filter;
use super::line::{self, Line, Processes};
use super::listing::Listing;
use crate::failure::Failure;

/// The columns of CSV, in order.
const COLUMNS: &[&str] = &[
    "index",
    "kind",
    "time",
    "lane",
    "seq",
    "role",
    "session",
    "call",
    "mechanism",
    "key",
    "version",
    "in",
    "rv",
    "head",
    "hash",
    "op",
    "actor",
    "trace",
    "boot",
    "host",
    "pid",
    "uid",
    "exe",
    "token",
    "custody",
    "records",
    "lost_bytes",
    "reason",
    "file",
    "number",
    "previous",
    "state_root",
    "slots",
    "token_hash",
    "epoch",
    "lanes",
    "machine",
    "inode",
];

/// The facility "log audit".
const FACILITY: u8 = 13;
/// Names our structured data, under the number that RFC 5612 keeps free for uses like this.
const STRUCTURED_DATA: &str = "claviger@32473";

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
a spreadsheet could take for a formula (it begins with = + - @ ' or a tab) has a ' before it.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// What to write.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Form,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    log: LogChoice,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let log = arguments.log.open()?;
    let mut listing = Listing::new();
    let mut processes = Processes::default();
    let mut time = Time::default();
    if arguments.format == Form::Csv {
        listing.write(format!("{}\r\n", COLUMNS.join(",")).as_bytes());
    }
    let report = log.view.verify(&log.keys(&[]), &mut |index, leaf, bytes| {
        time = line::time(leaf).unwrap_or(time);
        processes.pass(leaf);
        if !arguments.filter.admits(leaf, time) {
            return;
        }
        match arguments.format {
            Form::Jsonl => {
                listing.write(bytes);
                listing.write(b"\n");
            }
            Form::Csv => listing.write(csv(&processes.line(index, leaf)).as_bytes()),
            Form::Syslog => {
                let line = processes.line(index, leaf);
                listing.write(syslog(&line, severity(leaf), bytes).as_bytes());
            }
        }
    });
    listing.finish()?;
    log.judge(&report)
}

fn csv(line: &Line) -> String {
    let (index, time) = (line.index.to_string(), line.time.map(|time| time.to_string()));
    let value = |column: &&str| match *column {
        "index" => cell(&index),
        "kind" => cell(line.kind),
        "time" => cell(time.as_deref().unwrap_or_default()),
        column => cell(line.field(column).unwrap_or_default()),
    };
    let cells: Vec<String> = COLUMNS.iter().map(value).collect();
    format!("{}\r\n", cells.join(","))
}

/// A value that no spreadsheet computes: what callers and hosts wrote is only text. A value that
/// begins with an apostrophe gets one more, so that taking one away gives the value again.
fn cell(value: &str) -> String {
    let guard = if value.starts_with(['=', '+', '-', '@', '\'', '\t']) { "'" } else { "" };
    match value.contains([',', '"', '\r', '\n', ';']) {
        true => format!("\"{guard}{}\"", value.replace('"', "\"\"")),
        false => format!("{guard}{value}"),
    }
}

/// Severities of RFC 5424: somebody changed something; a call failed, or something is missing;
/// all else is information.
fn severity(leaf: &Leaf<'_>) -> u8 {
    match leaf {
        Leaf::LaneDistrusted { .. } | Leaf::Quarantined { .. } => 2,
        Leaf::LaneCut { .. } => 4,
        Leaf::Generation { number, .. } if *number > 1 => 5,
        _ if leaf.record().is_some_and(|record| !record.succeeded()) => 4,
        _ => 6,
    }
}

fn syslog(line: &Line, severity: u8, leaf: &[u8]) -> String {
    let priority = FACILITY * 8 + severity;
    let time = line.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let host = header(line.field("host"), 255);
    let process = header(line.field("pid"), 128);
    let message = header(line.field("call").or(Some(line.kind)), 32);
    let mut data = format!("[{STRUCTURED_DATA} index=\"{}\" kind=\"{}\"", line.index, line.kind);
    for (name, value) in &line.fields {
        data += &format!(" {name}=\"{}\"", parameter(value));
    }
    // The standard wants the mark before text that is not plain ASCII.
    let mark = if leaf.is_ascii() { "" } else { "\u{feff}" };
    let leaf = String::from_utf8_lossy(leaf);
    format!("<{priority}>1 {time} {host} claviger {process} {message} {data}] {mark}{leaf}\n")
}

/// A field of the header: printable ASCII without blanks, and not empty.
fn header(value: Option<&str>, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    match value {
        None | Some("") => "-".to_owned(),
        Some(value) => value.chars().take(longest).map(plain).collect(),
    }
}

/// A value in structured data.
fn parameter(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &[(&'static str, &str)]) -> Line {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Line { index: 7, kind: "use", time: Some(Time::from_micros(0)), fields }
    }

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (value, written) in [
            ("C_Sign", "C_Sign"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("-2", "'-2"),
            ("'=x", "''=x"),
            ("@SUM(1)", "'@SUM(1)"),
            ("a,b", "\"a,b\""),
            ("=a\"b", "\"'=a\"\"b\""),
        ] {
            assert_eq!(cell(value), written);
        }
        let written = csv(&line(&[("call", "C_Sign"), ("actor", "=cmd|' /C calc'!A0,")]));
        assert_eq!(written.matches(',').count(), COLUMNS.len());
        assert!(written.starts_with("7,use,1970-01-01T00:00:00.000000Z,"), "{written}");
        assert!(written.contains(",\"'=cmd|' /C calc'!A0,\","), "{written}");
        assert!(written.ends_with("\r\n"));
    }

    #[test]
    fn a_message_is_one_line_with_everything_escaped() {
        let fields = [("call", "C_Sign"), ("host", "my host"), ("pid", "12"), ("op", "a]\"\\b")];
        let written = syslog(&line(&fields), 6, b"{}");
        assert_eq!(
            written,
            "<110>1 1970-01-01T00:00:00.000000Z my?host claviger 12 C_Sign \
             [claviger@32473 index=\"7\" kind=\"use\" call=\"C_Sign\" host=\"my host\" pid=\"12\" \
             op=\"a\\]\\\"\\\\b\"] {}\n"
        );
        assert!(syslog(&line(&[]), 4, "{\"é\"}".as_bytes()).contains("use\"] \u{feff}{\"é\"}\n"));
    }
}
