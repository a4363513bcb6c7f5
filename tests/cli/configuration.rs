//! `config show` and `config check`, and what every other command does with a wrong file or
//! in a privileged process.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use super::person::{Answer, Person};

#[test]
fn show_tells_each_value_and_its_origin() {
    let person = Person::new();
    person.configure("# mine\n[pin]\ntries = 5\n");
    let shown = person.json(&["config", "show"]);
    let file = person.path(".config/claviger/claviger.toml");
    assert_eq!(shown["file"], file.to_str().unwrap());
    let values = shown["values"].as_array().unwrap();
    let value = |key: &str| values.iter().find(|value| value["key"] == key).unwrap();
    assert_eq!(value("pin.tries")["value"], 5);
    assert_eq!(value("pin.tries")["origin"], "file");
    assert_eq!(value("pin.tries")["line"], 3);
    assert_eq!(value("pin.argon2_passes")["origin"], "default");
    assert_eq!(value("slots.spare")["value"], false);
    assert_eq!(value("policy.export")["value"], "deny");

    let mut command = person.command(&["config", "show", "--json"]);
    command.env("CLAVIGER_DIR", person.path("elsewhere"));
    let shown: serde_json::Value = serde_json::from_str(&Answer::of(command).out).unwrap();
    assert_eq!(shown["values"][0]["key"], "directory");
    assert_eq!(shown["values"][0]["origin"], "environment");
    assert_eq!(shown["values"][0]["variable"], "CLAVIGER_DIR");
}

#[test]
fn what_show_prints_is_a_configuration_file() {
    let person = Person::new();
    let shown = person.run(&["config", "show"]).expect_code(0);
    person.write("again.toml", &shown.out);
    person.run(&["config", "check", "again.toml"]).expect_code(0).says("again.toml: ok");
}

#[test]
fn a_wrong_file_stops_every_command_with_file_line_and_key() {
    let person = Person::new();
    person.configure("[pin]\ntrys = 5\ntries = 0\n");
    let place = ".config/claviger/claviger.toml:2: pin.trys: unknown key";
    for arguments in [
        &["token", "list"][..],
        &["token", "init", "--label", "a"],
        &["pin", "set"],
        &["key", "generate", "ed25519", "--label", "a"],
        &["object", "list"],
        &["config", "show"],
        &["config", "check"],
    ] {
        person.run(arguments).expect_code(5).says(place);
    }
    person.run(&["config", "check"]).expect_code(5).says("toml:3: pin.tries: must be a whole num");
    let checked = person.run(&["config", "check", "--json"]).expect_code(5);
    let checked: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(checked["ok"], false);
    assert_eq!(checked["problems"][1]["line"], 3);
    assert_eq!(checked["problems"][1]["key"], "pin.tries");
    person.run(&["doctor"]).expect_code(6).says("PROBLEM  configuration");
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let person = Person::new();
    for (variable, value) in [
        ("CLAVIGER_CONF", person.path("missing.toml").to_str().unwrap()),
        ("CLAVIGER_CONF", "relative.toml"),
        ("CLAVIGER_DIR", "relative"),
    ] {
        for arguments in [&["token", "list"][..], &["config", "check"]] {
            let mut command = person.command(arguments);
            command.env(variable, value);
            Answer::of(command).expect_code(5);
        }
    }
}

#[test]
fn root_refuses_a_file_that_others_can_change() {
    let person = Person::new();
    let file = person.path(".config/claviger/claviger.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    if is_root() {
        person.run(&["token", "list"]).expect_code(5).says("chmod go-w");
    }
    person.run(&["doctor"]).expect_code(6).says("0666");
}

#[test]
fn a_privileged_process_does_not_look_at_the_environment() {
    if !is_root() {
        return;
    }
    // Set-user-id to somebody with fewer rights: the kernel sets AT_SECURE for that too.
    let person = Person::new();
    let program = person.path("claviger");
    // Copied by another process: a descriptor open for writing here would be inherited by the
    // children of other tests for a moment, and execve of the copy would fail with ETXTBSY.
    let copied = Command::new("install")
        .args(["--mode=4755", "--owner=65534", "--group=65534"])
        .args([Path::new(env!("CARGO_BIN_EXE_claviger")), &program])
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    let mut command = Command::new(&program);
    person.settle(&mut command);
    command.args(["config", "show", "--json"]);
    command.env("CLAVIGER_CONF", "/nowhere.toml").env("CLAVIGER_DIR", "/nowhere");
    let answer = Answer::of(command);
    if answer.code == 5 && answer.err.contains("nowhere") && mounted_nosuid(&program) {
        return;
    }
    let shown: serde_json::Value = serde_json::from_str(&answer.expect_code(0).out).unwrap();
    assert_ne!(shown["values"][0]["origin"], "environment");
    assert_ne!(shown["values"][0]["value"], "/nowhere");
    assert!(shown["file"].is_null() || shown["file"] == "/etc/claviger/claviger.toml");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

/// Where set-user-id has no effect, nothing can be tested.
fn mounted_nosuid(path: &Path) -> bool {
    let found = Command::new("findmnt").args(["-no", "OPTIONS", "-T"]).arg(path).output();
    found.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains("nosuid"))
}

#[test]
fn tokens_in_memory_are_not_the_tools() {
    let person = Person::new();
    person.configure("[store]\nkind = \"memory\"\n");
    for command in
        [&["token", "list"][..], &["token", "init", "--label", "x"], &["audit", "verify"]]
    {
        person.run(command).expect_code(5).says("store.kind is \"memory\"");
    }
    person.run(&["doctor"]).says("each program has tokens of its own");
    person.run(&["config", "show"]).expect_code(0).says("kind = \"memory\"");
    assert!(!person.data().exists());
}

#[test]
fn names_of_mechanisms_are_checked_and_what_is_withheld_is_told() {
    let person = Person::new();
    person.configure("[mechanisms]\ndeny = [\"AES_CBC*\", \"SHA1-*\"]\n");
    let place = "claviger.toml:2: mechanisms.deny: \"SHA1-*\" is no mechanism of this token";
    person.run(&["config", "check"]).expect_code(5).says(place);
    person.run(&["token", "list"]).expect_code(5).says(place);
    person.run(&["doctor"]).expect_code(6).says(place);

    person.configure(
        "[pin]\nargon2_memory_kib = 64\nargon2_passes = 1\n\
                      [mechanisms]\ndeny = [\"AES_CBC*\"]\n[token.web.policy]\nrsa_bits = 3072\n",
    );
    person.run(&["config", "check"]).expect_code(0);
    person.make_token("web");
    let shown = person.json(&["token", "show", "--token", "web"]);
    assert_eq!(shown["label"], "web");
    assert_eq!(shown["policy"]["least_bits"]["rsa"], 3072);
    let withheld = shown["policy"]["not_offered"].as_array().unwrap();
    assert!(withheld.contains(&"CKM_AES_CBC_PAD".into()), "{withheld:?}");
    person.run(&["doctor"]).says("policy.rsa_bits = 3072").says("CKM_AES_CBC_PAD");
    let made = person.run_as_user(&["key", "generate", "rsa:2048", "--label", "a"]);
    made.expect_code(1).says("CKR_KEY_SIZE_RANGE");
}
