//! Records and leaves as lines: one spelling, hostile text, and bytes that nobody wrote.

use std::borrow::Cow;

use super::{LANE, Numbers, generation, opened, state, time, used};
use crate::audit::leaf::{LaneOpened, Leaf, StateLeaf, printable};
use crate::audit::record::{LaneId, Record, Role};
use crate::audit::time::Time;

const HOSTILE: &[&str] = &[
    "",
    "\"",
    "\\",
    "\\\"",
    "\\u0041",
    "\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f}\u{7f}\u{80}\u{9b}31m",
    "\u{1b}[2J",
    "a\",\"rv\":\"CKR_OK",
    "\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}\u{200b}",
    "Zähler \u{1f511} \u{10ffff} \u{fffd}",
    "{\"lane\":1}",
    "/usr/bin/\\x41",
];

fn full<'a>(text: &'a str) -> Record<'a> {
    let some = || Some(Cow::Borrowed(text));
    Record {
        lane: LaneId(u64::MAX),
        seq: u64::MAX,
        time: Time::from_micros(u64::MAX),
        role: Role::SecurityOfficer,
        session: u64::MAX,
        call: text.into(),
        mechanism: some(),
        key: some(),
        version: Some(u64::MAX),
        input: Some(0),
        rv: text.into(),
        head: 0,
        hash: some(),
        op: some(),
        actor: some(),
        trace: some(),
    }
}

fn all_leaves<'a>(text: &'a str) -> Vec<Leaf<'a>> {
    let time = time(0);
    vec![
        Leaf::Use(full(text)),
        Leaf::Use(used(1)),
        Leaf::Change(full(text)),
        Leaf::Unauthenticated(Record { mechanism: None, key: None, version: None, ..full(text) }),
        opened(LANE),
        Leaf::LaneOpened(LaneOpened {
            lane: LANE,
            time,
            boot: text.into(),
            host: text.into(),
            pid: 0,
            uid: u64::MAX,
            exe: text.into(),
            token: text.into(),
            custody: text.into(),
            trace: Some(text.into()),
        }),
        Leaf::LaneClosed { lane: LANE, records: 5, time },
        Leaf::LaneCut { lane: LANE, records: 5, lost_bytes: 9, reason: text.into(), time },
        Leaf::LaneDistrusted { lane: LANE, records: 0, file: text.into(), time },
        Leaf::Quarantined { key: None, reason: text.into(), time },
        Leaf::Quarantined { key: Some(text.into()), reason: "".into(), time },
        generation(2),
        Leaf::Generation { number: 3, time, previous: Some(text.into()), reason: text.into() },
        state(&[]),
        state(&[(LaneId(1), 0), (LANE, 17), (LaneId(u64::MAX), u64::MAX)]),
        Leaf::State(StateLeaf { machine: text.into(), ..StateLeaf::default() }),
    ]
}

#[test]
fn the_line_of_a_use() {
    let line = concat!(
        r#"{"lane":"7f3a09c100000001","seq":17,"time":"2026-11-21T20:24:22.123456Z","#,
        r#""role":"user","session":3,"call":"C_Sign","mechanism":"CKM_ECDSA","#,
        r#""key":"00112233445566778899aabbccddeeff","version":2,"in":32,"rv":"CKR_OK","head":2}"#
    );
    let mut bytes = Vec::new();
    used(17).encode(&mut bytes);
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), line);
    assert_eq!(Record::parse(&bytes), Ok(used(17)));
    assert!(line.len() < 400 - 18);
}

#[test]
fn the_lines_of_leaves() {
    let lines = [
        (
            opened(LANE),
            concat!(
                r#"{"kind":"lane-opened","lane":"7f3a09c100000001","#,
                r#""time":"2026-11-21T20:24:05.123456Z","#,
                r#""boot":"e8b7c0b4-0000-4000-8000-000000000001","host":"signer","pid":4711,"#,
                r#""uid":1000,"exe":"/usr/bin/openssl","token":"4a1f00c0ffee0001","#,
                r#""custody":"software"}"#
            )
            .to_owned(),
        ),
        (
            state(&[(LaneId(1), 0), (LaneId(2), 7)]),
            format!(
                concat!(
                    r#"{{"kind":"state","state_root":"{}","slots":5,"token_hash":"{}","epoch":1,"#,
                    r#""lanes":[["0000000000000001",0],["0000000000000002",7]],"#,
                    r#""machine":"b6a1","inode":1234}}"#
                ),
                "07".repeat(32),
                "09".repeat(32)
            ),
        ),
        (
            Leaf::LaneCut {
                lane: LANE,
                records: 2,
                lost_bytes: 30,
                reason: "power \"cut\"\n".into(),
                time: time(0),
            },
            concat!(
                r#"{"kind":"lane-cut","lane":"7f3a09c100000001","records":2,"lost_bytes":30,"#,
                r#""reason":"power \"cut\"\u000a","time":"2026-11-21T20:24:05.123456Z"}"#
            )
            .to_owned(),
        ),
    ];
    for (leaf, line) in lines {
        assert_eq!(String::from_utf8(leaf.to_bytes()).unwrap(), line);
    }
}

#[test]
fn every_leaf_comes_back() {
    for text in HOSTILE {
        for leaf in all_leaves(text) {
            let bytes = leaf.to_bytes();
            let line = std::str::from_utf8(&bytes).unwrap();
            assert!(line.chars().all(|c| !c.is_control()), "{line}");
            assert_eq!(Leaf::parse(&bytes).as_ref(), Ok(&leaf), "{line}");
            // Any other reader of JSON reads the same text.
            let json: serde_json::Value = serde_json::from_slice(&bytes).expect(line);
            if let Leaf::LaneOpened(opened) = &leaf {
                assert_eq!(json["exe"].as_str(), Some(&*opened.exe));
            }
            if let Some(record) = leaf.record() {
                assert_eq!(json["call"].as_str(), Some(&*record.call));
                assert_eq!(record.clone().into_owned(), *record);
            }
        }
    }
}

/// Every single character has one spelling, and every other spelling is refused.
#[test]
fn every_character_comes_back() {
    // Beyond the first plane nothing is escaped.
    for c in (0..0x11000).chain((0x11000..=0x10ffff).step_by(97)).filter_map(char::from_u32) {
        let text = format!("<{c}>");
        let record = Record { actor: Some(text.as_str().into()), ..used(1) };
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        assert_eq!(Record::parse(&bytes), Ok(record));
    }
    for wrong in [
        r"\n",
        r"\t",
        r"\/",
        r"\u0041",
        r"\u000A",
        r"\u00e9",
        r"\u000",
        r"\u",
        r"\",
        r"\x41",
        r"\ud83d\udd11",
        "\n",
        "\u{7f}",
        "\u{85}",
        "\u{202e}",
        "\"",
    ] {
        let line = format!(
            r#"{{"kind":"generation","number":1,"time":"{}","reason":"{wrong}"}}"#,
            time(0)
        );
        assert!(Leaf::parse(line.as_bytes()).is_err(), "{line:?}");
    }
}

#[test]
fn other_lines_are_refused() {
    let mut bytes = Vec::new();
    used(17).encode(&mut bytes);
    let line = String::from_utf8(bytes).unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}");
        line.replacen(from, to, 1)
    };
    for other in [
        String::new(),
        "{}".into(),
        format!("{line}\n"),
        format!("{line} "),
        format!(" {line}"),
        format!("{line}{line}"),
        line.trim_end_matches('}').into(),
        replaced(r#","seq":17"#, r#","seq":17,"seq":17"#),
        replaced(r#","seq":17"#, ""),
        replaced(r#""rv":"CKR_OK","head":2"#, r#""head":2,"rv":"CKR_OK""#),
        replaced(r#""in":32"#, r#""in":32,"in":32"#),
        replaced(r#""head":2"#, r#""head":2,"more":1"#),
        replaced(r#""head":2"#, r#""head":2,"#),
        replaced(r#""seq":17"#, r#""seq": 17"#),
        replaced(r#""seq":17"#, r#""seq":017"#),
        replaced(r#""seq":17"#, r#""seq":-1"#),
        replaced(r#""seq":17"#, r#""seq":1.0"#),
        replaced(r#""seq":17"#, r#""seq":1e3"#),
        replaced(r#""seq":17"#, r#""seq":"17""#),
        replaced(r#""seq":17"#, r#""seq":18446744073709551616"#),
        replaced(r#""seq":17"#, r#""seq":"#),
        replaced("7f3a09c1", "7F3A09C1"),
        replaced("7f3a09c1", "7f3a09c"),
        replaced(r#""role":"user""#, r#""role":"root""#),
        replaced("2026-11-21T", "2026-11-31T"),
        replaced("C_Sign", "C_\nSign"),
    ] {
        assert!(Record::parse(other.as_bytes()).is_err(), "{other}");
        assert!(Leaf::parse(other.as_bytes()).is_err(), "{other}");
    }
    let kinds = ["", "use", "Change", "state", "lane-closed", "change\\u000a"];
    for kind in kinds {
        let other = line.replacen('{', &format!(r#"{{"kind":"{kind}","#), 1);
        assert!(Leaf::parse(other.as_bytes()).is_err(), "{other}");
    }
    let change = line.replacen('{', r#"{"kind":"change","#, 1);
    assert_eq!(Leaf::parse(change.as_bytes()), Ok(Leaf::Change(used(17))));
    assert!(Record::parse(change.as_bytes()).is_err());
}

#[test]
fn without_a_key_nobody_claims_a_use_of_one() {
    let plain = Record { mechanism: None, key: None, version: None, ..used(1) };
    let login = |call: &'static str, rv: &'static str| Record {
        call: call.into(),
        rv: rv.into(),
        ..plain.clone()
    };
    let reads =
        |record: Record<'static>| Leaf::parse(&Leaf::Unauthenticated(record).to_bytes()).is_ok();
    assert!(reads(login("C_Login", "CKR_PIN_INCORRECT")));
    assert!(!reads(login("C_Login", "CKR_OK")));
    assert!(!reads(login("C_LoginUser", "CKR_OK")));
    assert!(!reads(used(1)));
    assert!(!reads(Record { key: Some("x".into()), ..plain.clone() }));
    assert!(!reads(Record { mechanism: Some("x".into()), ..plain.clone() }));
    assert!(!reads(Record { version: Some(1), ..plain }));
}

#[test]
fn open_lanes_stand_in_order() {
    for lanes in [vec![(LaneId(2), 0), (LaneId(1), 0)], vec![(LaneId(1), 0), (LaneId(1), 1)]] {
        assert!(Leaf::parse(&state(&lanes).to_bytes()).is_err());
    }
}

/// Whatever is read is what would be written; nothing panics.
#[test]
fn mutated_lines_are_read_or_refused() {
    let mut numbers = Numbers(1);
    let lines: Vec<Vec<u8>> =
        HOSTILE.iter().flat_map(|text| all_leaves(text)).map(|leaf| leaf.to_bytes()).collect();
    let mut read = 0;
    for _ in 0..100_000 {
        let mut line = lines[numbers.below(lines.len())].clone();
        numbers.mutate(&mut line);
        if let Ok(leaf) = Leaf::parse(&line) {
            read += 1;
            assert_eq!(leaf.to_bytes(), line);
        }
        let _ = Record::parse(&line);
    }
    assert!(read > 500, "{read} mutants were fine, too few to tell");
}

#[test]
fn names_of_any_bytes_become_text() {
    assert_eq!(printable(b"/usr/bin/openssl"), "/usr/bin/openssl");
    assert_eq!(printable("/opt/Zähler".as_bytes()), "/opt/Zähler");
    assert_eq!(printable(b"/tmp/\xff\xc3(\x80"), r"/tmp/\xff\xc3(\x80");
    assert_eq!(printable(br"/tmp/\xff"), r"/tmp/\\xff");
    let mut numbers = Numbers(9);
    let mut seen = std::collections::HashMap::new();
    for _ in 0..50_000 {
        let len = numbers.below(6);
        let letters = b"\\x0f\xff\xc3\xa4";
        let name: Vec<u8> = (0..len).map(|_| letters[numbers.below(letters.len())]).collect();
        let text = printable(&name).into_owned();
        let other = seen.entry(text).or_insert_with(|| name.clone());
        assert_eq!(*other, name);
    }
}

/// In release: `cargo test --release -- --ignored --nocapture a_record_costs`.
#[test]
#[ignore = "a measurement"]
fn a_record_costs() {
    const ROUNDS: u32 = 2_000_000;
    let secret = crate::secret::Secret::copy_of(&[1; 32]).unwrap();
    let mut key = crate::audit::lane::LaneKey::first(&secret, LANE).unwrap();
    let (mut record, mut out) = (used(1), Vec::new());
    let mut measure = |what: &str, work: &mut dyn FnMut(&Record<'_>, &mut Vec<u8>)| {
        let began = std::time::Instant::now();
        for seq in 0..ROUNDS {
            record.seq = u64::from(seq);
            record.time = Time::from_micros(1_795_292_645_123_456 + u64::from(seq));
            out.clear();
            work(std::hint::black_box(&record), &mut out);
            std::hint::black_box(&out);
        }
        println!("{what}: {:?} for {} bytes", began.elapsed() / ROUNDS, out.len());
    };
    measure("encoding", &mut |record, out| record.encode(out));
    measure("encoding and reading", &mut |record, out| {
        record.encode(out);
        std::hint::black_box(Record::parse(out).unwrap());
    });
    measure("a frame of a lane", &mut |record, out| {
        key.frame(out, |out| record.encode(out)).unwrap();
        key.keep();
    });
}
