//! Lanes: written, read, cut, changed.

use super::{LANE, Numbers, used};
use crate::audit::lane::{
    End, FRAME_LEN, HEADER_LEN, LONGEST_RECORD, Lane, LaneError, LaneKey, header, parse_header,
    parse_lane, scan,
};
use crate::audit::record::LaneId;
use crate::secret::Secret;

fn key() -> LaneKey {
    LaneKey::first(&Secret::copy_of(&[3; 32]).unwrap(), LANE).unwrap()
}

fn record(seq: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    used(seq).encode(&mut bytes);
    bytes
}

/// A lane's file with so many records, and where each frame ends.
fn written(records: u64, closed: bool) -> (Vec<u8>, Vec<usize>) {
    let (mut key, mut file) = (key(), header(LANE).to_vec());
    let mut ends = vec![file.len()];
    for seq in 1..=records {
        key.frame(&mut file, |out| used(seq).encode(out)).unwrap();
        key.keep();
        ends.push(file.len());
    }
    if closed {
        key.closing_frame(&mut file);
        key.keep();
    }
    (file, ends)
}

fn records(count: u64) -> Vec<Vec<u8>> {
    (1..=count).map(record).collect()
}

#[test]
fn a_lane_comes_back() {
    for count in [0, 1, 5, 700] {
        let (file, _) = written(count, true);
        assert_eq!(parse_header(&file), Some(LANE));
        let lane = Lane { records: records(count), end: End::Closed };
        assert_eq!(parse_lane(&file, key()), Ok(lane));
    }
}

#[test]
fn the_bytes_of_a_lane() {
    let (file, ends) = written(1, true);
    let body = record(1);
    assert_eq!(&file[..HEADER_LEN], b"claviger lane 1\n\x7f\x3a\x09\xc1\0\0\0\x01");
    assert_eq!(file[24..26], u16::try_from(body.len()).unwrap().to_be_bytes());
    assert_eq!(file[26..26 + body.len()], body);
    assert_eq!(ends[1], HEADER_LEN + body.len() + FRAME_LEN);
    assert_eq!(file.len(), ends[1] + FRAME_LEN);
}

#[test]
fn a_lane_may_end_at_any_byte() {
    let (file, ends) = written(4, true);
    for len in HEADER_LEN..file.len() {
        let lane = parse_lane(&file[..len], key()).unwrap();
        let whole = ends.iter().filter(|end| **end <= len).count() - 1;
        let (valid, lost) = (ends[whole] as u64, (len - ends[whole]) as u64);
        assert_eq!(lane.records, records(whole as u64));
        assert_eq!(lane.end, End::Cut { valid, lost });
    }
    for len in 0..HEADER_LEN {
        assert_eq!(parse_lane(&file[..len], key()), Err(LaneError::Header));
    }
}

/// A power cut leaves a file of the right length with pages of zeros.
#[test]
fn pages_that_were_never_written_are_a_cut() {
    let (file, ends) = written(4, true);
    for from in (ends[2]..ends[3] - 8).step_by(3) {
        for len in [file.len() - FRAME_LEN, 70_000] {
            let mut torn = file[..from].to_vec();
            torn.resize(len.max(ends[3]), 0);
            let lane = parse_lane(&torn, key()).unwrap();
            let lost = (torn.len() - ends[2]) as u64;
            assert_eq!(lane.records, records(2));
            assert_eq!(lane.end, End::Cut { valid: ends[2] as u64, lost }, "from {from}");
        }
    }
    let mut long = file.clone();
    long.resize(300_000, 0);
    assert_eq!(parse_lane(&long, key()).unwrap().end, End::Closed);
    long.push(1);
    let lost = (long.len() - file.len()) as u64;
    let end = End::BadTag { at: file.len() as u64, lost };
    assert_eq!(parse_lane(&long, key()).unwrap().end, end);
}

#[test]
fn every_changed_byte_is_found() {
    let (file, ends) = written(3, true);
    for bit in (0..file.len() * 8).filter(|bit| bit % 8 == bit / 8 % 8) {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let whole = ends.iter().filter(|end| **end <= bit / 8).count();
        match parse_lane(&changed, key()) {
            Err(error) => assert!(error == LaneError::Header && whole == 0),
            Ok(lane) => {
                assert_ne!(lane.end, End::Closed);
                assert_eq!(lane.records, records(whole as u64 - 1));
            }
        }
    }
}

#[test]
fn records_cannot_be_moved_dropped_or_taken_elsewhere() {
    let (file, ends) = written(3, true);
    let frame = |at: usize| &file[ends[at]..ends.get(at + 1).copied().unwrap_or(file.len())];
    let head = &file[..HEADER_LEN];
    let at = HEADER_LEN as u64;
    for order in [[1, 0, 2], [1, 2, 3], [2, 1, 0], [3, 0, 1]] {
        let frames = order.map(frame).concat();
        let lane = parse_lane(&[head, &frames].concat(), key()).unwrap();
        assert!(lane.records.is_empty());
        assert_eq!(lane.end, End::BadTag { at, lost: frames.len() as u64 });
    }
    let dropped = [head, frame(0), frame(2), frame(3)].concat();
    let lane = parse_lane(&dropped, key()).unwrap();
    assert_eq!(lane.records, records(1));
    assert!(matches!(lane.end, End::BadTag { .. }));
    // Another lane's key, another token's key.
    let other = LaneKey::first(&Secret::copy_of(&[3; 32]).unwrap(), LaneId(5)).unwrap();
    assert_eq!(parse_lane(&file, other), Err(LaneError::Header));
    let other = LaneKey::first(&Secret::copy_of(&[4; 32]).unwrap(), LANE).unwrap();
    assert!(matches!(parse_lane(&file, other).unwrap().end, End::BadTag { at: 24, .. }));
    let mut renamed = file.clone();
    renamed[..HEADER_LEN].copy_from_slice(&header(LaneId(5)));
    let other = LaneKey::first(&Secret::copy_of(&[3; 32]).unwrap(), LaneId(5)).unwrap();
    assert!(matches!(parse_lane(&renamed, other).unwrap().end, End::BadTag { at: 24, .. }));
}

#[test]
fn a_frame_that_was_not_written_does_not_count() {
    let (mut key, mut file) = (key(), header(LANE).to_vec());
    key.frame(&mut Vec::new(), |out| out.extend_from_slice(b"disk full")).unwrap();
    key.frame(&mut file, |out| out.extend_from_slice(b"one")).unwrap();
    key.keep();
    key.keep();
    let mut copy = key.try_clone().unwrap();
    let mut other = Vec::new();
    copy.frame(&mut other, |out| out.extend_from_slice(b"two")).unwrap();
    let start = file.len();
    key.frame(&mut file, |out| out.extend_from_slice(b"two")).unwrap();
    assert_eq!(file[start..], other);
    key.keep();
    key.closing_frame(&mut file);
    let lane = parse_lane(&file, self::key()).unwrap();
    assert_eq!(lane.records, [b"one", b"two"]);
    assert_eq!(lane.end, End::Closed);
}

#[test]
fn records_have_a_length() {
    let (mut key, mut out) = (key(), vec![7]);
    assert_eq!(key.frame(&mut out, |_| ()), Err(LaneError::Record));
    let long = |len: usize| move |out: &mut Vec<u8>| out.resize(out.len() + len, b'x');
    assert_eq!(key.frame(&mut out, long(LONGEST_RECORD + 1)), Err(LaneError::Record));
    assert_eq!(out, [7]);
    let mut file = header(LANE).to_vec();
    for _ in 0..3 {
        key.frame(&mut file, long(LONGEST_RECORD)).unwrap();
        key.keep();
    }
    let lane = parse_lane(&file, self::key()).unwrap();
    assert_eq!(lane.records.len(), 3);
    assert_eq!(lane.end, End::Cut { valid: file.len() as u64, lost: 0 });
}

#[test]
fn a_lane_is_read_in_pieces_of_any_size() {
    let (file, _) = written(50, true);
    for piece in [1, 2, 7, 1000] {
        let (mut at, mut found) = (0, Vec::new());
        let read = |room: &mut [u8]| {
            let len = room.len().min(piece).min(file.len() - at);
            room[..len].copy_from_slice(&file[at..at + len]);
            at += len;
            Ok::<usize, LaneError>(len)
        };
        let end = scan(key(), read, |record| {
            found.push(record.to_vec());
            Ok(())
        });
        assert_eq!(end, Ok(End::Closed));
        assert_eq!(found, records(50));
    }
    let failing = |_: &mut [u8]| Err(LaneError::Read("I/O error".into()));
    assert_eq!(scan(key(), failing, |_| Ok(())), Err(LaneError::Read("I/O error".into())));
}

/// The valid records are always a beginning of the true ones.
#[test]
fn mutated_lanes_give_a_beginning() {
    let (file, _) = written(6, true);
    let (mut numbers, all) = (Numbers(5), records(6));
    for _ in 0..2_000 {
        let mut changed = file.clone();
        numbers.mutate(&mut changed);
        if let Ok(lane) = parse_lane(&changed, key()) {
            assert_eq!(lane.records, all[..lane.records.len()]);
            assert!(lane.end != End::Closed || lane.records.len() == 6);
        }
    }
}
