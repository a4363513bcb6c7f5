//! What `doctor` looks at in the data directory: permissions, the files of each token, what a
//! killed process left, and how the PINs stand.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use claviger::config::Configuration;

use super::finding::Findings;
use super::{examine, log};
use crate::library::Library;
use crate::view::{PinState, SlotView};

pub(super) fn tokens(findings: &mut Findings, configuration: &Configuration) {
    let folder = configuration.directory.join("tokens");
    let mut serials = Vec::new();
    if let Ok(entries) = fs::read_dir(&folder) {
        may_be_used(findings, configuration, &folder);
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                left_over(findings, &entry.path());
            } else if entry.path().is_dir() {
                token_files(findings, configuration, &entry.path());
                serials.push(name);
            }
        }
    }
    let opened = Library::open(configuration).and_then(|library| Ok((library.slots()?, library)));
    let (slots, library) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            let way_out = failure.way_out.unwrap_or_else(|| "see the findings above".to_owned());
            findings.problem("token", failure.cause, way_out);
            return;
        }
    };
    for serial in &serials {
        match slots.iter().find(|slot| slot.serial == *serial) {
            Some(SlotView { error: None, .. }) | None => {}
            Some(SlotView { error: Some(why), slot, .. }) => findings.problem(
                "token",
                format!("{serial} in slot {slot} cannot be used: {why}"),
                "put back a copy of its directory, or move it away",
            ),
        }
    }
    for slot in slots.iter().filter(|slot| slot.initialized && slot.error.is_none()) {
        pins(findings, slot);
        policy(findings, &library, slot);
        log::examine(findings, &library, slot, &folder.join(&slot.serial));
    }
    if serials.is_empty() {
        findings.note("token", "there is no token yet", "claviger token init --label NAME");
    }
}

/// What the configuration withholds or asks for is told, since a program only hears that
/// something is invalid.
fn policy(findings: &mut Findings, library: &Library, slot: &SlotView) {
    let policy = match library.policy(slot.slot) {
        Ok(policy) => policy,
        Err(failure) => return findings.problem("policy", failure.cause, ""),
    };
    for (setting, bits) in &policy.least {
        findings.ok("policy", format!("{}: {setting} = {bits}", slot.name()));
    }
    if !policy.withheld.is_empty() {
        let (count, names) = (policy.withheld.len(), policy.withheld.join(" "));
        let what = format!("{} does not offer {count} mechanisms: {names}", slot.name());
        findings.note("policy", what, "");
    }
}

fn left_over(findings: &mut Findings, path: &Path) {
    let what = format!("{} is left of a token that was never finished or is gone", path.display());
    findings.note("token", what, format!("if no process is at it: rm -r '{}'", path.display()));
}

fn token_files(findings: &mut Findings, configuration: &Configuration, token: &Path) {
    const TOPIC: &str = "token";
    may_be_used(findings, configuration, token);
    if let Ok(entries) = fs::read_dir(token) {
        for entry in entries.flatten() {
            may_be_used(findings, configuration, &entry.path());
        }
    }
    let database = token.join("token.db");
    let shown = database.display();
    let mut head = [0; 16];
    let read = fs::File::open(&database)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.problem(TOPIC, format!("{shown} is missing"), "put back a copy of it");
        }
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            findings.problem(TOPIC, format!("{shown} is cut short"), "put back a copy of it");
        }
        Err(error) => {
            let what = format!("{shown} cannot be read: {error}");
            findings.problem(TOPIC, what, "see its permissions and the disk");
        }
        Ok(()) if head != *b"SQLite format 3\0" => {
            findings.problem(TOPIC, format!("{shown} is no database"), "put back a copy of it");
        }
        Ok(()) => write_ahead(findings, token, &database),
    }
}

/// A log that nobody has open is what a killed process leaves, and the next one takes over.
fn write_ahead(findings: &mut Findings, token: &Path, database: &Path) {
    let log = token.join("token.db-wal");
    let has_changes = fs::metadata(&log).is_ok_and(|found| found.len() > 0);
    if has_changes && examine::holders(database).is_empty() {
        let what = format!("{} holds changes, and no process that we see is at it", log.display());
        findings.note(
            "token",
            what,
            "nothing is lost: the next login takes them over; never delete that file",
        );
    }
}

fn pins(findings: &mut Findings, slot: &SlotView) {
    const TOPIC: &str = "token";
    let name = format!("\"{}\" (serial {}, slot {})", slot.label, slot.serial, slot.slot);
    if slot.write_protected {
        let what = format!("{name} can only be read");
        findings.note(
            TOPIC,
            what,
            "see the permissions, and whether the disk is mounted read-only",
        );
    }
    match slot.user_pin {
        PinState::NotSet => {
            findings.note(TOPIC, format!("{name} has no user PIN yet"), "claviger pin reset");
        }
        PinState::Locked => {
            findings.problem(
                TOPIC,
                format!("the user PIN of {name} is locked"),
                "claviger pin reset",
            );
        }
        PinState::CountLow | PinState::FinalTry => {
            let what = format!("user PIN of {name}: {}", slot.user_pin.words());
            findings.note(TOPIC, what, "the right PIN sets the count back");
        }
        PinState::Ok => findings.ok(TOPIC, name.clone()),
    }
    match slot.so_pin {
        PinState::Locked => {
            let what = format!("the security officer's PIN of {name} is locked for good");
            findings.problem(TOPIC, what, "go on with the user PIN, or move to a new token");
        }
        PinState::CountLow | PinState::FinalTry => {
            let what = format!("security officer's PIN of {name}: {}", slot.so_pin.words());
            findings.note(TOPIC, what, "the right PIN sets the count back");
        }
        PinState::Ok | PinState::NotSet => {}
    }
}

/// Checks owner, group and mode of a file or directory of ours; false if something is wrong.
pub(super) fn may_be_used(
    findings: &mut Findings,
    configuration: &Configuration,
    path: &Path,
) -> bool {
    const TOPIC: &str = "permissions";
    let Ok(found) = fs::symlink_metadata(path).and_then(|_| fs::metadata(path)) else {
        let what = format!("{} cannot be examined", path.display());
        findings.problem(TOPIC, what, "give this user access to it");
        return false;
    };
    let shown = path.display();
    let group = configuration.group.as_ref();
    let wanted = match (found.is_dir(), group.is_some()) {
        (true, false) => 0o700,
        (true, true) => 0o2770,
        (false, false) => 0o600,
        (false, true) => 0o660,
    };
    let mode = examine::mode(&found);
    let before = findings.0.len();
    if mode & 0o777 & !wanted != 0 {
        let what = format!("{shown} has mode {mode:04o}: others may look into it");
        findings.problem(TOPIC, what, format!("chmod {wanted:o} '{shown}'"));
    } else if mode & wanted & 0o777 != wanted & 0o777 {
        let what = format!("{shown} has mode {mode:04o}: not all who should may use it");
        findings.note(TOPIC, what, format!("chmod {wanted:o} '{shown}', unless it is meant so"));
    }
    let own = examine::effective_user();
    if let Some((name, id)) = group {
        if found.gid() != *id {
            let what = format!("{shown} does not belong to the group {name}");
            findings.problem(TOPIC, what, format!("chgrp {name} '{shown}'"));
        }
    } else if own.is_some_and(|own| own != 0 && own != found.uid()) {
        let what = format!("{shown} belongs to user {}, not to this one", found.uid());
        findings.problem(TOPIC, what, "run as its owner, or share it by `group`");
    }
    before == findings.0.len()
}
