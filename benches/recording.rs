//! What it costs to have every use on record: the same signatures with the log and without it, in
//! one run.
//!
//!     cargo bench --bench recording -- [--module PATH] [--rounds 1500] [--signatures 200000]
//!         [--millis 2000] [--at-most NANOSECONDS] [--quick]
//!
//! Two tokens, each in processes of its own: one with the defaults, one whose configuration says
//! `audit.off = ["C_Sign"]`. Both sign with an Ed25519 key on the token (private, sensitive), batch
//! by batch in turns, each batch beside one of the bare primitive. A batch is short, so that few
//! meet another process on their core; the figures are medians of differences. With --at-most the
//! exit code says whether a record cost no more.

mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};
use support::machine::machine;
use support::remote::Remote;
use support::scratch::{Scratch, built_module};
use support::signer;
use support::stopwatch::median;

type Fallible<T> = Result<T, Box<dyn Error>>;

const SIGNATURES_PER_BATCH: usize = 25;
const WARMING_ROUNDS: usize = 50;
const PROCESSES: usize = 8;

struct Options {
    module: PathBuf,
    rounds: usize,
    signatures: usize,
    millis: u64,
    at_most: Option<f64>,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options = Options {
        module: PathBuf::new(),
        rounds: 1_500,
        signatures: 200_000,
        millis: 2_000,
        at_most: None,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => options.module = fs::canonicalize(value()?)?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--signatures" => options.signatures = value()?.parse()?,
            "--millis" => options.millis = value()?.parse()?,
            "--at-most" => options.at_most = Some(value()?.parse()?),
            "--quick" => {
                (options.rounds, options.signatures, options.millis) = (200, 20_000, 300);
            }
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.module.as_os_str().is_empty() {
        options.module = built_module()?;
    }
    Ok(options)
}

/// A token and the processes that sign with it.
struct Side {
    processes: Vec<Remote>,
    scratch: Scratch,
}

impl Side {
    fn start(name: &str, configuration: &str, module: &Path) -> Fallible<Self> {
        let scratch = Scratch::configured(name, configuration)?;
        let mut side = Self { processes: Vec::new(), scratch };
        side.another(module)?;
        Ok(side)
    }

    fn another(&mut self, module: &Path) -> Fallible<()> {
        let started = Remote::start(self.scratch.again()?.arg("--child").arg(module));
        self.processes.push(started.map_err(|why| format!("no signer: {why}"))?);
        Ok(())
    }

    fn first(&mut self) -> &mut Remote {
        &mut self.processes[0]
    }

    /// Signatures per second of so many processes at once, each with so many threads.
    fn rate(&mut self, processes: usize, threads: usize, millis: u64) -> Fallible<f64> {
        let order = format!("sign {threads} {millis}");
        let mut total = 0.0;
        for process in &mut self.processes[..processes] {
            process.tell(&order)?;
        }
        for process in &mut self.processes[..processes] {
            let answer = process.hear_numbers(&order)?;
            total += answer[0];
        }
        Ok(total)
    }
}

/// Nanoseconds that the library adds with the log and without it, and the record's own.
fn compare(on: &mut Side, off: &mut Side, rounds: usize) -> Fallible<f64> {
    let order = format!("batch {SIGNATURES_PER_BATCH}");
    let (mut with, mut without, mut records, mut bare) = (vec![], vec![], vec![], vec![]);
    for round in 0..rounds + WARMING_ROUNDS {
        let (a, b) = if round % 2 == 0 {
            let a = on.first().numbers(&order)?;
            (a, off.first().numbers(&order)?)
        } else {
            let b = off.first().numbers(&order)?;
            (on.first().numbers(&order)?, b)
        };
        if round >= WARMING_ROUNDS {
            bare.push(b[1]);
            with.push(a[0] - a[1]);
            without.push(b[0] - b[1]);
            records.push(a[0] - a[1] - b[0] + b[1]);
        }
    }
    let record = median(&records);
    println!("\nC_SignInit + C_Sign, Ed25519 on the token; {rounds} rounds");
    println!("| | ns |\n|---|---:|");
    println!("| the bare primitive | {:.0} |", median(&bare));
    println!("| the library adds, without the log | {:.0} |", median(&without));
    println!("| the library adds, with the log | {:.0} |", median(&with));
    println!("| of that a record | {record:.0} |");
    let system = on.first().numbers("system 20000")?;
    for (name, figure) in [
        "pwrite(2) of 290 bytes at the end of a file",
        "pread(2) of 8 bytes",
        "a look at the clock",
        "pwrite(2) of 290 bytes, between bare signatures",
    ]
    .into_iter()
    .zip(system)
    {
        println!("| for comparison: {name} | {figure:.0} |");
    }
    Ok(record)
}

/// How long single calls take, those among them that put records into the log too.
fn latency(on: &mut Side, off: &mut Side, signatures: usize) -> Fallible<()> {
    println!("\nOne C_SignInit + C_Sign, µs; {signatures} in a row");
    println!("| | p50 | p99 | p99.9 | longest | seals | of them p50 | longest | syncs alone |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (name, side) in [("with the log", on), ("without", off)] {
        let figures = side.first().numbers(&format!("latency {signatures}"))?;
        let cells: Vec<String> =
            figures.iter().map(|figure| format!("{:.1}", figure / 1000.0)).collect();
        println!(
            "| {name} | {} | {:.0} | {} | {:.0} |",
            cells[..4].join(" | "),
            figures[4],
            cells[5..7].join(" | "),
            figures[7]
        );
    }
    Ok(())
}

/// Many at once: whether the log lets them scale as they do without it.
fn crowds(on: &mut Side, off: &mut Side, options: &Options) -> Fallible<()> {
    for side in [&mut *on, &mut *off] {
        while side.processes.len() < PROCESSES {
            side.another(&options.module)?;
        }
    }
    println!("\nSignatures per second, {} ms", options.millis);
    println!("| processes | threads of each | with the log | without | ratio |");
    println!("|---:|---:|---:|---:|---:|");
    for (processes, threads) in [(1, 1), (1, 4), (PROCESSES, 1)] {
        let (mut with, mut without, mut ratios) = (vec![], vec![], vec![]);
        for round in 0..4 {
            let (a, b) = if round % 2 == 0 {
                let a = on.rate(processes, threads, options.millis)?;
                (a, off.rate(processes, threads, options.millis)?)
            } else {
                let b = off.rate(processes, threads, options.millis)?;
                (on.rate(processes, threads, options.millis)?, b)
            };
            with.push(a);
            without.push(b);
            ratios.push(a / b);
        }
        println!(
            "| {processes} | {threads} | {:.0} | {:.0} | {:.2} |",
            median(&with),
            median(&without),
            median(&ratios)
        );
    }
    Ok(())
}

fn measure(arguments: &[String]) -> Fallible<bool> {
    let options = options(arguments)?;
    println!("{}", machine());
    let mut on = Side::start("on", "# Defaults.\n", &options.module)?;
    let mut off = Side::start("off", "[audit]\noff = [\"C_Sign\"]\n", &options.module)?;
    let record = compare(&mut on, &mut off, options.rounds)?;
    latency(&mut on, &mut off, options.signatures)?;
    crowds(&mut on, &mut off, &options)?;
    Ok(options.at_most.is_none_or(|limit| record <= limit))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [word, path] if word == "--child" => {
            signer::serve(Path::new(path)).map(|()| true).map_err(|why| why.to_string())
        }
        arguments => measure(arguments).map_err(|why| why.to_string()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("recording: {why}");
            ExitCode::FAILURE
        }
    }
}
