//! Hosts that are killed at any moment. What was acknowledged is there, whole; what was not is
//! there whole or not at all. The killed process says each acknowledgement through a pipe.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use cryptoki_sys as ck;

use crate::support::crowd::{said, say};
use crate::support::known::P256;
use crate::support::operations::plain;
use crate::support::{Bench, Module, Rv, Session, USER_PIN, isolated, template};

/// Processes that are killed, per test.
const ROUNDS: usize = 200;

/// A session of the user, in a process that has just begun.
fn log_in(module: &Module) -> Session<'_> {
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    session
}

pub fn make_data(session: &Session<'_>, label: &str) -> Result<(), Rv> {
    let data = template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => label,
        CKA_VALUE => label,
    };
    session.create(&data).map(drop)
}

pub fn make_pair(session: &Session<'_>, label: &str) -> Result<(), Rv> {
    let public = template! { CKA_EC_PARAMS => P256, CKA_TOKEN => true, CKA_LABEL => label };
    let private = template! { CKA_TOKEN => true, CKA_LABEL => label };
    let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).map(drop)
}

pub type Make = fn(&Session<'_>, &str) -> Result<(), Rv>;

/// In the process to be killed: makes things until then, and says what was acknowledged.
pub fn make_for_ever(bench: &Bench, role: &str, make: Make) {
    let module = bench.initialised();
    let session = log_in(&module);
    for at in 0.. {
        let label = format!("{role} {at}");
        make(&session, &label).expect("nothing is wrong but the end");
        say(&label);
    }
}

/// Lets a process make things for a while and kills it. Gives what it had acknowledged.
fn kill_one(bench: &Bench, role: &str, after: Duration) -> Vec<String> {
    let mut command = bench.player(role);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a process to kill");
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    let mut text = String::new();
    while !text.contains("said: ") {
        let read = output.read_line(&mut text).expect("a line");
        assert!(read > 0, "{role} ended by itself: {text}");
    }
    std::thread::sleep(after);
    child.kill().expect("it is still running");
    child.wait().expect("its end");
    let mut line = String::new();
    while output.read_line(&mut line).expect("a line") > 0 {
        text.push_str(&std::mem::take(&mut line));
    }
    said(&text)
}

/// Kills makers for many rounds and gives all that they had acknowledged.
fn kill_many(bench: &Bench, mut after_each: impl FnMut(&BTreeSet<String>)) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let microseconds = (round * 7919) % 20_000;
        let after = Duration::from_micros(microseconds.try_into().expect("a short while"));
        acknowledged.extend(kill_one(bench, &format!("maker {round}"), after));
        if round % 50 == 0 {
            after_each(&acknowledged);
        }
    }
    acknowledged
}

#[test]
fn two_hundred_kills_lose_and_tear_no_object() {
    isolated(|bench| {
        if let Some(role) = bench.role() {
            return make_for_ever(bench, &role, make_data);
        }
        let token = bench.token();
        let session = token.user();
        let check = |acknowledged: &BTreeSet<String>| {
            let objects = session.find(&template! {}).expect("a search");
            assert!(objects.len() >= acknowledged.len());
            let mut found = BTreeSet::new();
            for object in objects {
                let label = session.get(object, ck::CKA_LABEL).expect("CKA_LABEL");
                session.has(object, ck::CKA_VALUE, &label);
                found.insert(String::from_utf8(label).expect("text"));
            }
            let lost: Vec<_> = acknowledged.difference(&found).collect();
            assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
        };
        let acknowledged = kill_many(bench, check);
        assert!(acknowledged.len() >= ROUNDS);
        check(&acknowledged);
    });
}

#[test]
fn two_hundred_kills_leave_no_half_of_a_pair() {
    isolated(|bench| {
        if let Some(role) = bench.role() {
            return make_for_ever(bench, &role, make_pair);
        }
        let token = bench.token();
        let session = token.user();
        let labels = |class: ck::CK_OBJECT_CLASS| {
            let keys = session.find(&template! { CKA_CLASS => class }).expect("a search");
            let label = |key| {
                String::from_utf8(session.get(key, ck::CKA_LABEL).expect("CKA_LABEL"))
                    .expect("text")
            };
            (keys.len(), keys.into_iter().map(label).collect::<BTreeSet<_>>())
        };
        let check = |acknowledged: &BTreeSet<String>| {
            let (public_count, public) = labels(ck::CKO_PUBLIC_KEY);
            let (private_count, private) = labels(ck::CKO_PRIVATE_KEY);
            assert_eq!(public, private, "half a pair");
            assert_eq!((public_count, private_count), (public.len(), private.len()));
            let lost: Vec<_> = acknowledged.difference(&public).collect();
            assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
        };
        let acknowledged = kill_many(bench, check);
        check(&acknowledged);
        every_pair_works(&session);
    });
}

/// A sample of the private keys makes signatures that their public keys verify.
fn every_pair_works(session: &Session<'_>) {
    let how = plain(ck::CKM_ECDSA);
    let keys = session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).expect("a search");
    for key in keys.into_iter().step_by(5) {
        let id = session.get(key, ck::CKA_ID).expect("CKA_ID");
        let wanted = template! { CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_ID => &id };
        let public = session.find(&wanted).expect("a search");
        let signature = session.sign(&how, key, &[1; 32]).expect("a signature");
        session.verify(&how, public[0], &[1; 32], &signature).expect("the right signature");
    }
}

#[test]
fn a_process_killed_amid_a_login_costs_at_most_its_try() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = module.read_write(module.slots(true).unwrap()[0]);
            loop {
                session.login(ck::CKU_USER, USER_PIN).expect("the right PIN");
                say("in");
                session.logout().expect("C_Logout");
            }
        }
        let token = bench.token();
        for round in 0..30 {
            kill_one(bench, "user", Duration::from_micros(round * 331));
            // A killed attempt stays counted, so each round ends with a right one.
            let session = token.user();
            session.logout().unwrap();
            session.close().unwrap();
        }
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
    });
}
