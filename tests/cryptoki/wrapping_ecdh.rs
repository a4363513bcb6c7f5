//! Wrapping with an ephemeral key agreement and AES. PKCS#11 3.2, "ECDH AES KEY WRAP" and its two
//! successors.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, P256, P521, X25519};
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, isolated, template};
use crate::wrapping::{asked, open, open_secret};

const MECHANISMS: [ck::CK_MECHANISM_TYPE; 3] =
    [ck::CKM_ECDH_AES_KEY_WRAP, ck::CKM_ECDH_X_AES_KEY_WRAP, ck::CKM_ECDH_COF_AES_KEY_WRAP];

fn params(bits: u64, kdf: ck::CK_EC_KDF_TYPE, shared: &[u8]) -> ck::CK_ECDH_AES_KEY_WRAP_PARAMS {
    let place = if shared.is_empty() { null_mut() } else { shared.as_ptr().cast_mut() };
    ck::CK_ECDH_AES_KEY_WRAP_PARAMS {
        ulAESKeyBits: bits,
        kdf,
        ulSharedDataLen: len(shared.len()),
        pSharedData: place,
    }
}

/// A pair on a curve that wraps, unwraps and derives; and the length of its points.
fn pair(session: &Session<'_>, curve: &[u8]) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = match curve == X25519 {
        true => plain(ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN),
        false => plain(ck::CKM_EC_KEY_PAIR_GEN),
    };
    let public = template! { CKA_EC_PARAMS => curve, CKA_WRAP => true };
    let private = template! { CKA_UNWRAP => true, CKA_DERIVE => true };
    session.generate_pair(&how, &public, &private).expect("a pair")
}

const CURVES: [(&[u8], usize); 3] = [(P256, 65), (P521, 133), (X25519, 32)];

#[test]
fn keys_come_back_and_every_change_is_one_refusal() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (curve, point_len) in CURVES {
            let (public, private) = pair(&session, curve);
            for (mechanism, bits) in MECHANISMS.into_iter().zip([256, 192, 128]) {
                let parameter = params(bits, ck::CKD_SHA256_KDF, b"shared");
                let how = with_struct(mechanism, &parameter);
                let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
                let wrapped = session.wrap(&how, public, key).unwrap();
                assert_eq!(wrapped.len(), point_len + 40);
                assert_ne!(session.wrap(&how, public, key).unwrap(), wrapped, "ephemeral");
                let aes = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
                let back = session.unwrap_key(&how, private, &wrapped, &aes).unwrap();
                session.has(back, ck::CKA_VALUE, &[9; 32]);
                for at in [0, 5, point_len - 2, point_len, wrapped.len() - 1] {
                    let mut wrong = wrapped.clone();
                    wrong[at] ^= 1;
                    let back = session.unwrap_key(&how, private, &wrong, &aes);
                    back.refused(ck::CKR_WRAPPED_KEY_INVALID);
                }
                for length in [0, point_len, point_len + 8, wrapped.len() - 1] {
                    let back = session.unwrap_key(&how, private, &wrapped[..length], &aes);
                    back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
                }
                let own = session.create(&open(known::p256_private())).unwrap();
                let wrapped = session.wrap(&how, public, own).unwrap();
                let ec = asked(ck::CKO_PRIVATE_KEY, ck::CKK_EC);
                let back = session.unwrap_key(&how, private, &wrapped, &ec).unwrap();
                assert_eq!(session.get(back, ck::CKA_VALUE), session.get(own, ck::CKA_VALUE));
            }
        }
    });
}

/// C_DeriveKey and KWP, one after the other, undo it.
#[test]
fn it_is_an_agreement_and_then_kwp() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (curve, point_len) in CURVES {
            let (public, private) = pair(&session, curve);
            let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
            for (kdf, shared) in [(ck::CKD_NULL, &b""[..]), (ck::CKD_SHA384_KDF, b"shared")] {
                let parameter = params(256, kdf, shared);
                let how = with_struct(ck::CKM_ECDH_AES_KEY_WRAP, &parameter);
                let wrapped = session.wrap(&how, public, key).unwrap();
                let (point, rest) = wrapped.split_at(point_len);
                let agreement = ck::CK_ECDH1_DERIVE_PARAMS {
                    kdf,
                    ulSharedDataLen: len(shared.len()),
                    pSharedData: parameter.pSharedData,
                    ulPublicDataLen: len(point.len()),
                    pPublicData: point.as_ptr().cast_mut(),
                };
                let asked = template! {
                    CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES,
                    CKA_VALUE_LEN => 32_u64, CKA_UNWRAP => true,
                };
                let derive = with_struct(ck::CKM_ECDH1_DERIVE, &agreement);
                let aes = session.derive(&derive, private, &asked).unwrap();
                let aes_key = self::asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
                let kwp = plain(ck::CKM_AES_KEY_WRAP_KWP);
                let back = session.unwrap_key(&kwp, aes, rest, &aes_key).unwrap();
                session.has(back, ck::CKA_VALUE, &[9; 32]);
            }
        }
    });
}

#[test]
fn wrong_parameters_and_keys_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session, P256);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let good = params(256, ck::CKD_SHA256_KDF, b"");
        let refused = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for wrong in [
            params(0, ck::CKD_SHA256_KDF, b""),
            params(255, ck::CKD_SHA256_KDF, b""),
            params(256, 0xffff, b""),
            params(256, ck::CKD_NULL, b"shared"),
            ck::CK_ECDH_AES_KEY_WRAP_PARAMS { ulSharedDataLen: 5, ..good },
        ] {
            let how = with_struct(ck::CKM_ECDH_AES_KEY_WRAP, &wrong);
            session.wrap(&how, public, key).expect_err("a parameter").is_one_of(refused);
            let back = session.unwrap_key(&how, private, &[4; 105], &asked);
            back.expect_err("a parameter").is_one_of(refused);
        }
        let how = with_struct(ck::CKM_ECDH_AES_KEY_WRAP, &good);
        session.wrap(&how, key, key).refused(ck::CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
        let none = plain(ck::CKM_ECDH_AES_KEY_WRAP);
        session.wrap(&none, public, key).expect_err("no parameter").is_one_of(refused);
    });
}
