//! HPKE's key schedule against the vectors of RFC 9180 and of its post-quantum draft, where there
//! is a directory of them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{bytes, hex, secret};
use crate::engine::hpke::{Message, OVERHEAD, schedule, suite};

fn vectors(name: &str) -> Option<Value> {
    let named = std::env::var_os("CLAVIGER_VECTORS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let path = named.unwrap_or(beside).join("hpke").join(name);
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).expect("JSON"))
}

fn text(test: &Value, name: &str) -> Vec<u8> {
    hex(test[name].as_str().expect("hexadecimal"))
}

/// The tests with HKDF-SHA-256 of a file that agree in key and nonce.
fn schedules(name: &str) -> Option<Vec<Value>> {
    let json = vectors(name)?;
    let tests: Vec<Value> = json
        .as_array()
        .expect("tests")
        .iter()
        .filter(|test| test["kdf_id"] == 1)
        .cloned()
        .collect();
    for test in &tests {
        let number = |name: &str| u16::try_from(test[name].as_u64().expect("a number")).unwrap();
        let (key, nonce) = (text(test, "key"), text(test, "base_nonce"));
        if key.is_empty() {
            continue; // export only
        }
        let suite = suite(number("kem_id"), number("aead_id"));
        let shared = secret(&text(test, "shared_secret"));
        let made = schedule(suite, &shared, &text(test, "info"), key.len()).expect("a key");
        assert_eq!((bytes(&made.0), bytes(&made.1)), (key, nonce), "{suite:?}");
    }
    Some(tests)
}

#[test]
fn keys_and_nonces_are_those_of_rfc_9180() {
    let Some(tests) = schedules("rfc9180-base-mode-subset.json") else { return };
    let mut opened = 0;
    for test in tests.iter().filter(|test| test["aead_id"] == 2) {
        let kem = u16::try_from(test["kem_id"].as_u64().expect("a number")).unwrap();
        let shared = secret(&text(test, "shared_secret"));
        let message = Message::of(kem, &shared, &text(test, "info")).expect("a key");
        let first = &test["encryptions"][0];
        let (plain, data, sealed) = (text(first, "pt"), text(first, "aad"), text(first, "ct"));
        let mut out = vec![0; plain.len() + OVERHEAD];
        assert_eq!(message.seal(&data, &plain, &mut out), Ok(sealed.len()));
        assert_eq!(out, sealed);
        let mut out = vec![0; plain.len()];
        assert_eq!(message.open(&data, &sealed, &mut out), Ok(plain.len()));
        assert_eq!(out, plain);
        opened += 1;
    }
    assert!(opened > 0, "no test with AES-256-GCM");
}

#[test]
fn keys_and_nonces_are_those_of_the_post_quantum_draft() {
    let Some(tests) = schedules("hpke-pq-test-vectors.json") else { return };
    assert!(tests.iter().any(|test| test["kem_id"] == 0x647a), "no test with X-Wing");
}
