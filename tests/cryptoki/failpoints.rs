//! Hosts that end at named places inside a commit, as by kill -9 at that very instruction. Needs
//! a module that was built with the feature `failpoints`.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::process::Stdio;
use std::time::Duration;

use cryptoki_sys as ck;

use crate::killed::{make_data, make_for_ever, make_pair};
use crate::rotation::{ROTATE, told, tool};
use crate::support::crowd::{said, say};
use crate::support::operations::plain;
use crate::support::{Bench, Session, USER_PIN, isolated, template};

/// The places inside and around a commit.
const PLACES: [&str; 4] =
    ["store.before-commit", "store.marked", "store.committed", "store.after-commit"];
/// The places inside what records, seals and opens a lane, and writes the log.
const PLACES_OF_THE_LOG: [&str; 11] = [
    "store.before-commit",
    "store.marked",
    "store.committed",
    "store.after-commit",
    "log.entries-written",
    "log.synced",
    "lanes.created",
    "lanes.written",
    "lanes.sealed",
    "lanes.recovered",
    "lanes.early-sealed",
];
/// Ends per place of these.
const TURNS: usize = 8;
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

/// In the process to be ended: logs in and out, signs, has a wrong PIN, and says each signature.
fn use_for_ever(bench: &Bench) {
    let module = bench.initialised();
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    loop {
        assert!(session.login(ck::CKU_USER, "wrong pin").is_err());
        session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
        let wanted = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY };
        let key = session.find(&wanted).expect("a search")[0];
        for _ in 0..5 {
            session.sign(&plain(ck::CKM_ECDSA_SHA256), key, b"data").expect("a signature");
            say("signed");
            std::thread::sleep(Duration::from_millis(3));
        }
        make_data(&session, "data").expect("C_CreateObject");
        session.logout().expect("C_Logout");
    }
}

#[test]
fn an_end_while_a_use_is_recorded_or_sealed_loses_no_record() {
    isolated(|bench| {
        bench.configure("audit.seal_ms = 5");
        if bench.role().is_some() {
            return use_for_ever(bench);
        }
        let token = bench.token();
        make_pair(&token.user(), "key").expect("a key");
        token.module.finalize().unwrap();
        let mut signed = 0;
        for place in PLACES_OF_THE_LOG {
            for turn in 1..=TURNS {
                // One that is recovered has to have ended before.
                end_at(bench, "before", "lanes.written", 3).iter().for_each(|_| signed += 1);
                let turn = if place == "lanes.recovered" { 1 } else { turn };
                signed += end_at(bench, &format!("{place} {turn}"), place, turn).len();
            }
            token.module.initialize().unwrap();
            token.user().logout().unwrap();
            assert!(!token.has(ck::CKF_ERROR_STATE), "{place}");
            token.module.finalize().unwrap();
            let log = bench.log();
            let found = log.count("C_Sign");
            assert!(found >= signed, "{place}: {found} on record, {signed} acknowledged");
            assert_eq!(log.of_kind("lane-distrusted").count(), 0, "{place}");
        }
        assert!(signed > TURNS);
    });
}

/// The places on the way of a rotation, which is one commit and what comes after it.
const PLACES_OF_A_ROTATION: [&str; 7] = [
    "store.before-commit",
    "log.entries-written",
    "log.synced",
    "store.marked",
    "store.committed",
    "store.after-commit",
    "store.before-forget",
];

/// All private keys sign.
fn keys_sign(session: &Session<'_>, count: usize) {
    let how = plain(ck::CKM_ECDSA);
    let keys = session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).expect("a search");
    assert_eq!(keys.len(), count);
    for key in keys {
        session.sign(&how, key, &[1; 32]).expect("a signature");
    }
}

#[test]
fn an_end_inside_a_rotation_loses_no_key() {
    const KEYS: usize = 20;
    isolated(|bench| {
        let token = bench.token();
        {
            let session = token.user();
            for at in 0..KEYS {
                make_pair(&session, &at.to_string()).unwrap();
                make_data(&session, &at.to_string()).unwrap();
            }
        }
        for place in PLACES_OF_A_ROTATION {
            // In a process that has nothing open, all of it opens.
            token.module.finalize().unwrap();
            token.module.initialize().unwrap();
            let session = token.user();
            // Counting a try and giving it back are commits before that of the rotation.
            for turn in 1..=3 {
                let mut rotating = tool(bench, &ROTATE);
                rotating.env("CLAVIGER_FAILPOINT", format!("{place}:{turn}"));
                let code = rotating.output().expect("a process to end").status.code();
                let is_over = code == Some(0) && turn > 1;
                assert!(code == Some(137) || is_over, "{place}:{turn}: {code:?}");
                told(bench, &["audit", "verify"], 3);
                keys_sign(&session, KEYS);
                make_data(&session, &format!("{place} {turn}")).unwrap();
            }
            for object in session.find(&template! { CKA_CLASS => ck::CKO_DATA }).unwrap() {
                let label = session.get(object, ck::CKA_LABEL).unwrap();
                session.has(object, ck::CKA_VALUE, &label);
            }
            told(bench, &ROTATE, 0);
            keys_sign(&session, KEYS);
        }
    });
}

/// The keys of a label and of the version before, by class; all of one version have the number of
/// it, and only the newest signs.
fn versions(session: &Session<'_>, label: &str) -> Vec<(ck::CK_OBJECT_CLASS, u64)> {
    const CKA_CLAVIGER_KEY_VERSION: ck::CK_ULONG = 0xC34C_0012;
    let mut found = Vec::new();
    for version in 1.. {
        let old = format!("{label}#v{version}");
        let is_newest = session.count(&template! { CKA_LABEL => old.as_str() }) == 0;
        let name = if is_newest { label } else { &old };
        let objects = session.find(&template! { CKA_LABEL => name }).expect("a search");
        for object in objects {
            let class = session.number(object, ck::CKA_CLASS);
            if version > 1 || !is_newest {
                session.has(object, CKA_CLAVIGER_KEY_VERSION, version);
            }
            if class == ck::CKO_PRIVATE_KEY {
                session.has(object, ck::CKA_SIGN, is_newest);
            }
            found.push((class, version));
        }
        if is_newest {
            break;
        }
    }
    found.sort_unstable();
    found
}

/// `claviger key rotate` is one commit: whoever ends it gets the key before or the key after, and
/// by the name of the operation it is done once, however often it is asked for.
#[test]
fn an_end_inside_the_rotation_of_a_key_leaves_one_version_or_the_next() {
    isolated(|bench| {
        let token = bench.token();
        for (at, place) in PLACES_OF_A_ROTATION.iter().enumerate() {
            // Records of a key that is used are sealed by whoever logs in next.
            for (nth, kind) in ["ec:p256", "ml-dsa:44"].iter().enumerate() {
                let label = format!("key {at} {nth}");
                let made = ["key", "generate", kind, "--label", &label, "--pin-env", "THE_PIN"];
                told(bench, &made, 0);
                let operation = format!("operation {at} {nth}");
                let rotate =
                    ["key", "rotate", &label, "--operation", &operation, "--pin-env", "THE_PIN"];
                let (one, two) = (2, 4);
                let mut ended = 0;
                // Counting a try, giving it back, and the rotation itself are commits.
                for turn in 1..=4 {
                    let mut rotating = tool(bench, &rotate);
                    rotating.env("CLAVIGER_FAILPOINT", format!("{place}:{turn}"));
                    let code = rotating.output().expect("a process to end").status.code();
                    assert!(code == Some(137) || code == Some(0), "{place}:{turn}: {code:?}");
                    ended += usize::from(code == Some(137));
                    let session = token.user();
                    let found = versions(&session, &label);
                    assert!([one, two].contains(&found.len()), "{place}:{turn}: {found:?}");
                    session.logout().unwrap();
                }
                assert!(ended > 0 || *place == "store.before-forget", "{place} was not reached");
                told(bench, &rotate, 0);
                let session = token.user();
                let found = versions(&session, &label);
                let halves = [ck::CKO_PUBLIC_KEY, ck::CKO_PRIVATE_KEY];
                let all = halves.iter().flat_map(|class| [(*class, 1), (*class, 2)]);
                assert_eq!(found, all.collect::<Vec<_>>(), "{place}");
                session.logout().unwrap();
                told(bench, &["audit", "verify"], 3);
            }
        }
    });
}

const CKA_CLAVIGER_BUNDLE: ck::CK_ULONG = 0xC34C_0001;
const CKM_CLAVIGER_BUNDLE: ck::CK_ULONG = 0xC34C_0002;

/// Whether there is a bundle of this label. One that is there signs as one.
fn has_bundle(session: &Session<'_>, label: &str) -> bool {
    let partner = format!("{label}#pq");
    let pairs = [label, &partner].map(|label| {
        let mut found = session.find(&template! { CKA_LABEL => label }).expect("a search");
        found.sort_by_key(|object| session.number(*object, ck::CKA_CLASS));
        found
    });
    let [one, other] = &pairs;
    if one.is_empty() && other.is_empty() {
        return false;
    }
    assert_eq!((one.len(), other.len()), (2, 2), "{label}: not two pairs");
    for (one, other) in one.iter().zip(other) {
        for (key, partner) in [(*one, *other), (*other, *one)] {
            let named = session.get(key, CKA_CLAVIGER_BUNDLE).expect("CKA_CLAVIGER_BUNDLE");
            let partner = session.get(partner, ck::CKA_UNIQUE_ID).expect("CKA_UNIQUE_ID");
            assert!(named.ends_with(&partner), "{label}: not tied");
        }
    }
    let how = plain(CKM_CLAVIGER_BUNDLE);
    let signature = session.sign(&how, one[1], b"data").expect("a signature");
    session.verify(&how, other[0], b"data", &signature).expect("the right one");
    true
}

/// The four keys of a bundle are one commit.
#[test]
fn an_end_while_a_bundle_is_made_leaves_all_of_it_or_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let (mut ended_with_it, mut ended_without) = (0, 0);
        for place in &PLACES_OF_A_ROTATION[..PLACES_OF_A_ROTATION.len() - 1] {
            // The command logs in more than once, and each login has commits of its own.
            for turn in 1.. {
                let label = format!("{place} {turn}");
                let kind = "bundle:ec:p256+ml-dsa:44";
                let generate = ["key", "generate", kind, "--label", &label, "--pin-env", "THE_PIN"];
                let mut making = tool(bench, &generate);
                making.env("CLAVIGER_FAILPOINT", format!("{place}:{turn}"));
                let code = making.output().expect("a process to end").status.code();
                assert!(code == Some(137) || code == Some(0), "{place}:{turn}: {code:?}");
                let session = token.user();
                let is_there = has_bundle(&session, &label);
                assert!(is_there || code == Some(137), "{place}:{turn}: acknowledged");
                session.logout().unwrap();
                if code == Some(0) {
                    assert!(turn > 1, "{place} was not reached");
                    break;
                }
                ended_with_it += usize::from(is_there);
                ended_without += usize::from(!is_there);
            }
            told(bench, &["audit", "verify"], 3);
        }
        assert!(ended_with_it > 0 && ended_without > 0);
    });
}

/// How the index of the write-ahead log says how far that goes: two copies of its header.
const INDEX_HEADERS: usize = 96;

/// A process is killed when SQLite has written its commit and has not said so in its index: the
/// next writer does not see it, and is killed when it has written its entries over those of the
/// first. Then all processes are gone, and SQLite finds the first commit after all.
#[test]
fn a_commit_that_nobody_saw_does_not_come_back_to_another_log() {
    isolated(|bench| {
        let go = bench.dir().join("go");
        if let Some(role) = bench.role() {
            let module = bench.initialised();
            let session = module.read_write(module.slots(true).expect("slots")[0]);
            session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
            if role == "overwrites" {
                say("ready");
                while !go.exists() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                return make_data(&session, "over it").unwrap();
            }
            let index = || std::fs::read(index_of(bench)).unwrap()[..INDEX_HEADERS].to_vec();
            let before = index();
            make_pair(&session, "unseen").unwrap();
            assert_ne!(before, index());
            let file = std::fs::File::options().write(true).open(index_of(bench)).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &before, 0).unwrap();
            // SAFETY: ends the process as kill -9 would.
            unsafe { libc::_exit(0) };
        }
        let token = bench.token();
        token.module.finalize().unwrap();
        let mut overwriter = bench.player("overwrites");
        // The first time entries are written is at its login.
        overwriter.env("CLAVIGER_FAILPOINT", "log.entries-written:2");
        let overwriter = overwriter.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut overwriter = overwriter.spawn().expect("a process to end");
        let output = std::io::BufReader::new(overwriter.stdout.take().unwrap());
        let mut lines = output.lines();
        assert!(lines.by_ref().any(|line| line.unwrap() == "said: ready"));
        let mut unseen = bench.player("unseen");
        assert!(unseen.output().expect("a process").status.success());
        std::fs::write(&go, "").unwrap();
        assert_eq!(overwriter.wait().unwrap().code(), Some(137));
        token.module.initialize().unwrap();
        let session = token.user();
        assert!(!token.has(ck::CKF_ERROR_STATE));
        make_pair(&session, "after").unwrap();
        session.logout().unwrap();
        bench.log();
    });
}

fn index_of(bench: &Bench) -> std::path::PathBuf {
    let tokens = bench.token_dir().join("tokens");
    let token = std::fs::read_dir(tokens).unwrap().next().unwrap().unwrap().path();
    token.join("token.db-shm")
}
