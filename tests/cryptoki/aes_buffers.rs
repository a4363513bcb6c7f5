//! Room for AES: the same memory for input and output, too little of it, none of it.
//! PKCS#11 3.2, "Conventions for functions returning output in a variable-length buffer".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{IV, key, some_bytes};
use crate::support::operations::{input, lend_room, with_bytes};
use crate::support::{Rv, call, isolated};

#[test]
fn data_may_be_encrypted_and_decrypted_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, s) = (key(&session, 16), session.handle);
        let how = with_bytes(ck::CKM_AES_CBC, &IV);
        let data = some_bytes(160);
        let sealed = session.encrypt(&how, key, &data).unwrap();
        for shift in [0_usize, 1, 16, 80] {
            let mut room = vec![0; 400];
            room[..160].copy_from_slice(&data);
            let (start, mut length) = (room.as_mut_ptr(), 160);
            let out = start.wrapping_add(shift);
            session.encrypt_init(&how, key).unwrap();
            call!(session, C_Encrypt(s, start, 160, out, &raw mut length)).is(ck::CKR_OK);
            assert_eq!(room[shift..shift + 160], sealed);
            let (start, mut length) = (room.as_mut_ptr(), 160);
            session.decrypt_init(&how, key).unwrap();
            let from = start.wrapping_add(shift);
            call!(session, C_Decrypt(s, from, 160, start, &raw mut length)).is(ck::CKR_OK);
            assert_eq!(room[..160], data);
        }
    });
}

#[test]
fn parts_may_be_encrypted_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, s) = (key(&session, 16), session.handle);
        let how = with_bytes(ck::CKM_AES_CBC, &IV);
        let data = some_bytes(64);
        let sealed = session.encrypt(&how, key, &data).unwrap();
        session.encrypt_init(&how, key).unwrap();
        let mut all = Vec::new();
        for part in data.chunks(16) {
            let mut room = part.to_vec();
            let (start, mut length) = (room.as_mut_ptr(), 16);
            call!(session, C_EncryptUpdate(s, start, 16, start, &raw mut length)).is(ck::CKR_OK);
            assert_eq!(length, 16);
            all.extend(room);
        }
        assert!(session.encrypt_final().unwrap().is_empty());
        assert_eq!(all, sealed);
    });
}

#[test]
fn bad_pointers_end_an_encryption() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, s, bad) = (key(&session, 16), session.handle, ck::CKR_ARGUMENTS_BAD);
        let how = with_bytes(ck::CKM_AES_CBC, &IV);
        let (mut room, mut length) = ([0_u8; 32], 32);
        let (data, out, out_len) = (IV.as_ptr().cast_mut(), room.as_mut_ptr(), &raw mut length);
        let encryptions: [&dyn Fn() -> Rv; 6] = [
            &|| call!(session, C_Encrypt(s, null_mut(), 16, out, out_len)),
            &|| call!(session, C_Encrypt(s, data, 16, out, null_mut())),
            &|| call!(session, C_EncryptUpdate(s, null_mut(), 16, out, out_len)),
            &|| call!(session, C_EncryptUpdate(s, data, 16, out, null_mut())),
            &|| call!(session, C_EncryptFinal(s, out, null_mut())),
            &|| call!(session, C_EncryptFinal(s, null_mut(), null_mut())),
        ];
        for (at, call) in encryptions.iter().enumerate() {
            session.encrypt_init(&how, key).unwrap();
            call().is(bad);
            let after = session.encrypt_final();
            assert_eq!(after, Err(Rv(ck::CKR_OPERATION_NOT_INITIALIZED)), "call {at}");
        }
        let decryptions: [&dyn Fn() -> Rv; 5] = [
            &|| call!(session, C_Decrypt(s, null_mut(), 16, out, out_len)),
            &|| call!(session, C_Decrypt(s, data, 16, out, null_mut())),
            &|| call!(session, C_DecryptUpdate(s, null_mut(), 16, out, out_len)),
            &|| call!(session, C_DecryptUpdate(s, data, 16, out, null_mut())),
            &|| call!(session, C_DecryptFinal(s, out, null_mut())),
        ];
        for (at, call) in decryptions.iter().enumerate() {
            session.decrypt_init(&how, key).unwrap();
            call().is(bad);
            let after = session.decrypt_final();
            assert_eq!(after, Err(Rv(ck::CKR_OPERATION_NOT_INITIALIZED)), "call {at}");
        }
    });
}

#[test]
fn too_little_room_leaves_an_encryption_alive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, s) = (key(&session, 16), session.handle);
        let how = with_bytes(ck::CKM_AES_CBC_PAD, &IV);
        let data = some_bytes(20);
        let (from, len) = input(&data);
        session.encrypt_init(&how, key).unwrap();
        for room in [0, 1, 31] {
            let (rv, needed, _) = lend_room(room, |out, out_len| {
                call!(session, C_Encrypt(s, from, len, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 32);
        }
        let sealed = session.encrypt_data(&data).unwrap();
        session.decrypt_init(&how, key).unwrap();
        let (from, len) = input(&sealed);
        let (rv, needed, _) =
            lend_room(3, |out, out_len| call!(session, C_Decrypt(s, from, len, out, out_len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert!((20..=32).contains(&needed));
        assert_eq!(session.decrypt_data(&sealed).unwrap(), data);
        session.encrypt_init(&how, key).unwrap();
        let (rv, needed, _) = lend_room(15, |out, out_len| {
            call!(session, C_EncryptUpdate(s, from, 20, out, out_len))
        });
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert!((16..=32).contains(&needed));
        let first = session.encrypt_update(&data).unwrap();
        let (rv, needed, _) =
            lend_room(15, |out, out_len| call!(session, C_EncryptFinal(s, out, out_len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 16);
        assert_eq!([first, session.encrypt_final().unwrap()].concat(), sealed);
    });
}
