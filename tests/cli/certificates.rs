//! `certificate` and `key import`: openssl reads and verifies what was made, where it knows the
//! algorithm, and takes the DER apart where it does not; pkcs11-tool finds what was imported.

use std::fs;
use std::process::Command;

use super::person::{Answer, Person};

fn tool(person: &Person, program: &str, arguments: &[&str]) -> Answer {
    let mut command = Command::new(program);
    command.args(arguments);
    person.settle(&mut command);
    Answer::of(command)
}

fn openssl(person: &Person, arguments: &[&str]) -> Answer {
    tool(person, "openssl", arguments)
}

fn generate(person: &Person, kind: &str) {
    person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
}

const SUBJECT: [&str; 2] = ["--subject", "CN=example.org,O=Ex\\, ample,C=AT"];

#[test]
fn openssl_verifies_certificates_and_requests_of_what_it_knows() {
    let person = Person::with_token();
    let san = ["--san", "DNS:example.org", "--san", "IP:2001:db8::1"];
    for (kind, mechanism, signature) in [
        ("rsa:2048", None, "sha256WithRSAEncryption"),
        ("rsa:2048", Some("SHA384_RSA_PKCS_PSS"), "rsassaPss"),
        ("rsa:3072", Some("SHA3_256_RSA_PKCS"), "RSA-SHA3-256"),
        ("ec:p256", None, "ecdsa-with-SHA256"),
        ("ec:p384", None, "ecdsa-with-SHA384"),
        ("ec:p521", None, "ecdsa-with-SHA512"),
        ("ec:brainpoolp384r1", Some("ECDSA_SHA512"), "ecdsa-with-SHA512"),
        ("ed25519", None, "ED25519"),
        ("ed448", None, "ED448"),
    ] {
        if mechanism != Some("SHA384_RSA_PKCS_PSS") {
            generate(&person, kind);
        }
        let chosen: Vec<&str> = mechanism.map_or(vec![], |name| vec!["--mechanism", name]);
        let common = [&["--key", kind, "--ca"][..], &SUBJECT, &san, &chosen].concat();
        let made = ["certificate", "self-signed", "--days", "30", "-o", "c.pem"];
        person.run_as_user(&[&made[..], &common].concat()).expect_code(0);
        openssl(&person, &["verify", "-check_ss_sig", "-x509_strict", "-CAfile", "c.pem", "c.pem"])
            .expect_code(0)
            .says("OK");
        let text = openssl(&person, &["x509", "-in", "c.pem", "-noout", "-text"]).expect_code(0);
        let text = text
            .says(&format!("Signature Algorithm: {signature}"))
            .says("CA:TRUE")
            .says("Certificate Sign, CRL Sign")
            .says("DNS:example.org, IP Address:2001:DB8:0:0:0:0:0:1");
        text.says("C = AT, O = \"Ex, ample\", CN = example.org");
        let made = [&["certificate", "request", "-o", "r.pem"][..], &common].concat();
        person.run_as_user(&made).expect_code(0);
        let request = ["req", "-in", "r.pem", "-verify", "-noout", "-text"];
        openssl(&person, &request)
            .expect_code(0)
            .says("verify OK")
            .says("DNS:example.org")
            .says("CA:TRUE");
    }
    let leaf = ["certificate", "self-signed", "--key", "ed25519", "--days", "1", "-o", "l.pem"];
    person.run_as_user(&[&leaf[..], &["--subject", "CN=l"]].concat()).expect_code(0);
    let text = openssl(&person, &["x509", "-in", "l.pem", "-noout", "-text"]).expect_code(0);
    text.says("CA:FALSE").says("Digital Signature");
}

/// Where the parts of a certificate or request stand: offset and length of the content that is
/// signed, and the offset of the signature.
fn parts(person: &Person, file: &str) -> (usize, usize, usize) {
    let parsed = openssl(person, &["asn1parse", "-inform", "DER", "-in", file]).expect_code(0).out;
    let number = |line: &str, name: &str| -> usize {
        let rest = line.split(name).nth(1).unwrap().trim_start();
        rest.split([' ', ':']).next().unwrap().parse().unwrap()
    };
    let top: Vec<&str> = parsed.lines().filter(|line| line.contains("d=1 ")).collect();
    assert_eq!(top.len(), 3, "{parsed}");
    let offset = |line: &str| line.split(':').next().unwrap().trim().parse::<usize>().unwrap();
    let length = number(top[0], "hl=") + number(top[0], " l=");
    (offset(top[0]), length, offset(top[2]))
}

#[test]
fn post_quantum_and_composite_certificates_hold_a_signature_of_their_content() {
    let person = Person::with_token();
    for (kind, identifier) in [
        ("ml-dsa:44", "2.16.840.1.101.3.4.3.17"),
        ("ml-dsa:87", "2.16.840.1.101.3.4.3.19"),
        ("slh-dsa:sha2-128f", "2.16.840.1.101.3.4.3.21"),
        ("slh-dsa:shake-256f", "2.16.840.1.101.3.4.3.31"),
        ("comp-sig:mldsa44-ed25519-sha512", "1.3.6.1.5.5.7.6.39"),
        ("comp-sig:mldsa65-ecdsa-p384-sha512", "1.3.6.1.5.5.7.6.46"),
    ] {
        generate(&person, kind);
        for command in [&["self-signed", "--days", "3650"][..], &["request"]] {
            let made = [&["certificate"], command, &["--key", kind, "--der", "-o", "c.der"]];
            person.run_as_user(&[&made.concat()[..], &SUBJECT].concat()).expect_code(0);
            let (offset, length, signature) = parts(&person, "c.der");
            let whole = fs::read(person.path("c.der")).unwrap();
            fs::write(person.path("content"), &whole[offset..offset + length]).unwrap();
            // Tag, three bytes of length or five, and the count of unused bits.
            let head = if whole[signature + 1] == 0x82 { 5 } else { 6 };
            fs::write(person.path("signature"), &whole[signature + head..]).unwrap();
            let public = person.run(&["key", "export-public", "--key", kind]).expect_code(0).out;
            person.write("public.pem", &public);
            let verify = ["verify", "content", "-s", "signature", "--public-key", "public.pem"];
            person.run(&verify).expect_code(0);
            // The algorithm stands inside a certificate, around the key and before the signature.
            let text = openssl(&person, &["asn1parse", "-inform", "DER", "-in", "c.der"]).out;
            let times = text.matches(identifier).count();
            assert_eq!(times, if command.len() == 1 { 2 } else { 3 }, "{kind}: {text}");
        }
    }
}

#[test]
fn a_bundle_certifies_with_one_key_and_what_does_not_sign_with_none() {
    let person = Person::with_token();
    generate(&person, "bundle:ec:p256+ml-dsa:44");
    let make = |key: &str, rest: &[&str]| {
        let made = ["certificate", "self-signed", "--key", key, "--days", "1", "-o", "c.pem"];
        person.run_as_user(&[&made[..], rest].concat())
    };
    make("bundle:ec:p256+ml-dsa:44", &SUBJECT).expect_code(0);
    openssl(&person, &["verify", "-check_ss_sig", "-CAfile", "c.pem", "c.pem"]).expect_code(0);
    make("bundle:ec:p256+ml-dsa:44#pq", &SUBJECT).expect_code(0);
    generate(&person, "ml-kem:768");
    make("ml-kem:768", &SUBJECT).expect_code(1).says("such keys do not sign");
    make("none", &SUBJECT).expect_code(7);
    for subject in ["", "nobody", "XX=y"] {
        make("ml-kem:768", &["--subject", subject]).expect_code(2).says("RFC 4514");
    }
    let wrong = [&SUBJECT[..], &["--san", "example.org"]].concat();
    make("ml-kem:768", &wrong).expect_code(2).says("DNS:example.org");
    let far = ["certificate", "self-signed", "--key", "bundle:ec:p256+ml-dsa:44", "--days"];
    let far = [&far[..], &["4000000"], &SUBJECT].concat();
    person.run_as_user(&far).expect_code(2).says("before the year 10000");
    let never = [&["certificate", "self-signed", "--key", "x", "--days", "0"][..], &SUBJECT];
    person.run_as_user(&never.concat()).expect_code(2);
}

#[test]
fn certificates_are_kept_beside_their_keys_with_what_they_say() {
    let person = Person::with_token();
    generate(&person, "ec:p256");
    let made = ["certificate", "self-signed", "--key", "ec:p256", "--days", "9", "-o", "c.pem"];
    person.run_as_user(&[&made[..], &SUBJECT, &["--store", "--ca"]].concat()).expect_code(0);
    let id = person.json(&["key", "show", "--key", "ec:p256"])[0]["id"].clone();
    let listed = person.json(&["certificate", "list"]);
    let one = &listed[0];
    assert_eq!((&one["label"], &one["id"]), (&"ec:p256".into(), &id));
    assert_eq!(one["subject"], "CN=example.org,O=Ex\\, ample,C=AT");
    assert_eq!(one["issuer"], one["subject"]);
    let serial = openssl(&person, &["x509", "-in", "c.pem", "-noout", "-serial"]).out;
    let upper = one["serial"].as_str().unwrap().to_uppercase();
    assert_eq!(serial.trim(), format!("serial={upper}"));
    // What is exported is what was made.
    let out = person.run(&["certificate", "export", "--key", "ec:p256"]).expect_code(0).out;
    assert_eq!(out, fs::read_to_string(person.path("c.pem")).unwrap());

    // Imported, it finds its key by the public key.
    person.run_as_user(&["object", "delete", "--class", "certificate", "--yes"]).expect_code(0);
    person.run_as_user(&["certificate", "import", "c.pem", "--label", "again"]).expect_code(0);
    let listed = person.json(&["certificate", "list"]);
    assert_eq!((&listed[0]["label"], &listed[0]["id"]), (&"again".into(), &id));
    let uri = listed[0]["uri"].as_str().unwrap();
    let der = ["certificate", "export", "--key", uri, "--der", "-o", "c.der"];
    person.run(&der).expect_code(0);
    let module = super::keys::module();
    let list = ["--module", &module, "-O", "--type", "cert"];
    tool(&person, "pkcs11-tool", &list)
        .expect_code(0)
        .says("again")
        .says("C=AT, O=Ex, ample, CN=example.org")
        .says(&format!("serial:     {upper}"))
        .says(id.as_str().unwrap());

    person.run(&["certificate", "export", "--key", "ec:p256"]).expect_code(7);
    person.run_as_user(&["certificate", "import", "c.der"]).expect_code(0);
    person
        .run(&["certificate", "export", "--id", id.as_str().unwrap()])
        .expect_code(1)
        .says("2 different certificates");
    person.write("garbage", "nothing of the kind");
    person.run_as_user(&["certificate", "import", "garbage"]).expect_code(1).says("no X.509");
    person.write("garbage", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
    person.run_as_user(&["certificate", "import", "garbage"]).expect_code(1).says("no good PEM");
    person.run_as_user(&["certificate", "import", "missing"]).expect_code(1).says("missing");
}

#[test]
fn keys_of_openssl_come_in_and_are_the_keys_that_they_were() {
    let person = Person::with_token();
    person.write("message", "m");
    for (algorithm, option) in [
        ("RSA", "rsa_keygen_bits:2048"),
        ("EC", "ec_paramgen_curve:P-256"),
        ("EC", "ec_paramgen_curve:brainpoolP512r1"),
        ("ED25519", ""),
        ("ED448", ""),
        ("X25519", ""),
        ("X448", ""),
    ] {
        let mut made = vec!["genpkey", "-algorithm", algorithm, "-out", "k.pem"];
        if !option.is_empty() {
            made.extend(["-pkeyopt", option]);
        }
        openssl(&person, &made).expect_code(0);
        openssl(&person, &["pkey", "-in", "k.pem", "-pubout", "-out", "p.pem"]).expect_code(0);
        let label = format!("{algorithm} {option}");
        person.run_as_user(&["key", "import", "k.pem", "--label", &label]).expect_code(0);
        let public = person.run(&["key", "export-public", "--key", &label]).expect_code(0).out;
        assert_eq!(public, fs::read_to_string(person.path("p.pem")).unwrap(), "{label}");
        let shown = person.json(&["key", "show", "--key", &label, "--pin-file", "user.pin"]);
        let private = &shown[1];
        assert_eq!((&private["local"], &private["sensitive"]), (&false.into(), &true.into()));
        assert_eq!(private["extractable"], false);
        if !algorithm.starts_with('X') {
            let sign = ["sign", "--key", &label, "message", "-o", "s"];
            person.run_as_user(&sign).expect_code(0);
            let verify = ["verify", "message", "-s", "s", "--public-key", "p.pem"];
            person.run(&verify).expect_code(0);
        }
        // The public key alone, as DER.
        let der = ["pkey", "-pubin", "-in", "p.pem", "-outform", "DER", "-out", "p.der"];
        openssl(&person, &der).expect_code(0);
        let alone = format!("{label} alone");
        person.run_as_user(&["key", "import", "p.der", "--label", &alone]).expect_code(0);
        let again = person.run(&["key", "export-public", "--key", &alone]).expect_code(0).out;
        assert_eq!(again, public);
    }
}

#[test]
fn encrypted_keys_ask_for_their_password() {
    let person = Person::with_token();
    person.write("password", "correct horse\n");
    person.write("wrong", "battery staple\n");
    openssl(&person, &["genpkey", "-algorithm", "ED25519", "-out", "k.pem"]).expect_code(0);
    let pass = ["-passout", "file:password"];
    for options in [&["-v2", "aes256"][..], &["-scrypt"]] {
        let topk8 = [&["pkcs8", "-topk8", "-in", "k.pem", "-out", "e.pem"][..], options, &pass];
        openssl(&person, &topk8.concat()).expect_code(0);
        let import = |rest: &[&str]| {
            person.run_as_user(&[&["key", "import", "e.pem", "--label", "e"][..], rest].concat())
        };
        import(&[]).expect_code(2).says("--password-file");
        let refused = import(&["--password-file", "wrong"]).expect_code(4).says("the password");
        assert!(!refused.err.contains("battery"), "{refused:?}");
        import(&["--password-file", "password"]).expect_code(0);
        person.run_as_user(&["key", "delete", "--key", "e", "--yes"]).expect_code(0);
    }
}

/// Seed-only keys of RFC 9881, C.1, whose seed is 00 01 … 1f, with the SHA-1 of the public keys
/// there; and keys of the test vectors of draft-ietf-lamps-pq-composite-sigs-19.
const POST_QUANTUM: &[(&str, &str, &str)] = &[
    (
        "ml-dsa:44",
        "MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
        "77dde8530eaafeb9cb470eebf336861a1d6b61ee",
    ),
    (
        "ml-dsa:65",
        "MDQCAQAwCwYJYIZIAWUDBAMSBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
        "ef48cd51a3e32b02fd676589f261b512ae3abcb8",
    ),
    (
        "ml-dsa:87",
        "MDQCAQAwCwYJYIZIAWUDBAMTBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
        "b3676f57f387aa7672d463bac997e9048ff3521b",
    ),
    (
        "comp-sig:mldsa44-ed25519-sha512",
        "MFECAQAwCgYIKwYBBQUHBicEQAHY31kVLYpE45ol5nde8YoARLIOWMLENGrDfCfRUhdsW+psJFRhe/tIR564\
         sTtxGpgRa3P37Kww+vHdm0+hfWg=",
        "015f8fad1a984f076016ac7ae147303d50e15656",
    ),
    (
        "comp-sig:mldsa65-ecdsa-p256-sha512",
        "MGQCAQAwCgYIKwYBBQUHBi0EU27HXFrrC5shTbpgiq/eOHvIvgMaRl3XYMfXx+vWKOPaMDECAQEEIJhDl7zE\
         OcBg71EJzOcLlt1zWjPQ7lOhermXqczkasqroAoGCCqGSM49AwEH",
        "188271fd0e431808e605ed16826da41adfc28c7d",
    ),
];

#[test]
fn post_quantum_keys_of_the_standards_come_in() {
    let person = Person::with_token();
    person.write("message", "m");
    for (kind, key, id) in POST_QUANTUM {
        let lines: Vec<&str> =
            key.as_bytes().chunks(64).map(|l| str::from_utf8(l).unwrap()).collect();
        let text = lines.join("\n");
        person.write(
            "k",
            &format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
        );
        person.run_as_user(&["key", "import", "k", "--label", kind]).expect_code(0);
        let shown = person.json(&["key", "show", "--key", kind, "--pin-file", "user.pin"]);
        for half in shown.as_array().unwrap() {
            assert_eq!((&half["algorithm"], &half["id"]), (&(*kind).into(), &(*id).into()));
        }
        person.run_as_user(&["sign", "--key", kind, "message", "-o", "s"]).expect_code(0);
        person.run(&["verify", "--key", kind, "message", "-s", "s"]).expect_code(0);
    }
}

#[test]
fn what_is_no_key_is_refused_and_leaves_nothing() {
    let person = Person::with_token();
    let import = |file: &str| person.run_as_user(&["key", "import", file, "--label", "x"]);
    import("missing").expect_code(1).says("cannot read missing");
    for (text, says) in [
        ("", "not a private key"),
        ("garbage", "not a private key"),
        ("-----BEGIN PRIVATE KEY-----\n", "no good PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
        ("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", "not a public key"),
        ("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "certificate import"),
        ("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n", "openssl pkcs8"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "not an encrypted private key",
        ),
    ] {
        person.write("k", text);
        import("k").expect_code(1).says(says);
    }
    fs::write(person.path("k"), vec![b'x'; (1 << 20) + 1]).unwrap();
    import("k").expect_code(1).says("more than");
    let left = person.json(&["object", "list", "--pin-file", "user.pin"]);
    assert_eq!(left.as_array().unwrap().len(), 0, "{left}");
}
