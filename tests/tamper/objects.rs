//! Rows of objects changed, put back, revived, removed, swapped, brought in. Such an object is in
//! quarantine: no search gives it, opening it answers CKR_DEVICE_ERROR, the log says so, the
//! database keeps it, and all others work.

use std::collections::BTreeMap;

use cryptoki_sys as ck;

use crate::support::children::in_child;
use crate::support::operations::plain;
use crate::support::{Bench, Refused, isolated, template};
use crate::victim::{Answer, Answers, KEYS, OTHERS, Victim};

/// All is as it should be, apart from these objects.
pub fn all_but(absent: &[&str]) -> Answers {
    let answer = |label: &str| match absent.contains(&label) {
        true => Answer::Absent,
        false => Answer::Right,
    };
    let mut objects: BTreeMap<_, _> =
        KEYS.into_iter().chain(OTHERS).map(|label| (label.to_owned(), answer(label))).collect();
    objects.insert(crate::victim::GONE.to_owned(), Answer::Absent);
    let (unusable, error_state) = (None, false);
    Answers { unusable, error_state, objects, writes: ck::CKR_OK, verifies: true }
}

/// Changes rows, and sees these objects in quarantine and no others.
fn quarantine(bench: &Bench, attack: impl Fn(&Victim<'_>), labels: &[&str]) {
    let victim = Victim::new(bench);
    assert_eq!(victim.ask(), all_but(&[]), "nothing is changed yet");
    attack(&victim);
    let rows: i64 = victim.ask_database("SELECT count(*) FROM object");
    let mut ids: Vec<String> = labels.iter().map(|label| victim.ids[*label].clone()).collect();
    ids.sort();
    for logins in 1..=2 {
        victim.take_told();
        assert_eq!(victim.ask(), all_but(labels));
        let told = victim.take_told();
        let mut recorded = victim.quarantined();
        recorded.sort();
        let expected: Vec<String> = ids.iter().flat_map(|id| vec![id.clone(); logins]).collect();
        assert_eq!(recorded, expected, "once in each login");
        assert!(ids.iter().all(|id| told.contains(&format!("object {id}"))), "{told}");
    }
    assert_eq!(rows, victim.ask_database::<i64>("SELECT count(*) FROM object"), "all is kept");
    assert_eq!(victim.verify().fault, None);
}

#[test]
fn an_object_with_a_changed_row_is_in_quarantine() {
    isolated(|bench| {
        for (label, change) in [
            ("ed25519", "sealed = CAST(substr(sealed, 2) || x'00' AS BLOB)"),
            ("ed25519", "data_key = zeroblob(60)"),
            ("ed25519", "sealed = x''"),
            ("aes", "epoch = 2"),
            ("aes", "version = 2"),
            ("p256", "version = 0"),
            ("p256", "class = 4"),
            ("p256", "key_type = NULL"),
            ("open aes", "clear = CAST(replace(clear, x'6f70656e', x'4f50454e') AS BLOB)"),
            ("p256 public", "clear = CAST(replace(clear, x'44cebbb9', x'44cebbb8') AS BLOB)"),
            ("notice", "clear = CAST(replace(clear, x'6e6f74696365', x'4e4f54494345') AS BLOB)"),
            ("certificate", "clear = CAST(replace(clear, x'6c6f6f6b', x'4c4f4f4b') AS BLOB)"),
        ] {
            std::fs::remove_dir_all(bench.token_dir()).ok();
            eprintln!("{label}: {change}");
            let attack = |victim: &Victim<'_>| {
                let id = &victim.ids[label];
                victim.alter(&format!("UPDATE object SET {change} WHERE id = x'{id}'"));
            };
            quarantine(bench, attack, &[label]);
        }
    });
}

#[test]
fn an_object_that_is_listed_as_public_or_private_against_its_nature_is_in_quarantine() {
    isolated(|bench| {
        for label in ["ed25519", "note", "open aes", "notice"] {
            std::fs::remove_dir_all(bench.token_dir()).ok();
            let attack = |victim: &Victim<'_>| {
                let id = &victim.ids[label];
                victim
                    .alter(&format!("UPDATE object SET private = 1 - private WHERE id = x'{id}'"));
            };
            quarantine(bench, attack, &[label]);
        }
    });
}

#[test]
fn an_object_with_other_search_rows_is_in_quarantine() {
    isolated(|bench| {
        for change in [
            "DELETE FROM search WHERE slot = {slot}",
            "UPDATE search SET value = zeroblob(16) WHERE slot = {slot} AND attribute = 3",
            "INSERT INTO search VALUES (3, x'41', {slot})",
        ] {
            std::fs::remove_dir_all(bench.token_dir()).ok();
            let attack = |victim: &Victim<'_>| {
                victim.alter(&change.replace("{slot}", &victim.slot("p256").to_string()));
            };
            quarantine(bench, attack, &["p256"]);
        }
    });
}

#[test]
fn an_older_version_of_an_object_that_is_put_back_is_in_quarantine() {
    isolated(|bench| {
        let put_back = |victim: &Victim<'_>| {
            let slot = victim.slot("ed25519");
            victim.alter(&format!(
                "INSERT OR REPLACE INTO object SELECT * FROM old.object WHERE slot = {slot};
                DELETE FROM search WHERE slot = {slot};
                INSERT INTO search SELECT * FROM old.search WHERE slot = {slot}"
            ));
        };
        quarantine(bench, put_back, &["ed25519"]);
    });
}

#[test]
fn swapped_rows_are_both_in_quarantine() {
    isolated(|bench| {
        let swap = |victim: &Victim<'_>| {
            let (one, other) = (victim.slot("p256"), victim.slot("note"));
            for table in ["object", "search"] {
                victim.alter(&format!(
                    "UPDATE {table} SET slot = 99 WHERE slot = {one};
                    UPDATE {table} SET slot = {one} WHERE slot = {other};
                    UPDATE {table} SET slot = {other} WHERE slot = 99"
                ));
            }
        };
        quarantine(bench, swap, &["note", "p256"]);
    });
}

#[test]
fn the_sealed_parts_of_two_objects_cannot_be_swapped() {
    isolated(|bench| {
        let swap = |victim: &Victim<'_>| {
            let (one, other) = (victim.slot("aes"), victim.slot("open aes"));
            victim.alter(&format!(
                "CREATE TEMP TABLE t AS SELECT slot, sealed, data_key FROM object;
                UPDATE object SET (sealed, data_key) =
                    (SELECT sealed, data_key FROM t WHERE slot = {other}) WHERE slot = {one};
                UPDATE object SET (sealed, data_key) =
                    (SELECT sealed, data_key FROM t WHERE slot = {one}) WHERE slot = {other}"
            ));
        };
        quarantine(bench, swap, &["aes", "open aes"]);
    });
}

#[test]
fn a_changed_state_tree_lets_no_object_in() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.alter("DELETE FROM state");
        let answers = victim.ask();
        let all: Vec<&str> = KEYS.into_iter().chain(OTHERS).collect();
        let expected = Answers { writes: ck::CKR_DEVICE_ERROR, ..all_but(&all) };
        // What is made needs a path, and a search for it would find nothing.
        assert_eq!(answers.objects, expected.objects);
        assert_ne!(answers.writes, ck::CKR_OK);
        assert!(victim.take_told().contains(&victim.ids["p256"]));
        victim.accept();
        assert_eq!(victim.ask(), all_but(&[]));
    });
}

/// Rows that were added or removed are told by CKF_ERROR_STATE as well: no object could tell.
fn differ(bench: &Bench, attack: impl Fn(&Victim<'_>), absent: &[&str], leaves: &[&str]) {
    let victim = Victim::new(bench);
    attack(&victim);
    assert_eq!(victim.ask(), Answers { error_state: true, ..all_but(absent) });
    let told = victim.take_told();
    assert!(told.contains("rows of objects: "), "{told}");
    let mut recorded = victim.quarantined();
    recorded.sort();
    let mut expected: Vec<String> = leaves.iter().map(|label| victim.ids[*label].clone()).collect();
    expected.push(String::new());
    expected.sort();
    assert_eq!(recorded, expected);
    assert_eq!(victim.verify().fault, None);
    victim.accept();
    assert_eq!(victim.generation(), 2);
    assert!(!victim.ask().error_state);
}

#[test]
fn a_destroyed_object_does_not_come_back() {
    isolated(|bench| {
        let revive = |victim: &Victim<'_>| {
            let id = &victim.ids[crate::victim::GONE];
            victim.alter(&format!(
                "INSERT INTO object SELECT * FROM old.object WHERE id = x'{id}';
                INSERT INTO search SELECT * FROM old.search
                    WHERE slot = (SELECT slot FROM object WHERE id = x'{id}');
                DELETE FROM free_slot"
            ));
        };
        differ(bench, revive, &[], &[crate::victim::GONE]);
    });
}

#[test]
fn a_removed_row_is_missed_and_the_others_work() {
    isolated(|bench| {
        for label in ["p256", "certificate"] {
            std::fs::remove_dir_all(bench.token_dir()).ok();
            let attack = |victim: &Victim<'_>| {
                let slot = victim.slot(label);
                victim.alter(&format!(
                    "DELETE FROM object WHERE slot = {slot}; DELETE FROM search WHERE slot = {slot}"
                ));
            };
            differ(bench, attack, &[label], &[]);
        }
    });
}

#[test]
fn rows_of_another_token_are_nothing_here() {
    isolated(|bench| {
        let other = Victim::new(bench);
        let theirs = other.copy_to("theirs");
        std::fs::remove_dir_all(bench.token_dir()).unwrap();
        let bring_in = |victim: &Victim<'_>| {
            victim.alter(&format!(
                "ATTACH '{}' AS theirs;
                INSERT INTO object SELECT slot + 20, id, version, class, key_type, private, epoch,
                    data_key, sealed, clear FROM theirs.object;
                INSERT INTO search SELECT attribute, value, slot + 20 FROM theirs.search;
                INSERT OR REPLACE INTO epoch SELECT number + 1, sealed_key FROM theirs.epoch",
                theirs.join("token.db").display()
            ));
        };
        let victim = Victim::new(bench);
        bring_in(&victim);
        assert_eq!(victim.ask(), Answers { error_state: true, ..all_but(&[]) });
        assert_eq!(victim.verify().fault, None);
    });
}

/// The module is at work: it has handles, it is logged in, and then somebody changes the row.
#[test]
fn a_handle_of_before_answers_a_device_error() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.as_user(|session| {
            let private = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY };
            let handles = session.find(&private).unwrap();
            assert_eq!(handles.len(), 2);
            in_child(|| victim.alter("UPDATE object SET version = 7 WHERE class = 3"));
            for handle in handles {
                session.get(handle, ck::CKA_LABEL).refused(ck::CKR_DEVICE_ERROR);
                let signed = session.sign(&plain(ck::CKM_EDDSA), handle, b"x");
                signed.refused(ck::CKR_DEVICE_ERROR);
                session.destroy(handle).refused(ck::CKR_DEVICE_ERROR);
            }
            assert_eq!(session.count(&private), 2, "found at this generation, and refused");
            session.create(&template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true }).unwrap();
            assert_eq!(session.count(&private), 0, "looked at again");
        });
        assert_eq!(victim.quarantined().len(), 2);
    });
}

/// Another process destroys the key.
fn destroy_elsewhere(victim: &Victim<'_>) {
    // A forked child has to begin anew: `as_user` does that.
    victim.as_user(|session| {
        let key = session.find(&template! { CKA_LABEL => "p256" }).unwrap()[0];
        session.destroy(key).unwrap();
    });
}

/// A key that this process has open is destroyed by another one, and its row is put back.
#[test]
fn a_destroyed_key_is_not_kept_alive_by_a_revived_row() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.as_user(|session| {
            let wanted = template! { CKA_LABEL => "p256" };
            let key = session.find(&wanted).unwrap()[0];
            session.sign(&plain(ck::CKM_ECDSA_SHA256), key, b"x").unwrap();
            destroy_elsewhere(&victim);
            in_child(|| {
                let id = &victim.ids["p256"];
                victim.alter(&format!(
                    "INSERT INTO object SELECT * FROM old.object WHERE id = x'{id}'"
                ));
            });
            let signed = session.sign(&plain(ck::CKM_ECDSA_SHA256), key, b"x");
            signed.refused(ck::CKR_DEVICE_ERROR);
            assert_eq!(session.count(&wanted), 0);
        });
    });
}

/// The row, the tree and the root in the database are all put back; only what is signed is not.
#[test]
fn a_state_that_was_put_back_under_a_running_process_is_noticed() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.as_user(|session| {
            let other = template! { CKA_LABEL => "aes" };
            assert_eq!(session.count(&other), 1);
            in_child(|| {
                victim.alter(
                    "DELETE FROM object; INSERT INTO object SELECT * FROM old.object;
                    DELETE FROM search; INSERT INTO search SELECT * FROM old.search;
                    DELETE FROM state; INSERT INTO state SELECT * FROM old.state;
                    UPDATE head SET state_root = (SELECT state_root FROM old.head),
                        slots = (SELECT slots FROM old.head)",
                );
            });
            let slot = session.module.slots(true).unwrap()[0];
            let key = session.find(&template! { CKA_LABEL => "ed25519" }).unwrap();
            assert!(session.module.token_has(slot, ck::CKF_ERROR_STATE));
            for key in key {
                session.sign(&plain(ck::CKM_EDDSA), key, b"x").refused(ck::CKR_DEVICE_ERROR);
            }
        });
    });
}

/// The one byte of an index that says what an object is, flipped and asked about twice.
#[test]
fn an_index_that_lies_about_an_object_is_noticed() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.ask();
        let id = crate::support::known::hex(&victim.ids["notice"]);
        let whole = std::fs::read(victim.file("token.db")).unwrap();
        let mut noticed = 0;
        let places = whole.windows(16).enumerate().filter(|(_, bytes)| *bytes == id);
        for place in places.map(|(place, _)| place) {
            // Before the id: class, key type and private, each a byte or a part of the header.
            for before in 0..8 {
                let mut bytes = whole.clone();
                bytes[place - before] ^= 1;
                std::fs::write(victim.file("token.db"), &bytes).unwrap();
                let first = victim.ask();
                let told = victim.take_told();
                let again = victim.ask();
                let same = all_but(&[]);
                for answers in [&first, &again] {
                    let reported = answers.error_state
                        || answers.unusable.is_some()
                        || told.contains(" found object ");
                    assert!(reported || *answers == same, "{place} - {before}: {answers:?}");
                }
                noticed += u64::from(first != same);
                std::fs::write(victim.file("token.db"), &whole).unwrap();
            }
        }
        assert!(noticed > 4, "{noticed}");
    });
}
