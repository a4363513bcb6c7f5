//! A process that signs as it is told, with a token that it makes or finds:
//!
//!     batch 25        -> nanoseconds for one signature through the module, and a bare one
//!     latency 1000    -> of single calls, in nanoseconds: p50, p99, p99.9, the longest; how many
//!                        sealed, their p50, the longest of them; how many synced only
//!     sign 4 2000     -> signatures per second of four threads in two seconds
//!     system 1000     -> nanoseconds for pwrite(2) of 290 bytes, pread(2) of 8, a clock read, and
//!                        for that pwrite(2) where bare signatures come between

use super::attributes::Mechanism;
use super::module::{Module, Outcome, Refusal, Session, refuse};
use super::objects::{self, Life};
use super::primitive::edwards::Signing;
use super::scratch::{logged_in, make_token, slot};
use super::stopwatch::{measure, median, nanoseconds};
use super::syncs;
use cryptoki_sys::{CK_OBJECT_HANDLE, CKM_EDDSA};
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const MESSAGE: [u8; 32] = [0x5a; 32];
const KEY: &str = "ed25519";
/// Calls before a batch that are not timed: the pipe has just woken this process.
const WARMING: usize = 10;

pub(crate) fn serve(path: &Path) -> Outcome<()> {
    let module = Module::load(path)?;
    module.initialize()?;
    let is_new = slot(&module).is_err();
    if is_new {
        make_token(&module)?;
    }
    let session = logged_in(&module)?;
    if is_new {
        objects::make_ed25519(&session, KEY, Life::Token)?;
    }
    let key = objects::private(&session, KEY)?;
    let bare = bare_key().map_err(|why| broken(&why))?;
    answer("ready")?;
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let mut words = line.split_whitespace();
        let order = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        let figures = match (order, numbers.as_slice()) {
            ("batch", &[count]) => batch(session, key, &bare, count)?,
            ("latency", &[count]) => latency(session, key, count)?,
            ("sign", &[threads, millis]) => {
                vec![sign(&module, threads, Duration::from_millis(millis))?]
            }
            ("system", &[count]) => system(count).map_err(|why| broken(&why))?,
            _ => return refuse(format!("what is '{line}'?")),
        };
        let words: Vec<String> = figures.iter().map(f64::to_string).collect();
        answer(&words.join(" "))?;
    }
    module.finalize()
}

fn broken(why: &io::Error) -> Refusal {
    Refusal { call: why.to_string(), rv: 0 }
}

fn answer(line: &str) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    written.map_err(|why| broken(&why))
}

fn bare_key() -> io::Result<Signing> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(Signing::from_seed(&seed))
}

/// Nanoseconds per call over `count` of them, after some that do not count.
fn timed(count: u64, mut call: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    for _ in 0..WARMING {
        call()?;
    }
    let start = Instant::now();
    for _ in 0..count {
        call()?;
    }
    Ok(nanoseconds(start.elapsed()) as f64 / count as f64)
}

fn batch(
    session: Session<'_>,
    key: CK_OBJECT_HANDLE,
    bare: &Signing,
    count: u64,
) -> Outcome<Vec<f64>> {
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_EDDSA), [0; 64]);
    let through = timed(count, || {
        session.sign(&mut mechanism, key, black_box(&MESSAGE), &mut room).map(drop)
    })?;
    let alone = timed(count, || bare.sign(black_box(&MESSAGE)))?;
    Ok(vec![through, alone])
}

fn latency(session: Session<'_>, key: CK_OBJECT_HANDLE, count: u64) -> Outcome<Vec<f64>> {
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_EDDSA), [0; 64]);
    let (mut all, mut seals, mut synced) = (vec![], vec![], 0_u32);
    for _ in 0..count {
        let (before, start) = (syncs::count(), Instant::now());
        session.sign(&mut mechanism, key, &MESSAGE, &mut room)?;
        let time = nanoseconds(start.elapsed()) as f64;
        all.push(time);
        // A commit syncs the log's entries and the database; the lane's own sync is one.
        match syncs::count() - before {
            0 => {}
            1 => synced += 1,
            _ => seals.push(time),
        }
    }
    all.sort_by(f64::total_cmp);
    let share = |millionths: usize| {
        let place = all.len().saturating_sub(1) * millionths / 1_000_000;
        all.get(place).copied().unwrap_or(f64::NAN)
    };
    let longest = seals.iter().copied().fold(0.0, f64::max);
    let middle = if seals.is_empty() { 0.0 } else { median(&seals) };
    Ok(vec![
        share(500_000),
        share(990_000),
        share(999_000),
        share(1_000_000),
        seals.len() as f64,
        middle,
        longest,
        f64::from(synced),
    ])
}

fn sign(module: &Module, threads: u64, budget: Duration) -> Outcome<f64> {
    let barrier = Barrier::new(usize::try_from(threads).unwrap_or(1));
    thread::scope(|scope| {
        let all: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| sign_alone(module, &barrier, budget))).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| refuse("a thread panicked")))
            .sum()
    })
}

/// Signatures per second of one thread with a session of its own.
fn sign_alone(module: &Module, barrier: &Barrier, budget: Duration) -> Outcome<f64> {
    let prepared = slot(module).and_then(|slot| module.open(slot));
    let prepared = prepared.and_then(|session| Ok((session, objects::private(&session, KEY)?)));
    // All threads must arrive here, also the ones that failed.
    barrier.wait();
    let (session, key) = prepared?;
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_EDDSA), [0; 64]);
    let rate =
        measure(budget, &mut || session.sign(&mut mechanism, key, &MESSAGE, &mut room).map(drop))?;
    session.close()?;
    Ok(rate.per_second())
}

/// What the kernel takes for what a record cannot do without: medians of batches.
fn system(count: u64) -> io::Result<Vec<f64>> {
    const EACH: u64 = 50;
    let directory = std::env::var_os("CLAVIGER_DIR").unwrap_or_default();
    let path = Path::new(&directory).join("bench-system-calls");
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    let (bytes, mut eight, mut at) = ([7; 290], [0; 8], 0);
    let bare = bare_key()?;
    let (mut writes, mut reads, mut clocks, mut between) = (vec![], vec![], vec![], vec![]);
    for _ in 0..count.div_ceil(EACH) {
        let mut clock = Lap(Instant::now());
        for _ in 0..EACH {
            file.write_all_at(&bytes, at)?;
            at += 290;
        }
        writes.push(clock.lap(EACH));
        for _ in 0..EACH {
            file.read_exact_at(&mut eight, 0)?;
        }
        reads.push(clock.lap(EACH));
        for _ in 0..EACH {
            black_box(SystemTime::now());
        }
        clocks.push(clock.lap(EACH));
        for _ in 0..EACH {
            black_box(bare.sign(black_box(&MESSAGE)).is_ok());
        }
        let alone = clock.lap(EACH);
        for _ in 0..EACH {
            black_box(bare.sign(black_box(&MESSAGE)).is_ok());
            file.write_all_at(&bytes, at)?;
            at += 290;
        }
        between.push(clock.lap(EACH) - alone);
    }
    std::fs::remove_file(path)?;
    Ok(vec![median(&writes), median(&reads), median(&clocks), median(&between)])
}

struct Lap(Instant);

impl Lap {
    /// Nanoseconds for each of `count` since the last time.
    fn lap(&mut self, count: u64) -> f64 {
        let now = Instant::now();
        let time = nanoseconds(now - self.0) as f64 / count as f64;
        self.0 = now;
        time
    }
}
