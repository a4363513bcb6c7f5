//! Someone changes the files of a token, without the PIN: what is found out, and what goes on.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::note::NoteSigner;
use crate::store::contract::{begin_signed, pin};
use crate::store::head::AuditKey;
use crate::store::vault::{Vault, VaultError};
use crate::store::{ObjectId, Role, StoreError, StoredObject, Transaction};

/// A token with five objects; the third has a second version, the fourth is destroyed.
struct Victim {
    scratch: Scratch,
    objects: Vec<StoredObject>,
}

impl Victim {
    fn new() -> Self {
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

    fn alter(&self, sql: &str) {
        let aside = self.scratch.place.path().join("aside.db");
        alter(&self.scratch, &format!("ATTACH '{}' AS old; {sql}", aside.display()));
    }

    fn get(&self, place: usize) -> Result<Option<StoredObject>, StoreError> {
        self.scratch.open().begin(Mode::Read).unwrap().get(&self.objects[place].id)
    }

    /// These objects are told to be tampered with, the others are what they were.
    fn assert_tampered(&self, tampered: &[usize]) {
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

fn tampered(found: Result<CheckedHead, HeadFault>) -> String {
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
fn a_changed_tree_lets_nothing_in() {
    let victim = Victim::new();
    victim.alter("DELETE FROM state");
    victim.assert_tampered(&[0, 1, 2, 4]);
    let victim = Victim::new();
    victim.alter(
        "INSERT OR REPLACE INTO object SELECT * FROM old.object WHERE slot = 2;
        DELETE FROM state; INSERT INTO state SELECT * FROM old.state",
    );
    assert!(matches!(victim.get(2), Err(StoreError::Tampered(_))));
    victim.alter("UPDATE head SET state_root = (SELECT state_root FROM old.head)");
    assert!(tampered(victim.scratch.check()).contains("state of the objects"));
    let store = victim.scratch.open();
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert!(transaction.sign_with(&signer(&*transaction)).is_err());
}

fn signer(transaction: &dyn Transaction) -> Arc<AuditKey> {
    let record = transaction.token().unwrap();
    let vault = Vault::open(&record, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
    Arc::clone(vault.audit_signer().unwrap())
}

#[test]
fn the_whole_database_of_before_does_not_fit_the_log() {
    let victim = Victim::new();
    let key = victim.scratch.audit_public();
    let before = fs::read(victim.scratch.place.path().join("aside.db")).unwrap();
    let file = fs::OpenOptions::new().write(true).open(victim.scratch.file("token.db")).unwrap();
    file.set_len(0).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &before, 0).unwrap();
    drop(file);
    alter(&victim.scratch, "DROP TABLE aside");
    let store = victim.scratch.open();
    let why = tampered((&store as &dyn Store).check_head(&key));
    assert!(why.contains("older than its log"), "{why}");
}

#[test]
fn one_commit_behind_the_end_was_cut_short_and_two_were_not() {
    let scratch = Scratch::new();
    let entries = directory(&scratch.token, 1).join("tile/entries/000");
    let mut ends = Vec::new();
    let mut heads = Vec::new();
    for number in 0..3 {
        write(&scratch.open(), |t| t.insert(&object(&format!("{number}"))));
        ends.push(fs::read(&entries).unwrap());
        heads.push(fs::read(scratch.file("token.db")).unwrap());
    }
    for (behind, entry) in ends.iter().enumerate() {
        let file = fs::OpenOptions::new().write(true).open(scratch.file("token.db")).unwrap();
        file.set_len(0).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &heads[0], 0).unwrap();
        drop(file);
        fs::write(&entries, entry).unwrap();
        match behind {
            0 => assert_eq!(scratch.check().unwrap().behind, 0),
            1 => assert_eq!(scratch.check().unwrap().behind, 1),
            _ => assert!(tampered(scratch.check()).contains("older than its log")),
        }
    }
}

#[test]
fn a_process_that_saw_the_log_longer_does_not_take_a_shorter_one() {
    let victim = Victim::new();
    let key = victim.scratch.audit_public();
    let store = victim.scratch.open();
    let check = || store.begin(Mode::Read).unwrap().check_state(&key);
    let before = head_row(&victim.scratch);
    write(&store, |t| t.insert(&object("one more")));
    assert_eq!(check(), Ok(()));
    alter(&victim.scratch, &before);
    assert!(matches!(check(), Err(HeadFault::Tampered(why)) if why.contains("shorter")));
}

/// A statement that puts the head back as it is now.
fn head_row(scratch: &Scratch) -> String {
    let _registry = registry::lock();
    let connection = rusqlite::Connection::open(scratch.file("token.db")).unwrap();
    let sql = "SELECT 'INSERT OR REPLACE INTO head VALUES (1,' || generation || ',' || size || ','
        || quote(root) || ',' || quote(frontier) || ',' || last_at || ',' || last_len || ','
        || quote(checkpoint) || ',' || quote(state_root) || ',' || room || ',' || slots || ','
        || quote(audit_public) || ',' || quote(sealed_audit_key) || ')' FROM head";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_state_that_nobody_signed_is_noticed_amid_a_login() {
    let victim = Victim::new();
    let key = victim.scratch.audit_public();
    let store = victim.scratch.open();
    let check = || store.begin(Mode::Read).unwrap().check_state(&key);
    assert_eq!(check(), Ok(()));
    // An older row, with the tree and the root that go with it.
    victim.alter(
        "INSERT OR REPLACE INTO object SELECT * FROM old.object WHERE slot = 2;
        DELETE FROM state; INSERT INTO state SELECT * FROM old.state;
        UPDATE head SET state_root = (SELECT state_root FROM old.head)",
    );
    assert!(matches!(check(), Err(HeadFault::Tampered(why)) if why.contains("state")));
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
fn what_the_head_says_is_what_was_signed() {
    for (change, what) in [
        ("UPDATE head SET state_root = zeroblob(32)", "state of the objects"),
        ("UPDATE head SET slots = slots + 1", "state of the objects"),
        ("UPDATE head SET root = zeroblob(32)", "checkpoint"),
        ("UPDATE head SET size = size - 1", "checkpoint"),
        ("UPDATE head SET generation = 2", "log"),
        ("UPDATE head SET frontier = x''", "edge"),
        ("UPDATE head SET last_at = last_at - 1", "end"),
        ("UPDATE head SET last_len = last_len - 1", "end"),
        ("UPDATE head SET checkpoint = (SELECT checkpoint FROM old.head)", "checkpoint"),
        ("UPDATE head SET checkpoint = ''", "checkpoint"),
        ("UPDATE head SET sealed_audit_key = x'00'", "record"),
        ("UPDATE token SET label = zeroblob(32)", "record"),
        ("UPDATE token SET instance = zeroblob(16)", "record"),
        ("UPDATE token SET epoch = 2", "record"),
        ("UPDATE pin SET memory_kib = 9 WHERE role = 0", "record"),
        ("UPDATE pin SET salt = zeroblob(16) WHERE role = 0", "record"),
        ("INSERT INTO lane VALUES (1, 0)", "lanes"),
        ("INSERT INTO pending VALUES (1, NULL)", "unsigned"),
        ("INSERT INTO pending VALUES (0, NULL)", "state of the objects"),
    ] {
        let victim = Victim::new();
        victim.alter(change);
        let why = tampered(victim.scratch.check());
        assert!(why.contains(what), "{change}: {why}");
    }
    let victim = Victim::new();
    victim.alter("UPDATE pin SET tries = 3");
    assert!(victim.scratch.check().is_ok(), "tries are nobody's");
}

#[test]
fn an_older_head_does_not_fit_the_rows() {
    let victim = Victim::new();
    victim.alter("INSERT OR REPLACE INTO head SELECT * FROM old.head");
    assert!(tampered(victim.scratch.check()).contains("older than its log"));
    victim.assert_tampered(&[0, 1, 2, 4]);
}

#[test]
fn an_unsigned_change_is_no_way_in() {
    let victim = Victim::new();
    // Whoever knows the format can make a public object; that is what the policy allows.
    let store = victim.scratch.open();
    let mut transaction = store.begin(Mode::Write).unwrap();
    transaction.replace(&StoredObject { version: 2, ..victim.objects[0].clone() }).unwrap();
    transaction.commit().unwrap();
    drop(store);
    assert_eq!(victim.scratch.check().unwrap().pending, 1);
    victim.alter("UPDATE pending SET before = NULL");
    assert!(tampered(victim.scratch.check()).contains("state of the objects"));

    let victim = Victim::new();
    let store = victim.scratch.open();
    let mut transaction = store.begin(Mode::Write).unwrap();
    transaction.remove(&victim.objects[0].id).unwrap();
    transaction.commit().unwrap();
    drop(store);
    victim.alter("UPDATE object SET slot = 0, private = 0 WHERE slot = 1; DELETE FROM free_slot");
    tampered(victim.scratch.check());
}

#[test]
fn a_record_that_waits_cannot_tell_of_a_login() {
    let record = |kind: &str, role: &str| {
        format!(
            "INSERT INTO pending_leaf (leaf) VALUES (CAST('{{\"kind\":\"{kind}\",\"lane\":\
             \"0000000000000000\",\"seq\":0,\"time\":\"2026-11-21T20:24:05.123456Z\",\
             \"role\":\"{role}\",\"session\":1,\"call\":\"C_DestroyObject\",\
             \"rv\":\"CKR_OK\",\"head\":0}}' AS BLOB))"
        )
    };
    let commit = |sql: &str| {
        let victim = Victim::new();
        victim.alter(sql);
        let store = victim.scratch.open();
        let mut transaction = begin_signed(&store);
        transaction.insert(&object("next")).unwrap();
        transaction.commit()
    };
    assert_eq!(commit(&record("change", "none")), Ok(()));
    let others = ["INSERT INTO pending_leaf (leaf) VALUES (x'7b7d')".to_owned()];
    for sql in others.into_iter().chain(["user", "so"].map(|role| record("change", role))) {
        assert!(matches!(commit(&sql), Err(StoreError::Distrusted(_))), "{sql}");
    }
}

#[test]
fn a_log_that_was_cut_or_changed_is_noticed() {
    let entries = |victim: &Victim| directory(&victim.scratch.token, 1).join("tile/entries/000");
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        let victim = Victim::new();
        let mut bytes = fs::read(entries(&victim)).unwrap();
        change(&mut bytes);
        fs::write(entries(&victim), bytes).unwrap();
        victim
    };
    let victim = change(&|bytes| bytes.truncate(bytes.len() - 1));
    assert!(tampered(victim.scratch.check()).contains("end of the log"));
    let store = victim.scratch.open();
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert!(transaction.sign_with(&signer(&*transaction)).is_err());
    drop(transaction);
    drop(store);
    let victim = change(&|bytes| bytes.clear());
    tampered(victim.scratch.check());
    let victim = change(&|bytes| *bytes.last_mut().unwrap() ^= 1);
    assert!(tampered(victim.scratch.check()).contains("end as signed"));
    let victim = change(&|bytes| bytes[40] ^= 1);
    assert!(tampered(victim.scratch.check()).contains("entries of the log"));
    assert!(!victim.scratch.verify().is_sound());
    let victim = change(&|bytes| bytes.extend_from_slice(b"left by somebody who was killed"));
    victim.scratch.assert_sound();
    write(&victim.scratch.open(), |t| t.insert(&object("overwrites it")));
    victim.scratch.assert_sound();
    let victim = Victim::new();
    fs::remove_dir_all(victim.scratch.file("log")).unwrap();
    tampered(victim.scratch.check());
}

#[test]
fn a_new_key_that_signs_everything_anew_is_not_the_one_that_was_sealed() {
    let victim = Victim::new();
    let (stranger, other) = new_token("0001");
    let head = read(&victim.scratch.open(), |t| t.head());
    let seed = crate::secret::Secret::copy_of(&[7; 32]).unwrap();
    let signer = NoteSigner::from_seed(&head.origin("0001"), &seed).unwrap();
    let PublicKey::Ed25519(public) = signer.verifier().public() else { panic!("Ed25519") };
    let checkpoint = Checkpoint { origin: head.origin("0001"), size: head.size, root: head.root };
    let checkpoint = checkpoint.sign(&signer).unwrap().to_string();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    victim.alter(&format!(
        "UPDATE head SET audit_public = x'{}', checkpoint = '{checkpoint}'",
        hex(public)
    ));
    let record = read(&victim.scratch.open(), |t| t.token());
    let open = |record| Vault::open(record, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
    let told = |vault: &Vault| vault.audit_signer().map(drop).unwrap_err();
    assert!(matches!(told(&open(&record)), VaultError::Tampered(_)));
    drop(other);
    victim.alter(&format!(
        "UPDATE head SET sealed_audit_key = x'{}'",
        hex(&stranger.record.audit.sealed)
    ));
    let record = read(&victim.scratch.open(), |t| t.token());
    assert!(matches!(told(&open(&record)), VaultError::Tampered(_)));
}

#[test]
fn a_copied_directory_is_told_from_a_changed_one() {
    let victim = Victim::new();
    let copy = Scratch::new();
    fs::remove_dir_all(&copy.token).unwrap();
    let (from, to) = (&victim.scratch.token, &copy.token);
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    assert_eq!(copy.check(), Err(HeadFault::Copied));
    assert_eq!(copy.verify().fault, None);
    let store = copy.open();
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert_eq!(transaction.sign_with(&signer(&*transaction)), Err(HeadFault::Copied));
    // Who warns only goes on, and signs the place where the token is now.
    transaction.insert(&object("here")).unwrap();
    transaction.commit().unwrap();
    drop(store);
    copy.assert_sound();
}

#[test]
fn an_object_that_was_never_there_is_not_tampered_with() {
    let victim = Victim::new();
    let store = victim.scratch.open();
    assert_eq!(read(&store, |t| t.get(&ObjectId([9; 16]))), None);
    assert_eq!(victim.get(3), Ok(None));
}
