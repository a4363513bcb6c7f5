//! A log of many records, made through the module: what it takes on the disk, and what it takes
//! the tool to verify it.
//!
//!     cargo bench --bench audit_log -- [--module PATH] [--records 1000000] [--rounds 3] [--quick]
//!
//! The records are those of HMAC signatures, the cheapest use of a key that there is.

mod support;

use cryptoki_sys::CKM_SHA256_HMAC;
use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use support::attributes::Mechanism;
use support::machine::machine;
use support::module::{Module, Outcome};
use support::objects;
use support::scratch::{Scratch, built_module, logged_in, make_token};
use support::stopwatch::median;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Between two looks at the tool's memory.
const PAUSE: Duration = Duration::from_millis(10);
/// What `claviger audit verify` returns for a sound log whose key nobody has pinned.
const SOUND_UNPINNED: i32 = 3;

struct Options {
    module: PathBuf,
    records: u64,
    rounds: usize,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options = Options { module: PathBuf::new(), records: 1_000_000, rounds: 3 };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => options.module = fs::canonicalize(value()?)?,
            "--records" => options.records = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--quick" => (options.records, options.rounds) = (50_000, 1),
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.module.as_os_str().is_empty() {
        options.module = built_module()?;
    }
    Ok(options)
}

/// In a process of its own: makes the token, and so many signatures.
fn sign(path: &Path, count: u64) -> Outcome<()> {
    let module = Module::load(path)?;
    module.initialize()?;
    make_token(&module)?;
    let session = logged_in(&module)?;
    let key = objects::make_mac_key(&session, "mac")?;
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_SHA256_HMAC), [0; 32]);
    for _ in 0..count {
        session.sign(&mut mechanism, key, b"sixty-four bytes", &mut room)?;
    }
    session.logout()?;
    module.finalize()
}

/// Files below a directory: how many, their bytes, and what they take on the disk.
fn size(directory: &Path) -> Fallible<(u64, u64, u64)> {
    let mut all = (0, 0, 0);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.metadata()?;
        let own = match found.is_dir() {
            true => size(&entry.path())?,
            false => (1, found.len(), found.blocks() * 512),
        };
        all = (all.0 + own.0, all.1 + own.1, all.2 + own.2);
    }
    Ok(all)
}

/// How long the tool took, and its VmRSS in KiB over that time.
fn verify(command: &mut Command) -> Fallible<(Duration, Vec<f64>)> {
    let start = Instant::now();
    let mut tool = command.spawn()?;
    let mut resident = Vec::new();
    loop {
        if let Some(status) = tool.try_wait()? {
            return match status.code() {
                Some(0 | SOUND_UNPINNED) => Ok((start.elapsed(), resident)),
                _ => Err(format!("claviger audit verify: {status}").into()),
            };
        }
        let status = fs::read_to_string(format!("/proc/{}/status", tool.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        if let Some(Ok(figure)) = line.and_then(|l| l.split_whitespace().next()).map(str::parse) {
            resident.push(figure);
        }
        thread::sleep(PAUSE);
    }
}

fn measure(arguments: &[String]) -> Fallible<()> {
    let options = options(arguments)?;
    println!("{}", machine());
    let scratch = Scratch::new("audit-log")?;
    let start = Instant::now();
    let made = scratch
        .again()?
        .arg("--child")
        .arg(&options.module)
        .arg(options.records.to_string())
        .status()?;
    if !made.success() {
        return Err("the log could not be made".into());
    }
    let time = start.elapsed().as_secs_f64();
    println!("{} HMAC signatures in {time:.1} s", options.records);

    let token = fs::read_dir(scratch.path().join("tokens/tokens"))?.next().ok_or("no token")??;
    let (files, bytes, blocks) = size(&token.path().join("log"))?;
    let each = |bytes: u64| bytes as f64 / options.records as f64;
    println!("{files} files of the log: {:.0} bytes for each record", each(bytes));
    println!("and {:.0} in blocks of the file system", each(blocks));

    let mut times = Vec::new();
    for _ in 0..options.rounds {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        let quiet = command.args(["audit", "verify"]).stdout(Stdio::null()).stderr(Stdio::null());
        let (time, resident) = verify(scratch.dress(quiet))?;
        times.push(time.as_secs_f64());
        let quarters: Vec<String> = resident
            .chunks(resident.len().div_ceil(4).max(1))
            .map(|quarter| format!("{:.0}", median(quarter)))
            .collect();
        let most = resident.iter().copied().fold(0.0, f64::max);
        println!(
            "claviger audit verify: {:.2} s; VmRSS of its quarters {} KiB, at most {most:.0}",
            time.as_secs_f64(),
            quarters.join(", ")
        );
    }
    println!("median: {:.2} s", median(&times));
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [word, path, count] if word == "--child" => {
            sign(Path::new(path), count.parse().unwrap_or(1)).map_err(|why| why.to_string())
        }
        arguments => measure(arguments).map_err(|why| why.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("audit_log: {why}");
            ExitCode::FAILURE
        }
    }
}
