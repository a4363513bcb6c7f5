//! Someone changes what a token signs, without the PIN: its tree of states, its head, its log.

use std::fs;
use std::sync::Arc;

use super::tamper::{Victim, tampered};
use super::*;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::note::NoteSigner;
use crate::store::contract::{begin_signed, pin};
use crate::store::head::AuditKey;
use crate::store::vault::{Vault, VaultError};
use crate::store::{Role, StoreError, StoredObject, Transaction};

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
