//! The command line tool as its users meet it: exit codes, JSON fields, what it says and what
//! it never says. Each test has a home and a data directory of its own, and no terminal unless
//! it brings one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(clippy::indexing_slicing, reason = "a JSON field that is missing fails the test")]

#[path = "cli/anchors.rs"]
mod anchors;
#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/audit_copies.rs"]
mod audit_copies;
#[path = "cli/audit_faults.rs"]
mod audit_faults;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/certificates.rs"]
mod certificates;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/erasure.rs"]
mod erasure;
#[path = "cli/independent.rs"]
mod independent;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/person.rs"]
mod person;
#[path = "cli/signatures.rs"]
mod signatures;
#[path = "cli/tokens.rs"]
mod tokens;
#[path = "cli/versions.rs"]
mod versions;
#[cfg(feature = "witness")]
#[path = "support/witness.rs"]
mod witness;
#[path = "cli/written.rs"]
mod written;
