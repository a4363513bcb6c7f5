//! Wrapping with AES-GCM, and with data that is authenticated along. PKCS#11 3.2, C_WrapKey with
//! CK_GCM_PARAMS and CK_GCM_WRAP_PARAMS, C_WrapKeyAuthenticated, C_UnwrapKeyAuthenticated.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known;
use crate::support::operations::{lend_room, plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, call, isolated, template};
use crate::wrapping::{asked, open, open_secret, wrapping_key};

const IV: [u8; 12] = *b"twelve bytes";

fn message(
    iv: &mut [u8],
    tag: &mut [u8],
    generator: ck::CK_GENERATOR_FUNCTION,
    fixed: ck::CK_ULONG,
) -> ck::CK_GCM_MESSAGE_PARAMS {
    ck::CK_GCM_MESSAGE_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: len(iv.len()),
        ulIvFixedBits: fixed,
        ivGenerator: generator,
        pTag: tag.as_mut_ptr(),
        ulTagBits: len(tag.len() * 8),
    }
}

fn wrap_params(
    iv: &mut [u8],
    generator: ck::CK_GENERATOR_FUNCTION,
    fixed: ck::CK_ULONG,
    aad: &[u8],
) -> ck::CK_GCM_WRAP_PARAMS {
    ck::CK_GCM_WRAP_PARAMS {
        pIv: iv.as_mut_ptr(),
        ulIvLen: len(iv.len()),
        ulIvFixedBits: fixed,
        ivGenerator: generator,
        pAAD: aad.as_ptr().cast_mut(),
        ulAADLen: len(aad.len()),
        ulTagBits: 128,
    }
}

#[test]
fn a_wrapped_key_comes_back_with_the_same_data_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for (template, class, key_type) in [
            (open_secret(ck::CKK_AES, &[3; 24]), ck::CKO_SECRET_KEY, ck::CKK_AES),
            (open(known::p256_private()), ck::CKO_PRIVATE_KEY, ck::CKK_EC),
            (open(known::rsa_private()), ck::CKO_PRIVATE_KEY, ck::CKK_RSA),
        ] {
            let key = session.create(&template).unwrap();
            let asked = asked(class, key_type);
            let (mut iv, mut tag) = (IV, [0; 16]);
            let parameter = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            let wrapped = session.wrap_authenticated(&how, (by, key), b"the data").unwrap();
            assert_eq!(iv, IV);
            assert_ne!(tag, [0; 16], "the tag comes back in the parameter");
            let back =
                session.unwrap_authenticated(&how, by, (&wrapped, b"the data"), &asked).unwrap();
            for same in [ck::CKA_VALUE, ck::CKA_PUBLIC_KEY_INFO, ck::CKA_MODULUS] {
                assert_eq!(session.get(back, same), session.get(key, same));
            }
            for data in [&b"the Data"[..], b"", b"the data "] {
                let back = session.unwrap_authenticated(&how, by, (&wrapped, data), &asked);
                back.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
            let mut changed = wrapped.clone();
            changed[0] ^= 1;
            let back = session.unwrap_authenticated(&how, by, (&changed, b"the data"), &asked);
            back.refused(ck::CKR_WRAPPED_KEY_INVALID);
            let good = tag;
            for (wrong_iv, wrong_tag) in [(*b"twelve Bytes", good), (IV, [9; 16])] {
                let (mut iv, mut tag) = (wrong_iv, wrong_tag);
                let parameter = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
                let how = with_struct(ck::CKM_AES_GCM, &parameter);
                let back = session.unwrap_authenticated(&how, by, (&wrapped, b"the data"), &asked);
                back.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
        }
    });
}

/// What C_WrapKeyAuthenticated gives is what C_Encrypt gives, with the tag apart.
#[test]
fn it_is_gcm_over_the_keys_bytes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        let key = session.create(&open_secret(ck::CKK_AES, &[3; 32])).unwrap();
        let (mut iv, mut tag) = (IV, [0; 12]);
        let parameter = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let wrapped = session.wrap_authenticated(&how, (by, key), b"the data").unwrap();
        let gcm = ck::CK_GCM_PARAMS {
            pIv: IV.as_ptr().cast_mut(),
            ulIvLen: 12,
            ulIvBits: 96,
            pAAD: b"the data".as_ptr().cast_mut(),
            ulAADLen: 8,
            ulTagBits: 96,
        };
        let how = with_struct(ck::CKM_AES_GCM, &gcm);
        let sealed = session.encrypt(&how, by, &[3; 32]).unwrap();
        assert_eq!(sealed, [&wrapped[..], &tag].concat());
        assert_eq!(session.wrap(&how, by, key).unwrap(), sealed);
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let back = session.unwrap_key(&how, by, &sealed, &asked).unwrap();
        session.has(back, ck::CKA_VALUE, &[3; 32]);
    });
}

#[test]
fn the_token_makes_vectors_and_keeps_fixed_bits() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        let key = session.create(&open_secret(ck::CKK_AES, &[3; 16])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let mut seen = Vec::new();
        for generator in [ck::CKG_GENERATE, ck::CKG_GENERATE_RANDOM] {
            for fixed in [0, 4, 32] {
                let (mut iv, mut tag) = ([0xff; 12], [0; 16]);
                let parameter = message(&mut iv, &mut tag, generator, fixed);
                let how = with_struct(ck::CKM_AES_GCM, &parameter);
                let wrapped = session.wrap_authenticated(&how, (by, key), b"").unwrap();
                assert_ne!(iv, [0xff; 12]);
                match fixed {
                    32 => assert_eq!(iv[..4], [0xff; 4]),
                    4 => assert_eq!(iv[0] & 0xf0, 0xf0),
                    _ => {}
                }
                seen.push(iv);
                let back = session.unwrap_authenticated(&how, by, (&wrapped, b""), &asked).unwrap();
                session.has(back, ck::CKA_VALUE, &[3; 16]);
                let (mut iv, aad) = ([0xff; 12], *b"the data");
                let parameter = wrap_params(&mut iv, generator, fixed, &aad);
                let how = with_struct(ck::CKM_AES_GCM, &parameter);
                let wrapped = session.wrap(&how, by, key).unwrap();
                assert_ne!(iv, [0xff; 12]);
                assert_eq!(wrapped.len(), 32);
                seen.push(iv);
                let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
                session.has(back, ck::CKA_VALUE, &[3; 16]);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 12, "a vector came twice");
    });
}

#[test]
fn wrong_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        let key = session.create(&open_secret(ck::CKK_AES, &[3; 16])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let (mut iv, mut tag) = (IV, [0; 16]);
        let right = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
        let wrong = [
            ("no IV", ck::CK_GCM_MESSAGE_PARAMS { ulIvLen: 0, ..right }),
            ("a NULL IV", ck::CK_GCM_MESSAGE_PARAMS { pIv: null_mut(), ..right }),
            ("an endless IV", ck::CK_GCM_MESSAGE_PARAMS { ulIvLen: ck::CK_ULONG::MAX, ..right }),
            ("a NULL tag", ck::CK_GCM_MESSAGE_PARAMS { pTag: null_mut(), ..right }),
            ("no tag", ck::CK_GCM_MESSAGE_PARAMS { ulTagBits: 0, ..right }),
            ("a tag of 100 bits", ck::CK_GCM_MESSAGE_PARAMS { ulTagBits: 100, ..right }),
            ("an endless tag", ck::CK_GCM_MESSAGE_PARAMS { ulTagBits: ck::CK_ULONG::MAX, ..right }),
            ("an unknown generator", ck::CK_GCM_MESSAGE_PARAMS { ivGenerator: 99, ..right }),
        ];
        let refused = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for (what, parameter) in wrong {
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            let wrapped = session.wrap_authenticated(&how, (by, key), b"");
            wrapped.err().unwrap_or_else(|| panic!("{what} was taken")).is_one_of(refused);
            if parameter.ivGenerator != ck::CKG_NO_GENERATE {
                // Unwrapping makes no vector, whoever made it.
                continue;
            }
            let back = session.unwrap_authenticated(&how, by, (&[0; 16], b""), &asked);
            back.err().unwrap_or_else(|| panic!("{what} was taken")).is_one_of(refused);
        }
        for (generator, fixed) in [
            (ck::CKG_GENERATE, 96),
            (ck::CKG_GENERATE, 33),
            (ck::CKG_GENERATE, ck::CK_ULONG::MAX),
            (ck::CKG_GENERATE_COUNTER, 32),
            (ck::CKG_GENERATE_COUNTER_XOR, 32),
        ] {
            let parameter =
                ck::CK_GCM_MESSAGE_PARAMS { ivGenerator: generator, ulIvFixedBits: fixed, ..right };
            let how = with_struct(ck::CKM_AES_GCM, &parameter);
            let wrapped = session.wrap_authenticated(&how, (by, key), b"");
            wrapped.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        // Each function has its own structure, and most mechanisms have no such function.
        let gcm = plain(ck::CKM_AES_GCM);
        session.wrap_authenticated(&gcm, (by, key), b"").refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let other = plain(ck::CKM_AES_KEY_WRAP);
        session.wrap_authenticated(&other, (by, key), b"").refused(ck::CKR_MECHANISM_INVALID);
        let back = session.unwrap_authenticated(&other, by, (&[0; 24], b""), &asked);
        back.refused(ck::CKR_MECHANISM_INVALID);
        let aad = [0; 4];
        let wrapping = wrap_params(&mut iv, ck::CKG_GENERATE, 0, &aad);
        let how = with_struct(ck::CKM_AES_GCM, &wrapping);
        session.encrypt_init(&how, by).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn the_rules_of_wrapping_hold_with_data_too() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        let (mut iv, mut tag) = (IV, [0; 16]);
        let parameter = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let wrap = |by, key| session.wrap_authenticated(&how, (by, key), b"");
        let kept = known::aes(&[1; 16]).and(ck::CKA_EXTRACTABLE, false);
        let kept = session.create(&kept).unwrap();
        wrap(by, kept).refused(ck::CKR_KEY_UNEXTRACTABLE);
        let wants = open_secret(ck::CKK_AES, &[1; 16]).and(ck::CKA_WRAP_WITH_TRUSTED, true);
        let wants = session.create(&wants).unwrap();
        wrap(by, wants).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        wrap(0, wants).refused(ck::CKR_WRAPPING_KEY_HANDLE_INVALID);
        wrap(by, 0).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.set(by, &template! { CKA_WRAP => false, CKA_UNWRAP => false }).unwrap();
        let key = session.create(&open_secret(ck::CKK_AES, &[1; 16])).unwrap();
        wrap(by, key).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let back = session.unwrap_authenticated(&how, by, (&[0; 16], b""), &asked);
        back.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
    });
}

#[test]
fn data_and_room_may_be_the_same_memory_and_short_rooms_are_left_alone() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (s, by) = (session.handle, wrapping_key(&session, &[7; 32]));
        let key = session.create(&open_secret(ck::CKK_AES, &[3; 16])).unwrap();
        let (mut iv, mut tag) = (IV, [0; 16]);
        let parameter = message(&mut iv, &mut tag, ck::CKG_NO_GENERATE, 0);
        let how = with_struct(ck::CKM_AES_GCM, &parameter);
        let wrapped = session.wrap_authenticated(&how, (by, key), &[0xab; 16]).unwrap();
        let (mut c, mut room, mut length, right) = (how.c, [0xab; 16], 16, tag);
        let (m, start) = (&raw mut c, room.as_mut_ptr());
        call!(session, C_WrapKeyAuthenticated(s, m, by, key, start, 16, start, &raw mut length))
            .is(ck::CKR_OK);
        assert_eq!((&room[..], tag), (&wrapped[..], right));
        tag.fill(0);
        for room in [0, 15] {
            let (rv, needed, _) = lend_room(room, |out, out_len| {
                call!(session, C_WrapKeyAuthenticated(s, m, by, key, null_mut(), 0, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!((needed, tag), (16, [0; 16]), "no tag without a wrapped key");
        }
    });
}
