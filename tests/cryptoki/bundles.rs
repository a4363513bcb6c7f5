//! Bundles: a classical and a post-quantum key pair that sign together. The mechanism is ours;
//! `include/claviger.h` has its numbers.

use cryptoki_sys as ck;

use crate::support::composite::Pair;
use crate::support::operations::plain;
use crate::support::{Bench, Refused, Session, isolated, template};

const CKA_CLAVIGER_BUNDLE: ck::CK_ULONG = 0xC34C_0001;
const CKA_CLAVIGER_USES_LEFT: ck::CK_ULONG = 0xC34C_0011;
const CKM_CLAVIGER_BUNDLE: ck::CK_ULONG = 0xC34C_0002;
const CKR_CLAVIGER_DOWNGRADE_REFUSED: ck::CK_RV = 0xC34C_0001;
const CKR_CLAVIGER_BUNDLE_INCOMPLETE: ck::CK_RV = 0xC34C_0002;

/// DER of `edwards25519`'s name and of P-256's identifier.
const ED25519: &[u8] = b"\x13\x0cedwards25519";
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

struct Bundle {
    classical: Pair,
    post_quantum: Pair,
}

fn on_token() -> crate::support::Template {
    template! { CKA_TOKEN => true }
}

fn ml_dsa(session: &Session<'_>) -> Pair {
    let public = on_token().and(ck::CKA_PARAMETER_SET, ck::CKP_ML_DSA_65);
    let how = plain(ck::CKM_ML_DSA_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &on_token()).expect("an ML-DSA pair")
}

fn classical(session: &Session<'_>, how: ck::CK_ULONG, curve: &[u8]) -> Pair {
    let public = on_token().and(ck::CKA_EC_PARAMS, curve);
    session.generate_pair(&plain(how), &public, &on_token()).expect("a classical pair")
}

fn ed25519(session: &Session<'_>) -> Pair {
    classical(session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519)
}

/// Ties two keys, as a caller does.
fn tie(
    session: &Session<'_>,
    one: ck::CK_OBJECT_HANDLE,
    other: ck::CK_OBJECT_HANDLE,
) -> Result<(), crate::support::Rv> {
    let name = session.get(other, ck::CKA_UNIQUE_ID).expect("CKA_UNIQUE_ID");
    session.set(one, &crate::support::Template::default().and(CKA_CLAVIGER_BUNDLE, &name))
}

fn bundle(session: &Session<'_>, classical: Pair) -> Bundle {
    let post_quantum = ml_dsa(session);
    tie(session, classical.0, post_quantum.0).expect("tied public keys");
    tie(session, post_quantum.1, classical.1).expect("tied private keys");
    Bundle { classical, post_quantum }
}

/// The two entries of a bundle's signature.
fn halves(signature: &[u8]) -> Vec<Vec<u8>> {
    let (content, rest) = element(signature);
    assert!(rest.is_empty());
    let (_, after) = element(content);
    let first = content[..content.len() - after.len()].to_vec();
    match after {
        [] => vec![first],
        _ => vec![first, after.to_vec()],
    }
}

/// Content of the DER element at the front, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (start, len) = match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
    };
    (&der[start..start + len], &der[start + len..])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let len = content.len();
    let head = match len {
        0..=0x7f => vec![0x30, u8::try_from(len).unwrap()],
        0x80..=0xff => vec![0x30, 0x81, u8::try_from(len).unwrap()],
        _ => vec![0x30, 0x82, u8::try_from(len >> 8).unwrap(), (len & 0xff) as u8],
    };
    [head, content].concat()
}

/// The signature inside an entry: past the algorithm, and past the unused bits.
fn bare(entry: &[u8]) -> Vec<u8> {
    let (content, _) = element(entry);
    let (_, rest) = element(content);
    element(rest).0[1..].to_vec()
}

#[test]
fn one_call_gives_both_signatures_and_each_stands_alone() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let bundle = bundle(&session, ed25519(&session));
        let how = plain(CKM_CLAVIGER_BUNDLE);
        for key in [bundle.classical.1, bundle.post_quantum.1] {
            let signature = session.sign(&how, key, b"message").unwrap();
            let halves = halves(&signature);
            assert_eq!(halves.len(), 2);
            let ed25519 = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
            assert_eq!(element(&halves[0]).0[..7], ed25519, "the classical one comes first");
            let alone = (bare(&halves[0]), bare(&halves[1]));
            let eddsa = plain(ck::CKM_EDDSA);
            session.verify(&eddsa, bundle.classical.0, b"message", &alone.0).unwrap();
            let ml_dsa = plain(ck::CKM_ML_DSA);
            session.verify(&ml_dsa, bundle.post_quantum.0, b"message", &alone.1).unwrap();
            for public in [bundle.classical.0, bundle.post_quantum.0] {
                session.verify(&how, public, b"message", &signature).unwrap();
                let other = session.verify(&how, public, b"massage", &signature);
                other.refused(ck::CKR_SIGNATURE_INVALID);
            }
            let parts = session.sign_parts(&how, key, &[b"mess", b"", b"age"]).unwrap();
            session.verify(&how, bundle.classical.0, b"message", &parts).unwrap();
        }
    });
}

#[test]
fn every_classical_key_can_be_in_one() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let rsa = on_token().and(ck::CKA_MODULUS_BITS, 2048 as ck::CK_ULONG);
        let make = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        let rsa = session.generate_pair(&make, &rsa, &on_token()).unwrap();
        let p256 = classical(&session, ck::CKM_EC_KEY_PAIR_GEN, P256);
        for pair in [rsa, p256] {
            let bundle = bundle(&session, pair);
            let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
            session.verify(&how, bundle.post_quantum.0, b"m", &signature).unwrap();
        }
    });
}

#[test]
fn half_a_signature_is_a_downgrade_and_a_wrong_half_is_wrong() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let bundle = bundle(&session, ed25519(&session));
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let key = bundle.classical.0;
        let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
        let halves = halves(&signature);
        for half in &halves {
            let alone = sequence(std::slice::from_ref(half));
            let judged = session.verify(&how, key, b"m", &alone);
            judged.refused(CKR_CLAVIGER_DOWNGRADE_REFUSED);
        }
        let twice = sequence(&[halves[0].clone(), halves[0].clone()]);
        let mut wrong_first = signature.clone();
        wrong_first[30] ^= 1;
        let mut wrong_second = signature.clone();
        *wrong_second.last_mut().unwrap() ^= 1;
        let longer = [&signature[..], &[0]].concat();
        let swapped = sequence(&[halves[1].clone(), halves[0].clone()]);
        let thrice = sequence(&[halves[0].clone(), halves[1].clone(), halves[1].clone()]);
        // A right half beside that of a stranger, either way.
        let stranger = self::bundle(&session, ed25519(&session));
        let theirs = session.sign(&how, stranger.classical.1, b"m").unwrap();
        let theirs = self::halves(&theirs);
        let first_only = sequence(&[halves[0].clone(), theirs[1].clone()]);
        let second_only = sequence(&[theirs[0].clone(), halves[1].clone()]);
        let mixed = [swapped, thrice, first_only, second_only, sequence(&theirs)];
        let bad = [vec![], sequence(&[]), twice, wrong_first, wrong_second, longer];
        for wrong in bad.into_iter().chain(mixed) {
            session.verify(&how, key, b"m", &wrong).refused(ck::CKR_SIGNATURE_INVALID);
        }
        session.verify(&how, key, b"m", &signature).unwrap();
    });
}

fn configured(bench: &Bench, pq: &str) {
    bench.configure(&format!("[pq]\n{pq}\n"));
}

#[test]
fn a_site_that_takes_either_takes_each_alone() {
    isolated(|bench| {
        configured(bench, "verify_mode = \"or\"");
        let token = bench.token();
        let session = token.user();
        let bundle = bundle(&session, ed25519(&session));
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
        let halves = halves(&signature);
        for half in halves {
            session.verify(&how, bundle.classical.0, b"m", &sequence(&[half])).unwrap();
        }
        session
            .verify(&how, bundle.classical.0, b"m", &sequence(&[]))
            .refused(ck::CKR_SIGNATURE_INVALID);
        session.destroy(bundle.post_quantum.0).unwrap();
        session.verify(&how, bundle.classical.0, b"m", &signature).unwrap();
    });
}

#[test]
fn a_site_that_has_arrived_signs_and_verifies_post_quantum_only() {
    isolated(|bench| {
        configured(bench, "verify_mode = \"pq-only\"\nproduce_hybrid = false");
        let token = bench.token();
        let session = token.user();
        let bundle = bundle(&session, ed25519(&session));
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
        let halves = halves(&signature);
        assert_eq!(halves.len(), 1);
        let ml_dsa = plain(ck::CKM_ML_DSA);
        session.verify(&ml_dsa, bundle.post_quantum.0, b"m", &bare(&halves[0])).unwrap();
        session.verify(&how, bundle.classical.0, b"m", &signature).unwrap();
        let classical = session.sign(&plain(ck::CKM_EDDSA), bundle.classical.1, b"m").unwrap();
        let entry = [
            &[0x30, 0x4a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00][..],
            &classical,
        ];
        let alone = sequence(&[entry.concat()]);
        let judged = session.verify(&how, bundle.classical.0, b"m", &alone);
        judged.refused(CKR_CLAVIGER_DOWNGRADE_REFUSED);
    });
}

#[test]
fn a_bundle_lasts_and_its_keys_are_tied_once() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let bundle = bundle(&session, ed25519(&session));
        let written = session.get(bundle.classical.1, CKA_CLAVIGER_BUNDLE).unwrap();
        let name = session.get(bundle.post_quantum.1, ck::CKA_UNIQUE_ID).unwrap();
        assert_eq!((written[0], written.len()), (1, 33 + name.len()));
        assert!(written.ends_with(&name));
        let third = ml_dsa(&session);
        tie(&session, bundle.classical.1, third.1).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        tie(&session, third.1, bundle.classical.1).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let forged = crate::support::Template::default().and(CKA_CLAVIGER_BUNDLE, &written);
        session.set(third.1, &forged).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let nothing = crate::support::Template::default().and(CKA_CLAVIGER_BUNDLE, "");
        session.set(bundle.classical.1, &nothing).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        session.has(bundle.classical.1, CKA_CLAVIGER_BUNDLE, &written);
        let renamed = template! { CKA_ID => &[9, 9] };
        session.set(bundle.classical.1, &renamed).unwrap();
        let copied = session.copy(bundle.classical.1, &template! {}).unwrap();
        session.has(copied, CKA_CLAVIGER_BUNDLE, "");
        let how = plain(CKM_CLAVIGER_BUNDLE);
        session.sign_init(&how, copied).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        session.logout().unwrap();
        session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
        let private = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_ID => &[9, 9] };
        let found = session.find(&private).unwrap();
        let signs = |key: &ck::CK_OBJECT_HANDLE| session.sign(&how, *key, b"m").is_ok();
        assert_eq!(found.iter().filter(|key| signs(key)).count(), 1, "the key, not its copy");
    });
}

#[test]
fn keys_that_make_no_bundle_are_not_tied() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (first, second) =
            (ed25519(&session), classical(&session, ck::CKM_EC_KEY_PAIR_GEN, P256));
        let lattice = ml_dsa(&session);
        tie(&session, first.1, second.1).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        tie(&session, first.1, lattice.0).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let passing = template! { CKA_PARAMETER_SET => ck::CKP_ML_DSA_65 };
        let how = plain(ck::CKM_ML_DSA_KEY_PAIR_GEN);
        let passing = session.generate_pair(&how, &passing, &template! {}).unwrap();
        let refused = &[ck::CKR_TEMPLATE_INCONSISTENT, ck::CKR_ATTRIBUTE_VALUE_INVALID];
        tie(&session, first.1, passing.1).expect_err("a session key").is_one_of(refused);
        tie(&session, passing.1, first.1).expect_err("a session key").is_one_of(refused);
        let fixed =
            on_token().and(ck::CKA_PARAMETER_SET, ck::CKP_ML_DSA_65).and(ck::CKA_MODIFIABLE, false);
        let private = on_token().and(ck::CKA_MODIFIABLE, false);
        let fixed = session.generate_pair(&how, &fixed, &private).unwrap();
        tie(&session, first.1, fixed.1).refused(ck::CKR_ACTION_PROHIBITED);
        let born = on_token()
            .and(ck::CKA_PARAMETER_SET, ck::CKP_ML_DSA_65)
            .and(CKA_CLAVIGER_BUNDLE, "name");
        let born = session.generate_pair(&how, &born, &on_token());
        born.refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        tie(&session, first.1, lattice.1).unwrap();
    });
}

#[test]
fn a_limit_of_either_key_holds_for_both() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let bundle = bundle(&session, ed25519(&session));
        let one = crate::support::Template::default().and(CKA_CLAVIGER_USES_LEFT, 1);
        session.set(bundle.post_quantum.1, &one).unwrap();
        session.sign(&how, bundle.classical.1, b"m").unwrap();
        assert_eq!(session.number(bundle.post_quantum.1, CKA_CLAVIGER_USES_LEFT), 0);
        let begun = session.sign_init(&how, bundle.classical.1);
        begun.refused(ck::CKR_KEY_EXHAUSTED);
        let begun = session.sign_init(&how, bundle.post_quantum.1);
        begun.refused(ck::CKR_KEY_EXHAUSTED);
        session.sign(&plain(ck::CKM_EDDSA), bundle.classical.1, b"m").unwrap();
    });
}

#[test]
fn a_bundle_without_its_other_half_does_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let bundle = bundle(&session, ed25519(&session));
        let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
        let off = template! { CKA_SIGN => false };
        session.set(bundle.post_quantum.1, &off).unwrap();
        let begun = session.sign_init(&how, bundle.classical.1);
        begun.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.set(bundle.post_quantum.1, &template! { CKA_SIGN => true }).unwrap();
        let past = template! { CKA_END_DATE => b"20200101" };
        session.set(bundle.post_quantum.1, &past).unwrap();
        for key in [bundle.classical.1, bundle.post_quantum.1] {
            session.sign_init(&how, key).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        }
        session.set(bundle.post_quantum.1, &template! { CKA_END_DATE => "" }).unwrap();
        let future = template! { CKA_START_DATE => b"99990101" };
        session.set(bundle.post_quantum.1, &future).unwrap();
        for key in [bundle.classical.1, bundle.post_quantum.1] {
            session.sign_init(&how, key).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        }
        session.set(bundle.post_quantum.1, &template! { CKA_START_DATE => "" }).unwrap();
        // What was signed stays verifiable, also by a key that has had its day.
        session.set(bundle.post_quantum.0, &past).unwrap();
        session.verify(&how, bundle.classical.0, b"m", &signature).unwrap();
        session.sign(&how, bundle.classical.1, b"m").unwrap();
        session.destroy(bundle.post_quantum.1).unwrap();
        let begun = session.sign_init(&how, bundle.classical.1);
        begun.refused(CKR_CLAVIGER_BUNDLE_INCOMPLETE);
        session.verify(&how, bundle.classical.0, b"m", &signature).unwrap();
        session.destroy(bundle.post_quantum.0).unwrap();
        let begun = session.verify_init(&how, bundle.classical.0);
        begun.refused(CKR_CLAVIGER_BUNDLE_INCOMPLETE);
        let single = session.sign(&plain(ck::CKM_EDDSA), bundle.classical.1, b"m").unwrap();
        session.verify(&plain(ck::CKM_EDDSA), bundle.classical.0, b"m", &single).unwrap();
    });
}

#[test]
fn a_half_that_the_policy_finds_too_weak_neither_signs_nor_verifies() {
    isolated(|bench| {
        let token = bench.token();
        let how = plain(CKM_CLAVIGER_BUNDLE);
        let session = token.user();
        let rsa = on_token().and(ck::CKA_MODULUS_BITS, 2048 as ck::CK_ULONG);
        let make = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        let rsa = session.generate_pair(&make, &rsa, &on_token()).unwrap();
        let bundle = bundle(&session, rsa);
        let signature = session.sign(&how, bundle.classical.1, b"m").unwrap();
        session.verify(&how, bundle.post_quantum.0, b"m", &signature).unwrap();
        let names =
            [bundle.classical.0, bundle.classical.1, bundle.post_quantum.0, bundle.post_quantum.1]
                .map(|key| session.get(key, ck::CKA_UNIQUE_ID).unwrap());
        token.module.finalize().unwrap();
        bench.configure("[policy]\nrsa_bits = 3072\n");
        token.module.initialize().unwrap();
        let session = token.user();
        let [short_public, short, public, private] = names.map(|name| {
            session
                .find(&crate::support::Template::default().and(ck::CKA_UNIQUE_ID, &name))
                .unwrap()[0]
        });
        // Whichever of the two is given.
        for key in [short, private] {
            session.sign_init(&how, key).refused(ck::CKR_KEY_SIZE_RANGE);
        }
        for key in [short_public, public] {
            session.verify_init(&how, key).refused(ck::CKR_KEY_SIZE_RANGE);
        }
        session.sign(&plain(ck::CKM_ML_DSA), private, b"m").unwrap();
    });
}
