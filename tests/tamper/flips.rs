//! One byte changed, anywhere in a token's directory. The module answers as before, which is right
//! for a byte that nothing is kept in, or it says that something is wrong: by an error, by
//! CKF_ERROR_STATE, or by what it tells of an object in quarantine. It never gives a wrong answer,
//! never leaves out an object without a word, and never crashes or hangs.
//!
//! The places are seeded: `CLAVIGER_TAMPER_SEED=7`. A directory with which something went wrong
//! is kept, and its place told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cryptoki_sys as ck;

use crate::objects::all_but;
use crate::support::Bench;
use crate::support::isolation::{isolated_in_memory, run_with_patience};
use crate::victim::{Answer, Answers, Victim, copy};

/// A token's files as they were before anything was changed.
struct Pristine {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Pristine {
    fn of(victim: &Victim<'_>) -> Self {
        let mut files = BTreeMap::new();
        each_file(&victim.directory, &mut |path| {
            files.insert(path.to_owned(), fs::read(path).expect("a file"));
        });
        Self { files }
    }

    /// Puts everything back, each into the file that is there.
    fn restore(&self, victim: &Victim<'_>) {
        each_file(&victim.directory, &mut |path| {
            if !self.files.contains_key(path) {
                fs::remove_file(path).expect("a file is removed");
            }
        });
        // Where lanes were put aside: that it is there says something.
        for entry in fs::read_dir(victim.file("lanes")).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                fs::remove_dir(entry.path()).expect("an empty directory is removed");
            }
        }
        for (path, bytes) in &self.files {
            fs::write(path, bytes).expect("a file is put back");
        }
    }

    /// All places of the files with this in their names.
    fn places(&self, name: &str) -> Vec<(&Path, usize)> {
        let named = |path: &Path| path.to_string_lossy().ends_with(name);
        let files = self.files.iter().filter(|(path, _)| named(path));
        files.flat_map(|(path, bytes)| (0..bytes.len()).map(|at| (path.as_path(), at))).collect()
    }
}

fn each_file(directory: &Path, body: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { each_file(&entry, body) } else { body(&entry) }
    }
}

/// What came of one change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// All is as before.
    Unchanged,
    /// The token could not be used, and said so.
    Unusable,
    /// CKF_ERROR_STATE.
    ErrorState,
    /// An object is refused or in quarantine, or a change was not made, and that was said.
    Told,
}

/// Judges what was answered by what was told about it.
fn judge(answers: &Answers, told: &str) -> Result<Outcome, String> {
    let right = all_but(&[]);
    if answers.unusable.is_some() {
        return Ok(Outcome::Unusable);
    }
    if !answers.verifies {
        return Err("a signature that is right does not verify".to_owned());
    }
    if answers.error_state {
        return Ok(Outcome::ErrorState);
    }
    if *answers == right {
        return Ok(Outcome::Unchanged);
    }
    let is_told = told.contains(" found ");
    for (label, expected) in &right.objects {
        let answer = answers.of(label);
        if answer != *expected && answer != Answer::Refused && !is_told {
            return Err(format!("{label} is {answer:?}, and nothing is told"));
        }
    }
    match answers.writes {
        ck::CKR_OK | ck::CKR_DEVICE_ERROR => Ok(Outcome::Told),
        other => Err(format!("a change gave {other:#x}")),
    }
}

/// Changes one byte and asks.
fn flip(victim: &Victim<'_>, pristine: &Pristine, at: (&Path, usize), change: u8) -> Outcome {
    pristine.restore(victim);
    let mut bytes = pristine.files[at.0].clone();
    bytes[at.1] ^= change;
    fs::write(at.0, bytes).expect("a byte is changed");
    let _ = victim.take_told();
    let judged = match victim.try_to_ask() {
        Some(answers) => judge(&answers, &victim.take_told()),
        None => Err("a wrong answer, or a crash".to_owned()),
    };
    judged.unwrap_or_else(|why| {
        let name = at.0.strip_prefix(&victim.directory).expect("a file of the token").display();
        pristine.restore(victim);
        let mut bytes = pristine.files[at.0].clone();
        bytes[at.1] ^= change;
        fs::write(at.0, bytes).expect("a byte is changed");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tampered").join(victim.serial());
        copy(&victim.directory, &kept);
        panic!("byte {} of {name} ^ {change:#04x}: {why}; see {}", at.1, kept.display());
    })
}

/// Numbers that look random and are the same every time (splitmix64).
fn scatter(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn seed() -> u64 {
    let given = std::env::var("CLAVIGER_TAMPER_SEED").ok();
    given.map_or(0, |seed| seed.parse().expect("CLAVIGER_TAMPER_SEED is a number"))
}

/// Changes bytes at seeded places of the file with this name.
fn flip_some(victim: &Victim<'_>, name: &str, count: u64) -> BTreeMap<Outcome, u64> {
    flip_some_of(victim, &Pristine::of(victim), name, count)
}

fn flip_some_of(
    victim: &Victim<'_>,
    pristine: &Pristine,
    name: &str,
    count: u64,
) -> BTreeMap<Outcome, u64> {
    assert_eq!(victim.ask(), all_but(&[]), "nothing is changed");
    let places = pristine.places(name);
    let mut seen = BTreeMap::new();
    for number in (seed() << 32..).take(usize::try_from(count).expect("a count")) {
        let place = usize::try_from(scatter(number) % places.len() as u64).expect("a place");
        let change = 1 + (scatter(!number) % 255) as u8;
        *seen.entry(flip(victim, pristine, places[place], change)).or_default() += 1;
    }
    pristine.restore(victim);
    assert_eq!(victim.ask(), all_but(&[]), "all is put back");
    eprintln!("{name}, {} bytes: {seen:?}", places.len());
    seen
}

#[test]
fn a_changed_byte_of_the_database_is_harmless_or_reported() {
    isolated_in_memory(MINUTES, |bench| {
        let victim = Victim::new(bench);
        let seen = flip_some(&victim, "token.db", 1_050);
        assert_eq!(seen.len(), 4, "every outcome was seen: {seen:?}");
    });
}

/// A commit that the write-ahead log has not whole did not happen for SQLite: the last one is
/// then missing, which looks as if somebody had been killed amid it, and is told; with any
/// other the database is older than its log.
#[test]
fn a_changed_byte_of_the_write_ahead_log_is_harmless_or_reported() {
    isolated_in_memory(MINUTES, |bench| {
        let seen = flip_some(&Victim::unfinished(bench), "token.db-wal", 450);
        assert!(!seen.contains_key(&Outcome::Unusable), "{seen:?}");
    });
}

#[test]
fn a_changed_byte_of_the_log_is_reported() {
    isolated_in_memory(MINUTES, |bench| {
        let seen = flip_some(&Victim::new(bench), "entries/000", 340);
        assert_eq!(seen, BTreeMap::from([(Outcome::ErrorState, 340)]), "all of it is signed");
    });
}

/// A killed process's lane. Where a length then reaches beyond the end, it looks as what was cut;
/// all else is told, and nobody is kept from working.
#[test]
fn a_changed_byte_of_a_lane_is_harmless_or_reported() {
    isolated_in_memory(MINUTES, |bench| {
        let seen = flip_some(&Victim::unfinished(bench), ".lane", 100);
        assert!(seen.keys().all(|it| [Outcome::Unchanged, Outcome::ErrorState].contains(it)));
        assert!(seen[&Outcome::ErrorState] > 90, "{seen:?}");
    });
}

/// What these files say is nothing that cannot be lost.
#[test]
fn a_changed_byte_of_the_small_files_is_harmless() {
    isolated_in_memory(MINUTES, |bench| {
        let victim = Victim::unfinished(bench);
        let pristine = Pristine::of(&victim);
        let files = pristine.files.len();
        assert_eq!(files, 7, "database, its two files, lock, generation, log, lane: and no other");
        for (name, count) in [("generation", 24), ("token.db-shm", 36)] {
            let seen = flip_some_of(&victim, &pristine, name, count);
            assert_eq!(seen, BTreeMap::from([(Outcome::Unchanged, count)]), "{name}");
        }
    });
}

/// How many processes share the work.
const WORKERS: usize = 2;
const MINUTES: Duration = Duration::from_secs(300);
const HOURS: Duration = Duration::from_secs(6 * 3600);

#[test]
#[ignore = "takes half an hour or more: make tamper"]
fn every_changed_byte_is_harmless_or_reported() {
    isolated_in_memory(HOURS, |bench| {
        if let Some(role) = bench.role() {
            let worker = role.parse().expect("a number");
            return every_byte(bench, worker);
        }
        let work = |worker: usize| {
            let mut command = bench.player(&worker.to_string());
            let place = bench.dir().join(format!("worker-{worker}"));
            fs::create_dir(&place).expect("a directory");
            command.env("CLAVIGER_DIR", place.join("data")).env("CLAVIGER_TEST_DIRECTORY", &place);
            let (status, output) = run_with_patience(&mut command, HOURS);
            assert!(status.success(), "worker {worker}: {output}");
        };
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                scope.spawn(move || work(worker));
            }
        });
    });
}

/// Each byte of which the number is this worker's, changed in one seeded way.
fn every_byte(bench: &Bench, worker: usize) {
    bench.configure("");
    let victim = Victim::unfinished(bench);
    let pristine = Pristine::of(&victim);
    let mut seen: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (number, place) in pristine.places("").into_iter().enumerate() {
        if number % WORKERS == worker {
            let change = 1 + (scatter(seed() << 32 | number as u64) % 255) as u8;
            *seen.entry(flip(&victim, &pristine, place, change)).or_default() += 1;
        }
    }
    eprintln!("{seen:?}");
    assert_eq!(seen.len(), 4, "every outcome was seen: {seen:?}");
}
