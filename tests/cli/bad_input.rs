//! Command lines and PINs that are refused, and what is said then: the reason, never the PIN.
//! Also what others wrote into labels, and readers that go away.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::person::{Answer, Person};

#[test]
fn wrong_command_lines_end_with_2() {
    let person = Person::new();
    for arguments in [
        &[][..],
        &["tokens"],
        &["token"],
        &["token", "init"],
        &["token", "init", "--label", ""],
        &["token", "init", "--label", "a name that has more than thirty-two bytes"],
        &["token", "init", "--label", "ends in a blank "],
        &["token", "list", "--slot", "1"],
        &["token", "show", "--slot", "-1"],
        &["token", "show", "--slot", "1", "--token", "a"],
        &["key", "generate", "rsa:1024", "--label", "a"],
        &["key", "generate", "--label", "a"],
        &["key", "generate", "ed25519"],
        &["key", "generate", "ed25519", "--label", "a", "--id", "0g"],
        &["object", "delete"],
        &["object", "list", "--class", "other"],
        &["object", "list", "--pin-file", "a", "--pin-env", "B"],
    ] {
        person.run(arguments).expect_code(2);
    }
    person.run(&["--help"]).expect_code(0).says("Exit codes:");
    person.run(&["token", "init", "--help"]).expect_code(0).says("pkcs11-tool --init-token");
    person.run(&["--version"]).expect_code(0).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_pin_given_as_an_argument_is_refused_and_not_repeated() {
    let person = Person::with_token();
    for arguments in [
        &["object", "list", "--pin", "834-pin-834"][..],
        &["object", "list", "--pin=834-pin-834"],
        &["object", "list", "--pin-env", "834-pin-834"],
        &["object", "list", "--pin-env=834=pin-834"],
    ] {
        let answer = person.run(arguments).expect_code(2);
        assert!(!answer.err.contains("834"), "{answer:?}");
    }
}

#[test]
fn pins_of_no_good_length_are_refused_and_short_ones_warned_about() {
    let person = Person::new();
    let init = |pin: &str| {
        person.write("new.pin", pin);
        let arguments = ["token", "init", "-l", "a", "--no-user-pin", "--so-pin-file", "new.pin"];
        person.run(&arguments)
    };
    init("").expect_code(2).says("empty");
    init("\nsecond line").expect_code(2).says("empty");
    init("123").expect_code(2).says("4 to 255 bytes; it has 3");
    init(&"x".repeat(256)).expect_code(2).says("4 to 255");
    assert!(!person.data().exists(), "a refused PIN makes nothing");
    init("1234").expect_code(0).says("fewer than 8 characters");
    let good = init("12345678\r\n").expect_code(0);
    assert!(!good.err.contains("warning"), "{good:?}");
    init(&"x".repeat(255)).expect_code(0);
}

#[test]
fn a_pin_file_that_others_can_read_is_warned_about() {
    let person = Person::with_token();
    let file = person.path("user.pin");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    person.run_as_user(&["object", "list"]).expect_code(0).says("mode 0644");
    std::fs::remove_file(&file).unwrap();
    person.run_as_user(&["object", "list"]).expect_code(2).says("user.pin");
}

#[test]
fn control_characters_in_labels_do_not_reach_the_terminal() {
    let person = Person::new();
    let label = "a\u{1b}[2J\u{202e}b";
    let made = person.make_token(label);
    let listed = person.run(&["token", "list"]).expect_code(0);
    let generated = person.run_as_user(&["key", "generate", "ed25519", "-l", label]);
    for answer in [made, listed, generated.expect_code(0)] {
        let text = answer.out + &answer.err;
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert_eq!(person.json(&["token", "show"])["label"], label);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let person = Person::new();
    let mut command = person.command(&["config", "show"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn pins_are_asked_for_on_the_terminal_twice_and_without_echo() {
    let person = Person::new();
    let program = env!("CARGO_BIN_EXE_claviger");
    let ask = |words: &[&str], typed: &[&str]| {
        // script(1) brings a terminal; the pauses are for the prompts, which drop what was
        // typed before them.
        let typing: Vec<String> =
            typed.iter().map(|line| format!("sleep 0.4; printf '%s\\n' '{line}'; ")).collect();
        let line = format!("{program} {}", words.join(" "));
        let mut command = Command::new("sh");
        person.settle(&mut command);
        command.arg("-c").arg(format!(
            "({} sleep 0.4) | script --quiet --return --command '{line}' /dev/null",
            typing.concat()
        ));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), text)
    };
    let init = ["token", "init", "--label", "web"];
    let typed = ["typed-so-pin", "typed-so-pin", "typed-pin", "typed-pin"];
    let (code, text) = ask(&init, &typed);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("typed-"), "a PIN was echoed: {text}");
    let (code, text) = ask(&init, &["typed-so-pin", "typed-other"]);
    assert_eq!((code, text.contains("not the same")), (2, true), "{text}");
    let (code, text) = ask(&["object", "list", "--login"], &["typed-pin"]);
    assert_eq!(code, 0, "{text}");
    let delete = ["token", "delete"];
    let (code, text) = ask(&delete, &["no"]);
    assert_eq!((code, text.contains("not confirmed")), (1, true), "{text}");
    let (code, text) = ask(&delete, &["yes", "typed-so-pin"]);
    assert_eq!(code, 0, "{text}");
    Answer::of(person.command(&["token", "show"])).expect_code(7);
}
