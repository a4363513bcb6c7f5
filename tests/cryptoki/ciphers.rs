//! AES-CCM, CMAC, GMAC and XTS, ChaCha20 and Poly1305. PKCS#11 3.2, "Additional AES mechanisms", "AES
//! CMAC", "AES XTS", "ChaCha20", "Poly1305".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{back_in_parts, in_parts, key, some_bytes};
use crate::support::known::hex;
use crate::support::operations::{input, lend_room, plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, call, isolated, known, template};

const NONCE: [u8; 24] = *b"twenty-four little bytes";

fn ccm(data_len: usize, nonce: &[u8], aad: &[u8], mac_len: ck::CK_ULONG) -> ck::CK_CCM_PARAMS {
    ck::CK_CCM_PARAMS {
        ulDataLen: len(data_len),
        pNonce: nonce.as_ptr().cast_mut(),
        ulNonceLen: len(nonce.len()),
        pAAD: if aad.is_empty() { null_mut() } else { aad.as_ptr().cast_mut() },
        ulAADLen: len(aad.len()),
        ulMACLen: mac_len,
    }
}

fn chacha_poly(nonce: &[u8], bits: ck::CK_ULONG) -> ck::CK_SALSA20_CHACHA20_POLY1305_PARAMS {
    ck::CK_SALSA20_CHACHA20_POLY1305_PARAMS {
        pNonce: nonce.as_ptr().cast_mut(),
        ulNonceLen: bits,
        pAAD: null_mut(),
        ulAADLen: 0,
    }
}

fn chacha(counter: &[u8], nonce: &[u8]) -> ck::CK_CHACHA20_PARAMS {
    ck::CK_CHACHA20_PARAMS {
        pBlockCounter: counter.as_ptr().cast_mut(),
        blockCounterBits: len(8 * counter.len()),
        pNonce: nonce.as_ptr().cast_mut(),
        ulNonceBits: len(8 * nonce.len()),
    }
}

fn chacha_key(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    session.generate(&plain(ck::CKM_CHACHA20_KEY_GEN), &template! {}).unwrap()
}

/// SP 800-38C, example 1.
#[test]
fn ccm_gives_the_known_answer_whole_and_in_parts() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::aes(&hex("404142434445464748494a4b4c4d4e4f"))).unwrap();
        let (nonce, aad) = (hex("10111213141516"), hex("0001020304050607"));
        let (plain, sealed) = (hex("20212223"), hex("7162015b4dac255d"));
        let params = ccm(4, &nonce, &aad, 4);
        let how = with_struct(ck::CKM_AES_CCM, &params);
        assert_eq!(session.encrypt(&how, key, &plain).unwrap(), sealed);
        assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), plain);
        assert_eq!(in_parts(&session, &how, key, &plain, 3), sealed);
        assert_eq!(back_in_parts(&session, &how, key, &sealed, 3), plain);
    });
}

#[test]
fn a_message_of_another_length_than_was_announced_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = key(&session, 16);
        let params = ccm(20, &NONCE[..13], b"", 8);
        let how = with_struct(ck::CKM_AES_CCM, &params);
        for wrong in [0, 19, 21] {
            let made = session.encrypt(&how, key, &some_bytes(wrong));
            made.refused(ck::CKR_DATA_LEN_RANGE);
        }
        session.encrypt_init(&how, key).unwrap();
        session.encrypt_update(&some_bytes(21)).refused(ck::CKR_DATA_LEN_RANGE);
        session.encrypt_init(&how, key).unwrap();
        session.encrypt_update(&some_bytes(7)).unwrap();
        session.encrypt_final().refused(ck::CKR_DATA_LEN_RANGE);
        for wrong in [0, 7, 27, 29] {
            let made = session.decrypt(&how, key, &some_bytes(wrong));
            made.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
        let good = ccm(20, &NONCE[..13], b"", 8);
        for wrong in [
            ck::CK_CCM_PARAMS { ulNonceLen: 6, ..good },
            ck::CK_CCM_PARAMS { ulNonceLen: 14, ..good },
            ck::CK_CCM_PARAMS { pNonce: null_mut(), ..good },
            ck::CK_CCM_PARAMS { ulMACLen: 0, ..good },
            ck::CK_CCM_PARAMS { ulMACLen: 5, ..good },
            ck::CK_CCM_PARAMS { ulMACLen: 18, ..good },
            ck::CK_CCM_PARAMS { ulAADLen: 1, ..good },
            ck::CK_CCM_PARAMS { ulDataLen: 1 << 16, ..good },
            ck::CK_CCM_PARAMS { ulDataLen: ck::CK_ULONG::MAX, ..good },
        ] {
            let how = with_struct(ck::CKM_AES_CCM, &wrong);
            session.encrypt_init(&how, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
            session.decrypt_init(&how, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

#[test]
fn nothing_of_a_forged_message_is_seen() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, chacha) = (key(&session, 32), chacha_key(&session));
        let (ccm, poly) = (ccm(50, &NONCE[..12], b"", 16), chacha_poly(&NONCE, 192));
        for (how, key) in [
            (with_struct(ck::CKM_AES_CCM, &ccm), aes),
            (with_struct(ck::CKM_CHACHA20_POLY1305, &poly), chacha),
        ] {
            let sealed = session.encrypt(&how, key, &some_bytes(50)).unwrap();
            for place in [0, 49, 50, 65] {
                let mut forged = sealed.clone();
                forged[place] ^= 1;
                session.decrypt_init(&how, key).unwrap();
                let (data, data_len) = input(&forged);
                let (rv, _, room) = lend_room(50, |out, out_len| {
                    call!(session, C_Decrypt(session.handle, data, data_len, out, out_len))
                });
                rv.is_one_of(&[ck::CKR_ENCRYPTED_DATA_INVALID, ck::CKR_AEAD_DECRYPT_FAILED]);
                assert!(
                    !room.windows(8).any(|part| some_bytes(50).windows(8).any(|own| own == part))
                );
                session.decrypt_init(&how, key).unwrap();
                for part in forged.chunks(9) {
                    assert_eq!(session.decrypt_update(part).unwrap(), b"");
                }
                let refused = session.decrypt_final().expect_err("a forged message");
                refused.is_one_of(&[ck::CKR_ENCRYPTED_DATA_INVALID, ck::CKR_AEAD_DECRYPT_FAILED]);
            }
            let (data, data_len) = input(&sealed);
            session.decrypt_init(&how, key).unwrap();
            let (rv, needed, _) = lend_room(49, |out, out_len| {
                call!(session, C_Decrypt(session.handle, data, data_len, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert!(needed >= 50);
            let (rv, written, _) = lend_room(50, |out, out_len| {
                call!(session, C_Decrypt(session.handle, data, data_len, out, out_len))
            });
            rv.is(ck::CKR_OK);
            assert_eq!(written, 50);
        }
    });
}

/// RFC 8439, section 2.4.2.
#[test]
fn chacha20_gives_the_known_answer_and_never_begins_anew() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let value: Vec<u8> = (0..32).collect();
        let key = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_CHACHA20,
            CKA_ENCRYPT => true, CKA_DECRYPT => true,
        };
        let key = session.create(&key.and(ck::CKA_VALUE, &value[..])).unwrap();
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                      the future, sunscreen would be it.";
        let sealed = hex("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b\
                          f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8\
                          07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736\
                          5af90bbf74a35be6b40b8eedf2785e42874d");
        let nonce = hex("000000000000004a00000000");
        let params = chacha(&[1, 0, 0, 0], &nonce);
        let how = with_struct(ck::CKM_CHACHA20, &params);
        assert_eq!(session.encrypt(&how, key, plain).unwrap(), sealed);
        assert_eq!(in_parts(&session, &how, key, plain, 7), sealed);
        assert_eq!(back_in_parts(&session, &how, key, &sealed, 65), plain);
        let last = chacha(&[0xff; 4], &nonce);
        let how = with_struct(ck::CKM_CHACHA20, &last);
        session.encrypt(&how, key, &[0; 64]).unwrap();
        session.encrypt(&how, key, &[0; 65]).refused(ck::CKR_DATA_LEN_RANGE);
        session.decrypt(&how, key, &[0; 65]).refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        session.encrypt_init(&how, key).unwrap();
        session.encrypt_update(&[0; 60]).unwrap();
        session.encrypt_update(&[0; 5]).refused(ck::CKR_DATA_LEN_RANGE);
        for wrong in [
            ck::CK_CHACHA20_PARAMS { ulNonceBits: 95, ..params },
            ck::CK_CHACHA20_PARAMS { ulNonceBits: 0, ..params },
            ck::CK_CHACHA20_PARAMS { ulNonceBits: ck::CK_ULONG::MAX, ..params },
            ck::CK_CHACHA20_PARAMS { pNonce: null_mut(), ..params },
            ck::CK_CHACHA20_PARAMS { blockCounterBits: 16, ..params },
            ck::CK_CHACHA20_PARAMS { blockCounterBits: ck::CK_ULONG::MAX, ..params },
            ck::CK_CHACHA20_PARAMS { pBlockCounter: null_mut(), ..params },
        ] {
            let how = with_struct(ck::CKM_CHACHA20, &wrong);
            session.encrypt_init(&how, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

#[test]
fn a_nonce_may_be_counted_in_bytes_and_has_no_other_lengths() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = chacha_key(&session);
        for (bits, bytes) in [(96, 12), (192, 24)] {
            let nonce = &NONCE[..bytes];
            let (right, lenient) = (chacha_poly(nonce, bits), chacha_poly(nonce, len(bytes)));
            let how = with_struct(ck::CKM_CHACHA20_POLY1305, &right);
            let sealed = session.encrypt(&how, key, b"message").unwrap();
            assert_eq!(sealed.len(), 7 + 16);
            let how = with_struct(ck::CKM_CHACHA20_POLY1305, &lenient);
            assert_eq!(session.decrypt(&how, key, &sealed).unwrap(), b"message");
        }
        for bits in [0, 13, 64, 95, 128, 256, ck::CK_ULONG::MAX] {
            let wrong = chacha_poly(&NONCE, bits);
            let how = with_struct(ck::CKM_CHACHA20_POLY1305, &wrong);
            session.encrypt_init(&how, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let aes = crate::aes::key(&session, 32);
        let right = chacha_poly(&NONCE, 192);
        let how = with_struct(ck::CKM_CHACHA20_POLY1305, &right);
        session.encrypt_init(&how, aes).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}

/// RFC 4493, example 3; RFC 8439, section 2.5.2.
#[test]
fn codes_of_block_and_stream_ciphers() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let aes = session.create(&known::aes(&hex("2b7e151628aed2a6abf7158809cf4f3c"))).unwrap();
        session.set(aes, &template! { CKA_SIGN => true, CKA_VERIFY => true }).unwrap();
        let message = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                           30c81c46a35ce411");
        let full = hex("dfa66747de9ae63030ca32611497c827");
        let how = plain(ck::CKM_AES_CMAC);
        assert_eq!(session.sign(&how, aes, &message).unwrap(), full);
        assert_eq!(session.sign_parts(&how, aes, &[&message[..5], &message[5..]]).unwrap(), full);
        session.verify(&how, aes, &message, &full).unwrap();
        session.verify(&how, aes, &message, &full[..15]).refused(ck::CKR_SIGNATURE_LEN_RANGE);
        let length: ck::CK_MAC_GENERAL_PARAMS = 8;
        let short = with_struct(ck::CKM_AES_CMAC_GENERAL, &length);
        assert_eq!(session.sign(&short, aes, &message).unwrap(), full[..8]);
        let wrong = [&full[..7], &[0]].concat();
        session.verify(&short, aes, &message, &wrong).refused(ck::CKR_SIGNATURE_INVALID);
        for length in [0, 17, ck::CK_ULONG::MAX] {
            let how = with_struct(ck::CKM_AES_CMAC_GENERAL, &length);
            session.sign_init(&how, aes).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let poly = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_POLY1305,
            CKA_SIGN => true, CKA_VERIFY => true,
        };
        let value = hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
        let poly = session.create(&poly.and(ck::CKA_VALUE, &value[..])).unwrap();
        let how = plain(ck::CKM_POLY1305);
        let code = session.sign(&how, poly, b"Cryptographic Forum Research Group").unwrap();
        assert_eq!(code, hex("a8061dc1305136c6c22b8baf0c0127a9"));
        session.sign_init(&how, aes).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}

/// RFC 3566, section 4, test case 4.
#[test]
fn xcbc_mac_has_two_lengths_and_takes_keys_of_16_bytes_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let aes = |size: u8| {
            let value: Vec<u8> = (0..size).collect();
            let key = session.create(&known::aes(&value)).unwrap();
            session.set(key, &template! { CKA_SIGN => true, CKA_VERIFY => true }).unwrap();
            key
        };
        let (key, message) = (aes(16), (0..20).collect::<Vec<u8>>());
        let full = hex("47f51b4564966215b8985c63055ed308");
        for (number, code) in
            [(ck::CKM_AES_XCBC_MAC, &full[..]), (ck::CKM_AES_XCBC_MAC_96, &full[..12])]
        {
            let how = plain(number);
            assert_eq!(session.sign(&how, key, &message).unwrap(), code);
            for place in [0, 1, 15, 16, 17, 20] {
                let parts = message.split_at(place);
                let made = session.sign_parts(&how, key, &[parts.0, parts.1]).unwrap();
                assert_eq!(made, code, "{place}");
            }
            session.verify(&how, key, &message, code).unwrap();
            session.verify(&how, key, &message[1..], code).refused(ck::CKR_SIGNATURE_INVALID);
            let shorter = &code[1..];
            session.verify(&how, key, &message, shorter).refused(ck::CKR_SIGNATURE_LEN_RANGE);
            session.message_sign_init(&how, key).unwrap();
            for _ in 0..2 {
                assert_eq!(session.sign_message(&message).unwrap(), code);
            }
            call!(session, C_MessageSignFinal(session.handle)).is(ck::CKR_OK);
            for other in [24, 32] {
                let other = aes(other);
                session.sign_init(&how, other).refused(ck::CKR_KEY_SIZE_RANGE);
                session.verify_init(&how, other).refused(ck::CKR_KEY_SIZE_RANGE);
            }
            let generic = session.create(&known::generic(&[3; 16])).unwrap();
            session.sign_init(&how, generic).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
            let with = with_bytes(number, &[0; 8]);
            session.sign_init(&with, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
            let info = token.module.mechanism_info(token.slot, number).unwrap();
            assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (16, 16));
        }
    });
}

#[test]
fn a_data_unit_of_xts_is_taken_whole() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let asked = template! { CKA_VALUE_LEN => 64_u64 };
        let key = session.generate(&plain(ck::CKM_AES_XTS_KEY_GEN), &asked).unwrap();
        let how = with_bytes(ck::CKM_AES_XTS, &NONCE[..16]);
        for length in [16, 17, 100] {
            let sealed = session.encrypt(&how, key, &some_bytes(length)).unwrap();
            assert_eq!(sealed.len(), length);
            assert_eq!(in_parts(&session, &how, key, &some_bytes(length), 5), sealed);
            assert_eq!(back_in_parts(&session, &how, key, &sealed, 5), some_bytes(length));
        }
        session.encrypt(&how, key, &some_bytes(15)).refused(ck::CKR_DATA_LEN_RANGE);
        session.decrypt(&how, key, &some_bytes(15)).refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        let short = with_bytes(ck::CKM_AES_XTS, &NONCE[..15]);
        session.encrypt_init(&short, key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        for wrong in [16_u64, 32, 65] {
            let asked = template! { CKA_VALUE_LEN => wrong };
            let made = session.generate(&plain(ck::CKM_AES_XTS_KEY_GEN), &asked);
            made.refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}
