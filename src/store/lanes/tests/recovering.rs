//! Lanes whose owners are gone, and what somebody may have done to them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use super::super::MOST_AT_ONCE;
use super::sealing::flip;
use super::*;
use crate::audit::lane::LaneKey;

/// The resident memory of this process, in KiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn make_old(path: &Path) {
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

#[test]
fn nothing_to_recover() {
    let token = Token::new();
    assert_eq!(token.recover(), (0, Vec::new()));
    let lane = token.lane();
    use_key(&lane);
    assert_eq!(token.recover(), (0, Vec::new()), "our own");
    assert_eq!(use_key(&lane), 2);
    assert_eq!(token.seal(&lane), 1);
}

#[test]
fn a_lane_that_was_left_is_sealed() {
    let token = Token::new();
    let id = token.left_lane(10);
    assert_eq!(token.fate(), (Fate::Cut { lost: 0 }, 10));
    assert_eq!(token.numbers(id), up_to(10));
    assert!(token.listed().is_empty() && token.seen().is_empty());
    assert_eq!(count(&token.log(), "its process ended without closing it"), 1);
    let lane = token.lane();
    use_times(&lane, 10);
    token.seal(&lane);
    use_times(&lane, 5);
    let id = lane.id();
    drop(lane);
    assert_eq!(token.fate(), (Fate::Cut { lost: 0 }, 15), "partly sealed before");
    assert_eq!(token.numbers(id), up_to(15));
}

#[test]
fn a_lane_that_was_closed_and_not_sealed() {
    let token = Token::new();
    let lane = token.lane();
    use_times(&lane, 10);
    let mut transaction = token.begin();
    drop(lane.close(&mut *transaction).unwrap());
    drop(transaction);
    let id = lane.id();
    drop(lane);
    assert_eq!(token.fate(), (Fate::Closed, 10));
    assert_eq!(token.numbers(id), up_to(10));
    assert_eq!(count(&token.log(), "lane-closed"), 1);
}

#[test]
fn long_lanes_take_several_commits() {
    let token = Token::new();
    let ids = [token.left_lane(MOST_AT_ONCE + 10), token.left_lane(MOST_AT_ONCE - 5)];
    let short: Vec<_> = (0..70).map(|_| token.left_lane(1)).collect();
    let (commits, found) = token.recover();
    assert!((3..=5).contains(&commits), "{commits}");
    assert_eq!(found.len(), 72);
    assert_eq!(token.numbers(ids[0]), up_to(MOST_AT_ONCE + 10));
    assert_eq!(token.numbers(ids[1]), up_to(MOST_AT_ONCE - 5));
    assert!(short.iter().all(|id| token.numbers(*id) == [1]));
    assert!(token.listed().is_empty() && token.seen().is_empty());
}

#[test]
fn recovery_that_is_cut_short_is_taken_up() {
    let token = Token::new();
    let id = token.left_lane(2 * MOST_AT_ONCE);
    for committed in [false, true] {
        let lanes = token.lanes();
        let mut recovery = lanes.recovery(token.root());
        let mut transaction = token.begin();
        let step = recovery.step(&mut *transaction).unwrap();
        if committed {
            transaction.commit().unwrap();
        } else {
            drop(transaction);
        }
        drop(step);
    }
    assert_eq!(token.listed(), [(id, MOST_AT_ONCE)]);
    assert_eq!(token.fate(), (Fate::Cut { lost: 0 }, 2 * MOST_AT_ONCE));
    assert_eq!(token.numbers(id), up_to(2 * MOST_AT_ONCE));
}

#[test]
fn torn_tails_are_told() {
    let token = Token::new();
    for (keep, records) in [(2, 9), (20, 9), (1, 9), (0, 9)] {
        let id = token.left_lane(10);
        let last = frames(&token.file(id)).pop().unwrap().len();
        change_file(&token.file(id), |bytes| bytes.truncate(bytes.len() - last + keep));
        assert_eq!(token.fate(), (Fate::Cut { lost: keep as u64 }, records));
        assert_eq!(token.numbers(id), up_to(records));
        assert!(token.seen().is_empty());
    }
    // Pages that were never written.
    let id = token.left_lane(10);
    change_file(&token.file(id), |bytes| bytes.resize(bytes.len() + 5_000, 0));
    assert_eq!(token.fate(), (Fate::Cut { lost: 5_000 }, 10));
    let id = token.left_lane(3);
    change_file(&token.file(id), |bytes| bytes.truncate(24));
    assert_eq!(token.fate(), (Fate::Cut { lost: 0 }, 0));
    assert!(token.seen().is_empty());
    token.log();
}

#[test]
fn a_power_cut_leaves_holes() {
    let token = Token::new();
    for old in [false, true] {
        let id = token.left_lane(20);
        let path = token.file(id);
        let len = fs::metadata(&path).unwrap().len();
        change_file(&path, |bytes| bytes[1_024..2_048].fill(0));
        if old {
            make_old(&path);
        }
        let (fate, records) = token.fate();
        assert!(records > 0 && records < 5);
        match fate {
            Fate::Cut { lost } if old => assert!(lost < len - 24 && lost > len - 1_024),
            Fate::Distrusted if !old => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(count(&token.log(), "the machine stopped"), 1);
    // A hole is all that an earlier boot excuses.
    let id = token.left_lane(20);
    flip(&token.file(id), 3, 9);
    make_old(&token.file(id));
    assert_eq!(token.fate(), (Fate::Distrusted, 2));
}

#[test]
fn what_was_changed_is_distrusted_and_kept() {
    type Change = fn(&Path);
    let changes: [(Change, u64); 6] = [
        (|path| flip(path, 6, 30), 5),
        (|path| without(path, 4), 3),
        (|path| without(path, 1), 0),
        (|path| swap_records(path), 4),
        (
            |path| {
                change_file(path, |bytes| bytes.extend_from_slice(b"\0\x05more, without a tag..."))
            },
            10,
        ),
        (|path| change_file(path, |bytes| bytes[20] ^= 1), 0),
    ];
    for (number, (change, records)) in changes.into_iter().enumerate() {
        let token = Token::new();
        let id = token.left_lane(10);
        change(&token.file(id));
        assert_eq!(token.fate(), (Fate::Distrusted, records), "{number}");
        assert_eq!(token.numbers(id), up_to(records));
        assert!(token.listed().is_empty());
        assert_eq!(token.seen(), ["distrusted"]);
        assert!(token.directory.join(format!("lanes/distrusted/{id}.lane")).exists());
        let leaves = token.log();
        let kept = format!("\"file\":\"lanes/distrusted/{id}.lane\"");
        assert_eq!(count(&leaves, &kept), 1);
        assert_eq!(token.recover(), (0, Vec::new()), "once");
    }
}

fn without(path: &Path, record: usize) {
    let mut frames = frames(path);
    frames.remove(record - 1);
    change_file(path, |bytes| {
        bytes.truncate(24);
        bytes.extend(frames.concat());
    });
}

fn swap_records(path: &Path) {
    let mut frames = frames(path);
    frames.swap(4, 5);
    change_file(path, |bytes| {
        bytes.truncate(24);
        bytes.extend(frames.concat());
    });
}

#[test]
fn lanes_that_changed_places() {
    let token = Token::new();
    let [one, other] = [token.left_lane(3), token.left_lane(5)];
    let aside = token.directory.join("aside");
    fs::rename(token.file(one), &aside).unwrap();
    fs::rename(token.file(other), token.file(one)).unwrap();
    fs::rename(&aside, token.file(other)).unwrap();
    let (_, found) = token.recover();
    assert!(found.iter().all(|found| (found.fate, found.records) == (Fate::Distrusted, 0)));
    assert_eq!(found.len(), 2);
    assert!(token.log().iter().all(|leaf| !leaf.contains("C_Sign")));
    // The records of another lane behind the right header.
    let [one, other] = [token.left_lane(3), token.left_lane(5)];
    let foreign = frames(&token.file(other)).concat();
    change_file(&token.file(one), |bytes| {
        bytes.truncate(24);
        bytes.extend(foreign);
    });
    let (_, mut found) = token.recover();
    found.sort_by_key(|found| found.lane != one);
    assert_eq!(found[0].fate, Fate::Distrusted);
    assert_eq!((found[1].fate, found[1].records), (Fate::Cut { lost: 0 }, 5));
}

#[test]
fn a_lane_that_is_gone_is_missed() {
    let token = Token::new();
    let lane = token.lane();
    use_times(&lane, 4);
    token.seal(&lane);
    let id = lane.id();
    drop(lane);
    fs::remove_file(token.file(id)).unwrap();
    assert_eq!(token.fate(), (Fate::Gone, 4));
    assert_eq!(count(&token.log(), "\"records\":4,\"file\":\"\""), 1);
    assert!(token.listed().is_empty());
    let id = token.left_lane(2);
    fs::remove_file(token.file(id)).unwrap();
    fs::create_dir(token.file(id)).unwrap();
    assert_eq!(token.fate(), (Fate::Distrusted, 0), "a directory is no lane");
    let id = token.left_lane(2);
    fs::rename(token.file(id), token.directory.join("lane")).unwrap();
    std::os::unix::fs::symlink(token.directory.join("lane"), token.file(id)).unwrap();
    assert_eq!(token.fate(), (Fate::Distrusted, 0), "nor is a link to one");
    token.log();
}

#[test]
fn lanes_that_the_log_does_not_know() {
    let token = Token::new();
    drop(token.lanes().open(token.root()).unwrap());
    assert_eq!(token.recover(), (0, Vec::new()), "opened, and nothing happened since");
    assert!(token.seen().is_empty());
    // A lane that is over comes back from a backup.
    let id = token.left_lane(3);
    let old = fs::read(token.file(id)).unwrap();
    token.recover();
    fs::write(token.file(id), old).unwrap();
    let before = token.log().len();
    assert_eq!(token.fate(), (Fate::Unlisted, 0));
    assert_eq!(token.log().len(), before);
    assert_eq!(token.seen(), ["unlisted"]);
    fs::write(token.directory.join("lanes/README"), "not a lane").unwrap();
    assert_eq!(token.recover(), (0, Vec::new()));
}

#[test]
fn records_that_no_log_can_have_are_not_sealed() {
    for wrong in 0..4_u64 {
        let token = Token::new();
        let lane = token.lane();
        use_key(&lane);
        lane.append(|seq, out| {
            let record = used(&lane, seq);
            let record = match wrong {
                0 => Record { lane: LaneId(3), ..record },
                1 => Record { seq: seq + 1, ..record },
                2 => Record { head: 1_000_000, ..record },
                _ => return out.extend_from_slice(b"{}"),
            };
            record.encode(out);
        })
        .unwrap();
        drop(lane);
        assert_eq!(token.fate(), (Fate::Distrusted, 1), "{wrong}");
        token.log();
    }
}

/// What was sealed need not be in the file any more: it is in the log.
#[test]
fn a_power_cut_after_sealing_loses_nothing() {
    let token = Token::new();
    let lane = token.lane();
    use_times(&lane, 10);
    token.seal(&lane);
    let id = lane.id();
    drop(lane);
    change_file(&token.file(id), |bytes| bytes.truncate(500));
    make_old(&token.file(id));
    let (fate, records) = token.fate();
    assert!(matches!(fate, Fate::Cut { .. }));
    assert_eq!(records, 10);
    assert_eq!(token.numbers(id), up_to(10));
}

/// Where the machine has not stopped, somebody has taken away what was sealed.
#[test]
fn a_lane_that_has_less_than_the_log_is_distrusted() {
    let token = Token::new();
    let lane = token.lane();
    use_times(&lane, 10);
    token.seal(&lane);
    let id = lane.id();
    drop(lane);
    let kept = frames(&token.file(id)).iter().take(9).map(Vec::len).sum::<usize>();
    change_file(&token.file(id), |bytes| bytes.truncate(24 + kept));
    assert_eq!(token.fate(), (Fate::Distrusted, 10));
    assert_eq!(token.numbers(id), up_to(10));
}

#[test]
fn a_huge_lane_costs_no_memory() {
    huge(64 << 20, 32 << 20);
}

/// `cargo test --release -- --ignored a_lane_of_a_gibibyte --nocapture`
#[test]
#[ignore = "writes 1 GiB"]
fn a_lane_of_a_gibibyte_costs_no_memory() {
    huge(1 << 30, 1 << 30);
}

/// A lane with so many bytes of long records, and one with so many bytes of nothing.
fn huge(records: u64, zeros: u64) {
    let token = Token::new();
    let lane = token.lane();
    let long = "x".repeat(60_000);
    while lane.written() < records / 60_000 {
        let record = Record { op: Some(long.clone().into()), ..used(&lane, 0) };
        lane.append(|seq, out| Record { seq, ..record }.encode(out)).unwrap();
    }
    let (id, all) = (lane.id(), lane.written());
    drop(lane);
    let file = token.left_lane(1);
    File::options().write(true).open(token.file(file)).unwrap().set_len(zeros).unwrap();
    let garbage = token.left_lane(1);
    let file = File::options().write(true).open(token.file(garbage)).unwrap();
    file.write_all_at(b"x", zeros).unwrap();
    // A lane that this process has open is not looked at.
    drop(file);
    let start = std::time::Instant::now();
    let before = memory();
    let (commits, found) = token.recover();
    println!(
        "{commits} commits, {:?}, {} KiB more",
        start.elapsed(),
        memory().saturating_sub(before)
    );
    assert!(memory() < before + 40 * 1024);
    assert_eq!(found.len(), 3);
    for found in found {
        match found.lane {
            lane if lane == id => {
                assert_eq!((found.fate, found.records), (Fate::Cut { lost: 0 }, all))
            }
            lane if lane == garbage => assert_eq!(found.fate, Fate::Distrusted),
            _ => assert!(matches!(found.fate, Fate::Cut { .. })),
        }
    }
}

#[test]
fn another_pin_or_token_opens_no_lane() {
    let token = Token::new();
    let id = token.left_lane(3);
    let bytes = fs::read(token.file(id)).unwrap();
    let other = LaneKey::first(&Secret::copy_of(&[1; 32]).unwrap(), id).unwrap();
    let lane = crate::audit::lane::parse_lane(&bytes, other).unwrap();
    assert!(lane.records.is_empty());
}
