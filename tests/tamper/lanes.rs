//! Uses on their way to the log, changed while they wait there, in the lane of a process that was
//! killed. The records before the change are in the log, a leaf says that the others cannot be
//! trusted, CKF_ERROR_STATE stays until the officer accepts it, and keys go on working. Nothing that
//! was invented ever gets into the log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cryptoki_sys as ck;
use serde_json::Value;

use crate::attacker::{make_pipe, remove};
use crate::objects::all_but;
use crate::support::children::in_child;
use crate::support::log::{Log, text};
use crate::support::operations::plain;
use crate::support::{Bench, Session, isolated, template};
use crate::victim::{Answers, Victim};

/// The records of `leave`: a login and so many signatures.
pub const RECORDS: u64 = 6;
const HEADER: usize = 24;

pub fn sign(session: &Session<'_>) {
    let key = session.find(&template! { CKA_LABEL => "ed25519" }).unwrap()[0];
    session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("keys go on working");
}

pub fn sign_times(session: &Session<'_>, times: u64) {
    (0..times).for_each(|_| sign(session));
}

/// A process logs in, signs and is killed. Gives its lane.
pub fn leave(victim: &Victim<'_>) -> PathBuf {
    let before = victim.lanes();
    in_child(|| sign_times(&victim.begin(), RECORDS - 1));
    let mut left = victim.lanes();
    left.retain(|lane| !before.contains(lane));
    assert_eq!(frames(&left[0]).len() as u64, RECORDS);
    left.remove(0)
}

pub fn name(lane: &Path) -> String {
    lane.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The frames of a lane: lengths, records and tags.
pub fn frames(lane: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(lane).unwrap();
    let mut rest = &bytes[HEADER..];
    let mut frames = Vec::new();
    while let [high, low, ..] = rest {
        let (frame, later) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])) + 18);
        frames.push(frame.to_vec());
        rest = later;
    }
    frames
}

fn put_frames(lane: &Path, frames: &[Vec<u8>]) {
    let mut bytes = fs::read(lane).unwrap();
    bytes.truncate(HEADER);
    bytes.extend(frames.concat());
    fs::write(lane, bytes).unwrap();
}

pub fn change_frames(lane: &Path, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut frames = frames(lane);
    change(&mut frames);
    put_frames(lane, &frames);
}

fn change_bytes(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// As if it had been written before the machine was started.
fn make_old(lane: &Path) {
    File::options().write(true).open(lane).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

fn record_of(frame: &[u8]) -> Value {
    serde_json::from_slice(&frame[2..frame.len() - 16]).unwrap()
}

/// The uses of a lane that the log has.
pub fn uses_of(log: &Log, lane: &str) -> Vec<Value> {
    log.of_kind("").filter(|leaf| text(leaf, "lane") == lane).cloned().collect()
}

/// The leaf that ends a lane: its kind and the number of records.
pub fn end_of(log: &Log, lane: &str) -> (String, u64) {
    let ends = ["lane-closed", "lane-cut", "lane-distrusted"];
    let is_end = |leaf: &&Value| ends.contains(&text(leaf, "kind")) && text(leaf, "lane") == lane;
    let found: Vec<_> = log.leaves.iter().filter(is_end).collect();
    let [end] = found.as_slice() else { panic!("{} ends of {lane}", found.len()) };
    (text(end, "kind").to_owned(), end["records"].as_u64().unwrap())
}

/// What the module answers in the error state that is no more than told.
pub fn warned() -> Answers {
    Answers { error_state: true, ..all_but(&[]) }
}

/// What is expected of an attack on the lane of a process that was killed.
#[derive(Clone, Copy)]
enum Expected {
    /// The log has so many of its records, and the token is in the error state.
    Distrusted(u64),
    /// The log has so many of its records, and that is all.
    Cut(u64),
}

/// Does it to the lane of a process that was killed.
fn attack(bench: &Bench, expected: Expected, attack: impl Fn(&Victim<'_>, &Path)) {
    let victim = Victim::new(bench);
    assert_eq!(victim.ask(), all_but(&[]), "nothing is changed yet");
    let lane = leave(&victim);
    let written: Vec<Value> = frames(&lane).iter().map(|frame| record_of(frame)).collect();
    attack(&victim, &lane);
    check(&victim, &name(&lane), &written, expected);
    fs::remove_dir_all(bench.token_dir()).unwrap();
}

fn check(victim: &Victim<'_>, lane: &str, written: &[Value], expected: Expected) {
    let (kind, records, answers) = match expected {
        Expected::Distrusted(records) => ("lane-distrusted", records, warned()),
        Expected::Cut(records) => ("lane-cut", records, all_but(&[])),
    };
    for _ in 0..2 {
        assert_eq!(victim.ask(), answers);
        let log = victim.bench.log();
        assert_eq!(end_of(&log, lane), (kind.to_owned(), records));
        let uses = uses_of(&log, lane);
        assert_eq!(uses, written[..usize::try_from(records).unwrap()], "what was written");
    }
    assert!(victim.lanes().is_empty(), "all are dealt with");
    if answers.error_state {
        victim.accept();
        assert_eq!(victim.ask(), all_but(&[]));
        assert_eq!(victim.verify().fault, None);
        assert!(victim.file("lanes/accepted-1").is_dir(), "it is kept");
    }
}

#[test]
fn an_edited_record_of_a_lane_is_noticed() {
    isolated(|bench| {
        let edit = |at: usize, of: fn(&mut Vec<u8>) -> &mut u8| {
            attack(bench, Expected::Distrusted(at as u64), |_, lane| {
                change_frames(lane, |frames| *of(&mut frames[at]) ^= 1);
            });
        };
        edit(3, |frame| &mut frame[40]);
        edit(0, |frame| &mut frame[40]);
        edit(5, |frame| &mut frame[40]);
        edit(3, |frame| frame.last_mut().unwrap());
        edit(3, |frame| &mut frame[1]);
        // The whole header is the lane's.
        attack(bench, Expected::Distrusted(0), |_, lane| change_bytes(lane, |it| it[20] ^= 1));
        attack(bench, Expected::Distrusted(0), |_, lane| change_bytes(lane, Vec::clear));
        attack(bench, Expected::Distrusted(0), |_, lane| change_bytes(lane, |it| it.fill(0xff)));
    });
}

/// A length that reaches beyond the end looks as what a killed process leaves.
#[test]
fn a_lane_whose_length_reaches_beyond_its_end_is_cut_there() {
    isolated(|bench| {
        attack(bench, Expected::Cut(3), |_, lane| {
            change_frames(lane, |frames| frames[3][0] = 0xff);
        });
    });
}

#[test]
fn an_invented_record_of_a_lane_never_gets_into_the_log() {
    isolated(|bench| {
        let invented = |frames: &[Vec<u8>]| {
            let last = frames.last().unwrap();
            let line = String::from_utf8(last[2..last.len() - 16].to_vec()).unwrap();
            let line =
                line.replace(&format!("\"seq\":{RECORDS}"), &format!("\"seq\":{}", RECORDS + 1));
            let mut frame = u16::try_from(line.len()).unwrap().to_be_bytes().to_vec();
            frame.extend_from_slice(line.as_bytes());
            frame.extend_from_slice(&[0x5a; 16]);
            frame
        };
        attack(bench, Expected::Distrusted(RECORDS), |_, lane| {
            change_frames(lane, |frames| frames.push(invented(frames)));
        });
        // The last one once more, and an end that nobody has written.
        attack(bench, Expected::Distrusted(RECORDS), |_, lane| {
            change_frames(lane, |frames| frames.push(frames.last().unwrap().clone()));
        });
        attack(bench, Expected::Distrusted(RECORDS), |_, lane| {
            change_frames(lane, |frames| frames.push([[0; 2].as_slice(), &[0x5a; 16]].concat()));
        });
        attack(bench, Expected::Distrusted(2), |_, lane| {
            change_frames(lane, |frames| frames.insert(2, invented(frames)));
        });
    });
}

#[test]
fn reordered_or_removed_records_of_a_lane_are_noticed() {
    isolated(|bench| {
        attack(bench, Expected::Distrusted(3), |_, lane| {
            change_frames(lane, |frames| frames.swap(3, 4));
        });
        attack(bench, Expected::Distrusted(3), |_, lane| {
            change_frames(lane, |frames| drop(frames.remove(3)));
        });
        attack(bench, Expected::Distrusted(0), |_, lane| {
            change_frames(lane, |frames| drop(frames.remove(0)));
        });
    });
}

/// What a process is killed before writing and what somebody cuts off look the same.
#[test]
fn the_last_records_of_a_killed_process_can_be_cut_off() {
    isolated(|bench| {
        attack(bench, Expected::Cut(RECORDS - 1), |_, lane| {
            change_frames(lane, |frames| drop(frames.pop()));
        });
        attack(bench, Expected::Cut(0), |_, lane| change_bytes(lane, |it| it.truncate(HEADER)));
        attack(bench, Expected::Cut(RECORDS - 1), |_, lane| {
            change_bytes(lane, |bytes| bytes.truncate(bytes.len() - 1));
        });
    });
}

/// But not those that the log has: it says how many there were.
#[test]
fn records_that_are_in_the_log_cannot_be_cut_off_unnoticed() {
    isolated(|bench| {
        let victim = Victim::with(bench, "audit.seal_ms = 1");
        in_child(|| {
            let session = victim.begin();
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(5));
                sign(&session);
            }
        });
        let lane = victim.lanes().remove(0);
        let written: Vec<Value> = frames(&lane).iter().map(|frame| record_of(frame)).collect();
        let sealed = uses_of(&bench.log(), &name(&lane)).len() as u64;
        assert!(sealed >= 2, "{sealed}");
        change_frames(&lane, |frames| frames.truncate(1));
        check(&victim, &name(&lane), &written, Expected::Distrusted(sealed));
    });
}

#[test]
fn a_lane_that_is_gone_is_missed() {
    isolated(|bench| attack(bench, Expected::Distrusted(0), |_, lane| remove(lane)));
}

#[test]
fn all_lanes_removed_with_their_directory_are_missed() {
    isolated(|bench| {
        attack(bench, Expected::Distrusted(0), |victim, _| remove(&victim.file("lanes")));
    });
}

#[test]
fn what_is_no_file_in_the_place_of_a_lane_is_noticed_and_nobody_waits_for_it() {
    isolated(|bench| {
        let in_its_place = |put: &dyn Fn(&Path)| {
            attack(bench, Expected::Distrusted(0), |_, lane| {
                fs::rename(lane, bench.dir().join("moved")).unwrap();
                put(lane);
            });
        };
        in_its_place(&|lane| fs::create_dir(lane).unwrap());
        in_its_place(&make_pipe);
        in_its_place(&|lane| {
            std::os::unix::fs::symlink(bench.dir().join("moved"), lane).unwrap();
        });
        in_its_place(&|lane| std::os::unix::fs::symlink("/dev/zero", lane).unwrap());
    });
}

#[test]
fn the_lane_of_another_token_or_process_is_nothing_here() {
    isolated(|bench| {
        let other = Victim::new(bench);
        let foreign = bench.dir().join("foreign");
        fs::copy(leave(&other), &foreign).unwrap();
        fs::remove_dir_all(bench.token_dir()).unwrap();
        attack(bench, Expected::Distrusted(0), |_, lane| {
            fs::copy(&foreign, lane).unwrap();
        });
        // Its records behind this lane's header.
        attack(bench, Expected::Distrusted(0), |_, lane| put_frames(lane, &frames(&foreign)));
        // Two of the same token that change places.
        let victim = Victim::new(bench);
        in_child(|| {
            sign(&victim.begin());
            in_child(|| sign(&victim.begin()));
        });
        let lanes = victim.lanes();
        let [one, other] = lanes.as_slice() else { panic!("{lanes:?}") };
        let [moved, stays] = [one, other].map(|lane| fs::read(lane).unwrap());
        fs::write(other, moved).unwrap();
        fs::write(one, stays).unwrap();
        assert_eq!(victim.ask(), warned());
        let log = bench.log();
        for lane in [one, other] {
            assert_eq!(end_of(&log, &name(lane)), ("lane-distrusted".to_owned(), 0));
            assert!(uses_of(&log, &name(lane)).is_empty());
        }
    });
}

/// Of these the log knows nothing, or knows that they are over; a crash amid a commit can leave
/// such a file as well. It is put aside.
#[test]
fn an_old_lane_that_is_put_back_or_an_invented_one_changes_nothing() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let lane = leave(&victim);
        let old = fs::read(&lane).unwrap();
        assert_eq!(victim.ask(), all_but(&[]));
        fs::write(&lane, &old).unwrap();
        let mut invented = old.clone();
        invented[16..HEADER].fill(0x11);
        fs::write(victim.file("lanes/1111111111111111.lane"), &invented).unwrap();
        fs::create_dir(victim.file("lanes/2222222222222222.lane")).unwrap();
        make_pipe(&victim.file("lanes/3333333333333333.lane"));
        for _ in 0..2 {
            assert_eq!(victim.ask(), all_but(&[]));
        }
        let log = bench.log();
        assert_eq!(uses_of(&log, &name(&lane)).len() as u64, RECORDS, "once");
        assert_eq!(end_of(&log, &name(&lane)), ("lane-cut".to_owned(), RECORDS));
        assert!(log.leaves.iter().all(|leaf| text(leaf, "lane") != "1111111111111111"));
        assert_eq!(
            fs::read(victim.file("lanes/unlisted").join(lane.file_name().unwrap())).unwrap(),
            old
        );
        assert!(victim.file("lanes/unlisted/1111111111111111.lane").is_file());
        // Where they cannot be put aside, nobody is kept from working.
        remove(&victim.file("lanes/unlisted"));
        fs::write(victim.file("lanes/unlisted"), b"").unwrap();
        fs::write(&lane, &old).unwrap();
        assert_eq!(victim.ask(), all_but(&[]));
        assert_eq!(uses_of(&bench.log(), &name(&lane)).len() as u64, RECORDS, "once");
    });
}

/// A file, or a link to nowhere, where changed lanes are put: the error state stays.
#[test]
fn changed_lanes_that_cannot_be_put_aside_are_told_all_the_same() {
    isolated(|bench| {
        for put in [(|place| fs::write(place, b"").unwrap()) as fn(&Path), |place| {
            std::os::unix::fs::symlink("nowhere", place).unwrap()
        }] {
            let victim = Victim::new(bench);
            let lane = leave(&victim);
            put(&victim.file("lanes/distrusted"));
            change_frames(&lane, |frames| drop(frames.remove(1)));
            for _ in 0..2 {
                assert_eq!(victim.ask(), warned());
            }
            assert_eq!(end_of(&bench.log(), &name(&lane)), ("lane-distrusted".to_owned(), 1));
            victim.accept();
            assert_eq!(victim.ask(), all_but(&[]));
            fs::remove_dir_all(bench.token_dir()).unwrap();
        }
    });
}

#[test]
fn a_lane_of_an_earlier_boot_may_end_early_or_have_holes() {
    isolated(|bench| {
        let old = |change: fn(&mut Vec<u8>), records: u64| {
            attack(bench, Expected::Cut(records), |_, lane| {
                change_bytes(lane, change);
                make_old(lane);
            });
        };
        old(|_| {}, RECORDS);
        old(|bytes| bytes.truncate(bytes.len() - 30), RECORDS - 1);
        old(|bytes| bytes.resize(bytes.len() + 8_192, 0), RECORDS);
        // Sectors that were never written, though later ones were.
        old(|bytes| bytes[512..1_024].fill(0), 2);
        // Nothing else is excused.
        attack(bench, Expected::Distrusted(3), |_, lane| {
            change_frames(lane, |frames| frames[3][40] ^= 1);
            make_old(lane);
        });
        attack(bench, Expected::Distrusted(2), |_, lane| {
            change_bytes(lane, |bytes| bytes[512..1_024].fill(0));
        });
    });
}
