//! Published attacks on PKCS#11 tokens, as `docs/known-attacks.md` tells them: those that no
//! other chapter tries. The names of Clulow (2003), Tookan (Bortolozzo and others, 2010) and
//! others stand there.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{plain, with_bytes, with_struct};
use crate::support::{Refused, Session, Template, isolated, template};
use crate::wrapping::{asked, open_secret, wrapping_key};
use crate::wrapping_rules::trusted_key;

/// A key of the token that must never be known, but may leave.
fn precious(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    let precious = known::aes(&[0x77; 32]).with(template! {
        CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true,
        CKA_WRAP_WITH_TRUSTED => true,
    });
    session.create(&precious).expect("a precious key")
}

/// Everything that wraps, with parameters that fit.
const WRAPS: [ck::CK_MECHANISM_TYPE; 5] = [
    ck::CKM_AES_KEY_WRAP,
    ck::CKM_AES_KEY_WRAP_KWP,
    ck::CKM_AES_KEY_WRAP_PAD,
    ck::CKM_AES_KEY_WRAP_PKCS7,
    ck::CKM_AES_ECB,
];

#[test]
fn wrapped_under_a_key_that_decrypts_no_token_key_is_given_away() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (precious, own) = (precious(&session), wrapping_key(&session, &[1; 16]));
        let generated = template! { CKA_VALUE_LEN => 16_u64, CKA_TOKEN => true };
        let generated = session.generate(&plain(ck::CKM_AES_KEY_GEN), &generated).unwrap();
        let public = session.create(&known::rsa_public()).unwrap();
        for mechanism in WRAPS {
            for by in [own, generated] {
                let wrapped = session.wrap(&plain(mechanism), by, precious);
                wrapped.refused(ck::CKR_KEY_NOT_WRAPPABLE);
            }
        }
        let wrapped = session.wrap(&plain(ck::CKM_RSA_PKCS), public, precious);
        wrapped.refused(ck::CKR_KEY_NOT_WRAPPABLE);
    });
}

/// Wrap a known key with the parameters that another was wrapped with. In a counter mode the two
/// ciphertexts and the known value give the other value.
#[test]
fn a_known_key_wrapped_beside_another_gives_nothing_away() {
    isolated(|bench| {
        let token = bench.token();
        let trusted = trusted_key(&token, template! {});
        let session = token.public();
        let precious = precious(&session);
        let known = session.create(&open_secret(ck::CKK_AES, &[0x11; 32])).unwrap();
        let nonce = [7_u8; 12];
        let gcm = ck::CK_GCM_PARAMS {
            pIv: nonce.as_ptr().cast_mut(),
            ulIvLen: 12,
            ulIvBits: 96,
            pAAD: null_mut(),
            ulAADLen: 0,
            ulTagBits: 128,
        };
        let ccm = ck::CK_CCM_PARAMS {
            ulDataLen: 32,
            pNonce: nonce.as_ptr().cast_mut(),
            ulNonceLen: 12,
            pAAD: null_mut(),
            ulAADLen: 0,
            ulMACLen: 16,
        };
        let not_wrappable = ck::CKR_KEY_NOT_WRAPPABLE;
        for how in [
            with_struct(ck::CKM_AES_GCM, &gcm),
            with_struct(ck::CKM_AES_CCM, &ccm),
            with_bytes(ck::CKM_AES_CBC, &[7; 16]),
            with_bytes(ck::CKM_AES_CBC_PAD, &[7; 16]),
            with_bytes(ck::CKM_AES_CTS, &[7; 16]),
            plain(ck::CKM_AES_ECB),
        ] {
            // What is known may leave so, which is the attack's first half.
            session.wrap(&how, trusted, known).unwrap();
            session.wrap(&how, trusted, precious).refused(not_wrappable);
        }
        for stream in [
            ck::CKM_AES_CTR,
            ck::CKM_AES_OFB,
            ck::CKM_AES_CFB128,
            ck::CKM_AES_CFB8,
            ck::CKM_AES_CFB1,
        ] {
            let parameter = ck::CK_AES_CTR_PARAMS { ulCounterBits: 32, cb: [7; 16] };
            let how = match stream {
                ck::CKM_AES_CTR => with_struct(stream, &parameter),
                _ => with_bytes(stream, &[7; 16]),
            };
            session.wrap(&how, trusted, known).refused(ck::CKR_MECHANISM_INVALID);
        }
        for robust in [ck::CKM_AES_KEY_WRAP, ck::CKM_AES_KEY_WRAP_KWP, ck::CKM_AES_KEY_WRAP_PKCS7] {
            session.wrap(&plain(robust), trusted, precious).unwrap();
        }
    });
}

/// Encrypt a value, unwrap it: a key on the token whose value is known, to wrap others with.
#[test]
fn a_key_that_was_smuggled_in_wraps_no_token_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (precious, own) = (precious(&session), wrapping_key(&session, &[1; 16]));
        let kwp = plain(ck::CKM_AES_KEY_WRAP_KWP);
        let smuggled = session.encrypt(&kwp, own, &[0x42; 32]).unwrap();
        let asked = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES };
        for place in [true, false] {
            let wanted = asked.clone().and(ck::CKA_TOKEN, place).and(ck::CKA_WRAP, true);
            let trusted = wanted.clone().and(ck::CKA_TRUSTED, true);
            let refused = session.unwrap_key(&kwp, own, &smuggled, &trusted);
            refused.refused(ck::CKR_ATTRIBUTE_READ_ONLY);
            let key = session.unwrap_key(&kwp, own, &smuggled, &wanted).unwrap();
            session.wrap(&kwp, key, precious).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        }
    });
}

/// The same key again, with other attributes: once to wrap, once to decrypt.
#[test]
fn a_second_copy_of_a_trusted_key_is_not_trusted_and_none_of_the_users() {
    isolated(|bench| {
        let token = bench.token();
        let trusted = trusted_key(&token, template! {});
        let session = token.public();
        let precious = precious(&session);
        let kwp = plain(ck::CKM_AES_KEY_WRAP_KWP);
        session.wrap(&kwp, trusted, precious).unwrap();
        // It cannot leave, so it cannot come back as something else;
        session.wrap(&kwp, trusted, trusted).refused(ck::CKR_KEY_UNEXTRACTABLE);
        let wants = template! { CKA_EXTRACTABLE => true };
        session.set(trusted, &wants).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session.copy(trusted, &wants).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        // and a copy of it does no more than it does.
        let copy = session.copy(trusted, &template! { CKA_TOKEN => false }).unwrap();
        session.decrypt_init(&kwp, copy).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.get(copy, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
    });
}

/// Half a wrapped key, or two halves of different keys, unwrapped as a key of its own.
#[test]
fn wrapped_keys_are_not_taken_apart() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let own = wrapping_key(&session, &[1; 16]);
        let [one, other] = [[3; 32], [4; 32]]
            .map(|value| session.create(&open_secret(ck::CKK_AES, &value)).unwrap());
        let aes = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        for mechanism in
            [ck::CKM_AES_KEY_WRAP, ck::CKM_AES_KEY_WRAP_KWP, ck::CKM_AES_KEY_WRAP_PKCS7]
        {
            let how = plain(mechanism);
            let [one, other] = [one, other].map(|key| session.wrap(&how, own, key).unwrap());
            let mixed = [&one[..24], &other[24..]].concat();
            for forged in [&one[..24], &one[8..], &mixed] {
                let back = session.unwrap_key(&how, own, forged, &aes);
                back.expect_err("half a key")
                    .is_one_of(&[ck::CKR_WRAPPED_KEY_INVALID, ck::CKR_WRAPPED_KEY_LEN_RANGE]);
            }
        }
    });
}

/// Sensitivity and its kin are one way, by every road.
#[test]
fn no_road_makes_a_closed_key_open() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let closed = known::aes(&[9; 16])
            .with(template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false });
        let closed = session.create(&closed).unwrap();
        let open: [Template; 2] =
            [template! { CKA_SENSITIVE => false }, template! { CKA_EXTRACTABLE => true }];
        for wanted in &open {
            session.set(closed, wanted).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
            session.copy(closed, wanted).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        session.get(closed, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        // A search is no question about the value either.
        assert_eq!(session.count(&template! { CKA_VALUE => &[9; 16] }), 0);
        let how = plain(ck::CKM_AES_KEY_WRAP);
        let own = wrapping_key(&session, &[1; 16]);
        session.wrap(&how, own, closed).refused(ck::CKR_KEY_UNEXTRACTABLE);
    });
}

/// ROCA (Nemec and others, 2017): moduli whose residues all lie in the group of 65537.
#[test]
fn moduli_have_no_fingerprint() {
    const PRIMES: [u32; 18] =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157, 163];
    let in_group = |residue: u32, prime: u32| {
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * (65_537 % prime) % prime;
            power == residue
        })
    };
    let has_fingerprint = |modulus: &[u8]| {
        PRIMES.iter().all(|prime| {
            let residue =
                modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
            in_group(residue, *prime)
        })
    };
    // A modulus of the published test (2048 bits would tell no more): 65537 is its own power.
    assert!(has_fingerprint(&hex("010001")), "the test sees no fingerprint");
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for _ in 0..3 {
            let (public, _) = session
                .generate_pair(
                    &plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN),
                    &template! { CKA_MODULUS_BITS => 2048_u64 },
                    &template! {},
                )
                .unwrap();
            assert!(!has_fingerprint(&session.get(public, ck::CKA_MODULUS).unwrap()));
        }
    });
}
