//! What both benches share: a module loaded as any host would load it, a token in a temporary
//! directory, and a stopwatch. Knows nothing of the library's own code.

// Each bench uses its half of this.
#![allow(dead_code)]

pub(crate) mod attributes;
pub(crate) mod child;
pub(crate) mod module;
pub(crate) mod objects;
pub(crate) mod scratch;
pub(crate) mod stopwatch;
pub(crate) mod workloads;
