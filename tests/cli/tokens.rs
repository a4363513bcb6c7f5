//! Tokens, PINs, keys and objects from the first command to the last, and several processes
//! at once.

use std::process::Stdio;

use super::person::{Person, SO_PIN, USER_PIN};

#[test]
fn a_token_is_made_listed_shown_and_deleted() {
    let person = Person::new();
    person.run(&["token", "list"]).expect_code(0).says("there is no token yet");
    person.run(&["token", "show"]).expect_code(7).says("claviger token init");
    let made = person.make_token("web").says("Made token \"web\"");
    let list = person.json(&["token", "list"]);
    let token = list.as_array().unwrap().iter().find(|slot| slot["initialized"] == true).unwrap();
    for field in ["slot", "label", "serial", "manufacturer", "model", "write_protected", "uri"] {
        assert!(!token[field].is_null(), "{field} is missing: {token}");
    }
    assert!(made.out.contains(token["serial"].as_str().unwrap()));
    assert_eq!(token["label"], "web");
    assert_eq!(token["user_pin"], "ok");
    assert_eq!(token["so_pin"], "ok");
    assert!(token["uri"].as_str().unwrap().starts_with("pkcs11:model="));
    for arguments in [&["token", "show"][..], &["token", "show", "--token", "web"]] {
        let mut shown = person.json(arguments);
        let policy = shown.as_object_mut().unwrap().remove("policy").unwrap();
        assert!(policy["mechanisms"].as_u64().unwrap() > 40, "{policy}");
        assert_eq!(&shown, token);
    }

    person.write("wrong.pin", "not the PIN\n");
    let delete = ["token", "delete", "--token", "web", "--so-pin-file"];
    person.run(&[&delete[..], &["so.pin"]].concat()).expect_code(2).says("--yes");
    person.run(&[&delete[..], &["wrong.pin", "--yes"]].concat()).expect_code(4);
    person.run(&[&delete[..], &["so.pin", "--yes"]].concat()).expect_code(0).says("Deleted");
    person.run(&["token", "show", "--token", "web"]).expect_code(7);
    assert_eq!(std::fs::read_dir(person.data().join("tokens")).unwrap().count(), 0);
}

#[test]
fn each_init_makes_one_more_token() {
    let person = Person::with_token();
    person.make_token("mail");
    person.make_token("web");
    let list = person.json(&["token", "list"]);
    let labels: Vec<&str> =
        list.as_array().unwrap().iter().map(|slot| slot["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["web", "mail", "web"]);
    person.run(&["object", "list"]).expect_code(2).says("several tokens").says("--token");
    person.run(&["object", "list", "--token", "mail"]).expect_code(0);
    person.run(&["object", "list", "--token", "web"]).expect_code(1).says("serial number");
    let serial = list[2]["serial"].as_str().unwrap();
    person.run(&["object", "list", "--token", serial]).expect_code(0);
    let slot = list[2]["slot"].to_string();
    person.run(&["object", "list", "--slot", &slot]).expect_code(0);
    person.run(&["object", "list", "--slot", "77"]).expect_code(7);
    person.run(&["object", "list", "--token", "none"]).expect_code(7).says("no token \"none\"");
}

#[test]
fn a_token_is_initialised_again_only_on_demand_and_with_its_so_pin() {
    let person = Person::with_token();
    person.run_as_user(&["key", "generate", "ed25519", "--label", "k"]).expect_code(0);
    let before = person.json(&["token", "show"]);
    let init = ["token", "init", "--label", "new", "--token", "web", "--no-user-pin"];
    person.run(&[&init[..], &["--so-pin-file", "so.pin"]].concat()).expect_code(2).says("--yes");
    person.run(&[&init[..], &["--so-pin-file", "user.pin", "--yes"]].concat()).expect_code(4);
    person.run(&[&init[..], &["--so-pin-file", "so.pin", "--yes"]].concat()).expect_code(0);
    let after = person.json(&["token", "show"]);
    assert_eq!(after["label"], "new");
    assert_eq!(after["slot"], before["slot"]);
    assert_eq!(after["user_pin"], "not-set");
    person.run_as_user(&["object", "list"]).expect_code(4).says("pin reset");
    let objects = person.json(&["object", "list"]);
    assert_eq!(objects.as_array().unwrap().len(), 0);
}

#[test]
fn pins_are_changed_by_their_owners_and_reset_by_the_security_officer() {
    let person = Person::with_token();
    person.write("next.pin", "next-pin-1234");
    let new = ["--new-pin-file", "next.pin"];
    person.run(&[&["pin", "set", "--pin-file", "so.pin"], &new[..]].concat()).expect_code(4);
    person.run(&[&["pin", "set", "--pin-file", "user.pin"], &new[..]].concat()).expect_code(0);
    person.run_as_user(&["object", "list"]).expect_code(4);
    person.run(&["object", "list", "--pin-file", "next.pin"]).expect_code(0);

    let so = ["pin", "set", "--so", "--so-pin-file", "so.pin"];
    person.run(&[&so[..], &new[..]].concat()).expect_code(0);
    let reset = ["pin", "reset", "--new-pin-file", "user.pin", "--so-pin-file"];
    person.run(&[&reset[..], &["so.pin"]].concat()).expect_code(4);
    person.run(&[&reset[..], &["next.pin"]].concat()).expect_code(0);
    person.run_as_user(&["object", "list"]).expect_code(0);
}

#[test]
fn ten_wrong_pins_lock_and_the_security_officer_unlocks() {
    let person = Person::with_token();
    person.write("wrong.pin", "wrong-pin-0000");
    let login = ["object", "list", "--pin-file", "wrong.pin"];
    for _ in 0..8 {
        person.run(&login).expect_code(4);
    }
    assert_eq!(person.json(&["token", "show"])["user_pin"], "count-low");
    person.run(&login).expect_code(4);
    assert_eq!(person.json(&["token", "show"])["user_pin"], "final-try");
    person.run(&login).expect_code(4);
    assert_eq!(person.json(&["token", "show"])["user_pin"], "locked");
    person.run_as_user(&["object", "list"]).expect_code(4).says("locked").says("pin reset");
    person.run(&["doctor"]).expect_code(6).says("locked");
    let reset = ["pin", "reset", "--so-pin-file", "so.pin", "--new-pin-file", "user.pin"];
    person.run(&reset).expect_code(0);
    person.run_as_user(&["object", "list"]).expect_code(0);
}

#[test]
fn keys_of_every_algorithm_are_made_listed_and_deleted() {
    let person = Person::with_token();
    for (algorithm, halves, usage) in [
        ("rsa:2048", 2, "decrypt sign"),
        ("ec:p256", 2, "sign derive"),
        ("ec:p384", 2, "sign derive"),
        ("ec:p521", 2, "sign derive"),
        ("ed25519", 2, "sign"),
        ("aes:128", 1, "encrypt decrypt"),
        ("aes:256", 1, "encrypt decrypt"),
        ("generic:32", 1, "sign verify derive"),
    ] {
        let generate = ["key", "generate", algorithm, "--label", algorithm, "--json"];
        let made = person.run_as_user(&generate).expect_code(0);
        let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
        let made = made.as_array().unwrap();
        assert_eq!(made.len(), halves, "{algorithm}");
        assert!(made.iter().all(|half| half["label"] == algorithm && half["id"] == made[0]["id"]));
        let secret = made.iter().find(|half| half["class"] != "public-key").unwrap();
        assert_eq!(secret["sensitive"], true, "{secret}");
        assert_eq!(secret["extractable"], false, "{secret}");
        assert_eq!(secret["private"], true, "{secret}");
        let found: Vec<&str> =
            secret["usage"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(found.join(" "), usage, "{algorithm}");
    }
    let public = person.json(&["object", "list"]);
    assert!(public.as_array().unwrap().iter().all(|object| object["class"] == "public-key"));
    assert_eq!(public.as_array().unwrap().len(), 5);
    let all = person.json(&["object", "list", "--pin-file", "user.pin"]);
    assert_eq!(all.as_array().unwrap().len(), 13);
    let rsa = person.json(&["object", "list", "--pin-file", "user.pin", "--label", "rsa:2048"]);
    for object in rsa.as_array().unwrap() {
        assert_eq!((&object["key_type"], &object["bits"]), (&"rsa".into(), &2048.into()));
        assert_eq!(object["unique_id"].as_str().unwrap().len(), 32);
        assert!(!object["id"].as_str().unwrap().is_empty());
        assert!(object["uri"].as_str().unwrap().contains(";object=rsa%3A2048;type=p"));
    }

    let delete = ["object", "delete", "--label", "ec:p256"];
    person.run_as_user(&delete).expect_code(2).says("--yes");
    person.run_as_user(&[&delete[..], &["--yes"]].concat()).expect_code(0).says("Deleted 2");
    person.run_as_user(&[&delete[..], &["--yes"]].concat()).expect_code(7);
    let unique = rsa[0]["unique_id"].as_str().unwrap();
    let by_unique_id = ["object", "delete", "--unique-id", unique, "--yes"];
    person.run_as_user(&by_unique_id).expect_code(0).says("Deleted 1 object");
    let secret = ["object", "delete", "--class", "secret-key", "--yes"];
    person.run_as_user(&secret).expect_code(0).says("Deleted 3");
}

#[test]
fn an_id_that_is_given_is_kept_and_doubles_are_warned_about() {
    let person = Person::with_token();
    let generate = ["key", "generate", "ec:p256", "--label", "k", "--id", "01:aB"];
    let made = person.run_as_user(&generate).expect_code(0).says("id 01ab");
    assert!(!made.err.contains("warning"), "{made:?}");
    person.run_as_user(&generate).expect_code(0).says("with this label").says("with this id");
    let listed = person.json(&["object", "list", "--id", "01ab"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[test]
fn processes_that_make_tokens_at_once_make_different_ones() {
    let person = Person::new();
    let label = |number: usize| format!("token {number}");
    let start = |number: usize| {
        let label = label(number);
        let pins = ["--so-pin-file", "so.pin", "--pin-file", "user.pin"];
        let mut command = person.command(&[&["token", "init", "-l", &label], &pins[..]].concat());
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let running: Vec<_> = (0..8).map(start).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let list = person.json(&["token", "list"]);
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 8);
    for (at, slot) in list.iter().enumerate() {
        assert_eq!(slot["slot"], at);
        assert!((0..8).any(|number| slot["label"] == label(number)));
    }
    person.run(&["doctor"]).expect_code(0);
}

#[test]
fn pins_come_from_variables_and_standard_input_too() {
    let person = Person::new();
    let mut command = person.command(&[
        "token",
        "init",
        "--label",
        "web",
        "--so-pin-env",
        "SO",
        "--pin-env",
        "USER_PIN",
    ]);
    command.env("SO", SO_PIN).env("USER_PIN", USER_PIN);
    super::person::Answer::of(command).expect_code(0);
    let mut command = person.command(&["object", "list", "--pin-file", "-"]);
    command.stdin(std::fs::File::open(person.path("user.pin")).unwrap());
    super::person::Answer::of(command).expect_code(0);
}

#[test]
fn without_a_terminal_a_missing_pin_is_a_usage_error() {
    let person = Person::with_token();
    for (arguments, option) in [
        (&["token", "init", "--label", "a"][..], "--so-pin-file"),
        (&["object", "list", "--login"], "--pin-file"),
        (&["pin", "set", "--pin-file", "user.pin"], "--new-pin-file"),
        (&["pin", "reset"], "--so-pin-file"),
        (&["key", "generate", "ed25519", "--label", "a"], "--pin-file"),
    ] {
        person.run(arguments).expect_code(2).says("no terminal").says(option);
    }
}
