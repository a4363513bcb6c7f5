//! Encryption and decryption of one message after another with AES-GCM. PKCS#11 3.2,
//! "Message-based encryption functions", "Message-based decryption functions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{key, some_bytes};
use crate::support::known::{self, hex};
use crate::support::messages::{Gcm, MessageParams, parameter};
use crate::support::operations::{input, lend_room, plain, with_struct};
use crate::support::{Refused, Session, call, isolated};

const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const ACTIVE: ck::CK_RV = ck::CKR_OPERATION_ACTIVE;
const BAD_PARAM: ck::CK_RV = ck::CKR_MECHANISM_PARAM_INVALID;
const LAST: ck::CK_FLAGS = ck::CKF_END_OF_MESSAGE;
const NONCE: &[u8; 12] = b"twelve bytes";

fn gcm() -> crate::support::operations::Mechanism<'static> {
    plain(ck::CKM_AES_GCM)
}

/// A session that encrypts and decrypts messages with one key.
fn begin(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) {
    session.message_encrypt_init(&gcm(), key).expect("C_MessageEncryptInit");
    session.message_decrypt_init(&gcm(), key).expect("C_MessageDecryptInit");
}

fn end(session: &Session<'_>) {
    call!(session, C_MessageEncryptFinal(session.handle)).is(ck::CKR_OK);
    call!(session, C_MessageDecryptFinal(session.handle)).is(ck::CKR_OK);
}

/// The answer to test case 4 of the GCM specification (McGrew and Viega), whole and in parts.
#[test]
fn a_known_answer() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::aes(&hex("feffe9928665731c6d6a8f9467308308"))).unwrap();
        let (iv, aad) =
            (hex("cafebabefacedbaddecaf888"), hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
        let text = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        let sealed = hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
             21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
        let tag = hex("5bc94fbc3221a5db94fae95ae7121a47");
        begin(&session, key);
        let mut gcm = Gcm::with(&iv);
        assert_eq!(session.encrypt_message(&mut gcm, &aad, &text).unwrap(), sealed);
        assert_eq!((&gcm.tag, &gcm.nonce), (&tag, &iv));
        assert_eq!(session.decrypt_message(&mut gcm, &aad, &sealed).unwrap(), text);
        for step in [1, 7, 16, 60] {
            let mut gcm = Gcm::with(&iv);
            session.encrypt_message_begin(&mut gcm, &aad).unwrap();
            let mut out = Vec::new();
            for part in text.chunks(step) {
                out.extend(session.encrypt_message_next(&mut gcm, part, 0).unwrap());
            }
            assert_eq!(out, sealed, "ciphertext comes as the parts do");
            assert!(session.encrypt_message_next(&mut gcm, &[], LAST).unwrap().is_empty());
            assert_eq!(gcm.tag, tag);
            session.decrypt_message_begin(&mut gcm, &aad).unwrap();
            for part in sealed.chunks(step) {
                let none = session.decrypt_message_next(&mut gcm, part, 0).unwrap();
                assert!(none.is_empty(), "plaintext before the tag was checked");
            }
            assert_eq!(session.decrypt_message_next(&mut gcm, &[], LAST).unwrap(), text);
        }
        end(&session);
    });
}

#[test]
fn messages_and_encrypt_agree() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (bytes, length, tag_bits) in [(16, 0, 128), (24, 1, 96), (32, 4096, 104)] {
            let key = key(&session, bytes);
            begin(&session, key);
            let data = some_bytes(length);
            let mut mine = Gcm { tag_bits, ..Gcm::with(NONCE) };
            let sealed = session.encrypt_message(&mut mine, b"header", &data).unwrap();
            mine.tag.truncate(usize::try_from(tag_bits / 8).unwrap());
            let params = ck::CK_GCM_PARAMS {
                pIv: NONCE.as_ptr().cast_mut(),
                ulIvLen: 12,
                ulIvBits: 96,
                pAAD: b"header".as_ptr().cast_mut(),
                ulAADLen: 6,
                ulTagBits: tag_bits,
            };
            let how = with_struct(ck::CKM_AES_GCM, &params);
            let whole = session.encrypt(&how, key, &data).unwrap();
            assert_eq!([sealed.as_slice(), &mine.tag].concat(), whole);
            assert_eq!(session.decrypt_message(&mut mine, b"header", &sealed).unwrap(), data);
            end(&session);
        }
    });
}

#[test]
fn the_last_part_may_bring_data_and_the_first_be_the_last() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        let data = some_bytes(100);
        let mut whole = Gcm::with(NONCE);
        let sealed = session.encrypt_message(&mut whole, b"", &data).unwrap();
        for first in [0, 33, 100] {
            let mut gcm = Gcm::with(NONCE);
            session.encrypt_message_begin(&mut gcm, b"").unwrap();
            let (head, tail) = data.split_at(first);
            let mut out = session.encrypt_message_next(&mut gcm, head, 0).unwrap();
            out.extend(session.encrypt_message_next(&mut gcm, tail, LAST).unwrap());
            assert_eq!((&out, &gcm.tag), (&sealed, &whole.tag));
            session.decrypt_message_begin(&mut gcm, b"").unwrap();
            let (head, tail) = sealed.split_at(first);
            session.decrypt_message_next(&mut gcm, head, 0).unwrap();
            assert_eq!(session.decrypt_message_next(&mut gcm, tail, LAST).unwrap(), data);
        }
        let mut gcm = Gcm::with(NONCE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        assert_eq!(session.encrypt_message_next(&mut gcm, &data, LAST).unwrap(), sealed);
    });
}

#[test]
fn every_tampering_is_noticed_and_the_messages_go_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 32));
        let data = some_bytes(40);
        let mut right = Gcm::with(NONCE);
        let sealed = session.encrypt_message(&mut right, b"header", &data).unwrap();
        let tag = right.tag.clone();
        let refused = ck::CKR_AEAD_DECRYPT_FAILED;
        for at in [0, 39] {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            let mut gcm = Gcm { tag: tag.clone(), ..Gcm::with(NONCE) };
            session.decrypt_message(&mut gcm, b"header", &forged).refused(refused);
            let (mut c, s, (from, from_len)) = (gcm.c(), session.handle, input(&forged));
            let ((start, size), (aad, aad_len)) = (parameter(&mut c), input(b"header"));
            let (rv, _, room) = lend_room(40, |out, room| {
                call!(
                    session,
                    C_DecryptMessage(s, start, size, aad, aad_len, from, from_len, out, room)
                )
            });
            rv.is(refused);
            assert_eq!(room, [0; 40], "nothing is left in the room");
        }
        let mut other_tag = tag.clone();
        other_tag[15] ^= 0x80;
        let mut gcm = Gcm { tag: other_tag, ..Gcm::with(NONCE) };
        session.decrypt_message(&mut gcm, b"header", &sealed).refused(refused);
        let mut gcm = Gcm { tag: tag.clone(), ..Gcm::with(b"other bytes!") };
        session.decrypt_message(&mut gcm, b"header", &sealed).refused(refused);
        let mut gcm = Gcm { tag, ..Gcm::with(NONCE) };
        session.decrypt_message(&mut gcm, b"Header", &sealed).refused(refused);
        session.decrypt_message_begin(&mut gcm, b"header").unwrap();
        session.decrypt_message_next(&mut gcm, &sealed[..39], 0).unwrap();
        session.decrypt_message_next(&mut gcm, &[], LAST).refused(refused);
        session.decrypt_message_next(&mut gcm, &[], LAST).refused(IDLE);
        assert_eq!(session.decrypt_message(&mut gcm, b"header", &sealed).unwrap(), data);
    });
}

/// Encrypts a message and opens it again with what came back.
#[track_caller]
fn sealed_with(session: &Session<'_>, gcm: &mut Gcm) -> Vec<u8> {
    let sealed = session.encrypt_message(gcm, b"aad", b"text").expect("C_EncryptMessage");
    assert_eq!(session.decrypt_message(gcm, b"aad", &sealed).expect("C_DecryptMessage"), b"text");
    gcm.nonce.clone()
}

#[test]
fn the_token_makes_nonces_around_the_fixed_bits_and_never_one_twice() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        let mut seen = std::collections::BTreeSet::new();
        for generator in [ck::CKG_GENERATE, ck::CKG_GENERATE_RANDOM] {
            for fixed_bits in [0, 12, 32] {
                for _ in 0..20 {
                    let mut gcm = Gcm::made_by(generator, &[0xff; 12], fixed_bits);
                    let nonce = sealed_with(&session, &mut gcm);
                    let fixed_bytes = usize::try_from(fixed_bits / 8).unwrap();
                    assert!(nonce[..fixed_bytes].iter().all(|byte| *byte == 0xff));
                    assert!(fixed_bits != 12 || nonce[1] & 0xf0 == 0xf0);
                    assert!(seen.insert(nonce), "a nonce came twice");
                }
            }
        }
        let mut mine = Gcm::with(NONCE);
        assert_eq!(sealed_with(&session, &mut mine), NONCE);
    });
}

#[test]
fn counters_begin_at_zero_and_a_length_query_does_not_count() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let aes = key(&session, 16);
        begin(&session, aes);
        // Each message is asked for its length first.
        for count in 0..3 {
            let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[7; 12], 32);
            let expected = [&[7; 4], [0; 7].as_slice(), &[count]].concat();
            assert_eq!(sealed_with(&session, &mut gcm), expected);
        }
        let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[7; 12], 32);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        assert_eq!(gcm.nonce[11], 3, "the nonce comes with the beginning");
        session.encrypt_message_next(&mut gcm, b"x", LAST).unwrap();
        for mut other in [
            Gcm::with(NONCE),
            Gcm::made_by(ck::CKG_GENERATE, &[0; 12], 0),
            Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[7; 12], 40),
            Gcm::made_by(ck::CKG_GENERATE_COUNTER_XOR, &[7; 12], 32),
        ] {
            session.encrypt_message(&mut other, b"", b"x").refused(BAD_PARAM);
        }
        end(&session);
        begin(&session, aes);
        for count in 0..3 {
            let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER_XOR, &[0x51; 12], 32);
            assert_eq!(sealed_with(&session, &mut gcm)[11], 0x51 ^ count);
        }
        let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER_XOR, &[0x52; 12], 32);
        session.encrypt_message(&mut gcm, b"", b"x").refused(BAD_PARAM);
    });
}

#[test]
fn a_counter_that_has_come_to_its_end_stays_there() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        for _ in 0..16 {
            let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[0; 12], 92);
            session.encrypt_message(&mut gcm, b"", b"x").unwrap();
        }
        let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[0; 12], 92);
        session.encrypt_message(&mut gcm, b"", b"x").refused(ck::CKR_KEY_EXHAUSTED);
        session.encrypt_message_begin(&mut gcm, b"").refused(ck::CKR_KEY_EXHAUSTED);
    });
}

type Change = fn(&mut ck::CK_GCM_MESSAGE_PARAMS);

#[test]
fn wrong_parameters_are_refused_and_the_messages_go_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        let s = session.handle;
        let (data, data_len) = input(b"data");
        let wrong: [(&str, Change); 11] = [
            ("no IV", |c| c.ulIvLen = 0),
            ("a NULL IV", |c| c.pIv = null_mut()),
            ("an endless IV", |c| c.ulIvLen = ck::CK_ULONG::MAX),
            ("no tag", |c| c.ulTagBits = 0),
            ("a NULL tag", |c| c.pTag = null_mut()),
            ("a tag of 8 bits", |c| c.ulTagBits = 8),
            ("a tag of 100 bits", |c| c.ulTagBits = 100),
            ("a tag of 136 bits", |c| c.ulTagBits = 136),
            ("an unknown generator", |c| c.ivGenerator = 5),
            ("all bits fixed", |c| {
                c.ulIvFixedBits = 96;
                c.ivGenerator = ck::CKG_GENERATE;
            }),
            ("too many fixed", |c| {
                c.ulIvFixedBits = 33;
                c.ivGenerator = ck::CKG_GENERATE_RANDOM;
            }),
        ];
        for (what, change) in wrong {
            let mut gcm = Gcm::with(NONCE);
            let mut c = gcm.c();
            change(&mut c);
            let (start, size) = parameter(&mut c);
            let (rv, _, room) = lend_room(64, |out, room| {
                let (aad, none) = (null_mut(), 0);
                call!(
                    session,
                    C_EncryptMessage(s, start, size, aad, none, data, data_len, out, room)
                )
            });
            assert_eq!(rv.0, BAD_PARAM, "{what}");
            assert_eq!(room, lend_room(64, |_, _| rv).2, "{what}: the room is untouched");
            assert_eq!((gcm.nonce.as_slice(), gcm.tag), (NONCE.as_slice(), vec![0; 16]), "{what}");
        }
        let mut gcm = Gcm::with(NONCE);
        let mut c = gcm.c();
        let (start, size) = parameter(&mut c);
        let short = call!(session, C_EncryptMessageBegin(s, start, size - 1, null_mut(), 0));
        short.is(BAD_PARAM);
        call!(session, C_EncryptMessageBegin(s, null_mut(), size, null_mut(), 0)).is(BAD_PARAM);
        call!(session, C_EncryptMessageBegin(s, start, size, null_mut(), 1))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_EncryptMessageBegin(s, start, size, data, u64::MAX))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.encrypt_message(&mut gcm, b"", b"data").unwrap();
    });
}

#[test]
fn only_what_was_begun_goes_on() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, s) = (key(&session, 16), session.handle);
        let mut gcm = Gcm::with(NONCE);
        session.encrypt_message(&mut gcm, b"", b"x").refused(IDLE);
        session.encrypt_message_begin(&mut gcm, b"").refused(IDLE);
        session.encrypt_message_next(&mut gcm, b"x", 0).refused(IDLE);
        call!(session, C_MessageEncryptFinal(s)).is(IDLE);
        session.message_encrypt_init(&crate::messages::gcm(), aes).unwrap();
        session.message_encrypt_init(&crate::messages::gcm(), aes).refused(ACTIVE);
        session.encrypt_message_next(&mut gcm, b"x", LAST).refused(IDLE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        session.encrypt_message_begin(&mut gcm, b"").refused(ACTIVE);
        session.encrypt_message(&mut gcm, b"", b"x").refused(ACTIVE);
        call!(session, C_MessageEncryptFinal(s)).is(ACTIVE);
        session.encrypt_message_next(&mut gcm, b"x", 0).unwrap();
        // An unknown flag, a missing tag and a missing part end the message alone.
        session.encrypt_message_next(&mut gcm, b"x", 2).refused(ck::CKR_ARGUMENTS_BAD);
        session.encrypt_message_next(&mut gcm, b"x", 0).refused(IDLE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        let (mut out, mut room) = ([0_u8; 16], 16);
        let (out, room) = (out.as_mut_ptr(), &raw mut room);
        let (part, none) = (null_mut(), null_mut());
        call!(session, C_EncryptMessageNext(s, none, 0, part, 3, out, room, 0))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.encrypt_message_next(&mut gcm, b"x", 0).refused(IDLE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        call!(session, C_EncryptMessageNext(s, none, 0, part, 0, out, room, LAST)).is(BAD_PARAM);
        session.encrypt_message_next(&mut gcm, b"x", 0).refused(IDLE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        gcm.tag_bits = 96;
        session.encrypt_message_next(&mut gcm, b"x", LAST).refused(BAD_PARAM);
        gcm.tag_bits = 128;
        session.encrypt_message(&mut gcm, b"", b"x").unwrap();
        call!(session, C_MessageEncryptFinal(s)).is(ck::CKR_OK);
        session.encrypt_message(&mut gcm, b"", b"x").refused(IDLE);
    });
}

#[test]
fn they_are_cancelled_by_their_flags_and_without_a_mechanism() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, s) = (key(&session, 16), session.handle);
        begin(&session, aes);
        let mut gcm = Gcm::with(NONCE);
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        call!(session, C_SessionCancel(s, ck::CKF_ENCRYPT | ck::CKF_DECRYPT)).is(ck::CKR_OK);
        session.encrypt_message_next(&mut gcm, b"x", 0).unwrap();
        call!(session, C_SessionCancel(s, ck::CKF_MESSAGE_ENCRYPT)).is(ck::CKR_OK);
        session.encrypt_message_begin(&mut gcm, b"").refused(IDLE);
        session.decrypt_message_begin(&mut gcm, b"").unwrap();
        call!(session, C_MessageDecryptInit(s, null_mut(), 0)).is(ck::CKR_OK);
        session.decrypt_message_begin(&mut gcm, b"").refused(IDLE);
        call!(session, C_MessageDecryptInit(s, null_mut(), 0)).is(ck::CKR_ARGUMENTS_BAD);
        begin(&session, aes);
        session.logout().unwrap();
        call!(session, C_MessageEncryptFinal(s)).is(IDLE);
    });
}

#[test]
fn short_rooms_change_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        let (s, data) = (session.handle, some_bytes(48));
        let (from, from_len) = input(&data);
        let mut gcm = Gcm::made_by(ck::CKG_GENERATE_COUNTER, &[0; 12], 32);
        let mut c = gcm.c();
        let (start, size) = parameter(&mut c);
        let (aad, none) = (null_mut(), 0);
        for room in [0, 47] {
            let (rv, needed, _) = lend_room(room, |out, room| {
                call!(
                    session,
                    C_EncryptMessage(s, start, size, aad, none, from, from_len, out, room)
                )
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!((needed, &gcm.tag), (48, &vec![0; 16]));
        }
        let (rv, written, sealed) = lend_room(60, |out, room| {
            call!(session, C_EncryptMessage(s, start, size, aad, none, from, from_len, out, room))
        });
        rv.is(ck::CKR_OK);
        assert_eq!((written, gcm.nonce[11]), (48, 0), "nothing was counted before");
        let sealed = &sealed[..48];
        session.decrypt_message_begin(&mut gcm, b"").unwrap();
        session.decrypt_message_next(&mut gcm, &sealed[..20], 0).unwrap();
        let (from, from_len) = input(&sealed[20..]);
        for room in [0, 47] {
            let (rv, needed, _) = lend_room(room, |out, room| {
                call!(
                    session,
                    C_DecryptMessageNext(s, start, size, from, from_len, out, room, LAST)
                )
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 48);
        }
        assert_eq!(session.decrypt_message_next(&mut gcm, &sealed[20..], LAST).unwrap(), data);
    });
}

/// Text, ciphertext, associated data and even the tag may be the same memory.
#[test]
fn messages_work_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, key(&session, 16));
        let (s, data) = (session.handle, some_bytes(64));
        let mut apart = Gcm::with(NONCE);
        let sealed = session.encrypt_message(&mut apart, &data[..10], &data).unwrap();
        let mut room = [data.as_slice(), &[0; 16]].concat();
        let place = room.as_mut_ptr();
        let mut gcm = Gcm::with(NONCE);
        let mut c = gcm.c();
        c.pTag = place.wrapping_add(64);
        let (start, size) = parameter(&mut c);
        let mut length = 80;
        let out = &raw mut length;
        call!(session, C_EncryptMessage(s, start, size, place, 10, place, 64, place, out))
            .is(ck::CKR_OK);
        assert_eq!((&room[..64], &room[64..], length), (&sealed[..], &apart.tag[..], 64));
        let (aad, aad_len) = input(&data[..10]);
        let (place, mut length) = (room.as_mut_ptr(), 80);
        c.pTag = place.wrapping_add(64);
        let (start, size) = parameter(&mut c);
        let out = &raw mut length;
        call!(session, C_DecryptMessage(s, start, size, aad, aad_len, place, 64, place, out))
            .is(ck::CKR_OK);
        assert_eq!((&room[..64], length), (data.as_slice(), 64));
    });
}

#[test]
fn keys_and_mechanisms_that_do_not_fit_begin_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, s) = (key(&session, 16), session.handle);
        let no_use = known::aes(&[1; 16]).and(ck::CKA_ENCRYPT, false).and(ck::CKA_DECRYPT, false);
        let no_use = session.create(&no_use).unwrap();
        let generic = session.create(&known::generic(&[1; 16])).unwrap();
        let params = [0_u8; 47];
        let begin = |how: &_, key| {
            let first = session.message_encrypt_init(how, key);
            assert_eq!(session.message_decrypt_init(how, key), first);
            call!(session, C_MessageEncryptFinal(s)).is(IDLE);
            first
        };
        begin(&gcm(), 0).refused(ck::CKR_KEY_HANDLE_INVALID);
        begin(&gcm(), no_use).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        begin(&gcm(), generic).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        begin(&plain(ck::CKM_AES_ECB), aes).refused(ck::CKR_MECHANISM_INVALID);
        begin(&plain(ck::CKM_SHA256), aes).refused(ck::CKR_MECHANISM_INVALID);
        begin(&plain(ck::CKM_VENDOR_DEFINED), aes).refused(ck::CKR_MECHANISM_INVALID);
        begin(&with_struct(ck::CKM_AES_GCM, &params), aes).refused(BAD_PARAM);
        let mut parameter = Gcm::with(NONCE);
        let with_parameter = parameter.c();
        session.message_encrypt_init(&with_struct(ck::CKM_AES_GCM, &with_parameter), aes).unwrap();
        session.encrypt_message(&mut Gcm::with(NONCE), b"", b"x").unwrap();
    });
}

#[test]
fn every_message_is_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let aes = known::aes(&[3; 16]).and(ck::CKA_TOKEN, true);
        begin(&session, session.create(&aes).unwrap());
        let mut gcm = Gcm::with(NONCE);
        let sealed = session.encrypt_message(&mut gcm, b"", b"four").unwrap();
        session.encrypt_message_begin(&mut gcm, b"").unwrap();
        session.encrypt_message_next(&mut gcm, b"four", 0).unwrap();
        session.encrypt_message_next(&mut gcm, b"five!", LAST).unwrap();
        session.decrypt_message(&mut gcm, b"", &sealed).refused(ck::CKR_AEAD_DECRYPT_FAILED);
        session.encrypt_message(&mut Gcm::with(b""), b"", b"four").refused(BAD_PARAM);
        end(&session);
        session.logout().unwrap();
        let log = bench.log();
        let one = log.one("C_EncryptMessage", "CKR_OK");
        assert_eq!((one["in"].as_u64(), &one["mechanism"]), (Some(4), &"CKM_AES_GCM".into()));
        assert_eq!(log.one("C_EncryptMessageNext", "CKR_OK")["in"].as_u64(), Some(9));
        log.one("C_DecryptMessage", "CKR_AEAD_DECRYPT_FAILED");
        log.one("C_EncryptMessage", "CKR_MECHANISM_PARAM_INVALID");
        assert_eq!(log.count("C_MessageEncryptFinal") + log.count("C_EncryptMessageBegin"), 0);
    });
}

#[test]
fn the_flags_say_so() {
    isolated(|bench| {
        let token = bench.token();
        let flags = |mechanism| token.module.mechanism_info(token.slot, mechanism).unwrap().flags;
        let ciphers = ck::CKF_MESSAGE_ENCRYPT | ck::CKF_MESSAGE_DECRYPT;
        let signers = ck::CKF_MESSAGE_SIGN | ck::CKF_MESSAGE_VERIFY;
        let all = ciphers | signers | ck::CKF_MULTI_MESSAGE;
        assert_eq!(flags(ck::CKM_AES_GCM) & all, ciphers | ck::CKF_MULTI_MESSAGE);
        assert_eq!(flags(ck::CKM_AES_ECB) & all, 0);
        assert_eq!(flags(ck::CKM_SHA256) & all, 0);
        assert_eq!(flags(ck::CKM_ECDSA) & all, signers);
        assert_eq!(flags(ck::CKM_ECDSA_SHA256) & all, signers | ck::CKF_MULTI_MESSAGE);
        assert_eq!(flags(ck::CKM_SHA256_HMAC) & all, signers | ck::CKF_MULTI_MESSAGE);
    });
}
