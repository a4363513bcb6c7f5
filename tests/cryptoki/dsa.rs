//! DSA, which the configuration must ask for; groups as objects of their own, those of
//! Diffie-Hellman too; and keys in groups as PKCS#8. PKCS#11 3.2, "DSA", "Domain parameter
//! objects"; RFC 3279, RFC 7919.

use cryptoki_sys as ck;

use crate::support::openssl::ecdsa_der;
use crate::support::operations::plain;
use crate::support::{Refused, Session, Template, isolated, template};
use crate::wrapping::{asked, wrapping_key};

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

const HASHES: [(ck::CK_MECHANISM_TYPE, &str); 6] = [
    (ck::CKM_DSA_SHA1, "sha1"),
    (ck::CKM_DSA_SHA224, "sha224"),
    (ck::CKM_DSA_SHA256, "sha256"),
    (ck::CKM_DSA_SHA384, "sha384"),
    (ck::CKM_DSA_SHA512, "sha512"),
    (ck::CKM_DSA_SHA3_256, "sha3-256"),
];

/// A new group, and its numbers as a template for a pair.
fn group(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, Template) {
    let how = plain(ck::CKM_DSA_PARAMETER_GEN);
    let group = session.generate(&how, &template! { CKA_PRIME_BITS => 1024_u64 }).expect("a group");
    let number = |kind| session.get(group, kind).expect("a number");
    let template = template! {
        CKA_PRIME => &number(ck::CKA_PRIME), CKA_SUBPRIME => &number(ck::CKA_SUBPRIME),
        CKA_BASE => &number(ck::CKA_BASE),
    };
    (group, template)
}

fn pair(session: &Session<'_>, group: &Template) -> Pair {
    let private = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
    session.generate_pair(&plain(ck::CKM_DSA_KEY_PAIR_GEN), group, &private).expect("a pair")
}

#[test]
fn dsa_is_off_unless_asked_for() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_DSA_PARAMETER_GEN);
        let refused = session.generate(&how, &template! { CKA_PRIME_BITS => 1024_u64 });
        refused.refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn groups_are_objects_and_pairs_are_made_in_them() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let (group, numbers) = group(&session);
        session.has(group, ck::CKA_CLASS, ck::CKO_DOMAIN_PARAMETERS);
        session.has(group, ck::CKA_KEY_TYPE, ck::CKK_DSA);
        session.has(group, ck::CKA_SUBPRIME_BITS, 160_u64);
        assert!(session.flag(group, ck::CKA_LOCAL) && !session.flag(group, ck::CKA_PRIVATE));
        let whole = numbers.clone().with(template! {
            CKA_CLASS => ck::CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => ck::CKK_DSA, CKA_TOKEN => true,
        });
        let stored = session.create(&whole).unwrap();
        session.has(stored, ck::CKA_PRIME_BITS, 1024_u64);
        let found = session.find(&template! { CKA_CLASS => ck::CKO_DOMAIN_PARAMETERS }).unwrap();
        assert_eq!(found.len(), 2);
        let (public, private) = pair(&session, &numbers);
        for number in [ck::CKA_PRIME, ck::CKA_SUBPRIME, ck::CKA_BASE] {
            assert_eq!(session.get(private, number), session.get(group, number));
            assert_eq!(session.get(public, number), session.get(group, number));
        }
        // What is no group, and what no group has.
        let bits = |bits: ck::CK_ULONG| template! { CKA_PRIME_BITS => bits };
        let how = plain(ck::CKM_DSA_PARAMETER_GEN);
        for wrong in [0, 512, 1025, 4096, u64::MAX] {
            session.generate(&how, &bits(wrong)).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        session.generate(&how, &template! {}).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        let odd = bits(1024).and(ck::CKA_SUBPRIME_BITS, 224_u64);
        session.generate(&how, &odd).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let bad: [(_, &[u8]); 3] =
            [(ck::CKA_BASE, &[1]), (ck::CKA_BASE, &[2]), (ck::CKA_PRIME, &[7])];
        for (kind, value) in bad {
            let wrong = numbers.clone().without(kind).and(kind, value);
            let made =
                session.generate_pair(&plain(ck::CKM_DSA_KEY_PAIR_GEN), &wrong, &template! {});
            made.refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}

#[test]
fn openssl_verifies_what_the_token_signs() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (_, numbers) = group(&session);
        let (public, private) = pair(&session, &numbers);
        openssl.take_public_key(&session, public);
        openssl.must("pkey -pubin -inform DER -in public.der -out public.pem -pubout");
        openssl.file("message", b"what is signed");
        for (how, hash) in HASHES {
            let how = plain(how);
            let signature = session.sign(&how, private, b"what is signed").unwrap();
            assert_eq!(signature.len(), 40);
            session.verify(&how, public, b"what is signed", &signature).unwrap();
            let parts = session.sign_parts(&how, private, &[b"what", b" is signed"]).unwrap();
            session.verify(&how, public, b"what is signed", &parts).unwrap();
            openssl.file("signature", &ecdsa_der(&signature));
            openssl.must(&format!("dgst -{hash} -verify public.pem -signature signature message"));
            let mut wrong = signature.clone();
            wrong[39] ^= 1;
            let refused = session.verify(&how, public, b"what is signed", &wrong);
            refused.refused(ck::CKR_SIGNATURE_INVALID);
            let refused = session.verify(&how, public, b"what is signed", &signature[1..]);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        let how = plain(ck::CKM_DSA);
        let signature = session.sign(&how, private, &[7; 20]).unwrap();
        session.verify(&how, public, &[7; 20], &signature).unwrap();
        session.sign(&how, private, &[]).refused(ck::CKR_DATA_LEN_RANGE);
        session.sign(&how, private, &[1; 65]).refused(ck::CKR_DATA_LEN_RANGE);
        session
            .sign_init(&how, public)
            .expect_err("a public key")
            .is_one_of(&[ck::CKR_KEY_TYPE_INCONSISTENT, ck::CKR_KEY_FUNCTION_NOT_PERMITTED]);
    });
}

#[test]
fn keys_in_groups_travel_as_pkcs8() {
    isolated(|bench| {
        bench.configure("mechanisms.legacy = true");
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let by = wrapping_key(&session, &[7; 32]);
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        let (_, numbers) = group(&session);
        let parameters = session
            .generate(
                &plain(ck::CKM_DH_PKCS_PARAMETER_GEN),
                &template! { CKA_PRIME_BITS => 2048_u64 },
            )
            .expect("a group");
        let prime = session.get(parameters, ck::CKA_PRIME).unwrap();
        let dh = template! { CKA_PRIME => &prime, CKA_BASE => b"\x02" };
        let open = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let make = plain(ck::CKM_DH_PKCS_KEY_PAIR_GEN);
        let (_, dh) = session.generate_pair(&make, &dh, &open).expect("a pair");
        for (key, key_type) in [(pair(&session, &numbers).1, ck::CKK_DSA), (dh, ck::CKK_DH)] {
            let wrapped = session.wrap(&how, by, key).unwrap();
            let asked = asked(ck::CKO_PRIVATE_KEY, key_type);
            let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
            for same in [ck::CKA_VALUE, ck::CKA_PUBLIC_KEY_INFO, ck::CKA_PRIME, ck::CKA_BASE] {
                assert_eq!(session.get(back, same), session.get(key, same), "{same:#x}");
            }
            openssl.file("key.der", &session.decrypt(&how, by, &wrapped).unwrap());
            let info = openssl.must("pkey -in key.der -inform DER -pubout -outform DER");
            session.has(key, ck::CKA_PUBLIC_KEY_INFO, &info);
            // The public half comes of it too.
            let half = plain(ck::CKM_PUB_KEY_FROM_PRIV_KEY);
            let public = session.derive(&half, back, &template! {}).unwrap();
            session.has(public, ck::CKA_PUBLIC_KEY_INFO, &info);
        }
    });
}

#[test]
fn groups_for_diffie_hellman_are_those_of_rfc_7919() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_DH_PKCS_PARAMETER_GEN);
        for bits in [2048_u64, 3072, 4096, 8192] {
            let asked = template! { CKA_PRIME_BITS => bits };
            let group = session.generate(&how, &asked).unwrap();
            session.has(group, ck::CKA_CLASS, ck::CKO_DOMAIN_PARAMETERS);
            session.has(group, ck::CKA_KEY_TYPE, ck::CKK_DH);
            session.has(group, ck::CKA_BASE, b"\x02");
            let prime = session.get(group, ck::CKA_PRIME).unwrap();
            assert_eq!(prime.len() as u64 * 8, bits);
            // They begin with the digits of e.
            assert_eq!(prime[8..16], *b"\xad\xf8\x54\x58\xa2\xbb\x4a\x9a");
        }
        for bits in [0_u64, 512, 1024, 2047, 6145, u64::MAX] {
            let asked = template! { CKA_PRIME_BITS => bits };
            session.generate(&how, &asked).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        session.generate(&how, &template! {}).refused(ck::CKR_TEMPLATE_INCOMPLETE);
    });
}
