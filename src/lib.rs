//! Claviger: a PKCS#11 3.2 token in software.
//!
//! Calls enter through one thin door (`abi`), become safe values, pass one hall
//! (`provider::Provider::run`), do their work on the floors below, and leave through the same
//! door. The modules stand in the order of the floors; each imports from those below it only.
//! `docs/architecture.md` is the map.

/// The door in: C types become safe values, and back.
#[allow(unsafe_code)]
pub mod abi;
/// Where checkpoints are kept outside of a token's directory.
pub(crate) mod anchor;
/// The tamper-evident log: bytes in, bytes out.
pub mod audit;
/// What a call is.
pub mod call;
/// The configuration file.
pub mod config;
/// The standard's C types and numbers.
pub(crate) mod cryptoki;
/// Where private keys live.
pub(crate) mod custody;
/// Primitives as safe functions.
pub(crate) mod engine;
/// Return values, and errors with a reason.
pub mod error;
/// What can be computed: one row a mechanism.
pub(crate) mod mechanism;
/// What is stored: attributes, templates, the rules of classes.
pub(crate) mod object;
/// The hall: slots, sessions, the safe counterpart of each C function.
pub mod provider;
/// Key material and PINs.
pub mod secret;
/// One session: its state and its operations.
pub mod session;
/// What lasts.
pub(crate) mod store;
/// What the operating system owes us.
#[allow(unsafe_code)]
pub(crate) mod system;
/// One token: login, objects, policy.
pub mod token;
