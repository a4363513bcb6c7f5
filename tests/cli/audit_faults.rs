//! What somebody else did to a token's files: flipped bits, cut and lost logs, rows that were put
//! back, copies, files that cannot be read; and what `audit verify`, `doctor` and `accept-state` do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use claviger::config::{Configuration, PublicWrite};
use claviger::provider::Provider;
use claviger::provider::administration::{ObjectChoice, ObjectClass};
use claviger::session::state::Access;

use super::audit::{vkey, with_key};
use super::person::{Answer, Person};

const NOBODY: u32 = 65_534;

fn bundle(person: &Person) -> PathBuf {
    person.token_directory().join("log/1/tile/entries/000")
}

fn verify(person: &Person, key: &str) -> Answer {
    person.run(&["audit", "verify", "--key", key])
}

fn sql(person: &Person, statements: &str) {
    let database = rusqlite::Connection::open(person.token_directory().join("token.db")).unwrap();
    database.execute_batch(statements).unwrap();
}

#[test]
fn one_flipped_bit_is_found_wherever_it_is() {
    let person = with_key();
    let key = vkey(&person);
    let intact = fs::read(bundle(&person)).unwrap();
    for at in (0..intact.len()).step_by(intact.len() / 40).chain([intact.len() - 1]) {
        let mut changed = intact.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(bundle(&person), &changed).unwrap();
        verify(&person, &key).expect_code(1);
        person.run(&["audit", "show"]).expect_code(1).says("nothing of the above");
        person.run(&["audit", "export", "--format", "csv"]).expect_code(1);
    }
    person.run(&["doctor"]).expect_code(6).says("was changed").says("accept-state");
    fs::write(bundle(&person), &intact).unwrap();
    verify(&person, &key).expect_code(0);
}

#[test]
fn a_cut_log_and_a_log_that_is_gone_are_explained_and_can_be_accepted() {
    let person = with_key();
    let key = vkey(&person);
    let intact = fs::read(bundle(&person)).unwrap();
    fs::write(bundle(&person), &intact[..intact.len() / 2]).unwrap();
    verify(&person, &key).expect_code(1);
    person.run(&["audit", "follow", "--timeout", "1s"]).expect_code(1);
    person.run(&["doctor"]).expect_code(6).says("the log of token \"web\" was");
    fs::remove_dir_all(person.token_directory().join("log")).unwrap();
    verify(&person, &key).expect_code(1).says("tile/entries/000").says("missing");
    person.run(&["audit", "show"]).expect_code(1);
    person.run(&["audit", "prove", "1"]).expect_code(7).says("not there any more");
    person.run(&["doctor"]).expect_code(6).says("was cut").says("if there is a copy");
    let make = ["key", "generate", "aes:128", "--label", "a"];
    person.run_as_user(&make).expect_code(1).says("accept-state");
    let accept = ["token", "accept-state", "--so-pin-file", "so.pin"];
    person.run(&accept).expect_code(0).says("what is accepted");
    person.run_as_user(&make).expect_code(0);
    verify(&person, &vkey(&person)).expect_code(0);
    person.run(&["audit", "verify", "--generation", "1", "--key", &key]).expect_code(1);
    person.run(&["doctor"]).expect_code(0);
}

#[test]
fn rows_that_were_changed_outside_are_explained_and_can_be_accepted() {
    let changes = [
        ("DELETE FROM object WHERE class = 2", "object"),
        ("UPDATE state SET nodes = zeroblob(length(nodes))", ""),
        ("UPDATE token SET label = zeroblob(32)", "record"),
        ("UPDATE head SET size = size - 1", ""),
        ("UPDATE head SET checkpoint = 'x'", ""),
        ("UPDATE head SET audit_public = randomblob(32)", ""),
        ("INSERT INTO lane VALUES (7, 7)", "lanes"),
    ];
    for (change, says) in changes {
        let person = with_key();
        let key = vkey(&person);
        let serial = person.json(&["token", "show"])["serial"].as_str().unwrap().to_owned();
        sql(&person, change);
        verify(&person, &key).expect_code(1).says(says);
        person.run(&["doctor"]).expect_code(6).says("accept-state");
        let make = ["key", "generate", "aes:128", "--label", "a", "--token", &serial];
        // Where only rows are gone the other objects work on.
        let stops = says != "object";
        person.run_as_user(&make).expect_code(i32::from(stops));
        let accept = ["token", "accept-state", "--so-pin-file", "so.pin", "--token", &serial];
        person.run(&accept).expect_code(0);
        person.run_as_user(&make).expect_code(0);
        person.run(&["doctor"]).expect_code(0);
        verify(&person, &vkey(&person)).expect_code(0);
    }
}

#[test]
fn a_moved_token_verifies_and_is_told_to_be_a_copy() {
    let person = with_key();
    let key = vkey(&person);
    let token = person.token_directory();
    let copy = token.with_file_name("copy");
    assert!(Command::new("cp").args(["-a"]).arg(&token).arg(&copy).status().unwrap().success());
    fs::remove_dir_all(&token).unwrap();
    fs::rename(&copy, &token).unwrap();
    verify(&person, &key).expect_code(0).says("moved or copied");
    assert_eq!(person.json(&["audit", "verify", "--key", &key])["token"], "copied");
    person.run(&["doctor"]).expect_code(6).says("is a copy, or was moved").says("accept-state");
    person.run(&["token", "accept-state", "--so-pin-file", "so.pin"]).expect_code(0);
    person.run(&["doctor"]).expect_code(0);
}

#[test]
fn uses_that_wait_are_noted_by_doctor() {
    let person = with_key();
    let lanes = person.token_directory().join("lanes");
    fs::create_dir_all(&lanes).unwrap();
    fs::set_permissions(&lanes, fs::Permissions::from_mode(0o700)).unwrap();
    let said = |name: &str, len: usize| {
        fs::write(lanes.join(name), vec![0; len]).unwrap();
        let answer = person.run(&["doctor"]).expect_code(0);
        fs::remove_file(lanes.join(name)).unwrap();
        answer
    };
    said("7f3a09c100000001.lane", 24).says("by a process that ended").says("never delete");
    said("early.lane", 26).says("before any login");
    for (name, len) in [("early.lane", 25), ("x.lane", 24)] {
        assert!(!said(name, len).out.contains("wait"), "{name}");
    }
}

#[test]
fn changes_without_a_login_wait_and_are_told() {
    let person = with_key();
    let key = vkey(&person);
    let mut configuration = Configuration::default();
    configuration.directory = person.data();
    configuration.public_write = PublicWrite::Standard;
    let provider = Provider::with(configuration).unwrap();
    let session = provider.open_session(0, Access::ReadWrite).unwrap();
    let choice = ObjectChoice { class: Some(ObjectClass::PublicKey), ..ObjectChoice::default() };
    assert_eq!(provider.destroy_objects(session, &choice).unwrap(), 1);
    drop(provider);
    verify(&person, &key).expect_code(0).says("one object was changed without a login");
    assert_eq!(person.json(&["audit", "verify", "--key", &key])["pending"], 1);
    person.run(&["doctor"]).expect_code(0).says("one object of").says("nothing is to be done");
    person.run_as_user(&["key", "generate", "aes:128", "--label", "a"]).expect_code(0);
    assert_eq!(person.json(&["audit", "verify", "--key", &key])["pending"], 0);
    // What is not a change that anybody may make is none that waits.
    sql(&person, "INSERT INTO pending VALUES (4711, x'00')");
    verify(&person, &key).expect_code(1);
    sql(&person, "DELETE FROM pending");
    verify(&person, &key).expect_code(0);
}

#[test]
fn a_database_that_cannot_be_read_is_no_verdict_but_a_published_log_is_checked() {
    let person = with_key();
    let key = vkey(&person);
    let note = person.run(&["audit", "checkpoint"]).out;
    let database = person.token_directory().join("token.db");
    fs::write(&database, b"not a database").unwrap();
    verify(&person, &key).expect_code(1);
    let published = person.token_directory().join("log/1/checkpoint");
    fs::write(&published, &note).unwrap();
    verify(&person, &key).expect_code(1).says("token.db cannot be held against it");
    let log = person.token_directory().join("log/1");
    let log = log.to_str().unwrap();
    person.run(&["audit", "verify", "--log", log, "--key", &key]).expect_code(0);
}

fn open_up(path: &Path, more: u32) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(mode | more)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| open_up(&entry.unwrap().path(), more));
    }
}

/// Somebody else on the same machine; nobody, if we are root.
fn as_another(person: &Person, arguments: &[&str]) -> Answer {
    let mut command = person.command(arguments);
    command.env("CLAVIGER_DIR", person.data());
    command.env("CLAVIGER_CONF", person.path(".config/claviger/claviger.toml"));
    command.uid(NOBODY).gid(NOBODY);
    Answer::of(command)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn who_may_only_read_can_verify_also_beside_writers() {
    if !is_root() {
        return eprintln!("skipped: only root can be somebody else");
    }
    let person = with_key();
    let key = vkey(&person);
    let verify = ["audit", "verify", "--key", &key];
    open_up(person.home.path(), 0o055);
    fs::set_permissions(person.token_directory(), fs::Permissions::from_mode(0o700)).unwrap();
    let refused = as_another(&person, &verify);
    assert!([1, 7].contains(&refused.code) && refused.err.contains("ermission"), "{refused:?}");
    open_up(person.home.path(), 0o055);
    let size = person.json(&verify)["size"].as_u64().unwrap();
    as_another(&person, &verify).expect_code(0).says(&format!("Entries  {size}\n"));
    as_another(&person, &["audit", "show"]).expect_code(0).says("C_GenerateKeyPair");
    as_another(&person, &["token", "accept-state", "--so-pin-file", "so.pin"]).expect_code(1);

    let mut writer = person.command(&["audit", "follow", "--timeout", "20s"]);
    let mut writer = writer.stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    person.run_as_user(&["key", "generate", "aes:128", "--label", "a"]).expect_code(0);
    let log = person.token_directory().join("token.db-wal");
    assert!(fs::metadata(log).unwrap().len() > 0, "nothing waits to be written back");
    open_up(person.home.path(), 0o055);
    let own = person.run(&verify).expect_code(0).out;
    let grown = own.lines().find(|line| line.starts_with("Entries")).unwrap();
    assert_ne!(grown, format!("Entries  {size}"));
    as_another(&person, &verify).expect_code(0).says(grown);
    writer.kill().unwrap();
    writer.wait().unwrap();

    fs::set_permissions(bundle(&person), fs::Permissions::from_mode(0o600)).unwrap();
    as_another(&person, &verify).expect_code(1).says("cannot be read: Permission denied");
    as_another(&person, &["audit", "show"]).expect_code(1).says("cannot be checked");
}
