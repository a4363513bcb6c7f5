//! Encryption and decryption: lengths, padding, tags.

use super::{refused, rsa_pair, sound, starts};
use crate::cryptoki as ck;
use crate::error::{Result, Rv};
use crate::mechanism::operation::Ciphering;
use crate::mechanism::params::{MechanismParams, Shape};
use crate::mechanism::vectors::{both_ways, in_parts, row, secret_key, whole};
use crate::mechanism::{Key, StartCiphering};
use crate::object::class::KeyType;

const CTR: &str = "CKM_AES_CTR";

fn aes() -> Key {
    secret_key(KeyType::Aes, &[0x42; 32])
}

fn encryption(name: &str, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    row(name).encrypt.expect(name)(&aes(), params)
}

fn decryption(name: &str, params: &MechanismParams) -> Result<Box<dyn Ciphering>> {
    row(name).decrypt.expect(name)(&aes(), params)
}

fn iv() -> MechanismParams {
    MechanismParams::Iv(vec![3; 16])
}

#[test]
fn partial_blocks_are_refused_already_when_the_length_is_asked() {
    for (name, params) in [("CKM_AES_ECB", MechanismParams::None), ("CKM_AES_CBC", iv())] {
        for len in [1, 15, 17, 31] {
            let encrypt = encryption(name, &params).expect(name);
            assert_eq!(refused(encrypt.whole_len(len)), Rv::DataLenRange);
            assert_eq!(refused(whole(encrypt, &vec![0; len])), Rv::DataLenRange);
            let decrypt = decryption(name, &params).expect(name);
            assert_eq!(refused(decrypt.whole_len(len)), Rv::EncryptedDataLenRange);
            assert_eq!(refused(whole(decrypt, &vec![0; len])), Rv::EncryptedDataLenRange);
            let encrypt = encryption(name, &params).expect(name);
            assert_eq!(refused(in_parts(encrypt, &vec![0; len])), Rv::DataLenRange);
            let decrypt = decryption(name, &params).expect(name);
            assert_eq!(refused(in_parts(decrypt, &vec![0; len])), Rv::EncryptedDataLenRange);
        }
        assert_eq!(encryption(name, &params).expect(name).whole_len(0).expect(name), 0);
    }
}

#[test]
fn ecb_takes_and_ignores_a_block_as_parameter() {
    let with = whole(encryption("CKM_AES_ECB", &iv()).expect("ECB"), &[1; 32]);
    let without = whole(encryption("CKM_AES_ECB", &MechanismParams::None).expect("ECB"), &[1; 32]);
    assert_eq!(with, without);
    for len in [0, 1, 15, 17, 32] {
        for name in ["CKM_AES_ECB", "CKM_AES_CBC", "CKM_AES_CBC_PAD"] {
            let outcome = encryption(name, &MechanismParams::Iv(vec![0; len]));
            assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{name} {len}");
        }
    }
}

#[test]
fn padding_makes_every_length_possible_and_tells_nothing_when_it_is_wrong() {
    for len in 0..50 {
        let plain = vec![9; len];
        let sealed = whole(encryption("CKM_AES_CBC_PAD", &iv()).expect("CBC"), &plain);
        both_ways(row("CKM_AES_CBC_PAD"), &aes(), &iv(), &plain, &sealed.expect("CBC"));
    }
    let sealed = whole(encryption("CKM_AES_CBC_PAD", &iv()).expect("CBC"), &[9; 20]);
    let sealed = sealed.expect("CBC");
    let mut whys = std::collections::BTreeSet::new();
    for place in 0..16 {
        for flip in [1, 0x80, 0xff] {
            let mut changed = sealed.clone();
            changed[place] ^= flip; // changes the last plaintext block at the same place
            for outcome in [
                whole(decryption("CKM_AES_CBC_PAD", &iv()).expect("CBC"), &changed),
                in_parts(decryption("CKM_AES_CBC_PAD", &iv()).expect("CBC"), &changed),
            ] {
                if let Err(error) = outcome {
                    assert_eq!(error.rv, Rv::EncryptedDataInvalid);
                    whys.insert(error.why);
                }
            }
        }
    }
    assert_eq!(whys.len(), 1, "one reason for all");
    for len in [0, 1, 15, 17] {
        let decrypt = decryption("CKM_AES_CBC_PAD", &iv()).expect("CBC");
        assert_eq!(refused(decrypt.whole_len(len)), Rv::EncryptedDataLenRange, "{len}");
        let outcome = in_parts(decrypt, &vec![0; len]);
        assert_eq!(refused(outcome), Rv::EncryptedDataLenRange, "{len} in parts");
    }
}

fn counter(bits: u64, start: u8) -> MechanismParams {
    let mut block = [0xff; 16];
    block[15] = start;
    MechanismParams::Ctr { bits, block }
}

#[test]
fn a_counter_that_would_wrap_is_refused_already_when_the_length_is_asked() {
    for (start, blocks) in [(0xfc, 4), (0xfd, 3), (0xff, 1)] {
        let params = counter(2, start);
        for len in [0, 1, 16 * blocks - 1, 16 * blocks] {
            whole(encryption(CTR, &params).expect(CTR), &vec![0; len]).expect(CTR);
        }
        let len = 16 * blocks + 1;
        let encrypt = encryption(CTR, &params).expect(CTR);
        assert_eq!(refused(encrypt.whole_len(len)), Rv::DataLenRange);
        assert_eq!(refused(encrypt.update_len(len)), Rv::DataLenRange);
        let decrypt = decryption(CTR, &params).expect(CTR);
        assert_eq!(refused(decrypt.whole_len(len)), Rv::EncryptedDataLenRange);
        assert_eq!(refused(in_parts(decrypt, &vec![0; len])), Rv::EncryptedDataLenRange);
        let encrypt = encryption(CTR, &params).expect(CTR);
        assert_eq!(refused(in_parts(encrypt, &vec![0; len])), Rv::DataLenRange);
    }
    // 2^128 - 2^120 + 1 blocks are left, and none after the last.
    whole(encryption(CTR, &counter(128, 0xff)).expect(CTR), &[0; 16]).expect(CTR);
    let outcome = whole(encryption(CTR, &counter(128, 0xff)).expect(CTR), &[0; 17]);
    assert_eq!(refused(outcome), Rv::DataLenRange);
    let zero = MechanismParams::Ctr { bits: 128, block: [0; 16] };
    whole(encryption(CTR, &zero).expect(CTR), &[0; 1000]).expect(CTR);
    for bits in [0, 129, 1 << 32, u64::MAX] {
        let outcome = encryption(CTR, &counter(bits, 0));
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{bits}");
    }
}

fn gcm(iv_len: usize, tag_bits: u64) -> MechanismParams {
    MechanismParams::Gcm { iv: vec![5; iv_len], aad: b"header".to_vec(), tag_bits }
}

#[test]
fn gcm_wants_a_vector_and_a_tag_that_protect() {
    for tag_bits in [0, 8, 32, 64, 95, 97, 127, 129, 136, u64::MAX] {
        let outcome = encryption("CKM_AES_GCM", &gcm(12, tag_bits));
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{tag_bits}");
        let outcome = decryption("CKM_AES_GCM", &gcm(12, tag_bits));
        assert_eq!(refused(outcome), Rv::MechanismParamInvalid, "{tag_bits}");
    }
    assert_eq!(refused(encryption("CKM_AES_GCM", &gcm(0, 128))), Rv::MechanismParamInvalid);
    for (iv_len, tag_bits) in [(1, 128), (12, 96), (12, 104), (16, 112), (100, 120)] {
        let params = gcm(iv_len, tag_bits);
        let sealed = whole(encryption("CKM_AES_GCM", &params).expect("GCM"), b"message");
        let sealed = sealed.expect("GCM");
        assert_eq!(sealed.len(), 7 + tag_bits as usize / 8);
        both_ways(row("CKM_AES_GCM"), &aes(), &params, b"message", &sealed);
    }
}

#[test]
fn gcm_gives_nothing_out_before_the_tag_is_checked() {
    let params = gcm(12, 128);
    let sealed = whole(encryption("CKM_AES_GCM", &params).expect("GCM"), &[1; 40]).expect("GCM");
    let mut decrypt = decryption("CKM_AES_GCM", &params).expect("GCM");
    assert_eq!(decrypt.update_len(sealed.len()).expect("GCM"), 0);
    assert_eq!(decrypt.update(&sealed, &mut []).expect("GCM"), 0);
    assert_eq!(decrypt.finish_len().expect("GCM"), 40);
    for place in [0, 39, 40, 55] {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        let mut out = [0xAA; 40];
        let mut decrypt = decryption("CKM_AES_GCM", &params).expect("GCM");
        assert_eq!(refused(decrypt.whole(&changed, &mut out)), Rv::EncryptedDataInvalid);
        assert!(out.iter().all(|byte| [0, 0xAA].contains(byte)), "no plaintext");
        let decrypt = decryption("CKM_AES_GCM", &params).expect("GCM");
        assert_eq!(refused(in_parts(decrypt, &changed)), Rv::EncryptedDataInvalid);
    }
    for len in [0, 1, 15] {
        let decrypt = decryption("CKM_AES_GCM", &params).expect("GCM");
        assert_eq!(refused(decrypt.whole_len(len)), Rv::EncryptedDataLenRange);
        assert_eq!(refused(in_parts(decrypt, &sealed[..len])), Rv::EncryptedDataLenRange);
    }
}

#[test]
fn rsa_encryption_takes_what_fits_and_decryption_what_is_a_modulus_long() {
    let (public, private) = rsa_pair();
    for (name, params, capacity) in [
        ("CKM_RSA_PKCS", MechanismParams::None, 245),
        ("CKM_RSA_PKCS_OAEP", sound(Shape::Oaep), 190),
    ] {
        let encrypt = || row(name).encrypt.expect(name)(&public, &params).expect(name);
        let decrypt = || row(name).decrypt.expect(name)(&private, &params).expect(name);
        for len in [0, 1, capacity] {
            let sealed = whole(encrypt(), &vec![7; len]).expect(name);
            assert_eq!(sealed.len(), 256);
            assert_eq!(whole(decrypt(), &sealed).expect(name), vec![7; len]);
        }
        assert_eq!(refused(encrypt().whole_len(capacity + 1)), Rv::DataLenRange, "{name}");
        assert_eq!(refused(whole(encrypt(), &vec![7; capacity + 1])), Rv::DataLenRange);
        for len in [0, 1, 255, 257, 10_000] {
            assert_eq!(refused(decrypt().whole_len(len)), Rv::EncryptedDataLenRange, "{len}");
        }
        for bytes in [[0; 256], [0xff; 256]] {
            assert_eq!(refused(whole(decrypt(), &bytes)), Rv::EncryptedDataInvalid, "{name}");
        }
        let other = whole(decrypt(), &[1; 256]);
        match name {
            "CKM_RSA_PKCS" => assert_eq!(other, whole(decrypt(), &[1; 256]), "another message"),
            _ => assert_eq!(refused(other), Rv::EncryptedDataInvalid),
        }
        assert_eq!(refused(encrypt().update_len(1)), Rv::FunctionNotSupported);
        assert_eq!(refused(decrypt().update(&[1], &mut [])), Rv::FunctionNotSupported);
        assert_eq!(refused(decrypt().finish_len()), Rv::FunctionNotSupported);
        assert_eq!(refused(encrypt().finish(&mut [])), Rv::FunctionNotSupported);
    }
}

#[test]
fn oaep_parameters_are_checked_and_the_label_counts() {
    let (public, private) = rsa_pair();
    let oaep = |hash, mgf, source, label: &[u8]| MechanismParams::Oaep {
        hash,
        mgf,
        source,
        label: label.to_vec(),
    };
    let row = row("CKM_RSA_PKCS_OAEP");
    let (sha, mgf) = (ck::CKM_SHA_1, ck::CKG_MGF1_SHA256);
    for params in [
        oaep(ck::CKM_MD5, mgf, 1, b""),
        oaep(ck::CKM_SHA256_RSA_PKCS, mgf, 1, b""),
        oaep(sha, 0, 1, b""),
        oaep(sha, 0x77, 1, b""),
        oaep(sha, mgf, 2, b""),
        oaep(sha, mgf, 0, b"label"),
        MechanismParams::None,
    ] {
        for outcome in
            starts(row, &public, &params).into_iter().chain(starts(row, &private, &params))
        {
            let allowed = [Some(Rv::MechanismParamInvalid), Some(Rv::KeyTypeInconsistent)];
            assert!(allowed.contains(&outcome), "{params:?} {outcome:?}");
        }
    }
    let start = |start: Option<StartCiphering>, key, params| {
        start.expect("a start")(key, &params).expect("OAEP")
    };
    let sealed = whole(start(row.encrypt, &public, oaep(sha, mgf, 1, b"label")), b"message");
    let sealed = sealed.expect("OAEP");
    let opened = whole(start(row.decrypt, &private, oaep(sha, mgf, 1, b"label")), &sealed);
    assert_eq!(opened.expect("OAEP"), b"message");
    let opened = whole(start(row.decrypt, &private, oaep(sha, mgf, 0, b"")), &sealed);
    assert_eq!(refused(opened), Rv::EncryptedDataInvalid, "another label");
}
