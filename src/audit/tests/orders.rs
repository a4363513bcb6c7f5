//! Which leaves may follow which.

use super::{LANE, Published, generation, opened, sound, state, time, used};
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record};
use crate::audit::verify::{Fault, What, verify};

const OTHER: LaneId = LaneId(2);

fn changed() -> Leaf<'static> {
    Leaf::Change(Record { call: "C_CreateObject".into(), mechanism: None, ..used(0) })
}

fn use_of(seq: u64) -> Leaf<'static> {
    Leaf::Use(used(seq))
}

fn closed(records: u64) -> Leaf<'static> {
    Leaf::LaneClosed { lane: LANE, records, time: time(9) }
}

fn cut(records: u64) -> Leaf<'static> {
    let reason = "power cut".into();
    Leaf::LaneCut { lane: LANE, records, lost_bytes: 10, reason, time: time(9) }
}

fn distrusted(records: u64) -> Leaf<'static> {
    Leaf::LaneDistrusted { lane: LANE, records, file: "x".into(), time: time(9) }
}

/// What is wrong with a log that begins properly and goes on with these leaves.
fn fault(leaves: &[Leaf<'static>]) -> Option<Fault> {
    let begin = [generation(1), opened(LANE), state(&[(LANE, 0)])];
    let published = Published::of_leaves(&[&begin, leaves].concat());
    let read = |path: &str| published.read(path);
    let keys = [published.key.clone()];
    verify(&read, published.note.as_bytes(), &keys, &mut |_, _, _| ()).fault
}

#[test]
fn sound_orders() {
    let open = state(&[(LANE, 2)]);
    for leaves in [
        vec![],
        vec![use_of(1), use_of(2), open.clone()],
        // A change is in the log before the uses that precede it.
        vec![changed(), use_of(1), changed(), use_of(2), open],
        vec![changed(), state(&[(LANE, 0)]), use_of(1), state(&[(LANE, 1)])],
        vec![use_of(1), closed(1), state(&[])],
        vec![use_of(1), cut(1), state(&[])],
        vec![changed(), use_of(1), cut(1), state(&[])],
        vec![distrusted(0), state(&[])],
        vec![closed(0), opened(OTHER), state(&[(OTHER, 0)])],
        vec![opened(OTHER), state(&[(OTHER, 0), (LANE, 0)])],
        vec![
            Leaf::Change(Record { lane: LaneId::NONE, seq: 0, ..used(1) }),
            Leaf::Unauthenticated(Record {
                key: None,
                mechanism: None,
                version: None,
                lane: OTHER,
                ..used(77)
            }),
            state(&[(LANE, 0)]),
        ],
    ] {
        assert_eq!(fault(&leaves), None, "{leaves:?}");
    }
}

#[test]
fn orders_with_a_fault() {
    let open = |records| state(&[(LANE, records)]);
    let lane_of = |lane: LaneId, seq| Record { lane, ..used(seq) };
    for (index, leaves) in [
        (4, vec![use_of(1), use_of(1), open(1)]),
        (3, vec![use_of(2), open(2)]),
        (4, vec![use_of(1), use_of(3), open(3)]),
        (3, vec![use_of(0), open(0)]),
        (3, vec![Leaf::Change(lane_of(LANE, 1)), open(1)]),
        (4, vec![closed(0), changed(), state(&[])]),
        (3, vec![Leaf::Use(lane_of(OTHER, 1)), open(0)]),
        (3, vec![Leaf::Use(lane_of(LaneId::NONE, 0)), open(0)]),
        (3, vec![Leaf::Use(lane_of(LaneId::NONE, 1)), open(0)]),
        (3, vec![Leaf::Change(lane_of(OTHER, 0)), open(0)]),
        (3, vec![Leaf::Change(lane_of(LaneId::NONE, 1)), open(0)]),
        (3, vec![opened(LANE), open(0)]),
        (3, vec![opened(LaneId::NONE), open(0)]),
        (4, vec![closed(0), closed(0), state(&[])]),
        (4, vec![closed(0), use_of(1), state(&[])]),
        (3, vec![closed(1), state(&[])]),
        (4, vec![use_of(1), closed(0), state(&[])]),
        (3, vec![cut(1), state(&[])]),
        (4, vec![use_of(1), distrusted(0), state(&[])]),
        (3, vec![state(&[])]),
        (3, vec![open(1)]),
        (3, vec![state(&[(OTHER, 0)])]),
        (3, vec![state(&[(OTHER, 0), (LANE, 0)])]),
        (4, vec![closed(0), open(0)]),
        (3, vec![generation(1), open(0)]),
        (3, vec![Leaf::Use(Record { head: 4, ..used(1) }), open(1)]),
        // The last leaf.
        (3, vec![use_of(1)]),
        (4, vec![open(0), closed(0)]),
    ] {
        let fault = fault(&leaves).unwrap_or_else(|| panic!("{leaves:?}"));
        assert!(matches!(fault.what, What::Order(_)), "{fault}: {leaves:?}");
        assert_eq!(fault.index, Some(index), "{fault}: {leaves:?}");
    }
}

#[test]
fn the_first_leaf_is_the_generation_of_the_name() {
    for begin in [vec![state(&[])], vec![generation(2), state(&[])], vec![generation(0)]] {
        let published = Published::of_leaves(&begin);
        let read = |path: &str| published.read(path);
        let report = verify(&read, published.note.as_bytes(), &[], &mut |_, _, _| ());
        let fault = report.fault.unwrap();
        assert_eq!(fault.index, Some(0));
        assert!(matches!(fault.what, What::Order(_)));
    }
    let empty = Published::new(&[]);
    let read = |path: &str| empty.read(path);
    let report = verify(&read, empty.note.as_bytes(), &[], &mut |_, _, _| ());
    assert_eq!(report.fault.unwrap().index, None);
    let published = Published::new(&sound(5));
    let read = |path: &str| published.read(path);
    assert!(verify(&read, published.note.as_bytes(), &[], &mut |_, _, _| ()).is_sound());
}
