//! Signatures and MACs: made, verified, and refused once anything was changed.

use cryptoki_sys as ck;

use super::on_token;
use crate::support::operations::{Mechanism, plain, with_struct};
use crate::support::{Refused, Session, Token, known, template};

const DATA: &[u8] = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0f";

/// Signs in one part, and in several where the mechanism can; changed data does not verify.
#[track_caller]
fn signs(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    (public, private): (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE),
    data: &[u8],
    in_parts: bool,
) {
    let signature = session.sign(how, private, data).expect("a signature");
    session.verify(how, public, data, &signature).expect("its verification");
    let mut changed = data.to_vec();
    changed[0] ^= 0xff;
    session.verify(how, public, &changed, &signature).refused(ck::CKR_SIGNATURE_INVALID);
    if !in_parts {
        return;
    }
    let signature = session.sign_parts(how, private, &[data, data]).expect("parts");
    let verify = |second: &[u8]| {
        session.verify_init(how, public)?;
        session.verify_update(data)?;
        session.verify_update(second)?;
        session.verify_final(&signature)
    };
    verify(data).expect("its verification in parts");
    verify(&changed).refused(ck::CKR_SIGNATURE_INVALID);
}

fn rsa(token: &Token) -> (Session<'_>, (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE)) {
    let session = token.user();
    let public = template! { CKA_MODULUS_BITS => 1536 as ck::CK_ULONG };
    let how = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
    let pair = session.generate_pair(&how, &public, &template! {}).expect("a pair");
    (session, pair)
}

#[test]
fn rsa_signs_what_it_is_given_and_what_it_hashes() {
    on_token(|token| {
        let (session, pair) = rsa(token);
        signs(&session, &plain(ck::CKM_RSA_PKCS), pair, DATA, false);
        signs(&session, &plain(ck::CKM_RSA_X_509), pair, DATA, false);
        for how in [
            ck::CKM_MD5_RSA_PKCS,
            ck::CKM_SHA1_RSA_PKCS,
            ck::CKM_SHA224_RSA_PKCS,
            ck::CKM_SHA256_RSA_PKCS,
            ck::CKM_SHA384_RSA_PKCS,
            ck::CKM_SHA512_RSA_PKCS,
        ] {
            signs(&session, &plain(how), pair, DATA, true);
        }
    });
}

#[test]
fn rsa_signs_with_pss_over_each_hash() {
    on_token(|token| {
        let (session, pair) = rsa(token);
        for (how, hash, mgf, length) in [
            (ck::CKM_SHA1_RSA_PKCS_PSS, ck::CKM_SHA_1, ck::CKG_MGF1_SHA1, 20),
            (ck::CKM_SHA224_RSA_PKCS_PSS, ck::CKM_SHA224, ck::CKG_MGF1_SHA224, 28),
            (ck::CKM_SHA256_RSA_PKCS_PSS, ck::CKM_SHA256, ck::CKG_MGF1_SHA256, 32),
            (ck::CKM_SHA384_RSA_PKCS_PSS, ck::CKM_SHA384, ck::CKG_MGF1_SHA384, 48),
            (ck::CKM_SHA512_RSA_PKCS_PSS, ck::CKM_SHA512, ck::CKG_MGF1_SHA512, 64),
        ] {
            let params = ck::CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: length };
            signs(&session, &with_struct(how, &params), pair, DATA, true);
            let digest = vec![0x3c; usize::try_from(length).expect("a length")];
            let raw = with_struct(ck::CKM_RSA_PKCS_PSS, &params);
            signs(&session, &raw, pair, &digest, false);
        }
    });
}

#[test]
fn ecdsa_on_each_curve_with_each_hash() {
    on_token(|token| {
        let session = token.user();
        for curve in [known::P256, known::P384, known::P521] {
            let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
            let public = template! { CKA_EC_PARAMS => curve };
            let pair = session.generate_pair(&how, &public, &template! {}).unwrap();
            signs(&session, &plain(ck::CKM_ECDSA), pair, &[0x3c; 20], false);
            for how in [
                ck::CKM_ECDSA_SHA1,
                ck::CKM_ECDSA_SHA224,
                ck::CKM_ECDSA_SHA256,
                ck::CKM_ECDSA_SHA384,
                ck::CKM_ECDSA_SHA512,
            ] {
                signs(&session, &plain(how), pair, DATA, true);
            }
        }
    });
}

#[test]
fn edwards_curves_go_by_their_names() {
    on_token(|token| {
        let session = token.user();
        for name in [&b"\x13\x0cedwards25519"[..], b"\x13\x0aedwards448"] {
            let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
            let public = template! { CKA_EC_PARAMS => name };
            let pair = session.generate_pair(&how, &public, &template! {}).unwrap();
            signs(&session, &plain(ck::CKM_EDDSA), pair, DATA, false);
        }
    });
}

#[test]
fn macs_of_every_hash_and_cipher() {
    on_token(|token| {
        let session = token.user();
        let odd: Vec<u8> = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]
            .into_iter()
            .chain([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe])
            .chain([0x02, 0x20, 0x46, 0x64, 0x8a, 0xa8, 0xce, 0xec])
            .collect();
        for (how, key_type, value) in [
            (ck::CKM_MD5_HMAC, ck::CKK_MD5_HMAC, &[1; 16][..]),
            (ck::CKM_SHA_1_HMAC, ck::CKK_SHA_1_HMAC, &[1; 20]),
            (ck::CKM_SHA224_HMAC, ck::CKK_SHA224_HMAC, &[1; 28]),
            (ck::CKM_SHA256_HMAC, ck::CKK_SHA256_HMAC, &[1; 32]),
            (ck::CKM_SHA384_HMAC, ck::CKK_SHA384_HMAC, &[1; 48]),
            (ck::CKM_SHA512_HMAC, ck::CKK_SHA512_HMAC, &[1; 64]),
            (ck::CKM_SHA256_HMAC, ck::CKK_GENERIC_SECRET, &[1; 32]),
            (ck::CKM_DES3_CMAC, ck::CKK_DES2, &odd[..16]),
            (ck::CKM_DES3_CMAC, ck::CKK_DES3, &odd),
            (ck::CKM_AES_CMAC, ck::CKK_AES, &[1; 16]),
        ] {
            let uses = template! { CKA_SIGN => true, CKA_VERIFY => true };
            let key = session.create(&known::secret(key_type, value).with(uses)).unwrap();
            signs(&session, &plain(how), (key, key), DATA, true);
        }
    });
}

#[test]
fn a_key_of_another_type_is_told_before_anything_else() {
    on_token(|token| {
        let session = token.user();
        let public = template! { CKA_EC_PARAMS => known::P256 };
        let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
        let (ec, ec_own) = session.generate_pair(&how, &public, &template! {}).unwrap();
        let rsa = session.create(&known::rsa_public().and(ck::CKA_VERIFY, true)).unwrap();
        let rsa_own = session.create(&known::rsa_private().and(ck::CKA_SIGN, true)).unwrap();
        let wrong = ck::CKR_KEY_TYPE_INCONSISTENT;
        for how in [
            ck::CKM_RSA_PKCS,
            ck::CKM_RSA_X_509,
            ck::CKM_SHA1_RSA_PKCS,
            ck::CKM_SHA256_RSA_PKCS,
            ck::CKM_DSA,
            ck::CKM_DSA_SHA1,
            ck::CKM_DSA_SHA256,
        ] {
            session.sign_init(&plain(how), ec_own).refused(wrong);
            session.verify_init(&plain(how), ec).refused(wrong);
        }
        for how in [ck::CKM_ECDSA, ck::CKM_ECDSA_SHA256] {
            session.sign_init(&plain(how), rsa_own).refused(wrong);
            session.verify_init(&plain(how), rsa).refused(wrong);
        }
    });
}
