//! Two operations in one call. PKCS#11 3.2, "Dual-function cryptographic functions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes::{key, some_bytes};
use crate::support::operations::{Mechanism, input, lend_room, plain, with_bytes};
use crate::support::{Refused, Rv, Session, call, isolated, known};

const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const IV: [u8; 16] = [9; 16];

fn cbc() -> Mechanism<'static> {
    with_bytes(ck::CKM_AES_CBC, &IV)
}

fn padded() -> Mechanism<'static> {
    with_bytes(ck::CKM_AES_CBC_PAD, &IV)
}

fn sha() -> Mechanism<'static> {
    plain(ck::CKM_SHA256)
}

fn hmac() -> Mechanism<'static> {
    plain(ck::CKM_SHA256_HMAC)
}

struct Keys<'t> {
    session: Session<'t>,
    aes: ck::CK_OBJECT_HANDLE,
    secret: ck::CK_OBJECT_HANDLE,
}

fn keys<'t>(session: Session<'t>) -> Keys<'t> {
    let secret = session.create(&known::generic(&[3; 32])).expect("a secret");
    Keys { session, aes: key(&session, 16), secret }
}

#[test]
fn digests_see_what_is_encrypted_and_what_was_decrypted() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, aes, .. } = keys(token.user());
        let data = some_bytes(112);
        let sealed = session.encrypt(&cbc(), aes, &data).unwrap();
        let digest = session.digest(&sha(), &data).unwrap();
        session.encrypt_init(&cbc(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        let mut out = Vec::new();
        for part in data[..100].chunks(33) {
            out.extend(session.digest_encrypt_update(part).unwrap());
        }
        // They may be interspersed with the calls of each.
        session.digest_update(&data[100..]).unwrap();
        out.extend(session.encrypt_update(&data[100..]).unwrap());
        out.extend(session.encrypt_final().unwrap());
        assert_eq!((out, session.digest_final().unwrap()), (sealed.clone(), digest.clone()));
        session.decrypt_init(&cbc(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        let mut out = Vec::new();
        for part in sealed.chunks(33) {
            out.extend(session.decrypt_digest_update(part).unwrap());
        }
        assert!(session.decrypt_final().unwrap().is_empty());
        assert_eq!((out, session.digest_final().unwrap()), (data, digest));
    });
}

#[test]
fn signatures_see_what_is_encrypted_and_verifications_what_was_decrypted() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, aes, secret } = keys(token.user());
        let data = some_bytes(96);
        let sealed = session.encrypt(&cbc(), aes, &data).unwrap();
        let code = session.sign(&hmac(), secret, &data).unwrap();
        session.encrypt_init(&cbc(), aes).unwrap();
        session.sign_init(&hmac(), secret).unwrap();
        let mut out = Vec::new();
        for part in data.chunks(50) {
            out.extend(session.sign_encrypt_update(part).unwrap());
        }
        assert!(session.encrypt_final().unwrap().is_empty());
        assert_eq!((&out, session.sign_final().unwrap()), (&sealed, code.clone()));
        for (code, right) in [(code.as_slice(), true), (&[1; 32], false)] {
            session.decrypt_init(&cbc(), aes).unwrap();
            session.verify_init(&hmac(), secret).unwrap();
            for part in sealed.chunks(50) {
                session.decrypt_verify_update(part).unwrap();
            }
            session.decrypt_final().unwrap();
            assert_eq!(session.verify_final(code).is_ok(), right);
        }
    });
}

/// The last bytes of a padded text come with C_DecryptFinal, and no digest has seen them.
#[test]
fn the_last_bytes_of_a_padded_text_are_the_callers_to_digest() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, aes, .. } = keys(token.user());
        let data = some_bytes(18);
        let sealed = session.encrypt(&padded(), aes, &data).unwrap();
        session.decrypt_init(&padded(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        assert_eq!(session.decrypt_digest_update(&sealed).unwrap(), data[..16]);
        let rest = session.decrypt_final().unwrap();
        assert_eq!(rest, data[16..]);
        session.digest_update(&rest).unwrap();
        let digest = session.digest_final().unwrap();
        assert_eq!(digest, session.digest(&sha(), &data).unwrap());
    });
}

/// A dual call, with what begins its operations and what tells whether they are alive.
type Dual = (
    fn(&Keys<'_>) -> Result<(), Rv>,
    fn(&Keys<'_>) -> Result<(), Rv>,
    fn(&Keys<'_>, &[u8]) -> Result<Vec<u8>, Rv>,
    [fn(&Keys<'_>) -> Result<(), Rv>; 2],
);

const DUALS: [Dual; 4] = [
    (
        |k| k.session.encrypt_init(&cbc(), k.aes),
        |k| k.session.digest_init(&sha()),
        |k, part| k.session.digest_encrypt_update(part),
        [|k| k.session.encrypt_final().map(drop), |k| k.session.digest_final().map(drop)],
    ),
    (
        |k| k.session.decrypt_init(&cbc(), k.aes),
        |k| k.session.digest_init(&sha()),
        |k, part| k.session.decrypt_digest_update(part),
        [|k| k.session.decrypt_final().map(drop), |k| k.session.digest_final().map(drop)],
    ),
    (
        |k| k.session.encrypt_init(&cbc(), k.aes),
        |k| k.session.sign_init(&hmac(), k.secret),
        |k, part| k.session.sign_encrypt_update(part),
        [|k| k.session.encrypt_final().map(drop), |k| k.session.sign_final().map(drop)],
    ),
    (
        |k| k.session.decrypt_init(&cbc(), k.aes),
        |k| k.session.verify_init(&hmac(), k.secret),
        |k, part| k.session.decrypt_verify_update(part),
        [|k| k.session.decrypt_final().map(drop), |k| k.session.verify_final(&[1; 32])],
    ),
];

#[test]
fn both_must_be_active_and_one_alone_is_left_as_it_was() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(token.user());
        for (first, second, update, [end_first, end_second]) in DUALS {
            update(&keys, &[1; 16]).refused(IDLE);
            first(&keys).unwrap();
            update(&keys, &[1; 16]).refused(IDLE);
            end_first(&keys).unwrap();
            second(&keys).unwrap();
            update(&keys, &[1; 16]).refused(IDLE);
            let ended = end_second(&keys).err().unwrap_or(Rv(ck::CKR_OK));
            ended.is_one_of(&[ck::CKR_OK, ck::CKR_SIGNATURE_INVALID]);
        }
        assert!(token.has(ck::CKF_DUAL_CRYPTO_OPERATIONS));
    });
}

#[test]
fn short_rooms_and_length_queries_change_neither() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, aes, .. } = keys(token.user());
        let (s, data) = (session.handle, some_bytes(32));
        let (part, len) = input(&data);
        session.encrypt_init(&cbc(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        for room in [0, 1, 31] {
            let (rv, needed, _) = lend_room(room, |out, out_len| {
                call!(session, C_DigestEncryptUpdate(s, part, len, out, out_len))
            });
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 32);
        }
        // Asks for the length first.
        let sealed = session.digest_encrypt_update(&data).unwrap();
        assert_eq!(session.digest_final().unwrap(), session.digest(&sha(), &data).unwrap());
        session.encrypt_final().unwrap();
        assert_eq!(sealed, session.encrypt(&cbc(), aes, &data).unwrap());
    });
}

#[test]
fn they_work_in_place() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, aes, .. } = keys(token.user());
        let (s, data) = (session.handle, some_bytes(32));
        let mut room = data.clone();
        let (place, mut length) = (room.as_mut_ptr(), 32);
        session.encrypt_init(&cbc(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        let out = &raw mut length;
        call!(session, C_DigestEncryptUpdate(s, place, 32, place, out)).is(ck::CKR_OK);
        let digest = session.digest_final().unwrap();
        session.encrypt_final().unwrap();
        assert_eq!(digest, session.digest(&sha(), &data).unwrap());
        assert_eq!(room, session.encrypt(&cbc(), aes, &data).unwrap());
        session.decrypt_init(&cbc(), aes).unwrap();
        session.digest_init(&sha()).unwrap();
        let place = room.as_mut_ptr();
        call!(session, C_DecryptDigestUpdate(s, place, 32, place, out)).is(ck::CKR_OK);
        assert_eq!((&room, session.digest_final().unwrap()), (&data, digest));
    });
}

#[test]
fn what_fails_ends_both() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(token.user());
        let Keys { session, .. } = keys;
        let (s, none) = (session.handle, null_mut());
        let bad: [&dyn Fn() -> Rv; 4] = [
            &|| call!(session, C_DigestEncryptUpdate(s, none, 3, none, null_mut())),
            &|| call!(session, C_DecryptDigestUpdate(s, none, 3, none, null_mut())),
            &|| call!(session, C_SignEncryptUpdate(s, none, 3, none, null_mut())),
            &|| call!(session, C_DecryptVerifyUpdate(s, none, 3, none, null_mut())),
        ];
        for ((first, second, _, [end_first, end_second]), bad) in DUALS.into_iter().zip(bad) {
            first(&keys).unwrap();
            second(&keys).unwrap();
            bad().is(ck::CKR_ARGUMENTS_BAD);
            end_first(&keys).refused(IDLE);
            end_second(&keys).refused(IDLE);
        }
        // A signature that takes no parts, whose data was encrypted already.
        let (_, ec) = crate::ecdsa::generate(&session, known::P256);
        session.encrypt_init(&cbc(), keys.aes).unwrap();
        session.sign_init(&plain(ck::CKM_ECDSA), ec).unwrap();
        let (rv, _, room) = lend_room(16, |out, out_len| {
            call!(session, C_SignEncryptUpdate(s, [7; 16].as_mut_ptr(), 16, out, out_len))
        });
        rv.is(ck::CKR_FUNCTION_NOT_SUPPORTED);
        assert_eq!(room, [0; 16], "nothing is left in the room");
        session.encrypt_final().refused(IDLE);
        session.sign_final().refused(IDLE);
    });
}

#[test]
fn cancelling_one_leaves_the_other() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(token.user());
        let Keys { session, .. } = keys;
        session.encrypt_init(&cbc(), keys.aes).unwrap();
        session.digest_init(&sha()).unwrap();
        session.digest_encrypt_update(&[1; 16]).unwrap();
        call!(session, C_SessionCancel(session.handle, ck::CKF_DIGEST)).is(ck::CKR_OK);
        session.digest_encrypt_update(&[1; 16]).refused(IDLE);
        session.encrypt_update(&[1; 16]).unwrap();
        session.encrypt_final().unwrap();
    });
}
