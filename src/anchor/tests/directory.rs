//! The directory: what it keeps, what it refuses, and that nothing is half written whoever is
//! killed in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use tempfile::TempDir;

use super::*;
use crate::anchor::directory::Directory;
use crate::system::files::{Access, LockKind, RecordLock, open_or_create};

fn directory(place: &Path) -> Directory {
    Directory {
        path: place.to_owned(),
        tokens: PathBuf::from("/nowhere/tokens"),
        access: Access::Owner,
        limit: LIMIT,
    }
}

fn scratch() -> (TempDir, Directory) {
    let place = tempfile::tempdir().unwrap();
    let anchor = directory(place.path());
    (place, anchor)
}

#[test]
fn it_keeps_the_newest_checkpoint_and_never_goes_back() {
    let (place, anchor) = scratch();
    let mut logs = Logs::of(9);
    assert_eq!(anchor.get(asked(1)), Ok(None));
    for (size, then) in [(3, 3), (3, 3), (7, 7)] {
        assert_eq!(put(&anchor, &logs, (1, size), 0), Ok(Put::Kept));
        assert_eq!(kept(&anchor, 1), Some(then));
    }
    let newer = |generation, size| Ok(Put::Newer { generation, size });
    assert_eq!(put(&anchor, &logs, (1, 5), 0), newer(1, 7));
    assert_eq!(kept(&anchor, 1), Some(7));
    logs.begin(2, Some(logs.note(1, 9).to_string()));
    assert_eq!(put(&anchor, &logs, (2, 1), 0), Ok(Put::Kept));
    assert_eq!(put(&anchor, &logs, (1, 9), 0), newer(2, 1));
    let found = fs::read(place.path().join(SERIAL)).unwrap();
    assert_eq!(found, logs.note(2, 1).to_string().as_bytes());
    let mode = fs::metadata(place.path().join(SERIAL)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn another_root_of_the_same_size_contradicts() {
    let (_place, anchor) = scratch();
    let (mut one, mut other) = (Logs::of(2), Logs::of(2));
    one.grow(1, 5, "");
    other.grow(1, 5, " elsewhere");
    assert_eq!(put(&anchor, &one, (1, 5), 0), Ok(Put::Kept));
    assert_eq!(put(&anchor, &other, (1, 5), 0), Ok(Put::Contradicted));
    assert_eq!(put(&anchor, &one, (1, 5), 0), Ok(Put::Kept));
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let (place, _) = scratch();
    let anchor = directory(&place.path().join("unmounted"));
    assert!(anchor.get(asked(1)).is_err());
    assert!(put(&anchor, &Logs::of(3), (1, 3), 0).is_err());
    assert!(!place.path().join("unmounted").exists());
}

#[test]
fn a_place_among_the_tokens_is_refused_also_behind_a_link() {
    let place = tempfile::tempdir().unwrap();
    let tokens = place.path().join("data");
    fs::create_dir_all(tokens.join("tokens/anchors")).unwrap();
    let link = place.path().join("link");
    std::os::unix::fs::symlink(tokens.join("tokens"), &link).unwrap();
    for path in [tokens.clone(), tokens.join("tokens"), tokens.join("tokens/anchors"), link] {
        let anchor = Directory { tokens: tokens.clone(), ..directory(&path) };
        let why = put(&anchor, &Logs::of(3), (1, 3), 0).unwrap_err();
        assert!(why.contains("with the tokens"), "{why}");
        assert!(anchor.get(asked(1)).is_err());
    }
    let beside = place.path().join("data-anchors");
    fs::create_dir(&beside).unwrap();
    let anchor = Directory { tokens, ..directory(&beside) };
    assert_eq!(put(&anchor, &Logs::of(3), (1, 3), 0), Ok(Put::Kept));
}

#[test]
fn what_is_no_checkpoint_is_neither_believed_nor_overwritten() {
    let (place, anchor) = scratch();
    let file = place.path().join(SERIAL);
    for content in [b"".as_slice(), b"no checkpoint\n", &[0xff; 100]] {
        fs::write(&file, content).unwrap();
        assert!(put(&anchor, &Logs::of(3), (1, 3), 0).is_err());
        assert_eq!(fs::read(&file).unwrap(), content);
    }
    fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
    assert!(anchor.get(asked(1)).unwrap_err().contains("more than a checkpoint"));
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(anchor.get(asked(1)).is_err());
    assert!(put(&anchor, &Logs::of(3), (1, 3), 0).is_err());
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(anchor.get(asked(1)).is_err());
}

#[test]
fn what_a_killed_process_left_is_written_over() {
    let (place, anchor) = scratch();
    fs::write(place.path().join(format!(".{SERIAL}.new")), vec![b'x'; 100_000]).unwrap();
    assert_eq!(put(&anchor, &Logs::of(3), (1, 3), 0), Ok(Put::Kept));
    assert_eq!(kept(&anchor, 1), Some(3));
}

#[test]
fn processes_that_are_killed_at_any_moment_leave_it_whole_and_never_take_it_back() {
    const TEST: &str = "directory::\
        processes_that_are_killed_at_any_moment_leave_it_whole_and_never_take_it_back";
    const SIZES: u64 = 60;
    let logs = Logs::of(SIZES);
    if let Some((_, place)) = own_part() {
        let anchor = directory(&place);
        for size in (1..=SIZES).cycle() {
            // Smaller ones are tried as well.
            let _ = put(&anchor, &logs, (1, size), 0);
        }
        return;
    }
    let (place, anchor) = scratch();
    let mut last = 0;
    for round in 0..12_u64 {
        let mut writers: Vec<_> = (0..3)
            .map(|_| part(TEST, "write", place.path()).stdout(Stdio::null()).spawn().unwrap())
            .collect();
        let until = Instant::now() + Duration::from_millis(60 + 17 * round);
        while Instant::now() < until {
            let now = kept(&anchor, 1).unwrap_or(0);
            assert!(now >= last, "it went back from {last} to {now}");
            last = now;
        }
        for writer in &mut writers {
            writer.kill().unwrap();
            writer.wait().unwrap();
        }
        let now = kept(&anchor, 1).unwrap_or(0);
        assert!(now >= last, "it went back from {last} to {now}");
        if now == SIZES {
            // Again from the beginning.
            fs::remove_file(place.path().join(SERIAL)).unwrap();
            last = 0;
        }
    }
    assert_eq!(put(&anchor, &logs, (1, SIZES), 0), Ok(Put::Kept), "the lock is free");
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().collect();
    assert!(left.len() <= 3, "{left:?}");
}

#[test]
fn a_lock_that_is_not_given_up_is_not_waited_for_for_ever() {
    const TEST: &str = "directory::a_lock_that_is_not_given_up_is_not_waited_for_for_ever";
    if let Some((_, place)) = own_part() {
        let lock = place.join(format!(".{SERIAL}.lock"));
        let lock = open_or_create(&lock, Access::Owner).unwrap();
        let _held = RecordLock::wait(&lock, 0, LockKind::Exclusive).unwrap();
        fs::write(place.join("held"), b"").unwrap();
        return std::thread::sleep(Duration::from_secs(60));
    }
    let (place, anchor) = scratch();
    let mut holder = part(TEST, "hold", place.path()).stdout(Stdio::null()).spawn().unwrap();
    while !place.path().join("held").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let why = in_time(|| put(&anchor, &Logs::of(3), (1, 3), 0)).unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(why.contains("lock"), "{why}");
    assert_eq!(put(&anchor, &Logs::of(3), (1, 3), 0), Ok(Put::Kept));
}
