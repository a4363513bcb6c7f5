//! Sessions: how they open, what they say of themselves, how they end.
//! PKCS#11 3.2, "Session management functions"; Usage Guide, "Sessions".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::token::make_token;
use crate::support::{Refused, SO_PIN, Session, USER_PIN, call, isolated, template};

/// No session ever has this handle.
const NO_SESSION: ck::CK_SESSION_HANDLE = 0;

/// A public session object.
fn some_data(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_PRIVATE => false };
    session.create(&data).expect("a session object")
}

#[test]
fn a_session_says_what_it_is() {
    isolated(|bench| {
        let token = bench.token();
        let table = [
            (token.read_only(), ck::CKS_RO_PUBLIC_SESSION, ck::CKF_SERIAL_SESSION),
            (
                token.public(),
                ck::CKS_RW_PUBLIC_SESSION,
                ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION,
            ),
        ];
        for (session, state, flags) in table {
            let info = session.info().unwrap();
            assert_ne!(session.handle, NO_SESSION);
            assert_eq!((info.slotID, info.state, info.flags), (token.slot, state, flags));
            assert_eq!(info.ulDeviceError, 0);
        }
    });
}

#[test]
fn a_parallel_session_is_not_supported() {
    isolated(|bench| {
        let token = bench.token();
        let mut handle = 0;
        for flags in [0, ck::CKF_RW_SESSION] {
            call!(
                token.module,
                C_OpenSession(token.slot, flags, null_mut(), None, &raw mut handle)
            )
            .is(ck::CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        }
    });
}

#[test]
fn an_asynchronous_session_is_not_supported() {
    isolated(|bench| {
        let token = bench.token();
        let opened = token.module.open(token.slot, ck::CKF_ASYNC_SESSION);
        opened.map(|session| session.handle).refused(ck::CKR_SESSION_ASYNC_NOT_SUPPORTED);
        assert!(!token.has(ck::CKF_ASYNC_SESSION_SUPPORTED));
    });
}

#[test]
fn a_session_needs_a_place_for_its_handle() {
    isolated(|bench| {
        let token = bench.token();
        let flags = ck::CKF_SERIAL_SESSION;
        call!(token.module, C_OpenSession(token.slot, flags, null_mut(), None, null_mut()))
            .is(ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn unknown_session_handles_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for handle in [NO_SESSION, session.handle + 1, ck::CK_SESSION_HANDLE::MAX] {
            let stranger = Session { module: &token.module, handle };
            let invalid = ck::CKR_SESSION_HANDLE_INVALID;
            stranger.info().refused(invalid);
            stranger.close().refused(invalid);
            stranger.login(ck::CKU_USER, USER_PIN).refused(invalid);
            stranger.logout().refused(invalid);
            stranger.find(&template! {}).refused(invalid);
            stranger.random(8).refused(invalid);
        }
    });
}

#[test]
fn a_closed_session_stays_closed() {
    isolated(|bench| {
        let token = bench.token();
        let first = token.public();
        first.close().unwrap();
        for _ in 0..50 {
            token.public();
        }
        first.info().refused(ck::CKR_SESSION_HANDLE_INVALID);
        first.close().refused(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn a_thousand_sessions_can_be_open() {
    isolated(|bench| {
        let token = bench.token();
        let sessions: Vec<_> = (0..1000).map(|_| token.public()).collect();
        let info = token.module.token_info(token.slot).unwrap();
        assert!([1000, ck::CK_UNAVAILABLE_INFORMATION].contains(&info.ulSessionCount));
        for session in &sessions {
            assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        }
        call!(token.module, C_CloseAllSessions(token.slot)).is(ck::CKR_OK);
        sessions[500].info().refused(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn open_sessions_are_counted() {
    isolated(|bench| {
        let token = bench.token();
        let (_reader, _writer, another) = (token.read_only(), token.public(), token.public());
        let counts = || {
            let info = token.module.token_info(token.slot).unwrap();
            (info.ulSessionCount, info.ulRwSessionCount)
        };
        assert_eq!(counts(), (3, 2));
        another.close().unwrap();
        assert_eq!(counts(), (2, 1));
    });
}

#[test]
fn all_sessions_share_the_login() {
    isolated(|bench| {
        let token = bench.token();
        let (reader, writer) = (token.read_only(), token.public());
        writer.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(reader.state(), ck::CKS_RO_USER_FUNCTIONS);
        assert_eq!(writer.state(), ck::CKS_RW_USER_FUNCTIONS);
        assert_eq!(token.read_only().state(), ck::CKS_RO_USER_FUNCTIONS);
        assert_eq!(token.public().state(), ck::CKS_RW_USER_FUNCTIONS);
        reader.logout().unwrap();
        assert_eq!(reader.state(), ck::CKS_RO_PUBLIC_SESSION);
        assert_eq!(writer.state(), ck::CKS_RW_PUBLIC_SESSION);
    });
}

#[test]
fn closing_the_last_session_logs_out() {
    isolated(|bench| {
        let token = bench.token();
        let (first, second) = (token.user(), token.public());
        first.close().unwrap();
        assert_eq!(second.state(), ck::CKS_RW_USER_FUNCTIONS);
        second.close().unwrap();
        assert_eq!(token.public().state(), ck::CKS_RW_PUBLIC_SESSION);
    });
}

#[test]
fn closing_all_sessions_logs_out_and_leaves_other_tokens_alone() {
    isolated(|bench| {
        bench.configure("slots.spare = true");
        let module = bench.initialised();
        let slots = ["one", "two"].map(|label| make_token(&module, label));
        let [first, second] = slots.map(|slot| {
            let session = module.read_write(slot);
            session.login(ck::CKU_USER, USER_PIN).expect("each token has its own login");
            session
        });
        call!(module, C_CloseAllSessions(slots[0])).is(ck::CKR_OK);
        first.info().refused(ck::CKR_SESSION_HANDLE_INVALID);
        assert_eq!(second.state(), ck::CKS_RW_USER_FUNCTIONS);
        assert_eq!(module.read_write(slots[0]).state(), ck::CKS_RW_PUBLIC_SESSION);
    });
}

#[test]
fn a_login_on_one_token_is_none_on_another() {
    isolated(|bench| {
        bench.configure("slots.spare = true");
        let module = bench.initialised();
        let [first, second] =
            ["one", "two"].map(|label| module.read_write(make_token(&module, label)));
        first.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(second.state(), ck::CKS_RW_PUBLIC_SESSION);
        second.login(ck::CKU_SO, SO_PIN).unwrap();
        assert_eq!(second.state(), ck::CKS_RW_SO_FUNCTIONS);
        assert_eq!(first.state(), ck::CKS_RW_USER_FUNCTIONS);
    });
}

#[test]
fn no_read_only_session_opens_while_the_officer_is_logged_in() {
    isolated(|bench| {
        let token = bench.token();
        let officer = token.officer();
        assert_eq!(officer.state(), ck::CKS_RW_SO_FUNCTIONS);
        let opened = token.module.open(token.slot, 0).map(|session| session.handle);
        opened.refused(ck::CKR_SESSION_READ_WRITE_SO_EXISTS);
        assert_eq!(token.public().state(), ck::CKS_RW_SO_FUNCTIONS);
    });
}

#[test]
fn session_objects_die_with_the_session_that_made_them() {
    isolated(|bench| {
        let token = bench.token();
        let (maker, other) = (token.public(), token.public());
        let object = some_data(&maker);
        let staying = some_data(&other);
        other.get(object, ck::CKA_CLASS).expect("session objects are seen by all sessions");
        maker.close().unwrap();
        other.get(object, ck::CKA_CLASS).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        other.get(staying, ck::CKA_CLASS).unwrap();
        assert_eq!(other.count(&template! {}), 1);
    });
}

#[test]
fn a_session_closed_in_the_middle_of_its_work_is_closed() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        session.digest_update(b"unfinished").unwrap();
        call!(session, C_FindObjectsInit(session.handle, null_mut(), 0)).is(ck::CKR_OK);
        session.close().unwrap();
        session.digest_final().refused(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn the_old_parallel_functions_answer_as_the_standard_says() {
    isolated(|bench| {
        let token = bench.token();
        let handle = token.public().handle;
        let legacy = ck::CKR_FUNCTION_NOT_PARALLEL;
        call!(token.module, C_GetFunctionStatus(handle)).is(legacy);
        call!(token.module, C_CancelFunction(handle)).is(legacy);
    });
}

#[test]
fn cancel_ends_what_it_names_and_nothing_else() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        let cancel = |flags| call!(session, C_SessionCancel(session.handle, flags));
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        call!(session, C_FindObjectsInit(session.handle, null_mut(), 0)).is(ck::CKR_OK);
        cancel(0).is(ck::CKR_OK);
        cancel(ck::CKF_SIGN | ck::CKF_ENCRYPT).is(ck::CKR_OK);
        session.digest_update(b"still there").unwrap();
        cancel(ck::CKF_FIND_OBJECTS).is(ck::CKR_OK);
        call!(session, C_FindObjectsFinal(session.handle)).is(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.digest_update(b"still there").unwrap();
        cancel(ck::CKF_DIGEST).is(ck::CKR_OK);
        session.digest_final().refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        session.digest(&plain(ck::CKM_SHA256), b"and again").unwrap();
    });
}

#[test]
fn cancel_of_an_unknown_session_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let cancelled = call!(token.module, C_SessionCancel(NO_SESSION, ck::CKF_DIGEST));
        cancelled.is(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

#[test]
fn an_init_without_mechanism_cancels_the_operation() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        call!(session, C_DigestInit(session.handle, null_mut())).is(ck::CKR_OK);
        session.digest_update(b"x").refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

#[test]
fn sessions_have_no_validation_to_show() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for kind in [0, ck::CKS_LAST_VALIDATION_OK, 2, ck::CK_ULONG::MAX] {
            let mut flags = ck::CK_FLAGS::MAX;
            call!(session, C_GetSessionValidationFlags(session.handle, kind, &raw mut flags))
                .is(ck::CKR_OK);
            assert_eq!(flags, 0, "{kind}");
        }
    });
}
