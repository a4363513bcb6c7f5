//! Records on their way into the file.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Instant;

use super::super::{MOST_AT_ONCE, Progress, Written};
use super::*;
use crate::audit::lane::{End, LaneKey, parse_lane};
use crate::store::StoreError;
use crate::system::files::Access;

fn root() -> Secret {
    Secret::copy_of(&[5; 32]).unwrap()
}

fn parsed(path: &Path, id: LaneId) -> (Vec<Vec<u8>>, End) {
    let key = LaneKey::first(&root(), id).unwrap();
    let lane = parse_lane(&fs::read(path).unwrap(), key).unwrap();
    (lane.records, lane.end)
}

#[test]
fn a_lane_is_private_and_its_own() {
    let place = tempfile::tempdir().unwrap();
    let lanes = Lanes::new(place.path(), Access::Owner, RULES);
    let lane = lanes.open_as(&root(), LaneId(7)).unwrap().unwrap();
    let path = place.path().join("lanes/0000000000000007.lane");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(
        fs::metadata(place.path().join("lanes")).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert!(lanes.open_as(&root(), LaneId(7)).unwrap().is_none(), "the name is taken");
    assert_eq!(use_key(&lane), 1);
    assert_eq!(use_key(&lane), 2);
    assert_eq!((lane.written(), lane.sealed()), (2, 0));
    let (records, end) = parsed(&path, LaneId(7));
    assert_eq!(records.len(), 2);
    assert!(matches!(end, End::Cut { lost: 0, .. }));
    // An empty record is none, and takes no number.
    assert!(lane.append(|_, _| ()).is_err());
    assert!(lane.append(|_, out| out.resize(70_000, 1)).is_err());
    assert_eq!(use_key(&lane), 3);
    assert_ne!(lanes.open(&root()).unwrap().id(), lanes.open(&root()).unwrap().id());
}

#[test]
fn a_link_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("lanes")).unwrap();
    let link = place.path().join("lanes/0000000000000007.lane");
    std::os::unix::fs::symlink(place.path().join("elsewhere"), link).unwrap();
    let lanes = Lanes::new(place.path(), Access::Owner, RULES);
    assert!(lanes.open_as(&root(), LaneId(7)).unwrap().is_none());
    assert!(!place.path().join("elsewhere").exists());
}

#[test]
fn threads_get_numbers_in_the_order_of_the_file() {
    const EACH: usize = 2_000;
    let place = tempfile::tempdir().unwrap();
    let lanes = Lanes::new(place.path(), Access::Owner, RULES);
    let lane = lanes.open(&root()).unwrap();
    let numbers: Vec<u64> = std::thread::scope(|scope| {
        let one = || (0..EACH).map(|_| use_key(&lane)).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let distinct: BTreeSet<_> = numbers.iter().copied().collect();
    assert!(distinct.iter().copied().eq(1..=8 * EACH as u64));
    let path = place.path().join(format!("lanes/{}.lane", lane.id()));
    let (records, _) = parsed(&path, lane.id());
    let found: Vec<_> = records.iter().map(|record| Record::parse(record).unwrap().seq).collect();
    assert_eq!(found, up_to(8 * EACH as u64));
}

/// How long this thread has had a processor: a busy machine does not count.
fn busy() -> Duration {
    let found = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(found.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// Prints what a record costs; `--release` tells the truth.
#[test]
fn a_hundred_thousand_records() {
    const COUNT: u32 = 100_000;
    for durability in [Durability::Later, Durability::After(Duration::from_millis(100))] {
        let place = tempfile::tempdir().unwrap();
        let rules = Rules { durability, ..RULES };
        let lane = Lanes::new(place.path(), Access::Owner, rules).open(&root()).unwrap();
        let record = used(&lane, 0);
        use_times(&lane, 1_000);
        let (start, before) = (Instant::now(), busy());
        for _ in 0..COUNT {
            lane.append(|seq, out| Record { seq, ..record.clone() }.encode(out)).unwrap();
        }
        let (all, appending) = (start.elapsed() / COUNT, (busy() - before) / COUNT);
        let mut buffer = Vec::new();
        let before = busy();
        for seq in 0..u64::from(COUNT) {
            buffer.clear();
            Record { seq, ..record.clone() }.encode(&mut buffer);
            std::hint::black_box(&buffer);
        }
        let encoding = (busy() - before) / COUNT;
        println!("{durability:?}: a record {all:?}, busy {appending:?}, encoding {encoding:?}");
        assert_eq!(lane.written(), u64::from(COUNT) + 1_000);
    }
}

#[test]
fn every_record_can_be_made_lasting() {
    let place = tempfile::tempdir().unwrap();
    let rules = Rules { durability: Durability::Every, ..RULES };
    let lane = Lanes::new(place.path(), Access::Owner, rules).open(&root()).unwrap();
    let start = Instant::now();
    use_times(&lane, 20);
    println!("20 lasting records: {:?}", start.elapsed());
}

#[test]
fn it_is_time_to_seal() {
    let progress = Progress::new(Duration::from_secs(5));
    let later = |seconds| Instant::now() + Duration::from_secs(seconds);
    assert!(!progress.is_due(later(60)), "nothing waits");
    progress.wrote(Written { seq: 1, at: Instant::now() });
    assert!(!progress.is_due(later(0)) && !progress.is_due(later(4)));
    assert!(progress.is_due(later(6)), "the oldest has waited for long enough");
    progress.wrote(Written { seq: 2, at: later(4) });
    assert!(progress.is_due(later(6)), "the oldest, not the newest");
    progress.sealed_up_to(2, Some(later(4)));
    assert!(!progress.is_due(later(60)));
    progress.wrote(Written { seq: 3, at: later(60) });
    assert!(!progress.is_due(later(64)) && progress.is_due(later(66)));
    progress.wrote(Written { seq: 2 + MOST_AT_ONCE - 1, at: later(60) });
    assert!(!progress.is_due(later(61)));
    progress.wrote(Written { seq: 2 + MOST_AT_ONCE, at: later(60) });
    assert!(progress.is_due(later(61)), "enough of them wait");
    // A clock that stands still or goes back makes nothing old.
    assert!(!Progress::new(Duration::from_secs(5)).is_due(progress.begun));
}

#[test]
fn a_full_disk_costs_one_record_and_no_more() {
    const TEST: &str = "appending::a_full_disk_costs_one_record_and_no_more";
    if let Some((_, place)) = processes::own_part() {
        let lanes = Lanes::new(&place, Access::Owner, RULES);
        let lane = lanes.open_as(&root(), LaneId(7)).unwrap().unwrap();
        let long = |seq, out: &mut Vec<u8>| {
            Record { op: Some("x".repeat(8_000).into()), ..used(&lane, seq) }.encode(out);
        };
        while lane.append(long).is_ok() {}
        let kept = lane.written();
        assert_eq!(lane.append(long).unwrap_err(), StoreError::Full);
        assert_eq!(lane.written(), kept);
        assert_eq!(use_key(&lane), kept + 1, "a shorter one still fits");
        return println!("answer: {}", kept + 1);
    }
    let place = tempfile::tempdir().unwrap();
    let part = processes::part(TEST, "full", place.path());
    // At most 70 000 bytes in a file; the signal that comes with it is ignored.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 137 && exec \"$0\" \"$@\""]);
    command.arg(part.get_program()).args(part.get_args());
    command.envs(part.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let answers = processes::answers(vec![child]);
    let kept: usize = answers[0].parse().unwrap();
    let path = place.path().join("lanes/0000000000000007.lane");
    let (records, end) = parsed(&path, LaneId(7));
    assert_eq!(records.len(), kept);
    assert!(matches!(end, End::Cut { lost: 0, .. }), "{end:?}");
}
