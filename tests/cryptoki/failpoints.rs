//! Hosts that end at named places inside a commit, as by kill -9 at that very instruction. Needs
//! a module that was built with the feature `failpoints`.

use std::collections::BTreeSet;
use std::process::Stdio;

use cryptoki_sys as ck;

use crate::killed::{make_data, make_for_ever, make_pair};
use crate::support::crowd::said;
use crate::support::{Bench, Session, isolated, template};

/// The places inside and around a commit.
const PLACES: [&str; 4] =
    ["store.before-commit", "store.marked", "store.committed", "store.after-commit"];
/// Rounds per place and kind of object; each ends at a later commit than the one before.
const ROUNDS: usize = 25;

/// Runs a maker until it ends at a place, the nth time. Gives what it had acknowledged.
fn end_at(bench: &Bench, role: &str, place: &str, turn: usize) -> Vec<String> {
    let mut command = bench.player(role);
    command.env("CLAVIGER_FAILPOINT", format!("{place}:{turn}"));
    let ended = command.stdin(Stdio::null()).output().expect("a process to end");
    assert_eq!(ended.status.code(), Some(137), "{place}:{turn}: it did not end there");
    said(&String::from_utf8_lossy(&ended.stdout))
}

fn labels(session: &Session<'_>, class: ck::CK_OBJECT_CLASS) -> Vec<String> {
    let found = session.find(&template! { CKA_CLASS => class }).expect("a search");
    let label = |object| session.get(object, ck::CKA_LABEL).expect("CKA_LABEL");
    found.into_iter().map(|object| String::from_utf8(label(object)).expect("text")).collect()
}

fn all_there(acknowledged: &BTreeSet<String>, found: &[String]) {
    let set: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(set.len(), found.len(), "something is there twice");
    let lost: Vec<_> = acknowledged.difference(&set).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
}

#[test]
fn an_end_inside_a_commit_loses_and_tears_no_object() {
    isolated(|bench| {
        if let Some(role) = bench.role() {
            return make_for_ever(bench, &role, make_data);
        }
        let token = bench.token();
        let mut acknowledged = BTreeSet::new();
        for place in PLACES {
            for turn in 1..=ROUNDS {
                acknowledged.extend(end_at(bench, &format!("{place} {turn}"), place, turn));
            }
            all_there(&acknowledged, &labels(&token.user(), ck::CKO_DATA));
            token.module.finalize().unwrap();
            token.module.initialize().unwrap();
        }
        assert!(acknowledged.len() > ROUNDS);
    });
}

#[test]
fn an_end_inside_a_commit_leaves_no_half_of_a_pair() {
    isolated(|bench| {
        if let Some(role) = bench.role() {
            return make_for_ever(bench, &role, make_pair);
        }
        let token = bench.token();
        let mut acknowledged = BTreeSet::new();
        for place in PLACES {
            for turn in 1..=ROUNDS {
                acknowledged.extend(end_at(bench, &format!("{place} {turn}"), place, turn));
            }
            let session = token.user();
            let public = labels(&session, ck::CKO_PUBLIC_KEY);
            all_there(&acknowledged, &public);
            assert_eq!(public, labels(&session, ck::CKO_PRIVATE_KEY), "half a pair");
            token.module.finalize().unwrap();
            token.module.initialize().unwrap();
        }
    });
}
