//! Somebody changes a token's files without knowing a PIN. Each test does it to a real directory
//! and looks at what the module answers through its C ABI; `docs/threat-model.md` lists them.
//!
//! The module must be the one of this repository: what it keeps is what is attacked.

#![allow(unsafe_code, reason = "calls through the C ABI are what is tested here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(dead_code, reason = "support is written for all tests through the C ABI")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no interface")]

#[allow(unused_imports, reason = "as above")]
mod support;

#[path = "tamper/attacker.rs"]
mod attacker;
#[path = "tamper/early.rs"]
mod early;
#[path = "tamper/flips.rs"]
mod flips;
#[path = "tamper/lanes.rs"]
mod lanes;
#[path = "tamper/living.rs"]
mod living;
#[path = "tamper/log.rs"]
mod log;
#[path = "tamper/objects.rs"]
mod objects;
#[path = "tamper/places.rs"]
mod places;
#[path = "tamper/victim.rs"]
mod victim;
