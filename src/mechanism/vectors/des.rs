//! What is outlived: DES and triple DES (FIPS 81; as OpenSSL computes what no standard lists),
//! their MACs (FIPS 113, SP 800-38B), MD5 (RFC 1321) and its HMAC (RFC 2202).

use super::symmetric::{KEYS, PLAIN};
use super::{both_ways, derived, hex, secret_key, signatures, verify};
use crate::error::Rv;
use crate::mechanism::Mechanism;
use crate::mechanism::kdf_params::KdfParams;
use crate::mechanism::params::MechanismParams;
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        name if name.ends_with("_ENCRYPT_DATA") && row.legacy => encrypted(row),
        "CKM_DES3_CMAC" | "CKM_DES3_CMAC_GENERAL" => cmac(row),
        name if name.contains("DES") && row.encrypt.is_some() => modes(row),
        name if name.starts_with("CKM_DES") && name.contains("_MAC") => cbc_mac(row),
        "CKM_AES_MAC" | "CKM_AES_MAC_GENERAL" => aes_cbc_mac(row),
        "CKM_MD5" => md5(row),
        "CKM_MD5_HMAC" | "CKM_MD5_HMAC_GENERAL" => md5_hmac(row),
        "CKM_MD5_KEY_DERIVATION" => md5_derivation(row),
        _ => 0,
    }
}

const TEXT: &[u8] = b"Now is the time for all ";
const VECTOR: &str = "1234567890abcdef";

/// A key, and what it makes of the text.
type Sealed = (KeyType, &'static str, [&'static str; 3]);

/// Key type, key, the text in ECB and CBC, and in CBC the text without its last three bytes padded.
const SEALED: [Sealed; 3] = [
    (
        KeyType::Des,
        "0123456789abcdef",
        [
            "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53",
            "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
            "e5c7cdde872bf27c43e934008c389c0fc17cbb9b802426f5",
        ],
    ),
    (
        KeyType::Des2,
        "0123456789abcdeffedcba9876543210",
        [
            "d80a0d8b2bae5e4e6a0094171abcfc2775d2235a706e232c",
            "f85d4ab92066789e1d0430671f28ae7ab9627d35385d2e24",
            "f85d4ab92066789e1d0430671f28ae7a6de8bf088f2613b7",
        ],
    ),
    (
        KeyType::Des3,
        "0123456789abcdeffedcba987654321089abcdef01234567",
        [
            "fbe62b683922941e0e05e3677c31fc264259965404d683df",
            "204011f986e35647199e47af391620c5bb9a5bcfc86db0bb",
            "204011f986e35647199e47af391620c5a280660c72e3aa26",
        ],
    ),
];

/// The cases whose keys a mechanism takes.
fn fitting(row: &Mechanism) -> impl Iterator<Item = &'static Sealed> {
    let types = row.key_types;
    SEALED.iter().filter(move |(key_type, ..)| types.contains(key_type))
}

fn modes(row: &Mechanism) -> usize {
    let cases = fitting(row).map(|(key_type, key, [ecb, cbc, padded])| {
        let key = secret_key(*key_type, &hex(key));
        let iv = MechanismParams::Iv(hex(VECTOR));
        match row.name.rsplit('_').next() {
            Some("ECB") => both_ways(row, &key, &MechanismParams::None, TEXT, &hex(ecb)),
            Some("CBC") => both_ways(row, &key, &iv, TEXT, &hex(cbc)),
            _ => both_ways(row, &key, &iv, &TEXT[..21], &hex(padded)),
        }
    });
    cases.count()
}

fn encrypted(row: &Mechanism) -> usize {
    let cases = fitting(row).map(|(key_type, key, [ecb, cbc, _])| {
        let key = secret_key(*key_type, &hex(key));
        let data = TEXT.to_vec();
        let (params, expected) = match row.name.contains("_ECB_") {
            true => (KdfParams::Data(data), ecb),
            false => (KdfParams::CbcData { iv: hex(VECTOR), data }, cbc),
        };
        let params = MechanismParams::Kdf(params);
        let made = derived(row, &key, &params, None).expect(row.name);
        made.expose(|made| assert_eq!(made, hex(expected), "{}", row.name));
        let longer = derived(row, &key, &params, Some(25));
        assert_eq!(longer.err().map(|error| error.rv), Some(Rv::DataLenRange));
    });
    cases.count()
}

/// A code at full length or, for the mechanism that lets it be chosen, at this and two others.
fn code(row: &Mechanism, key_type: KeyType, key: &[u8], message: &[u8], full: &[u8], usual: usize) {
    let key = secret_key(key_type, key);
    let general = row.name.ends_with("_GENERAL");
    let lens = if general { vec![full.len(), 4, 1] } else { vec![usual] };
    for len in lens {
        let params = match general {
            true => MechanismParams::MacLength(len as u64),
            false => MechanismParams::None,
        };
        let made = signatures(row, &key, &params, message).expect(row.name);
        assert!(made.iter().all(|made| *made == full[..len]), "{} {made:x?}", row.name);
        verify(row, &key, &params, message, &full[..len]).expect(row.name);
        let mut wrong = full[..len].to_vec();
        wrong[0] ^= 1;
        let outcome = verify(row, &key, &params, message, &wrong);
        assert_eq!(outcome.err().map(|error| error.rv), Some(Rv::SignatureInvalid));
    }
}

/// A length of message, and its code.
type Cut = (usize, &'static str);

/// SP 800-38B, D.4 and D.5.
const CMACS: [(KeyType, &str, [Cut; 4]); 2] = [
    (
        KeyType::Des3,
        "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5",
        [
            (0, "b7a688e122ffaf95"),
            (8, "8e8f293136283797"),
            (20, "743ddbe0ce2dc2ed"),
            (32, "33e6b1092400eae5"),
        ],
    ),
    (
        KeyType::Des2,
        "4cf15134a2850dd58a3d10ba80570d38",
        [
            (0, "bd2ebf9a3ba00361"),
            (8, "4ff2ab813c53ce83"),
            (20, "62dd1b471902bd4e"),
            (32, "31b1e431dabc4eb8"),
        ],
    ),
];

fn cmac(row: &Mechanism) -> usize {
    for (key_type, key, cases) in &CMACS {
        for (len, full) in cases {
            code(row, *key_type, &hex(key), &hex(PLAIN)[..*len], &hex(full), 8);
        }
    }
    8
}

/// FIPS 113's example, and the text above as OpenSSL computes it.
fn cbc_mac(row: &Mechanism) -> usize {
    let odd = b"7654321 Now is the time for ";
    for (key_type, key, text, short) in [
        (KeyType::Des, SEALED[0].1, "70a30640cc76dd8b", "f1d30f6849312ca4"),
        (KeyType::Des3, SEALED[2].1, "b2fbd705b999b15d", "25b7997f595a3964"),
    ] {
        if row.key_types.contains(&key_type) {
            code(row, key_type, &hex(key), TEXT, &hex(text), 4);
            code(row, key_type, &hex(key), odd, &hex(short), 4);
        }
    }
    2
}

/// As OpenSSL computes the last block of CBC, of data that zeros fill up.
fn aes_cbc_mac(row: &Mechanism) -> usize {
    let codes = [
        [
            "3ad77bb40d7a3660a89ecaf32466ef97",
            "07d192e3e6f099edcc39fde6d09c762d",
            "a7356e1207bb406639e5e5ceb9a9ed93",
        ],
        [
            "f3eed1bdb5d2a03c064b5a7e3db181f8",
            "2be3fe42c712eb30558341239fd28957",
            "7e149874d994f5550bcbd66d917315d6",
        ],
    ];
    for (key, codes) in KEYS.iter().zip(codes) {
        for (len, full) in [16, 40, 64].into_iter().zip(codes) {
            code(row, KeyType::Aes, &hex(key), &hex(PLAIN)[..len], &hex(full), 8);
        }
    }
    6
}

/// RFC 1321, appendix A.5.
const MD5: [(&[u8], &str); 3] = [
    (b"", "d41d8cd98f00b204e9800998ecf8427e"),
    (b"abc", "900150983cd24fb0d6963f7d28e17f72"),
    (
        b"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a",
    ),
];

fn md5(row: &Mechanism) -> usize {
    for (message, expected) in MD5 {
        let mut running = row.digest.expect(row.name)(&MechanismParams::None).expect(row.name);
        super::feed(message, |part| running.update(part)).expect(row.name);
        let mut out = vec![0; running.len()];
        running.finish(&mut out).expect(row.name);
        assert_eq!(out, hex(expected));
    }
    MD5.len()
}

fn md5_derivation(row: &Mechanism) -> usize {
    for (message, expected) in &MD5[1..] {
        let base = secret_key(KeyType::GenericSecret, message);
        let made = derived(row, &base, &MechanismParams::None, None).expect(row.name);
        made.expose(|made| assert_eq!(made, hex(expected)));
    }
    2
}

/// RFC 2202, section 2, test cases 1 and 2.
fn md5_hmac(row: &Mechanism) -> usize {
    for (key, message, expected) in [
        (&[0x0b; 16][..], &b"Hi There"[..], "9294727a3638bb1c13f48ef8158bfc9d"),
        (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
    ] {
        for key_type in [KeyType::GenericSecret, KeyType::Md5Hmac] {
            code(row, key_type, key, message, &hex(expected), 16);
        }
    }
    2
}
