//! Sessions and login. PKCS#11 3.2, "Session management functions" and "C_Login".

use crate::call::Function;
use crate::cryptoki::{
    CK_FLAGS, CK_NOTIFY, CK_RV, CK_SESSION_HANDLE, CK_SESSION_HANDLE_PTR, CK_SESSION_INFO,
    CK_SESSION_INFO_PTR, CK_SLOT_ID, CK_ULONG, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_VOID_PTR,
    CKF_ASYNC_SESSION, CKF_DECRYPT, CKF_DIGEST, CKF_ENCRYPT, CKF_FIND_OBJECTS, CKF_MESSAGE_DECRYPT,
    CKF_MESSAGE_ENCRYPT, CKF_MESSAGE_SIGN, CKF_MESSAGE_VERIFY, CKF_RW_SESSION, CKF_SERIAL_SESSION,
    CKF_SIGN, CKF_SIGN_RECOVER, CKF_VERIFY, CKF_VERIFY_RECOVER, CKS_RO_PUBLIC_SESSION,
    CKS_RO_USER_FUNCTIONS, CKS_RW_PUBLIC_SESSION, CKS_RW_SO_FUNCTIONS, CKS_RW_USER_FUNCTIONS,
    CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER,
};
use crate::error::{Result, Rv};
use crate::provider::UserType;
use crate::secret::Secret;
use crate::session::Kind;
use crate::session::state::{Access, SessionState};

use super::input::{input, pin};
use super::output::write;
use super::{enter, in_session};

/// # Safety
/// `session` is null or valid. `application` and `notify` are kept by nobody: no slot event
/// ever happens here.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    _application: CK_VOID_PTR,
    _notify: CK_NOTIFY,
    session: CK_SESSION_HANDLE_PTR,
) -> CK_RV {
    enter(Function::OpenSession, |provider| {
        if session.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the session's handle"));
        }
        if flags & CKF_SERIAL_SESSION == 0 {
            let why = "CKF_SERIAL_SESSION must be set";
            return Err(Rv::SessionParallelNotSupported.because(why));
        }
        if flags & CKF_ASYNC_SESSION != 0 {
            return Err(Rv::SessionAsyncNotSupported.because("no asynchronous sessions"));
        }
        let access = if flags & CKF_RW_SESSION == 0 { Access::ReadOnly } else { Access::ReadWrite };
        let handle = provider.open_session(slot, access)?;
        // SAFETY: this function's own contract.
        unsafe { write(session, handle) }
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::CloseSession, session, |call| call.close_session())
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseAllSessions(slot: CK_SLOT_ID) -> CK_RV {
    enter(Function::CloseAllSessions, |provider| provider.close_all_sessions(slot))
}

/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSessionInfo(
    session: CK_SESSION_HANDLE,
    info: CK_SESSION_INFO_PTR,
) -> CK_RV {
    in_session(Function::GetSessionInfo, session, |call| {
        let (slot, state) = call.session_info()?;
        let write_flag = if state.is_read_write() { CKF_RW_SESSION } else { 0 };
        let reply = CK_SESSION_INFO {
            slotID: slot,
            state: match state {
                SessionState::RoPublic => CKS_RO_PUBLIC_SESSION,
                SessionState::RoUser => CKS_RO_USER_FUNCTIONS,
                SessionState::RwPublic => CKS_RW_PUBLIC_SESSION,
                SessionState::RwUser => CKS_RW_USER_FUNCTIONS,
                SessionState::RwSo => CKS_RW_SO_FUNCTIONS,
            },
            flags: CKF_SERIAL_SESSION | write_flag,
            ulDeviceError: 0,
        };
        // SAFETY: this function's own contract.
        unsafe { write(info, reply) }
    })
}

fn user_type(number: CK_USER_TYPE) -> Result<UserType> {
    match number {
        CKU_SO => Ok(UserType::SecurityOfficer),
        CKU_USER => Ok(UserType::User),
        CKU_CONTEXT_SPECIFIC => Ok(UserType::ContextSpecific),
        _ => Err(Rv::UserTypeInvalid.because("no such user type")),
    }
}

/// # Safety
/// `start` is null or valid for reads of `len` bytes.
unsafe fn required_pin(start: CK_UTF8CHAR_PTR, len: CK_ULONG) -> Result<Secret> {
    // SAFETY: this function's own contract.
    unsafe { pin(start, len)? }
        .ok_or_else(|| Rv::ArgumentsBad.because("no PIN, and no pin pad to ask for one"))
}

/// # Safety
/// `pin_` is null or valid for reads of `pin_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin_: CK_UTF8CHAR_PTR,
    pin_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::Login, session, |call| {
        let user = user_type(user)?;
        // SAFETY: this function's own contract.
        let pin = unsafe { required_pin(pin_, pin_len)? };
        call.login(user, &pin)
    })
}

/// There are no named users: a name that is given must be empty.
///
/// # Safety
/// `pin_` and `name` are null or valid for reads of their lengths.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_LoginUser(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin_: CK_UTF8CHAR_PTR,
    pin_len: CK_ULONG,
    name: CK_UTF8CHAR_PTR,
    name_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::LoginUser, session, |call| {
        let user = user_type(user)?;
        // SAFETY: this function's own contract.
        let pin = unsafe { required_pin(pin_, pin_len)? };
        // SAFETY: this function's own contract.
        let name = unsafe { input(name, name_len)? };
        if !name.is_empty() {
            return Err(Rv::UserTypeInvalid.because("this token has no named users"));
        }
        call.login(user, &pin)
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Logout(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::Logout, session, |call| call.logout())
}

/// # Safety
/// `pin_` is null or valid for reads of `pin_len` bytes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitPIN(
    session: CK_SESSION_HANDLE,
    pin_: CK_UTF8CHAR_PTR,
    pin_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::InitPin, session, |call| {
        // SAFETY: this function's own contract.
        let pin = unsafe { required_pin(pin_, pin_len)? };
        call.init_pin(&pin)
    })
}

/// # Safety
/// Both PINs are null or valid for reads of their lengths.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetPIN(
    session: CK_SESSION_HANDLE,
    old_pin: CK_UTF8CHAR_PTR,
    old_len: CK_ULONG,
    new_pin: CK_UTF8CHAR_PTR,
    new_len: CK_ULONG,
) -> CK_RV {
    in_session(Function::SetPin, session, |call| {
        // SAFETY: this function's own contract.
        let old = unsafe { required_pin(old_pin, old_len)? };
        // SAFETY: this function's own contract.
        let new = unsafe { required_pin(new_pin, new_len)? };
        call.set_pin(&old, &new)
    })
}

/// Flags of kinds that are not active, or that we do not have, change nothing.
///
/// # Safety
/// None of its own: numbers.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SessionCancel(
    session: CK_SESSION_HANDLE,
    flags: CK_FLAGS,
) -> CK_RV {
    const KINDS: [(CK_FLAGS, Kind); 13] = [
        (CKF_FIND_OBJECTS, Kind::Find),
        (CKF_ENCRYPT, Kind::Encrypt),
        (CKF_DECRYPT, Kind::Decrypt),
        (CKF_DIGEST, Kind::Digest),
        (CKF_SIGN, Kind::Sign),
        (CKF_VERIFY, Kind::Verify),
        (CKF_VERIFY, Kind::VerifySignature),
        (CKF_SIGN_RECOVER, Kind::SignRecover),
        (CKF_VERIFY_RECOVER, Kind::VerifyRecover),
        (CKF_MESSAGE_ENCRYPT, Kind::MessageEncrypt),
        (CKF_MESSAGE_DECRYPT, Kind::MessageDecrypt),
        (CKF_MESSAGE_SIGN, Kind::MessageSign),
        (CKF_MESSAGE_VERIFY, Kind::MessageVerify),
    ];
    in_session(Function::SessionCancel, session, |call| {
        let flags = if flags == 0 && call.cancels_all() { CK_FLAGS::MAX } else { flags };
        for (_, kind) in KINDS.iter().filter(|(flag, _)| flags & flag != 0) {
            call.cancel(*kind);
        }
        Ok(())
    })
}

/// No validation is claimed, so no flag of any kind is ever set.
///
/// # Safety
/// `flags` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSessionValidationFlags(
    session: CK_SESSION_HANDLE,
    _kind: CK_ULONG,
    flags: *mut CK_FLAGS,
) -> CK_RV {
    in_session(Function::GetSessionValidationFlags, session, |_call| {
        if flags.is_null() {
            return Err(Rv::ArgumentsBad.because("no place for the flags"));
        }
        // SAFETY: this function's own contract.
        unsafe { write(flags, 0) }
    })
}
