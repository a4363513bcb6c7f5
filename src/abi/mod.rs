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
mod dual;
mod encapsulation;
mod encryption;
mod finding;
mod function_list;
mod general;
mod input;
mod keys;
mod mechanism;
mod message_decryption;
mod message_encryption;
mod message_parts;
mod message_signing;
mod message_verifying;
mod objects;
mod operation_state;
mod output;
mod random;
mod recovery;
mod sessions;
mod signing;
mod slots;
mod template;
mod unsupported;
pub mod vendor;
mod vendor_interface;
mod verifying;
mod wrapping;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::call::Function;
use crate::cryptoki::{CK_RV, CK_SESSION_HANDLE, CKR_OK};
use crate::engine;
use crate::error::{Result, Rv};
use crate::provider::{Call, Provider};
use crate::store;
use crate::system::fork::ForkRwLock;
use crate::system::shard::{self, Apart, SHARDS};
use crate::system::{arena, exit, fork};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("only 64-bit Linux is supported: CK_ULONG is taken to be u64");

/// What C_Initialize made. Lock order: this, then the session table, a session, the token, the
/// store; each is released before work under a later one starts, by cloning an `Arc`.
static INSTANCE: Instance = Instance([const { Apart(ForkRwLock::new(None)) }; SHARDS]);

/// One provider behind several locks and counts, of which a thread uses one: threads must not
/// slow each other down by merely coming in. The first lock is also the one under which the
/// library is initialised and finalised.
struct Instance([Apart<ForkRwLock<Option<Arc<Live>>>>; SHARDS]);

/// A provider with a count of its own.
struct Live(Arc<Provider>);

impl Instance {
    fn live(&self) -> Option<Arc<Live>> {
        let [first, ..] = &self.0;
        let own = self.0.get(shard::of_this_thread()).unwrap_or(first).read().clone();
        // While another thread begins, the first lock is held, and what it guards comes last.
        own.or_else(|| first.read().clone())
    }

    /// Begins, unless something is live: one thread at a time runs `make`. What a forked child
    /// inherited is leaked: its locks may be held by threads that the child does not have.
    fn begin(&self, make: impl FnOnce() -> Result<Provider>) -> Result<()> {
        let [first, others @ ..] = &self.0;
        let mut place = first.write();
        if fork::is_inherited() {
            std::mem::forget(place.take());
            others.iter().for_each(|other| std::mem::forget(other.write().take()));
        }
        if let Some(live) = place.as_ref() {
            live.0.look_at_host();
            return Err(Rv::CryptokiAlreadyInitialized.because("C_Initialize was called before"));
        }
        let provider = Arc::new(make()?);
        for other in others {
            *other.write() = Some(Arc::new(Live(Arc::clone(&provider))));
        }
        *place = Some(Arc::new(Live(provider)));
        Ok(())
    }

    /// Ends: what was live is nobody's who comes in from now on.
    fn end(&self) -> Option<Arc<Live>> {
        let [first, others @ ..] = &self.0;
        let ended = first.write().take();
        for other in others {
            other.write().take();
        }
        ended
    }
}

/// The live provider, in the process that initialised it.
fn instance() -> Result<Arc<Live>> {
    if exit::is_exiting() {
        return Err(Rv::CryptokiNotInitialized.because("the process is exiting"));
    }
    if fork::is_inherited() {
        general::live_on_in_child()?;
    }
    INSTANCE.live().ok_or_else(|| Rv::CryptokiNotInitialized.because("C_Initialize was not called"))
}

/// The one way in. No panic leaves it, and every error becomes a `CK_RV` here.
fn enter(function: Function, body: impl FnOnce(&Provider) -> Result<()>) -> CK_RV {
    guarded(|| {
        let live = instance()?;
        body(&live.0).inspect_err(|error| live.0.note(function, error))
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

/// Runs `body`; what goes wrong becomes a `CK_RV`, and the thread's last error.
fn guarded(body: impl FnOnce() -> Result<()>) -> CK_RV {
    answered(|| body().inspect_err(vendor_interface::keep))
}

/// Runs `body`; what goes wrong becomes a `CK_RV`.
fn answered(body: impl FnOnce() -> Result<()>) -> CK_RV {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => CKR_OK,
        Ok(Err(error)) => error.rv.code(),
        Err(_panic) => Rv::GeneralError.code(),
    }
}

/// Fork hooks: every lock that a child needs is free in the child. The order is the lock order.
extern "C" fn before_fork() {
    INSTANCE.0.iter().for_each(|shard| shard.hold_for_fork());
    store::sqlite::hold_for_fork();
    store::lanes::hold_for_fork();
    engine::hold_for_fork();
    arena::SECRETS.hold_for_fork();
    arena::ENGINE.hold_for_fork();
}

extern "C" fn after_fork() {
    arena::ENGINE.release_after_fork();
    arena::SECRETS.release_after_fork();
    engine::release_after_fork();
    store::lanes::release_after_fork();
    store::sqlite::release_after_fork();
    INSTANCE.0.iter().for_each(|shard| shard.release_after_fork());
}
