//! What an operation costs through the C interface of the module: beside the bare primitive that
//! its engine uses, with a parsed key, in the same process and in turns; and composites beside the
//! sum of their parts.
//!
//!     cargo bench --bench primitives -- [--module PATH] [--millis 3] [--rounds 61] [--only FAMILY]
//!
//! Many short rounds: most of them meet no other process on their core. Each is measured twice, with
//! a record of each use in the log and without. A primitive includes what the module may not leave
//! out: the check of an RSA signature against a fault, the second computation of a new pair's point.

mod support;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use support::beside::{self, Plan};
use support::composites;
use support::machine::machine;
use support::module::{Module, Outcome};
use support::rows::FAMILIES;
use support::scratch::{Scratch, built_module, logged_in, make_token};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// The second table: what the log adds is what is missing here.
const WITHOUT_LOG: &str = "[audit]\noff = [\"C_Encrypt\", \"C_Decrypt\", \"C_Sign\", \"C_Verify\", \
    \"C_GenerateKeyPair\", \"C_DeriveKey\", \"C_EncapsulateKey\", \"C_DecapsulateKey\"]\n";

struct Options {
    module: PathBuf,
    millis: u64,
    rounds: usize,
    /// Families whose names have this in them; composites only without it.
    only: String,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options =
        Options { module: PathBuf::new(), millis: 3, rounds: 61, only: String::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => options.module = fs::canonicalize(value()?)?,
            "--millis" => options.millis = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--only" => options.only = value()?.clone(),
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.module.as_os_str().is_empty() {
        options.module = built_module()?;
    }
    Ok(options)
}

fn run(arguments: &[String]) -> Fallible<()> {
    let options = options(arguments)?;
    println!("{}", machine());
    for (name, configuration) in [("with the log", "# Defaults.\n"), ("without", WITHOUT_LOG)] {
        println!("\n{name}:\n");
        let scratch = Scratch::configured("primitives", configuration)?;
        let mut command = scratch.again()?;
        command.args(["--child", "--module"]).arg(&options.module);
        command.args(["--millis", &options.millis.to_string()]);
        command.args(["--rounds", &options.rounds.to_string(), "--only", &options.only]);
        if !command.status()?.success() {
            return Err("the measurement failed".into());
        }
    }
    Ok(())
}

/// The process that loads the module.
fn child(arguments: &[String]) -> Fallible<()> {
    let options = options(arguments)?;
    let budget = Duration::from_millis(options.millis);
    let plan = Plan { budget, rounds: options.rounds };
    measure(&options.module, plan, &options.only).map_err(|why| why.to_string().into())
}

fn measure(module: &Path, plan: Plan, only: &str) -> Outcome<()> {
    let module = Module::load(module)?;
    module.initialize()?;
    make_token(&module)?;
    let session = logged_in(&module)?;
    beside::head();
    for (_, prepare) in FAMILIES.iter().filter(|(family, _)| family.contains(only)) {
        for line in prepare(&module, session)? {
            beside::print(line, plan)?;
        }
    }
    if only.is_empty() { composites::print(&session, plan) } else { Ok(()) }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == "--child" => child(rest),
        _ => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("primitives: {why}");
            ExitCode::FAILURE
        }
    }
}
