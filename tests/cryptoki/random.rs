//! Random numbers. PKCS#11 3.2, "Random number generation functions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::lend_room;
use crate::support::{Refused, Rv, call, isolated};

#[test]
fn random_bytes_never_come_twice() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let mut seen: Vec<Vec<u8>> = (0..200).map(|_| session.random(16).unwrap()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 200);
        let long = session.random(100_000).unwrap();
        let ones: u32 = long.iter().map(|byte| byte.count_ones()).sum();
        assert!((395_000..405_000).contains(&ones), "{ones} of 800000 bits are set");
    });
}

#[test]
fn exactly_as_many_bytes_as_asked_for_are_written() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        for length in [1, 7, 64, 4097] {
            let (rv, _, bytes) = lend_room(length, |out, out_len| {
                // SAFETY: `lend_room` gives the address of a live length.
                let length = unsafe { *out_len };
                call!(session, C_GenerateRandom(session.handle, out, length))
            });
            assert_eq!(rv, Rv(ck::CKR_OK));
            assert!(length < 64 || bytes.iter().any(|&byte| byte != bytes[0]));
        }
    });
}

#[test]
fn null_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        call!(session, C_GenerateRandom(session.handle, null_mut(), 8)).is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_SeedRandom(session.handle, null_mut(), 8)).is(ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn a_seed_is_accepted_and_makes_nothing_predictable() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let seeded = || {
            session.seed_random(b"always the same seed").unwrap();
            session.random(32).unwrap()
        };
        assert_ne!(seeded(), seeded());
        session.close().unwrap();
        session.seed_random(b"late").refused(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn absurd_lengths_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.read_only();
        let mut byte = 0;
        for length in [1 << 31, 1 << 40, ck::CK_ULONG::MAX] {
            let (s, out) = (session.handle, &raw mut byte);
            call!(session, C_GenerateRandom(s, out, length)).is(ck::CKR_ARGUMENTS_BAD);
            call!(session, C_SeedRandom(s, out, length)).is(ck::CKR_ARGUMENTS_BAD);
        }
    });
}
