//! Rotation, and the certificate that a destroyed key is gone.

use std::fs;

use serde_json::Value;

use super::person::{Person, SO_PIN};

/// The unique id of a new private key.
fn key(person: &Person, label: &str) -> String {
    let made = person
        .run_as_user(&["key", "generate", "ec:p256", "--label", label, "--json"])
        .expect_code(0);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    made[1]["unique_id"].as_str().unwrap().to_owned()
}

fn destroy(person: &Person, id: &str) {
    person.run_as_user(&["object", "delete", "--unique-id", id, "--yes"]).expect_code(0);
}

fn rotate(person: &Person) {
    person.run_as_user(&["token", "rotate"]).expect_code(0);
}

/// A certificate in a file, and the key to check it with.
fn certificate(person: &Person) -> (Value, String) {
    let id = key(person, "k");
    destroy(person, &id);
    rotate(person);
    let issued = person.run(&["audit", "certificate", &id]).expect_code(0);
    person.write("certificate.json", &issued.out);
    let vkey = person.run(&["audit", "key"]).expect_code(0).out.trim().to_owned();
    (serde_json::from_str(&issued.out).unwrap(), vkey)
}

#[test]
fn a_token_is_rotated_by_its_user_or_its_security_officer() {
    let person = Person::with_token();
    let kept = key(&person, "kept");
    let rotated = person.run_as_user(&["token", "rotate", "--json"]).expect_code(0);
    let rotated: Value = serde_json::from_str(&rotated.out).unwrap();
    assert_eq!(rotated["epoch"], 2);
    assert_eq!(rotated["objects"], 1, "a public key has nothing sealed");
    assert_eq!((&rotated["unopened"], &rotated["forgotten"]), (&0.into(), &true.into()));
    let so = ["token", "rotate", "--so", "--so-pin-file", "so.pin"];
    person.run(&so).expect_code(0).says("epoch 3").says("1 objects");
    person.run(&["token", "rotate", "--so-pin-file", "so.pin"]).expect_code(0).says("epoch 4");
    let both = ["token", "rotate", "--so-pin-file", "so.pin", "--pin-file", "user.pin"];
    person.run(&both).expect_code(2).says("one PIN is enough");
    person.run(&["token", "rotate", "--pin-file", "so.pin"]).expect_code(4);
    person.run(&["token", "rotate"]).expect_code(2);
    person.run_as_user(&["token", "rotate", "--token", "none"]).expect_code(7);
    let list = person.json(&["object", "list", "--pin-file", "user.pin", "--label", "kept"]);
    assert!(list.as_array().unwrap().iter().any(|object| object["unique_id"] == kept.as_str()));
    let shown = person.run(&["audit", "show", "--call", "claviger token rotate"]).expect_code(0);
    assert_eq!(shown.out.lines().count(), 3, "{shown:?}");
    assert!(shown.out.contains(" user ") && shown.out.contains(" so "), "{shown:?}");
    person.run(&["audit", "verify"]).expect_code(3);
    person.run(&["doctor"]).expect_code(0);
    assert!(!shown.out.contains(SO_PIN));
}

#[test]
fn a_certificate_needs_a_destruction_and_then_a_rotation() {
    let person = Person::with_token();
    let (first, second) = (key(&person, "first"), key(&person, "second"));
    let ask = |id: &str| person.run(&["audit", "certificate", id]);
    ask(&first).expect_code(7).says("no destruction");
    rotate(&person);
    ask(&first).expect_code(7).says("no destruction");
    destroy(&person, &first);
    ask(&first).expect_code(1).says("not been rotated since").says("claviger token rotate");
    rotate(&person);
    ask(&first).expect_code(0).says("\"epoch\": 3");
    ask(&first.to_uppercase()).expect_code(0);
    ask(&second).expect_code(7);
    ask("nonsense").expect_code(7);
    destroy(&person, &second);
    ask(&second).expect_code(1);
    rotate(&person);
    ask(&second).expect_code(0).says("\"epoch\": 4");
    ask(&first).expect_code(0).says("\"epoch\": 3");
    person.run(&["audit", "certificate"]).expect_code(2);
    let of_another = ["audit", "certificate", &first, "--token", "none"];
    person.run(&of_another).expect_code(7);
}

#[test]
fn a_certificate_is_checked_without_the_token() {
    let person = Person::with_token();
    let (issued, vkey) = certificate(&person);
    assert_eq!(issued["token"], person.json(&["token", "show"])["serial"]);
    assert_eq!(issued["state"]["index"], issued["rotated"]["index"].as_u64().unwrap() + 1);
    assert!(issued["destroyed"]["index"].as_u64() < issued["rotated"]["index"].as_u64());
    let elsewhere = Person::new();
    elsewhere.write("certificate.json", &issued.to_string());
    let check = ["audit", "certificate", "--check", "certificate.json"];
    elsewhere.run(&check).expect_code(3).says("key not pinned");
    let pinned = [&check[..], &["--key", &vkey]].concat();
    elsewhere.run(&pinned).expect_code(0).says("verified").says(issued["key"].as_str().unwrap());
    let (_, other) = certificate(&Person::with_token());
    elsewhere.run(&[&check[..], &["--key", &other]].concat()).expect_code(1);
    elsewhere.run(&[&pinned[..], &["--key", &other]].concat()).expect_code(1);
    for part in ["destroyed", "before", "rotated", "state"] {
        elsewhere.write("proof", issued[part]["proof"].as_str().unwrap());
        let alone = ["audit", "prove", "--check", "proof", "--key", &vkey];
        elsewhere.run(&alone).expect_code(0);
    }
}

#[test]
fn a_changed_certificate_is_refused() {
    let person = Person::with_token();
    let (issued, vkey) = certificate(&person);
    let refused = |text: &str| {
        person.write("certificate.json", text);
        let check = ["audit", "certificate", "--check", "certificate.json"];
        person.run(&check).expect_code(1);
        person.run(&[&check[..], &["--key", &vkey]].concat()).expect_code(1);
    };
    for name in ["format", "token", "key", "log", "checkpoint"] {
        let mut changed = issued.clone();
        changed[name] = "0123456789abcdef".into();
        refused(&changed.to_string());
        changed.as_object_mut().unwrap().remove(name);
        refused(&changed.to_string());
    }
    for name in ["epoch", "size"] {
        let mut changed = issued.clone();
        changed[name] = 99.into();
        refused(&changed.to_string());
    }
    for part in ["destroyed", "before", "rotated", "state"] {
        let mut changed = issued.clone();
        changed[part]["index"] = 0.into();
        refused(&changed.to_string());
        for other in
            ["destroyed", "before", "rotated", "state"].into_iter().filter(|other| *other != part)
        {
            let mut changed = issued.clone();
            changed[part] = issued[other].clone();
            refused(&changed.to_string());
            changed = issued.clone();
            changed[part]["proof"] = issued[other]["proof"].clone();
            refused(&changed.to_string());
        }
    }
    let mut more = issued.clone();
    more["note"] = "trust me".into();
    refused(&more.to_string());
    let text = issued.to_string();
    refused(&text[..text.len() / 2]);
    refused(&format!("{text}{text}"));
    refused("");
    person.run(&["audit", "certificate", "--check", "not there"]).expect_code(1);
}

#[test]
fn nothing_of_a_changed_token_is_certified_or_sealed_anew() {
    let person = Person::with_token();
    let id = key(&person, "k");
    let kept = key(&person, "kept");
    destroy(&person, &id);
    let database = person.token_directory().join("token.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let changed = connection.execute(
        "UPDATE object SET data_key = zeroblob(60) WHERE lower(hex(id)) = ?1",
        [kept.as_str()],
    );
    assert_eq!(changed, Ok(1));
    drop(connection);
    let refused = person.run_as_user(&["token", "rotate"]);
    refused.expect_code(1).says(&kept).says("changed outside");
    person.run(&["audit", "certificate", &id]).expect_code(1).says("not been rotated");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let changed = connection.execute("UPDATE token SET epoch = 7", []);
    assert_eq!(changed, Ok(1));
    drop(connection);
    person.run(&["audit", "certificate", &id]).expect_code(1).says("not what its log says");
}

#[test]
fn what_a_rotation_replaced_is_in_no_file() {
    let person = Person::with_token();
    let id = key(&person, "k");
    let directory = person.token_directory();
    let read = |sql: &str| {
        let connection = rusqlite::Connection::open(directory.join("token.db")).unwrap();
        connection.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    };
    let old_key = read("SELECT sealed_key FROM epoch");
    let old_data_key = read("SELECT data_key FROM object WHERE length(data_key) > 0");
    destroy(&person, &id);
    rotate(&person);
    assert_ne!(read("SELECT sealed_key FROM epoch"), old_key);
    for entry in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(bytes) = fs::read(&entry) else { continue };
        for gone in [&old_key, &old_data_key] {
            let is_there = bytes.windows(gone.len()).any(|window| window == gone);
            assert!(!is_there, "{}", entry.display());
        }
    }
}
