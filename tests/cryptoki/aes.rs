//! AES in ECB, CBC, CBC with padding and CTR mode. PKCS#11 3.2, "AES", "AES with Counter".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::openssl::OpenSsl;
use crate::support::operations::{Mechanism, input, plain, with_bytes, with_struct};
use crate::support::{Bench, Refused, Session, call, isolated, known};

pub const IV: [u8; 16] = *b"0123456789abcdef";

/// Data of a length, never the same byte for long.
pub fn some_bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251).to_le_bytes()[0]).collect()
}

/// An AES key of so many bytes, for the session.
pub fn key(session: &Session<'_>, bytes: usize) -> ck::CK_OBJECT_HANDLE {
    session.create(&known::aes(&some_bytes(bytes))).expect("an AES key")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn counter(bits: ck::CK_ULONG, block: [u8; 16]) -> ck::CK_AES_CTR_PARAMS {
    ck::CK_AES_CTR_PARAMS { ulCounterBits: bits, cb: block }
}

/// What openssl makes of data with the key of so many bytes.
fn by_openssl(openssl: &OpenSsl<'_>, mode: &str, key_bytes: usize, data: &[u8]) -> Vec<u8> {
    openssl.file("plain", data);
    let (bits, key, iv) = (key_bytes * 8, hex(&some_bytes(key_bytes)), hex(&IV));
    let (iv, pad) = match mode {
        "ecb" => (String::new(), "-nopad"),
        "cbc-pad" => (format!("-iv {iv}"), ""),
        _ => (format!("-iv {iv}"), "-nopad"),
    };
    let mode = mode.trim_end_matches("-pad");
    openssl.must(&format!("enc -aes-{bits}-{mode} -K {key} {iv} {pad} -in plain"))
}

/// Encrypts and decrypts with each key size, compares with openssl, whole and in parts.
fn agrees_with_openssl(bench: &Bench, mode: &str, how: &Mechanism<'_>, lengths: &[usize]) {
    let token = bench.token();
    agrees(&token.user(), &bench.openssl(), mode, how, lengths);
}

fn agrees(
    session: &Session<'_>,
    openssl: &OpenSsl<'_>,
    mode: &str,
    how: &Mechanism<'_>,
    lengths: &[usize],
) {
    for key_bytes in [16, 24, 32] {
        let key = key(session, key_bytes);
        for &length in lengths {
            let data = some_bytes(length);
            let sealed = session.encrypt(how, key, &data).unwrap();
            assert_eq!(sealed, by_openssl(openssl, mode, key_bytes, &data), "{length} bytes");
            assert_eq!(session.decrypt(how, key, &sealed).unwrap(), data);
            for step in [1, 5, 16, 33] {
                assert_eq!(in_parts(session, how, key, &data, step), sealed);
            }
            assert_eq!(back_in_parts(session, how, key, &sealed, 7), data);
        }
    }
}

/// C_EncryptInit, …Update with parts of `step` bytes, …Final.
pub fn in_parts(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    key: ck::CK_OBJECT_HANDLE,
    data: &[u8],
    step: usize,
) -> Vec<u8> {
    session.encrypt_init(how, key).expect("C_EncryptInit");
    let mut all = Vec::new();
    for part in data.chunks(step) {
        all.extend(session.encrypt_update(part).expect("C_EncryptUpdate"));
    }
    all.extend(session.encrypt_final().expect("C_EncryptFinal"));
    all
}

/// C_DecryptInit, …Update with parts of `step` bytes, …Final.
pub fn back_in_parts(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    key: ck::CK_OBJECT_HANDLE,
    data: &[u8],
    step: usize,
) -> Vec<u8> {
    session.decrypt_init(how, key).expect("C_DecryptInit");
    let mut all = Vec::new();
    for part in data.chunks(step) {
        all.extend(session.decrypt_update(part).expect("C_DecryptUpdate"));
    }
    all.extend(session.decrypt_final().expect("C_DecryptFinal"));
    all
}

#[test]
fn ecb_agrees_with_openssl() {
    let lengths = [16, 32, 160, 4096];
    isolated(move |bench| agrees_with_openssl(bench, "ecb", &plain(ck::CKM_AES_ECB), &lengths));
}

#[test]
fn modes_of_feedback_agree_with_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let (session, openssl) = (token.user(), bench.openssl());
        for (number, mode) in [
            (ck::CKM_AES_OFB, "ofb"),
            (ck::CKM_AES_CFB128, "cfb"),
            (ck::CKM_AES_CFB8, "cfb8"),
            (ck::CKM_AES_CFB1, "cfb1"),
        ] {
            let how = with_bytes(number, &IV);
            agrees(&session, &openssl, mode, &how, &[1, 15, 33, 500]);
        }
    });
}

#[test]
fn cbc_agrees_with_openssl() {
    isolated(|bench| {
        let how = with_bytes(ck::CKM_AES_CBC, &IV);
        agrees_with_openssl(bench, "cbc", &how, &[16, 32, 160, 4096]);
    });
}

#[test]
fn cbc_with_padding_agrees_with_openssl() {
    isolated(|bench| {
        let how = with_bytes(ck::CKM_AES_CBC_PAD, &IV);
        agrees_with_openssl(bench, "cbc-pad", &how, &[1, 15, 16, 17, 31, 32, 1000]);
    });
}

#[test]
fn ctr_agrees_with_openssl() {
    isolated(|bench| {
        let parameter = counter(128, IV);
        let how = with_struct(ck::CKM_AES_CTR, &parameter);
        agrees_with_openssl(bench, "ctr", &how, &[1, 15, 16, 17, 1000]);
    });
}

#[test]
fn ecb_takes_a_parameter_that_it_does_not_need() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let with = session.encrypt(&with_bytes(ck::CKM_AES_ECB, &IV), key, &IV).unwrap();
        assert_eq!(session.encrypt(&plain(ck::CKM_AES_ECB), key, &IV).unwrap(), with);
    });
}

#[test]
fn incomplete_blocks_are_refused_already_when_the_length_is_asked_for() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let (ecb, cbc) = (plain(ck::CKM_AES_ECB), with_bytes(ck::CKM_AES_CBC, &IV));
        let s = session.handle;
        for how in [ecb, cbc] {
            let ((data, len), mut out_len) = (input(&[1; 17]), 0);
            session.encrypt_init(&how, key).unwrap();
            call!(session, C_Encrypt(s, data, len, null_mut(), &raw mut out_len))
                .is(ck::CKR_DATA_LEN_RANGE);
            session.decrypt_init(&how, key).unwrap();
            call!(session, C_Decrypt(s, data, len, null_mut(), &raw mut out_len))
                .is(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
            session.encrypt_init(&how, key).unwrap();
            session.encrypt_update(&[1; 17]).unwrap();
            session.encrypt_final().refused(ck::CKR_DATA_LEN_RANGE);
            session.decrypt_init(&how, key).unwrap();
            session.decrypt_update(&[1; 17]).unwrap();
            session.decrypt_final().refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
        let padded = with_bytes(ck::CKM_AES_CBC_PAD, &IV);
        let refused = session.decrypt(&padded, key, &[1; 17]);
        refused.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        session.decrypt(&padded, key, &[]).refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
    });
}

#[test]
fn wrong_padding_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let (padded, raw) =
            (with_bytes(ck::CKM_AES_CBC_PAD, &IV), with_bytes(ck::CKM_AES_CBC, &IV));
        for last in [0, 17, 255, 2] {
            let mut block = [9; 16];
            block[15] = last;
            let sealed = session.encrypt(&raw, key, &block).unwrap();
            session.decrypt(&padded, key, &sealed).refused(ck::CKR_ENCRYPTED_DATA_INVALID);
            session.decrypt_init(&padded, key).unwrap();
            let some = session.decrypt_update(&sealed).unwrap();
            assert!(some.is_empty(), "the last block is kept until its padding is known");
            session.decrypt_final().refused(ck::CKR_ENCRYPTED_DATA_INVALID);
        }
    });
}

#[test]
fn wrong_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let invalid = ck::CKR_MECHANISM_PARAM_INVALID;
        for mechanism in [ck::CKM_AES_CBC, ck::CKM_AES_CBC_PAD] {
            for length in [0, 8, 15, 17] {
                let how = Mechanism::clone(&with_bytes(mechanism, &IV[..length.min(16)]));
                let mut c = how.c;
                c.ulParameterLen = crate::support::template::len(length);
                call!(session, C_EncryptInit(session.handle, &raw mut c, key)).is(invalid);
                call!(session, C_DecryptInit(session.handle, &raw mut c, key)).is(invalid);
            }
        }
        for bits in [0, 129, ck::CK_ULONG::MAX] {
            let parameter = counter(bits, IV);
            let how = with_struct(ck::CKM_AES_CTR, &parameter);
            session.encrypt_init(&how, key).refused(invalid);
        }
        let short = with_bytes(ck::CKM_AES_CTR, &IV);
        session.encrypt_init(&short, key).refused(invalid);
        session.encrypt_data(b"x").refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn a_parameter_without_a_pointer_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        for (mechanism, length) in
            [(ck::CKM_AES_CBC, 16), (ck::CKM_AES_CTR, 24), (ck::CKM_AES_GCM, 48)]
        {
            let mut c = plain(mechanism).c;
            c.ulParameterLen = length;
            call!(session, C_EncryptInit(session.handle, &raw mut c, key))
                .is_one_of(&[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD]);
        }
    });
}

#[test]
fn a_narrow_counter_never_runs_over() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let mut block = IV;
        block[15] = 0xfc;
        let parameter = counter(2, block);
        let how = with_struct(ck::CKM_AES_CTR, &parameter);
        let data = some_bytes(64);
        let sealed = session.encrypt(&how, key, &data).unwrap();
        assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), data);
        let (s, (long, long_len), mut out) = (session.handle, input(&[0; 65]), 0);
        session.encrypt_init(&how, key).unwrap();
        call!(session, C_Encrypt(s, long, long_len, null_mut(), &raw mut out))
            .is(ck::CKR_DATA_LEN_RANGE);
        session.decrypt_init(&how, key).unwrap();
        call!(session, C_Decrypt(s, long, long_len, null_mut(), &raw mut out))
            .is(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        session.encrypt_init(&how, key).unwrap();
        session.encrypt_update(&data).unwrap();
        session.encrypt_update(b"x").refused(ck::CKR_DATA_LEN_RANGE);
    });
}

#[test]
fn a_counter_stays_within_its_bits() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let mut block = [0xff; 16];
        block[15] = 0xfe;
        let (narrow, wide) = (counter(8, block), counter(128, block));
        let two = some_bytes(32);
        let how = with_struct(ck::CKM_AES_CTR, &narrow);
        let sealed = session.encrypt(&how, key, &two).unwrap();
        let how = with_struct(ck::CKM_AES_CTR, &wide);
        assert_eq!(session.encrypt(&how, key, &two).unwrap(), sealed);
    });
}
