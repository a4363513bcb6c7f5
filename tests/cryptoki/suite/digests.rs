//! Digests, and what of their calls may go wrong without an end of the operation.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::on_token;
use crate::support::operations::{lend_room, plain};
use crate::support::{Refused, call, known, template};

/// Mechanisms, and the lengths of their digests.
const DIGESTS: &[(ck::CK_MECHANISM_TYPE, usize)] = &[
    (ck::CKM_MD5, 16),
    (ck::CKM_SHA_1, 20),
    (ck::CKM_SHA224, 28),
    (ck::CKM_SHA256, 32),
    (ck::CKM_SHA384, 48),
    (ck::CKM_SHA512, 64),
];

#[test]
fn a_digest_begins_with_a_mechanism_that_digests() {
    on_token(|token| {
        let session = token.read_only();
        let s = session.handle;
        call!(session, C_DigestInit(s, null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        session.digest_init(&plain(ck::CKM_VENDOR_DEFINED)).refused(ck::CKR_MECHANISM_INVALID);
        session.digest_update(b"x").refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.digest_init(&plain(ck::CKM_SHA512)).unwrap();
        session.digest_init(&plain(ck::CKM_SHA512)).refused(ck::CKR_OPERATION_ACTIVE);
    });
}

#[test]
fn a_digest_goes_on_after_bad_arguments_and_a_short_room() {
    on_token(|token| {
        let session = token.read_only();
        let (s, mut data, mut len) = (session.handle, *b"Text", 0);
        let data = data.as_mut_ptr();
        session.digest_init(&plain(ck::CKM_SHA512)).unwrap();
        call!(session, C_Digest(s, null_mut(), 4, null_mut(), &raw mut len))
            .is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_Digest(s, data, 4, null_mut(), null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        call!(session, C_Digest(s, data, 4, null_mut(), &raw mut len)).is(ck::CKR_OK);
        assert_eq!(len, 64);
        let (rv, needed, _) =
            lend_room(0, |out, out_len| call!(session, C_Digest(s, data, 4, out, out_len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 64);
        let (rv, _, _) =
            lend_room(64, |out, out_len| call!(session, C_Digest(s, data, 4, out, out_len)));
        rv.is(ck::CKR_OK);
        call!(session, C_Digest(s, data, 4, null_mut(), &raw mut len))
            .is(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn parts_give_the_digest_of_the_whole() {
    on_token(|token| {
        let session = token.read_only();
        for (mechanism, len) in DIGESTS {
            let whole = session.digest(&plain(*mechanism), b"some data to digest").unwrap();
            assert_eq!(whole.len(), *len);
            session.digest_init(&plain(*mechanism)).unwrap();
            session.digest_update(b"some data").unwrap();
            session.digest_update(b" to digest").unwrap();
            assert_eq!(session.digest_final().unwrap(), whole);
        }
    });
}

#[test]
fn a_key_that_may_be_read_is_digested_and_no_key_ends_nothing() {
    on_token(|token| {
        let session = token.read_only();
        let value = b"0123456789abcdef";
        let key = known::generic(value).with(template! {
            CKA_TOKEN => false, CKA_PRIVATE => false, CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        });
        let key = session.create(&key).unwrap();
        call!(session, C_DigestKey(session.handle, key)).is(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        call!(session, C_DigestKey(session.handle, 0)).is(ck::CKR_KEY_HANDLE_INVALID);
        call!(session, C_DigestKey(session.handle, key)).is(ck::CKR_OK);
        let digest = session.digest_final().unwrap();
        assert_eq!(digest, session.digest(&plain(ck::CKM_SHA256), value).unwrap());
    });
}
