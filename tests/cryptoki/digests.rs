//! Digests. PKCS#11 3.2, "Message digesting functions"; "SHA-1", "SHA-224" to "SHA-512".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{input, lend_room, plain, with_bytes};
use crate::support::{Refused, Rv, Session, call, isolated, template};

/// Mechanism, digest of nothing, digest of "abc".
#[rustfmt::skip]
const KNOWN: &[(ck::CK_MECHANISM_TYPE, &str, &str)] = &[
    (
        ck::CKM_SHA_1,
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
    ),
    (
        ck::CKM_SHA224,
        "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    ),
    (
        ck::CKM_SHA256,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        ck::CKM_SHA384,
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743\
         4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163\
         1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        ck::CKM_SHA512,
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
];

/// A session of nobody: digests need no login.
fn begin(session: &Session<'_>) {
    session.digest_init(&plain(ck::CKM_SHA256)).expect("C_DigestInit");
}

#[test]
fn known_answers_in_one_call() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        for (mechanism, nothing, abc) in KNOWN {
            assert_eq!(session.digest(&plain(*mechanism), b"").unwrap(), hex(nothing));
            assert_eq!(session.digest(&plain(*mechanism), b"abc").unwrap(), hex(abc));
        }
    });
}

#[test]
fn known_answers_in_parts() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        for (mechanism, nothing, abc) in KNOWN {
            session.digest_init(&plain(*mechanism)).unwrap();
            assert_eq!(session.digest_final().unwrap(), hex(nothing));
            session.digest_init(&plain(*mechanism)).unwrap();
            for part in [b"a".as_slice(), b"", b"bc"] {
                session.digest_update(part).unwrap();
            }
            assert_eq!(session.digest_final().unwrap(), hex(abc));
        }
    });
}

#[test]
fn parts_of_any_size_give_the_digest_of_the_whole() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let data: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        for (mechanism, ..) in KNOWN {
            let whole = session.digest(&plain(*mechanism), &data).unwrap();
            session.digest_init(&plain(*mechanism)).unwrap();
            let (mut rest, mut size) = (data.as_slice(), 1);
            while !rest.is_empty() {
                let (part, after) = rest.split_at(size.min(rest.len()));
                session.digest_update(part).unwrap();
                (rest, size) = (after, size * 3 + 1);
            }
            assert_eq!(session.digest_final().unwrap(), whole);
        }
    });
}

#[test]
fn what_is_no_digest_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        for mechanism in [ck::CKM_VENDOR_DEFINED, ck::CKM_AES_ECB, ck::CKM_ECDSA] {
            session.digest_init(&plain(mechanism)).refused(ck::CKR_MECHANISM_INVALID);
        }
        let odd = with_bytes(ck::CKM_SHA256, b"a parameter");
        session.digest_init(&odd).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        call!(session, C_DigestInit(session.handle, null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        session.digest_update(b"x").refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn a_digest_runs_from_its_init_to_its_end() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let idle = ck::CKR_OPERATION_NOT_INITIALIZED;
        session.digest_update(b"x").refused(idle);
        session.digest_data(b"x").refused(idle);
        session.digest_final().refused(idle);
        call!(session, C_DigestKey(session.handle, 1)).is(idle);
        begin(&session);
        let again = session.digest_init(&plain(ck::CKM_SHA512));
        again.refused(ck::CKR_OPERATION_ACTIVE);
        assert_eq!(session.digest_data(b"abc").unwrap(), hex(KNOWN[2].2), "the first goes on");
        session.digest_data(b"abc").refused(idle);
    });
}

#[test]
fn one_call_after_parts_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        begin(&session);
        session.digest_update(b"a part").unwrap();
        session.digest_data(b"the rest").refused(ck::CKR_OPERATION_ACTIVE);
    });
}

#[test]
fn bad_pointers_end_a_digest() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let (s, (data, data_len)) = (session.handle, input(b"abc"));
        let (mut room, mut length) = ([0; 32], 32);
        let (out, out_len) = (room.as_mut_ptr(), &raw mut length);
        let calls: [(&str, &dyn Fn() -> Rv); 3] = [
            ("no data", &|| call!(session, C_Digest(s, null_mut(), 3, null_mut(), out_len))),
            ("no data, room", &|| call!(session, C_Digest(s, null_mut(), 3, out, out_len))),
            ("no length", &|| call!(session, C_Digest(s, data, data_len, out, null_mut()))),
        ];
        for (what, call) in calls {
            begin(&session);
            assert_eq!(call(), Rv(ck::CKR_ARGUMENTS_BAD), "{what}");
            session.digest_data(b"abc").refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        }
    });
}

#[test]
fn too_little_room_leaves_a_digest_alive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        begin(&session);
        let (s, (data, data_len)) = (session.handle, input(b"abc"));
        for room in [0, 1, 31] {
            let (rv, needed, _) = lend_room(room, |out, out_len| {
                call!(session, C_Digest(s, data, data_len, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 32);
        }
        session.digest_update(b"abc").unwrap();
        let (rv, needed, _) =
            lend_room(8, |out, out_len| call!(session, C_DigestFinal(s, out, out_len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 32);
        assert_eq!(session.digest_final().unwrap(), hex(KNOWN[2].2));
    });
}

#[test]
fn a_digest_may_be_written_over_its_input() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        for offset in [0, 1, 2] {
            begin(&session);
            let mut bytes = [0; 64];
            bytes[..3].copy_from_slice(b"abc");
            let mut length = 32;
            let start = bytes.as_mut_ptr();
            let out = start.wrapping_add(offset);
            call!(session, C_Digest(session.handle, start, 3, out, &raw mut length)).is(ck::CKR_OK);
            assert_eq!(bytes[offset..offset + 32], hex(KNOWN[2].2));
        }
    });
}

#[test]
fn the_value_of_a_secret_key_can_be_digested() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let open = template! {
            CKA_PRIVATE => false, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
        };
        let key = session.create(&known::generic(b"abc").with(open)).unwrap();
        begin(&session);
        call!(session, C_DigestKey(session.handle, 0)).is(ck::CKR_KEY_HANDLE_INVALID);
        call!(session, C_DigestKey(session.handle, key + 1000)).is(ck::CKR_KEY_HANDLE_INVALID);
        call!(session, C_DigestKey(session.handle, key)).is(ck::CKR_OK);
        assert_eq!(session.digest_final().unwrap(), hex(KNOWN[2].2));
    });
}

#[test]
fn keys_that_are_not_secret_keys_cannot_be_digested() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for key in [known::p256_private(), known::p256_public()] {
            let key = session.create(&key).unwrap();
            begin(&session);
            call!(session, C_DigestKey(session.handle, key)).is(ck::CKR_KEY_INDIGESTIBLE);
            call!(session, C_DigestInit(session.handle, null_mut())).is(ck::CKR_OK);
        }
    });
}

#[test]
fn digests_in_different_sessions_do_not_mix() {
    isolated(|bench| {
        let token = bench.token();
        let sessions: Vec<_> = (0..4).map(|_| token.read_only()).collect();
        sessions.iter().for_each(begin);
        for part in [b"a", b"b", b"c"] {
            sessions.iter().for_each(|session| session.digest_update(part).unwrap());
        }
        for session in sessions {
            assert_eq!(session.digest_final().unwrap(), hex(KNOWN[2].2));
        }
    });
}
