//! The module through its C ABI: the built library is loaded with dlopen and called as hosts call
//! it. One chapter per file, each test in a process and a token directory of its own
//! (`support/isolation.rs`); names of tests say the rule that they hold.
//!
//! `CLAVIGER_TEST_MODULE=/path/to/other.so` runs the same tests against another module.

#![allow(unsafe_code, reason = "calls through the C ABI are what is tested here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(dead_code, reason = "support is written for all chapters")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no interface")]

mod support;

#[path = "cryptoki/aes.rs"]
mod aes;
#[path = "cryptoki/aes_buffers.rs"]
mod aes_buffers;
#[path = "cryptoki/amnesia.rs"]
mod amnesia;
#[path = "cryptoki/anchors.rs"]
mod anchors;
#[path = "cryptoki/answers.rs"]
mod answers;
#[path = "cryptoki/attacks.rs"]
mod attacks;
#[path = "cryptoki/attributes.rs"]
mod attributes;
#[path = "cryptoki/bad_days.rs"]
mod bad_days;
#[path = "cryptoki/bundles.rs"]
mod bundles;
#[path = "cryptoki/calls.rs"]
mod calls;
#[path = "cryptoki/certificates.rs"]
mod certificates;
#[path = "cryptoki/changes.rs"]
mod changes;
#[path = "cryptoki/ciphers.rs"]
mod ciphers;
#[path = "cryptoki/compatibility.rs"]
mod compatibility;
#[path = "cryptoki/composite_kems.rs"]
mod composite_kems;
#[path = "cryptoki/composite_signatures.rs"]
mod composite_signatures;
#[path = "cryptoki/counted.rs"]
mod counted;
#[path = "cryptoki/crowds.rs"]
mod crowds;
#[path = "cryptoki/curves.rs"]
mod curves;
#[path = "cryptoki/damaged.rs"]
mod damaged;
#[path = "cryptoki/derive.rs"]
mod derive;
#[path = "cryptoki/dh.rs"]
mod dh;
#[path = "cryptoki/diagnostics.rs"]
mod diagnostics;
#[path = "cryptoki/digests.rs"]
mod digests;
#[path = "cryptoki/dsa.rs"]
mod dsa;
#[path = "cryptoki/dual.rs"]
mod dual;
#[path = "cryptoki/ecdh_kem.rs"]
mod ecdh_kem;
#[path = "cryptoki/ecdsa.rs"]
mod ecdsa;
#[path = "cryptoki/eddsa.rs"]
mod eddsa;
#[path = "cryptoki/every_function.rs"]
mod every_function;
#[cfg(feature = "failpoints")]
#[path = "cryptoki/failpoints.rs"]
mod failpoints;
#[path = "cryptoki/finding.rs"]
mod finding;
#[path = "cryptoki/forks.rs"]
mod forks;
#[path = "cryptoki/full_disk.rs"]
mod full_disk;
#[path = "cryptoki/gcm.rs"]
mod gcm;
#[path = "cryptoki/generation.rs"]
mod generation;
#[path = "cryptoki/hmac.rs"]
mod hmac;
#[path = "cryptoki/hybrids.rs"]
mod hybrids;
#[path = "cryptoki/ike.rs"]
mod ike;
#[path = "cryptoki/initialise.rs"]
mod initialise;
#[path = "cryptoki/interfaces.rs"]
mod interfaces;
#[path = "cryptoki/kdf.rs"]
mod kdf;
#[path = "cryptoki/killed.rs"]
mod killed;
#[path = "cryptoki/leaving.rs"]
mod leaving;
#[path = "cryptoki/legacy.rs"]
mod legacy;
#[path = "cryptoki/login.rs"]
mod login;
#[path = "cryptoki/memory.rs"]
mod memory;
#[path = "cryptoki/message_signing.rs"]
mod message_signing;
#[path = "cryptoki/messages.rs"]
mod messages;
#[path = "cryptoki/messages_others.rs"]
mod messages_others;
#[path = "cryptoki/ml_dsa.rs"]
mod ml_dsa;
#[path = "cryptoki/ml_kem.rs"]
mod ml_kem;
#[path = "cryptoki/neighbours.rs"]
mod neighbours;
#[path = "cryptoki/objects.rs"]
mod objects;
#[path = "cryptoki/one_time.rs"]
mod one_time;
#[path = "cryptoki/operation_state.rs"]
mod operation_state;
#[path = "cryptoki/operations.rs"]
mod operations;
#[path = "cryptoki/pins.rs"]
mod pins;
#[path = "cryptoki/policy.rs"]
mod policy;
#[path = "cryptoki/post_quantum_keys.rs"]
mod post_quantum_keys;
#[path = "cryptoki/post_quantum_wrapping.rs"]
mod post_quantum_wrapping;
#[path = "cryptoki/profiles.rs"]
mod profiles;
#[path = "cryptoki/public_half.rs"]
mod public_half;
#[path = "cryptoki/random.rs"]
mod random;
#[path = "cryptoki/recording.rs"]
mod recording;
#[path = "cryptoki/recovery.rs"]
mod recovery;
#[path = "cryptoki/retention.rs"]
mod retention;
#[path = "cryptoki/rotation.rs"]
mod rotation;
#[path = "cryptoki/rsa.rs"]
mod rsa;
#[path = "cryptoki/rsa_kem.rs"]
mod rsa_kem;
#[path = "cryptoki/rsa_keys.rs"]
mod rsa_keys;
#[path = "cryptoki/rsa_raw.rs"]
mod rsa_raw;
#[path = "cryptoki/sessions.rs"]
mod sessions;
#[path = "cryptoki/slh_dsa.rs"]
mod slh_dsa;
#[path = "cryptoki/slots.rs"]
mod slots;
#[path = "cryptoki/storm.rs"]
mod storm;
#[path = "cryptoki/strengths.rs"]
mod strengths;
#[path = "cryptoki/suite/mod.rs"]
mod suite;
#[path = "cryptoki/syncs.rs"]
mod syncs;
#[path = "cryptoki/templates.rs"]
mod templates;
#[path = "cryptoki/tls12.rs"]
mod tls12;
#[path = "cryptoki/tokens.rs"]
mod tokens;
#[path = "cryptoki/trust.rs"]
mod trust;
#[path = "cryptoki/uses.rs"]
mod uses;
#[path = "cryptoki/vendor.rs"]
mod vendor;
#[path = "cryptoki/verify_signature.rs"]
mod verify_signature;
#[path = "cryptoki/views.rs"]
mod views;
#[path = "cryptoki/wrapping.rs"]
mod wrapping;
#[path = "cryptoki/wrapping_aead.rs"]
mod wrapping_aead;
#[path = "cryptoki/wrapping_ecdh.rs"]
mod wrapping_ecdh;
#[path = "cryptoki/wrapping_gcm.rs"]
mod wrapping_gcm;
#[path = "cryptoki/wrapping_rsa.rs"]
mod wrapping_rsa;
#[path = "cryptoki/wrapping_rules.rs"]
mod wrapping_rules;
