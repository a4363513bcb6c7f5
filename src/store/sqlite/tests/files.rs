//! The files of a token: names, permissions, read-only and missing ones.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::store::sqlite::registry;
use crate::store::{Role, Store, StoreError};
use crate::system::files::Access;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn modes_are_exact_whatever_the_umask_is() {
    if let Some((part, place)) = own_part() {
        let group = part == "group";
        let own_group = fs::metadata(&place).unwrap().gid();
        let access = if group { Access::Group(own_group) } else { Access::Owner };
        let opening = Opening { access, ..OPENING };
        let tokens = place.join("deep/tokens");
        let store = SqliteStore::create(&tokens, &new_token("0001").0, opening).unwrap();
        write(&store, |t| t.insert(&object("so that there is a log")));
        let file_mode = if group { 0o660 } else { 0o600 };
        for name in ["token.db", "token.db-wal", "token.db-shm", "token.lock", "generation"] {
            assert_eq!(mode(&tokens.join("0001").join(name)), file_mode, "{name}");
        }
        let entries = tokens.join("0001/log/1/tile/entries");
        assert_eq!(mode(&entries.join("000")), file_mode);
        let directory_mode = if group { 0o2770 } else { 0o700 };
        for directory in entries.ancestors().take(4) {
            assert_eq!(mode(directory), directory_mode, "{directory:?}");
        }
        for directory in [tokens.join("0001"), tokens, place.join("deep")] {
            assert_eq!(mode(&directory), directory_mode, "{directory:?}");
        }
        return println!("answer: fine");
    }
    for umask in ["000", "022", "077", "777"] {
        for kind in ["owner", "group"] {
            let place = tempfile::tempdir().unwrap();
            let mut command = Command::new("sh");
            command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
            command.arg(std::env::current_exe().unwrap());
            let test = "files::modes_are_exact_whatever_the_umask_is";
            aim(&mut command, test, kind, place.path());
            assert_eq!(answers(vec![command.spawn().unwrap()]), ["fine"], "{umask} {kind}");
        }
    }
}

#[test]
fn a_token_is_made_whole_or_not_at_all() {
    let place = tempfile::tempdir().unwrap();
    let (token, _) = new_token("0001");
    let create = || SqliteStore::create(place.path(), &token, OPENING);
    fs::create_dir(place.path().join(".new-0002")).unwrap();
    let store = create().unwrap();
    assert_eq!(read(&store, |t| t.token()), token.record);
    assert!(create().is_err(), "the name is taken");
    assert_eq!(seen_in(place.path()), ["0001"]);
    assert!(!place.path().join(".new-0001").exists());
    assert_eq!(read(&store, |t| t.token()), token.record, "the first one is untouched");
    for serial in ["", "../0001", "a b", ".new"] {
        let (mut token, _) = new_token("0001");
        token.record.serial = serial.to_owned();
        assert!(SqliteStore::create(place.path(), &token, OPENING).is_err(), "{serial:?}");
    }
}

#[test]
fn the_same_directory_twice_is_one_connection() {
    let scratch = Scratch::new();
    let (first, second) = (scratch.open(), scratch.open());
    let link = scratch.place.path().join("link");
    std::os::unix::fs::symlink(&scratch.token, &link).unwrap();
    let third = SqliteStore::open(&link, OPENING).unwrap();
    assert_eq!((first.key, first.key), (second.key, third.key));
    let kept = object("kept");
    write(&first, |t| t.insert(&kept));
    drop(first);
    assert_eq!(second.generation(), third.generation());
    assert_eq!(read(&second, |t| t.get(&kept.id)).unwrap().version, 1);
    drop((second, third));
    assert!(!scratch.file("token.db-wal").exists(), "closed with the last of them");
    assert_eq!(read(&scratch.open(), |t| t.get(&kept.id)).unwrap().version, 1);
}

#[test]
fn a_second_copy_of_the_library_is_refused_and_keeps_its_locks() {
    let scratch = Scratch::new();
    let other_copy = fs::File::open(scratch.file("token.lock")).unwrap();
    for _ in 0..2 {
        let refused = SqliteStore::open(&scratch.token, OPENING).map(|_| ());
        assert!(matches!(&refused, Err(StoreError::Io(why)) if why.contains("second copy")));
    }
    drop(other_copy);
    assert_eq!(count(&scratch.open()), 0);
}

#[test]
fn a_removed_token_is_missing() {
    let scratch = Scratch::new();
    let (store, other) = (scratch.open(), scratch.open());
    assert_eq!(store.destroy(), Err(StoreError::Busy), "in use in this process");
    fs::remove_dir_all(&scratch.token).unwrap();
    assert!(matches!(other.begin(Mode::Read), Err(StoreError::Missing)));
    assert!(matches!(other.begin(Mode::Write), Err(StoreError::Missing)));
    drop(other);
    assert!(matches!(SqliteStore::open(&scratch.token, OPENING), Err(StoreError::Missing)));

    let scratch = Scratch::new();
    scratch.open().destroy().unwrap();
    assert_eq!(fs::read_dir(scratch.place.path()).unwrap().count(), 0);
    drop(SqliteStore::create(scratch.place.path(), &new_token("0001").0, OPENING).unwrap());
    assert_eq!(count(&scratch.open()), 0);
}

#[test]
fn a_full_disk_is_told_and_the_next_call_works() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let limit = |pages: i64| {
        let registry = registry::lock();
        let connection = registry.connection(store.key).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(1);
    let mut large = object("large");
    large.clear = vec![1; 100_000];
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert_eq!(transaction.insert(&large), Err(StoreError::Full));
    drop(transaction);
    assert_eq!(count(&store), 0);
    write(&store, |t| t.set_tries(Role::User, 3));
    limit(1_000_000);
    write(&store, |t| t.insert(&large));
    assert_eq!(read(&store, |t| t.get(&large.id)).unwrap().clear, large.clear);
}

#[test]
fn an_error_in_the_middle_loses_nothing() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let (first, second) = (object("first"), object("second"));
    let mut transaction = store.begin(Mode::Write).unwrap();
    transaction.insert(&first).unwrap();
    assert!(transaction.insert(&first).is_err());
    transaction.insert(&second).unwrap();
    transaction.commit().unwrap();
    assert_eq!(read(&store, |t| t.find(&crate::store::Query::default())), [first.id, second.id]);
}

#[test]
fn a_token_without_write_permission_is_read_as_it_is() {
    if let Some((part, token)) = own_part() {
        match SqliteStore::open(&token, OPENING) {
            Ok(store) => {
                assert!(store.is_read_only());
                assert!(matches!(store.begin(Mode::Write), Err(StoreError::ReadOnly)));
                let attempt = (&store as &dyn Store).begin_attempt(Role::User);
                assert!(matches!(attempt, Err(StoreError::ReadOnly)));
                assert_eq!(count(&store), 1, "{part}");
                let public = read(&store, |t| t.token()).audit.public;
                let checked = store.begin(Mode::Read).unwrap().check_head(&public);
                assert_eq!(checked.unwrap().size, 3);
                assert!(store.generation().is_some());
                println!("answer: {}", read(&store, |t| t.token()).serial);
            }
            Err(error) => println!("answer: {error}"),
        }
        return;
    }
    let scratch = Scratch::new();
    write(&scratch.open(), |t| t.insert(&object("there")));
    let forbid = |forbidden: bool| {
        let (directory, file) = if forbidden { (0o555, 0o444) } else { (0o700, 0o600) };
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let mut open = vec![scratch.token.clone()];
        while let Some(next) = open.pop() {
            set(&next, 0o700);
            for entry in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
                match entry.is_dir() {
                    true => open.push(entry),
                    false => set(&entry, file),
                }
            }
            set(&next, directory);
        }
    };
    let ask = || {
        let test = "files::a_token_without_write_permission_is_read_as_it_is";
        let child = as_nobody(part(test, "reader", &scratch.token), scratch.place.path());
        answers(vec![child]).remove(0)
    };
    forbid(true);
    assert_eq!(ask(), "0001");
    assert!(!scratch.file("token.db-wal").exists(), "a reader leaves nothing");
    forbid(false);
    let writer = scratch.open();
    write(&writer, |t| t.remove(&t.find(&crate::store::Query::default())?[0]));
    forbid(true);
    assert!(ask().contains("write-ahead log"), "what is in the log would be missed");
    forbid(false);
}

/// Root may do everything: as root, the child is somebody else.
fn as_nobody(command: Command, place: &Path) -> Child {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    if crate::system::environment::effective_user() != 0 {
        let mut command = command;
        return command.spawn().unwrap();
    }
    let program = place.join("test-program");
    fs::copy(command.get_program(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    let mut other = Command::new(&program);
    other.args(command.get_args()).stdout(Stdio::piped()).current_dir("/");
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other.uid(NOBODY).gid(NOBODY);
    loop {
        match other.spawn() {
            // A child of another test still has the copy open for writing.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            other => return other.unwrap(),
        }
    }
}

#[test]
fn nothing_is_called_forgotten_while_somebody_reads_what_was() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let kept = object("as it was");
    write(&store, |t| t.insert(&kept));
    let reader = rusqlite::Connection::open(scratch.file("token.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM object").unwrap();
    write(&store, |t| t.remove(&kept.id));
    assert_eq!(store.forget_replaced(), Ok(false));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(store.forget_replaced(), Ok(true));
    assert_eq!(fs::metadata(scratch.file("token.db-wal")).unwrap().len(), 0);
    drop(store);
    drop(reader);
}
