//! Commands that do as they are told, hang, fail, lie, print garbage or megabytes; and a host
//! that takes their status.

use std::fs;

use super::*;
use crate::anchor::command::Commands;

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script, "sh", "{serial}"].map(str::to_owned).to_vec()
}

fn commands(put: &str, get: &str) -> Commands {
    Commands { put: shell(put), get: shell(get), limit: LIMIT }
}

/// Keeps checkpoints in a directory.
fn keeper(place: &Path) -> Commands {
    let place = place.display();
    commands(
        &format!("cat >{place}/$1.new && mv {place}/$1.new {place}/$1"),
        &format!("read origin; test ! -e {place}/$1 || cat {place}/$1"),
    )
}

#[test]
fn two_commands_keep_a_checkpoint_and_give_it_back() {
    let place = tempfile::tempdir().unwrap();
    let anchor = keeper(place.path());
    assert_eq!(anchor.get(asked(1)), Ok(None));
    assert_eq!(put(&anchor, &Logs::of(5), (1, 5), 0), Ok(Put::Kept));
    assert_eq!(kept(&anchor, 1), Some(5));
    assert!(place.path().join(SERIAL).is_file(), "the serial number stands in the arguments");
    let told = commands("exit 1", "cat");
    let line = told.get(asked(3)).unwrap().unwrap();
    assert_eq!(line, format!("claviger/{SERIAL}/3\n").as_bytes());
}

#[test]
fn commands_that_fail_are_told_with_their_status() {
    let anchor = commands("cat >/dev/null; exit 3", "exit 4");
    assert!(put(&anchor, &Logs::of(5), (1, 5), 0).unwrap_err().contains("status 3"));
    assert!(anchor.get(asked(1)).unwrap_err().contains("status 4"));
    // One that does not read what it is given does not end the host.
    assert_eq!(put(&commands("true", "true"), &Logs::of(5), (1, 5), 0), Ok(Put::Kept));
    let killed = commands("kill -9 $$", "kill -9 $$");
    assert!(killed.get(asked(1)).unwrap_err().contains("status 137"));
    for program in ["/nonexistent", "relative", "/etc/passwd", "/"] {
        let words = vec![program.to_owned()];
        let anchor = Commands { put: words.clone(), get: words, limit: LIMIT };
        assert!(anchor.get(asked(1)).is_err(), "{program}");
    }
}

#[test]
fn commands_that_hang_are_ended_with_all_that_they_started() {
    let place = tempfile::tempdir().unwrap();
    let ids = place.path().join("ids");
    let script = format!("sleep 77 & echo $$ $! >{}; wait", ids.display());
    let hanging = commands(&script, &script);
    for _ in 0..2 {
        let why = in_time(|| hanging.get(asked(1))).unwrap_err();
        assert!(why.contains("more than 1500 ms"), "{why}");
        let ids = fs::read_to_string(&ids).unwrap();
        for id in ids.split_whitespace() {
            let deadline = Instant::now() + Duration::from_secs(2);
            let runs = || {
                let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                state.contains("sleep") && !state.contains(") Z")
            };
            while runs() {
                assert!(Instant::now() < deadline, "process {id} is still there");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

#[test]
fn a_command_that_leaves_a_child_with_its_output_is_not_waited_for() {
    let begin = Instant::now();
    let anchor = commands("true", "echo kept; sleep 77 & exit 0");
    assert_eq!(anchor.get(asked(1)), Ok(Some(b"kept\n".to_vec())));
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[test]
fn megabytes_are_not_taken_in() {
    let anchor = commands("yes", "head -c 100000000 /dev/zero");
    assert!(in_time(|| anchor.get(asked(1))).unwrap_err().contains("more than a checkpoint"));
    let begun = put(&anchor, &Logs::of(5), (1, 5), 0);
    assert!(begun.unwrap_err().contains("more than a checkpoint"));
    let most = commands("true", "head -c 65536 /dev/zero");
    assert_eq!(most.get(asked(1)).unwrap().unwrap().len(), 65_536);
    let quiet = commands("true", "head -c 100000000 /dev/zero >&2; echo fine");
    assert_eq!(quiet.get(asked(1)), Ok(Some(b"fine\n".to_vec())));
}

/// A host that ignores SIGCHLD has no children to wait for: nobody learns how they ended.
#[test]
fn a_host_that_ignores_its_children_learns_it_by_asking() {
    const TEST: &str = "commands::a_host_that_ignores_its_children_learns_it_by_asking";
    let Some((_, place)) = own_part() else {
        let place = tempfile::tempdir().unwrap();
        let ignoring = part(TEST, "ignore", place.path());
        let mut shell = std::process::Command::new("/usr/bin/env");
        shell.arg("--ignore-signal=CHLD").arg(ignoring.get_program());
        let variables = ignoring.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let child = shell.args(ignoring.get_args()).envs(variables).output().unwrap();
        assert!(child.status.success(), "{child:?}");
        return;
    };
    let anchor = keeper(&place);
    let logs = Logs::of(5);
    let unknown = anchor.get(asked(1)).unwrap_err();
    assert!(unknown.contains("not known"), "{unknown}");
    assert_eq!(put(&anchor, &logs, (1, 5), 0), Ok(Put::Kept));
    assert_eq!(kept(&anchor, 1), Some(5));
    let forgetful = commands("cat >/dev/null; exit 1", "echo something else");
    assert!(put(&forgetful, &logs, (1, 5), 0).is_err());
    assert!(in_time(|| commands("true", "sleep 77").get(asked(1))).is_err());
}
