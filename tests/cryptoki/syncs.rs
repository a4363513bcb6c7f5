//! What is acknowledged outlives a power cut, and waits for the disk no more often than it must.

use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::syncs::during;
use crate::support::{USER_PIN, isolated, template};

/// A bundle of the log holds so many leaves; an object that is made has two.
const BUNDLE: u64 = 256;

#[test]
fn an_object_is_made_with_two_syncs() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let wanted = template! {
            CKA_CLASS => ck::CKO_DATA,
            CKA_TOKEN => true,
            CKA_LABEL => "lasting",
            CKA_VALUE => b"value".as_slice(),
        };
        let made: Vec<u64> = (0..2 * BUNDLE)
            .map(|_| during(|| assert!(session.create(&wanted).is_ok(), "C_CreateObject")))
            .collect();
        // The log's entries and the database: with fewer it could not be there after a power cut.
        assert!(made.iter().all(|syncs| *syncs >= 2), "{made:?}");
        // The rest is for a new bundle and its directory, a tile of hashes, and for the database
        // when its own log is full.
        let more = made.iter().filter(|syncs| **syncs > 2).count();
        let all: u64 = made.iter().sum();
        assert!(more <= 32 && all <= 4 * BUNDLE + 96, "{more} of {made:?}");
    });
}

#[test]
fn a_pair_of_keys_is_made_with_two_syncs() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
        let curve = crate::support::known::P256;
        let public = template! { CKA_EC_PARAMS => curve, CKA_TOKEN => true };
        let private = template! { CKA_TOKEN => true };
        let made: Vec<u64> = (0..20)
            .map(|_| during(|| assert!(session.generate_pair(&how, &public, &private).is_ok())))
            .collect();
        assert!(made.iter().all(|syncs| *syncs >= 2), "{made:?}");
        assert!(made.iter().filter(|syncs| **syncs == 2).count() >= 18, "{made:?}");
    });
}

#[test]
fn a_use_waits_for_no_disk_and_a_login_for_little() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        let wanted = template! { CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64, CKA_SIGN => true };
        let key = session.generate(&how, &wanted).expect("a key");
        let hmac = plain(ck::CKM_SHA256_HMAC);
        let used: Vec<u64> = (0..200)
            .map(|_| during(|| assert!(session.sign(&hmac, key, b"data").is_ok(), "C_Sign")))
            .collect();
        // One of them may be the first of a second.
        assert!(used.iter().filter(|syncs| **syncs == 0).count() >= 190, "{used:?}");

        let mut logins = Vec::new();
        for _ in 0..8 {
            let out = during(|| session.logout().expect("C_Logout"));
            let again = during(|| session.login(ck::CKU_USER, USER_PIN).expect("C_Login"));
            logins.push((again, out));
        }
        // A login counts a try down and up again, makes a lane, and says so in the log; a logout
        // puts all of it into the log.
        assert!(logins.iter().filter(|it| it.0 <= 6 && it.1 <= 2).count() >= 6, "{logins:?}");
    });
}
