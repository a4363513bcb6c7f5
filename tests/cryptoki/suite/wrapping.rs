//! Wrapping and unwrapping of secret and private keys.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::operations::{
    Mechanism, in_two_calls, input, lend_room, plain, with_bytes, with_struct,
};
use crate::support::{Rv, Session, Template, call, known, template};

fn wrap(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    by: ck::CK_OBJECT_HANDLE,
    key: ck::CK_OBJECT_HANDLE,
) -> Result<Vec<u8>, Rv> {
    let mut c = how.c;
    in_two_calls(|out, len| {
        call!(session, C_WrapKey(session.handle, &raw mut c, by, key, out, len))
    })
}

fn unwrap(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    by: ck::CK_OBJECT_HANDLE,
    wrapped: &[u8],
    template: &Template,
) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
    let (mut c, mut key, (start, len)) = (how.c, 0, input(wrapped));
    template
        .lend(|rows, count| {
            let m = &raw mut c;
            call!(
                session,
                C_UnwrapKey(session.handle, m, by, start, len, rows, count, &raw mut key)
            )
        })
        .with(key)?;
    Ok(key)
}

fn wrapping_key(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    let uses = template! { CKA_WRAP => true, CKA_UNWRAP => true };
    session.create(&known::aes(&[8; 32]).with(uses)).expect("a wrapping key")
}

fn readable(template: Template) -> Template {
    template.with(template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true })
}

fn generic() -> Template {
    template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET }
}

const IV: [u8; 16] = [4; 16];

#[test]
fn secrets_come_back_from_each_wrapping_by_aes() {
    on_token(|token| {
        let session = token.user();
        let by = wrapping_key(&session);
        let value: Vec<u8> = (0..32).collect();
        let key = session.create(&readable(known::generic(&value))).unwrap();
        for how in [
            plain(ck::CKM_AES_KEY_WRAP),
            plain(ck::CKM_AES_KEY_WRAP_PAD),
            with_bytes(ck::CKM_AES_CBC, &IV),
            with_bytes(ck::CKM_AES_CBC_PAD, &IV),
        ] {
            let wrapped = wrap(&session, &how, by, key).unwrap();
            let back = unwrap(&session, &how, by, &wrapped, &readable(generic())).unwrap();
            assert_eq!(session.get(back, ck::CKA_VALUE).unwrap(), value);
            assert!(!session.flag(back, ck::CKA_LOCAL));
        }
    });
}

#[test]
fn private_keys_come_back_and_sign() {
    on_token(|token| {
        let session = token.user();
        let by = wrapping_key(&session);
        let open = template! { CKA_EXTRACTABLE => true, CKA_SIGN => true };
        let public = template! { CKA_EC_PARAMS => known::ED25519, CKA_VERIFY => true };
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let (edwards, edwards_own) = session.generate_pair(&how, &public, &open).unwrap();
        let rsa = session.create(&known::rsa_public().and(ck::CKA_VERIFY, true)).unwrap();
        let rsa_own = session.create(&known::rsa_private().with(open)).unwrap();
        for (key_type, sign, public, own) in [
            (ck::CKK_RSA, ck::CKM_SHA256_RSA_PKCS, rsa, rsa_own),
            (ck::CKK_EC_EDWARDS, ck::CKM_EDDSA, edwards, edwards_own),
        ] {
            for how in [plain(ck::CKM_AES_KEY_WRAP_PAD), with_bytes(ck::CKM_AES_CBC_PAD, &IV)] {
                let wrapped = wrap(&session, &how, by, own).unwrap();
                let template = template! {
                    CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type, CKA_SIGN => true,
                };
                let back = unwrap(&session, &how, by, &wrapped, &template).unwrap();
                let signature = session.sign(&plain(sign), back, b"data").unwrap();
                session.verify(&plain(sign), public, b"data", &signature).unwrap();
            }
        }
    });
}

#[test]
fn a_key_that_may_not_leave_does_not_leave() {
    on_token(|token| {
        let session = token.user();
        let by = wrapping_key(&session);
        let kept = known::generic(&[6; 32]).and(ck::CKA_EXTRACTABLE, false);
        let kept = session.create(&kept).unwrap();
        let how = plain(ck::CKM_AES_KEY_WRAP);
        assert_eq!(wrap(&session, &how, by, kept), Err(Rv(ck::CKR_KEY_UNEXTRACTABLE)));
    });
}

#[test]
fn no_room_for_a_wrapped_key_is_too_small() {
    on_token(|token| {
        let session = token.user();
        let by = wrapping_key(&session);
        let fixed = readable(known::generic(&[6; 32])).and(ck::CKA_MODIFIABLE, false);
        let key = session.create(&fixed).unwrap();
        let mut c = plain(ck::CKM_AES_KEY_WRAP).c;
        let (rv, needed, _) = lend_room(0, |out, len| {
            call!(session, C_WrapKey(session.handle, &raw mut c, by, key, out, len))
        });
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 40);
    });
}

#[test]
fn rsa_wraps_secrets_with_each_padding() {
    on_token(|token| {
        let session = token.user();
        let by = session.create(&known::rsa_public().and(ck::CKA_WRAP, true)).unwrap();
        let own = session.create(&known::rsa_private().and(ck::CKA_UNWRAP, true)).unwrap();
        let value: Vec<u8> = (0..32).collect();
        let key = session.create(&readable(known::generic(&value))).unwrap();
        let mut oaep = ck::CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: ck::CKM_SHA_1,
            mgf: ck::CKG_MGF1_SHA1,
            source: ck::CKZ_DATA_SPECIFIED,
            pSourceData: null_mut(),
            ulSourceDataLen: 0,
        };
        let both = ck::CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: 256, pOAEPParams: &raw mut oaep };
        for (how, length) in [
            (plain(ck::CKM_RSA_PKCS), 256),
            (with_struct(ck::CKM_RSA_PKCS_OAEP, &oaep), 256),
            (with_struct(ck::CKM_RSA_AES_KEY_WRAP, &both), 256 + 40),
        ] {
            let wrapped = wrap(&session, &how, by, key).unwrap();
            assert_eq!(wrapped.len(), length);
            let back = unwrap(&session, &how, own, &wrapped, &readable(generic())).unwrap();
            assert_eq!(session.get(back, ck::CKA_VALUE).unwrap(), value);
        }
    });
}
