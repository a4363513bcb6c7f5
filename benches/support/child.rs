//! The process that loads one module and does as it is told, one line in, one line out:
//!
//!     run 12 150        -> rate 51234 150000321     workload 12 for 150 ms
//!     grow 1000         -> rate 990 412000000       make numbered objects until there are so many
//!     find 1000 150     -> rate ...                 look one up by CKA_ID
//!     use 1000 150      -> rate ...                 and encrypt with it
//!     syncs 20            -> syncs 2.00 2.00 1.00 1.00   fsync(2) calls for each of so many
//!                            C_CreateObject, C_GenerateKeyPair, C_Login, C_Logout
//!     anything refused  -> refused C_SignInit 0x70

use super::module::{Module, Outcome, Refusal, Session, refuse};
use super::objects::{self, Life};
use super::scratch::{USER_PIN, logged_in, make_token};
use super::stopwatch::{Rate, measure, nanoseconds};
use super::workloads::{WORKLOADS, Workload, find};
use cryptoki_sys::CKU_USER;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn serve(path: &Path) -> Outcome<()> {
    let module = Module::load(path)?;
    module.initialize()?;
    make_token(&module)?;
    let session = logged_in(&module)?;
    objects::make_all(&session)?;
    answer("ready")?;
    let mut numbered = 0;
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if let Some(count) = line.strip_prefix("syncs ") {
            let counted = syncs(session, &mut numbered, count.parse().unwrap_or(1));
            match counted {
                Ok(calls) => {
                    let calls: Vec<String> = calls.iter().map(|one| format!("{one:.2}")).collect();
                    answer(&format!("syncs {}", calls.join(" ")))?;
                }
                Err(why) => answer(&format!("refused {why}"))?,
            }
            continue;
        }
        match obey(&module, session, &mut numbered, &line) {
            Ok(Rate { operations, nanoseconds }) => {
                answer(&format!("rate {operations} {nanoseconds}"))?;
            }
            Err(why) => answer(&format!("refused {why}"))?,
        }
    }
    module.finalize()
}

fn answer(line: &str) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    written.map_err(|why| Refusal { call: format!("answer: {why}"), rv: 0 })
}

fn obey(module: &Module, session: Session<'_>, numbered: &mut u64, line: &str) -> Outcome<Rate> {
    let mut words = line.split_whitespace();
    let order = words.next().unwrap_or_default();
    let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    match (order, numbers.as_slice()) {
        ("run", &[index, millis]) => {
            let workload = usize::try_from(index).ok().and_then(|index| WORKLOADS.get(index));
            let Some(workload) = workload else { return refuse("no such workload") };
            run(module, session, workload, Duration::from_millis(millis))
        }
        ("grow", &[count]) => grow(session, numbered, count),
        ("find", &[count, millis]) => {
            measure(Duration::from_millis(millis), &mut *find(session, count, false))
        }
        ("use", &[count, millis]) => {
            measure(Duration::from_millis(millis), &mut *find(session, count, true))
        }
        _ => refuse(format!("what is '{line}'?")),
    }
}

fn run(
    module: &Module,
    session: Session<'_>,
    workload: &Workload,
    budget: Duration,
) -> Outcome<Rate> {
    let budget = budget * workload.weight;
    if workload.threads == 1 {
        return measure(budget, &mut *(workload.prepare)(module, session)?);
    }
    let barrier = Barrier::new(workload.threads);
    let rates: Vec<Outcome<Rate>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workload.threads)
            .map(|_| scope.spawn(|| run_in_thread(module, workload, budget, &barrier)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| refuse("a thread panicked")))
            .collect()
    });
    let rates = rates.into_iter().collect::<Outcome<Vec<_>>>()?;
    let total: f64 = rates.iter().map(|rate| rate.per_second()).sum();
    let operations = rates.iter().map(|rate| rate.operations).sum();
    Ok(Rate { operations, nanoseconds: (operations as f64 * 1e9 / total) as u64 })
}

/// Every thread has a session of its own, as threads of a server have.
fn run_in_thread(
    module: &Module,
    workload: &Workload,
    budget: Duration,
    barrier: &Barrier,
) -> Outcome<Rate> {
    let prepared = super::scratch::slot(module).and_then(|slot| module.open(slot));
    let prepared = prepared.and_then(|session| Ok((session, (workload.prepare)(module, session)?)));
    // All threads must arrive here, also the ones that failed.
    barrier.wait();
    let (session, mut operation) = prepared?;
    let rate = measure(budget, &mut *operation)?;
    session.close()?;
    Ok(rate)
}

fn grow(session: Session<'_>, numbered: &mut u64, count: u64) -> Outcome<Rate> {
    let (start, before) = (Instant::now(), *numbered);
    while *numbered < count {
        objects::create_numbered(&session, *numbered)?;
        *numbered += 1;
    }
    Ok(Rate { operations: *numbered - before, nanoseconds: nanoseconds(start.elapsed()) })
}

/// How many fsync(2) and the like each call makes, on average.
fn syncs(session: Session<'_>, numbered: &mut u64, count: u64) -> Outcome<[f64; 4]> {
    let mut calls = [0; 4];
    let mut counted = |place: usize, call: &mut dyn FnMut() -> Outcome<()>| {
        let before = super::syncs::count();
        let done = call();
        calls[place] += super::syncs::count() - before;
        done
    };
    for _ in 0..count {
        *numbered += 1;
        let number = *numbered;
        counted(0, &mut || objects::create_numbered(&session, number).map(drop))?;
        counted(1, &mut || {
            let label = format!("pair-{number}");
            objects::make_ec(&session, &label, objects::P256, Life::Token).map(drop)
        })?;
        counted(3, &mut || session.logout())?;
        counted(2, &mut || session.login(CKU_USER, USER_PIN))?;
    }
    Ok(calls.map(|calls| calls as f64 / count as f64))
}

/// A process that has just started: how long loading, C_Initialize and a login take. Prints the
/// three in nanoseconds.
pub(crate) fn cold(path: &Path) -> Outcome<()> {
    let start = Instant::now();
    let module = Module::load(path)?;
    let loaded = start.elapsed();
    module.initialize()?;
    let initialized = start.elapsed();
    logged_in(&module)?;
    let ready = start.elapsed();
    answer(&format!(
        "{} {} {}",
        nanoseconds(loaded),
        nanoseconds(initialized.saturating_sub(loaded)),
        nanoseconds(ready)
    ))?;
    module.finalize()
}
