//! What happens before any login.

use super::*;
use crate::store::StoreError;

fn failed() -> Record<'static> {
    Record {
        time: super::super::now(),
        session: 1,
        call: "C_Login".into(),
        rv: "CKR_PIN_INCORRECT".into(),
        ..Record::default()
    }
}

/// Seals until there is no more, and gives the number of commits.
fn seal(token: &Token) -> usize {
    for commits in 1.. {
        let mut transaction = token.begin();
        let batch = token.lanes().seal_early(&mut *transaction).unwrap();
        if batch.is_empty() {
            return commits - 1;
        }
        transaction.commit().unwrap();
        if !batch.committed().unwrap() {
            return commits;
        }
    }
    0
}

fn path(token: &Token) -> PathBuf {
    token.directory.join("lanes/early.lane")
}

#[test]
fn early_records_wait_for_a_login() {
    let token = Token::new();
    assert_eq!(seal(&token), 0, "nothing happened");
    let lanes = token.lanes();
    assert!(lanes.record_early(&failed()).unwrap());
    let noted = Record {
        lane: LaneId(4),
        seq: 9,
        key: Some("k".into()),
        mechanism: Some("CKM_AES_CBC".into()),
        version: Some(1),
        head: 99,
        ..failed()
    };
    assert!(lanes.record_early(&noted).unwrap(), "without what nobody could vouch for");
    let success = Record { rv: "CKR_OK".into(), ..failed() };
    assert!(lanes.record_early(&success).is_err());
    assert_eq!(seal(&token), 1);
    assert_eq!(token.seen(), Vec::<String>::new());
    let leaves = token.log();
    assert_eq!(count(&leaves, "unauthenticated"), 2);
    assert_eq!(count(&leaves, "CKM_"), 0);
    assert!(lanes.record_early(&failed()).unwrap());
    assert_eq!(seal(&token), 1);
    assert_eq!(count(&token.log(), "unauthenticated"), 3);
}

#[test]
fn there_are_at_most_ten_thousand() {
    let token = Token::new();
    let lanes = token.lanes();
    let start = std::time::Instant::now();
    for _ in 0..10_000 {
        assert!(lanes.record_early(&failed()).unwrap());
    }
    println!("10 000 early records: {:?}", start.elapsed());
    assert!(!lanes.record_early(&failed()).unwrap(), "full");
    assert!(!lanes.record_early(&failed()).unwrap());
    assert_eq!(seal(&token), 3);
    assert_eq!(count(&token.log(), "unauthenticated"), 10_000);
    assert!(lanes.record_early(&failed()).unwrap());
}

#[test]
fn whoever_adds_meanwhile_waits() {
    let token = Token::new();
    let lanes = token.lanes();
    (0..10).for_each(|_| assert!(lanes.record_early(&failed()).unwrap()));
    let mut transaction = token.begin();
    let batch = lanes.seal_early(&mut *transaction).unwrap();
    std::thread::scope(|scope| {
        let adding = scope.spawn(|| lanes.record_early(&failed()).unwrap());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!adding.is_finished());
        transaction.commit().unwrap();
        assert!(!batch.committed().unwrap());
        assert!(adding.join().unwrap());
    });
    assert_eq!(seal(&token), 1);
    assert_eq!(count(&token.log(), "unauthenticated"), 11);
}

#[test]
fn invented_records_are_left_out() {
    let token = Token::new();
    let lanes = token.lanes();
    assert!(lanes.record_early(&failed()).unwrap());
    let login = Record { rv: "CKR_OK".into(), ..failed() };
    let key = Record { key: Some("k".into()), call: "C_Sign".into(), ..failed() };
    let inventions = [
        Leaf::Unauthenticated(login),
        Leaf::Unauthenticated(key.clone()),
        Leaf::Unauthenticated(Record { head: 1 << 40, ..failed() }),
        Leaf::Unauthenticated(Record { lane: LaneId(7), seq: 1, ..failed() }),
        Leaf::Use(key.clone()),
        Leaf::Change(key),
    ];
    let mut added = Vec::new();
    for invention in inventions.iter().map(Leaf::to_bytes).chain([b"no leaf".to_vec()]) {
        added.extend_from_slice(&u16::try_from(invention.len()).unwrap().to_be_bytes());
        added.extend_from_slice(&invention);
    }
    change_file(&path(&token), |bytes| bytes.extend(added));
    assert!(lanes.record_early(&failed()).unwrap());
    assert_eq!(seal(&token), 1);
    assert_eq!(count(&token.log(), "unauthenticated"), 2);
}

#[test]
fn what_is_torn_is_written_over() {
    let token = Token::new();
    let lanes = token.lanes();
    for torn in [b"\0".as_slice(), b"\x01\x10torn", b"\0\0", b"\xff\xff"] {
        assert!(lanes.record_early(&failed()).unwrap());
        change_file(&path(&token), |bytes| bytes.extend_from_slice(torn));
        assert!(lanes.record_early(&failed()).unwrap());
    }
    fs::write(path(&token).with_extension("new"), "left").unwrap();
    assert_eq!(seal(&token), 1);
    assert_eq!(count(&token.log(), "unauthenticated"), 8);
    // Somebody has put something else there, or nothing.
    for other in [b"something else, and long enough".as_slice(), b"", b"clav"] {
        fs::write(path(&token), other).unwrap();
        assert_eq!(seal(&token), 0);
        assert!(lanes.record_early(&failed()).unwrap());
        assert_eq!(seal(&token), 1);
    }
    assert_eq!(count(&token.log(), "unauthenticated"), 11);
    // What is no file is put aside.
    for _ in 0..2 {
        fs::create_dir(path(&token)).unwrap();
        assert!(lanes.record_early(&failed()).unwrap());
        assert_eq!(seal(&token), 1);
        std::os::unix::fs::symlink("/dev/zero", path(&token)).unwrap();
        assert_eq!(seal(&token), 0);
        assert!(!path(&token).is_symlink());
    }
    assert_eq!(fs::read_dir(token.directory.join("lanes/unlisted")).unwrap().count(), 4);
    // Without a place for it, the login goes on all the same.
    fs::remove_dir_all(token.directory.join("lanes/unlisted")).unwrap();
    fs::write(token.directory.join("lanes/unlisted"), "").unwrap();
    fs::create_dir(path(&token)).unwrap();
    assert!(matches!(lanes.record_early(&failed()), Err(StoreError::Io(_))));
    assert_eq!(seal(&token), 0);
}

#[test]
fn long_records_take_the_room_of_many() {
    let token = Token::new();
    let lanes = token.lanes();
    let long = Record { actor: Some("x".repeat(60_000).into()), ..failed() };
    let kept = (0..100).take_while(|_| lanes.record_early(&long).unwrap()).count();
    assert_eq!(kept, 69);
    let more = fs::read(path(&token)).unwrap().split_off(25).repeat(3);
    change_file(&path(&token), |bytes| bytes.extend(more));
    assert_eq!(seal(&token), 1);
    assert_eq!(count(&token.log(), "unauthenticated"), 69);
}

#[test]
fn many_processes_share_it() {
    const TEST: &str = "early::many_processes_share_it";
    if let Some((_, place)) = processes::own_part() {
        let lanes = Token::at(&place).lanes();
        for _ in 0..200 {
            assert!(lanes.record_early(&failed()).unwrap());
        }
        return println!("answer: done");
    }
    let token = Token::new();
    let start = || processes::part(TEST, "one", &token.directory).spawn().unwrap();
    let children: Vec<_> = (0..6).map(|_| start()).collect();
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(10));
        seal(&token);
    }
    processes::answers(children);
    seal(&token);
    assert_eq!(count(&token.log(), "unauthenticated"), 1_200);
}
