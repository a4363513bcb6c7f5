//! Measures PKCS#11 modules against each other in one run.
//!
//!     cargo bench --bench modules -- --module NAME=PATH [--module NAME=PATH]...
//!         [--rounds 4] [--millis 150] [--objects 10,1000,10000] [--only TEXT] [--quick]
//!
//! Each module lives in a process of its own with a token in a temporary directory. The rounds are
//! interleaved, A B B A, so that both meet the same other load of the machine. A figure is the
//! median of the rounds, a ratio the median of the ratios within them. The table is Markdown.

mod support;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};
use support::child;
use support::machine::machine;
use support::remote::Remote;
use support::scratch::Scratch;
use support::stopwatch::median;
use support::workloads::WORKLOADS;

type Fallible<T> = Result<T, Box<dyn Error>>;

struct Options {
    modules: Vec<(String, PathBuf)>,
    rounds: usize,
    millis: u64,
    objects: Vec<u64>,
    only: String,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options = Options {
        modules: Vec::new(),
        rounds: 4,
        millis: 150,
        objects: vec![10, 1_000, 10_000],
        only: String::new(),
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => {
                let value = value()?;
                let (name, path) = value.split_once('=').ok_or("--module NAME=PATH")?;
                options.modules.push((name.to_owned(), fs::canonicalize(path)?));
            }
            "--rounds" => options.rounds = value()?.parse()?,
            "--millis" => options.millis = value()?.parse()?,
            "--objects" => {
                options.objects = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--only" => options.only = value()?.clone(),
            "--quick" => {
                (options.rounds, options.millis) = (2, 40);
                options.objects = vec![10, 1_000];
            }
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.modules.is_empty() {
        let built = support::scratch::built_module()?;
        options.modules.push(("claviger".to_owned(), built));
    }
    Ok(options)
}

/// One module and the process that has loaded it.
struct Contestant {
    name: String,
    path: PathBuf,
    remote: Remote,
    scratch: Scratch,
}

impl Contestant {
    fn start(name: &str, path: &Path) -> Fallible<Self> {
        let scratch = Scratch::new(name)?;
        let remote = Remote::start(scratch.again()?.arg("--child").arg(path))
            .map_err(|why| format!("{name}: {why}"))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), remote, scratch })
    }

    /// Operations per second, or what the module refused.
    fn ask(&mut self, order: &str) -> Fallible<Result<f64, String>> {
        let answer = self.remote.ask(order)?;
        let words: Vec<&str> = answer.split_whitespace().collect();
        match words.as_slice() {
            ["rate", operations, nanoseconds] => {
                let (operations, nanoseconds): (f64, f64) =
                    (operations.parse()?, nanoseconds.parse()?);
                Ok(Ok(operations * 1e9 / nanoseconds))
            }
            ["refused", why @ ..] => Ok(Err(why.join(" "))),
            _ => Err(format!("{} died at '{order}'", self.name).into()),
        }
    }

    /// Starts per second of: dlopen, C_Initialize, all up to a logged-in session.
    fn cold(&self) -> Fallible<Vec<f64>> {
        let output = self.scratch.again()?.arg("--cold").arg(&self.path).output()?;
        let text = String::from_utf8(output.stdout)?;
        let figures: Vec<f64> = text
            .split_whitespace()
            .map(|word| Ok(1e9 / word.parse::<f64>()?))
            .collect::<Fallible<_>>()?;
        if figures.len() != 3 {
            return Err(format!("{}: no cold start: {text}", self.name).into());
        }
        Ok(figures)
    }
}

/// Figures of one row: for each module one per round, or why there is none.
type Row = BTreeMap<usize, Result<Vec<f64>, String>>;

struct Match {
    contestants: Vec<Contestant>,
    rounds: usize,
    rows: Vec<(String, Row)>,
}

impl Match {
    /// A row: all modules, round by round, every other round in the opposite order.
    fn measure(
        &mut self,
        name: &str,
        mut figure: impl FnMut(&mut Contestant) -> Fallible<Result<f64, String>>,
    ) -> Fallible<()> {
        progress(name);
        let mut row: Row = (0..self.contestants.len()).map(|index| (index, Ok(vec![]))).collect();
        for round in 0..self.rounds {
            let mut order: Vec<usize> = (0..self.contestants.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let Some(Ok(figures)) = row.get_mut(&index) else { continue };
                match figure(&mut self.contestants[index])? {
                    Ok(value) => figures.push(value),
                    Err(why) => {
                        row.insert(index, Err(why));
                    }
                }
            }
        }
        self.rows.push((name.to_owned(), row));
        Ok(())
    }

    fn cold_starts(&mut self) -> Fallible<()> {
        let names = ["cold: dlopen", "cold: C_Initialize", "cold: dlopen to logged in"];
        for (place, name) in names.into_iter().enumerate() {
            // The best of five, as a cold start meets every other process of the machine.
            self.measure(name, |contestant| {
                let mut best: f64 = 0.0;
                for _ in 0..5 {
                    best = contestant.cold()?.get(place).copied().unwrap_or(0.0).max(best);
                }
                Ok(Ok(best))
            })?;
        }
        Ok(())
    }

    fn workloads(&mut self, millis: u64, only: &str) -> Fallible<()> {
        for (index, workload) in WORKLOADS.iter().enumerate() {
            if workload.name.contains(only) {
                self.measure(workload.name, |contestant| {
                    contestant.ask(&format!("run {index} {millis}"))
                })?;
            }
        }
        Ok(())
    }

    fn store(&mut self, counts: &[u64], millis: u64) -> Fallible<()> {
        let rounds = self.rounds;
        for &count in counts {
            // A store can be filled once, so that this row has one round.
            self.rounds = 1;
            self.measure(&format!("create, up to {count} objects"), |contestant| {
                contestant.ask(&format!("grow {count}"))
            })?;
            self.rounds = rounds;
            self.measure(&format!("find by CKA_ID among {count}"), |contestant| {
                contestant.ask(&format!("find {count} {millis}"))
            })?;
            self.measure(&format!("find among {count} and encrypt 64 B"), |contestant| {
                contestant.ask(&format!("use {count} {millis}"))
            })?;
        }
        Ok(())
    }

    /// What each module does for its changes to outlive a power cut.
    fn syncs(&mut self) -> Fallible<()> {
        println!(
            "\n| fsync(2) and the like for each | C_CreateObject | C_GenerateKeyPair | C_Login | C_Logout |"
        );
        println!("|---|---:|---:|---:|---:|");
        for contestant in &mut self.contestants {
            let answer = contestant.remote.ask("syncs 200")?;
            let counts = match answer.strip_prefix("syncs ") {
                Some(counts) => counts.replace(' ', " | "),
                None => answer,
            };
            println!("| {} | {counts} |", contestant.name);
        }
        Ok(())
    }

    fn print(&self) {
        let names: Vec<&str> = self.contestants.iter().map(|c| c.name.as_str()).collect();
        let mut head = String::from("| operation |");
        let mut line = String::from("|---|");
        for name in &names {
            head.push_str(&format!(" {name}, per second | µs |"));
            line.push_str("---:|---:|");
        }
        for other in names.iter().skip(1) {
            head.push_str(&format!(" {} / {other} |", names[0]));
            line.push_str("---:|");
        }
        println!("\n{head}\n{line}");
        for (name, row) in &self.rows {
            println!("| {name} |{}", cells(row));
        }
    }
}

fn cells(row: &Row) -> String {
    let mut cells = String::new();
    for figures in row.values() {
        match figures {
            Ok(figures) => {
                let rate = median(figures);
                cells.push_str(&format!(" {} | {} |", rounded(rate), rounded(1e6 / rate)));
            }
            Err(why) => cells.push_str(&format!(" - ({why}) | |")),
        }
    }
    let Some(Ok(first)) = row.get(&0) else { return cells };
    for figures in row.values().skip(1) {
        match figures {
            Ok(figures) => {
                let ratios: Vec<f64> = first.iter().zip(figures).map(|(a, b)| a / b).collect();
                cells.push_str(&format!(" {} |", rounded(median(&ratios))));
            }
            Err(_) => cells.push_str(" |"),
        }
    }
    cells
}

/// What is being measured, on one line of the terminal.
fn progress(name: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{name}");
    }
}

/// Three digits are all that such a measurement is worth.
fn rounded(value: f64) -> String {
    match value {
        v if v >= 1000.0 => {
            let unit = 10_f64.powf(v.log10().floor() - 2.0);
            format!("{:.0}", (v / unit).round() * unit)
        }
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn contest(arguments: &[String]) -> Fallible<()> {
    let options = options(arguments)?;
    println!("{}; {} rounds of {} ms", machine(), options.rounds, options.millis);
    let mut contestants = Vec::new();
    for (name, path) in &options.modules {
        println!("{name} = {}", path.display());
        contestants.push(Contestant::start(name, path)?);
    }
    let mut contest = Match { contestants, rounds: options.rounds, rows: Vec::new() };
    if options.only.is_empty() {
        contest.cold_starts()?;
    }
    contest.workloads(options.millis, &options.only)?;
    if options.only.is_empty() || "find".contains(&options.only) {
        contest.store(&options.objects, options.millis)?;
    }
    progress("");
    contest.print();
    if options.only.is_empty() || "syncs".contains(&options.only) {
        contest.syncs()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [word, path] if word == "--child" => {
            child::serve(Path::new(path)).map_err(|r| r.to_string())
        }
        [word, path] if word == "--cold" => child::cold(Path::new(path)).map_err(|r| r.to_string()),
        arguments => contest(arguments).map_err(|why| why.to_string()),
    };
    if let Err(why) = outcome {
        eprintln!("modules: {why}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
