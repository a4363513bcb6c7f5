//! Many processes on one token: tries, writers, forks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::store::attempt::Attempt;
use crate::store::{Query, Role, Store, TRIES};

fn start(test: &str, name: &str, scratch: &Scratch, count: usize) -> Vec<Child> {
    (0..count).map(|_| part(test, name, &scratch.token).spawn().unwrap()).collect()
}

#[test]
fn wrong_pins_of_many_processes_lock_after_exactly_ten() {
    const TEST: &str = "processes::wrong_pins_of_many_processes_lock_after_exactly_ten";
    if let Some((_, token)) = own_part() {
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&token, OPENING).unwrap());
        let mut allowed = 0;
        while let Attempt::Allowed(counted) = store.begin_attempt(Role::User).unwrap() {
            std::thread::sleep(Duration::from_millis(3));
            drop(counted);
            allowed += 1;
        }
        return println!("answer: {allowed}");
    }
    let scratch = Scratch::new();
    let answers = answers(start(TEST, "wrong", &scratch, 8));
    let allowed: u32 = answers.iter().map(|answer| answer.parse::<u32>().unwrap()).sum();
    assert_eq!(allowed, TRIES, "{answers:?}");
    assert_eq!(read(&scratch.open(), |t| t.tries(Role::User)), 0);
}

#[test]
fn right_pins_of_many_processes_do_not_lock_each_other_out() {
    const TEST: &str = "processes::right_pins_of_many_processes_do_not_lock_each_other_out";
    if let Some((_, token)) = own_part() {
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&token, OPENING).unwrap());
        return std::thread::scope(|scope| {
            // To the kernel, a thread that writes here and one that waits there are a deadlock.
            scope.spawn(|| {
                for _ in 0..10 {
                    write(&*store, |t| t.insert(&object("")));
                }
            });
            println!("answer: {}", log_in_five_times(&*store));
        });
    }
    let scratch = Scratch::new();
    write(&scratch.open(), |t| t.set_tries(Role::User, 2));
    let answers = answers(start(TEST, "right", &scratch, 16));
    assert!(answers.iter().all(|answer| answer == "fine"), "{answers:?}");
    assert_eq!(read(&scratch.open(), |t| t.tries(Role::User)), TRIES);
}

fn log_in_five_times(store: &dyn Store) -> &'static str {
    for _ in 0..5 {
        match store.begin_attempt(Role::User).unwrap() {
            Attempt::Allowed(counted) => {
                std::thread::sleep(Duration::from_millis(10));
                counted.succeed(TRIES).unwrap();
            }
            Attempt::Locked => return "locked out",
        }
    }
    "fine"
}

#[test]
fn a_killed_attempt_stays_counted_and_blocks_nobody() {
    const TEST: &str = "processes::a_killed_attempt_stays_counted_and_blocks_nobody";
    if let Some((_, token)) = own_part() {
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&token, OPENING).unwrap());
        let _counted = store.begin_attempt(Role::User).unwrap();
        println!("answer: counted");
        std::process::exit(0);
    }
    let scratch = Scratch::new();
    write(&scratch.open(), |t| t.set_tries(Role::User, 1));
    answers(start(TEST, "killed", &scratch, 1));
    let store: Box<dyn Store> = Box::new(scratch.open());
    assert!(matches!(store.begin_attempt(Role::User).unwrap(), Attempt::Locked));
}

#[test]
fn writers_of_many_processes_lose_nothing() {
    const TEST: &str = "processes::writers_of_many_processes_lose_nothing";
    const EACH: usize = 15;
    if let Some((_, token)) = own_part() {
        let mut ids = Vec::new();
        for number in 0..EACH {
            // Opened anew each time: the last to close removes the log under the others' eyes.
            let store = SqliteStore::open(&token, OPENING).unwrap();
            let one = object(&format!("{number}"));
            let before = store.generation();
            write(&store, |t| t.insert(&one));
            let after = store.generation();
            assert!(before.is_none() || after.is_none() || after > before);
            ids.push(one.id.to_string());
        }
        return println!("answer: {}", ids.join(" "));
    }
    let scratch = Scratch::new();
    let answers = answers(start(TEST, "writer", &scratch, 8));
    let told: BTreeSet<_> = answers.iter().flat_map(|line| line.split(' ')).collect();
    let store = scratch.open();
    let found = read(&store, |t| t.find(&Query::default()));
    let found: BTreeSet<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 8 * EACH);
    assert!(told.iter().copied().eq(found.iter().map(String::as_str)));
    assert!(store.generation().is_some());
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    const TEST: &str = "processes::a_killed_writer_loses_nothing_that_it_acknowledged";
    if let Some((_, token)) = own_part() {
        let store = SqliteStore::open(&token, OPENING).unwrap();
        loop {
            let pair = [object("one half"), object("the other")];
            write(&store, |t| t.insert(&pair[0]).and(t.insert(&pair[1])));
            println!("kept: {}", pair[0].id);
        }
    }
    let scratch = Scratch::new();
    let mut told = Vec::new();
    for round in 0..12 {
        let mut child = start(TEST, "writer", &scratch, 1).remove(0);
        std::thread::sleep(Duration::from_millis(60 + round * 7));
        child.kill().unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let (whole, _) = said.rsplit_once('\n').unwrap_or_default();
        told.extend(
            whole.lines().filter_map(|line| line.strip_prefix("kept: ")).map(str::to_owned),
        );
        let store = scratch.open();
        let found = read(&store, |t| t.find(&Query::default()));
        assert_eq!(found.len() % 2, 0, "pairs are whole");
        let found: BTreeSet<_> = found.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|id| found.contains(id)), "after {} objects", told.len());
    }
    assert!(!told.is_empty());
}

#[test]
fn of_two_that_make_one_token_one_succeeds() {
    const TEST: &str = "processes::of_two_that_make_one_token_one_succeeds";
    if let Some((_, place)) = own_part() {
        let (token, _) = new_token("same");
        let made = SqliteStore::create(&place, &token, OPENING);
        return println!("answer: {}", if made.is_ok() { "made" } else { "refused" });
    }
    let place = tempfile::tempdir().unwrap();
    let children = (0..4).map(|_| part(TEST, "maker", place.path()).spawn().unwrap()).collect();
    let answers = answers(children);
    assert_eq!(answers.iter().filter(|answer| *answer == "made").count(), 1, "{answers:?}");
    let store = SqliteStore::open(&place.path().join("same"), OPENING).unwrap();
    assert_eq!(read(&store, |t| t.token()).serial, "same");
}

#[test]
fn a_commit_that_was_cut_short_makes_everyone_ask() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let before = store.generation().unwrap();
    // What a writer leaves that was killed between its mark and its commit.
    let marked = (before | 1 << 63).to_le_bytes();
    std::fs::write(scratch.file("generation"), marked).unwrap();
    assert_eq!(store.generation(), None);
    assert_eq!(count(&store), 0, "the database answers");
    assert_eq!(store.generation(), None, "a reader cannot know whether it is over");
    drop(store.begin(Mode::Write).unwrap());
    assert_eq!(store.generation(), Some(before + 1), "the next writer does");
    std::fs::write(scratch.file("generation"), "").unwrap();
    assert_eq!(store.generation(), None);
    write(&store, |t| t.insert(&object("one")));
    assert!(store.generation().is_some());
}

/// With the feature `failpoints` only: children that end in the middle of a commit.
#[cfg(feature = "failpoints")]
#[test]
fn a_crash_at_any_point_of_a_commit_leaves_all_or_nothing() {
    const TEST: &str = "processes::a_crash_at_any_point_of_a_commit_leaves_all_or_nothing";
    if let Some((name, place)) = own_part() {
        match name.as_str() {
            "create" => drop(SqliteStore::create(&place, &new_token("made").0, OPENING)),
            _ => drop(write(&SqliteStore::open(&place, OPENING).unwrap(), |t| {
                t.insert(&object("first"))?;
                t.insert(&object("second"))
            })),
        }
        return println!("answer: not reached");
    }
    let crash = |name: &str, point: &str, place: &Path| {
        let mut command = part(TEST, name, place);
        let status = command.env("CLAVIGER_FAILPOINT", point).status().unwrap();
        assert_eq!(status.code(), Some(137), "{point}");
    };
    for (point, kept, settled) in [
        ("store.before-commit", 0, true),
        ("store.marked", 0, false),
        ("store.committed", 2, false),
        ("store.after-commit", 2, true),
    ] {
        let scratch = Scratch::new();
        crash("insert", point, &scratch.token);
        let store = scratch.open();
        assert_eq!(store.generation().is_some(), settled, "{point}");
        assert_eq!(count(&store), kept, "{point}");
        assert_eq!(write(&store, |t| t.insert(&object("next"))), kept, "{point}");
        assert!(store.generation().is_some());
    }
    for (point, made) in [("store.create.before-rename", false), ("store.create.renamed", true)] {
        let place = tempfile::tempdir().unwrap();
        crash("create", point, place.path());
        let found = seen_in(place.path());
        assert_eq!(found.len(), usize::from(made), "{point}");
        for token in found {
            let store = SqliteStore::open(&place.path().join(token), OPENING).unwrap();
            assert_eq!(read(&store, |t| t.token()).serial, "made");
        }
    }
}
