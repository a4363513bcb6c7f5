//! Someone changes the objects of a token, without the PIN: what is found out, and what goes on.

use std::fs;

use super::*;
use crate::store::contract::begin_signed;
use crate::store::{ObjectId, StoreError, StoredObject};

/// A token with five objects; the third has a second version, the fourth is destroyed.
pub(super) struct Victim {
    pub(super) scratch: Scratch,
    pub(super) objects: Vec<StoredObject>,
}

impl Victim {
    pub(super) fn new() -> Self {
        let scratch = Scratch::new();
        let mut objects: Vec<_> = (0..5).map(|number| object(&format!("{number}"))).collect();
        objects[1].private = true;
        let store = scratch.open();
        for one in &mut objects {
            one.slot = write(&store, |t| t.insert(one));
        }
        alter(&scratch, "CREATE TABLE aside AS SELECT * FROM object; PRAGMA wal_checkpoint");
        drop(store);
        // The old rows are kept beside the token, whose tables must be its own.
        fs::copy(scratch.file("token.db"), scratch.place.path().join("aside.db")).unwrap();
        alter(&scratch, "DROP TABLE aside");
        let store = scratch.open();
        objects[2].version = 2;
        write(&store, |t| t.replace(&objects[2]));
        write(&store, |t| t.remove(&objects[3].id));
        drop(store);
        scratch.assert_sound();
        Self { scratch, objects }
    }

    pub(super) fn alter(&self, sql: &str) {
        let aside = self.scratch.place.path().join("aside.db");
        alter(&self.scratch, &format!("ATTACH '{}' AS old; {sql}", aside.display()));
    }

    pub(super) fn get(&self, place: usize) -> Result<Option<StoredObject>, StoreError> {
        self.scratch.open().begin(Mode::Read).unwrap().get(&self.objects[place].id)
    }

    /// These objects are told to be tampered with, the others are what they were.
    pub(super) fn assert_tampered(&self, tampered: &[usize]) {
        for (place, one) in self.objects.iter().enumerate() {
            let found = self.get(place);
            if tampered.contains(&place) {
                assert_eq!(found, Err(StoreError::Tampered(one.id)), "object {place}");
            } else if place != 3 {
                assert_eq!(found, Ok(Some(one.clone())), "object {place}");
            }
        }
    }

    fn id(&self, place: usize) -> String {
        format!("x'{}'", self.objects[place].id)
    }
}

pub(super) fn tampered(found: Result<CheckedHead, HeadFault>) -> String {
    match found {
        Err(HeadFault::Tampered(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_row_is_quarantined_and_the_others_are_not() {
    for change in [
        "clear = x'00'",
        "sealed = x'00'",
        "data_key = x'00'",
        "private = 0",
        "class = 3",
        "key_type = 0",
        "epoch = 2",
        "version = 2",
        "version = 0",
    ] {
        let victim = Victim::new();
        victim.alter(&format!("UPDATE object SET {change} WHERE id = {}", victim.id(1)));
        victim.assert_tampered(&[1]);
        let checked = victim.scratch.check().unwrap();
        assert_eq!((checked.missing, checked.surplus), (0, 0), "{change}");
        let store = victim.scratch.open();
        write(&store, |t| t.insert(&object("work goes on")));
        let mut transaction = begin_signed(&store);
        let refused = Err(StoreError::Tampered(victim.objects[1].id));
        assert_eq!(transaction.remove(&victim.objects[1].id), refused);
        drop(transaction);
        drop(store);
        victim.assert_tampered(&[1]);
    }
}

#[test]
fn search_rows_belong_to_the_row() {
    for change in [
        "DELETE FROM search WHERE slot = 1",
        "UPDATE search SET value = x'00' WHERE slot = 1",
        "UPDATE search SET attribute = 4 WHERE slot = 1",
        "INSERT INTO search VALUES (3, x'41', 1)",
    ] {
        let victim = Victim::new();
        victim.alter(change);
        victim.assert_tampered(&[1]);
    }
}

#[test]
fn an_older_row_does_not_come_back() {
    let victim = Victim::new();
    victim.alter("INSERT OR REPLACE INTO object SELECT * FROM old.object WHERE slot = 2");
    victim.assert_tampered(&[2]);
}

#[test]
fn a_destroyed_object_does_not_come_back() {
    let victim = Victim::new();
    victim.alter(
        "INSERT INTO object SELECT * FROM old.object WHERE slot = 3;
        INSERT INTO search SELECT * FROM old.search WHERE slot = 3; DELETE FROM free_slot",
    );
    victim.assert_tampered(&[3]);
    assert_eq!(victim.scratch.check().unwrap().surplus, 1);
}

#[test]
fn a_removed_row_is_missed() {
    let victim = Victim::new();
    victim.alter("DELETE FROM object WHERE slot = 4; DELETE FROM search WHERE slot = 4");
    assert_eq!(victim.get(4), Ok(None));
    assert_eq!(victim.scratch.check().unwrap().missing, 1);
    let store = victim.scratch.open();
    assert_eq!(write(&store, |t| t.insert(&object("in the slot of the destroyed one"))), 3);
    assert_eq!(write(&store, |t| t.insert(&object("not in that of the removed one"))), 5);
    assert_eq!(write(&store, |t| t.insert(&object("and behind it"))), 6);
}

#[test]
fn slots_that_are_listed_as_free_may_not_be() {
    let victim = Victim::new();
    victim.alter(
        "INSERT INTO free_slot VALUES (0), (1), (9223372036854775807);
        UPDATE object SET slot = 9223372036854775806 WHERE slot = 4",
    );
    let store = victim.scratch.open();
    assert_eq!(write(&store, |t| t.insert(&object("one"))), 3);
    assert_eq!(write(&store, |t| t.insert(&object("two"))), 5);
    victim.assert_tampered(&[4]);
}

#[test]
fn swapped_rows_are_both_quarantined() {
    let victim = Victim::new();
    victim.alter(
        "UPDATE object SET slot = 99 WHERE slot = 0; UPDATE object SET slot = 0 WHERE slot = 1;
        UPDATE object SET slot = 1 WHERE slot = 99;
        UPDATE search SET slot = 99 WHERE slot = 0; UPDATE search SET slot = 0 WHERE slot = 1;
        UPDATE search SET slot = 1 WHERE slot = 99",
    );
    victim.assert_tampered(&[0, 1]);
    let victim = Victim::new();
    victim.alter(&format!(
        "UPDATE object SET id = x'00000000000000000000000000000000' WHERE slot = 0;
        UPDATE object SET id = {} WHERE slot = 1; UPDATE object SET id = {} WHERE slot = 0",
        victim.id(0),
        victim.id(1)
    ));
    victim.assert_tampered(&[0, 1]);
}

#[test]
fn an_index_that_hides_an_object_is_noticed() {
    let victim = Victim::new();
    victim.scratch.check().unwrap();
    let id = victim.objects[0].id;
    let file = victim.scratch.file("token.db");
    let whole = fs::read(&file).unwrap();
    let places: Vec<_> = whole.windows(16).enumerate().filter(|(_, at)| **at == id.0).collect();
    // In the row, in the index over ids, and in the one over classes.
    let mut noticed = 0;
    for (place, _) in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&file, &bytes).unwrap();
        match victim.scratch.check() {
            Ok(_) => victim.assert_tampered(&[]),
            Err(HeadFault::Tampered(why)) => {
                assert!(why.contains("an index hides an object"), "{why}");
                noticed += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(noticed, 2);
}

#[test]
fn an_object_that_was_never_there_is_not_tampered_with() {
    let victim = Victim::new();
    let store = victim.scratch.open();
    assert_eq!(read(&store, |t| t.get(&ObjectId([9; 16]))), None);
    assert_eq!(victim.get(3), Ok(None));
}
