//! The rules that all operations share: what begins one, what ends it, what leaves it alone.
//! PKCS#11 3.2, "Function return values", "Conventions for functions returning output".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::aes;
use crate::support::known::{self, P256};
use crate::support::operations::{Mechanism, input, lend_room, plain, with_bytes};
use crate::support::{Refused, Rv, Session, Token, call, isolated, template};

const IDLE: ck::CK_RV = ck::CKR_OPERATION_NOT_INITIALIZED;
const IV: [u8; 16] = [5; 16];
const DATA: [u8; 32] = [7; 32];

/// A session of the user with one key for each kind of operation.
struct Keys<'t> {
    session: Session<'t>,
    aes: ck::CK_OBJECT_HANDLE,
    public: ck::CK_OBJECT_HANDLE,
    private: ck::CK_OBJECT_HANDLE,
}

fn keys(token: &Token) -> Keys<'_> {
    let session = token.user();
    let (public, private) = crate::ecdsa::generate(&session, P256);
    Keys { session, aes: aes::key(&session, 16), public, private }
}

fn cbc() -> Mechanism<'static> {
    with_bytes(ck::CKM_AES_CBC, &IV)
}

fn ecdsa() -> Mechanism<'static> {
    plain(ck::CKM_ECDSA_SHA256)
}

impl Keys<'_> {
    fn begin(&self, kind: ck::CK_FLAGS) -> Result<(), Rv> {
        match kind {
            ck::CKF_ENCRYPT => self.session.encrypt_init(&cbc(), self.aes),
            ck::CKF_DECRYPT => self.session.decrypt_init(&cbc(), self.aes),
            ck::CKF_SIGN => self.session.sign_init(&ecdsa(), self.private),
            ck::CKF_VERIFY => self.session.verify_init(&ecdsa(), self.public),
            _ => self.session.digest_init(&plain(ck::CKM_SHA256)),
        }
    }

    /// One more part; what it answers says whether the operation is alive.
    fn go_on(&self, kind: ck::CK_FLAGS) -> Result<(), Rv> {
        match kind {
            ck::CKF_ENCRYPT => self.session.encrypt_update(&DATA).map(drop),
            ck::CKF_DECRYPT => self.session.decrypt_update(&DATA).map(drop),
            ck::CKF_SIGN => self.session.sign_update(&DATA),
            ck::CKF_VERIFY => self.session.verify_update(&DATA),
            _ => self.session.digest_update(&DATA),
        }
    }

    /// The same with everything in one call.
    fn at_once(&self, kind: ck::CK_FLAGS) -> Result<(), Rv> {
        match kind {
            ck::CKF_ENCRYPT => self.session.encrypt_data(&DATA).map(drop),
            ck::CKF_DECRYPT => self.session.decrypt_data(&DATA).map(drop),
            ck::CKF_SIGN => self.session.sign_data(&DATA).map(drop),
            ck::CKF_VERIFY => self.session.verify_data(&DATA, &[1; 64]),
            _ => self.session.digest_data(&DATA).map(drop),
        }
    }

    fn end(&self, kind: ck::CK_FLAGS) -> Result<(), Rv> {
        match kind {
            ck::CKF_ENCRYPT => self.session.encrypt_final().map(drop),
            ck::CKF_DECRYPT => self.session.decrypt_final().map(drop),
            ck::CKF_SIGN => self.session.sign_final().map(drop),
            ck::CKF_VERIFY => self.session.verify_final(&[1; 64]),
            _ => self.session.digest_final().map(drop),
        }
    }
}

const KINDS: [ck::CK_FLAGS; 5] =
    [ck::CKF_ENCRYPT, ck::CKF_DECRYPT, ck::CKF_SIGN, ck::CKF_VERIFY, ck::CKF_DIGEST];

#[test]
fn without_an_init_there_is_no_operation() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in KINDS {
            keys.go_on(kind).refused(IDLE);
            keys.at_once(kind).refused(IDLE);
            keys.end(kind).refused(IDLE);
        }
    });
}

#[test]
fn a_second_init_is_refused_and_the_first_operation_goes_on() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in KINDS {
            keys.begin(kind).unwrap();
            keys.begin(kind).refused(ck::CKR_OPERATION_ACTIVE);
            keys.go_on(kind).unwrap();
            keys.begin(kind).refused(ck::CKR_OPERATION_ACTIVE);
            keys.go_on(kind).unwrap();
            let ended = keys.end(kind).err().unwrap_or(Rv(ck::CKR_OK));
            ended.is_one_of(&[ck::CKR_OK, ck::CKR_SIGNATURE_INVALID]);
        }
    });
}

#[test]
fn the_last_call_ends_an_operation_however_it_went() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in KINDS {
            keys.begin(kind).unwrap();
            let _ = keys.at_once(kind);
            keys.at_once(kind).refused(IDLE);
            keys.begin(kind).unwrap();
            keys.go_on(kind).unwrap();
            let _ = keys.end(kind);
            keys.go_on(kind).refused(IDLE);
            keys.end(kind).refused(IDLE);
        }
    });
}

#[test]
fn one_call_for_everything_is_refused_after_a_part() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in KINDS {
            keys.begin(kind).unwrap();
            keys.go_on(kind).unwrap();
            keys.at_once(kind).refused(ck::CKR_OPERATION_ACTIVE);
            call!(keys.session, C_SessionCancel(keys.session.handle, kind)).is(ck::CKR_OK);
        }
    });
}

#[test]
fn operations_of_different_kinds_run_side_by_side_or_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        keys.begin(ck::CKF_DIGEST).unwrap();
        if let Err(rv) = keys.begin(ck::CKF_SIGN) {
            rv.is(ck::CKR_OPERATION_ACTIVE);
            assert!(!token.has(ck::CKF_DUAL_CRYPTO_OPERATIONS));
        } else {
            keys.go_on(ck::CKF_SIGN).unwrap();
        }
        keys.go_on(ck::CKF_DIGEST).unwrap();
        keys.end(ck::CKF_DIGEST).unwrap();
    });
}

#[test]
fn an_init_without_mechanism_ends_the_operation_of_its_kind() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let (s, none) = (keys.session.handle, null_mut());
        for kind in KINDS {
            let cancel = || match kind {
                ck::CKF_ENCRYPT => call!(keys.session, C_EncryptInit(s, none, 0)),
                ck::CKF_DECRYPT => call!(keys.session, C_DecryptInit(s, none, 0)),
                ck::CKF_SIGN => call!(keys.session, C_SignInit(s, none, 0)),
                ck::CKF_VERIFY => call!(keys.session, C_VerifyInit(s, none, 0)),
                _ => call!(keys.session, C_DigestInit(s, none)),
            };
            keys.begin(kind).unwrap();
            cancel().is(ck::CKR_OK);
            keys.go_on(kind).refused(IDLE);
            cancel().is(ck::CKR_ARGUMENTS_BAD);
        }
    });
}

#[test]
fn cancel_ends_the_operations_that_it_names() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in KINDS {
            keys.begin(kind).unwrap();
            let others = KINDS.iter().fold(0, |all, other| all | other) & !kind;
            call!(keys.session, C_SessionCancel(keys.session.handle, others)).is(ck::CKR_OK);
            keys.go_on(kind).unwrap();
            call!(keys.session, C_SessionCancel(keys.session.handle, kind)).is(ck::CKR_OK);
            keys.go_on(kind).refused(IDLE);
        }
    });
}

/// The Init calls that take a key.
const WITH_KEY: [ck::CK_FLAGS; 4] =
    [ck::CKF_ENCRYPT, ck::CKF_DECRYPT, ck::CKF_SIGN, ck::CKF_VERIFY];

fn init(
    session: &Session<'_>,
    kind: ck::CK_FLAGS,
    how: &Mechanism<'_>,
    key: ck::CK_OBJECT_HANDLE,
) -> Result<(), Rv> {
    match kind {
        ck::CKF_ENCRYPT => session.encrypt_init(how, key),
        ck::CKF_DECRYPT => session.decrypt_init(how, key),
        ck::CKF_SIGN => session.sign_init(how, key),
        _ => session.verify_init(how, key),
    }
}

#[test]
fn an_init_that_fails_begins_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let (session, aes) = (keys.session, keys.aes);
        for kind in WITH_KEY {
            let how = if kind & (ck::CKF_SIGN | ck::CKF_VERIFY) != 0 { ecdsa() } else { cbc() };
            for (how, key, expected) in [
                (how, 0, ck::CKR_KEY_HANDLE_INVALID),
                (how, 0xffff_ffff, ck::CKR_KEY_HANDLE_INVALID),
                (plain(ck::CKM_VENDOR_DEFINED), aes, ck::CKR_MECHANISM_INVALID),
            ] {
                let begun = init(&session, kind, &how, key);
                assert_eq!(begun, Err(Rv(expected)), "{:#x} {key}", how.c.mechanism);
                keys.go_on(kind).refused(IDLE);
            }
        }
    });
}

#[test]
fn a_key_of_the_wrong_type_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let session = keys.session;
        let data = session.create(&crate::objects::data(false, false)).unwrap();
        let inconsistent = ck::CKR_KEY_TYPE_INCONSISTENT;
        let rsa = session.create(&known::rsa_private()).unwrap();
        for (kind, how, key) in [
            (ck::CKF_SIGN, ecdsa(), keys.aes),
            (ck::CKF_SIGN, ecdsa(), rsa),
            (ck::CKF_SIGN, plain(ck::CKM_RSA_PKCS), keys.private),
            (ck::CKF_SIGN, plain(ck::CKM_EDDSA), keys.private),
            (ck::CKF_SIGN, plain(ck::CKM_SHA256_HMAC), keys.private),
            (ck::CKF_ENCRYPT, cbc(), rsa),
            (ck::CKF_DECRYPT, plain(ck::CKM_RSA_PKCS), keys.aes),
        ] {
            let refused = init(&session, kind, &how, key);
            assert_eq!(refused, Err(Rv(inconsistent)), "{:#x}", how.c.mechanism);
        }
        init(&session, ck::CKF_SIGN, &ecdsa(), data).refused(ck::CKR_KEY_HANDLE_INVALID);
    });
}

#[test]
fn the_wrong_half_of_a_pair_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for (kind, key) in [(ck::CKF_SIGN, keys.public), (ck::CKF_VERIFY, keys.private)] {
            let refused = init(&keys.session, kind, &ecdsa(), key).expect_err("the wrong half");
            refused.is_one_of(&[ck::CKR_KEY_TYPE_INCONSISTENT, ck::CKR_KEY_FUNCTION_NOT_PERMITTED]);
        }
    });
}

#[test]
fn a_key_does_only_what_it_may() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let refused = ck::CKR_KEY_FUNCTION_NOT_PERMITTED;
        let no_use = template! {
            CKA_ENCRYPT => false, CKA_DECRYPT => false, CKA_SIGN => false, CKA_VERIFY => false,
        };
        let key = session.create(&known::aes(&[1; 16]).with(no_use.clone())).unwrap();
        session.encrypt_init(&cbc(), key).refused(refused);
        session.decrypt_init(&cbc(), key).refused(refused);
        let key = session.create(&known::generic(&[1; 32]).with(no_use)).unwrap();
        session.sign_init(&plain(ck::CKM_SHA256_HMAC), key).refused(refused);
        session.verify_init(&plain(ck::CKM_SHA256_HMAC), key).refused(refused);
        let key = session.create(&known::p256_private().and(ck::CKA_SIGN, false)).unwrap();
        session.sign_init(&ecdsa(), key).refused(refused);
        let key = session.create(&known::p256_public().and(ck::CKA_VERIFY, false)).unwrap();
        session.verify_init(&ecdsa(), key).refused(refused);
    });
}

#[test]
fn an_operation_survives_the_end_of_its_key_or_ends_cleanly() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        for kind in WITH_KEY {
            keys.begin(kind).unwrap();
        }
        for key in [keys.aes, keys.private, keys.public] {
            keys.session.destroy(key).unwrap();
        }
        for kind in WITH_KEY {
            if let Err(rv) = keys.go_on(kind) {
                rv.is_one_of(&[ck::CKR_KEY_HANDLE_INVALID, IDLE]);
            }
        }
    });
}

#[test]
fn a_signature_needs_its_whole_room() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let (session, s, (data, len)) = (keys.session, keys.session.handle, input(&DATA));
        keys.begin(ck::CKF_SIGN).unwrap();
        for room in [0, 1, 63] {
            let (rv, needed, _) =
                lend_room(room, |out, out_len| call!(session, C_Sign(s, data, len, out, out_len)));
            rv.is(ck::CKR_BUFFER_TOO_SMALL);
            assert_eq!(needed, 64);
        }
        let (rv, written, signature) =
            lend_room(100, |out, out_len| call!(session, C_Sign(s, data, len, out, out_len)));
        rv.is(ck::CKR_OK);
        assert_eq!(written, 64, "the exact length is told");
        session.verify(&ecdsa(), keys.public, &DATA, &signature[..64]).unwrap();
        keys.begin(ck::CKF_SIGN).unwrap();
        session.sign_update(&DATA).unwrap();
        let (rv, needed, _) =
            lend_room(10, |out, out_len| call!(session, C_SignFinal(s, out, out_len)));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 64);
        let signature = session.sign_final().unwrap();
        session.verify(&ecdsa(), keys.public, &DATA, &signature).unwrap();
    });
}

#[test]
fn a_signature_may_be_written_over_its_data() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let s = keys.session.handle;
        keys.begin(ck::CKF_SIGN).unwrap();
        let mut room = [7_u8; 64];
        let (start, mut length) = (room.as_mut_ptr(), 64);
        call!(keys.session, C_Sign(s, start, 32, start, &raw mut length)).is(ck::CKR_OK);
        keys.session.verify(&ecdsa(), keys.public, &DATA, &room).unwrap();
    });
}

#[test]
fn bad_pointers_end_a_signature() {
    isolated(|bench| {
        let token = bench.token();
        let keys = keys(&token);
        let (session, s) = (keys.session, keys.session.handle);
        let ((data, len), mut length, mut room) = (input(&DATA), 64, [0_u8; 64]);
        let (out, out_len) = (room.as_mut_ptr(), &raw mut length);
        let calls: [&dyn Fn() -> Rv; 4] = [
            &|| call!(session, C_Sign(s, null_mut(), 32, out, out_len)),
            &|| call!(session, C_Sign(s, data, len, out, null_mut())),
            &|| call!(session, C_SignUpdate(s, null_mut(), 32)),
            &|| call!(session, C_SignFinal(s, out, null_mut())),
        ];
        for call in calls {
            keys.begin(ck::CKF_SIGN).unwrap();
            call().is(ck::CKR_ARGUMENTS_BAD);
            keys.go_on(ck::CKF_SIGN).refused(IDLE);
        }
        let calls: [&dyn Fn() -> Rv; 4] = [
            &|| call!(session, C_Verify(s, null_mut(), 32, out, 64)),
            &|| call!(session, C_Verify(s, data, len, null_mut(), 64)),
            &|| call!(session, C_VerifyUpdate(s, null_mut(), 32)),
            &|| call!(session, C_VerifyFinal(s, null_mut(), 64)),
        ];
        for call in calls {
            keys.begin(ck::CKF_VERIFY).unwrap();
            call().is(ck::CKR_ARGUMENTS_BAD);
            keys.go_on(ck::CKF_VERIFY).refused(IDLE);
        }
    });
}
