//! `claviger audit publish`: what it prints, what it leaves for others to read, and what it says
//! of anchors.

use std::fs;
use std::path::Path;

use super::person::Person;
#[cfg(feature = "witness")]
use super::witness::{Mood, Witness};

const CHEAP: &str = "[pin]\nargon2_memory_kib = 64\nargon2_passes = 1\n[audit]\n";

fn publish(person: &Person, more: &[&str]) -> super::person::Answer {
    person.run_as_user(&[&["audit", "publish"], more].concat())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

#[test]
fn a_published_log_is_a_whole_log_for_who_has_its_files_and_keys() {
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "k"]).expect_code(0);
    let note = publish(&person, &[]).expect_code(0).out;
    let log = person.token_directory().join("log/1");
    assert_eq!(fs::read_to_string(log.join("checkpoint")).unwrap(), note);
    let mut lines = note.lines();
    let origin = lines.next().unwrap();
    let size = lines.next().unwrap();
    assert_eq!(note.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2);
    for tile in ["tile/0/000.p", "tile/entries/000.p"] {
        assert!(log.join(tile).join(size).is_file(), "{tile}/{size}");
    }

    let keys = publish(&person, &["--keys"]).expect_code(0).out;
    let [plain, late] = keys.lines().collect::<Vec<_>>()[..] else { panic!("{keys}") };
    assert!(plain.starts_with(origin) && late.starts_with(origin) && late.len() > 1500);
    assert_eq!(person.run(&["audit", "key"]).expect_code(0).out.trim(), plain);

    // Somebody else has nothing but the directory and the keys.
    let elsewhere = person.path("copy");
    copy(&log, &elsewhere);
    let verify = ["audit", "verify", "--log", elsewhere.to_str().unwrap()];
    person.run(&[&verify[..], &["--key", plain, "--key", late]].concat()).expect_code(0);
    person.run(&[&verify[..], &["--key", late]].concat()).expect_code(0);
    let foreign = fs::read_to_string(elsewhere.join("checkpoint")).unwrap();
    let (text, _) = foreign.split_once("\n\n").unwrap();
    let first = foreign.lines().find(|line| line.starts_with('\u{2014}')).unwrap();
    fs::write(elsewhere.join("checkpoint"), format!("{text}\n\n{first}\n")).unwrap();
    person.run(&[&verify[..], &["--key", late]].concat()).expect_code(1);
}

#[test]
fn what_is_published_again_takes_the_place_of_what_was() {
    let person = Person::with_token();
    let mut sizes = Vec::new();
    for label in ["a", "b", "c"] {
        person.run_as_user(&["key", "generate", "ed25519", "--label", label]).expect_code(0);
        let published = person.json(&["audit", "publish", "--pin-file", "user.pin"]);
        let note = published["checkpoint"].as_str().unwrap();
        sizes.push(note.lines().nth(1).unwrap().to_owned());
        assert_eq!(published["keys"].as_array().unwrap().len(), 2);
        assert_eq!(published["anchors"].as_array().unwrap().len(), 0);
    }
    let partial = person.token_directory().join("log/1/tile/0/000.p");
    let left: Vec<_> = fs::read_dir(partial).unwrap().flatten().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].file_name().to_str(), sizes.last().map(String::as_str));
    person.run(&["audit", "verify"]).expect_code(3);
}

#[test]
fn publishing_needs_the_pin_and_a_token_that_can_be_trusted() {
    let person = Person::with_token();
    person.run(&["audit", "publish"]).expect_code(2).says("--pin-file");
    person.write("wrong.pin", "wrong");
    person.run(&["audit", "publish", "--pin-file", "wrong.pin"]).expect_code(4);
    person.run(&["audit", "publish", "--keys", "--json"]).expect_code(2);
    let anchors = person.path("anchors");
    fs::create_dir(&anchors).unwrap();
    person.configure(&format!("{CHEAP}anchor_directory = {anchors:?}\n"));
    publish(&person, &[]).expect_code(0);
    let serial = person.json(&["token", "show"])["serial"].as_str().unwrap().to_owned();
    let kept = fs::read_to_string(anchors.join(&serial)).unwrap();
    assert!(kept.lines().filter(|line| line.starts_with('\u{2014}')).count() == 2);
    let later = kept.replacen("/1\n", "/7\n", 1);
    fs::write(anchors.join(&serial), later).unwrap();
    publish(&person, &[]).expect_code(1).says("an older state was put back: generation 7");
    fs::write(anchors.join(&serial), &kept).unwrap();
    publish(&person, &[]).expect_code(0);
}

#[test]
fn an_anchor_that_fails_is_named_and_the_log_is_published_all_the_same() {
    let person = Person::with_token();
    let missing = person.path("missing");
    person.configure(&format!(
        "{CHEAP}anchor_directory = {missing:?}\n\
         anchor_put = [\"/bin/false\"]\nanchor_get = [\"/bin/true\"]\n"
    ));
    let answer = publish(&person, &["--json"]).expect_code(1).says("anchor /bin/false");
    let published: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    for anchor in published["anchors"].as_array().unwrap() {
        assert_eq!(anchor["ok"], false);
        assert!(!anchor["why"].as_str().unwrap().is_empty());
    }
    assert!(person.token_directory().join("log/1/checkpoint").is_file());
    person.configure(&format!(
        "{CHEAP}anchor_directory = {missing:?}\nanchor_on_failure = \"refuse\"\n"
    ));
    publish(&person, &[]).expect_code(1).says("anchor ");
    person.run_as_user(&["object", "list"]).expect_code(1).says("missing");
}

#[cfg(feature = "witness")]
#[test]
fn a_witness_signs_what_is_published() {
    let person = Person::with_token();
    let witness = Witness::start(Mood::Honest, true);
    person.write("ca.pem", &witness.ca);
    let ca = person.path("ca.pem");
    person.configure(&format!(
        "{CHEAP}witness = {:?}\nwitness_key = {:?}\nwitness_ca = {ca:?}\nanchor_ms = 3000\n",
        witness.url, witness.key
    ));
    publish(&person, &[]).expect_code(1).says("does not know this log");
    witness.learn(person.run(&["audit", "key"]).expect_code(0).out.trim());
    for label in ["a", "b"] {
        let note = publish(&person, &[]).expect_code(0).out;
        assert!(note.contains("\u{2014} witness.example/w1 "), "{note}");
        let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
        // The end of the login was brought to it as well.
        assert!(witness.signed(note.lines().next().unwrap()) >= Some(size));
        let file = fs::read_to_string(person.token_directory().join("log/1/checkpoint")).unwrap();
        assert_eq!(file, note);
        let keys = ["--key", &witness.key];
        let own = person.run(&["audit", "key"]).expect_code(0).out;
        let copied = person.path(label);
        copy(&person.token_directory().join("log/1"), &copied);
        let verify = ["audit", "verify", "--log", label, "--key", own.trim()];
        person.run(&[&verify[..], &keys].concat()).expect_code(0);
        person.run_as_user(&["key", "generate", "ed25519", "--label", label]).expect_code(0);
    }
}

#[test]
fn settings_that_cannot_be_are_refused_with_their_line() {
    let person = Person::with_token();
    let data = person.data();
    for (line, told) in [
        ("anchor_put = [\"/bin/true\"]", "anchor_put and anchor_get go together"),
        ("anchor_put = [\"true\"]", "must begin with an absolute path"),
        ("anchor_put = \"/bin/true\"", "must be a list"),
        ("anchor_get = [1]", "must be a text in quotes"),
        ("witness = \"https://a.example/\"", "needs witness_key"),
        ("witness = \"http://a.example/\"", "must be https://"),
        ("witness = \"https://u:p@a.example/\"", "must be https://"),
        ("witness = \"https://a.example/?q\"", "must be https://"),
        ("witness = \"https://a b/\"", "must be https://"),
        ("witness = \"http://127.0.0.1.example/\"", "must be https://"),
        ("anchor_at = \"never\"", "must be \"login\" or \"commit\""),
        ("anchor_ms = 5", "must be a whole number from 100 to 120000"),
        ("anchor_directory = \"relative\"", "must be an absolute path"),
        ("key = 5", "must be a list of texts"),
        ("key = \"claviger/00/1\"", "must be verifier keys, NAME+ID+KEY"),
        ("key = [\"a+12345678\", \"b\"]", "must be verifier keys, NAME+ID+KEY"),
    ] {
        person.configure(&format!("{CHEAP}{line}\n"));
        person.run(&["config", "check"]).expect_code(5).says("toml:5: audit.").says(told);
        person.run(&["token", "list"]).expect_code(5);
    }
    person.configure(&format!("{CHEAP}anchor_directory = {:?}\n", data.join("tokens")));
    person.run(&["config", "check"]).expect_code(5).says("audit.anchor_directory").says("tokens");
    person.configure(&format!(
        "{CHEAP}witness = \"http://localhost:1/\"\nwitness_key = \"x+00000000+AAAA\"\n"
    ));
    let code = if cfg!(feature = "witness") { 1 } else { 5 };
    person.run(&["token", "list"]).expect_code(code).says("audit.witness");
}
