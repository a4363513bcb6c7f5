//! RSA keys: taking them apart, parsing, making.

use super::rsa::key;
use super::{bytes, secret};
use crate::engine::EngineError;
use crate::engine::aws_lc::rsa::{RsaComponents, RsaPrivate};
use crate::engine::aws_lc::rsa_public::RsaPublic;

fn copied(of: &RsaComponents) -> RsaComponents {
    let copy = |part: &Option<_>| part.as_ref().map(|part| secret(&bytes(part)));
    RsaComponents {
        modulus: of.modulus.clone(),
        public_exponent: of.public_exponent.clone(),
        private_exponent: secret(&bytes(&of.private_exponent)),
        prime1: copy(&of.prime1),
        prime2: copy(&of.prime2),
        exponent1: copy(&of.exponent1),
        exponent2: copy(&of.exponent2),
        coefficient: copy(&of.coefficient),
    }
}

fn all_parts(of: &RsaComponents) -> Vec<Vec<u8>> {
    let parts = [&of.prime1, &of.prime2, &of.exponent1, &of.exponent2, &of.coefficient];
    let secrets = parts.into_iter().map(|part| part.as_ref().map(bytes).unwrap_or_default());
    [of.modulus.clone(), of.public_exponent.clone(), bytes(&of.private_exponent)]
        .into_iter()
        .chain(secrets)
        .collect()
}

#[test]
fn missing_numbers_are_found_again() {
    let whole = key().0.components().expect("memory");
    type Removal = fn(&mut RsaComponents);
    let incomplete: [(&str, Removal); 7] = [
        ("nothing", |_| {}),
        ("the remainder theorem's", |key| {
            (key.exponent1, key.exponent2, key.coefficient) = (None, None, None);
        }),
        ("one of them", |key| key.coefficient = None),
        ("one prime", |key| key.prime2 = None),
        ("the primes too", |key| {
            (key.prime1, key.prime2) = (None, None);
            (key.exponent1, key.exponent2, key.coefficient) = (None, None, None);
        }),
        ("the public exponent", |key| key.public_exponent.clear()),
        ("all but modulus and private exponent", |key| {
            key.public_exponent.clear();
            (key.prime1, key.prime2) = (None, None);
            (key.exponent1, key.exponent2, key.coefficient) = (None, None, None);
        }),
    ];
    for (missing, remove) in incomplete {
        let mut components = copied(&whole);
        remove(&mut components);
        let key = RsaPrivate::from_components(&components).expect(missing);
        let found = key.components().expect("memory");
        assert_eq!(all_parts(&found), all_parts(&whole), "missing: {missing}");
    }
    let mut swapped = copied(&whole);
    std::mem::swap(&mut swapped.prime1, &mut swapped.prime2);
    assert!(RsaPrivate::from_components(&swapped).is_err(), "the coefficient fits one order");
    (swapped.exponent1, swapped.exponent2, swapped.coefficient) = (None, None, None);
    RsaPrivate::from_components(&swapped).expect("either order of primes");
}

#[test]
fn an_unknown_unusual_exponent_still_signs() {
    let private = RsaPrivate::generate(1024, &[0x01, 0x00, 0x03]).expect("a key");
    let whole = private.components().expect("memory");
    let mut bare = copied(&whole);
    bare.public_exponent.clear();
    (bare.prime1, bare.prime2) = (None, None);
    let key = RsaPrivate::from_components(&bare).expect("a key without its exponent");
    assert!(key.components().expect("memory").public_exponent.is_empty());
    let mut signature = [0; 128];
    assert_eq!(key.sign_pkcs1(b"data", &mut signature), Ok(128));
    let public = RsaPublic::new(&whole.modulus, &whole.public_exponent).expect("a good key");
    assert_eq!(public.verify_pkcs1(b"data", &signature), Ok(()));
}

#[test]
fn inconsistent_keys_are_refused() {
    let whole = key().0.components().expect("memory");
    let bend = |part: &mut Option<crate::secret::Secret>| {
        let mut changed = part.as_ref().map(bytes).unwrap_or_default();
        let last = changed.len() - 1;
        changed[last] ^= 2;
        *part = Some(secret(&changed));
    };
    let changes: [&dyn Fn(&mut RsaComponents); 12] = [
        &|key| bend(&mut key.prime1),
        &|key| bend(&mut key.prime2),
        &|key| bend(&mut key.exponent1),
        &|key| bend(&mut key.exponent2),
        &|key| bend(&mut key.coefficient),
        &|key| key.modulus[255] ^= 2,
        &|key| key.modulus[255] ^= 1,
        &|key| key.public_exponent = vec![3],
        &|key| key.public_exponent = vec![2],
        &|key| key.private_exponent = secret(&[0]),
        &|key| key.private_exponent = secret(&key.modulus),
        &|key| {
            key.private_exponent = secret(&[5]);
            (key.prime1, key.prime2) = (None, None);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut components = copied(&whole);
        change(&mut components);
        let refused = RsaPrivate::from_components(&components).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "change {number}: {refused:?}");
    }
}

#[test]
fn public_keys_are_checked() {
    let modulus = key().0.components().expect("memory").modulus;
    for exponent in [&[][..], &[0], &[1], &[2], &[4], &[2, 0, 0, 0, 1], &[0xff; 3000]] {
        let refused = RsaPublic::new(&modulus, exponent).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "{exponent:?}");
    }
    RsaPublic::new(&modulus, &[3]).expect("the smallest exponent");
    RsaPublic::new(&[&[0][..], &modulus].concat(), &[1, 0, 1]).expect("a zero in front");
    let mut even = modulus.clone();
    even[255] &= 0xfe;
    for modulus in [&even[..], &modulus[..127], &[], &[0xff; 2049]] {
        let refused = RsaPublic::new(modulus, &[1, 0, 1]).err();
        assert!(matches!(refused, Some(EngineError::Key(_))));
    }
}

#[test]
fn odd_sizes_and_exponents_are_not_generated() {
    for (bits, exponent) in [(0, 3), (512, 3), (2047, 3), (2049, 3), (1024, 2), (1024, 1)] {
        let refused = RsaPrivate::generate(bits, &[exponent]).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "{bits} {exponent}");
    }
    let refused = RsaPrivate::generate(1024, &[1, 0, 0, 0, 1]).err();
    assert!(matches!(refused, Some(EngineError::Key(_))));
}

/// FIPS 186-5, A.1.1 and A.1.3: sizes of the primes, their distance, size of the private exponent.
/// That the numbers belong together is checked by the library when it takes them.
#[test]
fn generated_keys_are_as_the_standard_asks() {
    let exponents = [&[3][..], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xfb], &[15]];
    for (round, bits) in
        [1024, 1026, 1030, 1032, 1088, 1152, 1280, 1536, 2048, 2050, 3072].into_iter().enumerate()
    {
        let exponent = exponents[round % exponents.len()];
        let key = RsaPrivate::generate(bits, exponent).expect("a key");
        let numbers = key.components().expect("memory");
        let bits_of = |number: &[u8]| {
            number.len() * 8 - number.first().map_or(0, |top| top.leading_zeros() as usize)
        };
        assert_eq!(bits_of(&numbers.modulus), bits);
        assert_eq!(numbers.public_exponent, exponent);
        let [prime1, prime2] = [&numbers.prime1, &numbers.prime2]
            .map(|prime| bytes(prime.as_ref().expect("both primes")));
        for prime in [&prime1, &prime2] {
            assert_eq!(bits_of(prime), bits / 2, "{bits}");
            let second = prime.len() - 1 - (bits / 2 - 2) / 8;
            assert_eq!(prime[second] >> ((bits / 2 - 2) % 8) & 1, 1, "above the square root of 2");
        }
        assert!(prime1 > prime2, "{bits}");
        let alike = prime1.iter().zip(&prime2).take_while(|(one, other)| one == other).count();
        assert!(alike <= 12, "they differ in their first hundred bits");
        assert!(bits_of(&bytes(&numbers.private_exponent)) > bits / 2, "{bits}");
        let again = RsaPrivate::from_components(&numbers).expect("consistent numbers");
        assert_eq!(again.modulus_len(), bits.div_ceil(8));
    }
}
