//! Post-quantum and composite private keys as PKCS #8, wrapped and unwrapped: RFC 9881 (ML-DSA),
//! RFC 9935 (ML-KEM), RFC 9909 (SLH-DSA), the drafts of composites. PKCS#11 3.2,
//! "Wrapping/unwrapping private keys".

use cryptoki_sys as ck;

use crate::support::composite::{
    CKK_COMP_KEM, CKK_COMP_SIG, CKM_COMP_KEM, CKM_COMP_KEM_KEY_PAIR_GEN, CKM_COMP_SIG,
    CKM_COMP_SIG_KEY_PAIR_GEN, Pair, readable_pair,
};
use crate::support::operations::{Mechanism, plain};
use crate::support::{Refused, Session, Template, isolated, template};
use crate::wrapping::{asked, wrapping_key};

/// A kind of key: generation, type, parameter set, what it is for.
struct Kind {
    generate: ck::CK_MECHANISM_TYPE,
    key_type: ck::CK_KEY_TYPE,
    set: ck::CK_ULONG,
    works: ck::CK_MECHANISM_TYPE,
    /// The last bytes of the algorithm's identifier.
    identifier: &'static [u8],
}

#[rustfmt::skip]
const KINDS: [Kind; 5] = [
    Kind {
        generate: ck::CKM_ML_DSA_KEY_PAIR_GEN, key_type: ck::CKK_ML_DSA,
        set: ck::CKP_ML_DSA_44, works: ck::CKM_ML_DSA,
        identifier: &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11],
    },
    Kind {
        generate: ck::CKM_ML_KEM_KEY_PAIR_GEN, key_type: ck::CKK_ML_KEM,
        set: ck::CKP_ML_KEM_768, works: ck::CKM_ML_KEM,
        identifier: &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2],
    },
    Kind {
        generate: ck::CKM_SLH_DSA_KEY_PAIR_GEN, key_type: ck::CKK_SLH_DSA,
        set: ck::CKP_SLH_DSA_SHA2_128F, works: ck::CKM_SLH_DSA,
        identifier: &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x15],
    },
    Kind {
        generate: CKM_COMP_SIG_KEY_PAIR_GEN, key_type: CKK_COMP_SIG, set: 0x0c,
        works: CKM_COMP_SIG, identifier: &[43, 6, 1, 5, 5, 7, 6, 48],
    },
    Kind {
        generate: CKM_COMP_KEM_KEY_PAIR_GEN, key_type: CKK_COMP_KEM, set: 0x04,
        works: CKM_COMP_KEM, identifier: &[43, 6, 1, 5, 5, 7, 6, 58],
    },
];

fn kwp() -> Mechanism<'static> {
    plain(ck::CKM_AES_KEY_WRAP_KWP)
}

/// A DER element.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("a short element");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    element(4, &[bytes])
}

/// `PrivateKeyInfo` with parameters, which belong there for none of these, and what follows.
fn info_with(identifier: &[u8], parameters: &[u8], key: &[u8], rest: &[u8]) -> Vec<u8> {
    let version: &[u8] = if rest.is_empty() { &[2, 1, 0] } else { &[2, 1, 1] };
    let algorithm = element(0x30, &[&element(6, &[identifier]), parameters]);
    element(0x30, &[version, &algorithm, &octets(key), rest])
}

fn info(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    info_with(identifier, &[], key, &[])
}

/// The key still does for the other half what it did.
fn works(session: &Session<'_>, kind: &Kind, public: ck::CK_OBJECT_HANDLE, key: u64) {
    let how = plain(kind.works);
    if [ck::CKM_ML_KEM, CKM_COMP_KEM].contains(&kind.works) {
        let secret = asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET);
        let (ciphertext, made) = session.encapsulate_key(&how, public, &secret).unwrap();
        let found = session.decapsulate_key(&how, key, &secret, &ciphertext).unwrap();
        session.has(found, ck::CKA_VALUE, &session.get(made, ck::CKA_VALUE).unwrap());
    } else {
        let signature = session.sign(&how, key, b"a message").unwrap();
        session.verify(&how, public, b"a message", &signature).unwrap();
    }
}

fn pair(session: &Session<'_>, kind: &Kind) -> Pair {
    readable_pair(session, kind.generate, kind.set)
}

/// Has the token take in what is in the clear here.
fn unwrapped(
    session: &Session<'_>,
    by: ck::CK_OBJECT_HANDLE,
    key_type: ck::CK_KEY_TYPE,
    written: &[u8],
) -> Result<ck::CK_OBJECT_HANDLE, crate::support::Rv> {
    let wrapped = session.encrypt(&kwp(), by, written).expect("C_Encrypt");
    session.unwrap_key(&kwp(), by, &wrapped, &asked(ck::CKO_PRIVATE_KEY, key_type))
}

#[test]
fn every_kind_leaves_in_its_standards_encoding_and_comes_back() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for kind in &KINDS {
            let (public, key) = pair(&session, kind);
            let value = session.get(key, ck::CKA_VALUE).unwrap();
            let seed = session.get(key, ck::CKA_SEED);
            let written = match &seed {
                Ok(seed) => element(0x30, &[&octets(seed), &octets(&value)]),
                Err(_) => value.clone(),
            };
            let wrapped = session.wrap(&kwp(), by, key).unwrap();
            let shown = session.decrypt(&kwp(), by, &wrapped).unwrap();
            assert_eq!(shown, info(kind.identifier, &written), "{:#x}", kind.key_type);
            let back = asked(ck::CKO_PRIVATE_KEY, kind.key_type);
            let back = session.unwrap_key(&kwp(), by, &wrapped, &back).unwrap();
            for same in [ck::CKA_VALUE, ck::CKA_PARAMETER_SET, ck::CKA_PUBLIC_KEY_INFO] {
                assert_eq!(session.get(back, same), session.get(key, same));
            }
            assert_eq!(session.get(back, ck::CKA_SEED), seed);
            for (flag, wanted) in [
                (ck::CKA_LOCAL, false),
                (ck::CKA_ALWAYS_SENSITIVE, false),
                (ck::CKA_NEVER_EXTRACTABLE, false),
            ] {
                session.has(back, flag, wanted);
            }
            works(&session, kind, public, back);
        }
    });
}

#[test]
fn seed_value_and_both_are_taken_and_what_disagrees_is_not() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for kind in &KINDS[..2] {
            let (public, key) = pair(&session, kind);
            let (_, other) = pair(&session, kind);
            let [seed, value] =
                [ck::CKA_SEED, ck::CKA_VALUE].map(|it| session.get(key, it).unwrap());
            let strange = session.get(other, ck::CKA_SEED).unwrap();
            let strange_value = session.get(other, ck::CKA_VALUE).unwrap();
            let both = |seed: &[u8], value: &[u8]| element(0x30, &[&octets(seed), &octets(value)]);
            let take = |choice: &[u8]| {
                unwrapped(&session, by, kind.key_type, &info(kind.identifier, choice))
            };
            let good = [
                (element(0x80, &[&seed]), true),
                (octets(&value), false),
                (both(&seed, &value), true),
            ];
            for (choice, seeded) in good {
                let back = take(&choice).unwrap();
                session.has(back, ck::CKA_VALUE, &value);
                match seeded {
                    true => session.has(back, ck::CKA_SEED, &seed),
                    false => {
                        session.get(back, ck::CKA_SEED).refused(ck::CKR_ATTRIBUTE_TYPE_INVALID)
                    }
                }
                works(&session, kind, public, back);
            }
            let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
            let longer = |bytes: &[u8]| [bytes, &[0]].concat();
            let mut flipped = value.clone();
            flipped[100] ^= 1;
            let bad = [
                both(&strange, &value),
                both(&seed, &strange_value),
                both(&seed, &flipped),
                both(&cut(&seed), &value),
                both(&seed, &cut(&value)),
                both(&[], &value),
                both(&seed, &[]),
                both(&value, &seed),
                element(0x80, &[&cut(&seed)]),
                element(0x80, &[&longer(&seed)]),
                element(0x80, &[]),
                octets(&cut(&value)),
                octets(&longer(&value)),
                octets(&seed),
                octets(&[]),
                element(0x30, &[&octets(&seed), &octets(&value), &octets(&[1])]),
                element(0x30, &[&octets(&value)]),
                element(0x81, &[&seed]),
                longer(&both(&seed, &value)),
                seed.clone(),
                value.clone(),
                vec![],
            ];
            for (at, choice) in bad.iter().enumerate() {
                let refused = take(choice).expect_err(&format!("{:#x}, {at}", kind.key_type));
                refused.is(ck::CKR_WRAPPED_KEY_INVALID);
            }
        }
    });
}

#[test]
fn lengths_parameters_and_a_strangers_public_key_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for kind in &KINDS {
            let (public, key) = pair(&session, kind);
            let (stranger, _) = pair(&session, kind);
            let value = session.get(key, ck::CKA_VALUE).unwrap();
            let key = match kind.key_type {
                ck::CKK_ML_DSA | ck::CKK_ML_KEM => octets(&value),
                _ => value,
            };
            let take = |written: &[u8]| unwrapped(&session, by, kind.key_type, written);
            let with_public = |of: u64| {
                let bits = session.get(of, ck::CKA_VALUE).unwrap();
                info_with(kind.identifier, &[], &key, &element(0x81, &[&[0], &bits]))
            };
            let back = take(&with_public(public)).unwrap();
            works(&session, kind, public, back);
            let cut = &key[..key.len() - 1];
            let longer = [&key[..], &[0]].concat();
            let mut unknown = kind.identifier.to_vec();
            *unknown.last_mut().unwrap() = 0x7f;
            let bad = [
                with_public(stranger),
                info(kind.identifier, cut),
                info(kind.identifier, &longer),
                info(kind.identifier, &[]),
                info_with(kind.identifier, &[5, 0], &key, &[]),
                info(&unknown, &key),
                [&info(kind.identifier, &key)[..], &[0]].concat(),
            ];
            for (at, written) in bad.iter().enumerate() {
                let refused = take(written).expect_err(&format!("{:#x}, {at}", kind.key_type));
                refused.is(ck::CKR_WRAPPED_KEY_INVALID);
            }
            // As a key of another type.
            for other in KINDS.iter().filter(|other| other.key_type != kind.key_type) {
                let refused = unwrapped(&session, by, other.key_type, &info(kind.identifier, &key));
                refused.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
        }
    });
}

#[test]
fn the_template_says_what_the_key_may_and_not_what_it_is() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for kind in &KINDS {
            let (public, key) = pair(&session, kind);
            let wrapped = session.wrap(&kwp(), by, key).unwrap();
            let back = |template: &Template| session.unwrap_key(&kwp(), by, &wrapped, template);
            let base = template! {
                CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => kind.key_type,
            };
            for (name, value) in [
                (ck::CKA_PARAMETER_SET, kind.set.to_ne_bytes().to_vec()),
                (ck::CKA_VALUE, session.get(key, ck::CKA_VALUE).unwrap()),
                (ck::CKA_LOCAL, vec![1]),
            ] {
                back(&base.clone().and(name, &value)).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
            }
            let seed = base.clone().and(ck::CKA_SEED, &[1; 32]);
            let seeded = [ck::CKK_ML_DSA, ck::CKK_ML_KEM].contains(&kind.key_type);
            back(&seed).refused(match seeded {
                true => ck::CKR_ATTRIBUTE_READ_ONLY,
                false => ck::CKR_TEMPLATE_INCONSISTENT,
            });
            back(&base.clone().without(ck::CKA_KEY_TYPE)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
            back(&base.clone().without(ck::CKA_CLASS)).refused(ck::CKR_TEMPLATE_INCOMPLETE);
            let public_class = base.clone().and(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY);
            back(&public_class.without(ck::CKA_CLASS).and(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY))
                .refused(ck::CKR_TEMPLATE_INCONSISTENT);
            // Closed unless it is asked to be open.
            let closed = template! { CKA_TOKEN => true, CKA_LABEL => "came back" };
            let closed = back(&base.clone().with(closed)).unwrap();
            session.has(closed, ck::CKA_LABEL, "came back");
            session.get(closed, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
            works(&session, kind, public, closed);
            session.wrap(&kwp(), by, closed).refused(ck::CKR_KEY_UNEXTRACTABLE);
            // Neither a public half nor a key that is for trusted keys only leaves.
            session.wrap(&kwp(), by, public).refused(ck::CKR_KEY_NOT_WRAPPABLE);
            session.set(key, &template! { CKA_WRAP_WITH_TRUSTED => true }).unwrap();
            session.wrap(&kwp(), by, key).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        }
    });
}
