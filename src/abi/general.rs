//! C_Initialize, C_Finalize, C_GetInfo, and the two that nobody needs any more.
//! PKCS#11 3.2, "General-purpose functions", "Parallel function management functions".

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Function;
use crate::cryptoki::{
    CK_C_INITIALIZE_ARGS, CK_C_INITIALIZE_ARGS_PTR, CK_INFO, CK_INFO_PTR, CK_RV, CK_SESSION_HANDLE,
    CK_VERSION, CK_VOID_PTR,
};
use crate::engine;
use crate::error::{Result, Rv};
use crate::provider::{LIBRARY, MANUFACTURER, Provider};
use crate::store;
use crate::system::{exit, fork};

use super::input::read;
use super::output::{padded, write};
use super::template;
use super::{INSTANCE, after_fork, before_fork, enter, guarded, in_session};

/// This library's version, in `CK_INFO` and in every token.
pub(super) const VERSION: CK_VERSION = CK_VERSION { major: 0, minor: 1 };

/// # Safety
/// `arguments` is null or a `CK_C_INITIALIZE_ARGS`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Initialize(arguments: CK_VOID_PTR) -> CK_RV {
    silence_panics();
    guarded(|| {
        if exit::is_exiting() {
            return Err(Rv::CryptokiNotInitialized.because("the process is exiting"));
        }
        // SAFETY: this function's own contract.
        unsafe { check_arguments(arguments.cast())? };
        engine::initialise()?;
        fork::register_hooks(before_fork, after_fork, after_fork);
        if fork::is_inherited() && LIVES_ON.load(Ordering::Relaxed) {
            live_on_in_child()?;
        }
        begin()
    })
}

/// Whether a forked child initialises the library by its first call, whichever that is.
static LIVES_ON: AtomicBool = AtomicBool::new(false);

fn begin() -> Result<()> {
    INSTANCE.begin(|| {
        if fork::is_inherited() {
            // A SQLite connection of the parent that is merely forgotten would keep the
            // child's own from taking file locks.
            store::sqlite::close_inherited();
            store::lanes::close_inherited();
        }
        let provider = Provider::initialize()?;
        LIVES_ON.store(provider.lives_on_in_children(), Ordering::Relaxed);
        template::TAKES_REPEATS.store(provider.takes_repeats(), Ordering::Relaxed);
        fork::mark_process();
        Ok(provider)
    })
}

/// In a forked child: begins anew, without a session or a login of the parent's, if that is
/// configured. Another thread of the child may be faster.
pub(super) fn live_on_in_child() -> Result<()> {
    if !LIVES_ON.load(Ordering::Relaxed) {
        return Err(Rv::CryptokiNotInitialized.because("a forked child must call C_Initialize"));
    }
    match begin() {
        Err(error) if error.rv == Rv::CryptokiAlreadyInitialized => Ok(()),
        done => done,
    }
}

/// A panic is caught at the door and told by its return value; the host's stderr is not ours.
/// Our copy of the standard library is private to this library, and so is the hook.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// The locks of the operating system are used whatever a caller offers: its own mutexes could
/// not be taken across a fork. Asking for no threads is granted: there are none.
///
/// # Safety
/// As for `C_Initialize`.
unsafe fn check_arguments(arguments: CK_C_INITIALIZE_ARGS_PTR) -> Result<()> {
    if arguments.is_null() {
        return Ok(());
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given: CK_C_INITIALIZE_ARGS = unsafe { read(arguments, "no arguments")? };
    if !given.pReserved.is_null() {
        return Err(Rv::ArgumentsBad.because("pReserved must be NULL"));
    }
    let callbacks = [
        given.CreateMutex.is_some(),
        given.DestroyMutex.is_some(),
        given.LockMutex.is_some(),
        given.UnlockMutex.is_some(),
    ];
    if callbacks.iter().any(|present| *present != callbacks.contains(&true)) {
        return Err(Rv::ArgumentsBad.because("some mutex functions, but not all four"));
    }
    Ok(())
}

/// # Safety
/// `reserved` must be null; anything else is refused unread.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Finalize(reserved: CK_VOID_PTR) -> CK_RV {
    enter(Function::Finalize, |_live| {
        if !reserved.is_null() {
            return Err(Rv::ArgumentsBad.because("pReserved must be NULL"));
        }
        LIVES_ON.store(false, Ordering::Relaxed);
        let ended = INSTANCE.end();
        let ended = ended.ok_or_else(|| Rv::CryptokiNotInitialized.because("ended meanwhile"))?;
        ended.0.finalize();
        Ok(())
    })
}

/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInfo(info: CK_INFO_PTR) -> CK_RV {
    enter(Function::GetInfo, |_provider| {
        let reply = CK_INFO {
            cryptokiVersion: CK_VERSION { major: 3, minor: 2 },
            manufacturerID: padded(MANUFACTURER),
            flags: 0,
            libraryDescription: padded(LIBRARY),
            libraryVersion: VERSION,
        };
        // SAFETY: this function's own contract.
        unsafe { write(info, reply) }
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionStatus(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::GetFunctionStatus, session, |_call| {
        Err(Rv::FunctionNotParallel.because("nothing runs in parallel"))
    })
}

/// # Safety
/// None of its own: a number.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CancelFunction(session: CK_SESSION_HANDLE) -> CK_RV {
    in_session(Function::CancelFunction, session, |_call| {
        Err(Rv::FunctionNotParallel.because("nothing runs in parallel"))
    })
}
