//! What the fuzz targets do with their bytes, as plain functions: cargo-fuzz calls them with
//! inputs that it makes up, `tests/fuzz_smoke.rs` with a few thousand seeded ones.
//!
//! Each goes through the C functions on cheap tokens in a temporary directory, and fails by a
//! panic: for a crash, an answer that no standard knows, CKR_GENERAL_ERROR (a bug's answer), a
//! secret that came out, a state that the rules forbid. Callers promise PKCS#11 that pointers lead
//! to what their lengths say, so no target breaks that promise; everything else it may.

mod answers;
mod attributes;
mod bytes;
mod call_sequence;
mod keys;
mod mechanism_params;
mod module;
mod sequence_model;
mod sequence_operations;
mod stored_object;
mod template;

pub use answers::calls;
pub use call_sequence::call_sequence;
pub use mechanism_params::mechanism_params;
pub use stored_object::stored_object;
pub use template::template;
