//! Damaged, foreign, newer and full databases.

use std::fs;

use super::*;
use crate::store::{Query, Store, StoreError};

fn opened(scratch: &Scratch) -> Result<(), StoreError> {
    SqliteStore::open(&scratch.token, OPENING).map(|_| ())
}

fn corrupt(scratch: &Scratch) -> bool {
    matches!(opened(scratch), Err(StoreError::Corrupt(_)))
}

#[test]
fn an_empty_or_truncated_file_is_corrupt() {
    let scratch = Scratch::new();
    let whole = fs::read(scratch.file("token.db")).unwrap();
    assert_eq!(whole.len() % 4096, 0);
    for len in [0, 1, 15, 16, 99, 100, 4095, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(scratch.file("token.db"), &whole[..len]).unwrap();
        assert!(corrupt(&scratch), "{len} of {} bytes: {:?}", whole.len(), opened(&scratch));
    }
    fs::write(scratch.file("token.db"), &whole).unwrap();
    assert_eq!(opened(&scratch), Ok(()));
}

#[test]
fn what_is_not_a_database_is_corrupt() {
    let scratch = Scratch::new();
    fs::write(scratch.file("token.db"), "not a database\n".repeat(1000)).unwrap();
    assert!(corrupt(&scratch));
    fs::remove_file(scratch.file("token.db")).unwrap();
    assert_eq!(opened(&scratch), Err(StoreError::Missing));
    fs::create_dir(scratch.file("token.db")).unwrap();
    assert!(corrupt(&scratch));
    fs::remove_dir(scratch.file("token.db")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", scratch.file("token.db")).unwrap();
    assert!(corrupt(&scratch), "a link leads anywhere");
}

#[test]
fn a_database_of_something_else_is_foreign() {
    let scratch = Scratch::new();
    fs::remove_file(scratch.file("token.db")).unwrap();
    alter(&scratch, "CREATE TABLE users (name TEXT); PRAGMA user_version = 1;");
    let before = fs::read(scratch.file("token.db")).unwrap();
    assert_eq!(opened(&scratch), Err(StoreError::Foreign));
    assert_eq!(fs::read(scratch.file("token.db")).unwrap(), before, "and left alone");
}

#[test]
fn a_later_format_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    alter(&scratch, "PRAGMA user_version = 2");
    assert_eq!(opened(&scratch), Err(StoreError::Newer(2)));
    alter(&scratch, "PRAGMA user_version = 0");
    assert!(corrupt(&scratch));
}

#[test]
fn tables_that_are_not_ours_are_refused() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON object BEGIN DELETE FROM object; END",
        "CREATE VIEW v AS SELECT * FROM object",
        "CREATE TABLE more (one INTEGER)",
        "DROP INDEX object_by_class",
        "ALTER TABLE object ADD COLUMN more INTEGER",
    ] {
        let scratch = Scratch::new();
        alter(&scratch, sql);
        assert!(corrupt(&scratch), "{sql}");
    }
}

#[test]
fn rows_that_cannot_be_are_corrupt_and_not_a_panic() {
    let broken = |sql: &str, look: fn(&dyn Store) -> StoreError| {
        let scratch = Scratch::new();
        alter(&scratch, &format!("PRAGMA ignore_check_constraints = ON; {sql}"));
        let error = look(&scratch.open());
        assert!(matches!(error, StoreError::Corrupt(_)), "{sql}: {error:?}");
    };
    let token: fn(&dyn Store) -> StoreError =
        |store| store.begin(Mode::Read).unwrap().token().unwrap_err();
    broken("DELETE FROM token", token);
    broken("UPDATE token SET label = x'00'", token);
    broken("DELETE FROM pin WHERE role = 0", token);
    broken("UPDATE pin SET salt = NULL WHERE role = 0", token);
    broken("UPDATE pin SET tries = -1 WHERE role = 1", token);
    broken("UPDATE pin SET memory_kib = 1 << 40 WHERE role = 0", token);
    broken("UPDATE pin SET sealed_master = NULL WHERE role = 0", token);
    let find: fn(&dyn Store) -> StoreError =
        |store| store.begin(Mode::Read).unwrap().find(&Query::default()).unwrap_err();
    broken("INSERT INTO object VALUES (1, x'00', 1, 0, NULL, 0, 1, x'', x'', x'')", find);
}

#[test]
fn any_changed_byte_gives_an_answer() {
    let scratch = Scratch::new();
    let objects: Vec<_> = (0..20).map(|number| object(&format!("label {number}"))).collect();
    let store = scratch.open();
    write(&store, |t| objects.iter().try_for_each(|one| t.insert(one).map(|_| ())));
    drop(store);
    let whole = fs::read(scratch.file("token.db")).unwrap();
    let mut unusable = 0;
    for place in (0..whole.len()).step_by(149) {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        fs::write(scratch.file("token.db"), &changed).unwrap();
        unusable += u32::from(exercise(&scratch, &objects).is_err());
    }
    assert!(unusable > 0);
    fs::write(scratch.file("token.db"), &whole).unwrap();
    assert_eq!(exercise(&scratch, &objects), Ok(()));
}

/// Reads and writes everything; what comes back may be wrong, for the seals and the state tree
/// to find out.
fn exercise(scratch: &Scratch, objects: &[crate::store::StoredObject]) -> Result<(), StoreError> {
    let store = SqliteStore::open(&scratch.token, OPENING)?;
    let mut transaction = store.begin(Mode::Write)?;
    transaction.token()?;
    transaction.epoch_key(1)?;
    let found = transaction.find(&Query::default())?;
    for id in &found {
        transaction.get(id)?;
    }
    for one in objects {
        let search = one.search.iter().map(|row| (row.attribute, vec![row.value.clone()]));
        transaction.find(&Query { search: search.collect(), ..Query::default() })?;
        transaction.remove(&one.id)?;
        transaction.insert(one)?;
    }
    transaction.commit()
}
