//! `audit` on a token that is as it should be: verify, show, follow, export, prove, checkpoint and
//! key; and `token accept-state`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::person::{Answer, Person};

pub(crate) fn with_key() -> Person {
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "ed25519", "--label", "k"]).expect_code(0);
    person
}

pub(crate) fn vkey(person: &Person) -> String {
    person.run(&["audit", "key"]).expect_code(0).out.trim().to_owned()
}

/// Lines of an answer; none of them may hold what a terminal acts on.
pub(crate) fn lines(answer: &Answer) -> Vec<&str> {
    let acts = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!answer.out.contains(acts) && !answer.err.contains(acts), "{answer:?}");
    answer.out.lines().collect()
}

#[test]
fn a_key_that_the_configuration_pins_must_have_signed() {
    let person = Person::with_token();
    let key = vkey(&person);
    let pin = |key: &str| {
        person.configure(&format!(
            "[pin]\nargon2_memory_kib = 64\nargon2_passes = 1\n[audit]\nkey = [{key:?}]\n"
        ));
    };
    pin(&key);
    person.run(&["audit", "verify"]).expect_code(0).says("verified");
    let other = vkey(&Person::with_token());
    // Another log's key says nothing about this one.
    pin(&other);
    person.run(&["audit", "verify"]).expect_code(3);
}

#[test]
fn verify_wants_the_key_that_was_kept_elsewhere() {
    let person = with_key();
    let key = vkey(&person);
    person.run(&["audit", "verify", "--key", &key]).expect_code(0).says("verified");
    let unpinned = person.run(&["audit", "verify"]).expect_code(3);
    unpinned.says("self-consistent, key not pinned").says("--key");
    for token in ["web", key.split('/').nth(1).unwrap()] {
        person.run(&["audit", "verify", "--token", token, "--key", &key]).expect_code(0);
    }
    person.run(&["audit", "verify", "--token", "mail", "--key", &key]).expect_code(7);
    person.run(&["audit", "verify", "--slot", "9"]).expect_code(7);
    for bad in ["", "x", "a+b+c", &key[..key.len() - 2], &key.replace("+A", "+B")] {
        person.run(&["audit", "verify", "--key", bad]).expect_code(2);
    }
    let report = person.json(&["audit", "verify", "--key", &key]);
    assert_eq!((&report["ok"], &report["pinned"]), (&true.into(), &true.into()));
    assert_eq!((&report["token"], &report["removed"]), (&"fits".into(), &0.into()));
    assert!(report["size"].as_u64().unwrap() > 4 && report["changes"].as_u64().unwrap() > 2);
    assert_eq!(report["log"], key.split('+').next().unwrap());
    assert_eq!(report["root"].as_str().unwrap().len(), 64);
    assert!(report["fault"].is_null());
}

#[test]
fn the_key_of_another_token_is_refused() {
    let person = with_key();
    let key = vkey(&person);
    person.make_token("mail");
    let other = ["audit", "verify", "--token", "mail", "--key", &key];
    person.run(&other).expect_code(1).says("no signature by a known key");
    person.run(&["audit", "verify"]).expect_code(2).says("several tokens");
    let report = person.run(&[&other[..], &["--json"]].concat()).expect_code(1);
    assert!(report.err.is_empty(), "{report:?}");
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!((&report["ok"], &report["pinned"]), (&false.into(), &false.into()));
    assert!(report["fault"].is_string(), "{report}");
}

#[test]
fn show_tells_changes_and_json_is_what_is_stored() {
    let person = with_key();
    let shown = person.run(&["audit", "show"]).expect_code(0);
    assert!(lines(&shown)[0].contains("generation"), "{shown:?}");
    let made = person.run(&["audit", "show", "--call", "GenerateKeyPair"]).expect_code(0);
    assert_eq!(lines(&made).len(), 2, "{made:?}");
    assert!(lines(&made).iter().all(|line| line.contains("CKR_OK") && line.contains("change")));
    let stored = person.run(&["audit", "show", "--all", "--json"]).expect_code(0);
    let exported = person.run(&["audit", "export"]).expect_code(0);
    assert_eq!(stored.out, exported.out);
    assert_eq!(person.json(&["audit", "show", "--call", "InitPIN"])["role"], "so");
    let last: serde_json::Value = serde_json::from_str(stored.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["kind"], "state");
    let nothing = person.run(&["audit", "show", "--failed", "--call", "C_Sign"]).expect_code(0);
    assert_eq!((nothing.out.as_str(), nothing.err.as_str()), ("", ""));
    let id = person.json(&["object", "list"])[0]["unique_id"].as_str().unwrap().to_owned();
    let of_key = person.run(&["audit", "show", "--key", &id]).expect_code(0);
    assert_eq!(lines(&of_key).len(), 1);
    for wrong in [
        &["--key", "k"][..],
        &["--call", "C_Sing"],
        &["--rv", "CKR_FINE"],
        &["--lane", "7"],
        &["--since", "yesterday"],
        &["--until", "2026-13-01"],
        &["--failed", "--rv", "ok"],
    ] {
        person.run(&[&["audit", "show"], wrong].concat()).expect_code(2);
    }
}

#[test]
fn times_bound_what_is_shown() {
    let person = with_key();
    let count = |bounds: &[&str]| {
        let shown = person.run(&[&["audit", "show"], bounds].concat()).expect_code(0);
        lines(&shown).len()
    };
    let all = count(&[]);
    assert!(all >= 4);
    assert_eq!(count(&["--since", "2h"]), all);
    assert_eq!(count(&["--until", "2h"]), 0);
    assert_eq!(count(&["--since", "2020-01-01", "--until", "0s"]), all);
    assert_eq!(count(&["--since", "2990-01-01T00:00:00+01:00"]), 0);
}

#[test]
fn follow_lists_what_is_new_and_goes_on_into_the_next_generation() {
    let person = with_key();
    let follow = |arguments: &[&str]| {
        let arguments = [&["audit", "follow"], arguments].concat();
        let mut command = person.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut new = follow(&["--timeout", "5s"]);
    let mut since = follow(&["--timeout", "5s", "--since", "1h", "--json"]);
    // Long enough to have read what is there.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(new.try_wait().unwrap().is_none() && since.try_wait().unwrap().is_none());
    person.run_as_user(&["key", "generate", "aes:128", "--label", "a"]).expect_code(0);
    person.run(&["token", "accept-state", "--so-pin-file", "so.pin"]).expect_code(0);
    let (new, since) = (new.wait_with_output().unwrap(), since.wait_with_output().unwrap());
    assert!(new.status.success() && since.status.success(), "{new:?} {since:?}");
    let said = String::from_utf8(new.stdout).unwrap();
    assert!(!said.contains("C_InitPIN") && !said.contains("C_GenerateKeyPair"), "{said}");
    assert!(said.contains("C_GenerateKey ") && said.contains("number=2"), "{said}");
    assert!(String::from_utf8(new.stderr).unwrap().contains("generation 2 of the log begins"));
    let said = String::from_utf8(since.stdout).unwrap();
    for call in ["C_InitPIN", "C_GenerateKeyPair", "C_GenerateKey"] {
        assert!(said.contains(&format!("\"call\":\"{call}\"")), "{call} in {said}");
    }
    let earlier = ["audit", "follow", "--generation", "1", "--timeout", "1s"];
    person.run(&earlier).expect_code(2).says("does not grow");
    let begun = Instant::now();
    person.run(&["audit", "follow", "--timeout", "0s"]).expect_code(0);
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn export_has_a_range_and_three_forms() {
    let person = with_key();
    let export =
        |arguments: &[&str]| person.run(&[&["audit", "export"], arguments].concat()).expect_code(0);
    let all = export(&[]).out;
    let part = export(&["--from", "2", "--to", "3"]).out;
    assert_eq!(part, all.lines().skip(2).take(2).fold(String::new(), |text, it| text + it + "\n"));
    let csv = export(&["--format", "csv", "--call", "C_InitPIN"]).out;
    let rows: Vec<&str> = csv.split("\r\n").collect();
    assert!(rows.len() == 3 && rows[0].starts_with("index,kind,time") && rows[2].is_empty());
    assert_eq!(rows[0].matches(',').count(), rows[1].matches(',').count());
    let syslog = export(&["--format", "syslog"]).out;
    assert_eq!(syslog.lines().count(), all.lines().count());
    assert!(syslog.lines().all(|line| line.starts_with("<110>1 ")), "{syslog}");
    assert_eq!(export(&["--from", "999999"]).out, "");
    person.run(&["audit", "export", "--format", "xml"]).expect_code(2);
    person.run(&["audit", "export", "--from", "-1"]).expect_code(2);
}

#[test]
fn a_proof_stands_on_its_own() {
    let person = with_key();
    let key = vkey(&person);
    let proof = person.run(&["audit", "prove", "2"]).expect_code(0).out;
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{proof}");
    let checkpoint = person.run(&["audit", "checkpoint"]).expect_code(0).out;
    assert!(proof.ends_with(&format!("\n\n{checkpoint}")), "{proof}");
    person.write("proof", &proof);
    let check = ["audit", "prove", "--check", "proof"];
    let pinned = [&check[..], &["--key", &key]].concat();
    let entry = person.run(&["audit", "export", "--from", "2", "--to", "2"]).out;
    let unpinned = person.run(&check).expect_code(3).says("key not pinned");
    assert_eq!(unpinned.out, entry);
    assert_eq!(person.run(&pinned).expect_code(0).says("is proved").out, entry);
    for (old, new) in
        [("index 2", "index 3"), ("extra eyJ", "extra eyK"), ("\n\n", "\n"), ("@v1", "@v2")]
    {
        person.write("proof", &proof.replacen(old, new, 1));
        person.run(&pinned).expect_code(1);
        person.run(&check).expect_code(1);
    }
    // The key counts, not the token, which is gone by now.
    person.write("proof", &proof);
    person.run(&["token", "delete", "--yes", "--so-pin-file", "so.pin"]).expect_code(0);
    person.run(&pinned).expect_code(0);
    person.make_token("other");
    let other = vkey(&person);
    person.run(&[&check[..], &["--key", &other]].concat()).expect_code(1);
    person.run(&["audit", "prove", "--check", "none"]).expect_code(1).says("none");
    person.run(&["audit", "prove", "4711"]).expect_code(7).says("no entry 4711");
    person.run(&["audit", "prove"]).expect_code(2);
    person.run(&["audit", "prove", "x"]).expect_code(2);
    person.run(&["audit", "prove", "--lane", "7f3a09c100000001"]).expect_code(2);
    let unknown = ["audit", "prove", "--lane", "7f3a09c100000001", "--seq", "1"];
    person.run(&unknown).expect_code(7).says("7f3a09c100000001");
}

#[test]
fn accept_state_begins_a_generation_that_names_the_one_before() {
    let person = with_key();
    let (old, checkpoint) = (vkey(&person), person.run(&["audit", "checkpoint"]).out);
    person.run(&["token", "accept-state"]).expect_code(2).says("--so-pin-file");
    let accept = ["token", "accept-state", "--so-pin-file"];
    person.run(&[&accept[..], &["user.pin"]].concat()).expect_code(4).says("security officer");
    person.run(&[&accept[..], &["so.pin", "--token", "none"]].concat()).expect_code(7);
    assert_eq!(vkey(&person), old);
    let accepted = person.run(&[&accept[..], &["so.pin"]].concat()).expect_code(0);
    let new = vkey(&person);
    assert!(new != old && new.split('+').next().unwrap().ends_with("/2"), "{new}");
    accepted.says("generation 2").says(&new);
    let first = person.run(&["audit", "export", "--to", "0"]).expect_code(0).out;
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["kind"], &first["number"]), (&"generation".into(), &2.into()));
    assert_eq!(first["previous"], checkpoint);
    person.run(&["audit", "verify", "--key", &new]).expect_code(0);
    person.run(&["audit", "verify", "--key", &old]).expect_code(1).says("generation 1");
    let earlier = ["audit", "verify", "--generation", "1", "--key"];
    person.run(&[&earlier[..], &[&old]].concat()).expect_code(0);
    person.run(&[&earlier[..], &[&new]].concat()).expect_code(1);
    person.run(&["audit", "show", "--generation", "1"]).expect_code(0).says("C_GenerateKeyPair");
    person.run(&["audit", "show", "--generation", "3"]).expect_code(7).says("generation 2");
    person.run(&["audit", "show", "--generation", "0"]).expect_code(7);
    person.run_as_user(&["key", "generate", "aes:128", "--label", "a"]).expect_code(0);
    person.run(&["audit", "verify", "--key", &new]).expect_code(0);
    person.run(&["doctor"]).expect_code(0).says("generation 2");
}
