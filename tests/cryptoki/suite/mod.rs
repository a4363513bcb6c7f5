//! What SoftHSM's own test suite expects of a module, behaviour by behaviour, in our words. The
//! configuration is the one for that suite (`interop/softhsm/claviger.toml`); what it changes is
//! told in `docs/conformance.md`.
//!
//! `interop/softhsm/run.sh` runs these tests against SoftHSM itself, as a check of the tests.

mod defaults;
mod derivation;
mod digests;
mod encryption;
mod keys;
mod library;
mod objects;
mod sessions;
mod signatures;
mod wrapping;

use crate::support::{Bench, Token};

/// The configuration under which SoftHSM's suite runs.
const CONFIGURATION: &str = include_str!("../../../interop/softhsm/claviger.toml");

/// Runs a test on a token under that configuration; nobody is logged in, no session is open.
#[track_caller]
fn on_token<F: FnOnce(&Token)>(test: F) {
    crate::support::isolation::isolated_as::<F>(std::time::Duration::from_secs(180), |bench| {
        bench.configure(CONFIGURATION);
        test(&bench.token());
    });
}

/// The same before C_Initialize.
#[track_caller]
fn on_bench<F: FnOnce(&Bench)>(test: F) {
    crate::support::isolation::isolated_as::<F>(std::time::Duration::from_secs(180), |bench| {
        bench.configure(CONFIGURATION);
        test(bench);
    });
}
