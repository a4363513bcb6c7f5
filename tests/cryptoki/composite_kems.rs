//! Composite KEMs, X-Wing, and envelopes around keys. PKCS#11 3.3 (working draft), "Composite
//! KEM"; draft-ietf-lamps-pq-composite-kem-17; RFC 9180.

use cryptoki_sys as ck;

use crate::support::composite::{
    CKK_COMP_KEM, CKM_COMP_KEM, CKM_COMP_KEM_KEY_PAIR_GEN, Pair, XWING, both, readable_pair,
};
use crate::support::operations::{plain, with_bytes};
use crate::support::{Refused, Session, Template, isolated, template};

const CKM_CLAVIGER_HPKE: ck::CK_ULONG = 0xC34C_0001;

/// A parameter set as its draft describes it: number, last arc of the identifier (0 for X-Wing's),
/// bytes of the public key and of the ciphertext, of ML-KEM's part of that, of the private value.
struct Set {
    id: ck::CK_ULONG,
    arc: u8,
    public: usize,
    ciphertext: usize,
    lattice: usize,
    private: usize,
}

const fn set(
    (id, arc): (ck::CK_ULONG, u8),
    public: usize,
    (ciphertext, lattice): (usize, usize),
    private: usize,
) -> Set {
    Set { id, arc, public, ciphertext, lattice, private }
}

/// The sets whose pairs are made fast; those with RSA have their vectors.
const SETS: &[Set] = &[
    set((0x04, 58), 1216, (1120, 1088), 96),
    set((0x05, 59), 1249, (1153, 1088), 115),
    set((0x06, 60), 1281, (1185, 1088), 128),
    set((0x07, 61), 1249, (1153, 1088), 116),
    set((0x09, 63), 1665, (1665, 1568), 128),
    set((0x0a, 64), 1665, (1665, 1568), 132),
    set((0x0b, 65), 1624, (1624, 1568), 120),
    set((0x0c, 66), 1701, (1701, 1568), 146),
    set((XWING, 0), 1216, (1120, 1088), 32),
];

const X25519: ck::CK_ULONG = 0x04;
const P256: ck::CK_ULONG = 0x05;

fn pair(session: &Session<'_>, set: ck::CK_ULONG) -> Pair {
    readable_pair(session, CKM_COMP_KEM_KEY_PAIR_GEN, set)
}

/// A secret that can be read, to compare it.
fn shown() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true
    }
}

#[test]
fn every_set_makes_pairs_that_agree() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_KEM);
        for set in SETS {
            let (public, private) = pair(&session, set.id);
            let value = session.get(public, ck::CKA_VALUE).unwrap();
            assert_eq!(value.len(), set.public, "set {:#x}", set.id);
            let hidden = session.get(private, ck::CKA_VALUE).unwrap();
            assert_eq!(hidden.len(), set.private, "set {:#x}", set.id);
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            if set.arc != 0 {
                assert_eq!(info[4..16], [0x30, 10, 6, 8, 43, 6, 1, 5, 5, 7, 6, set.arc]);
            }
            assert!(info.ends_with(&value) && !session.flag(public, ck::CKA_VERIFY));
            let (ciphertext, made) = session.encapsulate_key(&how, public, &shown()).unwrap();
            assert_eq!(ciphertext.len(), set.ciphertext, "set {:#x}", set.id);
            let opened = session.decapsulate_key(&how, private, &shown(), &ciphertext).unwrap();
            let secret = session.get(made, ck::CKA_VALUE).unwrap();
            assert_eq!(secret.len(), 32);
            session.has(opened, ck::CKA_VALUE, &secret);
            altered(&session, set, private, &ciphertext, &secret);
            let [_, again] = both(CKK_COMP_KEM, set.id, &value, &hidden);
            let again = session.create(&again).unwrap();
            let opened = session.decapsulate_key(&how, again, &shown(), &ciphertext).unwrap();
            session.has(opened, ck::CKA_VALUE, &secret);
        }
    });
}

/// ML-KEM's half answers with another secret, the classical half with a refusal or another one.
fn altered(
    session: &Session<'_>,
    set: &Set,
    private: ck::CK_OBJECT_HANDLE,
    ciphertext: &[u8],
    secret: &[u8],
) {
    let how = plain(CKM_COMP_KEM);
    let mut wrong = ciphertext.to_vec();
    wrong[7] ^= 1;
    let other = session.decapsulate_key(&how, private, &shown(), &wrong).unwrap();
    assert_ne!(session.get(other, ck::CKA_VALUE).unwrap(), secret, "set {:#x}", set.id);
    let mut wrong = ciphertext.to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    match session.decapsulate_key(&how, private, &shown(), &wrong) {
        Ok(other) => assert_ne!(session.get(other, ck::CKA_VALUE).unwrap(), secret),
        Err(rv) => rv.is_one_of(&[ck::CKR_WRAPPED_KEY_INVALID]),
    }
    let mut wrong = ciphertext.to_vec();
    wrong[set.lattice..].fill(0);
    let refused = session.decapsulate_key(&how, private, &shown(), &wrong);
    refused.refused(ck::CKR_WRAPPED_KEY_INVALID);
    let swapped = [&ciphertext[set.lattice..], &ciphertext[..set.lattice]].concat();
    match session.decapsulate_key(&how, private, &shown(), &swapped) {
        Ok(other) => assert_ne!(session.get(other, ck::CKA_VALUE).unwrap(), secret),
        Err(rv) => rv.is_one_of(&[ck::CKR_WRAPPED_KEY_INVALID]),
    }
    for wrong in [&[][..], &ciphertext[1..], &[ciphertext, &[0]].concat()] {
        let refused = session.decapsulate_key(&how, private, &shown(), wrong);
        refused.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
    }
}

#[test]
fn an_x_wing_key_is_a_composite_with_another_private_value() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_KEM);
        let (public, private) = pair(&session, XWING);
        let value = session.get(public, ck::CKA_VALUE).unwrap();
        let [composite, _] = both(CKK_COMP_KEM, X25519, &value, &[]);
        let composite = session.create(&composite).unwrap();
        let (ciphertext, made) = session.encapsulate_key(&how, composite, &shown()).unwrap();
        let opened = session.decapsulate_key(&how, private, &shown(), &ciphertext).unwrap();
        let secret = session.get(made, ck::CKA_VALUE).unwrap();
        session.has(opened, ck::CKA_VALUE, &secret);
        let info = session.get(private, ck::CKA_PUBLIC_KEY_INFO).unwrap();
        let algorithm = [0x30, 13, 6, 11, 43, 6, 1, 4, 1, 0x83, 0xe6, 0x2d, 0x81, 0xc8, 0x7a];
        assert_eq!(info[4..19], algorithm);
        for length in [0, 31, 33, 96] {
            let [_, wrong] = both(CKK_COMP_KEM, XWING, &value, &vec![1; length]);
            session.create(&wrong).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}

#[test]
fn keys_and_lengths_that_do_not_fit_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_COMP_KEM);
        let (public, private) = pair(&session, P256);
        let value = session.get(public, ck::CKA_VALUE).unwrap();
        let mut off_curve = value.clone();
        *off_curve.last_mut().unwrap() ^= 1;
        let swapped = [&value[1184..], &value[..1184]].concat();
        for wrong in [&[][..], &value[..1184], &value[1..], &off_curve, &swapped] {
            let [wrong, _] = both(CKK_COMP_KEM, P256, wrong, &[]);
            session.create(&wrong).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        for unknown in [0, 0x0d, ck::CK_ULONG::MAX] {
            let template = template! { CKA_PARAMETER_SET => unknown };
            let made =
                session.generate_pair(&plain(CKM_COMP_KEM_KEY_PAIR_GEN), &template, &template! {});
            made.refused(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
            for half in both(CKK_COMP_KEM, unknown, &value, &[1; 96]) {
                session.create(&half).refused(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
            }
        }
        let long = shown().and(ck::CKA_VALUE_LEN, 33 as ck::CK_ULONG);
        session.encapsulate_key(&how, public, &long).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let parameter = with_bytes(CKM_COMP_KEM, b"parameter");
        let refused = session.encapsulate_key(&parameter, public, &shown());
        refused.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let begun = session.sign_init(&plain(ck::CKM_ECDSA), private);
        begun.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        session.set(public, &template! { CKA_ENCAPSULATE => false }).unwrap();
        let refused = session.encapsulate_key(&how, public, &shown());
        refused.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
    });
}

/// A pair that may wrap, and an AES key to be wrapped.
fn wrapping_pair(session: &Session<'_>, set: ck::CK_ULONG) -> (Pair, ck::CK_OBJECT_HANDLE) {
    let public = template! { CKA_PARAMETER_SET => set, CKA_WRAP => true };
    let private = template! { CKA_UNWRAP => true };
    let how = plain(CKM_COMP_KEM_KEY_PAIR_GEN);
    let pair = session.generate_pair(&how, &public, &private).expect("a pair");
    let data_key = template! {
        CKA_VALUE_LEN => 32 as ck::CK_ULONG, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true
    };
    (pair, session.generate(&plain(ck::CKM_AES_KEY_GEN), &data_key).expect("an AES key"))
}

fn unwrapped_aes() -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true
    }
}

#[test]
fn an_envelope_opens_with_its_own_data_and_info_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for set in [XWING, X25519] {
            let ((public, private), data_key) = wrapping_pair(&session, set);
            let value = session.get(data_key, ck::CKA_VALUE).unwrap();
            let how = with_bytes(CKM_CLAVIGER_HPKE, b"info");
            let envelope = session.wrap_authenticated(&how, (public, data_key), b"data").unwrap();
            assert_eq!(envelope.len(), 1120 + 32 + 16);
            let opened = |how, envelope: &[u8], data: &[u8]| {
                session.unwrap_authenticated(how, private, (envelope, data), &unwrapped_aes())
            };
            let key = opened(&how, &envelope, b"data").unwrap();
            session.has(key, ck::CKA_VALUE, &value);
            let other = with_bytes(CKM_CLAVIGER_HPKE, b"inform");
            opened(&how, &envelope, b"date").refused(ck::CKR_WRAPPED_KEY_INVALID);
            opened(&other, &envelope, b"data").refused(ck::CKR_WRAPPED_KEY_INVALID);
            let bare = plain(CKM_CLAVIGER_HPKE);
            opened(&bare, &envelope, b"data").refused(ck::CKR_WRAPPED_KEY_INVALID);
            for at in [0, 1087, 1100, 1120, envelope.len() - 1] {
                let mut wrong = envelope.clone();
                wrong[at] ^= 1;
                opened(&how, &wrong, b"data").refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
            for short in [0, 1119, 1135] {
                let refused = opened(&how, &envelope[..short], b"data");
                refused.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            let envelope = session.wrap(&bare, public, data_key).unwrap();
            let key = session.unwrap_key(&bare, private, &envelope, &unwrapped_aes()).unwrap();
            session.has(key, ck::CKA_VALUE, &value);
            let key = opened(&bare, &envelope, b"").unwrap();
            session.has(key, ck::CKA_VALUE, &value);
        }
    });
}

#[test]
fn only_keys_that_hpke_knows_make_envelopes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_CLAVIGER_HPKE);
        let ((public, private), data_key) = wrapping_pair(&session, P256);
        let refused = session.wrap(&how, public, data_key);
        refused.refused(ck::CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
        let ((own, _), _) = wrapping_pair(&session, XWING);
        let envelope = session.wrap(&how, own, data_key).unwrap();
        let refused = session.unwrap_key(&how, private, &envelope, &unwrapped_aes());
        refused.refused(ck::CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
        session.set(own, &template! { CKA_WRAP => false }).unwrap();
        session.wrap(&how, own, data_key).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let kept = template! {
            CKA_VALUE_LEN => 32 as ck::CK_ULONG, CKA_EXTRACTABLE => false
        };
        let kept = session.generate(&plain(ck::CKM_AES_KEY_GEN), &kept).unwrap();
        let ((own, _), _) = wrapping_pair(&session, XWING);
        session.wrap(&how, own, kept).refused(ck::CKR_KEY_UNEXTRACTABLE);
    });
}

#[test]
fn composite_private_keys_are_wrapped_as_pkcs8() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let ((own, opener), _) = wrapping_pair(&session, XWING);
        let how = plain(CKM_CLAVIGER_HPKE);
        for set in [X25519, P256, XWING] {
            let (public, private) = pair(&session, set);
            let value = session.get(private, ck::CKA_VALUE).unwrap();
            let envelope = session.wrap(&how, own, private).unwrap();
            let template = template! {
                CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_COMP_KEM,
                CKA_SENSITIVE => false, CKA_EXTRACTABLE => true
            };
            let back = session.unwrap_key(&how, opener, &envelope, &template).unwrap();
            session.has(back, ck::CKA_VALUE, &value);
            assert_eq!(session.number(back, ck::CKA_PARAMETER_SET), set);
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            session.has(back, ck::CKA_PUBLIC_KEY_INFO, &info);
        }
    });
}
