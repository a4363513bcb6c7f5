//! `doctor` on healthy and on damaged directories; and that what the tool makes is healthy,
//! whatever the umask is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::person::{Answer, Person};

fn mode(path: &std::path::Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

#[test]
fn a_healthy_directory_has_no_problem() {
    let person = Person::new();
    person.run(&["doctor"]).expect_code(0).says("token init --label");
    person.make_token("web");
    person.run(&["doctor"]).expect_code(0).says("\"web\"");
    let report = person.json(&["doctor"]);
    assert_eq!(report["ok"], true);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["level"] != "problem"), "{report}");
    assert!(findings.iter().all(|it| it["topic"].is_string() && it["what"].is_string()));
}

#[test]
fn open_permissions_are_problems_with_the_command_that_mends_them() {
    let person = Person::with_token();
    mode(&person.data(), 0o755);
    person.run(&["doctor"]).expect_code(6).says("0755").says("chmod 700");
    mode(&person.data(), 0o700);
    let database = person.token_directory().join("token.db");
    mode(&database, 0o644);
    person.run(&["doctor"]).expect_code(6).says("0644").says("chmod 600");
    mode(&database, 0o600);
    person.run(&["doctor"]).expect_code(0);
}

#[test]
fn damaged_databases_are_problems_and_do_not_hide_other_tokens() {
    let person = Person::with_token();
    let broken = person.token_directory();
    let database = broken.join("token.db");
    person.make_token("whole");
    let intact = fs::read(&database).unwrap();
    let half = &intact[..intact.len() / 2];
    for damage in [&b""[..], b"short", &[0x55; 8192], half] {
        for rest in ["token.db-wal", "token.db-shm"] {
            let _ = fs::remove_file(broken.join(rest));
        }
        fs::write(&database, damage).unwrap();
        let serial = broken.file_name().unwrap().to_str().unwrap();
        person.run(&["doctor"]).expect_code(6).says(serial).says("put back a copy");
        person.run(&["token", "list"]).expect_code(0).says("whole");
        person.run(&["object", "list", "--token", "whole"]).expect_code(0);
        person.run(&["token", "show", "--token", "web"]).expect_code(7);
    }
    fs::remove_file(&database).unwrap();
    person.run(&["doctor"]).expect_code(6).says("is missing");
    fs::remove_dir_all(&broken).unwrap();
    person.run(&["doctor"]).expect_code(0);
}

#[test]
fn what_was_left_unfinished_is_noted() {
    let person = Person::with_token();
    let left = person.data().join("tokens/.new-0011223344");
    fs::create_dir(&left).unwrap();
    mode(&left, 0o700);
    person.run(&["doctor"]).expect_code(0).says(".new-0011223344").says("rm -r");
}

#[test]
fn a_file_in_place_of_the_directory_is_a_problem() {
    let person = Person::new();
    person.write("file", "");
    let mut command = person.command(&["doctor"]);
    command.env("CLAVIGER_DIR", person.path("file"));
    Answer::of(command).expect_code(6).says("not a directory");
}

#[test]
fn weak_settings_are_noted() {
    let person = Person::new();
    person.configure("[pin]\nreadonly = \"allow\"\nargon2_memory_kib = 64\n");
    person.run(&["doctor"]).expect_code(0).says("pin.readonly").says("argon2_memory_kib is 64");
}

#[test]
fn whatever_the_umask_the_modes_are_exact() {
    let group = Command::new("id").arg("-gn").output().unwrap().stdout;
    let group = String::from_utf8(group).unwrap().trim().to_owned();
    for (umask, group, directory, file) in [
        ("000", None, 0o40_700, 0o100_600),
        ("077", None, 0o40_700, 0o100_600),
        ("077", Some(group.as_str()), 0o42_770, 0o100_660),
        ("000", Some(group.as_str()), 0o42_770, 0o100_660),
    ] {
        let person = Person::new();
        let shared = group.map_or(String::new(), |name| format!("group = \"{name}\"\n"));
        person.configure(&format!("{shared}[pin]\nargon2_memory_kib = 64\n"));
        let mut command = Command::new("sh");
        person.settle(&mut command);
        let program = env!("CARGO_BIN_EXE_claviger");
        let pins = "--so-pin-file so.pin --pin-file user.pin";
        command.arg("-c").arg(format!(
            "umask {umask} && {program} token init -l a {pins} && \
             {program} key generate ed25519 -l k --pin-file user.pin"
        ));
        Answer::of(command).expect_code(0);
        let mut seen = vec![person.data(), person.data().join("claviger.lock")];
        seen.push(person.data().join("tokens"));
        seen.push(person.token_directory());
        let files = fs::read_dir(person.token_directory()).unwrap();
        seen.extend(files.map(|entry| entry.unwrap().path()));
        assert!(seen.len() >= 6, "{seen:?}");
        for path in seen {
            let found = fs::metadata(&path).unwrap();
            let wanted = if found.is_dir() { directory } else { file };
            assert_eq!(found.permissions().mode(), wanted, "{} {umask}", path.display());
        }
        person.run(&["doctor"]).expect_code(0);
    }
}
