//! Keys of ML-DSA, ML-KEM and SLH-DSA: what makes them, what must not, what is hidden.
//! PKCS#11 3.2, "ML-DSA", "ML-KEM", "SLH-DSA".

use cryptoki_sys as ck;

use crate::support::composite::{
    CKK_COMP_KEM, CKK_COMP_SIG, CKM_COMP_KEM_KEY_PAIR_GEN, CKM_COMP_SIG_KEY_PAIR_GEN,
};
use crate::support::operations::plain;
use crate::support::{Session, Template, isolated, template};

/// Generation, key type, parameter set.
const KINDS: [(ck::CK_MECHANISM_TYPE, ck::CK_KEY_TYPE, ck::CK_ULONG); 3] = [
    (ck::CKM_ML_DSA_KEY_PAIR_GEN, ck::CKK_ML_DSA, ck::CKP_ML_DSA_65),
    (ck::CKM_ML_KEM_KEY_PAIR_GEN, ck::CKK_ML_KEM, ck::CKP_ML_KEM_768),
    (ck::CKM_SLH_DSA_KEY_PAIR_GEN, ck::CKK_SLH_DSA, ck::CKP_SLH_DSA_SHA2_128F),
];

/// A pair whose private key may be read.
fn readable(session: &Session<'_>, how: u64, set: u64) -> (u64, u64) {
    let public = template! { CKA_PARAMETER_SET => set };
    let private = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
    session.generate_pair(&plain(how), &public, &private).expect("C_GenerateKeyPair")
}

fn private(key_type: u64, set: u64) -> Template {
    template! {
        CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type, CKA_PARAMETER_SET => set,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    }
}

#[test]
fn the_set_stands_in_the_public_template_and_may_stand_in_both() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, _, set) in KINDS {
            let (how, none) = (plain(how), template! {});
            let named = template! { CKA_PARAMETER_SET => set };
            let refused = session.generate_pair(&how, &none, &none).unwrap_err();
            refused.is(ck::CKR_TEMPLATE_INCOMPLETE);
            let refused = session.generate_pair(&how, &none, &named).unwrap_err();
            refused.is(ck::CKR_TEMPLATE_INCOMPLETE);
            session.generate_pair(&how, &named, &named).expect("both the same");
            let other = template! { CKA_PARAMETER_SET => if set == 1 { 2_u64 } else { 1 } };
            let refused = session.generate_pair(&how, &named, &other).unwrap_err();
            refused.is(ck::CKR_TEMPLATE_INCONSISTENT);
            for number in [0, 13, u64::MAX] {
                let unknown = template! { CKA_PARAMETER_SET => number };
                let refused = session.generate_pair(&how, &unknown, &none).unwrap_err();
                refused.is(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
            }
            let nonsense = none.clone().and(ck::CKA_PARAMETER_SET, &[1, 2, 3]);
            let refused = session.generate_pair(&how, &nonsense, &none).unwrap_err();
            refused.is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}

#[test]
fn a_private_key_comes_in_by_seed_by_value_or_by_both() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key_type, set) in &KINDS[..2] {
            let (public, made) = readable(&session, *how, *set);
            let seed = session.get(made, ck::CKA_SEED).unwrap();
            let value = session.get(made, ck::CKA_VALUE).unwrap();
            let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            let begun = || private(*key_type, *set);
            let (with_seed, with_value) =
                (begun().and(ck::CKA_SEED, &seed), begun().and(ck::CKA_VALUE, &value));
            let both = with_seed.clone().and(ck::CKA_VALUE, &value);
            for template in [&with_seed, &with_value, &both] {
                let key = session.create(template).unwrap();
                session.has(key, ck::CKA_VALUE, &value);
                session.has(key, ck::CKA_PUBLIC_KEY_INFO, &info);
                session.has(key, ck::CKA_LOCAL, false);
            }
            let key = session.create(&with_value).unwrap();
            let refused = session.get(key, ck::CKA_SEED).unwrap_err();
            refused.is(ck::CKR_ATTRIBUTE_TYPE_INVALID);
            let refused = session.create(&begun()).unwrap_err();
            refused.is(ck::CKR_TEMPLATE_INCOMPLETE);

            let mut other = seed.clone();
            other[0] ^= 1;
            let disagree = begun().and(ck::CKA_SEED, &other).and(ck::CKA_VALUE, &value);
            session.create(&disagree).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            for bad in [&seed[1..], &[&seed[..], &[0]].concat(), &value] {
                let bad = begun().and(ck::CKA_SEED, bad);
                session.create(&bad).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
            // Lengths, and what can be computed from the rest: for ML-DSA the hash of the public
            // key and t0, for ML-KEM the hash of the public key.
            let mut hash = value.clone();
            let place = if *key_type == ck::CKK_ML_DSA { 64 } else { value.len() - 64 };
            hash[place] ^= 1;
            let mut last = value.clone();
            *last.last_mut().unwrap() ^= 0x10;
            let mut bad = vec![value[1..].to_vec(), [&value[..], &[0]].concat(), hash];
            if *key_type == ck::CKK_ML_DSA {
                bad.push(last);
            }
            for bad in bad {
                let bad = begun().and(ck::CKA_VALUE, &bad);
                session.create(&bad).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
        }
    });
}

#[test]
fn an_slh_dsa_key_comes_in_by_its_value_with_its_own_root() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (how, key_type, set) = KINDS[2];
        let (public, made) = readable(&session, how, set);
        let value = session.get(made, ck::CKA_VALUE).unwrap();
        assert!(value.ends_with(&session.get(public, ck::CKA_VALUE).unwrap()));
        let key = session.create(&private(key_type, set).and(ck::CKA_VALUE, &value)).unwrap();
        let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
        session.has(key, ck::CKA_PUBLIC_KEY_INFO, &info);
        let mut root = value.clone();
        *root.last_mut().unwrap() ^= 1;
        for bad in [&value[1..], &[&value[..], &[0]].concat(), &root] {
            let bad = private(key_type, set).and(ck::CKA_VALUE, bad);
            session.create(&bad).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        let seeded = private(key_type, set).and(ck::CKA_SEED, &value);
        session.create(&seeded).unwrap_err().is(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn a_public_key_comes_in_by_its_value() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key_type, set) in KINDS {
            let (public, _) = readable(&session, how, set);
            let value = session.get(public, ck::CKA_VALUE).unwrap();
            let begun = template! {
                CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => key_type,
                CKA_PARAMETER_SET => set,
            };
            let key = session.create(&begun.clone().and(ck::CKA_VALUE, &value)).unwrap();
            for name in [ck::CKA_VALUE, ck::CKA_PUBLIC_KEY_INFO, ck::CKA_PUBLIC_CRC64_VALUE] {
                session.has(key, name, &session.get(public, name).unwrap());
            }
            session.create(&begun).unwrap_err().is(ck::CKR_TEMPLATE_INCOMPLETE);
            for bad in [&value[1..], &[&value[..], &[0]].concat(), b""] {
                let bad = begun.clone().and(ck::CKA_VALUE, bad);
                session.create(&bad).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            }
            let other = begun.without(ck::CKA_PARAMETER_SET).and(ck::CKA_PARAMETER_SET, 99_u64);
            let other = other.and(ck::CKA_VALUE, &value);
            session.create(&other).unwrap_err().is(ck::CKR_PARAMETER_SET_NOT_SUPPORTED);
        }
        // A coefficient that is not reduced.
        let unreduced = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_ML_KEM,
            CKA_PARAMETER_SET => ck::CKP_ML_KEM_512, CKA_VALUE => &[0xff; 800],
        };
        session.create(&unreduced).unwrap_err().is(ck::CKR_ATTRIBUTE_VALUE_INVALID);
    });
}

#[test]
fn seed_and_value_of_a_sensitive_key_are_never_told() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, _, set) in KINDS {
            let public = template! { CKA_PARAMETER_SET => set, CKA_TOKEN => true };
            let private = template! { CKA_TOKEN => true };
            let (_, key) = session.generate_pair(&plain(how), &public, &private).unwrap();
            session.get(key, ck::CKA_VALUE).unwrap_err().is(ck::CKR_ATTRIBUTE_SENSITIVE);
            let seed = session.get(key, ck::CKA_SEED).unwrap_err();
            if how == ck::CKM_SLH_DSA_KEY_PAIR_GEN {
                seed.is(ck::CKR_ATTRIBUTE_TYPE_INVALID);
            } else {
                seed.is(ck::CKR_ATTRIBUTE_SENSITIVE);
            }
            session.has(key, ck::CKA_ALWAYS_SENSITIVE, true);
            session.has(key, ck::CKA_NEVER_EXTRACTABLE, true);
            session.has(key, ck::CKA_KEY_GEN_MECHANISM, how);
        }
    });
}

#[test]
fn uses_follow_from_the_type_of_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, key_type, set) in KINDS {
            let (public, private) = readable(&session, how, set);
            let kem = key_type == ck::CKK_ML_KEM;
            session.has(public, ck::CKA_VERIFY, !kem);
            session.has(public, ck::CKA_ENCAPSULATE, kem);
            session.has(public, ck::CKA_ENCRYPT, false);
            session.has(private, ck::CKA_SIGN, !kem);
            session.has(private, ck::CKA_DECAPSULATE, kem);
            session.has(private, ck::CKA_DERIVE, false);
        }
    });
}

const CKA_CLAVIGER_FORMAT: ck::CK_ULONG = 0xC34C_0014;

#[test]
fn a_key_says_its_format_and_nobody_else_does() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let composite = [
            (CKM_COMP_SIG_KEY_PAIR_GEN, CKK_COMP_SIG, 0x0c),
            (CKM_COMP_KEM_KEY_PAIR_GEN, CKK_COMP_KEM, 0x04),
        ];
        for (how, key_type, set) in KINDS.into_iter().chain(composite) {
            let (public, made) = readable(&session, how, set);
            let given = Template::default().and(CKA_CLAVIGER_FORMAT, 1_u64);
            for key in [public, made] {
                session.has(key, CKA_CLAVIGER_FORMAT, 1_u64);
                session.set(key, &given).unwrap_err().is(ck::CKR_ATTRIBUTE_READ_ONLY);
                session.copy(key, &given).unwrap_err().is(ck::CKR_ATTRIBUTE_READ_ONLY);
                let copied = session.copy(key, &template! {}).unwrap();
                session.has(copied, CKA_CLAVIGER_FORMAT, 1_u64);
            }
            let named = template! { CKA_PARAMETER_SET => set };
            let refused = session.generate_pair(&plain(how), &named, &given).unwrap_err();
            refused.is(ck::CKR_ATTRIBUTE_READ_ONLY);
            let value = session.get(made, ck::CKA_VALUE).unwrap();
            let begun = private(key_type, set).and(ck::CKA_VALUE, &value);
            session.has(session.create(&begun).unwrap(), CKA_CLAVIGER_FORMAT, 1_u64);
            session.create(&begun.with(given)).unwrap_err().is(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        let (_, classical) = crate::ecdsa::generate(&session, crate::support::known::P256);
        let refused = session.get(classical, CKA_CLAVIGER_FORMAT).unwrap_err();
        refused.is(ck::CKR_ATTRIBUTE_TYPE_INVALID);
    });
}
