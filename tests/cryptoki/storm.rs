//! Sixteen processes that create, find, sign and destroy on one token, each of which is killed at
//! some moment and replaced: no error but those of a key that another has destroyed, nothing
//! acknowledged is lost, every signature is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cryptoki_sys as ck;

use crate::support::crowd::{said, say};
use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Bench, Rv, Session, USER_PIN, isolated, template};

const PROCESSES: usize = 16;
/// How much longer a storm may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a key that somebody else destroys may answer.
const GONE: [ck::CK_RV; 2] = [ck::CKR_KEY_HANDLE_INVALID, ck::CKR_OBJECT_HANDLE_INVALID];

fn find(session: &Session<'_>, class: ck::CK_OBJECT_CLASS) -> Vec<ck::CK_OBJECT_HANDLE> {
    session.find(&template! { CKA_CLASS => class }).expect("a search")
}

fn make(session: &Session<'_>, label: &str) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true, CKA_LABEL => label };
    let private = template! { CKA_TOKEN => true, CKA_LABEL => label };
    session.generate_pair(&how, &public, &private).expect("a pair")
}

/// Signs with a key that may be another's, who may just destroy it.
fn sign(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE, own: bool) {
    match session.sign(&plain(ck::CKM_EDDSA), key, b"data") {
        Ok(_) => say("signed"),
        Err(Rv(rv)) => assert!(!own && GONE.contains(&rv), "C_Sign: {:?}", Rv(rv)),
    }
}

/// What a process does until it is killed.
fn work_for_ever(bench: &Bench, role: &str) {
    let module = bench.initialised();
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    let mut kept = Vec::new();
    for number in 0_usize.. {
        let label = format!("{role}.{number}");
        let (public, private) = make(&session, &label);
        say(&format!("made {label}"));
        kept.push((label, public, private));
        (0..20).for_each(|_| sign(&session, private, true));
        let others = find(&session, ck::CKO_PRIVATE_KEY);
        if let Some(other) = others.get(number * 7 % others.len().max(1)) {
            sign(&session, *other, false);
        }
        if kept.len() > 2 {
            let (label, public, private) = kept.remove(0);
            say(&format!("destroying {label}"));
            session.destroy(private).expect("C_DestroyObject");
            session.destroy(public).expect("C_DestroyObject");
            say(&format!("destroyed {label}"));
        }
    }
}

struct Worker {
    child: Child,
    until: Instant,
}

/// What all processes have acknowledged.
#[derive(Default)]
struct Told {
    made: BTreeSet<String>,
    doomed: BTreeSet<String>,
    destroyed: BTreeSet<String>,
    signed: usize,
    processes: usize,
}

impl Told {
    /// Enough to say something about.
    fn is_enough(&self) -> bool {
        self.made.len() > PROCESSES && self.signed > 500 && self.destroyed.len() > 2
    }

    fn take(&mut self, worker: &mut Worker) {
        let mut text = String::new();
        let output = worker.child.stdout.as_mut().expect("its output");
        output.read_to_string(&mut text).expect("what it said");
        let mut errors = String::new();
        let output = worker.child.stderr.as_mut().expect("its errors");
        output.read_to_string(&mut errors).expect("what went wrong");
        assert!(!errors.contains("panicked"), "{errors}");
        self.processes += 1;
        for line in said(&text) {
            let (word, label) = line.split_once(' ').unwrap_or((&line, ""));
            let label = label.to_owned();
            match word {
                "made" => drop(self.made.insert(label)),
                "destroying" => drop(self.doomed.insert(label)),
                "destroyed" => drop(self.destroyed.insert(label)),
                "signed" => self.signed += 1,
                _ => panic!("{line}"),
            }
        }
    }
}

/// Lets processes come and go for a while.
fn storm(bench: &Bench, time: Duration) -> Told {
    let mut told = Told::default();
    let mut started = 0_u64;
    let mut start = || {
        started += 1;
        let mut command = bench.player(&format!("worker {started}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Some are killed amid their first steps, some after many.
        let life = Duration::from_millis(150 + started * started * 137 % 2_500);
        Worker { child: command.spawn().expect("a worker"), until: Instant::now() + life }
    };
    let end = Instant::now() + time;
    let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| start()).collect();
    // On a machine that has much else to do it takes longer.
    while Instant::now() < end || (!told.is_enough() && Instant::now() < end + PATIENCE) {
        for worker in &mut workers {
            if worker.until < Instant::now() {
                worker.child.kill().expect("a kill");
                worker.child.wait().expect("an end");
                told.take(worker);
                *worker = start();
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    for worker in &mut workers {
        worker.child.kill().expect("a kill");
        worker.child.wait().expect("an end");
        told.take(worker);
    }
    told
}

fn nothing_is_lost(bench: &Bench, time: Duration) {
    if let Some(role) = bench.role() {
        work_for_ever(bench, role.trim_start_matches("worker "));
    }
    let token = bench.token();
    token.module.finalize().unwrap();
    let told = storm(bench, time);
    assert!(told.is_enough(), "too little was done");
    token.module.initialize().unwrap();
    let session = token.user();
    let (code, verdict) = bench.verdict();
    assert_eq!(code, Some(3), "{verdict}");
    assert!(!token.has(ck::CKF_ERROR_STATE));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for class in [ck::CKO_PRIVATE_KEY, ck::CKO_PUBLIC_KEY] {
        for object in find(&session, class) {
            let label = String::from_utf8(session.get(object, ck::CKA_LABEL).unwrap()).unwrap();
            *found.entry(label).or_default() += 1;
        }
    }
    for label in told.made.difference(&told.doomed) {
        assert_eq!(found.get(label), Some(&2), "{label} was acknowledged");
    }
    for label in &told.destroyed {
        assert_eq!(found.get(label), None, "{label} was destroyed");
    }
    for (label, count) in &found {
        assert!(*count == 2 || told.doomed.contains(label), "half of {label} is left");
    }
    for key in find(&session, ck::CKO_PRIVATE_KEY) {
        session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a whole key");
    }
    session.logout().unwrap();
    let log = bench.log();
    assert!(log.count("C_Sign") >= told.signed, "{} signatures acknowledged", told.signed);
    assert_eq!(log.of_kind("lane-distrusted").count(), 0);
    println!(
        "{} processes, {} pairs, {} destroyed, {} signatures, {} leaves",
        told.processes,
        told.made.len(),
        told.destroyed.len(),
        told.signed,
        log.leaves.len()
    );
}

#[test]
fn a_storm_of_processes_that_are_killed_loses_nothing() {
    isolated(|bench| nothing_is_lost(bench, Duration::from_secs(5)));
}

#[test]
#[ignore = "takes a minute"]
fn a_storm_of_a_minute_loses_nothing() {
    isolated(|bench| nothing_is_lost(bench, Duration::from_secs(60)));
}
