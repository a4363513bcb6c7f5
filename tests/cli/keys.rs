//! `key list`, `key show`, `key delete` and the ways to name a key.

use std::process::Command;

use super::person::{Answer, Person};

/// The library that belongs to the command.
pub(crate) fn module() -> String {
    let tool = std::path::Path::new(env!("CARGO_BIN_EXE_claviger"));
    tool.with_file_name("libclaviger.so").to_string_lossy().into_owned()
}

/// The objects that `key show` tells of, with a login.
fn shown(person: &Person, rest: &[&str]) -> Vec<serde_json::Value> {
    let asked = [&["key", "show", "--json", "--pin-file", "user.pin"], rest].concat();
    serde_json::from_str(&person.run(&asked).expect_code(0).out).unwrap()
}

#[test]
fn a_key_is_named_by_label_id_unique_id_and_uri() {
    let person = Person::with_token();
    person.make_token("mail");
    let on_web = ["--token", "web"];
    let generate = ["key", "generate", "ec:p384", "--label", "a;b ü", "--id", "01:ab"];
    person.run_as_user(&[&generate[..], &on_web].concat()).expect_code(0);
    let both = shown(&person, &[&["--key", "a;b ü"], &on_web[..]].concat());
    assert_eq!(both.len(), 2);
    for (object, class) in both.iter().zip(["public-key", "private-key"]) {
        assert_eq!(object["class"], class);
        assert_eq!(object["algorithm"], "ec:p384");
        assert_eq!((&object["local"], &object["bits"]), (&true.into(), &384.into()));
        // A URI names the token, and one object of it.
        let uri = object["uri"].as_str().unwrap();
        assert_eq!(shown(&person, &["--key", uri]), std::slice::from_ref(object));
        let unique_id = object["unique_id"].as_str().unwrap();
        let named = shown(&person, &["--unique-id", unique_id, "--token", "web"]);
        assert_eq!(named, std::slice::from_ref(object));
    }
    assert_eq!(shown(&person, &["--id", "01ab", "--token", "web"]), both);
    for uri in ["pkcs11:token=web;id=%01%ab", "PKCS11:token=web;object=a%3Bb%20%C3%BC"] {
        assert_eq!(shown(&person, &["--key", uri]), both, "{uri}");
    }
    let show = |key: &str| person.run_as_user(&["key", "show", "--key", key]);
    show("pkcs11:object=a%3Bb%20%C3%BC").expect_code(2).says("several tokens");
    show("pkcs11:token=mail;id=%01%ab").expect_code(7).says("no key on token \"mail\"");
    show("pkcs11:token=other").expect_code(7).says("there is no token that the URI means");
    show("pkcs11:token=web;colour=red").expect_code(2).says("\"colour\" is not understood");
    show("pkcs11:token=web?pin-value=1234").expect_code(2).says("--pin-file");
    show("pkcs11:token=web;id=%1").expect_code(2).says("not well quoted");
    person.run(&["key", "show"]).expect_code(2);
}

#[test]
fn keys_are_listed_without_what_is_secret_and_deleted_with_both_halves() {
    let person = Person::with_token();
    for (kind, label) in [("comp-sig:mldsa44-ed25519-sha512", "c"), ("chacha20", "s")] {
        person.run_as_user(&["key", "generate", kind, "--label", label]).expect_code(0);
    }
    let listed = person.json(&["key", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1, "public keys only: {listed}");
    let listed = person.json(&["key", "list", "--pin-file", "user.pin"]);
    let kinds: Vec<_> = listed.as_array().unwrap().iter().map(|key| &key["algorithm"]).collect();
    let composite = "comp-sig:mldsa44-ed25519-sha512";
    assert_eq!(kinds, [composite, composite, "chacha20"]);
    let text = person.run_as_user(&["key", "list"]).expect_code(0).out;
    assert!(text.starts_with("CLASS") && text.lines().count() == 4, "{text}");
    person.run_as_user(&["key", "show", "--key", "s"]).expect_code(0).says("extractable  no");
    person.run(&["key", "show", "--key", "s"]).expect_code(7).says("without --login");

    person.run_as_user(&["key", "delete", "--key", "c"]).expect_code(2).says("--yes");
    let delete = |label: &str| person.run_as_user(&["key", "delete", "--key", label, "--yes"]);
    delete("c").expect_code(0).says("Deleted 2 objects");
    delete("c").expect_code(7).says("no key on token \"web\" matches");
    let left = person.json(&["key", "list", "--pin-file", "user.pin"]);
    assert_eq!(left.as_array().unwrap().len(), 1);
}

#[test]
fn keys_leave_the_token_only_if_that_was_asked_for() {
    let person = Person::with_token();
    for (label, option) in [("kept", None), ("leaves", Some("--extractable"))] {
        let generate = ["key", "generate", "ed448", "--label", label];
        let asked: Vec<&str> = generate.into_iter().chain(option).collect();
        person.run_as_user(&asked).expect_code(0);
        let private = &shown(&person, &["--key", label])[1];
        assert_eq!(private["extractable"], option.is_some());
        assert_eq!(private["sensitive"], true);
    }
}

#[test]
fn a_bundle_is_two_pairs_that_name_each_other() {
    let person = Person::with_token();
    let generate = ["key", "generate", "bundle:ec:p256+ml-dsa:44", "--label", "b", "--json"];
    person.run_as_user(&generate).expect_code(0);
    let (classical, post_quantum) = (shown(&person, &["-k", "b"]), shown(&person, &["-k", "b#pq"]));
    assert_eq!(
        (&classical[0]["algorithm"], &classical[0]["class"]),
        (&"ec:p256".into(), &"public-key".into())
    );
    assert_eq!((classical.len(), post_quantum.len()), (2, 2));
    for (one, other) in classical.iter().zip(&post_quantum) {
        assert_eq!(other["algorithm"], "ml-dsa:44");
        assert_eq!(one["bundled_with"], other["unique_id"]);
        assert_eq!(other["bundled_with"], one["unique_id"]);
    }
    for wrong in ["bundle:ml-dsa:65+ed25519", "bundle:ed25519", "bundle:ed25519+slh-dsa:sha2-128s"]
    {
        let asked = ["key", "generate", wrong, "--label", "x"];
        person.run_as_user(&asked).expect_code(2).says("bundle:ed25519+ml-dsa:65");
    }
}

#[test]
fn stock_tools_find_what_was_made() {
    let person = Person::with_token();
    for kind in ["ed25519", "comp-sig:mldsa44-ed25519-sha512", "bundle:ec:p256+ml-dsa:44"] {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
    }
    let mut command = Command::new("pkcs11-tool");
    command.args(["--module", &module(), "-O", "--login", "--pin", super::person::USER_PIN]);
    person.settle(&mut command);
    let listed = Answer::of(command).expect_code(0).out;
    assert_eq!(listed.matches("Private Key Object").count(), 4, "{listed}");
    for label in ["ed25519", "comp-sig:mldsa44-ed25519-sha512", "bundle:ec:p256+ml-dsa:44#pq"] {
        assert!(listed.contains(&format!("label:      {label}\n")), "{label}: {listed}");
    }
}

#[test]
fn pairs_of_diffie_hellman_lie_in_a_published_group() {
    let person = Person::with_token();
    for (kind, alias) in [
        ("dh:ffdhe2048", "ffdhe2048"),
        ("dh:ffdhe3072", "dh:3072"),
        ("dh:ffdhe4096", "dh:4096"),
        ("dh:ffdhe6144", "dh:6144"),
        ("dh:ffdhe8192", "ffdhe8192"),
    ] {
        person.run_as_user(&["key", "generate", alias, "--label", alias]).expect_code(0);
        let both = shown(&person, &["--key", alias]);
        assert_eq!(both.len(), 2);
        for object in &both {
            assert_eq!((&object["algorithm"], &object["key_type"]), (&kind.into(), &"dh".into()));
            assert_eq!(object["usage"], serde_json::json!(["derive"]));
        }
        assert_eq!(both[1]["sensitive"], true);
        // openssl names the group, which it knows by its numbers.
        let export = ["key", "export-public", "--label", alias];
        let pem = person.run_as_user(&export).expect_code(0).out;
        person.write("public.pem", &pem);
        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-pubin", "-noout", "-text", "-in", "public.pem"]);
        person.settle(&mut openssl);
        Answer::of(openssl).expect_code(0).says(&format!("GROUP: {}", &kind[3..]));
        // The next version is in the same group.
        person.run_as_user(&["key", "rotate", alias]).expect_code(0);
        let next = shown(&person, &["--key", alias]);
        assert_eq!(next[1]["algorithm"], kind);
        assert_ne!(next[0]["unique_id"], both[0]["unique_id"]);
    }
    for wrong in ["dh", "dh:1024", "dh:ffdhe1536", "ffdhe"] {
        let asked = ["key", "generate", wrong, "--label", "x"];
        person.run_as_user(&asked).expect_code(2).says("key algorithms");
    }
    let sign = ["sign", "--key", "ffdhe2048", "public.pem"];
    person.run_as_user(&sign).expect_code(1).says("do not sign");
}

#[test]
fn a_poly1305_key_authenticates_a_message() {
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "poly1305", "--label", "once"]).expect_code(0);
    let key = &shown(&person, &["--key", "once"])[0];
    assert_eq!((&key["algorithm"], &key["bits"]), (&"poly1305".into(), &256.into()));
    assert_eq!(key["usage"], serde_json::json!(["sign", "verify"]));
    person.write("message", "for once");
    person.run_as_user(&["sign", "--key", "once", "message", "-o", "tag"]).expect_code(0);
    let verify = ["verify", "--key", "once", "message", "-s", "tag"];
    person.run_as_user(&verify).expect_code(0);
    person.write("message", "for all");
    person.run_as_user(&verify).expect_code(8);
}
