//! `sign` and `verify`: what a key of every kind signs is right for `verify`, and for openssl where
//! that knows the kind.

use std::fs;
use std::process::Command;

use super::person::{Answer, Person};

/// A kind of key each way of signing; the rest of a family differs in sizes alone.
const KINDS: &[&str] = &[
    "rsa:2048",
    "ec:p256",
    "ec:p384",
    "ec:p521",
    "ec:brainpoolp256r1",
    "ed25519",
    "ed448",
    "ml-dsa:44",
    "slh-dsa:sha2-128f",
    "comp-sig:mldsa44-ed25519-sha512",
    "comp-sig:mldsa65-ecdsa-p256-sha512",
    "comp-sig:mldsa44-rsa2048-pss-sha256",
    "bundle:ec:p256+ml-dsa:44",
    "generic:32",
    "hmac-sha512:64",
];

fn openssl(person: &Person, arguments: &[&str]) -> Answer {
    let mut command = Command::new("openssl");
    command.args(arguments);
    person.settle(&mut command);
    Answer::of(command)
}

fn sign(person: &Person, label: &str, rest: &[&str]) -> Answer {
    let asked = ["sign", "--key", label, "--output", "signature", "message"];
    person.run_as_user(&[&asked[..], rest].concat())
}

fn verify(person: &Person, label: &str, rest: &[&str]) -> Answer {
    let asked = ["verify", "--key", label, "--signature", "signature", "message"];
    person.run_as_user(&[&asked[..], rest].concat())
}

#[test]
fn what_each_kind_of_key_signs_verifies_and_nothing_else_does() {
    let person = Person::with_token();
    // More than is read at a time.
    person.write("message", &"a message of some length\n".repeat(10_000));
    person.write("other", "another message");
    for kind in KINDS {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
        sign(&person, kind, &[]).expect_code(0);
        verify(&person, kind, &[]).expect_code(0).says("The signature is right.");
        let other = ["verify", "--key", kind, "--signature", "signature", "other"];
        person.run_as_user(&other).expect_code(8);
        let mut signature = fs::read(person.path("signature")).unwrap();
        signature.pop();
        fs::write(person.path("signature"), signature).unwrap();
        verify(&person, kind, &[]).expect_code(8);
    }
    person.run_as_user(&["key", "generate", "x25519", "--label", "x"]).expect_code(0);
    sign(&person, "x", &[]).expect_code(1).says("such keys do not sign");
    person.run_as_user(&["key", "generate", "aes:128", "--label", "a"]).expect_code(0);
    sign(&person, "a", &[]).expect_code(1).says("CKA_SIGN");
}

#[test]
fn openssl_takes_signatures_of_the_token_and_the_token_those_of_openssl() {
    let person = Person::with_token();
    person.write("message", "a message for openssl");
    let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    for (kind, mechanism, hash, options) in [
        ("rsa:2048", "SHA256_RSA_PKCS", "-sha256", &[][..]),
        ("rsa:2048", "ckm_sha384_rsa_pkcs_pss", "-sha384", &pss),
        ("rsa:2048", "SHA3_256_RSA_PKCS", "-sha3-256", &[]),
        ("ec:p256", "ECDSA_SHA256", "-sha256", &[]),
        ("ec:p384", "ECDSA_SHA3_512", "-sha3-512", &[]),
        ("ec:p521", "ECDSA_SHA512", "-sha512", &[]),
    ] {
        let label = format!("{kind} {mechanism}");
        person.run_as_user(&["key", "generate", kind, "--label", &label]).expect_code(0);
        let public = person.run(&["key", "export-public", "--key", &label]).expect_code(0).out;
        person.write("public.pem", &public);
        sign(&person, &label, &["--mechanism", mechanism]).expect_code(0);
        let dgst = ["dgst", hash, "-verify", "public.pem", "-signature", "signature"];
        openssl(&person, &[&dgst[..], options, &["message"]].concat()).expect_code(0);

        let algorithm = if kind.starts_with("rsa") { "RSA" } else { "EC" };
        let curve = format!("ec_paramgen_curve:P-{}", kind.rsplit('p').next().unwrap());
        let size = if algorithm == "RSA" { "rsa_keygen_bits:2048" } else { curve.as_str() };
        let made = ["genpkey", "-algorithm", algorithm, "-pkeyopt", size, "-out", "theirs.pem"];
        openssl(&person, &made).expect_code(0);
        openssl(&person, &["pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.pub"]);
        let dgst = ["dgst", hash, "-sign", "theirs.pem", "-out", "signature"];
        openssl(&person, &[&dgst[..], options, &["message"]].concat()).expect_code(0);
        let by_file = ["verify", "message", "--signature", "signature", "-m", mechanism];
        let by_file = [&by_file[..], &["--public-key", "theirs.pub"]].concat();
        person.run(&by_file).expect_code(0);
        verify(&person, &label, &["-m", mechanism]).expect_code(8);
    }
    for kind in ["ed25519", "ed448"] {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
        let public = person.run(&["key", "export-public", "--key", kind]).expect_code(0).out;
        person.write("public.pem", &public);
        sign(&person, kind, &[]).expect_code(0);
        let verified = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public.pem"];
        let files = ["-in", "message", "-sigfile", "signature"];
        openssl(&person, &[&verified[..], &files].concat()).expect_code(0);
    }
}

#[test]
fn context_form_and_mechanism_must_be_those_of_the_signature() {
    let person = Person::with_token();
    person.write("message", "m");
    for kind in ["ml-dsa:65", "slh-dsa:shake-128f", "comp-sig:mldsa44-ed25519-sha512", "ed25519"] {
        person.run_as_user(&["key", "generate", kind, "--label", kind]).expect_code(0);
        sign(&person, kind, &["--context", "firmware"]).expect_code(0);
        verify(&person, kind, &["--context", "firmware"]).expect_code(0);
        verify(&person, kind, &["--context", "else"]).expect_code(8);
        verify(&person, kind, &[]).expect_code(8);
        let long = "x".repeat(256);
        sign(&person, kind, &["--context", &long]).expect_code(1).says("255 bytes");
    }
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "e"]).expect_code(0);
    sign(&person, "e", &["--context", "c"]).expect_code(1).says("takes no context");
    sign(&person, "e", &["--raw"]).expect_code(0);
    assert_eq!(fs::metadata(person.path("signature")).unwrap().len(), 64);
    verify(&person, "e", &["--raw"]).expect_code(0);
    verify(&person, "e", &[]).expect_code(8).says("not the DER");
    // A digest is signed as it is by a mechanism without a hash; a message is not.
    let digest = ["dgst", "-sha256", "-binary", "-out", "digest", "message"];
    openssl(&person, &digest).expect_code(0);
    let prehashed = ["sign", "--key", "e", "-m", "ECDSA", "-o", "signature", "digest"];
    person.run_as_user(&prehashed).expect_code(0);
    verify(&person, "e", &["-m", "ECDSA_SHA256"]).expect_code(0);

    sign(&person, "e", &["-m", "EDDSA"]).expect_code(1).says("KEY_TYPE_INCONSISTENT");
    sign(&person, "e", &["-m", "AES_CBC"]).expect_code(1).says("no mechanism that signs");
    sign(&person, "e", &["-m", "nonsense"]).expect_code(1).says("CKM_NONSENSE");
    person.run_as_user(&["key", "generate", "rsa:2048", "--label", "r"]).expect_code(0);
    sign(&person, "r", &["-m", "RSA_PKCS_PSS"]).expect_code(1).says("CKM_SHA256_RSA_PKCS_PSS");
}

#[test]
fn standard_input_and_output_stand_in_for_files() {
    let person = Person::with_token();
    person.write("message", "from a pipe");
    person.run_as_user(&["key", "generate", "ed448", "--label", "k"]).expect_code(0);
    let mut command = person.command(&["sign", "-", "--key", "k", "--pin-file", "user.pin"]);
    command.stdin(fs::File::open(person.path("message")).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success());
    fs::write(person.path("signature"), &output.stdout).unwrap();
    verify(&person, "k", &[]).expect_code(0);
    let mut command = person.command(&["verify", "-", "--key", "k", "-s", "signature"]);
    command.stdin(fs::File::open(person.path("message")).unwrap());
    Answer::of(command).expect_code(0);
}

#[test]
fn what_cannot_be_read_found_or_written_is_told() {
    let person = Person::with_token();
    person.write("message", "m");
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "k"]).expect_code(0);
    sign(&person, "none", &[]).expect_code(7).says("claviger key list");
    person.run_as_user(&["sign", "--key", "k", "missing"]).expect_code(1).says("missing");
    person.run_as_user(&["sign", "--key", "k", "."]).expect_code(1).says("is a directory");
    person.run(&["sign", "--key", "k", "message"]).expect_code(2).says("--pin-file");
    let full = ["sign", "--key", "k", "message", "-o", "/dev/full"];
    person.run_as_user(&full).expect_code(1).says("cannot write /dev/full");
    let nowhere = ["sign", "--key", "k", "message", "-o", "no/such/place"];
    person.run_as_user(&nowhere).expect_code(1).says("cannot write no/such/place");
    verify(&person, "k", &[]).expect_code(1).says("cannot read signature");
    person.run(&["verify", "message", "-s", "message"]).expect_code(2).says("--public-key");
    person.write("garbage", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let garbage = ["verify", "message", "-s", "message", "--public-key", "garbage"];
    person.run(&garbage).expect_code(1).says("not a public key");

    // Two keys of one name; a private key whose public half is gone.
    person.run_as_user(&["key", "generate", "ec:p256", "--label", "k"]).expect_code(0);
    sign(&person, "k", &[]).expect_code(1).says("2 keys match").says("--unique-id");
    person.run_as_user(&["key", "generate", "ed25519", "--label", "half"]).expect_code(0);
    let public = ["object", "delete", "--label", "half", "--class", "public-key", "--yes"];
    person.run_as_user(&public).expect_code(0);
    sign(&person, "half", &[]).expect_code(0);
    verify(&person, "half", &[]).expect_code(7).says("no public or secret key matches");
}
