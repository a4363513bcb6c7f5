//! `claviger audit verify`: is the log what was signed, by the key that was kept elsewhere? And
//! does the token hold what the log says? Also the check of a single proof.

use std::path::PathBuf;

use clap::Args;
use claviger::audit::Counts;
use claviger::audit::note::VerifierKey;
use claviger::audit::proof::Proof;
use claviger::audit::verify::Report;
use claviger::provider::administration::audit::Standing;
use serde::Serialize;

use super::{LogChoice, OpenLog, text_of};
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use crate::view::hex;

const HELP: &str = "\
Ends with 0 if everything holds and the checkpoint is signed with a key that was given, with 3 if
everything holds and no key was given (whoever can replace the key can sign anything), and with 1
at the first fault.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The key that must have signed, as `claviger audit key` prints it; kept elsewhere than the
    /// token. May be repeated: all of them must have signed.
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    key: Vec<VerifierKey>,
    /// Check this proof instead (see `claviger audit prove`), and print the entry in it.
    #[arg(long, value_name = "FILE", requires = "key",
          conflicts_with_all = ["token", "slot", "generation", "log"])]
    proof: Option<PathBuf>,
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
    /// Entries at the beginning that were removed after they had been exported.
    removed: u64,
    uses: u64,
    changes: u64,
    unauthenticated: u64,
    failed: u64,
    lanes: Lanes,
    /// `fits`, `copied`, `differs` or `unknown`.
    token: &'static str,
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
    if let Some(file) = &arguments.proof {
        return check_proof(file, &arguments.key);
    }
    let log = arguments.log.open()?;
    let is_pinned = !arguments.key.is_empty();
    let report = log.view.verify(&log.keys(&arguments.key), &mut |_, _, _| {});
    let fault = log.first_fault(&report, &arguments.key);
    if arguments.format.json {
        output::print_json(&verified(&log, &report, is_pinned, fault.clone()))?;
    }
    if let Some(fault) = fault {
        return Err(match arguments.format.json {
            true => Failure::new(Code::Failed, ""),
            false => Failure::new(Code::Failed, format!("{}: {fault}", log.name()))
                .or("keep the files as they are until it is known who changed them"),
        });
    }
    if !arguments.format.json {
        output::print(&told(&log, &report, is_pinned))?;
        log.note_standing();
    }
    if is_pinned {
        return Ok(());
    }
    output::note("give the key with --key: whoever can replace it can sign anything");
    Err(Failure::new(Code::NotPinned, ""))
}

impl OpenLog {
    /// What is wrong, first of all with the log, then with what the token says beside it.
    fn first_fault(&self, report: &Report, given: &[VerifierKey]) -> Option<String> {
        if let Some(fault) = &report.fault {
            return Some(fault.to_string());
        }
        if report.signatures < given.len() {
            return Some("the checkpoint is not signed with every key that was given".to_owned());
        }
        match (&self.view.key, &self.view.standing) {
            (Some(own), _) if !given.is_empty() && !given.contains(own) => {
                Some("token.db names another key than the one that was given".to_owned())
            }
            (_, Standing::Differs(why)) => Some(format!("token.db: {why}")),
            _ => None,
        }
    }

    /// The end of a listing.
    pub(super) fn judge(&self, report: &Report) -> Result<(), Failure> {
        match &report.fault {
            None => Ok(()),
            Some(fault) => Err(self.fault(fault).or("nothing of the above can be relied on")),
        }
    }
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
        entry: report.fault.as_ref().and_then(|fault| fault.index),
        fault,
    }
}

fn told(log: &OpenLog, report: &Report, is_pinned: bool) -> String {
    let Counts { uses, changes, unauthenticated, failed, .. } = report.counts;
    let Counts { opened, closed, open, cut, lost_bytes, distrusted, .. } = report.counts;
    let verdict = if is_pinned { "verified" } else { "self-consistent, key not pinned" };
    let checkpoint = report.checkpoint.as_ref();
    let mut rows = vec![
        ("Verdict", verdict.to_owned()),
        ("Log", checkpoint.map_or_else(String::new, |checkpoint| checkpoint.origin.clone())),
        ("Entries", log.view.size.to_string()),
        ("Root", checkpoint.map_or_else(String::new, |checkpoint| hex(&checkpoint.root))),
        (
            "Calls",
            format!(
                "{uses} uses, {changes} changes, {unauthenticated} before login; {failed} of \
                 these failed"
            ),
        ),
        ("Lanes", format!("{opened} opened, {closed} closed, {open} open")),
    ];
    if cut > 0 {
        rows.push(("Cut lanes", format!("{cut}, with {lost_bytes} bytes that were of no use")));
    }
    if distrusted > 0 {
        rows.push(("Changed lanes", format!("{distrusted}; somebody changed or removed them")));
    }
    if report.removed > 0 {
        rows.push(("Removed", format!("{} entries after export", report.removed)));
    }
    output::fields(&rows)
}

fn check_proof(file: &std::path::Path, keys: &[VerifierKey]) -> Result<(), Failure> {
    let bad = |why: String| Failure::new(Code::Failed, format!("{}: {why}", file.display()));
    let proof = Proof::parse(&text_of(file)?).map_err(|error| bad(error.to_string()))?;
    let Some(entry) = proof.extra.as_deref() else {
        return Err(bad("the entry is not in the proof".to_owned()));
    };
    let signed = proof.verify(entry, keys).map_err(|error| bad(error.to_string()))?;
    output::note(&format!("entry {} of {} is proved", proof.index, signed.origin));
    output::print(&format!("{}\n", output::printable(&String::from_utf8_lossy(entry))))
}
