//! `claviger doctor`: what is installed, where it looks, what is wrong and how to mend it.
//!
//! The files are looked at before the library opens them, since opening already tidies up.

mod examine;
mod finding;
mod lanes;
mod log;
mod tokens;

use std::fs;
use std::os::unix::fs::MetadataExt;

use clap::Args;
use claviger::config::{Configuration, ReadOnlyLogin, StoreKind};
use claviger::provider::offers::rule_problems;
use serde::Serialize;

use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use examine::Keeping;
use finding::{Finding, Findings, Level};
use tokens::may_be_used;

/// OWASP's least memory for Argon2id with any number of passes.
const LEAST_ARGON2_KIB: u32 = 7168;
/// What the secrets of a process with some open tokens need: they are locked in pieces of 256 KiB.
const LEAST_LOCKED_MEMORY: u64 = 1024 * 1024;

const HELP: &str = "\
Looks at the configuration, the installed modules, the data directory and every token in it,
and mends nothing by itself. Findings are `ok`, `note` (worth knowing) or `problem` (to be mended);
ends with 6 if there is a problem.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: Format,
}

/// What `doctor --json` prints.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    ok: bool,
    findings: Vec<Finding>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut findings = Findings::default();
    modules(&mut findings);
    if let Some(configuration) = configuration(&mut findings) {
        if configuration.store_kind == StoreKind::Memory {
            let what =
                "store.kind is \"memory\": each program has tokens of its own, and loses them";
            findings.note("data", what, "");
        } else {
            directory(&mut findings, &configuration);
            tokens::tokens(&mut findings, &configuration);
        }
    }
    memory(&mut findings);
    let findings = findings.0;
    let ok = !findings.iter().any(|finding| finding.level == Level::Problem);
    if arguments.format.json {
        let version = env!("CARGO_PKG_VERSION");
        output::print_json(&Report { version, ok, findings })?;
    } else {
        output::print(&shown(&findings))?;
    }
    if ok { Ok(()) } else { Err(Failure::new(Code::Unhealthy, "")) }
}

fn shown(findings: &[Finding]) -> String {
    let mut text = format!("claviger {}\n", env!("CARGO_PKG_VERSION"));
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Problem => "PROBLEM",
        };
        let what = output::printable(&finding.what).replace('\n', " ");
        text += &format!("{level:<7}  {:<13}  {what}\n", finding.topic);
        if let Some(mend) = &finding.mend {
            text += &format!("{:<24}→ {}\n", "", output::printable(mend).replace('\n', " "));
        }
    }
    text
}

fn modules(findings: &mut Findings) {
    const TOPIC: &str = "module";
    let modules = examine::installed_modules();
    if modules.is_empty() {
        findings.note(
            TOPIC,
            "libclaviger.so is not installed in the usual places",
            "give tools the path of the file that was built, or run `make install`",
        );
    }
    for path in modules {
        let Ok(found) = fs::metadata(&path) else { continue };
        let (path, mode) = (path.display(), examine::mode(&found));
        if mode & 0o022 != 0 {
            let what = format!("{path} has mode {mode:04o}: others can change what is loaded");
            findings.problem(TOPIC, what, format!("chmod go-w {path}"));
        } else if found.uid() != 0 {
            let what = format!("{path} belongs to user {}, who can change it", found.uid());
            findings.note(TOPIC, what, "root should only load a copy that is root's own");
        } else {
            findings.ok(TOPIC, format!("{path}"));
        }
    }
    for loaded in examine::loaded_modules() {
        let (process, program) = (loaded.process, loaded.program);
        let what = format!("{} is loaded by {program} ({process})", loaded.module.display());
        if loaded.is_old {
            findings.note(TOPIC, format!("{what}, and its file was replaced"), "start it anew");
        } else {
            findings.ok(TOPIC, what);
        }
    }
    for (entry, module) in examine::p11_kit_entries() {
        let what = format!("{} names {}", entry.display(), module.display());
        if module.is_absolute() && !module.exists() {
            findings.problem(
                "p11-kit",
                format!("{what}, which is missing"),
                "mend the line `module:`",
            );
        } else {
            findings.ok("p11-kit", what);
        }
    }
}

fn configuration(findings: &mut Findings) -> Option<Configuration> {
    const TOPIC: &str = "configuration";
    for file in Configuration::candidates() {
        if file.exists && !file.counts {
            let what = format!("{} is there, but another file counts", file.path.display());
            findings.note(TOPIC, what, "");
        }
    }
    let configuration = match Configuration::of_this_process() {
        Ok(configuration) => configuration,
        Err(error) => {
            findings.problem(TOPIC, error.to_string(), "`claviger config check` tells all of it");
            return None;
        }
    };
    for problem in rule_problems(&configuration) {
        findings.problem(TOPIC, problem.to_string(), "mend the line: no program can start so");
    }
    match configuration.file() {
        Some(file) => findings.ok(TOPIC, format!("{} counts", file.display())),
        None => findings.ok(TOPIC, "no configuration file: the defaults count"),
    }
    if let Some(found) = configuration.file().and_then(|file| fs::metadata(file).ok())
        && examine::mode(&found) & 0o022 != 0
    {
        let mode = examine::mode(&found);
        let what = format!("the file has mode {mode:04o}: others can change it");
        findings.problem(TOPIC, what, "chmod go-w, on the file");
    }
    if configuration.argon2_memory_kib < LEAST_ARGON2_KIB {
        let what = format!("pin.argon2_memory_kib is {}", configuration.argon2_memory_kib);
        let what = format!("{what}: guessing the PINs of a copied token is cheap");
        findings.note(TOPIC, what, format!("{LEAST_ARGON2_KIB} is the least that OWASP names"));
    }
    if configuration.readonly_login == ReadOnlyLogin::Allow {
        let what = "pin.readonly is \"allow\": tries are not counted where nothing can be written";
        findings.note(TOPIC, what, "");
    }
    Some(configuration)
}

fn directory(findings: &mut Findings, configuration: &Configuration) {
    const TOPIC: &str = "data";
    let path = &configuration.directory;
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("{} is not there yet; the first token makes it", path.display());
            findings.ok(TOPIC, what);
            return;
        }
        Err(error) => {
            let what = format!("{} cannot be examined: {error}", path.display());
            findings.problem(TOPIC, what, "give this user access to the folders above it");
            return;
        }
        Ok(found) if !found.is_dir() => {
            let what = format!("{} is not a directory", path.display());
            findings.problem(TOPIC, what, "set `directory` or CLAVIGER_DIR to another path");
            return;
        }
        Ok(_) => {}
    }
    let lock = path.join("claviger.lock");
    if lock.exists() {
        may_be_used(findings, configuration, &lock);
    }
    if may_be_used(findings, configuration, path) {
        findings.ok(TOPIC, format!("{}", path.display()));
    }
    match examine::file_system(path) {
        Some((kind, Keeping::Shared)) if !configuration.shared_fs => findings.problem(
            TOPIC,
            format!("it lies on {kind}, where locks cannot be trusted"),
            "move it to a local disk, or set store.shared_fs if only one machine uses it",
        ),
        Some((kind, Keeping::Shared)) => {
            findings.note(TOPIC, format!("it lies on {kind}, by store.shared_fs"), "");
        }
        Some((kind, Keeping::Fleeting)) => {
            findings.note(TOPIC, format!("it lies on {kind}: a restart loses it"), "");
        }
        Some((_, Keeping::Local)) | None => {}
    }
}

fn memory(findings: &mut Findings) {
    if let Some(limit) = examine::locked_memory_limit().filter(|limit| *limit < LEAST_LOCKED_MEMORY)
    {
        let what =
            format!("only {limit} bytes of memory may be locked: secrets may be swapped out");
        findings.note("memory", what, "raise the limit (ulimit -l, or LimitMEMLOCK= of a service)");
    }
}
