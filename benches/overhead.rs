//! What the library adds to a signature: C_SignInit and C_Sign with an Ed25519 key on the token
//! (private, sensitive, policy on) against the bare primitive on the same message, in one run.
//!
//!     cargo bench --bench overhead -- [--module PATH] [--rounds 2000] [--at-most NANOSECONDS]
//!
//! A round is short, so that few rounds meet another process on their core; the order within a
//! round alternates, and the figure is the median of the differences. With --at-most the exit code
//! says whether it was kept.

mod support;

use ed25519_dalek::{Signer, SigningKey};
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};
use support::attributes::Mechanism;
use support::module::Module;
use support::objects;
use support::scratch::{Scratch, built_module, logged_in, make_token};
use support::stopwatch::{median, nanoseconds};

type Fallible<T> = Result<T, Box<dyn Error>>;

const MESSAGE: [u8; 32] = [0x5a; 32];
const SIGNATURES_PER_ROUND: u32 = 25;
const WARMING_ROUNDS: usize = 50;

/// Nanoseconds per call over one batch.
fn batch(mut call: impl FnMut() -> Fallible<()>) -> Fallible<f64> {
    let start = Instant::now();
    for _ in 0..SIGNATURES_PER_ROUND {
        call()?;
    }
    Ok(nanoseconds(start.elapsed()) as f64 / f64::from(SIGNATURES_PER_ROUND))
}

fn compare(path: &Path, rounds: usize, at_most: Option<f64>) -> Fallible<bool> {
    let module = Module::load(path).map_err(|why| why.to_string())?;
    let setup = || {
        module.initialize()?;
        make_token(&module)?;
        let session = logged_in(&module)?;
        objects::make_all(&session)?;
        let key = objects::private(&session, "ed25519")?;
        Ok((session, key))
    };
    let (session, key) = setup().map_err(|why: support::module::Refusal| why.to_string())?;
    let (mut mechanism, mut room) = (Mechanism::plain(cryptoki_sys::CKM_EDDSA), [0; 64]);
    let mut through_module = || -> Fallible<()> {
        let signed = session.sign(&mut mechanism, key, black_box(&MESSAGE), &mut room);
        signed.map(drop).map_err(|why| why.to_string().into())
    };

    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let bare_key = SigningKey::from_bytes(&seed);
    let mut bare = || -> Fallible<()> {
        black_box(bare_key.sign(black_box(&MESSAGE)));
        Ok(())
    };

    let (mut module_times, mut bare_times, mut differences) = (vec![], vec![], vec![]);
    for round in 0..rounds + WARMING_ROUNDS {
        let (with, without) = if round % 2 == 0 {
            let with = batch(&mut through_module)?;
            (with, batch(&mut bare)?)
        } else {
            let without = batch(&mut bare)?;
            (batch(&mut through_module)?, without)
        };
        if round >= WARMING_ROUNDS {
            module_times.push(with);
            bare_times.push(without);
            differences.push(with - without);
        }
    }
    let difference = median(&differences);
    println!("C_SignInit + C_Sign, Ed25519   {:8.0} ns", median(&module_times));
    println!("the bare primitive             {:8.0} ns", median(&bare_times));
    println!("the library adds               {difference:8.0} ns   (median of {rounds} rounds)");
    module.finalize().map_err(|why| why.to_string())?;
    Ok(at_most.is_none_or(|limit| difference <= limit))
}

fn start(arguments: &[String]) -> Fallible<bool> {
    let (mut module, mut rounds, mut at_most, mut inside) = (None, 2_000, None, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--bench" => {}
            "--child" => inside = true,
            "--module" => module = Some(fs::canonicalize(value()?)?),
            "--rounds" => rounds = value()?.parse()?,
            "--at-most" => at_most = Some(value()?.parse()?),
            other => return Err(format!("what is {other}?").into()),
        }
    }
    let module: PathBuf = match module {
        Some(module) => module,
        None => built_module()?,
    };
    if inside {
        return compare(&module, rounds, at_most);
    }
    // The module finds its directory in the environment: hence a process of its own.
    let scratch = Scratch::new("overhead")?;
    let status =
        scratch.again()?.arg("--child").args(arguments).arg("--module").arg(&module).status()?;
    Ok(status.success())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match start(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("overhead: {why}");
            ExitCode::FAILURE
        }
    }
}
