//! Post-quantum vectors from files: NIST's of making keys and of the inner functions, which no
//! caller has; HPKE's with ML-KEM; the keys of RFC 9881 and RFC 9935, good and bad, as PKCS #8.

use std::path::Path;

use serde_json::Value as Json;

use super::post_quantum::{from_seed, from_value, imported, public_of};
use super::{Key, files, hex, row, secret};
use crate::audit::base64;
use crate::engine::aws_lc::ml_dsa::{MU_LEN, MlDsa, MlDsaPrivate, MlDsaPublic};
use crate::engine::aws_lc::shake::{Width, shake};
use crate::engine::ml_dsa::sign_deterministic;
use crate::engine::ml_kem::{MlKem, MlKemPublic};
use crate::engine::slh_dsa::{SlhDsa, SlhDsaPublic};
use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Birth, Class, Context, complete};
use crate::object::{Object, attribute, pkcs8};

fn text<'v>(value: &'v Json, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

pub(super) fn run_files(files: &Path) -> usize {
    let parts = [
        made_keys(files),
        slh_dsa_signatures(files),
        ml_dsa_signatures(files),
        ml_dsa_verifications(files),
        ml_kem_secrets(files),
        hpke_secrets(files),
        written_keys(files),
    ];
    assert!(parts.iter().all(|count| *count > 0), "files without vectors: {parts:?}");
    parts.iter().sum()
}

fn groups(files: &Path, name: &str) -> Vec<Json> {
    let file = files::json(&files.join("acvp").join(name));
    let groups = file.map(|file| file["testGroups"].as_array().expect("groups").clone());
    groups.unwrap_or_default()
}

fn set_named(name: &str) -> ParameterSet {
    match name {
        "ML-DSA-44" => ParameterSet::MlDsa(MlDsa::MlDsa44),
        "ML-DSA-65" => ParameterSet::MlDsa(MlDsa::MlDsa65),
        "ML-DSA-87" => ParameterSet::MlDsa(MlDsa::MlDsa87),
        "ML-KEM-512" => ParameterSet::MlKem(MlKem::MlKem512),
        "ML-KEM-768" => ParameterSet::MlKem(MlKem::MlKem768),
        "ML-KEM-1024" => ParameterSet::MlKem(MlKem::MlKem1024),
        name => {
            let plain = name.to_lowercase().replace("slh-dsa-", "").replace(['-', '_'], "");
            let mut sets = SlhDsa::ALL.iter();
            let set = sets.find(|set| format!("{set:?}").to_lowercase().replace('_', "") == plain);
            ParameterSet::SlhDsa(*set.unwrap_or_else(|| panic!("{name}")))
        }
    }
}

fn made_keys(files: &Path) -> usize {
    let mut count = 0;
    for name in [
        "ML-DSA-keyGen-FIPS204.json.gz",
        "ML-KEM-keyGen-FIPS203.json.gz",
        "SLH-DSA-keyGen-FIPS205.json",
    ] {
        for group in groups(files, name) {
            let set = set_named(text(&group, "parameterSet"));
            // Of SLH-DSA one a group: without optimisation a key takes seconds.
            let slow = matches!(set, ParameterSet::SlhDsa(_));
            let most = if slow { 1 } else { usize::MAX };
            for test in group["tests"].as_array().expect("tests").iter().take(most) {
                let bytes = |name| hex(text(test, name));
                let (key, public, private) = match set {
                    ParameterSet::MlDsa(_) => (from_seed(set, &bytes("seed")), "pk", "sk"),
                    ParameterSet::MlKem(_) => {
                        let seed = [bytes("d"), bytes("z")].concat();
                        (from_seed(set, &seed), "ek", "dk")
                    }
                    // As it comes in, its root is computed from its seeds.
                    ParameterSet::SlhDsa(_) => (from_value(set, &bytes("sk")), "pk", "sk"),
                };
                let key = key.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(public_of(&key), bytes(public), "{name}");
                let value = key.attributes.get(attribute::VALUE).expect("a value");
                assert!(value.expose(|value| value == bytes(private)), "{name}");
                if !slow {
                    from_value(set, &bytes(private)).expect(name);
                }
                count += 1;
            }
        }
    }
    count
}

fn slh_dsa_signatures(files: &Path) -> usize {
    let mut count = 0;
    for group in groups(files, "SLH-DSA-sigVer-FIPS205.json.gz") {
        let ParameterSet::SlhDsa(set) = set_named(text(&group, "parameterSet")) else {
            panic!("another family")
        };
        for test in group["tests"].as_array().expect("tests") {
            let key = SlhDsaPublic::from_bytes(set, &hex(text(test, "pk"))).expect("a key");
            let message = hex(text(test, "message"));
            let outcome = key.verify(&[&message], &hex(text(test, "signature")));
            assert_eq!(outcome.is_ok(), test["testPassed"] == true, "{}", test["tcId"]);
            count += 1;
        }
    }
    count
}

/// What is signed in place of a message: the hash of the public key, and bytes that are not framed.
fn representative(public: &[u8], message: &[u8]) -> [u8; MU_LEN] {
    let hash: [u8; 64] = shake(Width::W256, &[public]).expect("a hash");
    shake(Width::W256, &[&hash, message]).expect("a hash")
}

/// What NIST's signatures are: the deterministic ones to the byte; those with randomness of theirs
/// verify.
fn ml_dsa_signatures(files: &Path) -> usize {
    let mut count = 0;
    for group in groups(files, "ML-DSA-sigGen-FIPS204.json.gz") {
        let ParameterSet::MlDsa(set) = set_named(text(&group, "parameterSet")) else {
            panic!("another family")
        };
        for test in group["tests"].as_array().expect("tests") {
            let case = format!("ML-DSA sigGen {}", test["tcId"]);
            let private = secret(&hex(text(test, "sk")));
            let key = MlDsaPrivate::from_expanded(set, &private).expect(&case);
            let bits = key.public_bytes().expect(&case);
            let mu = representative(&bits, &hex(text(test, "message")));
            let wanted = hex(text(test, "signature"));
            if group["deterministic"] == true {
                let mut made = vec![0; wanted.len()];
                sign_deterministic(&key, &mu, &mut made).expect(&case);
                assert_eq!(made, wanted, "{case}");
            }
            let public = MlDsaPublic::from_bytes(set, &bits).expect(&case);
            public.verify_mu(&mu, &wanted).expect(&case);
            count += 1;
        }
    }
    count
}

fn ml_dsa_verifications(files: &Path) -> usize {
    let mut count = 0;
    for group in groups(files, "ML-DSA-sigVer-FIPS204.json.gz") {
        let ParameterSet::MlDsa(set) = set_named(text(&group, "parameterSet")) else {
            panic!("another family")
        };
        let bits = hex(text(&group, "pk"));
        let key = MlDsaPublic::from_bytes(set, &bits).expect("a key");
        for test in group["tests"].as_array().expect("tests") {
            let mu = representative(&bits, &hex(text(test, "message")));
            let outcome = key.verify_mu(&mu, &hex(text(test, "signature")));
            assert_eq!(outcome.is_ok(), test["testPassed"] == true, "sigVer {}", test["tcId"]);
            count += 1;
        }
    }
    count
}

/// The secret in a ciphertext, by the row that callers have.
fn decapsulated(key: &Key, ciphertext: &[u8]) -> Vec<u8> {
    let open = row("CKM_ML_KEM").decapsulate.expect("a KEM");
    let shared = open(key, &MechanismParams::None, ciphertext, None).expect("a secret");
    shared.expose(<[u8]>::to_vec)
}

/// NIST's secrets: those made with randomness of theirs, and those in ciphertexts, of which some
/// were modified.
fn ml_kem_secrets(files: &Path) -> usize {
    let mut count = 0;
    for group in groups(files, "ML-KEM-encapDecap-FIPS203.json.gz") {
        let named = set_named(text(&group, "parameterSet"));
        let ParameterSet::MlKem(set) = named else { panic!("another family") };
        for test in group["tests"].as_array().expect("tests") {
            let case = format!("ML-KEM encapDecap {}", test["tcId"]);
            let here =
                |name: &str| hex(text(if test[name].is_null() { &group } else { test }, name));
            let (ciphertext, shared) = (here("c"), here("k"));
            if let Some(random) = test["m"].as_str() {
                let key = MlKemPublic::from_bytes(set, &here("ek")).expect(&case);
                let random = hex(random).try_into().expect("32 bytes");
                let mut made = vec![0; set.ciphertext_len()];
                let secret = key.encapsulate_with(&random, &mut made).expect(&case);
                assert_eq!((made, secret.expose(<[u8]>::to_vec)), (ciphertext, shared), "{case}");
            } else {
                let key = from_value(named, &here("dk")).expect(&case);
                assert_eq!(decapsulated(&key, &ciphertext), shared, "{case}");
            }
            count += 1;
        }
    }
    count
}

/// The secrets that ML-KEM gives HPKE.
fn hpke_secrets(files: &Path) -> usize {
    let path = files.join("hpke/hpke-pq-test-vectors.json");
    let Some(json) = files::json(&path) else { return 0 };
    let mut count = 0;
    for test in json.as_array().expect("tests") {
        let set = match test["kem_id"].as_u64() {
            Some(0x40) => MlKem::MlKem512,
            Some(0x41) => MlKem::MlKem768,
            Some(0x42) => MlKem::MlKem1024,
            _ => continue,
        };
        let key = from_seed(ParameterSet::MlKem(set), &hex(text(test, "skRm"))).expect("a key");
        assert_eq!(public_of(&key), hex(text(test, "pkRm")));
        let secret = decapsulated(&key, &hex(text(test, "enc")));
        assert_eq!(secret, hex(text(test, "shared_secret")));
        count += 1;
    }
    count
}

/// What is between the lines of a PEM file, whatever its label.
fn pem(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", path.display()));
    let inside = text.split("-----").nth(2).expect("PEM");
    base64::decode(&inside.split_whitespace().collect::<String>()).expect("base64")
}

/// A private key as `C_UnwrapKey` takes it in.
fn unwrapped(der: &[u8]) -> Result<Key> {
    let context = Context::STANDARD;
    let whole = complete(pkcs8::decode(der)?, Birth::Unwrap, &context)?;
    Ok(Object::new(whole).into())
}

/// The examples of RFC 9881 and RFC 9935: three forms of each key, whose public key is in a file of
/// its own; and those that contradict themselves. The two in DER are of another project.
fn written_keys(files: &Path) -> usize {
    let directory = files.join("pkix");
    let mut count = 0;
    for (family, names) in [
        ("ml-dsa", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]),
        ("ml-kem", ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"]),
    ] {
        for name in names {
            let info = pem(&directory.join(family).join(format!("{name}.pub")));
            for (form, seeded) in [("seed", true), ("expanded", false), ("both", true)] {
                let written = pem(&directory.join(family).join(format!("{name}-{form}.priv")));
                let key = unwrapped(&written).expect(name);
                assert_eq!(key.attributes.get(attribute::PUBLIC_KEY_INFO), Some(&info[..]));
                assert_eq!(key.attributes.contains(attribute::SEED.id), seeded, "{name} {form}");
                // Both forms are written of a key whose seed is known.
                let again = pkcs8::encode(&key.attributes).expect(name).expose(<[u8]>::to_vec);
                assert_eq!(again == written, form != "seed", "{name} {form}");
                let public = imported(Class::PublicKey, set_named(name), |new| {
                    new.set(attribute::VALUE, secret(&public_of(&key)));
                });
                let public = public.expect(name);
                assert_eq!(public.attributes.get(attribute::PUBLIC_KEY_INFO), Some(&info[..]));
                count += 1;
            }
        }
    }
    for (family, name, bad) in [("ml-dsa", "ML-DSA-44", 1..=3), ("ml-kem", "ML-KEM-512", 1..=4)] {
        for number in bad {
            let path = directory.join(family).join(format!("bad-{name}-{number}.priv"));
            let refused = unwrapped(&pem(&path)).map(drop).expect_err(name);
            let named = [Rv::WrappedKeyInvalid, Rv::AttributeValueInvalid].contains(&refused.rv);
            assert!(named, "{} is {refused}", path.display());
            count += 1;
        }
    }
    for (name, seeded) in
        [("mldsa44_priv", true), ("mldsa65_noseed_priv", false), ("mlkem768", true)]
    {
        let der = std::fs::read(directory.join(format!("pyca-{name}.der"))).expect(name);
        let key = unwrapped(&der).expect(name);
        assert_eq!(key.attributes.contains(attribute::SEED.id), seeded, "{name}");
        count += 1;
    }
    count
}
