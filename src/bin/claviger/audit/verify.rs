//! `claviger audit verify`: is the log what was signed, by the key that was kept elsewhere? And
//! does the token hold what the log says?

use clap::Args;
use claviger::audit::Counts;
use claviger::audit::checkpoint::parse_origin;
use claviger::audit::note::{NoteError, VerifierKey};
use claviger::audit::verify::{Report, What};
use claviger::provider::administration::audit::Standing;
use serde::Serialize;

use super::{LogChoice, OpenLog, Place};
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use crate::view::hex;

const HELP: &str = "\
Ends with 0 if everything holds and the checkpoint is signed with the key that was given, or that
`audit.key` of the configuration pins; with 3 if everything holds and there is no such key (whoever
can replace the key can sign anything), and with 1 at the first fault.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The key that must have signed, as `claviger audit key` prints it; kept elsewhere than the
    /// token. May be repeated: all of them must have signed.
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    key: Vec<VerifierKey>,
    #[command(flatten)]
    log: LogChoice,
    #[command(flatten)]
    format: Format,
}

/// What `audit verify --json` prints.
#[derive(Serialize)]
struct Verified {
    ok: bool,
    /// A key was given, and has signed.
    pinned: bool,
    log: Option<String>,
    size: u64,
    root: Option<String>,
    /// Entries at the beginning that are no longer there.
    removed: u64,
    uses: u64,
    changes: u64,
    unauthenticated: u64,
    failed: u64,
    lanes: Lanes,
    /// `fits`, `copied`, `differs` or `unknown`.
    token: &'static str,
    /// Objects that were changed without a login since.
    pending: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The entry that is at fault, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
}

#[derive(Serialize)]
struct Lanes {
    opened: u64,
    closed: u64,
    open: u64,
    cut: u64,
    lost_bytes: u64,
    distrusted: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let log = arguments.log.open()?;
    let given = &match arguments.key.as_slice() {
        [] => log.pinned(),
        given => given.to_vec(),
    };
    let report = log.view.verify(&log.keys(given), &mut |_, _, _| {});
    let fault = match first_fault(&log, &report, given) {
        None => changed_objects(&log)?,
        fault => fault,
    };
    if arguments.format.json {
        output::print_json(&verified(&log, &report, !given.is_empty(), fault.clone()))?;
    }
    if let Some(fault) = fault {
        return Err(match arguments.format.json {
            true => Failure::new(Code::Failed, ""),
            false => Failure::new(Code::Failed, format!("{}: {fault}", log.name()))
                .or("keep the files as they are; `claviger doctor` says what can be done"),
        });
    }
    if !arguments.format.json {
        output::print(&told(&log, &report, !given.is_empty()))?;
        log.note_standing();
    }
    if !given.is_empty() {
        return Ok(());
    }
    output::note("give the key with --key: whoever can replace it can sign anything");
    Err(Failure::new(Code::NotPinned, ""))
}

/// What is wrong, first of all with the log, then with what the token says beside it.
fn first_fault(log: &OpenLog, report: &Report, given: &[VerifierKey]) -> Option<String> {
    if let Some(fault) = &report.fault {
        let other = (fault.what == What::Checkpoint(NoteError::Unsigned))
            .then(|| of_another_generation(log, given))
            .flatten();
        return Some(other.unwrap_or_else(|| fault.to_string()));
    }
    if report.signatures < given.len() {
        return Some("the checkpoint is not signed with every key that was given".to_owned());
    }
    let own = log.view.key.as_ref();
    let is_named = |own: &VerifierKey| given.iter().any(|key| key.name() == own.name());
    if own.is_some_and(|own| is_named(own) && !given.contains(own)) {
        return Some("token.db names another key than the one that was given".to_owned());
    }
    match (&log.view.standing, &log.place) {
        (Standing::Differs(why), _) => Some(format!("token.db is not what the log says: {why}")),
        // Not so for earlier logs, of which no database tells any more.
        (Standing::Unknown(why), Place::Token { .. }) if !log.is_earlier => {
            Some(format!("token.db cannot be held against it: {why}"))
        }
        _ => None,
    }
}

/// What is wrong with the objects' rows, if they are there: every one is held against the state.
fn changed_objects(log: &OpenLog) -> Result<Option<String>, Failure> {
    let Place::Token { library, slot, .. } = &log.place else { return Ok(None) };
    if log.is_earlier {
        return Ok(None);
    }
    let changed = library.changed_objects(*slot)?;
    let Some(first) = changed.first() else { return Ok(None) };
    Ok(Some(match changed.len() - 1 {
        0 => format!("token.db: object {first} was changed outside the token"),
        more => format!("token.db: object {first} and {more} more were changed outside the token"),
    }))
}

/// In words, if the only thing wrong is that the key is the one of another generation.
fn of_another_generation(log: &OpenLog, given: &[VerifierKey]) -> Option<String> {
    let own = log.view.key.as_ref()?.name();
    let (serial, number) = parse_origin(own)?;
    let mut others = given.iter().filter_map(|key| parse_origin(key.name()));
    let (_, other) = others.find(|(of, other)| *of == serial && *other != number)?;
    Some(format!(
        "the key that was given is that of generation {other}, and the log is in its generation \
         {number}, which has a new key: it began anew with `token init` or `token accept-state`"
    ))
}

fn verified(log: &OpenLog, report: &Report, pinned: bool, fault: Option<String>) -> Verified {
    let Counts { uses, changes, unauthenticated, failed, .. } = report.counts;
    let Counts { opened, closed, open, cut, lost_bytes, distrusted, .. } = report.counts;
    let checkpoint = report.checkpoint.as_ref();
    Verified {
        ok: fault.is_none(),
        pinned: pinned && fault.is_none(),
        log: checkpoint.map(|checkpoint| checkpoint.origin.clone()),
        size: log.view.size,
        root: checkpoint.map(|checkpoint| hex(&checkpoint.root)),
        removed: report.removed,
        uses,
        changes,
        unauthenticated,
        failed,
        lanes: Lanes { opened, closed, open, cut, lost_bytes, distrusted },
        token: match log.view.standing {
            Standing::Fits => "fits",
            Standing::Copied => "copied",
            Standing::Differs(_) => "differs",
            Standing::Unknown(_) => "unknown",
        },
        pending: log.view.pending,
        entry: report.fault.as_ref().and_then(|fault| fault.index),
        fault,
    }
}

fn told(log: &OpenLog, report: &Report, is_pinned: bool) -> String {
    let Counts { uses, changes, unauthenticated, failed, .. } = report.counts;
    let Counts { opened, closed, open, cut, lost_bytes, distrusted, .. } = report.counts;
    let verdict = if is_pinned { "verified" } else { "self-consistent, key not pinned" };
    let checkpoint = report.checkpoint.as_ref();
    let calls = format!(
        "{uses} uses, {changes} changes, {unauthenticated} before login; {failed} of these failed"
    );
    let mut rows = vec![
        ("Verdict", verdict.to_owned()),
        ("Log", checkpoint.map_or_else(String::new, |checkpoint| checkpoint.origin.clone())),
        ("Entries", log.view.size.to_string()),
        ("Root", checkpoint.map_or_else(String::new, |checkpoint| hex(&checkpoint.root))),
        ("Calls", calls),
        ("Lanes", format!("{opened} opened, {closed} closed, {open} open")),
    ];
    if cut > 0 {
        rows.push(("Cut lanes", format!("{cut}, with {lost_bytes} bytes that were of no use")));
    }
    if distrusted > 0 {
        rows.push(("Changed lanes", format!("{distrusted}; somebody changed or removed them")));
    }
    if report.removed > 0 {
        let gone = report.removed;
        rows.push(("Removed", format!("the first {gone} entries; their hashes are there")));
    }
    output::fields(&rows)
}
