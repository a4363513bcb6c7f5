//! AES-GCM, in one call and in parts. PKCS#11 3.2, "AES-GCM authenticated encryption".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{back_in_parts, in_parts, key, some_bytes};
use crate::support::known::hex;
use crate::support::operations::{input, lend_room, with_struct};
use crate::support::template::len;
use crate::support::{Refused, call, isolated, known};

const IV: [u8; 12] = *b"twelve bytes";

fn gcm(iv: &[u8], aad: &[u8], tag_bits: ck::CK_ULONG) -> ck::CK_GCM_PARAMS {
    ck::CK_GCM_PARAMS {
        pIv: iv.as_ptr().cast_mut(),
        ulIvLen: len(iv.len()),
        ulIvBits: len(iv.len() * 8),
        pAAD: if aad.is_empty() { null_mut() } else { aad.as_ptr().cast_mut() },
        ulAADLen: len(aad.len()),
        ulTagBits: tag_bits,
    }
}

/// `CK_GCM_PARAMS` as Java sends it first.
#[repr(C)]
struct WithoutBits {
    iv: ck::CK_BYTE_PTR,
    iv_len: ck::CK_ULONG,
    aad: ck::CK_BYTE_PTR,
    aad_len: ck::CK_ULONG,
    tag_bits: ck::CK_ULONG,
}

impl WithoutBits {
    fn of(whole: &ck::CK_GCM_PARAMS) -> Self {
        Self {
            iv: whole.pIv,
            iv_len: whole.ulIvLen,
            aad: whole.pAAD,
            aad_len: whole.ulAADLen,
            tag_bits: whole.ulTagBits,
        }
    }
}

#[test]
fn the_parameter_without_the_bits_of_the_vector_is_the_same() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 32);
        let whole = gcm(&IV, b"header", 128);
        let sealed = session.encrypt(&with_struct(ck::CKM_AES_GCM, &whole), key, b"data").unwrap();
        let short = WithoutBits::of(&whole);
        let how = with_struct(ck::CKM_AES_GCM, &short);
        assert_eq!(session.encrypt(&how, key, b"data").unwrap(), sealed);
        assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), b"data");
        for wrong in [
            WithoutBits { iv: null_mut(), ..WithoutBits::of(&whole) },
            WithoutBits { aad_len: ck::CK_ULONG::MAX, ..WithoutBits::of(&whole) },
            WithoutBits { tag_bits: 129, ..WithoutBits::of(&whole) },
        ] {
            let how = with_struct(ck::CKM_AES_GCM, &wrong);
            session.encrypt_init(&how, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

/// Refusals of a ciphertext that was tampered with.
const FORGED: &[ck::CK_RV] = &[ck::CKR_ENCRYPTED_DATA_INVALID, ck::CKR_AEAD_DECRYPT_FAILED];

/// The answer to test case 4 of the GCM specification (McGrew and Viega).
#[test]
fn a_known_answer() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = known::aes(&hex("feffe9928665731c6d6a8f9467308308"));
        let key = session.create(&key).unwrap();
        let iv = hex("cafebabefacedbaddecaf888");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        let sealed = hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
             21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091\
             5bc94fbc3221a5db94fae95ae7121a47");
        let parameter = gcm(&iv, &aad, 128);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        assert_eq!(session.encrypt(&how, key, &plain).unwrap(), sealed);
        assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), plain);
        assert_eq!(in_parts(&session, &how, key, &plain, 7), sealed);
        assert_eq!(back_in_parts(&session, &how, key, &sealed, 7), plain);
    });
}

#[test]
fn parts_give_what_one_call_gives() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (key_bytes, aad, length) in
            [(16, "", 0), (24, "header", 1), (32, "", 64), (16, "header", 1000)]
        {
            let key = key(&session, key_bytes);
            let parameter = gcm(&IV, aad.as_bytes(), 128);
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            let data = some_bytes(length);
            let sealed = session.encrypt(&how, key, &data).unwrap();
            assert_eq!(sealed.len(), length + 16);
            assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), data);
            for step in [1, 16, 33] {
                assert_eq!(in_parts(&session, &how, key, &data, step), sealed);
                assert_eq!(back_in_parts(&session, &how, key, &sealed, step), data);
            }
        }
    });
}

#[test]
fn no_plaintext_leaves_before_the_tag_is_checked() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let parameter = gcm(&IV, b"header", 128);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let mut sealed = session.encrypt(&how, key, &some_bytes(100)).unwrap();
        sealed[3] ^= 1;
        session.decrypt_init(&how, key).unwrap();
        let (s, (from, from_len)) = (session.handle, input(&sealed));
        let (rv, written, _) = lend_room(200, |out, out_len| {
            call!(session, C_DecryptUpdate(s, from, from_len, out, out_len))
        });
        rv.is(ck::CKR_OK);
        assert_eq!(written, 0);
        session.decrypt_final().expect_err("a forgery").is_one_of(FORGED);
    });
}

#[test]
fn every_tampering_is_noticed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let parameter = gcm(&IV, b"header", 128);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let sealed = session.encrypt(&how, key, &some_bytes(40)).unwrap();
        for at in [0, 20, 39, 40, 55] {
            let mut forged = sealed.clone();
            forged[at] ^= 0x80;
            session.decrypt(&how, key, &forged).expect_err("a forgery").is_one_of(FORGED);
            let (s, (from, from_len)) = (session.handle, input(&forged));
            session.decrypt_init(&how, key).unwrap();
            let (rv, _, room) = lend_room(56, |out, out_len| {
                call!(session, C_Decrypt(s, from, from_len, out, out_len))
            });
            rv.is_one_of(FORGED);
            assert_ne!(room[..20], some_bytes(20)[..], "no plaintext is left in the room");
        }
        for (iv, aad) in [(b"other bytes!", b"header"), (&IV, b"Header")] {
            let parameter = gcm(iv, aad, 128);
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            session.decrypt(&how, key, &sealed).expect_err("a forgery").is_one_of(FORGED);
        }
    });
}

#[test]
fn less_than_a_tag_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let parameter = gcm(&IV, b"", 128);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        for length in [0, 1, 15] {
            let refused = session.decrypt(&how, key, &some_bytes(length));
            refused.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
    });
}

#[test]
fn wrong_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let right = gcm(&IV, b"header", 128);
        let wrong = [
            ("no IV", ck::CK_GCM_PARAMS { ulIvLen: 0, ulIvBits: 0, ..right }),
            ("a NULL IV", ck::CK_GCM_PARAMS { pIv: null_mut(), ..right }),
            ("a NULL AAD", ck::CK_GCM_PARAMS { pAAD: null_mut(), ..right }),
            ("an endless IV", ck::CK_GCM_PARAMS { ulIvLen: ck::CK_ULONG::MAX, ..right }),
            ("an endless AAD", ck::CK_GCM_PARAMS { ulAADLen: ck::CK_ULONG::MAX, ..right }),
            ("no tag", ck::CK_GCM_PARAMS { ulTagBits: 0, ..right }),
            ("a tag of 8 bits", ck::CK_GCM_PARAMS { ulTagBits: 8, ..right }),
            ("a tag of 100 bits", ck::CK_GCM_PARAMS { ulTagBits: 100, ..right }),
            ("a tag of 129 bits", ck::CK_GCM_PARAMS { ulTagBits: 129, ..right }),
            ("a tag of 136 bits", ck::CK_GCM_PARAMS { ulTagBits: 136, ..right }),
        ];
        for (what, parameter) in wrong {
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            for begun in [session.encrypt_init(&how, key), session.decrypt_init(&how, key)] {
                let rv = begun.err().unwrap_or_else(|| panic!("{what} was accepted"));
                rv.is_one_of(&[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD]);
            }
        }
    });
}

#[test]
fn the_bits_of_the_iv_are_ignored() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let right = gcm(&IV, b"", 128);
        let sealed = session.encrypt(&with_struct(ck::CKM_AES_GCM, &right), key, b"x").unwrap();
        let odd = ck::CK_GCM_PARAMS { ulIvBits: 0, ..right };
        let how = with_struct(ck::CKM_AES_GCM, &odd);
        assert_eq!(session.encrypt(&how, key, b"x").unwrap(), sealed);
    });
}

#[test]
fn data_may_be_encrypted_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (key, s) = (key(&session, 16), session.handle);
        let parameter = gcm(&IV, b"header", 128);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let data = some_bytes(64);
        let sealed = session.encrypt(&how, key, &data).unwrap();
        let mut room = [data.as_slice(), &[0; 16]].concat();
        let (start, mut length) = (room.as_mut_ptr(), 80);
        session.encrypt_init(&how, key).unwrap();
        call!(session, C_Encrypt(s, start, 64, start, &raw mut length)).is(ck::CKR_OK);
        assert_eq!((&room, length), (&sealed, 80));
        let (start, mut length) = (room.as_mut_ptr(), 80);
        session.decrypt_init(&how, key).unwrap();
        call!(session, C_Decrypt(s, start, 80, start, &raw mut length)).is(ck::CKR_OK);
        assert_eq!((&room[..64], length), (data.as_slice(), 64));
    });
}
