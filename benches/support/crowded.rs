//! A process with a token of many objects, for `many_keys`:
//!
//!     fill 1000           -> nanoseconds     makes the token and so many AES keys, syncing nothing
//!     cold                -> nanoseconds of C_Initialize, C_OpenSession, C_Login
//!     id 1000 100         -> nanoseconds of a search among so many, over 100 ms; and so on
//!     use 1000            -> 1               uses ten of them, all over the token

use super::attributes::{Attributes, Mechanism};
use super::module::{Module, Outcome, Refusal, Session, refuse};
use super::objects;
use super::scratch::{USER_PIN, logged_in, make_token, slot};
use super::stopwatch::{measure, nanoseconds};
use super::syncs;
use cryptoki_sys::{CKA_CLASS, CKA_LABEL, CKO_SECRET_KEY, CKU_USER};
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) fn serve(path: &Path) -> Outcome<()> {
    let module = Module::load(path)?;
    answer("ready")?;
    let mut session = None;
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let mut words = line.split_whitespace();
        let order = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        let figures = match (order, numbers.as_slice(), session) {
            ("fill", &[count], _) => vec![fill(&module, count)?],
            ("cold", _, _) => {
                let (figures, opened) = cold(&module)?;
                session = Some(opened);
                figures
            }
            ("use", &[count], Some(session)) => use_ten(session, count)?,
            (what, &[count, millis], Some(session)) => {
                vec![search(session, what, count, Duration::from_millis(millis))?]
            }
            _ => return refuse(format!("what is '{line}'?")),
        };
        let words: Vec<String> = figures.iter().map(f64::to_string).collect();
        answer(&words.join(" "))?;
    }
    Ok(())
}

fn answer(line: &str) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    written.map_err(|why| Refusal { call: format!("answer: {why}"), rv: 0 })
}

fn fill(module: &Module, count: u64) -> Outcome<f64> {
    module.initialize()?;
    make_token(module)?;
    let session = logged_in(module)?;
    let start = Instant::now();
    syncs::skip(true);
    for number in 0..count {
        objects::create_numbered(&session, number)?;
    }
    syncs::skip(false);
    let time = nanoseconds(start.elapsed()) as f64;
    session.logout()?;
    module.finalize()?;
    Ok(time)
}

fn cold(module: &Module) -> Outcome<(Vec<f64>, Session<'_>)> {
    let start = Instant::now();
    module.initialize()?;
    let initialized = start.elapsed();
    let session = module.open(slot(module)?)?;
    let opened = start.elapsed();
    session.login(CKU_USER, USER_PIN)?;
    let ready = start.elapsed();
    let times = [initialized, opened - initialized, ready - opened];
    Ok((times.map(|time| nanoseconds(time) as f64).to_vec(), session))
}

/// Nanoseconds for one.
fn search(session: Session<'_>, what: &str, count: u64, budget: Duration) -> Outcome<f64> {
    let mut state = 1_u64;
    let mut next = || {
        // Knuth's multiplier; the upper half of the product is what varies well.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % count
    };
    let found = |mut wanted: Attributes, hits: usize| match session.find(&mut wanted)?.len() {
        found if found == hits => Ok(()),
        found => refuse(format!("{found} objects found in place of {hits}")),
    };
    let rate = match what {
        "id" => measure(budget, &mut || found(objects::numbered(next()), 1)),
        "label" => measure(budget, &mut || {
            let label = format!("numbered-{}", next());
            let wanted = Attributes::new().number(CKA_CLASS, CKO_SECRET_KEY);
            found(wanted.bytes(CKA_LABEL, label.as_bytes()), 1)
        }),
        "nothing" => measure(budget, &mut || found(objects::numbered(count + next()), 0)),
        "login" => measure(budget, &mut || {
            session.logout()?;
            session.login(CKU_USER, USER_PIN)
        }),
        _ => refuse(format!("what is '{what}'?")),
    }?;
    Ok(1e9 / rate.per_second())
}

fn use_ten(session: Session<'_>, count: u64) -> Outcome<Vec<f64>> {
    let (mut mechanism, mut room) = (Mechanism::cbc(), [0; 80]);
    for place in 0..10 {
        let found = session.find(&mut objects::numbered(place * (count - 1) / 9))?;
        let [key] = found.as_slice() else { return refuse("one object was to be found") };
        session.encrypt(&mut mechanism, *key, &[0x5a; 64], &mut room)?;
    }
    Ok(vec![1.0])
}
