//! SLH-DSA. PKCS#11 3.2, "SLH-DSA". Its signatures are slow, so that the fast sets stand for all.

use cryptoki_sys as ck;

use crate::support::encapsulation::{context, hash_context};
use crate::support::operations::{plain, with_bytes, with_struct};
use crate::support::{Refused, Session, isolated, template};

/// Parameter sets: number, bytes of the public key and of a signature.
const SETS: [(ck::CK_ULONG, usize, usize); 2] =
    [(ck::CKP_SLH_DSA_SHA2_128F, 32, 17088), (ck::CKP_SLH_DSA_SHAKE_192F, 48, 35664)];

const DATA: &[u8] = b"a message for SLH-DSA";

fn generate(session: &Session<'_>, set: ck::CK_ULONG) -> (u64, u64) {
    let public = template! { CKA_PARAMETER_SET => set };
    let how = plain(ck::CKM_SLH_DSA_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &template! {}).expect("C_GenerateKeyPair")
}

#[test]
fn pairs_sign_and_verify_whole_in_parts_and_with_a_context() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (set, public_len, signature_len) in SETS {
            let (public, private) = generate(&session, set);
            assert_eq!(session.get(public, ck::CKA_VALUE).unwrap().len(), public_len);
            let how = plain(ck::CKM_SLH_DSA);
            let signature =
                session.sign_parts(&how, private, &[&DATA[..3], b"", &DATA[3..]]).unwrap();
            assert_eq!(signature.len(), signature_len);
            session.verify(&how, public, DATA, &signature).unwrap();
        }
        let (public, private) = generate(&session, ck::CKP_SLH_DSA_SHA2_128F);
        let longest = [7; 255];
        let parameter = context(ck::CKH_DETERMINISTIC_REQUIRED, &longest);
        let how = with_struct(ck::CKM_SLH_DSA, &parameter);
        let signature = session.sign(&how, private, DATA).unwrap();
        assert_eq!(session.sign(&how, private, DATA).unwrap(), signature);
        session.verify(&how, public, DATA, &signature).unwrap();
        for other in [&longest[1..], b""] {
            let parameter = context(ck::CKH_HEDGE_PREFERRED, other);
            let how = with_struct(ck::CKM_SLH_DSA, &parameter);
            let judged = session.verify(&how, public, DATA, &signature);
            judged.refused(ck::CKR_SIGNATURE_INVALID);
        }
    });
}

#[test]
fn wrong_signatures_lengths_contexts_and_digests_are_told_apart() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = generate(&session, ck::CKP_SLH_DSA_SHA2_128F);
        let (other, _) = generate(&session, ck::CKP_SLH_DSA_SHA2_128F);
        let how = plain(ck::CKM_SLH_DSA);
        let signature = session.sign(&how, private, DATA).unwrap();
        let judged =
            |key, data: &[u8], signature: &[u8]| session.verify(&how, key, data, signature);
        judged(public, DATA, &signature).unwrap();
        judged(other, DATA, &signature).refused(ck::CKR_SIGNATURE_INVALID);
        judged(public, b"another", &signature).refused(ck::CKR_SIGNATURE_INVALID);
        for place in [0, 9000, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            judged(public, DATA, &changed).refused(ck::CKR_SIGNATURE_INVALID);
        }
        for bad in [&signature[1..], &[&signature[..], &[0]].concat(), b""] {
            judged(public, DATA, bad).refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        let too_long = [7; 256];
        let parameter = context(ck::CKH_HEDGE_PREFERRED, &too_long);
        let unknown = context(3, b"");
        for parameter in [parameter, unknown] {
            let how = with_struct(ck::CKM_SLH_DSA, &parameter);
            session.sign_init(&how, private).refused(ck::CKR_MECHANISM_PARAM_INVALID);
            session.verify_init(&how, public).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let short = with_bytes(ck::CKM_SLH_DSA, &[0; 7]);
        session.sign_init(&short, private).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        // The hashed form is another signature, and takes digests of one length.
        let parameter = hash_context(ck::CKM_SHA256);
        let hashed = with_struct(ck::CKM_HASH_SLH_DSA, &parameter);
        let digest = session.digest(&plain(ck::CKM_SHA256), DATA).unwrap();
        let made = session.sign(&hashed, private, &digest).unwrap();
        session.verify(&plain(ck::CKM_HASH_SLH_DSA_SHA256), public, DATA, &made).unwrap();
        judged(public, DATA, &made).refused(ck::CKR_SIGNATURE_INVALID);
        for bad in [&digest[1..], &[&digest[..], &[0]].concat(), b""] {
            session.sign(&hashed, private, bad).refused(ck::CKR_DATA_LEN_RANGE);
        }
        // Keys of one family are no keys of another.
        let begun = session.sign_init(&plain(ck::CKM_ML_DSA), private);
        begun.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        let begun = session.verify_init(&plain(ck::CKM_ML_DSA), public);
        begun.refused(ck::CKR_KEY_TYPE_INCONSISTENT);
    });
}
