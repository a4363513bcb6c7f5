//! What a token with many objects costs beside one with ten.
//!
//!     cargo bench --bench many_keys -- [--module PATH] [--objects 100000] [--rounds 15]
//!         [--millis 100] [--quick]
//!
//! Searches by CKA_ID and by CKA_LABEL, batch by batch in turns; C_Initialize and C_Login of
//! processes that have just started; and what such a process holds in memory after it has used ten
//! keys. While the tokens are filled nothing is synced to the disk.

mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};
use support::crowded;
use support::machine::machine;
use support::remote::Remote;
use support::scratch::{Scratch, built_module};
use support::stopwatch::median;

type Fallible<T> = Result<T, Box<dyn Error>>;

const FEW: u64 = 10;

struct Options {
    module: PathBuf,
    objects: u64,
    rounds: usize,
    millis: u64,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options = Options { module: PathBuf::new(), objects: 100_000, rounds: 15, millis: 100 };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => options.module = fs::canonicalize(value()?)?,
            "--objects" => options.objects = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--millis" => options.millis = value()?.parse()?,
            "--quick" => (options.objects, options.rounds, options.millis) = (5_000, 5, 40),
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.module.as_os_str().is_empty() {
        options.module = built_module()?;
    }
    Ok(options)
}

/// A token with so many objects.
struct Side {
    scratch: Scratch,
    module: PathBuf,
    count: u64,
}

impl Side {
    fn fill(count: u64, module: &Path) -> Fallible<Self> {
        let scratch = Scratch::new(&format!("objects-{count}"))?;
        let side = Self { scratch, module: module.to_owned(), count };
        let figures = side.start()?.numbers(&format!("fill {count}"))?;
        println!("{count} objects were made in {:.1} s, without syncs", figures[0] / 1e9);
        Ok(side)
    }

    fn start(&self) -> Fallible<Remote> {
        Ok(Remote::start(self.scratch.again()?.arg("--child").arg(&self.module))?)
    }
}

/// Medians of what both sides answer, in turns, and the median of the ratios.
fn compare(name: &str, rounds: usize, mut ask: impl FnMut(usize) -> Fallible<f64>) -> Fallible<()> {
    let (mut few, mut many, mut ratios) = (vec![], vec![], vec![]);
    for round in 0..rounds {
        let (a, b) = if round % 2 == 0 {
            let a = ask(0)?;
            (a, ask(1)?)
        } else {
            let b = ask(1)?;
            (ask(0)?, b)
        };
        few.push(a);
        many.push(b);
        ratios.push(b / a);
    }
    let cell = |figures: &[f64]| format!("{:.1}", median(figures) / 1000.0);
    println!("| {name} | {} | {} | {:.2} |", cell(&few), cell(&many), median(&ratios));
    Ok(())
}

fn measure(arguments: &[String]) -> Fallible<()> {
    let options = options(arguments)?;
    println!("{}; {} rounds", machine(), options.rounds);
    let sides = [Side::fill(FEW, &options.module)?, Side::fill(options.objects, &options.module)?];
    println!("\n| µs | {FEW} objects | {} | ratio |\n|---|---:|---:|---:|", options.objects);
    for (place, name) in ["C_Initialize", "C_OpenSession", "C_Login"].into_iter().enumerate() {
        compare(name, options.rounds, |side| {
            let figures = sides[side].start()?.numbers("cold")?;
            Ok(figures[place])
        })?;
    }
    let mut running = Vec::new();
    for side in &sides {
        let mut remote = side.start()?;
        remote.numbers("cold")?;
        running.push(remote);
    }
    for (name, order) in [
        ("C_FindObjects by CKA_ID", "id"),
        ("C_FindObjects by CKA_LABEL", "label"),
        ("by CKA_ID, of an object that is not there", "nothing"),
        ("C_Logout, C_Login", "login"),
    ] {
        compare(name, options.rounds, |side| {
            let order = format!("{order} {} {}", sides[side].count, options.millis);
            Ok(running[side].numbers(&order)?[0])
        })?;
    }
    println!("\nVmRSS of a process that has used ten keys:");
    for side in &sides {
        let mut remote = side.start()?;
        remote.numbers("cold")?;
        let before = resident(&remote)?;
        remote.numbers(&format!("use {}", side.count))?;
        let after = resident(&remote)?;
        println!("{} objects: {after} KiB; {before} KiB after C_Login", side.count);
    }
    Ok(())
}

/// KiB of memory that a process has in use.
fn resident(remote: &Remote) -> Fallible<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", remote.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.ok_or("no VmRSS")?.split_whitespace().next();
    Ok(words.ok_or("no VmRSS")?.parse()?)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [word, path] if word == "--child" => {
            crowded::serve(Path::new(path)).map_err(|why| why.to_string())
        }
        arguments => measure(arguments).map_err(|why| why.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("many_keys: {why}");
            ExitCode::FAILURE
        }
    }
}
