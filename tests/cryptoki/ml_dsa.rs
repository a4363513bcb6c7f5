//! ML-DSA. PKCS#11 3.2, "ML-DSA".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::encapsulation::{context, hash_context};
use crate::support::operations::{plain, with_bytes, with_struct};
use crate::support::{Session, isolated, template};

/// Parameter sets: number, bytes of public key, private key and signature.
const SETS: [(ck::CK_ULONG, usize, usize, usize); 3] = [
    (ck::CKP_ML_DSA_44, 1312, 2560, 2420),
    (ck::CKP_ML_DSA_65, 1952, 4032, 3309),
    (ck::CKP_ML_DSA_87, 2592, 4896, 4627),
];

/// Hashes, and ML-DSA over them.
#[rustfmt::skip]
const HASHES: [(ck::CK_MECHANISM_TYPE, ck::CK_MECHANISM_TYPE); 8] = [
    (ck::CKM_SHA224, ck::CKM_HASH_ML_DSA_SHA224),
    (ck::CKM_SHA256, ck::CKM_HASH_ML_DSA_SHA256),
    (ck::CKM_SHA384, ck::CKM_HASH_ML_DSA_SHA384),
    (ck::CKM_SHA512, ck::CKM_HASH_ML_DSA_SHA512),
    (ck::CKM_SHA3_224, ck::CKM_HASH_ML_DSA_SHA3_224),
    (ck::CKM_SHA3_256, ck::CKM_HASH_ML_DSA_SHA3_256),
    (ck::CKM_SHA3_384, ck::CKM_HASH_ML_DSA_SHA3_384),
    (ck::CKM_SHA3_512, ck::CKM_HASH_ML_DSA_SHA3_512),
];

const DATA: &[u8] = b"a message for ML-DSA";

/// A generated pair on the token: public and private.
fn generate(session: &Session<'_>, set: ck::CK_ULONG) -> (u64, u64) {
    let public = template! { CKA_PARAMETER_SET => set, CKA_TOKEN => true };
    let private = template! { CKA_TOKEN => true };
    let how = plain(ck::CKM_ML_DSA_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).expect("C_GenerateKeyPair")
}

#[test]
fn pairs_of_every_set_sign_and_verify_whole_and_in_parts() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (set, public_len, _, signature_len) in SETS {
            let (public, private) = generate(&session, set);
            assert_eq!(session.get(public, ck::CKA_VALUE).unwrap().len(), public_len);
            session.has(private, ck::CKA_PARAMETER_SET, set);
            session.has(private, ck::CKA_KEY_TYPE, ck::CKK_ML_DSA);
            let bits = session.get(public, ck::CKA_VALUE).unwrap();
            let info = session.get(private, ck::CKA_PUBLIC_KEY_INFO).unwrap();
            assert!(info.ends_with(&bits), "the SPKI of the pair");
            session.has(public, ck::CKA_PUBLIC_KEY_INFO, &info);
            let checksum = session.get(public, ck::CKA_PUBLIC_CRC64_VALUE).unwrap();
            assert_eq!(checksum.len(), 8);
            session.has(private, ck::CKA_PUBLIC_CRC64_VALUE, &checksum);
            let how = plain(ck::CKM_ML_DSA);
            let signature = session.sign(&how, private, DATA).unwrap();
            assert_eq!(signature.len(), signature_len);
            session.verify(&how, public, DATA, &signature).unwrap();
            let parts = [&DATA[..1], &DATA[1..1], &DATA[1..]];
            let signature = session.sign_parts(&how, private, &parts).unwrap();
            session.verify(&how, public, DATA, &signature).unwrap();
            session.verify_init(&how, public).unwrap();
            session.verify_update(&DATA[..7]).unwrap();
            session.verify_update(&DATA[7..]).unwrap();
            session.verify_final(&signature).unwrap();
        }
    });
}

#[test]
fn hedging_is_the_callers_choice() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_DSA_44);
        let sign = |hedge| {
            let parameter = context(hedge, b"");
            let how = with_struct(ck::CKM_ML_DSA, &parameter);
            let signature = session.sign(&how, private, DATA).unwrap();
            session.verify(&plain(ck::CKM_ML_DSA), public, DATA, &signature).unwrap();
            signature
        };
        for hedge in [ck::CKH_HEDGE_PREFERRED, ck::CKH_HEDGE_REQUIRED] {
            assert_ne!(sign(hedge), sign(hedge));
        }
        let same = sign(ck::CKH_DETERMINISTIC_REQUIRED);
        assert_eq!(same, sign(ck::CKH_DETERMINISTIC_REQUIRED));
        let parameter = context(3, b"");
        let how = with_struct(ck::CKM_ML_DSA, &parameter);
        session.sign_init(&how, private).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn a_context_belongs_to_the_signature_and_has_255_bytes_at_most() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_DSA_65);
        let (longest, too_long) = ([7; 255], [7; 256]);
        let parameter = context(ck::CKH_HEDGE_PREFERRED, &longest);
        let how = with_struct(ck::CKM_ML_DSA, &parameter);
        let signature = session.sign(&how, private, DATA).unwrap();
        session.verify(&how, public, DATA, &signature).unwrap();
        for other in [&longest[1..], b""] {
            let parameter = context(ck::CKH_HEDGE_PREFERRED, other);
            let how = with_struct(ck::CKM_ML_DSA, &parameter);
            let refused = session.verify(&how, public, DATA, &signature).unwrap_err();
            refused.is(ck::CKR_SIGNATURE_INVALID);
        }
        let parameter = context(ck::CKH_HEDGE_PREFERRED, &too_long);
        let mut nowhere = context(ck::CKH_HEDGE_PREFERRED, &longest);
        nowhere.pContext = null_mut();
        for parameter in [parameter, nowhere] {
            let how = with_struct(ck::CKM_ML_DSA, &parameter);
            session.sign_init(&how, private).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
            session.verify_init(&how, public).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        for bytes in [&[0; 1][..], &[0; 23], &[0; 25]] {
            let how = with_bytes(ck::CKM_ML_DSA, bytes);
            session.sign_init(&how, private).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

#[test]
fn signatures_of_digests_are_those_of_their_messages() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_DSA_44);
        for (hash, hashing) in HASHES {
            let parameter = hash_context(hash);
            let how = with_struct(ck::CKM_HASH_ML_DSA, &parameter);
            let digest = session.digest(&plain(hash), DATA).unwrap();
            let signature = session.sign(&how, private, &digest).unwrap();
            session.verify(&plain(hashing), public, DATA, &signature).unwrap();
            let parts = [&DATA[..3], &DATA[3..]];
            let signature = session.sign_parts(&plain(hashing), private, &parts).unwrap();
            session.verify(&how, public, &digest, &signature).unwrap();
            let pure = session.verify(&plain(ck::CKM_ML_DSA), public, DATA, &signature);
            pure.unwrap_err().is(ck::CKR_SIGNATURE_INVALID);
            for bad in [&digest[1..], &[&digest[..], &[0]].concat(), b""] {
                let refused = session.sign(&how, private, bad).unwrap_err();
                refused.is(ck::CKR_DATA_LEN_RANGE);
            }
            session.sign_init(&how, private).unwrap();
            session.sign_update(b"part").unwrap_err().is(ck::CKR_FUNCTION_NOT_SUPPORTED);
        }
        for hashing in [ck::CKM_HASH_ML_DSA_SHAKE128, ck::CKM_HASH_ML_DSA_SHAKE256] {
            let signature = session.sign(&plain(hashing), private, DATA).unwrap();
            session.verify(&plain(hashing), public, DATA, &signature).unwrap();
        }
        for hash in [ck::CKM_SHA_1, ck::CKM_ML_DSA, 0xdead] {
            let parameter = hash_context(hash);
            let how = with_struct(ck::CKM_HASH_ML_DSA, &parameter);
            session.sign_init(&how, private).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let how = plain(ck::CKM_HASH_ML_DSA);
        session.sign_init(&how, private).unwrap_err().is(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn wrong_signatures_and_foreign_keys_are_told_apart() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_ML_DSA_65);
        let (other, _) = generate(&session, ck::CKP_ML_DSA_65);
        let how = plain(ck::CKM_ML_DSA);
        let signature = session.sign(&how, private, DATA).unwrap();
        let refused = |key, data: &[u8], signature: &[u8]| {
            session.verify(&how, key, data, signature).unwrap_err()
        };
        refused(other, DATA, &signature).is(ck::CKR_SIGNATURE_INVALID);
        refused(public, b"another", &signature).is(ck::CKR_SIGNATURE_INVALID);
        for place in [0, 1700, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            refused(public, DATA, &changed).is(ck::CKR_SIGNATURE_INVALID);
        }
        for bad in [&signature[1..], &[&signature[..], &[0]].concat(), b""] {
            refused(public, DATA, bad).is(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        let key = crate::ecdsa::generate(&session, crate::support::known::P256).1;
        session.sign_init(&how, key).unwrap_err().is(ck::CKR_KEY_TYPE_INCONSISTENT);
        let refused = session.sign_init(&plain(ck::CKM_ECDSA), private).unwrap_err();
        refused.is(ck::CKR_KEY_TYPE_INCONSISTENT);
        session
            .sign_init(&how, public)
            .unwrap_err()
            .is_one_of(&[ck::CKR_KEY_FUNCTION_NOT_PERMITTED, ck::CKR_KEY_TYPE_INCONSISTENT]);
    });
}
