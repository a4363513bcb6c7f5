//! What all benches share: a module loaded as any host would load it, a token in a temporary
//! directory, and a stopwatch. Knows nothing of the library's own code.

// Each bench uses its part of this.
#![allow(dead_code)]

pub(crate) mod attributes;
pub(crate) mod beside;
pub(crate) mod child;
pub(crate) mod composites;
pub(crate) mod crowded;
pub(crate) mod kem;
pub(crate) mod machine;
pub(crate) mod module;
pub(crate) mod objects;
pub(crate) mod primitive;
pub(crate) mod remote;
pub(crate) mod rows;
pub(crate) mod scratch;
pub(crate) mod shelf;
pub(crate) mod signer;
pub(crate) mod stopwatch;
pub(crate) mod syncs;
pub(crate) mod workloads;
