//! `key algorithms`, `key export-public` and `key rotate`: every kind of key is made, its public key
//! is read by openssl, and its next version takes the label.

use std::process::Command;
use std::sync::Barrier;

use serde_json::Value;

use super::person::{Answer, Person};

fn objects(person: &Person, label: &str) -> Vec<Value> {
    let listed = person.run_as_user(&["object", "list", "--label", label, "--json"]);
    let listed: Value = serde_json::from_str(&listed.expect_code(0).out).unwrap();
    listed.as_array().unwrap().clone()
}

fn rotate(person: &Person, label: &str, rest: &[&str]) -> Value {
    let asked = [&["key", "rotate", label, "--json"], rest].concat();
    serde_json::from_str(&person.run_as_user(&asked).expect_code(0).out).unwrap()
}

fn can(object: &Value, what: &str) -> bool {
    object["usage"].as_array().unwrap().contains(&what.into())
}

#[test]
fn every_kind_of_key_is_made_and_its_public_key_can_be_read() {
    let person = Person::with_token();
    let kinds = person.run(&["key", "algorithms"]).expect_code(0).out;
    assert!(kinds.lines().count() >= 17, "{kinds}");
    // What takes long is left out.
    let is_quick =
        |kind: &&str| !kind.contains("4096") && !kind.contains("8192") && !kind.ends_with('s');
    for kind in kinds.lines().filter(is_quick) {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
        let made = objects(&person, kind);
        let export = ["key", "export-public", "--label", kind];
        if made.len() == 1 {
            person.run_as_user(&export).expect_code(7);
            continue;
        }
        let pem = person.run_as_user(&export).expect_code(0).out;
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nM"), "{kind}: {pem}");
        // Debian's openssl does not know the newer ones.
        if ["ml-", "slh-", "comp-"].iter().any(|newer| kind.starts_with(newer)) {
            continue;
        }
        person.write("public.pem", &pem);
        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-pubin", "-noout", "-in", "public.pem"]);
        person.settle(&mut openssl);
        assert_eq!(Answer::of(openssl).expect_code(0).err, "", "{kind}");
    }
    person.run(&["key", "export-public", "--label", "none"]).expect_code(7);
    person.run(&["key", "export-public"]).expect_code(2);
}

#[test]
fn the_next_version_takes_the_label_and_the_one_before_makes_nothing_new() {
    let person = Person::with_token();
    for (kind, made) in [("ec:p256", "sign"), ("rsa:2048", "sign"), ("aes:256", "encrypt")] {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
        let before = objects(&person, kind);
        let rotated = rotate(&person, kind, &["--operation", "first"]);
        assert_eq!((&rotated["version"], &rotated["was_done"]), (&2.into(), &false.into()));
        let after = objects(&person, kind);
        assert_eq!(after.len(), before.len());
        let old = objects(&person, &format!("{kind}#v1"));
        assert_eq!(old.len(), before.len());
        for (old, before) in old.iter().zip(&before) {
            assert_eq!(old["unique_id"], before["unique_id"]);
            assert!(!can(old, "sign") && !can(old, "encrypt") && !can(old, "wrap"), "{old}");
            for kept in ["verify", "decrypt", "derive"] {
                assert_eq!(can(old, kept), can(before, kept), "{kept}");
            }
        }
        let working = after.iter().any(|object| can(object, made));
        assert!(working, "{after:?}");
        for (after, before) in after.iter().zip(&before) {
            for same in ["class", "key_type", "bits", "usage", "private", "sensitive"] {
                assert_eq!(after[same], before[same], "{same}");
            }
            assert_ne!(after["unique_id"], before["unique_id"]);
            assert!(after["id"] != before["id"] || before["id"] == "");
        }
        // The same operation finds it done; another makes the next.
        let again = rotate(&person, kind, &["--operation", "first"]);
        assert_eq!((&again["version"], &again["was_done"]), (&2.into(), &true.into()));
        assert_eq!(objects(&person, kind).len(), before.len());
        assert_eq!(rotate(&person, kind, &[])["version"], 3);
        let again = rotate(&person, kind, &["--operation", "first"]);
        assert_eq!((&again["version"], &again["was_done"]), (&2.into(), &true.into()));
        assert_eq!(objects(&person, &format!("{kind}#v2")).len(), before.len());
    }
}

#[test]
fn a_number_is_not_given_again_and_another_kind_can_be_asked_for() {
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "k"]).expect_code(0);
    assert_eq!(rotate(&person, "k", &["--algorithm", "ec:p384"])["version"], 2);
    assert_eq!(objects(&person, "k")[0]["bits"], 384);
    // Version 2 goes, and a key without a number takes the label: it can only be the third.
    person.run_as_user(&["object", "delete", "--label", "k", "--yes"]).expect_code(0);
    person.run_as_user(&["key", "generate", "ed25519", "--label", "k"]).expect_code(0);
    assert_eq!(rotate(&person, "k", &[])["version"], 4);
    assert_eq!(objects(&person, "k#v3")[0]["key_type"], "ed25519");
    person.run_as_user(&["key", "rotate", "none"]).expect_code(7);
    person.run_as_user(&["key", "rotate", "k", "--operation", ""]).expect_code(1);
    person.run_as_user(&["key", "generate", "aes:128", "--label", "k"]).expect_code(0);
    person.run_as_user(&["key", "rotate", "k"]).expect_code(1).says("several keys");
}

#[test]
fn processes_that_do_the_same_operation_at_once_do_it_once() {
    const PROCESSES: usize = 8;
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "k"]).expect_code(0);
    let start = Barrier::new(PROCESSES);
    let told: Vec<Value> = std::thread::scope(|scope| {
        let one = || {
            start.wait();
            rotate(&person, "k", &["--operation", "at once"])
        };
        let all: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(told.iter().filter(|it| it["was_done"] == false).count(), 1);
    assert!(told.iter().all(|it| it["version"] == 2 && it["objects"] == told[0]["objects"]));
    assert_eq!(objects(&person, "k").len(), 2);
    assert_eq!(objects(&person, "k#v1").len(), 2);
    assert_eq!(objects(&person, "k#v2").len(), 0);
    person.run(&["audit", "show"]).expect_code(0).says("claviger key rotate");
    person.run(&["audit", "verify"]).expect_code(3);
}

#[test]
fn a_key_becomes_a_bundle_and_a_bundle_goes_on_as_one() {
    let person = Person::with_token();
    person.write("message", "m");
    person.run_as_user(&["key", "generate", "ed25519", "--label", "k"]).expect_code(0);
    let sign = ["sign", "--key", "k", "message", "-o"];
    let verify = |label: &str, signature: &str| {
        person.run_as_user(&["verify", "--key", label, "message", "-s", signature]).code
    };
    person.run_as_user(&[&sign[..], &["s1"]].concat()).expect_code(0);
    let stronger = ["--algorithm", "bundle:ed25519+ml-dsa:65", "--operation", "stronger"];
    let rotated = rotate(&person, "k", &stronger);
    assert_eq!(rotated["version"], 2);
    assert_eq!(rotated["objects"].as_array().unwrap().len(), 4);
    let again = rotate(&person, "k", &stronger);
    assert_eq!((&again["was_done"], &again["objects"]), (&true.into(), &rotated["objects"]));
    person.run_as_user(&[&sign[..], &["s2"]].concat()).expect_code(0);

    // The same kind again: both keys of the bundle are new, and tied.
    assert_eq!(rotate(&person, "k", &[])["version"], 3);
    for (label, count) in [("k", 2), ("k#pq", 2), ("k#v1", 2), ("k#v2", 2), ("k#pq#v2", 2)] {
        assert_eq!(objects(&person, label).len(), count, "{label}");
    }
    for (one, other) in [("k", "k#pq"), ("k#v2", "k#pq#v2")] {
        for (one, other) in objects(&person, one).iter().zip(&objects(&person, other)) {
            assert_eq!(one["bundled_with"], other["unique_id"]);
            assert_eq!(other["bundled_with"], one["unique_id"]);
            assert_eq!(other["algorithm"], "ml-dsa:65");
        }
    }
    person.run_as_user(&[&sign[..], &["s3"]].concat()).expect_code(0);
    assert_eq!(verify("k#v1", "s1"), 0);
    assert_eq!(verify("k#v2", "s2"), 0);
    assert_eq!(verify("k", "s3"), 0);
    assert_eq!(verify("k", "s2"), 8);
    person.run_as_user(&["sign", "--key", "k#v2", "message", "-o", "s"]).expect_code(1);

    // To a composite: one key again, and both of the bundle have ended.
    let composite = "comp-sig:mldsa65-ed25519-sha512";
    assert_eq!(rotate(&person, "k", &["--algorithm", composite])["version"], 4);
    assert_eq!(objects(&person, "k")[0]["algorithm"], composite);
    assert_eq!(objects(&person, "k#pq").len(), 0);
    assert_eq!(objects(&person, "k#pq#v3").len(), 2);
    person.run_as_user(&[&sign[..], &["s4"]].concat()).expect_code(0);
    assert_eq!(verify("k", "s4"), 0);
    person.run(&["audit", "verify"]).expect_code(3);

    // A bundle of which a half is gone is not gone on with.
    let bundle = ["key", "generate", "bundle:ec:p256+ml-dsa:44", "--label", "b"];
    person.run_as_user(&bundle).expect_code(0);
    person.run_as_user(&["key", "delete", "--key", "b#pq", "--yes"]).expect_code(0);
    person.run_as_user(&["key", "rotate", "b"]).expect_code(1).says("BUNDLE_INCOMPLETE");
    assert_eq!(rotate(&person, "b", &["--algorithm", "ec:p256"])["version"], 2);
}
