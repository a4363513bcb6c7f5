//! One byte of `token.db` changed, at hundreds of places, each in a process of its own. Nothing
//! crashes or hangs, and what a private object says or a key computes is right or refused.
//!
//! Public objects are not sealed, and whole rows can be taken away: what is lost so is not found
//! out yet (`docs/threat-model.md`).

use std::fs;
use std::path::Path;

use cryptoki_sys as ck;

use crate::bad_days::{in_child, token_directory};
use crate::support::known::{self, ED25519, P256};
use crate::support::operations::plain;
use crate::support::{Bench, Module, Session, Template, USER_PIN, isolated, template};

/// Answers that are right while nothing is changed: eight objects, two secret keys, one label.
const ALL: usize = 8 + 2 + 1;
const DATA: &[u8] = b"what is signed";
const BLOCK: &[u8; 16] = b"sixteen bytes ok";

/// What the keys of the token compute; known before anything is changed.
struct Known {
    ed25519: Vec<u8>,
    sealed_block: Vec<u8>,
    p256_point: Vec<u8>,
}

fn value_of(label: &str) -> Vec<u8> {
    label.as_bytes().repeat(40)
}

/// Private data, keys of every kind, a secret key that is not private, and public objects.
fn furnish(session: &Session<'_>) -> Known {
    for label in ["one", "two", "three", "four"] {
        let data = template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true,
            CKA_LABEL => label, CKA_VALUE => &value_of(label),
        };
        session.create(&data).expect("C_CreateObject");
    }
    let on_token = |template: Template| template.and(ck::CKA_TOKEN, true);
    for private in [true, false] {
        let aes = known::aes(&[0x41; 32]).and(ck::CKA_PRIVATE, private).and(ck::CKA_ENCRYPT, true);
        session.create(&on_token(aes).and(ck::CKA_LABEL, "aes")).expect("an AES key");
    }
    let rsa = on_token(known::rsa_private()).and(ck::CKA_SIGN, true);
    session.create(&rsa.and(ck::CKA_LABEL, "rsa")).expect("an RSA key");
    let pair = |how, parameters: &[u8], label: &str| {
        let public = template! { CKA_EC_PARAMS => parameters, CKA_TOKEN => true };
        let private = template! { CKA_TOKEN => true, CKA_LABEL => label };
        session.generate_pair(&plain(how), &public, &private).expect("a pair")
    };
    let (_, edwards) = pair(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519, "ed25519");
    let (point, _) = pair(ck::CKM_EC_KEY_PAIR_GEN, P256, "p256");
    let aes = session.find(&template! { CKA_LABEL => "aes" }).expect("a search")[0];
    Known {
        ed25519: session.sign(&plain(ck::CKM_EDDSA), edwards, DATA).expect("a signature"),
        sealed_block: session.encrypt(&plain(ck::CKM_AES_ECB), aes, BLOCK).expect("a block"),
        p256_point: session.get(point, ck::CKA_EC_POINT).expect("the point"),
    }
}

/// What an object gives is right, if it gives anything. True if it gave all of it.
fn is_right(session: &Session<'_>, object: ck::CK_OBJECT_HANDLE, known: &Known) -> bool {
    let Ok(label) = session.get(object, ck::CKA_LABEL) else { return false };
    let class = session.number(object, ck::CKA_CLASS);
    if class == ck::CKO_PUBLIC_KEY {
        // Not sealed; a damaged index can bring it in among the private ones.
        return false;
    }
    let label = String::from_utf8(label).expect("a label of ours");
    let sign = |how| session.sign(&plain(how), object, DATA).ok();
    match label.as_str() {
        "one" | "two" | "three" | "four" => {
            assert_eq!(class, ck::CKO_DATA);
            session.has(object, ck::CKA_VALUE, &value_of(&label));
            true
        }
        "aes" => {
            let block = session.encrypt(&plain(ck::CKM_AES_ECB), object, BLOCK).ok();
            assert!(block.as_ref().is_none_or(|block| *block == known.sealed_block), "AES");
            block.is_some()
        }
        "ed25519" => {
            let signature = sign(ck::CKM_EDDSA);
            assert!(signature.as_ref().is_none_or(|made| *made == known.ed25519), "Ed25519");
            signature.is_some()
        }
        "rsa" => {
            let public = known::rsa_public().and(ck::CKA_VERIFY, true);
            verified(session, &public, ck::CKM_SHA256_RSA_PKCS, sign(ck::CKM_SHA256_RSA_PKCS))
        }
        "p256" => {
            let public = template! {
                CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC,
                CKA_EC_PARAMS => P256, CKA_EC_POINT => &known.p256_point, CKA_VERIFY => true,
            };
            verified(session, &public, ck::CKM_ECDSA_SHA256, sign(ck::CKM_ECDSA_SHA256))
        }
        other => panic!("no private object was called {other:?}"),
    }
}

/// A signature that was made is right by the key that the test knows. True if one was made.
fn verified(
    session: &Session<'_>,
    public: &Template,
    how: ck::CK_MECHANISM_TYPE,
    signature: Option<Vec<u8>>,
) -> bool {
    let Some(signature) = signature else { return false };
    let key = session.create(public).expect("a session object");
    session.verify(&plain(how), key, DATA, &signature).expect("a right signature");
    true
}

/// Uses the token in every way. How many private objects gave what they should; 0 if the token
/// cannot even be used.
fn exercise(module: &Module, known: &Known) -> usize {
    module.initialize().expect("damage inside a token does not keep the library from starting");
    let slot = module.slots(true).expect("C_GetSlotList")[0];
    let _ = module.token_info(slot);
    let Ok(session) = module.open(slot, ck::CKF_RW_SESSION) else { return 0 };
    if session.login(ck::CKU_USER, USER_PIN).is_err() {
        return 0;
    }
    let mut right = 0;
    // By all their rows, by class and by label: other indexes, other pages.
    for wanted in [
        template! { CKA_PRIVATE => true },
        template! { CKA_CLASS => ck::CKO_SECRET_KEY },
        template! { CKA_LABEL => "three" },
    ] {
        let found = session.find(&wanted).unwrap_or_default();
        right += found.into_iter().filter(|object| is_right(&session, *object, known)).count();
    }
    let _ = session.find(&template! { CKA_CLASS => ck::CKO_PUBLIC_KEY });
    let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_LABEL => "new" };
    if let Ok(new) = session.create(&data) {
        let _ = session.destroy(new);
    }
    module.finalize().expect("C_Finalize");
    right
}

fn overwrite(directory: &Path, bytes: &[u8]) {
    for beside in ["token.db-wal", "token.db-shm"] {
        let _ = fs::remove_file(directory.join(beside));
    }
    fs::write(directory.join("token.db"), bytes).expect("the database is overwritten");
}

/// Numbers that look random and are the same every time (splitmix64).
fn scatter(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Changes one byte at each of so many places, one at a time.
fn change_bytes(bench: &Bench, places: u64) {
    let token = bench.token();
    let known = furnish(&token.user());
    token.module.finalize().expect("C_Finalize");
    let directory = token_directory(bench);
    let whole = fs::read(directory.join("token.db")).expect("the database");
    let answer = bench.dir().join("answer");
    let right = || {
        in_child(|| {
            let right = exercise(&token.module, &known);
            fs::write(&answer, right.to_string()).expect("the answer is told");
        });
        fs::read_to_string(&answer).expect("an answer").parse::<usize>().expect("a number")
    };
    assert_eq!(right(), ALL, "nothing is changed yet");
    let mut unnoticed = 0;
    for number in 0..places {
        let place = scatter(number) % whole.len() as u64;
        let change = 1 + (scatter(!number) % 255) as u8;
        let mut bytes = whole.clone();
        bytes[usize::try_from(place).expect("a place")] ^= change;
        overwrite(&directory, &bytes);
        eprintln!("byte {place} ^ {change:#04x}");
        unnoticed += u64::from(right() == ALL);
    }
    assert!(unnoticed > 0 && unnoticed < places, "free space and what is not free");
    overwrite(&directory, &whole);
    assert_eq!(right(), ALL, "all is put back");
}

#[test]
fn one_changed_byte_never_gives_a_wrong_value_or_signature() {
    isolated(|bench| change_bytes(bench, 300));
}

#[test]
#[ignore = "takes a minute or two"]
fn one_changed_byte_at_ten_thousand_places_never_gives_a_wrong_value_or_signature() {
    isolated(|bench| change_bytes(bench, 10_000));
}
