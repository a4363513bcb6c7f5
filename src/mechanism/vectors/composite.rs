//! Composites: all vectors that come with the drafts, for every parameter set that is offered.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{files, hex, key, row, secret, signatures, verify};
use crate::audit::base64;
use crate::config::VerifyMode;
use crate::custody::software::Software;
use crate::custody::{Custodian, KeySpec};
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::{MlDsa, MlDsaPublic};
use crate::engine::ed25519::Ed25519Public;
use crate::engine::hash::{self, Digest};
use crate::error::{Result, Rv};
use crate::mechanism::params::{Hedge, MechanismParams};
use crate::mechanism::{Bundle, Key, Mechanism};
use crate::object::class::{Class, KeyType};
use crate::object::composite::halves::Form;
use crate::object::composite::part::raw_ecdsa;
use crate::object::composite::sets::{KEMS, KemSet, SIGNATURES, SignatureSet};
use crate::object::material::{private_template, public_template};
use crate::object::{Object, attribute, bundle};

/// Bytes in base64.
fn bytes(json: &Json, name: &str) -> Vec<u8> {
    let text = json[name].as_str().unwrap_or_else(|| panic!("no {name}"));
    base64::decode(text).unwrap_or_else(|| panic!("{name} is not base64"))
}

pub(crate) fn public_key(key_type: KeyType, set: u64, value: &[u8]) -> Key {
    key(Class::PublicKey, key_type, |new| {
        new.set(attribute::PARAMETER_SET, set);
        new.set(attribute::PUBLIC_VALUE, value.to_vec());
    })
}

pub(crate) fn private_key(key_type: KeyType, set: u64, value: &[u8]) -> Key {
    key(Class::PrivateKey, key_type, |new| {
        new.set(attribute::PARAMETER_SET, set);
        new.set(attribute::VALUE, secret(value));
    })
}

fn context(context: &[u8]) -> MechanismParams {
    MechanismParams::SignContext { hedge: Hedge::Preferred, context: context.to_vec() }
}

/// Signs, and has each half verified alone, over a message that is put together here.
pub(super) fn run(row: &Mechanism) -> usize {
    let input = match row.name {
        "CKM_COMP_SIG" => b"message".to_vec(),
        "CKM_COMP_SIG_EXTERNAL_HASH" => hash::digest(Digest::Sha512, b"message"),
        "CKM_COMP_KEM" => return run_kem(row),
        "CKM_CLAVIGER_HPKE" => return run_envelopes(row),
        "CKM_CLAVIGER_BUNDLE" => return run_bundle(row),
        _ => return 0,
    };
    let label = "COMPSIG-MLDSA65-Ed25519-SHA512";
    let set = SIGNATURES.iter().find(|set| set.label == label).expect(label);
    let pair = set.halves.generate(&Software).expect("a pair");
    let signer = pair.private.expose(|sk| private_key(KeyType::CompSig, set.id, sk));
    let (lattice, classical) = pair.public.split_at(1952);
    let lattice = MlDsaPublic::from_bytes(MlDsa::MlDsa65, lattice).expect("a key");
    let classical = Ed25519Public::from_bytes(classical).expect("a key");
    for (params, ctx) in [(MechanismParams::None, &b""[..]), (context(b"ctx"), b"ctx")] {
        let signed = [
            &b"CompositeAlgorithmSignatures2025COMPSIG-MLDSA65-Ed25519-SHA512"[..],
            &[u8::try_from(ctx.len()).expect("a byte")],
            ctx,
            &hash::digest(Digest::Sha512, b"message"),
        ]
        .concat();
        for signature in signatures(row, &signer, &params, &input).expect(row.name) {
            let (first, second) = signature.split_at(3309);
            lattice.verify(label.as_bytes(), &signed, first).expect("the ML-DSA half");
            classical.verify(&signed, second).expect("the Ed25519 half");
        }
    }
    2
}

/// The set that a vector of the draft is for: `id-` and the label without its prefix, but for
/// the two whose label is shorter than their name.
fn set_of(name: &str) -> Option<&'static SignatureSet> {
    let name = name.replace("brainpoolP256r1", "BP256").replace("brainpoolP384r1", "BP384");
    let label = format!("COMPSIG-{}", name.strip_prefix("id-")?);
    SIGNATURES.iter().find(|set| set.label == label)
}

pub(super) fn run_files(directory: &Path) -> usize {
    run_signatures(directory) + run_kems(directory) + run_xwing(directory) + run_hpke(directory)
}

fn run_signatures(directory: &Path) -> usize {
    let path = directory.join("composite/composite-mldsa-testvectors.json.gz");
    let Some(json) = files::json(&path) else { return 0 };
    let (message, with) = (bytes(&json, "m"), bytes(&json, "ctx"));
    let mut seen = Vec::new();
    for test in json["tests"].as_array().expect("tests") {
        let name = test["tcId"].as_str().expect("tcId");
        if let Some(set) = set_of(name) {
            signature_vector(set, test, &message, &with);
            seen.push(set.id);
        }
    }
    seen.sort_unstable();
    let mut all: Vec<u64> = SIGNATURES.iter().map(|set| set.id).collect();
    all.sort_unstable();
    assert_eq!(seen, all, "every set that is offered has its vector");
    seen.len()
}

fn signature_vector(set: &SignatureSet, test: &Json, message: &[u8], with: &[u8]) {
    let (public, private) = (bytes(test, "pk"), bytes(test, "sk"));
    let label = set.label;
    assert_eq!(set.halves.public_len(), public.len(), "{label}: length of the public key");
    assert_eq!(set.halves.public_of(&secret(&private)).expect(label), public, "{label}: pk of sk");
    let written = set.halves.canonical(&secret(&private)).expect(label);
    written.expose(|written| assert_eq!(written, private, "{label}: sk is in its one form"));
    let verifier = public_key(KeyType::CompSig, set.id, &public);
    let signer = private_key(KeyType::CompSig, set.id, &private);
    let (plain, external) = (row("CKM_COMP_SIG"), row("CKM_COMP_SIG_EXTERNAL_HASH"));
    let digest = hash::digest(set.prehash, message);
    for (signature, params) in
        [(bytes(test, "s"), MechanismParams::None), (bytes(test, "sWithContext"), context(with))]
    {
        verify(plain, &verifier, &params, message, &signature).expect(label);
        verify(external, &verifier, &params, &digest, &signature).expect(label);
        let other = context(b"another context");
        let refused = verify(plain, &verifier, &other, message, &signature).expect_err(label);
        assert_eq!(refused.rv, Rv::SignatureInvalid, "{label}: another context");
        for made in signatures(plain, &signer, &params, message).expect(label) {
            verify(external, &verifier, &params, &digest, &made).expect(label);
        }
        for made in signatures(external, &signer, &params, &digest).expect(label) {
            verify(plain, &verifier, &params, message, &made).expect(label);
        }
    }
}

/// Opens what it made, by the component rules that are put together here.
fn run_kem(row: &Mechanism) -> usize {
    for set in KEMS {
        let pair = set.halves.generate(&Software).expect("a pair");
        let holder = pair.private.expose(|sk| private_key(KeyType::CompKem, set.id, sk));
        let sender = public_key(KeyType::CompKem, set.id, &pair.public);
        let (ciphertext, secret) = encapsulated(row, &sender);
        let opened = decapsulated(row, &holder, &ciphertext).expect("a secret");
        assert_eq!(opened, secret, "{:#x}", set.id);
        let mut other = ciphertext.clone();
        other[0] ^= 1;
        let rejected = decapsulated(row, &holder, &other).expect("implicit rejection");
        assert_ne!(rejected, secret, "{:#x}", set.id);
    }
    KEMS.len()
}

fn encapsulated(row: &Mechanism, key: &Key) -> (Vec<u8>, Vec<u8>) {
    let start = row.encapsulate.expect(row.name);
    let mut work = start(key, &MechanismParams::None, None).expect(row.name);
    let mut ciphertext = vec![0; work.len()];
    let (len, secret) = work.encapsulate(&mut ciphertext).expect(row.name);
    assert_eq!(len, ciphertext.len());
    (ciphertext, secret.expose(<[u8]>::to_vec))
}

fn decapsulated(row: &Mechanism, key: &Key, ciphertext: &[u8]) -> Result<Vec<u8>> {
    let open = row.decapsulate.expect(row.name);
    open(key, &MechanismParams::None, ciphertext, None).map(|secret| secret.expose(<[u8]>::to_vec))
}

/// The set that a vector of the draft is for, by the last number of its object identifier.
fn kem_of(name: &str) -> Option<&'static KemSet> {
    let arc = match name {
        "id-MLKEM768-RSA2048-SHA3-256" => 55,
        "id-MLKEM768-RSA3072-SHA3-256" => 56,
        "id-MLKEM768-RSA4096-SHA3-256" => 57,
        "id-MLKEM768-X25519-SHA3-256" => 58,
        "id-MLKEM768-ECDH-P256-SHA3-256" => 59,
        "id-MLKEM768-ECDH-P384-SHA3-256" => 60,
        "id-MLKEM768-ECDH-brainpoolP256r1-SHA3-256" => 61,
        "id-MLKEM1024-RSA3072-SHA3-256" => 62,
        "id-MLKEM1024-ECDH-P384-SHA3-256" => 63,
        "id-MLKEM1024-ECDH-brainpoolP384r1-SHA3-256" => 64,
        "id-MLKEM1024-X448-SHA3-256" => 65,
        "id-MLKEM1024-ECDH-P521-SHA3-256" => 66,
        _ => return None,
    };
    KEMS.iter().find(|set| set.halves.identifier[2..] == [43, 6, 1, 5, 5, 7, 6, arc])
}

fn run_kems(directory: &Path) -> usize {
    let Some(json) = files::json(&directory.join("composite/composite-mlkem-testvectors.json"))
    else {
        return 0;
    };
    let kem = row("CKM_COMP_KEM");
    let mut seen = 0;
    for test in json["tests"].as_array().expect("tests") {
        let name = test["tcId"].as_str().expect("tcId");
        let Some(set) = kem_of(name) else { continue };
        let (public, private) = (bytes(test, "ek"), bytes(test, "dk"));
        assert_eq!(set.halves.public_len(), public.len(), "{name}: length of the public key");
        assert_eq!(set.halves.public_of(&secret(&private)).expect(name), public, "{name}");
        let holder = private_key(KeyType::CompKem, set.id, &private);
        let ciphertext = bytes(test, "c");
        let opened = decapsulated(kem, &holder, &ciphertext).expect(name);
        assert_eq!(opened, bytes(test, "k"), "{name}");
        let (made, shared) = encapsulated(kem, &public_key(KeyType::CompKem, set.id, &public));
        assert_eq!(made.len(), ciphertext.len(), "{name}");
        assert_eq!(decapsulated(kem, &holder, &made).expect(name), shared, "{name}");
        seen += 1;
    }
    let of_the_draft = KEMS.iter().filter(|set| set.halves.identifier.len() == 10).count();
    assert_eq!(seen, of_the_draft, "every set that is offered has its vector");
    seen
}

/// X-Wing's own vectors: keys from seeds, and secrets from ciphertexts.
fn run_xwing(directory: &Path) -> usize {
    let Some(json) = files::json(&directory.join("xwing/xwing-test-vectors.json")) else {
        return 0;
    };
    let Some(set) = KEMS.iter().find(|set| set.halves.form == Form::Expanded) else { return 0 };
    let tests = json.as_array().expect("tests");
    for test in tests {
        let text = |name: &str| hex(test[name].as_str().expect("hex"));
        let (private, public) = (text("sk"), text("pk"));
        assert_eq!(set.halves.public_of(&secret(&private)).expect("X-Wing"), public);
        let holder = private_key(KeyType::CompKem, set.id, &private);
        let opened = decapsulated(row("CKM_COMP_KEM"), &holder, &text("ct")).expect("X-Wing");
        assert_eq!(opened, text("ss"), "X-Wing");
    }
    tests.len()
}

/// Opens what it sealed, with the same associated data and info only.
fn run_envelopes(row: &Mechanism) -> usize {
    let (envelop, open) = (row.envelop.expect(row.name), row.open.expect(row.name));
    let sets: Vec<&KemSet> = KEMS.iter().filter(|set| set.hpke.is_some()).collect();
    for set in &sets {
        let pair = set.halves.generate(&Software).expect("a pair");
        let holder = pair.private.expose(|sk| private_key(KeyType::CompKem, set.id, sk));
        let sender = public_key(KeyType::CompKem, set.id, &pair.public);
        let info = MechanismParams::Info(b"info".to_vec());
        let mut work = envelop(&sender, &info, b"data").expect(row.name);
        let mut envelope = vec![0; work.len(24).expect(row.name)];
        let (len, _) = work.envelop(&[7; 24], &mut envelope).expect(row.name);
        assert_eq!((len, len), (envelope.len(), 1120 + 24 + 16));
        let opened = |params: &MechanismParams, data: &[u8]| {
            let mut out = [0; 24];
            open(&holder, params, data)?.whole(&envelope, &mut out).map(|len| (len, out))
        };
        assert_eq!(opened(&info, b"data"), Ok((24, [7; 24])));
        for (params, data) in [(&info, &b"date"[..]), (&MechanismParams::None, b"data")] {
            let refused = opened(params, data).expect_err("another envelope");
            assert_eq!(refused.rv, Rv::EncryptedDataInvalid);
        }
    }
    sets.len()
}

/// Signs with two keys, and has each signature verified by the row of its own algorithm.
fn run_bundle(row: &Mechanism) -> usize {
    let pairs = [KeySpec::Ec(Curve::P384), KeySpec::MlDsa(MlDsa::MlDsa44)].map(|spec| {
        let material = Software.generate(&spec).expect("a pair");
        let private = private_template(&material).expect("attributes");
        (Arc::new(Object::new(public_template(&material))), Arc::new(Object::new(private)))
    });
    let [(classical, ec_key), (lattice, ml_key)] = &pairs;
    let mode = VerifyMode::And;
    let bundle = |given, partner| Bundle { given, partner: Some(partner), mode, hybrid: true };
    let start = row.sign_bundle.expect(row.name);
    let mut work = start(&bundle(ml_key, ec_key), &MechanismParams::None).expect(row.name);
    let mut signature = vec![0; work.len()];
    let len = work.sign(b"message", &mut signature).expect(row.name);
    signature.truncate(len);
    let signed = bundle::read(&signature).expect("DER");
    let [(_, ecdsa), (_, ml_dsa)] = signed[..] else { panic!("two signatures") };
    let raw = raw_ecdsa(Curve::P384, ecdsa).expect("DER");
    let none = &MechanismParams::None;
    verify(super::row("CKM_ECDSA_SHA384"), classical, none, b"message", &raw).expect("ECDSA");
    verify(super::row("CKM_ML_DSA"), lattice, none, b"message", ml_dsa).expect("ML-DSA");
    let start = row.verify_bundle.expect(row.name);
    for keys in [bundle(lattice, classical), bundle(classical, lattice)] {
        let judge = |data: &[u8]| start(&keys, none).expect(row.name).verify(data, &signature);
        judge(b"message").expect("both are right");
        assert_eq!(judge(b"massage").expect_err("wrong").rv, Rv::SignatureInvalid);
    }
    1
}

/// The secrets that X-Wing gives HPKE; what becomes of them is the engine's to show.
fn run_hpke(directory: &Path) -> usize {
    let Some(json) = files::json(&directory.join("hpke/hpke-pq-test-vectors.json")) else {
        return 0;
    };
    let Some(set) = KEMS.iter().find(|set| set.halves.form == Form::Expanded) else { return 0 };
    let mut seen = 0;
    for test in json.as_array().expect("tests").iter().filter(|test| test["kem_id"] == 0x647a) {
        let text = |name: &str| hex(test[name].as_str().expect("hex"));
        let holder = private_key(KeyType::CompKem, set.id, &text("skRm"));
        let opened = decapsulated(row("CKM_COMP_KEM"), &holder, &text("enc")).expect("HPKE");
        assert_eq!(opened, text("shared_secret"));
        seen += 1;
    }
    seen
}
