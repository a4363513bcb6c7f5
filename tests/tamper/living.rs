//! The lane of a process that lives, changed or removed under it. It goes on in another.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cryptoki_sys as ck;

use crate::attacker::remove;
use crate::lanes::{change_frames, end_of, name, sign, sign_times, uses_of, warned};
use crate::objects::all_but;
use crate::support::children::in_child;
use crate::support::log::{Log, text};
use crate::support::operations::plain;
use crate::support::{Bench, isolated, template};
use crate::victim::{Victim, copy};

/// Works while `attack` is done to its lane from outside, and goes on. Gives how many signatures
/// were made before and after.
fn under_a_living_process(bench: &Bench, attack: impl Fn(&Path)) -> (Log, String) {
    let victim = Victim::with(bench, "audit.seal_ms = 20");
    in_child(|| {
        let session = victim.begin();
        let slot = victim.module.slots(true).unwrap()[0];
        sign_times(&session, 3);
        let lane = victim.lanes().remove(0);
        fs::write(bench.dir().join("lane"), name(&lane)).unwrap();
        // Whoever closes the file in this process would give up its lock.
        in_child(|| attack(&lane));
        assert!(!victim.module.token_has(slot, ck::CKF_ERROR_STATE), "nobody has looked yet");
        let (deadline, pause) =
            (Instant::now() + Duration::from_secs(20), Duration::from_millis(5));
        while !victim.module.token_has(slot, ck::CKF_ERROR_STATE) {
            assert!(Instant::now() < deadline, "it was not noticed");
            std::thread::sleep(pause);
            sign(&session);
        }
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| sign_times(&victim.module.read_write(slot), 20));
            }
        });
        let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true };
        session.destroy(session.create(&data).unwrap()).unwrap();
        victim.module.finalize().unwrap();
    });
    assert_eq!(victim.ask(), warned(), "also in other processes");
    let log = bench.log();
    victim.accept();
    assert_eq!(victim.ask(), all_but(&[]));
    let lane = fs::read_to_string(bench.dir().join("lane")).unwrap();
    fs::remove_dir_all(bench.token_dir()).unwrap();
    (log, lane)
}

#[test]
fn the_lane_of_a_living_process_that_is_changed_is_noticed_and_it_goes_on_in_another() {
    isolated(|bench| {
        for attack in
            [(|lane| change_frames(lane, |frames| frames[1][40] ^= 1)) as fn(&Path), |lane| {
                change_frames(lane, |frames| frames.truncate(1))
            }]
        {
            let (log, lane) = under_a_living_process(bench, attack);
            let (kind, records) = end_of(&log, &lane);
            assert_eq!((&*kind, records), ("lane-distrusted", 1));
            assert_eq!(uses_of(&log, &lane).len(), 1);
            assert!(log.count("C_Sign") >= 60, "what came after is on record");
        }
    });
}

/// It still has the file open, and loses nothing.
#[test]
fn the_lane_of_a_living_process_that_is_removed_is_noticed_and_nothing_is_lost() {
    isolated(|bench| {
        for attack in [(|lane| remove(lane)) as fn(&Path), |lane| {
            let bytes = fs::read(lane).unwrap();
            remove(lane);
            fs::write(lane, bytes).unwrap();
        }] {
            let (log, lane) = under_a_living_process(bench, attack);
            let (kind, records) = end_of(&log, &lane);
            assert_eq!(kind, "lane-distrusted");
            assert!(records >= 5, "{records}");
            assert_eq!(uses_of(&log, &lane).len() as u64, records);
            let made = text(&uses_of(&log, &lane)[0], "call").to_owned();
            assert_eq!(made, "C_Login");
        }
    });
}

/// Where its lane was changed and there is no room for another, no key is used: that could not be
/// recorded. It goes on as soon as there is.
#[test]
fn a_living_process_without_a_place_for_its_lane_waits_for_one() {
    isolated(|bench| {
        let victim = Victim::with(bench, "audit.seal_ms = 20");
        let (place, moved) = (victim.file("lanes"), victim.file("moved"));
        in_child(|| {
            let session = victim.begin();
            let key = session.find(&template! { CKA_LABEL => "ed25519" }).unwrap()[0];
            let try_to_sign = || {
                std::thread::sleep(Duration::from_millis(25));
                session.sign(&plain(ck::CKM_EDDSA), key, b"data")
            };
            sign_times(&session, 3);
            let lane = victim.lanes().remove(0);
            in_child(|| {
                change_frames(&lane, |frames| frames.truncate(1));
                fs::rename(&place, &moved).unwrap();
                fs::write(&place, b"").unwrap();
            });
            let refused = (0..50).find_map(|_| try_to_sign().err());
            refused.expect("it was noticed").is(ck::CKR_DEVICE_ERROR);
            assert!(try_to_sign().is_err());
            remove(&place);
            (0..3).for_each(|_| drop(try_to_sign().expect("there is room again")));
            victim.module.finalize().unwrap();
        });
        let log = bench.log();
        assert_eq!(log.of_kind("lane-distrusted").count(), 1);
        assert!(log.count("C_Sign") >= 3);
    });
}

/// The directory of a token as it was while a process worked: its lane is there, without owner.
#[test]
fn a_copy_that_was_made_under_a_living_process_brings_its_lane_along() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let now = bench.dir().join("now");
        in_child(|| {
            let session = victim.begin();
            sign_times(&session, 2);
            in_child(|| copy(&victim.directory, &now));
            victim.module.finalize().unwrap();
        });
        assert_eq!(victim.ask(), all_but(&[]));
        // Whoever puts its lane back into the original has put back an old one.
        for lane in fs::read_dir(now.join("lanes")).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(lane.path(), victim.file("lanes").join(lane.file_name())).unwrap();
        }
        let before = bench.log().count("C_Sign");
        assert_eq!(victim.ask(), all_but(&[]));
        assert_eq!(bench.log().count("C_Sign"), before + 2, "those of this time");
    });
}
