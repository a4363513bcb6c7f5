//! A process's own lane on its way into the log.

use std::sync::Arc;

use super::super::MOST_AT_ONCE;
use super::*;
use crate::store::{Mode, Store, StoreError};

fn close(token: &Token, lane: &Lane) -> Result<usize, StoreError> {
    for commits in 1.. {
        let mut transaction = token.begin();
        let batch = lane.close(&mut *transaction)?;
        transaction.commit()?;
        if !batch.committed()? {
            return Ok(commits);
        }
    }
    Ok(0)
}

#[test]
fn records_go_into_the_log_in_batches() {
    let token = Token::new();
    let lane = token.lane();
    let all = 2 * MOST_AT_ONCE + 5;
    use_times(&lane, all);
    assert_eq!(lane.sealed(), 0);
    assert_eq!(token.seal(&lane), 3);
    assert_eq!((lane.sealed(), lane.written()), (all, all));
    assert_eq!(token.listed(), [(lane.id(), all)]);
    assert!(lane.head() > all);
    assert_eq!(token.numbers(lane.id()), up_to(all));
    let mut transaction = token.begin();
    assert!(lane.seal(&mut *transaction).unwrap().is_empty());
    drop(transaction);
    assert_eq!(use_key(&lane), all + 1);
    assert_eq!(token.seal(&lane), 1);
    assert_eq!(token.numbers(lane.id()), up_to(all + 1));
    assert_eq!(close(&token, &lane).unwrap(), 1);
    assert!(token.listed().is_empty() && token.seen().is_empty());
    assert_eq!(count(&token.log(), "lane-closed"), 1);
    assert!(lane.append(|_, out| out.push(b'x')).is_err(), "it is closed");
}

#[test]
fn closing_seals_all() {
    let token = Token::new();
    for (records, commits) in [(0, 1), (7, 1), (MOST_AT_ONCE, 2), (MOST_AT_ONCE + 1, 2)] {
        let lane = token.lane();
        use_times(&lane, records);
        assert_eq!(close(&token, &lane).unwrap(), commits, "{records}");
        assert_eq!(token.numbers(lane.id()), up_to(records));
        assert!(token.listed().is_empty() && token.seen().is_empty());
    }
}

#[test]
fn what_was_not_committed_is_sealed_later() {
    let token = Token::new();
    let lane = token.lane();
    use_times(&lane, 10);
    let mut transaction = token.begin();
    let batch = lane.seal(&mut *transaction).unwrap();
    assert!(!batch.is_empty());
    drop(batch);
    drop(transaction);
    assert_eq!(lane.sealed(), 0);
    // A commit of which nobody learned.
    let mut transaction = token.begin();
    let batch = lane.seal(&mut *transaction).unwrap();
    transaction.commit().unwrap();
    drop(batch);
    use_times(&lane, 10);
    assert_eq!(token.seal(&lane), 1);
    assert_eq!(token.numbers(lane.id()), up_to(20));
}

#[test]
fn uses_of_many_threads_are_sealed_while_they_are_written() {
    let token = Token::new();
    let lane = Arc::new(token.lane());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| use_times(&lane, 1_000));
        }
        scope.spawn(|| {
            (0..5).for_each(|_| {
                token.seal(&lane);
            })
        });
    });
    token.seal(&lane);
    assert_eq!(token.numbers(lane.id()), up_to(4_000));
}

#[test]
fn a_lane_that_is_changed_under_its_owner_is_distrusted() {
    type Change = fn(&Path);
    let changes: [(Change, u64); 4] = [
        (|path| flip(path, 3, 40), 2),
        (|path| flip(path, 1, 0), 0),
        (|path| fs::File::options().write(true).open(path).unwrap().set_len(200).unwrap(), 0),
        (|path| fs::remove_file(path).unwrap(), 5),
    ];
    for (change, records) in changes {
        let token = Token::new();
        let lane = token.lane();
        use_times(&lane, 5);
        change(&token.file(lane.id()));
        let mut transaction = token.begin();
        let batch = lane.seal(&mut *transaction).unwrap();
        assert!(!batch.is_empty());
        transaction.commit().unwrap();
        assert!(matches!(batch.committed(), Err(StoreError::Distrusted(_))));
        assert_eq!(token.numbers(lane.id()), up_to(records));
        assert!(token.listed().is_empty());
        assert_eq!(count(&token.log(), "lane-distrusted"), 1);
        let refused = lane.append(|seq, out| used(&lane, seq).encode(out));
        assert!(matches!(refused, Err(StoreError::Distrusted(_))));
        let mut transaction = token.begin();
        assert!(matches!(lane.seal(&mut *transaction).err(), Some(StoreError::Distrusted(_))));
    }
}

/// Changes one byte of a record, counted from 1.
pub(super) fn flip(path: &Path, record: usize, byte: usize) {
    use std::os::unix::fs::FileExt;
    let before: usize = frames(path)[..record - 1].iter().map(Vec::len).sum();
    let at = (HEADER_LEN + before + 2 + byte) as u64;
    // In place: a lane is known by its inode.
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut found = [0];
    file.read_exact_at(&mut found, at).unwrap();
    file.write_all_at(&[found[0] ^ 4], at).unwrap();
}

#[test]
fn a_lane_of_a_log_that_ended_is_over() {
    let token = Token::new();
    let lane = token.lane();
    use_key(&lane);
    let mut transaction = token.store.begin(Mode::Write).unwrap();
    let record = transaction.token().unwrap().audit;
    let key = Arc::clone(token.vault.audit_signer().unwrap());
    transaction.begin_generation(&record, &key, "accepted").unwrap();
    transaction.commit().unwrap();
    let mut transaction = token.begin();
    assert!(matches!(lane.seal(&mut *transaction).err(), Some(StoreError::Distrusted(_))));
    drop(transaction);
    let id = lane.id();
    drop(lane);
    assert_eq!(token.fate(), (Fate::Unlisted, 0));
    assert_eq!(token.seen(), ["unlisted"]);
    assert!(token.directory.join(format!("lanes/unlisted/{id}.lane")).exists());
    token.log();
}
