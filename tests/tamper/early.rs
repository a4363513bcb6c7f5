//! What waits for a login though nobody could vouch for it, and lanes of a gibibyte.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use cryptoki_sys as ck;

use crate::attacker::make_pipe;
use crate::lanes::{RECORDS, end_of, leave, name, sign, warned};
use crate::objects::all_but;
use crate::support::children::{in_child, in_child_measured};
use crate::support::log::text;
use crate::support::{USER_PIN, isolated};
use crate::victim::Victim;

/// What it costs to ask, in time and in resident memory of the process that does.
fn cost(victim: &Victim<'_>) -> (Duration, i64) {
    let begun = Instant::now();
    let used = in_child_measured(|| {
        let session = victim.begin();
        sign(&session);
        victim.module.finalize().unwrap();
    });
    (begun.elapsed(), used)
}

fn costs_no_more(victim: &Victim<'_>, what: &str, (time, memory): (Duration, i64)) {
    let (now, used) = cost(victim);
    eprintln!("{what}: {now:?} instead of {time:?}, {} KiB more", used - memory);
    assert!(now < time + Duration::from_secs(15), "{what}: {now:?}");
    assert!(used < memory + 24 * 1024, "{what}: {} KiB more", used - memory);
}

const GIBIBYTE: u64 = 1 << 30;

#[test]
fn a_lane_of_a_gibibyte_keeps_nobody_waiting() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        cost(&victim);
        let usual = cost(&victim);
        let lane = leave(&victim);
        File::options().write(true).open(&lane).unwrap().set_len(GIBIBYTE).unwrap();
        costs_no_more(&victim, "zeros", usual);
        assert_eq!(end_of(&bench.log(), &name(&lane)), ("lane-cut".to_owned(), RECORDS));
        let lane = leave(&victim);
        let file = File::options().write(true).open(&lane).unwrap();
        file.write_all_at(&[0xff; 1 << 20], GIBIBYTE - (1 << 20)).unwrap();
        drop(file);
        costs_no_more(&victim, "zeros and then noise", usual);
        assert_eq!(end_of(&bench.log(), &name(&lane)), ("lane-distrusted".to_owned(), RECORDS));
        assert_eq!(victim.ask(), warned());
    });
}

/// A file of records as processes without a login write them.
fn early(records: &[String]) -> Vec<u8> {
    let mut bytes = b"claviger early 1\n12345678".to_vec();
    for record in records {
        bytes.extend_from_slice(&u16::try_from(record.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(record.as_bytes());
    }
    bytes
}

fn unauthenticated(call: &str, key: &str, rv: &str) -> String {
    format!(
        "{{\"kind\":\"unauthenticated\",\"lane\":\"0000000000000000\",\"seq\":0,\
         \"time\":\"2026-11-22T02:10:00.000000Z\",\"role\":\"none\",\"session\":4,\
         \"call\":\"{call}\",{key}\"rv\":\"{rv}\",\"head\":0}}"
    )
}

#[test]
fn what_waits_for_a_login_names_no_key_and_is_no_login_that_succeeded() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let key = format!("\"key\":\"{}\",", victim.ids["ed25519"]);
        let used = unauthenticated("C_Sign", &key, "CKR_OK");
        let as_use = used.replace("\"kind\":\"unauthenticated\",", "");
        let changed = used.replace("unauthenticated", "change");
        let records = [
            unauthenticated("C_Login", "", "CKR_PIN_INCORRECT"),
            used,
            as_use,
            changed,
            unauthenticated("C_Login", "", "CKR_OK"),
            unauthenticated("C_LoginUser", "", "CKR_OK"),
            unauthenticated("C_Sign", "\"mechanism\":\"CKM_EDDSA\",", "CKR_OK"),
            unauthenticated("C_Login", "", "CKR_PIN_INCORRECT")
                .replace("\"head\":0", "\"head\":9999"),
            unauthenticated("C_Login", "", "CKR_PIN_INCORRECT").replace("\"seq\":0", "\"seq\":1"),
            "{\"kind\":\"lane-closed\",\"lane\":\"0000000000000001\",\"records\":0,\
             \"time\":\"2026-11-22T02:10:00.000000Z\"}"
                .to_owned(),
            "\n".to_owned(),
            unauthenticated("C_SetPIN", "", "CKR_PIN_INCORRECT"),
        ];
        let before = bench.log().leaves.len();
        fs::write(victim.file("lanes/early.lane"), early(&records)).unwrap();
        victim.as_user(|_| {});
        let log = bench.log();
        let mine: Vec<_> = log.of_kind("unauthenticated").map(|leaf| text(leaf, "call")).collect();
        assert_eq!(mine, ["C_Login", "C_SetPIN"]);
        assert!(log.leaves[before..].iter().all(|leaf| text(leaf, "call") != "C_Sign"));
        assert_eq!(victim.ask(), all_but(&[]));
    });
}

#[test]
fn what_waits_for_a_login_takes_little_room_and_time() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let path = victim.file("lanes/early.lane");
        cost(&victim);
        let usual = cost(&victim);
        for (what, start) in [("noise", vec![0xff; 1 << 20]), ("zeros", early(&[]))] {
            fs::write(&path, start).unwrap();
            File::options().write(true).open(&path).unwrap().set_len(GIBIBYTE).unwrap();
            costs_no_more(&victim, what, usual);
            assert!(!path.exists(), "{what}");
        }
        // Records of the greatest length, all through it.
        fs::write(&path, early(&[])).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for at in (25..GIBIBYTE).step_by(65_537) {
            file.write_all_at(&[0xff, 0xff], at).unwrap();
        }
        drop(file);
        costs_no_more(&victim, "records of nothing", usual);
        assert!(!path.exists());
        // True ones, and far too many: 200 MiB of wrong PINs.
        let one = early(&[unauthenticated("C_Login", "", "CKR_PIN_INCORRECT")]);
        fs::write(&path, [&one[..25], &one[25..].repeat(1 << 20)].concat()).unwrap();
        costs_no_more(&victim, "wrong PINs", usual);
        (0..3).for_each(|_| victim.as_user(|_| {}));
        assert!(!path.exists());
        assert_eq!(bench.log().of_kind("unauthenticated").count(), 10_000);
        assert_eq!(victim.ask(), all_but(&[]));
    });
}

/// It is put aside, and the next wrong PIN is on record.
#[test]
fn what_is_no_file_in_the_place_of_what_waits_for_a_login_hinders_nobody() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let path = victim.file("lanes/early.lane");
        let kinds: [fn(&Path); 4] = [
            |path| fs::create_dir(path).unwrap(),
            make_pipe,
            |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            |path| std::os::unix::fs::symlink("nowhere", path).unwrap(),
        ];
        for (number, put) in kinds.into_iter().enumerate() {
            put(&path);
            assert_eq!(victim.ask(), all_but(&[]));
            put(&path);
            in_child(|| {
                victim.module.initialize().unwrap();
                let session = victim.module.read_write(victim.module.slots(true).unwrap()[0]);
                assert!(session.login(ck::CKU_USER, "wrong pin").is_err());
                session.login(ck::CKU_USER, USER_PIN).unwrap();
                victim.module.finalize().unwrap();
            });
            assert_eq!(bench.log().of_kind("unauthenticated").count(), number + 1);
        }
    });
}
