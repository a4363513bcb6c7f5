//! The inward door: C calls become safe values here, and results become a `CK_RV`.
//!
//! `enter` is the one way in. Entry functions take arguments apart, make one call of the
//! provider and write the reply; they decide nothing. PKCS#11 3.2, "Functions".

#![warn(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

mod decryption;
mod digesting;
mod encryption;
mod finding;
mod function_list;
mod general;
mod input;
mod keys;
mod mechanism;
mod objects;
mod output;
mod random;
mod sessions;
mod signing;
mod slots;
mod template;
mod unsupported;
pub mod vendor;
mod verifying;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::call::Function;
use crate::cryptoki::{CK_RV, CK_SESSION_HANDLE, CKR_OK};
use crate::engine;
use crate::error::{Result, Rv};
use crate::provider::{Call, Provider};
use crate::store;
use crate::system::fork::ForkRwLock;
use crate::system::{arena, exit, fork};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("only 64-bit Linux is supported: CK_ULONG is taken to be u64");

/// What C_Initialize made. Lock order: this, then the session table, a session, the token, the
/// store; each is released before work under a later one starts, by cloning an `Arc`.
static INSTANCE: ForkRwLock<Option<Arc<Provider>>> = ForkRwLock::new(None);

/// The live provider, in the process that initialised it.
fn instance() -> Result<Arc<Provider>> {
    if exit::is_exiting() {
        return Err(Rv::CryptokiNotInitialized.because("the process is exiting"));
    }
    if fork::is_inherited() {
        return Err(Rv::CryptokiNotInitialized.because("a forked child must call C_Initialize"));
    }
    INSTANCE
        .read()
        .clone()
        .ok_or_else(|| Rv::CryptokiNotInitialized.because("C_Initialize was not called"))
}

/// The one way in. No panic leaves it, and every error becomes a `CK_RV` here.
fn enter(function: Function, body: impl FnOnce(&Provider) -> Result<()>) -> CK_RV {
    guarded(|| {
        let provider = instance()?;
        body(&provider).inspect_err(|error| provider.note(function, error))
    })
}

/// The way in for functions with a session: found, and allowed to the caller, before any other
/// argument is looked at.
fn in_session(
    function: Function,
    session: CK_SESSION_HANDLE,
    body: impl FnOnce(&Call<'_>) -> Result<()>,
) -> CK_RV {
    enter(function, |provider| provider.run(function, session, body))
}

/// Runs `body`; what goes wrong becomes a `CK_RV`.
fn guarded(body: impl FnOnce() -> Result<()>) -> CK_RV {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => CKR_OK,
        Ok(Err(error)) => error.rv.code(),
        Err(_panic) => Rv::GeneralError.code(),
    }
}

/// Fork hooks: every lock that a child needs is free in the child. The order is the lock order.
extern "C" fn before_fork() {
    INSTANCE.hold_for_fork();
    store::sqlite::hold_for_fork();
    engine::hold_for_fork();
    arena::SECRETS.hold_for_fork();
    arena::ENGINE.hold_for_fork();
}

extern "C" fn after_fork() {
    arena::ENGINE.release_after_fork();
    arena::SECRETS.release_after_fork();
    engine::release_after_fork();
    store::sqlite::release_after_fork();
    INSTANCE.release_after_fork();
}
