//! Encryption and decryption: AES, DES and RSA, in one part and in several.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::operations::{Mechanism, plain, with_bytes, with_struct};
use crate::support::{Refused, Session, call, known, template};

const ODD: [u8; 24] = [
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
    0x02, 0x20, 0x46, 0x64, 0x8a, 0xa8, 0xce, 0xec,
];

/// Encrypts and decrypts in one part and in uneven parts, and wants it all to agree.
#[track_caller]
fn there_and_back(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    key: ck::CK_OBJECT_HANDLE,
    data: &[u8],
) -> Vec<u8> {
    let sealed = session.encrypt(how, key, data).expect("encryption");
    assert_eq!(session.decrypt(how, key, &sealed).expect("decryption"), data);
    for size in [1, 7, 16, 33] {
        session.encrypt_init(how, key).unwrap();
        let mut parts = Vec::new();
        for part in data.chunks(size) {
            parts.extend(session.encrypt_update(part).expect("a part"));
        }
        parts.extend(session.encrypt_final().expect("the end"));
        assert_eq!(parts, sealed, "parts of {size}");
        session.decrypt_init(how, key).unwrap();
        let mut opened = Vec::new();
        for part in sealed.chunks(size) {
            opened.extend(session.decrypt_update(part).expect("a part"));
        }
        opened.extend(session.decrypt_final().expect("the end"));
        assert_eq!(opened, data, "parts of {size}");
    }
    sealed
}

/// Data that fills no block: refused when the length is asked for, in one part and at the end.
#[track_caller]
fn wants_blocks(session: &Session<'_>, how: &Mechanism<'_>, key: ck::CK_OBJECT_HANDLE) {
    let (s, mut data, mut len) = (session.handle, [0; 13], 0);
    let (data, place) = (data.as_mut_ptr(), &raw mut len);
    session.encrypt_init(how, key).unwrap();
    call!(session, C_Encrypt(s, data, 13, null_mut(), place)).is(ck::CKR_DATA_LEN_RANGE);
    session.encrypt_init(how, key).unwrap();
    session.encrypt_update(&[0; 13]).unwrap();
    session.encrypt_final().refused(ck::CKR_DATA_LEN_RANGE);
    let short = ck::CKR_ENCRYPTED_DATA_LEN_RANGE;
    session.decrypt_init(how, key).unwrap();
    call!(session, C_Decrypt(s, data, 13, null_mut(), place)).is(short);
    session.decrypt_init(how, key).unwrap();
    session.decrypt_update(&[0; 13]).unwrap();
    session.decrypt_final().refused(short);
}

#[test]
fn aes_in_all_its_modes() {
    on_token(|token| {
        let session = token.user();
        let (iv, blocks) = ([3; 16], [0x61; 48]);
        for size in [16, 24, 32] {
            let key = session.create(&known::aes(&vec![1; size])).unwrap();
            let (cbc, pad) =
                (with_bytes(ck::CKM_AES_CBC, &iv), with_bytes(ck::CKM_AES_CBC_PAD, &iv));
            there_and_back(&session, &cbc, key, &blocks);
            assert_eq!(there_and_back(&session, &pad, key, &blocks).len(), 64);
            there_and_back(&session, &pad, key, &blocks[..13]);
            let ecb = there_and_back(&session, &plain(ck::CKM_AES_ECB), key, &blocks);
            // A vector is no business of ECB's, and does no harm.
            let with_iv = with_bytes(ck::CKM_AES_ECB, &iv);
            assert_eq!(there_and_back(&session, &with_iv, key, &blocks), ecb);
            wants_blocks(&session, &cbc, key);
            wants_blocks(&session, &plain(ck::CKM_AES_ECB), key);
        }
    });
}

#[test]
fn aes_gcm_with_and_without_more_data() {
    on_token(|token| {
        let session = token.user();
        let key = session.create(&known::aes(&[1; 32])).unwrap();
        let (mut iv, mut aad) = ([9; 12], *b"more data");
        for aad_len in [0, 9] {
            let params = ck::CK_GCM_PARAMS {
                pIv: iv.as_mut_ptr(),
                ulIvLen: 12,
                ulIvBits: 96,
                pAAD: if aad_len == 0 { null_mut() } else { aad.as_mut_ptr() },
                ulAADLen: aad_len,
                ulTagBits: 128,
            };
            let how = with_struct(ck::CKM_AES_GCM, &params);
            let sealed = there_and_back(&session, &how, key, &[0x61; 45]);
            assert_eq!(sealed.len(), 61);
            let mut changed = sealed;
            changed[2] ^= 4;
            session.decrypt_init(&how, key).unwrap();
            assert!(session.decrypt_data(&changed).is_err(), "a tag that does not fit");
        }
    });
}

#[test]
fn aes_ctr_counts_as_far_as_it_may() {
    on_token(|token| {
        let session = token.user();
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        let wide = ck::CK_AES_CTR_PARAMS { ulCounterBits: 32, cb: [7; 16] };
        there_and_back(&session, &with_struct(ck::CKM_AES_CTR, &wide), key, &[0x61; 77]);
        let narrow = ck::CK_AES_CTR_PARAMS { ulCounterBits: 2, cb: [0; 16] };
        let how = with_struct(ck::CKM_AES_CTR, &narrow);
        there_and_back(&session, &how, key, &[0x61; 64]);
        let (s, mut data, mut len) = (session.handle, [0; 65], 0);
        let (data, place) = (data.as_mut_ptr(), &raw mut len);
        session.encrypt_init(&how, key).unwrap();
        call!(session, C_Encrypt(s, data, 65, null_mut(), place)).is(ck::CKR_DATA_LEN_RANGE);
        session.decrypt_init(&how, key).unwrap();
        call!(session, C_Decrypt(s, data, 65, null_mut(), place))
            .is(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        session.encrypt_init(&how, key).unwrap();
        session.encrypt_update(&[0; 64]).unwrap();
        session.encrypt_update(&[0; 1]).refused(ck::CKR_DATA_LEN_RANGE);
    });
}

#[test]
fn des_and_triple_des() {
    on_token(|token| {
        let session = token.user();
        let iv = [3; 8];
        let long = (ck::CKM_DES3_ECB, ck::CKM_DES3_CBC, ck::CKM_DES3_CBC_PAD);
        let short = (ck::CKM_DES_ECB, ck::CKM_DES_CBC, ck::CKM_DES_CBC_PAD);
        for (key_type, size, (ecb, cbc, pad)) in
            [(ck::CKK_DES, 8, short), (ck::CKK_DES2, 16, long), (ck::CKK_DES3, 24, long)]
        {
            let key = session.create(&known::secret(key_type, &ODD[..size])).unwrap();
            there_and_back(&session, &plain(ecb), key, &[0x61; 40]);
            there_and_back(&session, &with_bytes(cbc, &iv), key, &[0x61; 40]);
            there_and_back(&session, &with_bytes(pad, &iv), key, &[0x61; 21]);
            wants_blocks(&session, &plain(ecb), key);
            wants_blocks(&session, &with_bytes(cbc, &iv), key);
        }
    });
}

#[test]
fn a_cipher_ends_with_bad_arguments() {
    on_token(|token| {
        let session = token.user();
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        let how = plain(ck::CKM_AES_ECB);
        let (s, mut data, mut len) = (session.handle, [0; 16], 16);
        let (data, place, none) = (data.as_mut_ptr(), &raw mut len, null_mut());
        let (bad, over) = (ck::CKR_ARGUMENTS_BAD, ck::CKR_OPERATION_NOT_INITIALIZED);
        for step in 0..4 {
            session.encrypt_init(&how, key).unwrap();
            match step {
                0 => call!(session, C_Encrypt(s, none, 16, data, place)),
                1 => call!(session, C_Encrypt(s, data, 16, data, null_mut())),
                2 => call!(session, C_EncryptUpdate(s, none, 16, data, place)),
                _ => call!(session, C_EncryptFinal(s, data, null_mut())),
            }
            .is(bad);
            call!(session, C_EncryptFinal(s, none, place)).is(over);
            session.decrypt_init(&how, key).unwrap();
            match step {
                0 => call!(session, C_Decrypt(s, none, 16, data, place)),
                1 => call!(session, C_Decrypt(s, data, 16, data, null_mut())),
                2 => call!(session, C_DecryptUpdate(s, none, 16, data, place)),
                _ => call!(session, C_DecryptFinal(s, data, null_mut())),
            }
            .is(bad);
            call!(session, C_DecryptFinal(s, none, place)).is(over);
        }
    });
}

#[test]
fn rsa_encrypts_with_each_padding() {
    on_token(|token| {
        let session = token.user();
        let (public, private) = (known::rsa_public(), known::rsa_private());
        let public = session.create(&public.and(ck::CKA_ENCRYPT, true)).unwrap();
        let private = session.create(&private.and(ck::CKA_DECRYPT, true)).unwrap();
        let params = oaep();
        let data = b"fifteen bytes!!";
        let padded = [plain(ck::CKM_RSA_PKCS), with_struct(ck::CKM_RSA_PKCS_OAEP, &params)];
        for how in padded {
            let sealed = session.encrypt(&how, public, data).unwrap();
            assert_eq!(session.decrypt(&how, private, &sealed).unwrap(), data);
        }
        // Without a padding the number comes back as long as the modulus.
        let raw = plain(ck::CKM_RSA_X_509);
        let sealed = session.encrypt(&raw, public, data).unwrap();
        let opened = session.decrypt(&raw, private, &sealed).unwrap();
        assert_eq!(opened.len(), 256);
        assert_eq!(&opened[241..], data);
        assert!(opened[..241].iter().all(|byte| *byte == 0));
    });
}

fn oaep() -> ck::CK_RSA_PKCS_OAEP_PARAMS {
    ck::CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: ck::CKM_SHA_1,
        mgf: ck::CKG_MGF1_SHA1,
        source: ck::CKZ_DATA_SPECIFIED,
        pSourceData: null_mut(),
        ulSourceDataLen: 0,
    }
}

#[test]
fn bad_parameters_of_oaep_are_bad_arguments() {
    on_token(|token| {
        let session = token.user();
        let key = session.create(&known::rsa_public().and(ck::CKA_ENCRYPT, true)).unwrap();
        let bad = ck::CKR_ARGUMENTS_BAD;
        session.encrypt_init(&plain(ck::CKM_RSA_PKCS_OAEP), key).refused(bad);
        for params in [
            ck::CK_RSA_PKCS_OAEP_PARAMS { hashAlg: ck::CKM_AES_CBC, ..oaep() },
            ck::CK_RSA_PKCS_OAEP_PARAMS { mgf: 0, ..oaep() },
            ck::CK_RSA_PKCS_OAEP_PARAMS { source: 5, ..oaep() },
            ck::CK_RSA_PKCS_OAEP_PARAMS { ulSourceDataLen: 5, ..oaep() },
        ] {
            session.encrypt_init(&with_struct(ck::CKM_RSA_PKCS_OAEP, &params), key).refused(bad);
        }
        let params = oaep();
        let mut short = with_struct(ck::CKM_RSA_PKCS_OAEP, &params);
        short.c.ulParameterLen -= 1;
        session.encrypt_init(&short, key).refused(bad);
    });
}

#[test]
fn a_generic_secret_has_the_length_that_was_asked_for() {
    on_token(|token| {
        let session = token.user();
        let how = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        let wanted = template! {
            CKA_VALUE_LEN => 17 as ck::CK_ULONG, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
        };
        let key = session.generate(&how, &wanted).unwrap();
        assert_eq!(session.get(key, ck::CKA_VALUE).unwrap().len(), 17);
        session.has(key, ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
    });
}
