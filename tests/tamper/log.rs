//! The log cut, edited, reordered, replaced, signed anew; the head in the database changed. The
//! login succeeds, CKF_ERROR_STATE tells what it found, no private or secret key is used and
//! nothing is written; verifying and reading go on. With `audit.on_tamper = "warn"` all goes on,
//! but for what would sign a second history.

use std::fs;

use claviger::audit::leaf::Leaf;
use cryptoki_sys as ck;

use crate::attacker::{make_pipe, remove};
use crate::objects::all_but;
use crate::support::children::{become_nobody, in_child};
use crate::support::{Bench, Refused, USER_PIN, isolated, template};
use crate::victim::{Answer, Answers, KEYS, Victim};

/// What a distrusted token answers.
pub fn distrusted() -> Answers {
    let mut answers = all_but(&[]);
    answers.error_state = true;
    answers.writes = ck::CKR_DEVICE_ERROR;
    for key in KEYS {
        answers.objects.insert(key.to_owned(), Answer::Refused);
    }
    answers
}

/// What can still be signed after an attack, where the operator chose to be warned only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The log's end is as it was signed: changes go on.
    Holds,
    /// It is not: whatever would be signed were a second history.
    Broken,
}

/// Does it to a token, sees it distrusted, and trusted again once the officer accepts it.
fn attack(bench: &Bench, end: End, attack: impl Fn(&Victim<'_>)) {
    let victim = Victim::new(bench);
    assert_eq!(victim.ask(), all_but(&[]), "nothing is changed yet");
    victim.take_told();
    attack(&victim);
    for _ in 0..2 {
        assert_eq!(victim.ask(), distrusted());
    }
    assert!(victim.take_told().contains("accept-state"), "it is told what to do");
    bench.configure("audit.on_tamper = \"warn\"");
    let writes = match end {
        End::Holds => ck::CKR_OK,
        End::Broken => ck::CKR_DEVICE_ERROR,
    };
    assert_eq!(victim.ask(), Answers { error_state: true, writes, ..all_but(&[]) });
    bench.configure("");
    victim.accept();
    assert_eq!(victim.generation(), 2);
    assert_eq!(victim.ask(), all_but(&[]));
    assert_eq!(victim.verify().fault, None);
    fs::remove_dir_all(bench.token_dir()).unwrap();
}

/// A change of the log's entries.
fn edit(bench: &Bench, end: End, change: impl Fn(&mut Vec<Vec<u8>>)) {
    attack(bench, end, |victim| {
        let mut entries = victim.entries();
        change(&mut entries);
        victim.put_entries(&entries);
    });
}

/// Where one change of the token stands in the log.
fn a_change(entries: &[Vec<u8>]) -> usize {
    let is_change = |entry: &Vec<u8>| matches!(Leaf::parse(entry), Ok(Leaf::Change(_)));
    entries.iter().rposition(is_change).expect("a change")
}

fn replace(entry: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(entry.to_vec()).expect("text");
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn an_edited_entry_is_noticed_at_the_login() {
    isolated(|bench| {
        edit(bench, End::Holds, |entries| {
            let at = a_change(entries);
            entries[at] = replace(&entries[at], "C_DestroyObject", "C_CreateObjectX");
        });
        // The very first one, and one bit of it.
        edit(bench, End::Holds, |entries| *entries[0].last_mut().unwrap() ^= 1);
    });
}

#[test]
fn a_dropped_entry_is_noticed_at_the_login() {
    isolated(|bench| {
        edit(bench, End::Broken, |entries| drop(entries.remove(a_change(entries))));
        edit(bench, End::Broken, |entries| drop(entries.pop()));
        edit(bench, End::Broken, |entries| entries.truncate(1));
        edit(bench, End::Broken, Vec::clear);
    });
}

#[test]
fn an_added_entry_is_noticed_at_the_login() {
    isolated(|bench| {
        edit(bench, End::Broken, |entries| entries.insert(1, entries[1].clone()));
    });
}

#[test]
fn reordered_entries_are_noticed_at_the_login() {
    isolated(|bench| {
        edit(bench, End::Holds, |entries| entries.swap(1, 2));
        edit(bench, End::Broken, |entries| entries.reverse());
    });
}

#[test]
fn a_log_that_was_cut_or_filled_with_noise_is_noticed_at_the_login() {
    isolated(|bench| {
        let change = |end, change: &dyn Fn(&mut Vec<u8>)| {
            attack(bench, end, |victim| {
                let mut bytes = fs::read(victim.bundle()).unwrap();
                change(&mut bytes);
                fs::write(victim.bundle(), bytes).unwrap();
            });
        };
        change(End::Broken, &|bytes| bytes.truncate(bytes.len() - 1));
        change(End::Broken, &|bytes| bytes.fill(0));
        change(End::Broken, &|bytes| bytes.fill(0xff));
        change(End::Holds, &|bytes| bytes[0] ^= 1);
    });
}

#[test]
fn what_is_no_file_in_the_place_of_the_log_is_noticed_and_nobody_waits_for_it() {
    isolated(|bench| {
        let in_its_place = |put: &dyn Fn(&std::path::Path)| {
            attack(bench, End::Broken, |victim| {
                let bundle = victim.bundle();
                fs::rename(&bundle, bench.dir().join("moved")).unwrap();
                put(&bundle);
            });
        };
        in_its_place(&|_| {});
        in_its_place(&|bundle| fs::create_dir(bundle).unwrap());
        in_its_place(&make_pipe);
        in_its_place(&|bundle| {
            std::os::unix::fs::symlink(bench.dir().join("moved"), bundle).unwrap();
        });
        in_its_place(&|bundle| {
            std::os::unix::fs::symlink("/dev/zero", bundle).unwrap();
        });
        attack(bench, End::Broken, |victim| remove(&victim.file("log")));
        let victim = Victim::new(bench);
        remove(&victim.file("log"));
        make_pipe(&victim.file("log"));
        assert_eq!(victim.ask(), distrusted());
    });
}

/// Root can read everything, so that somebody else looks.
#[test]
fn a_log_that_cannot_be_read_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    isolated(|bench| {
        bench.configure("pin.readonly = \"allow\"");
        let victim = Victim::with(bench, "pin.readonly = \"allow\"");
        let mode = |path: &std::path::Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let mut open = vec![bench.dir().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() { open.push(entry) } else { mode(&entry, 0o444) }
            }
            mode(&directory, 0o755);
        }
        mode(&victim.bundle(), 0o000);
        in_child(|| {
            become_nobody();
            victim.module.initialize().unwrap();
            let slot = victim.module.slots(true).unwrap()[0];
            let session = victim.module.read_only(slot);
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            assert!(victim.module.token_has(slot, ck::CKF_ERROR_STATE));
            let key = session.find(&template! { CKA_LABEL => "p256" }).unwrap()[0];
            let how = crate::support::operations::plain(ck::CKM_ECDSA_SHA256);
            session.sign(&how, key, b"x").refused(ck::CKR_DEVICE_ERROR);
            session.has(key, ck::CKA_LABEL, "p256");
            victim.module.finalize().unwrap();
        });
        mode(&victim.bundle(), 0o600);
        mode(&victim.directory, 0o700);
    });
}

#[test]
fn a_changed_head_is_noticed_at_the_login() {
    isolated(|bench| {
        for (end, change) in [
            (End::Broken, "root = zeroblob(32)"),
            (End::Broken, "size = size - 1"),
            (End::Broken, "size = size + 1"),
            (End::Broken, "frontier = x''"),
            (End::Broken, "last_at = last_at - 1"),
            (End::Broken, "last_len = 9223372036854775807"),
            (End::Broken, "checkpoint = ''"),
            (End::Broken, "checkpoint = replace(checkpoint, 'claviger/', 'claviger/0')"),
            (End::Broken, "checkpoint = (SELECT checkpoint FROM old.head)"),
            (End::Holds, "slots = slots + 1"),
        ] {
            eprintln!("{change}");
            attack(bench, end, |victim| victim.alter(&format!("UPDATE head SET {change}")));
        }
    });
}

#[test]
fn a_changed_record_of_the_token_is_noticed_at_the_login() {
    isolated(|bench| {
        for change in [
            "UPDATE token SET label = zeroblob(32)",
            "UPDATE pin SET salt = zeroblob(16) WHERE role = 0",
            "INSERT INTO lane VALUES (1, 0)",
            "INSERT INTO pending VALUES (1, NULL)",
        ] {
            eprintln!("{change}");
            let victim = Victim::new(bench);
            victim.alter(change);
            assert_eq!(victim.ask(), distrusted());
            fs::remove_dir_all(bench.token_dir()).unwrap();
        }
    });
}

/// Everything fits again, and is signed: but the key is not the one that the PIN opens.
#[test]
fn a_log_that_a_stranger_signed_anew_is_noticed_at_the_login() {
    isolated(|bench| {
        let sign_anew = |seal: &str| {
            attack(bench, End::Broken, |victim| {
                let mut entries = victim.entries();
                let at = a_change(&entries);
                entries[at] = replace(&entries[at], "C_DestroyObject", "C_SetPIN");
                victim.sign_anew(&entries);
                victim.alter(seal);
                assert_eq!(victim.verify().fault, None, "without the right key all is well");
            });
        };
        sign_anew("SELECT 1 WHERE 0");
        sign_anew("UPDATE head SET sealed_audit_key = zeroblob(60)");
        sign_anew("UPDATE head SET sealed_audit_key = x''");
    });
}

/// The module reads no tiles of hashes: they can be made from the entries, and are what others
/// read, who check them.
#[test]
fn changed_tiles_of_hashes_are_noticed_by_who_verifies_the_log() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.as_user(|session| {
            for _ in 0..130 {
                let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true };
                session.create(&data).unwrap();
            }
        });
        let tile = victim.log().join("tile/0/000");
        let mut bytes = fs::read(&tile).unwrap();
        bytes[99] ^= 1;
        fs::write(&tile, bytes).unwrap();
        let fault = victim.verify().fault.expect("a fault").to_string();
        assert!(fault.contains("tile/0/000"), "{fault}");
        victim.as_user(|session| {
            let slot = session.module.slots(true).unwrap()[0];
            assert!(!session.module.token_has(slot, ck::CKF_ERROR_STATE));
        });
        // An entry of a bundle that is full is noticed at the login as well.
        fs::write(&tile, b"").unwrap();
        let mut bytes = fs::read(victim.bundle()).unwrap();
        bytes[99] ^= 1;
        fs::write(victim.bundle(), bytes).unwrap();
        victim.as_user(|session| {
            let slot = session.module.slots(true).unwrap()[0];
            assert!(session.module.token_has(slot, ck::CKF_ERROR_STATE));
        });
    });
}

/// What is read from a distrusted token must not be a way around: a copy in the session could be
/// used where the key itself is not.
#[test]
fn a_key_of_a_distrusted_token_cannot_be_copied_into_the_session() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.alter("INSERT INTO lane VALUES (1, 0)");
        victim.as_user(|session| {
            let into_session = template! { CKA_TOKEN => false };
            for label in KEYS {
                let key = session.find(&template! { CKA_LABEL => label }).unwrap()[0];
                session.copy(key, &into_session).refused(ck::CKR_DEVICE_ERROR);
            }
            let public = session.find(&template! { CKA_LABEL => "p256 public" }).unwrap()[0];
            session.copy(public, &into_session).expect("a public key is nobody's secret");
        });
    });
}

/// The officer's login sees the same, and a PIN is not changed on such a token.
#[test]
fn no_pin_is_changed_on_a_distrusted_token() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        victim.alter("INSERT INTO lane VALUES (1, 0)");
        victim.as_user(|session| {
            session.set_pin(USER_PIN, "another-pin").refused(ck::CKR_DEVICE_ERROR);
            session.logout().unwrap();
            session.login(ck::CKU_SO, crate::support::SO_PIN).unwrap();
            session.init_pin("another-pin").refused(ck::CKR_DEVICE_ERROR);
            let slot = session.module.slots(true).unwrap()[0];
            assert!(session.module.token_has(slot, ck::CKF_ERROR_STATE));
        });
    });
}
