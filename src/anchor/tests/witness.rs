//! A witness on this machine: honest, behind, ahead, lying, slow, dead.

#[path = "../../../tests/support/witness.rs"]
mod server;

use std::io::Write;

use self::server::{Mood, Witness as Server};
use super::*;
use crate::anchor::witness::Witness;
use crate::audit::checkpoint::origin;
use crate::audit::note::VerifierKey;

struct Bench {
    server: Server,
    _ca: tempfile::NamedTempFile,
    anchor: Witness,
}

fn bench(mood: Mood, is_encrypted: bool) -> Bench {
    let server = Server::start(mood, is_encrypted);
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(server.ca.as_bytes()).unwrap();
    let anchor = Witness {
        submit: server.url.clone(),
        monitor: server.url.clone(),
        keys: vec![VerifierKey::parse(&server.key).unwrap()],
        ca: Some(ca.path().to_owned()),
        limit: LIMIT,
    };
    for generation in [1, 2] {
        server.learn(&Logs::signer(generation).verifier().to_string());
    }
    Bench { server, _ca: ca, anchor }
}

/// The witness's lines under a note that came back.
fn lines(put: &Result<Put, String>) -> usize {
    match put {
        Ok(Put::Signed(note)) => {
            note.signatures.iter().filter(|line| line.name == server::NAME).count()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_witness_signs_what_continues_and_serves_it() {
    for (is_encrypted, mood) in [(true, Mood::Honest), (false, Mood::Honest), (true, Mood::Chunked)]
    {
        let Bench { server, anchor, .. } = &bench(mood, is_encrypted);
        let logs = Logs::of(300);
        let log = origin(SERIAL, 1);
        assert_eq!(anchor.get(asked(1)), Ok(None));
        let mut witnessed = 0;
        for size in [1, 2, 7, 8, 200, 200, 300] {
            let signed = put(anchor, &logs, (1, size), witnessed);
            assert_eq!(lines(&signed), 1);
            assert_eq!((server.signed(&log), kept(anchor, 1)), (Some(size), Some(size)));
            witnessed = size;
        }
        let Ok(Put::Signed(note)) = put(anchor, &logs, (1, 300), 300) else { panic!() };
        assert_eq!(note.verify(&anchor.keys), Ok(1));
        assert_eq!(note.verify(&[Logs::signer(1).verifier().clone()]), Ok(1));
    }
}

#[test]
fn who_does_not_know_how_far_it_is_is_told() {
    let Bench { server, anchor, .. } = &bench(Mood::Honest, false);
    let logs = Logs::of(60);
    assert_eq!(lines(&put(anchor, &logs, (1, 20), 0)), 1);
    server.asked();
    // Nothing was remembered, too little, and too much.
    for (size, remembered) in [(30, 0), (40, 7), (50, 49), (60, 1000)] {
        assert_eq!(lines(&put(anchor, &logs, (1, size), remembered)), 1, "{size}");
        let asked = server.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[1].ends_with(&format!("old {}", size - 10)), "{asked:?}");
    }
}

#[test]
fn a_witness_that_is_ahead_or_disagrees_says_so() {
    let Bench { server, anchor, .. } = &bench(Mood::Honest, false);
    let mut logs = Logs::of(20);
    let mut other = Logs::of(5);
    other.grow(1, 20, " elsewhere");
    assert_eq!(lines(&put(anchor, &logs, (1, 15), 0)), 1);
    let newer = Put::Newer { generation: 1, size: 15 };
    assert_eq!(put(anchor, &logs, (1, 10), 0), Ok(newer.clone()));
    assert_eq!(put(anchor, &logs, (1, 10), 15), Ok(newer));
    assert_eq!(put(anchor, &other, (1, 15), 15), Ok(Put::Contradicted));
    assert_eq!(put(anchor, &other, (1, 20), 0), Ok(Put::Contradicted));
    server.set(Mood::Refuses);
    assert_eq!(put(anchor, &logs, (1, 20), 15), Ok(Put::Contradicted));
    server.set(Mood::Stale(9_999));
    assert_eq!(put(anchor, &logs, (1, 20), 15), Ok(Put::Newer { generation: 1, size: 9_999 }));
    // A later generation is found by one that has gone back to an earlier one.
    server.set(Mood::Honest);
    logs.begin(2, Some(logs.note(1, 20).to_string()));
    assert_eq!(lines(&put(anchor, &logs, (2, 1), 0)), 1);
    let found = anchor.get(asked(1)).unwrap().unwrap();
    assert!(found.starts_with(origin(SERIAL, 2).as_bytes()));
}

#[test]
fn a_witness_that_always_names_one_size_is_given_up() {
    let Bench { server, anchor, .. } = &bench(Mood::Stale(3), false);
    assert!(put(anchor, &Logs::of(20), (1, 20), 0).is_err());
    assert!(server.asked().len() <= 4);
    // It names a size that it does not then accept, smaller than ours.
    assert!(put(anchor, &Logs::of(20), (1, 20), 3).is_err());
}

#[test]
fn a_log_that_it_does_not_know_and_another_key_are_told_apart() {
    let server = Server::start(Mood::Honest, false);
    let anchor = Witness {
        submit: server.url.clone(),
        monitor: server.url.clone(),
        keys: vec![VerifierKey::parse(&server.key).unwrap()],
        ca: None,
        limit: LIMIT,
    };
    assert!(put(&anchor, &Logs::of(5), (1, 5), 0).unwrap_err().contains("404"));
    server.learn(&Logs::signer(2).verifier().to_string());
    assert!(put(&anchor, &Logs::of(5), (1, 5), 0).unwrap_err().contains("404"));
    assert_eq!(anchor.get(asked(1)), Ok(None));
}

#[test]
fn signatures_that_do_not_hold_are_not_kept() {
    let Bench { server, anchor, .. } = &bench(Mood::Honest, false);
    let logs = Logs::of(50);
    let mut witnessed = 0;
    for (size, mood) in [(5, Mood::WrongKey), (10, Mood::WrongRoot), (15, Mood::Timeless)] {
        server.set(mood);
        let refused = put(anchor, &logs, (1, size), witnessed);
        assert!(refused.is_err(), "{mood:?}: {refused:?}");
        witnessed = size;
    }
    server.set(Mood::WrongKey);
    assert_eq!(
        lines(&{
            server.set(Mood::Honest);
            put(anchor, &logs, (1, 20), 15)
        }),
        1
    );
    server.set(Mood::WrongRoot);
    assert!(anchor.get(asked(1)).unwrap_err().contains("does not hold"));
    let stranger = Server::start(Mood::Honest, false);
    let anchor = Witness { monitor: stranger.url.clone(), ..bench(Mood::Honest, false).anchor };
    assert_eq!(anchor.get(asked(1)), Ok(None));
}

#[test]
fn what_is_no_answer_is_a_failure_and_nothing_else() {
    let Bench { server, anchor, .. } = &bench(Mood::Honest, true);
    let logs = Logs::of(9);
    for mood in
        [Mood::Garbage, Mood::Nonsense, Mood::Huge, Mood::Dead, Mood::Broken, Mood::Redirects]
    {
        server.set(mood);
        let refused = in_time(|| put(anchor, &logs, (1, 9), 0));
        assert!(refused.is_err(), "{mood:?}: {refused:?}");
        let refused = in_time(|| anchor.get(asked(1)));
        assert!(refused.is_err(), "{mood:?}: {refused:?}");
    }
}

#[test]
fn a_slow_or_silent_witness_is_waited_for_as_long_as_is_configured() {
    for is_encrypted in [false, true] {
        let Bench { server, anchor, .. } = &bench(Mood::Slow, is_encrypted);
        for mood in [Mood::Slow, Mood::Silent] {
            server.set(mood);
            let why = in_time(|| put(anchor, &Logs::of(9), (1, 9), 0)).unwrap_err();
            assert!(why.contains("too long"), "{mood:?}: {why}");
        }
    }
    // Nobody answers there, not even with a refusal: a listener whose queue is full.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let anchor =
        Witness { submit: format!("https://{address}/x"), ..bench(Mood::Honest, true).anchor };
    assert!(in_time(|| put(&anchor, &Logs::of(9), (1, 9), 0)).is_err());
    drop(listener);
    assert!(in_time(|| put(&anchor, &Logs::of(9), (1, 9), 0)).is_err());
}

#[test]
fn a_server_with_another_certificate_or_another_name_is_not_talked_to() {
    let Bench { server, anchor, .. } = &bench(Mood::Honest, true);
    let logs = Logs::of(9);
    let other = bench(Mood::Honest, true);
    let why = |anchor: &Witness| put(anchor, &logs, (1, 9), 0).unwrap_err();
    let with = |ca: Option<PathBuf>, submit: &str| Witness {
        submit: submit.to_owned(),
        monitor: submit.to_owned(),
        keys: anchor.keys.clone(),
        ca,
        limit: LIMIT,
    };
    let told = why(&with(other.anchor.ca.clone(), &server.url));
    assert!(told.contains("certificate"), "{told}");
    let by_address = server.url.replace("localhost", "127.0.0.1");
    let told = why(&with(anchor.ca.clone(), &by_address));
    assert!(told.contains("certificate"), "{told}");
    let plain = server.url.replace("https", "http");
    assert!(put(&with(anchor.ca.clone(), &plain), &logs, (1, 9), 0).is_err());
    assert!(server.asked().is_empty(), "nothing was said to it");
    let empty = tempfile::NamedTempFile::new().unwrap();
    let told = why(&with(Some(empty.path().to_owned()), &server.url));
    assert!(told.contains("no certificate"), "{told}");
    assert!(put(&with(Some("/nonexistent".into()), &server.url), &logs, (1, 9), 0).is_err());
}
