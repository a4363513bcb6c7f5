//! `audit` on logs without a token: what hostile processes wrote, filters by lane and outcome,
//! logs whose beginning was removed, and directories that are none.

use std::fs;

use claviger::audit::leaf::Leaf;
use claviger::audit::record::{LaneId, Record};

use super::audit::lines;
use super::person::{Answer, Person};
use super::written::{HOSTILE, KEY, LANE, Written, opened, time, used, write};

/// A lane with three uses, of which the second failed, whose process has a name that is an attack.
fn hostile(person: &Person) -> Written {
    let failed = Record {
        rv: "CKR_DATA_LEN_RANGE".into(),
        key: Some("ffeeddccbbaa99887766554433221100".into()),
        actor: Some("=HYPERLINK(\"http://example.org\")".into()),
        op: Some(HOSTILE.into()),
        ..used(2)
    };
    let login = Record {
        call: "C_Login".into(),
        rv: "CKR_PIN_INCORRECT".into(),
        time: time(9),
        ..Record::default()
    };
    let leaves = [
        opened(HOSTILE),
        Leaf::Use(used(1)),
        Leaf::Use(failed),
        Leaf::Use(used(3)),
        Leaf::LaneCut {
            lane: LANE,
            records: 3,
            lost_bytes: 7,
            reason: HOSTILE.into(),
            time: time(5),
        },
        Leaf::Unauthenticated(login),
    ];
    write(&person.path("log"), &leaves, &[])
}

fn run(person: &Person, arguments: &[&str]) -> Answer {
    person.run(&[&["audit"], arguments, &["--log", "log"]].concat())
}

#[test]
fn what_hostile_processes_wrote_reaches_no_terminal_and_breaks_no_line() {
    let person = Person::new();
    let log = hostile(&person);
    let count = log.entries.len();
    let shown = run(&person, &["show", "--all"]).expect_code(0);
    assert_eq!(lines(&shown).len(), count);
    assert!(shown.out.contains("\\u001b[2J") && shown.out.contains("\\u202e"), "{shown:?}");
    for arguments in [&["show", "--all", "--json"][..], &["export"]] {
        let stored = run(&person, arguments).expect_code(0);
        assert_eq!(lines(&stored).len(), count);
        let bytes: Vec<&[u8]> = log.entries.iter().map(Vec::as_slice).collect();
        assert_eq!(stored.out.as_bytes(), [bytes.join(&b'\n'), b"\n".to_vec()].concat());
    }
    let syslog = run(&person, &["export", "--format", "syslog"]).expect_code(0);
    assert_eq!(lines(&syslog).len(), count);
    assert!(syslog.out.contains("exe=\"/tmp/=a\\\\u000a"), "{syslog:?}");
    assert!(syslog.out.contains(" exe=") && syslog.out.contains("\\\"\\],;|x"), "{syslog:?}");
    assert!(lines(&syslog)[3].starts_with("<108>1 ") && lines(&syslog)[5].starts_with("<108>1 "));
    let csv = run(&person, &["export", "--format", "csv"]).expect_code(0);
    let rows: Vec<&str> = csv.out.split("\r\n").collect();
    assert_eq!(rows.len(), count + 2);
    assert!(csv.out.contains(",\"'=HYPERLINK(\"\"http://example.org\"\")\","), "{csv:?}");
    assert!(!csv.out.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\t']), "{csv:?}");
}

#[test]
fn filters_are_by_key_outcome_lane_and_time() {
    let person = Person::new();
    hostile(&person);
    let lane = LANE.to_string();
    for (filter, wanted) in [
        (&["--key", KEY][..], 2),
        (&["--key", &KEY.to_uppercase()], 2),
        (&["--key", KEY, "--key", "ffeeddccbbaa99887766554433221100"], 3),
        (&["--failed"], 2),
        (&["--rv", "pin_incorrect"], 1),
        (&["--rv", "OK"], 2),
        (&["--rv", "OK", "--rv", "CKR_DATA_LEN_RANGE"], 3),
        (&["--call", "C_Sign", "--call", "login"], 4),
        (&["--call", "C_Sign", "--failed"], 1),
        (&["--lane", &lane], 5),
        (&["--lane", "0000000000000000"], 1),
        (&["--lane", "0000000000000007"], 0),
        (&["--since", "2026-11-21T20:24:07Z", "--until", "2026-11-21T21:24:09+01:00"], 2),
        (&["--key", "00000000000000000000000000000000"], 0),
    ] {
        let shown = run(&person, &[&["show"], filter].concat()).expect_code(0);
        assert_eq!(lines(&shown).len(), wanted, "{filter:?}: {shown:#?}");
    }
    let proof = run(&person, &["prove", "--lane", &lane, "--seq", "2"]).expect_code(0);
    assert!(proof.out.contains("\nindex 3\n"), "{proof:?}");
}

#[test]
fn a_log_whose_beginning_was_removed_is_verified_and_its_entries_proved() {
    let person = Person::new();
    let mut leaves = vec![opened("/usr/bin/openssl")];
    leaves.extend((1..=600).map(|seq| Leaf::Use(used(seq))));
    leaves.push(Leaf::LaneClosed { lane: LANE, records: 600, time: time(601) });
    let log = write(&person.path("log"), &leaves, &[]);
    let verify = ["verify", "--key", &log.key];
    run(&person, &verify).expect_code(0).says("600 uses");
    fs::remove_file(log.directory.join("tile/entries/000")).unwrap();
    run(&person, &verify).expect_code(0).says("the first 256 entries");
    run(&person, &["verify"]).expect_code(3);
    let shown = run(&person, &["show"]).expect_code(0).says("the first 256 entries are gone");
    assert_eq!(lines(&shown).len(), log.entries.len() - 256 - 1);
    run(&person, &["follow", "--timeout", "0s"]).expect_code(0);

    run(&person, &["prove", "300"]).expect_code(0);
    run(&person, &["prove", "17"]).expect_code(7).says("--entry");
    let line = String::from_utf8(log.entries[17].clone()).unwrap();
    person.write("line", &format!("{line}\n"));
    let proof = run(&person, &["prove", "17", "--entry", "line", "--key", &log.key]).expect_code(0);
    person.write("proof", &proof.out);
    let check = ["audit", "prove", "--check", "proof", "--key", &log.key];
    assert_eq!(person.run(&check).expect_code(0).out, format!("{line}\n"));
    run(&person, &["prove", "18", "--entry", "line"]).expect_code(1);

    // Only a beginning can be gone, and only if its hashes are there.
    fs::remove_file(log.directory.join("tile/entries/001")).unwrap();
    run(&person, &verify).expect_code(0).says("the first 512 entries");
    let tile = log.directory.join("tile/0/001");
    let hashes = fs::read(&tile).unwrap();
    let mut changed = hashes.clone();
    changed[4000] ^= 1;
    fs::write(&tile, &changed).unwrap();
    run(&person, &verify).expect_code(1);
    fs::remove_file(&tile).unwrap();
    run(&person, &verify).expect_code(1).says("missing");
    fs::write(&tile, &hashes).unwrap();
    fs::write(log.directory.join("tile/entries/000"), b"").unwrap();
    run(&person, &verify).expect_code(1);
}

#[test]
fn leaves_that_must_not_stand_there_are_faults() {
    let open = || opened("/usr/bin/openssl");
    let lane = |records| vec![(LANE, records)];
    let closed = |records| Leaf::LaneClosed { lane: LANE, records, time: time(9) };
    let person = Person::new();
    let mut number = 0;
    let mut verify = |leaves: &[Leaf<'_>], lanes: &[(LaneId, u64)], code: i32, says: &str| {
        number += 1;
        let name = format!("log{number}");
        let log = write(&person.path(&name), leaves, lanes);
        let arguments = ["audit", "verify", "--log", &name, "--key", &log.key];
        person.run(&arguments).expect_code(code).says(says);
    };
    verify(&[open(), Leaf::Use(used(1))], &lane(1), 0, "1 open");
    verify(&[open(), Leaf::Use(used(2))], &lane(2), 1, "out of its lane's order");
    verify(&[open(), Leaf::Use(used(1)), Leaf::Use(used(1))], &lane(1), 1, "entry 3");
    verify(&[Leaf::Use(Record { head: 0, ..used(1) })], &[], 1, "not open");
    verify(&[open(), Leaf::Use(used(1)), closed(2)], &[], 1, "without all of its records");
    verify(&[open(), open()], &lane(0), 1, "open already");
    verify(&[open()], &[], 1, "names other open lanes");
    let seen = Record { head: 77, ..used(1) };
    verify(&[open(), Leaf::Use(seen)], &lane(1), 1, "larger log");
    verify(&[Leaf::State(Default::default()), closed(0)], &[], 1, "not open");
}

#[test]
fn directories_that_are_no_logs_are_refused() {
    let person = Person::new();
    run(&person, &["verify"]).expect_code(1).says("log/checkpoint");
    let log = hostile(&person);
    run(&person, &["prove", "1"]).expect_code(0);
    let note = fs::read_to_string(log.directory.join("checkpoint")).unwrap();
    for (name, text) in [
        ("empty", String::new()),
        ("cut", note[..note.len() / 2].to_owned()),
        ("larger", note.replacen("\n8\n", "\n9\n", 1)),
        ("huge", note.replacen("\n8\n", "\n99999999999999999999\n", 1)),
    ] {
        person.write(name, &text);
        run(&person, &["verify", "--checkpoint", name, "--key", &log.key]).expect_code(1);
        run(&person, &["show", "--checkpoint", name]).expect_code(1);
    }
    fs::remove_dir_all(log.directory.join("tile")).unwrap();
    run(&person, &["verify"]).expect_code(1).says("tile/entries/000.p/8 is missing");
    run(&person, &["prove", "1"]).expect_code(7).says("not there any more");
    // A pipe is no file that one waits for.
    fs::create_dir_all(log.directory.join("tile/entries")).unwrap();
    let pipe = log.directory.join("tile/entries/000");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    run(&person, &["verify"]).expect_code(1).says("it is no file");
    run(&person, &["verify", "--token", "web"]).expect_code(2);
}
