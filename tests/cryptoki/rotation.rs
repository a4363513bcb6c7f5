//! The next epoch of a token's keys, made by the tool while hosts are at work.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys as ck;

use crate::support::crowd::{said, say};
use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Bench, SO_PIN, Session, Template, USER_PIN, isolated, template};

/// Rotations beside a host that signs.
const ROTATIONS: usize = 25;
/// A rotation of ten thousand objects takes about a second without optimisation.
const LONG: Duration = Duration::from_secs(30);

/// The command line tool on the test's token.
pub fn tool(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    bench.furnish(&mut command);
    command.args(arguments).env("THE_PIN", USER_PIN).env("THE_SO_PIN", SO_PIN);
    command
}

/// What the tool says; it must end with this code.
#[track_caller]
pub fn told(bench: &Bench, arguments: &[&str], code: i32) -> String {
    let ended = tool(bench, arguments).output().expect("the tool");
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

pub const ROTATE: [&str; 4] = ["token", "rotate", "--pin-env", "THE_PIN"];

fn pair(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
    let made = session.generate_pair(&how, &public, &template! { CKA_TOKEN => true });
    made.expect("C_GenerateKeyPair")
}

fn data(label: &str) -> Template {
    template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => label,
        CKA_VALUE => label,
    }
}

/// Everything that needs the key of the epoch: using a key, opening, changing and making objects.
fn work(session: &Session<'_>, (public, private): (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE)) {
    let how = plain(ck::CKM_EDDSA);
    let label = "renamed";
    session.set(private, &template! { CKA_LABEL => label }).expect("C_SetAttributeValue");
    let signature = session.sign(&how, private, label.as_bytes()).expect("a signature");
    session.verify(&how, public, label.as_bytes(), &signature).expect("the right one");
    let made = session.create(&data("new")).expect("C_CreateObject");
    session.has(made, ck::CKA_VALUE, b"new");
    session.destroy(made).expect("C_DestroyObject");
}

#[test]
fn hosts_that_sign_do_not_notice_rotations() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let keys = pair(&session);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let rotating = scope.spawn(|| {
                for round in 0..ROTATIONS {
                    let said = told(bench, &ROTATE, 0);
                    assert!(said.contains(&format!("is in epoch {};", round + 2)), "{said}");
                }
                is_over.store(true, Ordering::Release);
            });
            let mut rounds = 0;
            while !is_over.load(Ordering::Acquire) && !rotating.is_finished() {
                work(&session, keys);
                rounds += 1;
            }
            rotating.join().expect("rotations without a failure");
            assert!(rounds > ROTATIONS, "only {rounds} rounds beside {ROTATIONS} rotations");
        });
        work(&session, keys);
        told(bench, &["audit", "verify"], 3);
    });
}

#[test]
fn hosts_that_read_only_now_and_then_find_the_new_epoch() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let old = session.create(&data("made before")).unwrap();
        let (public, private) = pair(&session);
        let other = token.read_only();
        told(bench, &ROTATE, 0);
        told(bench, &["token", "rotate", "--so-pin-env", "THE_SO_PIN"], 0);
        // Not opened in this process before: a search opens it now.
        other.has(old, ck::CKA_VALUE, b"made before");
        let how = plain(ck::CKM_EDDSA);
        let signature = other.sign(&how, private, b"data").unwrap();
        other.verify(&how, public, b"data", &signature).unwrap();
        session.destroy(old).unwrap();
        told(bench, &ROTATE, 0);
        assert_eq!(other.count(&data("made before")), 0);
        work(&session, (public, private));
    });
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn a_rotation_empties_the_write_ahead_log_that_a_host_keeps_open() {
    isolated(|bench| {
        let directory = || {
            let tokens = std::fs::read_dir(bench.token_dir().join("tokens")).unwrap();
            tokens.flatten().next().expect("a token").path()
        };
        if bench.role().is_some() {
            // A second SQLite in one process would drop the module's locks.
            let connection = rusqlite::Connection::open(directory().join("token.db")).unwrap();
            let sql = "SELECT hex(sealed_key), hex(data_key) FROM epoch, object";
            let read = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?]);
            let found: [String; 2] = connection.query_row(sql, [], read).unwrap();
            return found.iter().for_each(|one| say(one));
        }
        let token = bench.token();
        let session = token.user();
        session.create(&data("kept")).unwrap();
        let directory = directory();
        let sealed =
            || said(&bench.play("reader")).iter().map(|one| unhex(one)).collect::<Vec<_>>();
        let holds = |file: &str, part: &[u8]| {
            let bytes = std::fs::read(directory.join(file)).unwrap_or_default();
            bytes.windows(part.len()).any(|window| window == part)
        };
        let old = sealed();
        assert!(holds("token.db-wal", &old[1]), "the test looks where it was written");
        let answer = told(bench, &ROTATE, 0);
        assert!(!answer.contains("write-ahead log"), "{answer}");
        assert_ne!(sealed(), old);
        for file in ["token.db", "token.db-wal"] {
            for part in &old {
                assert!(!holds(file, part), "{file} still holds it");
            }
        }
        session.create(&data("one more")).unwrap();
    });
}

#[test]
#[ignore = "makes ten thousand objects"]
fn ten_thousand_objects_are_rotated() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for at in 0..10_000 {
            session.create(&data(&format!("{at}"))).unwrap();
        }
        let start = Instant::now();
        told(bench, &ROTATE, 0);
        assert!(start.elapsed() < LONG, "{:?} for 10 000 objects", start.elapsed());
        for at in [0, 4_711, 9_999] {
            let label = format!("{at}");
            let found = session.find(&template! { CKA_LABEL => label.as_str() }).unwrap();
            session.has(found[0], ck::CKA_VALUE, label.as_bytes());
        }
    });
}
