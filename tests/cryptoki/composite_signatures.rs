//! Composite signatures: ML-DSA and a classical algorithm under one key. PKCS#11 3.3 (working
//! draft), "Composite Signature"; draft-ietf-lamps-pq-composite-sigs-19.

use cryptoki_sys as ck;

use crate::support::composite::{
    CKK_COMP_SIG, CKM_COMP_SIG, CKM_COMP_SIG_EXTERNAL_HASH, CKM_COMP_SIG_KEY_PAIR_GEN, Pair, both,
    context, readable_pair,
};
use crate::support::operations::{plain, with_struct};
use crate::support::{Refused, Session, isolated, template};

/// A parameter set as the draft describes it: number, last arc of the identifier, hash, bytes of
/// the public key, of ML-DSA's signature and of the longest signature.
struct Set {
    id: ck::CK_ULONG,
    arc: u8,
    hash: ck::CK_MECHANISM_TYPE,
    public: usize,
    lattice: usize,
    signature: usize,
}

const fn set(
    id: ck::CK_ULONG,
    arc: u8,
    hash: ck::CK_MECHANISM_TYPE,
    (public, lattice, signature): (usize, usize, usize),
) -> Set {
    Set { id, arc, hash, public, lattice, signature }
}

/// The sets whose pairs are made fast; those with RSA of more than 2048 bits have their vectors.
const SETS: &[Set] = &[
    set(0x01, 37, ck::CKM_SHA256, (1582, 2420, 2676)),
    set(0x02, 38, ck::CKM_SHA256, (1582, 2420, 2676)),
    set(0x03, 39, ck::CKM_SHA512, (1344, 2420, 2484)),
    set(0x04, 40, ck::CKM_SHA256, (1377, 2420, 2492)),
    set(0x09, 45, ck::CKM_SHA512, (2017, 3309, 3381)),
    set(0x0a, 46, ck::CKM_SHA512, (2049, 3309, 3413)),
    set(0x0c, 48, ck::CKM_SHA512, (1984, 3309, 3373)),
    set(0x0d, 49, ck::CKM_SHA512, (2689, 4627, 4731)),
    set(0x12, 54, ck::CKM_SHA512, (2725, 4627, 4766)),
];

/// MLDSA65-Ed25519-SHA512 and MLDSA44-ECDSA-P256-SHA256.
const ED25519: ck::CK_ULONG = 0x0c;
const P256: ck::CK_ULONG = 0x04;

fn pair(session: &Session<'_>, set: ck::CK_ULONG) -> Pair {
    readable_pair(session, CKM_COMP_SIG_KEY_PAIR_GEN, set)
}

#[test]
fn every_set_makes_pairs_that_sign_and_verify() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for set in SETS {
            let (public, private) = pair(&session, set.id);
            for key in [public, private] {
                assert_eq!(session.number(key, ck::CKA_KEY_TYPE), CKK_COMP_SIG);
                assert_eq!(session.number(key, ck::CKA_PARAMETER_SET), set.id);
                assert!(session.flag(key, ck::CKA_LOCAL));
            }
            let value = session.get(public, ck::CKA_VALUE).unwrap();
            assert_eq!(value.len(), set.public, "set {:#x}", set.id);
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            let algorithm =
                [&[0x30, 10, 6, 8, 43, 6, 1, 5, 5, 7, 6, set.arc, 3, 0x82][..]].concat();
            assert_eq!(info[4..4 + algorithm.len()], algorithm, "no parameters");
            assert!(info.ends_with(&value), "the bits are the bytes of the key");
            session.has(private, ck::CKA_PUBLIC_KEY_INFO, &info);
            signs_in_every_way(&session, set, (public, private));
        }
    });
}

fn signs_in_every_way(session: &Session<'_>, set: &Set, (public, private): Pair) {
    let message = b"a message in more than one part";
    let digest = session.digest(&plain(set.hash), message).unwrap();
    let given = context(b"context", ck::CKH_HEDGE_PREFERRED);
    let (bare, with) = (plain(CKM_COMP_SIG), with_struct(CKM_COMP_SIG, &given));
    let outside = with_struct(CKM_COMP_SIG_EXTERNAL_HASH, &given);
    let made = session.sign_parts(&bare, private, &[&message[..9], b"", &message[9..]]).unwrap();
    assert!(made.len() <= set.signature && made.len() > set.lattice + 8, "{}", made.len());
    session.verify(&bare, public, message, &made).unwrap();
    session.verify(&with, public, message, &made).refused(ck::CKR_SIGNATURE_INVALID);
    let made = session.sign(&with, private, message).unwrap();
    session.verify(&outside, public, &digest, &made).unwrap();
    let made = session.sign(&outside, private, &digest).unwrap();
    session.verify(&with, public, message, &made).unwrap();
    session.verify_signature_init(&with, public, &made).unwrap();
    session.verify_signature_update(&message[..5]).unwrap();
    session.verify_signature_update(&message[5..]).unwrap();
    session.verify_signature_final().unwrap();
}

#[test]
fn a_value_that_was_read_makes_the_same_key_again() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for set in [ED25519, P256, 0x01] {
            let (public, private) = pair(&session, set);
            let value = session.get(private, ck::CKA_VALUE).unwrap();
            let shown = session.get(public, ck::CKA_VALUE).unwrap();
            let [public_again, private_again] =
                both(CKK_COMP_SIG, set, &shown, &value).map(|half| session.create(&half).unwrap());
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            session.has(private_again, ck::CKA_PUBLIC_KEY_INFO, &info);
            assert!(!session.flag(private_again, ck::CKA_LOCAL));
            let made = session.sign(&plain(CKM_COMP_SIG), private_again, b"m").unwrap();
            session.verify(&plain(CKM_COMP_SIG), public, b"m", &made).unwrap();
            session.verify(&plain(CKM_COMP_SIG), public_again, b"m", &made).unwrap();
        }
    });
}

#[test]
fn a_pair_on_the_token_is_two_objects_and_keeps_its_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = template! { CKA_PARAMETER_SET => ED25519, CKA_TOKEN => true };
        let private = template! { CKA_TOKEN => true };
        let how = plain(CKM_COMP_SIG_KEY_PAIR_GEN);
        let (public, private) = session.generate_pair(&how, &public, &private).unwrap();
        assert_eq!(session.count(&template! {}), 2, "the halves are no objects");
        session.get(private, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        session.logout().unwrap();
        session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
        let found = session.find(&template! { CKA_KEY_TYPE => CKK_COMP_SIG }).unwrap();
        assert_eq!(found.len(), 2);
        let private = found.into_iter().find(|key| *key != public).unwrap_or(private);
        let made = session.sign(&plain(CKM_COMP_SIG), private, b"m").unwrap();
        session.verify(&plain(CKM_COMP_SIG), public, b"m", &made).unwrap();
    });
}

#[test]
fn a_half_cannot_be_used_alone() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session, ED25519);
        for mechanism in [ck::CKM_EDDSA, ck::CKM_ML_DSA, ck::CKM_ECDSA] {
            let begun = session.sign_init(&plain(mechanism), private);
            begun.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
            let begun = session.verify_init(&plain(mechanism), public);
            begun.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        }
    });
}

#[test]
fn one_valid_half_is_no_signature() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_SIG);
        for (set, lattice) in [(ED25519, 3309), (P256, 2420)] {
            let (public, private) = pair(&session, set);
            let (_, stranger) = pair(&session, set);
            let own = session.sign(&how, private, b"m").unwrap();
            let other = session.sign(&how, stranger, b"m").unwrap();
            let swapped = [&own[lattice..], &own[..lattice]].concat();
            let first_only = [&own[..lattice], &other[lattice..]].concat();
            let second_only = [&other[..lattice], &own[lattice..]].concat();
            for wrong in [swapped, first_only, second_only, other.clone()] {
                let judged = session.verify(&how, public, b"m", &wrong);
                judged.refused(ck::CKR_SIGNATURE_INVALID);
            }
            for at in [0, lattice - 1, lattice + 9, own.len() - 1] {
                let mut wrong = own.clone();
                wrong[at] ^= 1;
                let judged = session.verify(&how, public, b"m", &wrong);
                judged.refused(ck::CKR_SIGNATURE_INVALID);
            }
            let longer = [&own[..], &[0; 8]].concat();
            for wrong in [&[][..], &own[..1], &own[..lattice], &longer] {
                let judged = session.verify(&how, public, b"m", wrong);
                judged.refused(ck::CKR_SIGNATURE_LEN_RANGE);
            }
            session.verify(&how, public, b"m", &own).unwrap();
        }
    });
}

#[test]
fn the_ecdsa_half_has_one_encoding() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_SIG);
        let (public, private) = pair(&session, P256);
        // Shorter than the longest, so that there is room for a byte too many.
        let own = loop {
            let made = session.sign(&how, private, b"m").unwrap();
            if made.len() < 2491 {
                break made;
            }
        };
        let (lattice, der) = own.split_at(2420);
        let r = usize::from(der[3]);
        let mut padded = der.to_vec();
        padded.insert(4, 0);
        (padded[1], padded[3]) = (der[1] + 1, der[3] + 1);
        let long_form = [&[0x30, 0x81, der[1]], &der[2..]].concat();
        let trailing = [der, &[0]].concat();
        let mut inside = [der, &[0]].concat();
        inside[1] += 1;
        let mut negative = der.to_vec();
        if negative[4] == 0 {
            negative.remove(4);
            (negative[1], negative[3]) = (der[1] - 1, der[3] - 1);
        } else {
            negative[4] |= 0x80;
        }
        assert!(r <= 33);
        for wrong in [padded, long_form, trailing, inside, negative] {
            let judged = session.verify(&how, public, b"m", &[lattice, &wrong].concat());
            judged.refused(ck::CKR_SIGNATURE_INVALID);
        }
        session.verify(&how, public, b"m", &own).unwrap();
    });
}

#[test]
fn sets_that_are_not_offered_are_told() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_SIG_KEY_PAIR_GEN);
        for unknown in [0, 0x13, 0x100, ck::CK_ULONG::MAX] {
            let public = template! { CKA_PARAMETER_SET => unknown };
            let made = session.generate_pair(&how, &public, &template! {});
            made.refused(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
            for half in both(CKK_COMP_SIG, unknown, &[1; 1984], &[1; 64]) {
                session.create(&half).refused(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
            }
        }
        let made = session.generate_pair(&how, &template! {}, &template! {});
        made.refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let public = template! { CKA_PARAMETER_SET => ED25519 };
        let private = template! { CKA_PARAMETER_SET => P256 };
        let made = session.generate_pair(&how, &public, &private);
        made.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let private = template! { CKA_PARAMETER_SET => ED25519 };
        session.generate_pair(&how, &public, &private).unwrap();
    });
}

#[test]
fn values_that_are_no_key_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for set in [ED25519, P256, 0x01] {
            let (public, private) = pair(&session, set);
            let shown = session.get(public, ck::CKA_VALUE).unwrap();
            let value = session.get(private, ck::CKA_VALUE).unwrap();
            let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
            let longer = |bytes: &[u8]| [bytes, &[0]].concat();
            let swapped = |bytes: &[u8], at: usize| [&bytes[at..], &bytes[..at]].concat();
            let publics = [vec![], shown[..100].to_vec(), cut(&shown), longer(&shown)];
            let privates =
                [vec![], value[..32].to_vec(), cut(&value), longer(&value), swapped(&value, 32)];
            for wrong in publics {
                let [half, _] = both(CKK_COMP_SIG, set, &wrong, &value);
                session.create(&half).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
            for wrong in privates {
                // Two raw seeds of 32 bytes are as good the other way round.
                if set == ED25519 && wrong.len() == value.len() {
                    continue;
                }
                let [_, half] = both(CKK_COMP_SIG, set, &shown, &wrong);
                session.create(&half).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
        }
    });
}

#[test]
fn contexts_and_hashes_have_their_lengths() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session, ED25519);
        let bytes = [7; 256];
        let longest = context(&bytes[..255], ck::CKH_HEDGE_REQUIRED);
        let how = with_struct(CKM_COMP_SIG, &longest);
        let made = session.sign(&how, private, b"m").unwrap();
        session.verify(&how, public, b"m", &made).unwrap();
        let longer = context(&bytes, ck::CKH_HEDGE_PREFERRED);
        let begun = session.sign_init(&with_struct(CKM_COMP_SIG, &longer), private);
        begun.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let how = plain(CKM_COMP_SIG_EXTERNAL_HASH);
        for wrong in [0, 32, 63, 65] {
            let made = session.sign(&how, private, &vec![1; wrong]);
            made.refused(ck::CKR_DATA_LEN_RANGE);
        }
        session.sign_init(&how, private).unwrap();
        session.sign_update(&[1; 64]).refused(ck::CKR_FUNCTION_NOT_SUPPORTED);
    });
}

#[test]
fn what_must_not_be_random_is_not_or_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let given = context(b"", ck::CKH_DETERMINISTIC_REQUIRED);
        let how = with_struct(CKM_COMP_SIG, &given);
        let (public, private) = pair(&session, ED25519);
        let made = session.sign(&how, private, b"m").unwrap();
        assert_eq!(made, session.sign(&how, private, b"m").unwrap());
        assert_ne!(made, session.sign(&plain(CKM_COMP_SIG), private, b"m").unwrap());
        session.verify(&how, public, b"m", &made).unwrap();
        let (public, private) = pair(&session, P256);
        session.sign_init(&how, private).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let made = session.sign(&plain(CKM_COMP_SIG), private, b"m").unwrap();
        session.verify(&how, public, b"m", &made).unwrap();
    });
}
