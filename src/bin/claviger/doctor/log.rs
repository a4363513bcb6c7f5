//! What `doctor` says about a token's log: whether it is as signed and the token as the log says,
//! in plain words, and what is to be done if not.

use std::path::Path;

use claviger::audit::verify::{Fault, What};
use claviger::provider::administration::audit::{LogView, Standing};

use super::finding::Findings;
use super::lanes;
use crate::library::Library;
use crate::view::SlotView;

const TOPIC: &str = "log";
/// Changed objects that are told one by one.
const MOST_TOLD: usize = 10;
/// What to do first, whatever was changed.
const KEEP: &str = "keep a copy of the token's directory as it is and find out who changed it";
const ACCEPT: &str = "to go on with it as it is: claviger token accept-state";

/// Checks the log and the token of a slot: a few seconds for a million entries.
pub(super) fn examine(
    findings: &mut Findings,
    library: &Library,
    slot: &SlotView,
    directory: &Path,
) {
    let looked = library.log(slot.slot).and_then(|view| {
        let changed = library.changed_objects(slot.slot)?;
        Ok((view, changed))
    });
    match looked {
        Ok((view, changed)) => {
            log(findings, &slot.name(), &view);
            objects(findings, &slot.name(), &changed);
            let listed = || library.log(slot.slot).map(|view| view.lanes).unwrap_or_default();
            lanes::lanes(findings, &slot.name(), &directory.join("lanes"), listed);
        }
        Err(failure) => findings.problem(TOPIC, failure.cause, "see the findings above"),
    }
}

/// Objects that were changed are told one by one, if they are not too many: somebody will miss
/// them.
fn objects(findings: &mut Findings, name: &str, changed: &[String]) {
    for id in changed.iter().take(MOST_TOLD) {
        let what = format!("object {id} of {name} was changed outside the token: it is not used");
        findings.problem(TOPIC, what, mend());
    }
    if let Some(more) = changed.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        findings.problem(TOPIC, format!("and {more} more objects of {name}"), mend());
    }
}

fn log(findings: &mut Findings, name: &str, view: &LogView) {
    let keys: Vec<_> = view.key.iter().cloned().collect();
    let report = view.verify(&keys, &mut |_, _, _| {});
    if let Some(fault) = &report.fault {
        let (what, mend) = explained(fault);
        findings.problem(TOPIC, format!("the log of {name} {what}"), mend);
        return;
    }
    if !stands(findings, name, &view.standing) {
        return;
    }
    let (size, number) = (view.size, view.generation);
    let what = format!("the log of {name} is as signed: {size} entries, generation {number}");
    match report.removed {
        0 => findings.ok(TOPIC, what),
        gone => findings.ok(TOPIC, format!("{what}; the first {gone} were removed")),
    }
    if report.counts.distrusted > 0 {
        let count = report.counts.distrusted;
        let what = format!("{count} lanes of {name} were changed or removed before they were read");
        let mend = "`claviger audit show` tells when (lane-distrusted); uses may be missing there";
        findings.note(TOPIC, what, mend);
    }
    if view.pending > 0 {
        let what = match view.pending {
            1 => format!("one object of {name} was changed without a login since"),
            count => format!("{count} objects of {name} were changed without a login since"),
        };
        findings.note(TOPIC, what, "the next login signs that; nothing is to be done");
    }
}

/// What is wrong with the files of a log, and what to do.
fn explained(fault: &Fault) -> (String, String) {
    let read = "see its permissions and the disk, then ask again";
    let put_back = "put back the missing files if there is a copy";
    match &fault.what {
        What::Unreadable(..) => (format!("cannot be checked: {fault}"), read.to_owned()),
        What::Missing(_) => {
            (format!("was cut: {fault}"), format!("{put_back}; if not, {KEEP}; {ACCEPT}"))
        }
        What::Checkpoint(_) => (format!("is not signed as it should be: {fault}"), mend()),
        What::Differs(_) | What::Syntax(_) | What::Order(_) | What::Root => {
            (format!("was changed: {fault}"), mend())
        }
    }
}

fn mend() -> String {
    format!("{KEEP}; {ACCEPT}")
}

/// True if the token is what its log says.
fn stands(findings: &mut Findings, name: &str, standing: &Standing) -> bool {
    match standing {
        Standing::Fits => return true,
        Standing::Copied => findings.problem(
            TOPIC,
            format!("{name} is a copy, or was moved: its log was signed in another place"),
            format!("if it was moved on purpose, and the other one is not used: {ACCEPT}"),
        ),
        Standing::Differs(why) => {
            findings.problem(TOPIC, format!("{name} is not what its log says: {why}"), mend());
        }
        Standing::Unknown(why) => findings.problem(
            TOPIC,
            format!("whether {name} is what its log says cannot be found out: {why}"),
            "see its permissions and the disk, then ask again",
        ),
    }
    false
}
